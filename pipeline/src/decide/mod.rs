//! decide: findings + recipe → verdict with reasons. Pure: no clock, no I/O, no memory.

use std::sync::Arc;

use domain::{
    CheckedRecipe, ClassScore, Finding, FindingFault, InferredPart, Inspection, PartCondition,
    Provenance, Verdict, ViewRecord, verdict_from_defects,
};

/// What an inspection says of its own making.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Name and version of this software.
    pub software: Arc<str>,
    /// Whether the frames are replayed or simulated.
    pub is_simulated: bool,
}

/// The verdict on one part, with everything that led to it.
#[must_use]
pub fn inspection_from_inferred(inferred: InferredPart, stamp: &Stamp) -> Inspection {
    let InferredPart { part, findings, calibration, model } = inferred;
    let verdict = verdict_on(&part.condition, &findings, &part.recipe);
    let score = findings
        .iter()
        .flatten()
        .flat_map(|finding| &finding.defects)
        .filter(|defect| part.recipe.looks_at(defect))
        .map(|defect| defect.score.get())
        .fold(0.0, f32::max);
    let classes = highest_classes(&findings);
    let provenance = Provenance {
        recipe: part.recipe.hash(),
        model: Some(model),
        calibration,
        software: Arc::clone(&stamp.software),
        is_simulated: stamp.is_simulated,
    };
    let (mut defects, mut heatmaps) = (Vec::new(), Vec::new());
    for finding in findings {
        match finding {
            Ok(finding) => {
                defects.extend(finding.defects);
                heatmaps.push(finding.heatmap);
            }
            Err(_) => heatmaps.push(None),
        }
    }
    Inspection {
        part: part.id,
        triggered_at: part.triggered_at,
        verdict,
        score,
        condition: part.condition,
        motion: part.motion,
        classes,
        defects,
        views: part.views.iter().map(ViewRecord::from).collect(),
        provenance,
        heatmaps,
        pictures: part.views,
        times: part.times,
    }
}

/// See [`verdict_from_defects`].
fn verdict_on(
    condition: &PartCondition,
    findings: &[Result<Finding, FindingFault>],
    recipe: &CheckedRecipe,
) -> Verdict {
    let defects = findings.iter().flatten().flat_map(|finding| &finding.defects);
    let missing = findings.iter().find_map(|finding| finding.as_ref().err());
    verdict_from_defects(condition, defects, missing, recipe)
}

fn highest_classes(findings: &[Result<Finding, FindingFault>]) -> Vec<ClassScore> {
    let mut highest: Vec<ClassScore> = Vec::new();
    for class in findings.iter().flatten().flat_map(|finding| &finding.classes) {
        match highest.iter_mut().find(|seen| seen.label == class.label) {
            Some(seen) if seen.score < class.score => seen.score = class.score,
            Some(_) => {}
            None => highest.push(class.clone()),
        }
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Defect, Recipe, RectPx, Score, Sha256};
    use proptest::prelude::*;

    fn recipe(limits: &str) -> CheckedRecipe {
        let text = format!(
            "name = 'x'\nmodel = 'm'\nlocate = {{ kind = 'every-frame' }}\nlimits = {{ {limits} }}"
        );
        toml::from_str::<Recipe>(&text).unwrap().check().unwrap()
    }

    fn finding(defects: &[(&str, f32, u64)]) -> Result<Finding, FindingFault> {
        let defects = defects
            .iter()
            .map(|&(kind, score, area_px)| Defect {
                kind: kind.into(),
                view: 0,
                box_in_frame: RectPx::new(0, 0, 4, 4),
                area_px,
                score: Score::new(score).unwrap(),
                mask: None,
                mm: None,
            })
            .collect();
        Ok(Finding { view: 0, model: Sha256::of(b"m"), classes: vec![], defects, heatmap: None })
    }

    fn word(findings: &[Result<Finding, FindingFault>], limits: &str) -> &'static str {
        verdict_on(&PartCondition::Whole, findings, &recipe(limits)).word()
    }

    const LIMITS: &str = "reject_at = 0.6, undecided_from = 0.4, min_area_px = 10, \
                          ignore = ['dust'], kind.stain.reject_at = 0.9";

    #[test]
    fn the_limits_decide() {
        assert_eq!(word(&[finding(&[])], LIMITS), "pass");
        assert_eq!(word(&[finding(&[("scratch", 0.6, 10)])], LIMITS), "reject");
        assert_eq!(word(&[finding(&[("scratch", 0.59, 10)])], LIMITS), "undecided");
        assert_eq!(word(&[finding(&[("scratch", 0.39, 10)])], LIMITS), "pass");
        assert_eq!(word(&[finding(&[("scratch", 0.99, 9)])], LIMITS), "pass");
        assert_eq!(word(&[finding(&[("dust", 1.0, 99)])], LIMITS), "pass");
        assert_eq!(word(&[finding(&[("stain", 0.8, 99)])], LIMITS), "pass");
        assert_eq!(word(&[finding(&[("stain", 0.9, 99)])], LIMITS), "reject");
    }

    #[test]
    fn a_missing_finding_is_never_a_pass() {
        let fault = || Err(FindingFault::NotFinite { output: "heatmap".into() });
        assert_eq!(word(&[fault()], LIMITS), "undecided");
        assert_eq!(word(&[finding(&[]), fault()], LIMITS), "undecided");
        assert_eq!(word(&[fault(), finding(&[("crack", 0.9, 99)])], LIMITS), "reject");
    }

    #[test]
    fn a_part_not_seen_whole_is_never_a_pass() {
        for condition in [PartCondition::Cut, PartCondition::Merged { parts_estimated: 2 }] {
            let verdict = verdict_on(&condition, &[finding(&[])], &recipe(LIMITS));
            assert_eq!(verdict.word(), "undecided");
        }
    }

    proptest! {
        #[test]
        fn a_higher_score_never_helps_a_part(low in 0.0_f32..1.0, more in 0.0_f32..1.0) {
            let rank = |score| match word(&[finding(&[("scratch", score, 99)])], LIMITS) {
                "pass" => 0,
                "undecided" => 1,
                _ => 2,
            };
            prop_assert!(rank(low) <= rank((low + more).min(1.0)));
        }
    }
}
