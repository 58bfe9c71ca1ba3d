//! `sightline calibrate plane`: takes one view of a target on the belt, or a ruler; gives how many
//! millimetres a pixel is.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use calibration::{Plane, Px};
use domain::SizePx;
use serde_json::json;

use super::board::Board;
use super::{profile, shots};
use crate::Ended;
use crate::modes::{say, say_json};

/// Find the belt's plane from one view of a target that lies on it; or from two points.
#[derive(clap::Args)]
pub struct Args {
    /// The profile's folder.
    profile: PathBuf,
    /// The view: one image. With --ruler only its size counts.
    #[arg(long, value_name = "IMAGE")]
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

/// How well a person points at a place on a screen, pixels.
const POINTING_SD_PX: f64 = 0.5;

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
    let shots = shots::all(&args.view)?;
    let [shot] = &shots[..] else { bail!("--view takes one image, not {}", shots.len()) };
    let mut profile = profile(&args.profile, shot.size)?;
    let lens = profile.lens.as_ref();
    let plane = match args.ruler {
        Some(Ruler { from, to, length_mm }) => {
            let straight = |px| lens.map_or(px, |lens| lens.undistort_px(px));
            Plane::from_ruler(straight(from), straight(to), length_mm, POINTING_SD_PX)?
        }
        None => {
            let seen = args.board.target()?.detect(&shot.picture()?);
            let seen = seen.with_context(|| shot.name.clone())?;
            if args.telecentric {
                Plane::telecentric(&seen, lens)?
            } else {
                Plane::from_view(&seen, lens)?
            }
        }
    };
    let plane = match args.height_mm {
        Some(height) => plane.at_height(height).map_err(|error| anyhow!("--height-mm: {error}"))?,
        None => plane,
    };
    let told = told(&plane, shot.size);
    profile.plane = Some(plane);
    profile.write(&args.profile)?;
    if args.json {
        say_json(&told)?
    } else {
        say(&words(&told))?
    }
    Ok(Ended::Done)
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
