//! Words of verdicts: why a part is not good, in a sentence.

use domain::{FindingFault, Reason, Verdict, VerdictKind, Why};

use super::filled;

/// The words.
pub struct Words {
    /// A defect reached its limit; `{}` are class, score, limit.
    pub reason: &'static str,
    /// A defect is near its limit; `{}` are class, score, limit.
    pub near_limit: &'static str,
    /// No inspection before the deadline.
    pub deadline: &'static str,
    /// The part was never seen whole.
    pub part_cut: &'static str,
    /// Parts touch; `{}` is how many.
    pub parts_merged: &'static str,
    /// The model's output is not finite.
    pub not_finite: &'static str,
    /// The model did not run.
    pub not_run: &'static str,
    /// The part could not be turned into the model's input.
    pub not_prepared: &'static str,
    /// The camera's calibration does not hold.
    pub not_calibrated: &'static str,
    /// The line was stopped.
    pub stopped: &'static str,
    /// There is no picture of the part.
    pub no_picture: &'static str,
    /// A stage failed; `{}` is its name.
    pub stage_failed: &'static str,
    /// Nothing is wrong.
    pub nothing: &'static str,
}

pub const ENGLISH: Words = Words {
    reason: "{}: score {} reaches the limit {}",
    near_limit: "{}: score {} is near the limit {}",
    deadline: "No result before the deadline",
    part_cut: "The part was never seen whole",
    parts_merged: "About {} parts touch each other",
    not_finite: "The model gave a result that is no number",
    not_run: "The model did not run",
    not_prepared: "The picture could not be prepared",
    not_calibrated: "The camera's calibration does not hold any more",
    stopped: "The line was stopped",
    no_picture: "There is no picture of the part",
    stage_failed: "A step failed: {}",
    nothing: "Nothing found",
};

pub const GERMAN: Words = Words {
    reason: "{}: Wert {} erreicht die Grenze {}",
    near_limit: "{}: Wert {} liegt nahe der Grenze {}",
    deadline: "Kein Ergebnis vor Ablauf der Zeit",
    part_cut: "Das Teil war nie ganz im Bild",
    parts_merged: "Etwa {} Teile berühren sich",
    not_finite: "Das Modell lieferte keine gültige Zahl",
    not_run: "Das Modell lief nicht",
    not_prepared: "Das Bild ließ sich nicht aufbereiten",
    not_calibrated: "Die Kalibrierung der Kamera gilt nicht mehr",
    stopped: "Die Linie wurde angehalten",
    no_picture: "Es gibt kein Bild von dem Teil",
    stage_failed: "Ein Schritt ist ausgefallen: {}",
    nothing: "Nichts gefunden",
};

impl super::Words {
    /// The word for a verdict.
    #[must_use]
    pub const fn verdict_word(&self, verdict: VerdictKind) -> &'static str {
        match verdict {
            VerdictKind::Pass => self.shell.pass,
            VerdictKind::Reject => self.shell.reject,
            VerdictKind::Undecided => self.shell.undecided,
        }
    }

    /// A score, as it is written everywhere.
    #[must_use]
    pub fn score(&self, score: f32) -> String {
        self.numbers.real(f64::from(score), 2)
    }

    /// Why a part has its verdict: the strongest reason.
    #[must_use]
    pub fn why(&self, verdict: &Verdict) -> String {
        match verdict {
            Verdict::Pass => self.verdict.nothing.to_owned(),
            Verdict::Reject { reasons } => {
                reasons.first().map_or_else(String::new, |reason| self.reason(reason))
            }
            Verdict::Undecided { why } => self.why_undecided(why),
        }
    }

    /// Why a part is rejected.
    #[must_use]
    pub fn reason(&self, reason: &Reason) -> String {
        self.of_reason(self.verdict.reason, reason)
    }

    fn of_reason(&self, template: &str, reason: &Reason) -> String {
        let with_class = filled(template, &reason.kind);
        filled(
            &filled(&with_class, &self.score(reason.score.get())),
            &self.score(reason.limit.get()),
        )
    }

    /// Why nothing could be said of a part.
    #[must_use]
    pub fn why_undecided(&self, why: &Why) -> String {
        let words = &self.verdict;
        match why {
            Why::NearLimit { nearest } => self.of_reason(words.near_limit, nearest),
            Why::Deadline => words.deadline.to_owned(),
            Why::PartCut => words.part_cut.to_owned(),
            Why::PartsMerged { parts_estimated } => {
                filled(words.parts_merged, &self.numbers.count(u64::from(*parts_estimated)))
            }
            Why::NoFinding { cause } => match cause {
                FindingFault::NotFinite { .. } => words.not_finite,
                FindingFault::Runtime { .. } => words.not_run,
                FindingFault::NotPrepared { .. } => words.not_prepared,
                FindingFault::Calibration { .. } => words.not_calibrated,
            }
            .to_owned(),
            Why::Stopped => words.stopped.to_owned(),
            Why::NoPicture { .. } => words.no_picture.to_owned(),
            Why::StageFailed { stage } => {
                filled(words.stage_failed, self.shell.stages[*stage as usize])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Words;
    use crate::Language;
    use domain::{Reason, RectPx, Score, Stage, Verdict, Why};

    #[test]
    fn reasons_are_sentences_of_the_language() {
        let reason = Reason {
            kind: "scratch".into(),
            score: Score::new(0.93).unwrap(),
            limit: Score::new(0.6).unwrap(),
            box_in_frame: RectPx::new(0, 0, 1, 1),
            view: 0,
        };
        let reject = Verdict::reject(vec![reason.clone()]).unwrap();
        let german = Words::of(Language::German);
        assert_eq!(german.why(&reject), "scratch: Wert 0,93 erreicht die Grenze 0,60");
        let near = Verdict::Undecided { why: Why::NearLimit { nearest: reason } };
        let english = Words::of(Language::English);
        assert_eq!(english.why(&near), "scratch: score 0.93 is near the limit 0.60");
        let failed = Verdict::Undecided { why: Why::StageFailed { stage: Stage::Infer } };
        assert_eq!(german.why(&failed), "Ein Schritt ist ausgefallen: Erkennen");
    }
}
