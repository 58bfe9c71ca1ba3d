//! Things that happen on the line besides parts passing. Each is defined once: its log line, its
//! counter and its banner come from here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CameraId, PartId, Provider, Stage};

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
    /// Live frames were dropped because the line was busy.
    FrameDropped {
        /// The camera.
        camera: CameraId,
        /// How many since this was told last.
        #[serde(default)]
        frames: u64,
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
    /// A stage that failed or stood still works again.
    StageRestarted {
        /// The stage.
        stage: Stage,
    },
    /// A camera gives no frames any more; it is tried again until it does.
    CameraLost {
        /// The camera.
        camera: CameraId,
        /// Why, as far as can be told.
        cause: String,
    },
    /// A camera gives frames again.
    CameraBack {
        /// The camera.
        camera: CameraId,
        /// How long it was gone, milliseconds.
        after_ms: u64,
    },
    /// Frames that the camera counted never arrived.
    FramesMissing {
        /// The camera.
        camera: CameraId,
        /// How many.
        frames: u64,
        /// Where they were lost, as far as can be told.
        cause: String,
    },
    /// A camera is slower than it was configured to be.
    CameraSlow {
        /// The camera.
        camera: CameraId,
        /// Frames per second over the last seconds, times a thousand.
        got_mfps: u64,
        /// Frames per second it should give, times a thousand.
        wanted_mfps: u64,
    },
    /// A part was triggered and no frame was exposed within the window.
    TriggerWithoutFrame {
        /// The part.
        part: PartId,
        /// Why, as far as can be told.
        cause: String,
    },
    /// The trigger counter jumped: triggers were given that never arrived here.
    TriggersMissing {
        /// How many.
        triggers: u64,
    },
    /// The PLC can't be reached, or does not read any more.
    PlcLost {
        /// Why, as far as can be told.
        cause: String,
    },
    /// The PLC is there again.
    PlcBack,
    /// The PLC did not take a verdict.
    VerdictNotTaken {
        /// The part.
        part: PartId,
        /// Why not.
        cause: String,
    },
    /// A part to be rejected was not seen to fall.
    RejectNotConfirmed {
        /// The part.
        part: PartId,
    },
    /// A part to be rejected passed the gate before the gate could open.
    RejectTooLate {
        /// The part.
        part: PartId,
    },
    /// A part that passed lies where the gate was open, so it was thrown out as well.
    PassedPartEjected {
        /// The part.
        part: PartId,
        /// Why the gate was open.
        cause: String,
    },
    /// Something fell at the gate and no part was to be thrown out.
    ConfirmUnexpected,
    /// The encoder says what a belt can't do.
    EncoderImplausible {
        /// What.
        what: String,
    },
    /// Pictures of a part were given up because the disk is too slow or full; its row was not.
    PicturesGivenUp {
        /// The part.
        part: PartId,
    },
    /// The disk does not take what is recorded; verdicts go on, and it is tried again.
    RecordStuck {
        /// Why not.
        cause: String,
    },
    /// A part's row was given up.
    NotRecorded {
        /// The part.
        part: PartId,
        /// Why.
        cause: String,
    },
    /// The disk takes what is recorded again.
    RecordingAgain,
    /// The wall clock jumped; deadlines do not depend on it.
    ClockJumped {
        /// By how many milliseconds, forward positive.
        by_ms: i64,
    },
    /// Another recipe is in force from the next part on.
    RecipeChanged {
        /// Its name.
        recipe: String,
    },
    /// The model runs on the CPU, or in part, though the recipe names another provider.
    ModelOnCpu {
        /// The recipe's name.
        recipe: String,
        /// The provider it names.
        wanted: Provider,
        /// Why it can't be had.
        cause: String,
    },
    /// A clip that the cloud keeps was removed here to make room.
    ClipCleared {
        /// Its number.
        clip: i64,
    },
    /// A clip was removed to make room before the cloud kept it.
    ClipEvicted {
        /// Its number.
        clip: i64,
        /// Why it had been kept.
        class: String,
        /// How far it had come.
        state: String,
    },
    /// A clip was not made.
    ClipLost {
        /// The camera.
        camera: CameraId,
        /// Why not.
        cause: String,
    },
    /// Clips that the cloud does not keep yet take nearly all the room that clips may take.
    ClipsNearlyFull {
        /// What they take, in MiB.
        mib: u64,
        /// What all clips may take, in MiB.
        most_mib: u64,
    },
    /// Clips of a camera can't be brought to where they are kept; they stay on disk, and it is
    /// tried again.
    UploadTrouble {
        /// The camera.
        camera: CameraId,
        /// Why not, and what would be right.
        cause: String,
    },
    /// Clips of a camera are kept again.
    UploadWorks {
        /// The camera.
        camera: CameraId,
    },
    /// A clip will never be taken; it stays on disk until a person has looked.
    ClipQuarantined {
        /// The camera.
        camera: CameraId,
        /// The clip's number in the store.
        clip: i64,
        /// Why not.
        cause: String,
    },
    /// A camera's calibration does not hold any more: its parts are undecided.
    CalibrationLost {
        /// The camera.
        camera: CameraId,
        /// What was measured, what is allowed, and what to do.
        cause: String,
    },
    /// A camera's calibration holds again.
    CalibrationHolds {
        /// The camera.
        camera: CameraId,
    },
    /// Clips are not sent for now.
    ClipsHeld {
        /// The camera.
        camera: CameraId,
        /// Why, and what would be right.
        cause: String,
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
            Self::StageRestarted { .. } => "stage_restarted",
            Self::CameraLost { .. } => "camera_lost",
            Self::CameraBack { .. } => "camera_back",
            Self::FramesMissing { .. } => "frames_missing",
            Self::CameraSlow { .. } => "camera_slow",
            Self::TriggerWithoutFrame { .. } => "trigger_without_frame",
            Self::TriggersMissing { .. } => "triggers_missing",
            Self::PlcLost { .. } => "plc_lost",
            Self::PlcBack => "plc_back",
            Self::VerdictNotTaken { .. } => "verdict_not_taken",
            Self::RejectNotConfirmed { .. } => "reject_not_confirmed",
            Self::RejectTooLate { .. } => "reject_too_late",
            Self::PassedPartEjected { .. } => "passed_part_ejected",
            Self::ConfirmUnexpected => "confirm_unexpected",
            Self::EncoderImplausible { .. } => "encoder_implausible",
            Self::PicturesGivenUp { .. } => "pictures_given_up",
            Self::RecordStuck { .. } => "record_stuck",
            Self::NotRecorded { .. } => "not_recorded",
            Self::RecordingAgain => "recording_again",
            Self::ClockJumped { .. } => "clock_jumped",
            Self::RecipeChanged { .. } => "recipe_changed",
            Self::ModelOnCpu { .. } => "model_on_cpu",
            Self::ClipCleared { .. } => "clip_cleared",
            Self::ClipEvicted { .. } => "clip_evicted",
            Self::ClipLost { .. } => "clip_lost",
            Self::ClipsNearlyFull { .. } => "clips_nearly_full",
            Self::UploadTrouble { .. } => "upload_trouble",
            Self::UploadWorks { .. } => "upload_works",
            Self::ClipQuarantined { .. } => "clip_quarantined",
            Self::ClipsHeld { .. } => "clips_held",
            Self::CalibrationLost { .. } => "calibration_lost",
            Self::CalibrationHolds { .. } => "calibration_holds",
        }
    }

    /// Whether somebody has to look after it.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        Self::name_is_alarm(self.name())
    }

    /// Whether somebody has to look after the events of this [`Event::name`].
    #[must_use]
    pub fn name_is_alarm(name: &str) -> bool {
        const QUIET: [&str; 12] = [
            "background_relearnt",
            "blob_ignored",
            "part_cut",
            "parts_merged",
            "stage_restarted",
            "camera_back",
            "plc_back",
            "recording_again",
            "recipe_changed",
            "clip_cleared",
            "upload_works",
            "calibration_holds",
        ];
        !QUIET.contains(&name)
    }
}

impl Event {
    /// What happened to clips and on their way to the cloud; nothing of other events.
    fn fmt_of_clips(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClipCleared { clip } => {
                write!(f, "clip {clip} made room here; the cloud keeps it")
            }
            Self::ClipEvicted { clip, class, state } => {
                write!(f, "clip {clip} ({class}) is lost: it made room when only {state}")
            }
            Self::ClipLost { camera, cause } => write!(f, "{camera}: a clip is lost: {cause}"),
            Self::ClipsNearlyFull { mib, most_mib } => {
                write!(f, "clips that only this machine has take {mib} of {most_mib} MiB")
            }
            Self::UploadTrouble { camera, cause } => {
                write!(f, "{camera}: clips wait on this disk: {cause}")
            }
            Self::UploadWorks { camera } => write!(f, "{camera}: clips are kept again"),
            Self::ClipQuarantined { camera, clip, cause } => {
                write!(f, "{camera}: clip {clip} will not be sent: {cause}")
            }
            Self::ClipsHeld { camera, cause } => write!(f, "{camera}: clips are held: {cause}"),
            _ => Ok(()),
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
            Self::FrameDropped { camera, frames } => {
                write!(f, "{camera}: {frames} frames dropped, line busy")
            }
            Self::DeadlineMissed { part } => write!(f, "{part}: no inspection in time"),
            Self::LateInspection { part } => write!(f, "{part}: inspection came too late"),
            Self::StageFailed { stage, message } => write!(f, "{stage} failed: {message}"),
            Self::StageRestarted { stage } => write!(f, "{stage} works again"),
            Self::CameraLost { camera, cause } => write!(f, "{camera} is gone: {cause}"),
            Self::CameraBack { camera, after_ms } => {
                write!(f, "{camera} is back after {after_ms} ms")
            }
            Self::FramesMissing { camera, frames, cause } => {
                write!(f, "{camera}: {frames} frames never arrived: {cause}")
            }
            Self::CameraSlow { camera, got_mfps, wanted_mfps } => {
                let fps = |mfps: &u64| format!("{}.{:03}", mfps / 1000, mfps % 1000);
                write!(f, "{camera}: {} fps instead of {}", fps(got_mfps), fps(wanted_mfps))
            }
            Self::TriggerWithoutFrame { part, cause } => {
                write!(f, "{part} has no picture: {cause}")
            }
            Self::TriggersMissing { triggers } => write!(f, "{triggers} triggers never arrived"),
            Self::PlcLost { cause } => write!(f, "the PLC is gone: {cause}"),
            Self::PlcBack => f.write_str("the PLC is back"),
            Self::VerdictNotTaken { part, cause } => {
                write!(f, "{part}: the PLC did not take the verdict: {cause}")
            }
            Self::RejectNotConfirmed { part } => write!(f, "{part} was not seen to fall"),
            Self::RejectTooLate { part } => write!(f, "{part} passed the gate before it opened"),
            Self::PassedPartEjected { part, cause } => {
                write!(f, "{part} passed and was thrown out: {cause}")
            }
            Self::ConfirmUnexpected => f.write_str("something fell that was not thrown out"),
            Self::EncoderImplausible { what } => write!(f, "encoder: {what}"),
            Self::PicturesGivenUp { part } => write!(f, "{part}: pictures given up, disk too slow"),
            Self::RecordStuck { cause } => write!(f, "nothing is written down: {cause}"),
            Self::NotRecorded { part, cause } => write!(f, "{part} was not written down: {cause}"),
            Self::RecordingAgain => f.write_str("the disk takes records again"),
            Self::ClockJumped { by_ms } => write!(f, "the wall clock jumped by {by_ms} ms"),
            Self::RecipeChanged { recipe } => write!(f, "recipe `{recipe}` from the next part on"),
            Self::ModelOnCpu { recipe, wanted, cause } => {
                write!(f, "recipe `{recipe}`: its model runs on the CPU, not on {wanted}: {cause}")
            }
            Self::CalibrationLost { camera, cause } => {
                write!(f, "{camera}: the calibration does not hold any more: {cause}")
            }
            Self::CalibrationHolds { camera } => write!(f, "{camera}: the calibration holds again"),
            of_clips => of_clips.fmt_of_clips(f),
        }
    }
}
