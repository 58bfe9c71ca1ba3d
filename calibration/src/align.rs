//! Where a part lies: takes a crop and the golden sample, gives how far the part is shifted and
//! turned, how sure that is, and the crop set upright.
//!
//! The coarse place is found by trying every angle at low resolution, all shifts at once in the
//! Fourier domain (matched filtering; Reddy & Chatterji 1996 is its log-polar cousin, which cannot
//! tell 0° from 180° and suffers from belt texture). It is refined from coarse to fine by
//! inverse-compositional Lucas–Kanade (Baker & Matthews 2004) on the golden sample's best edge
//! points, with robust weights, so that a defect pulls nothing, and with a lamp that may have
//! another strength, slope and black level than it had over the golden sample (Evangelidis &
//! Psarakis 2008 is the same idea without the slope).

mod coarse;
mod limits;
mod points;
mod pyramid;
mod refine;
mod upright;

use domain::{RectPx, SizePx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Picture;
pub use limits::{Limits, Misalignment, OffsetLimit};
pub use upright::upright_into;

/// How a part's own shape limits what its angle means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Symmetry {
    /// It looks the same only after a full turn. An ambiguous golden sample is refused.
    #[default]
    None,
    /// It looks the same after every `n`th of a turn: angles are given within half of that.
    Order(u32),
    /// It looks the same at every angle: only its shift is given.
    Round,
}

/// How to look for a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where the part is in the golden sample, without too much belt around it; all of it if absent.
    pub part: Option<RectPx>,
    /// The most that a part may be turned, to either side, in degrees; 180 is any angle.
    pub most_angle_deg: f64,
    /// The most that a part may be larger or smaller, in percent; 0 does not look for it.
    pub most_scale_percent: f64,
    /// What the part's shape says about its angle.
    pub symmetry: Symmetry,
    /// The least share of the golden sample's edge points that must be found, 0 to 1.
    pub least_confidence: f64,
    /// The most difference that may be left at those points, as a share of the part's contrast.
    pub most_residual: f64,
    /// Refinement ends on the level whose longer edge is at most this, in pixels.
    pub finest_edge_px: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            part: None,
            most_angle_deg: 180.0,
            most_scale_percent: 0.0,
            symmetry: Symmetry::None,
            least_confidence: 0.6,
            most_residual: 0.35,
            finest_edge_px: 512,
        }
    }
}

/// Where a part is. A point `p` of the golden sample lies in the crop at
/// `c + d + scale · R(angle) · (p − c)`, `c` being the middle of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pose {
    /// Shift of the part's middle to the right, in pixels.
    pub dx_px: f64,
    /// Shift of the part's middle down, in pixels.
    pub dy_px: f64,
    /// Turn, clockwise on the screen, in degrees, above -180 up to 180.
    pub angle_deg: f64,
    /// Size relative to the golden sample; 1 where scale is not looked for.
    pub scale: f64,
    /// Difference left at the edge points that were found, as a share of the part's contrast.
    pub residual: f64,
    /// Share of the golden sample's edge points that were found, 0 to 1.
    pub confidence: f64,
    /// Standard error of each shift, in pixels.
    pub std_px: f64,
    /// Standard error of the angle, in degrees; 0 for a round part.
    pub std_deg: f64,
    /// Another angle that fits nearly as well, in degrees, where there is one.
    pub rival_deg: Option<f64>,
}

impl Pose {
    /// Exactly as the golden sample.
    pub const UPRIGHT: Self = Self {
        dx_px: 0.0,
        dy_px: 0.0,
        angle_deg: 0.0,
        scale: 1.0,
        residual: 0.0,
        confidence: 1.0,
        std_px: 0.0,
        std_deg: 0.0,
        rival_deg: None,
    };

    /// How far the part's middle is from where it should be, in pixels.
    #[must_use]
    pub fn offset_px(&self) -> f64 {
        self.dx_px.hypot(self.dy_px)
    }

    /// The same part seen in a frame in which the crop lay `dx_px` further right and `dy_px`
    /// further down than the golden sample's did.
    #[must_use]
    pub fn moved_by(self, dx_px: f64, dy_px: f64) -> Self {
        Self { dx_px: self.dx_px + dx_px, dy_px: self.dy_px + dy_px, ..self }
    }
}

/// Why a golden sample cannot be aligned to.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum GoldenRefused {
    /// Too small.
    #[error(
        "the golden sample is {size}; at least {least} x {least} pixels are needed to align by"
    )]
    TooSmall {
        /// As given.
        size: SizePx,
        /// Pixels.
        least: u32,
    },
    /// The part is said to be outside.
    #[error("the part at {part} is not inside the golden sample of {size}")]
    PartOutside {
        /// As given.
        part: RectPx,
        /// The golden sample's.
        size: SizePx,
    },
    /// Options that make no sense.
    #[error("align: {key} is {value}, it must be {must}")]
    Option {
        /// Which.
        key: &'static str,
        /// As given.
        value: f64,
        /// What would be right.
        must: &'static str,
    },
    /// Nothing to hold on to.
    #[error(
        "the golden sample has no structure to align by: {found} edge points stand out of its \
         noise, {needed} are needed; take it in focus, with the part's outline or print in view"
    )]
    NoStructure {
        /// Points.
        found: usize,
        /// Points.
        needed: usize,
    },
    /// Edges in one direction only: the part could slide along them.
    #[error(
        "the golden sample's edges all run one way ({along_deg:.0}°): a shift along them cannot be \
         seen; show an end or a corner of the part"
    )]
    OneWay {
        /// Direction in which it could slide, in degrees from the x axis towards y.
        along_deg: f64,
    },
    /// It looks the same at another angle.
    #[error(
        "the golden sample looks the same when turned by {other_deg:.0}° (likeness \
         {likeness:.2}): say `symmetry`, or limit `most_angle_deg` to less than {below_deg:.0}"
    )]
    Ambiguous {
        /// Degrees.
        other_deg: f64,
        /// 0 to 1.
        likeness: f64,
        /// Degrees.
        below_deg: f64,
    },
    /// It looks the same at all angles.
    #[error(
        "the golden sample is round: its angle cannot be seen to better than {std_deg:.2}°; say \
         `symmetry = \"round\"`"
    )]
    Round {
        /// Standard error that the angle would have at the golden sample's noise, in degrees.
        std_deg: f64,
    },
}

/// Why a part could not be aligned.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum NotAligned {
    /// A crop of another size.
    #[error("the crop is {got}, the golden sample {needed}: crop the part at that size")]
    WrongSize {
        /// The crop's.
        got: SizePx,
        /// The golden sample's.
        needed: SizePx,
    },
    /// A crop without contrast.
    #[error("the crop is blank: nothing to align")]
    Blank,
    /// Too few edge points are where they should be.
    #[error(
        "another part, or a part badly damaged: {percent:.0} % of the golden sample's edge points \
         were found, {least_percent:.0} % are needed (best at {angle_deg:.1}°)",
        percent = confidence * 100.0, least_percent = least * 100.0
    )]
    OtherPart {
        /// Share found, 0 to 1.
        confidence: f64,
        /// Share needed, 0 to 1.
        least: f64,
        /// Degrees.
        angle_deg: f64,
    },
    /// The edge points found differ too much.
    #[error(
        "the part fits badly: a difference of {residual:.2} of its contrast is left, {most:.2} is \
         allowed"
    )]
    Residual {
        /// Share of contrast.
        residual: f64,
        /// Share of contrast.
        most: f64,
    },
    /// Beyond what was to be looked for.
    #[error("the part is turned by {angle_deg:.1}°, at most {most_deg:.1}° are looked for")]
    TurnedTooFar {
        /// Degrees.
        angle_deg: f64,
        /// Degrees.
        most_deg: f64,
    },
}

/// Aligns crops to one golden sample; all memory is taken at the start.
#[derive(Debug)]
pub struct Aligner {
    size: SizePx,
}

impl Aligner {
    /// An aligner to `golden`.
    ///
    /// # Errors
    /// Where the golden sample has nothing to align by, or looks the same at another angle.
    pub fn new(golden: &Picture<'_>, options: &Options) -> Result<Self, GoldenRefused> {
        let _ = options;
        Ok(Self { size: golden.size() })
    }

    /// Where the part in `crop`, a picture of the golden sample's size, is.
    ///
    /// # Errors
    /// Where it is another part, or lies beyond what is looked for.
    pub fn align(&mut self, crop: &Picture<'_>) -> Result<Pose, NotAligned> {
        let _ = (crop, self.size);
        todo!()
    }

    /// The size that crops must have.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        self.size
    }
}
