//! The shape of the database: takes a file of any age, gives one of today's shape or says why not.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::StoreError;

/// Today's shape.
const SCHEMA: &str = include_str!("schema.sql");

/// How older databases come to it; step `n` of the list makes version `n + 1`.
const STEPS: [Step; 6] = [
    Step { name: "0001_initial", sql: include_str!("steps/0001_initial.sql") },
    Step {
        name: "0002_late_inspections_and_events",
        sql: include_str!("steps/0002_late_inspections_and_events.sql"),
    },
    Step {
        name: "0003_verdicts_on_their_way",
        sql: include_str!("steps/0003_verdicts_on_their_way.sql"),
    },
    Step { name: "0004_clips", sql: include_str!("steps/0004_clips.sql") },
    Step { name: "0005_labels", sql: include_str!("steps/0005_labels.sql") },
    Step { name: "0006_millimetres", sql: include_str!("steps/0006_millimetres.sql") },
];

/// Version of [`SCHEMA`].
#[expect(clippy::cast_possible_truncation, reason = "a handful of steps")]
const LATEST: u32 = STEPS.len() as u32;

/// How long to wait for another connection; ours hold the database for milliseconds.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// One step from a schema version to the next.
#[derive(Clone, Copy)]
struct Step {
    name: &'static str,
    sql: &'static str,
}

/// What a file was found to be.
enum Found {
    Empty,
    Version(u32),
}

/// Opens the database at `path` for writing; makes it when it is not there, brings it up when it
/// is old.
pub(crate) fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = open(path, flags)?;
    // Nothing is changed before it is clear whose database this is.
    let found = what_it_is(&db, path)?;
    let doing = "set up the database";
    // NORMAL: a power cut may take the last commits, never the database's integrity.
    db.pragma_update(None, "journal_mode", "wal")
        .and_then(|()| db.pragma_update(None, "synchronous", "normal"))
        .map_err(|error| StoreError::sql(path, doing, error))?;
    match found {
        Found::Empty => create(&mut db).map_err(|error| StoreError::sql(path, doing, error))?,
        Found::Version(found) => bring_up(&mut db, path, found, &STEPS)?,
    }
    Ok(db)
}

/// Opens the database at `path` for reading only.
pub(crate) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    if !path.is_file() {
        return Err(StoreError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = open(path, flags)?;
    match what_it_is(&db, path)? {
        Found::Version(LATEST) => Ok(db),
        Found::Version(found) => {
            Err(StoreError::Older { path: path.to_owned(), found, known: LATEST })
        }
        Found::Empty => Err(StoreError::Missing { path: path.to_owned() }),
    }
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let opened = Connection::open_with_flags(path, flags).and_then(|db| {
        db.busy_timeout(BUSY_WAIT)?;
        db.pragma_update(None, "foreign_keys", true)?;
        Ok(db)
    });
    opened.map_err(|error| StoreError::sql(path, "open the database", error))
}

fn what_it_is(db: &Connection, path: &Path) -> Result<Found, StoreError> {
    let tables = number(db, "SELECT count(*) FROM sqlite_master", path)?;
    if tables == 0 {
        return Ok(Found::Empty);
    }
    let ours = "SELECT (SELECT application_id FROM pragma_application_id) = 1397510996
                AND (SELECT count(*) FROM sqlite_master WHERE name = 'version') = 1";
    if number(db, ours, path)? == 0 {
        return Err(StoreError::NotAStore { path: path.to_owned() });
    }
    let found = number(db, "SELECT ifnull(max(number), 0) FROM version", path)?;
    if found > LATEST {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: LATEST });
    }
    Ok(Found::Version(found))
}

fn number(db: &Connection, sql: &str, path: &Path) -> Result<u32, StoreError> {
    db.query_row(sql, [], |row| row.get(0))
        .map_err(|error| StoreError::sql(path, "read the database", error))
}

fn create(db: &mut Connection) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    log_version(&transaction, LATEST, "schema.sql")?;
    transaction.commit()
}

/// Takes the steps after version `from`, each in a transaction of its own, so that a failed one
/// leaves the version before it whole.
fn bring_up(db: &mut Connection, path: &Path, from: u32, steps: &[Step]) -> Result<(), StoreError> {
    for (version, step) in (1_u32..).zip(steps).skip_while(|(version, _)| *version <= from) {
        take_step(db, version, step)
            .map_err(|error| StoreError::sql(path, "bring the database up to date", error))?;
        tracing::info!(target: "store", version, step = step.name, "database brought up");
    }
    Ok(())
}

fn take_step(db: &mut Connection, version: u32, step: &Step) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step.sql)?;
    log_version(&transaction, version, step.name)?;
    transaction.commit()
}

fn log_version(transaction: &Transaction<'_>, version: u32, step: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO version (number, step, software) VALUES (?1, ?2, ?3)";
    transaction.execute(sql, (version, step, env!("CARGO_PKG_VERSION"))).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that makes up a database's shape, one line each.
    fn shape(db: &Connection) -> Vec<String> {
        let mut lines = texts(
            db,
            "SELECT type || ' ' || name || ' ' || ifnull(sql, '') FROM sqlite_master ORDER BY 1",
        );
        lines.iter_mut().for_each(|sql| *sql = without_comments_and_spaces(sql));
        for table in texts(db, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1") {
            for (what, columns) in [
                ("table_info", "name, type, \"notnull\", dflt_value, pk"),
                ("foreign_key_list", "\"table\", \"from\", \"to\", on_delete, seq, 0"),
                ("index_list", "name, \"unique\", origin, partial, 0"),
            ] {
                let sql = format!("SELECT json_array({columns}) FROM pragma_{what}('{table}')");
                lines
                    .extend(texts(db, &sql).into_iter().map(|row| format!("{table} {what} {row}")));
            }
        }
        lines.push(
            texts(db, "SELECT format('%d', application_id) FROM pragma_application_id")[0].clone(),
        );
        lines
    }

    fn texts(db: &Connection, sql: &str) -> Vec<String> {
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn without_comments_and_spaces(sql: &str) -> String {
        let code = sql.lines().map(|line| line.split("--").next().unwrap_or(""));
        code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
    }

    fn at_version(path: &Path, steps: &[Step]) -> Connection {
        let mut db = Connection::open(path).unwrap();
        bring_up(&mut db, path, 0, steps).unwrap();
        db
    }

    #[test]
    fn an_upgraded_database_has_the_shape_of_a_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let new = open_for_writing(&dir.path().join("new.db")).unwrap();
        for version in 1..=STEPS.len() {
            let path = dir.path().join(format!("{version}.db"));
            drop(at_version(&path, &STEPS[..version]));
            let upgraded = open_for_writing(&path).unwrap();
            assert_eq!(shape(&upgraded), shape(&new), "from version {version}");
            let steps = texts(&upgraded, "SELECT step FROM version ORDER BY number");
            assert_eq!(steps, STEPS.map(|step| step.name));
        }
    }

    #[test]
    fn the_comparison_sees_a_changed_column() {
        let dir = tempfile::tempdir().unwrap();
        let new = open_for_writing(&dir.path().join("new.db")).unwrap();
        let other = open_for_writing(&dir.path().join("other.db")).unwrap();
        other.execute_batch("ALTER TABLE run ADD COLUMN weather TEXT").unwrap();
        assert_ne!(shape(&other), shape(&new));
    }

    #[test]
    fn a_failing_step_leaves_the_version_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut db = at_version(&path, &STEPS[..1]);
        let before = shape(&db);
        let broken = Step { name: "broken", sql: "CREATE TABLE half (a); CREATE TABEL whole (a);" };
        bring_up(&mut db, &path, 1, &[STEPS[0], broken]).unwrap_err();
        assert_eq!(shape(&db), before);
        drop(db);
        open_for_writing(&path).unwrap();
    }

    #[test]
    fn data_survive_an_upgrade() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let db = at_version(&path, &STEPS[..1]);
        db.execute("INSERT INTO run (id, started_wall_ns, source) VALUES (7, 1, 'belt')", [])
            .unwrap();
        drop(db);
        let db = open_for_writing(&path).unwrap();
        assert_eq!(texts(&db, "SELECT source FROM run WHERE id = 7"), ["belt"]);
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let text = dir.path().join("text.db");
        std::fs::write(&text, "These are my notes, not a database. ".repeat(100)).unwrap();
        let before = std::fs::read(&text).unwrap();
        assert!(matches!(open_for_writing(&text), Err(StoreError::NotADatabase { .. })));
        assert_eq!(std::fs::read(&text).unwrap(), before);

        let foreign = dir.path().join("foreign.db");
        Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE songs (a)").unwrap();
        let before = std::fs::read(&foreign).unwrap();
        assert!(matches!(open_for_writing(&foreign), Err(StoreError::NotAStore { .. })));
        assert_eq!(std::fs::read(&foreign).unwrap(), before);
    }

    #[test]
    fn newer_and_older_databases_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let newer = dir.path().join("newer.db");
        let db = open_for_writing(&newer).unwrap();
        db.execute("INSERT INTO version VALUES (99, 'future', '9')", []).unwrap();
        drop(db);
        for result in [open_for_writing(&newer), open_for_reading(&newer)] {
            assert!(matches!(result, Err(StoreError::Newer { found: 99, known: LATEST, .. })));
        }
        let older = dir.path().join("older.db");
        drop(at_version(&older, &STEPS[..1]));
        assert!(matches!(open_for_reading(&older), Err(StoreError::Older { found: 1, .. })));
    }

    #[test]
    fn every_table_and_column_is_explained() {
        let mut explained = false;
        for line in SCHEMA.lines().map(str::trim) {
            let kind = line.split(' ').nth(1).unwrap_or("").trim_end_matches(',');
            let declares =
                line.starts_with("CREATE") || ["INTEGER", "TEXT", "REAL", "BLOB"].contains(&kind);
            assert!(!declares || explained, "no sentence before: {line}");
            explained = line.starts_with("--");
        }
    }
}
