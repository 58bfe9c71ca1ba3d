//! `sightline calibrate plane`: takes one view of a target on the belt, or a ruler; gives how many
//! millimetres a pixel is.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use calibration::{Plane, Px, Target};
use domain::SizePx;
use serde_json::json;

use super::board::Board;
use super::guide::Guide;
use super::session::{Eye, Look};
use super::shots::Shot;
use super::{camera, measured, profile, shots};
use crate::Ended;
use crate::config::Camera;
use crate::modes::{say, say_json};

/// Find the belt's plane from one view of a target that lies on it; or from two points.
///
/// Of a live camera the view is taken as soon as the target is still.
#[derive(clap::Args)]
pub struct Args {
    /// The profile's folder.
    profile: PathBuf,
    /// The view: one image, or a live camera: `station.toml#top`. With --ruler only its size
    /// counts.
    #[arg(long, value_name = "SOURCE")]
    view: OsString,
    #[command(flatten)]
    board: Board,
    /// The lens is telecentric: no perspective.
    #[arg(long, conflicts_with = "ruler")]
    telecentric: bool,
    /// Without a target: two places in the picture and the length between them, `X,Y,X,Y,MM`. It
    /// knows no tilt and no perspective, so it is the least certain.
    #[arg(long, value_name = "X,Y,X,Y,MM", value_parser = ruler, allow_hyphen_values = true)]
    ruler: Option<Ruler>,
    /// Parts are so high: measure on their tops. Needs a target and a fitted lens.
    #[arg(long, value_name = "MM", conflicts_with = "ruler")]
    height_mm: Option<f64>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug)]
struct Ruler {
    from: Px,
    to: Px,
    length_mm: f64,
}

fn ruler(text: &str) -> Result<Ruler> {
    let numbers: Vec<f64> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let [x0, y0, x1, y1, length_mm] = numbers[..] else {
        bail!("write five numbers: X,Y,X,Y,MM");
    };
    Ok(Ruler { from: Px::new(x0, y0), to: Px::new(x1, y1), length_mm })
}

pub fn run(args: &Args) -> Result<Ended> {
    let target = args.board.target()?;
    let shot = match camera::named(&args.view)? {
        Some(camera) => still_view(&camera, args.ruler.is_none().then(|| target.clone()))?,
        None => only(shots::all(&args.view)?)?,
    };
    let mut profile = profile(&args.profile, shot.size)?;
    let lens = profile.lens.as_ref();
    let plane = match args.ruler {
        Some(Ruler { from, to, length_mm }) => measured::plane_by_ruler(from, to, length_mm, lens)?,
        None => {
            let seen = target.detect(&shot.picture()?).with_context(|| shot.name.clone())?;
            measured::plane_of(&seen, lens, args.telecentric, args.height_mm)?
        }
    };
    let told = told(&plane, shot.size);
    measured::keep_plane(&mut profile, plane);
    profile.write(&args.profile)?;
    if args.json {
        say_json(&told)?
    } else {
        say(&words(&told))?
    }
    Ok(Ended::Done)
}

fn only(mut shots: Vec<Shot>) -> Result<Shot> {
    match (shots.pop(), shots.len()) {
        (Some(shot), 0) => Ok(shot),
        (_, more) => bail!("--view takes one image, not {}", more + 1),
    }
}

/// A picture of a live camera in which the target is still; any picture without one.
fn still_view(camera: &Camera, target: Option<Target>) -> Result<Shot> {
    let (mut eye, mut guide, mut view) = (target.map(Eye::new), Guide::new(), None);
    camera::follow(camera, &mut guide, &|| false, |shot, guide| {
        let look = match &mut eye {
            None => None,
            Some(eye) => Some(eye.look(&shot.picture()?)),
        };
        match look {
            Some(Look { found: Err(why), .. }) => guide.show(&why.to_string()),
            Some(Look { is_still: false, .. }) => guide.show("hold the target still"),
            _ => view = Some(shot),
        }
        Ok(view.is_none())
    })?;
    guide.end();
    view.with_context(|| format!("the camera `{}` never saw the target still", camera.name))
}

fn told(plane: &Plane, size: SizePx) -> serde_json::Value {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let middle = Px::new(width / 2.0, height / 2.0);
    let length = plane.length_mm(Px::new(width / 4.0, height / 2.0), middle);
    json!({
        "kind": plane.kind, "points": plane.residual.points,
        "residual_rms_px": plane.residual.rms_px, "residual_rms_mm": plane.residual.rms_mm,
        "residual_max_mm": plane.residual.max_mm, "mm_per_px": plane.mm_per_px(middle),
        "length_mm": length.value, "length_sd_mm": length.sd,
    })
}

fn words(told: &serde_json::Value) -> String {
    let number = |key: &str| told[key].as_f64().unwrap_or(f64::NAN);
    format!(
        "scale     {:.5} mm a pixel in the middle\nresidual  {:.3} px, {:.4} mm rms over {} points \
         ({:.4} mm at most)\nlength    {:.3} ± {:.3} mm (k = 1) over a quarter of the picture",
        number("mm_per_px"),
        number("residual_rms_px"),
        number("residual_rms_mm"),
        told["points"],
        number("residual_max_mm"),
        number("length_mm"),
        number("length_sd_mm"),
    )
}
