//! Why a part is not simply good, as a number. Takes a verdict; gives the code of the published
//! table. The hundreds are the class.

use domain::{FindingFault, Verdict, Why};

/// Most kinds of defect that can be given a code of their own.
pub const DEFECTS_MAX: usize = 99;

const NONE: u16 = 0;
const DEFECT: u16 = 100;
const NEAR_LIMIT: u16 = 200;
const PART_CUT: u16 = 301;
const PARTS_MERGED: u16 = 302;
const NO_PICTURE: u16 = 401;
const NOT_FINITE: u16 = 402;
const MODEL_FAILED: u16 = 403;
const NOT_PREPARED: u16 = 404;
const NOT_CALIBRATED: u16 = 405;
const DEADLINE: u16 = 501;
const STOPPED: u16 = 601;
const STAGE_FAILED: u16 = 602;

/// The published table: code, name, meaning.
pub const TABLE: [(u16, &str, &str); 13] = [
    (NONE, "none", "Verdict pass, or no verdict yet."),
    (DEFECT, "defect", "A defect at its limit; 101, 102, … name the kinds under `defects`."),
    (NEAR_LIMIT, "near_limit", "A score between the two limits; 201, 202, … as 101, 102, …"),
    (PART_CUT, "part_cut", "The part was never seen whole."),
    (PARTS_MERGED, "parts_merged", "Several parts touch."),
    (NO_PICTURE, "no_picture", "Triggered, and there is no picture of it."),
    (NOT_FINITE, "not_finite", "The model put out no usable number."),
    (MODEL_FAILED, "model_failed", "The model did not run."),
    (NOT_PREPARED, "not_prepared", "The picture could not be made ready for the model."),
    (NOT_CALIBRATED, "not_calibrated", "The camera's calibration does not hold any more."),
    (DEADLINE, "deadline", "No inspection before the deadline."),
    (STOPPED, "stopped", "The line was stopped first."),
    (STAGE_FAILED, "stage_failed", "A stage of the line failed on it."),
];

/// The code of `verdict`, where `defects` are the configured kinds in order.
#[must_use]
pub fn code(verdict: &Verdict, defects: &[String]) -> u16 {
    match verdict {
        Verdict::Pass => NONE,
        Verdict::Reject { reasons } => {
            DEFECT + reasons.first().map_or(0, |reason| place(&reason.kind, defects))
        }
        Verdict::Undecided { why } => match why {
            Why::NearLimit { nearest } => NEAR_LIMIT + place(&nearest.kind, defects),
            Why::PartCut => PART_CUT,
            Why::PartsMerged { .. } => PARTS_MERGED,
            Why::NoPicture { .. } => NO_PICTURE,
            Why::NoFinding { cause: FindingFault::NotFinite { .. } } => NOT_FINITE,
            Why::NoFinding { cause: FindingFault::Runtime { .. } } => MODEL_FAILED,
            Why::NoFinding { cause: FindingFault::NotPrepared { .. } } => NOT_PREPARED,
            Why::NoFinding { cause: FindingFault::Calibration { .. } } => NOT_CALIBRATED,
            Why::Deadline => DEADLINE,
            Why::Stopped => STOPPED,
            Why::StageFailed { .. } => STAGE_FAILED,
        },
    }
}

/// The class of a code.
#[must_use]
pub const fn class(code: u16) -> u16 {
    code / 100
}

/// From 1 where the kind is listed, else 0.
fn place(kind: &str, defects: &[String]) -> u16 {
    let at = defects.iter().position(|listed| listed == kind);
    at.and_then(|at| u16::try_from(at + 1).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use domain::{Reason, RectPx, Score, Stage};

    use super::*;

    fn scratch() -> Reason {
        Reason {
            kind: "scratch".into(),
            score: Score::ZERO,
            limit: Score::ZERO,
            box_in_frame: RectPx::new(0, 0, 1, 1),
            view: 0,
        }
    }

    #[test]
    fn a_listed_defect_has_its_own_code_and_every_code_its_class() {
        let listed = ["dent".to_owned(), "scratch".to_owned()];
        let reject = Verdict::reject(vec![scratch()]).unwrap();
        assert_eq!((code(&reject, &listed), code(&reject, &[])), (102, 100));
        let why = Why::NearLimit { nearest: scratch() };
        assert_eq!(code(&Verdict::Undecided { why }, &listed), 202);
        assert_eq!(code(&Verdict::Pass, &listed), 0);
        let why = Why::StageFailed { stage: Stage::Infer };
        assert_eq!(class(code(&Verdict::Undecided { why }, &listed)), 6);
    }
}
