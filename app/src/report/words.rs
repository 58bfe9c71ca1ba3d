//! Takes the numbers of a report, gives them as a person would say them.

use super::numbers::{Confusion, Report};
use models::rate::{Rate, needed_with_none_wrong, ruled_out_by_none_of};

/// A rate in percent, with as many digits as it takes to tell it from nothing.
pub fn percent(rate: f64) -> String {
    let percent = rate * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        100.0 => "100 %".to_owned(),
        10.0.. => format!("{percent:.1} %"),
        0.1.. => format!("{percent:.2} %"),
        0.0001.. => format!("{percent:.4} %"),
        _ => format!("{percent:.1e} %"),
    }
}

/// `3 of 100`.
pub fn of_count(rate: &Rate) -> String {
    format!("{} of {}", rate.count, rate.of)
}

/// The rate in percent, or that there is none.
pub fn value(rate: &Rate) -> String {
    rate.rate.map_or_else(|| "not measured".to_owned(), percent)
}

/// `0.62 % to 8.52 %`, or nothing when nothing was measured.
pub fn interval(rate: &Rate) -> String {
    match (rate.low95, rate.high95) {
        (Some(low), Some(high)) => format!("{} to {}", percent(low), percent(high)),
        _ => String::new(),
    }
}

/// `1 part`, `2 parts`.
pub(super) fn parts(count: u64) -> String {
    format!("{count} {}", if count == 1 { "part" } else { "parts" })
}

/// What a reason for no decision is called.
pub(super) fn why_in_words(why: &str) -> &str {
    match why {
        "near_limit" => "near a limit",
        "deadline" => "no inspection in time",
        "part_cut" => "never seen whole",
        "parts_merged" => "several parts touch",
        "no_finding" => "the model gave nothing usable",
        "stopped" => "the line was stopped",
        "no_picture" => "no picture of it",
        "stage_failed" => "a stage failed on it",
        other => other,
    }
}

/// What the numbers mean, a sentence each, the most important first.
pub(super) fn meaning(report: &Report) -> Vec<String> {
    let mut said = Vec::new();
    if report.confusion.is_some() {
        said.push(escape_in_words(report));
        said.push(overkill_in_words(report));
    } else if let Some(counted) = report.counted {
        said.push(format!(
            "People counted {} in this footage; the line found {}{}. Which of them are bad is not \
             known, so escape and overkill were not measured.",
            parts(counted.truth),
            counted.found,
            if counted.found_unmerged == counted.found {
                String::new()
            } else {
                format!(", or {} with touching parts told apart by area", counted.found_unmerged)
            }
        ));
    } else {
        said.push(
            "No truth was given, so escape and overkill were not measured; the numbers only say \
             what the line did."
                .to_owned(),
        );
    }
    said.extend(undecided_in_words(report));
    said.extend(matching_in_words(report));
    if report.frames_dropped > 0 {
        said.push(format!(
            "{} of {} frames were dropped because the line was busy.",
            report.frames_dropped,
            report.frames + report.frames_dropped
        ));
    }
    if report.plc_failed > 0 {
        said.push(format!("The PLC could not be told of {}.", parts(report.plc_failed)));
    }
    said
}

fn escape_in_words(report: &Report) -> String {
    let escape = &report.escape;
    let Some(below) = ruled_out_by_none_of(escape.of) else {
        return "No bad part was there, so the escape rate was not measured.".to_owned();
    };
    if escape.count > 0 {
        let lost = match report.escape_parts.lost {
            0 => String::new(),
            lost => format!(", {lost} of them lost (nobody answered)"),
        };
        return format!(
            "{} bad parts got through{lost}: {}.",
            of_count(escape),
            rate_in_words(escape)
        );
    }
    // The next round claim that this test is too small for.
    let claim = [0.1, 0.01, 0.001, 0.0001].into_iter().find(|claim| *claim < below);
    let next = claim.map_or_else(String::new, |claim| {
        let needed = needed_with_none_wrong(claim);
        format!(
            " To claim less than {}, {needed} bad parts without an escape are needed.",
            percent(claim)
        )
    });
    format!(
        "No bad part got through. 0 of {}: at 95 % confidence the escape rate is below {} \
         (one-sided; the two-sided interval ends at {}).{next}",
        escape.of,
        percent(below),
        escape.high95.map_or_else(String::new, percent),
    )
}

fn overkill_in_words(report: &Report) -> String {
    let overkill = &report.overkill;
    if overkill.of == 0 {
        return "No good part was found, so overkill was not measured.".to_owned();
    }
    let undecided = match report.overkill_parts.undecided {
        0 => String::new(),
        undecided => format!(", {undecided} of them undecided"),
    };
    let rate = rate_in_words(overkill);
    format!("{} good parts were thrown out{undecided}: {rate}.", of_count(overkill))
}

fn rate_in_words(rate: &Rate) -> String {
    format!("{}, and with 95 % confidence {}", value(rate), interval(rate))
}

fn undecided_in_words(report: &Report) -> Option<String> {
    (report.undecided > 0).then(|| {
        let mut whys: Vec<_> = report.undecided_why.iter().collect();
        whys.sort_by_key(|(_, count)| std::cmp::Reverse(count.parts));
        let whys: Vec<_> = whys
            .into_iter()
            .map(|(why, count)| format!("{} {}", count.parts, why_in_words(why)))
            .collect();
        format!("{} undecided: {}.", parts(report.undecided), whys.join(", "))
    })
}

fn matching_in_words(report: &Report) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(Confusion { good, bad }) = report.confusion {
        if report.lost > 0 {
            said.push(format!(
                "{} lost: nobody answered for {} good and {} bad. Lost bad parts count as escapes.",
                parts(report.lost),
                good.lost,
                bad.lost
            ));
        }
        if report.merged > 0 {
            said.push(format!(
                "{} answered for together with another that they touch.",
                parts(report.merged)
            ));
        }
    } else if report.lost > 0 {
        said.push(format!("{} located but never answered for.", parts(report.lost)));
    }
    if report.extra > 0 {
        said.push(format!(
            "{} found where the truth knows of none; not counted as overkill.",
            parts(report.extra)
        ));
    }
    if report.unjudged > 0 {
        said.push(format!("The truth says nothing of {}.", parts(report.unjudged)));
    }
    if report.not_offered > 0 {
        said.push(format!(
            "The truth knows {} more that were not in what was replayed.",
            parts(report.not_offered)
        ));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake;

    #[test]
    fn percents_keep_what_tells_them_from_nothing() {
        for (rate, said) in [
            (0.0, "0 %"),
            (1.0, "100 %"),
            (0.9999, "100.0 %"),
            (0.1234, "12.3 %"),
            (0.0123, "1.23 %"),
            (0.000_45, "0.0450 %"),
            (3e-8, "3.0e-6 %"),
        ] {
            assert_eq!(percent(rate), said);
        }
    }

    #[test]
    fn no_escape_says_what_was_shown_and_what_it_would_take() {
        let mut report = Report::build(&[], None, fake::facts(1)).unwrap();
        report.confusion = Some(Confusion::default());
        report.escape = Rate::new(0, 200);
        let said = meaning(&report);
        assert_eq!(
            said[0],
            "No bad part got through. 0 of 200: at 95 % confidence the escape rate is below 1.49 % \
             (one-sided; the two-sided interval ends at 1.83 %). To claim less than 1.00 %, 299 \
             bad parts without an escape are needed."
        );
        assert_eq!(said[1], "No good part was found, so overkill was not measured.");
    }
}
