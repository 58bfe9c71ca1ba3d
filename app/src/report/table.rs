//! Takes a report, gives it as plain text for a terminal, at most 100 columns wide.

use domain::Stage;

use super::facts::LatencyMs;
use super::fail_on::Violation;
use super::numbers::{Answers, Report};
use super::words::{interval, meaning, value, why_in_words};
use models::rate::Rate;

const WIDTH: usize = 100;

/// The stages in line order, then whatever else was timed, `decision` among it.
pub(super) fn latency_in_line_order(report: &Report) -> Vec<(&str, LatencyMs)> {
    let mut rows: Vec<_> =
        report.latency_ms.iter().map(|(name, latency)| (name.as_str(), *latency)).collect();
    rows.sort_by_key(|(name, _)| {
        Stage::ALL.iter().position(|stage| stage.name() == *name).unwrap_or(Stage::ALL.len())
    });
    rows
}

impl Report {
    /// The report as text; `violations` when limits were set.
    #[must_use]
    pub fn table(&self, violations: Option<&[Violation]>) -> String {
        let mut lines = vec![self.title(), String::new()];
        lines.extend(self.counts());
        lines.push(String::new());
        lines.extend(self.rates());
        lines.extend(self.confusion_lines());
        lines.extend(self.latencies());
        lines.push(String::new());
        lines.extend(meaning(self).iter().flat_map(|said| wrapped(said)));
        lines.push(String::new());
        lines.extend(self.hashes());
        lines.extend(violations.into_iter().flat_map(verdict_lines));
        let mut text = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
        text.push('\n');
        text
    }

    fn title(&self) -> String {
        let simulated = if self.is_simulated { ", replayed or simulated" } else { "" };
        cut(&format!("{} · recipe {}{simulated}", self.source, self.recipe_name), WIDTH)
    }

    fn counts(&self) -> Vec<String> {
        let rest = [
            ("lost", self.lost),
            ("merged", self.merged),
            ("cut", self.cut),
            ("extra", self.extra),
            ("unjudged", self.unjudged),
        ];
        let rest: Vec<_> = rest.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let mut lines = vec![
            format!(
                "parts {} = passed {} + rejected {} + undecided {}",
                self.parts, self.passed, self.rejected, self.undecided
            ),
            rest.join(" · "),
        ];
        lines.extend(self.counted.map(|counted| {
            format!(
                "counted by people {} · found {} · with touching parts told apart {}",
                counted.truth, counted.found, counted.found_unmerged
            )
        }));
        let speed =
            self.realtime_factor.map_or(String::new(), |x| format!(" · {x:.2} x real time"));
        lines.push(format!(
            "frames {} · dropped {} · {:.2} s{speed}",
            self.frames, self.frames_dropped, self.wall_s
        ));
        lines
    }

    fn rates(&self) -> Vec<String> {
        let line = |name: &str, rate: &Rate| {
            let (name, value, interval) = (cut(name, 36), value(rate), interval(rate));
            format!("{name:<36} {:>8} {:>8} {value:>13}   {interval}", rate.count, rate.of)
        };
        let mut lines =
            vec![format!("{:<36} {:>8} {:>8} {:>13}   95 % interval", "", "count", "of", "rate")];
        lines.push(line("escape", &self.escape));
        if let Some(by_verdict) = &self.by_verdict {
            lines.push(line("  verdict pass", &by_verdict.escape));
            lines.push(line("  bad and undecided", &by_verdict.undecided_bad));
        }
        lines.push(line("overkill", &self.overkill));
        if let Some(by_verdict) = &self.by_verdict {
            lines.push(line("  verdict reject", &by_verdict.overkill));
            lines.push(line("  good and undecided", &by_verdict.undecided_good));
        }
        lines.push(line("undecided", &self.undecided_rate()));
        lines.extend(self.undecided_why.iter().map(|(why, count)| {
            line(&format!("  {}", why_in_words(why)), &Rate::new(count.parts, self.parts))
        }));
        lines.push(line("lost", &self.lost_rate()));
        lines.extend(self.per_class.iter().map(|(label, recall)| {
            line(&format!("caught of {}", printable(label)), &recall.caught)
        }));
        lines
    }

    fn confusion_lines(&self) -> Vec<String> {
        let Some(confusion) = self.confusion else { return vec![] };
        let line = |name: &str, answers: &Answers| {
            format!(
                "{name:<12} {:>8} {:>8} {:>10} {:>8} {:>8}",
                answers.pass,
                answers.reject,
                answers.undecided,
                answers.lost,
                answers.sum()
            )
        };
        vec![
            String::new(),
            format!(
                "{:<12} {:>8} {:>8} {:>10} {:>8} {:>8}",
                "truth", "pass", "reject", "undecided", "lost", "all"
            ),
            line("good", &confusion.good),
            line("bad", &confusion.bad),
        ]
    }

    fn latencies(&self) -> Vec<String> {
        let rows = latency_in_line_order(self);
        if rows.is_empty() {
            return vec![];
        }
        let mut lines = vec![
            String::new(),
            format!("{:<12} {:>8} {:>8} {:>10} {:>8}", "ms", "p50", "p99", "p99.9", "max"),
        ];
        lines.extend(rows.iter().map(|(name, ms)| {
            let name = cut(name, 12);
            format!("{name:<12} {:>8.2} {:>8.2} {:>10.2} {:>8.2}", ms.p50, ms.p99, ms.p999, ms.max)
        }));
        lines
    }

    fn hashes(&self) -> Vec<String> {
        let hash = |hash: Option<domain::Sha256>| hash.map_or("none".to_owned(), |h| h.short());
        vec![
            cut(
                &format!(
                    "model {} · recipe {} · calibration {} · {}",
                    hash(self.model),
                    self.recipe.short(),
                    hash(self.calibration),
                    self.software
                ),
                WIDTH,
            ),
            format!("verdict log sha256 {}", self.verdict_log_sha256),
        ]
    }
}

fn verdict_lines(violations: &[Violation]) -> Vec<String> {
    if violations.is_empty() {
        return vec![String::new(), "limits met".to_owned()];
    }
    let mut lines = vec![String::new(), "LIMITS NOT MET".to_owned()];
    lines.extend(violations.iter().flat_map(|violation| wrapped(&violation.to_string())));
    lines
}

/// What a terminal would act on rather than show becomes a `?`.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The text in at most `width` columns.
fn cut(text: &str, width: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// The text broken into lines, those after the first indented.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::from("-")];
    // A percent sign stays with its number.
    let text = printable(text).replace(" %", "\u{a0}%");
    for word in text.split(' ') {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last + 1 + word.chars().count() > WIDTH && last > 1 {
            lines.push(String::from(" "));
        }
        if let Some(line) = lines.last_mut() {
            line.push(' ');
            line.push_str(&word.replace('\u{a0}', " "));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake;
    use crate::truth::{Fate, Judged, KnownPart};
    use domain::{PartCondition, Verdict, Why};

    fn report() -> Report {
        let mut cut = fake::row(4, Verdict::Undecided { why: Why::PartCut });
        cut.condition = PartCondition::Cut;
        let rows = [
            fake::row(1, Verdict::Pass),
            fake::row(2, fake::reject("dent", 0.9)),
            fake::row(3, fake::near_limit("dent", 0.5)),
            cut,
            fake::row(5, Verdict::Pass),
        ];
        let parts = [
            (vec![], Fate::Inspected(0)),
            (vec!["dent"], Fate::Inspected(1)),
            (vec!["dent", "scratch"], Fate::Inspected(2)),
            (vec![], Fate::Inspected(3)),
            (vec!["scratch"], Fate::Lost),
        ]
        .map(|(labels, fate)| KnownPart {
            name: "part".to_owned(),
            labels: labels.into_iter().map(str::to_owned).collect(),
            fate,
        });
        let mut report = Report::build(&rows, None, fake::facts(100)).unwrap();
        let parts = parts.to_vec();
        report.add_judged(&rows, Judged { parts, extra: vec![4], ..Judged::default() });
        report
    }

    #[test]
    fn the_table_reads_like_this() {
        let limits = "escape=0.1,overkill=0.5".parse::<crate::report::FailOn>().unwrap();
        let report = report();
        let violations = limits.check(&report);
        assert_eq!(report.table(Some(&violations)), include_str!("table.golden.txt"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut report = report();
        report.source = "x".repeat(300);
        report.software = "y\u{1b}[2J".repeat(30);
        let recall = report.per_class["dent"];
        report.per_class.insert("z".repeat(200), recall);
        report.latency_ms.insert("w".repeat(200), report.latency_ms["infer"]);
        let table = report.table(None);
        assert!(table.lines().all(|line| line.chars().count() <= WIDTH), "{table}");
        assert!(!table.contains('\u{1b}'), "{table}");
    }
}
