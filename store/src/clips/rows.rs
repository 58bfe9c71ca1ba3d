//! The rows of clips: takes records and ids, gives clips; the one place that knows their columns.
//! What the columns mean is said in `schema.sql`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::{CameraId, PartId, WallTime};
use rusqlite::{Connection, Params, Result, Row, named_params};

use super::file::Record;
use super::{Clip, ClipId, ClipPart, ClipState, Fragment, FragmentRow};
use crate::files::{self, CLIPS};
use crate::rows::read::{count, hash, text, time, unfit, word};
use crate::rows::{int, place};
use crate::words;

/// Why a clip is held whose clock was not right.
pub(super) const CLOCK: &str = "the wall clock was not set by anything when it was filmed";

/// Writes the rows of a clip that nobody has yet.
pub(super) fn insert(
    db: &Connection,
    record: &Record,
    path: &str,
    sidecar_bytes: u64,
) -> Result<ClipId> {
    db.prepare_cached(INSERT)?.execute(named_params! {
        ":run": record.run,
        ":camera": record.camera.as_str(),
        ":class": record.class.name(),
        ":started_mono": int(record.started.mono.ns),
        ":started_wall": record.started.wall.unix_ns,
        ":ended_mono": int(record.ended.mono.ns),
        ":ended_wall": record.ended.wall.unix_ns,
        ":clock_is_wrong": !record.clock_is_synced,
        ":path": path,
        ":size": int(record.size_bytes),
        ":sidecar": int(sidecar_bytes),
        ":sha256": record.sha256.to_string(),
        ":header": int(record.header_bytes),
        ":pictures": int(record.pictures),
        ":missing": int(record.pictures_missing),
        ":held": (!record.clock_is_synced).then_some(CLOCK),
    })?;
    let id = ClipId(db.last_insert_rowid());
    for (position, part) in record.parts.iter().enumerate() {
        insert_part(db, id, position, part)?;
    }
    for (position, fragment) in record.fragments.iter().enumerate() {
        insert_fragment(db, id, position, fragment)?;
    }
    db.prepare_cached(RAISE)?.execute([id.0])?;
    Ok(id)
}

const INSERT: &str = "INSERT INTO clip (run_id, camera, class, state,
    started_mono_ns, started_wall_ns, ended_mono_ns, ended_wall_ns, clock_is_wrong,
    path, size_bytes, sidecar_bytes, sha256, header_bytes, pictures, pictures_missing, held)
    VALUES (:run, :camera, :class, 'queued',
    :started_mono, :started_wall, :ended_mono, :ended_wall, :clock_is_wrong,
    :path, :size, :sidecar, :sha256, :header, :pictures, :missing, :held)";

/// A part may be labelled before its clip is whole; who labels one later raises its clips then.
const RAISE: &str = "UPDATE clip SET class = 'labelled' WHERE id = ?1 AND EXISTS
    (SELECT 1 FROM clip_part JOIN label USING (part_number)
     WHERE clip_id = clip.id AND label.run_id = clip.run_id AND holds = 1)";

fn insert_part(db: &Connection, id: ClipId, position: usize, part: &ClipPart) -> Result<()> {
    let (number, verdict) = (int(part.part.0), words::word(&part.verdict));
    let (mono, wall) = (int(part.at.mono.ns), part.at.wall.unix_ns);
    let values = (id.0, place(position), number, verdict, mono, wall, part.picture.map(int));
    db.prepare_cached("INSERT INTO clip_part VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(values)
        .map(|_| ())
}

fn insert_fragment(db: &Connection, id: ClipId, position: usize, new: &Fragment) -> Result<()> {
    let (offset, size, timecode) = (new.offset_bytes, new.size_bytes, new.timecode_at_bytes);
    let (starts, lasts) = (int(new.starts_ms), int(new.lasts_ms));
    let bytes = (int(offset), int(size), int(timecode));
    let values = (id.0, place(position), bytes.0, bytes.1, bytes.2, starts, lasts);
    db.prepare_cached("INSERT INTO fragment VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'queued', NULL)")?
        .execute(values)
        .map(|_| ())
}

/// Clips that `which`, the rest of a query after `FROM clip`, picks, in its order.
pub(super) fn clips(
    db: &Connection,
    store: &Path,
    which: &str,
    params: impl Params + Copy,
) -> Result<Vec<Clip>> {
    let mut clips: Vec<Clip> =
        all(db, &format!("SELECT * FROM clip {which}"), params, |row| clip(row, store))?;
    let of_clips = |table: &str| {
        format!(
            "SELECT * FROM {table} WHERE clip_id IN (SELECT id FROM clip {which})
                 ORDER BY clip_id, position"
        )
    };
    let mut parts = by_clip(all(db, &of_clips("clip_part"), params, part)?);
    let mut fragments = by_clip(all(db, &of_clips("fragment"), params, fragment)?);
    for clip in &mut clips {
        clip.parts = parts.remove(&clip.id).unwrap_or_default();
        clip.fragments = fragments.remove(&clip.id).unwrap_or_default();
    }
    Ok(clips)
}

fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn by_clip<T>(rows: Vec<(ClipId, T)>) -> BTreeMap<ClipId, Vec<T>> {
    let mut sorted = BTreeMap::<ClipId, Vec<T>>::new();
    for (id, row) in rows {
        sorted.entry(id).or_default().push(row);
    }
    sorted
}

fn clip(row: &Row<'_>, store: &Path) -> Result<Clip> {
    let path = text(row, "path")?;
    let path = files::inside(store, CLIPS, &path).ok_or_else(|| unfit("path", path))?;
    Ok(Clip {
        id: ClipId(row.get("id")?),
        run: row.get("run_id")?,
        camera: CameraId::new(&text(row, "camera")?),
        class: word(row, "class")?,
        state: word(row, "state")?,
        started: time(row, "started_mono_ns", "started_wall_ns")?,
        ended: time(row, "ended_mono_ns", "ended_wall_ns")?,
        path,
        size_bytes: count(row, "size_bytes")?,
        sha256: hash(row, "sha256")?,
        header_bytes: count(row, "header_bytes")?,
        fragments: vec![],
        parts: vec![],
        pictures: count(row, "pictures")?,
        pictures_missing: count(row, "pictures_missing")?,
        held: row.get("held")?,
        trouble: row.get("trouble")?,
        attempts: count(row, "attempts")?,
        gone_at: row.get::<_, Option<i64>>("gone_wall_ns")?.map(|unix_ns| WallTime { unix_ns }),
    })
}

fn part(row: &Row<'_>) -> Result<(ClipId, ClipPart)> {
    let picture: Option<i64> = row.get("picture")?;
    let part = ClipPart {
        part: PartId(count(row, "part_number")?),
        verdict: word(row, "verdict")?,
        at: time(row, "at_mono_ns", "at_wall_ns")?,
        picture: picture.map(|_| count(row, "picture")).transpose()?,
    };
    Ok((ClipId(row.get("clip_id")?), part))
}

fn fragment(row: &Row<'_>) -> Result<(ClipId, FragmentRow)> {
    let fragment = Fragment {
        offset_bytes: count(row, "offset_bytes")?,
        size_bytes: count(row, "size_bytes")?,
        timecode_at_bytes: count(row, "timecode_at_bytes")?,
        starts_ms: count(row, "starts_ms")?,
        lasts_ms: count(row, "lasts_ms")?,
    };
    let row_of = FragmentRow { fragment, state: word(row, "state")?, number: row.get("number")? };
    Ok((ClipId(row.get("clip_id")?), row_of))
}

/// Where a path of ours lies. Rows hold only such; what something else wrote there leads nowhere.
pub(super) fn whole_path(store: &Path, relative: &str) -> PathBuf {
    files::inside(store, CLIPS, relative).unwrap_or_else(|| store.join(CLIPS).join("nowhere"))
}

/// Whether a clip has the file, and when that was removed.
pub(super) fn at_path(db: &Connection, relative: &str) -> Result<Option<Option<i64>>> {
    let sql = "SELECT gone_wall_ns FROM clip WHERE path = ?1";
    Ok(all(db, sql, [relative], |row| row.get(0))?.pop())
}

/// Whether there is a run of that number.
pub(super) fn has_run(db: &Connection, run: i64) -> Result<bool> {
    db.query_row("SELECT EXISTS (SELECT 1 FROM run WHERE id = ?1)", [run], |row| row.get(0))
}

/// Files are removed, or after all not.
pub(super) fn set_gone(db: &Connection, id: ClipId, at: Option<WallTime>) -> Result<()> {
    db.prepare_cached("UPDATE clip SET gone_wall_ns = ?2 WHERE id = ?1")?
        .execute((id.0, at.map(|at| at.unix_ns)))
        .map(|_| ())
}

/// State of a fragment.
pub(super) fn fragment_state(db: &Connection, id: ClipId, position: usize) -> Result<ClipState> {
    db.prepare_cached("SELECT state FROM fragment WHERE clip_id = ?1 AND position = ?2")?
        .query_row((id.0, place(position)), |row| word(row, "state"))
}

/// A fragment has come to `state`; it keeps its number when there is no new one.
pub(super) fn set_fragment(
    db: &Connection,
    id: ClipId,
    position: usize,
    state: ClipState,
    number: Option<&str>,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE fragment SET state = ?3, number = ifnull(?4, number)
         WHERE clip_id = ?1 AND position = ?2",
    )?
    .execute((id.0, place(position), state.name(), number))
    .map(|_| ())
}

/// All fragments of a clip that are in one of `from`, JSON of a list of names, come to `to`; those
/// that are queued have no number. Gives how many.
pub(super) fn move_fragments(
    db: &Connection,
    id: ClipId,
    from: &[ClipState],
    to: ClipState,
) -> Result<usize> {
    let from = words::json(&from);
    db.prepare_cached(
        "UPDATE fragment SET state = ?3, number = CASE ?3 WHEN 'queued' THEN NULL ELSE number END
         WHERE clip_id = ?1 AND state IN (SELECT value FROM json_each(?2))",
    )?
    .execute((id.0, from, to.name()))
}

/// The clip's state follows from its fragments'.
pub(super) fn settle(db: &Connection, id: ClipId) -> Result<()> {
    let sql = format!("UPDATE clip SET state = {STATE_OF_FRAGMENTS} WHERE id = ?1");
    db.prepare_cached(&sql)?.execute([id.0]).map(|_| ())
}

/// What `clip.state` is to be.
pub(super) const STATE_OF_FRAGMENTS: &str =
    "(SELECT CASE WHEN max(fragment.state = 'quarantined') THEN 'quarantined'
      WHEN max(fragment.state = 'queued') THEN 'queued'
      WHEN max(fragment.state = 'sent') THEN 'sent'
      WHEN max(fragment.state = 'received') THEN 'received' ELSE 'persisted' END
      FROM fragment WHERE clip_id = clip.id)";
