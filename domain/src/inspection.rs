//! The outcome for one part, and what the gate was told of it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    BeltMotion, CameraId, CaptureTime, ClassScore, Defect, Heatmap, MonoTime, PartCondition,
    PartId, PartPose, RectPx, Sha256, Stage, Verdict, View,
};

/// Time a part spent in each stage, on the machine's clock. Never part of what is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes([Duration; Stage::ALL.len()]);

impl StageTimes {
    /// Adds `spent` in `stage`.
    pub fn add(&mut self, stage: Stage, spent: Duration) {
        self.0[stage as usize] += spent;
    }

    /// Time spent in `stage`.
    #[must_use]
    pub const fn of(&self, stage: Stage) -> Duration {
        self.0[stage as usize]
    }
}

/// What decided: enough to make the same verdict again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Hash of the checked recipe.
    pub recipe: Sha256,
    /// Hash of the model bundle; absent when no model was asked.
    pub model: Option<Sha256>,
    /// Hash of the calibration profile; absent when the recipe needs none.
    pub calibration: Option<Sha256>,
    /// Name and version of this software.
    pub software: Arc<str>,
    /// Whether the frames were replayed or simulated rather than taken from a live camera
    /// (OPC 40100-1 `isSimulated`).
    pub is_simulated: bool,
}

/// Which picture a view was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewRecord {
    /// The recipe's name for the view.
    pub name: Arc<str>,
    /// The camera.
    pub camera: CameraId,
    /// The frame's running number.
    pub frame: u64,
    /// The file it was read from, for sources of one file a frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Arc<str>>,
    /// When it was exposed.
    pub at: CaptureTime,
    /// Where the part is.
    pub box_in_frame: RectPx,
    /// What the model looked at.
    pub crop_in_frame: RectPx,
    /// How the part lay; absent unless the recipe aligns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pose: Option<PartPose>,
}

impl From<&View> for ViewRecord {
    fn from(view: &View) -> Self {
        Self {
            name: Arc::clone(&view.name),
            camera: view.frame.camera.clone(),
            frame: view.frame.sequence,
            origin: view.frame.origin.clone(),
            at: view.frame.at,
            box_in_frame: view.box_in_frame,
            crop_in_frame: view.crop_in_frame,
            pose: view.pose,
        }
    }
}

/// The verdict on one part with everything that led to it.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// Which part.
    pub part: PartId,
    /// When it was triggered.
    pub triggered_at: CaptureTime,
    /// What is said of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The highest score of any defect the recipe looks at, 0 when there is none.
    pub score: f32,
    /// Whether it is one whole part.
    pub condition: PartCondition,
    /// How it moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub motion: Option<BeltMotion>,
    /// Score of each of the model's labels, the highest over the views.
    pub classes: Vec<ClassScore>,
    /// Everything found, also what is below the limits.
    pub defects: Vec<Defect>,
    /// Which pictures.
    pub views: Vec<ViewRecord>,
    /// What decided.
    pub provenance: Provenance,
    /// Where each view looked defective; for people, kept beside the images.
    #[serde(skip)]
    pub heatmaps: Vec<Option<Heatmap>>,
    /// The frames, so that record can keep the pictures.
    #[serde(skip)]
    pub pictures: Vec<View>,
    /// Time per stage; never part of what is compared.
    #[serde(skip)]
    pub times: StageTimes,
}

/// What the reject gate is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateSignal {
    /// Let the part through.
    Pass,
    /// Throw the part out.
    Reject,
}

/// Who gave the answer that the gate heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// An inspection that came in time.
    Inspection,
    /// The ledger, at the deadline, because none had come.
    FailSafe,
}

/// What the PLC answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "plc")]
pub enum PlcAnswer {
    /// There is no PLC; the signal was logged.
    Logged,
    /// The PLC took it, or it lies where the PLC reads.
    Taken,
    /// It is on its way; should the PLC not take it, an event says so.
    Queued,
    /// The PLC could not be told.
    Failed {
        /// Why not.
        message: String,
    },
}

/// An inspection and what the gate was told of it.
#[derive(Debug, Serialize)]
pub struct ActedInspection {
    /// The inspection.
    #[serde(flatten)]
    pub inspection: Inspection,
    /// What the gate was told.
    pub gate: GateSignal,
    /// When, on the line's clock.
    pub told_at: MonoTime,
    /// By when it had to be told.
    pub due: MonoTime,
    /// Who gave the answer.
    pub answered_by: AnsweredBy,
    /// What the PLC answered.
    #[serde(flatten)]
    pub plc: PlcAnswer,
}

/// What `act` hands to `record`.
#[derive(Debug)]
pub enum Outcome {
    /// The one answer the gate heard for a part.
    Acted(Box<ActedInspection>),
    /// An inspection that came after the fail-safe had answered; it changed nothing.
    Late(Box<Inspection>),
}
