//! What the screen asks of a store of 100,000 parts, and how long it waits: the queues of parts to
//! label, pages of a search, and all that charts are made of. Goal: 50 ms each.
//!
//! `cargo bench --locked -p sightline-benches --bench store [-- --parts 100000 --keep DIR]`.
//! Filling the store takes about a minute; with `--keep` it is made once and asked again.

mod fill;
mod questions;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use pipeline::clock::{Clock, RealClock};
use serde_json::json;
use sightline_benches::report::Report;
use sightline_benches::spread::Spread;
use sightline_benches::{Failure, bench};
use store::Reader;

/// How often each is asked.
const TIMES: usize = 20;
const GOAL_MS: f64 = 50.0;

fn measure(report: &mut Report) -> Result<(), Failure> {
    let parts: u64 = wish("--parts").map_or(Ok(100_000), |text| text.parse())?;
    let dir = tempfile::tempdir()?;
    let folder = wish("--keep").map_or_else(|| dir.path().to_owned(), PathBuf::from);
    let clock = RealClock::start();
    if !folder.join("station.db").exists() {
        fill::fill(&folder, parts)?;
        report.note(format!("filled in {:.0} s", clock.now().as_secs()));
    }
    for (name, ask) in questions::questions(parts) {
        // As the screen has it: opened once, asked again and again.
        let reader = Reader::open(&folder)?;
        let mut found = ask(&reader)?;
        let (mut wall_ms, cpu_before_ms) = (Vec::with_capacity(TIMES), cpu_ms()?);
        for _ in 0..TIMES {
            let start = clock.now();
            found = ask(&reader)?;
            wall_ms.push(clock.now().since(start).as_secs_f64() * 1e3);
        }
        #[expect(clippy::cast_precision_loss, reason = "a few times")]
        let cpu_ms = (cpu_ms()? - cpu_before_ms) / TIMES as f64;
        let wall_ms = Spread::from(wall_ms);
        report.row(vec![
            ("question", json!(name)),
            ("found", json!(found)),
            ("wall_p50_ms", json!(wall_ms.p50())),
            ("wall_max_ms", json!(wall_ms.at(1.0))),
            ("cpu_ms", json!(cpu_ms)),
            ("goal", json!(if cpu_ms < GOAL_MS { "met" } else { "NOT MET" })),
        ]);
    }
    let bytes = fs::metadata(folder.join("station.db"))?.len();
    report.note(format!("{parts} parts; the database has {} MB", bytes / 1_000_000));
    Ok(())
}

/// What follows `name` on the command line.
fn wish(name: &str) -> Option<String> {
    std::env::args().skip_while(|arg| arg != name).nth(1)
}

/// CPU time of this thread.
fn cpu_ms() -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let ns = text.split_ascii_whitespace().next().ok_or("schedstat is empty")?;
    Ok(ns.parse::<f64>()? / 1e6)
}

fn main() -> ExitCode {
    bench("store", env!("CARGO_TARGET_TMPDIR"), measure)
}
