//! The target as flags on the command line: takes them, gives the target.

use anyhow::{Result, anyhow, bail};
use calibration::Target;
use calibration::target::{Dictionary, TargetKind};
use clap::ValueEnum;

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
    dictionary: Dictionary,
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
        let (columns, rows, square_mm) = (self.columns, self.rows, self.square_mm);
        let (dictionary, marker) = (self.dictionary, self.marker_mm);
        if self.kind != Kind::Charuco && marker.is_some() {
            bail!("--marker-mm is for --kind charuco only");
        }
        Ok(Target::new(match self.kind {
            Kind::Chessboard => TargetKind::Chessboard { columns, rows, square_mm },
            Kind::Circles => TargetKind::CircleGrid { columns, rows, spacing_mm: square_mm },
            Kind::Charuco => {
                let marker_mm = marker.unwrap_or(0.75 * square_mm);
                TargetKind::Charuco { columns, rows, square_mm, marker_mm, dictionary }
            }
        })?)
    }
}

fn dictionary(name: &str) -> Result<Dictionary> {
    serde_json::from_value(serde_json::Value::from(name))
        .map_err(|_| anyhow!("there is no such family; write 4x4_50 to 6x6_250"))
}
