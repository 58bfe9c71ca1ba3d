//! What commissioning looked like: takes pictures of a line in order, gives what the watch compares
//! with.

use domain::{MonoTime, RectPx, SizePx};
use thiserror::Error;

use super::Landmark;
use crate::Picture;

/// Why there is no baseline.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum BaselineRefused {
    /// A picture of another size.
    #[error("the picture is {got}, the ones before it {needed}")]
    WrongSize {
        /// The picture's.
        got: SizePx,
        /// The others'.
        needed: SizePx,
    },
    /// Too few pictures.
    #[error("{got} pictures are too few to compare with, {needed} are needed")]
    TooFew {
        /// Pictures.
        got: usize,
        /// Pictures.
        needed: usize,
    },
    /// Too small to measure in.
    #[error("the picture is {size}; at least {least} x {least} pixels are needed")]
    TooSmall {
        /// The picture's.
        size: SizePx,
        /// Pixels.
        least: u32,
    },
    /// The landmark cannot be used.
    #[error("the landmark at {at} cannot be followed: {why}")]
    Landmark {
        /// Where.
        at: RectPx,
        /// Why.
        why: String,
    },
    /// The light flickers already.
    #[error(
        "the light flickers by {percent:.1} % at commissioning, {most_percent:.1} % is allowed: \
         mend that first"
    )]
    Flickers {
        /// Percent.
        percent: f64,
        /// Percent.
        most_percent: f64,
    },
    /// Bytes that are not a baseline.
    #[error("not a baseline of this version: {why}")]
    Bytes {
        /// Why.
        why: String,
    },
}

/// What commissioning looked like.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    size: SizePx,
}

impl Baseline {
    /// The size that samples must have.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        self.size
    }

    /// As bytes, for the profile.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        todo!()
    }

    /// From what [`Baseline::to_bytes`] gave.
    ///
    /// # Errors
    /// Where the bytes are not a baseline of this version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BaselineRefused> {
        let _ = bytes;
        todo!()
    }
}

/// Collects pictures of a line in order, with parts passing.
#[derive(Debug)]
pub struct BaselineStudy {
    size: SizePx,
}

impl BaselineStudy {
    /// A study of pictures of `size`.
    ///
    /// # Errors
    /// Where the picture is too small, or the landmark is not in it.
    pub fn new(size: SizePx, landmark: Option<Landmark>) -> Result<Self, BaselineRefused> {
        let _ = landmark;
        Ok(Self { size })
    }

    /// Takes a picture taken `at` this time.
    ///
    /// # Errors
    /// Where it is of another size.
    pub fn see(&mut self, picture: &Picture<'_>, at: MonoTime) -> Result<(), BaselineRefused> {
        let _ = (picture, at, self.size);
        todo!()
    }

    /// What it looked like.
    ///
    /// # Errors
    /// Where there were too few pictures, or the line was not in order.
    pub fn finish(self) -> Result<Baseline, BaselineRefused> {
        todo!()
    }
}
