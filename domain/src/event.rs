//! Things that happen on the line besides parts passing. Each is defined once: its log line, its
//! counter and its banner come from here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CameraId, PartId, Stage};

/// Something worth counting and telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The picture changed all over (lamp, camera moved); the background is learnt anew.
    BackgroundRelearnt {
        /// The camera.
        camera: CameraId,
        /// At which frame.
        frame: u64,
    },
    /// Something moved that is too small or too short-lived to be a part.
    BlobIgnored {
        /// The camera.
        camera: CameraId,
        /// At which frame it was last seen.
        frame: u64,
    },
    /// A part left or the footage ended before it was seen whole.
    PartCut {
        /// The part.
        part: PartId,
    },
    /// Parts that touch were taken as one.
    PartsMerged {
        /// The part.
        part: PartId,
    },
    /// A live frame was dropped because the line was busy.
    FrameDropped {
        /// The camera.
        camera: CameraId,
    },
    /// No inspection came in time; the fail-safe answered.
    DeadlineMissed {
        /// The part.
        part: PartId,
    },
    /// An inspection came after the fail-safe had answered.
    LateInspection {
        /// The part.
        part: PartId,
    },
    /// A stage failed.
    StageFailed {
        /// The stage.
        stage: Stage,
        /// Why.
        message: String,
    },
}

impl Event {
    /// The counter's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BackgroundRelearnt { .. } => "background_relearnt",
            Self::BlobIgnored { .. } => "blob_ignored",
            Self::PartCut { .. } => "part_cut",
            Self::PartsMerged { .. } => "parts_merged",
            Self::FrameDropped { .. } => "frame_dropped",
            Self::DeadlineMissed { .. } => "deadline_missed",
            Self::LateInspection { .. } => "late_inspection",
            Self::StageFailed { .. } => "stage_failed",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BackgroundRelearnt { camera, frame } => {
                write!(f, "{camera}: the picture changed all over at frame {frame}; relearning")
            }
            Self::BlobIgnored { camera, frame } => {
                write!(f, "{camera}: something too small for a part at frame {frame}")
            }
            Self::PartCut { part } => write!(f, "{part} was never seen whole"),
            Self::PartsMerged { part } => write!(f, "{part} is several parts that touch"),
            Self::FrameDropped { camera } => write!(f, "{camera}: frame dropped, line busy"),
            Self::DeadlineMissed { part } => write!(f, "{part}: no inspection in time"),
            Self::LateInspection { part } => write!(f, "{part}: inspection came too late"),
            Self::StageFailed { stage, message } => write!(f, "{stage} failed: {message}"),
        }
    }
}
