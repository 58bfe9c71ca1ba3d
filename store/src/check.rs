//! Whether rows and files agree: takes a store's folder, gives everything that does not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domain::{PartId, Sha256};

use crate::files::{IMAGES, files_under};
use crate::reader::Reader;
use crate::rows::read;
use crate::{ImageRow, RunId, StoreError};

/// What was checked and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Parts that have a row.
    pub parts: u64,
    /// Image rows.
    pub images: u64,
    /// Rows whose file is not there.
    pub missing: Vec<String>,
    /// Rows whose file is not the one that was written, or cannot be read.
    pub altered: Vec<String>,
    /// Files under `images/` without a row: left behind by a kill, or being written just now.
    pub orphans: Vec<PathBuf>,
    /// Part numbers without a row, below one that has.
    pub gaps: Vec<Gap>,
    /// Recipes that parts were judged by and that were not kept.
    pub recipes_missing: Vec<Sha256>,
    /// What SQLite finds wrong with the database itself: its pages, its indices, rows that refer to
    /// rows that are not there.
    pub database: Vec<String>,
}

/// Parts of a run that were numbered but have no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The run.
    pub run: RunId,
    /// The first of them.
    pub first: PartId,
    /// The last of them.
    pub last: PartId,
}

impl CheckReport {
    /// Whether all is as it should be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let nothing = Self { parts: self.parts, images: self.images, ..Self::default() };
        *self == nothing
    }
}

/// Checks the store in `folder`: every row against its file, every file against its row, the
/// numbers of parts for gaps, and the database against itself. Reads every image; changes nothing.
///
/// # Errors
/// When the store cannot be opened or listed. What is wrong with its content is in the report.
pub fn check(folder: &Path) -> Result<CheckReport, StoreError> {
    let reader = Reader::open(folder)?;
    // Files first: what is flushed meanwhile then has a row when the rows are read.
    let files = files_under(folder, IMAGES)?;
    let rows = reader.list("SELECT * FROM image ORDER BY path", [], read::image)?;
    let mut report = CheckReport {
        parts: reader.counts(None)?.total(),
        images: rows.len() as u64,
        gaps: gaps(&reader)?,
        recipes_missing: recipes_missing(&reader)?,
        database: database(&reader)?,
        ..CheckReport::default()
    };
    let known: BTreeSet<PathBuf> = rows.iter().filter_map(|row| reader.image_file(row)).collect();
    report.orphans = files.into_iter().filter(|file| !known.contains(file)).collect();
    for row in rows {
        compare(&reader, row, &mut report);
    }
    Ok(report)
}

fn compare(reader: &Reader, row: ImageRow, report: &mut CheckReport) {
    let Some(file) = reader.image_file(&row) else {
        report.altered.push(format!("{}: leaves the store's folder", row.path));
        return;
    };
    match fs::read(&file) {
        Ok(bytes) if Sha256::of(&bytes) == row.sha256 => {}
        Ok(_) => report.altered.push(format!("{}: not the bytes that were written", row.path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => report.missing.push(row.path),
        Err(error) => report.altered.push(format!("{}: {error}", row.path)),
    }
}

fn gaps(reader: &Reader) -> Result<Vec<Gap>, StoreError> {
    let sql = "SELECT run_id, before + 1, number - 1 FROM (
        SELECT run_id, number,
            lag(number, 1, 0) OVER (PARTITION BY run_id ORDER BY number) AS before FROM part)
        WHERE number > before + 1 ORDER BY run_id, number";
    let part = |number: i64| PartId(number.unsigned_abs());
    reader.list(sql, [], |row| {
        Ok(Gap { run: RunId(row.get(0)?), first: part(row.get(1)?), last: part(row.get(2)?) })
    })
}

fn recipes_missing(reader: &Reader) -> Result<Vec<Sha256>, StoreError> {
    let sql = "SELECT DISTINCT recipe_sha256 FROM provenance
        WHERE recipe_sha256 NOT IN (SELECT sha256 FROM recipe) ORDER BY 1";
    let hashes = reader.list(sql, [], |row| row.get::<_, String>(0))?;
    Ok(hashes.iter().filter_map(|hex| Sha256::from_hex(hex)).collect())
}

fn database(reader: &Reader) -> Result<Vec<String>, StoreError> {
    let mut found = reader.list("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))?;
    found.retain(|line| line != "ok");
    let unheld = reader.list("PRAGMA foreign_key_check", [], |row| {
        Ok(format!(
            "table {} refers to a row of {} that is not there",
            row.get::<_, String>(0)?,
            row.get::<_, String>(2)?
        ))
    })?;
    // One line a kind, not one a row.
    let mut counted = BTreeMap::<String, u64>::new();
    for line in unheld {
        *counted.entry(line).or_default() += 1;
    }
    found.extend(counted.into_iter().map(|(line, count)| format!("{line} ({count} rows)")));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::DATABASE;
    use crate::{Store, example};
    use rusqlite::Connection;
    use tempfile::TempDir;

    /// A store with three rejected parts, nine images and the recipe.
    fn store() -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(dir.path()).unwrap();
        let mut writer = store.start_run(&example::START).unwrap();
        writer.keep_recipe(&example::recipe()).unwrap();
        for number in 1..=3 {
            let outcome = example::outcome(number, example::reject());
            writer.record(&outcome, &mut |_| false).unwrap();
        }
        writer.flush().unwrap();
        dir
    }

    fn sql(dir: &TempDir, sql: &str) {
        Connection::open(dir.path().join(DATABASE)).unwrap().execute_batch(sql).unwrap();
    }

    #[test]
    fn a_sound_store_is_clean() {
        let report = check(store().path()).unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!((report.parts, report.images), (3, 9));
    }

    #[test]
    fn what_was_removed_changed_or_added_is_found() {
        let dir = store();
        let images = dir.path().join("images/000001");
        fs::remove_file(images.join("000001_0_top.png")).unwrap();
        let changed = images.join("000002_0_top.png");
        let mut bytes = fs::read(&changed).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&changed, bytes).unwrap();
        fs::write(images.join("000009_0_top.png.part"), "half").unwrap();
        fs::write(dir.path().join("images/notes.txt"), "mine").unwrap();
        let report = check(dir.path()).unwrap();
        assert_eq!(report.missing, ["images/000001/000001_0_top.png"]);
        assert_eq!(
            report.altered,
            ["images/000001/000002_0_top.png: not the bytes that were written"]
        );
        let orphans = [images.join("000009_0_top.png.part"), dir.path().join("images/notes.txt")];
        assert_eq!(report.orphans, orphans);
        assert!(!report.is_clean());
    }

    #[test]
    fn gaps_in_the_numbers_and_missing_recipes_are_found() {
        let dir = store();
        sql(
            &dir,
            "PRAGMA foreign_keys = ON; DELETE FROM part WHERE number < 3; DELETE FROM recipe;",
        );
        let report = check(dir.path()).unwrap();
        let gap = Gap { run: RunId(1), first: PartId(1), last: PartId(2) };
        assert_eq!(report.gaps, [gap]);
        assert_eq!(report.recipes_missing, [example::recipe().hash()]);
        assert_eq!(report.orphans.len(), 6);
    }

    #[test]
    fn rows_that_hang_in_the_air_and_paths_that_leave_are_found() {
        let dir = store();
        sql(
            &dir,
            "PRAGMA foreign_keys = OFF; DELETE FROM part WHERE number = 3;
            PRAGMA ignore_check_constraints = ON;
            UPDATE image SET path = '../../etc/passwd' WHERE part_number = 1 AND kind = 'heatmap';",
        );
        let report = check(dir.path()).unwrap();
        assert_eq!(report.altered, ["../../etc/passwd: leaves the store's folder"]);
        let hanging = "table view refers to a row of part that is not there (2 rows)";
        assert!(report.database.iter().any(|line| line == hanging), "{:?}", report.database);
    }

    #[test]
    fn a_folder_without_a_store_is_said_so() {
        let dir = tempfile::tempdir().unwrap();
        let error = check(dir.path()).unwrap_err();
        assert!(matches!(error, StoreError::Missing { .. }), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
