//! `sightline clips prune`: takes a store and a budget, says which clips go for it and what loss
//! that is; removes them on request.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use store::{Budget, ClipState, Evicted, Reader};

use super::{now, open_to_change, size};
use crate::Ended;
use crate::modes::model::aligned;
use crate::modes::{say, say_json};

/// Make room on the disk: remove clips, those first whose loss is smallest.
///
/// Persisted clips go first, the oldest first; only then, and that is a loss, quarantined ones,
/// undecided ones, rejected ones. Labelled clips that are not persisted never go. A running station
/// keeps to its own budget by itself; this is for a station that is stopped. Exit code 2, and
/// nothing is removed, when what may go is not enough.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("how").required(true).args(["dry_run", "yes"]))]
pub struct Args {
    /// The station's store: the folder that holds station.db.
    store: PathBuf,
    /// What clips may take on disk, in MiB; without it, all that are persisted go.
    #[arg(long, value_name = "MIB")]
    disk_mib: Option<u64>,
    /// Only say what would go.
    #[arg(long)]
    dry_run: bool,
    /// Remove them.
    #[arg(long)]
    yes: bool,
    /// One JSON object on stdout: what goes, and how much of it is lost.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let reader = Reader::open(&args.store)?;
    let bytes_max = match args.disk_mib {
        Some(mib) => mib.saturating_mul(1 << 20),
        None => {
            let tally = reader.clip_tally()?;
            let kept = ClipState::ALL.into_iter().filter(|state| *state != ClipState::Persisted);
            kept.map(|state| tally.of(state).bytes).sum()
        }
    };
    let gone = match args.yes {
        true => {
            let budget = Budget { bytes_max, alarm_bytes: bytes_max };
            open_to_change(&args.store)?.make_room(&budget, 0, now())?
        }
        false => reader.would_go(bytes_max)?,
    };
    let lost = gone.iter().filter(|clip| clip.state != ClipState::Persisted);
    let (lost, lost_bytes) =
        lost.fold((0_u64, 0), |sum, clip| (sum.0 + 1, sum.1 + clip.size_bytes));
    if args.json {
        say_json(&json!({
            "bytes_max": bytes_max, "removed": args.yes, "clips": gone,
            "lost_clips": lost, "lost_bytes": lost_bytes,
        }))?;
    } else {
        say(&text(args.yes, &gone, lost, lost_bytes))?;
    }
    Ok(Ended::Done)
}

fn text(is_done: bool, gone: &[Evicted], lost: u64, lost_bytes: u64) -> String {
    let bytes = gone.iter().map(|clip| clip.size_bytes).sum();
    let verb = if is_done { "removed" } else { "would be removed" };
    let rows: Vec<_> = gone.iter().map(line).collect();
    let table = if rows.is_empty() { String::new() } else { aligned(0, &rows) + "\n" };
    let loss = match lost {
        0 => "nothing is lost: all of it is persisted".to_owned(),
        lost => format!("{lost} of them ({}) are lost: nobody else has them", size(lost_bytes)),
    };
    match gone.len() {
        0 => "nothing need go: all clips fit".to_owned(),
        count => format!("{table}{count} clips ({}) {verb}; {loss}", size(bytes)),
    }
}

fn line(clip: &Evicted) -> [String; 5] {
    let is_lost = clip.state != ClipState::Persisted;
    [
        format!("clip {}", clip.clip.0),
        size(clip.size_bytes),
        clip.class.name().to_owned(),
        clip.state.name().to_owned(),
        if is_lost { "LOST".to_owned() } else { String::new() },
    ]
}
