//! Distances along the belt: takes them as written, in counts of the encoder or in millimetres,
//! and what a count is, as written or as a camera was calibrated; gives counts.

use calibration::belt::Measured;
use domain::CameraId;

use super::config::RejectError;

/// How the belt runs under its encoder, as a camera's calibration knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibratedBelt {
    /// Whose calibration.
    pub camera: CameraId,
    /// Millimetres in a count; positive where the count goes up as the belt runs.
    pub mm_per_count: Measured,
}

impl CalibratedBelt {
    /// Whether `other` says something else of the same belt.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        let (this, that) = (self.mm_per_count, other.mm_per_count);
        let unsure = K * this.std_error.hypot(that.std_error);
        (this.value - that.value).abs() > unsure + APART * that.value.abs()
    }
}

/// Standard errors that are allowed for: 95 of 100 lie within.
const K: f64 = 2.0;
/// A written number may differ from the calibrated one by this share besides: a roller's diameter
/// from a data sheet is no better.
const APART: f64 = 0.01;

/// A distance as written, in one of two units.
pub(super) struct Way {
    pub counts_key: &'static str,
    pub counts: Option<u32>,
    pub mm_key: &'static str,
    pub mm: Option<f64>,
}

/// What a count is.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    mm_per_count: f64,
    /// Share by which that may be wrong; 0 as written.
    pub unsure: f64,
}

impl Scale {
    /// As written, or else as calibrated; the two must not contradict each other.
    pub fn new(
        written: Option<f64>,
        calibrated: Option<&CalibratedBelt>,
    ) -> Result<Self, RejectError> {
        let key = "mm_per_count";
        let Some(CalibratedBelt { camera, mm_per_count: known }) = calibrated else {
            let right = "run `sightline calibrate belt` with the encoder's counts for the camera \
                         that sees the parts, or write how many millimetres the belt runs in a \
                         count";
            let problem = "is not given, and no camera's calibration knows it".to_owned();
            let written = written.ok_or(RejectError { key, problem, right })?;
            return Self::written(written);
        };
        let Measured { value, std_error } = *known;
        if !(value > 0.0 && value.is_finite()) {
            let problem = format!("is {value} by the calibration of camera `{camera}`");
            let right = "the count must go up as the belt runs: turn round the encoder's direction \
                         in the PLC, then run `sightline calibrate belt` again";
            return Err(RejectError { key, problem, right });
        }
        let Some(written) = written else {
            return Ok(Self { mm_per_count: value, unsure: K * std_error / value });
        };
        let (apart, unsure) = ((written - value).abs(), K * std_error);
        if apart > unsure + APART * value {
            let problem = format!(
                "is {written}, and {value:.5} ± {unsure:.5} (k = 2) by the calibration of camera \
                 `{camera}`"
            );
            let right = "leave it out, so that the calibrated one is taken; or, where it is right, \
                         run `sightline calibrate belt` again";
            return Err(RejectError { key, problem, right });
        }
        // As far as the calibration knows, it is wrong by so much.
        Ok(Self { unsure: (apart + unsure) / value, ..Self::written(written)? })
    }

    /// `counts` in millimetres.
    #[expect(clippy::cast_precision_loss, reason = "at most 32 bits")]
    pub const fn mm(&self, counts: i64) -> f64 {
        counts as f64 * self.mm_per_count
    }

    fn written(mm_per_count: f64) -> Result<Self, RejectError> {
        if mm_per_count > 0.0 && mm_per_count.is_finite() {
            return Ok(Self { mm_per_count, unsure: 0.0 });
        }
        let problem = format!("is {mm_per_count}");
        let right = "give how many millimetres the belt runs in a count, more than 0";
        Err(RejectError { key: "mm_per_count", problem, right })
    }
}

impl Way {
    /// The key that was written.
    pub const fn key(&self) -> &'static str {
        if self.mm.is_some() { self.mm_key } else { self.counts_key }
    }

    /// In counts; `None` where it is not given. There is a scale where anything is in millimetres.
    pub fn counts(&self, scale: Option<Scale>) -> Result<Option<i64>, RejectError> {
        let (mm, scale) = match (self.counts, self.mm, scale) {
            (Some(_), Some(_), _) => {
                let problem = format!("stands beside `{}`", self.counts_key);
                let right = "give one of the two";
                return Err(RejectError { key: self.mm_key, problem, right });
            }
            (None, Some(mm), Some(scale)) => (mm, scale),
            (counts, ..) => return Ok(counts.map(i64::from)),
        };
        let counts = (mm / scale.mm_per_count).round();
        if !(0.0..=f64::from(u32::MAX)).contains(&counts) {
            let problem = format!("is {mm}, at {} mm in a count", scale.mm_per_count);
            let right = "give millimetres from 0 on, less than 4,294,967,296 counts";
            return Err(RejectError { key: self.mm_key, problem, right });
        }
        #[expect(clippy::cast_possible_truncation, reason = "looked at above")]
        Ok(Some(counts as i64))
    }

    /// The same of a distance that must be given.
    pub fn needed(&self, scale: Option<Scale>) -> Result<i64, RejectError> {
        let right = "give it in counts, or with `_mm` in place of `_counts` in millimetres";
        let missing = RejectError { key: self.counts_key, problem: "is missing".into(), right };
        self.counts(scale)?.ok_or(missing)
    }
}
