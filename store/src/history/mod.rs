//! What was: takes what to look for, gives parts, yield over time, which kinds of defect there were
//! and where, and what other limits would have said.
//!
//! A part counts under a class when that class is a reason for its verdict: one that it was
//! rejected for, or that left it undecided. What was found below the limits is not counted.

mod judge;
mod search;
#[cfg(test)]
mod tests;

use std::time::Duration;

use domain::{PartId, Reason, RectPx, Sha256, WallTime};
use rusqlite::{Row, named_params};
use serde::Serialize;

pub use judge::{JudgedAgain, ScoredPart, judge_again};
use search::Where;

use crate::rows::read::{count, part_row, rect, text, unfit};
use crate::rows::{int, read};
use crate::{PartRow, Reader, RunId, StoreError, VerdictWord};

/// Which parts; all that is absent does not matter.
#[derive(Clone, Debug, Default)]
pub struct PartSearch {
    /// Of this run only.
    pub run: Option<RunId>,
    /// Triggered then or later only.
    pub from: Option<WallTime>,
    /// Triggered before then only.
    pub to: Option<WallTime>,
    /// With this verdict only.
    pub verdict: Option<VerdictWord>,
    /// With this class among the reasons for the verdict only.
    pub class: Option<String>,
    /// With this number only.
    pub number: Option<PartId>,
    /// Inspected by the recipe with this hash only.
    pub recipe: Option<Sha256>,
    /// Inspected by a recipe of this name only.
    pub recipe_name: Option<String>,
    /// Only those on which somebody said something that is in force, or nobody.
    pub labelled: Option<bool>,
}

/// How to cut time into pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinBy {
    /// As long as this each, counted from 1970 so that they are the same whatever is looked for.
    Period(Duration),
    /// As many parts as this each, the last perhaps fewer.
    Parts(u32),
    /// Not at all: one piece, or none where there are no parts.
    All,
}

/// The parts of a piece of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bin {
    /// Where it begins: of a period its beginning, else when the first part was triggered.
    pub from: WallTime,
    /// Where it ends: of a period its end, else when the last part was triggered.
    pub to: WallTime,
    /// Passed.
    pub passed: u64,
    /// Rejected.
    pub rejected: u64,
    /// Undecided, those that the fail-safe answered included.
    pub undecided: u64,
    /// Answered by the fail-safe.
    pub fail_safe: u64,
}

impl Bin {
    /// All parts.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.passed + self.rejected + self.undecided
    }
}

/// How often parts were rejected for something in each place of what the model looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Positions {
    /// Columns of the grid.
    pub cols: usize,
    /// Rows of the grid.
    pub rows: usize,
    /// Row by row, from the top left.
    pub counts: Vec<u64>,
    /// Those whose place is outside of what the model looked at.
    pub outside: u64,
}

impl Reader {
    /// Parts, newest first, a page at a time; `after` is the last part of the page before.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn search(
        &self,
        search: &PartSearch,
        after: Option<(RunId, PartId)>,
        limit: u32,
    ) -> Result<Vec<PartRow>, StoreError> {
        let mut which = Where::new(search);
        if let Some((run, part)) = after {
            which.and("(part.run_id, number) < (:after_run, :after_number)");
            which.value(":after_run", run.0);
            which.value(":after_number", int(part.0));
        }
        which.value(":limit", limit);
        let (columns, sql) = (read::PART_COLUMNS, which.sql());
        let sql = format!(
            "SELECT {columns} FROM part {sql} ORDER BY run_id DESC, number DESC LIMIT :limit"
        );
        self.list(&sql, &*which.params(), part_row)
    }

    /// How the parts were judged over time, in order; pieces without parts are left out. For a
    /// yield chart or a p-chart.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn yield_by(&self, search: &PartSearch, by: BinBy) -> Result<Vec<Bin>, StoreError> {
        let mut which = Where::new(search);
        let size = match by {
            BinBy::Period(period) => nanos(period),
            BinBy::Parts(parts) => i64::from(parts.max(1)),
            BinBy::All => 1,
        };
        which.value(":size", size);
        let sql = yield_sql(&which, by);
        let wall = |unix_ns| WallTime { unix_ns };
        self.list(&sql, &*which.params(), |row| {
            let (from, to) = match by {
                BinBy::Period(_) => {
                    let from = row.get::<_, i64>("bin")?.saturating_mul(size);
                    (from, from.saturating_add(size))
                }
                BinBy::Parts(_) | BinBy::All => (row.get("first")?, row.get("last")?),
            };
            Ok(Bin {
                from: wall(from),
                to: wall(to),
                passed: count(row, "passed")?,
                rejected: count(row, "rejected")?,
                undecided: count(row, "undecided")?,
                fail_safe: count(row, "fail_safe")?,
            })
        })
    }

    /// How many parts were rejected for each class, the most first. Each part counts once, under
    /// its strongest reason.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn pareto(&self, search: &PartSearch) -> Result<Vec<(String, u64)>, StoreError> {
        let mut which = Where::new(search);
        which.and("verdict = 'reject'");
        let sql = format!(
            "SELECT json_extract(reasons_json, '$[0].kind') AS class, count(*) AS parts
             FROM part {} GROUP BY class ORDER BY parts DESC, class",
            which.sql()
        );
        self.list(&sql, &*which.params(), |row| Ok((text(row, "class")?, count(row, "parts")?)))
    }

    /// Where parts were rejected for something: the middles of the reasons' boxes, in a grid over
    /// what the model looked at. With a class, only reasons of that class.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn positions(
        &self,
        search: &PartSearch,
        cols: usize,
        rows: usize,
    ) -> Result<Positions, StoreError> {
        let mut which = Where::new(search);
        which.and("verdict = 'reject'");
        let sql = format!(
            "SELECT reason.value AS reason, crop_x_px, crop_y_px, crop_width_px, crop_height_px
             FROM (SELECT run_id, number, reasons_json FROM part {}) AS found
             JOIN json_each(reasons_json) AS reason
             JOIN view ON view.run_id = found.run_id AND part_number = number
                 AND position = json_extract(reason.value, '$.view')",
            which.sql()
        );
        let (cols, rows) = (cols.max(1), rows.max(1));
        let mut found = Positions { cols, rows, counts: vec![0; cols * rows], outside: 0 };
        let class = search.class.as_deref();
        for (reason, crop) in self.list(&sql, &*which.params(), reason_and_crop)? {
            if class.is_none_or(|class| class == &*reason.kind) {
                found.count(reason.box_in_frame, crop);
            }
        }
        Ok(found)
    }

    /// The newest parts that were inspected by `recipe`, with all that was found on them, for
    /// [`judge_again`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn scored_parts(
        &self,
        search: &PartSearch,
        recipe: Sha256,
        limit: u32,
    ) -> Result<Vec<ScoredPart>, StoreError> {
        let of_recipe = PartSearch { recipe: Some(recipe), ..search.clone() };
        let rows = self.search(&of_recipe, None, limit)?;
        rows.into_iter().map(|row| self.scored(row)).collect()
    }

    fn scored(&self, row: PartRow) -> Result<ScoredPart, StoreError> {
        // Masks are left out: they are large, and no limit looks at them.
        let sql = "SELECT kind, view, box_x_px, box_y_px, box_width_px, box_height_px, area_px,
            score, NULL AS mask_json, mm_json FROM defect
            WHERE run_id = :run AND part_number = :part ORDER BY position";
        let of = named_params! { ":run": row.run.0, ":part": int(row.part.0) };
        let defects = self.list(sql, of, read::defect)?;
        Ok(ScoredPart { row, defects })
    }
}

/// One piece needs no order, and none of the time that it takes.
fn yield_sql(which: &Where, by: BinBy) -> String {
    let (bin, pieces) = match by {
        BinBy::Period(_) => ("triggered_wall_ns / :size", "GROUP BY bin ORDER BY bin"),
        BinBy::Parts(_) => (
            "(row_number() OVER (ORDER BY triggered_wall_ns, run_id, number) - 1) / :size",
            "GROUP BY bin ORDER BY bin",
        ),
        BinBy::All => (":size", "HAVING count(*) > 0"),
    };
    format!(
        "SELECT bin, min(triggered_wall_ns) AS first, max(triggered_wall_ns) AS last,
            count(*) FILTER (WHERE verdict = 'pass') AS passed,
            count(*) FILTER (WHERE verdict = 'reject') AS rejected,
            count(*) FILTER (WHERE verdict = 'undecided') AS undecided,
            count(*) FILTER (WHERE answered_by = 'fail_safe') AS fail_safe
        FROM (SELECT triggered_wall_ns, verdict, answered_by, {bin} AS bin FROM part {})
        {pieces}",
        which.sql()
    )
}

fn nanos(period: Duration) -> i64 {
    i64::try_from(period.as_nanos()).unwrap_or(i64::MAX).max(1)
}

fn reason_and_crop(row: &Row<'_>) -> rusqlite::Result<(Reason, RectPx)> {
    let reason = serde_json::from_str(&text(row, "reason")?);
    Ok((reason.map_err(|error| unfit("reasons_json", error))?, rect(row, "crop")?))
}

impl Positions {
    fn count(&mut self, place: RectPx, crop: RectPx) {
        let centre = place.centre();
        let cell = |at: f32, start: u32, length: u32, cells: usize| {
            let at = f64::from(at) - f64::from(start);
            // Into which of equal pieces: the largest number that does not begin beyond it.
            let begins = |cell: &usize| begin(*cell, cells, length) <= at;
            (at >= 0.0 && at < f64::from(length)).then(|| (0..cells).rev().find(begins))?
        };
        let col = cell(centre.x, crop.x, crop.width, self.cols);
        let row = cell(centre.y, crop.y, crop.height, self.rows);
        match col.zip(row) {
            Some((col, row)) => self.counts[row * self.cols + col] += 1,
            None => self.outside += 1,
        }
    }
}

/// Where a piece begins when `length` is cut into `cells`.
#[expect(clippy::cast_precision_loss, reason = "a grid of a few cells")]
fn begin(cell: usize, cells: usize, length: u32) -> f64 {
    f64::from(length) * cell as f64 / cells as f64
}
