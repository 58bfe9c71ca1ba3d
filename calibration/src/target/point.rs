//! Places in the picture and on the plane; two types, so that they cannot be confused.

use domain::PointPx;
use serde::{Deserialize, Serialize};

/// A place in a picture. As OpenCV counts: the middle of the top left pixel is `(0, 0)`.
///
/// [`PointPx`] counts from that pixel's top left corner, as rectangles do; `From` shifts by half
/// a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Px {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// A place on a plane, in millimetres; x and y as the target prints them (right and down).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mm {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

impl Px {
    /// A place by its coordinates.
    #[must_use]
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// How far it is to `other`, in pixels.
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

impl Mm {
    /// A place by its coordinates.
    #[must_use]
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// How far it is to `other`, in millimetres.
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        (self.x - other.x).hypot(self.y - other.y)
    }
}

impl From<PointPx> for Px {
    fn from(point: PointPx) -> Self {
        Self { x: f64::from(point.x) - 0.5, y: f64::from(point.y) - 0.5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_first_pixel_is_nought() {
        let first = domain::RectPx::new(0, 0, 1, 1).centre();
        assert_eq!(Px::from(first), Px::new(0.0, 0.0));
    }
}
