//! Takes what lists the stages (domain, `line.rs`, ARCHITECTURE.md); gives what is out of order.

use crate::code::{closing, reads, tokens};
use crate::tree::{Breach, Source};

/// The line, from the camera to the cloud.
const LINE: [&str; 8] =
    ["capture", "locate", "prepare", "infer", "decide", "act", "record", "upload"];

/// The stages as the domain lists them.
pub fn stage_order(names: &[&str]) -> Vec<Breach> {
    let source = Source::new("domain/src/stage.rs", "");
    let what = format!("Stage::ALL is {names:?}; the line is {LINE:?}");
    if names == LINE { Vec::new() } else { vec![source.breach(1, what)] }
}

/// Calls of `…spawn…(… Stage::X …)`: the last stage starts first, so each finds its receiver.
pub fn spawn_order(line: &Source) -> Vec<Breach> {
    let code = tokens(line.code_before_tests());
    let mut spawned = Vec::new();
    for at in (0..code.len()).filter(|&at| code[at].text.contains("spawn")) {
        if !reads(&code, at + 1, &["("]) || at > 0 && code[at - 1].text == "fn" {
            continue;
        }
        let end = closing(&code, at + 1);
        let stage = (at..end).find(|&i| reads(&code, i, &["Stage", "::"])).map(|i| code[i + 2]);
        spawned.extend(stage.map(|stage| (stage.line, place(&stage.text.to_lowercase()))));
    }
    if spawned.len() < 2 {
        return vec![
            line.breach(1, "no `spawn(Stage::…)` calls: tidy cannot see the order of starts"),
        ];
    }
    let wrong = spawned.windows(2).filter(|pair| pair[0].1 <= pair[1].1);
    wrong
        .map(|pair| line.breach(pair[1].0, "is started after a stage before it; last first"))
        .collect()
}

fn place(stage: &str) -> Option<usize> {
    LINE.iter().position(|name| *name == stage)
}

/// Headings that begin with a stage's name: each once, in line order.
pub fn headings(text: &Source) -> Vec<Breach> {
    let lines = text.text.lines().enumerate();
    let headings = lines.filter_map(|(index, line)| Some((index + 1, stage_of_heading(line)?)));
    let headings: Vec<(usize, usize)> = headings.collect();
    if headings.iter().map(|(_, place)| *place).eq(0..LINE.len()) {
        return Vec::new();
    }
    let out_of_place = headings.iter().enumerate().find(|(index, (_, place))| index != place);
    let line = out_of_place.map_or(1, |(_, (line, _))| *line);
    let found: Vec<&str> = headings.iter().map(|(_, place)| LINE[*place]).collect();
    vec![text.breach(line, format!("headings of stages are {found:?}; wanted, in order: {LINE:?}"))]
}

fn stage_of_heading(line: &str) -> Option<usize> {
    let heading = line.strip_prefix('#')?;
    let mut words = heading.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    place(&words.next()?.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_order_is_found() {
        let mut names = LINE;
        assert_eq!(stage_order(&names).len(), 0);
        names.swap(2, 3);
        assert_eq!(stage_order(&names).len(), 1);
        assert_eq!(stage_order(&LINE[..7]).len(), 1);
    }

    fn spawns(text: &str) -> Vec<usize> {
        spawn_order(&Source::new("pipeline/src/line.rs", text)).iter().map(|b| b.line).collect()
    }

    #[test]
    fn a_wrong_start_is_found() {
        let good = "fn spawn(stage: Stage) {}\nspawn(Stage::Record);\nspawn(Stage::Act, x(1))?;\n\
                    scope.spawn_stage(s, Stage::Capture, || run(Stage::Upload));\n";
        assert_eq!(spawns(good), [0; 0]);
        assert_eq!(
            spawns("spawn(Stage::Act);\nspawn(Stage::Record);\nspawn(Stage::Capture);"),
            [2]
        );
        assert_eq!(spawns("spawn(Stage::Act);\nspawn(Stage::Act);"), [2]);
        assert_eq!(spawns("fn f() { thread(Stage::Act) }"), [1]);
    }

    #[test]
    fn a_missing_or_moved_heading_is_found() {
        let text = |names: &[&str]| {
            let parts: Vec<String> =
                names.iter().map(|n| format!("### {n}: takes\n\ntext\n")).collect();
            Source::new("ARCHITECTURE.md", &format!("# Line\n## The stages\n{}", parts.concat()))
        };
        assert_eq!(headings(&text(&LINE)).len(), 0);
        assert_eq!(headings(&text(&LINE[1..])).len(), 1);
        let mut moved = LINE;
        moved.swap(0, 1);
        assert_eq!(headings(&text(&moved))[0].line, 3);
        let numbered = Source::new("ARCHITECTURE.md", &text(&LINE).text.replace("### ", "## 3. `"));
        assert_eq!(headings(&numbered).len(), 0);
    }
}
