//! What is held before the camera: takes its measures; gives its points in millimetres, the file
//! to print it from, and where its points are in a picture.

mod charuco;
mod chessboard;
mod circles;
mod detect;
mod pdf;
mod pieces;
mod point;
mod print;
mod saddle;
mod sharpness;
mod svg;

pub use detect::{NotFound, Observation, Seen};
pub use pieces::{Outline, Piece};
pub use point::{Mm, Px};
pub use print::{Paper, PrintError};

use std::fmt;

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
    ///
    /// With one count odd and one even it has one upright; with both odd it looks the same upside
    /// down, but a mirror is noticed. For the belt's plane take a ChArUco board, whose origin is
    /// always the same.
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
        match kind {
            TargetKind::Chessboard { columns, rows, square_mm } => {
                count("chessboard", "columns", columns, 3)?;
                count("chessboard", "rows", rows, 3)?;
                length("square_mm", square_mm)?;
            }
            TargetKind::Charuco { columns, rows, square_mm, marker_mm, dictionary } => {
                count("ChArUco board", "columns", columns, 4)?;
                count("ChArUco board", "rows", rows, 4)?;
                length("square_mm", square_mm)?;
                if !(0.5 * square_mm..=0.9 * square_mm).contains(&marker_mm) {
                    return Err(TargetError::Marker { marker_mm, square_mm });
                }
                let (has, needed) = (dictionary.markers(), columns * rows / 2);
                if needed > has {
                    return Err(TargetError::Dictionary { has, needed });
                }
            }
            TargetKind::CircleGrid { columns, rows, spacing_mm } => {
                count("circle grid", "columns", columns, 3)?;
                count("circle grid", "rows", rows, 3)?;
                length("spacing_mm", spacing_mm)?;
            }
        }
        Ok(Self(kind))
    }

    /// Its kind and measures.
    #[must_use]
    pub const fn kind(&self) -> &TargetKind {
        &self.0
    }

    /// Its points in order, row by row, millimetres from the top left corner of what is printed.
    #[must_use]
    pub fn points_mm(&self) -> Vec<Mm> {
        let corners = |columns: u32, rows: u32, square_mm: f64| {
            let corner = move |row: u32, column: u32| {
                Mm::new(f64::from(column) * square_mm, f64::from(row) * square_mm)
            };
            (1..=rows).flat_map(|row| (1..=columns).map(move |c| corner(row, c))).collect()
        };
        match self.0 {
            TargetKind::Chessboard { columns, rows, square_mm } => {
                corners(columns, rows, square_mm)
            }
            TargetKind::Charuco { columns, rows, square_mm, .. } => {
                corners(columns - 1, rows - 1, square_mm)
            }
            TargetKind::CircleGrid { columns, rows, spacing_mm } => {
                let first = DISC_RADIUS * spacing_mm;
                let centre = |row: u32, column: u32| {
                    let x = f64::from(2 * column + row % 2) * spacing_mm;
                    Mm::new(first + x, first + f64::from(row) * spacing_mm)
                };
                (0..rows).flat_map(|row| (0..columns).map(move |c| centre(row, c))).collect()
            }
        }
    }

    /// Width and height of what is printed, millimetres.
    #[must_use]
    pub fn extent_mm(&self) -> [f64; 2] {
        match self.0 {
            TargetKind::Chessboard { columns, rows, square_mm } => {
                [columns + 1, rows + 1].map(|count| f64::from(count) * square_mm)
            }
            TargetKind::Charuco { columns, rows, square_mm, .. } => {
                [columns, rows].map(|count| f64::from(count) * square_mm)
            }
            TargetKind::CircleGrid { columns, rows, spacing_mm } => [2 * columns - 1, rows - 1]
                .map(|count| (f64::from(count) + 2.0 * DISC_RADIUS) * spacing_mm),
        }
    }
}

/// Of a circle grid's discs, in spacings.
const DISC_RADIUS: f64 = 0.4;

/// The most rows or columns of any target.
const COUNT_MAX: u32 = 60;

fn count(kind: &'static str, key: &'static str, value: u32, least: u32) -> Result<(), TargetError> {
    if (least..=COUNT_MAX).contains(&value) {
        return Ok(());
    }
    Err(TargetError::Count { kind, key, value, least, most: COUNT_MAX })
}

fn length(key: &'static str, value: f64) -> Result<(), TargetError> {
    if value > 0.0 && value <= 1000.0 { Ok(()) } else { Err(TargetError::Length { key, value }) }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            TargetKind::Chessboard { columns, rows, square_mm } => {
                write!(f, "chessboard of {columns} x {rows} inner corners, {square_mm} mm squares")
            }
            TargetKind::Charuco { columns, rows, square_mm, marker_mm, dictionary } => write!(
                f,
                "ChArUco board of {columns} x {rows} squares of {square_mm} mm with {marker_mm} mm \
                 markers {dictionary}"
            ),
            TargetKind::CircleGrid { columns, rows, spacing_mm } => write!(
                f,
                "asymmetric circle grid of {columns} x {rows} discs, {spacing_mm} mm spacing"
            ),
        }
    }
}

impl fmt::Display for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{0}x{0}_{1}", self.bits(), self.markers())
    }
}

impl Dictionary {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::D4x4_50,
        Self::D4x4_100,
        Self::D4x4_250,
        Self::D5x5_50,
        Self::D5x5_100,
        Self::D5x5_250,
        Self::D6x6_50,
        Self::D6x6_100,
        Self::D6x6_250,
    ];

    /// Bits along a side of a marker, without its border.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::D4x4_50 | Self::D4x4_100 | Self::D4x4_250 => 4,
            Self::D5x5_50 | Self::D5x5_100 | Self::D5x5_250 => 5,
            Self::D6x6_50 | Self::D6x6_100 | Self::D6x6_250 => 6,
        }
    }

    /// How many markers it has.
    #[must_use]
    pub const fn markers(self) -> u32 {
        match self {
            Self::D4x4_50 | Self::D5x5_50 | Self::D6x6_50 => 50,
            Self::D4x4_100 | Self::D5x5_100 | Self::D6x6_100 => 100,
            Self::D4x4_250 | Self::D5x5_250 | Self::D6x6_250 => 250,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_that_make_no_target_are_refused_with_what_would() {
        let refused = |kind| Target::new(kind).unwrap_err().to_string();
        let board = |columns, square_mm| TargetKind::Chessboard { columns, rows: 6, square_mm };
        assert_eq!(refused(board(2, 20.0)), "`columns = 2`: a chessboard has from 3 to 60");
        for wrong in [0.0, -3.0, f64::NAN, 2000.0] {
            assert!(refused(board(9, wrong)).contains("square_mm"), "{wrong}");
        }
        let charuco = |columns, marker_mm| TargetKind::Charuco {
            columns,
            rows: 10,
            square_mm: 20.0,
            marker_mm,
            dictionary: Dictionary::D4x4_50,
        };
        assert!(refused(charuco(7, 19.0)).contains("marker_mm"));
        assert!(refused(charuco(11, 15.0)).contains("50 markers, 55"));
        assert!(Target::new(charuco(10, 15.0)).is_ok());
    }

    #[test]
    fn a_target_is_read_as_it_was_written_and_never_unchecked() {
        let text = "kind = \"charuco\"\ncolumns = 7\nrows = 5\nsquare_mm = 20.0\n\
                    marker_mm = 15.0\ndictionary = \"5x5_100\"\n";
        let target: Target = toml::from_str(text).unwrap();
        assert_eq!(toml::to_string(&target).unwrap(), text);
        assert_eq!(target.points_mm().len(), 24);
        assert!(toml::from_str::<Target>(&text.replace("15.0", "25.0")).is_err());
        assert!(toml::from_str::<Target>(&format!("{text}colour = 1\n")).is_err());
    }

    #[test]
    fn points_lie_within_what_is_printed() {
        for kind in [
            TargetKind::Chessboard { columns: 9, rows: 6, square_mm: 20.0 },
            TargetKind::CircleGrid { columns: 4, rows: 11, spacing_mm: 15.0 },
        ] {
            let target = Target::new(kind).unwrap();
            let [width, height] = target.extent_mm();
            let points = target.points_mm();
            let inside = |p: &Mm| p.x > 0.0 && p.x < width && p.y > 0.0 && p.y < height;
            assert!(points.iter().all(inside));
            let turned = points.iter().map(|p| Mm::new(width - p.x, height - p.y));
            assert!(turned.map(|p| p.x + p.y).sum::<f64>() > 0.0);
        }
    }
}
