//! Why a golden sample cannot be aligned to, or a part cannot be aligned: each with its evidence
//! and what would be right.

use domain::{RectPx, SizePx};
use thiserror::Error;

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
    /// It is not found in its own picture.
    #[error(
        "the golden sample is not found again in its own picture: reduced to {edge} pixels, where \
         a part is looked for first, nothing of it is left; show the part's outline or print"
    )]
    TooFine {
        /// Pixels of the longer edge.
        edge: u32,
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
        "the golden sample is round: only {percent:.2} % of its edges show a turn; say \
         `symmetry = \"round\"`"
    )]
    Round {
        /// Of the edges' strength.
        percent: f64,
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
