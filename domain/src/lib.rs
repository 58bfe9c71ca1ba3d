//! THE WORDS of Sightline: plain values that every room shares. No I/O, no threads, no clock.
//!
//! The path of a part is a path of types: [`Frame`] → [`Part`] → [`PreparedPart`] →
//! [`InferredPart`] → [`Inspection`] → [`ActedInspection`]. Wiring stages in another order does
//! not compile.

pub mod calibrating;
pub mod command;
pub mod defect;
pub mod event;
pub mod finding;
pub mod frame;
pub mod geometry;
pub mod ids;
pub mod inspection;
pub mod label;
pub mod millimetres;
pub mod part;
pub mod rate;
pub mod recipe;
pub mod rule;
pub mod snapshot;
pub mod stage;
pub mod time;
pub mod verdict;

pub use calibrating::{Board, BoardKind, CalibrationStep};
pub use command::{Command, Pin};
pub use defect::{Defect, Mask, Score, ScoreError};
pub use event::Event;
pub use finding::{ClassScore, Finding, FindingFault, Heatmap};
pub use frame::{Cut, Frame, OwnedPixels, PixelFormat, Pixels, Plane, YuvMatrix, YuvRange};
pub use geometry::{PointPx, RectPx, SizePx};
pub use ids::{CameraId, PartId, Sha256};
pub use inspection::{
    ActedInspection, AnsweredBy, GateSignal, Inspection, Outcome, PlcAnswer, Provenance,
    StageTimes, ViewRecord,
};
pub use label::{Judgement, Label, LabelError, Mark, MarkedBy, PartKey, PersonId, Role, Shape};
pub use millimetres::{DefectMm, PartPose};
pub use part::{
    BeltMotion, Expected, InferredPart, Part, PartCondition, Placement, PreparedPart, Tensor, View,
};
pub use rate::Rate;
pub use recipe::{CheckedRecipe, Execution, Locate, Provider, Recipe, RecipeError, WhenMissing};
pub use rule::verdict_from_defects;
pub use snapshot::{
    CameraSnapshot, ClipSnapshot, Conservation, LineState, RecentPart, Snapshot, StageSnapshot,
    Tail, UploadSnapshot,
};
pub use stage::Stage;
pub use time::{CaptureTime, MonoTime, WallTime};
pub use verdict::{Reason, Verdict, VerdictKind, Why};
