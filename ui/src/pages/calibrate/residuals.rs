//! What a lens leaves, as a picture: a stroke a point, from where it was found, so much longer than
//! the error as can be seen.

use domain::{PointPx, SizePx};
use egui::{Painter, Stroke};

use crate::canvas::lens::Sight;
use crate::theme::Theme;

/// A stroke of usual length is at most such a share of the frame's diagonal.
const SHARE: f64 = 0.06;
/// No power of ten is higher.
const MOST: i32 = 6;

/// The points that can be drawn, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Strokes {
    /// From where, and the error, both in frame pixels.
    pub all: Vec<(PointPx, PointPx)>,
    /// How many times as long as the error a stroke is: a power of ten.
    pub scale: f32,
    /// Length of the largest error, pixels.
    pub largest_px: f32,
}

impl Strokes {
    /// Of `residuals` in a frame of `size`; what is no number is left out.
    pub fn of(residuals: &[(PointPx, PointPx)], size: SizePx) -> Self {
        let is_number = |at: &PointPx| at.x.is_finite() && at.y.is_finite();
        let all: Vec<_> = residuals
            .iter()
            .copied()
            .filter(|(at, error)| is_number(at) && is_number(error))
            .collect();
        let mut lengths: Vec<f32> = all.iter().map(|(_, error)| error.x.hypot(error.y)).collect();
        lengths.sort_by(f32::total_cmp);
        let largest_px = lengths.last().copied().unwrap_or(0.0);
        let usual = lengths.get(lengths.len() * 9 / 10).copied().unwrap_or(0.0);
        let diagonal = f64::from(size.width).hypot(f64::from(size.height));
        Self { all, scale: power_of_ten(SHARE * diagonal / f64::from(usual)), largest_px }
    }

    /// Draws them.
    pub fn paint(&self, painter: &Painter, theme: &Theme, sight: &Sight) {
        for &(at, error) in &self.all {
            let to = PointPx { x: at.x + self.scale * error.x, y: at.y + self.scale * error.y };
            let [from, to] = [at, to].map(|place| sight.to_screen(place));
            let is_large = error.x.hypot(error.y) * 2.0 > self.largest_px * 1.5;
            let ink = if is_large { theme.undecided_ink } else { theme.series };
            painter.line_segment([from, to], Stroke::new(2.0, ink));
            painter.circle_filled(from, 2.5, ink);
        }
    }
}

/// The largest power of ten that is at most `most`, at least 1.
fn power_of_ten(most: f64) -> f32 {
    (0..=MOST).map(|power| 10.0_f64.powi(power)).rfind(|&scale| scale <= most).map_or(
        1.0,
        |scale| {
            #[expect(clippy::cast_possible_truncation, reason = "a power of ten up to a million")]
            let scale = scale as f32;
            scale
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn residuals(error: f32) -> Vec<(PointPx, PointPx)> {
        let at = |number: u16| PointPx { x: f32::from(number) * 7.0, y: f32::from(number) * 3.0 };
        (0..100).map(|number| (at(number), PointPx { x: error, y: 0.0 })).collect()
    }

    #[test]
    fn strokes_are_long_enough_to_be_seen_and_never_cover_the_picture() {
        let size = SizePx::new(1000, 750);
        for (error, scale) in [(0.005, 10_000.0), (0.06, 1_000.0), (0.5, 100.0), (90.0, 1.0)] {
            let strokes = Strokes::of(&residuals(error), size);
            assert_eq!(strokes.scale, scale, "{error}");
            assert!(strokes.scale == 1.0 || error * strokes.scale <= 75.0);
        }
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let mut odd = residuals(0.1);
        odd[3].1.x = f32::NAN;
        odd[4].0.y = f32::INFINITY;
        let strokes = Strokes::of(&odd, SizePx::new(0, 0));
        assert_eq!((strokes.all.len(), strokes.scale), (98, 1.0));
        let none = Strokes::of(&[], SizePx::new(640, 480));
        assert_eq!((none.largest_px, none.all.len()), (0.0, 0));
        assert!(none.scale.is_finite());
    }
}
