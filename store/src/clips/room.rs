//! Room on the disk: takes a budget, gives what had to go for it, and the sums over all clips.

use std::fs;
use std::io;

use domain::WallTime;
use rusqlite::{Connection, Result, Row};
use serde::Serialize;

use super::rows;
use super::step::reached;
use super::{ClipClass, ClipId, ClipState, Clips, file, sql};
use crate::StoreError;
use crate::files::CLIPS;
use crate::rows::read::{count, text, word};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// When the oldest starts that is neither persisted nor quarantined.
    pub oldest: Option<WallTime>,
}

impl ClipTally {
    /// Clips that may not go without loss: only this machine has them.
    #[must_use]
    pub const fn unsaved(&self) -> Tally {
        let Self { queued, sent, received, quarantined, .. } = self;
        Tally {
            clips: queued.clips + sent.clips + received.clips + quarantined.clips,
            bytes: queued.bytes + sent.bytes + received.bytes + quarantined.bytes,
        }
    }
}

/// A clip whose files may be removed.
pub(super) struct Victim {
    pub(super) evicted: Evicted,
    path: String,
}

/// What goes, in this order, so that `more_bytes` fit into `bytes_max`; or, when they can't, how
/// many bytes may not go.
pub(super) fn victims(
    db: &Connection,
    bytes_max: u64,
    more_bytes: u64,
) -> Result<std::result::Result<Vec<Victim>, u64>> {
    let here = "FROM clip WHERE gone_wall_ns IS NULL";
    let all = format!("SELECT ifnull(sum(size_bytes + sidecar_bytes), 0) {here}");
    let mut taken = db.prepare_cached(&all)?.query_row([], |row| count(row, 0))?;
    let fits = |taken: u64| taken.saturating_add(more_bytes) <= bytes_max;
    if fits(taken) {
        return Ok(Ok(vec![]));
    }
    // Of two that may go, the persisted one; then the one whose loss is smaller; then the older.
    let order = format!(
        "SELECT id, class, state, size_bytes + sidecar_bytes AS bytes, path {here}
         AND (state = 'persisted' OR class <> 'labelled')
         ORDER BY CASE WHEN state = 'persisted' THEN 0 WHEN state = 'quarantined' THEN 1
         WHEN class = 'undecided' THEN 2 ELSE 3 END, started_wall_ns, id"
    );
    let mut statement = db.prepare_cached(&order)?;
    let mut found = Vec::new();
    for victim in statement.query_map([], victim)? {
        let victim = victim?;
        taken = taken.saturating_sub(victim.evicted.size_bytes);
        found.push(victim);
        if fits(taken) {
            return Ok(Ok(found));
        }
    }
    Ok(Err(taken))
}

fn victim(row: &Row<'_>) -> Result<Victim> {
    let evicted = Evicted {
        clip: ClipId(row.get("id")?),
        class: word(row, "class")?,
        state: word(row, "state")?,
        size_bytes: count(row, "bytes")?,
    };
    Ok(Victim { evicted, path: text(row, "path")? })
}

impl Clips {
    /// Removes clips until `more_bytes` fit into the budget: persisted ones first, the oldest
    /// first; then, which is a loss and to be told, quarantined, undecided, rejected ones. Labelled
    /// ones that are not persisted never go. Rows stay; `now` is written into them.
    ///
    /// # Errors
    /// [`StoreError::NoRoom`], and nothing is removed, when what may go is not enough. Else when a
    /// file can't be removed or the database not be written; what was removed before is gone from
    /// both.
    pub fn make_room(
        &mut self,
        budget: &Budget,
        more_bytes: u64,
        now: WallTime,
    ) -> std::result::Result<Vec<Evicted>, StoreError> {
        let bytes_max = budget.bytes_max;
        // All rows first, in one commit that lasts: a kill then leaves files without a row, which
        // `recover` removes, and never a row without its file.
        let victims = self.write("make room", true, |db| {
            let found = victims(db, bytes_max, more_bytes)?;
            for victim in found.iter().flatten() {
                rows::set_gone(db, victim.evicted.clip, Some(now))?;
            }
            Ok(found)
        })?;
        let victims = victims.map_err(|kept_bytes| StoreError::NoRoom {
            path: self.folder.join(CLIPS),
            more_bytes,
            kept_bytes,
            bytes_max,
        })?;
        for (done, victim) in victims.iter().enumerate() {
            if let Err(error) = self.remove_files(&victim.path) {
                self.keep_after_all(&victims[done..]);
                return Err(error);
            }
            reached("clip removed");
        }
        Ok(victims.into_iter().map(|victim| victim.evicted).collect())
    }

    /// All clips whose files are there, by how far they have come.
    ///
    /// # Errors
    /// When the database can't be read.
    pub fn tally(&self) -> std::result::Result<ClipTally, StoreError> {
        tally(&self.db).map_err(|error| sql(&self.folder, "add up clips", error))
    }

    /// Removes a clip and its facts; the facts first, as a clip without them is still found.
    pub(super) fn remove_files(&self, path: &str) -> std::result::Result<(), StoreError> {
        let clip = rows::whole_path(&self.folder, path);
        for file in [file::sidecar_of(&clip), clip] {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::io(&file, "remove a clip", error));
                }
                _ => reached("file removed"),
            }
        }
        Ok(())
    }

    /// Files that can't be removed keep their rows.
    fn keep_after_all(&mut self, victims: &[Victim]) {
        let kept = self.write("make room", true, |db| {
            victims.iter().try_for_each(|victim| rows::set_gone(db, victim.evicted.clip, None))
        });
        if let Err(error) = kept {
            // `recover` finds the files and removes them.
            tracing::warn!(target: "store", %error, "clips without a row are left behind");
        }
    }
}

pub(super) fn tally(db: &Connection) -> Result<ClipTally> {
    let query = "SELECT state, count(*) AS clips, sum(size_bytes + sidecar_bytes) AS bytes,
        count(held) AS held_clips,
        ifnull(sum(size_bytes + sidecar_bytes) FILTER (WHERE held IS NOT NULL), 0) AS held_bytes,
        min(started_wall_ns) AS oldest
        FROM clip WHERE gone_wall_ns IS NULL GROUP BY state";
    let mut all = ClipTally::default();
    let mut statement = db.prepare_cached(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let state: ClipState = word(row, "state")?;
        let oldest = WallTime { unix_ns: row.get("oldest")? };
        let sum = |clips, bytes| -> Result<Tally> {
            Ok(Tally { clips: count(row, clips)?, bytes: count(row, bytes)? })
        };
        *all.of_mut(state) = sum("clips", "bytes")?;
        if state != ClipState::Persisted {
            let held = sum("held_clips", "held_bytes")?;
            all.held.clips += held.clips;
            all.held.bytes += held.bytes;
        }
        if state < ClipState::Persisted {
            all.oldest = Some(all.oldest.map_or(oldest, |so_far| so_far.min(oldest)));
        }
    }
    Ok(all)
}

impl ClipTally {
    /// The clips that have come to `state`.
    #[must_use]
    pub const fn of(&self, state: ClipState) -> Tally {
        match state {
            ClipState::Queued => self.queued,
            ClipState::Sent => self.sent,
            ClipState::Received => self.received,
            ClipState::Persisted => self.persisted,
            ClipState::Quarantined => self.quarantined,
        }
    }

    const fn of_mut(&mut self, state: ClipState) -> &mut Tally {
        match state {
            ClipState::Queued => &mut self.queued,
            ClipState::Sent => &mut self.sent,
            ClipState::Received => &mut self.received,
            ClipState::Persisted => &mut self.persisted,
            ClipState::Quarantined => &mut self.quarantined,
        }
    }
}
