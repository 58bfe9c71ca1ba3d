//! What to label next: takes how many are wanted, gives parts of which a picture is kept and no
//! label is in force, most worth asking about first, each with why.
//!
//! 1. What the station itself could not decide.
//! 2. What two models say different things of: the same footage, replayed with another model.
//! 3. What has a label that says another thing than the model: for a second look, once.
//! 4. What was decided closely: the score that decided is near its limit.
//! 5. A control share of what passed, chosen by number alone: the only labels from which the share
//!    of escapes can be estimated, because nothing but chance chose them.
//! 6. What looks unlike the newest parts: how many of those have the same class, tenth of the score
//!    and place of their strongest defect is counted, nothing is learnt.
//! 7. What was rejected.
//!
//! What was skipped comes after all of them. Only the newest parts of each verdict are weighed, so
//! the answer takes the same time however much is stored.

mod differ;
mod rows;
#[cfg(test)]
mod tests;

use domain::{PartKey, Reason, Score, Why};
use serde::Serialize;

use crate::keep::{Choice, is_chosen};
use crate::{Reader, RunId, StoreError, VerdictWord};
use rows::{Candidate, Looks, Seen};

/// How far from its limit a score may be to count as close.
const NEAR: f32 = 0.1;
/// What looks like fewer than this share of the newest parts is rare.
const RARE_SHARE: f64 = 0.005;
/// Fewer parts than this say nothing of what is rare.
const SEEN_MIN: u64 = 200;

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub struct QueueAsk {
    /// Parts of this run only.
    pub run: Option<RunId>,
    /// The share of passed parts to be labelled for control, 0..=1; a larger share holds a smaller
    /// one.
    pub control: f64,
    /// At most this many.
    pub limit: usize,
}

impl Default for QueueAsk {
    fn default() -> Self {
        Self { run: None, control: 0.02, limit: 50 }
    }
}

/// A part to be labelled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueItem {
    /// The part.
    pub key: PartKey,
    /// Its verdict.
    pub verdict: VerdictWord,
    /// The strongest reason to ask.
    pub why: WhyAsked,
    /// Whether somebody skipped it before.
    pub was_skipped: bool,
    /// The larger the sooner. Only for comparing; the whole number is that of the reason.
    pub priority: f32,
}

/// Why a part should be labelled.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "asked")]
pub enum WhyAsked {
    /// The station could not decide.
    Undecided {
        /// Why not.
        cause: Why,
        /// What the inspection that came too late said, if one came.
        late: Option<VerdictWord>,
    },
    /// Another model said something else of the same picture.
    ModelsDiffer {
        /// In which run.
        run: RunId,
        /// What it said.
        said: VerdictWord,
    },
    /// It has a label, and that says another thing than the model did.
    LabelDiffers {
        /// The class that the model found; absent when it found the part good.
        model: Option<String>,
        /// The class that the label names; absent when it calls the part good.
        label: Option<String>,
    },
    /// The score that decided is close to its limit.
    NearLimit {
        /// The label.
        kind: String,
        /// The score.
        score: Score,
        /// The limit: to reject, or to be undecided.
        limit: Score,
    },
    /// It passed and was chosen by its number alone.
    Control {
        /// The share of passed parts that is.
        share: f64,
    },
    /// Few parts look like it.
    Rare {
        /// How many of the newest parts have the same class, tenth of the score and place.
        alike: u64,
        /// How many were looked at.
        of: u64,
    },
    /// It was rejected.
    Rejected {
        /// The strongest reason.
        reason: Reason,
    },
}

impl std::fmt::Display for WhyAsked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Undecided { cause, late: None } => write!(f, "undecided: {cause}"),
            Self::Undecided { cause, late: Some(late) } => {
                write!(f, "undecided: {cause}; later: {}", late.name())
            }
            Self::ModelsDiffer { run, said } => {
                write!(f, "the model of run {run} said {}", said.name())
            }
            Self::LabelDiffers { model, label } => {
                let name = |class: &Option<String>| class.clone().unwrap_or_else(|| "good".into());
                write!(f, "the model says {}, the label says {}", name(model), name(label))
            }
            Self::NearLimit { kind, score, limit } => {
                write!(f, "{kind} {:.2}, limit {:.2}", score.get(), limit.get())
            }
            Self::Control { share } => write!(f, "control, {:.1} % of what passes", share * 100.0),
            Self::Rare { alike, of } => write!(f, "rare: {alike} of {of} look like it"),
            Self::Rejected { reason } => write!(f, "rejected: {reason}"),
        }
    }
}

impl WhyAsked {
    /// The larger the sooner; reasons of one kind are less than 1 apart.
    fn priority(&self) -> f32 {
        match self {
            Self::Undecided { .. } => 6.0,
            Self::ModelsDiffer { .. } => 5.0,
            Self::LabelDiffers { .. } => 4.0,
            Self::NearLimit { score, limit, .. } => {
                3.0 + (1.0 - (score.get() - limit.get()).abs() / NEAR).clamp(0.0, 0.99)
            }
            Self::Control { .. } => 2.0,
            Self::Rare { alike, .. } => 1.0 + 0.9 / (1.0 + rows::as_f32(*alike)),
            Self::Rejected { reason } => reason.score.get() * 0.9,
        }
    }
}

impl Reader {
    /// The parts to label next, the most worth asking about first; of equals the newest.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn label_queue(&self, ask: &QueueAsk) -> Result<Vec<QueueItem>, StoreError> {
        let (candidates, differing, seen) = self.read(|db| {
            // All of it of one moment.
            let reading = db.unchecked_transaction()?;
            let differing = differ::differing(db, ask.run)?;
            let read = (rows::candidates(db, ask.run)?, differing, rows::seen(db)?);
            reading.commit()?;
            Ok(read)
        })?;
        let item = |candidate: Candidate| {
            let why = why(&candidate, &seen, ask.control)?;
            let Candidate { key, verdict, was_skipped, .. } = candidate;
            Some(QueueItem { key, verdict, was_skipped, priority: why.priority(), why })
        };
        let mut items: Vec<QueueItem> = candidates.into_iter().filter_map(item).collect();
        items.extend(differing.into_iter().map(|(key, verdict, why)| QueueItem {
            key,
            verdict,
            was_skipped: false,
            priority: why.priority(),
            why,
        }));
        items.sort_by(|a, b| {
            a.was_skipped
                .cmp(&b.was_skipped)
                .then(b.priority.total_cmp(&a.priority))
                .then(b.key.cmp(&a.key))
        });
        items.truncate(ask.limit);
        Ok(items)
    }
}

/// The strongest reason to ask about a part; `None` when there is none.
fn why(candidate: &Candidate, seen: &Seen, control: f64) -> Option<WhyAsked> {
    if let Some(cause) = candidate.undecided.clone() {
        return Some(WhyAsked::Undecided { cause, late: candidate.late });
    }
    if let Some((run, said)) = candidate.other_model {
        return Some(WhyAsked::ModelsDiffer { run, said });
    }
    if let Some(near) = near_limit(candidate) {
        return Some(near);
    }
    let is_pass = candidate.verdict == VerdictWord::Pass;
    if is_pass && is_chosen(candidate.key, control, Choice::Control) {
        return Some(WhyAsked::Control { share: control });
    }
    if let Some(rare) = rare(&candidate.looks, seen) {
        return Some(rare);
    }
    candidate.reasons.first().cloned().map(|reason| WhyAsked::Rejected { reason })
}

/// The score that decided, if it is near its limit. What was rejected was so by the reason that is
/// farthest above its limit, whatever else is near one; what passed would first have been in doubt
/// for the score that is nearest below.
fn near_limit(candidate: &Candidate) -> Option<WhyAsked> {
    let distance = |score: Score, limit: Score| (score.get() - limit.get()).abs();
    let (kind, score, limit) = if candidate.verdict == VerdictWord::Reject {
        let reasons = candidate.reasons.iter().map(|it| (&it.kind, it.score, it.limit));
        reasons.max_by(|(_, a, of_a), (_, b, of_b)| {
            distance(*a, *of_a).total_cmp(&distance(*b, *of_b))
        })?
    } else {
        let recipe = candidate.recipe.as_ref()?;
        let counted = candidate.defects.iter().filter(|defect| recipe.looks_at(defect));
        let limited = counted.filter_map(|defect| {
            let limits = recipe.limits_for(&defect.kind)?;
            Some((&defect.kind, defect.score, limits.undecided_from))
        });
        limited.min_by(|(_, a, of_a), (_, b, of_b)| {
            distance(*a, *of_a).total_cmp(&distance(*b, *of_b))
        })?
    };
    let is_near = distance(score, limit) <= NEAR;
    is_near.then(|| WhyAsked::NearLimit { kind: kind.to_string(), score, limit })
}

fn rare(looks: &Looks, seen: &Seen) -> Option<WhyAsked> {
    let (alike, of) = (seen.alike(looks), seen.parts);
    let is_rare = of >= SEEN_MIN && rows::as_f64(alike) < RARE_SHARE * rows::as_f64(of);
    is_rare.then_some(WhyAsked::Rare { alike, of })
}
