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
//! A state is kept for each fragment; a clip is quarantined when one of them is, else it is as far
//! as the one that is farthest back. A clip may be held besides: it keeps its state and is not sent
//! until it is released.
//!
//! Rows and files agree at every moment but two, and `recover` ends both: a whole file is without a
//! row between its renaming and the commit, and is then taken in by what its sidecar says of it;
//! the files of a clip that goes are removed after its row says so.

mod clip;
#[cfg(test)]
mod example;
mod file;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod model;
mod read;
mod recover;
mod room;
mod rows;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod verify;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::CameraId;
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use clip::{
    Clip, ClipClass, ClipEnd, ClipId, ClipPart, ClipStart, ClipState, Fragment, FragmentRow,
};
pub use file::ClipFile;
pub use read::ClipFilter;
pub use room::{Budget, ClipTally, Evicted, Tally};
pub use verify::{ClipFault, ClipGap, ClipReport, verify_clips};

use crate::files::{self, CLIPS, DATABASE};
use crate::rows::place;
use crate::turn::Turn;
use crate::{Store, StoreError, schema};
use step::reached;

/// The write half for clips. Several may be open at the same time, one a thread.
#[derive(Debug)]
pub struct Clips {
    db: Connection,
    folder: PathBuf,
    turn: Arc<Turn>,
    _lock: Arc<File>,
}

impl Store {
    /// The write half for clips.
    ///
    /// # Errors
    /// When the database can't be opened or `clips/` not made.
    pub fn clips(&self) -> Result<Clips, StoreError> {
        let folder = self.folder().to_owned();
        let clips = folder.join(CLIPS);
        if !clips.is_dir() {
            fs::create_dir_all(&clips)
                .and_then(|()| files::sync_folder(&folder))
                .map_err(|error| StoreError::io(&clips, "make the folder", error))?;
        }
        let db = schema::open_for_writing(&folder.join(DATABASE))?;
        let (lock, turn) = self.shared();
        Ok(Clips { db, folder, turn, _lock: lock })
    }
}

impl Clips {
    /// A file for a clip, `clips/<run>/<camera>-<start>.mkv.partial`.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn begin(&self, start: &ClipStart<'_>) -> Result<ClipFile, StoreError> {
        ClipFile::create(&self.folder, start, |relative| {
            let found = rows::at_path(&self.db, relative);
            Ok(found.map_err(|error| sql(&self.folder, "begin a clip", error))?.is_some())
        })
    }

    /// Makes it last: sidecar and file synced and in place, then the row. Only after this is the
    /// clip accepted. It is a labelled one when a person has labelled a part in it meanwhile.
    ///
    /// # Errors
    /// When the disk refuses, or `end` does not fit the file; then neither row nor file is left.
    pub fn accept(&mut self, mut file: ClipFile, end: &ClipEnd) -> Result<ClipId, StoreError> {
        let (record, sidecar_bytes) = file.put(end)?;
        let relative = file.relative().to_owned();
        let id = self.write("accept a clip", true, |db| {
            rows::insert(db, &record, &relative, sidecar_bytes)
        })?;
        file.keep();
        Ok(id)
    }

    /// Clips of `camera` that are not persisted, not quarantined and not held, by their start;
    /// at most `most`.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn waiting(&self, camera: &CameraId, most: usize) -> Result<Vec<Clip>, StoreError> {
        let which = "WHERE camera = ?1 AND state IN ('queued', 'sent', 'received')
            AND gone_wall_ns IS NULL AND held IS NULL ORDER BY started_wall_ns, id LIMIT ?2";
        rows::clips(&self.db, &self.folder, which, (camera.as_str(), place(most)))
            .map_err(|error| sql(&self.folder, "list what waits", error))
    }

    /// One clip.
    ///
    /// # Errors
    /// When there is none, or the database can't be read.
    pub fn clip(&self, id: ClipId) -> Result<Clip, StoreError> {
        rows::clips(&self.db, &self.folder, "WHERE id = ?1", [id.0])
            .map_err(|error| sql(&self.folder, "look up a clip", error))?
            .pop()
            .ok_or_else(|| no_such(&self.folder, format!("clip {}", id.0)))
    }

    /// The file of `clip`, for reading.
    ///
    /// # Errors
    /// [`StoreError::ClipGone`] when it is not there.
    pub fn open(&self, clip: &Clip) -> Result<File, StoreError> {
        File::open(&clip.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                StoreError::ClipGone { path: clip.path.clone(), clip: clip.id.0 }
            }
            _ => StoreError::io(&clip.path, "read a clip", error),
        })
    }

    /// One transaction. When `lasts`, a power cut after it takes nothing of it.
    fn write<T>(
        &mut self,
        doing: &'static str,
        lasts: bool,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let busy = || StoreError::Busy { path: self.folder.join(DATABASE), doing };
        let _turn = self.turn.take(schema::BUSY_WAIT).ok_or_else(busy)?;
        let synchronous = if lasts { "full" } else { "normal" };
        let db = &mut self.db;
        let written = db.pragma_update(None, "synchronous", synchronous).and_then(|()| {
            let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = change(&transaction)?;
            reached("row written");
            transaction.commit()?;
            reached("row committed");
            Ok(value)
        });
        written.map_err(|error| sql(&self.folder, doing, error))
    }
}

fn sql(folder: &Path, doing: &'static str, error: rusqlite::Error) -> StoreError {
    StoreError::sql(&folder.join(DATABASE), doing, error)
}

fn no_such(folder: &Path, what: String) -> StoreError {
    StoreError::NoSuchClip { path: folder.join(DATABASE), what }
}
