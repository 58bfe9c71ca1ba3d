//! Finds a ChArUco board: takes luma; gives those of its inner corners that are seen.
//!
//! Markers are OpenCV's. Corners are placed here, between the two markers that touch each, as
//! OpenCV numbers and orients boards differently before and after 4.6.

use std::collections::HashMap;

use opencv::aruco;
use opencv::core::{self, Mat, Point2f, Vector};

use super::detect::{Found, px_from, reduced};
use super::pieces::white_squares;
use super::saddle::{Corner, refined};
use super::{Dictionary, NotFound, Px, Target, TargetKind};
use crate::scale::homography::Homography;

/// Fewer corners are not worth a view.
const CORNERS_MIN: usize = 8;

/// Corners of markers in the picture, clockwise from the top left, by the marker's number.
type Markers = HashMap<u32, [Px; 4]>;

/// The measures of a board.
struct Board {
    columns: u32,
    rows: u32,
    square_mm: f64,
    marker_mm: f64,
    dictionary: Dictionary,
}

/// The inner corners whose two markers are both seen.
pub(super) fn find(target: &Target, luma: &Mat) -> Found {
    let TargetKind::Charuco { columns, rows, square_mm, marker_mm, dictionary } = target.0 else {
        return Err(NotFound::Nothing { target: target.to_string() });
    };
    let board = Board { columns, rows, square_mm, marker_mm, dictionary };
    let markers = markers(luma, dictionary)?;
    let strangers = markers.keys().filter(|&&id| id >= columns * rows / 2).count();
    let target = target.to_string();
    if strangers * 4 > markers.len() {
        let seen = format!("a board with markers up to {}", markers.keys().max().unwrap_or(&0));
        return Err(NotFound::OtherTarget { target, seen });
    }
    let (corners, misfits) = board.corners(&markers);
    if misfits * 4 > corners.len() + misfits {
        let seen = "a board with its markers in another order".to_owned();
        return Err(NotFound::OtherTarget { target, seen });
    }
    if corners.len() < CORNERS_MIN {
        let of = ((columns - 1) * (rows - 1)) as usize;
        return Err(board.why_not(luma, target, corners.len(), of)?);
    }
    placed(luma, &corners)
}

impl Board {
    /// Where each inner corner should be, from the two markers that touch it; and how many pairs
    /// of markers do not lie as they should.
    fn corners(&self, markers: &Markers) -> (Vec<(u32, Corner)>, usize) {
        let ids: HashMap<[u32; 2], u32> = white_squares(self.columns, self.rows).zip(0..).collect();
        let (mut corners, mut misfits) = (Vec::new(), 0);
        for row in 1..self.rows {
            for column in 1..self.columns {
                let around =
                    [[column - 1, row - 1], [column, row - 1], [column - 1, row], [column, row]];
                let near: Vec<_> = around
                    .iter()
                    .filter_map(|square| Some((*square, markers.get(ids.get(square)?)?)))
                    .collect();
                if near.len() < 2 {
                    continue;
                }
                match self.corner(column, row, &near) {
                    Some(corner) => {
                        corners.push(((row - 1) * (self.columns - 1) + column - 1, corner));
                    }
                    None => misfits += 1,
                }
            }
        }
        (corners, misfits)
    }

    /// Where a corner should be; none where its markers do not lie around it.
    fn corner(&self, column: u32, row: u32, near: &[([u32; 2], &[Px; 4])]) -> Option<Corner> {
        let inset = (self.square_mm - self.marker_mm) / 2.0;
        let mut pairs = Vec::new();
        for ([column, row], seen) in near {
            let x = f64::from(*column) * self.square_mm + inset;
            let y = f64::from(*row) * self.square_mm + inset;
            let (right, bottom) = (x + self.marker_mm, y + self.marker_mm);
            let corners = [[x, y], [right, y], [right, bottom], [x, bottom]];
            pairs.extend(corners.iter().zip(*seen).map(|(mm, px)| (*mm, [px.x, px.y])));
        }
        let to_px = Homography::fit(&pairs)?;
        let side = near[0].1[0].distance(near[0].1[1]);
        let off = |(mm, px): &([f64; 2], [f64; 2])| {
            let at = to_px.apply(*mm);
            (at[0] - px[0]).hypot(at[1] - px[1])
        };
        let fits = pairs.iter().all(|pair| off(pair) < 0.15 * side);
        let at = [column, row].map(|index| f64::from(index) * self.square_mm);
        let [x, y] = to_px.apply(at);
        fits.then(|| Corner {
            at: Px::new(x, y),
            along: to_px.jacobian(at).map(|row| row.map(|slope| slope * self.square_mm)),
            // The square after this corner is the one of the same column and row.
            falling_black: (column + row).is_multiple_of(2),
            plain: inset / self.square_mm,
        })
    }

    /// Why too few corners were found.
    fn why_not(
        &self,
        luma: &Mat,
        target: String,
        seen: usize,
        of: usize,
    ) -> Result<NotFound, NotFound> {
        let mut flipped = Mat::default();
        let small = reduced(luma)?;
        core::flip(&small, &mut flipped, 1)?;
        let (in_mirror, _) = self.corners(&markers(&flipped, self.dictionary)?);
        if in_mirror.len() >= CORNERS_MIN {
            return Ok(NotFound::Mirrored { target });
        }
        for family in Dictionary::ALL {
            let same = family.bits() == self.dictionary.bits();
            if !same && markers(&small, family)?.len() >= CORNERS_MIN {
                let seen = format!("a board with markers of {0} x {0} bits", family.bits());
                return Ok(NotFound::OtherTarget { target, seen });
            }
        }
        Ok(if seen == 0 {
            NotFound::Nothing { target }
        } else {
            NotFound::Partial { target, seen, of, needed: CORNERS_MIN }
        })
    }
}

fn markers(luma: &Mat, dictionary: Dictionary) -> Result<Markers, NotFound> {
    let mut corners = Vector::<Vector<Point2f>>::new();
    let mut ids = Vector::<i32>::new();
    aruco::detect_markers_def(luma, &dictionary.opencv()?, &mut corners, &mut ids)?;
    let four = |corners: Vector<Point2f>| {
        let corners: Vec<Px> = corners.iter().map(px_from).collect();
        corners.try_into().ok()
    };
    let named = ids.iter().zip(corners.iter());
    Ok(named.filter_map(|(id, corners)| Some((id.unsigned_abs(), four(corners)?))).collect())
}

/// Each corner moved to where the edges around it meet; those that are not there are left out.
fn placed(luma: &Mat, guesses: &[(u32, Corner)]) -> Found {
    let mut found = Vec::with_capacity(guesses.len());
    for (id, guess) in guesses {
        if let Some(px) = refined(luma, guess)? {
            found.push((*id, px));
        }
    }
    Ok(found)
}
