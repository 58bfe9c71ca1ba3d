//! A folder that is there whole or not at all: takes files, gives the folder under its name once
//! all of them are on the disk, with the hash of each.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use domain::Sha256;

use super::ExportError;
use super::manifest::{FileFacts, MANIFEST};
use crate::{StoreError, files};

/// In an unfinished folder; held by who writes it.
const LOCK: &str = "export.lock";

/// A folder that is being written beside the place where it will be.
#[derive(Debug)]
pub(crate) struct Folder {
    out: PathBuf,
    partial: PathBuf,
    lock: File,
    files: BTreeMap<String, FileFacts>,
    folders: Vec<PathBuf>,
    is_done: bool,
}

impl Folder {
    /// Starts the folder that will be at `out`. What an export that was killed left there is
    /// removed.
    pub fn start(out: &Path) -> Result<Self, ExportError> {
        if fs::symlink_metadata(out).is_ok() {
            return Err(ExportError::Exists { path: out.to_owned() });
        }
        let partial = partial_of(out);
        let lock = partial.join(LOCK);
        if fs::symlink_metadata(&partial).is_ok() {
            if !lock.is_file() {
                return Err(ExportError::NotOurs { path: partial });
            }
            drop(locked(&lock, &partial)?);
            removed(&partial).map_err(|error| io(&partial, "remove what is unfinished", error))?;
        }
        fs::create_dir_all(&partial).map_err(|error| io(&partial, "make the folder", error))?;
        let lock = locked(&lock, &partial)?;
        let (out, folders) = (out.to_owned(), vec![partial.clone()]);
        Ok(Self { out, partial, lock, files: BTreeMap::new(), folders, is_done: false })
    }

    /// Where the files are for now.
    pub fn path(&self) -> &Path {
        &self.partial
    }

    /// The files so far, by their paths in the folder.
    pub const fn files(&self) -> &BTreeMap<String, FileFacts> {
        &self.files
    }

    /// Makes a folder in it.
    pub fn make(&mut self, relative: &str) -> Result<(), ExportError> {
        let folder = self.partial.join(relative);
        if !self.folders.contains(&folder) {
            fs::create_dir_all(&folder).map_err(|error| io(&folder, "make the folder", error))?;
            self.folders.push(folder);
        }
        Ok(())
    }

    /// Writes a file into it.
    pub fn write(&mut self, relative: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path = self.place(relative)?;
        fs::write(&path, bytes).map_err(|error| io(&path, "write the file", error))?;
        self.note(relative, bytes);
        Ok(())
    }

    /// Puts the file at `from`, which holds `bytes`, into it: under a second name where that is
    /// asked for and can be, else as a copy.
    pub fn put(
        &mut self,
        relative: &str,
        from: &Path,
        bytes: &[u8],
        link: bool,
    ) -> Result<(), ExportError> {
        let path = self.place(relative)?;
        if !(link && fs::hard_link(from, &path).is_ok()) {
            fs::write(&path, bytes).map_err(|error| io(&path, "write the file", error))?;
        }
        self.note(relative, bytes);
        Ok(())
    }

    /// Ends it: every file on the disk, then the manifest, then its name.
    pub fn finish(mut self, manifest: &[u8]) -> Result<(), ExportError> {
        for file in self.files.keys() {
            let path = self.partial.join(file);
            File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(|error| io(&path, "bring the file to the disk", error))?;
        }
        let path = self.partial.join(MANIFEST);
        files::write_whole(&path, manifest).map_err(|error| io(&path, "write the file", error))?;
        let lock = self.partial.join(LOCK);
        fs::remove_file(&lock).map_err(|error| io(&lock, "remove the lock", error))?;
        for folder in &self.folders {
            files::sync_folder(folder).map_err(|error| io(folder, "sync the folder", error))?;
        }
        if fs::symlink_metadata(&self.out).is_ok() {
            return Err(ExportError::Exists { path: self.out.clone() });
        }
        fs::rename(&self.partial, &self.out)
            .map_err(|error| io(&self.out, "give the folder its name", error))?;
        self.is_done = true;
        let parent = self.out.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        files::sync_folder(parent).map_err(|error| io(parent, "sync the folder", error))?;
        Ok(())
    }

    fn place(&mut self, relative: &str) -> Result<PathBuf, ExportError> {
        if let Some((folder, _)) = relative.rsplit_once('/') {
            self.make(folder)?;
        }
        Ok(self.partial.join(relative))
    }

    fn note(&mut self, relative: &str, bytes: &[u8]) {
        let facts = FileFacts { sha256: Sha256::of(bytes), bytes: bytes.len() as u64 };
        self.files.insert(relative.to_owned(), facts);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_done {
            // The first failure is the one to tell; the next export removes what is left.
            let _ = removed(&self.partial);
        }
        let _ = self.lock.unlock();
    }
}

/// The folder's name while it is being written.
pub(crate) fn partial_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn locked(lock: &Path, partial: &Path) -> Result<File, ExportError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(lock);
    let file = file.map_err(|error| io(lock, "lock the folder", error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(ExportError::Busy { path: partial.to_owned() }),
    }
}

/// Removes an unfinished folder, its lock last: a kill in between leaves one that is still known
/// for what it is.
fn removed(partial: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(partial)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == LOCK) {
            continue;
        }
        if path.symlink_metadata()?.is_dir() {
            fs::remove_dir_all(&path)?;
        } else {
            fs::remove_file(&path)?;
        }
    }
    fs::remove_dir_all(partial)
}

fn io(path: &Path, doing: &'static str, error: std::io::Error) -> ExportError {
    StoreError::io(path, doing, error).into()
}

#[cfg(test)]
#[path = "../../tests/export/names.rs"]
mod names;

#[cfg(test)]
mod tests {
    use super::names::names;
    use super::*;

    #[test]
    fn a_folder_appears_whole_with_its_manifest() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("a b/ü.out");
        fs::create_dir(dir.path().join("a b")).unwrap();
        let mut folder = Folder::start(&out).unwrap();
        folder.write("x/y/a.txt", b"one").unwrap();
        assert!(!out.exists());
        let facts = folder.files()["x/y/a.txt"].clone();
        assert_eq!((facts.bytes, facts.sha256), (3, Sha256::of(b"one")));
        folder.finish(b"{}").unwrap();
        assert_eq!(names(&out), ["manifest.json", "x"]);
        assert_eq!(names(out.parent().unwrap()), ["ü.out"]);
    }

    #[test]
    fn what_is_there_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let folder = Folder::start(&out).unwrap();
        assert!(matches!(Folder::start(&out), Err(ExportError::Busy { .. })));
        fs::create_dir(&out).unwrap();
        assert!(matches!(folder.finish(b"{}"), Err(ExportError::Exists { .. })));
        assert!(matches!(Folder::start(&out), Err(ExportError::Exists { .. })));
        assert_eq!(names(dir.path()), ["out"]);
        assert_eq!(names(&out), [""; 0]);
        let other = dir.path().join("other");
        fs::create_dir(dir.path().join("other.partial")).unwrap();
        assert!(matches!(Folder::start(&other), Err(ExportError::NotOurs { .. })));
    }

    #[test]
    fn what_a_kill_left_is_removed_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let mut folder = Folder::start(&out).unwrap();
        folder.write("a/old.txt", b"old").unwrap();
        folder.lock.unlock().unwrap();
        // A kill runs no destructor.
        std::mem::forget(folder);
        assert_eq!(names(dir.path()), ["out.partial"]);
        let mut folder = Folder::start(&out).unwrap();
        folder.write("new.txt", b"new").unwrap();
        folder.finish(b"{}").unwrap();
        assert_eq!(names(&out), ["manifest.json", "new.txt"]);
    }

    #[test]
    fn a_folder_that_is_given_up_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder::start(&dir.path().join("out")).unwrap();
        folder.write("a.txt", b"1").unwrap();
        std::os::unix::fs::symlink("/dev/full", folder.path().join("b.txt")).unwrap();
        let error = folder.write("b.txt", b"2").unwrap_err();
        assert!(error.to_string().contains("disk is full"), "{error}");
        drop(folder);
        assert_eq!(names(dir.path()), [""; 0]);
    }
}
