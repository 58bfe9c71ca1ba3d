//! Labels back in: takes a dataset in one of the field's formats, gives its marks to the store's
//! parts that it shows.
//!
//! A picture is known by its hash, else by the name that an export gave it. What does not match is
//! told; nothing is guessed.

pub(crate) mod coco;
mod dataset;
mod matching;
mod names_yaml;
pub(crate) mod voc;
mod xml;
pub(crate) mod yolo;

use std::path::Path;

use domain::{PersonId, Role, SizePx, WallTime};
use serde::Serialize;
use thiserror::Error;

pub use dataset::{Dataset, LabelledPicture};
pub use matching::{Unmatched, Why};

use crate::export::{Format, Manifest};
use crate::{LabelRow, Labels, NewLabel, Reader, StoreError};
use matching::{Found, Matcher};

/// Labels that are written at a time: each such batch is on disk as a whole or not at all.
const BATCH: usize = 500;

/// Why nothing was imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The dataset can't be read.
    #[error("{0}; right would be: a dataset in the format that --format names")]
    Unreadable(String),
    /// The format holds too little to be read back.
    #[error("{} can't be imported; coco, yolo, yolo-segment and voc can", .0.name())]
    NotRead(Format),
    /// The store can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How to import.
#[derive(Clone, Debug)]
pub struct ImportOptions<'a> {
    /// How the dataset is laid out.
    pub format: Format,
    /// Who says what it says.
    pub by: &'a PersonId,
    /// What they are.
    pub role: Role,
    /// When this is.
    pub at: WallTime,
    /// Whether a picture without marks, of which no manifest says that it is good, is.
    pub empty_is_good: bool,
    /// Whether a name is enough where the picture is another than the store's: a tool has written
    /// it anew.
    pub trust_names: bool,
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Pictures in the dataset.
    pub pictures: u64,
    /// Labels that were written.
    pub written: u64,
    /// Parts of which the same person had said the same already.
    pub unchanged: u64,
    /// Of what was written, good parts.
    pub good: u64,
    /// Of what was written, bad parts.
    pub bad: u64,
    /// Pictures that gave no label, each with why.
    pub unmatched: Vec<Unmatched>,
    /// What was read otherwise than it stands there.
    pub told: Vec<String>,
}

/// Reads a dataset. `size` gives the size of a picture by its name, for formats that do not say and
/// pictures that are not there.
///
/// # Errors
/// When it can't be read, or is not in that format.
pub fn read(
    dataset: &Path,
    format: Format,
    size: &dyn Fn(&str) -> Option<SizePx>,
) -> Result<Dataset, ImportError> {
    let read = match format {
        Format::Coco => coco::read(dataset),
        Format::Yolo | Format::YoloSegment => yolo::read(dataset, size),
        Format::Voc => voc::read(dataset),
        other => return Err(ImportError::NotRead(other)),
    };
    read.map_err(ImportError::Unreadable)
}

/// Imports the dataset in the folder `dataset` into the store that `reader` reads and `labels`
/// writes. `progress` hears how many parts of how many are done.
///
/// # Errors
/// When the dataset can't be read, or the store can't be read or written. The batches that were
/// written before are there; an import that is done again writes the rest.
pub fn import(
    reader: &Reader,
    labels: &mut Labels,
    dataset: &Path,
    options: &ImportOptions<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Imported, ImportError> {
    let manifest = Manifest::read(dataset).map_err(ImportError::Unreadable)?;
    let matcher = Matcher::new(reader, manifest, options)?;
    let read = read(dataset, options.format, &|name| matcher.size(name))?;
    let mut done = Imported {
        pictures: read.pictures.len() as u64,
        told: read.told.clone(),
        ..Imported::default()
    };
    let Found { labels: found, unmatched } = matcher.labels(&read.pictures)?;
    done.unmatched = unmatched;
    let mut number = 0;
    for some in found.chunks(BATCH) {
        let mut said = Vec::with_capacity(some.len());
        for (key, label) in some {
            let known = reader.labels(*key)?;
            let is_last = |row: &&LabelRow| row.holds && !row.is_second && row.by == *options.by;
            if known.iter().find(is_last).is_none_or(|row| row.label != *label) {
                let (by, role, is_second) = (options.by, options.role, false);
                said.push(NewLabel { key: *key, at: options.at, by, role, label, is_second });
            }
        }
        labels.add_all(&said)?;
        let is_bad = |new: &&NewLabel<'_>| new.label.judgement == domain::Judgement::Bad;
        let (written, bad) = (said.len() as u64, said.iter().filter(is_bad).count() as u64);
        (done.written, done.bad) = (done.written + written, done.bad + bad);
        done.good += written - bad;
        done.unchanged += some.len() as u64 - written;
        number += some.len() as u64;
        progress(number, found.len() as u64);
    }
    Ok(done)
}
