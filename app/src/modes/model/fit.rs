//! `sightline model fit`.

use anyhow::{Result, bail};

use crate::Ended;

/// Fit a model to the pictures of good parts, on this machine.
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
