//! `sightline clips verify`: takes a store, gives every clip whose row, file, hash and fragments
//! don't agree; repairs on request.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use store::{ClipGap, ClipReport, verify_clips};

use super::{now, open_to_change, size};
use crate::Ended;
use crate::modes::{say, say_json};

/// Hold every clip's row, file, hash and fragments against each other.
///
/// Reads every clip once. Each gap is named with what --repair does about it; nothing is changed
/// without it, and --repair is refused while a station writes the store. What is being written just
/// now is no gap. Exit code 0: all agree; 1: there are gaps (with --repair: some are left); 2: the
/// store can't be read, or not be changed.
#[derive(clap::Args)]
pub struct Args {
    /// The station's store: the folder that holds station.db.
    store: PathBuf,
    /// Do about each gap what stands below it.
    #[arg(long)]
    repair: bool,
    /// One JSON object on stdout: the sums, every gap, what was repaired.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let found = match args.repair {
        true => Some(open_to_change(&args.store)?.repair(now())?),
        false => None,
    };
    let report = verify_clips(&args.store)?;
    let left = report.gaps.iter().filter(|gap| !gap.fault.may_be_passing()).count();
    if args.json {
        say_as_json(&report, found.as_deref())?;
    } else {
        say(&text(&report, found.as_deref(), left))?;
    }
    Ok(if left == 0 { Ended::Done } else { Ended::LimitsNotMet })
}

fn say_as_json(report: &ClipReport, found: Option<&[ClipGap]>) -> Result<()> {
    let with_remedy = |gap: &ClipGap| json!({ "gap": gap, "repair": gap.fault.remedy() });
    let gaps = |gaps: &[ClipGap]| gaps.iter().map(with_remedy).collect::<Vec<_>>();
    say_json(&json!({
        "clips": report.clips, "bytes": report.bytes, "gone": report.gone,
        "gaps": gaps(&report.gaps), "found_before_repair": found.map(gaps),
    }))
}

fn text(report: &ClipReport, found: Option<&[ClipGap]>, left: usize) -> String {
    let mut lines = Vec::new();
    let mut tell = |gaps: &[ClipGap], verb: &str| {
        for gap in gaps {
            let clip = gap.clip.map(|id| format!("clip {}: ", id.0)).unwrap_or_default();
            lines.push(format!("{clip}{}: {}", gap.file, gap.detail));
            lines.push(format!("    {verb} {}", gap.fault.remedy()));
        }
    };
    match found {
        Some(found) => tell(found, "done:"),
        None => tell(&report.gaps, "--repair"),
    }
    let (clips, bytes, gone) = (report.clips, size(report.bytes), report.gone);
    let gaps = match (left, found) {
        (0, None) => "all agree".to_owned(),
        (left, None) => format!("gaps: {left}"),
        (left, Some(found)) => format!("gaps: {} found, {left} left", found.len()),
    };
    lines.push(format!("{clips} clips, {bytes}; {gone} were removed to make room; {gaps}"));
    lines.join("\n")
}
