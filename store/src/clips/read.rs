//! Clips for those who only read: takes a filter, gives clips.

use domain::{CameraId, PartId, WallTime};

use super::{Clip, ClipClass, ClipId, ClipState, ClipTally, Evicted, room, rows};
use crate::files::CLIPS;
use crate::rows::int;
use crate::{Reader, RunId, StoreError};

/// Which clips to give, newest first.
#[derive(Clone, Debug, Default)]
pub struct ClipFilter {
    /// Of this camera only.
    pub camera: Option<CameraId>,
    /// That have come this far only.
    pub state: Option<ClipState>,
    /// Kept for this reason only.
    pub class: Option<ClipClass>,
    /// That start then or later.
    pub since: Option<WallTime>,
    /// That were cut for this part only.
    pub part: Option<(RunId, PartId)>,
    /// Also those whose files were removed.
    pub gone_too: bool,
    /// At most this many.
    pub limit: Option<u32>,
}

impl Reader {
    /// Clips, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn clips(&self, filter: &ClipFilter) -> Result<Vec<Clip>, StoreError> {
        let which = "WHERE (?1 IS NULL OR camera = ?1) AND (?2 IS NULL OR state = ?2)
            AND (?3 IS NULL OR class = ?3) AND (?4 IS NULL OR started_wall_ns >= ?4)
            AND (?5 IS NULL OR run_id = ?5
                AND id IN (SELECT clip_id FROM clip_part WHERE part_number = ?6))
            AND (?7 OR gone_wall_ns IS NULL)
            ORDER BY started_wall_ns DESC, id DESC LIMIT ?8";
        let asked = (
            filter.camera.as_ref().map(CameraId::as_str),
            filter.state.map(ClipState::name),
            filter.class.map(ClipClass::name),
            filter.since.map(|since| since.unix_ns),
            filter.part.map(|(run, _)| run.0),
            filter.part.map(|(_, part)| int(part.0)),
            filter.gone_too,
            filter.limit.map_or(-1, i64::from),
        );
        self.read(|db| rows::clips(db, self.folder(), which, asked))
    }

    /// One clip; `None` when there is no such clip.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn clip(&self, id: ClipId) -> Result<Option<Clip>, StoreError> {
        self.read(|db| Ok(rows::clips(db, self.folder(), "WHERE id = ?1", [id.0])?.pop()))
    }

    /// All clips whose files are there, by how far they have come.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn clip_tally(&self) -> Result<ClipTally, StoreError> {
        self.read(room::tally)
    }

    /// What would go, in this order, were clips to take no more than `bytes_max`.
    ///
    /// # Errors
    /// As [`crate::Clips::make_room`].
    pub fn would_go(&self, bytes_max: u64) -> Result<Vec<Evicted>, StoreError> {
        let victims = self.read(|db| room::victims(db, bytes_max, 0))?;
        let victims = victims.map_err(|kept_bytes| StoreError::NoRoom {
            path: self.folder().join(CLIPS),
            more_bytes: 0,
            kept_bytes,
            bytes_max,
        })?;
        Ok(victims.into_iter().map(|victim| victim.evicted).collect())
    }
}
