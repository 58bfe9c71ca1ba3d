//! What was done at the station and by whom: takes entries, gives them back, newest first.
//!
//! Each entry is chained to the one before it by its hash, and a file beside the database says how
//! far the log goes, so that whoever changes, removes or adds entries by other means is found out
//! by [`verify_audit`]. No secret is in the chain: who can write the whole folder can also make a
//! new chain. Against that, note its head elsewhere from time to time.

mod chain;
pub(crate) mod head;
#[cfg(test)]
mod tests;
mod verify;

use domain::{PersonId, Role, Sha256, WallTime};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde::Serialize;
use serde_json::Value;

pub use verify::{AuditFault, AuditReport, verify_audit, verify_audit_against};

use crate::rows::int;
use crate::rows::read::{count, hash, json, text, unfit};
use crate::{Reader, StoreError};
pub(crate) use head::Head;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Somebody stands at the screen.
    LogIn,
    /// Somebody could not show who they are.
    LogInRefused,
    /// Nobody stands at the screen any more.
    LogOut,
    /// A part was labelled.
    Label,
    /// A label was taken back.
    Unlabel,
    /// The line was started.
    Start,
    /// The line was stopped.
    Stop,
    /// Another recipe was selected.
    SelectRecipe,
    /// The limits of a recipe were changed.
    ChangeLimits,
    /// An alarm was acknowledged.
    Acknowledge,
    /// Labelled parts were written out.
    Export,
    /// Labels were taken in.
    Import,
    /// Somebody may use the station.
    AddPerson,
    /// Somebody may use the station no longer.
    RemovePerson,
    /// A camera was calibrated.
    Calibrate,
    /// Somebody has another PIN.
    ChangePin,
    /// The log or its head was found to be cut or changed when the station went on with it.
    LogBroken,
}

impl Action {
    /// All.
    pub const ALL: [Self; 17] = [
        Self::LogIn,
        Self::LogInRefused,
        Self::LogOut,
        Self::Label,
        Self::Unlabel,
        Self::Start,
        Self::Stop,
        Self::SelectRecipe,
        Self::ChangeLimits,
        Self::Acknowledge,
        Self::Export,
        Self::Import,
        Self::AddPerson,
        Self::RemovePerson,
        Self::Calibrate,
        Self::ChangePin,
        Self::LogBroken,
    ];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LogIn => "log_in",
            Self::LogInRefused => "log_in_refused",
            Self::LogOut => "log_out",
            Self::Label => "label",
            Self::Unlabel => "unlabel",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::SelectRecipe => "select_recipe",
            Self::ChangeLimits => "change_limits",
            Self::Acknowledge => "acknowledge",
            Self::Export => "export",
            Self::Import => "import",
            Self::AddPerson => "add_person",
            Self::RemovePerson => "remove_person",
            Self::Calibrate => "calibrate",
            Self::ChangePin => "change_pin",
            Self::LogBroken => "log_broken",
        }
    }

    /// The action that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// An entry to be written. Nobody's name and no PIN may be in it.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// When it is done.
    pub at: WallTime,
    /// Who does it and what they are; absent when nobody is logged in or the station itself does.
    pub by: Option<(&'a PersonId, Role)>,
    /// What is done.
    pub action: Action,
    /// What else there is to say of it; an object. Anything else is put into one, as `value`.
    pub detail: &'a Value,
}

/// An entry as it stands in the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditRow {
    /// Running number, from 1, without gaps.
    pub seq: u64,
    /// When it was done.
    pub at: WallTime,
    /// Who did it.
    pub by: Option<PersonId>,
    /// What they were then.
    pub role: Option<Role>,
    /// What was done: an [`Action`]'s name, or a word of a newer version of this software.
    pub action: String,
    /// What else there is to say of it.
    pub detail: Value,
    /// Hash of this entry and, through it, of all before.
    pub sha256: Sha256,
}

/// Which entries to give, newest first.
#[derive(Clone, Debug)]
pub struct AuditFilter {
    /// Of this kind only.
    pub action: Option<Action>,
    /// Of this person only.
    pub by: Option<PersonId>,
    /// Of then or later only.
    pub from: Option<WallTime>,
    /// Of before then only.
    pub to: Option<WallTime>,
    /// The last entry of the page before; absent for the first page.
    pub after: Option<u64>,
    /// At most this many.
    pub limit: u32,
}

impl Default for AuditFilter {
    fn default() -> Self {
        Self { action: None, by: None, from: None, to: None, after: None, limit: 100 }
    }
}

impl Reader {
    /// Entries of the audit log, newest first, a page at a time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn audit(&self, filter: &AuditFilter) -> std::result::Result<Vec<AuditRow>, StoreError> {
        let sql = "SELECT * FROM audit WHERE (?1 IS NULL OR action = ?1)
            AND (?2 IS NULL OR person = ?2) AND (?3 IS NULL OR at_wall_ns >= ?3)
            AND (?4 IS NULL OR at_wall_ns < ?4) AND seq < ?5 ORDER BY seq DESC LIMIT ?6";
        let asked = (
            filter.action.map(Action::name),
            filter.by.as_ref().map(PersonId::as_str),
            filter.from.map(|from| from.unix_ns),
            filter.to.map(|to| to.unix_ns),
            filter.after.map_or(i64::MAX, int),
            filter.limit,
        );
        self.list(sql, asked, audit_row)
    }
}

fn audit_row(row: &Row<'_>) -> Result<AuditRow> {
    let role = row.get::<_, Option<String>>("role")?;
    let role = role.map(|name| Role::from_name(&name).ok_or_else(|| unfit("role", name)));
    Ok(AuditRow {
        seq: count(row, "seq")?,
        at: WallTime { unix_ns: row.get("at_wall_ns")? },
        by: row.get::<_, Option<String>>("person")?.map(|person| PersonId::new(&person)),
        role: role.transpose()?,
        action: text(row, "action")?,
        detail: json(row, "detail_json")?,
        sha256: hash(row, "sha256")?,
    })
}

/// How far the log in the database goes.
pub(crate) fn last(db: &Connection) -> Result<Head> {
    let sql = "SELECT seq, sha256 FROM audit ORDER BY seq DESC LIMIT 1";
    let read = |row: &Row<'_>| Ok(Head { seq: row.get(0)?, sha256: row.get(1)? });
    Ok(db.prepare_cached(sql)?.query_row([], read).optional()?.unwrap_or_else(Head::none))
}

/// Adds an entry; part of the caller's transaction. Gives how far the log then goes.
pub(crate) fn append(db: &Connection, new: &NewEntry<'_>) -> Result<Head> {
    let before = last(db)?;
    let detail = match new.detail {
        Value::Object(_) => new.detail.to_string(),
        other => serde_json::json!({ "value": other }).to_string(),
    };
    let entry = chain::Entry {
        seq: before.seq + 1,
        at_wall_ns: new.at.unix_ns,
        person: new.by.map(|(person, _)| person.as_str().to_owned()),
        role: new.by.map(|(_, role)| role.name().to_owned()),
        action: new.action.name().to_owned(),
        detail_json: detail,
        before_sha256: before.sha256,
    };
    let sha256 = entry.sha256();
    let sql = "INSERT INTO audit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    db.prepare_cached(sql)?.execute(params![
        entry.seq,
        entry.at_wall_ns,
        entry.person,
        entry.role,
        entry.action,
        entry.detail_json,
        entry.before_sha256,
        sha256,
    ])?;
    Ok(Head { seq: entry.seq, sha256 })
}
