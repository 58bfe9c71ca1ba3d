//! What a target is drawn of: takes a target; gives polygons and discs in millimetres.

use opencv::prelude::MatTraitConst;
use opencv::{aruco, core};

use super::{DISC_RADIUS, Dictionary, Mm, PrintError, Target, TargetKind};

/// Something to draw on white paper; later pieces lie on earlier ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Its outline.
    pub outline: Outline,
    /// White, as the bits of markers are; black otherwise.
    pub white: bool,
}

/// The outline of a piece, millimetres.
#[derive(Clone, Debug, PartialEq)]
pub enum Outline {
    /// Corners in order.
    Polygon(Vec<Mm>),
    /// A disc.
    Disc {
        /// Its middle.
        centre: Mm,
        /// Millimetres.
        radius_mm: f64,
    },
}

impl Target {
    /// What it is drawn of, from `[0, 0]` to its extent.
    ///
    /// # Errors
    /// Where OpenCV does not give its markers.
    pub fn pieces(&self) -> Result<Vec<Piece>, PrintError> {
        self.drawn().map_err(|error| PrintError::Markers(error.message))
    }

    fn drawn(&self) -> Result<Vec<Piece>, opencv::Error> {
        match self.0 {
            TargetKind::Chessboard { columns, rows, square_mm } => {
                Ok(black_squares(columns + 1, rows + 1, square_mm))
            }
            TargetKind::Charuco { columns, rows, square_mm, marker_mm, dictionary } => {
                let mut pieces = black_squares(columns, rows, square_mm);
                let inset = (square_mm - marker_mm) / 2.0;
                let family = dictionary.opencv()?;
                for (id, [column, row]) in (0..).zip(white_squares(columns, rows)) {
                    let x = f64::from(column) * square_mm + inset;
                    let y = f64::from(row) * square_mm + inset;
                    let cell_mm = marker_mm / f64::from(dictionary.bits() + 2);
                    pieces.push(square(Mm::new(x, y), marker_mm));
                    pieces.extend(bits(&family, id, dictionary.bits(), Mm::new(x, y), cell_mm)?);
                }
                Ok(pieces)
            }
            TargetKind::CircleGrid { spacing_mm, .. } => {
                let radius_mm = DISC_RADIUS * spacing_mm;
                let disc = |centre| Outline::Disc { centre, radius_mm };
                let black = |outline| Piece { outline, white: false };
                Ok(self.points_mm().into_iter().map(disc).map(black).collect())
            }
        }
    }
}

impl Dictionary {
    /// OpenCV's.
    pub(super) fn opencv(self) -> Result<core::Ptr<aruco::Dictionary>, opencv::Error> {
        use aruco::PREDEFINED_DICTIONARY_NAME as Name;
        aruco::get_predefined_dictionary(match self {
            Self::D4x4_50 => Name::DICT_4X4_50,
            Self::D4x4_100 => Name::DICT_4X4_100,
            Self::D4x4_250 => Name::DICT_4X4_250,
            Self::D5x5_50 => Name::DICT_5X5_50,
            Self::D5x5_100 => Name::DICT_5X5_100,
            Self::D5x5_250 => Name::DICT_5X5_250,
            Self::D6x6_50 => Name::DICT_6X6_50,
            Self::D6x6_100 => Name::DICT_6X6_100,
            Self::D6x6_250 => Name::DICT_6X6_250,
        })
    }
}

/// Columns and rows of the squares that hold markers, in the order of the markers: row by row.
///
/// The square at the top left is black, whatever the number of rows (as OpenCV does from 4.6 on).
pub(super) fn white_squares(columns: u32, rows: u32) -> impl Iterator<Item = [u32; 2]> {
    let all = (0..rows).flat_map(move |row| (0..columns).map(move |column| [column, row]));
    all.filter(|[column, row]| (column + row) % 2 == 1)
}

fn black_squares(columns: u32, rows: u32, square_mm: f64) -> Vec<Piece> {
    let all = (0..rows).flat_map(move |row| (0..columns).map(move |column| [column, row]));
    let black = all.filter(|[column, row]| (column + row) % 2 == 0);
    let at = |[column, row]: [u32; 2]| {
        Mm::new(f64::from(column) * square_mm, f64::from(row) * square_mm)
    };
    black.map(|place| square(at(place), square_mm)).collect()
}

fn square(at: Mm, side_mm: f64) -> Piece {
    Piece { outline: rectangle(at, side_mm, side_mm), white: false }
}

fn rectangle(at: Mm, width_mm: f64, height_mm: f64) -> Outline {
    let (right, bottom) = (at.x + width_mm, at.y + height_mm);
    Outline::Polygon(vec![at, Mm::new(right, at.y), Mm::new(right, bottom), Mm::new(at.x, bottom)])
}

/// The white bits of marker `id`, whose corner is `at`, joined along rows.
fn bits(
    family: &core::Ptr<aruco::Dictionary>,
    id: i32,
    bits: u32,
    at: Mm,
    cell_mm: f64,
) -> Result<Vec<Piece>, opencv::Error> {
    let side = i32::try_from(bits + 2).unwrap_or_default();
    let mut marker = core::Mat::default();
    aruco::draw_marker(family, id, side, &mut marker, 1)?;
    let mut pieces = Vec::new();
    for row in 0..side {
        let mut column = 0;
        while column < side {
            let start = column;
            while column < side && *marker.at_2d::<u8>(row, column)? > 127 {
                column += 1;
            }
            if column > start {
                let corner =
                    Mm::new(at.x + f64::from(start) * cell_mm, at.y + f64::from(row) * cell_mm);
                let width_mm = f64::from(column - start) * cell_mm;
                let outline = rectangle(corner, width_mm, cell_mm);
                pieces.push(Piece { outline, white: true });
            }
            column += 1;
        }
    }
    Ok(pieces)
}
