//! What other limits would have done: takes parts as they were found and what people say of them,
//! gives what would have become of them. The rule is the line's own, by [`ScoredPart::judged_by`].

use std::collections::HashMap;

use domain::recipe::Limits;
use domain::{
    CheckedRecipe, Defect, GateSignal, Judgement, PartId, PartKey, Rate, Sha256, VerdictKind,
};
use store::{ImageKind, ImageRow, PartSearch, Reader, ScoredPart, StoreError};

use crate::charts::{Bins, Mass};

/// What to look up: the newest `count` parts, and of them those of the recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The recipe's name; its limits may have changed meanwhile.
    pub recipe: String,
    /// Its model.
    pub model: Option<Sha256>,
    /// How many parts to look at.
    pub count: u32,
    /// Grows when there may be new ones.
    pub tide: u64,
}

/// A part as it was found.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What was said of it then, and all that was found.
    pub part: ScoredPart,
    /// What a person says of it.
    pub judgement: Option<Judgement>,
    /// A picture of it.
    pub picture: Option<ImageRow>,
}

/// The parts that were looked up, newest first.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Those of the recipe and its model.
    pub of_recipe: Vec<Sample>,
    /// How many were looked for.
    pub looked_for: u32,
}

/// Looks up the parts.
pub fn look(reader: &Reader, question: &Question) -> Result<Samples, StoreError> {
    let search = PartSearch { recipe_name: Some(question.recipe.clone()), ..PartSearch::default() };
    let rows = reader.search(&search, None, question.count)?;
    let mut judged = HashMap::new();
    if let Some(first) = rows.last() {
        let before = PartId(first.part.0.saturating_sub(1));
        let after = PartKey { run: first.run.0, part: before };
        for row in reader.labelled(Some(after), 4 * question.count)? {
            judged.insert(row.key, row.label.judgement);
        }
    }
    let mut of_recipe = Vec::new();
    for row in rows {
        let Some(detail) = reader.part(row.run, row.part)? else { continue };
        // Another model's scores say nothing of this one's.
        if question.model.is_some() && detail.provenance.model != question.model {
            continue;
        }
        let judgement = judged.get(&PartKey { run: row.run.0, part: row.part }).copied();
        let mut images = detail.images.into_iter();
        of_recipe.push(Sample {
            part: ScoredPart { row, defects: detail.defects },
            judgement,
            picture: images.find(|image| image.kind == ImageKind::Picture),
        });
    }
    Ok(Samples { of_recipe, looked_for: question.count })
}

impl Sample {
    /// Which part.
    pub const fn key(&self) -> PartKey {
        PartKey { run: self.part.row.run.0, part: self.part.row.part }
    }

    /// What `recipe` says of it; what was said then when no limit could have said anything.
    fn verdict_by(&self, recipe: &CheckedRecipe) -> VerdictKind {
        let again = self.part.judged_by(recipe);
        again.as_ref().unwrap_or(&self.part.row.verdict).kind()
    }

    /// The highest score of `class`, or of every class that is looked at.
    fn score(&self, recipe: &CheckedRecipe, class: Option<&str>) -> f32 {
        let counts = |defect: &&Defect| {
            class.is_none_or(|class| &*defect.kind == class) && recipe.looks_at(defect)
        };
        let counted = self.part.defects.iter().filter(counts);
        counted.map(|defect| defect.score.get()).fold(0.0, f32::max)
    }

    const fn mass(&self) -> Mass {
        match self.judgement {
            Some(Judgement::Good) => Mass::Good,
            Some(Judgement::Bad) => Mass::Bad,
            Some(Judgement::Doubt | Judgement::Skip) | None => Mass::Unlabelled,
        }
    }
}

/// The scores of `class`, or of all that `recipe` looks at.
#[must_use]
pub fn bins(samples: &[Sample], recipe: &CheckedRecipe, class: Option<&str>) -> Bins {
    let mut bins = Bins::default();
    for sample in samples {
        bins.add(sample.score(recipe, class), sample.mass());
    }
    bins
}

/// What limits do to parts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Effect {
    /// Parts with each verdict, in the order of [`VerdictKind`].
    pub verdicts: [u64; 3],
    /// Bad parts, as people say, that the gate would let through.
    pub escape: Rate,
    /// Good parts, as people say, that the gate would throw out.
    pub overkill: Rate,
}

/// A part of which something else would have become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which of the samples.
    pub sample: usize,
    /// By the limits that hold.
    pub from: VerdictKind,
    /// By the others.
    pub to: VerdictKind,
}

/// What other limits would have done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WhatIf {
    /// By the limits that hold.
    pub now: Effect,
    /// By the others.
    pub then: Effect,
    /// Newest first.
    pub changes: Vec<Change>,
}

impl WhatIf {
    /// Judges `samples` by both.
    #[must_use]
    pub fn of(samples: &[Sample], now: &CheckedRecipe, then: &CheckedRecipe) -> Self {
        let (mut before, mut after) = (Tally::default(), Tally::default());
        let mut changes = Vec::new();
        for (index, sample) in samples.iter().enumerate() {
            let (from, to) = (sample.verdict_by(now), sample.verdict_by(then));
            before.add(sample, from, now);
            after.add(sample, to, then);
            if from != to {
                changes.push(Change { sample: index, from, to });
            }
        }
        Self { now: before.effect(), then: after.effect(), changes }
    }

    /// How many go from one verdict to another.
    #[must_use]
    pub fn count(&self, from: VerdictKind, to: VerdictKind) -> usize {
        self.changes.iter().filter(|change| (change.from, change.to) == (from, to)).count()
    }

    /// How many would become undecided.
    #[must_use]
    pub fn to_undecided(&self) -> usize {
        self.changes.iter().filter(|change| change.to == VerdictKind::Undecided).count()
    }

    /// How many would be decided that were not.
    #[must_use]
    pub fn newly_decided(&self) -> usize {
        self.changes.iter().filter(|change| change.from == VerdictKind::Undecided).count()
    }
}

#[derive(Default)]
struct Tally {
    verdicts: [u64; 3],
    escapes: (u64, u64),
    overkills: (u64, u64),
}

impl Tally {
    fn add(&mut self, sample: &Sample, verdict: VerdictKind, recipe: &CheckedRecipe) {
        self.verdicts[verdict as usize] += 1;
        // What the gate hears is what counts.
        let gate = match verdict {
            VerdictKind::Pass => GateSignal::Pass,
            VerdictKind::Reject => GateSignal::Reject,
            VerdictKind::Undecided => recipe.as_written().gate.undecided,
        };
        let (tally, is_wrong) = match sample.mass() {
            Mass::Unlabelled => return,
            Mass::Good => (&mut self.overkills, gate == GateSignal::Reject),
            Mass::Bad => (&mut self.escapes, gate == GateSignal::Pass),
        };
        tally.0 += u64::from(is_wrong);
        tally.1 += 1;
    }

    fn effect(&self) -> Effect {
        Effect {
            verdicts: self.verdicts,
            escape: Rate::new(self.escapes.0, self.escapes.1),
            overkill: Rate::new(self.overkills.0, self.overkills.1),
        }
    }
}

/// The recipe with other limits; `None` when they contradict each other.
#[must_use]
pub fn with_limits(recipe: &domain::Recipe, limits: &Limits) -> Option<CheckedRecipe> {
    domain::Recipe { limits: limits.clone(), ..recipe.clone() }.check().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        AnsweredBy, CaptureTime, MonoTime, PartCondition, PlcAnswer, Recipe, RectPx, Score,
        Verdict, WallTime, Why,
    };
    use store::{PartRow, RunId};

    fn recipe(limits: &str) -> CheckedRecipe {
        let text = format!(
            r#"{{"name": "x", "model": "m", "region": null, "locate": {{"kind": "every-frame"}},
                "limits": {limits}}}"#
        );
        serde_json::from_str::<Recipe>(&text).unwrap().check().unwrap()
    }

    fn now() -> CheckedRecipe {
        recipe(r#"{"reject_at": 0.6, "undecided_from": 0.4}"#)
    }

    /// A part with a defect of that score, as `now` judged it.
    fn sample(number: u64, score: f32, judgement: Option<Judgement>) -> Sample {
        let defect = Defect {
            kind: "dent".into(),
            view: 0,
            box_in_frame: RectPx::new(0, 0, 4, 4),
            area_px: 16,
            score: Score::new(score).unwrap(),
            mask: None,
            mm: None,
        };
        let defects = vec![defect];
        let verdict =
            domain::verdict_from_defects(&PartCondition::Whole, defects.iter(), None, &now());
        let at = CaptureTime { mono: MonoTime::from_ns(0), wall: WallTime { unix_ns: 0 } };
        let row = PartRow {
            run: RunId(1),
            part: PartId(number),
            triggered_at: at,
            verdict,
            score,
            condition: PartCondition::Whole,
            gate: GateSignal::Pass,
            told_at: at.mono,
            due: at.mono,
            answered_by: AnsweredBy::Inspection,
            plc: PlcAnswer::Logged,
        };
        Sample { part: ScoredPart { row, defects }, judgement, picture: None }
    }

    #[test]
    fn what_changes_is_as_by_hand() {
        use VerdictKind::{Pass, Reject, Undecided};
        let samples: Vec<_> = [0.1, 0.45, 0.55, 0.65, 0.95]
            .into_iter()
            .zip(1..)
            .map(|(score, number)| sample(number, score, None))
            .collect();
        let then = recipe(r#"{"reject_at": 0.9, "undecided_from": 0.5}"#);
        let what_if = WhatIf::of(&samples, &now(), &then);
        assert_eq!((what_if.now.verdicts, what_if.then.verdicts), ([1, 2, 2], [2, 1, 2]));
        let changes: Vec<_> =
            what_if.changes.iter().map(|it| (it.sample, it.from, it.to)).collect();
        assert_eq!(changes, [(1, Undecided, Pass), (3, Reject, Undecided)]);
        assert_eq!((what_if.to_undecided(), what_if.newly_decided()), (1, 1));
        assert_eq!(WhatIf::of(&samples, &now(), &now()).changes, []);
    }

    #[test]
    fn labels_tell_escapes_and_overkill_by_what_the_gate_hears() {
        let (good, bad) = (Some(Judgement::Good), Some(Judgement::Bad));
        let samples = [
            sample(1, 0.1, bad),
            sample(2, 0.5, bad),
            sample(3, 0.5, good),
            sample(4, 0.7, good),
            sample(5, 0.1, good),
            sample(6, 0.9, Some(Judgement::Doubt)),
            sample(7, 0.9, None),
        ];
        let then = recipe(r#"{"reject_at": 0.8}"#);
        let what_if = WhatIf::of(&samples, &now(), &then);
        // Undecided parts are thrown out unless the recipe says otherwise.
        let of = |rate: Rate| (rate.count, rate.of);
        assert_eq!((of(what_if.now.escape), of(what_if.now.overkill)), ((1, 2), (2, 3)));
        assert_eq!((of(what_if.then.escape), of(what_if.then.overkill)), ((2, 2), (0, 3)));
        assert_eq!(what_if.then.overkill.low95, Some(0.0));
    }

    #[test]
    fn no_limit_helps_a_part_that_was_not_inspected() {
        let mut late = sample(1, 0.1, None);
        late.part.row.verdict = Verdict::Undecided { why: Why::Deadline };
        let what_if = WhatIf::of(&[late], &now(), &recipe(r#"{"reject_at": 1.0}"#));
        assert_eq!((what_if.then.verdicts, what_if.changes.len()), ([0, 0, 1], 0));
    }

    #[test]
    fn the_histogram_shows_what_counts() {
        let samples = [sample(1, 0.7, Some(Judgement::Bad)), sample(2, 0.3, None)];
        let all = bins(&samples, &now(), None);
        assert_eq!((all.of(Mass::Bad), all.at(Mass::Bad, 17), all.of(Mass::Unlabelled)), (1, 1, 1));
        let ignored = recipe(r#"{"reject_at": 0.6, "ignore": ["dent"]}"#);
        assert_eq!(bins(&samples, &ignored, None).at(Mass::Bad, 0), 1);
        assert_eq!(bins(&samples, &now(), Some("chip")).at(Mass::Bad, 0), 1);
    }
}
