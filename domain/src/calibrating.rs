//! What a person asks for while they calibrate a camera at the screen. Asked at the head of the
//! line only.

use serde::{Deserialize, Serialize};

use crate::{PointPx, RectPx};

/// The printed target, as it was measured with a caliper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// What is printed.
    pub kind: BoardKind,
    /// Squares in a row (ChArUco), inner corners in a row (chessboard), discs in a row (circles).
    pub columns: u32,
    /// As `columns`, in a column.
    pub rows: u32,
    /// Side of a square, or half of what lies between two discs of a row, millimetres.
    pub square_mm: f64,
    /// Side of a ChArUco's marker, millimetres; three quarters of a square when absent.
    #[serde(default)]
    pub marker_mm: Option<f64>,
    /// A ChArUco's family of markers, as OpenCV names it: `4x4_50` to `6x6_250`.
    pub dictionary: String,
}

impl Default for Board {
    /// The board that is printed when nothing else is asked for.
    fn default() -> Self {
        Self {
            kind: BoardKind::Charuco,
            columns: 7,
            rows: 9,
            square_mm: 25.0,
            marker_mm: None,
            dictionary: "4x4_50".to_owned(),
        }
    }
}

/// The kinds of targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoardKind {
    /// A chessboard with markers: a part of it is enough.
    Charuco,
    /// Black and white squares; seen whole.
    Chessboard,
    /// Rows of discs, each second one shifted; seen whole.
    Circles,
}

impl BoardKind {
    /// All, the most useful first.
    pub const ALL: [Self; 3] = [Self::Charuco, Self::Chessboard, Self::Circles];
}

/// A step of the calibration of one camera. All of it is a draft until it is accepted: a line that
/// is restarted half-way measures as before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum CalibrationStep {
    /// Begin, from what is in force; pictures of this camera are looked at from now on, and its
    /// parts are undecided until the end.
    Begin,
    /// This is the target.
    Board {
        /// As measured.
        board: Board,
    },
    /// Which camera and lens this is, in words.
    Note {
        /// Its serial number; the camera's own word where it says one.
        serial: Option<String>,
        /// The lens, and how it is set.
        lens_note: Option<String>,
    },
    /// Look for views of the target for the lens; with `is_by_itself`, each that is sharp, still
    /// and unlike the others is taken without anybody's hand on the screen.
    Views {
        /// Whether views are taken without being asked for.
        is_by_itself: bool,
    },
    /// Take a view of the target now.
    TakeView,
    /// Forget a view.
    DropView {
        /// As it is numbered in the list, which never changes for a view.
        number: u32,
    },
    /// Fit the lens from the views.
    FitLens,
    /// The target lies on the belt: find the plane.
    Plane {
        /// Parts are so high, millimetres: measure on their tops.
        height_mm: f64,
        /// The lens is telecentric: no perspective.
        is_telecentric: bool,
    },
    /// Without a target: two places in the frame and the length between them.
    Ruler {
        /// One end.
        from: PointPx,
        /// The other.
        to: PointPx,
        /// Between them, millimetres.
        length_mm: f64,
    },
    /// A plain sheet fills the picture, or nothing lights it: average frames for the flat field.
    Flat {
        /// The lamp is off, or the lens is covered.
        is_dark: bool,
        /// What the camera is set to, microseconds.
        exposure_us: f64,
        /// What the camera is set to, decibels.
        gain_db: f64,
    },
    /// Remember how good pictures look, for what later ones are held against.
    Watch {
        /// Something in the frame that must not move.
        landmark: Option<RectPx>,
    },
    /// The belt runs: measure how it moves.
    Belt,
    /// Leave the step that takes frames, and what it has taken.
    Leave,
    /// Accept the draft: it becomes the camera's calibration, in force from the next time that a
    /// recipe is armed.
    Accept,
    /// End; what was not accepted is forgotten.
    End,
}

impl CalibrationStep {
    /// Whether it measures, changes or decides, so that it belongs in the audit log.
    #[must_use]
    pub const fn is_noted(&self) -> bool {
        matches!(
            self,
            Self::Begin
                | Self::FitLens
                | Self::Plane { .. }
                | Self::Ruler { .. }
                | Self::Flat { .. }
                | Self::Watch { .. }
                | Self::Belt
                | Self::Accept
                | Self::End
        )
    }
}
