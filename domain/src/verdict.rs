//! What is said of a part, and why.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Defect, FindingFault, RectPx, Score, Stage};

/// Why a part is rejected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The label of the defect.
    pub kind: Arc<str>,
    /// How sure the model is.
    pub score: Score,
    /// The recipe's limit that it reached.
    pub limit: Score,
    /// Where, in pixels of the frame.
    pub box_in_frame: RectPx,
    /// In which view.
    pub view: usize,
}

impl Reason {
    /// What it speaks of, among everything that was found on the part.
    #[must_use]
    pub fn defect_in<'a>(&self, found: &'a [Defect]) -> Option<&'a Defect> {
        found.iter().find(|it| {
            (it.view, &it.kind, it.box_in_frame) == (self.view, &self.kind, self.box_in_frame)
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:.2} ≥ {:.2}", self.kind, self.score.get(), self.limit.get())
    }
}

/// Why no decision was possible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Why {
    /// A score lies between the recipe's two limits.
    NearLimit {
        /// The defect in question.
        nearest: Reason,
    },
    /// No inspection came before the deadline; the fail-safe answered.
    Deadline,
    /// The part was never seen whole.
    PartCut,
    /// Several parts touch.
    PartsMerged {
        /// How many there seem to be.
        parts_estimated: u32,
    },
    /// The model gave no usable finding.
    NoFinding {
        /// What went wrong.
        cause: FindingFault,
    },
    /// The line was stopped before the part was inspected.
    Stopped,
    /// The part was triggered, and there is no picture of it.
    NoPicture {
        /// Why not: the camera is gone, or no frame was exposed near the trigger.
        cause: Arc<str>,
    },
    /// A stage failed while the part was in it.
    StageFailed {
        /// Which stage.
        stage: Stage,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NearLimit { nearest } => write!(
                f,
                "{} {:.2} is near its limit {:.2}",
                nearest.kind,
                nearest.score.get(),
                nearest.limit.get()
            ),
            Self::Deadline => f.write_str("no inspection before the deadline"),
            Self::PartCut => f.write_str("the part was never seen whole"),
            Self::PartsMerged { parts_estimated } => {
                write!(f, "about {parts_estimated} parts touch")
            }
            Self::NoFinding { cause } => cause.fmt(f),
            Self::Stopped => f.write_str("the line was stopped"),
            Self::NoPicture { cause } => write!(f, "no picture: {cause}"),
            Self::StageFailed { stage } => write!(f, "{stage} failed on it"),
        }
    }
}

/// What is said of a part. Every part gets exactly one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// Good.
    Pass,
    /// Bad, for at least one reason.
    Reject {
        /// Strongest first; made only by [`Verdict::reject`], so never empty.
        reasons: Vec<Reason>,
    },
    /// Not known; goes to the gate as the recipe says.
    Undecided {
        /// Why not.
        #[serde(flatten)]
        why: Why,
    },
}

/// A kind of verdict, without its reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// Passed.
    Pass,
    /// Rejected.
    Reject,
    /// Undecided.
    Undecided,
}

impl Verdict {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> VerdictKind {
        match self {
            Self::Pass => VerdictKind::Pass,
            Self::Reject { .. } => VerdictKind::Reject,
            Self::Undecided { .. } => VerdictKind::Undecided,
        }
    }

    /// The defect that decided, when one did.
    #[must_use]
    pub fn decided_by(&self) -> Option<&Reason> {
        match self {
            Self::Reject { reasons } => reasons.first(),
            Self::Undecided { why: Why::NearLimit { nearest } } => Some(nearest),
            _ => None,
        }
    }

    /// A reject, strongest reason first. `None` without a reason: nothing is rejected for nothing.
    #[must_use]
    pub fn reject(mut reasons: Vec<Reason>) -> Option<Self> {
        reasons.sort_by(|a, b| b.score.get().total_cmp(&a.score.get()));
        (!reasons.is_empty()).then_some(Self::Reject { reasons })
    }

    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Reject { .. } => "reject",
            Self::Undecided { .. } => "undecided",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_rejected_for_nothing() {
        assert_eq!(Verdict::reject(vec![]), None);
    }

    #[test]
    fn the_strongest_reason_comes_first() {
        let reason = |score| Reason {
            kind: "scratch".into(),
            score: Score::new(score).unwrap(),
            limit: Score::ZERO,
            box_in_frame: RectPx::new(0, 0, 1, 1),
            view: 0,
        };
        let Some(Verdict::Reject { reasons }) = Verdict::reject(vec![reason(0.2), reason(0.9)])
        else {
            panic!("expected a reject")
        };
        assert_eq!(reasons[0].score.get(), 0.9);
    }

    #[test]
    fn verdicts_round_trip_through_json() {
        let verdict = Verdict::Undecided { why: Why::PartsMerged { parts_estimated: 2 } };
        let json = serde_json::to_string(&verdict).unwrap();
        assert_eq!(json, r#"{"verdict":"undecided","why":"parts_merged","parts_estimated":2}"#);
        assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
    }
}
