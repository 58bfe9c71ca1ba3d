//! `sightline calibrate watch`: takes pictures of a good hour, gives what later pictures are held
//! against; or holds pictures against it.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use calibration::Profile;
use calibration::watch::{BaselineStudy, Landmark, Limits, Watch};
use domain::RectPx;
use serde_json::json;

use super::session::{WATCH, WATCH_EVERY};
use super::shots::OfLive;
use super::{profile, shots};
use crate::Ended;
use crate::modes::{say, say_json};

/// Remember how the pictures look now: focus, light, and a landmark that does not move; or, with
/// --against, say what has changed since.
///
/// Exit codes with --against: 0 it still holds; 1 it does not, and why.
#[derive(clap::Args)]
pub struct Args {
    /// The profile's folder.
    profile: PathBuf,
    /// Pictures of the line, with parts passing: a video, images, or a live camera:
    /// `station.toml#top`.
    #[arg(long, value_name = "SOURCE")]
    frames: OsString,
    /// Images are so many a second.
    #[arg(long, value_name = "N")]
    fps: Option<f64>,
    /// Take so many pictures of a live camera, half a second apart.
    #[arg(long, value_name = "N", default_value_t = WATCH)]
    take: u32,
    /// What does not move with the belt, a fiducial, a screw, or the belt's straight edge:
    /// `X,Y,WIDTH,HEIGHT`, pixels.
    #[arg(long, value_name = "X,Y,W,H", value_parser = rect)]
    landmark: Option<RectPx>,
    /// Hold the pictures against what was remembered.
    #[arg(long, conflicts_with = "landmark")]
    against: bool,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Args {
    const fn live(&self) -> OfLive {
        OfLive { take: self.take, every: WATCH_EVERY }
    }
}

fn rect(text: &str) -> Result<RectPx> {
    let numbers: Vec<u32> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let [x, y, width, height] = numbers[..] else { bail!("write four numbers: X,Y,WIDTH,HEIGHT") };
    Ok(RectPx { x, y, width, height })
}

pub fn run(args: &Args) -> Result<Ended> {
    if args.against { against(args) } else { remember(args) }
}

fn remember(args: &Args) -> Result<Ended> {
    let (mut study, mut size, mut seen) = (None, None, 0);
    shots::each(&args.frames, args.fps, args.live(), |shot| {
        let study = match &mut study {
            Some(study) => study,
            None => {
                study.insert(BaselineStudy::new(shot.size, args.landmark.map(Landmark::Patch))?)
            }
        };
        (size, seen) = (Some(shot.size), seen + 1);
        study.see(&shot.picture()?).with_context(|| shot.name.clone())
    })?;
    let (Some(study), Some(size)) = (study, size) else { bail!("--frames: there are no pictures") };
    let baseline = study.finish()?;
    let mut profile = profile(&args.profile, size)?;
    profile.keep_baseline(&args.profile, &baseline)?;
    profile.write(&args.profile)?;
    if args.json {
        say_json(&json!({"pictures": seen}))?;
    } else {
        say(&format!("{seen} pictures are what later ones are held against"))?;
    }
    Ok(Ended::Done)
}

fn against(args: &Args) -> Result<Ended> {
    let profile = Profile::read(&args.profile)?;
    let baseline = profile.baseline(&args.profile)?.ok_or_else(|| {
        anyhow!("{}: nothing was remembered; run it without --against", args.profile.display())
    })?;
    let mut watch = Watch::new(baseline, Limits::default());
    let (mut causes, mut measures, mut settled) = (Vec::new(), None, false);
    shots::each(&args.frames, args.fps, args.live(), |shot| {
        let still = watch.see(&shot.picture()?, shot.at)?;
        causes = still.causes.iter().map(ToString::to_string).collect();
        (measures, settled) = (Some(still.measures), still.settled);
        Ok(())
    })?;
    if !settled {
        bail!("--frames: too few pictures to say anything");
    }
    if args.json {
        say_json(&json!({"holds": causes.is_empty(), "causes": causes, "measures": measures}))?;
    } else if causes.is_empty() {
        say("it still holds")?;
    } else {
        say(&causes.join("\n"))?;
    }
    Ok(if causes.is_empty() { Ended::Done } else { Ended::LimitsNotMet })
}
