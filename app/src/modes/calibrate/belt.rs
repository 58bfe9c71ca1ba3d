//! `sightline calibrate belt`: takes pictures of the running belt and the encoder's counts; gives
//! velocity and millimetres a count, so that nobody measures them by hand.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use calibration::belt::{BeltMotion, BeltStudy};
use serde_json::to_value;

use super::session::BELT;
use super::shots::OfLive;
use super::{measured, profile, shots};
use crate::Ended;
use crate::modes::{say, say_json};

/// Measure how the belt moves, from pictures of it while it runs.
#[derive(clap::Args)]
pub struct Args {
    /// The profile's folder.
    profile: PathBuf,
    /// Pictures of the running belt: a video, images, or a live camera: `station.toml#top`.
    #[arg(long, value_name = "SOURCE")]
    frames: OsString,
    /// Images are so many a second.
    #[arg(long, value_name = "N")]
    fps: Option<f64>,
    /// Take so many pictures of a live camera.
    #[arg(long, value_name = "N", default_value_t = BELT)]
    take: u32,
    /// The encoder's count at each picture: a file with a whole number a line.
    #[arg(long, value_name = "FILE")]
    counts: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<Ended> {
    let counts = args.counts.as_deref().map(counts).transpose()?;
    let (mut study, mut size, mut seen) = (None, None, 0);
    let live = OfLive { take: args.take, every: Duration::ZERO };
    shots::each(&args.frames, args.fps, live, |shot| {
        let study = match &mut study {
            Some(study) => study,
            None => study.insert(BeltStudy::new(shot.size, None)?),
        };
        let count = match &counts {
            None => None,
            Some(counts) => Some(*counts.get(seen).ok_or_else(|| {
                anyhow!("--counts has {} lines, and there are more pictures", counts.len())
            })?),
        };
        (size, seen) = (Some(shot.size), seen + 1);
        study.see(shot.at, count, &shot.picture()?).with_context(|| shot.name.clone())
    })?;
    let (Some(study), Some(size)) = (study, size) else { bail!("--frames: there are no pictures") };
    let mut profile = profile(&args.profile, size)?;
    let place = measured::place_mm(&profile);
    let motion = study.solve(place.as_ref().map(|place| place as _))?;
    drop(place);
    say_motion(&motion, args.json)?;
    measured::keep_belt(&mut profile, motion);
    profile.write(&args.profile)?;
    Ok(Ended::Done)
}

fn counts(path: &Path) -> Result<Vec<i64>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let count = |(at, line): (usize, &str)| {
        let whole = line.trim().parse();
        whole.map_err(|_| anyhow!("{}:{}: `{line}` is no whole number", path.display(), at + 1))
    };
    text.lines().enumerate().map(count).collect()
}

fn say_motion(motion: &BeltMotion, json: bool) -> Result<()> {
    if json {
        return say_json(&to_value(motion)?);
    }
    let mut lines = vec![format!(
        "velocity   {:.2} ± {:.2} px/s towards {:.1}°",
        motion.px_per_s.value, motion.px_per_s.std_error, motion.direction_deg.value
    )];
    let more = [
        ("          ", motion.mm_per_s, "mm/s"),
        ("a count is", motion.px_per_count, "px"),
        ("          ", motion.mm_per_count, "mm"),
    ];
    for (name, measured, unit) in more {
        if let Some(it) = measured {
            lines.push(format!("{name} {:.5} ± {:.5} {unit}", it.value, it.std_error));
        }
    }
    lines.push(format!(
        "residual   {:.3} px over {} of {} pairs of pictures",
        motion.residual_px, motion.pairs_used, motion.pairs
    ));
    say(&lines.join("\n"))
}
