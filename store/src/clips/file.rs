//! A clip on its way to the disk: takes bytes as they are encoded and, at the end, what is known of
//! them; gives two whole files, the clip and its facts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use domain::{CameraId, CaptureTime, Sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Digest;

use super::step::reached;
use super::{ClipClass, ClipEnd, ClipPart, ClipStart, Fragment};
use crate::{RunId, StoreError, files};

/// Where in the sidecar the store keeps what its row says, so that the row can be made again.
const RECORD: &str = "outbox";

/// Where in the sidecar it is said by how many nanoseconds the clock was ahead that its other facts
/// and the pictures show.
const CLOCK_OFF: &str = "clock_ahead_ns";

/// What follows a file's name until it is whole.
pub(super) const UNFINISHED: &str = "partial";

/// A clip that is being written, `….partial` until it is accepted. Dropped, it is removed.
#[derive(Debug)]
pub struct ClipFile {
    file: BufWriter<File>,
    hash: sha2::Sha256,
    size_bytes: u64,
    clip: PathBuf,
    unfinished: PathBuf,
    relative: String,
    run: RunId,
    camera: CameraId,
    started: CaptureTime,
    clock_is_synced: bool,
    is_accepted: bool,
}

/// All that a clip's rows are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) run: i64,
    pub(super) camera: CameraId,
    pub(super) class: ClipClass,
    pub(super) started: CaptureTime,
    pub(super) ended: CaptureTime,
    pub(super) clock_is_synced: bool,
    pub(super) size_bytes: u64,
    pub(super) sha256: Sha256,
    pub(super) header_bytes: u64,
    pub(super) fragments: Vec<Fragment>,
    pub(super) parts: Vec<ClipPart>,
    pub(super) pictures: u64,
    pub(super) pictures_missing: u64,
}

impl Write for ClipFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.size_bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl ClipFile {
    /// A new file in the store's `folder` whose name neither a file nor a clip has, of which
    /// `is_taken` knows.
    pub(super) fn create(
        folder: &Path,
        start: &ClipStart<'_>,
        is_taken: impl Fn(&str) -> Result<bool, StoreError>,
    ) -> Result<Self, StoreError> {
        make_folder(folder, start.run)?;
        for copy in 0.. {
            let relative = files::clip_path(start.run, start.camera, start.started.wall, copy);
            let clip = folder.join(&relative);
            let unfinished = unfinished_of(&clip);
            let file = match OpenOptions::new().write(true).create_new(true).open(&unfinished) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened.map_err(|error| io_error(&unfinished, "begin a clip", error))?,
            };
            let begun = Self {
                file: BufWriter::with_capacity(64 << 10, file),
                hash: sha2::Sha256::new(),
                size_bytes: 0,
                clip,
                unfinished,
                relative,
                run: start.run,
                camera: start.camera.clone(),
                started: start.started,
                clock_is_synced: start.clock_is_synced,
                is_accepted: false,
            };
            // Only who holds the unfinished name may look: whoever held it before is done with it.
            if begun.clip.exists() || sidecar_of(&begun.clip).exists() || is_taken(&begun.relative)?
            {
                begun.give_up_name();
                continue;
            }
            return Ok(begun);
        }
        unreachable!("there are more names than files")
    }

    /// Where it is written.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.unfinished
    }

    /// What the facts beside it take on disk when it ends like that.
    #[must_use]
    pub fn sidecar_bytes(&self, end: &ClipEnd) -> u64 {
        sidecar_text(&self.record(end), &end.facts).len() as u64
    }

    /// Its name once it is accepted, relative to the store.
    pub(super) fn relative(&self) -> &str {
        &self.relative
    }

    /// Makes file and facts last under their names. Gives what the rows are made of, and the size
    /// of the facts.
    pub(super) fn put(&mut self, end: &ClipEnd) -> Result<(Record, u64), StoreError> {
        let wrong = |cause| StoreError::ClipRefused { path: self.unfinished.clone(), cause };
        fits(end, self.started, self.size_bytes).map_err(wrong)?;
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .map_err(|error| io_error(&self.unfinished, "write a clip", error))?;
        reached("clip synced");
        let record = self.record(end);
        let facts = sidecar_text(&record, &end.facts);
        let (sidecar, folder) = (sidecar_of(&self.clip), self.clip.parent().unwrap_or(&self.clip));
        write_synced(&unfinished_of(&sidecar), &facts)?;
        reached("facts synced");
        rename(&unfinished_of(&sidecar), &sidecar)?;
        reached("facts in place");
        rename(&self.unfinished, &self.clip)?;
        reached("clip in place");
        files::sync_folder(folder).map_err(|error| StoreError::io(folder, "sync", error))?;
        reached("folder synced");
        Ok((record, facts.len() as u64))
    }

    /// Its row is committed: it stays.
    pub(super) fn keep(mut self) {
        self.is_accepted = true;
    }

    fn record(&self, end: &ClipEnd) -> Record {
        let digest: [u8; 32] = self.hash.clone().finalize().into();
        Record {
            run: self.run.0,
            camera: self.camera.clone(),
            class: end.class,
            started: self.started,
            ended: end.ended,
            clock_is_synced: self.clock_is_synced,
            size_bytes: self.size_bytes,
            sha256: digest.into(),
            header_bytes: end.header_bytes,
            fragments: end.fragments.clone(),
            parts: end.parts.clone(),
            pictures: end.pictures,
            pictures_missing: end.pictures_missing,
        }
    }

    /// Removes what was just made, and nothing else: the other names are not ours.
    fn give_up_name(mut self) {
        self.is_accepted = true;
        let _ = fs::remove_file(&self.unfinished);
    }
}

impl Drop for ClipFile {
    fn drop(&mut self) {
        if self.is_accepted {
            return;
        }
        let sidecar = sidecar_of(&self.clip);
        let unfinished = unfinished_of(&sidecar);
        for file in [&self.unfinished, &unfinished, &self.clip, &sidecar] {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let file = file.display();
                    tracing::warn!(target: "store", %file, %error, "half a clip left behind");
                }
                _ => {}
            }
        }
    }
}

impl Record {
    /// What a sidecar says of its clip; `None` when it is not one of ours.
    pub(super) fn of_sidecar(text: &[u8]) -> Option<Self> {
        let mut facts: Value = serde_json::from_slice(text).ok()?;
        serde_json::from_value(facts.get_mut(RECORD)?.take()).ok()
    }
}

/// The wall clock was wrong: what the store says in the facts of `clip` gets the times that belong
/// to the line's clock, which began at `began_wall_ns`. All other facts stay as they are burnt into
/// the pictures; by how much those are off is said beside them. Gives the size of the facts.
pub(super) fn correct(clip: &Path, began_wall_ns: i64) -> io::Result<u64> {
    let sidecar = sidecar_of(clip);
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "no facts of a clip");
    let text = fs::read(&sidecar)?;
    let mut facts: serde_json::Map<_, _> = serde_json::from_slice(&text).map_err(|_| odd())?;
    let mut record = Record::of_sidecar(&text).ok_or_else(odd)?;
    let right = |time: &mut CaptureTime| {
        let wall = began_wall_ns.saturating_add(time.mono.ns.try_into().unwrap_or(i64::MAX));
        let off_ns = time.wall.unix_ns.saturating_sub(wall);
        time.wall.unix_ns = wall;
        off_ns
    };
    let off_ns = right(&mut record.started);
    right(&mut record.ended);
    record.parts.iter_mut().for_each(|part| {
        right(&mut part.at);
    });
    if std::mem::replace(&mut record.clock_is_synced, true) {
        return Ok(text.len() as u64);
    }
    facts.insert(CLOCK_OFF.to_owned(), off_ns.into());
    let text = sidecar_text(&record, &Value::Object(facts));
    let unfinished = unfinished_of(&sidecar);
    let mut file = File::create(&unfinished)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&unfinished, &sidecar)?;
    Ok(text.len() as u64)
}

/// The file of facts beside a clip.
pub(super) fn sidecar_of(clip: &Path) -> PathBuf {
    clip.with_extension("json")
}

fn unfinished_of(whole: &Path) -> PathBuf {
    let mut name = whole.as_os_str().to_owned();
    name.push(".");
    name.push(UNFINISHED);
    name.into()
}

/// The facts with the record among them, or both beside each other when the facts are no object.
fn sidecar_text(record: &Record, facts: &Value) -> Vec<u8> {
    let mut all = match facts {
        Value::Object(facts) => facts.clone(),
        Value::Null => serde_json::Map::new(),
        other => std::iter::once(("facts".to_owned(), other.clone())).collect(),
    };
    let record = serde_json::to_value(record).unwrap_or_default();
    all.insert(RECORD.to_owned(), record);
    let mut text = serde_json::to_vec_pretty(&all).unwrap_or_default();
    text.push(b'\n');
    text
}

/// Why `end` can't be what a file of `size_bytes` is that began at `started`.
fn fits(end: &ClipEnd, started: CaptureTime, size_bytes: u64) -> Result<(), String> {
    if end.ended.mono < started.mono {
        return Err("it ends before it starts".to_owned());
    }
    if end.parts.is_empty() {
        return Err("no part is in it; a clip is cut for at least one".to_owned());
    }
    fragments_fit(end.header_bytes, end.fragments.iter(), size_bytes)
}

/// Why header and fragments can't be those of a file of `size_bytes`.
pub(super) fn fragments_fit<'a>(
    header_bytes: u64,
    fragments: impl Iterator<Item = &'a Fragment>,
    file_bytes: u64,
) -> Result<(), String> {
    let mut at = header_bytes;
    let mut last_starts_ms = None;
    for (position, fragment) in fragments.enumerate() {
        let Fragment { offset_bytes, size_bytes, timecode_at_bytes, starts_ms, .. } = *fragment;
        let next = offset_bytes.saturating_add(size_bytes);
        if offset_bytes != at || size_bytes == 0 {
            return Err(format!("fragment {position} is at {offset_bytes}, not at {at}"));
        }
        if timecode_at_bytes < offset_bytes || timecode_at_bytes.saturating_add(8) > next {
            return Err(format!("the timecode of fragment {position} lies outside of it"));
        }
        if last_starts_ms.is_some_and(|last| last >= starts_ms) {
            return Err(format!("fragment {position} starts no later than the one before"));
        }
        (at, last_starts_ms) = (next, Some(starts_ms));
    }
    if last_starts_ms.is_none() || at != file_bytes {
        return Err(format!("header and fragments end at {at}, the file at {file_bytes}"));
    }
    Ok(())
}

fn make_folder(store: &Path, run: RunId) -> Result<(), StoreError> {
    let folder = store.join(files::clip_folder(run));
    if folder.is_dir() {
        return Ok(());
    }
    // Its name must outlast a power cut as well as the names in it.
    fs::create_dir_all(&folder)
        .and_then(|()| files::sync_folder(&store.join(files::CLIPS)))
        .map_err(|error| StoreError::io(&folder, "make the folder", error))
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    File::create(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(|error| io_error(path, "write a clip's facts", error))
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(|error| io_error(to, "put a clip in its place", error))
}

fn io_error(path: &Path, doing: &'static str, error: io::Error) -> StoreError {
    StoreError::io(path, doing, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clips::example::{end, time};

    #[test]
    fn what_does_not_add_up_is_refused_with_the_place() {
        let sound = end(1_000, 2);
        assert_eq!(fits(&sound, time(0), 1_000), Ok(()));
        let refused = |change: &dyn Fn(&mut ClipEnd)| {
            let mut end = sound.clone();
            change(&mut end);
            fits(&end, time(0), 1_000).unwrap_err()
        };
        for (change, told) in [
            (&(|end: &mut ClipEnd| end.parts.clear()) as &dyn Fn(&mut ClipEnd), "no part"),
            (&|end| end.fragments.clear(), "end at 100, the file at 1000"),
            (&|end| end.fragments[1].offset_bytes += 1, "fragment 1 is at"),
            (&|end| end.fragments[1].size_bytes -= 1, "the file at 1000"),
            (&|end| end.fragments[1].size_bytes = u64::MAX, "the file at 1000"),
            (&|end| end.fragments[0].timecode_at_bytes += 5_000, "timecode of fragment 0"),
            (&|end| end.fragments[0].timecode_at_bytes = 0, "timecode of fragment 0"),
            (&|end| end.fragments[1].starts_ms = 0, "fragment 1 starts"),
            (&|end| end.header_bytes = 0, "fragment 0 is at 100, not at 0"),
        ] {
            let cause = refused(change);
            assert!(cause.contains(told), "{cause}");
        }
        assert!(fits(&sound, time(10_000_000_000), 1_000).unwrap_err().contains("before"));
    }

    #[test]
    fn facts_of_any_kind_are_kept_and_the_record_comes_back() {
        let record = Record {
            run: 3,
            camera: CameraId::new("top"),
            class: ClipClass::Rejected,
            started: time(1),
            ended: time(2),
            clock_is_synced: true,
            size_bytes: 7,
            sha256: Sha256::of(b"x"),
            header_bytes: 1,
            fragments: end(1_000, 2).fragments,
            parts: end(1_000, 2).parts,
            pictures: 1,
            pictures_missing: 0,
        };
        for (facts, kept) in [
            (serde_json::json!({"line": "north"}), "north"),
            (serde_json::json!(["south"]), "south"),
            (Value::Null, "outbox"),
        ] {
            let text = sidecar_text(&record, &facts);
            assert!(String::from_utf8_lossy(&text).contains(kept));
            let back = Record::of_sidecar(&text).unwrap();
            assert_eq!(
                (back.run, back.sha256, back.parts),
                (3, record.sha256, end(1_000, 2).parts)
            );
        }
        assert!(Record::of_sidecar(b"{}").is_none());
        assert!(Record::of_sidecar(b"half {").is_none());
    }
}
