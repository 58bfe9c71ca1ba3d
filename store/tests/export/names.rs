//! What a folder holds: takes its path, gives the names in it, sorted. Tests in `src` look by it
//! too.

use std::fs;
use std::path::Path;

pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
