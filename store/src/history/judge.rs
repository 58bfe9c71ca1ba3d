//! What other limits would have said: takes parts with what was found on them, and a recipe, gives
//! how the verdicts would have been. By the same rule as on the line.

use domain::{CheckedRecipe, Defect, Verdict, Why, verdict_from_defects};
use serde::Serialize;

use crate::{Counts, PartRow};

/// A part and what was found on it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredPart {
    /// Its row.
    pub row: PartRow,
    /// Everything found, also what is below the limits; without masks.
    pub defects: Vec<Defect>,
}

impl ScoredPart {
    /// What `recipe` would have said of it. `None` when no limits could have said anything: nothing
    /// had been found when it was answered, because it was too late or a stage or picture was
    /// missing.
    ///
    /// Of a part that was rejected it is not kept whether a view had no finding; should it no
    /// longer be rejected, it is taken to have had all.
    #[must_use]
    pub fn judged_by(&self, recipe: &CheckedRecipe) -> Option<Verdict> {
        let missing = match &self.row.verdict {
            Verdict::Undecided { why } => match why {
                Why::NoFinding { cause } => Some(cause),
                Why::Deadline | Why::Stopped | Why::NoPicture { .. } | Why::StageFailed { .. } => {
                    return None;
                }
                Why::NearLimit { .. } | Why::PartCut | Why::PartsMerged { .. } => None,
            },
            Verdict::Pass | Verdict::Reject { .. } => None,
        };
        Some(verdict_from_defects(&self.row.condition, self.defects.iter(), missing, recipe))
    }
}

/// How parts were judged, and how they would have been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JudgedAgain {
    /// As they were.
    pub before: Counts,
    /// As they would have been.
    pub after: Counts,
    /// Parts whose verdict would be another.
    pub changed: u64,
    /// Parts that no limits could have said anything of; they stay as they were, and count in both.
    pub unmoved: u64,
}

/// What `recipe` would have said of `parts`.
#[must_use]
pub fn judge_again<'a>(
    recipe: &CheckedRecipe,
    parts: impl IntoIterator<Item = &'a ScoredPart>,
) -> JudgedAgain {
    let mut judged = JudgedAgain::default();
    for part in parts {
        let before = &part.row.verdict;
        let again = part.judged_by(recipe);
        judged.unmoved += u64::from(again.is_none());
        let after = again.as_ref().unwrap_or(before);
        judged.changed += u64::from(after.word() != before.word());
        count(&mut judged.before, before);
        count(&mut judged.after, after);
    }
    judged
}

const fn count(counts: &mut Counts, verdict: &Verdict) {
    match verdict {
        Verdict::Pass => counts.passed += 1,
        Verdict::Reject { .. } => counts.rejected += 1,
        Verdict::Undecided { .. } => counts.undecided += 1,
    }
}
