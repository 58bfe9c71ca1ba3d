//! The rule that judges a part: takes what was found on it and the recipe's limits, gives the
//! verdict with its reasons. Stands here so that the line and whoever asks "what if" judge alike.

use std::sync::Arc;

use super::CheckedRecipe;
use crate::{Defect, FindingFault, PartCondition, Reason, Score, Verdict, Why};

impl CheckedRecipe {
    /// The rule: a part that is not one whole part is undecided; then any defect at its limit
    /// rejects; then a view without a finding, which is what `fault` tells of, or a defect in the
    /// band below its limit, leaves the part undecided; else it passes. A reject outranks a
    /// missing view: bad in one view is bad.
    #[must_use]
    pub fn verdict_on<'a>(
        &self,
        condition: &PartCondition,
        defects: impl Iterator<Item = &'a Defect> + Clone,
        fault: Option<&FindingFault>,
    ) -> Verdict {
        let why = match condition {
            PartCondition::Whole => None,
            PartCondition::Cut => Some(Why::PartCut),
            PartCondition::Merged { parts_estimated } => {
                Some(Why::PartsMerged { parts_estimated: *parts_estimated })
            }
        };
        if let Some(why) = why {
            return Verdict::Undecided { why };
        }
        let reasons = defects.clone().filter_map(|defect| self.reason_to_reject(defect)).collect();
        if let Some(reject) = Verdict::reject(reasons) {
            return reject;
        }
        if let Some(cause) = fault {
            return Verdict::Undecided { why: Why::NoFinding { cause: cause.clone() } };
        }
        let nearest = defects
            .filter_map(|defect| self.reason_to_doubt(defect))
            .max_by(|a, b| a.score.get().total_cmp(&b.score.get()));
        match nearest {
            Some(nearest) => Verdict::Undecided { why: Why::NearLimit { nearest } },
            None => Verdict::Pass,
        }
    }

    /// Whether the limits look at `defect` at all: not ignored, and not too small.
    #[must_use]
    pub fn counts(&self, defect: &Defect) -> bool {
        self.limits_for(&defect.kind).is_some_and(|limits| defect.area_px >= limits.min_area_px)
    }

    fn reason_to_reject(&self, defect: &Defect) -> Option<Reason> {
        let limits = self.limits_for(&defect.kind)?;
        (self.counts(defect) && defect.score >= limits.reject_at)
            .then(|| reason(defect, limits.reject_at))
    }

    fn reason_to_doubt(&self, defect: &Defect) -> Option<Reason> {
        let limits = self.limits_for(&defect.kind)?;
        (self.counts(defect) && defect.score >= limits.undecided_from)
            .then(|| reason(defect, limits.reject_at))
    }
}

fn reason(defect: &Defect, limit: Score) -> Reason {
    Reason {
        kind: Arc::clone(&defect.kind),
        score: defect.score,
        limit,
        box_in_frame: defect.box_in_frame,
        view: defect.view,
    }
}
