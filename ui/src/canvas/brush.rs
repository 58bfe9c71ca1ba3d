//! Pixels painted by hand: takes strokes, gives a [`Mask`] over the least rectangle that holds
//! them. A pixel is painted when its middle is within the brush's radius of the stroke.

use domain::{Mask, PointPx, RectPx};

/// Radius of the brush, in pixels of the frame: wherever it touches, it paints.
pub const RADIUS_MIN_PX: f32 = 0.75;
/// Larger than this is a polygon's work.
pub const RADIUS_MAX_PX: f32 = 200.0;

/// Pixels that may be painted, each on or off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paint {
    covers: RectPx,
    on: Vec<bool>,
    /// All that is painted lies in here, so that little of a large picture is searched.
    touched: Option<RectPx>,
}

impl Paint {
    /// Nothing painted on `covers`.
    #[must_use]
    pub fn new(covers: RectPx) -> Self {
        Self { covers, on: vec![false; len(covers)], touched: None }
    }

    /// What `mask` means on `covers`; what lies outside is cut off.
    #[must_use]
    pub fn of(covers: RectPx, mask: &Mask) -> Self {
        let mut paint = Self::new(covers);
        paint.touch(mask.area);
        for (row, from, to) in runs(mask) {
            let (from, to) = (from.max(covers.x), to.min(covers.right()));
            if row >= covers.y && row < covers.bottom() && from < to {
                let start = paint.place(from, row);
                paint.on[start..start + (to - from) as usize].fill(true);
            }
        }
        paint
    }

    /// Paints, or erases, along a straight stroke.
    pub fn stroke(&mut self, from: PointPx, to: PointPx, radius_px: f32, erases: bool) {
        let covers = self.covers;
        let reach = radius_px.max(0.5);
        let (top, bottom) =
            span(from.y.min(to.y) - reach, from.y.max(to.y) + reach, covers.y, covers.bottom());
        let (left, right) =
            span(from.x.min(to.x) - reach, from.x.max(to.x) + reach, covers.x, covers.right());
        self.touch(RectPx::from_corners(left, top, right, bottom));
        for y in top..bottom {
            for x in left..right {
                if away(from, to, middle(x, y)) <= reach * reach {
                    let place = self.place(x, y);
                    self.on[place] = !erases;
                }
            }
        }
    }

    /// What is painted; `None` when nothing is.
    #[must_use]
    pub fn mask(&self) -> Option<Mask> {
        let area = self.bounds()?;
        let row = |y: u32| {
            let start = self.place(area.x, y);
            &self.on[start..start + area.width as usize]
        };
        Some(Mask::from_bits(area, (area.y..area.bottom()).flat_map(row).copied()))
    }

    fn touch(&mut self, area: RectPx) {
        if let Some(area) = area.intersection(&self.covers) {
            self.touched = Some(self.touched.map_or(area, |touched| touched.union(&area)));
        }
    }

    /// The least rectangle that holds all that is painted.
    fn bounds(&self) -> Option<RectPx> {
        let touched = self.touched?;
        let mut found: Option<RectPx> = None;
        for y in touched.y..touched.bottom() {
            let start = self.place(touched.x, y);
            let row = &self.on[start..start + touched.width as usize];
            let Some(first) = row.iter().position(|&on| on) else { continue };
            let last = row.iter().rposition(|&on| on).unwrap_or(first);
            let column = |by| touched.x + u32::try_from(by).unwrap_or(0);
            let row = RectPx::from_corners(column(first), y, column(last + 1), y + 1);
            found = Some(found.map_or(row, |found| found.union(&row)));
        }
        found
    }

    fn place(&self, x: u32, y: u32) -> usize {
        (y - self.covers.y) as usize * self.covers.width as usize + (x - self.covers.x) as usize
    }
}

/// The runs of a mask: row, first column, column after the last.
pub fn runs(mask: &Mask) -> impl Iterator<Item = (u32, u32, u32)> + '_ {
    let RectPx { x, y, width, .. } = mask.area;
    let all = mask.area.area();
    let mut at = 0_u64;
    let stretches = mask.counts.iter().enumerate().filter_map(move |(position, &count)| {
        let from = at;
        at += u64::from(count);
        (position % 2 == 1 && from < all).then_some((from, at.min(all)))
    });
    stretches.flat_map(move |(from, to)| {
        let wide = u64::from(width.max(1));
        let rows = if from == to { 0..0 } else { from / wide..(to - 1) / wide + 1 };
        rows.filter_map(move |row| {
            let start = from.max(row * wide) - row * wide;
            let end = to.min((row + 1) * wide) - row * wide;
            let column = |by: u64| u32::try_from(by).ok().and_then(|by| x.checked_add(by));
            let row = u32::try_from(row).ok().and_then(|row| y.checked_add(row))?;
            Some((row, column(start)?, column(end)?))
        })
    })
}

/// Those cells of a grid over `covers` that `cells` means, as pixels of the frame.
#[must_use]
pub fn of_cells(cells: &Mask, grid: (u32, u32), covers: RectPx) -> Option<Mask> {
    let mut paint = Paint::new(covers);
    let along = |cell: u32, of: u32, length: u32| {
        // A pixel belongs to the cell that its middle lies in.
        let edge = 2 * u64::from(cell.min(of)) * u64::from(length);
        u32::try_from((edge + u64::from(of)) / (2 * u64::from(of.max(1)))).unwrap_or(length)
    };
    for (row, from, to) in runs(cells) {
        let (left, right) = (along(from, grid.0, covers.width), along(to, grid.0, covers.width));
        let top = along(row, grid.1, covers.height);
        let bottom = along(row.saturating_add(1), grid.1, covers.height);
        for y in top..bottom {
            paint.touch(RectPx::from_corners(
                covers.x + left,
                covers.y + y,
                covers.x + right,
                covers.y + y + 1,
            ));
            let start = paint.place(covers.x + left, covers.y + y);
            paint.on[start..start + (right - left) as usize].fill(true);
        }
    }
    paint.mask()
}

fn len(covers: RectPx) -> usize {
    usize::try_from(covers.area()).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn middle(x: u32, y: u32) -> PointPx {
    PointPx { x: x as f32 + 0.5, y: y as f32 + 0.5 }
}

/// The pixels between two places, cut to `first..end`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn span(low: f32, high: f32, first: u32, end: u32) -> (u32, u32) {
    let within = |at: f32| at.clamp(first as f32, end as f32) as u32;
    (within(low.floor()), within(high.ceil()))
}

/// Squared distance of `at` from the stretch between two places.
fn away(from: PointPx, to: PointPx, at: PointPx) -> f32 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.mul_add(dx, dy * dy);
    let along = if length > 0.0 {
        (((at.x - from.x) * dx + (at.y - from.y) * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let (x, y) = (at.x - dx.mul_add(along, from.x), at.y - dy.mul_add(along, from.y));
    x.mul_add(x, y * y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(x: f32, y: f32) -> PointPx {
        PointPx { x, y }
    }

    fn strokes() -> impl Strategy<Value = Vec<(f32, f32, f32, f32, f32, bool)>> {
        let one = (-10.0_f32..90.0, -10.0_f32..70.0, -10.0_f32..90.0, -10.0_f32..70.0);
        let stroke = (one, 0.5_f32..12.0, prop::bool::weighted(0.25));
        prop::collection::vec(stroke.prop_map(|((a, b, c, d), r, e)| (a, b, c, d, r, e)), 1..8)
    }

    proptest! {
        #[test]
        fn what_is_painted_is_what_the_mask_says(strokes in strokes()) {
            let covers = RectPx::new(13, 7, 70, 50);
            let mut paint = Paint::new(covers);
            let at = |x: f32, y: f32| place(x + 13.0, y + 7.0);
            for &(a, b, c, d, radius, erases) in &strokes {
                paint.stroke(at(a, b), at(c, d), radius, erases);
            }
            // The same by definition, pixel for pixel.
            let is_on = |x: u32, y: u32| strokes.iter().fold(false, |on, &(a, b, c, d, r, e)| {
                if away(at(a, b), at(c, d), middle(x, y)) <= r * r { !e } else { on }
            });
            let wanted = (covers.y..covers.bottom())
                .flat_map(|y| (covers.x..covers.right()).map(move |x| (x, y)))
                .filter(|&(x, y)| is_on(x, y)).count() as u64;
            let mask = paint.mask();
            prop_assert_eq!(mask.as_ref().map_or(0, Mask::count), wanted);
            if let Some(mask) = mask {
                prop_assert!(covers.contains(&mask.area));
                prop_assert_eq!(u64::from(mask.counts.iter().sum::<u32>()), mask.area.area());
                for (row, from, to) in runs(&mask) {
                    prop_assert!((from..to).all(|x| is_on(x, row)));
                }
                prop_assert_eq!(runs(&mask).map(|(_, a, b)| u64::from(b - a)).sum::<u64>(), wanted);
                prop_assert_eq!(&Paint::of(covers, &mask).on, &paint.on);
            }
        }

        #[test]
        fn cells_cover_the_frame_once(
            (w, h) in (1_u32..60, 1_u32..60), (gw, gh) in (1_u32..20, 1_u32..20),
        ) {
            let covers = RectPx::new(5, 6, w, h);
            let mut pixels = 0;
            for y in 0..gh {
                for x in 0..gw {
                    let cell = Mask::from_bits(RectPx::new(x, y, 1, 1), [true]);
                    pixels += of_cells(&cell, (gw, gh), covers).map_or(0, |mask| mask.count());
                }
            }
            prop_assert_eq!(pixels, covers.area());
        }
    }

    #[test]
    fn nothing_painted_is_no_mask() {
        let covers = RectPx::new(0, 0, 9, 9);
        let mut paint = Paint::new(covers);
        assert_eq!(paint.mask(), None);
        paint.stroke(place(4.5, 4.5), place(4.5, 4.5), 2.0, false);
        assert_eq!(paint.mask().unwrap().area, RectPx::new(2, 2, 5, 5));
        paint.stroke(place(4.5, 4.5), place(4.5, 4.5), 3.0, true);
        assert_eq!(paint.mask(), None);
    }

    #[test]
    fn the_smallest_brush_paints_one_pixel() {
        let mut paint = Paint::new(RectPx::new(3, 4, 1, 1));
        paint.stroke(place(3.5, 4.5), place(3.5, 4.5), 0.5, false);
        assert_eq!(paint.mask().unwrap().count(), 1);
    }

    #[test]
    fn a_mask_that_lies_does_not_harm() {
        let lies = Mask { area: RectPx::new(u32::MAX - 1, 3, 2, 1), counts: vec![0, 900, 3] };
        assert!(Paint::of(RectPx::new(0, 0, 4, 4), &lies).mask().is_none());
        let flat = Mask { area: RectPx::new(0, 0, 0, 0), counts: vec![1, 5] };
        assert!(runs(&flat).next().is_none());
    }
}
