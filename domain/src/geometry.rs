//! Places in a picture. Pixels; origin at the top left; right and bottom edges are exclusive.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Width and height of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizePx {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl SizePx {
    /// A size of `width` columns and `height` rows.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// How many pixels there are.
    #[must_use]
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The rectangle that covers the whole picture.
    #[must_use]
    pub const fn rect(self) -> RectPx {
        RectPx { x: 0, y: 0, width: self.width, height: self.height }
    }
}

impl fmt::Display for SizePx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A place in a picture, in pixels that may lie between pixel centres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PointPx {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// An upright rectangle of whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RectPx {
    /// Left edge, inclusive.
    pub x: u32,
    /// Top edge, inclusive.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl RectPx {
    /// A rectangle by its top-left corner and its size.
    #[must_use]
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// The rectangle from `(x0, y0)` inclusive to `(x1, y1)` exclusive; empty when they cross.
    #[must_use]
    pub const fn from_corners(x0: u32, y0: u32, x1: u32, y1: u32) -> Self {
        Self { x: x0, y: y0, width: x1.saturating_sub(x0), height: y1.saturating_sub(y0) }
    }

    /// Right edge, exclusive.
    #[must_use]
    pub const fn right(&self) -> u32 {
        self.x.saturating_add(self.width)
    }

    /// Bottom edge, exclusive.
    #[must_use]
    pub const fn bottom(&self) -> u32 {
        self.y.saturating_add(self.height)
    }

    /// How many pixels it covers.
    #[must_use]
    pub fn area(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Whether it covers no pixel.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Its middle.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
    pub fn centre(&self) -> PointPx {
        PointPx {
            x: self.x as f32 + self.width as f32 / 2.0,
            y: self.y as f32 + self.height as f32 / 2.0,
        }
    }

    /// What both cover; `None` when they do not touch.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let both = Self::from_corners(
            self.x.max(other.x),
            self.y.max(other.y),
            self.right().min(other.right()),
            self.bottom().min(other.bottom()),
        );
        (!both.is_empty()).then_some(both)
    }

    /// The smallest rectangle that covers both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_corners(
            self.x.min(other.x),
            self.y.min(other.y),
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        )
    }

    /// Whether all of `other` lies inside.
    #[must_use]
    pub const fn contains(&self, other: &Self) -> bool {
        other.x >= self.x
            && other.y >= self.y
            && other.right() <= self.right()
            && other.bottom() <= self.bottom()
    }

    /// Grown by `by` pixels on each side, but not beyond `within`.
    #[must_use]
    pub fn grown(&self, by: u32, within: &Self) -> Self {
        Self::from_corners(
            self.x.saturating_sub(by).max(within.x),
            self.y.saturating_sub(by).max(within.y),
            self.right().saturating_add(by).min(within.right()),
            self.bottom().saturating_add(by).min(within.bottom()),
        )
    }

    /// Intersection over union, 0..=1 (Jaccard index).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio for matching, not an account")]
    pub fn iou(&self, other: &Self) -> f64 {
        let both = self.intersection(other).map_or(0, |r| r.area());
        let either = self.area() + other.area() - both;
        if either == 0 { 0.0 } else { both as f64 / either as f64 }
    }
}

impl fmt::Display for RectPx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{} at ({}, {})", self.width, self.height, self.x, self.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rect() -> impl Strategy<Value = RectPx> {
        (0_u32..500, 0_u32..500, 1_u32..500, 1_u32..500).prop_map(|(x, y, width, height)| RectPx {
            x,
            y,
            width,
            height,
        })
    }

    proptest! {
        #[test]
        fn intersection_lies_in_both_and_union_covers_both(a in rect(), b in rect()) {
            if let Some(both) = a.intersection(&b) {
                prop_assert!(a.contains(&both) && b.contains(&both));
            }
            let either = a.union(&b);
            prop_assert!(either.contains(&a) && either.contains(&b));
            prop_assert!((0.0..=1.0).contains(&a.iou(&b)));
            prop_assert!((a.iou(&b) - b.iou(&a)).abs() < 1e-12);
        }
    }

    #[test]
    fn growing_stops_at_the_border() {
        let frame = SizePx::new(100, 50).rect();
        assert_eq!(RectPx::new(2, 2, 10, 10).grown(5, &frame), RectPx::new(0, 0, 17, 17));
    }
}
