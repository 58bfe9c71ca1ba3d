//! How the belt moves: takes pictures with their time and encoder count, gives velocity, direction
//! and the way per count, with standard errors.

mod shift;

use domain::{MonoTime, PointPx, RectPx, SizePx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Picture;

/// A measured number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The number.
    pub value: f64,
    /// Its standard error.
    pub std_error: f64,
}

/// How the belt moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeltMotion {
    /// Way in the picture in a second, while it moves.
    pub px_per_s: Measured,
    /// The same on the belt, where a scale was given.
    pub mm_per_s: Option<Measured>,
    /// Direction in the picture, in degrees from the x axis (right) towards y (down).
    pub direction_deg: Measured,
    /// Way in the picture in a count of the encoder, where one was read. Positive: the count goes
    /// up while the belt moves along `direction_deg`.
    pub px_per_count: Option<Measured>,
    /// The same on the belt, where a scale was given.
    pub mm_per_count: Option<Measured>,
    /// What is left, in pixels a pair of pictures (root mean square).
    pub residual_px: f64,
    /// Pairs of pictures that were measured.
    pub pairs_used: usize,
    /// Pairs given, those that showed nothing included.
    pub pairs: usize,
    /// Pairs in which the belt stood still.
    pub pairs_still: usize,
    /// Pairs that contradicted the rest and were left out.
    pub pairs_odd: usize,
}

/// A place on the belt, in millimetres: x and y.
pub type PlaceMm = (f64, f64);

/// Why the belt's motion cannot be told.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum BeltRefused {
    /// A picture of another size.
    #[error("picture {index} is {got}, the ones before it {needed}")]
    WrongSize {
        /// From 0.
        index: usize,
        /// Its size.
        got: SizePx,
        /// Theirs.
        needed: SizePx,
    },
    /// The window is outside, or too small.
    #[error(
        "the window {window} must lie in the picture of {size} and be at least {least} pixels long \
         and wide"
    )]
    Window {
        /// As given.
        window: RectPx,
        /// The picture's.
        size: SizePx,
        /// Pixels.
        least: u32,
    },
    /// Time did not go on.
    #[error("picture {index} is not later than the one before it")]
    TimeStandsStill {
        /// From 0.
        index: usize,
    },
    /// Too few pictures.
    #[error("{got} pictures are too few, {needed} are needed")]
    TooFew {
        /// Pictures.
        got: usize,
        /// Pictures.
        needed: usize,
    },
    /// Pairs show nothing that moves.
    #[error(
        "only {seen} of {pairs} pairs of pictures show something that moves along: let parts or \
         texture pass in view; if they do, the belt moves further than the window of {window_px} \
         pixels between two pictures: raise the frame rate or slow the belt"
    )]
    NothingSeen {
        /// Pairs that show something.
        seen: usize,
        /// Pairs.
        pairs: usize,
        /// The window's longer edge.
        window_px: u32,
    },
    /// What is seen stands still.
    #[error(
        "the belt stands still: {still} of {pairs} pairs show no motion (less than {least_px:.2} \
         pixels); start the belt"
    )]
    StandsStill {
        /// Pairs without motion.
        still: usize,
        /// Pairs.
        pairs: usize,
        /// Pixels a pair.
        least_px: f64,
    },
    /// More than half a window between two pictures.
    #[error(
        "the belt moves {moved_px:.0} pixels between two pictures, more than half of the window's \
         {window_px}, and could as well move the other way: use at least {fps:.0} pictures a \
         second, or at most {share_percent:.0} % of the belt's speed"
    )]
    TooFast {
        /// Pixels a pair.
        moved_px: f64,
        /// Along the motion.
        window_px: u32,
        /// Frames a second that would be right.
        fps: f64,
        /// Share of the speed that would be right, in percent.
        share_percent: f64,
    },
    /// It moves, but counts do not.
    #[error(
        "the encoder does not count ({count} throughout) while the belt moves {moved_px:.0} \
         pixels: check its wiring and channel"
    )]
    EncoderSilent {
        /// The count.
        count: i64,
        /// Pixels.
        moved_px: f64,
    },
    /// Counts run the other way at times.
    #[error(
        "the encoder went back by {by} counts at picture {index} while the belt moved on: swap or \
         check its A and B channels, or reset its counter before the study"
    )]
    EncoderBack {
        /// From 0.
        index: usize,
        /// Counts.
        by: i64,
    },
    /// Counts and way do not go together.
    #[error(
        "counts and way disagree: {residual_percent:.1} % are left after a straight line, \
         {most_percent:.1} % are allowed: the encoder's wheel slips, or it is not on this belt"
    )]
    EncoderSlips {
        /// Of the way in a pair.
        residual_percent: f64,
        /// Of the way in a pair.
        most_percent: f64,
    },
    /// Directions differ.
    #[error(
        "the direction is not constant: it differs by {spread_deg:.1}° (standard deviation), \
         {most_deg:.1}° is allowed: things move on their own, or the camera shakes"
    )]
    DirectionVaries {
        /// Degrees.
        spread_deg: f64,
        /// Degrees.
        most_deg: f64,
    },
}

/// Collects pictures of a moving belt; keeps a small copy of each.
#[derive(Debug)]
pub struct BeltStudy {
    size: SizePx,
}

impl BeltStudy {
    /// A study of pictures of `size`, in which `window` (all if absent) sees the belt and nothing
    /// that stands still for long.
    ///
    /// # Errors
    /// Where the window is not in the picture or too small.
    pub fn new(size: SizePx, window: Option<RectPx>) -> Result<Self, BeltRefused> {
        let _ = window;
        Ok(Self { size })
    }

    /// Takes the next picture, taken `at` this time with the encoder at `count`.
    ///
    /// # Errors
    /// Where it is of another size, or not later than the one before.
    pub fn see(
        &mut self,
        at: MonoTime,
        count: Option<i64>,
        picture: &Picture<'_>,
    ) -> Result<(), BeltRefused> {
        let _ = (at, count, picture, self.size);
        todo!()
    }

    /// How the belt moved. `mm_from_px` tells where on the belt a pixel is, if that is known.
    ///
    /// # Errors
    /// Where it cannot be told, and why.
    pub fn solve(
        &self,
        mm_from_px: Option<&dyn Fn(PointPx) -> PlaceMm>,
    ) -> Result<BeltMotion, BeltRefused> {
        let _ = mm_from_px;
        todo!()
    }
}
