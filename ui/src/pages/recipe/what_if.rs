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
    pub fn from_undecided(&self) -> usize {
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
