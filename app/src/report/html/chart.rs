//! Takes rates and scores, gives pictures of them as SVG that stands in the page.

use super::super::scores::{BINS, ScoreHistogram};
use super::super::words::{interval, of_count, percent, value};
use models::rate::Rate;

/// A rate on a line from 0 to the next round number above its interval: the band is the
/// interval, the dot the rate.
pub(super) fn strip(rate: &Rate) -> String {
    let (Some(at), Some(low), Some(high)) = (rate.rate, rate.low95, rate.high95) else {
        return String::new();
    };
    let end = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].into_iter().find(|end| *end >= high).unwrap_or(1.0);
    let x = |rate: f64| 6.0 + rate / end * 208.0;
    format!(
        r#"<svg class="strip" viewBox="0 0 220 32" role="img" aria-label="{}, interval {}">
<line class="axis" x1="6" x2="214" y1="10" y2="10"/>
<rect class="band" x="{:.1}" y="5" width="{:.1}" height="10" rx="3"/>
<circle class="dot" cx="{:.1}" cy="10" r="4.5"/>
<text x="6" y="29">0</text><text x="214" y="29" text-anchor="end">{}</text></svg>"#,
        value(rate),
        interval(rate),
        x(low),
        (x(high) - x(low)).max(1.0),
        x(at),
        percent(end),
    )
}

/// A bar from 0 to 100 % with its interval as whiskers.
pub(super) fn bar(rate: &Rate) -> String {
    let (Some(at), Some(low), Some(high)) = (rate.rate, rate.low95, rate.high95) else {
        return String::new();
    };
    let x = |rate: f64| rate * 300.0 + 5.0;
    format!(
        r#"<svg class="bar" viewBox="0 0 310 22" role="img" aria-label="{} ({}), interval {}">
<rect class="rail" x="5" y="4" width="300" height="14"/>
<rect class="fill" x="5" y="4" width="{:.1}" height="14"/>
<path class="whisker" d="M{l:.1} 11H{h:.1}M{l:.1} 6V16M{h:.1} 6V16"/></svg>"#,
        value(rate),
        of_count(rate),
        interval(rate),
        at * 300.0,
        l = x(low),
        h = x(high),
    )
}

const LEFT: f64 = 48.0;
const RIGHT: f64 = 748.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 220.0;

/// The scores of good and bad parts side by side. Counts are drawn on a logarithmic scale, so
/// that the one bad part among the good ones is seen.
pub(super) fn histogram(scores: &ScoreHistogram) -> String {
    let series: Vec<_> = [
        ("good", "good parts", &scores.good),
        ("bad", "bad parts", &scores.bad),
        ("unknown", "parts of unknown truth", &scores.unknown),
    ]
    .into_iter()
    .filter(|(_, _, bins)| bins.iter().any(|count| *count > 0))
    .collect();
    let most = series.iter().flat_map(|(_, _, bins)| *bins).copied().max().unwrap_or(0);
    let mut svg = String::from(
        r#"<svg class="histogram" viewBox="0 0 760 262" role="img" aria-label="Parts by score">
<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse"
 patternTransform="rotate(45)"><rect class="bad" width="5" height="5"/>
<line class="hatch" x1="0" x2="0" y1="0" y2="5"/></pattern></defs>"#,
    );
    svg.push_str(&undecided_band(scores));
    svg.push_str(&axes(most));
    for (index, (class, name, bins)) in series.iter().enumerate() {
        svg.push_str(&bars(class, name, bins, (index, series.len()), most));
    }
    svg.push_str(&limits(scores));
    svg.push_str("</svg>");
    svg
}

#[expect(clippy::cast_precision_loss, reason = "at most 20")]
fn bars(
    class: &str,
    name: &str,
    bins: &[u64; BINS],
    (index, of): (usize, usize),
    most: u64,
) -> String {
    let step = (RIGHT - LEFT) / BINS as f64;
    let width = (step - 4.0) / of as f64;
    let one = |(bin, count): (usize, &u64)| {
        let x = LEFT + step * bin as f64 + 2.0 + width * index as f64;
        let y = height_of(*count, most);
        let (from, to) = (bin as f64 / BINS as f64, (bin + 1) as f64 / BINS as f64);
        format!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{:.1}">
<title>{count} {name}, score {from:.2} to {to:.2}</title></rect>"#,
            BOTTOM - y
        )
    };
    bins.iter().enumerate().filter(|(_, count)| **count > 0).map(one).collect()
}

#[expect(clippy::cast_precision_loss, reason = "for drawing")]
fn height_of(count: u64, most: u64) -> f64 {
    let share = (count as f64).ln_1p() / (most.max(1) as f64).ln_1p();
    BOTTOM - share * (BOTTOM - TOP)
}

fn axes(most: u64) -> String {
    let mut svg = format!(r#"<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}"/>"#);
    let counts = std::iter::successors(Some(1_u64), |count| count.checked_mul(10));
    for count in std::iter::once(0).chain(counts.take_while(|count| *count <= most)) {
        let y = height_of(count, most);
        svg.push_str(&format!(
            r#"<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1}" y2="{y:.1}"/>
<text x="{}" y="{:.1}" text-anchor="end">{count}</text>"#,
            LEFT - 6.0,
            y + 4.0
        ));
    }
    for fifth in 0..=5 {
        let score = f64::from(fifth) / 5.0;
        let (x, y) = (x_of(score), BOTTOM + 17.0);
        svg.push_str(&format!(
            r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{score:.1}</text>"#
        ));
    }
    let (x, y) = (x_of(0.5), BOTTOM + 36.0);
    svg.push_str(&format!(
        r#"<text x="{x}" y="{y}" text-anchor="middle">highest score of any defect</text>
<text x="{}" y="16" text-anchor="start">parts</text>"#,
        6
    ));
    svg
}

fn x_of(score: f64) -> f64 {
    LEFT + score * (RIGHT - LEFT)
}

fn undecided_band(scores: &ScoreHistogram) -> String {
    let (Some(from), Some(to)) = (scores.undecided_from, scores.reject_at) else {
        return String::new();
    };
    let (from, to) = (x_of(from.into()), x_of(to.into()));
    format!(
        r#"<rect class="undecided-band" x="{from:.1}" y="{TOP}" width="{:.1}" height="{}"/>"#,
        to - from,
        BOTTOM - TOP
    )
}

fn limits(scores: &ScoreHistogram) -> String {
    let line = |at: f32, name: &str, anchor: &str, shift: f64| {
        let x = x_of(at.into());
        format!(
            r#"<line class="limit" x1="{x:.1}" x2="{x:.1}" y1="{}" y2="{BOTTOM}"/>
<text class="limit" x="{:.1}" y="18" text-anchor="{anchor}">{name} {at:.2}</text>"#,
            TOP - 8.0,
            x + shift
        )
    };
    let reject = scores.reject_at.map(|at| {
        // Near the right border the name stands on the left of its line, if that is free.
        let is_alone = scores.undecided_from.is_none_or(|from| from >= at);
        let (anchor, shift) = if at > 0.8 && is_alone { ("end", 4.0) } else { ("start", -4.0) };
        line(at, "reject from", anchor, shift)
    });
    let undecided = scores
        .undecided_from
        .filter(|from| scores.reject_at.is_none_or(|at| *from < at))
        .map(|from| line(from, "undecided from", "end", -6.0));
    [undecided, reject].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strip_spans_the_interval() {
        let svg = strip(&Rate::new(5, 10));
        assert!(svg.contains("50.0 %, interval 18.7 % to 81.3 %"), "{svg}");
        assert!(svg.contains(r#"cx="110.0""#) && svg.contains("100 %</text>"), "{svg}");
        assert_eq!(strip(&Rate::new(0, 0)), "");
    }

    #[test]
    fn one_bad_part_is_seen_beside_thousands() {
        let mut scores = ScoreHistogram::default();
        scores.good[0] = 10_000;
        scores.bad[19] = 1;
        let svg = histogram(&scores);
        assert!(svg.contains("1 bad parts, score 0.95 to 1.00"), "{svg}");
        assert!(BOTTOM - height_of(1, 10_000) > 10.0);
        assert!((height_of(10_000, 10_000) - TOP).abs() < 1e-9);
    }
}
