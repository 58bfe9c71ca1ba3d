//! The people of a station: takes names, roles and PINs, gives pseudonyms, and says whether a PIN
//! is somebody's.
//!
//! Who a pseudonym is stands in one file, `people.json`, and nowhere else: no label, no log and no
//! export has a name. Only its owner may read it (mode 0600), and it is replaced whole. A PIN is
//! kept as an argon2id hash with a salt of its own. A short PIN can be found by trying all of them
//! for whoever has the file: what keeps it is who may read the file and, at the screen, the wait
//! after wrong ones.

mod file;
mod pin;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{PersonId, Pin, Role, WallTime};
use rand::TryRng;
use rand::rngs::SysRng;
use serde::Serialize;
use thiserror::Error;

use crate::files::PEOPLE;
use file::{Entry, File, Locked};
pub use pin::{PinCost, PinError};

/// Wrong PINs in a row that are not followed by a wait.
const WRONG_FREE: u32 = 4;
/// The wait after the first wrong PIN beyond these; it doubles with each one more.
const WAIT_FIRST: Duration = Duration::from_secs(10);
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// Longest name, in letters.
const NAME_MAX: usize = 60;
/// What pseudonyms are made of: 32 letters and digits that are not taken for each other.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Somebody who may use the station, or could.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Their pseudonym.
    pub id: PersonId,
    /// As people call them. Stays on the station.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may still.
    pub is_active: bool,
}

/// Why something could not be done with the people of a station.
#[derive(Debug, Error)]
pub enum PeopleError {
    /// The file could not be read or written.
    #[error("{}: {doing}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read or write the file.
    #[error(
        "{}: others may read or change it (mode {mode:o}); `chmod 600 {}` and give everybody \
         another PIN if somebody may have read it", path.display(), path.display()
    )]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file is not one that this software wrote.
    #[error(
        "{}: {cause}; restore it from a copy, or move it away and add everybody anew",
        path.display()
    )]
    Garbled {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        cause: String,
    },
    /// There is no such person, or no longer.
    #[error("{0} is nobody who may use the station")]
    NoSuchPerson(PersonId),
    /// A name that is none.
    #[error("a name has 1 to 60 letters and no line breaks")]
    NotAName,
    /// Somebody has this name.
    #[error("somebody is called {0} already; add a letter of the surname")]
    NameTaken(String),
    /// A PIN that is none, or that everybody tries first.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// Nobody could add people any more.
    #[error("{0} is the only engineer; add another one first")]
    LastEngineer(String),
    /// Too many wrong PINs.
    #[error("too many wrong PINs; wait {seconds} s")]
    Wait {
        /// How long still.
        seconds: u64,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    NoRandom(String),
}

/// The people of one station. Others may have the same file open: each call reads it anew, and
/// changes are made one after the other.
#[derive(Debug)]
pub struct People {
    folder: PathBuf,
    cost: PinCost,
}

impl People {
    /// The people in `folder`/people.json; nobody when there is no such file yet.
    ///
    /// # Errors
    /// When the folder cannot be made, or the file is not private or not one of ours.
    pub fn open(folder: &Path) -> Result<Self, PeopleError> {
        Self::open_with(folder, PinCost::default())
    }

    /// The people of the station that writes the store in `folder`: they are in a folder of their
    /// own in it, so that whoever may read the store need not know them.
    ///
    /// # Errors
    /// As [`People::open`].
    pub fn of_store(folder: &Path) -> Result<Self, PeopleError> {
        Self::open(&folder.join(PEOPLE))
    }

    /// As [`People::open`], with another cost of new PINs: cheap ones, for tests.
    ///
    /// # Errors
    /// As [`People::open`].
    pub fn open_with(folder: &Path, cost: PinCost) -> Result<Self, PeopleError> {
        let people = Self { folder: folder.to_owned(), cost };
        people.read()?;
        Ok(people)
    }

    /// Everybody, also who may no longer use the station, in the order in which they came.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self) -> Result<Vec<Person>, PeopleError> {
        Ok(self.read()?.people.into_iter().map(|entry| entry.person()).collect())
    }

    /// Lets somebody use the station, under a new pseudonym.
    ///
    /// # Errors
    /// When the name or the PIN is none or taken, or the file can't be written.
    pub fn add(&self, name: &str, role: Role, pin: &Pin) -> Result<PersonId, PeopleError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX || name.contains(char::is_control) {
            return Err(PeopleError::NotAName);
        }
        pin::check(pin)?;
        let pin_hash = Some(self.cost.hash(pin, random()?)?);
        let mut locked = self.lock()?;
        let people = &mut locked.file.people;
        if people.iter().any(|one| one.is_active && one.name.to_lowercase() == name.to_lowercase())
        {
            return Err(PeopleError::NameTaken(name.to_owned()));
        }
        let id = loop {
            let id = pseudonym(random()?);
            if people.iter().all(|one| one.id != id) {
                break id;
            }
        };
        let name = name.to_owned();
        people.push(Entry { id: id.clone(), name, role, is_active: true, pin_hash, wrong: None });
        locked.write()?;
        Ok(id)
    }

    /// Lets somebody use the station no longer. Their name stays, so that it is still known who
    /// said what.
    ///
    /// # Errors
    /// When there is no such person, they are the last engineer, or the file can't be written.
    pub fn remove(&self, id: &PersonId) -> Result<(), PeopleError> {
        let mut locked = self.lock()?;
        let mut engineers =
            locked.file.people.iter().filter(|one| one.is_active && one.role == Role::Engineer);
        let is_last =
            engineers.next().is_some_and(|one| one.id == *id) && engineers.next().is_none();
        let entry = locked.file.active(id)?;
        if is_last {
            return Err(PeopleError::LastEngineer(entry.name.clone()));
        }
        (entry.is_active, entry.pin_hash, entry.wrong) = (false, None, None);
        locked.write()
    }

    /// Gives somebody another PIN, and forgets wrong ones.
    ///
    /// # Errors
    /// When there is no such person, the PIN is none, or the file can't be written.
    pub fn set_pin(&self, id: &PersonId, pin: &Pin) -> Result<(), PeopleError> {
        pin::check(pin)?;
        let hash = self.cost.hash(pin, random()?)?;
        let mut locked = self.lock()?;
        let entry = locked.file.active(id)?;
        (entry.pin_hash, entry.wrong) = (Some(hash), None);
        locked.write()
    }

    /// What `id` may do, if `pin` is theirs; `None` when it is not, or when there is no such
    /// person. Takes as long as [`PinCost`] says; never call it on the line's threads.
    ///
    /// From the fifth wrong PIN in a row on, nothing is tried for a while that doubles each time,
    /// also not after a restart. A clock that went back makes nobody wait longer than that.
    ///
    /// # Errors
    /// [`PeopleError::Wait`] when it is too early to try; or the file can't be read or written.
    pub fn verify(
        &self,
        id: &PersonId,
        pin: &Pin,
        now: WallTime,
    ) -> Result<Option<Role>, PeopleError> {
        let mut locked = self.lock()?;
        let Ok(entry) = locked.file.active(id) else { return Ok(None) };
        let wrong = entry.wrong.unwrap_or_default();
        let left = wrong.wait_at(now);
        if left > Duration::ZERO {
            // A clock that went back: from now on, not from a time that is still to come.
            if now < wrong.last_at {
                entry.wrong = Some(file::Wrong { last_at: now, ..wrong });
                locked.write()?;
            }
            return Err(PeopleError::Wait { seconds: left.as_secs().max(1) });
        }
        let is_right = entry.pin_hash.as_ref().is_some_and(|hash| pin::is_of(pin, hash));
        let role = is_right.then_some(entry.role);
        let before = entry.wrong;
        entry.wrong = match is_right {
            true => None,
            false => Some(file::Wrong { count: wrong.count.saturating_add(1), last_at: now }),
        };
        if entry.wrong != before {
            locked.write()?;
        }
        Ok(role)
    }

    fn read(&self) -> Result<File, PeopleError> {
        file::read(&self.folder)
    }

    fn lock(&self) -> Result<Locked, PeopleError> {
        file::lock(&self.folder)
    }
}

impl file::Wrong {
    /// How long still to wait.
    fn wait_at(self, now: WallTime) -> Duration {
        let Some(beyond) = self.count.checked_sub(WRONG_FREE + 1) else { return Duration::ZERO };
        let wait = WAIT_FIRST.saturating_mul(1 << beyond.min(16)).min(WAIT_MAX);
        let passed = now.unix_ns.saturating_sub(self.last_at.unix_ns);
        wait.saturating_sub(Duration::from_nanos(u64::try_from(passed).unwrap_or(0)))
    }
}

/// Random bytes of the system.
fn random<const N: usize>() -> Result<[u8; N], PeopleError> {
    let mut bytes = [0; N];
    let filled = SysRng.try_fill_bytes(&mut bytes);
    filled.map_err(|error| PeopleError::NoRandom(error.to_string()))?;
    Ok(bytes)
}

/// A pseudonym: 40 bits, five a letter.
fn pseudonym(random: [u8; 8]) -> PersonId {
    let letters = random.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    PersonId::new(&format!("p-{}", letters.iter().collect::<String>()))
}
