//! The file beside the database that says how far the audit log goes: takes the last entry's number
//! and hash after each commit, gives them back. A log that is shorter than its head was cut.
//!
//! It may be behind by what was committed just before a kill; never ahead.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::files::{self, AUDIT_HEAD};
use crate::{StoreError, words};

/// How far a log goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// Number of the last entry, 0 when there is none.
    pub(crate) seq: i64,
    /// Its hash, 64 zeros when there is none.
    pub(crate) sha256: String,
}

/// What the file was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// There is none.
    Missing,
    /// It is no head of a log.
    Garbled,
    /// It says this.
    Head(Head),
}

impl Head {
    /// Of a log without entries.
    pub(crate) fn none() -> Self {
        Self { seq: 0, sha256: "0".repeat(64) }
    }

    /// Writes it beside the database in `folder`.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        files::replace(&folder.join(AUDIT_HEAD), words::json(self).as_bytes(), 0o644)
    }
}

/// What stands beside the database in `folder`.
pub(crate) fn read(folder: &Path) -> Result<Found, StoreError> {
    let path = folder.join(AUDIT_HEAD);
    match fs::read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).map_or(Found::Garbled, Found::Head)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Missing),
        Err(error) => Err(StoreError::io(&path, "read the audit log's head", error)),
    }
}

impl Found {
    /// What is wrong between this and the log, which has `entries` of them; `None` when nothing is.
    pub(crate) fn trouble(
        &self,
        db: &Connection,
        entries: i64,
    ) -> rusqlite::Result<Option<String>> {
        let head = match self {
            Self::Missing if entries == 0 => return Ok(None),
            Self::Missing => {
                return Ok(Some(format!("{AUDIT_HEAD} is not there, with {entries} entries")));
            }
            Self::Garbled => return Ok(Some(format!("{AUDIT_HEAD} is no head of a log"))),
            Self::Head(head) => head,
        };
        if *head == Head::none() {
            return Ok(None);
        }
        let sql = "SELECT sha256 FROM audit WHERE seq = ?1";
        let there: Option<String> = db.query_row(sql, [head.seq], |row| row.get(0)).optional()?;
        let (seq, short) = (head.seq, head.sha256.get(..8).unwrap_or(&head.sha256));
        Ok(match there {
            None => Some(format!("the log went to entry {seq} ({short}…), which is not there")),
            Some(sha256) if sha256 != head.sha256 => {
                Some(format!("entry {seq} was {short}…, and is {}…", &sha256[..8]))
            }
            Some(_) => None,
        })
    }
}
