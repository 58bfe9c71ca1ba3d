//! Places, lengths and areas on the belt: takes straight pixels; gives millimetres, and how sure
//! they are.
//!
//! Uncertainties are standard ones (ISO/IEC Guide 98-3, GUM): the covariance of the plane's
//! parameters, how well each end is pointed at, how well the target is known and, above the belt,
//! how well the camera's distance is known, each carried through the slopes and added in squares.

use serde::{Deserialize, Serialize};

use super::{Plane, PlaneKind};
use crate::target::{Mm, Px};

/// A value and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// Its standard deviation, in the same unit.
    pub sd: f64,
}

/// How a place in millimetres follows the plane's eight parameters and its pixel.
struct Slopes {
    parameters: [[f64; 8]; 2],
    pixel: [[f64; 2]; 2],
}

impl Plane {
    /// Where a straight pixel is on the plane.
    #[must_use]
    pub fn point_mm(&self, px: Px) -> Mm {
        let [x, y] = self.px_from_mm.invert([px.x, px.y]);
        self.raised(Mm::new(x, y), self.shrinking())
    }

    /// Where a place on the plane is in the straight picture.
    #[must_use]
    pub fn px_from_mm(&self, mm: Mm) -> Px {
        let on_belt = self.raised(mm, 1.0 / self.shrinking());
        let [x, y] = self.px_from_mm.apply([on_belt.x, on_belt.y]);
        Px::new(x, y)
    }

    /// From `a` to `b`.
    #[must_use]
    pub fn length_mm(&self, a: Px, b: Px) -> Measured {
        let (from, to) = (self.point_mm(a), self.point_mm(b));
        let value = from.distance(to);
        let along = if value > 0.0 {
            [(to.x - from.x) / value, (to.y - from.y) / value]
        } else {
            [1.0, 0.0]
        };
        let (at_a, at_b) = (self.slopes(a), self.slopes(b));
        let dot = |rows: [f64; 2]| along[0] * rows[0] + along[1] * rows[1];
        let mut by_parameter = [0.0; 8];
        for (i, by) in by_parameter.iter_mut().enumerate() {
            *by = dot([0, 1].map(|k| at_b.parameters[k][i] - at_a.parameters[k][i]));
        }
        let pointing: f64 = [&at_a, &at_b]
            .iter()
            .flat_map(|at| [0, 1].map(|j| dot([at.pixel[0][j], at.pixel[1][j]]).powi(2)))
            .sum();
        let variance = self.variance(&by_parameter) + pointing * self.pointing_sd_px.powi(2);
        Measured { value, sd: variance.sqrt().hypot(value * self.relative_sd()) }
    }

    /// The area of a small region of `area_px` pixels at `at`, square millimetres. Its whole
    /// outline is taken to be off by as much as an edge is pointed at.
    #[must_use]
    pub fn area_mm2(&self, at: Px, area_px: f64) -> Measured {
        let pixel_mm2 = self.pixel_mm2(at);
        let value = area_px * pixel_mm2;
        let mut by_parameter = [0.0; 8];
        for (i, by) in by_parameter.iter_mut().enumerate() {
            const STEP: f64 = 1e-6;
            let mut changed = self.clone();
            let parameter = &mut changed.px_from_mm.matrix[i / 3][i % 3];
            let step = STEP * parameter.abs().max(1.0);
            *parameter += step;
            *by = area_px * (changed.pixel_mm2(at) - pixel_mm2) / step;
        }
        let outline_px = 2.0 * (std::f64::consts::PI * area_px.max(0.0)).sqrt();
        let pointing = outline_px * self.pointing_sd_px * pixel_mm2;
        let sd = self.variance(&by_parameter).sqrt().hypot(pointing);
        Measured { value, sd: sd.hypot(2.0 * value * self.relative_sd()) }
    }

    /// Millimetres a pixel at `at`: the geometric mean over directions.
    #[must_use]
    pub fn mm_per_px(&self, at: Px) -> f64 {
        self.pixel_mm2(at).sqrt()
    }

    /// The area of a pixel.
    fn pixel_mm2(&self, at: Px) -> f64 {
        let mm = self.px_from_mm.invert([at.x, at.y]);
        let [[a, b], [c, d]] = self.px_from_mm.jacobian(mm);
        self.shrinking().powi(2) / (a * d - b * c).abs()
    }

    /// A place seen by the same ray at another height: nearer to the camera's foot by `shrinking`.
    fn raised(&self, mm: Mm, shrinking: f64) -> Mm {
        let Some(pose) = self.pose else {
            return mm;
        };
        let to = |at: f64, foot: f64| foot + (at - foot) * shrinking;
        Mm::new(to(mm.x, pose.foot_mm[0]), to(mm.y, pose.foot_mm[1]))
    }

    /// How much smaller a length at this plane's height is than the one that hides behind it on
    /// the belt.
    fn shrinking(&self) -> f64 {
        match (self.kind, self.pose) {
            (PlaneKind::Target, Some(pose)) => 1.0 - self.height_mm / pose.distance_mm,
            _ => 1.0,
        }
    }

    fn slopes(&self, px: Px) -> Slopes {
        let mm = self.px_from_mm.invert([px.x, px.y]);
        let [[a, b], [c, d]] = self.px_from_mm.jacobian(mm);
        let k = self.shrinking() / (a * d - b * c);
        let pixel = [[d * k, -b * k], [-c * k, a * k]];
        let of_px = self.px_from_mm.slopes(mm);
        // At a fixed pixel, a place moves against what the parameters do to the pixel.
        let parameters = [0, 1].map(|row: usize| {
            let mut slopes = [0.0; 8];
            for (i, slope) in slopes.iter_mut().enumerate() {
                *slope = -(pixel[row][0] * of_px[0][i] + pixel[row][1] * of_px[1][i]);
            }
            slopes
        });
        Slopes { parameters, pixel }
    }

    fn variance(&self, by_parameter: &[f64; 8]) -> f64 {
        let row = |i: usize| -> f64 {
            (0..8).map(|j| self.covariance[i][j] * by_parameter[j]).sum::<f64>() * by_parameter[i]
        };
        (0..8).map(row).sum::<f64>().max(0.0)
    }

    /// What is off by the same part everywhere.
    fn relative_sd(&self) -> f64 {
        let of_height = self.pose.map_or(0.0, |pose| {
            let relative = pose.distance_sd_mm / pose.distance_mm;
            (1.0 / self.shrinking() - 1.0) * relative
        });
        self.target_relative_sd.hypot(of_height)
    }
}
