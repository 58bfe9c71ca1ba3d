//! `sightline model show`.

use anyhow::{Result, bail};

use crate::Ended;

/// What a bundle is: card, inputs, hashes, golden samples.
#[derive(clap::Args)]
pub struct Args {
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    bail!("not there yet ({})", args.json)
}
