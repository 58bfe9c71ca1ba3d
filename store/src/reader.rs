//! The read half: takes a store's folder, gives runs, parts and counts in the domain's words.
//!
//! Reads what was flushed, also while a station writes; never waits for it and never changes it.

use std::path::{Path, PathBuf};

use domain::{
    AnsweredBy, BeltMotion, CaptureTime, ClassScore, Defect, GateSignal, MonoTime, PartCondition,
    PartId, PixelFormat, PlcAnswer, Provenance, Recipe, RectPx, Sha256, SizePx, StageTimes,
    Verdict, ViewRecord, WallTime,
};
use rusqlite::{Connection, OptionalExtension, Result, Row};
use serde::{Deserialize, Serialize};

use crate::files::{self, DATABASE};
use crate::rows::int;
use crate::rows::read::{
    DETAIL_COLUMNS, PART_COLUMNS, count, defect, image, json, late, part_detail, part_row, time,
    view,
};
use crate::{ImageKind, RunId, StoreError, schema};

/// A store opened for reading.
#[derive(Debug)]
pub struct Reader {
    db: Connection,
    folder: PathBuf,
}

/// How many parts got each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Passed.
    pub passed: u64,
    /// Rejected.
    pub rejected: u64,
    /// Undecided.
    pub undecided: u64,
}

impl Counts {
    /// All parts that were answered.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.passed + self.rejected + self.undecided
    }
}

/// A run of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub id: RunId,
    /// When it started.
    pub started_at: WallTime,
    /// When it ended; absent while it runs, and for ever when it was killed.
    pub ended_at: Option<WallTime>,
    /// Where the frames came from.
    pub source: String,
    /// Its parts.
    pub counts: Counts,
}

/// A kind of verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictWord {
    /// Passed.
    Pass,
    /// Rejected.
    Reject,
    /// Undecided.
    Undecided,
}

impl VerdictWord {
    /// All.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Reject, Self::Undecided];

    /// The verdict that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.name() == name)
    }

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Reject => "reject",
            Self::Undecided => "undecided",
        }
    }
}

/// Which parts to give, newest first.
#[derive(Clone, Copy, Debug)]
pub struct PartFilter {
    /// Of this run only.
    pub run: Option<RunId>,
    /// With this verdict only.
    pub verdict: Option<VerdictWord>,
    /// The last part of the page before; absent for the first page.
    pub after: Option<(RunId, PartId)>,
    /// At most this many.
    pub limit: u32,
}

impl Default for PartFilter {
    fn default() -> Self {
        Self { run: None, verdict: None, after: None, limit: 100 }
    }
}

/// A part in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct PartRow {
    /// Its run.
    pub run: RunId,
    /// Its number in the run.
    pub part: PartId,
    /// When it was triggered.
    pub triggered_at: CaptureTime,
    /// Its verdict.
    pub verdict: Verdict,
    /// The highest score of any defect that the recipe looks at.
    pub score: f32,
    /// Whether it is one whole part.
    pub condition: PartCondition,
    /// What the gate was told.
    pub gate: GateSignal,
    /// When.
    pub told_at: MonoTime,
    /// By when it had to be.
    pub due: MonoTime,
    /// Who answered.
    pub answered_by: AnsweredBy,
    /// What the PLC answered.
    pub plc: PlcAnswer,
}

/// A part with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PartDetail {
    /// What a list shows of it.
    pub row: PartRow,
    /// How it moved.
    pub motion: Option<BeltMotion>,
    /// Score of each of the model's labels.
    pub classes: Vec<ClassScore>,
    /// Time per stage, in whole microseconds; none for record and upload.
    pub times: StageTimes,
    /// What decided.
    pub provenance: Provenance,
    /// Everything found.
    pub defects: Vec<Defect>,
    /// Which pictures it was judged by.
    pub views: Vec<ViewRecord>,
    /// What was kept of them.
    pub images: Vec<ImageRow>,
    /// The inspection that came too late.
    pub late: Option<LateInspection>,
}

/// An image file and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRow {
    /// Which of the part's views.
    pub view: usize,
    /// Picture or heatmap.
    pub kind: ImageKind,
    /// The file, relative to the store; [`Reader::image_file`] says where that is.
    pub path: String,
    /// How the camera gave the pixels.
    pub format: PixelFormat,
    /// Size of the picture or heatmap.
    pub size: SizePx,
    /// What it covers of the frame.
    pub covers: RectPx,
    /// Hash of the file.
    pub sha256: Sha256,
    /// Size of the file.
    pub size_bytes: u64,
}

/// An inspection that came after the fail-safe had answered.
#[derive(Clone, Debug, PartialEq)]
pub struct LateInspection {
    /// What the verdict would have been.
    pub verdict: Verdict,
    /// What the score would have been.
    pub score: f32,
    /// The whole inspection, as `inspections.jsonl` would have it.
    pub inspection_json: String,
}

/// How often something happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// The event's name.
    pub name: String,
    /// How often.
    pub count: u64,
    /// When last.
    pub last_at: CaptureTime,
    /// What it said last.
    pub last: domain::Event,
}

impl Reader {
    /// Opens the store in `folder`.
    ///
    /// # Errors
    /// When there is none, or its database is not one of ours or of another version.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let db = schema::open_for_reading(&folder.join(DATABASE))?;
        Ok(Self { db, folder: folder.to_owned() })
    }

    /// All runs, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        let sql = "SELECT id, started_wall_ns, ended_wall_ns, source,
            count(*) FILTER (WHERE verdict = 'pass'),
            count(*) FILTER (WHERE verdict = 'reject'),
            count(*) FILTER (WHERE verdict = 'undecided')
            FROM run LEFT JOIN part ON run_id = id GROUP BY id ORDER BY id DESC";
        self.list(sql, [], |row| {
            let wall = |unix_ns| WallTime { unix_ns };
            Ok(RunRow {
                id: RunId(row.get(0)?),
                started_at: wall(row.get(1)?),
                ended_at: row.get::<_, Option<i64>>(2)?.map(wall),
                source: row.get(3)?,
                counts: Counts {
                    passed: count(row, 4)?,
                    rejected: count(row, 5)?,
                    undecided: count(row, 6)?,
                },
            })
        })
    }

    /// How many parts got each verdict, in one run or in all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn counts(&self, run: Option<RunId>) -> Result<Counts, StoreError> {
        let sql = "SELECT verdict, count(*) FROM part
            WHERE ?1 IS NULL OR run_id = ?1 GROUP BY verdict";
        let mut counts = Counts::default();
        let by_verdict = self.list(sql, [run.map(|run| run.0)], |row| {
            Ok((row.get::<_, String>(0)?, count(row, 1)?))
        })?;
        for (verdict, count) in by_verdict {
            match verdict.as_str() {
                "pass" => counts.passed = count,
                "reject" => counts.rejected = count,
                _ => counts.undecided = count,
            }
        }
        Ok(counts)
    }

    /// Parts, newest first, a page at a time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn parts(&self, filter: &PartFilter) -> Result<Vec<PartRow>, StoreError> {
        let mut sql = format!("SELECT {PART_COLUMNS} FROM part WHERE true");
        // Only what is asked for stands in the query, so that SQLite picks the index for it.
        if filter.run.is_some() {
            sql.push_str(" AND run_id = :run");
        }
        if filter.verdict.is_some() {
            sql.push_str(" AND verdict = :verdict");
        }
        if filter.after.is_some() {
            sql.push_str(" AND (run_id, number) < (:after_run, :after_number)");
        }
        sql.push_str(" ORDER BY run_id DESC, number DESC LIMIT :limit");
        let run = filter.run.map(|run| run.0);
        let verdict = filter.verdict.map(VerdictWord::name);
        let after = filter.after.map(|(run, part)| (run.0, int(part.0)));
        let all: [(&str, &dyn rusqlite::ToSql); 5] = [
            (":run", &run),
            (":verdict", &verdict),
            (":after_run", &after.map(|after| after.0)),
            (":after_number", &after.map(|after| after.1)),
            (":limit", &filter.limit),
        ];
        let asked: Vec<_> = all.into_iter().filter(|(name, _)| sql.contains(name)).collect();
        self.list(&sql, asked.as_slice(), part_row)
    }

    /// One part with everything; `None` when there is no such part.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn part(&self, run: RunId, part: PartId) -> Result<Option<PartDetail>, StoreError> {
        let key = (run.0, int(part.0));
        let sql =
            format!("SELECT {PART_COLUMNS}, {DETAIL_COLUMNS} WHERE run_id = ?1 AND number = ?2");
        let found = self
            .db
            .prepare_cached(&sql)
            .and_then(|mut statement| statement.query_row(key, part_detail).optional())
            .map_err(|error| self.sql(error))?;
        let Some(mut detail) = found else { return Ok(None) };
        let of_part = "WHERE run_id = ?1 AND part_number = ?2";
        detail.defects =
            self.list(&format!("SELECT * FROM defect {of_part} ORDER BY position"), key, defect)?;
        detail.views =
            self.list(&format!("SELECT * FROM view {of_part} ORDER BY position"), key, view)?;
        let sql = format!("SELECT * FROM image {of_part} ORDER BY view, kind DESC");
        detail.images = self.list(&sql, key, image)?;
        let sql = format!("SELECT * FROM late_inspection {of_part}");
        detail.late = self.list(&sql, key, late)?.pop();
        Ok(Some(detail))
    }

    /// How often each kind of event happened in a run, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn events(&self, run: RunId) -> Result<Vec<EventCount>, StoreError> {
        self.list("SELECT * FROM event WHERE run_id = ?1 ORDER BY name", [run.0], |row| {
            Ok(EventCount {
                name: row.get("name")?,
                count: count(row, "count")?,
                last_at: time(row, "last_mono_ns", "last_wall_ns")?,
                last: json(row, "last_event_json")?,
            })
        })
    }

    /// The recipe with that hash, as it was written; `None` when it was not kept.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn recipe(&self, hash: Sha256) -> Result<Option<Recipe>, StoreError> {
        let sql = "SELECT recipe_json FROM recipe WHERE sha256 = ?1";
        Ok(self.list(sql, [hash.to_string()], |row| json(row, "recipe_json"))?.pop())
    }

    /// Where an image's file lies; `None` when its path would leave the store's folder.
    #[must_use]
    pub fn image_file(&self, image: &ImageRow) -> Option<PathBuf> {
        files::inside(&self.folder, files::IMAGES, &image.path)
    }

    /// Every row that a query gives.
    pub(crate) fn list<T, P: rusqlite::Params>(
        &self,
        sql: &str,
        params: P,
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(params, read)?.collect())
            .map_err(|error| self.sql(error))
    }

    /// The store's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What `read` gives.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T, StoreError> {
        read(&self.db).map_err(|error| self.sql(error))
    }

    fn sql(&self, error: rusqlite::Error) -> StoreError {
        StoreError::sql(&self.folder.join(DATABASE), "read the store", error)
    }

    /// How SQLite would answer `sql`, a line a step.
    #[cfg(test)]
    pub(crate) fn plan(&self, sql: &str) -> Vec<String> {
        let mut statement = self.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut plan = vec![];
        while let Some(row) = rows.next().unwrap() {
            plan.push(row.get("detail").unwrap());
        }
        plan
    }
}
