//! What the lens bends: takes views of a target; gives the lens with its uncertainty, and the map
//! that straightens a crop.

mod coverage;
mod crop;
mod fit;

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
        todo!()
    }

    /// Where a place of the camera's picture is in the straight one.
    #[must_use]
    pub fn undistort_px(&self, seen: Px) -> Px {
        todo!()
    }
}
