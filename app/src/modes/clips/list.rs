//! `sightline clips list`: takes a store, gives a line a clip and the sums.

use std::path::PathBuf;

use anyhow::Result;
use domain::CameraId;
use serde_json::json;
use store::{Clip, ClipClass, ClipFilter, ClipState, ClipTally, Reader};

use super::{length, moment, parse_class, parse_state, size, trouble};
use crate::Ended;
use crate::modes::model::aligned;
use crate::modes::{say, say_json};

/// Which clips there are, by their start, and how far each has come.
///
/// States: queued is on disk only; sent is on a connection; received is at the service; persisted
/// is kept by the service, and only now may the file go without loss; quarantined is refused by the
/// service for good and waits for a person. A held clip keeps its state and is not sent. Times are
/// UTC. Exit code 0, also when there are none; 2: there is no store that can be read.
#[derive(clap::Args)]
pub struct Args {
    /// The station's store: the folder that holds station.db.
    store: PathBuf,
    /// Only clips in this state: queued, sent, received, persisted, quarantined.
    #[arg(long, value_parser = parse_state)]
    state: Option<ClipState>,
    /// Only clips of this camera.
    #[arg(long)]
    camera: Option<String>,
    /// Only clips kept for this reason: undecided, rejected, labelled.
    #[arg(long, value_parser = parse_class)]
    class: Option<ClipClass>,
    /// Also clips whose files were removed to make room.
    #[arg(long)]
    gone: bool,
    /// Only the newest so many.
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    /// One JSON object on stdout: every clip with its fragments and parts, and the sums.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let reader = Reader::open(&args.store)?;
    let mut clips = reader.clips(&ClipFilter {
        camera: args.camera.as_deref().map(CameraId::new),
        state: args.state,
        class: args.class,
        gone_too: args.gone,
        limit: args.limit,
        ..ClipFilter::default()
    })?;
    // The newest last, above the prompt.
    clips.reverse();
    let tally = reader.clip_tally()?;
    if args.json {
        say_json(&json!({ "clips": clips, "tally": tally }))?;
        return Ok(Ended::Done);
    }
    if !clips.is_empty() {
        say(&table(&clips))?;
    }
    say(&summary(clips.len(), &tally))?;
    Ok(Ended::Done)
}

fn table(clips: &[Clip]) -> String {
    let head = ["ID", "CAMERA", "START (UTC)", "LENGTH", "CLASS", "STATE", "SIZE", "PARTS", ""];
    let rows = clips.iter().map(|clip| {
        [
            clip.id.0.to_string(),
            clip.camera.to_string(),
            moment(clip.started.wall),
            length(clip),
            clip.class.name().to_owned(),
            clip.state.name().to_owned(),
            size(clip.size_bytes),
            parts(clip),
            trouble(clip),
        ]
    });
    aligned(0, &std::iter::once(head.map(str::to_owned)).chain(rows).collect::<Vec<_>>())
}

/// The parts of a clip, the first few by number.
fn parts(clip: &Clip) -> String {
    const SHOWN: usize = 3;
    let shown = clip.parts.iter().take(SHOWN).map(|part| part.part.to_string());
    let text = shown.collect::<Vec<_>>().join(" ");
    match clip.parts.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text} +{more}"),
    }
}

fn summary(shown: usize, tally: &ClipTally) -> String {
    let sum = |state| {
        let of = tally.of(state);
        (of.clips > 0).then(|| format!("{} {} ({})", of.clips, state.name(), size(of.bytes)))
    };
    let sums: Vec<_> = ClipState::ALL.into_iter().filter_map(sum).collect();
    let here = if sums.is_empty() { "none".to_owned() } else { sums.join(", ") };
    let held = match tally.held.clips {
        0 => String::new(),
        held => format!("; {held} of them held"),
    };
    let oldest = tally.oldest.map(|at| format!("; the oldest that waits starts {}", moment(at)));
    let noun = if shown == 1 { "clip" } else { "clips" };
    format!("{shown} {noun} shown; on disk: {here}{held}{}", oldest.unwrap_or_default())
}
