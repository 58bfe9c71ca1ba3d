//! The file of people: takes a folder, gives what stands in `people.json`, and puts it back whole.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use domain::{PersonId, Role, WallTime};
use serde::{Deserialize, Serialize};

use super::{PeopleError, Person};
use crate::files;

const NAME: &str = "people.json";
const LOCK: &str = "people.lock";
/// The owner may read and write, nobody else anything.
const PRIVATE: u32 = 0o600;

/// What stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) people: Vec<Entry>,
}

/// One person.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) id: PersonId,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) is_active: bool,
    /// None once they may no longer use the station.
    pub(super) pin_hash: Option<String>,
    /// Wrong PINs since the last right one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wrong: Option<Wrong>,
}

/// Wrong PINs in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrong {
    pub(super) count: u32,
    pub(super) last_at: WallTime,
}

impl Entry {
    pub(super) fn person(self) -> Person {
        Person { id: self.id, name: self.name, role: self.role, is_active: self.is_active }
    }
}

impl File {
    /// The person `id`, if they may use the station.
    pub(super) fn active(&mut self, id: &PersonId) -> Result<&mut Entry, PeopleError> {
        let mut active = self.people.iter_mut().filter(|one| one.is_active);
        let found = active.find(|one| one.id == *id);
        found.ok_or_else(|| PeopleError::NoSuchPerson(id.clone()))
    }
}

/// The file while nobody else can change it; until this is dropped.
#[derive(Debug)]
pub(super) struct Locked {
    pub(super) file: File,
    path: PathBuf,
    _lock: fs::File,
}

impl Locked {
    /// Puts the file in place, for good.
    pub(super) fn write(&self) -> Result<(), PeopleError> {
        let bytes = serde_json::to_vec_pretty(&self.file).map_err(io::Error::other);
        bytes
            .and_then(|bytes| files::replace(&self.path, &bytes, PRIVATE))
            .map_err(|source| failed(&self.path, "write the people", source))
    }
}

/// What stands in `folder`; nobody when there is no file.
pub(super) fn read(folder: &Path) -> Result<File, PeopleError> {
    let path = folder.join(NAME);
    let doing = "read the people";
    let mut file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => return Err(failed(&path, doing, error)),
    };
    let found = file.metadata().map_err(|error| failed(&path, doing, error))?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(PeopleError::NotPrivate { path, mode });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| failed(&path, doing, error))?;
    let parsed = serde_json::from_str(&text);
    parsed.map_err(|error| PeopleError::Garbled { path, cause: error.to_string() })
}

/// Waits until nobody else changes the file, and gives it. Makes the folder when it is not there.
pub(super) fn lock(folder: &Path) -> Result<Locked, PeopleError> {
    let path = folder.join(LOCK);
    let lock = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .and_then(|()| {
            OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(&path)
        })
        .and_then(|lock| lock.lock().map(|()| lock))
        .map_err(|error| failed(&path, "lock the people", error))?;
    Ok(Locked { file: read(folder)?, path: folder.join(NAME), _lock: lock })
}

fn failed(path: &Path, doing: &'static str, source: io::Error) -> PeopleError {
    PeopleError::Io { path: path.to_owned(), doing, source }
}
