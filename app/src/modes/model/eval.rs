//! `sightline model eval`.

use anyhow::{Result, bail};

use crate::Ended;

/// Hold a bundle against labelled pictures.
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
