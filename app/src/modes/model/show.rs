//! `sightline model show`: takes a bundle, gives everything that is known of it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use models::golden::Sample;
use models::import::{Facts, PortFacts};
use models::manifest::{BoxesSpec, Manifest, OutputSpec};
use models::onnx::model_from_bytes;
use models::{Bundle, Runtime};
use serde_json::json;

use super::table::aligned;
use super::verify::lines_of;
use crate::Ended;
use crate::modes::{say, say_json};

/// What a bundle is: inputs, outputs, labels, licence, hashes, golden samples.
///
/// Everything that a person who is to trust a bundle may ask: what is done to a crop before the
/// network sees it, what comes out and how it is read, who made it of what, in what it computes and
/// how much, under which licence, whether it is signed, and what it says of its golden samples on
/// this machine. The files are held against their hashes on the way. Samples that are not
/// reproduced are shown, not explained: that is `sightline model verify`.
#[derive(clap::Args)]
pub struct Args {
    /// The bundle's folder, the one that holds model.toml.
    bundle: PathBuf,
    /// Only read; do not run the network on its golden samples.
    #[arg(long)]
    no_run: bool,
    /// Show the whole card, CARD.md, below.
    #[arg(long)]
    card: bool,
    /// One JSON object on stdout: the manifest, the network's own facts, every score, the card.
    #[arg(long)]
    json: bool,
}

/// A bundle and what was found out about it.
struct Shown {
    bundle: Bundle,
    dir: PathBuf,
    facts: Option<Facts>,
    card: Option<String>,
    is_signed: bool,
    /// What the network says of its golden samples, or why nothing was asked.
    samples: Result<Vec<Sample>, String>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let bundle = Bundle::load(&args.bundle)?;
    let samples = match args.no_run {
        true => Err("not run".to_owned()),
        false => run_samples(&bundle),
    };
    let shown = Shown {
        facts: model_from_bytes(bundle.onnx()).ok().map(|model| Facts::of(&model)),
        card: fs::read_to_string(args.bundle.join("CARD.md")).ok(),
        is_signed: signature_of(&args.bundle).exists(),
        dir: args.bundle.clone(),
        bundle,
        samples,
    };
    if args.json {
        shown.say_json()?;
        return Ok(Ended::Done);
    }
    say(&shown.text())?;
    if let (true, Some(card)) = (args.card, &shown.card) {
        say(&format!("\n{card}"))?;
    }
    Ok(Ended::Done)
}

/// The manifest's signature, as `minisign -Sm model.toml` writes it.
fn signature_of(dir: &Path) -> PathBuf {
    dir.join("model.toml.minisig")
}

fn run_samples(bundle: &Bundle) -> Result<Vec<Sample>, String> {
    let runtime = Runtime::open().map_err(|error| error.to_string())?;
    bundle.samples(&runtime).map_err(|error| error.to_string())
}

impl Shown {
    fn say_json(&self) -> Result<()> {
        let (samples, not_run) = match &self.samples {
            Ok(samples) => (Some(samples), None),
            Err(why) => (None, Some(why)),
        };
        let reproduced = samples.map(|samples| samples.iter().all(Sample::reproduced));
        say_json(&json!({
            "folder": self.dir, "hash": self.bundle.hash(), "manifest": self.bundle.manifest(),
            "bytes": self.bundle.onnx().len(), "network": self.facts, "signed": self.is_signed,
            "samples": samples, "reproduced": reproduced, "not_run": not_run, "card": self.card,
        }))
    }

    fn text(&self) -> String {
        let manifest = self.bundle.manifest();
        let kind = word(&manifest.kind);
        let mut text = format!("{}: {kind}\n{}\n", manifest.name, manifest.description);
        let mut section = |title: &str, rows: Vec<[String; 2]>| {
            text.push_str(&format!("\n{title}\n{}\n", aligned(2, &rows)));
        };
        section("Bundle", self.bundle_rows());
        section(&format!("Input `{}`", manifest.input.name), self.input_rows());
        section(&format!("Output `{}`", manifest.output.name), self.output_rows());
        section("Network", self.network_rows());
        if !manifest.provenance.is_empty() {
            let rows = manifest.provenance.iter().map(|(key, value)| row(key, value.clone()));
            section("Provenance", rows.collect());
        }
        text.push_str(&format!("\nGolden samples\n{}", self.golden()));
        text
    }

    fn bundle_rows(&self) -> Vec<[String; 2]> {
        let card = match &self.card {
            Some(_) => self.dir.join("CARD.md").display().to_string(),
            None => "none".to_owned(),
        };
        let signature = if self.is_signed { "model.toml.minisig" } else { "none" };
        vec![
            row("folder", self.dir.display().to_string()),
            row("hash", self.bundle.hash().to_string()),
            row("licence", self.bundle.manifest().licence.clone()),
            row("card", card),
            row("signature", signature.to_owned()),
        ]
    }

    fn input_rows(&self) -> Vec<[String; 2]> {
        let input = &self.bundle.manifest().input;
        let [batch, channels, height, width] = input.shape();
        let numbers =
            |values: &[f32]| values.iter().map(f32::to_string).collect::<Vec<_>>().join(" ");
        let (mean, std) = (numbers(&input.mean), numbers(&input.std));
        let fit = match input.resize {
            models::Resize::Letterbox => format!("letterbox, border {}", input.pad),
            models::Resize::Stretch => "stretch".to_owned(),
        };
        let tiling = input.tiling.map_or_else(
            || "none: a crop is one look".to_owned(),
            |t| format!("{} x {} tiles that share {} pixels", t.columns, t.rows, t.overlap_px),
        );
        let shape = format!("[{batch}, {channels}, {height}, {width}]");
        vec![
            row("shape", format!("{shape} as fed, {} in the graph", self.port(&input.name, true))),
            row("colour", word(&input.colour)),
            row("numbers", format!("(pixel / 255 - mean) / std, mean {mean}, std {std}")),
            row("fit", fit),
            row("tiling", tiling),
        ]
    }

    fn output_rows(&self) -> Vec<[String; 2]> {
        let output = &self.bundle.manifest().output;
        let mut rows: Vec<_> = output
            .names()
            .map(|name| row("shape", format!("`{name}` {}", self.port(name, false))))
            .collect();
        let label = |label: &String| match *label == output.good {
            true => format!("{label} (good)"),
            false => label.clone(),
        };
        rows.push(row("activation", word(&output.activation)));
        rows.push(row("labels", output.labels.iter().map(label).collect::<Vec<_>>().join(", ")));
        rows.extend(reading_rows(output));
        rows
    }

    /// What the graph says of a port.
    fn port(&self, name: &str, is_input: bool) -> String {
        let ports =
            |facts: &Facts| if is_input { facts.inputs.clone() } else { facts.outputs.clone() };
        let found = self.facts.as_ref().map(ports).unwrap_or_default();
        let shown = |port: &PortFacts| format!("{} {}", port.shape(), port.element);
        found.iter().find(|port| port.name == name).map_or_else(|| "?".to_owned(), shown)
    }

    fn network_rows(&self) -> Vec<[String; 2]> {
        let Manifest { file, .. } = self.bundle.manifest();
        let bytes = u64::try_from(self.bundle.onnx().len()).unwrap_or(u64::MAX);
        let mut rows = vec![
            row("file", format!("{}, {} bytes", file.onnx.display(), grouped(bytes))),
            row("sha256", file.sha256.to_string()),
            row("precision", word(&file.precision)),
        ];
        rows.extend(file.quantized_from.map(|from| row("made from", format!("bundle {from}"))));
        let Some(facts) = &self.facts else { return rows };
        let opsets: Vec<_> = facts.opsets.iter().map(|(set, v)| format!("{set} {v}")).collect();
        let work = facts.macs.map_or_else(
            || "the file does not tell its shapes".to_owned(),
            |macs| format!("{} multiplications with additions a picture", grouped(macs)),
        );
        rows.extend([
            row("written by", facts.producer.clone()),
            row("operators", format!("{} of {}", facts.nodes, opsets.join(", "))),
            row("parameters", grouped(facts.parameters)),
            row("work", work),
        ]);
        rows
    }

    fn golden(&self) -> String {
        match &self.samples {
            Ok(samples) => lines_of(samples),
            Err(why) => {
                let golden = self.bundle.manifest().golden.iter();
                let rows: Vec<_> = golden
                    .map(|golden| row(&golden.image.display().to_string(), why.clone()))
                    .collect();
                aligned(2, &rows)
            }
        }
    }
}

/// How a kind's numbers become defects.
fn reading_rows(output: &OutputSpec) -> Vec<[String; 2]> {
    let mut rows = Vec::new();
    if let (Some(threshold), Some(cells)) = (output.pixel_threshold, output.min_cells) {
        rows.push(row("cells", format!("from {threshold}, in groups of {cells} or more")));
    }
    if let Some(boxes) = &output.boxes {
        let BoxesSpec { layout, min_score, max_iou, max_boxes, .. } = boxes;
        let (layout, most) = (word(layout), format!("at most {max_boxes}"));
        let text = format!("{layout}, score from {min_score}, overlap to {max_iou}, {most}");
        rows.push(row("boxes", text));
    }
    if let Some(anomaly) = &output.anomaly {
        rows.push(row("anomaly", format!("{} is good, {} is bad", anomaly.low, anomaly.high)));
    }
    rows
}

fn row(key: &str, value: String) -> [String; 2] {
    [key.to_owned(), value]
}

/// A word of the manifest as it stands in the file.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let (first, rest) = digits.split_at(head);
    let groups = rest.as_bytes().chunks(3).map(String::from_utf8_lossy);
    let all = (!first.is_empty()).then(|| first.into()).into_iter().chain(groups);
    all.collect::<Vec<std::borrow::Cow<'_, str>>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
