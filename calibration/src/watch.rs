//! Whether calibration still holds: takes samples of production pictures, gives what has changed
//! since commissioning (focus, light, flicker, dirt, drift), in words and against a limit.

mod baseline;
mod landmark;
mod measure;

use domain::{MonoTime, RectPx, SizePx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Picture;
pub use baseline::{Baseline, BaselineRefused, BaselineStudy};

/// Something that does not move with the belt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Landmark {
    /// A fiducial or a screw: a small picture with edges in both directions.
    Patch(RectPx),
    /// A straight edge (the belt's) that runs through the rectangle from top to bottom.
    UprightEdge(RectPx),
    /// A straight edge that runs through the rectangle from left to right.
    LevelEdge(RectPx),
}

/// What may change before parts are no longer judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Loss of sharpness, in percent of commissioning's.
    pub sharpness_loss_percent: f64,
    /// Change of the belt's brightness, in percent.
    pub brightness_percent: f64,
    /// Saturated pixels beyond commissioning's, in percent of all.
    pub saturated_percent: f64,
    /// Picture-to-picture change of brightness (standard deviation), in percent.
    pub flicker_percent: f64,
    /// Darkening or brightening of a spot that stays while parts pass, in percent.
    pub spot_percent: f64,
    /// Shift of the landmark, in pixels.
    pub drift_px: f64,
    /// Millimetres a pixel at the landmark, for the words.
    pub mm_per_px: Option<f64>,
    /// Samples that are judged together: one odd part among them changes nothing.
    pub samples: usize,
    /// A cause goes only when its value is back below this share of the limit.
    pub back_share: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sharpness_loss_percent: 20.0,
            brightness_percent: 8.0,
            saturated_percent: 1.0,
            flicker_percent: 1.5,
            spot_percent: 4.0,
            drift_px: 1.5,
            mm_per_px: None,
            samples: 15,
            back_share: 0.8,
        }
    }
}

/// What has changed since commissioning: measured value and limit.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
pub enum Cause {
    /// Out of focus, or a film on the lens.
    #[error(
        "out of focus: sharpness is down by {loss_percent:.0} %, {limit_percent:.0} % is allowed; \
         check the lens's focus and distance, and clean it"
    )]
    Blurred {
        /// Percent of commissioning's.
        loss_percent: f64,
        /// Percent.
        limit_percent: f64,
    },
    /// Brighter or darker.
    #[error(
        "brightness changed by {change_percent:+.1} %, {limit_percent:.1} % is allowed; check the \
         lamp, the aperture and the exposure"
    )]
    Brightness {
        /// Percent of commissioning's; negative is darker.
        change_percent: f64,
        /// Percent.
        limit_percent: f64,
    },
    /// Too much white.
    #[error(
        "{percent:.1} % more of the picture is saturated than at commissioning, \
         {limit_percent:.1} % is allowed; lower the light or the exposure"
    )]
    Saturated {
        /// Percent of the picture.
        percent: f64,
        /// Percent of the picture.
        limit_percent: f64,
    },
    /// Brightness differs from picture to picture.
    #[error(
        "the light flickers by {percent:.1} %, {limit_percent:.1} % is allowed{}",
        mains_words(*mains_hz)
    )]
    Flickers {
        /// Standard deviation, percent.
        percent: f64,
        /// Percent.
        limit_percent: f64,
        /// Twice the mains frequency (100 or 120) where the pattern fits it.
        mains_hz: Option<u32>,
    },
    /// A spot that stays while parts pass.
    #[error(
        "a spot at {at} stays while parts pass, {percent:+.1} % against its surroundings, \
         {limit_percent:.1} % is allowed; clean the lens, the window and the lamp"
    )]
    Dirt {
        /// Percent; negative is darker.
        percent: f64,
        /// Percent.
        limit_percent: f64,
        /// Where, in the sample's pixels.
        at: RectPx,
    },
    /// The camera or what it looks at has moved.
    #[error(
        "the landmark moved by {moved_px:.2} px{} ({dx_px:+.2}, {dy_px:+.2}), {limit_px:.2} px is \
         allowed; fasten the camera and calibrate anew",
        mm_words(*moved_mm)
    )]
    Moved {
        /// To the right, pixels.
        dx_px: f64,
        /// Down, pixels.
        dy_px: f64,
        /// Distance, pixels.
        moved_px: f64,
        /// Distance, millimetres, where a scale is known.
        moved_mm: Option<f64>,
        /// Pixels.
        limit_px: f64,
    },
    /// The landmark is no longer seen.
    #[error(
        "the landmark at {at} was seen in {seen} of the last {samples} samples; uncover it, or \
         choose another"
    )]
    LandmarkLost {
        /// Where it should be.
        at: RectPx,
        /// Samples.
        seen: usize,
        /// Samples.
        samples: usize,
    },
}

fn mains_words(mains_hz: Option<u32>) -> String {
    mains_hz.map_or_else(
        || "; check the lamp's supply".to_owned(),
        |hz| {
            format!(
                " and follows the mains at {hz} Hz; use a lamp on direct current, or an exposure \
                 of a whole number of {:.2} ms",
                1000.0 / f64::from(hz)
            )
        },
    )
}

fn mm_words(mm: Option<f64>) -> String {
    mm.map_or_else(String::new, |mm| format!(" = {mm:.3} mm"))
}

/// What was measured lately (medians over the samples judged together); what could not be is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measures {
    /// Sharpness against commissioning's; 1 is the same.
    pub sharpness: Option<f64>,
    /// Brightness of the belt against commissioning's; 1 is the same.
    pub brightness: Option<f64>,
    /// Saturated share of the picture, in percent.
    pub saturated_percent: Option<f64>,
    /// Picture-to-picture change, in percent.
    pub flicker_percent: Option<f64>,
    /// The worst spot, in percent against its surroundings.
    pub spot_percent: Option<f64>,
    /// The landmark's shift to the right and down, in pixels.
    pub drift_px: Option<(f64, f64)>,
}

/// What a sample says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Still<'a> {
    /// Whether enough samples were seen to say anything.
    pub settled: bool,
    /// Why calibration no longer holds; none while it does.
    pub causes: &'a [Cause],
    /// What was measured.
    pub measures: Measures,
}

impl Still<'_> {
    /// Whether calibration holds, as far as is known.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.causes.is_empty()
    }
}

/// A sample that cannot be compared.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the sample is {got}, commissioning's were {needed}")]
pub struct WrongSampleSize {
    /// The sample's.
    pub got: SizePx,
    /// Commissioning's.
    pub needed: SizePx,
}

/// Watches production pictures; all memory is taken at the start.
#[derive(Debug)]
pub struct Watch {
    baseline: Baseline,
    limits: Limits,
}

impl Watch {
    /// A watch against `baseline`.
    #[must_use]
    pub fn new(baseline: Baseline, limits: Limits) -> Self {
        Self { baseline, limits }
    }

    /// Looks at a picture taken `at` this time. Reads a thin lattice of it.
    ///
    /// # Errors
    /// Where the picture is of another size than commissioning's.
    pub fn see(
        &mut self,
        sample: &Picture<'_>,
        at: MonoTime,
    ) -> Result<Still<'_>, WrongSampleSize> {
        let _ = (sample, at, &self.baseline, self.limits);
        todo!()
    }
}
