//! The rule by which defects become a verdict: takes what was found on a part and its recipe, gives
//! what is said of it. Pure. `decide` goes by it on the line, and whoever asks what other limits
//! would have said goes by the same.

use std::sync::Arc;

use crate::recipe::Align;
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
            // How a part lies was judged where it was measured; it has no size.
            if self.as_written().align.is_some() && &*defect.kind == Align::MISALIGNED {
                return true;
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DefectMm, Recipe, RectPx};

    fn verdict(limits: &str, kind: &str, length_mm: Option<f32>) -> Verdict {
        let text = format!(
            "name = 'x'\nmodel = 'm'\nlocate = {{ kind = 'every-frame' }}\n\
             align = {{ golden = 'g.png' }}\nlimits = {{ {limits} }}"
        );
        let recipe = toml::from_str::<Recipe>(&text).unwrap().check().unwrap();
        let mm = length_mm.map(|length_mm| DefectMm {
            x_mm: 0.0,
            y_mm: 0.0,
            length_mm,
            area_mm2: 1.0,
            uncertainty_mm: 0.05,
        });
        let defect = Defect {
            kind: kind.into(),
            view: 0,
            box_in_frame: RectPx::new(0, 0, 4, 4),
            area_px: 16,
            score: Score::ONE,
            mask: None,
            mm,
        };
        verdict_from_defects(&PartCondition::Whole, [&defect].into_iter(), None, &recipe)
    }

    #[test]
    fn only_what_is_certainly_shorter_does_not_count() {
        let limits = "reject_at = 0.5, kind.scratch.min_length_mm = 2.0";
        assert_eq!(verdict(limits, "scratch", Some(1.8)), Verdict::Pass);
        assert!(matches!(verdict(limits, "scratch", Some(1.9)), Verdict::Reject { .. }));
        assert!(matches!(verdict(limits, "scratch", None), Verdict::Reject { .. }));
        assert!(matches!(verdict(limits, "dent", Some(0.1)), Verdict::Reject { .. }));
    }

    #[test]
    fn a_part_that_lies_wrong_has_no_length_to_be_too_short() {
        let limits = "reject_at = 0.5, min_length_mm = 2.0, min_area_px = 1000";
        let wrong = verdict(limits, Align::MISALIGNED, Some(0.0));
        assert!(matches!(wrong, Verdict::Reject { .. }));
        let ignored = format!("{limits}, ignore = ['misaligned']");
        assert_eq!(verdict(&ignored, Align::MISALIGNED, Some(0.0)), Verdict::Pass);
    }
}
