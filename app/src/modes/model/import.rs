//! `sightline model import`: takes an ONNX file, what a person says of it and pictures, leaves a
//! bundle.

use std::fs;
use std::io::{BufRead, IsTerminal, Write, stderr, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use domain::OwnedPixels;
use models::golden::{Sample, contradiction};
use models::import::{Import, Item, Proposal, Wishes};
use models::manifest::Manifest;
use models::picture::pixels_from_file;
use models::write::{Draft, bundle_from_draft};
use models::{Model, Runtime};
use serde_json::json;

use super::table::aligned;
use crate::Ended;
use crate::modes::{say, say_json};

/// Make a bundle of an ONNX file.
///
/// The file is read, not run, and every setting of the bundle is proposed with the reason and how
/// sure that is: told (by a flag), read (the file says so), likely (what its exporter nearly always
/// means) or unsure. What is unsure is asked for on a terminal; where there is none, the flag that
/// settles it is named and nothing is written. Known are the exports of Ultralytics, anomalib,
/// torchvision, timm, DETR and RF-DETR, YOLO v5 to v11 by their shapes, and plain classifiers,
/// grids and maps.
///
/// The golden pictures become the bundle's golden samples: what the network says of them now is
/// what it must say on every machine that arms it. 3 to 8 are good: parts of each label, good ones
/// too, cut out as the station will cut them. Say with `=LABEL` what each shows, and a wrong
/// setting is found here, by name, and not on the line.
#[derive(clap::Args)]
pub struct Args {
    /// The ONNX file; one picture a run, channels first, 32-bit floats.
    onnx: PathBuf,
    /// The bundle's folder, which must not be there yet.
    #[arg(long, value_name = "DIR", required_unless_present = "dry_run")]
    out: Option<PathBuf>,
    /// Pictures that become golden samples, each perhaps with the label that it shows.
    #[arg(long, value_name = "PICTURE[=LABEL]", num_args = 1..)]
    golden: Vec<String>,
    /// Show what is proposed and the manifest it makes; write nothing, run nothing.
    #[arg(long)]
    dry_run: bool,
    /// One JSON object on stdout; nothing is asked.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    told: Told,
}

/// Settings that need not be proposed.
#[derive(clap::Args)]
#[command(next_help_heading = "Settings, for what the file does not say or says wrongly")]
struct Told {
    /// classifier, segmenter, detector or anomaly_map.
    #[arg(long)]
    kind: Option<String>,
    /// Which of the graph's outputs is read.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
    /// How a detector writes boxes: yolo_v5, yolo_v8, end_to_end or detr.
    #[arg(long)]
    layout: Option<String>,
    /// What is fed, in pixels, where the graph leaves it open.
    #[arg(long, value_name = "WxH")]
    size: Option<String>,
    /// rgb, bgr or gray.
    #[arg(long)]
    colour: Option<String>,
    /// 0..1, imagenet, -1..1, 0..255, or MEAN/STD like 0.5,0.5,0.5/0.2,0.2,0.2.
    #[arg(long, value_name = "HOW", allow_hyphen_values = true)]
    normalise: Option<String>,
    /// How a crop of another shape is made to fit: letterbox or stretch.
    #[arg(long)]
    resize: Option<String>,
    /// Brightness of a letterbox's border, 0 to 1.
    #[arg(long)]
    pad: Option<String>,
    /// A word for each channel, in their order; commas between them.
    #[arg(long, value_name = "A,B,C")]
    labels: Option<String>,
    /// The label that is no defect.
    #[arg(long, value_name = "LABEL")]
    good: Option<String>,
    /// What makes probabilities of the numbers: softmax, sigmoid or none.
    #[arg(long)]
    activation: Option<String>,
    /// Anomaly maps: the number that is usual for good parts, and the one that surely is none.
    #[arg(long, value_name = "LOW,HIGH", allow_hyphen_values = true)]
    range: Option<String>,
    /// Under which licence the weights may be used.
    #[arg(long)]
    licence: Option<String>,
    /// What people shall call it; the file's name, if nothing is said.
    #[arg(long)]
    name: Option<String>,
    /// What it finds, in a sentence.
    #[arg(long)]
    description: Option<String>,
}

impl Told {
    fn wishes(&self) -> Result<Wishes> {
        let mut wishes = Wishes::default();
        for (flag, told) in [
            ("--kind", &self.kind),
            ("--output", &self.output),
            ("--layout", &self.layout),
            ("--size", &self.size),
            ("--colour", &self.colour),
            ("--normalise", &self.normalise),
            ("--resize", &self.resize),
            ("--pad", &self.pad),
            ("--labels", &self.labels),
            ("--good", &self.good),
            ("--activation", &self.activation),
            ("--range", &self.range),
            ("--licence", &self.licence),
            ("--name", &self.name),
            ("--description", &self.description),
        ] {
            if let Some(told) = told {
                wishes.tell(flag, told)?;
            }
        }
        Ok(wishes)
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let file = args.onnx.display();
    let bytes = fs::read(&args.onnx).with_context(|| file.to_string())?;
    let name = args.onnx.file_name().unwrap_or_default().to_string_lossy();
    let import = Import::of(&bytes, &name).with_context(|| file.to_string())?;
    let mut wishes = args.told.wishes()?;
    let mut proposal = import.propose(&wishes).with_context(|| file.to_string())?;
    let asks = stdin().is_terminal() && stderr().is_terminal() && !args.json && !args.dry_run;
    if asks && proposal.open().next().is_some() {
        say(&table(&proposal))?;
        proposal = ask(&import, &mut wishes, proposal, &mut stdin().lock())?;
    }
    match (&args.out, args.dry_run) {
        (Some(out), false) => write(args, out, &import, proposal).with_context(|| file.to_string()),
        _ => preview(args, &proposal),
    }
}

/// The proposal as a table: setting, value, how sure, why.
fn table(proposal: &Proposal) -> String {
    let row = |item: &Item| {
        let value = item.value.clone().unwrap_or_else(|| "?".to_owned());
        let sure = format!("{}:", item.sure.word());
        [item.flag.to_owned(), value, format!("{sure:7} {}", item.why)]
    };
    aligned(2, &proposal.items().iter().map(row).collect::<Vec<_>>())
}

/// Asks for each setting that is unsure until none is.
fn ask(
    import: &Import,
    wishes: &mut Wishes,
    mut proposal: Proposal,
    answers: &mut dyn BufRead,
) -> Result<Proposal> {
    loop {
        let open = proposal.open().next().cloned();
        let Some(item) = open else { return Ok(proposal) };
        let offered = item.value.as_ref().map_or(String::new(), |value| format!(" [{value}]"));
        let mut screen = stderr();
        write!(screen, "\n{}: {}.\n{} ({}){offered}: ", item.key, item.why, item.flag, item.right)?;
        screen.flush()?;
        let mut answer = String::new();
        ensure!(answers.read_line(&mut answer)? > 0, "{}: nobody answers", item.flag);
        let answer = match (answer.trim(), &item.value) {
            ("", Some(offered)) => offered.clone(),
            (answer, _) => answer.to_owned(),
        };
        let mut told = wishes.clone();
        match told.tell(item.flag, &answer).and_then(|()| import.propose(&told)) {
            Ok(next) => (*wishes, proposal) = (told, next),
            Err(error) => writeln!(screen, "{error}")?,
        }
    }
}

/// What would be written, as far as it is settled.
fn preview(args: &Args, proposal: &Proposal) -> Result<Ended> {
    let open: Vec<_> = proposal.open().map(|item| item.flag).collect();
    if args.json {
        let (items, manifest) = (proposal.items(), proposal.draft());
        say_json(&json!({ "settings": items, "open": open, "manifest": manifest }))?;
        return Ok(Ended::Done);
    }
    say(&table(proposal))?;
    if !open.is_empty() {
        say(&format!("\nstill to be told: {}", open.join(", ")))?;
    }
    if let Some(manifest) = proposal.draft() {
        say(&format!("\n{}", toml::to_string(manifest)?))?;
    }
    Ok(Ended::Done)
}

/// A golden picture with what it shows, if somebody said.
struct Shown {
    file: PathBuf,
    label: Option<String>,
}

impl Shown {
    fn from_text(text: &str) -> Self {
        // A name may hold the sign itself.
        match text.rsplit_once('=') {
            Some((file, label)) if !Path::new(text).exists() => {
                Self { file: file.into(), label: Some(label.to_owned()) }
            }
            _ => Self { file: text.into(), label: None },
        }
    }
}

fn write(args: &Args, out: &Path, import: &Import, proposal: Proposal) -> Result<Ended> {
    let shown: Vec<_> = args.golden.iter().map(|text| Shown::from_text(text)).collect();
    let settings = table(&proposal);
    let manifest = proposal.clone().settled()?;
    ensure!(
        !shown.is_empty(),
        "no golden pictures; right would be: --golden with 3 to 8 pictures of parts, some good, \
         some of each defect"
    );
    for label in shown.iter().filter_map(|shown| shown.label.as_ref()) {
        let labels = &manifest.output.labels;
        ensure!(labels.contains(label), "--golden: `{label}` is none of the labels {labels:?}");
    }
    let golden: Vec<OwnedPixels> =
        shown.iter().map(|shown| pixels_from_file(&shown.file)).collect::<Result<_, _>>()?;
    let (runtime, card) = (Runtime::open()?, card(&manifest, &settings));
    let onnx = import.network(&manifest);
    let draft = Draft { manifest, onnx: &onnx, golden: &golden, card: &card, beside: &[] };
    let model = bundle_from_draft(out, draft, &runtime)?;
    let (bundle, samples) = (model.bundle().clone(), model.bundle().samples(&runtime)?);
    if let Err(error) = agree(model, &shown) {
        // Nothing that contradicts people is left to be armed by mistake.
        fs::remove_dir_all(out).with_context(|| out.display().to_string())?;
        return Err(error);
    }
    if args.json {
        say_json(&json!({
            "bundle": out, "hash": bundle.hash(), "settings": proposal.items(),
            "manifest": bundle.manifest(), "samples": samples,
        }))?;
        return Ok(Ended::Done);
    }
    say(&settings)?;
    say(&format!("\nWhat it says of its golden samples\n{}", told_of(&shown, &samples)))?;
    say(&format!("\n{}: bundle {}", out.display(), bundle.hash().short()))?;
    let checks = checks(&proposal, &shown, &bundle.manifest().output.labels);
    say(&format!("\nBefore it meets parts\n{}", checks.join("\n")))?;
    Ok(Ended::Done)
}

/// Refuses a network that says otherwise than people, and names what would bring them together.
fn agree(model: Model, shown: &[Shown]) -> Result<()> {
    let labels: Vec<_> = shown.iter().map(|shown| shown.label.clone()).collect();
    let Some(found) = contradiction(model, &labels)? else { return Ok(()) };
    let file = shown[found.picture].file.display();
    let with: Vec<_> = found.changes.iter().map(|c| format!("{} = {}", c.key, c.would)).collect();
    let with = match with.is_empty() {
        true => "no single setting would change that".to_owned(),
        false => format!("all pictures come right with {}", with.join("; or with ")),
    };
    bail!("{file} shows `{}`, the network says `{}`; {with}", found.said, found.got)
}

/// A line a picture: the labels with the highest scores.
fn told_of(shown: &[Shown], samples: &[Sample]) -> String {
    let line = |(shown, sample): (&Shown, &Sample)| {
        let mut scores: Vec<_> = sample.scores.iter().collect();
        scores.sort_by(|a, b| b.got.total_cmp(&a.got));
        let best = scores.iter().take(4).map(|score| format!("{} {:.3}", score.label, score.got));
        let is = shown.label.as_ref().map_or(String::new(), |label| format!("shows {label}"));
        [shown.file.display().to_string(), is, best.collect::<Vec<_>>().join("  ")]
    };
    aligned(2, &shown.iter().zip(samples).map(line).collect::<Vec<_>>())
}

/// What a person should look at before the bundle is trusted.
fn checks(proposal: &Proposal, shown: &[Shown], labels: &[String]) -> Vec<String> {
    let likely = proposal.items().iter().filter(|item| item.sure == models::import::Sure::Likely);
    let likely: Vec<_> = likely
        .filter(|item| !matches!(item.flag, "--name" | "--description"))
        .filter_map(|item| Some(format!("{} {}", item.flag, item.value.as_ref()?)))
        .collect();
    let mut checks = Vec::new();
    if !likely.is_empty() {
        checks.push(format!("  - likely, not certain: {}", likely.join(", ")));
    }
    let unseen = |label: &&String| !shown.iter().any(|shown| shown.label.as_ref() == Some(*label));
    let unseen: Vec<_> = labels.iter().filter(unseen).map(String::as_str).collect();
    if !unseen.is_empty() {
        let flag = "--golden PICTURE=LABEL";
        checks.push(format!("  - no picture with {flag} of: {}", unseen.join(", ")));
    }
    if shown.len() < 3 {
        checks.push("  - 3 to 8 golden samples catch more than these".to_owned());
    }
    checks.push("  - hold it against labelled pictures: sightline model eval".to_owned());
    checks
}

/// A card to begin with.
fn card(manifest: &Manifest, settings: &str) -> String {
    let Manifest { name, description, licence, .. } = manifest;
    let made = "Imported by `sightline model import`, which was told, read or supposed:";
    let last = "What it was trained on, and how well it does on parts that it has not seen, is \
                for its maker to say.";
    format!(
        "# {name}\n\n{description}\n\nLicence of the weights: {licence}.\n\n{made}\n\n```text\n\
         {settings}\n```\n\n{last}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import() -> Import {
        let graphs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/graphs");
        Import::of(&fs::read(graphs.join("open_sides.onnx")).unwrap(), "a.onnx").unwrap()
    }

    #[test]
    fn what_is_unsure_is_asked_for_until_it_is_right() {
        let (import, mut wishes) = (import(), Wishes::default());
        let first = import.propose(&wishes).unwrap();
        // Size, then a wrong size again, normalisation as offered, labels, licence.
        let mut answers = "32\n32x16\n\nok,overexposed\nMIT\n".as_bytes();
        let settled = ask(&import, &mut wishes, first, &mut answers).unwrap();
        let manifest = settled.settled().unwrap();
        assert_eq!((manifest.input.width, manifest.input.height), (32, 16));
        assert_eq!((&*manifest.licence, &*manifest.output.good), ("MIT", "ok"));
        assert!(answers.is_empty());
    }

    #[test]
    fn nobody_to_answer_is_an_error() {
        let import = import();
        let first = import.propose(&Wishes::default()).unwrap();
        let error = ask(&import, &mut Wishes::default(), first, &mut &b""[..]).unwrap_err();
        assert!(error.to_string().contains("nobody answers"), "{error}");
    }

    #[test]
    fn a_picture_may_say_what_it_shows() {
        let shown = Shown::from_text("a/b=c.png=scratch");
        assert_eq!((shown.file, shown.label), ("a/b=c.png".into(), Some("scratch".to_owned())));
        let plain = Shown::from_text("a/b.png");
        assert_eq!((plain.file, plain.label), ("a/b.png".into(), None));
    }
}
