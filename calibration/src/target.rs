//! What is held before the camera: takes its measures; gives its points in millimetres, the file
//! to print it from, and where its points are in a picture.

mod detect;
mod pieces;
mod point;
mod print;

pub use detect::{NotFound, Observation, Seen};
pub use pieces::{Outline, Piece};
pub use point::{Mm, Px};
pub use print::{Paper, PrintError};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A flat pattern whose measures are known; made only with measures that make sense.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TargetKind", into = "TargetKind")]
pub struct Target(TargetKind);

/// The kinds of targets, and their measures as written in files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TargetKind {
    /// Black and white squares; it must be seen whole.
    Chessboard {
        /// Inner corners in a row: one less than squares.
        columns: u32,
        /// Inner corners in a column: one less than squares.
        rows: u32,
        /// Side of a square, millimetres.
        square_mm: f64,
    },
    /// A chessboard with a marker in each white square: a part of it is enough.
    Charuco {
        /// Squares in a row.
        columns: u32,
        /// Squares in a column.
        rows: u32,
        /// Side of a square, millimetres.
        square_mm: f64,
        /// Side of a marker with its black border, millimetres.
        marker_mm: f64,
        /// Which markers.
        dictionary: Dictionary,
    },
    /// Rows of discs, each second row shifted by half; it must be seen whole.
    CircleGrid {
        /// Discs in a row.
        columns: u32,
        /// Rows of discs.
        rows: u32,
        /// From one row to the next, and half of what lies between two discs of a row, millimetres.
        spacing_mm: f64,
    },
}

/// OpenCV's predefined families of square markers: bits a side, and how many markers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Dictionary {
    #[serde(rename = "4x4_50")]
    D4x4_50,
    #[serde(rename = "4x4_100")]
    D4x4_100,
    #[serde(rename = "4x4_250")]
    D4x4_250,
    #[serde(rename = "5x5_50")]
    D5x5_50,
    #[serde(rename = "5x5_100")]
    D5x5_100,
    #[serde(rename = "5x5_250")]
    D5x5_250,
    #[serde(rename = "6x6_50")]
    D6x6_50,
    #[serde(rename = "6x6_100")]
    D6x6_100,
    #[serde(rename = "6x6_250")]
    D6x6_250,
}

/// Measures that make no target.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum TargetError {
    /// Too few or too many rows or columns.
    #[error("`{key} = {value}`: a {kind} has from {least} to {most}")]
    Count {
        /// The kind of target.
        kind: &'static str,
        /// `columns` or `rows`.
        key: &'static str,
        /// What was written.
        value: u32,
        /// The smallest allowed.
        least: u32,
        /// The largest allowed.
        most: u32,
    },
    /// A length that is not one.
    #[error("`{key} = {value}`: must be above 0 and at most 1000 mm")]
    Length {
        /// Which one.
        key: &'static str,
        /// What was written, millimetres.
        value: f64,
    },
    /// Markers that do not fit in their squares, or are too small to be read.
    #[error(
        "`marker_mm = {marker_mm}`: must be between half and nine tenths of square_mm = {square_mm}"
    )]
    Marker {
        /// What was written, millimetres.
        marker_mm: f64,
        /// Of the same target, millimetres.
        square_mm: f64,
    },
    /// More white squares than the dictionary has markers.
    #[error(
        "`dictionary`: it has {has} markers, {needed} white squares need one each; take a larger \
         dictionary or fewer squares"
    )]
    Dictionary {
        /// Markers in the dictionary.
        has: u32,
        /// White squares.
        needed: u32,
    },
}

impl Target {
    /// A target of these measures.
    ///
    /// # Errors
    /// With the measure that makes no sense, and what would.
    pub fn new(kind: TargetKind) -> Result<Self, TargetError> {
        todo!()
    }

    /// Its kind and measures.
    #[must_use]
    pub const fn kind(&self) -> &TargetKind {
        &self.0
    }

    /// Its points in order, millimetres.
    #[must_use]
    pub fn points_mm(&self) -> Vec<Mm> {
        todo!()
    }

    /// What it is drawn of: black on white.
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece> {
        todo!()
    }
}

impl TryFrom<TargetKind> for Target {
    type Error = TargetError;

    fn try_from(kind: TargetKind) -> Result<Self, TargetError> {
        Self::new(kind)
    }
}

impl From<Target> for TargetKind {
    fn from(target: Target) -> Self {
        target.0
    }
}
