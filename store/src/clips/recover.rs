//! After a kill: takes the folder of clips as it was left, gives one that agrees with its rows.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use domain::Sha256;
use sha2::Digest;

use super::file::{Record, UNFINISHED, sidecar_of};
use super::step::reached;
use super::{Clips, rows, sql, state};
use crate::StoreError;
use crate::files::{self, CLIPS};

impl Clips {
    /// Removes what a kill left half written, takes in what it left whole, and puts back to
    /// `queued` what was on a connection. Call it once when the process starts. Gives how many
    /// clips were put back.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn recover(&mut self) -> Result<u64, StoreError> {
        for file in files::files_under(&self.folder, CLIPS)? {
            self.recover_file(&file)?;
            reached("recover: a file seen");
        }
        self.write("queue clips again", true, |db| {
            state::again(db, None, "the process ended before the last ack")
        })
    }

    /// Only what this crate names so is touched.
    fn recover_file(&mut self, file: &Path) -> Result<(), StoreError> {
        let Ok(relative) = file.strip_prefix(&self.folder) else { return Ok(()) };
        let relative = relative.to_string_lossy().into_owned();
        match file.extension().and_then(|ending| ending.to_str()) {
            Some(UNFINISHED) => remove(file),
            Some("mkv") => match self.at_path(&relative)? {
                Some(Some(_gone)) => self.remove_files(&relative),
                Some(None) => Ok(()),
                None => self.take_in(file, &relative),
            },
            Some("json") => {
                let clip = file.with_extension("mkv");
                let of_clip = Path::new(&relative).with_extension("mkv");
                let has_row = matches!(self.at_path(&of_clip.to_string_lossy())?, Some(None));
                let is_ours = || Record::of_sidecar(&fs::read(file).unwrap_or_default()).is_some();
                if has_row || clip.exists() || !is_ours() { Ok(()) } else { remove(file) }
            }
            _ => Ok(()),
        }
    }

    /// A whole clip whose row was not committed gets it now, when its sidecar says what it is and
    /// its bytes are those. Anything else is left where it is: a person may want it.
    fn take_in(&mut self, file: &Path, relative: &str) -> Result<(), StoreError> {
        let sidecar = fs::read(sidecar_of(file)).unwrap_or_default();
        let record = Record::of_sidecar(&sidecar);
        let Some(record) = record.filter(|record| self.is_of(record, file)) else {
            let file = file.display();
            tracing::warn!(target: "store", %file, "clip without a row; its facts do not fit it");
            return Ok(());
        };
        self.write("take in a clip", true, |db| {
            rows::insert(db, &record, relative, sidecar.len() as u64)
        })?;
        tracing::info!(target: "store", file = %file.display(), "clip without a row taken in");
        Ok(())
    }

    fn is_of(&self, record: &Record, file: &Path) -> bool {
        let found = hash_of(file).ok() == Some((record.sha256, record.size_bytes));
        found && rows::has_run(&self.db, record.run).unwrap_or(false)
    }

    fn at_path(&self, relative: &str) -> Result<Option<Option<i64>>, StoreError> {
        rows::at_path(&self.db, relative)
            .map_err(|error| sql(&self.folder, "look up a clip", error))
    }
}

/// Hash and size of a file, read piece by piece.
pub(super) fn hash_of(path: &Path) -> Result<(Sha256, u64), StoreError> {
    let mut hash = sha2::Sha256::new();
    let read = File::open(path).and_then(|mut file| io::copy(&mut file, &mut HashedBy(&mut hash)));
    let size_bytes = read.map_err(|error| StoreError::io(path, "read a clip", error))?;
    let digest: [u8; 32] = hash.finalize().into();
    Ok((digest.into(), size_bytes))
}

struct HashedBy<'a>(&'a mut sha2::Sha256);

impl io::Write for HashedBy<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn remove(file: &Path) -> Result<(), StoreError> {
    fs::remove_file(file).map_err(|error| StoreError::io(file, "remove half a clip", error))
}
