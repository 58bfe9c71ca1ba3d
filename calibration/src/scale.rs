//! How many millimetres a pixel is: takes one view of a target on the belt; gives lengths on the
//! belt with their uncertainty.

pub(crate) mod homography;
mod measure;
mod pose;

pub use homography::Homography;
pub use measure::Measured;
pub use pose::PlanePose;

use domain::SizePx;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::lens::Lens;
use crate::target::{Observation, Px};
use homography::{Pair, Square};

/// The belt as the camera sees it. All its pixels are those of the straight (undistorted) picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plane {
    /// How it was found.
    pub kind: PlaneKind,
    /// How well an edge of a part is pointed at, standard deviation in pixels.
    pub pointing_sd_px: f64,
    /// How well the target's own measures are known, relative standard deviation.
    pub target_relative_sd: f64,
    /// What is measured lies so far above the belt, millimetres.
    pub height_mm: f64,
    /// Covariance of the eight parameters of `px_from_mm` (the ninth is 1).
    pub covariance: Square,
    /// From millimetres on the belt to straight pixels.
    pub px_from_mm: Homography,
    /// How well the target's points fit.
    pub residual: PlaneResidual,
    /// Where the camera is, if the lens is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pose: Option<PlanePose>,
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

/// Why there is no plane.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ScaleError {
    /// The view is of another size than the lens'.
    #[error(
        "the view of the belt has {got} pixels, the lens was fitted at {expected}; take it with \
         the camera as it will run"
    )]
    WrongSize {
        /// Of the view.
        got: SizePx,
        /// Of the lens.
        expected: SizePx,
    },
    /// Too few points, or all on a line.
    #[error(
        "{points} points of the target fix no plane; show all of it, or at least three of its \
         rows and columns"
    )]
    Degenerate {
        /// Points of the target in the view.
        points: usize,
    },
    /// A ruler that measures nothing.
    #[error(
        "a ruler of {length_mm} mm over {distance_px:.1} px gives no scale; take two points at \
         least 50 px apart, and a length above 0"
    )]
    Ruler {
        /// As given.
        length_mm: f64,
        /// Between the points.
        distance_px: f64,
    },
    /// Height can be allowed for only where the camera's place is known.
    #[error(
        "parts {height_mm} mm high need the camera's place, which {kind:?} does not give; fit the \
         lens and take a view of a target on the belt"
    )]
    NoPose {
        /// As given.
        height_mm: f64,
        /// How the plane was found.
        kind: PlaneKind,
    },
    /// The camera is not above that height.
    #[error("parts {height_mm} mm high would touch the camera, {distance_mm:.0} mm above the belt")]
    TooHigh {
        /// As given.
        height_mm: f64,
        /// Of the camera from the belt.
        distance_mm: f64,
    },
    /// OpenCV gave up.
    #[error("OpenCV finds no place for the camera: {0}")]
    OpenCv(String),
}

/// An edge that is taken to the nearest pixel: the standard deviation of a uniform distribution.
const WHOLE_PIXEL_SD: f64 = 0.289;
/// What a ruler does not see: tilt, perspective and the lens, relative.
const RULER_RELATIVE_SD: f64 = 0.01;
/// Points of a ruler must be so far apart, pixels.
const RULER_MIN_PX: f64 = 50.0;

impl Plane {
    /// The plane that a target lies on, as `view` shows it through `lens` (none: a lens that bends
    /// nothing).
    ///
    /// # Errors
    /// Where the points do not make a plane.
    pub fn from_view(view: &Observation, lens: Option<&Lens>) -> Result<Self, ScaleError> {
        let pairs = straight_pairs(view, lens)?;
        let degenerate = ScaleError::Degenerate { points: pairs.len() };
        let map = Homography::fit(&pairs).ok_or(degenerate)?;
        let mut plane = Self::of(PlaneKind::Target, map, &pairs, 8)?;
        plane.pose = lens.map(|lens| pose::of(&pairs, lens)).transpose()?;
        Ok(plane)
    }

    /// The same through a telecentric lens: without perspective, and so good at any height.
    ///
    /// # Errors
    /// Where the points do not make a plane.
    pub fn telecentric(view: &Observation, lens: Option<&Lens>) -> Result<Self, ScaleError> {
        let pairs = straight_pairs(view, lens)?;
        let degenerate = ScaleError::Degenerate { points: pairs.len() };
        let map = Homography::fit_affine(&pairs).ok_or(degenerate)?;
        Self::of(PlaneKind::Telecentric, map, &pairs, 6)
    }

    /// A plane seen square on, from two points that are `length_mm` apart, each pointed at to
    /// `pointing_sd_px`. Millimetres then count from the picture's top left along its sides.
    ///
    /// Tilt, perspective and the lens stay unseen: one percent is added to the uncertainty of
    /// every length for them.
    ///
    /// # Errors
    /// Where the points are too near each other, or the length is none.
    pub fn from_ruler(
        a: Px,
        b: Px,
        length_mm: f64,
        pointing_sd_px: f64,
    ) -> Result<Self, ScaleError> {
        let distance_px = a.distance(b);
        let sensible = length_mm > 0.0 && length_mm.is_finite() && distance_px >= RULER_MIN_PX;
        if !sensible {
            return Err(ScaleError::Ruler { length_mm, distance_px });
        }
        let scale = distance_px / length_mm;
        let matrix = [[scale, 0.0, 0.0], [0.0, scale, 0.0], [0.0, 0.0, 1.0]];
        let variance = 2.0 * (pointing_sd_px / length_mm).powi(2);
        let mut covariance = [[0.0; 8]; 8];
        for (row, column) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
            covariance[row][column] = variance;
        }
        Ok(Self {
            kind: PlaneKind::Ruler,
            px_from_mm: Homography { centre: [0.0; 2], spread: 1.0, matrix },
            residual: PlaneResidual { points: 2, ..PlaneResidual::default() },
            covariance,
            pose: None,
            height_mm: 0.0,
            pointing_sd_px: WHOLE_PIXEL_SD.max(pointing_sd_px),
            target_relative_sd: RULER_RELATIVE_SD,
        })
    }

    fn of(
        kind: PlaneKind,
        px_from_mm: Homography,
        pairs: &[Pair],
        parameters: usize,
    ) -> Result<Self, ScaleError> {
        let residual = residual(&px_from_mm, pairs);
        #[expect(clippy::cast_precision_loss, reason = "a count of points")]
        let (n, free) = (pairs.len() as f64, (2 * pairs.len() - parameters).max(1) as f64);
        // Of one coordinate.
        let variance = residual.rms_px.powi(2) * n / free;
        let covariance = px_from_mm
            .covariance(pairs, variance)
            .ok_or(ScaleError::Degenerate { points: pairs.len() })?;
        Ok(Self {
            kind,
            px_from_mm,
            residual,
            covariance,
            pose: None,
            height_mm: 0.0,
            pointing_sd_px: WHOLE_PIXEL_SD,
            target_relative_sd: 0.0,
        })
    }

    /// With another idea of how well an edge is pointed at (a standard deviation, pixels).
    #[must_use]
    pub fn with_pointing_sd(self, pointing_sd_px: f64) -> Self {
        Self { pointing_sd_px, ..self }
    }

    /// With what is known of the target's measures: 0.001 if its sides were measured to 0.1 %.
    #[must_use]
    pub fn with_target_sd(self, target_relative_sd: f64) -> Self {
        Self { target_relative_sd, ..self }
    }

    /// The plane `height_mm` above the belt: where the tops of parts are.
    ///
    /// # Errors
    /// Where the camera's place is not known, or is not above it.
    pub fn at_height(&self, height_mm: f64) -> Result<Self, ScaleError> {
        match (self.kind, &self.pose) {
            (PlaneKind::Telecentric, _) => {}
            (_, Some(pose)) if height_mm < 0.9 * pose.distance_mm => {}
            (_, Some(pose)) => {
                return Err(ScaleError::TooHigh { height_mm, distance_mm: pose.distance_mm });
            }
            (kind, None) => return Err(ScaleError::NoPose { height_mm, kind }),
        }
        Ok(Self { height_mm, ..self.clone() })
    }

    /// By how much a length at `height_mm` is measured too long where the height is not allowed
    /// for, relative: `h / (D - h)` with the camera at `D`; none where `D` is not known. A
    /// telecentric lens makes no such error.
    #[must_use]
    pub fn height_error(&self, height_mm: f64) -> Option<f64> {
        if self.kind == PlaneKind::Telecentric {
            return Some(0.0);
        }
        self.pose.map(|pose| height_mm / (pose.distance_mm - height_mm))
    }
}

/// Millimetres and straight pixels of each point.
fn straight_pairs(view: &Observation, lens: Option<&Lens>) -> Result<Vec<Pair>, ScaleError> {
    if let Some(lens) = lens
        && lens.size != view.size
    {
        return Err(ScaleError::WrongSize { got: view.size, expected: lens.size });
    }
    let straight = |px: Px| lens.map_or(px, |lens| lens.undistort_px(px));
    let pair = |seen: &crate::target::Seen| {
        let px = straight(seen.px);
        ([seen.mm.x, seen.mm.y], [px.x, px.y])
    };
    Ok(view.points.iter().map(pair).collect())
}

fn residual(map: &Homography, pairs: &[Pair]) -> PlaneResidual {
    let apart = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let px: Vec<f64> = pairs.iter().map(|&(mm, px)| apart(map.apply(mm), px)).collect();
    let mm: Vec<f64> = pairs.iter().map(|&(mm, px)| apart(map.invert(px), mm)).collect();
    let rms = |v: &[f64]| {
        #[expect(clippy::cast_precision_loss, reason = "a count of points")]
        let n = v.len() as f64;
        (v.iter().map(|v| v * v).sum::<f64>() / n).sqrt()
    };
    let max = |v: &[f64]| v.iter().copied().fold(0.0, f64::max);
    PlaneResidual {
        points: pairs.len(),
        rms_px: rms(&px),
        max_px: max(&px),
        rms_mm: rms(&mm),
        max_mm: max(&mm),
    }
}
