//! What the screen is told of cameras' calibrations. Plain values: which profile each camera has,
//! and, while one is being calibrated, what its picture shows and how far the work is. Sentences
//! of the calibration itself (why a target is refused) come in English, as of everything that
//! engineers read; whatever a page guides by is a value here and a word in `words`.

use std::sync::Arc;

use domain::{Board, CameraId, PointPx, RectPx, SizePx, WallTime};
use serde::{Deserialize, Serialize};

/// How a camera is calibrated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraCalibration {
    /// The camera.
    pub camera: CameraId,
    /// What is in its profile's folder; `None` where the station file names none.
    pub profile: Option<ProfileFacts>,
    /// While parts are undecided because it does not hold: why, in English.
    pub lost: Option<String>,
}

/// A profile, summed up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProfileFacts {
    /// Its folder, as the station file names it.
    pub folder: String,
    /// Size of the pictures it holds for; `None` while the folder holds no profile.
    pub size: Option<SizePx>,
    /// When anything in it was measured last.
    pub made_at: Option<WallTime>,
    /// The camera's serial number.
    pub serial: Option<String>,
    /// The lens, and how it is set.
    pub lens_note: Option<String>,
    /// What the lens bends.
    pub lens: Option<LensFacts>,
    /// Where the belt is.
    pub plane: Option<PlaneFacts>,
    /// What the lamp shades.
    pub flat: Option<FlatFacts>,
    /// Whether later pictures are held against anything.
    pub is_watched: bool,
    /// How the belt moves.
    pub belt: Option<BeltFacts>,
    /// Who accepted it, and when.
    pub accepted: Option<(String, WallTime)>,
    /// Why a line may not measure by it, in English, with what to do; empty: it may.
    pub objections: Vec<String>,
}

/// A fitted lens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LensFacts {
    /// Root mean square reprojection error, pixels.
    pub rms_px: f64,
    /// Largest of these that is accepted, pixels.
    pub rms_limit_px: f64,
    /// Focal lengths and the standard deviation of each, pixels.
    pub focal_px: [(f64, f64); 2],
    /// Principal point and the standard deviations, pixels.
    pub centre_px: [(f64, f64); 2],
    /// k1, k2, p1, p2, k3 and the standard deviation of each.
    pub distortion: [(f64, f64); 5],
}

/// The belt's plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlaneFacts {
    /// Millimetres a pixel in the middle of the picture.
    pub mm_per_px: f64,
    /// Residual, pixels.
    pub rms_px: f64,
    /// Largest of these that is accepted, pixels.
    pub rms_limit_px: f64,
    /// Points it was found from.
    pub points: u32,
    /// Standard uncertainty of a length over a quarter of the picture, as a share of it.
    pub length_sd_share: f64,
}

/// The flat field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FlatFacts {
    /// What is left of the shading, a share of the light.
    pub residual: f64,
    /// Largest of these that is accepted.
    pub residual_limit: f64,
    /// Exposure it belongs to, microseconds.
    pub exposure_us: f64,
    /// Gain it belongs to, decibels.
    pub gain_db: f64,
    /// Pixels that are replaced by their neighbours.
    pub bad_pixels: u32,
}

/// The belt's motion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BeltFacts {
    /// Its speed and the standard error, millimetres a second; pixels where there is no plane.
    pub speed: (f64, f64),
    /// Whether `speed` is in millimetres.
    pub is_mm: bool,
    /// Where to it moves in the picture, degrees from the x axis, clockwise.
    pub direction_deg: f64,
    /// Millimetres per count of the encoder and the standard error, where there is an encoder.
    pub mm_per_count: Option<(f64, f64)>,
}

/// A calibration that is under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibrating {
    /// Of this camera.
    pub camera: CameraId,
    /// Size of its frames; `None` before the first.
    pub frame_size: Option<SizePx>,
    /// The target that is looked for.
    pub board: Board,
    /// What is measured so far.
    pub draft: Arc<ProfileFacts>,
    /// What takes frames now.
    pub taking: Taking,
    /// What the newest frame shows of the target; `None` before the first frame.
    pub seen: Option<Seen>,
    /// Views for the lens, in the order they were taken.
    pub views: Arc<[ViewFacts]>,
    /// How many views show at least something of each ninth of the picture, rows from the top.
    pub coverage: [[u32; 3]; 3],
    /// What to do next for the lens; empty when there is nothing to better.
    pub advice: Vec<Advice>,
    /// Each point of the views of the last fit: where it was found, and how far from where the
    /// lens would show it, both in frame pixels.
    pub residuals: Arc<[(PointPx, PointPx)]>,
    /// What the last step that failed said, in English, with what to do; gone with the next step.
    pub refused: Option<String>,
}

/// What takes frames.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Taking {
    /// Nothing.
    Nothing,
    /// Views for the lens.
    Views {
        /// Each good one is taken without being asked for.
        is_by_itself: bool,
    },
    /// The target on the belt.
    Plane,
    /// Plain sheets, or darkness.
    Flat {
        /// The lamp is off, or the lens is covered.
        is_dark: bool,
        /// Frames taken.
        taken: u32,
        /// Frames needed.
        of: u32,
    },
    /// Good pictures.
    Watch {
        /// Frames taken.
        taken: u32,
        /// Frames needed.
        of: u32,
    },
    /// The belt.
    Belt {
        /// Frames taken.
        taken: u32,
        /// Frames needed.
        of: u32,
    },
    /// A fit is being computed.
    Fit,
}

/// What a frame shows of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Its points that were found, in frame pixels; empty when it is not there.
    pub points: Vec<PointPx>,
    /// How many it has.
    pub of: u32,
    /// What holds a view back.
    pub holds_back: Option<HoldsBack>,
    /// Why it is not seen, in English.
    pub why: Option<String>,
}

/// Why a frame is not taken as a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HoldsBack {
    /// No target is seen in it.
    NoTarget,
    /// Too few of its points.
    TooLittle,
    /// It is out of focus or smeared.
    Blurred,
    /// It moves.
    Moving,
    /// A view like it was taken already.
    AlreadyTaken,
}

/// A view of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewFacts {
    /// Never changes, is never given twice.
    pub number: u32,
    /// Corners of what is seen of the target, in order, in frame pixels.
    pub outline: Vec<PointPx>,
    /// Points that were found.
    pub points: u32,
    /// Root mean square error in the last fit, pixels; `None` when it was not in it.
    pub rms_px: Option<f64>,
    /// How far the target was tilted, degrees, by the last fit.
    pub tilt_deg: Option<f64>,
    /// The last fit left it out, as it contradicts the others.
    pub is_left_out: bool,
}

/// What would make a lens' fit better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Advice {
    /// So many views are still missing.
    More(u32),
    /// Show the target there: row and column of the picture's ninths, from the top left.
    Cover {
        /// 0 to 2.
        row: u8,
        /// 0 to 2.
        column: u8,
    },
    /// Tilt it: all views are nearly flat.
    Tilt,
    /// Tilt it to other sides as well.
    TiltOtherwise,
    /// Take the view with this number anew: it contradicts the others.
    Retake(u32),
    /// The views are enough: fit.
    Fit,
}

/// A landmark is best so large: sides in frame pixels.
pub const LANDMARK_SIDE_PX: u32 = 64;

/// The square of a landmark around a place that somebody pointed at, within a frame.
#[must_use]
pub fn landmark_at(place: PointPx, frame: SizePx) -> RectPx {
    let side = LANDMARK_SIDE_PX.min(frame.width).min(frame.height);
    let from = |at: f32, length: u32| {
        let start = (at - side as f32 / 2.0).clamp(0.0, (length - side) as f32);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let start = start as u32;
        start
    };
    RectPx::new(from(place.x, frame.width), from(place.y, frame.height), side, side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_landmark_lies_within_the_frame_wherever_somebody_points() {
        let frame = SizePx::new(640, 480);
        let at = |x, y| landmark_at(PointPx { x, y }, frame);
        assert_eq!(at(100.0, 100.0), RectPx::new(68, 68, 64, 64));
        assert_eq!(at(-5.0, 470.0), RectPx::new(0, 416, 64, 64));
        assert_eq!(at(1e9, f32::NAN).width, 64);
        assert_eq!(landmark_at(PointPx { x: 1.0, y: 1.0 }, SizePx::new(20, 9)).width, 9);
    }
}
