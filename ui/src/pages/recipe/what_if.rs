//! What other limits would have done: takes parts as they were found and what people say of them,
//! gives what would have become of them. The rule is the line's own, [`CheckedRecipe::verdict_on`].

use std::collections::HashMap;

use domain::recipe::Limits;
use domain::{
    CheckedRecipe, Defect, FindingFault, GateSignal, Judgement, PartCondition, PartKey, Rate,
    Sha256, Verdict, VerdictKind, Why,
};
use store::{ImageKind, ImageRow, PartFilter, Reader, StoreError};

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
    /// Which.
    pub key: PartKey,
    /// Whether it was one whole part.
    pub condition: PartCondition,
    /// Everything found.
    pub defects: Vec<Defect>,
    /// What was said of it then.
    pub verdict: Verdict,
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
    /// How many were looked at.
    pub looked_at: usize,
}

/// Looks up the parts.
pub fn look(reader: &Reader, question: &Question) -> Result<Samples, StoreError> {
    let rows = reader.parts(&PartFilter { limit: question.count, ..PartFilter::default() })?;
    let looked_at = rows.len();
    let mut judged = HashMap::new();
    if let Some(first) = rows.last() {
        let after = PartKey { run: first.run.0, part: domain::PartId(first.part.0.saturating_sub(1)) };
        for row in reader.labelled(Some(after), question.count)? {
            judged.insert(row.key, row.label.judgement);
        }
    }
    let mut names: HashMap<Sha256, bool> = HashMap::new();
    let mut of_recipe = Vec::new();
    for row in rows {
        let Some(detail) = reader.part(row.run, row.part)? else { continue };
        let hash = detail.provenance.recipe;
        let is_ours = match names.get(&hash) {
            Some(is_ours) => *is_ours,
            None => {
                let name = reader.recipe(hash)?.map(|recipe| recipe.name);
                *names.entry(hash).or_insert(name.as_ref() == Some(&question.recipe))
            }
        };
        if !is_ours || (question.model.is_some() && detail.provenance.model != question.model) {
            continue;
        }
        let key = PartKey { run: row.run.0, part: row.part };
        of_recipe.push(Sample {
            key,
            condition: row.condition,
            defects: detail.defects,
            verdict: row.verdict,
            judgement: judged.get(&key).copied(),
            picture: detail.images.into_iter().find(|image| image.kind == ImageKind::Picture),
        });
    }
    Ok(Samples { of_recipe, looked_at })
}

impl Sample {
    /// What `recipe` says of it.
    fn verdict_by(&self, recipe: &CheckedRecipe) -> VerdictKind {
        let fault: Option<&FindingFault> = match &self.verdict {
            // Nothing was found in time, so no limit would have helped.
            Verdict::Undecided {
                why:
                    Why::Deadline | Why::Stopped | Why::NoPicture { .. } | Why::StageFailed { .. },
            } => return VerdictKind::Undecided,
            Verdict::Undecided { why: Why::NoFinding { cause } } => Some(cause),
            _ => None,
        };
        recipe.verdict_on(&self.condition, self.defects.iter(), fault).kind()
    }

    /// The highest score of `class`, or of every class that is looked at.
    fn score(&self, recipe: &CheckedRecipe, class: Option<&str>) -> f32 {
        let of_class = |defect: &&Defect| class.is_none_or(|class| &*defect.kind == class);
        let counted = self.defects.iter().filter(of_class).filter(|it| recipe.counts(it));
        counted.map(|defect| defect.score.get()).fold(0.0, f32::max)
    }

    fn mass(&self) -> Mass {
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
