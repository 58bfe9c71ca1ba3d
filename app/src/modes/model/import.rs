//! `sightline model import`.

use anyhow::{Result, bail};

use crate::Ended;

/// Make a bundle of an ONNX file.
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
