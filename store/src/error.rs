//! Everything that can go wrong with a store: takes causes, gives errors that say where and what
//! would be right.

use std::io;
use std::path::{Path, PathBuf};

use domain::PartId;
use rusqlite::ErrorCode;
use thiserror::Error;

use crate::RunId;

/// Why a store could not be opened, written or read.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Reading was asked of a folder without a store.
    #[error("{}: there is no store here; name the folder that holds station.db", path.display())]
    Missing {
        /// The database that is not there.
        path: PathBuf,
    },
    /// Another process writes to this store.
    #[error("{}: the store is in use by {holder}; stop it or give another folder", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, as far as the lock file says.
        holder: String,
    },
    /// Something else holds the database, longer than we wait.
    #[error(
        "{}: {doing}: something else holds the database; close what has it open",
        path.display()
    )]
    Busy {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// No room is left.
    #[error("{}: {doing}: the disk is full; free some room or keep less", path.display())]
    DiskFull {
        /// What could not grow.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
    },
    /// The folder or file may not be written.
    #[error(
        "{}: {doing}: not writable ({cause}); give a folder this user may write to",
        path.display()
    )]
    NotWritable {
        /// What may not be written.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        cause: String,
    },
    /// The file is not an SQLite database.
    #[error("{}: not a database; move the file away or restore it from a copy", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database of some other program.
    #[error("{}: the database of another program; give another folder", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The database was written by a newer version of this software.
    #[error(
        "{}: schema version {found}, but this software knows {known}; update it",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version we know.
        known: u32,
    },
    /// The database is of an older version, and a reader may not bring it up.
    #[error(
        "{}: schema version {found}, {known} is needed; let the station open it once",
        path.display()
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version we read.
        known: u32,
    },
    /// A second verdict came for a part.
    #[error("run {run}: {part} has its verdict already; a part gets exactly one")]
    AlreadyAnswered {
        /// The run.
        run: RunId,
        /// The part.
        part: PartId,
    },
    /// An inspection came late for a part that has no verdict.
    #[error("run {run}: {part} has no verdict that an inspection could be too late for")]
    NotAnswered {
        /// The run.
        run: RunId,
        /// The part.
        part: PartId,
    },
    /// A part breaks one of the schema's invariants.
    #[error("run {run}: {part} is refused: {cause}")]
    Refused {
        /// The run.
        run: RunId,
        /// The part.
        part: PartId,
        /// Which invariant, in SQLite's words.
        cause: String,
    },
    /// The batch that was not yet flushed is gone.
    #[error("{entries} entries since the last flush were not written down: {source}")]
    BatchLost {
        /// How many outcomes and events had been recorded since the last flush, the failing one
        /// not counted.
        entries: u64,
        /// Why.
        source: Box<StoreError>,
    },
    /// Something was said of a part that the store does not have.
    #[error("run {run} has no {part}; only parts that are in the store can be labelled")]
    NoSuchPart {
        /// The run.
        run: RunId,
        /// The part.
        part: PartId,
    },
    /// A label contradicts itself or its part.
    #[error("run {run}: the label of {part} is refused: {cause}")]
    LabelRefused {
        /// The run.
        run: RunId,
        /// The part.
        part: PartId,
        /// What is wrong with it and what would be right.
        cause: String,
    },
    /// There is no such clip, or no such fragment of it.
    #[error("{}: there is no {what}; `sightline clips list` names all there are", path.display())]
    NoSuchClip {
        /// The database.
        path: PathBuf,
        /// Which: `clip 7`, `fragment 3 of clip 7`.
        what: String,
    },
    /// The file of a clip is not there.
    #[error("{}: the file of clip {clip} is gone", path.display())]
    ClipGone {
        /// The file.
        path: PathBuf,
        /// Number of the clip.
        clip: i64,
    },
    /// What is said of a clip does not fit its file or itself.
    #[error("{}: the clip is refused: {cause}", path.display())]
    ClipRefused {
        /// The file.
        path: PathBuf,
        /// What does not fit, and to what.
        cause: String,
    },
    /// Clips that may not be removed leave too little of the disk budget.
    #[error(
        "{}: {more_bytes} bytes more do not fit: {kept_bytes} of the {bytes_max} that clips may \
         take are labelled and not persisted, and those are never removed; let them be sent or \
         allow more", path.display()
    )]
    NoRoom {
        /// The folder of clips.
        path: PathBuf,
        /// What is to fit in.
        more_bytes: u64,
        /// What may not be removed.
        kept_bytes: u64,
        /// What clips may take.
        bytes_max: u64,
    },
    /// Any other failure of the database.
    #[error("{}: {doing}: {source}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Any other failure of the file system.
    #[error("{}: {doing}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl StoreError {
    /// Whether the same thing may work later: it is the disk or the database that is in the way,
    /// not what was to be written.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        !matches!(
            self,
            Self::AlreadyAnswered { .. }
                | Self::NotAnswered { .. }
                | Self::Refused { .. }
                | Self::NoSuchPart { .. }
                | Self::LabelRefused { .. }
                | Self::NoSuchClip { .. }
                | Self::ClipGone { .. }
                | Self::ClipRefused { .. }
        )
    }

    /// What SQLite said of the database at `path` while `doing`.
    pub(crate) fn sql(path: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path, doing },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::NotWritable { path, doing, cause: source.to_string() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path, doing },
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            _ => Self::Database { path, doing, source },
        }
    }

    /// What the file system said of `path` while `doing`.
    pub(crate) fn io(path: &Path, doing: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path, doing }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotWritable { path, doing, cause: source.to_string() }
            }
            _ => Self::Io { path, doing, source },
        }
    }
}
