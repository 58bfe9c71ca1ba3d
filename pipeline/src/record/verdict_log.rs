//! `inspections.jsonl`: one line of JSON a part, in the order in which the gate was told.
//!
//! Holds no timings, so two replays of the same footage write the same bytes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use domain::ActedInspection;

use super::RecordError;

/// Writes the log.
pub struct VerdictLog {
    path: PathBuf,
    out: BufWriter<File>,
}

impl VerdictLog {
    /// Starts a new log at `path`.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create(path: &Path) -> Result<Self, RecordError> {
        let file = File::create(path).map_err(|source| RecordError::log(path, source))?;
        Ok(Self { path: path.to_owned(), out: BufWriter::new(file) })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn add(&mut self, acted: &ActedInspection) -> Result<(), RecordError> {
        serde_json::to_writer(&mut self.out, acted)
            .map_err(std::io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(|source| RecordError::log(&self.path, source))
    }

    /// Hands all lines to the system, so that they outlast this process.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn flush(&mut self) -> Result<(), RecordError> {
        self.out.flush().map_err(|source| RecordError::log(&self.path, source))
    }
}
