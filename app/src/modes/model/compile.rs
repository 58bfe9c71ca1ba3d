//! `sightline model compile`.

use anyhow::{Result, bail};

use crate::Ended;

/// Prepare a bundle for an execution provider ahead of time.
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
