//! Something wrong with a part: what kind, where, and how sure the model is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{DefectMm, RectPx};

/// A model's confidence, always finite and in 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Score(f32);

/// A number that is not a score.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error("a score lies in 0..=1; {0} does not")]
pub struct ScoreError(pub f32);

impl Score {
    /// Certainly not.
    pub const ZERO: Self = Self(0.0);
    /// Certainly.
    pub const ONE: Self = Self(1.0);

    /// A score of `value`.
    ///
    /// # Errors
    /// When `value` is NaN, infinite, or outside 0..=1.
    pub fn new(value: f32) -> Result<Self, ScoreError> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(ScoreError(value)) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> f32 {
        self.0
    }
}

// A score is never NaN, so equality is total.
impl Eq for Score {}

impl TryFrom<f32> for Score {
    type Error = ScoreError;
    fn try_from(value: f32) -> Result<Self, ScoreError> {
        Self::new(value)
    }
}

impl From<Score> for f32 {
    fn from(score: Score) -> Self {
        score.0
    }
}

/// Which pixels of a rectangle are meant: run lengths along rows, first of what is not meant.
///
/// The counts alternate out, in, out, … and add up to `area.area()`, as in COCO's uncompressed
/// run-length encoding but row-major.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    /// The rectangle in the model's heatmap grid that the runs cover.
    pub area: RectPx,
    /// Run lengths.
    pub counts: Vec<u32>,
}

impl Mask {
    /// Encodes `inside`, row-major, one entry per pixel of `area`.
    #[must_use]
    pub fn from_bits(area: RectPx, inside: impl IntoIterator<Item = bool>) -> Self {
        let mut counts = Vec::new();
        let (mut current, mut run) = (false, 0_u32);
        for bit in inside {
            if bit != current {
                counts.push(run);
                (current, run) = (bit, 0);
            }
            run += 1;
        }
        counts.push(run);
        Self { area, counts }
    }

    /// Decodes to one entry per pixel of `area`, row-major.
    pub fn bits(&self) -> impl Iterator<Item = bool> + '_ {
        self.counts
            .iter()
            .enumerate()
            .flat_map(|(i, &run)| std::iter::repeat_n(i % 2 == 1, run as usize))
    }

    /// How many pixels are meant.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().skip(1).step_by(2).map(|&run| u64::from(run)).sum()
    }
}

/// One thing wrong with a part, as the model sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Defect {
    /// The model's label.
    pub kind: Arc<str>,
    /// In which of the part's views.
    pub view: usize,
    /// Where, in pixels of the frame.
    pub box_in_frame: RectPx,
    /// How many pixels of the frame it covers.
    pub area_px: u64,
    /// How sure the model is.
    pub score: Score,
    /// Which cells of the view's heatmap; absent for kinds of model that give none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// The same on the belt; absent without a calibration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mm: Option<DefectMm>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scores_refuse_what_is_not_one() {
        for bad in [f32::NAN, f32::INFINITY, -0.01, 1.01] {
            assert!(Score::new(bad).is_err());
        }
        assert_eq!(Score::new(0.5).unwrap().get(), 0.5);
        assert!(serde_json::from_str::<Score>("1.5").is_err());
    }

    proptest! {
        #[test]
        fn masks_round_trip(bits in prop::collection::vec(any::<bool>(), 1..200)) {
            let width = u32::try_from(bits.len()).unwrap();
            let mask = Mask::from_bits(RectPx::new(0, 0, width, 1), bits.iter().copied());
            prop_assert_eq!(mask.bits().collect::<Vec<_>>(), bits.clone());
            prop_assert_eq!(mask.count(), bits.iter().filter(|b| **b).count() as u64);
            prop_assert_eq!(mask.counts.iter().sum::<u32>(), width);
        }
    }
}
