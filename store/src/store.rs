//! The folder of a store, opened for writing: takes a path, gives writers, one per run of the line.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::park_timeout;
use std::time::Duration;

use domain::WallTime;
use serde::Serialize;

use crate::files::{self, DATABASE, IMAGES, LOCK};
use crate::turn::Turn;
use crate::writer::Writer;
use crate::{StoreError, schema};

/// Running number of a run of the line, from 1; never used twice in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is known of a run when it starts.
#[derive(Clone, Copy, Debug)]
pub struct RunStart<'a> {
    /// When it starts.
    pub started_at: WallTime,
    /// Where the frames come from, as the configuration or the command line says it.
    pub source: &'a str,
}

/// A store that this process writes. No other process can while this or a [`Writer`] of it lives.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    lock: Arc<File>,
    turn: Arc<Turn>,
    /// Who may add to the audit log; held over a commit and the writing of the log's head.
    desk: Arc<Mutex<()>>,
}

impl Store {
    /// Opens the store in `folder`; makes the folder and the store when they are not there, and
    /// brings an older database up to date.
    ///
    /// # Errors
    /// When the folder cannot be made or written, another process has the store, or the database
    /// is not one of ours or newer than this software. What was there is left as it was.
    pub fn create_or_open(folder: &Path) -> Result<Self, StoreError> {
        let images = folder.join(IMAGES);
        fs::create_dir_all(&images)
            .map_err(|error| StoreError::io(&images, "make the folder", error))?;
        let lock = Arc::new(locked(&folder.join(LOCK))?);
        schema::open_for_writing(&folder.join(DATABASE))?;
        Ok(Self { folder: folder.to_owned(), lock, turn: Arc::default(), desk: Arc::default() })
    }

    /// Writes down that a run starts, and gives the writer for its parts. Several may write at the
    /// same time; each waits for the other's open batch.
    ///
    /// # Errors
    /// When the row or the run's folder cannot be made.
    pub fn start_run(&self, start: &RunStart<'_>) -> Result<Writer, StoreError> {
        let database = self.folder.join(DATABASE);
        let db = schema::open_for_writing(&database)?;
        // Folders count too: should the database ever be lost, the pictures beside it are not
        // overwritten.
        let images = self.folder.join(IMAGES);
        let taken = files::highest_run_folder(&self.folder)
            .map_err(|error| StoreError::io(&images, "list the folder", error))?;
        let sql = "INSERT INTO run (id, started_wall_ns, source) SELECT 1 + max(?1, ifnull(
                   (SELECT seq FROM sqlite_sequence WHERE name = 'run'), 0)), ?2, ?3
                   RETURNING id";
        let run = db
            .query_row(sql, (taken, start.started_at.unix_ns, start.source), |row| row.get(0))
            .map(RunId)
            .map_err(|error| StoreError::sql(&database, "write down the run", error))?;
        let folder = self.folder.join(files::run_folder(run));
        fs::create_dir(&folder)
            .and_then(|()| files::sync_folder(&images))
            .map_err(|error| StoreError::io(&folder, "make the folder", error))?;
        Ok(Writer::new(db, self.folder.clone(), run, self.shared()))
    }

    /// The lock and the queue, for another writer of this process.
    pub(crate) fn shared(&self) -> (Arc<File>, Arc<Turn>) {
        (Arc::clone(&self.lock), Arc::clone(&self.turn))
    }

    /// Who may add to the audit log.
    pub(crate) fn desk(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.desk)
    }

    /// The store's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// A process that was killed, or one that was just started by the holder, has the lock a moment
/// longer: until the kernel has closed its files.
fn lock_soon(file: &File) -> Result<(), TryLockError> {
    for _ in 0..20 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => park_timeout(Duration::from_millis(25)),
            done => return done,
        }
    }
    file.try_lock()
}

/// The lock file at `path`, held until it is dropped or this process ends, however it ends.
fn locked(path: &Path) -> Result<File, StoreError> {
    let doing = "lock the store";
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| StoreError::io(path, doing, error))?;
    match lock_soon(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Who holds it is a courtesy; that it is held is the answer.
            let _ = file.read_to_string(&mut holder);
            let holder = if holder.is_empty() { "another process".into() } else { holder };
            return Err(StoreError::Locked { path: path.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::io(path, doing, error)),
    }
    file.set_len(0)
        .and_then(|()| write!(file, "process {}", std::process::id()))
        .map_err(|error| StoreError::io(path, doing, error))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    #[test]
    fn a_store_is_made_with_its_folders_and_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b % ?#");
        drop(Store::create_or_open(&folder).unwrap());
        let store = Store::create_or_open(&folder).unwrap();
        assert!(folder.join("station.db").is_file());
        let run = store.start_run(&example::START).unwrap().run();
        assert!(folder.join(files::run_folder(run)).is_dir());
    }

    #[test]
    fn a_second_writing_process_is_refused_and_told_who_holds_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(dir.path()).unwrap();
        let writer = store.start_run(&example::START).unwrap();
        drop(store);
        // The writer alone still holds it.
        let error = Store::create_or_open(dir.path()).unwrap_err();
        let us = format!("process {}", std::process::id());
        assert!(matches!(&error, StoreError::Locked { holder, .. } if *holder == us), "{error}");
        drop(writer);
        Store::create_or_open(dir.path()).unwrap();
    }

    #[test]
    fn writers_and_readers_can_go_to_their_threads() {
        fn can_be_sent<T: Send>() {}
        can_be_sent::<Writer>();
        can_be_sent::<crate::Reader>();
    }

    #[test]
    fn a_place_that_cannot_be_a_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = Store::create_or_open(&file.join("store")).unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }));
        assert!(error.to_string().contains("file/store/images"), "{error}");
    }

    #[test]
    fn a_place_that_may_not_be_written_is_named() {
        // Nobody, not even root, may make folders here.
        let error = Store::create_or_open(Path::new("/sys/sightline-test")).unwrap_err();
        assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
        assert!(error.to_string().contains("/sys/sightline-test"), "{error}");
    }

    #[test]
    fn run_numbers_are_never_used_twice_even_when_the_database_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let run = |dir: &Path| {
            Store::create_or_open(dir).unwrap().start_run(&example::START).unwrap().run()
        };
        assert_eq!((run(dir.path()), run(dir.path())), (RunId(1), RunId(2)));
        for name in ["station.db", "station.db-wal", "station.db-shm"] {
            let _ = fs::remove_file(dir.path().join(name));
        }
        assert_eq!(run(dir.path()), RunId(3));
        fs::remove_dir(dir.path().join(files::run_folder(RunId(3)))).unwrap();
        assert_eq!(run(dir.path()), RunId(4));
    }
}
