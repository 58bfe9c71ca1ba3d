//! Takes scores, gives pictures of them as SVG that stands in a page with the report's style.

use std::fmt::Write;

use models::eval::{Figures, Ranking, Rule};

use super::{Answer, is_bad};
use crate::report::html::chart;
use crate::report::scores::{ScoreHistogram, bin_of};

const LEFT: f64 = 62.0;
const TOP: f64 = 16.0;
const SIDE: f64 = 330.0;

/// How the scores of good and bad pictures are spread, with the limits.
pub fn scores<'a>(answers: impl Iterator<Item = Answer<'a>>, rule: &Rule) -> String {
    let limits = rule.limits();
    let mut scores = ScoreHistogram {
        reject_at: limits.map(|limits| limits.reject_at.get()),
        undecided_from: limits.map(|limits| limits.undecided_from.get()),
        ..ScoreHistogram::default()
    };
    for (picture, judged) in answers {
        let bins = match is_bad(picture) {
            Some(true) => &mut scores.bad,
            Some(false) => &mut scores.good,
            None => &mut scores.unknown,
        };
        bins[bin_of(judged.score)] += 1;
    }
    chart::histogram(&scores)
}

/// Where a rate stands on an axis: by its root, so that the small rates that matter have room.
fn along(rate: f64) -> f64 {
    rate.sqrt() * SIDE
}

/// Escape against overkill at every limit, the limit in force marked.
pub fn curve(ranking: &Ranking, figures: &Figures) -> String {
    let place = |overkill: f64, escape: f64| (LEFT + along(overkill), TOP + SIDE - along(escape));
    let mut path = String::new();
    for (index, point) in ranking.curve().enumerate() {
        let (x, y) = place(point.overkill, point.escape);
        let verb = if index == 0 { 'M' } else { 'L' };
        // Between two limits there is none: pictures of one score go together.
        let _ = write!(path, "{verb}{x:.1} {y:.1}");
    }
    let ticks = [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0];
    let ticks = ticks.map(|rate| (along(rate), format!("{}", (rate * 100.0).round())));
    let mut svg = square("Escape against overkill", ("overkill, %", "escape, %"), &ticks);
    let _ = write!(svg, r#"<path d="{path}" fill="none" stroke="var(--good)" stroke-width="2"/>"#);
    if let Some(at) = figures.at_limit.as_ref().map(|at| at.rejecting)
        && let (Some(escape), Some(overkill)) = (at.escape.rate, at.overkill.rate)
    {
        let (x, y) = place(overkill, escape);
        let _ = write!(
            svg,
            r#"<circle class="dot" cx="{x:.1}" cy="{y:.1}" r="5"/>
<text class="limit" x="{:.1}" y="{:.1}">limit {}</text>"#,
            x + 9.0,
            y - 7.0,
            at.limit
        );
    }
    svg.push_str("</svg>");
    svg
}

/// A point of a scatter plot.
pub struct Dot<'a> {
    /// Across, 0 to 1.
    pub x: f64,
    /// Up, 0 to 1.
    pub y: f64,
    /// Whether the two disagree.
    pub differs: bool,
    /// What is shown when the pointer rests on it; markup-free.
    pub name: &'a str,
}

/// Two scores of each picture, and the limit of each; dots that disagree stand out and lie on top.
pub fn scatter(
    dots: &[Dot<'_>],
    names: (&str, &str),
    limits: (Option<f32>, Option<f32>),
) -> String {
    let ticks = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|score| (score * SIDE, format!("{score:.1}")));
    let mut svg = square("Score of one against score of the other", names, &ticks);
    let (right, bottom) = (LEFT + SIDE, TOP + SIDE);
    let _ = write!(svg, r#"<path class="grid" d="M{LEFT} {bottom}L{right} {TOP}"/>"#);
    if let Some(limit) = limits.0 {
        let x = LEFT + f64::from(limit) * SIDE;
        let _ = write!(
            svg,
            r#"<line class="limit" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{bottom}"/>"#
        );
    }
    if let Some(limit) = limits.1 {
        let y = bottom - f64::from(limit) * SIDE;
        let _ = write!(
            svg,
            r#"<line class="limit" x1="{LEFT}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/>"#
        );
    }
    for differs in [false, true] {
        for dot in dots.iter().filter(|dot| dot.differs == differs) {
            let (x, y) = (LEFT + dot.x * SIDE, bottom - dot.y * SIDE);
            let (size, colour) = if differs { (4.5, "bad") } else { (3.0, "good") };
            let _ = write!(
                svg,
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="{size}" fill="var(--{colour})" opacity=".55">
<title>{}</title></circle>"#,
                crate::report::html::text::Escaped(dot.name)
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// A square with axes, left open; ticks say how far along they stand and what they are called.
fn square(label: &str, (across, up): (&str, &str), ticks: &[(f64, String)]) -> String {
    let (right, bottom) = (LEFT + SIDE, TOP + SIDE);
    let mut svg = format!(
        r#"<svg class="square" viewBox="0 0 420 400" role="img" aria-label="{label}">
<path class="axis" d="M{LEFT} {TOP}V{bottom}H{right}"/>"#
    );
    for (along, name) in ticks {
        let (x, y) = (LEFT + along, bottom - along);
        let _ = write!(
            svg,
            r#"<path class="grid" d="M{x:.1} {TOP}V{bottom}M{LEFT} {y:.1}H{right}"/>
<text x="{x:.1}" y="{:.1}" text-anchor="middle">{name}</text>
<text x="{:.1}" y="{:.1}" text-anchor="end">{name}</text>"#,
            bottom + 15.0,
            LEFT - 6.0,
            y + 4.0
        );
    }
    let (middle_x, middle_y) = (LEFT + SIDE / 2.0, TOP + SIDE / 2.0);
    let escaped = crate::report::html::text::Escaped;
    let _ = write!(
        svg,
        r#"<text x="{middle_x}" y="{:.1}" text-anchor="middle">{}</text>
<text transform="translate(14 {middle_y}) rotate(-90)" text-anchor="middle">{}</text>"#,
        bottom + 34.0,
        escaped(across),
        escaped(up)
    );
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_rates_have_room() {
        assert!((along(0.01) - SIDE / 10.0).abs() < 1e-9, "one percent is a tenth of the way");
    }

    #[test]
    fn names_from_outside_stay_text_in_a_plot() {
        let dot = Dot { x: 0.5, y: 0.9, differs: true, name: "<script>" };
        let svg = scatter(&[dot], ("<b>", "&"), (Some(0.5), None));
        assert!(!svg.contains("<script>") && !svg.contains("<b>"), "{svg}");
        assert!(svg.contains(r#"cx="227.0" cy="49.0""#) && svg.ends_with("</svg>"), "{svg}");
        assert_eq!(svg.matches(r#"class="limit""#).count(), 1);
    }
}
