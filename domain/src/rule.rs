//! The rule by which defects become a verdict: takes what was found on a part and its recipe, gives
//! what is said of it. Pure. `decide` goes by it on the line, and whoever asks what other limits
//! would have said goes by the same.

use std::sync::Arc;

use crate::{CheckedRecipe, Defect, FindingFault, PartCondition, Reason, Score, Verdict, Why};

/// A part that is not one whole part is undecided; then any defect at its limit rejects; then a
/// view without a finding, or a defect in the band below its limit, leaves the part undecided; else
/// it passes. A reject outranks a missing view: bad in one view is bad.
#[must_use]
pub fn verdict_from_defects<'a>(
    condition: &PartCondition,
    defects: impl Iterator<Item = &'a Defect> + Clone,
    missing: Option<&FindingFault>,
    recipe: &CheckedRecipe,
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
    let reasons = defects.clone().filter_map(|defect| reason_to_reject(defect, recipe)).collect();
    if let Some(reject) = Verdict::reject(reasons) {
        return reject;
    }
    if let Some(cause) = missing {
        return Verdict::Undecided { why: Why::NoFinding { cause: cause.clone() } };
    }
    let nearest = defects
        .filter_map(|defect| reason_to_doubt(defect, recipe))
        .max_by(|a, b| a.score.get().total_cmp(&b.score.get()));
    match nearest {
        Some(nearest) => Verdict::Undecided { why: Why::NearLimit { nearest } },
        None => Verdict::Pass,
    }
}

impl CheckedRecipe {
    /// Whether the recipe looks at `defect` at all: its label is not ignored, and it is not smaller
    /// than what counts. One that was not measured in millimetres is as long as any limit.
    #[must_use]
    pub fn looks_at(&self, defect: &Defect) -> bool {
        self.limits_for(&defect.kind).is_some_and(|limits| {
            let long = |limit| defect.mm.is_none_or(|mm| mm.may_reach(limit));
            defect.area_px >= limits.min_area_px && limits.min_length_mm.is_none_or(long)
        })
    }
}

fn reason_to_reject(defect: &Defect, recipe: &CheckedRecipe) -> Option<Reason> {
    let limits = recipe.limits_for(&defect.kind)?;
    (recipe.looks_at(defect) && defect.score >= limits.reject_at)
        .then(|| reason(defect, limits.reject_at))
}

fn reason_to_doubt(defect: &Defect, recipe: &CheckedRecipe) -> Option<Reason> {
    let limits = recipe.limits_for(&defect.kind)?;
    (recipe.looks_at(defect) && defect.score >= limits.undecided_from)
        .then(|| reason(defect, limits.reject_at))
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
