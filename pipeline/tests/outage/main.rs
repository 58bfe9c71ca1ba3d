//! The cloud is away for a day, or fails in every way that it can: what was accepted is kept
//! exactly once, in order, and what had to go for lack of room is known by name. The service and
//! the station have one clock, which is put forward while nothing but time passes.
//!
//! The size is one for every build; `SIGHTLINE_PROOF=full` asks for the whole, in some minutes:
//! `SIGHTLINE_PROOF=full cargo test --release -p sightline-pipeline --test outage -- --nocapture`

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

mod away;
mod chance;
mod faults;
mod full_disk;
#[path = "../kvs/mod.rs"]
mod kvs;
#[path = "../kvs/raw.rs"]
#[expect(dead_code, reason = "the service's own tests use the rest")]
mod raw;
mod station;

/// Whether the whole size was asked for.
fn is_full() -> bool {
    std::env::var("SIGHTLINE_PROOF").is_ok_and(|size| size == "full")
}

/// Says what was measured, and the most memory that this process ever took.
fn report(what: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    let peak = peak.map_or("unknown", |line| line.trim_start_matches("VmHWM:").trim());
    println!("{what}; peak RSS of the process so far: {peak}");
}
