//! Bars: a score against its limits, and times against a deadline.

use egui::{Align2, Color32, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::sign::ring;
use crate::theme::{Theme, heavy, plain};

/// A mark on a bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Marker {
    /// Where, as a share of the bar, 0..=1.
    pub at: f32,
    /// What it is.
    pub name: String,
    /// Its colour.
    pub ink: Color32,
}

/// A bar filled up to `value`, a share of it, with one mark below it: a limit. What is said of the
/// value stands over it.
pub fn bar(ui: &mut Ui, theme: &Theme, value: &Marker, limit: &Marker, width: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 66.0), Sense::hover());
    let painter = ui.painter_at(rect.expand(2.0));
    let track = Rect::from_min_size(rect.min + vec2(0.0, 24.0), vec2(width, 16.0));
    painter.rect_filled(track, 4.0, theme.button);
    let x = |share: f32| track.left() + track.width() * share.clamp(0.0, 1.0);
    let filled = Rect::from_min_max(track.min, pos2(x(value.at), track.bottom()));
    painter.rect_filled(filled, 4.0, value.ink);
    let limit_at = x(limit.at);
    let line = [pos2(limit_at, track.top() - 4.0), pos2(limit_at, track.bottom() + 4.0)];
    painter.line_segment(line, Stroke::new(3.0, limit.ink));
    let tip = ring(pos2(limit_at, track.bottom() + 7.0), 6.0, 3, -std::f32::consts::FRAC_PI_2);
    painter.add(egui::Shape::convex_polygon(tip, limit.ink, Stroke::NONE));
    let beside = |ink, at: f32, y: f32, font, name: &str| {
        let galley = painter.layout_no_wrap(name.to_owned(), font, ink);
        let left = (at - galley.size().x / 2.0).clamp(rect.left(), rect.right() - galley.size().x);
        painter.galley(pos2(left, y), galley, ink);
    };
    beside(value.ink, x(value.at), rect.top(), heavy(16.0), &value.name);
    beside(theme.weak, limit_at, track.bottom() + 11.0, plain(14.0), &limit.name);
    let spoken = format!("{} {}", value.name, limit.name);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &spoken));
    response
}

/// Times on a scale that ends a little behind the deadline: a band from the shortest to the
/// longest, a mark each, and the deadline.
pub struct TimeGauge<'a> {
    /// Median, 99th percentile and longest, milliseconds.
    pub marks_ms: [f64; 3],
    /// Their names.
    pub names: [&'a str; 3],
    /// The deadline, milliseconds, and its name.
    pub deadline_ms: f64,
    /// Its name.
    pub deadline: &'a str,
}

impl TimeGauge<'_> {
    /// Shows it, `width` wide.
    pub fn show(&self, ui: &mut Ui, theme: &Theme, width: f32) -> Response {
        let (rect, response) = ui.allocate_exact_size(vec2(width, 62.0), Sense::hover());
        let painter = ui.painter_at(rect.expand(2.0));
        let track = Rect::from_min_size(rect.min + vec2(0.0, 22.0), vec2(width, 16.0));
        let end_ms = self.deadline_ms.max(self.marks_ms[2]) * 1.06;
        #[expect(clippy::cast_possible_truncation, reason = "a place on a screen")]
        let x = |ms: f64| track.left() + track.width() * (ms / end_ms).clamp(0.0, 1.0) as f32;
        painter.rect_filled(track, 4.0, theme.button);
        let inks = [theme.pass_ink, theme.undecided_ink, theme.text];
        let until = |ms: f64| Rect::from_min_max(track.min, pos2(x(ms), track.bottom()));
        let is_late = self.marks_ms[2] > self.deadline_ms;
        let longest = if is_late { theme.reject_ink } else { inks[0] };
        painter.rect_filled(until(self.marks_ms[2]), 4.0, longest.gamma_multiply(0.30));
        painter.rect_filled(until(self.marks_ms[1]), 4.0, inks[0].gamma_multiply(0.55));
        painter.rect_filled(until(self.marks_ms[0]), 4.0, inks[0]);
        let deadline_at = x(self.deadline_ms);
        let line = [pos2(deadline_at, track.top() - 6.0), pos2(deadline_at, track.bottom() + 6.0)];
        painter.line_segment(line, Stroke::new(3.0, theme.reject_ink));
        let place = pos2(deadline_at.min(rect.right()), rect.top());
        painter.text(place, Align2::RIGHT_TOP, self.deadline, plain(14.0), theme.weak);
        let third = width / 3.0;
        for ((name, index), align) in self.names.iter().zip(0_u8..).zip([
            Align2::LEFT_BOTTOM,
            Align2::CENTER_BOTTOM,
            Align2::RIGHT_BOTTOM,
        ]) {
            let share = f32::from(index) / 2.0;
            let at = pos2(rect.left() + 3.0 * third * share, rect.bottom());
            painter.text(at, align, name, plain(14.0), theme.text);
        }
        let spoken = format!("{} {}", self.names.join(" "), self.deadline);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &spoken));
        response
    }
}
