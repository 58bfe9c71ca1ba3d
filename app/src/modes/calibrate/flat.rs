//! `sightline calibrate flat`: takes pictures of a plain sheet, and of darkness; gives what the
//! lamp and the lens shade.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use calibration::flat_field::{Exposure, FlatFieldRefused};
use serde_json::json;

use super::guide::Guide;
use super::measured::Sheet;
use super::session::{BRIGHT, DARK};
use super::shots::OfLive;
use super::{camera, profile, shots};
use crate::Ended;
use crate::config::Camera;
use crate::modes::{say, say_json};

/// Even out the light: 16 or more pictures of a plain sheet that fills the view, at the line's
/// exposure; and 8 or more with the lens covered.
///
/// Every fourth picture is not used but tells what is left afterwards.
#[derive(clap::Args)]
pub struct Args {
    /// The profile's folder.
    profile: PathBuf,
    /// Pictures of the sheet: a folder or pattern of images, a video, or a live camera:
    /// `station.toml#top`.
    #[arg(long, value_name = "SOURCE")]
    bright: OsString,
    /// Pictures with the lens covered; a live camera is waited for until it is covered.
    #[arg(long, value_name = "SOURCE")]
    dark: Option<OsString>,
    /// Take so many pictures of a live camera; 24 of the sheet and 12 of darkness when not given.
    #[arg(long, value_name = "N")]
    take: Option<u32>,
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

pub fn run(args: &Args) -> Result<Ended> {
    let exposure = Exposure { exposure_us: args.exposure_us, gain_db: args.gain_db };
    let mut sheet: Option<Sheet> = None;
    shots::each(&args.bright, None, args.live(BRIGHT), |shot| {
        let sheet = match &mut sheet {
            Some(sheet) => sheet,
            None => sheet.insert(Sheet::new(shot.size, exposure)?),
        };
        let name = shot.name.clone();
        sheet.bright(shot).with_context(|| name)
    })?;
    let mut sheet = sheet.ok_or_else(|| anyhow!("--bright: there are no pictures"))?;
    if let Some(dark) = &args.dark {
        match camera::named(dark)? {
            Some(camera) => darkness(&camera, args.take.unwrap_or(DARK), &mut sheet)?,
            None => shots::each(dark, None, args.live(DARK), |shot| {
                sheet.dark(&shot).with_context(|| shot.name.clone())
            })?,
        }
    }
    let (flat, even) = sheet.finish()?;
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

impl Args {
    fn live(&self, usual: u32) -> OfLive {
        OfLive { take: self.take.unwrap_or(usual), every: Duration::ZERO }
    }
}

/// Takes darkness of a live camera, once somebody has covered its lens.
fn darkness(camera: &Camera, take: u32, sheet: &mut Sheet) -> Result<()> {
    let mut guide = Guide::new();
    let mut taken = 0;
    camera::follow(camera, &mut guide, &|| false, |shot, guide| {
        match sheet.dark(&shot) {
            Ok(()) => {
                taken += 1;
                guide.count("dark pictures", taken, take);
            }
            Err(error) => match error.downcast_ref() {
                Some(FlatFieldRefused::NotDark { .. }) => guide.show("cover the lens"),
                _ => return Err(error),
            },
        }
        Ok(taken < take)
    })?;
    guide.end();
    Ok(())
}
