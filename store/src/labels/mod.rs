//! What people said of parts: takes labels and who said them, gives them back, newest first, with
//! those that hold.
//!
//! Every label ever given is kept. Of one person only the last on a part holds; what is withdrawn
//! holds no longer, and the one before it does again. The label *in force* of a part is the newest
//! that holds and is not a second opinion.
//!
//! A label and its entry in the audit log are one transaction, and on disk when `add` returns.

#[cfg(test)]
mod kill;
mod rows;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Label, Mark, PartKey, PersonId, Role, WallTime};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use serde::Serialize;
use serde_json::json;

use crate::audit::head::{self, Found};
use crate::audit::{self, Action, Head, NewEntry};
use crate::files::{self, DATABASE};
use crate::rows::int;
use crate::turn::Turn;
use crate::{Reader, RunId, Store, StoreError, schema};

pub(crate) use rows::label_row;

/// A label as it stands in the store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelRow {
    /// Running number, never used twice.
    pub id: i64,
    /// The part.
    pub key: PartKey,
    /// When it was said.
    pub at: WallTime,
    /// Who said it.
    pub by: PersonId,
    /// What they were then.
    pub role: Role,
    /// What they said.
    pub label: Label,
    /// Whether it was asked for to compare it with another person's, who it does not replace.
    pub is_second: bool,
    /// Whether it holds: neither replaced nor withdrawn.
    pub holds: bool,
}

/// A label to be written.
#[derive(Clone, Debug)]
pub struct NewLabel<'a> {
    /// The part; it must be in the store.
    pub key: PartKey,
    /// When it is said.
    pub at: WallTime,
    /// Who says it.
    pub by: &'a PersonId,
    /// What they are.
    pub role: Role,
    /// What they say; checked again here.
    pub label: &'a Label,
    /// See [`LabelRow::is_second`].
    pub is_second: bool,
}

/// The write half for labels and the audit log. What a method returned is on disk: no kill and no
/// power cut takes it back. Several may be open at the same time, one a thread.
#[derive(Debug)]
pub struct Labels {
    db: Connection,
    folder: PathBuf,
    turn: Arc<Turn>,
    desk: Arc<Mutex<()>>,
    _lock: Arc<File>,
}

impl Store {
    /// The write half for labels and the audit log.
    ///
    /// # Errors
    /// When the database or the log's head cannot be opened or made.
    pub fn labels(&self) -> Result<Labels, StoreError> {
        let folder = self.folder().to_owned();
        let database = folder.join(DATABASE);
        let db = schema::open_for_writing(&database)?;
        // FULL: what was returned is on disk.
        db.pragma_update(None, "synchronous", "full")
            .map_err(|error| StoreError::sql(&database, "open the labels", error))?;
        files::sync_folder(&folder)
            .map_err(|error| StoreError::io(&folder, "open the labels", error))?;
        let (lock, turn) = self.shared();
        let mut labels = Labels { db, folder, turn, desk: self.desk(), _lock: lock };
        labels.begin_log()?;
        Ok(labels)
    }
}

impl Labels {
    /// Writes down a label and, in the same transaction, its entry in the audit log.
    ///
    /// # Errors
    /// When the part is not there, the label contradicts itself, or it can't be written.
    pub fn add(&mut self, new: &NewLabel<'_>) -> Result<LabelRow, StoreError> {
        self.write("write down a label", new.at, |db| {
            // Asked within the turn: a part whose batch is open is there once it is flushed.
            if let Some(refusal) = refusal(db, new)? {
                return Ok(Err(refusal));
            }
            insert(db, new).map(Ok)
        })?
    }

    /// As [`Self::add`], for many: all are written, in their order and in one transaction, or none
    /// is. The line waits as long as that takes, so ask for some hundreds at a time.
    ///
    /// # Errors
    /// As [`Self::add`], for the first that is refused.
    pub fn add_all(&mut self, all: &[NewLabel<'_>]) -> Result<Vec<LabelRow>, StoreError> {
        let Some(first) = all.first() else { return Ok(vec![]) };
        self.write("write down labels", first.at, |db| {
            for new in all {
                if let Some(refusal) = refusal(db, new)? {
                    return Ok(Err(refusal));
                }
            }
            all.iter().map(|new| insert(db, new)).collect::<rusqlite::Result<_>>().map(Ok)
        })?
    }

    /// Takes back the last label of `by` on a part that holds; gives the one that holds again, if
    /// any. `role` is what they are now.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn withdraw(
        &mut self,
        key: PartKey,
        by: &PersonId,
        role: Role,
        at: WallTime,
    ) -> Result<Option<LabelRow>, StoreError> {
        self.write("take a label back", at, |db| {
            let Some(id) = rows::withdraw(db, key, by, at)? else { return Ok(None) };
            let detail = json!({ "label": id, "run": key.run, "part": key.part });
            let by_whom = Some((by, role));
            let action = Action::Unlabel;
            audit::append(db, &NewEntry { at, by: by_whom, action, detail: &detail })?;
            rows::restore(db, key, by)
        })
    }

    /// Writes an entry into the audit log: whatever was done besides labelling.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn note(&mut self, new: &NewEntry<'_>) -> Result<(), StoreError> {
        self.write("write the audit log", new.at, |db| audit::append(db, new).map(|_| ()))
    }

    /// Puts the head of an empty log beside the database, so that a log without one is suspect.
    fn begin_log(&mut self) -> Result<(), StoreError> {
        let _desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let head = audit::last(&self.db).map_err(|error| self.sql("open the audit log", error))?;
        if head == Head::none() && head::read(&self.folder)? == Found::Missing {
            let doing = "write the audit log's head";
            head.write(&self.folder).map_err(|error| StoreError::io(&self.folder, doing, error))?;
        }
        Ok(())
    }

    /// One transaction, then the log's head. The line waits for the transaction only.
    fn write<T>(
        &mut self,
        doing: &'static str,
        at: WallTime,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let desk = Arc::clone(&self.desk);
        let _desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        let found = head::read(&self.folder)?;
        let (value, head) = {
            let busy = || StoreError::Busy { path: self.folder.join(DATABASE), doing };
            let _turn = self.turn.take(schema::BUSY_WAIT).ok_or_else(busy)?;
            transact(&mut self.db, &found, at, change)
                .map_err(|error| StoreError::sql(&self.folder.join(DATABASE), doing, error))?
        };
        // What was committed stands; a head that is behind is put right by the next one.
        if let Err(error) = head.write(&self.folder) {
            let folder = self.folder.display();
            tracing::warn!(target: "store", %folder, %error, "the audit log's head is behind");
        }
        Ok(value)
    }

    fn sql(&self, doing: &'static str, error: rusqlite::Error) -> StoreError {
        StoreError::sql(&self.folder.join(DATABASE), doing, error)
    }
}

/// Writes down a label and its entry in the audit log.
fn insert(db: &Connection, new: &NewLabel<'_>) -> rusqlite::Result<LabelRow> {
    let row = rows::insert(db, new)?;
    let PartKey { run, part } = new.key;
    let detail = json!({
        "label": row.id, "run": run, "part": part, "is_second": new.is_second,
        "judgement": new.label.judgement, "sha256": rows::hash_of(new.label),
    });
    let (at, by) = (new.at, Some((new.by, new.role)));
    audit::append(db, &NewEntry { at, by, action: Action::Label, detail: &detail })?;
    Ok(row)
}

/// Why a label cannot be written: the part is not there, or the label does not go with it.
fn refusal(db: &Connection, new: &NewLabel<'_>) -> rusqlite::Result<Option<StoreError>> {
    let (run, part) = (RunId(new.key.run), new.key.part);
    let Some(views) = rows::views_of(db, new.key)? else {
        return Ok(Some(StoreError::NoSuchPart { run, part }));
    };
    // A part without a picture can still be called bad as a whole.
    let is_elsewhere = |mark: &&Mark| mark.view >= views.max(1);
    let cause = match (new.label.check(), new.label.marks.iter().find(is_elsewhere)) {
        (Err(error), _) => error.to_string(),
        (Ok(()), Some(mark)) => {
            format!("a mark is in view {}, and the part has {views}, counted from 0", mark.view)
        }
        (Ok(()), None) => return Ok(None),
    };
    Ok(Some(StoreError::LabelRefused { run, part, cause }))
}

/// Writes down, before anything else, when the log is not what its head says.
fn transact<T>(
    db: &mut Connection,
    found: &Found,
    at: WallTime,
    change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<(T, Head)> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Some(trouble) = found.trouble(&transaction, audit::last(&transaction)?.seq)? {
        let (by, action) = (None, Action::LogBroken);
        let detail = json!({ "found": trouble });
        audit::append(&transaction, &NewEntry { at, by, action, detail: &detail })?;
    }
    let value = change(&transaction)?;
    let head = audit::last(&transaction)?;
    transaction.commit()?;
    Ok((value, head))
}

impl Reader {
    /// Every label of a part, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn labels(&self, key: PartKey) -> Result<Vec<LabelRow>, StoreError> {
        let sql = "SELECT * FROM label WHERE run_id = ?1 AND part_number = ?2 ORDER BY id DESC";
        self.list(sql, (key.run, int(key.part.0)), label_row)
    }

    /// The labels in force, in order of their parts, a page at a time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn labelled(
        &self,
        after: Option<PartKey>,
        limit: u32,
    ) -> Result<Vec<LabelRow>, StoreError> {
        let sql = "SELECT * FROM label AS said WHERE holds = 1 AND is_second = 0
            AND (run_id, part_number) > (?1, ?2)
            AND NOT EXISTS (SELECT 1 FROM label AS newer WHERE newer.run_id = said.run_id
                AND newer.part_number = said.part_number AND newer.id > said.id
                AND newer.holds = 1 AND newer.is_second = 0)
            ORDER BY run_id, part_number LIMIT ?3";
        let after = after.map_or((i64::MIN, 0), |key| (key.run, int(key.part.0)));
        self.list(sql, (after.0, after.1, limit), label_row)
    }
}
