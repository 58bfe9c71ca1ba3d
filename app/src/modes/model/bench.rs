//! `sightline model bench`.

use anyhow::{Result, bail};

use crate::Ended;

/// How fast a bundle is on this machine: providers, threads, precisions.
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
