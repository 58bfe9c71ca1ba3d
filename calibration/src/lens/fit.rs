//! Fits a lens: takes views of a target; gives the lens, what each view says of it, and what to
//! do where views are missing.

use domain::SizePx;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Coverage, Lens};
use crate::target::{Observation, Px};

/// One picture of the target.
#[derive(Clone, Debug)]
pub struct View {
    /// Its file, or whatever the operator knows it by.
    pub name: String,
    /// Where the target is in it.
    pub observation: Observation,
}

/// What a fit must keep to.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// Views that must remain when outliers are left out.
    pub views_min: usize,
    /// A view is left out when its RMS is above this many times the median view's.
    pub outlier_ratio: f64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { views_min: 8, outlier_ratio: 3.0 }
    }
}

/// Which of the distortion's parameters were fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DistortionModel {
    /// k1, k2, p1, p2; k3 is 0.
    FourParameters,
    /// k1, k2, p1, p2, k3.
    FiveParameters,
}

/// A fitted lens and the evidence for it.
#[derive(Clone, Debug)]
pub struct LensFit {
    /// The lens.
    pub lens: Lens,
    /// Over all points of all views that were used, pixels.
    pub rms_px: f64,
    /// Every view, in the order given.
    pub views: Vec<ViewFit>,
    /// Where the points of the views that were used lie.
    pub coverage: Coverage,
    /// What was fitted.
    pub model: DistortionModel,
    /// Why that.
    pub model_reason: String,
    /// What would make the fit better, a sentence each; empty where nothing is missing.
    pub advice: Vec<String>,
}

/// What one view says of the fitted lens.
#[derive(Clone, Debug)]
pub struct ViewFit {
    /// As given.
    pub name: String,
    /// Pixels.
    pub rms_px: f64,
    /// Left out of the fit, as it contradicts the others.
    pub left_out: bool,
    /// How far the target's normal is from the optical axis, degrees.
    pub tilt_deg: f64,
    /// Each point.
    pub residuals: Vec<Residual>,
}

/// How far a point was found from where the fitted lens would show it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    /// Where it was found.
    pub px: Px,
    /// Found less expected, pixels.
    pub off: Px,
}

/// Why views make no lens, and what to do.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum LensError {
    /// Too few views.
    #[error("{got} views of the target; at least {needed} are needed, tilted differently")]
    TooFew {
        /// Views given.
        got: usize,
        /// Views needed.
        needed: usize,
    },
    /// Too few views agree.
    #[error(
        "only {agree} of {got} views agree with each other, {needed} are needed; take new ones \
         instead of {left_out:?}, with the target flat and still"
    )]
    TooFewAgree {
        /// Views that agree.
        agree: usize,
        /// Views given.
        got: usize,
        /// Views needed.
        needed: usize,
        /// The others.
        left_out: Vec<String>,
    },
    /// A picture of another size.
    #[error(
        "{name} has {got} pixels, the others {expected}; take it again with the camera as it will run"
    )]
    WrongSize {
        /// The view.
        name: String,
        /// Its size.
        got: SizePx,
        /// What it should be.
        expected: SizePx,
    },
    /// Views that say the same thing again and again.
    #[error(
        "all views are alike: the target's tilt varies by {spread_deg:.1} degrees, {needed_deg:.0} \
         are needed; tilt it left, right, up and down by 15 to 40 degrees between pictures"
    )]
    Alike {
        /// Root mean square angle from the mean normal, degrees.
        spread_deg: f64,
        /// At least, degrees.
        needed_deg: f64,
    },
    /// A view with too few points.
    #[error("{name} shows {got} points of the target, {needed} are needed; leave it out")]
    FewPoints {
        /// The view.
        name: String,
        /// Its points.
        got: usize,
        /// Points needed.
        needed: usize,
    },
    /// A distortion that maps two places to one.
    #[error(
        "the fitted distortion folds the picture over before its corner; take more views that \
         reach into the corners of the picture"
    )]
    Folds,
    /// OpenCV gave up.
    #[error("OpenCV cannot fit a lens to these views: {0}")]
    OpenCv(String),
}

/// Fits the lens of a camera that gives pictures of `size` to `views`.
///
/// # Errors
/// Where the views make no lens, with what to do.
pub fn fit(views: &[View], size: SizePx, options: &FitOptions) -> Result<LensFit, LensError> {
    todo!()
}
