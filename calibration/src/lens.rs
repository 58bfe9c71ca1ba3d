//! What the lens bends: takes views of a target; gives the lens with its uncertainty, and the map
//! that straightens a crop.

mod coverage;
mod crop;
mod fit;
mod solution;

pub use coverage::Coverage;
pub use crop::CropMap;
pub use fit::{DistortionModel, FitOptions, LensError, LensFit, Residual, View, ViewFit, fit};

use domain::SizePx;
use serde::{Deserialize, Serialize};

use crate::target::Px;

/// A pinhole camera with the distortion of Brown and Conrady, in OpenCV's words and order.
///
/// Straight-lined pictures (undistorted) have the same size, focal length and centre.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lens {
    /// Of the pictures it was fitted on: valid for no other.
    pub size: SizePx,
    /// Focal length along x and y, pixels.
    pub focal_px: [f64; 2],
    /// Where the optical axis meets the picture.
    pub centre_px: Px,
    /// k1, k2, p1, p2, k3.
    pub distortion: [f64; 5],
    /// Standard deviations of the above.
    pub sd: LensSd,
}

/// Standard deviations of a lens' parameters; 0 for one that was held fixed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LensSd {
    /// Pixels.
    pub focal_px: [f64; 2],
    /// Pixels.
    pub centre_px: Px,
    /// k1, k2, p1, p2, k3.
    pub distortion: [f64; 5],
}

impl Lens {
    /// Where a place of the straight picture is in the camera's.
    #[must_use]
    pub fn distort_px(&self, straight: Px) -> Px {
        let [x, y] = self.direction(straight);
        self.px(self.bent(x, y))
    }

    /// Where a place of the camera's picture is in the straight one.
    ///
    /// Newton's iteration; beyond where the lens folds the picture over (which no fitted lens does
    /// within its picture) the nearest place it came to.
    #[must_use]
    pub fn undistort_px(&self, seen: Px) -> Px {
        let wanted = self.direction(seen);
        let [mut x, mut y] = wanted;
        for _ in 0..20 {
            let [bx, by] = self.bent(x, y);
            let (dx, dy) = (wanted[0] - bx, wanted[1] - by);
            let [[a, b], [c, d]] = self.bending(x, y);
            let determinant = a * d - b * c;
            if dx.abs().max(dy.abs()) < 1e-12 || determinant <= 0.0 {
                break;
            }
            x += (d * dx - b * dy) / determinant;
            y += (a * dy - c * dx) / determinant;
        }
        self.px([x, y])
    }

    /// Whether places stay in order everywhere in the picture, so that bending can be undone.
    #[must_use]
    pub fn is_one_to_one(&self) -> bool {
        const STEPS: u32 = 32;
        let along = |i: u32, pixels: u32| f64::from(i) / f64::from(STEPS) * f64::from(pixels) - 0.5;
        let at = |i: u32| {
            Px::new(
                along(i % (STEPS + 1), self.size.width),
                along(i / (STEPS + 1), self.size.height),
            )
        };
        (0..(STEPS + 1) * (STEPS + 1)).map(at).all(|seen| {
            let straight = self.undistort_px(seen);
            let [x, y] = self.direction(straight);
            let [[a, b], [c, d]] = self.bending(x, y);
            a * d - b * c > 0.0 && self.distort_px(straight).distance(seen) < 0.01
        })
    }

    /// The direction a pixel looks in, without distortion: `[X/Z, Y/Z]`.
    fn direction(&self, px: Px) -> [f64; 2] {
        [(px.x - self.centre_px.x) / self.focal_px[0], (px.y - self.centre_px.y) / self.focal_px[1]]
    }

    fn px(&self, [x, y]: [f64; 2]) -> Px {
        Px::new(self.centre_px.x + self.focal_px[0] * x, self.centre_px.y + self.focal_px[1] * y)
    }

    /// OpenCV's model ("Camera Calibration and 3D Reconstruction").
    fn bent(&self, x: f64, y: f64) -> [f64; 2] {
        let [k1, k2, p1, p2, k3] = self.distortion;
        let r2 = x * x + y * y;
        let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
        [
            x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x),
            y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y,
        ]
    }

    /// Slopes of `bent`: rows of what comes out.
    fn bending(&self, x: f64, y: f64) -> [[f64; 2]; 2] {
        let [k1, k2, p1, p2, k3] = self.distortion;
        let r2 = x * x + y * y;
        let radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3));
        let steeper = 2.0 * (k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3));
        let across = x * y * steeper + 2.0 * p1 * x + 2.0 * p2 * y;
        [
            [radial + x * x * steeper + 2.0 * p1 * y + 6.0 * p2 * x, across],
            [across, radial + y * y * steeper + 6.0 * p1 * y + 2.0 * p2 * x],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn barrel() -> Lens {
        Lens {
            size: SizePx::new(1280, 960),
            focal_px: [1100.0, 1105.0],
            centre_px: Px::new(652.0, 470.0),
            distortion: [-0.28, 0.11, 0.0008, -0.0012, -0.02],
            sd: LensSd::default(),
        }
    }

    #[test]
    fn bending_is_undone_everywhere_in_the_picture() {
        let lens = barrel();
        assert!(lens.is_one_to_one());
        for i in 0..=40 {
            for j in 0..=30 {
                let seen = Px::new(f64::from(i) * 32.0 - 0.5, f64::from(j) * 32.0 - 0.5);
                let again = lens.distort_px(lens.undistort_px(seen));
                assert!(again.distance(seen) < 1e-8, "{seen:?} {again:?}");
            }
        }
    }

    #[test]
    fn a_lens_that_folds_the_picture_is_known() {
        let folding = Lens { distortion: [-1.5, 0.0, 0.0, 0.0, 0.0], ..barrel() };
        assert!(!folding.is_one_to_one());
    }

    #[test]
    fn bending_is_opencvs() {
        use opencv::calib3d::{project_points_def, undistort_points_def};
        use opencv::core::{Mat, Point2d, Point3d, Vector};
        let lens = barrel();
        let [fx, fy] = lens.focal_px;
        let Px { x: cx, y: cy } = lens.centre_px;
        let matrix = Mat::from_slice_2d(&[[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]]).unwrap();
        let distortion = Mat::from_slice(&lens.distortion).unwrap();
        let zero = Mat::from_slice(&[0.0_f64; 3]).unwrap();
        for i in 0..100 {
            let straight = Px::new(f64::from(i % 10) * 140.0, f64::from(i / 10) * 105.0);
            let [x, y] = lens.direction(straight);
            let mut seen = Vector::<Point2d>::new();
            let point = Vector::<Point3d>::from_slice(&[Point3d::new(x, y, 1.0)]);
            project_points_def(&point, &zero, &zero, &matrix, &distortion, &mut seen).unwrap();
            let seen = seen.get(0).unwrap();
            let ours = lens.distort_px(straight);
            assert!(ours.distance(Px::new(seen.x, seen.y)) < 1e-9);
            let mut back = Vector::<Point2d>::new();
            let points = Vector::<Point2d>::from_slice(&[seen]);
            undistort_points_def(&points, &mut back, &matrix, &distortion).unwrap();
            let back = back.get(0).unwrap();
            let undone = lens.undistort_px(ours);
            // OpenCV iterates five times only.
            let theirs = Px::new(cx + fx * back.x, cy + fy * back.y);
            assert!(undone.distance(theirs) < 0.5, "{undone:?} {theirs:?}");
        }
    }
}
