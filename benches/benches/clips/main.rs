//! What clips save and cost: bytes sent against the whole film by the same encoder, processor time
//! of a clip, memory of film and clips, and how long it takes to list very many.
//!
//! `cargo bench -p sightline-benches --bench clips -- --times 1`; with more, the footage by which
//! the saving is measured has so many times the parts.

mod footage;
mod listed;
mod made;
mod saved;
mod setup;
#[path = "../replay/spent.rs"]
#[expect(dead_code, reason = "the bench of replay asks for the time of its children too")]
mod spent;
mod stream;
mod studio;
#[path = "../line_4k120/threads.rs"]
#[expect(dead_code, reason = "the line's bench reads each thread's books")]
mod threads;

use std::process::ExitCode;

use sightline_benches::report::Report;
use sightline_benches::{Failure, bench};

fn measure(report: &mut Report) -> Result<(), Failure> {
    let times = times(std::env::args().skip(1))?;
    // First, as memory that was used once is not all given back.
    made::memory(report)?;
    made::processor(report)?;
    listed::listed(report)?;
    saved::saved(report, times)
}

/// How many times the usual number of parts.
fn times(mut args: impl Iterator<Item = String>) -> Result<u32, Failure> {
    let mut times = 1;
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // Cargo says this to every bench.
            "--bench" => {}
            "--times" => times = args.next().ok_or("--times needs a number")?.parse()?,
            _ => return Err(format!("{arg}: there is --times").into()),
        }
    }
    if !(1..=80).contains(&times) {
        return Err("--times must be 1 to 80".into());
    }
    Ok(times)
}

fn main() -> ExitCode {
    bench("clips", env!("CARGO_TARGET_TMPDIR"), measure)
}
