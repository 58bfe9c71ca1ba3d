//! A camera that is not there, to try a calibration out: takes a target, gives rendered views of it
//! through a lens that is known.

use anyhow::Result;
use calibration::Target;
use calibration::target::Outline;
use domain::{MonoTime, SizePx};
use testdata::camera::{self, Camera, Optics, Pose, Sheet};

use super::shots::Shot;

/// What is written where a source is asked for.
pub const SIMULATOR: &str = "simulator";
const SIZE: SizePx = SizePx::new(1280, 960);
const FOCAL_PX: f64 = 1500.0;
const CENTRE_PX: [f64; 2] = [645.0, 472.0];
const DISTORTION: [f64; 5] = [-0.22, 0.08, 0.0, 0.0, 0.0];
const VIEWS: u32 = 14;
/// The target fills so much of the picture's height.
const FILLS: f64 = 0.55;

/// The truth, in words.
pub fn truth() -> String {
    let ([x, y], [k1, k2, ..]) = (CENTRE_PX, DISTORTION);
    format!(
        "simulated: {VIEWS} views at {SIZE} pixels, focal length {FOCAL_PX} px, centre {x}, {y} \
         px, k1 {k1}, k2 {k2}"
    )
}

/// Views of `target`, tilted to all sides, all over the picture.
///
/// # Errors
/// When OpenCV can't draw the target.
pub fn views(target: &Target) -> Result<Vec<Shot>> {
    let sheet = sheet(target)?;
    let points = target.points_mm();
    let reach = |of: fn(&calibration::Mm) -> f64| {
        let (low, high) = points
            .iter()
            .map(of)
            .fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(at), high.max(at)));
        ((low + high) / 2.0, high - low)
    };
    let ((x, width), (y, height)) = (reach(|at| at.x), reach(|at| at.y));
    let distance = FOCAL_PX * width.max(height) / (FILLS * f64::from(SIZE.height));
    let view = |number: u32| {
        let (tilt, around) = (0.25 + 0.03 * f64::from(number), 0.9 * f64::from(number));
        let turn = [tilt * around.cos(), tilt * around.sin(), 0.1 * around.sin()];
        let mut pose = Pose::facing(turn, [x, y], distance);
        pose.translation_mm[0] += 0.45 * width.max(height) * (2.0 * around).cos();
        pose.translation_mm[1] += 0.3 * width.max(height) * (3.0 * around).sin();
        let optics = Optics::Pinhole {
            focal_px: [FOCAL_PX; 2],
            centre_px: CENTRE_PX,
            distortion: DISTORTION,
        };
        let camera = Camera { size: SIZE, optics, pose };
        let shot = camera::Shot { samples: 3, seed: number.into(), ..camera::Shot::default() };
        let luma = shot.of(&camera, &|mm| sheet.reflectance(mm));
        let at = MonoTime::from_ns(u64::from(number) * 1_000_000_000);
        Shot::of_luma(format!("simulated view {number}"), at, SIZE, luma)
    };
    Ok((0..VIEWS).map(view).collect())
}

/// The target, printed on white paper.
fn sheet(target: &Target) -> Result<Sheet> {
    let piece = |piece: calibration::target::Piece| {
        let outline = match piece.outline {
            Outline::Polygon(corners) => {
                camera::Outline::Polygon(corners.iter().map(|c| [c.x, c.y]).collect())
            }
            Outline::Disc { centre, radius_mm } => {
                camera::Outline::Disc { centre: [centre.x, centre.y], radius: radius_mm }
            }
        };
        camera::Piece { outline, reflectance: if piece.white { 0.9 } else { 0.06 } }
    };
    Ok(Sheet::new(0.9, target.pieces()?.into_iter().map(piece).collect()))
}
