//! Whether the audit log is the one that was written: takes a store's folder, gives the first entry
//! that disagrees with its chain, and every label that disagrees with the log.
//!
//! Reads the rows as they are, whatever they hold, and computes everything anew.

use std::collections::BTreeMap;
use std::path::Path;

use domain::Sha256;
use rusqlite::{Connection, Result, Row};
use serde::Serialize;
use serde_json::Value;

use super::{Action, Head, chain::Entry, head};
use crate::{Reader, StoreError};

/// What was checked and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Entries in the log.
    pub entries: u64,
    /// Labels in the store.
    pub labels: u64,
    /// Hash of the last entry that is sound; absent when there is none. Note it elsewhere: whoever
    /// makes a whole new chain cannot make it end in the same.
    pub head: Option<String>,
    /// What disagrees, the first of each kind.
    pub faults: Vec<AuditFault>,
}

impl AuditReport {
    /// Whether all is as it was written.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum AuditFault {
    /// An entry is not the one that its hash was made over: it was changed.
    Changed {
        /// The entry.
        seq: i64,
    },
    /// Entries are not there.
    Removed {
        /// The first of them.
        first: i64,
        /// The last of them.
        last: i64,
    },
    /// An entry does not follow the one before it: one was added, exchanged or made anew here.
    DoesNotFollow {
        /// The entry.
        seq: i64,
    },
    /// The log does not go as far as the file beside the database says, or otherwise.
    Head {
        /// What is wrong.
        found: String,
    },
    /// The station found the log broken when it went on with it, and wrote that down.
    ToldBefore {
        /// The entry that says so.
        seq: i64,
        /// What was wrong.
        found: String,
    },
    /// A label is not what the log says of it.
    Label {
        /// The label.
        id: i64,
        /// What differs.
        found: String,
    },
    /// No entry of the log has the hash that was noted.
    NotNoted {
        /// The hash.
        sha256: String,
    },
}

impl std::fmt::Display for AuditFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changed { seq } => write!(f, "entry {seq} was changed: its hash is another"),
            Self::Removed { first, last } if first == last => {
                write!(f, "entry {first} was removed")
            }
            Self::Removed { first, last } => write!(f, "entries {first} to {last} were removed"),
            Self::DoesNotFollow { seq } => write!(
                f,
                "entry {seq} does not follow the one before it: one of them was added, exchanged \
                 or made anew"
            ),
            Self::Head { found } => write!(f, "the end was removed or replaced: {found}"),
            Self::ToldBefore { seq, found } => {
                write!(f, "entry {seq} tells of an earlier break: {found}")
            }
            Self::Label { id, found } => write!(f, "label {id}: {found}"),
            Self::NotNoted { sha256 } => {
                write!(f, "no entry has the hash {sha256} that was noted: the log is another one")
            }
        }
    }
}

/// Checks the audit log of the store in `folder`: every entry against its hash and the one before
/// it, the end against the file beside the database, every label against its entry.
///
/// # Errors
/// When the store cannot be opened or read. What is wrong with its content is in the report.
pub fn verify_audit(folder: &Path) -> std::result::Result<AuditReport, StoreError> {
    verify(folder, None)
}

/// As [`verify_audit`]; and that some entry has the hash `noted`, which somebody wrote down
/// elsewhere when it was the head.
///
/// # Errors
/// As [`verify_audit`].
pub fn verify_audit_against(
    folder: &Path,
    noted: Sha256,
) -> std::result::Result<AuditReport, StoreError> {
    verify(folder, Some(noted))
}

fn verify(folder: &Path, noted: Option<Sha256>) -> std::result::Result<AuditReport, StoreError> {
    let reader = Reader::open(folder)?;
    // The head first: what is added meanwhile then goes beyond it.
    let head = head::read(folder)?;
    reader.read(|db| {
        let reading = db.unchecked_transaction()?;
        let mut chain = Chain::default();
        let mut statement = db.prepare("SELECT * FROM audit ORDER BY seq")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            chain.take(row)?;
        }
        if let Some(found) = head.trouble(db, super::last(db)?.seq)? {
            chain.faults.push(AuditFault::Head { found });
        }
        if let Some(noted) = noted.map(|noted| noted.to_string())
            && !db.prepare("SELECT 1 FROM audit WHERE sha256 = ?1")?.exists([&noted])?
        {
            chain.faults.push(AuditFault::NotNoted { sha256: noted });
        }
        let labels = chain.compare_labels(db)?;
        reading.commit()?;
        let Chain { entries, sound, faults, .. } = chain;
        let head = (sound.seq > 0).then_some(sound.sha256);
        Ok(AuditReport { entries, labels, head, faults })
    })
}

/// What the log says a label is.
#[derive(Debug, PartialEq)]
struct Said {
    part: (Value, Value),
    at_wall_ns: i64,
    person: Option<String>,
    role: Option<String>,
    judgement: Value,
    sha256: Value,
    is_second: Value,
    holds: bool,
    withdrawn_wall_ns: Option<i64>,
}

/// The log as far as it was read.
struct Chain {
    entries: u64,
    /// The last entry before the first fault.
    sound: Head,
    before: Head,
    faults: Vec<AuditFault>,
    labels: BTreeMap<i64, Said>,
}

impl Default for Chain {
    fn default() -> Self {
        let (sound, before) = (Head::none(), Head::none());
        Self { entries: 0, sound, before, faults: vec![], labels: BTreeMap::new() }
    }
}

impl Chain {
    fn take(&mut self, row: &Row<'_>) -> Result<()> {
        let (entry, sha256) = (Entry::read(row)?, row.get::<_, String>("sha256")?);
        self.entries += 1;
        if self.faults.is_empty() {
            if let Some(fault) = self.fault(&entry, &sha256) {
                self.faults.push(fault);
            } else {
                self.sound = Head { seq: entry.seq, sha256: sha256.clone() };
            }
        }
        self.tell(&entry);
        self.before = Head { seq: entry.seq, sha256 };
        Ok(())
    }

    fn fault(&self, entry: &Entry, sha256: &str) -> Option<AuditFault> {
        let seq = entry.seq;
        if entry.sha256() != sha256 {
            return Some(AuditFault::Changed { seq });
        }
        let expected = self.before.seq + 1;
        if seq != expected {
            return Some(AuditFault::Removed { first: expected, last: seq - 1 });
        }
        (entry.before_sha256 != self.before.sha256).then_some(AuditFault::DoesNotFollow { seq })
    }

    /// What the entry says of labels, and of the log.
    fn tell(&mut self, entry: &Entry) {
        let detail: Value = serde_json::from_str(&entry.detail_json).unwrap_or_default();
        let label = detail["label"].as_i64().unwrap_or_default();
        match Action::from_name(&entry.action) {
            Some(Action::Label) => {
                let said = Said {
                    part: (detail["run"].clone(), detail["part"].clone()),
                    at_wall_ns: entry.at_wall_ns,
                    person: entry.person.clone(),
                    role: entry.role.clone(),
                    judgement: detail["judgement"].clone(),
                    sha256: detail["sha256"].clone(),
                    is_second: detail["is_second"].clone(),
                    holds: true,
                    withdrawn_wall_ns: None,
                };
                self.labels.insert(label, said);
            }
            Some(Action::Unlabel) => {
                if let Some(said) = self.labels.get_mut(&label) {
                    said.withdrawn_wall_ns = Some(entry.at_wall_ns);
                }
            }
            Some(Action::LogBroken) => {
                let found = detail["found"].as_str().unwrap_or_default().to_owned();
                self.faults.push(AuditFault::ToldBefore { seq: entry.seq, found });
            }
            _ => {}
        }
    }

    /// Holds every label against what the log says of it, and gives how many there are.
    fn compare_labels(&mut self, db: &Connection) -> Result<u64> {
        let mut expected = std::mem::take(&mut self.labels);
        settle(&mut expected);
        let mut statement = db.prepare("SELECT * FROM label ORDER BY id")?;
        let mut rows = statement.query([])?;
        let (mut labels, mut first) = (0, None);
        while let Some(row) = rows.next()? {
            labels += 1;
            let (id, is) = said(row)?;
            let found = match expected.remove(&id) {
                None => Some("the log has no entry of it".to_owned()),
                Some(was) => difference(&is, &was),
            };
            first = first.or(found.map(|found| AuditFault::Label { id, found }));
        }
        let gone = expected.keys().next();
        let gone = gone.map(|&id| {
            let found = "the log has it, the store does not".to_owned();
            AuditFault::Label { id, found }
        });
        self.faults.extend(first);
        self.faults.extend(gone);
        Ok(labels)
    }
}

/// Of one person's labels of a part the last that was not taken back holds.
fn settle(labels: &mut BTreeMap<i64, Said>) {
    let mut later = std::collections::BTreeSet::new();
    for said in labels.values_mut().rev() {
        let whose = (said.part.0.to_string(), said.part.1.to_string(), said.person.clone());
        said.holds = said.withdrawn_wall_ns.is_none() && later.insert(whose);
    }
}

/// A label as its row has it.
fn said(row: &Row<'_>) -> Result<(i64, Said)> {
    let json: String = row.get("label_json")?;
    let said = Said {
        part: (row.get::<_, i64>("run_id")?.into(), row.get::<_, i64>("part_number")?.into()),
        at_wall_ns: row.get("said_wall_ns")?,
        person: row.get("person")?,
        role: row.get("role")?,
        judgement: row.get::<_, String>("judgement")?.into(),
        sha256: Sha256::of(json.as_bytes()).to_string().into(),
        is_second: row.get::<_, bool>("is_second")?.into(),
        holds: row.get("holds")?,
        withdrawn_wall_ns: row.get("withdrawn_wall_ns")?,
    };
    Ok((row.get("id")?, said))
}

/// The first thing in which a label is not what the log says.
fn difference(is: &Said, was: &Said) -> Option<String> {
    let differs = [
        (is.part != was.part, "its part"),
        (is.at_wall_ns != was.at_wall_ns, "when it was said"),
        (is.person != was.person, "who said it"),
        (is.role != was.role, "what they were"),
        (is.judgement != was.judgement, "its judgement"),
        (is.sha256 != was.sha256, "what was said"),
        (is.is_second != was.is_second, "whether it is a second opinion"),
        (is.holds != was.holds, "whether it holds"),
        (is.withdrawn_wall_ns != was.withdrawn_wall_ns, "when it was taken back"),
    ];
    let (_, what) = differs.into_iter().find(|(differs, _)| *differs)?;
    Some(format!("{what} is not what the log says"))
}
