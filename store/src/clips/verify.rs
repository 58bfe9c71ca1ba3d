//! Whether rows and files of clips agree: takes a store's folder, gives each gap and what a repair
//! does about it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::WallTime;
use serde::Serialize;

use super::file::{self, UNFINISHED};
use super::recover::hash_of;
use super::{Clip, ClipId, ClipState, Clips, rows, state};
use crate::files::{self, CLIPS};
use crate::{Reader, StoreError};

/// All clips of a store, compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClipReport {
    /// Clips whose files should be there.
    pub clips: u64,
    /// Their files together, as their rows say.
    pub bytes: u64,
    /// Clips whose files were removed to make room.
    pub gone: u64,
    /// Where rows, files, hashes and fragments don't agree.
    pub gaps: Vec<ClipGap>,
}

/// One thing that does not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClipGap {
    /// The clip, when a row knows it.
    pub clip: Option<ClipId>,
    /// The file, relative to the store.
    pub file: String,
    /// What is wrong.
    pub fault: ClipFault,
    /// The same with its numbers.
    pub detail: String,
}

/// What can be wrong with a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClipFault {
    /// The row's file is not there.
    FileMissing,
    /// The row's file is not the bytes that were accepted, or can't be read.
    FileDiffers,
    /// The facts beside the file are not there.
    FactsMissing,
    /// The fragments' rows don't fit the file, or the clip's state not theirs.
    RowsDiffer,
    /// A clip without a row.
    NoRow,
    /// What a clip left behind that was removed.
    Remains,
    /// A clip that is being written, or that a kill left half written.
    HalfWritten,
}

impl ClipFault {
    /// What [`Clips::repair`] does about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::FileMissing => {
                "marks the clip as gone, quarantines it unless it is persisted, removes its facts"
            }
            Self::FileDiffers => {
                "quarantines the clip, so that it is not sent; removes the file if it is persisted"
            }
            Self::FactsMissing => "nothing: they can't be made again; the clip itself is whole",
            Self::RowsDiffer => "takes the clip's state from its fragments",
            Self::NoRow => "takes the clip in when its facts fit it, else leaves it",
            Self::Remains | Self::HalfWritten => "removes the file",
        }
    }

    /// Whether it is as it should be while a line writes the store.
    #[must_use]
    pub const fn may_be_passing(self) -> bool {
        matches!(self, Self::HalfWritten)
    }
}

/// Compares all clips of the store in `folder`: every row with its files and fragments, every file
/// with its row. Reads every clip; changes nothing.
///
/// # Errors
/// When the store can't be opened or listed. What is wrong with its content is in the report.
pub fn verify_clips(folder: &Path) -> Result<ClipReport, StoreError> {
    let reader = Reader::open(folder)?;
    // Files first: what is accepted meanwhile then has a row when the rows are read.
    let found = files::files_under(folder, CLIPS)?;
    let which = "ORDER BY started_wall_ns, id";
    let clips = reader.read(|db| rows::clips(db, folder, which, []))?;
    let mut report = ClipReport::default();
    for clip in &clips {
        if clip.gone_at.is_some() {
            report.gone += 1;
            continue;
        }
        report.clips += 1;
        report.bytes += clip.size_bytes;
        compare(&reader, folder, clip, &mut report.gaps)?;
    }
    for file in found {
        report.gaps.extend(stray(&reader, folder, &file)?);
    }
    Ok(report)
}

fn compare(
    reader: &Reader,
    folder: &Path,
    clip: &Clip,
    gaps: &mut Vec<ClipGap>,
) -> Result<(), StoreError> {
    let file = relative(folder, &clip.path);
    let mut gap = |file: &str, fault, detail| {
        gaps.push(ClipGap { clip: Some(clip.id), file: file.to_owned(), fault, detail });
    };
    match hash_of(&clip.path) {
        Ok((sha256, size)) if (sha256, size) == (clip.sha256, clip.size_bytes) => {
            let facts = file::sidecar_of(&clip.path);
            if !facts.is_file() {
                gap(&relative(folder, &facts), ClipFault::FactsMissing, "not there".to_owned());
            }
        }
        Ok((_, size)) if size != clip.size_bytes => {
            let detail = format!("{size} bytes, accepted with {}", clip.size_bytes);
            gap(&file, ClipFault::FileDiffers, detail);
        }
        Ok((sha256, _)) => {
            let detail = format!("hash {}, accepted with {}", sha256.short(), clip.sha256.short());
            gap(&file, ClipFault::FileDiffers, detail);
        }
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            // It may have gone since its row was read.
            if reader.read(|db| rows::at_path(db, &file))? == Some(None) {
                gap(&file, ClipFault::FileMissing, format!("{} and not there", clip.state.name()));
            }
        }
        Err(error) => gap(&file, ClipFault::FileDiffers, error.to_string()),
    }
    let fragments = clip.fragments.iter().map(|row| &row.fragment);
    if let Err(detail) = file::fragments_fit(clip.header_bytes, fragments, clip.size_bytes) {
        gap(&file, ClipFault::RowsDiffer, detail);
    }
    if state_of(clip) != clip.state {
        let (is, should) = (clip.state.name(), state_of(clip).name());
        gap(&file, ClipFault::RowsDiffer, format!("state {is}, but its fragments are {should}"));
    }
    Ok(())
}

/// What follows from the fragments.
fn state_of(clip: &Clip) -> ClipState {
    let states = || clip.fragments.iter().map(|row| row.state);
    if states().any(|state| state == ClipState::Quarantined) {
        return ClipState::Quarantined;
    }
    states().min().unwrap_or(clip.state)
}

/// What a file without a clip is; `None` for the files of clips.
fn stray(reader: &Reader, folder: &Path, file: &Path) -> Result<Option<ClipGap>, StoreError> {
    let clip = relative(folder, &file.with_extension("mkv"));
    let row = reader.read(|db| rows::at_path(db, &clip))?;
    let (fault, detail) = if file.extension().is_some_and(|ending| ending == UNFINISHED) {
        (ClipFault::HalfWritten, "being written, or left by a kill")
    } else {
        match row {
            Some(None) => return Ok(None),
            Some(Some(_)) => (ClipFault::Remains, "its clip was removed"),
            None => (ClipFault::NoRow, "no clip has it"),
        }
    };
    let file = relative(folder, file);
    Ok(Some(ClipGap { clip: None, file, fault, detail: detail.to_owned() }))
}

fn relative(folder: &Path, file: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).to_string_lossy().into_owned()
}

impl Clips {
    /// Does about each gap what [`ClipFault::remedy`] says, and gives the gaps it found.
    ///
    /// # Errors
    /// When the disk refuses; what was repaired before is.
    pub fn repair(&mut self, now: WallTime) -> Result<Vec<ClipGap>, StoreError> {
        let gaps = verify_clips(&self.folder)?.gaps;
        for gap in &gaps {
            match (gap.clip, gap.fault) {
                (Some(id), ClipFault::FileMissing | ClipFault::FileDiffers) => {
                    let is_persisted = self.out_of_the_way(id, &gap.detail)?;
                    if is_persisted || gap.fault == ClipFault::FileMissing {
                        self.set_gone(id, now)?;
                        self.remove_files(&gap.file)?;
                    }
                }
                (Some(id), ClipFault::RowsDiffer) => {
                    self.write("take a clip's state from its fragments", true, |db| {
                        rows::settle(db, id)
                    })?;
                }
                (_, ClipFault::NoRow | ClipFault::Remains | ClipFault::HalfWritten) => {
                    let file: PathBuf = self.folder.join(&gap.file);
                    if fs::symlink_metadata(&file).is_ok() {
                        self.recover_file(&file)?;
                    }
                }
                _ => {}
            }
        }
        Ok(gaps)
    }

    fn set_gone(&mut self, id: ClipId, now: WallTime) -> Result<(), StoreError> {
        self.write("mark a clip as gone", true, |db| rows::set_gone(db, id, Some(now)))
    }

    /// Sees to it that a clip is not sent. Gives whether it is persisted.
    fn out_of_the_way(&mut self, id: ClipId, why: &str) -> Result<bool, StoreError> {
        if self.clip(id)?.state == ClipState::Persisted {
            return Ok(true);
        }
        self.write("quarantine a clip", true, |db| state::quarantine(db, id, why))?;
        Ok(false)
    }
}
