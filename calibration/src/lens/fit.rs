//! Fits a lens: takes views of a target; gives the lens, what each view says of it, and what to
//! do where views are missing.

use domain::SizePx;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::solution::{Pose, Solution, rms, spread_at_least};
use super::{Coverage, Lens};
use crate::target::{Observation, Px};

/// Targets' tilts must vary by so much about their mean, root mean square degrees. Equal tilts are
/// seen to be equal through any lens, also the wrong one that OpenCV makes of them.
const TILT_SPREAD_MIN_DEG: f64 = 5.0;

/// One picture of the target.
#[derive(Clone, Debug)]
pub struct View {
    /// Its file, or whatever the operator knows it by.
    pub name: String,
    /// Where the target is in it.
    pub observation: Observation,
}

/// What a fit must keep to.
#[derive(Clone, Copy, Debug)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
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
        "{name} has {got} pixels, the others {expected}; take it again with the camera as it \
         will run"
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

/// The smallest number of points of a view.
const POINTS_MIN: usize = 8;
/// A view that fits to so many pixels is never left out.
const HARMLESS_PX: f64 = 0.25;
/// Where leaving out the worst view makes the RMS smaller than so much of it, that view is wrong.
const CURE: f64 = 0.6;

/// Fits the lens of a camera that gives pictures of `size` to `views`.
///
/// # Errors
/// Where the views make no lens, with what to do.
pub fn fit(views: &[View], size: SizePx, options: &FitOptions) -> Result<LensFit, LensError> {
    check(views, size, options)?;
    let (used, solution) = agreeing(views, size, options)?;
    spread_at_least(&solution.normals(), TILT_SPREAD_MIN_DEG)?;
    let kept: Vec<&View> = used.iter().map(|&i| &views[i]).collect();
    let seen = kept.iter().flat_map(|view| &view.observation.points);
    let points: Vec<Px> = seen.map(|seen| seen.px).collect();
    let four = Solution::of(&kept, size, DistortionModel::FourParameters)?;
    let (model, model_reason) = chosen(&four, &solution, &points, size);
    let solution = if model == DistortionModel::FourParameters { four } else { solution };
    if !solution.lens.is_one_to_one() {
        return Err(LensError::Folds);
    }
    let coverage = Coverage::new(size, points);
    let advice = advice(&coverage, &solution.lens);
    let rms_px = solution.rms_px;
    let views = view_fits(views, &used, &solution)?;
    Ok(LensFit { lens: solution.lens, rms_px, views, coverage, model, model_reason, advice })
}

/// Enough views, of the right size, each with enough points.
fn check(views: &[View], size: SizePx, options: &FitOptions) -> Result<(), LensError> {
    for view in views {
        let (name, got) = (view.name.clone(), view.observation.points.len());
        if view.observation.size != size {
            return Err(LensError::WrongSize { name, got: view.observation.size, expected: size });
        }
        if got < POINTS_MIN {
            return Err(LensError::FewPoints { name, got, needed: POINTS_MIN });
        }
    }
    if views.len() < options.views_min {
        return Err(LensError::TooFew { got: views.len(), needed: options.views_min });
    }
    Ok(())
}

/// The views that agree with each other, and the lens of five parameters that they make.
fn agreeing(
    views: &[View],
    size: SizePx,
    options: &FitOptions,
) -> Result<(Vec<usize>, Solution), LensError> {
    let solved = |used: &[usize]| {
        let kept: Vec<&View> = used.iter().map(|&i| &views[i]).collect();
        Solution::of(&kept, size, DistortionModel::FiveParameters)
    };
    let mut used: Vec<usize> = (0..views.len()).collect();
    let mut solution = solved(&used)?;
    loop {
        let rms = solution.view_rms();
        let Some(worst) = (0..rms.len()).max_by(|&a, &b| rms[a].total_cmp(&rms[b])) else {
            return Ok((used, solution));
        };
        let mut sorted = rms.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        if rms[worst] < HARMLESS_PX || used.len() < 4 {
            return Ok((used, solution));
        }
        let mut without = used.clone();
        without.remove(worst);
        let better = solved(&without)?;
        let stands_out = rms[worst] > options.outlier_ratio * sorted[sorted.len() / 2];
        if !stands_out && better.rms_px > CURE * solution.rms_px {
            return Ok((used, solution));
        }
        if without.len() < options.views_min {
            let left_out = (0..views.len()).filter(|i| !without.contains(i));
            let left_out = left_out.map(|i| views[i].name.clone()).collect();
            let (agree, got, needed) = (without.len(), views.len(), options.views_min);
            return Err(LensError::TooFewAgree { agree, got, needed, left_out });
        }
        (used, solution) = (without, better);
    }
}

/// Points must reach so far from the middle to fix k3, in half diagonals.
const REACH_MIN: f64 = 0.75;
/// By so much must k3 raise the likelihood (twice its logarithm): the 99.9 % point of chi-squared
/// with one degree of freedom.
const EVIDENCE_MIN: f64 = 10.83;

/// Which model, and why.
fn chosen(
    four: &Solution,
    five: &Solution,
    points: &[Px],
    size: SizePx,
) -> (DistortionModel, String) {
    let (half_width, half_height) = (f64::from(size.width) / 2.0, f64::from(size.height) / 2.0);
    let middle = Px::new(half_width - 0.5, half_height - 0.5);
    let mut reach: Vec<f64> =
        points.iter().map(|px| px.distance(middle) / half_width.hypot(half_height)).collect();
    reach.sort_unstable_by(f64::total_cmp);
    let reach = reach.get(reach.len() * 99 / 100).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a count of points")]
    let n = 2.0 * points.len() as f64;
    let evidence = 2.0 * n * (four.rms_px / five.rms_px).ln();
    let by = format!("RMS {:.3} px without k3, {:.3} px with it", four.rms_px, five.rms_px);
    if reach < REACH_MIN {
        let percent = 100.0 * reach;
        let why = "k3 is held at 0: points reach";
        let reason = format!("{why} {percent:.0} % of the way to the corners; {by}");
        (DistortionModel::FourParameters, reason)
    } else if evidence < EVIDENCE_MIN {
        let reason = format!("k3 is held at 0: the views do not show that it is needed; {by}");
        (DistortionModel::FourParameters, reason)
    } else {
        let reason = format!("k3 is fitted: the views reach the corners and show it; {by}");
        (DistortionModel::FiveParameters, reason)
    }
}

/// A focal length known worse than so is worth another view, relative standard deviation.
const FOCAL_SD_MAX: f64 = 0.003;

fn advice(coverage: &Coverage, lens: &Lens) -> Vec<String> {
    let mut advice = coverage.advice();
    let relative = lens.sd.focal_px[0] / lens.focal_px[0];
    if relative > FOCAL_SD_MAX {
        advice.push(format!(
            "the focal length is known to {:.1} % only; take views with the target tilted more",
            100.0 * relative
        ));
    }
    advice
}

/// What every view says of the lens, also of those that were left out.
fn view_fits(
    views: &[View],
    used: &[usize],
    solution: &Solution,
) -> Result<Vec<ViewFit>, LensError> {
    let mut fits = Vec::with_capacity(views.len());
    for (index, view) in views.iter().enumerate() {
        let used_as = used.iter().position(|&i| i == index);
        let pose = match used_as {
            Some(place) => solution.poses[place],
            None => Pose::before(&solution.lens, &view.observation)?,
        };
        let residuals = pose.residuals(&solution.lens, &view.observation);
        fits.push(ViewFit {
            name: view.name.clone(),
            rms_px: rms(&residuals),
            left_out: used_as.is_none(),
            tilt_deg: pose.normal()[2].abs().min(1.0).acos().to_degrees(),
            residuals,
        });
    }
    Ok(fits)
}
