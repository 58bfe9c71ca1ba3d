//! The frame of a chart: takes a rectangle and what its sides stand for, gives axes with round
//! numbers on them and where a value lies.

use domain::WallTime;
use egui::{
    Align2, FontId, Painter, Pos2, Rect, Response, Role, Stroke, TextStyle, Ui, WidgetInfo,
};
use egui::{pos2, vec2};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::theme::{Theme, heavy};
use crate::words::Numbers;

/// Room for the numbers beside and below a chart, points.
const LEFT: f32 = 64.0;
const BELOW: f32 = 26.0;

/// Where values lie.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// Between the axes.
    pub rect: Rect,
    x: (f64, f64),
    y: (f64, f64),
}

impl Area {
    /// Within `whole`, with room for the numbers; `x` and `y` are what its ends stand for.
    #[must_use]
    pub fn new(whole: Rect, x: (f64, f64), y: (f64, f64)) -> Self {
        let rect = Rect::from_min_max(whole.min + vec2(LEFT, 10.0), whole.max - vec2(12.0, BELOW));
        Self { rect, x, y }
    }

    /// Leaves room on the right for a second axis.
    #[must_use]
    pub fn with_right_axis(mut self) -> Self {
        self.rect.max.x -= LEFT - 12.0;
        self
    }

    /// Where (x, y) is.
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> Pos2 {
        let x = points(share(x, self.x));
        let y = points(share(y, self.y));
        pos2(self.rect.left() + x * self.rect.width(), self.rect.bottom() - y * self.rect.height())
    }

    /// What a place from left to right stands for.
    #[must_use]
    pub fn x_at(&self, place: f32) -> f64 {
        let share = f64::from((place - self.rect.left()) / self.rect.width().max(1.0));
        self.x.0 + share.clamp(0.0, 1.0) * (self.x.1 - self.x.0)
    }

    /// Lines across at `steps`, each with its number on the left.
    pub fn y_axis(&self, ui: &Ui, theme: &Theme, steps: impl IntoIterator<Item = (f64, String)>) {
        let painter = ui.painter();
        for (value, text) in steps {
            let at = self.at(self.x.0, value);
            painter.hline(self.rect.x_range(), at.y, Stroke::new(1.0, theme.line));
            let at = pos2(self.rect.left() - 8.0, at.y);
            painter.text(at, Align2::RIGHT_CENTER, text, small(ui), theme.weak);
        }
    }

    /// Numbers below at `steps`.
    pub fn x_axis(&self, ui: &Ui, theme: &Theme, steps: impl IntoIterator<Item = (f64, String)>) {
        let painter = ui.painter();
        for (value, text) in steps {
            let at = pos2(self.at(value, self.y.0).x, self.rect.bottom());
            painter.vline(at.x, at.y..=at.y + 5.0, Stroke::new(1.0, theme.weak));
            let galley = painter.layout_no_wrap(text, small(ui), theme.weak);
            // The last number stays within the card.
            let left =
                (at.x - galley.size().x / 2.0).min(self.rect.right() + 10.0 - galley.size().x);
            painter.galley(pos2(left, at.y + 7.0), galley, theme.weak);
        }
    }

    /// Days or times of day below, whichever fits.
    pub fn time_axis(&self, ui: &Ui, theme: &Theme, numbers: &Numbers, zone: &TimeZone) {
        let room = f64::from(self.rect.width() / 110.0).max(1.0);
        let (steps, is_days) = time_steps(self.x.0, self.x.1, room, zone);
        let span_s = self.x.1 - self.x.0;
        let label = |seconds: f64| {
            let at = wall(seconds);
            let text = match (is_days, span_s < 600.0) {
                (true, _) => numbers.day(at, zone),
                (false, true) => numbers.time(at, zone),
                (false, false) => numbers.hour_and_minute(at, zone),
            };
            (seconds, text)
        };
        self.x_axis(ui, theme, steps.into_iter().map(label));
    }

    /// A line through `places`.
    pub fn line(&self, painter: &Painter, places: &[(f64, f64)], stroke: Stroke) {
        let places = places.iter().map(|&(x, y)| self.at(x, y)).collect();
        painter.line(places, stroke);
    }
}

fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    if high > low { (value - low) / (high - low) } else { 0.5 }
}

/// Seconds of the wall clock, as charts count.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "to a microsecond, which no chart shows")]
pub fn seconds(at: WallTime) -> f64 {
    at.unix_ns as f64 / 1e9
}

#[expect(clippy::cast_possible_truncation, reason = "times that people live in")]
fn wall(seconds: f64) -> WallTime {
    WallTime { unix_ns: (seconds * 1e9) as i64 }
}

/// As the painter counts.
#[expect(clippy::cast_possible_truncation, reason = "places on a screen")]
pub(crate) const fn points(value: f64) -> f32 {
    value as f32
}

/// Letters of axes.
pub(crate) fn small(ui: &Ui) -> FontId {
    TextStyle::Small.resolve(ui.style())
}

/// Round numbers from `low` to `high`, about `most` of them.
#[must_use]
pub fn nice_steps(low: f64, high: f64, most: f64) -> Vec<f64> {
    let raw = (high - low) / most.max(1.0);
    if !raw.is_finite() || raw <= 0.0 {
        return vec![low];
    }
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|by| by * power);
    let step = step.into_iter().find(|step| *step >= raw * 0.999).unwrap_or(raw);
    every(low, high, step)
}

fn every(low: f64, high: f64, step: f64) -> Vec<f64> {
    let first = (low / step - 1e-9).ceil();
    let at = |i: u32| (first + f64::from(i)) * step;
    (0..64).map(at).take_while(|value| *value <= high + step * 1e-6).collect()
}

/// Round times from `low` to `high`, seconds, at most about `most`; and whether they are days.
#[must_use]
pub fn time_steps(low: f64, high: f64, most: f64, zone: &TimeZone) -> (Vec<f64>, bool) {
    const STEPS: [f64; 17] = [
        1.0,
        2.0,
        5.0,
        10.0,
        30.0,
        60.0,
        300.0,
        600.0,
        1_800.0,
        3_600.0,
        7_200.0,
        14_400.0,
        28_800.0,
        43_200.0,
        86_400.0,
        604_800.0,
        2_592_000.0,
    ];
    let raw = (high - low) / most.max(1.0);
    let step = STEPS.into_iter().find(|step| *step >= raw).unwrap_or(2_592_000.0);
    // Midnight is where the station stands.
    let offset = Timestamp::from_nanosecond(i128::from(wall(low).unix_ns))
        .map_or(0, |at| zone.to_offset(at).seconds());
    let offset = f64::from(offset);
    let steps = every(low + offset, high + offset, step);
    (steps.into_iter().map(|at| at - offset).collect(), step >= 86_400.0)
}

/// A chart's card: its title, what it is of, and `height` points to paint in. `says` is all of it
/// in words.
pub fn card(
    ui: &mut Ui,
    theme: &Theme,
    (title, note_text, says): (&str, &str, &str),
    height: f32,
    paint: impl FnOnce(&mut Ui, Rect),
) -> Response {
    let card = theme.card().show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        hushed(ui, egui::RichText::new(title).font(heavy(18.0)).color(theme.text));
        // What is only read needs no room for a finger.
        ui.spacing_mut().interact_size.y = 0.0;
        let note =
            ui.painter().layout(note_text.to_owned(), small(ui), theme.weak, ui.available_width());
        let (place, _) = ui.allocate_exact_size(note.size(), egui::Sense::hover());
        ui.painter().galley(place.min, note, theme.weak);
        ui.add_space(6.0);
        let size = vec2(ui.available_width(), height);
        let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
        let name = format!("{title}. {note_text}. {says}");
        response.widget_info(|| WidgetInfo::labeled(Role::Figure, true, &name));
        paint(ui, rect);
    });
    card.response
}

/// In place of a chart of which there is nothing.
pub fn empty(ui: &Ui, theme: &Theme, rect: Rect, text: &str) {
    let font = TextStyle::Body.resolve(ui.style());
    let galley = ui.painter().layout(text.to_owned(), font, theme.weak, rect.width() - 24.0);
    let at = rect.center() - galley.size() / 2.0;
    ui.painter().galley(at, galley, theme.weak);
}

/// In place of a whole page of which there is nothing.
pub(crate) fn vacancy(ui: &mut Ui, theme: &Theme, text: &str) {
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), egui::Sense::hover());
    named(&response, text);
    empty(ui, theme, rect.shrink2(vec2(rect.width() / 5.0, 0.0)), text);
}

/// A number over what it is, with a coloured edge; one name for who cannot see it.
pub(crate) fn figure(
    ui: &mut Ui,
    theme: &Theme,
    name: &str,
    text: &str,
    edge: Option<egui::Color32>,
) {
    let card = theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 2.0;
        hushed(ui, egui::RichText::new(text).font(heavy(30.0)).color(theme.text));
        hushed(ui, egui::RichText::new(name).small().color(theme.weak));
    });
    let rect = card.response.rect;
    if let Some(colour) = edge {
        let edge = Rect::from_min_size(rect.min + vec2(0.0, 10.0), vec2(5.0, rect.height() - 20.0));
        ui.painter().rect_filled(edge, 2.0, colour);
    }
    named(&card.response, &format!("{name}: {text}"));
}

/// What the colours stand for, at the top right: beside the card's title, or, where that leaves too
/// little room, in the chart.
pub(crate) fn key<'a>(
    ui: &Ui,
    theme: &Theme,
    rect: Rect,
    of: impl DoubleEndedIterator<Item = (&'a str, egui::Color32)> + Clone,
) {
    let painter = ui.painter();
    let wide = |name: &str| painter.layout_no_wrap(name.to_owned(), small(ui), theme.text).size().x;
    let all: f32 = of.clone().map(|(name, _)| wide(name) + 36.0).sum();
    let is_beside = all < 0.55 * rect.width();
    let y = if is_beside { ui.min_rect().top() + 11.0 } else { rect.top() + 10.0 };
    let mut right = rect.right() - 12.0;
    for (name, colour) in of.rev() {
        let place = painter.text(pos2(right, y), Align2::RIGHT_CENTER, name, small(ui), theme.text);
        let dot = Rect::from_center_size(pos2(place.left() - 12.0, y), vec2(12.0, 12.0));
        painter.rect_filled(dot, 3.0, colour);
        right = dot.left() - 18.0;
    }
}

/// Letters that are part of something with a name of its own, see [`named`].
pub(crate) fn hushed(ui: &mut Ui, text: egui::RichText) {
    let galley = egui::WidgetText::from(text).into_galley(
        ui,
        Some(egui::TextWrapMode::Truncate),
        ui.available_width(),
        TextStyle::Body,
    );
    let (rect, _) = ui.allocate_exact_size(galley.size(), egui::Sense::hover());
    ui.painter().galley(rect.min, galley, ui.visuals().text_color());
}

/// Lines as close as reading wants them: nothing in here is touched.
pub(crate) fn tight(ui: &mut Ui) {
    let spacing = ui.spacing_mut();
    (spacing.item_spacing.y, spacing.interact_size.y) = (6.0, 22.0);
}

/// Says for who cannot see it what `response` shows.
pub(crate) fn named(response: &Response, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(nice_steps(0.0, 1.0, 5.0), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(nice_steps(0.0, 47.0, 5.0), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(nice_steps(3.0, 3.0, 5.0), [3.0]);
    }

    #[test]
    fn times_are_round_where_the_station_stands() {
        let india = TimeZone::fixed(jiff::tz::Offset::from_seconds(19_800).unwrap());
        let (steps, is_days) = time_steps(1_000_000.0, 1_000_000.0 + 4.0 * 86_400.0, 5.0, &india);
        assert!(is_days && steps.iter().all(|at| (at + 19_800.0) % 86_400.0 == 0.0), "{steps:?}");
        let (steps, is_days) = time_steps(100.0, 160.0, 6.0, &TimeZone::UTC);
        assert_eq!(
            (steps, is_days),
            (vec![100.0, 110.0, 120.0, 130.0, 140.0, 150.0, 160.0], false)
        );
    }

    #[test]
    fn values_lie_where_they_are_read() {
        let whole = Rect::from_min_size(pos2(0.0, 0.0), vec2(476.0, 136.0));
        let area = Area::new(whole, (0.0, 1.0), (0.0, 10.0));
        let at = area.at(0.25, 10.0);
        assert!((area.x_at(at.x) - 0.25).abs() < 1e-6 && (at.y - area.rect.top()).abs() < 1e-3);
    }
}
