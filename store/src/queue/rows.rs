//! What the queue weighs: takes the database, gives the newest parts without a label, with what was
//! found on them, and how the newest parts of all look.

use std::collections::HashMap;
use std::sync::Arc;

use domain::{CheckedRecipe, Defect, PartId, PartKey, Reason, Recipe, RectPx, Score, Why};
use rusqlite::{Connection, Result, Row, named_params};

use crate::rows::int;
use crate::rows::read::{count, defect, json, rect, text, unfit, word};
use crate::{RunId, VerdictWord};

/// At most this many parts of each verdict are weighed.
const CANDIDATES_MAX: u32 = 500;
/// How many of the newest parts are looked at for what is rare.
const SEEN_MAX: u32 = 2_000;
/// Columns, and rows, of the grid over a part's crop in which places are told apart.
const CELLS: f64 = 4.0;

/// A part that may be asked about.
pub(super) struct Candidate {
    pub(super) key: PartKey,
    pub(super) verdict: VerdictWord,
    /// Why it is undecided, if it is.
    pub(super) undecided: Option<Why>,
    /// Why it was rejected, if it was; the strongest reason first.
    pub(super) reasons: Vec<Reason>,
    pub(super) late: Option<VerdictWord>,
    /// Another run in which another model said something else of it.
    pub(super) other_model: Option<(RunId, VerdictWord)>,
    pub(super) was_skipped: bool,
    /// What it was inspected by; absent when that was not kept.
    pub(super) recipe: Option<Arc<CheckedRecipe>>,
    pub(super) defects: Vec<Defect>,
    pub(super) looks: Looks,
}

/// What a part looks like, told apart no finer than a person would: class, tenth of the score and
/// place of its strongest defect. The same for all parts on which nothing was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Looks {
    kind: String,
    tenth: u8,
    cell: (u8, u8),
}

impl Looks {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "tenths and cells, clamped"
    )]
    fn new(kind: &str, score: f32, place: RectPx, crop: RectPx) -> Self {
        let cell = |at: f64, start: u32, length: u32| {
            let share = (at - f64::from(start)) / f64::from(length.max(1));
            (share * CELLS).clamp(0.0, CELLS - 1.0) as u8
        };
        let centre = place.centre();
        let x = cell(f64::from(centre.x), crop.x, crop.width);
        let y = cell(f64::from(centre.y), crop.y, crop.height);
        Self { kind: kind.to_owned(), tenth: (score * 10.0).clamp(0.0, 9.0) as u8, cell: (x, y) }
    }
}

/// How the newest parts look.
#[derive(Default)]
pub(super) struct Seen {
    /// How many they are.
    pub(super) parts: u64,
    counts: HashMap<Looks, u64>,
}

impl Seen {
    /// How many look like this.
    pub(super) fn alike(&self, looks: &Looks) -> u64 {
        self.counts.get(looks).copied().unwrap_or(0)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand parts")]
pub(super) const fn as_f64(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand parts")]
pub(super) const fn as_f32(count: u64) -> f32 {
    count as f32
}

/// The strongest defect of each of the newest parts.
pub(super) const SEEN: &str =
    "SELECT d.kind, max(d.score) AS score, d.box_x_px, d.box_y_px, d.box_width_px,
    d.box_height_px, v.crop_x_px, v.crop_y_px, v.crop_width_px, v.crop_height_px
    FROM (SELECT run_id, number FROM part ORDER BY run_id DESC, number DESC LIMIT ?1) AS p
    LEFT JOIN defect AS d ON d.run_id = p.run_id AND d.part_number = p.number
    LEFT JOIN view AS v
        ON v.run_id = d.run_id AND v.part_number = d.part_number AND v.position = d.view
    GROUP BY p.run_id, p.number";

pub(super) fn seen(db: &Connection) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut statement = db.prepare_cached(SEEN)?;
    let mut rows = statement.query([SEEN_MAX])?;
    while let Some(row) = rows.next()? {
        seen.parts += 1;
        *seen.counts.entry(looks(row)?).or_default() += 1;
    }
    Ok(seen)
}

fn looks(row: &Row<'_>) -> Result<Looks> {
    let Some(kind) = row.get::<_, Option<String>>("kind")? else { return Ok(Looks::default()) };
    // Without its view, which every defect has, there is no place.
    let crop = match row.get::<_, Option<u32>>("crop_x_px")? {
        Some(_) => rect(row, "crop")?,
        None => RectPx::new(0, 0, 0, 0),
    };
    Ok(Looks::new(&kind, row.get("score")?, rect(row, "box")?, crop))
}

/// What is asked of a part.
const COLUMNS: &str = "SELECT p.run_id, p.number, p.verdict, p.reasons_json, p.why_json,
    p.provenance_id, p.triggered_mono_ns, late.verdict AS late,
    (SELECT judgement FROM label WHERE label.run_id = p.run_id AND label.part_number = p.number
        AND holds = 1 AND is_second = 0 ORDER BY id DESC LIMIT 1) AS said";

const LATE: &str = "LEFT JOIN late_inspection AS late
    ON late.run_id = p.run_id AND late.part_number = p.number";

/// Few parts passed and have a picture, so these are found by their pictures, and in this order: a
/// CROSS JOIN in SQLite keeps the left side the outer one.
const OF_PICTURES: &str = "FROM (SELECT DISTINCT run_id, part_number FROM image
        WHERE kind = 'picture' AND (:run IS NULL OR run_id = :run)
        ORDER BY run_id DESC, part_number DESC LIMIT 12 * :limit) AS pictured
    CROSS JOIN part AS p ON p.run_id = pictured.run_id AND p.number = pictured.part_number";

/// Nearly all parts that did not pass have one.
const WITH_PICTURE: &str = "EXISTS (SELECT 1 FROM image WHERE image.run_id = p.run_id
    AND image.part_number = p.number AND kind = 'picture')";

/// The newest parts of each verdict that have a picture and no label in force.
pub(super) fn candidates(db: &Connection, run: Option<RunId>) -> Result<Vec<Candidate>> {
    let mut found = Found { db, recipes: HashMap::new(), twins: HashMap::new(), parts: vec![] };
    for verdict in [VerdictWord::Undecided, VerdictWord::Reject, VerdictWord::Pass] {
        let mut statement = db.prepare_cached(&candidates_sql(verdict, run))?;
        let run = run.map(|run| run.0);
        let mut rows = statement.query(named_params! {
            ":verdict": verdict.name(), ":run": run, ":limit": CANDIDATES_MAX,
        })?;
        while let Some(row) = rows.next()? {
            found.take(row)?;
        }
    }
    Ok(found.parts)
}

pub(super) fn candidates_sql(verdict: VerdictWord, run: Option<RunId>) -> String {
    let (from, has_picture) = match verdict {
        VerdictWord::Pass => (OF_PICTURES, "true"),
        _ => ("FROM part AS p", WITH_PICTURE),
    };
    let of_run = if run.is_some() { "p.run_id = :run" } else { ":run IS NULL" };
    format!(
        "{COLUMNS} {from} {LATE} WHERE p.verdict = :verdict AND {of_run} AND {has_picture}
         AND (said IS NULL OR said = 'skip')
         ORDER BY p.run_id DESC, p.number DESC LIMIT :limit"
    )
}

/// What was found so far, with what is looked up once.
struct Found<'a> {
    db: &'a Connection,
    /// By number of the provenance.
    recipes: HashMap<i64, Option<Arc<CheckedRecipe>>>,
    /// Runs of the same footage by another model, by number of run and provenance.
    twins: HashMap<(i64, i64), Vec<i64>>,
    parts: Vec<Candidate>,
}

impl Found<'_> {
    fn take(&mut self, row: &Row<'_>) -> Result<()> {
        let key = PartKey { run: row.get("run_id")?, part: PartId(count(row, "number")?) };
        let provenance = row.get("provenance_id")?;
        let verdict: VerdictWord = word(row, "verdict")?;
        let undecided = (verdict == VerdictWord::Undecided).then(|| json(row, "why_json"));
        let reasons: Vec<Reason> = match verdict {
            VerdictWord::Reject => json(row, "reasons_json")?,
            _ => vec![],
        };
        let late = row.get::<_, Option<String>>("late")?.map(|_| word(row, "late"));
        let (defects, looks) = self.defects(key)?;
        let other_model = self.other_model(row, key, provenance)?;
        let recipe = self.recipe(provenance)?;
        self.parts.push(Candidate {
            key,
            verdict,
            undecided: undecided.transpose()?,
            reasons,
            late: late.transpose()?,
            other_model,
            was_skipped: row.get::<_, Option<String>>("said")?.is_some(),
            recipe,
            defects,
            looks,
        });
        Ok(())
    }

    fn defects(&self, key: PartKey) -> Result<(Vec<Defect>, Looks)> {
        let sql =
            "SELECT d.kind, d.score, d.view, d.area_px, NULL AS mask_json, d.mm_json, d.box_x_px,
            d.box_y_px, d.box_width_px, d.box_height_px, v.crop_x_px, v.crop_y_px,
            v.crop_width_px, v.crop_height_px
            FROM defect AS d LEFT JOIN view AS v ON v.run_id = d.run_id
                AND v.part_number = d.part_number AND v.position = d.view
            WHERE d.run_id = ?1 AND d.part_number = ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query((key.run, int(key.part.0)))?;
        let (mut defects, mut strongest) = (Vec::new(), Looks::default());
        let mut highest = Score::ZERO;
        while let Some(row) = rows.next()? {
            let defect = defect(row)?;
            if defects.is_empty() || defect.score > highest {
                (highest, strongest) = (defect.score, looks(row)?);
            }
            defects.push(defect);
        }
        Ok((defects, strongest))
    }

    fn recipe(&mut self, provenance: i64) -> Result<Option<Arc<CheckedRecipe>>> {
        if let Some(known) = self.recipes.get(&provenance) {
            return Ok(known.clone());
        }
        let sql = "SELECT recipe_json FROM provenance JOIN recipe ON sha256 = recipe_sha256
            WHERE id = ?1";
        let mut statement = self.db.prepare_cached(sql)?;
        let read = |row: &Row<'_>| text(row, "recipe_json");
        let kept = statement.query_map([provenance], read)?.next().transpose()?;
        // One that this version cannot read has no limits that it could tell of.
        let recipe = kept.and_then(|kept| serde_json::from_str::<Recipe>(&kept).ok()?.check().ok());
        let recipe = recipe.map(Arc::new);
        self.recipes.insert(provenance, recipe.clone());
        Ok(recipe)
    }

    /// The newest run of the same footage in which another model said something else of the part.
    fn other_model(
        &mut self,
        row: &Row<'_>,
        key: PartKey,
        provenance: i64,
    ) -> Result<Option<(RunId, VerdictWord)>> {
        let twins = match self.twins.entry((key.run, provenance)) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => {
                new.insert(twins(self.db, key.run, provenance)?)
            }
        };
        let sql = "SELECT verdict FROM part JOIN provenance ON id = provenance_id
            WHERE run_id = ?1 AND number = ?2 AND triggered_mono_ns = ?3 AND model_sha256 <>
                (SELECT model_sha256 FROM provenance WHERE id = ?4)";
        let (own, at): (String, i64) = (row.get("verdict")?, row.get("triggered_mono_ns")?);
        for twin in twins.iter() {
            let mut statement = self.db.prepare_cached(sql)?;
            let of = (twin, int(key.part.0), at, provenance);
            let read = |row: &Row<'_>| text(row, "verdict");
            let said = statement.query_map(of, read)?.next().transpose()?;
            if let Some(said) = said.filter(|said| *said != own) {
                let said = VerdictWord::from_name(&said).ok_or_else(|| unfit("verdict", said))?;
                return Ok(Some((RunId(*twin), said)));
            }
        }
        Ok(None)
    }
}

/// The newest few other runs of the same footage, when this one was of footage.
fn twins(db: &Connection, run: i64, provenance: i64) -> Result<Vec<i64>> {
    let sql = "SELECT other.id FROM run JOIN run AS other
            ON other.source = run.source AND other.id <> run.id
        WHERE run.id = ?1 AND (SELECT is_simulated FROM provenance WHERE id = ?2)
        ORDER BY other.id DESC LIMIT 3";
    let mut statement = db.prepare_cached(sql)?;
    statement.query_map((run, provenance), |row| row.get(0))?.collect()
}
