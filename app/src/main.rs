//! The binary `sightline`: reads the command line, runs the mode it names, turns the outcome into
//! an exit code. Takes arguments; gives 0 done, 1 limits not met, 2 bad input or environment.

mod config;
mod modes;
mod picture;
mod replace;
mod report;
mod truth;

use std::io::{IsTerminal, Write, stderr};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
pub use modes::Ended;
use tracing_subscriber::EnvFilter;

/// Visual quality inspection for production lines: every part gets exactly one verdict, in time,
/// and it can be replayed.
#[derive(Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    mode: Mode,
}

/// One variant a mode; each has its file in `modes`.
#[derive(Subcommand)]
enum Mode {
    Run(modes::run::Args),
    Kiosk(modes::kiosk::Args),
    Review(modes::review::Args),
    #[command(hide = true)]
    Screen(modes::screen::child::Args),
    /// Inspect recorded footage: a verdict for every part, and a report against the truth.
    Replay(modes::replay::Args),
    /// Film a simulated line: footage with known truth.
    Simulate(modes::simulate::Args),
    /// Look at the clips that a station keeps, and make room.
    Clips(modes::clips::Args),
    Export(modes::export::Args),
    Import(modes::import::Args),
    Audit(modes::audit::Args),
    People(modes::people::Args),
    Calibrate(Box<modes::calibrate::Args>),
    /// Look at model bundles.
    Model(Box<modes::model::Args>),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let usual =
        if matches!(args.mode, Mode::Run(_) | Mode::Kiosk(_)) { "info,ort=warn" } else { "warn" };
    let filter = EnvFilter::try_from_env("SIGHTLINE_LOG").unwrap_or_else(|_| usual.into());
    let writer = || modes::progress::AboveTheLine;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    log.with_ansi(stderr().is_terminal()).init();
    let ended = match args.mode {
        Mode::Run(args) => modes::run::run(&args),
        Mode::Kiosk(args) => modes::kiosk::run(&args),
        Mode::Review(args) => modes::review::run(&args),
        Mode::Screen(args) => modes::screen::child::run(&args),
        Mode::Replay(args) => modes::replay::run(&args),
        Mode::Simulate(args) => modes::simulate::run(&args),
        Mode::Clips(args) => modes::clips::run(&args),
        Mode::Export(args) => modes::export::run(&args),
        Mode::Import(args) => modes::import::run(&args),
        Mode::Audit(args) => modes::audit::run(&args),
        Mode::People(args) => modes::people::run(&args),
        Mode::Calibrate(args) => modes::calibrate::run(&args),
        Mode::Model(args) => modes::model::run(&args),
    };
    match ended {
        Ok(Ended::Done) => ExitCode::SUCCESS,
        Ok(Ended::LimitsNotMet) => ExitCode::from(1),
        Err(error) => {
            // The last word; when nobody reads stderr there is nobody to tell.
            let _ = writeln!(stderr(), "sightline: {}", one_line_chain(&error));
            ExitCode::from(2)
        }
    }
}

/// The error and what caused it, each said once, all on one line.
fn one_line_chain(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain() {
        let cause = cause.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
        if !told.contains(cause.trim()) {
            told = if told.is_empty() { cause } else { format!("{told}: {cause}") };
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("disk full").context("a.db: disk full").context("record");
        assert_eq!(one_line_chain(&error), "record: a.db: disk full");
        assert_eq!(one_line_chain(&anyhow::anyhow!("looked at:\n  a\n  b")), "looked at: a b");
    }
}
