//! What a model said of one view of one part.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Defect, RectPx, Score, Sha256};

/// The score of one of the model's labels for a whole view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    /// The label.
    pub label: Arc<str>,
    /// Its score.
    pub score: Score,
}

/// How defective each place of a view looks: the highest defect probability of any label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heatmap {
    /// Columns of the grid.
    pub width: u32,
    /// Rows of the grid.
    pub height: u32,
    /// Row-major, 0 is certainly good, 255 certainly defective; `width * height` entries.
    pub values: Vec<u8>,
    /// The rectangle of the frame that the grid covers; may reach beyond the frame's border
    /// only by padding, which is cut off here.
    pub covers: RectPx,
}

/// What a model said of one view. Tied to the model by hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which of the part's views, in recipe order.
    pub view: usize,
    /// Hash of the model bundle that said it.
    pub model: Sha256,
    /// Score of every label.
    pub classes: Vec<ClassScore>,
    /// The single things found.
    pub defects: Vec<Defect>,
    /// Where it looked defective; for people.
    pub heatmap: Option<Heatmap>,
}

/// Why there is no finding.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum FindingFault {
    /// The model put out NaN or infinity.
    #[error("the model's output `{output}` holds a value that is not finite")]
    NotFinite {
        /// Name of the output.
        output: String,
    },
    /// The runtime failed.
    #[error("the model did not run: {message}")]
    Runtime {
        /// What the runtime said.
        message: String,
    },
    /// The camera's calibration does not hold any more, or the part can't be measured by it.
    #[error("the calibration does not hold: {message}")]
    Calibration {
        /// Why not.
        message: String,
    },
    /// The part could not be turned into the model's input.
    #[error("the part could not be prepared: {message}")]
    NotPrepared {
        /// Why not.
        message: String,
    },
}
