//! The p-chart: takes parts by subgroup, gives the share thrown out with its centre line and the
//! limits within which chance alone keeps it.
//!
//! D. C. Montgomery, "Introduction to Statistical Quality Control", on control charts for the
//! fraction nonconforming: the centre line is p̄ over all subgroups, the limits of a subgroup of n
//! are p̄ ± 3·√(p̄(1−p̄)/n), cut off at 0 and 1.

use domain::WallTime;
use egui::{Rect, Shape, Stroke, Ui, pos2};
use jiff::tz::TimeZone;

use super::area::{Area, nice_steps, points, seconds};
use crate::theme::Theme;
use crate::words::Numbers;

/// Parts that came one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subgroup {
    /// When it begins.
    pub start: WallTime,
    /// How many parts.
    pub of: u64,
    /// How many of them were thrown out.
    pub out: u64,
}

/// A subgroup and its limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When it begins.
    pub start: WallTime,
    /// How many parts.
    pub of: u64,
    /// Share of them that was thrown out.
    pub share: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

impl Point {
    /// Whether chance alone hardly explains it.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.share > self.high || self.share < self.low
    }
}

/// A p-chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Control {
    /// Share thrown out over all.
    pub centre: f64,
    /// All parts.
    pub of: u64,
    /// The subgroups that have parts.
    pub points: Vec<Point>,
}

impl Control {
    /// The chart of `subgroups`; those without parts are left out.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of parts are far below 2^52")]
    pub fn of(subgroups: &[Subgroup]) -> Self {
        let of: u64 = subgroups.iter().map(|group| group.of).sum();
        let out: u64 = subgroups.iter().map(|group| group.out).sum();
        if of == 0 {
            return Self::default();
        }
        let centre = out as f64 / of as f64;
        let point = |group: &Subgroup| {
            let n = group.of as f64;
            let reach = 3.0 * (centre * (1.0 - centre) / n).sqrt();
            Point {
                start: group.start,
                of: group.of,
                share: group.out as f64 / n,
                low: (centre - reach).max(0.0),
                high: (centre + reach).min(1.0),
            }
        };
        let points = subgroups.iter().filter(|group| group.of > 0).map(point).collect();
        Self { centre, of, points }
    }

    /// How many points are out of their limits.
    #[must_use]
    pub fn out_count(&self) -> usize {
        self.points.iter().filter(|point| point.is_out()).count()
    }

    /// Paints it into `rect`; `period_s` is how long a subgroup lasts.
    pub(crate) fn paint(
        &self,
        ui: &Ui,
        theme: &Theme,
        rect: Rect,
        (numbers, zone, period_s): (&Numbers, &TimeZone, f64),
    ) {
        let top = self.points.iter().map(|point| point.share.max(point.high)).fold(0.01, f64::max);
        let top = (top * 1.1).min(1.0);
        let area = Area::new(rect, time_span(&self.points, period_s), (0.0, top));
        let percent = |share: f64| (share, numbers.percent(share, usize::from(top < 0.05)));
        area.y_axis(ui, theme, nice_steps(0.0, top, 4.0).into_iter().map(percent));
        area.time_axis(ui, theme, numbers, zone);
        let painter = ui.painter();
        for point in &self.points {
            let from = seconds(point.start);
            for limit in [point.low, point.high] {
                let ends = [area.at(from, limit), area.at(from + period_s, limit)];
                painter.line_segment(ends, Stroke::new(1.5, theme.undecided_ink));
            }
        }
        if let Some(last) = self.points.last() {
            for (limit, name) in [(last.high, "+3σ"), (last.low, "−3σ")] {
                let at = area.at(seconds(last.start) + period_s, limit);
                let corner = at - egui::vec2(2.0, 2.0);
                let align = egui::Align2::RIGHT_BOTTOM;
                painter.text(corner, align, name, super::small(ui), theme.undecided_ink);
            }
        }
        let y = area.at(0.0, self.centre).y;
        painter.hline(area.rect.x_range(), y, Stroke::new(1.5, theme.weak));
        let places: Vec<_> =
            self.points.iter().map(|p| (seconds(p.start) + period_s / 2.0, p.share)).collect();
        area.line(painter, &places, Stroke::new(2.0, theme.series));
        for (point, &(x, share)) in self.points.iter().zip(&places) {
            let at = area.at(x, share);
            if point.is_out() {
                // A shape of its own too: colour alone is not seen by everybody.
                let corner = |dx: f32, dy: f32| pos2(at.x + dx, at.y + dy);
                let corners =
                    vec![corner(0., -9.), corner(9., 0.), corner(0., 9.), corner(-9., 0.)];
                let edge = Stroke::new(2.0, theme.text);
                painter.add(Shape::convex_polygon(corners, theme.reject, edge));
            } else {
                painter.circle_filled(at, 4.0, theme.series);
            }
        }
    }
}

/// From the first to the end of the last.
pub(super) fn time_span(of: &[Point], period_s: f64) -> (f64, f64) {
    let first = of.first().map_or(0.0, |point| seconds(point.start));
    let last = of.last().map_or(1.0, |point| seconds(point.start));
    (first, last + period_s)
}

/// Width of bars, points, with a little room between.
pub(super) fn bar_width(area: &Area, period: f64, x: f64) -> f32 {
    (area.at(x + period, 0.0).x - area.at(x, 0.0).x - points(2.0)).max(2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(index: usize, of: u64, out: u64) -> Subgroup {
        let start = WallTime { unix_ns: i64::try_from(index).unwrap() * 1_000_000_000 };
        Subgroup { start, of, out }
    }

    /// Montgomery, 6th edition, example 7.1: cans of frozen orange juice, 30 samples of 50.
    #[test]
    fn the_published_example_comes_out() {
        let out = [
            12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15,
            9, 12, 7, 13, 9, 6,
        ];
        let groups: Vec<_> = out.iter().enumerate().map(|(i, &out)| group(i, 50, out)).collect();
        let chart = Control::of(&groups);
        assert!((chart.centre - 0.2313).abs() < 5e-5, "{}", chart.centre);
        assert!((chart.points[0].high - 0.4102).abs() < 5e-5, "{}", chart.points[0].high);
        assert!((chart.points[0].low - 0.0524).abs() < 5e-5, "{}", chart.points[0].low);
        let outside: Vec<_> = (1..=30).filter(|i| chart.points[i - 1].is_out()).collect();
        assert_eq!(outside, [15, 23], "samples 15 and 23, as in the book");
        assert_eq!((chart.of, chart.out_count()), (1_500, 2));
    }

    #[test]
    fn limits_follow_the_size_of_the_subgroup_and_stop_at_0() {
        let chart = Control::of(&[group(0, 1_000, 20), group(1, 0, 0), group(2, 10, 0)]);
        assert_eq!(chart.points.len(), 2, "nothing is said of a subgroup without parts");
        assert!(chart.points[1].high > chart.points[0].high);
        assert_eq!(chart.points[1].low, 0.0);
        assert_eq!(chart.out_count(), 0);
    }

    #[test]
    fn without_parts_there_is_no_chart() {
        assert_eq!(Control::of(&[group(0, 0, 0)]), Control::default());
        let chart = Control::of(&[group(0, 1, 0)]);
        assert_eq!((chart.centre, chart.out_count()), (0.0, 0));
    }
}
