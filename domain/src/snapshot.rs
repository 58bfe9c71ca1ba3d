//! What the line shows of itself: the latest values only, taken without stopping anything.

use serde::{Deserialize, Serialize};

use crate::{CameraId, MonoTime, PartId, PointPx, RectPx, Stage, VerdictKind};

/// The sum that must always hold: triggered = passed + rejected + undecided + in the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conservation {
    /// Parts located.
    pub triggered: u64,
    /// Parts passed.
    pub passed: u64,
    /// Parts rejected.
    pub rejected: u64,
    /// Parts undecided.
    pub undecided: u64,
    /// Parts located and not yet answered.
    pub in_line: u64,
}

impl Conservation {
    /// Whether the sum holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.triggered == self.passed + self.rejected + self.undecided + self.in_line
    }

    /// Whether the sum holds and every part has its answer, as it must when a line has ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.holds() && self.in_line == 0
    }
}

/// How long something took, over many times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// How often.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// Shortest.
    pub min: f64,
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// Longest.
    pub max: f64,
}

/// What the line is doing, as the PLC and the operator are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    /// Not started, or ended.
    #[default]
    Off,
    /// Cameras open, the belt is being learnt; parts that come are answered fail-safe.
    Starting,
    /// Every part is inspected.
    Running,
    /// Something is missing (a camera, a stage); parts are answered, some fail-safe. Not ready.
    Degraded,
    /// No more frames are taken; parts in the line are being answered.
    Stopping,
}

impl LineState {
    /// Whether the PLC may rely on the line.
    #[must_use]
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Running)
    }
}

/// One camera.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CameraSnapshot {
    /// Its name.
    pub camera: CameraId,
    /// Whether it gives frames.
    pub is_up: bool,
    /// Frames taken.
    pub frames: u64,
    /// Frames dropped here because the line was busy.
    pub dropped: u64,
    /// Frames that the camera counted and that never arrived.
    pub missing: u64,
    /// How often it was lost.
    pub lost: u64,
}

/// One stage.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct StageSnapshot {
    /// Which.
    pub stage: Stage,
    /// Time spent on each frame (capture, locate) or part.
    pub took_ms: Tail,
    /// What waits before it.
    pub waiting: u64,
    /// The most that has ever waited.
    pub waiting_most: u64,
    /// How many may wait.
    pub bound: u64,
    /// What was dropped before it because it was full.
    pub dropped: u64,
    /// How often it was restarted.
    pub restarts: u64,
}

/// Films and clips, over all cameras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipSnapshot {
    /// Pictures that came into a film.
    pub pictures: u64,
    /// Frames that were chosen for a film and did not come into it.
    pub pictures_dropped: u64,
    /// Parts that should be in a clip and were given up.
    pub wants_dropped: u64,
    /// Clips begun.
    pub begun: u64,
    /// Pictures that should be in a clip and are not.
    pub pictures_missing: u64,
    /// Clips on disk, accepted by the store since the start.
    pub made: u64,
    /// Pictures in them.
    pub pictures_made: u64,
    /// Bytes of their files.
    pub bytes_made: u64,
    /// Clips that only this machine has.
    pub waiting: u64,
    /// Bytes of their files.
    pub bytes_waiting: u64,
}

impl ClipSnapshot {
    /// What all the film would have taken besides the clips, as compressed as they are: the bytes
    /// that are not sent because only clips are. An estimate, 0 before the first clip.
    #[must_use]
    pub const fn bytes_saved(&self) -> u64 {
        let unseen = self.pictures.saturating_sub(self.pictures_made) as u128;
        match (self.bytes_made as u128 * unseen).checked_div(self.pictures_made as u128) {
            #[expect(clippy::cast_possible_truncation, reason = "exabytes are beyond any disk")]
            Some(bytes) => bytes as u64,
            None => 0,
        }
    }
}

/// How the upload of one camera's clips goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadSnapshot {
    /// The camera.
    pub camera: CameraId,
    /// What is wrong now; nothing when it works.
    pub trouble: Option<String>,
    /// Connections made.
    pub connections: u64,
    /// Fragments sent whole, again too.
    pub fragments_sent: u64,
    /// Bytes sent, again too.
    pub bytes_sent: u64,
    /// Fragments that are kept where they were sent.
    pub fragments_kept: u64,
    /// Clips all of whose fragments are kept.
    pub clips_kept: u64,
    /// Clips that will never be taken.
    pub clips_quarantined: u64,
}

/// A part that was answered lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecentPart {
    /// The part.
    pub part: PartId,
    /// Its verdict.
    pub verdict: VerdictKind,
    /// Whether the fail-safe answered, not an inspection.
    pub is_fail_safe: bool,
    /// Whether the gate was told to throw it out.
    pub is_thrown_out: bool,
    /// When the gate was told.
    pub told_at: MonoTime,
    /// From trigger to signal, microseconds.
    pub took_us: u32,
    /// The camera of its first view.
    pub camera: Option<CameraId>,
    /// When that view was exposed.
    pub seen_at: MonoTime,
    /// Where it was in that view.
    pub box_in_frame: RectPx,
    /// How it moves in the picture; zero when it is not known.
    pub velocity_px_per_s: PointPx,
}

/// The latest values of the whole line.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// What the line is doing.
    pub state: LineState,
    /// Frames taken from the source.
    pub frames: u64,
    /// Frames dropped because the line was busy; always 0 in replay.
    pub frames_dropped: u64,
    /// Total number of frames, when the source knows.
    pub frames_total: Option<u64>,
    /// Position on the footage's clock, seconds.
    pub footage_s: f64,
    /// The sum of parts.
    pub parts: Conservation,
    /// Parts that the gate was told to throw out.
    pub told_reject: u64,
    /// Parts answered by the fail-safe because no inspection came in time.
    pub deadline_misses: u64,
    /// Inspections that came after their deadline.
    pub late: u64,
    /// Parts written down.
    pub recorded: u64,
    /// Parts that were answered and could not be written down.
    pub unrecorded: u64,
    /// From trigger to signal.
    pub decision_ms: Tail,
    /// From signal to the PLC having taken it.
    pub plc_ms: Tail,
    /// Distance in time from a trigger to the exposure of the frame chosen for it.
    pub trigger_error_ms: Tail,
    /// Films and clips.
    pub clips: ClipSnapshot,
    /// How clips are brought to where they are kept, a row a camera; none when they stay here.
    pub uploads: Vec<UploadSnapshot>,
    /// Whether the PLC is there.
    pub plc_is_up: bool,
    /// A row a camera.
    pub cameras: Vec<CameraSnapshot>,
    /// A row a stage.
    pub stages: Vec<StageSnapshot>,
    /// The parts that were answered last, the newest first.
    pub recent: Vec<RecentPart>,
}
