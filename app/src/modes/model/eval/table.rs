//! Takes a report, gives it as text for a terminal.

use models::eval::{AtLimit, Confusion, OperatingPoint, Verdicts};
use models::rate::Rate;

use super::Report;
use crate::report::words::{interval, of_count, value};

/// The report as text.
pub fn table(report: &Report) -> String {
    let figures = &report.figures;
    let mut lines = vec![title(report), counts(report), String::new()];
    lines.extend(numbers(report).iter().map(|(name, value)| format!("{name:<26} {value}")));
    let points = [
        ("escape at 1 % overkill", &figures.escape_at_overkill_1pct),
        ("overkill at no escape", &figures.overkill_at_zero_escape),
    ];
    for (name, point) in points {
        lines.extend(point.as_ref().map(|point| format!("{name:<26} {}", point_in_words(point))));
    }
    lines.extend(figures.at_limit.iter().flat_map(|at| limits(at, report.limit_from.as_deref())));
    lines.extend(confusion(&figures.confusion));
    let each = report.wall_s * 1000.0 / f64::from(u32::try_from(figures.images).unwrap_or(1));
    lines.push(String::new());
    lines.push(format!(
        "{:.1} s, {each:.1} ms a picture on {} threads",
        report.wall_s, report.threads
    ));
    lines.join("\n")
}

fn title(report: &Report) -> String {
    let split = report.split.as_ref().map_or_else(String::new, |split| format!(", split {split}"));
    format!("{} {} · {}{split}", report.model, report.hash.short(), report.index)
}

fn counts(report: &Report) -> String {
    let (images, groups) = (report.figures.images, report.groups);
    let of = if groups < images { format!(" of {groups} parts or places") } else { String::new() };
    format!("{images} pictures{of}: {} good, {} bad", report.good, report.bad)
}

/// The figures that are no rates, each with its name.
pub fn numbers(report: &Report) -> Vec<(String, String)> {
    let (image, pixel) = (report.figures.image, report.figures.pixel.unwrap_or_default());
    let boxes = report.figures.boxes.unwrap_or_default();
    [
        ("image AUROC", image.auroc),
        ("image AP", image.ap),
        ("accuracy", image.accuracy),
        ("macro F1", image.macro_f1),
        ("pixel AUROC", pixel.auroc),
        ("pixel AUPRO (to 30 %)", pixel.aupro),
        ("pixel IoU", pixel.iou),
        ("boxes mAP at 0.33", boxes.map33),
        ("boxes mAP at 0.50", boxes.map50),
        ("boxes F1", boxes.f1),
    ]
    .into_iter()
    .filter_map(|(name, figure)| Some((name.to_owned(), format!("{:.4}", figure?))))
    .collect()
}

/// A rate with its count and interval.
pub fn rate_in_words(rate: &Rate) -> String {
    match rate.rate {
        None => value(rate),
        Some(_) => format!("{} ({}; 95 %: {})", value(rate), of_count(rate), interval(rate)),
    }
}

/// A rate with the limit that it is of.
pub fn point_in_words(point: &OperatingPoint) -> String {
    let limit = match point.limit {
        Some(limit) => format!("limit {limit:.4}"),
        None => "no score is high enough".to_owned(),
    };
    format!("{}, {limit}", rate_in_words(&point.rate))
}

fn limits(at: &AtLimit, from: Option<&str>) -> Vec<String> {
    let mut lines = vec![String::new()];
    let pair = |what: &str, missed: &models::eval::Missed| {
        [
            format!("{what}, score ≥ {} ({})", missed.limit, from.unwrap_or("given")),
            format!("  {:<24} {}", "escape", rate_in_words(&missed.escape)),
            format!("  {:<24} {}", "overkill", rate_in_words(&missed.overkill)),
        ]
    };
    lines.extend(pair("rejecting", &at.rejecting));
    lines.extend(
        at.rejecting_and_undecided.iter().flat_map(|both| pair("rejecting and undecided", both)),
    );
    if at.caught.len() > 1 {
        let caught = at.caught.iter();
        lines.extend(
            caught.map(|(label, rate)| format!("  {label:<24} {} caught", rate_in_words(rate))),
        );
    }
    lines.push(format!("  {:<10}{:>8}{:>11}{:>9}", "", "pass", "undecided", "reject"));
    let row = |name: &str, verdicts: &Verdicts| {
        format!("  {name:<10}{:>8}{:>11}{:>9}", verdicts.pass, verdicts.undecided, verdicts.reject)
    };
    lines.extend([row("good", &at.good), row("bad", &at.bad)]);
    lines
}

fn confusion(confusion: &Confusion) -> Vec<String> {
    if confusion.labels.len() < 3 || confusion.accuracy().is_none() {
        return Vec::new();
    }
    let wide = confusion.labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let row = |(number, (label, counts)): (usize, (&String, &Vec<u64>))| {
        let counts: String = counts.iter().map(|count| format!("{count:>5}")).collect();
        format!("{:>3} {label:<wide$}{counts}", number + 1)
    };
    let numbers: String = (1..=confusion.labels.len()).map(|i| format!("{i:>5}")).collect();
    let mut lines = vec![
        String::new(),
        "truth down, predicted across; pictures of one label".to_owned(),
        format!("{:>wide$}{numbers}", "", wide = wide + 4),
    ];
    lines.extend(confusion.labels.iter().zip(&confusion.counts).enumerate().map(row));
    lines
}
