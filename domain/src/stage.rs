//! The eight stages of the line, in the order in which a part meets them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A stage of the line. Its name is its folder, its thread, its log target and its metric prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Takes frames from a camera or from footage.
    Capture,
    /// Finds the part in the frames and mints its id.
    Locate,
    /// Turns the part's pixels into the model's input.
    Prepare,
    /// Runs the model.
    Infer,
    /// Turns findings into a verdict.
    Decide,
    /// Tells the gate; keeps the ledger of parts due.
    Act,
    /// Writes everything down.
    Record,
    /// Sends defect clips to the cloud.
    Upload,
}

impl Stage {
    /// All stages in line order.
    pub const ALL: [Self; 8] = [
        Self::Capture,
        Self::Locate,
        Self::Prepare,
        Self::Infer,
        Self::Decide,
        Self::Act,
        Self::Record,
        Self::Upload,
    ];

    /// The name used everywhere.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Locate => "locate",
            Self::Prepare => "prepare",
            Self::Infer => "infer",
            Self::Decide => "decide",
            Self::Act => "act",
            Self::Record => "record",
            Self::Upload => "upload",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
