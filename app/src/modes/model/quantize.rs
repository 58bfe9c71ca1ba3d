//! `sightline model quantize`.

use anyhow::{Result, bail};

use crate::Ended;

/// Make a smaller, faster bundle, and prove what it costs.
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
