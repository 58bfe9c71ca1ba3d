//! A folder that clips are copied to, for example of a file server. Takes a clip and its sidecar;
//! gives them in `FOLDER/STATION/CAMERA/`, whole or not at all, compared with the clip's hash by
//! reading them back.
//!
//! The folder itself is never made: one inside the mount is missing when the mount is, and the
//! disk of the station is not filled in its place.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use domain::Sha256;
use sha2::Digest;
use store::{Clip, ClipState};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::desk::Desk;
use super::trouble::Trouble;
use crate::limits;

/// The folder of one camera.
pub struct Folder {
    root: PathBuf,
    station: String,
    /// A copy that hangs: a file server that is gone may hold a thread as long as it likes.
    hanging: Option<JoinHandle<Result<(), Trouble>>>,
}

impl Folder {
    /// Clips go below `root`. Nothing is looked at yet.
    pub fn new(root: &Path, station: &str) -> Self {
        Self { root: root.to_owned(), station: name_of(station), hanging: None }
    }

    /// Copies everything that waits.
    ///
    /// # Errors
    /// When the folder does not take it, or not in time.
    pub async fn deliver(&mut self, desk: &mut Desk) -> Result<(), Trouble> {
        while let Some(clip) = desk.next(|_| false)? {
            if desk.open(&clip)?.is_none() {
                continue;
            }
            self.copy(&clip, desk).await?;
            desk.progress.sent(usize::try_from(clip.size_bytes).unwrap_or(usize::MAX), true);
            for position in 0..clip.fragments.len() {
                desk.advance(clip.id, position, ClipState::Persisted, None)?;
            }
        }
        Ok(())
    }

    /// Copies `clip` on another thread, which may hang and then is waited for no longer.
    async fn copy(&mut self, clip: &Clip, desk: &Desk) -> Result<(), Trouble> {
        if self.hanging.as_ref().is_some_and(|copy| !copy.is_finished()) {
            return Err(self.hangs());
        }
        let (root, clip) = (self.root.clone(), clip.clone());
        let target = root.join(&self.station).join(name_of(clip.camera.as_str()));
        let mut copy = tokio::task::spawn_blocking(move || copy_clip(&root, &target, &clip));
        match timeout(desk.waits.copy_within, &mut copy).await {
            Ok(Ok(copied)) => copied,
            Ok(Err(error)) => Err(Trouble::Folder {
                path: self.root.clone(),
                cause: format!("copying failed: {error}"),
            }),
            Err(_) => {
                self.hanging = Some(copy);
                Err(self.hangs())
            }
        }
    }

    fn hangs(&self) -> Trouble {
        let cause = "it does not answer; look after the file server".to_owned();
        Trouble::Folder { path: self.root.clone(), cause }
    }
}

/// One name below the folder, whatever the station or camera is called.
fn name_of(text: &str) -> String {
    let name = text.replace(['/', '\\', '\0'], "_");
    if name.starts_with('.') || name.is_empty() { format!("_{name}") } else { name }
}

/// The sidecar first: whoever sees the clip finds it.
fn copy_clip(root: &Path, target: &Path, clip: &Clip) -> Result<(), Trouble> {
    if !root.is_dir() {
        let cause = "it is not there; make it, inside the mount, so that a missing mount shows";
        return Err(Trouble::Folder { path: root.to_owned(), cause: cause.to_owned() });
    }
    let refused = |path: &Path, error: io::Error| Trouble::Folder {
        path: path.to_owned(),
        cause: format!("{error}; is there room, and may this user write there?"),
    };
    fs::create_dir_all(target).map_err(|error| refused(target, error))?;
    let broken = |cause: String| Trouble::Clip { clip: clip.id, cause };
    for from in [clip.path.with_extension("json"), clip.path.clone()] {
        let name = from.file_name().ok_or_else(|| broken("it has no name".to_owned()))?;
        let to = target.join(name);
        let mut source =
            File::open(&from).map_err(|error| broken(format!("{}: {error}", from.display())))?;
        let is_clip = from == clip.path;
        let hash = hash_of(&mut source, None)
            .map_err(|error| broken(format!("{}: {error}", from.display())))?;
        if is_clip && hash != clip.sha256 {
            return Err(broken(
                "its file is not what was accepted; the disk may be bad".to_owned(),
            ));
        }
        if place(&from, &to, hash).map_err(|error| refused(&to, error))? == Placed::Other {
            let other = format!("{} is another file already; rename it", to.display());
            return Err(broken(other));
        }
    }
    Ok(())
}

#[derive(PartialEq, Eq)]
enum Placed {
    /// It is there, and what it should be.
    Same,
    /// Another file has its name.
    Other,
}

/// Copies the file of hash `hash` so that `to` is it or is not there at all.
fn place(from: &Path, to: &Path, hash: Sha256) -> io::Result<Placed> {
    match File::open(to) {
        Ok(mut there) => {
            let is_same = hash_of(&mut there, None)? == hash;
            return Ok(if is_same { Placed::Same } else { Placed::Other });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut written = File::create(&partial)?;
    hash_of(&mut File::open(from)?, Some(&mut written))?;
    written.sync_all()?;
    drop(written);
    if hash_of(&mut File::open(&partial)?, None)? != hash {
        return Err(io::Error::other("what was read back is not what was written"));
    }
    fs::rename(&partial, to)?;
    if let Some(folder) = to.parent() {
        // Some file servers know no syncing of folders; the file itself was synced.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(Placed::Same)
}

/// The hash of what `from` holds, which is written to `to` on the way.
fn hash_of(from: &mut File, mut to: Option<&mut File>) -> io::Result<Sha256> {
    let mut hash = sha2::Sha256::new();
    let mut piece = vec![0; limits::UPLOAD_PIECE_BYTES];
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            break;
        }
        hash.update(&piece[..read]);
        if let Some(to) = &mut to {
            to.write_all(&piece[..read])?;
        }
    }
    let hash: [u8; 32] = hash.finalize().into();
    Ok(hash.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_below_the_folder() {
        assert_eq!(name_of("../../etc"), "_.._.._etc");
        assert_eq!(name_of(""), "_");
        assert_eq!(name_of("line 3"), "line 3");
    }

    #[test]
    fn a_file_is_placed_once_and_never_over_another() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("b"));
        let content = vec![7; 200_000];
        fs::write(&from, &content).unwrap();
        let hash = Sha256::of(&content);
        fs::write(dir.path().join("b.partial"), b"what a kill left").unwrap();
        for _ in 0..2 {
            assert!(place(&from, &to, hash).unwrap() == Placed::Same);
            assert_eq!(fs::read(&to).unwrap(), content);
        }
        assert!(!dir.path().join("b.partial").exists());
        fs::write(&to, b"other").unwrap();
        assert!(place(&from, &to, hash).unwrap() == Placed::Other);
        assert_eq!(fs::read(&to).unwrap(), b"other");
    }

    #[test]
    fn what_changes_on_the_way_is_not_placed() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&from, b"changed").unwrap();
        assert!(place(&from, &to, Sha256::of(b"as it was")).is_err());
        assert!(!to.exists());
    }
}
