//! Takes inspections, truth and facts; gives the numbers of `report.json`.

use std::collections::BTreeMap;

use domain::{GateSignal, PartCondition, PlcAnswer, Sha256, Verdict, Why};
use serde::Serialize;

use super::facts::{Facts, LatencyMs};
use super::row::Row;
use super::scores::ScoreHistogram;
use crate::truth::{Judged, Offered, Truth, TruthError};
use models::rate::Rate;

/// The numbers of a run. What each means is said in [`crate::report`].
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The footage, as the user named it.
    pub source: String,
    /// The recipe's name.
    pub recipe_name: String,
    /// Whether the frames were replayed or simulated.
    pub is_simulated: bool,

    /// Parts that were answered for: passed + rejected + undecided.
    pub parts: u64,
    /// Parts with the verdict pass.
    pub passed: u64,
    /// Parts with the verdict reject.
    pub rejected: u64,
    /// Parts with the verdict undecided.
    pub undecided: u64,
    /// Undecided parts by the reason why.
    pub undecided_why: BTreeMap<&'static str, WhyCount>,
    /// Parts that nobody answered for: of those that the truth knows; without truth, of those
    /// that were located.
    pub lost: u64,
    /// Parts that were answered for together with another: from the truth; without it, the
    /// estimate from their areas.
    pub merged: u64,
    /// Inspections of parts that were never seen whole.
    pub cut: u64,
    /// Inspections of places where the truth knows of no part.
    pub extra: u64,
    /// Inspections of which the truth says nothing; 0 without truth.
    pub unjudged: u64,
    /// Parts that the truth knows but that were not in what was replayed.
    pub not_offered: u64,
    /// Parts whose answer the PLC could not be told.
    pub plc_failed: u64,

    /// Bad parts that got through.
    pub escape: Rate,
    /// What the escapes are made of.
    pub escape_parts: EscapeParts,
    /// Good parts that were thrown out.
    pub overkill: Rate,
    /// What the overkill is made of.
    pub overkill_parts: OverkillParts,
    /// The same by verdict alone, undecided parts apart; absent without truth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_verdict: Option<ByVerdict>,
    /// Parts by truth and verdict; absent without truth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Confusion>,
    /// Share of the bad parts of each kind that the gate was told to reject.
    pub per_class: BTreeMap<String, Recall>,
    /// How the scores are spread.
    pub score_histogram: ScoreHistogram,
    /// Parts counted against the truth; absent unless the truth is of counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,

    /// Time in each stage, and `decision`: in replay a part's
    /// time in locate, prepare, infer and decide; live, from exposure to gate.
    pub latency_ms: BTreeMap<String, LatencyMs>,
    /// Frames taken from the source.
    pub frames: u64,
    /// Frames dropped because the line was busy.
    pub frames_dropped: u64,
    /// How long the run took, in seconds.
    pub wall_s: f64,
    /// Seconds of footage a second of run; `null` when the source has no clock.
    pub realtime_factor: Option<f64>,

    /// Hash of the model bundle.
    pub model: Option<Sha256>,
    /// Hash of the checked recipe.
    pub recipe: Sha256,
    /// Hash of the calibration profile; `null` when the recipe needs none.
    pub calibration: Option<Sha256>,
    /// Name and version of this software.
    pub software: String,
    /// Hash over all verdicts in order.
    pub verdict_log_sha256: Sha256,
    /// The truth that was used; absent without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<TruthUsed>,

    /// Each part that the truth knows and each row it knows nothing of; for the page's gallery.
    #[serde(skip)]
    pub judged: Option<Judged>,
}

/// Undecided parts of one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WhyCount {
    /// How many inspections.
    pub parts: u64,
    /// Good parts among those that they answer for.
    pub good: u64,
    /// Bad parts among those that they answer for.
    pub bad: u64,
}

/// What the escapes are made of; adds up to their count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EscapeParts {
    /// The verdict was pass.
    pub verdict_pass: u64,
    /// The verdict was undecided and the recipe passes those.
    pub undecided: u64,
    /// Nobody answered.
    pub lost: u64,
}

/// What the overkill is made of; adds up to its count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OverkillParts {
    /// The verdict was reject.
    pub verdict_reject: u64,
    /// The verdict was undecided and the recipe rejects those.
    pub undecided: u64,
}

/// Rates by verdict alone: how they would be if undecided were counted as neither.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ByVerdict {
    /// Bad parts with the verdict pass, of all bad parts.
    pub escape: Rate,
    /// Good parts with the verdict reject, of all good parts found.
    pub overkill: Rate,
    /// Bad parts with the verdict undecided, of all bad parts.
    pub undecided_bad: Rate,
    /// Good parts with the verdict undecided, of all good parts found.
    pub undecided_good: Rate,
}

/// Parts by truth and verdict; adds up to all parts that were there to be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Good parts.
    pub good: Answers,
    /// Bad parts.
    pub bad: Answers,
}

/// Parts by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// Passed.
    pub pass: u64,
    /// Rejected.
    pub reject: u64,
    /// Undecided.
    pub undecided: u64,
    /// Not answered for.
    pub lost: u64,
}

impl Answers {
    /// All of them.
    #[must_use]
    pub const fn sum(&self) -> u64 {
        self.found() + self.lost
    }

    /// Those that were answered for.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.pass + self.reject + self.undecided
    }
}

/// How many bad parts of one kind were caught.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Recall {
    /// Those that the gate was told to reject, of all of the kind.
    #[serde(flatten)]
    pub caught: Rate,
    /// Those among the caught whose verdict was undecided.
    pub undecided: u64,
}

/// Parts counted by people and by the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// By people.
    pub truth: u64,
    /// Parts answered for.
    pub found: u64,
    /// The same with parts that touch counted as many times as their area suggests.
    pub found_unmerged: u64,
}

/// The truth that a report was held against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TruthUsed {
    /// The file.
    pub file: String,
    /// Its hash.
    pub sha256: Sha256,
}

impl Report {
    /// Adds up `rows`, which are all answers of one run, and holds them against `truth`.
    ///
    /// # Errors
    /// When the truth does not fit what was replayed: a video it does not count, a picture's
    /// name that fits two of its lines.
    pub fn build(rows: &[Row], truth: Option<&Truth>, facts: Facts) -> Result<Self, TruthError> {
        let offered = Offered {
            frames: facts.frames.saturating_add(facts.frames_dropped),
            files: facts.files.as_deref(),
        };
        let judged = truth.map(|truth| truth.judge(rows, offered)).transpose()?.flatten();
        let count = truth.map(|truth| truth.count_in(&facts.source)).transpose()?.flatten();
        let mut report = Self::from_facts(facts, rows);
        report.truth = truth
            .map(|truth| TruthUsed { file: truth.path.display().to_string(), sha256: truth.hash });
        report.add_rows(rows);
        report.counted = count.map(|truth| Counted {
            truth,
            found: report.parts,
            found_unmerged: report.parts + report.merged,
        });
        match judged {
            Some(judged) => report.add_judged(rows, judged),
            None => rows.iter().for_each(|row| report.score_histogram.add(row, None)),
        }
        Ok(report)
    }

    fn from_facts(facts: Facts, rows: &[Row]) -> Self {
        let parts = rows.len() as u64;
        Self {
            source: facts.source,
            recipe_name: facts.recipe_name,
            is_simulated: facts.provenance.is_simulated,
            parts,
            passed: 0,
            rejected: 0,
            undecided: 0,
            undecided_why: BTreeMap::new(),
            lost: facts.triggered.saturating_sub(parts),
            merged: 0,
            cut: 0,
            extra: 0,
            unjudged: 0,
            not_offered: 0,
            plc_failed: 0,
            escape: Rate::default(),
            escape_parts: EscapeParts::default(),
            overkill: Rate::default(),
            overkill_parts: OverkillParts::default(),
            by_verdict: None,
            confusion: None,
            per_class: BTreeMap::new(),
            score_histogram: ScoreHistogram::new(facts.limits),
            counted: None,
            latency_ms: facts.latency,
            frames: facts.frames,
            frames_dropped: facts.frames_dropped,
            wall_s: facts.wall_s,
            realtime_factor: facts
                .footage_s
                .map(|footage_s| footage_s / facts.wall_s)
                .filter(|factor| factor.is_finite()),
            model: facts.provenance.model,
            recipe: facts.provenance.recipe,
            calibration: facts.provenance.calibration,
            software: facts.provenance.software.to_string(),
            verdict_log_sha256: facts.verdict_log,
            truth: None,
            judged: None,
        }
    }

    fn add_rows(&mut self, rows: &[Row]) {
        for row in rows {
            match &row.verdict {
                Verdict::Pass => self.passed += 1,
                Verdict::Reject { .. } => self.rejected += 1,
                Verdict::Undecided { why } => {
                    self.undecided += 1;
                    self.undecided_why.entry(name_of(why)).or_default().parts += 1;
                }
            }
            match row.condition {
                PartCondition::Whole => {}
                PartCondition::Cut => self.cut += 1,
                PartCondition::Merged { parts_estimated } => {
                    self.merged += u64::from(parts_estimated.saturating_sub(1));
                }
            }
            self.plc_failed += u64::from(matches!(row.plc, PlcAnswer::Failed { .. }));
        }
    }

    pub(super) fn add_judged(&mut self, rows: &[Row], judged: Judged) {
        let (mut confusion, mut row_is_bad) = (Confusion::default(), vec![None; rows.len()]);
        let mut caught = BTreeMap::<String, (u64, u64, u64)>::new();
        let (mut inspected, mut answered) = (0, 0);
        for part in &judged.parts {
            let row = part.fate.row().map(|index| &rows[index]);
            let side = if part.is_bad() { &mut confusion.bad } else { &mut confusion.good };
            side.add(row);
            self.add_to_rates(row, part.is_bad());
            for label in &part.labels {
                let (rejected, undecided, all) = caught.entry(label.clone()).or_default();
                let is_rejected = row.is_some_and(|row| row.gate == GateSignal::Reject);
                *rejected += u64::from(is_rejected);
                *undecided += u64::from(is_rejected && row.is_some_and(is_undecided));
                *all += 1;
            }
            if let Some(index) = part.fate.row() {
                answered += 1;
                inspected += u64::from(row_is_bad[index].is_none());
                row_is_bad[index] = Some(part.is_bad() || row_is_bad[index] == Some(true));
            }
        }
        for (row, is_bad) in rows.iter().zip(row_is_bad).filter(|(_, is_bad)| is_bad.is_some()) {
            self.score_histogram.add(row, is_bad);
        }
        self.per_class = caught
            .into_iter()
            .map(|(label, (rejected, undecided, all))| {
                (label, Recall { caught: Rate::new(rejected, all), undecided })
            })
            .collect();
        self.merged = answered - inspected;
        self.extra = judged.extra.len() as u64;
        self.unjudged = judged.unjudged.len() as u64;
        self.not_offered = judged.not_offered;
        self.judged = Some(judged);
        self.set_rates(confusion);
    }

    fn add_to_rates(&mut self, row: Option<&Row>, is_bad: bool) {
        let Some(row) = row else {
            self.escape_parts.lost += u64::from(is_bad);
            return;
        };
        if let Verdict::Undecided { why } = &row.verdict {
            let count = self.undecided_why.entry(name_of(why)).or_default();
            *(if is_bad { &mut count.bad } else { &mut count.good }) += 1;
        }
        match (is_bad, row.gate, is_undecided(row)) {
            (true, GateSignal::Pass, false) => self.escape_parts.verdict_pass += 1,
            (true, GateSignal::Pass, true) => self.escape_parts.undecided += 1,
            (false, GateSignal::Reject, false) => self.overkill_parts.verdict_reject += 1,
            (false, GateSignal::Reject, true) => self.overkill_parts.undecided += 1,
            (true, GateSignal::Reject, _) | (false, GateSignal::Pass, _) => {}
        }
    }

    fn set_rates(&mut self, confusion: Confusion) {
        let Confusion { good, bad } = confusion;
        let escapes = self.escape_parts;
        let escaped = escapes.verdict_pass + escapes.undecided + escapes.lost;
        self.escape = Rate::new(escaped, bad.sum());
        let overkill = self.overkill_parts.verdict_reject + self.overkill_parts.undecided;
        self.overkill = Rate::new(overkill, good.found());
        self.by_verdict = Some(ByVerdict {
            escape: Rate::new(bad.pass, bad.sum()),
            overkill: Rate::new(good.reject, good.found()),
            undecided_bad: Rate::new(bad.undecided, bad.sum()),
            undecided_good: Rate::new(good.undecided, good.found()),
        });
        self.lost = good.lost + bad.lost;
        self.confusion = Some(confusion);
    }

    /// Lost parts, of all that were there to be found.
    #[must_use]
    pub fn lost_rate(&self) -> Rate {
        let all = match self.confusion {
            Some(Confusion { good, bad }) => good.sum() + bad.sum(),
            None => self.parts + self.lost,
        };
        Rate::new(self.lost, all)
    }

    /// Undecided parts, of all that were answered for.
    #[must_use]
    pub fn undecided_rate(&self) -> Rate {
        Rate::new(self.undecided, self.parts)
    }
}

impl Answers {
    const fn add(&mut self, row: Option<&Row>) {
        let count = match row {
            None => &mut self.lost,
            Some(row) => match row.verdict {
                Verdict::Pass => &mut self.pass,
                Verdict::Reject { .. } => &mut self.reject,
                Verdict::Undecided { .. } => &mut self.undecided,
            },
        };
        *count += 1;
    }
}

const fn is_undecided(row: &Row) -> bool {
    matches!(row.verdict, Verdict::Undecided { .. })
}

/// The name under which the record has it.
const fn name_of(why: &Why) -> &'static str {
    match why {
        Why::NearLimit { .. } => "near_limit",
        Why::Deadline => "deadline",
        Why::PartCut => "part_cut",
        Why::PartsMerged { .. } => "parts_merged",
        Why::NoFinding { .. } => "no_finding",
        Why::Stopped => "stopped",
        Why::NoPicture { .. } => "no_picture",
        Why::StageFailed { .. } => "stage_failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake;
    use crate::truth::{Fate, KnownPart};
    use proptest::prelude::*;

    fn part(number: usize, labels: &[&str], fate: Fate) -> KnownPart {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        KnownPart { name: format!("part {number}"), labels, fate }
    }

    fn report(rows: &[Row], judged: Judged) -> Report {
        let mut report = Report::build(rows, None, fake::facts(100)).unwrap();
        report.score_histogram = ScoreHistogram::default();
        report.add_judged(rows, judged);
        report
    }

    fn passed_undecided(number: u64) -> Row {
        let mut row = fake::row(number, fake::near_limit("dent", 0.5));
        row.gate = GateSignal::Pass;
        row
    }

    #[test]
    fn what_the_gate_was_told_is_what_counts() {
        let rows = [
            fake::row(1, Verdict::Pass),
            fake::row(2, fake::near_limit("dent", 0.5)),
            passed_undecided(3),
            fake::row(4, fake::reject("dent", 0.9)),
        ];
        let judged = |labels: &[&str]| Judged {
            parts: (0..4)
                .map(|row| part(row, labels, Fate::Inspected(row)))
                .chain([part(4, labels, Fate::Lost)])
                .collect(),
            ..Judged::default()
        };
        let bad = report(&rows, judged(&["dent", "scratch"]));
        assert_eq!(bad.escape, Rate::new(3, 5));
        assert_eq!(bad.escape_parts, EscapeParts { verdict_pass: 1, undecided: 1, lost: 1 });
        assert_eq!((bad.overkill, bad.lost), (Rate::default(), 1));
        let recall = Recall { caught: Rate::new(2, 5), undecided: 1 };
        assert_eq!(bad.per_class["dent"], recall);
        assert_eq!(bad.per_class["scratch"], recall);
        let by_verdict = bad.by_verdict.unwrap();
        assert_eq!(by_verdict.escape, Rate::new(1, 5));
        assert_eq!(by_verdict.undecided_bad, Rate::new(2, 5));

        let good = report(&rows, judged(&[]));
        assert_eq!(good.overkill, Rate::new(2, 4), "a lost good part was not found");
        assert_eq!(good.overkill_parts, OverkillParts { verdict_reject: 1, undecided: 1 });
        assert_eq!((good.escape, good.lost), (Rate::default(), 1));
        assert_eq!(good.undecided_why["near_limit"], WhyCount { parts: 2, good: 2, bad: 0 });
    }

    #[test]
    fn one_answer_for_parts_that_touch_counts_for_each() {
        let rows =
            [fake::row(1, Verdict::Undecided { why: Why::PartsMerged { parts_estimated: 2 } })];
        let parts = vec![part(0, &[], Fate::Inspected(0)), part(1, &["dent"], Fate::MergedInto(0))];
        let report = report(&rows, Judged { parts, ..Judged::default() });
        assert_eq!((report.parts, report.merged), (1, 1));
        assert_eq!((report.escape, report.overkill), (Rate::new(0, 1), Rate::new(1, 1)));
        assert_eq!(report.undecided_why["parts_merged"], WhyCount { parts: 1, good: 1, bad: 1 });
    }

    #[test]
    fn without_truth_nothing_is_claimed() {
        let mut facts = fake::facts(10);
        facts.triggered = 3;
        let rows = [fake::row(1, Verdict::Pass), fake::row(2, fake::reject("dent", 0.9))];
        let report = Report::build(&rows, None, facts).unwrap();
        assert_eq!((report.parts, report.lost, report.extra), (2, 1, 0));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["escape"]["rate"], serde_json::Value::Null);
        assert_eq!(json.get("confusion"), None);
        assert_eq!(report.score_histogram.unknown.iter().sum::<u64>(), 2);
    }

    #[test]
    fn counts_are_held_against_what_was_found() {
        let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
        std::fs::write(file.path(), "video,event,count\nbelt.mkv,1,2\nbelt.mkv,2,2\n").unwrap();
        let truth = Truth::load(file.path(), None).unwrap();
        let mut row =
            fake::row(1, Verdict::Undecided { why: Why::PartsMerged { parts_estimated: 3 } });
        row.condition = PartCondition::Merged { parts_estimated: 3 };
        let report = Report::build(&[row], Some(&truth), fake::facts(10)).unwrap();
        assert_eq!(report.counted, Some(Counted { truth: 4, found: 1, found_unmerged: 3 }));
        let mut facts = fake::facts(10);
        facts.source = "other.mkv".to_owned();
        let error = Report::build(&[], Some(&truth), facts).unwrap_err().to_string();
        assert!(error.contains("`other.mkv`"), "{error}");
    }

    #[test]
    fn the_keys_that_scripts_rely_on_are_there() {
        let judged = Judged { parts: vec![part(0, &["dent"], Fate::Lost)], ..Judged::default() };
        let json = serde_json::to_value(report(&[], judged)).unwrap();
        for key in [
            "parts",
            "passed",
            "rejected",
            "undecided",
            "lost",
            "frames",
            "frames_dropped",
            "wall_s",
            "realtime_factor",
            "model",
            "recipe",
            "calibration",
            "software",
            "extra",
            "merged",
            "cut",
            "confusion",
            "score_histogram",
            "verdict_log_sha256",
            "is_simulated",
        ] {
            assert!(json.get(key).is_some(), "{key}");
        }
        for rate in [&json["escape"], &json["overkill"], &json["per_class"]["dent"]] {
            for key in ["count", "of", "rate", "low95", "high95"] {
                assert!(rate.get(key).is_some(), "{key}");
            }
        }
        for stage in ["capture", "infer", "decision"] {
            for key in ["p50", "p99", "p999", "max"] {
                assert!(json["latency_ms"][stage][key].is_number(), "{stage} {key}");
            }
        }
    }

    fn row_from((number, kind): (usize, u8)) -> Row {
        let number = number as u64;
        match kind {
            0 => fake::row(number, Verdict::Pass),
            1 => fake::row(number, fake::reject("dent", 0.9)),
            2 => fake::row(number, Verdict::Undecided { why: Why::Deadline }),
            _ => passed_undecided(number),
        }
    }

    proptest! {
        #[test]
        fn nothing_is_counted_twice_or_forgotten(
            kinds in prop::collection::vec(0_u8..4, 0..30),
            known in prop::collection::vec((any::<bool>(), 0_usize..40), 0..40),
        ) {
            let rows: Vec<_> = kinds.iter().copied().enumerate().map(row_from).collect();
            let mut taken = vec![false; rows.len()];
            let parts: Vec<_> = known
                .iter()
                .enumerate()
                .map(|(number, &(is_bad, row))| {
                    let fate = match taken.get_mut(row) {
                        None => Fate::Lost,
                        Some(taken) if *taken => Fate::MergedInto(row),
                        Some(taken) => { *taken = true; Fate::Inspected(row) }
                    };
                    part(number, if is_bad { &["dent"] } else { &[] }, fate)
                })
                .collect();
            let bad = known.iter().filter(|(is_bad, _)| *is_bad).count() as u64;
            let report = report(&rows, Judged { parts, ..Judged::default() });
            prop_assert_eq!(report.parts, report.passed + report.rejected + report.undecided);
            let confusion = report.confusion.unwrap();
            prop_assert_eq!(confusion.bad.sum(), bad);
            prop_assert_eq!(confusion.good.sum() + bad, known.len() as u64);
            prop_assert_eq!(confusion.good.lost + confusion.bad.lost, report.lost);
            let found = confusion.good.found() + confusion.bad.found();
            let rows_used = taken.iter().filter(|taken| **taken).count() as u64;
            prop_assert_eq!(found, rows_used + report.merged);
            let escapes = report.escape_parts;
            let escaped = escapes.verdict_pass + escapes.undecided + escapes.lost;
            prop_assert_eq!((report.escape.count, report.escape.of), (escaped, bad));
            let overkill = report.overkill_parts.verdict_reject + report.overkill_parts.undecided;
            let good_found = confusion.good.found();
            prop_assert_eq!((report.overkill.count, report.overkill.of), (overkill, good_found));
            // Whoever is bad was either caught or escaped.
            let caught = report.per_class.get("dent").map_or(0, |recall| recall.caught.count);
            prop_assert_eq!(caught + report.escape.count, bad);
            let whys = report.undecided_why.values();
            let (good, bad) = whys.fold((0, 0), |sum, why| (sum.0 + why.good, sum.1 + why.bad));
            prop_assert_eq!((good, bad), (confusion.good.undecided, confusion.bad.undecided));
        }
    }
}
