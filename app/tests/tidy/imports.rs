//! Takes the crates' dependencies and the sources; gives the imports that the house does not allow.

use cargo_metadata::MetadataCommand;

use crate::code::{Token, closing, reads, tokens};
use crate::tree::{Breach, Source, root};

/// Who may import which of our crates. `app` composes all of them.
const MAY_IMPORT: [(&str, &[&str]); 9] = [
    ("domain", &[]),
    ("calibration", &["domain", "testdata"]),
    ("models", &["domain"]),
    ("store", &["domain"]),
    ("testdata", &["domain"]),
    ("pipeline", &["calibration", "domain", "models", "store", "testdata"]),
    ("ui", &["domain", "store"]),
    ("app", &["calibration", "domain", "models", "pipeline", "store", "testdata", "ui"]),
    ("benches", &["calibration", "domain", "models", "pipeline", "store", "testdata"]),
];

/// Outside libraries (a `*` stands for any ending) and the only crates that may use them.
const DOORS: [(&str, &[&str]); 12] = [
    ("ort", &["models"]),
    ("rusqlite", &["store"]),
    ("gstreamer*", &["pipeline"]),
    ("aravis*", &["pipeline"]),
    ("rumqttc*", &["pipeline"]),
    ("async-opcua*", &["pipeline"]),
    ("tokio-modbus", &["pipeline"]),
    ("egui*", &["ui"]),
    ("eframe", &["ui"]),
    ("opencv", &["benches", "calibration", "pipeline"]),
    ("clap", &["app"]),
    ("anyhow", &["app"]),
];

/// Narrower doors, by file: within files that start with the first, the crate in the second may be
/// named only in files that start with one of the third.
const NARROW_DOORS: [(&str, &str, &[&str]); 4] = [
    ("", "ort", &["models/src/session.rs", "models/src/session/"]),
    ("", "opencv", &["benches/benches/calibration.rs", "calibration/", "pipeline/src/prepare/"]),
    ("calibration/src/", "testdata", &[]),
    ("pipeline/src/", "testdata", &["pipeline/src/capture/synthetic.rs"]),
];

/// What a stage may name of its own crate, besides itself.
const STAGES_MAY_NAME: [&str; 6] = ["clock", "limits", "link", "plc", "priority", "stage"];

/// One line of a crate's dependencies, of any kind.
pub struct Edge {
    pub from: String,
    pub to: String,
}

impl Edge {
    fn breach(&self, what: String) -> Option<Breach> {
        Some(Breach { path: format!("{}/Cargo.toml", self.from), line: 1, what })
    }
}

/// All dependencies of the crates of this workspace; ours by folder name, others by package name.
pub fn edges() -> Vec<Edge> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    let metadata = command.other_options(["--offline".to_owned()]).exec().unwrap();
    let edge = |from: &str, to: &str| Edge { from: folder(from), to: folder(to) };
    metadata
        .packages
        .iter()
        .flat_map(|p| p.dependencies.iter().map(move |d| edge(p.name.as_str(), d.name.as_str())))
        .collect()
}

fn folder(package: &str) -> String {
    let ours =
        if package == "sightline" { Some("app") } else { package.strip_prefix("sightline-") };
    ours.unwrap_or(package).to_owned()
}

/// An import of one of our crates by another that must not know it.
pub fn wrong_import(edge: &Edge) -> Option<Breach> {
    let ours = |name: &str| MAY_IMPORT.iter().find(|(crate_name, _)| *crate_name == name);
    let Some((_, allowed)) = ours(&edge.from) else {
        return edge.breach(format!("`{}` has no line in tidy's MAY_IMPORT", edge.from));
    };
    ours(&edge.to)?;
    if allowed.contains(&&*edge.to) {
        return None;
    }
    edge.breach(format!("imports `{}`; it may import: {}", edge.to, allowed.join(", ")))
}

/// A dependency on an outside library that another crate is the door to.
pub fn wrong_door(edge: &Edge) -> Option<Breach> {
    let fits = |library: &str| match library.strip_suffix('*') {
        Some(start) => edge.to.starts_with(start),
        None => edge.to == library,
    };
    let (_, doors) = DOORS.iter().find(|(library, _)| fits(library))?;
    if doors.contains(&&*edge.from) {
        return None;
    }
    edge.breach(format!("uses `{}`, whose only door is: {}", edge.to, doors.join(", ")))
}

/// A crate that is named in a file which is not its door.
pub fn wrong_name(source: &Source) -> Vec<Breach> {
    let mut found = Vec::new();
    let code = tokens(&source.code);
    for (scope, name, doors) in NARROW_DOORS {
        let is_door = doors.iter().any(|door| source.path.starts_with(door));
        if is_door || !source.path.starts_with(scope) {
            continue;
        }
        let what = format!("names `{name}`, which belongs in {}", doors.join(", "));
        found.extend(lines_naming(&code, name).map(|line| source.breach(line, what.clone())));
    }
    found
}

/// The lines on which a path starts with the crate `name`.
fn lines_naming<'a>(code: &'a [Token<'_>], name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let before = |at: usize| at.checked_sub(1).map_or("", |previous| code[previous].text);
    let starts = move |at: usize| {
        let head = matches!(before(at), "use" | "crate") || reads(code, at + 1, &["::"]);
        head && before(at) != "::"
    };
    let named = (0..code.len()).filter(move |&at| code[at].text == name && starts(at));
    named.map(|at| code[at].line)
}

/// A stage that names another, or what it should not know; or another file that names two stages.
pub fn sibling_stages(source: &Source) -> Vec<Breach> {
    let Some(path) = source.path.strip_prefix("pipeline/src/") else {
        return Vec::new();
    };
    let stages = domain::Stage::ALL.map(domain::Stage::name);
    let head = path.split(['/', '.']).next().unwrap_or_default();
    if matches!(head, "lib" | "line") {
        return Vec::new();
    }
    let code = tokens(&source.code);
    let named = root_names(&code, depth_of(path));
    if stages.contains(&head) {
        let allowed = |name: &str| name == head || STAGES_MAY_NAME.contains(&name);
        let wrong = named.into_iter().filter(|name| !allowed(name.text));
        return wrong.map(|name| source.breach(name.line, stage_advice(head, name.text))).collect();
    }
    let mut of_stages = named.into_iter().filter(|name| stages.contains(&name.text));
    let Some(first) = of_stages.next() else {
        return Vec::new();
    };
    let second = of_stages.find(|name| name.text != first.text);
    let what = format!("names `{}` and another stage; only line.rs names two", first.text);
    second.map(|name| source.breach(name.line, what)).into_iter().collect()
}

fn stage_advice(stage: &str, name: &str) -> String {
    format!("stage `{stage}` names `crate::{name}`; it may name {}", STAGES_MAY_NAME.join(", "))
}

/// How many modules deep a file below `src/` is: `lib.rs` 0, `act/mod.rs` 1, `act/ledger.rs` 2.
fn depth_of(path: &str) -> usize {
    let own = path.ends_with("mod.rs") || path == "lib.rs";
    path.split('/').count() - usize::from(own)
}

/// What the code names in the root of its own crate, by `crate::` or by enough `super::`.
fn root_names<'a>(code: &[Token<'a>], depth: usize) -> Vec<Token<'a>> {
    let mut found = Vec::new();
    let mut inline_ends: Vec<usize> = Vec::new();
    let mut at = 0;
    while at < code.len() {
        inline_ends.retain(|&end| at < end);
        if code[at].text == "mod" && reads(code, at + 2, &["{"]) {
            inline_ends.push(closing(code, at + 2));
        }
        let mut after = at;
        while reads(code, after, &["super", "::"]) {
            after += 2;
        }
        let supers = (after - at) / 2;
        if reads(code, at, &["crate", "::"]) {
            after = at + 2;
        }
        if after > at && (supers == 0 || supers == depth + inline_ends.len()) {
            found.extend(heads(code, after));
        }
        at = after.max(at + 1);
    }
    found
}

/// The first names of the path, or of each path in the braces, at `at`.
fn heads<'a>(code: &[Token<'a>], at: usize) -> Vec<Token<'a>> {
    if !reads(code, at, &["{"]) {
        return code.get(at).copied().into_iter().collect();
    }
    let end = closing(code, at);
    let mut found = Vec::new();
    let mut index = at + 1;
    while index < end {
        found.push(code[index]);
        while index < end && code[index].text != "," {
            index = if code[index].text == "{" { closing(code, index) } else { index + 1 };
        }
        index += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: folder(from), to: folder(to) }
    }

    fn stage_breaches(path: &str, text: &str) -> Vec<usize> {
        sibling_stages(&Source::new(path, text)).iter().map(|b| b.line).collect()
    }

    #[test]
    fn a_wrong_import_is_found() {
        assert!(wrong_import(&edge("sightline-domain", "sightline-store")).is_some());
        assert!(wrong_import(&edge("sightline-ui", "sightline-pipeline")).is_some());
        assert!(wrong_import(&edge("sightline-pipeline", "sightline-ui")).is_some());
        assert!(wrong_import(&edge("sightline-benches", "sightline")).is_some());
        assert!(wrong_import(&edge("sightline-new", "serde")).is_some());
        assert!(wrong_import(&edge("sightline-ui", "sightline-store")).is_none());
        assert!(wrong_import(&edge("sightline", "sightline-ui")).is_none());
        assert!(wrong_import(&edge("sightline-domain", "serde")).is_none());
    }

    #[test]
    fn a_second_door_is_found() {
        assert!(wrong_door(&edge("sightline", "ort")).is_some());
        assert!(wrong_door(&edge("sightline-ui", "gstreamer-app")).is_some());
        assert!(wrong_door(&edge("sightline-pipeline", "anyhow")).is_some());
        assert!(wrong_door(&edge("sightline-models", "ort")).is_none());
        assert!(wrong_door(&edge("sightline-pipeline", "gstreamer-app")).is_none());
    }

    #[test]
    fn a_name_outside_its_door_is_found() {
        let lines = |path, text| -> Vec<usize> {
            wrong_name(&Source::new(path, text)).iter().map(|breach| breach.line).collect()
        };
        let text =
            "//! ort::\nuse ort;\nuse ort::Session;\nfn f() { x(ort::init(), port::a, a::ort::b) }";
        assert_eq!(lines("models/src/bundle.rs", text), [2, 3, 4]);
        assert_eq!(lines("models/src/session.rs", text), [0; 0]);
        assert_eq!(lines("pipeline/src/infer/mod.rs", "use opencv::core;"), [1]);
        assert_eq!(lines("pipeline/src/prepare/warp.rs", "use opencv::core;"), [0; 0]);
        assert_eq!(lines("pipeline/src/capture/mod.rs", "use testdata::Belt;"), [1]);
        assert_eq!(lines("pipeline/src/capture/synthetic.rs", "use testdata::Belt;"), [0; 0]);
        assert_eq!(lines("app/src/modes/simulate.rs", "use testdata::Belt;"), [0; 0]);
    }

    #[test]
    fn a_sibling_stage_is_found() {
        let text = "use crate::locate::A;\nuse crate::{link, decide::B};\nuse super::super::act;";
        assert_eq!(stage_breaches("pipeline/src/capture/gst.rs", text), [1, 2, 3]);
        assert_eq!(stage_breaches("pipeline/src/act/mod.rs", "use super::record;"), [1]);
        assert_eq!(stage_breaches("pipeline/src/act/mod.rs", "use crate::*;"), [1]);
        assert_eq!(stage_breaches("pipeline/src/decide/mod.rs", "use crate::Recorder;"), [1]);
        let in_tests =
            "mod tests {\n use super::a;\n use super::super::locate;\n}\nuse super::act;";
        assert_eq!(stage_breaches("pipeline/src/decide/mod.rs", in_tests), [3, 5]);
    }

    #[test]
    fn what_a_stage_may_name_is_not_found() {
        let text =
            "use crate::{clock, limits, link::{self, Link}, plc, stage};\nuse super::record;";
        assert_eq!(stage_breaches("pipeline/src/capture/gst.rs", text), [0; 0]);
        let own = "use crate::capture::Source; pub(crate) fn f() {} // crate::act";
        assert_eq!(stage_breaches("pipeline/src/capture/gst.rs", own), [0; 0]);
    }

    #[test]
    fn only_line_names_two_stages() {
        let text = "use crate::capture;\nuse crate::{link, locate};";
        assert_eq!(stage_breaches("pipeline/src/stage.rs", text), [2]);
        assert_eq!(stage_breaches("pipeline/src/line.rs", text), [0; 0]);
        assert_eq!(stage_breaches("pipeline/src/stage.rs", "use crate::capture;"), [0; 0]);
    }
}
