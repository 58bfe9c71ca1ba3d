//! Writes a file so that whoever reads it finds all of it, of before or of now, whatever happens
//! meanwhile. Takes bytes.

use std::fs::{self, File};
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path`: beside it first, to the disk, then in its place.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = beside(path);
    let written = write_synced(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is half written is of no use to anybody; that it could not be written is told.
        let _ = fs::remove_file(&beside);
    }
    written?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("latency.json");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        // A folder in the way of the new file.
        fs::create_dir(dir.path().join("latency.json.part")).unwrap();
        write(&path, b"three").unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn a_full_disk_is_an_error_and_nothing_else() {
        assert!(write(Path::new("/dev/full/latency.json"), b"x").is_err());
        assert!(write_synced(Path::new("/dev/full"), b"x").is_err());
    }
}
