//! Why calibration no longer holds, in words: what was measured, what is allowed, what to do.

use domain::RectPx;
use thiserror::Error;

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
