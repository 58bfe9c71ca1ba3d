//! What is known of a clip: the words that encoder, store and upload share. Takes nothing; gives
//! types.

use std::path::PathBuf;

use domain::{CameraId, CaptureTime, PartId, Sha256, WallTime};
use serde::{Deserialize, Serialize};

use crate::{RunId, VerdictWord};

/// Number of a clip in its store, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClipId(pub i64);

/// The strongest reason a clip is kept for. The first of these goes first when the disk budget is
/// used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClipClass {
    /// Shows parts that were undecided, none that was rejected.
    Undecided,
    /// Shows a part that was rejected.
    Rejected,
    /// A person has labelled a part in it.
    Labelled,
}

/// How far a fragment, or a clip, has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClipState {
    /// On disk; nobody has it.
    Queued,
    /// Its bytes were written to a connection.
    Sent,
    /// The service says that it has all of it.
    Received,
    /// The service says that it keeps it. Only now may the file go.
    Persisted,
    /// The service will never take it; a person must look.
    Quarantined,
}

/// What is known of a clip when its first picture comes.
#[derive(Clone, Debug)]
pub struct ClipStart<'a> {
    /// The run whose parts it shows.
    pub run: RunId,
    /// The camera.
    pub camera: &'a CameraId,
    /// When its first picture was exposed.
    pub started: CaptureTime,
    /// Whether the wall clock could be trusted then. What was filmed by a clock that is not is
    /// held.
    pub clock_is_synced: bool,
}

/// A piece of a clip that the service takes or refuses as a whole: tags and one Matroska cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fragment {
    /// Where its tags begin in the file.
    pub offset_bytes: u64,
    /// Tags and cluster together.
    pub size_bytes: u64,
    /// Where in the file the eight bytes of the cluster's timecode are, big endian, in
    /// milliseconds since 1970-01-01 UTC.
    pub timecode_at_bytes: u64,
    /// Milliseconds from the clip's start to its first picture.
    pub starts_ms: u64,
    /// Milliseconds from its first picture to the end of its last.
    pub lasts_ms: u64,
}

/// A part that a clip was cut for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipPart {
    /// The part, of the clip's run.
    pub part: PartId,
    /// Its verdict.
    pub verdict: VerdictWord,
    /// When the deciding picture was exposed, or the trigger came.
    pub at: CaptureTime,
    /// Which picture of the clip shows it, from 0; `None` when that picture is missing.
    pub picture: Option<u64>,
}

/// What is known of a clip when its last picture was written.
#[derive(Clone, Debug)]
pub struct ClipEnd {
    /// When its last picture was exposed.
    pub ended: CaptureTime,
    /// Why it is kept.
    pub class: ClipClass,
    /// The Matroska header before the first fragment. The same for every clip of one encoder.
    pub header_bytes: u64,
    /// At least one, back to back from `header_bytes` to the end of the file.
    pub fragments: Vec<Fragment>,
    /// At least one.
    pub parts: Vec<ClipPart>,
    /// Pictures in it.
    pub pictures: u64,
    /// Pictures of the film that should be in it and are not.
    pub pictures_missing: u64,
    /// The facts, for machines: written beside the clip, `….json`.
    pub facts: serde_json::Value,
}

/// A fragment and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FragmentRow {
    /// Where it is.
    #[serde(flatten)]
    pub fragment: Fragment,
    /// How far it has come.
    pub state: ClipState,
    /// What the service calls it: a decimal number of some 48 digits.
    pub number: Option<String>,
}

/// A clip that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clip {
    /// Its number.
    pub id: ClipId,
    /// The run.
    pub run: i64,
    /// The camera.
    pub camera: CameraId,
    /// Why it is kept.
    pub class: ClipClass,
    /// Quarantined when one of its fragments is; else how far the one that is farthest back has
    /// come.
    pub state: ClipState,
    /// When it starts.
    pub started: CaptureTime,
    /// When it ends.
    pub ended: CaptureTime,
    /// Its file, whole path.
    pub path: PathBuf,
    /// Size of its file.
    pub size_bytes: u64,
    /// Hash of its file.
    pub sha256: Sha256,
    /// The Matroska header before the first fragment.
    pub header_bytes: u64,
    /// Its fragments, in order.
    pub fragments: Vec<FragmentRow>,
    /// The parts it was cut for.
    pub parts: Vec<ClipPart>,
    /// Pictures in it.
    pub pictures: u64,
    /// Pictures that should be in it and are not.
    pub pictures_missing: u64,
    /// Why it is not sent for now.
    pub held: Option<String>,
    /// Why it was quarantined, or what went wrong last.
    pub trouble: Option<String>,
    /// How often a connection ended before it was persisted.
    pub attempts: u64,
    /// When its files were removed; `None` while they are there.
    pub gone_at: Option<WallTime>,
}

impl ClipState {
    /// Every state, in the order in which a clip comes to them.
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Sent, Self::Received, Self::Persisted, Self::Quarantined];

    /// The name used in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Persisted => "persisted",
            Self::Quarantined => "quarantined",
        }
    }
}

impl ClipClass {
    /// The name used in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Undecided => "undecided",
            Self::Rejected => "rejected",
            Self::Labelled => "labelled",
        }
    }
}

impl Clip {
    /// The wall time of the first picture of `fragment`, in milliseconds since 1970-01-01 UTC: the
    /// timecode that its cluster is sent with.
    #[must_use]
    pub fn timecode_ms(&self, fragment: &Fragment) -> i64 {
        let starts = i64::try_from(fragment.starts_ms).unwrap_or(i64::MAX);
        self.started.wall.unix_ns.div_euclid(1_000_000).saturating_add(starts)
    }
}
