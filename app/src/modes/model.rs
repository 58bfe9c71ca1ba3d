//! `sightline model`: looks at model bundles.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use models::{Bundle, Runtime};
use serde_json::json;

use super::{say, say_json};
use crate::Ended;

/// Look at model bundles.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Load a bundle, check its hashes and try its golden samples.
    Verify {
        /// The bundle's folder, the one that holds model.toml.
        bundle: PathBuf,
        /// One JSON object on stdout.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    let What::Verify { bundle, json } = &args.what;
    let loaded = Bundle::load(bundle)?;
    let runtime = Runtime::open()?;
    loaded.arm(&runtime)?;
    let manifest = loaded.manifest();
    let golden = manifest.golden.len();
    if *json {
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
