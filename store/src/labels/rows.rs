//! The rows of labels: takes what is said, gives labels; the one place that knows their columns.
//! What the columns mean is said in `schema.sql`.

use domain::{Label, PartId, PartKey, PersonId, Role, Sha256, WallTime};
use rusqlite::{Connection, OptionalExtension, Result, Row};

use super::{LabelRow, NewLabel};
use crate::rows::int;
use crate::rows::read::{count, json, place, text, unfit};
use crate::words;

/// Hash of what stands in `label_json`.
pub(super) fn hash_of(label: &Label) -> String {
    Sha256::of(words::json(label).as_bytes()).to_string()
}

/// How many views a part has; `None` when there is no such part.
pub(super) fn views_of(db: &Connection, key: PartKey) -> Result<Option<usize>> {
    let sql = "SELECT (SELECT count(*) FROM view WHERE run_id = ?1 AND part_number = ?2) AS views
        FROM part WHERE run_id = ?1 AND number = ?2";
    let of = (key.run, int(key.part.0));
    db.prepare_cached(sql)?.query_row(of, |row| place(row, "views")).optional()
}

/// The clips that show a labelled part are kept longest.
const RAISE_CLIPS: &str = "UPDATE clip SET class = 'labelled' WHERE run_id = ?1
    AND class <> 'labelled' AND id IN (SELECT clip_id FROM clip_part WHERE part_number = ?2)";

/// Writes a label; what the person said of the part before holds no longer.
pub(super) fn insert(db: &Connection, new: &NewLabel<'_>) -> Result<LabelRow> {
    let (run, part, person) = (new.key.run, int(new.key.part.0), new.by.as_str());
    db.prepare_cached(
        "UPDATE label SET holds = 0
         WHERE run_id = ?1 AND part_number = ?2 AND person = ?3 AND holds = 1",
    )?
    .execute((run, part, person))?;
    db.prepare_cached(RAISE_CLIPS)?.execute((run, part))?;
    let sql = "INSERT INTO label (run_id, part_number, said_wall_ns, person, role, judgement,
        label_json, is_second, holds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1) RETURNING *";
    let values = (
        run,
        part,
        new.at.unix_ns,
        person,
        new.role.name(),
        new.label.judgement.name(),
        words::json(new.label),
        new.is_second,
    );
    db.prepare_cached(sql)?.query_row(values, label_row)
}

/// Takes back what a person said of a part last; `None` when nothing they said holds.
pub(super) fn withdraw(
    db: &Connection,
    key: PartKey,
    by: &PersonId,
    at: WallTime,
) -> Result<Option<i64>> {
    let sql = "UPDATE label SET holds = 0, withdrawn_wall_ns = ?4
        WHERE run_id = ?1 AND part_number = ?2 AND person = ?3 AND holds = 1 RETURNING id";
    let of = (key.run, int(key.part.0), by.as_str(), at.unix_ns);
    db.prepare_cached(sql)?.query_row(of, |row| row.get(0)).optional()
}

/// Lets hold again what a person said of a part last and did not take back.
pub(super) fn restore(db: &Connection, key: PartKey, by: &PersonId) -> Result<Option<LabelRow>> {
    let sql = "UPDATE label SET holds = 1 WHERE id = (SELECT max(id) FROM label
        WHERE run_id = ?1 AND part_number = ?2 AND person = ?3 AND withdrawn_wall_ns IS NULL)
        RETURNING *";
    let of = (key.run, int(key.part.0), by.as_str());
    db.prepare_cached(sql)?.query_row(of, label_row).optional()
}

/// A row of which the columns are named.
pub(crate) fn label_row(row: &Row<'_>) -> Result<LabelRow> {
    let role = text(row, "role")?;
    Ok(LabelRow {
        id: row.get("id")?,
        key: PartKey { run: row.get("run_id")?, part: PartId(count(row, "part_number")?) },
        at: WallTime { unix_ns: row.get("said_wall_ns")? },
        by: PersonId::new(&text(row, "person")?),
        role: Role::from_name(&role).ok_or_else(|| unfit("role", role))?,
        label: json::<Label>(row, "label_json")?,
        is_second: row.get("is_second")?,
        holds: row.get("holds")?,
    })
}
