//! The page to print a target on: takes a target and a paper size; gives what is drawn where, in
//! millimetres, for the writers of files.

use thiserror::Error;

use super::{Mm, Outline, Piece, Target, TargetKind};

/// Paper, as it lies in printers (upright unless the target is wider than high).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// 148 mm x 210 mm.
    A5,
    /// 210 mm x 297 mm.
    A4,
    /// 297 mm x 420 mm.
    A3,
    /// 8.5 in x 11 in.
    Letter,
}

/// Why a target cannot be printed so.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum PrintError {
    /// The target is larger than the paper.
    #[error(
        "a target of {width_mm:.1} mm x {height_mm:.1} mm does not fit on {paper:?} with its \
         margins; with as many rows and columns, the largest that does has {key} = {largest_mm:.1}"
    )]
    TooLarge {
        /// The target's.
        width_mm: f64,
        /// The target's.
        height_mm: f64,
        /// On which it was to be printed.
        paper: Paper,
        /// What to change: `square_mm` or `spacing_mm`.
        key: &'static str,
        /// To what, at most.
        largest_mm: f64,
    },
    /// OpenCV did not give the markers.
    #[error("OpenCV gives no markers: {0}")]
    Markers(String),
}

/// What is drawn on a page, millimetres from its top left corner.
pub(super) struct Page {
    pub width_mm: f64,
    pub height_mm: f64,
    pub pieces: Vec<Piece>,
    /// Left end of the baseline and what is written there.
    pub lines: Vec<(Mm, String)>,
}

/// Height of letters, millimetres.
pub(super) const LETTERS_MM: f64 = 3.0;
/// White left, right and above: what printers leave out, and room for the target's own border.
const MARGIN_MM: f64 = 12.0;
/// White below, for the ruler and the words.
const FOOT_MM: f64 = 32.0;
const RULER_MM: f64 = 100.0;

impl Paper {
    /// Width and height when upright, millimetres.
    #[must_use]
    pub const fn size_mm(self) -> [f64; 2] {
        match self {
            Self::A5 => [148.0, 210.0],
            Self::A4 => [210.0, 297.0],
            Self::A3 => [297.0, 420.0],
            Self::Letter => [215.9, 279.4],
        }
    }
}

impl Page {
    /// The page for a target.
    pub(super) fn new(target: &Target, paper: Paper) -> Result<Self, PrintError> {
        let [width, height] = target.extent_mm();
        let [short, long] = paper.size_mm();
        let [width_mm, height_mm] = if width > height { [long, short] } else { [short, long] };
        let room = [width_mm - 2.0 * MARGIN_MM, height_mm - MARGIN_MM - FOOT_MM];
        let scale = (room[0] / width).min(room[1] / height);
        if scale < 1.0 {
            let (key, side) = target.side_mm();
            let largest_mm = (side * scale * 10.0).floor() / 10.0;
            let (width_mm, height_mm) = (width, height);
            return Err(PrintError::TooLarge { width_mm, height_mm, paper, key, largest_mm });
        }
        let left = MARGIN_MM + (room[0] - width) / 2.0;
        let top = MARGIN_MM + (room[1] - height) / 2.0;
        let mut pieces: Vec<Piece> =
            target.pieces()?.into_iter().map(|p| p.moved(left, top)).collect();
        let foot = height_mm - FOOT_MM + 10.0;
        pieces.extend(ruler(Mm::new(MARGIN_MM, foot)));
        let words = [
            format!(
                "{RULER_MM} mm - print at 100 %, then measure this line and one side of the target."
            ),
            format!("Sightline: {target}."),
            format!(
                "Printed area {width:.2} mm x {height:.2} mm. Mount it flat on glass or metal."
            ),
        ];
        let lines = (0..)
            .zip(words)
            .map(|(line, text)| (Mm::new(MARGIN_MM, foot + 6.0 + 4.5 * f64::from(line)), text));
        let lines = lines.collect();
        Ok(Self { width_mm, height_mm, pieces, lines })
    }
}

impl Target {
    /// The name and value of the measure that makes it larger or smaller.
    const fn side_mm(&self) -> (&'static str, f64) {
        match self.0 {
            TargetKind::Chessboard { square_mm, .. } | TargetKind::Charuco { square_mm, .. } => {
                ("square_mm", square_mm)
            }
            TargetKind::CircleGrid { spacing_mm, .. } => ("spacing_mm", spacing_mm),
        }
    }
}

impl Piece {
    fn moved(self, right_mm: f64, down_mm: f64) -> Self {
        let to = |at: Mm| Mm::new(at.x + right_mm, at.y + down_mm);
        let outline = match self.outline {
            Outline::Polygon(corners) => Outline::Polygon(corners.into_iter().map(to).collect()),
            Outline::Disc { centre, radius_mm } => Outline::Disc { centre: to(centre), radius_mm },
        };
        Self { outline, ..self }
    }
}

/// A line of 100 mm, outer edge to outer edge, with a stroke each 10 mm.
fn ruler(at: Mm) -> Vec<Piece> {
    const THIN: f64 = 0.2;
    let bar = |x: f64, y: f64, width: f64, height: f64| {
        let corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)];
        let corners = corners.iter().map(|&(x, y)| Mm::new(at.x + x, at.y + y)).collect();
        Piece { outline: Outline::Polygon(corners), white: false }
    };
    let stroke = |tenth: u32| {
        let x = f64::from(tenth) * RULER_MM / 10.0;
        // The outer two end at the line's ends, the others stand in the middle.
        let x = if tenth == 10 {
            x - THIN
        } else if tenth == 0 {
            x
        } else {
            x - THIN / 2.0
        };
        let half = if tenth == 0 || tenth == 10 { 2.0 } else { 1.0 };
        bar(x, -half, THIN, 2.0 * half)
    };
    let line = bar(0.0, -THIN / 2.0, RULER_MM, THIN);
    (0..=10).map(stroke).chain([line]).collect()
}
