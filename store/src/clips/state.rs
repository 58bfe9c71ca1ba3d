//! How far clips have come: takes what the service and people say of them, gives rows that say the
//! same.

use domain::{CameraId, CaptureTime};
use rusqlite::{Connection, OptionalExtension, Result};

use super::ClipState::{Persisted, Quarantined, Queued, Received, Sent};
use super::{ClipId, ClipState, Clips, file, no_such, rows, sql};
use crate::rows::int;
use crate::{RunId, StoreError};

impl Clips {
    /// Fragment `position` of a clip has come to `state`; it never goes back but by
    /// [`Clips::again`], though the service may say that it keeps what was quarantined. Made to
    /// last before this returns when it is `Persisted` or `Quarantined`.
    ///
    /// # Errors
    /// When there is no such fragment, or the database can't be written.
    pub fn advance(
        &mut self,
        id: ClipId,
        position: usize,
        state: ClipState,
        number: Option<&str>,
    ) -> std::result::Result<(), StoreError> {
        // What a power cut makes of the other states is queued again all the same.
        let lasts = matches!(state, Persisted | Quarantined);
        let known = self.write("write down how far a clip has come", lasts, |db| {
            let Some(from) = rows::fragment_state(db, id, position).optional()? else {
                return Ok(false);
            };
            if state >= from && from != Persisted || (from, state) == (Quarantined, Persisted) {
                rows::set_fragment(db, id, position, state, number)?;
                rows::settle(db, id)?;
            }
            Ok(true)
        })?;
        let missing = || no_such(&self.folder, format!("fragment {position} of clip {}", id.0));
        known.then_some(()).ok_or_else(missing)
    }

    /// The connection ended: what of `camera` was sent or received and not persisted is queued
    /// again, one attempt more, because of `trouble`.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn again(
        &mut self,
        camera: &CameraId,
        trouble: &str,
    ) -> std::result::Result<u64, StoreError> {
        self.write("queue clips again", true, |db| again(db, Some(camera), trouble))
    }

    /// The service will never take it.
    ///
    /// # Errors
    /// When there is no such clip, or the database can't be written.
    pub fn quarantine(&mut self, id: ClipId, why: &str) -> std::result::Result<(), StoreError> {
        self.change(id, "quarantine a clip", |db| quarantine(db, id, why))
    }

    /// It is not sent until it is released.
    ///
    /// # Errors
    /// When there is no such clip, or the database can't be written.
    pub fn hold(&mut self, id: ClipId, why: &str) -> std::result::Result<(), StoreError> {
        let why = if why.is_empty() { "no reason was given" } else { why };
        self.change(id, "hold a clip", |db| {
            db.execute("UPDATE clip SET held = ?2 WHERE id = ?1", (id.0, why))?;
            Ok(())
        })
    }

    /// It may be sent; a quarantined one is queued again.
    ///
    /// # Errors
    /// When there is no such clip, or the database can't be written.
    pub fn release(&mut self, id: ClipId) -> std::result::Result<(), StoreError> {
        self.change(id, "release a clip", |db| {
            let sql = "UPDATE clip SET held = NULL, clock_is_wrong = 0 WHERE id = ?1
                RETURNING state = 'quarantined'";
            if db.query_row(sql, [id.0], |row| row.get(0))? {
                rows::move_fragments(db, id, &[Sent, Received, Quarantined], Queued)?;
                rows::settle(db, id)?;
            }
            Ok(())
        })
    }

    /// The wall clock has become right: clips of the runs from `first` on, which share the line's
    /// clock, get the wall time that belongs to their time on it if they were filmed before,
    /// `now.wall - now.mono` being the difference, in their rows and in what the store says in the
    /// facts beside them; those that are held for it are released.
    /// Gives how many got their time.
    ///
    /// # Errors
    /// When the database can't be written.
    pub fn clock_is_right(
        &mut self,
        first: RunId,
        now: CaptureTime,
    ) -> std::result::Result<u64, StoreError> {
        // Asked again and again, and nearly always there is none: whoever writes is not disturbed.
        let any = "SELECT EXISTS (SELECT 1 FROM clip WHERE run_id >= ?1 AND clock_is_wrong = 1)";
        let asked = self.db.query_row(any, [first.0], |row| row.get(0));
        if !asked.map_err(|error| sql(&self.folder, "look for clips of a wrong clock", error))? {
            return Ok(0);
        }
        let began_wall_ns = now.wall.unix_ns.saturating_sub(int(now.mono.ns));
        let sizes = self.correct_sidecars(first, began_wall_ns)?;
        let (corrected, gone) = self.write("correct the time of clips", true, |db| {
            let corrected = correct(db, first, began_wall_ns)?;
            let mut gone = Vec::new();
            for (id, path, bytes) in sizes {
                let sql = "UPDATE clip SET sidecar_bytes = ?2
                    WHERE id = ?1 AND gone_wall_ns IS NULL";
                if db.execute(sql, (id, int(bytes)))? == 0 {
                    gone.push(path);
                }
            }
            Ok((corrected, gone))
        })?;
        // It made room while its facts were written anew.
        gone.iter().try_for_each(|path| self.remove_files(path))?;
        Ok(corrected)
    }

    /// Gives number, path and size of facts of the clips whose facts are right now. Done before the
    /// rows, so that what fails is done again.
    fn correct_sidecars(
        &self,
        first: RunId,
        began_wall_ns: i64,
    ) -> std::result::Result<Vec<(i64, String, u64)>, StoreError> {
        let asked = "SELECT id, path FROM clip
            WHERE run_id >= ?1 AND clock_is_wrong = 1 AND gone_wall_ns IS NULL";
        let found = self.db.prepare(asked).and_then(|mut asked| {
            let rows = asked.query_map([first.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<Vec<(i64, String)>>>()
        });
        let found =
            found.map_err(|error| sql(&self.folder, "look for clips of a wrong clock", error))?;
        let mut sizes = Vec::new();
        for (id, path) in found {
            match file::correct(&rows::whole_path(&self.folder, &path), began_wall_ns) {
                Ok(bytes) => sizes.push((id, path, bytes)),
                Err(error) => {
                    tracing::warn!(target: "store", path, %error, "facts keep the wrong times");
                }
            }
        }
        Ok(sizes)
    }

    /// Changes a clip, which must be there, for good.
    fn change(
        &mut self,
        id: ClipId,
        doing: &'static str,
        change: impl FnOnce(&Connection) -> Result<()>,
    ) -> std::result::Result<(), StoreError> {
        let is_there = self.write(doing, true, |db| {
            let sql = "SELECT EXISTS (SELECT 1 FROM clip WHERE id = ?1)";
            let is_there = db.query_row(sql, [id.0], |row| row.get(0))?;
            if is_there {
                change(db)?;
            }
            Ok(is_there)
        })?;
        is_there.then_some(()).ok_or_else(|| no_such(&self.folder, format!("clip {}", id.0)))
    }
}

/// The wall times of clips and parts from those of the line's clock. Gives how many clips.
fn correct(db: &Connection, first: RunId, began_wall_ns: i64) -> Result<u64> {
    db.execute(
        "UPDATE clip_part SET at_wall_ns = at_mono_ns + ?2 WHERE clip_id IN
         (SELECT id FROM clip WHERE run_id >= ?1 AND clock_is_wrong = 1)",
        (first.0, began_wall_ns),
    )?;
    let corrected = db.execute(
        "UPDATE clip SET clock_is_wrong = 0,
         started_wall_ns = started_mono_ns + ?2, ended_wall_ns = ended_mono_ns + ?2,
         held = CASE held WHEN ?3 THEN NULL ELSE held END
         WHERE run_id >= ?1 AND clock_is_wrong = 1",
        (first.0, began_wall_ns, rows::CLOCK),
    )?;
    Ok(corrected as u64)
}

/// Queues what was on a connection: of one camera, or of all. Gives how many clips.
pub(super) fn again(db: &Connection, camera: Option<&CameraId>, trouble: &str) -> Result<u64> {
    let sql = "SELECT id FROM clip WHERE state IN ('queued', 'sent', 'received')
        AND (?1 IS NULL OR camera = ?1)
        AND EXISTS (SELECT 1 FROM fragment WHERE clip_id = id
            AND fragment.state IN ('sent', 'received'))";
    let mut statement = db.prepare_cached(sql)?;
    let ids = statement.query_map([camera.map(CameraId::as_str)], |row| row.get(0))?;
    let ids: Vec<i64> = ids.collect::<Result<_>>()?;
    for &id in &ids {
        rows::move_fragments(db, ClipId(id), &[Sent, Received], Queued)?;
        rows::settle(db, ClipId(id))?;
        let sql = "UPDATE clip SET attempts = attempts + 1, trouble = ?2 WHERE id = ?1";
        db.prepare_cached(sql)?.execute((id, trouble))?;
    }
    Ok(ids.len() as u64)
}

/// What of a clip is not persisted never will be.
pub(super) fn quarantine(db: &Connection, id: ClipId, why: &str) -> Result<()> {
    rows::move_fragments(db, id, &[Queued, Sent, Received], Quarantined)?;
    rows::settle(db, id)?;
    db.execute("UPDATE clip SET trouble = ?2 WHERE id = ?1", (id.0, why))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::{Judgement, Label, PartId, PartKey, PersonId, Role, WallTime};

    use super::super::example::accept_at;
    use super::super::{Budget, ClipClass};
    use super::*;
    use crate::{Labels, NewLabel, Store, example};

    const AT: WallTime = WallTime { unix_ns: 9 };

    /// A store with part 7, which clips that are made up show, and part 8.
    fn with_parts() -> (tempfile::TempDir, Labels, Clips) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(dir.path()).unwrap();
        let mut writer = store.start_run(&example::START).unwrap();
        for number in [7, 8] {
            let outcome = example::outcome(number, example::reject());
            writer.record(&outcome, &mut |_| false).unwrap();
        }
        writer.finish(AT).unwrap();
        let (labels, clips) = (store.labels().unwrap(), store.clips().unwrap());
        (dir, labels, clips)
    }

    fn key(part: u64) -> PartKey {
        PartKey { run: 1, part: PartId(part) }
    }

    fn ann() -> PersonId {
        PersonId::new("p-ann")
    }

    fn label(labels: &mut Labels, part: u64) {
        let label = Label::unmarked(Judgement::Good, false);
        let (key, by, role) = (key(part), ann(), Role::Operator);
        let new = NewLabel { key, at: AT, by: &by, role, label: &label, is_second: false };
        labels.add(&new).unwrap();
    }

    #[test]
    fn a_clip_that_is_accepted_after_its_part_was_labelled_goes_last_too() {
        let (_dir, mut labels, mut clips) = with_parts();
        let mut class_of_next = |start| {
            let id = accept_at(&mut clips, "top", start, ClipClass::Undecided).unwrap();
            clips.clip(id).unwrap().class
        };
        label(&mut labels, 8);
        assert_eq!(class_of_next(1), ClipClass::Undecided, "another part is labelled");
        label(&mut labels, 7);
        assert_eq!(class_of_next(2), ClipClass::Labelled);
        labels.withdraw(key(7), &ann(), Role::Operator, AT).unwrap();
        assert_eq!(class_of_next(3), ClipClass::Undecided, "it was taken back before");
    }

    #[test]
    fn clips_of_a_part_that_a_person_has_labelled_go_last() {
        let (_dir, mut labels, mut clips) = with_parts();
        let mut accept =
            |camera, start| accept_at(&mut clips, camera, start, ClipClass::Undecided).unwrap();
        let shown = [accept("top", 1), accept("top", 2), accept("side", 1)];
        let are_kept =
            |clips: &Clips| shown.map(|id| clips.clip(id).unwrap().class == ClipClass::Labelled);
        label(&mut labels, 8);
        assert_eq!(are_kept(&clips), [false; 3], "no clip shows that part");
        label(&mut labels, 7);
        assert_eq!(are_kept(&clips), [true; 3], "of every camera");
        labels.withdraw(key(7), &ann(), Role::Operator, AT).unwrap();
        let rejected = accept_at(&mut clips, "top", 9, ClipClass::Rejected).unwrap();
        let full = |clips: &Clips| {
            let bytes_max = clips.tally().unwrap().queued.bytes;
            Budget { bytes_max, alarm_bytes: bytes_max }
        };
        let evicted = clips.make_room(&full(&clips), 1, AT).unwrap();
        assert_eq!(evicted.iter().map(|gone| gone.clip).collect::<Vec<_>>(), [rejected]);
        clips.make_room(&full(&clips), 1, AT).unwrap_err();
        assert!(shown.iter().all(|id| clips.clip(*id).unwrap().gone_at.is_none()));
    }
}
