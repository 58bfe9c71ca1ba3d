//! Why an export was not made: takes causes, gives errors that say where and what would be right.

use std::path::PathBuf;

use thiserror::Error;

use super::Told;
use crate::{PictureError, StoreError};

/// Why there is no export. Nothing is left behind that could be taken for one.
#[derive(Debug, Error)]
pub enum ExportError {
    /// Something is there already.
    #[error("{}: is there already; give a folder that is not, or remove it", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// Another export is being written there.
    #[error("{}: another export is being written there; wait for it", path.display())]
    Busy {
        /// The unfinished folder.
        path: PathBuf,
    },
    /// What stands where the unfinished export would be is none.
    #[error(
        "{}: stands where the unfinished export would be and is none; move it away",
        path.display()
    )]
    NotOurs {
        /// What is there.
        path: PathBuf,
    },
    /// No labelled picture is left to export.
    #[error("no picture to export: {0}; label parts good or bad whose pictures are kept")]
    Nothing(Box<Told>),
    /// A picture's samples can't be shown in colour.
    #[error(
        "{}: its samples do not make a picture; `sightline export` needs it whole", path.display()
    )]
    NotShown {
        /// The picture's file.
        path: PathBuf,
    },
    /// What was written does not say what it should.
    #[error(
        "{}: read back, it has {found} {what}, and {wanted} were written; the disk or this \
         software is at fault: no export was made", path.display()
    )]
    Miscounted {
        /// The unfinished folder.
        path: PathBuf,
        /// Of what.
        what: String,
        /// How many there should be.
        wanted: u64,
        /// How many there are.
        found: u64,
    },
    /// What was written can't be read back.
    #[error("{}: can't be read back: {problem}; no export was made", path.display())]
    NotReadBack {
        /// The unfinished folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A picture of the store can't be read.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The store can't be read, or a file can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}
