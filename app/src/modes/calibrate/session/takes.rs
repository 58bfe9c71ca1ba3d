//! What takes frames, and how many: takes pictures one at a time, gives what they are good for.

use std::time::Duration;

use anyhow::Result;
use calibration::belt::{BeltMotion, BeltStudy};
use calibration::watch::{Baseline, BaselineStudy, Landmark};
use domain::{PointPx, RectPx, SizePx};
use ui::calibrating::Taking;

use crate::modes::calibrate::shots::Shot;

/// Pictures of a sheet: enough to average out noise, a quarter of them held out.
pub const BRIGHT: u32 = 24;
/// Pictures of darkness.
pub const DARK: u32 = 12;
/// Good pictures,
pub const WATCH: u32 = 60;
/// so far apart that parts have moved on.
pub const WATCH_EVERY: Duration = Duration::from_millis(500);
/// Pictures of the belt, one after the other.
pub const BELT: u32 = 40;
/// A target is looked for so often while it is wanted,
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// and otherwise.
const GLANCE_EVERY: Duration = Duration::from_millis(500);

/// What takes frames.
pub enum Take {
    /// Nothing.
    Nothing,
    /// Views for the lens.
    Views {
        /// Without being asked for each.
        is_by_itself: bool,
    },
    /// The target on the belt.
    Plane {
        /// Parts are so high, millimetres.
        height_mm: f64,
        /// No perspective.
        is_telecentric: bool,
    },
    /// A sheet, or darkness.
    Flat {
        /// Darkness.
        is_dark: bool,
        /// So far.
        taken: u32,
    },
    /// Good pictures.
    Watch {
        /// Something that must not move.
        landmark: Option<RectPx>,
        /// From the first picture on.
        study: Option<Box<BaselineStudy>>,
        /// So far.
        taken: u32,
    },
    /// The belt.
    Belt {
        /// From the first picture on.
        study: Option<Box<BeltStudy>>,
        /// So far.
        taken: u32,
    },
    /// No frames: the lens is fitted, and views are looked for again if that shows what to better.
    Fit {
        /// Whether views were taken, and whether by themselves.
        views: Option<bool>,
    },
}

impl Take {
    /// As the screen shows it.
    pub const fn shown(&self) -> Taking {
        match *self {
            Self::Nothing => Taking::Nothing,
            Self::Views { is_by_itself } => Taking::Views { is_by_itself },
            Self::Plane { .. } => Taking::Plane,
            Self::Flat { is_dark, taken } => {
                let of = if is_dark { DARK } else { BRIGHT };
                Taking::Flat { is_dark, taken, of }
            }
            Self::Watch { taken, .. } => Taking::Watch { taken, of: WATCH },
            Self::Belt { taken, .. } => Taking::Belt { taken, of: BELT },
            Self::Fit { .. } => Taking::Fit,
        }
    }

    /// Whether it looks for a target.
    pub const fn looks_for_a_target(&self) -> bool {
        matches!(self, Self::Nothing | Self::Views { .. } | Self::Plane { .. })
    }

    /// How far apart its frames are, at least.
    pub const fn every(&self) -> Duration {
        match self {
            Self::Views { .. } | Self::Plane { .. } => LOOK_EVERY,
            Self::Watch { .. } => WATCH_EVERY,
            Self::Flat { .. } | Self::Belt { .. } => Duration::ZERO,
            Self::Nothing | Self::Fit { .. } => GLANCE_EVERY,
        }
    }
}

/// Takes a good picture into `study`, which begins with the first.
///
/// # Errors
/// When it can't be taken.
pub fn watch(
    study: &mut Option<Box<BaselineStudy>>,
    landmark: Option<RectPx>,
    shot: &Shot,
) -> Result<()> {
    let study = match study {
        Some(study) => study,
        None => {
            let new = BaselineStudy::new(shot.size, landmark.map(Landmark::Patch))?;
            study.insert(Box::new(new))
        }
    };
    Ok(study.see(&shot.picture()?)?)
}

/// What good pictures look like.
///
/// # Errors
/// When there were too few, or they were not good.
pub fn watched(study: Option<Box<BaselineStudy>>, size: SizePx) -> Result<Baseline> {
    match study {
        Some(study) => Ok(study.finish()?),
        None => Ok(BaselineStudy::new(size, None)?.finish()?),
    }
}

/// Takes a picture of the belt into `study`, which begins with the first.
///
/// # Errors
/// When it can't be taken.
pub fn belt(study: &mut Option<Box<BeltStudy>>, shot: &Shot) -> Result<()> {
    let study = match study {
        Some(study) => study,
        None => study.insert(Box::new(BeltStudy::new(shot.size, None)?)),
    };
    Ok(study.see(shot.at, shot.count, &shot.picture()?)?)
}

/// How the belt moved; `place` tells where on it a pixel is.
///
/// # Errors
/// When the pictures don't tell.
pub fn moved(
    study: Option<&BeltStudy>,
    size: SizePx,
    place: Option<&dyn Fn(PointPx) -> (f64, f64)>,
) -> Result<BeltMotion> {
    match study {
        Some(study) => Ok(study.solve(place)?),
        None => Ok(BeltStudy::new(size, None)?.solve(place)?),
    }
}
