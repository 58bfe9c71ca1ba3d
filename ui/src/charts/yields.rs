//! Yield over time: takes parts by subgroup, gives the share that was let through.

use egui::{Rect, Stroke, Ui, pos2};
use jiff::tz::TimeZone;

use super::area::{Area, nice_steps, seconds};
use super::control::{Control, bar_width, time_span};
use crate::theme::Theme;
use crate::words::Numbers;

impl Control {
    /// Paints the yield, which is what is left, into `rect`; the bars at the bottom are how many
    /// parts there were.
    pub(crate) fn paint_yield(
        &self,
        ui: &Ui,
        theme: &Theme,
        rect: Rect,
        (numbers, zone, period_s): (&Numbers, &TimeZone, f64),
    ) {
        let worst = self.points.iter().map(|point| point.share).fold(0.0, f64::max);
        // Yields live near 100 %, and the foot of the chart says where it begins.
        let foot = ((1.0 - worst) * 10.0 - 1.5).floor().clamp(0.0, 9.0) / 10.0;
        let area = Area::new(rect, time_span(&self.points, period_s), (foot, 1.0));
        let percent = |share: f64| (share, numbers.percent(share, 0));
        area.y_axis(ui, theme, nice_steps(foot, 1.0, 4.0).into_iter().map(percent));
        area.time_axis(ui, theme, numbers, zone);
        let painter = ui.painter();
        let most = self.points.iter().map(|point| point.of).max().unwrap_or(1);
        for point in &self.points {
            let at = area.at(seconds(point.start), foot);
            #[expect(clippy::cast_precision_loss, reason = "heights of bars")]
            let height = 0.25 * area.rect.height() * point.of as f32 / most as f32;
            let width = bar_width(&area, period_s, seconds(point.start));
            let bar = Rect::from_min_max(pos2(at.x, at.y - height), pos2(at.x + width, at.y));
            painter.rect_filled(bar, 2.0, theme.button);
        }
        let middle = period_s / 2.0;
        let places: Vec<_> =
            self.points.iter().map(|p| (seconds(p.start) + middle, 1.0 - p.share)).collect();
        area.line(painter, &places, Stroke::new(2.5, theme.series));
        for &(x, share) in &places {
            painter.circle_filled(area.at(x, share), 3.5, theme.series);
        }
    }
}
