//! `sightline calibrate flat`: takes pictures of a plain sheet, and of darkness; gives what the
//! lamp and the lens shade.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use calibration::flat_field::{Exposure, FlatFieldLimits, FlatFieldStudy};
use serde_json::json;

use super::{profile, shots};
use crate::Ended;
use crate::modes::{say, say_json};

/// Even out the light: 16 or more pictures of a plain sheet that fills the view, at the line's
/// exposure; and 8 or more with the lens covered.
///
/// Every fourth picture is not used but tells what is left afterwards.
#[derive(clap::Args)]
pub struct Args {
    /// The profile's folder.
    profile: PathBuf,
    /// Pictures of the sheet: a folder or pattern of images, or a video.
    #[arg(long, value_name = "SOURCE")]
    bright: OsString,
    /// Pictures with the lens covered.
    #[arg(long, value_name = "SOURCE")]
    dark: Option<OsString>,
    /// The camera's exposure, microseconds.
    #[arg(long, value_name = "US")]
    exposure_us: f64,
    /// The camera's gain, decibels.
    #[arg(long, value_name = "DB", default_value_t = 0.0)]
    gain_db: f64,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// Of so many pictures one is held out.
const HELD_OUT_OF: usize = 4;

pub fn run(args: &Args) -> Result<Ended> {
    let exposure = Exposure { exposure_us: args.exposure_us, gain_db: args.gain_db };
    let mut study: Option<FlatFieldStudy> = None;
    let (mut held_out, mut seen) = (None, 0_usize);
    shots::each(&args.bright, None, |shot| {
        let study = match &mut study {
            Some(study) => study,
            None => {
                study.insert(FlatFieldStudy::new(shot.size, exposure, FlatFieldLimits::default())?)
            }
        };
        seen += 1;
        if seen.is_multiple_of(HELD_OUT_OF) {
            held_out = Some(shot);
            return Ok(());
        }
        study.flat(&shot.picture()?).with_context(|| shot.name.clone())
    })?;
    let mut study = study.ok_or_else(|| anyhow!("--bright: there are no pictures"))?;
    if let Some(dark) = &args.dark {
        shots::each(dark, None, |shot| {
            study.dark(&shot.picture()?).with_context(|| shot.name.clone())
        })?;
    }
    let flat = study.finish()?;
    let held_out = held_out.ok_or_else(|| anyhow!("--bright: too few pictures to hold one out"))?;
    let even = flat.evenness(&held_out.picture()?)?;
    let mut profile = profile(&args.profile, flat.size())?;
    profile.keep_flat_field(&args.profile, &flat, even.after_percent / 100.0)?;
    profile.write(&args.profile)?;
    let (bright, dark) = flat.frames();
    if args.json {
        say_json(&json!({
            "bright": bright, "dark": dark, "level": flat.level(),
            "bad_pixels": flat.bad_pixels(), "evenness": even,
        }))?;
    } else {
        say(&format!(
            "shading      {:.2} % before, {:.2} % after ({:.2} % at worst, at {})\npictures     \
             {bright} bright, {dark} dark\nbad pixels   {}",
            even.before_percent,
            even.after_percent,
            even.worst_percent,
            even.worst_at,
            flat.bad_pixels().len()
        ))?;
    }
    Ok(Ended::Done)
}
