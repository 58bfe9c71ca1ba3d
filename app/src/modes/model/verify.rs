//! `sightline model verify`: takes a bundle, says whether it may be armed.

use std::path::PathBuf;

use anyhow::Result;
use models::{Bundle, Runtime, Trust};
use serde_json::json;

use crate::Ended;
use crate::modes::{say, say_json};

/// Load a bundle, check its hashes and try its golden samples.
#[derive(clap::Args)]
pub struct Args {
    /// The bundle's folder, the one that holds model.toml.
    bundle: PathBuf,
    /// Public key (`RW…`, the second line of minisign.pub) that must have signed the bundle; may be
    /// given several times, then one of them must.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let trust = Trust::from_keys(!args.key.is_empty(), &args.key)?;
    let loaded = Bundle::load_trusted(&args.bundle, &trust)?;
    let runtime = Runtime::open()?;
    loaded.arm(&runtime)?;
    let manifest = loaded.manifest();
    let golden = manifest.golden.len();
    if args.json {
        say_json(&json!({
            "name": manifest.name, "hash": loaded.hash(), "golden": golden, "armed": true,
            "runtime": runtime.library(),
        }))?;
    } else {
        say(&format!(
            "{}: {golden} golden samples reproduced; bundle {}",
            manifest.name,
            loaded.hash().short()
        ))?;
    }
    Ok(Ended::Done)
}
