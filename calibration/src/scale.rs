//! How many millimetres a pixel is: takes one view of a target on the belt; gives lengths on the
//! belt with their uncertainty.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::lens::Lens;
use crate::target::{Mm, Observation, Px};

/// The belt as the camera sees it. All its pixels are those of the straight (undistorted) picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plane {
    /// How it was found.
    pub kind: PlaneKind,
    /// From straight pixels to millimetres, up to a factor; rows.
    pub mm_from_px: [[f64; 3]; 3],
    /// How well the target's points fit.
    pub residual: PlaneResidual,
    /// Covariance of the eight parameters of `mm_from_px` (the ninth is 1).
    pub covariance: [[f64; 8]; 8],
    /// Where the camera is, if the lens is known.
    pub pose: Option<PlanePose>,
    /// How well an edge of a part is pointed at, standard deviation in pixels.
    pub pointing_sd_px: f64,
    /// How well the target's own measures are known, relative standard deviation.
    pub target_relative_sd: f64,
}

/// How a plane was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaneKind {
    /// From a view of a target: with perspective.
    Target,
    /// From a view of a target through a telecentric lens: without perspective.
    Telecentric,
    /// From two points and what lies between them: no perspective, no tilt.
    Ruler,
}

/// How well a plane fits the points it was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaneResidual {
    /// Points.
    pub points: usize,
    /// Root mean square, pixels.
    pub rms_px: f64,
    /// Largest, pixels.
    pub max_px: f64,
    /// Root mean square, millimetres.
    pub rms_mm: f64,
    /// Largest, millimetres.
    pub max_mm: f64,
}

/// Where the plane is before the camera: `camera = rotation * plane + translation`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanePose {
    /// Rows.
    pub rotation: [[f64; 3]; 3],
    /// Millimetres.
    pub translation_mm: [f64; 3],
}

/// A value and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// Its standard deviation, in the same unit.
    pub sd: f64,
}

/// Why there is no plane.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ScaleError {
    /// The view is of another size than the lens'.
    #[error("the view has {got} pixels, the lens was fitted at {expected}")]
    WrongSize {
        /// Of the view.
        got: domain::SizePx,
        /// Of the lens.
        expected: domain::SizePx,
    },
}

impl Plane {
    /// The plane that a target lies on, as `view` shows it through `lens` (none: a lens that bends
    /// nothing).
    ///
    /// # Errors
    /// Where the points do not make a plane.
    pub fn from_view(view: &Observation, lens: Option<&Lens>) -> Result<Self, ScaleError> {
        todo!()
    }

    /// The same through a telecentric lens.
    ///
    /// # Errors
    /// Where the points do not make a plane.
    pub fn telecentric(view: &Observation, lens: Option<&Lens>) -> Result<Self, ScaleError> {
        todo!()
    }

    /// A plane seen square on, from two points that are `length_mm` apart, each pointed at to
    /// `pointing_sd_px`.
    ///
    /// # Errors
    /// Where the points are too near each other.
    pub fn from_ruler(
        a: Px,
        b: Px,
        length_mm: f64,
        pointing_sd_px: f64,
    ) -> Result<Self, ScaleError> {
        todo!()
    }

    /// The plane `height_mm` above this one: where the tops of parts are.
    ///
    /// # Errors
    /// Where the pose is not known, or the camera is not above it.
    pub fn at_height(&self, height_mm: f64, lens: &Lens) -> Result<Self, ScaleError> {
        todo!()
    }

    /// By how much a length at `height_mm` is measured too long on this plane, relative; none
    /// where the pose is not known. A telecentric lens makes no such error.
    #[must_use]
    pub fn height_error(&self, height_mm: f64) -> Option<f64> {
        todo!()
    }

    /// Where a straight pixel is on the plane.
    #[must_use]
    pub fn point_mm(&self, px: Px) -> Mm {
        todo!()
    }

    /// Where a place on the plane is in the straight picture.
    #[must_use]
    pub fn px_from_mm(&self, mm: Mm) -> Px {
        todo!()
    }

    /// From `a` to `b`, millimetres.
    #[must_use]
    pub fn length_mm(&self, a: Px, b: Px) -> Measured {
        todo!()
    }

    /// The area of a small region of `area_px` pixels at `at`, square millimetres.
    #[must_use]
    pub fn area_mm2(&self, at: Px, area_px: f64) -> Measured {
        todo!()
    }

    /// Millimetres a pixel at `at`: the geometric mean over directions.
    #[must_use]
    pub fn mm_per_px(&self, at: Px) -> f64 {
        todo!()
    }
}
