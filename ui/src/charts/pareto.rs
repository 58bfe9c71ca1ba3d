//! The Pareto chart: takes how many parts each class has, gives them the most frequent first, with
//! the share that they make up together.

use std::sync::Arc;

use egui::{Align2, Rect, Stroke, Ui, pos2};

use super::area::{Area, nice_steps, points, small};
use crate::theme::Theme;
use crate::words::Numbers;

/// Bars besides the one for all others.
const BARS: usize = 7;

/// A class.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Its name.
    pub name: Arc<str>,
    /// Parts.
    pub count: u64,
    /// Share of all parts that it and those before it make up.
    pub up_to: f64,
}

/// A Pareto chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pareto {
    /// All parts.
    pub of: u64,
    /// The most frequent first; what is rare stands together at the end.
    pub bars: Vec<Bar>,
}

impl Pareto {
    /// The chart of `counts`; what is rare is called `others`.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of parts are far below 2^52")]
    pub fn of(mut counts: Vec<(Arc<str>, u64)>, others: &str) -> Self {
        counts.retain(|(_, count)| *count > 0);
        counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        if counts.len() > BARS + 1 {
            let rest = counts.drain(BARS..).map(|(_, count)| count).sum();
            counts.push((others.into(), rest));
        }
        let of: u64 = counts.iter().map(|(_, count)| count).sum();
        let mut sum = 0;
        let bar = |(name, count)| {
            sum += count;
            Bar { name, count, up_to: sum as f64 / of as f64 }
        };
        Self { of, bars: counts.into_iter().map(bar).collect() }
    }

    /// Paints it into `rect`.
    #[expect(clippy::cast_precision_loss, reason = "heights of bars")]
    pub(crate) fn paint(&self, ui: &Ui, theme: &Theme, rect: Rect, numbers: &Numbers) {
        let (columns, top) = (self.bars.len() as f64, self.of.max(1) as f64);
        let area = Area::new(rect, (0.0, columns), (0.0, top)).with_right_axis();
        let steps = nice_steps(0.0, top, 4.0).into_iter().filter(|step| step.fract() == 0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole counts")]
        let steps = steps.map(|step| (step, numbers.count(step as u64)));
        area.y_axis(ui, theme, steps);
        let painter = ui.painter();
        for share in [0.0, 0.5, 1.0] {
            let at = pos2(area.rect.right() + 8.0, area.at(0.0, share * top).y);
            let text = numbers.percent(share, 0);
            painter.text(at, Align2::LEFT_CENTER, text, small(ui), theme.weak);
        }
        let mut places = Vec::new();
        for (index, bar) in self.bars.iter().enumerate() {
            let x = index as f64;
            let corner = area.at(x + 0.14, bar.count as f64);
            let column = Rect::from_two_pos(corner, area.at(x + 0.86, 0.0));
            painter.rect_filled(column, 3.0, theme.series);
            let count = numbers.count(bar.count);
            let above = pos2(column.center().x, column.top() - 3.0);
            painter.text(above, Align2::CENTER_BOTTOM, count, small(ui), theme.text);
            let width = area.rect.width() / points(columns) - 6.0;
            name_below(ui, theme, &bar.name, pos2(column.center().x, area.rect.bottom()), width);
            places.push((x + 0.5, bar.up_to * top));
        }
        area.line(painter, &places, Stroke::new(2.0, theme.undecided_ink));
        for &(x, y) in &places {
            let at = area.at(x, y);
            painter.circle(at, 4.5, theme.card, Stroke::new(2.0, theme.undecided_ink));
        }
    }
}

/// A name below a bar, cut where the next begins.
pub(super) fn name_below(ui: &Ui, theme: &Theme, name: &str, at: egui::Pos2, width: f32) {
    let mut job = egui::text::LayoutJob::simple_singleline(name.to_owned(), small(ui), theme.text);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    let galley = ui.painter().layout_job(job);
    let at = pos2(at.x - galley.size().x / 2.0, at.y + 6.0);
    ui.painter().galley(at, galley, theme.text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_comes_first_and_all_make_up_the_whole() {
        let counts = [("dent", 3), ("scratch", 5), ("none", 0), ("chip", 2)];
        let counts = counts.map(|(name, count)| (Arc::from(name), count)).to_vec();
        let chart = Pareto::of(counts, "others");
        let shares: Vec<_> = chart.bars.iter().map(|bar| (&*bar.name, bar.up_to)).collect();
        assert_eq!(shares, [("scratch", 0.5), ("dent", 0.8), ("chip", 1.0)]);
        assert_eq!(chart.of, 10);
        assert_eq!(Pareto::of(vec![], "others"), Pareto::default());
    }

    #[test]
    fn what_is_rare_stands_together() {
        let counts = (0..12).map(|i| (Arc::from(format!("c{i:02}")), 20 - i)).collect();
        let chart = Pareto::of(counts, "others");
        assert_eq!(chart.bars.len(), BARS + 1);
        let last = chart.bars.last().unwrap();
        assert_eq!((&*last.name, last.count, last.up_to), ("others", 13 + 12 + 11 + 10 + 9, 1.0));
    }
}
