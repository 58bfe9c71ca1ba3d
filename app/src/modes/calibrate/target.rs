//! `sightline calibrate target`: takes the measures of a target, gives the file to print it from.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use calibration::target::Paper;
use clap::ValueEnum;

use super::board::Board;
use crate::Ended;
use crate::modes::say;

/// Write a target to print, as SVG or PDF, with its measures on it.
///
/// Print at 100 %, glue it flat onto glass or aluminium, and measure it with a caliper.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    board: Board,
    /// What it is printed on.
    #[arg(long, value_enum, default_value_t = Sheet::A4)]
    paper: Sheet,
    /// The file: target.pdf or target.svg.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sheet {
    A5,
    A4,
    A3,
    Letter,
}

pub fn run(args: &Args) -> Result<Ended> {
    let target = args.board.target()?;
    let paper = match args.paper {
        Sheet::A5 => Paper::A5,
        Sheet::A4 => Paper::A4,
        Sheet::A3 => Paper::A3,
        Sheet::Letter => Paper::Letter,
    };
    let bytes = match args.out.extension().and_then(|it| it.to_str()) {
        Some("svg") => target.svg(paper)?.into_bytes(),
        Some("pdf") => target.pdf(paper)?,
        _ => bail!("{}: write a name that ends in .pdf or .svg", args.out.display()),
    };
    std::fs::write(&args.out, bytes).with_context(|| args.out.display().to_string())?;
    say(&format!("{}: print it at 100 %, then measure it", args.out.display()))?;
    Ok(Ended::Done)
}
