//! `sightline model verify`: takes a bundle, says of each golden sample whether it is reproduced,
//! and so whether the bundle may be armed.

use std::path::PathBuf;

use anyhow::Result;
use models::golden::Sample;
use models::{Bundle, Runtime, Trust};
use serde_json::json;

use super::table::aligned;
use crate::Ended;
use crate::modes::{say, say_json};

/// Load a bundle, check its hashes and try its golden samples.
///
/// Every file must be the one that model.toml was written for, and the network must give the
/// golden samples the scores that it gave when the bundle was made, within their tolerance. A
/// station does the same before it takes a bundle: what does not verify is not armed.
///
/// Where samples are not reproduced, settings that are often wrong are tried one at a time (red
/// and blue, mean and std, letterbox or stretch, border, gray, activation, order of the labels);
/// the one that would reproduce all of them is named. Exit code 0: it may be armed. 2: it may not.
#[derive(clap::Args)]
pub struct Args {
    /// The bundle's folder, the one that holds model.toml.
    bundle: PathBuf,
    /// Public key (`RW…`, the second line of minisign.pub) that must have signed the bundle; may be
    /// given several times, then one of them must.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// One JSON object on stdout: every label of every sample, expected and got.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let trust = Trust::from_keys(!args.key.is_empty(), &args.key)?;
    let loaded = Bundle::load_trusted(&args.bundle, &trust)?;
    let runtime = Runtime::open()?;
    let samples = loaded.samples(&runtime)?;
    let armed = loaded.arm(&runtime);
    let manifest = loaded.manifest();
    let (count, right) = (samples.len(), samples.iter().filter(|s| s.reproduced()).count());
    if args.json {
        say_json(&json!({
            "name": manifest.name, "hash": loaded.hash(), "golden": count, "reproduced": right,
            "samples": samples, "armed": armed.is_ok(), "runtime": runtime.library(),
            "refused": armed.as_ref().err().map(ToString::to_string),
        }))?;
    } else {
        say(&lines_of(&samples))?;
        let (name, hash) = (&manifest.name, loaded.hash().short());
        say(&format!("{name}: {right} of {count} golden samples reproduced; bundle {hash}"))?;
    }
    armed?;
    Ok(Ended::Done)
}

/// A line a sample: whether it is reproduced, and the label that is furthest off.
pub fn lines_of(samples: &[Sample]) -> String {
    let line = |sample: &Sample| {
        let said = match (&sample.fault, sample.worst()) {
            (Some(fault), _) => fault.to_string(),
            (None, Some(worst)) => format!(
                "furthest off: `{}` expected {:.4} got {:.4}, may be off by {}",
                worst.label, worst.expected, worst.got, sample.tolerance
            ),
            (None, None) => String::new(),
        };
        let ok = if sample.reproduced() { "ok" } else { "MISSED" };
        [sample.image.display().to_string(), ok.to_owned(), said]
    };
    aligned(2, &samples.iter().map(line).collect::<Vec<_>>())
}
