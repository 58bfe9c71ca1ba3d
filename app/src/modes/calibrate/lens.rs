//! `sightline calibrate lens`: takes views of a target, or takes them itself of a live camera;
//! gives what the lens bends.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use calibration::Target;
use calibration::lens::{FitOptions, LensFit, View, fit};
use domain::SizePx;
use serde_json::json;

use super::board::Board;
use super::guide::Guide;
use super::shots::Shot;
use super::simulated::{self, SIMULATOR};
use super::{camera, live_views, measured, profile, residuals, shots};
use crate::Ended;
use crate::modes::{say, say_json};

/// Fit the lens from 8 or more views of a target, tilted differently, together all over the
/// picture.
///
/// Of a live camera (`--views station.toml#top`) views are taken by themselves, each as soon as the
/// target is sharp, still, and unlike the ones before, until they cover the picture. What to show
/// next is said on stderr. Ctrl-C stops taking, and fits what is there.
#[derive(clap::Args)]
pub struct Args {
    /// The profile's folder; made when it is not there.
    profile: PathBuf,
    /// The views: a folder or pattern of images, a video, a live camera: `station.toml#top`; or
    /// `simulator`, which renders some through a lens that it tells, to try it out.
    #[arg(long, value_name = "SOURCE")]
    views: OsString,
    /// Take so many views of a live camera at most.
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(8..=60))]
    views_most: u32,
    #[command(flatten)]
    board: Board,
    /// The camera's serial number, as it says itself.
    #[arg(long)]
    serial: Option<String>,
    /// The lens, and how it is set: "25 mm f/4, focus screw fixed".
    #[arg(long)]
    lens_note: Option<String>,
    /// Draw how far each point is from where the lens would show it.
    #[arg(long, value_name = "FILE.svg")]
    residuals: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<Ended> {
    let target = args.board.target()?;
    let (Found { views, unseen, size }, serial) = match camera::named(&args.views)? {
        Some(camera) => live_views::take(&camera, target, args.views_most)?,
        None if args.views == SIMULATOR => {
            Guide::new().say(&simulated::truth());
            (found_in(&simulated::views(&target)?, &target)?, None)
        }
        None => (found_in(&shots::all(&args.views)?, &target)?, None),
    };
    let found =
        fit(&views, size, &FitOptions::default()).with_context(|| seen_in(views.len(), &unseen))?;
    let mut profile = profile(&args.profile, size)?;
    measured::keep_lens(&mut profile, &found);
    let camera = &mut profile.camera;
    // What the camera says is what it will be held against.
    camera.serial = serial.or_else(|| args.serial.clone()).or(camera.serial.take());
    camera.lens_note = args.lens_note.clone().or(camera.lens_note.take());
    profile.write(&args.profile)?;
    if let Some(path) = &args.residuals {
        if path.extension().is_none_or(|it| it != "svg") {
            bail!("{}: write a name that ends in .svg", path.display());
        }
        std::fs::write(path, residuals::svg(&found)).with_context(|| path.display().to_string())?;
    }
    if args.json {
        say_json(&told(&found, &unseen))?
    } else {
        say(&words(&found, &unseen))?
    }
    Ok(Ended::Done)
}

/// What pictures show of the target.
pub struct Found {
    /// Where it is seen.
    pub views: Vec<View>,
    /// In which it is not, and why.
    pub unseen: Vec<String>,
    /// Of the pictures.
    pub size: SizePx,
}

fn found_in(shots: &[Shot], target: &Target) -> Result<Found> {
    let (mut views, mut unseen) = (Vec::new(), Vec::new());
    for shot in shots {
        match target.detect(&shot.picture()?) {
            Ok(observation) => views.push(View { name: shot.name.clone(), observation }),
            Err(error) => unseen.push(format!("{}: {error}", shot.name)),
        }
    }
    Ok(Found { views, unseen, size: shots[0].size })
}

/// How many pictures show the target, and why the first that does not doesn't.
fn seen_in(seen: usize, unseen: &[String]) -> String {
    let first = unseen.first().map_or_else(String::new, |why| format!("; not in {why}"));
    format!("the target was found in {seen} of {} pictures{first}", seen + unseen.len())
}

fn told(found: &LensFit, unseen: &[String]) -> serde_json::Value {
    let views = found.views.iter().map(|view| {
        json!({"name": view.name, "rms_px": view.rms_px, "tilt_deg": view.tilt_deg,
            "left_out": view.left_out})
    });
    json!({
        "lens": found.lens, "rms_px": found.rms_px, "model": found.model,
        "model_reason": found.model_reason, "views": views.collect::<Vec<_>>(),
        "coverage": found.coverage.points, "not_found": unseen, "advice": found.advice,
    })
}

fn words(found: &LensFit, unseen: &[String]) -> String {
    let (lens, sd) = (&found.lens, &found.lens.sd);
    let mut lines = vec![
        format!("reprojection error  {:.3} px rms over {} views", found.rms_px, found.views.len()),
        format!(
            "focal length        {:.2} ± {:.2}, {:.2} ± {:.2} px",
            lens.focal_px[0], sd.focal_px[0], lens.focal_px[1], sd.focal_px[1]
        ),
        format!(
            "centre              {:.2} ± {:.2}, {:.2} ± {:.2} px",
            lens.centre_px.x, sd.centre_px.x, lens.centre_px.y, sd.centre_px.y
        ),
    ];
    let names = ["k1", "k2", "p1", "p2", "k3"];
    for ((name, value), sd) in names.iter().zip(lens.distortion).zip(sd.distortion) {
        lines.push(format!("{name}                  {value:+.5} ± {sd:.5}"));
    }
    for view in &found.views {
        let left = if view.left_out { "  left out" } else { "" };
        lines.push(format!(
            "  {:<28} {:.3} px, tilted {:.0}°{left}",
            view.name, view.rms_px, view.tilt_deg
        ));
    }
    lines.extend(unseen.iter().map(|told| format!("  {told}")));
    lines.extend(found.advice.iter().cloned());
    lines.join("\n")
}
