//! `sightline clips show`: takes a clip's number, gives all that is known of it.

use std::path::PathBuf;

use anyhow::Result;
use store::{Clip, ClipPart, FragmentRow, VerdictWord};

use super::{length, look_up, moment, size, trouble};
use crate::Ended;
use crate::modes::model::aligned;
use crate::modes::{say, say_json};

/// All that is known of a clip: its parts, its fragments and how far each has come.
#[derive(clap::Args)]
pub struct Args {
    /// The station's store: the folder that holds station.db.
    store: PathBuf,
    /// The clip's number, as `list` shows it.
    id: i64,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let clip = look_up(&args.store, args.id)?;
    if args.json {
        say_json(&clip)?;
    } else {
        say(&text(&clip))?;
    }
    Ok(Ended::Done)
}

fn text(clip: &Clip) -> String {
    let row = |name: &str, value: String| [name.to_owned(), value];
    let mut rows = vec![
        row("camera", clip.camera.to_string()),
        row("run", clip.run.to_string()),
        row("start", format!("{} UTC", moment(clip.started.wall))),
        row("length", length(clip)),
        row("pictures", pictures(clip)),
        row("class", clip.class.name().to_owned()),
        row("state", clip.state.name().to_owned()),
        row("file", clip.path.display().to_string()),
        row("size", format!("{} ({} bytes)", size(clip.size_bytes), clip.size_bytes)),
        row("sha256", clip.sha256.to_string()),
    ];
    let trouble = trouble(clip);
    if !trouble.is_empty() {
        rows.push(row("trouble", trouble));
    }
    let parts: Vec<_> = clip.parts.iter().map(part).collect();
    let fragments: Vec<_> = clip.fragments.iter().enumerate().map(fragment).collect();
    format!(
        "Clip {}\n{}\n\nParts\n{}\n\nFragments\n{}",
        clip.id.0,
        aligned(2, &rows),
        aligned(2, &parts),
        aligned(2, &fragments)
    )
}

fn pictures(clip: &Clip) -> String {
    match clip.pictures_missing {
        0 => clip.pictures.to_string(),
        missing => format!("{}, {missing} more should be there", clip.pictures),
    }
}

fn part(part: &ClipPart) -> [String; 4] {
    let verdict = match part.verdict {
        VerdictWord::Pass => "pass",
        VerdictWord::Reject => "reject",
        VerdictWord::Undecided => "undecided",
    };
    let picture = match part.picture {
        Some(picture) => format!("picture {picture}"),
        None => "its picture is missing".to_owned(),
    };
    [part.part.to_string(), verdict.to_owned(), moment(part.at.wall), picture]
}

fn fragment((position, row): (usize, &FragmentRow)) -> [String; 5] {
    let of = &row.fragment;
    [
        position.to_string(),
        format!("from {} ms, {} ms", of.starts_ms, of.lasts_ms),
        size(of.size_bytes),
        row.state.name().to_owned(),
        row.number.clone().unwrap_or_default(),
    ]
}
