//! Which pictures quantising learns from and is judged by: takes folders and indexes, gives files.
//! None is in both.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use models::index::{Index, Row};
use models::quantize::Labelled;

use super::{Args, To};

/// The labelled pictures that both bundles are judged by.
pub struct Check {
    /// The pictures.
    pub pictures: Vec<Labelled>,
    /// The index's file, as the system knows it.
    index: PathBuf,
    /// Physical parts that are in them.
    groups: HashSet<String>,
}

/// The pictures of an index, or of one split of it; `good` is what the model calls good ones.
pub fn to_check(file: &Path, split: Option<&str>, good: &str) -> Result<Check> {
    let index = Index::read(file)?.with_good(good);
    let rows = rows_of(&index, split)?;
    let labelled = |row: &&Row| Labelled { file: index.path(&row.file), bad: Some(row.is_bad()) };
    let pictures: Vec<_> = rows.iter().map(labelled).collect();
    let groups = rows.iter().map(|row| row.group.clone()).collect();
    for (bad, word) in [(true, "defective"), (false, "good")] {
        if !pictures.iter().any(|picture| picture.bad == Some(bad)) {
            bail!(
                "{}: none of the pictures is {word}; right would be: some of both",
                file.display()
            );
        }
    }
    Ok(Check { pictures, index: real(file)?, groups })
}

fn rows_of<'a>(index: &'a Index, split: Option<&str>) -> Result<Vec<&'a Row>> {
    match split {
        Some(split) => Ok(index.of_split(split)?),
        None => Ok(index.rows.iter().collect()),
    }
}

/// The pictures to learn ranges from: none that is judged by, nor another of the same part.
pub fn to_calibrate(args: &Args, check: Option<&Check>) -> Result<Vec<PathBuf>> {
    let Some(source) = &args.calibrate else {
        if args.to == To::Int8 {
            bail!("int8 needs --calibrate: a folder or an index.csv with 50 pictures or more");
        }
        return Ok(Vec::new());
    };
    let mut files = if source.is_dir() {
        files_in(source)?
    } else {
        let index = Index::read(source)?;
        let same = check.filter(|check| real(source).is_ok_and(|real| real == check.index));
        let apart = |row: &&&Row| same.is_none_or(|check| !check.groups.contains(&row.group));
        let rows = rows_of(&index, args.calibrate_split.as_deref())?;
        rows.iter().filter(apart).map(|row| index.path(&row.file)).collect()
    };
    if let Some(check) = check {
        let judged: Result<HashSet<_>> = check.pictures.iter().map(|p| real(&p.file)).collect();
        let judged = judged?;
        files.retain(|file| real(file).is_ok_and(|real| !judged.contains(&real)));
    }
    if files.is_empty() {
        bail!(
            "{}: no picture to calibrate with that is not judged by; right would be: others",
            source.display()
        );
    }
    Ok(spread(&files, args.calibrate_limit))
}

/// At most `limit` of `files`, evenly over the list.
fn spread(files: &[PathBuf], limit: usize) -> Vec<PathBuf> {
    let count = files.len().min(limit.max(1));
    (0..count).map(|index| files[index * files.len() / count].clone()).collect()
}

fn files_in(dir: &Path) -> Result<Vec<PathBuf>> {
    const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "tif", "tiff"];
    let entries = fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let files: Result<Vec<_>, _> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut files = files.map_err(|error: std::io::Error| error)?;
    files.retain(|file| {
        let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        ending.is_some_and(|ending| ENDINGS.contains(&&*ending))
    });
    files.sort();
    Ok(files)
}

fn real(file: &Path) -> Result<PathBuf> {
    file.canonicalize().with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_even() {
        let files: Vec<_> = (0..10).map(|i| PathBuf::from(i.to_string())).collect();
        let names = |limit| {
            let some = spread(&files, limit);
            some.iter().map(|file| file.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(3), ["0", "3", "6"]);
        assert_eq!(names(99).len(), 10);
    }

    #[test]
    fn a_check_needs_good_and_bad() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("index.csv");
        fs::write(&file, "file,label,split\na.png,ok,val\nb.png,dent,train\n").unwrap();
        let Err(error) = to_check(&file, Some("val"), "ok") else { panic!("expected a refusal") };
        assert!(error.to_string().contains("none of the pictures is defective"), "{error}");
        assert_eq!(to_check(&file, None, "ok").unwrap().pictures.len(), 2);
    }
}
