//! A part on its way down the line, a type a stage.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    CaptureTime, CheckedRecipe, Finding, FindingFault, Frame, MonoTime, PartId, PartPose, PointPx,
    RectPx, Sha256, StageTimes, ViewRecord,
};

/// One picture of a part: which frame, and where in it the part is.
#[derive(Debug)]
pub struct View {
    /// The recipe's name for it.
    pub name: Arc<str>,
    /// The frame, shared with capture.
    pub frame: Frame,
    /// Where the part is.
    pub box_in_frame: RectPx,
    /// What the model is to look at: the box, grown or fixed as the recipe says.
    pub crop_in_frame: RectPx,
    /// How the part lies; known once it was aligned.
    pub pose: Option<PartPose>,
}

/// Whether what was located is one whole part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "seen")]
pub enum PartCondition {
    /// One part, seen whole.
    Whole,
    /// It was never seen fully inside the inspection region.
    Cut,
    /// Several parts touch and could not be told apart.
    Merged {
        /// How many there seem to be, from the area.
        parts_estimated: u32,
    },
}

/// How the belt moved a part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeltMotion {
    /// Pixels of the frame per second, right and down positive.
    pub velocity_px_per_s: PointPx,
}

/// One part that was located and is now owed a verdict.
#[derive(Debug)]
pub struct Part {
    /// Its running number.
    pub id: PartId,
    /// What to look for; never changes after the part was located.
    pub recipe: Arc<CheckedRecipe>,
    /// The chosen pictures, in recipe order; at least one.
    pub views: Vec<View>,
    /// When its deciding frame was exposed (or the trigger came); deadlines count from here.
    pub triggered_at: CaptureTime,
    /// Whether it is one whole part.
    pub condition: PartCondition,
    /// How it moved; absent for triggered sources.
    pub motion: Option<BeltMotion>,
    /// Time spent so far.
    pub times: StageTimes,
}

impl Part {
    /// By when the gate must have heard.
    #[must_use]
    pub fn due(&self) -> MonoTime {
        self.triggered_at.mono.plus(self.recipe.budget())
    }
}

/// What a model takes: `batch, channels, height, width` floats, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Batch, channels, rows, columns.
    pub shape: [usize; 4],
    /// The numbers; `shape` multiplied out of them.
    pub data: Vec<f32>,
    /// The rectangle of the frame that the grid of the input covers, padding included; in
    /// frame pixels, may reach beyond the frame.
    pub placement: Placement,
}

/// How a crop was laid into a model's input: `input = (frame - offset) * scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Frame position of the input's left edge.
    pub offset_x_px: f32,
    /// Frame position of the input's top edge.
    pub offset_y_px: f32,
    /// Input pixels per frame pixel, across.
    pub scale_x: f32,
    /// Input pixels per frame pixel, down.
    pub scale_y: f32,
}

/// A part with its model inputs, one a view; an input is missing when it could not be made.
#[derive(Debug)]
pub struct PreparedPart {
    /// The part.
    pub part: Part,
    /// One a view.
    pub tensors: Vec<Result<Tensor, FindingFault>>,
    /// Hash of the calibration profile used; `None` when the recipe needs none.
    pub calibration: Option<Sha256>,
}

/// A part with what the model said, one a view.
#[derive(Debug)]
pub struct InferredPart {
    /// The part.
    pub part: Part,
    /// One a view.
    pub findings: Vec<Result<Finding, FindingFault>>,
    /// Hash of the calibration profile used.
    pub calibration: Option<Sha256>,
    /// Hash of the model bundle.
    pub model: Sha256,
}

/// A part that is due: what `act` is told the moment a part is located.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The part.
    pub part: PartId,
    /// Its recipe, for the fail-safe signal.
    pub recipe: Arc<CheckedRecipe>,
    /// When it was triggered.
    pub triggered_at: CaptureTime,
    /// By when the gate must have heard.
    pub due: MonoTime,
    /// Which pictures it is in, so that an answer without an inspection can still be looked at.
    pub views: Vec<ViewRecord>,
    /// Whether it is one whole part.
    pub condition: PartCondition,
}

impl Expected {
    /// The time allowed, from trigger to signal.
    #[must_use]
    pub fn budget(&self) -> Duration {
        self.due.since(self.triggered_at.mono)
    }
}

impl From<&Part> for Expected {
    fn from(part: &Part) -> Self {
        Self {
            part: part.id,
            recipe: Arc::clone(&part.recipe),
            triggered_at: part.triggered_at,
            due: part.due(),
            views: part.views.iter().map(ViewRecord::from).collect(),
            condition: part.condition.clone(),
        }
    }
}
