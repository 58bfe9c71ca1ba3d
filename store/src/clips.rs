//! Clips and their way to the cloud: the outbox. Takes the bytes of a clip as they are encoded;
//! gives, once its file is synced and its row committed, a clip that is not lost to anything but
//! the disk budget, which says what goes first.
//!
//! ```text
//!   begin ─▶ write … ─▶ accept ─▶ queued ─▶ sent ─▶ received ─▶ persisted
//!                                   ▲ │        │        │
//!                                   │ └────────┴────────┴──▶ quarantined (never sent again)
//!                                   └── again: the connection ended before the last ack
//! ```
//!
//! A state is kept for each fragment; a clip's state is that of its fragment that is farthest back.
//! A clip may be held besides: it keeps its state and is not sent until it is released.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use domain::{CameraId, CaptureTime, PartId, Sha256, WallTime};
use serde::{Deserialize, Serialize};

use crate::{RunId, Store, StoreError, VerdictWord};

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
    /// How far the fragment that is farthest back has come.
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

/// How much room clips may take, and when the operator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// All clip files together, sidecars too.
    pub bytes_max: u64,
    /// The operator is told when what may not go without loss (everything that is not persisted)
    /// takes more than this.
    pub alarm_bytes: u64,
}

/// A clip that went to make room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evicted {
    /// Which.
    pub clip: ClipId,
    /// Why it had been kept.
    pub class: ClipClass,
    /// How far it had come: nothing is lost when it was persisted.
    pub state: ClipState,
    /// What it took.
    pub size_bytes: u64,
}

/// How many clips there are, and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many.
    pub clips: u64,
    /// Their files together.
    pub bytes: u64,
}

/// All clips of a store by how far they have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClipTally {
    /// On disk only.
    pub queued: Tally,
    /// On a connection.
    pub sent: Tally,
    /// The service has them.
    pub received: Tally,
    /// The service keeps them.
    pub persisted: Tally,
    /// The service never will.
    pub quarantined: Tally,
    /// Of the ones not persisted: held back.
    pub held: Tally,
    /// When the oldest that is not persisted starts.
    pub oldest: Option<WallTime>,
}

/// The write half for clips. Several may be open at the same time, one a thread.
#[derive(Debug)]
pub struct Clips {}

/// A clip that is being written, `….partial` until it is accepted. Dropped, it is removed.
#[derive(Debug)]
pub struct ClipFile {}

impl Write for ClipFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = bytes;
        todo!()
    }

    fn flush(&mut self) -> io::Result<()> {
        todo!()
    }
}

impl ClipFile {
    /// Where it is written.
    #[must_use]
    pub fn path(&self) -> &Path {
        todo!()
    }
}

impl Store {
    /// The write half for clips.
    ///
    /// # Errors
    /// When the database can't be opened or `clips/` not made.
    pub fn clips(&self) -> Result<Clips, StoreError> {
        todo!()
    }
}

impl Clips {
    /// A file for a clip, `clips/<run>/<camera>-<start>.mkv.partial`.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn begin(&self, start: &ClipStart<'_>) -> Result<ClipFile, StoreError> {
        let _ = start;
        todo!()
    }

    /// Makes it last: sidecar and file synced and in place, then the row. Only after this is the
    /// clip accepted.
    ///
    /// # Errors
    /// When the disk refuses; then neither row nor file is left.
    pub fn accept(&mut self, file: ClipFile, end: &ClipEnd) -> Result<ClipId, StoreError> {
        let _ = (file, end);
        todo!()
    }

    /// Removes what a kill left half written, and puts back to `queued` what was on a connection.
    /// Call it once when the process starts. Gives how many clips were put back.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn recover(&mut self) -> Result<u64, StoreError> {
        todo!()
    }

    /// Clips of `camera` that are not persisted, not quarantined and not held, by their start;
    /// at most `most`.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn waiting(&self, camera: &CameraId, most: usize) -> Result<Vec<Clip>, StoreError> {
        let _ = (camera, most);
        todo!()
    }

    /// One clip.
    ///
    /// # Errors
    /// When there is none, or the database can't be read.
    pub fn clip(&self, id: ClipId) -> Result<Clip, StoreError> {
        let _ = id;
        todo!()
    }

    /// The file of `clip`, for reading.
    ///
    /// # Errors
    /// When it is gone.
    pub fn open(&self, clip: &Clip) -> Result<File, StoreError> {
        let _ = clip;
        todo!()
    }

    /// Fragment `position` of a clip has come to `state`; it never goes back but by
    /// [`Clips::again`]. Made to last before this returns when it is `Persisted`.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn advance(
        &mut self,
        id: ClipId,
        position: usize,
        state: ClipState,
        number: Option<&str>,
    ) -> Result<(), StoreError> {
        let _ = (id, position, state, number);
        todo!()
    }

    /// The connection ended: what of `camera` was sent or received and not persisted is queued
    /// again, one attempt more, because of `trouble`.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn again(&mut self, camera: &CameraId, trouble: &str) -> Result<u64, StoreError> {
        let _ = (camera, trouble);
        todo!()
    }

    /// The service will never take it.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn quarantine(&mut self, id: ClipId, why: &str) -> Result<(), StoreError> {
        let _ = (id, why);
        todo!()
    }

    /// It is not sent until it is released.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn hold(&mut self, id: ClipId, why: &str) -> Result<(), StoreError> {
        let _ = (id, why);
        todo!()
    }

    /// It may be sent; a quarantined one is queued again.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn release(&mut self, id: ClipId) -> Result<(), StoreError> {
        let _ = id;
        todo!()
    }

    /// The wall clock of `run` has become right: clips of it that are held for the clock get the
    /// wall time that belongs to their time on the line's clock, `now.wall - now.mono` being the
    /// difference, and are released. Gives how many.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn clock_is_right(&mut self, run: RunId, now: CaptureTime) -> Result<u64, StoreError> {
        let _ = (run, now);
        todo!()
    }

    /// Removes clips until `more_bytes` fit into the budget: persisted ones first, the oldest
    /// first; then, which is a loss and to be told, quarantined, undecided, rejected ones. Labelled
    /// ones that are not persisted never go.
    ///
    /// # Errors
    /// When a file can't be removed or the database not be written; what was removed before is
    /// gone from both.
    pub fn make_room(
        &mut self,
        budget: &Budget,
        more_bytes: u64,
    ) -> Result<Vec<Evicted>, StoreError> {
        let _ = (budget, more_bytes);
        todo!()
    }

    /// All clips by how far they have come.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn tally(&self) -> Result<ClipTally, StoreError> {
        todo!()
    }
}
