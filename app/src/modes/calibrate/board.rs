//! The target as flags on the command line: takes them, gives the target.

use anyhow::{Result, bail};
use calibration::Target;
use clap::ValueEnum;
use domain::BoardKind;

use super::measured;

/// The target: as it was printed. Measure the printed squares, and say what you measured.
#[derive(clap::Args, Clone, Debug)]
pub struct Board {
    /// What is on the target.
    #[arg(long, value_enum, default_value_t = Kind::Charuco)]
    pub kind: Kind,
    /// Squares in a row (ChArUco), inner corners in a row (chessboard), discs in a row (circles).
    #[arg(long, default_value_t = 7)]
    columns: u32,
    /// As `--columns`, in a column.
    #[arg(long, default_value_t = 9)]
    rows: u32,
    /// Side of a square, or half of what lies between two discs of a row, millimetres.
    #[arg(long, value_name = "MM", default_value_t = 25.0)]
    square_mm: f64,
    /// Side of a ChArUco's marker, millimetres; three quarters of a square when not given.
    #[arg(long, value_name = "MM")]
    marker_mm: Option<f64>,
    /// A ChArUco's family of markers, as OpenCV names it: 4x4_50 to 6x6_250.
    #[arg(long, default_value = "4x4_50", value_parser = dictionary)]
    dictionary: String,
}

/// The kinds of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A chessboard with markers: a part of it is enough.
    Charuco,
    /// Black and white squares; seen whole.
    Chessboard,
    /// Rows of discs, each second one shifted; seen whole.
    Circles,
}

impl Board {
    /// The target.
    pub fn target(&self) -> Result<Target> {
        if self.kind != Kind::Charuco && self.marker_mm.is_some() {
            bail!("--marker-mm is for --kind charuco only");
        }
        measured::target_of(&domain::Board {
            kind: match self.kind {
                Kind::Charuco => BoardKind::Charuco,
                Kind::Chessboard => BoardKind::Chessboard,
                Kind::Circles => BoardKind::Circles,
            },
            columns: self.columns,
            rows: self.rows,
            square_mm: self.square_mm,
            marker_mm: self.marker_mm,
            dictionary: self.dictionary.clone(),
        })
    }
}

fn dictionary(name: &str) -> Result<String> {
    measured::dictionary(name).map(|known| known.to_string())
}
