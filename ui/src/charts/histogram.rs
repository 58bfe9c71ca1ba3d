//! The score histogram: takes the scores of parts and what people said of them, gives bars on a
//! logarithmic scale, with the limits as grips to be dragged.

use egui::{Align2, Color32, CursorIcon, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::area::{Area, points, small};
use crate::theme::{TOUCH, Theme};
use crate::words::Numbers;

/// Bars from 0 to 1.
const BINS: usize = 25;
/// Of a grip, points.
const GRIP_WIDTH: f32 = 132.0;

/// What people said of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mass {
    /// Nothing.
    Unlabelled,
    /// It is good.
    Good,
    /// It is bad.
    Bad,
}

/// How many parts have which score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bins {
    counts: [[u64; BINS]; 3],
}

impl Bins {
    /// Counts a part.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to BINS")]
    pub fn add(&mut self, score: f32, mass: Mass) {
        let bin = (score.clamp(0.0, 1.0) * 25.0) as usize;
        self.counts[mass as usize][bin.min(BINS - 1)] += 1;
    }

    /// Parts of which people said that.
    #[must_use]
    pub fn of(&self, mass: Mass) -> u64 {
        self.counts[mass as usize].iter().sum()
    }

    /// Parts with a score in bar `bin`.
    #[must_use]
    pub const fn at(&self, mass: Mass, bin: usize) -> u64 {
        self.counts[mass as usize][bin]
    }
}

/// A limit that can be dragged.
pub struct Grip<'a> {
    /// Where it is.
    pub at: f32,
    /// What it is called.
    pub name: &'a str,
    /// Its colour, and that of the letters on it.
    pub colours: (Color32, Color32),
}

/// The chart.
pub struct Histogram<'a> {
    /// What it shows.
    pub bins: &'a Bins,
    /// From where parts are undecided; its grip is below.
    pub undecided_from: Grip<'a>,
    /// From where parts are rejected; its grip is above.
    pub reject_at: Grip<'a>,
    /// How numbers are written.
    pub numbers: &'a Numbers,
}

impl Histogram<'_> {
    /// How high it has to be.
    pub(crate) const HEIGHT: f32 = 276.0;

    /// Paints it into `rect`; gives where `undecided_from` and `reject_at` were dragged to.
    pub(crate) fn show(&self, ui: &Ui, theme: &Theme, rect: Rect) -> [Option<f32>; 2] {
        let inner = rect.shrink2(vec2(0.0, TOUCH + 2.0));
        let top = self.top();
        let area = Area::new(inner, (0.0, 1.0), (0.0, height(top)));
        self.zones(ui, theme, &area);
        let steps = [0, 1, 10, 100, 1_000, 10_000].into_iter().filter(|step| *step <= top);
        area.y_axis(ui, theme, steps.map(|step| (height(step), self.numbers.count(step))));
        let tenths = (0..=5).map(|i| f64::from(i) / 5.0);
        area.x_axis(ui, theme, tenths.map(|x| (x, self.numbers.real(x, 1))));
        self.bars(ui, theme, &area);
        let below = rect.bottom() - TOUCH / 2.0;
        let above = rect.top() + TOUCH / 2.0;
        [
            self.grip(ui, &area, &self.undecided_from, below),
            self.grip(ui, &area, &self.reject_at, above),
        ]
    }

    fn top(&self) -> u64 {
        self.bins.counts.iter().flatten().copied().max().unwrap_or(0).max(10)
    }

    fn zones(&self, ui: &Ui, theme: &Theme, area: &Area) {
        let (from, at) = (f64::from(self.undecided_from.at), f64::from(self.reject_at.at));
        for (left, right, colour) in
            [(0.0, from, theme.pass), (from, at, theme.undecided), (at, 1.0, theme.reject)]
        {
            let x = |value| area.at(value, 0.0).x;
            let zone = Rect::from_x_y_ranges(x(left)..=x(right), area.rect.y_range());
            ui.painter().rect_filled(zone, 0.0, colour.gamma_multiply(0.14));
        }
    }

    /// The three kinds stand side by side: one on top of the other can't be read off a
    /// logarithmic scale.
    fn bars(&self, ui: &Ui, theme: &Theme, area: &Area) {
        let width = area.rect.width() / points(25.0);
        let colours = [theme.weak, theme.pass_ink, theme.reject_ink];
        for (place, (counts, colour)) in self.bins.counts.iter().zip(colours).enumerate() {
            let mut left = area.rect.left() + width * (0.08 + 0.28 * [0.0, 1.0, 2.0][place]);
            for &count in counts {
                if count > 0 {
                    let y = area.at(0.0, height(count)).y;
                    let bar = Rect::from_min_max(
                        pos2(left, y),
                        pos2(left + width * 0.26, area.rect.bottom()),
                    );
                    ui.painter().rect_filled(bar, 1.5, colour);
                }
                left += width;
            }
        }
    }

    fn grip(&self, ui: &Ui, area: &Area, grip: &Grip<'_>, y: f32) -> Option<f32> {
        let x = area.at(f64::from(grip.at), 0.0).x;
        let painter = ui.painter();
        let (fill, ink) = grip.colours;
        let near = if y > area.rect.bottom() { y } else { area.rect.bottom() };
        painter.vline(x, y.min(area.rect.top())..=near, Stroke::new(3.0, fill));
        let half = GRIP_WIDTH / 2.0;
        let middle = x.clamp(area.rect.left() + half - 40.0, area.rect.right() - half + 10.0);
        let tab = Rect::from_center_size(pos2(middle, y), vec2(GRIP_WIDTH, TOUCH));
        let response = ui.interact(tab, ui.scope_id().with(grip.name), Sense::drag());
        let value = self.numbers.real(f64::from(grip.at), 2);
        painter.rect_filled(tab.shrink2(vec2(0.0, 5.0)), 8.0, fill);
        let text = format!("{} {value}", grip.name);
        painter.text(tab.center(), Align2::CENTER_CENTER, text, small(ui), ink);
        let name = grip.name.to_owned();
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Slider, true, &name);
            info.value = Some(f64::from(grip.at));
            info
        });
        let response = response.on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
        let to = response.dragged().then(|| response.interact_pointer_pos()).flatten()?;
        Some(rounded(points(area.x_at(to.x))))
    }
}

/// To a hundredth, which is as fine as a limit needs to be.
#[must_use]
pub(crate) fn rounded(value: f32) -> f32 {
    (value.clamp(0.0, 1.0) * 100.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "heights of bars")]
fn height(count: u64) -> f64 {
    (1.0 + count as f64).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_has_one_bar() {
        let mut bins = Bins::default();
        for score in [0.0, 0.039, 0.04, 0.6, 1.0, f32::NAN] {
            bins.add(score, Mass::Bad);
        }
        assert_eq!((bins.at(Mass::Bad, 0), bins.at(Mass::Bad, 1)), (3, 1));
        assert_eq!((bins.at(Mass::Bad, 15), bins.at(Mass::Bad, 24)), (1, 1));
        assert_eq!((bins.of(Mass::Bad), bins.of(Mass::Good)), (6, 0));
    }

    #[test]
    fn limits_are_hundredths() {
        assert_eq!([rounded(0.614_9), rounded(-1.0), rounded(7.0)], [0.61, 0.0, 1.0]);
    }
}
