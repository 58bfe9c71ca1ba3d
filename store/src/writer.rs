//! The write half: takes outcomes from `act`, gives rows and image files that agree.
//!
//! [`Writer::record`] adds to a batch, [`Writer::flush`] makes the batch last. A part's row, its
//! images and all that belongs to them become visible together or not at all: the files are written
//! whole, synced and in place first, then the rows are committed. What is lost to a kill is the
//! batch that was not flushed; what it leaves behind are files without rows, which
//! [`crate::check()`] finds.

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use domain::{
    ActedInspection, CaptureTime, CheckedRecipe, Event, Heatmap, Inspection, Outcome, PartId,
    PixelFormat, RectPx, Sha256, SizePx, Verdict, View, WallTime,
};
use rusqlite::{Connection, ErrorCode, ffi};

use crate::files::{self, DATABASE};
use crate::rows::write;
use crate::turn::{Held, Turn};
use crate::{ImageKind, ImageRow, RunId, StoreError, picture, schema};

/// What was written down of an outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// How many image files were kept.
    pub images: usize,
    /// Their bytes together.
    pub image_bytes: u64,
    /// Images that were to be kept and could not be made, a sentence each; the row is written all
    /// the same. Count and tell these.
    pub left_out: Vec<String>,
}

/// Writes one run's parts. One thread's; give it up with [`Writer::finish`].
///
/// A writer that is dropped without it loses what was not flushed, as if it had been killed.
#[derive(Debug)]
pub struct Writer {
    db: Connection,
    folder: PathBuf,
    run: RunId,
    batch: Batch,
    /// The PNG being made; kept so that its memory is.
    png: Vec<u8>,
    turn: Arc<Turn>,
    _lock: Arc<File>,
}

/// What was recorded and not yet flushed.
#[derive(Debug, Default)]
struct Batch {
    /// Outcomes and events.
    entries: u64,
    files: Vec<PathBuf>,
    /// From its first entry to its commit.
    turn: Option<Held>,
}

impl Writer {
    pub(crate) fn new(
        db: Connection,
        folder: PathBuf,
        run: RunId,
        (lock, turn): (Arc<File>, Arc<Turn>),
    ) -> Self {
        Self { db, folder, run, batch: Batch::default(), png: Vec::new(), turn, _lock: lock }
    }

    /// Number of the run that this writes.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// Keeps a recipe, so that verdicts made with it can be made again. Call it when the run starts
    /// and at every changeover; a known one is not kept twice. Flushes the batch.
    ///
    /// # Errors
    /// When the database cannot be written; see [`Writer::flush`] for the batch.
    pub fn keep_recipe(&mut self, recipe: &CheckedRecipe) -> Result<(), StoreError> {
        self.flush()?;
        write::insert_recipe(&self.db, recipe).map_err(|error| self.sql("keep the recipe", error))
    }

    /// Writes down what came of a part.
    ///
    /// Images are kept of rejected and undecided parts, and of passed ones when `keep` says so; see
    /// [`crate::keep_share`]. An inspection that came late is kept beside its part's row, which
    /// stays as it is; its pictures are kept when the part has none of its own.
    ///
    /// # Errors
    /// When the part has its verdict already, breaks an invariant of the schema, or cannot be
    /// written. Nothing of this part is written then; what was recorded before stays in the batch,
    /// unless the error is [`StoreError::BatchLost`].
    pub fn record(
        &mut self,
        outcome: &Outcome,
        keep: &mut dyn FnMut(&ActedInspection) -> bool,
    ) -> Result<Recorded, StoreError> {
        self.begin()?;
        let files_before = self.batch.files.len();
        let recorded = match outcome {
            Outcome::Acted(acted) => self.record_acted(acted, keep),
            Outcome::Late(inspection) => self.record_late(inspection),
        };
        match recorded.and_then(|recorded| self.execute("RELEASE part").map(|()| recorded)) {
            Ok(recorded) => {
                self.batch.entries += 1;
                Ok(recorded)
            }
            Err(error) => Err(self.undo(files_before, error)),
        }
    }

    /// Counts an event, as part of the batch.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn count_event(&mut self, event: &Event, at: CaptureTime) -> Result<(), StoreError> {
        self.begin()?;
        let counted = write::count_event(&self.db, self.run, event, at)
            .map_err(|error| self.sql("count an event", error))
            .and_then(|()| self.execute("RELEASE part"));
        match counted {
            Ok(()) => {
                self.batch.entries += 1;
                Ok(())
            }
            Err(error) => Err(self.undo(self.batch.files.len(), error)),
        }
    }

    /// Makes all that was recorded last, and lets other connections write.
    ///
    /// Call it every few parts or every second, whichever comes first. It outlasts a kill at once;
    /// a power cut may take the last flushes, but never part of one.
    ///
    /// # Errors
    /// [`StoreError::BatchLost`] when the batch could not be written; the writer can go on.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        if self.db.is_autocommit() {
            return Ok(());
        }
        match self.sync_folder().and_then(|()| self.execute("COMMIT")) {
            Ok(()) => {
                self.batch = Batch::default();
                Ok(())
            }
            Err(error) => Err(self.lose_batch(error)),
        }
    }

    /// Flushes, and writes down that the run ended.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn finish(mut self, ended_at: WallTime) -> Result<(), StoreError> {
        self.flush()?;
        self.db
            .execute(
                "UPDATE run SET ended_wall_ns = ?1 WHERE id = ?2",
                (ended_at.unix_ns, self.run.0),
            )
            .map_err(|error| self.sql("write down the end of the run", error))?;
        Ok(())
    }

    fn record_acted(
        &mut self,
        acted: &ActedInspection,
        keep: &mut dyn FnMut(&ActedInspection) -> bool,
    ) -> Result<Recorded, StoreError> {
        let inspection = &acted.inspection;
        let (db, run, part) = (&self.db, self.run, inspection.part);
        let written = write::provenance_id(db, &inspection.provenance)
            .and_then(|provenance| write::insert_part(db, run, provenance, acted))
            .and_then(|()| {
                let mut defects = inspection.defects.iter().enumerate();
                defects.try_for_each(|(i, defect)| write::insert_defect(db, run, part, i, defect))
            });
        written.map_err(|error| self.refused(part, error))?;
        let kept = inspection.verdict != Verdict::Pass || keep(acted);
        self.record_views(inspection)?;
        if kept { self.record_images(inspection) } else { Ok(Recorded::default()) }
    }

    fn record_late(&mut self, inspection: &Inspection) -> Result<Recorded, StoreError> {
        let (db, run, part) = (&self.db, self.run, inspection.part);
        let (has_views, has_images) = write::insert_late(db, run, inspection)
            .and_then(|()| write::has_views_and_images(db, run, part))
            .map_err(|error| self.refused(part, error))?;
        if !has_views {
            self.record_views(inspection)?;
        }
        if has_images { Ok(Recorded::default()) } else { self.record_images(inspection) }
    }

    fn record_views(&self, inspection: &Inspection) -> Result<(), StoreError> {
        let (db, run, part) = (&self.db, self.run, inspection.part);
        let mut views = inspection.views.iter().enumerate();
        views
            .try_for_each(|(i, view)| write::insert_view(db, run, part, i, view))
            .map_err(|error| self.refused(part, error))
    }

    fn record_images(&mut self, inspection: &Inspection) -> Result<Recorded, StoreError> {
        let part = inspection.part;
        let mut recorded = Recorded::default();
        for (i, view) in inspection.pictures.iter().enumerate().take(inspection.views.len()) {
            self.keep_picture(part, i, view, &mut recorded)?;
            if let Some(Some(map)) = inspection.heatmaps.get(i) {
                self.keep_heatmap(part, i, view, map, &mut recorded)?;
            }
        }
        Ok(recorded)
    }

    fn keep_picture(
        &mut self,
        part: PartId,
        index: usize,
        view: &View,
        recorded: &mut Recorded,
    ) -> Result<(), StoreError> {
        let format = view.frame.pixels.format();
        let Some(kept) = picture::kept_of(format, view.frame.size(), view.crop_in_frame) else {
            recorded.left_out.push(format!(
                "{part}, view {}: the crop {} lies outside the frame {}",
                view.name,
                view.crop_in_frame,
                view.frame.size()
            ));
            return Ok(());
        };
        self.png.clear();
        if let Err(error) = picture::encode_picture(&mut self.png, &view.frame, kept) {
            recorded.left_out.push(format!("{part}, view {}: {error}", view.name));
            return Ok(());
        }
        let size = SizePx::new(kept.width, kept.height);
        self.keep_image(part, index, &view.name, ImageKind::Picture, (format, size, kept), recorded)
    }

    fn keep_heatmap(
        &mut self,
        part: PartId,
        index: usize,
        view: &View,
        map: &Heatmap,
        recorded: &mut Recorded,
    ) -> Result<(), StoreError> {
        self.png.clear();
        if let Err(error) = picture::encode_heatmap(&mut self.png, map) {
            recorded.left_out.push(format!("{part}, heatmap of view {}: {error}", view.name));
            return Ok(());
        }
        let shape = (PixelFormat::Gray8, SizePx::new(map.width, map.height), map.covers);
        self.keep_image(part, index, &view.name, ImageKind::Heatmap, shape, recorded)
    }

    /// Writes the PNG that was just made, and its row.
    fn keep_image(
        &mut self,
        part: PartId,
        view: usize,
        view_name: &str,
        kind: ImageKind,
        (format, size, covers): (PixelFormat, SizePx, RectPx),
        recorded: &mut Recorded,
    ) -> Result<(), StoreError> {
        let path = files::image_path(self.run, part, view, view_name, kind);
        let file = self.folder.join(&path);
        files::write_whole(&file, &self.png)
            .map_err(|error| StoreError::io(&file, "keep an image", error))?;
        self.batch.files.push(file);
        let size_bytes = self.png.len() as u64;
        let sha256 = Sha256::of(&self.png);
        let image = ImageRow { view, kind, path, format, size, covers, sha256, size_bytes };
        write::insert_image(&self.db, self.run, part, &image)
            .map_err(|error| self.refused(part, error))?;
        recorded.images += 1;
        recorded.image_bytes += size_bytes;
        Ok(())
    }

    /// Opens a batch when there is none, and in it what can be undone alone.
    fn begin(&mut self) -> Result<(), StoreError> {
        if self.db.is_autocommit() {
            let doing = "begin a batch";
            let busy = || StoreError::Busy { path: self.folder.join(DATABASE), doing };
            let turn = self.turn.take(schema::BUSY_WAIT).ok_or_else(busy)?;
            self.execute("BEGIN IMMEDIATE")?;
            self.batch.turn = Some(turn);
        }
        self.execute("SAVEPOINT part")
    }

    /// Takes back what failed; the batch as well when SQLite already has, or when it was empty.
    fn undo(&mut self, files_before: usize, error: StoreError) -> StoreError {
        let batch_stands = self.batch.entries > 0
            && !self.db.is_autocommit()
            && self.execute("ROLLBACK TO part; RELEASE part").is_ok();
        if !batch_stands {
            return self.lose_batch(error);
        }
        remove(self.batch.files.split_off(files_before));
        error
    }

    fn lose_batch(&mut self, error: StoreError) -> StoreError {
        if !self.db.is_autocommit() {
            // On failure SQLite has rolled back by itself or will when it opens the file again.
            let _ = self.execute("ROLLBACK");
        }
        let Batch { entries, files, .. } = std::mem::take(&mut self.batch);
        remove(files);
        match entries {
            0 => error,
            entries => StoreError::BatchLost { entries, source: Box::new(error) },
        }
    }

    fn sync_folder(&self) -> Result<(), StoreError> {
        if self.batch.files.is_empty() {
            return Ok(());
        }
        let folder = self.folder.join(files::run_folder(self.run));
        files::sync_folder(&folder).map_err(|error| StoreError::io(&folder, "sync", error))
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.db.execute_batch(sql).map_err(|error| self.sql("write the batch", error))
    }

    fn sql(&self, doing: &'static str, error: rusqlite::Error) -> StoreError {
        StoreError::sql(&self.folder.join(DATABASE), doing, error)
    }

    /// Why a part's rows were not taken.
    fn refused(&self, part: PartId, error: rusqlite::Error) -> StoreError {
        let run = self.run;
        let Some(failure) = error.sqlite_error() else { return self.sql("write a part", error) };
        match (failure.code, failure.extended_code) {
            (_, ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => StoreError::AlreadyAnswered { run, part },
            (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => StoreError::NotAnswered { run, part },
            (ErrorCode::ConstraintViolation, _) => {
                StoreError::Refused { run, part, cause: error.to_string() }
            }
            _ => self.sql("write a part", error),
        }
    }
}

/// Removes files whose rows were never committed.
fn remove(files: Vec<PathBuf>) {
    for file in files {
        if let Err(error) = fs::remove_file(&file) {
            tracing::warn!(target: "store", file = %file.display(), %error, "image left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckReport, PartFilter, Reader, Store, StoreError, VerdictWord, check, example};
    use crate::{read_heatmap, read_picture};
    use domain::{Conservation, MonoTime, Pixels};
    use std::path::Path;
    use tempfile::TempDir;

    fn writer() -> (TempDir, Writer) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(dir.path()).unwrap();
        let mut writer = store.start_run(&example::START).unwrap();
        writer.keep_recipe(&example::recipe()).unwrap();
        (dir, writer)
    }

    fn record(writer: &mut Writer, outcome: &Outcome) -> Result<Recorded, StoreError> {
        writer.record(outcome, &mut |_| false)
    }

    fn end(writer: Writer) {
        writer.finish(WallTime { unix_ns: 9_000 }).unwrap();
    }

    fn acted(outcome: &Outcome) -> &ActedInspection {
        match outcome {
            Outcome::Acted(acted) => acted,
            Outcome::Late(_) => panic!("expected an answer"),
        }
    }

    fn files(dir: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(dir.join("images/000001")).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    fn clean(dir: &Path) -> CheckReport {
        let report = check(dir).unwrap();
        assert!(report.is_clean(), "{report:?}");
        report
    }

    #[test]
    fn everything_known_of_a_part_comes_back() {
        let (dir, mut writer) = writer();
        let verdicts = example::verdicts();
        let outcomes: Vec<Outcome> = (1..)
            .zip(verdicts)
            .map(|(number, verdict)| example::outcome(number, verdict))
            .collect();
        for outcome in &outcomes {
            record(&mut writer, outcome).unwrap();
        }
        let run = writer.run();
        end(writer);
        let reader = Reader::open(dir.path()).unwrap();
        for outcome in &outcomes {
            let acted = acted(outcome);
            let told = &acted.inspection;
            let detail = reader.part(run, told.part).unwrap().unwrap();
            let row = &detail.row;
            assert_eq!((row.part, row.triggered_at), (told.part, told.triggered_at));
            assert_eq!((&row.verdict, row.score), (&told.verdict, told.score));
            assert_eq!(row.condition, told.condition);
            assert_eq!((row.gate, row.told_at, row.due), (acted.gate, acted.told_at, acted.due));
            assert_eq!((row.answered_by, &row.plc), (acted.answered_by, &acted.plc));
            assert_eq!((detail.motion, &detail.classes), (told.motion, &told.classes));
            assert_eq!((detail.times, &detail.provenance), (told.times, &told.provenance));
            assert_eq!((&detail.defects, &detail.views), (&told.defects, &told.views));
            assert_eq!(detail.late, None);
        }
        let recipe = reader.recipe(example::recipe().hash()).unwrap().unwrap();
        assert_eq!(recipe.check().unwrap().hash(), example::recipe().hash());
        assert_eq!(clean(dir.path()).parts, outcomes.len() as u64);
    }

    #[test]
    fn rare_words_come_back_too() {
        let (dir, mut writer) = writer();
        let mut inspection = example::inspection(1, Verdict::Pass);
        inspection.condition = domain::PartCondition::Merged { parts_estimated: 3 };
        inspection.motion = None;
        inspection.provenance.model = None;
        inspection.provenance.calibration = Some(Sha256::of(b"lens"));
        inspection.triggered_at.mono = MonoTime::from_ns(u64::MAX);
        inspection.defects[0].mask = None;
        inspection.views[0].origin = Some("a/b.png".into());
        let mut acted = example::acted(inspection, domain::AnsweredBy::Inspection);
        acted.plc = domain::PlcAnswer::Failed { message: "no route".into() };
        let outcome = Outcome::Acted(Box::new(acted));
        record(&mut writer, &outcome).unwrap();
        let run = writer.run();
        end(writer);
        let detail = Reader::open(dir.path()).unwrap().part(run, PartId(1)).unwrap().unwrap();
        let Outcome::Acted(acted) = &outcome else { unreachable!() };
        let told = &acted.inspection;
        assert_eq!((&detail.row.condition, &detail.row.plc), (&told.condition, &acted.plc));
        assert_eq!((detail.motion, &detail.provenance), (None, &told.provenance));
        assert_eq!((&detail.defects, &detail.views), (&told.defects, &told.views));
        // The end of SQLite's numbers stands for the end of the clock.
        assert_eq!(detail.row.triggered_at.mono.ns, u64::MAX / 2);
    }

    #[test]
    fn a_verdict_on_its_way_is_kept_as_such() {
        let (dir, mut writer) = writer();
        let inspection = example::inspection(1, Verdict::Pass);
        let mut acted = example::acted(inspection, domain::AnsweredBy::Inspection);
        acted.plc = domain::PlcAnswer::Queued;
        record(&mut writer, &Outcome::Acted(Box::new(acted))).unwrap();
        let run = writer.run();
        end(writer);
        let detail = Reader::open(dir.path()).unwrap().part(run, PartId(1)).unwrap().unwrap();
        assert_eq!(detail.row.plc, domain::PlcAnswer::Queued);
    }

    #[test]
    fn the_sum_of_verdicts_is_the_number_of_parts() {
        let (dir, mut writer) = writer();
        let verdicts = example::verdicts();
        for (number, verdict) in (1..=200).zip(verdicts.iter().cycle()) {
            let mut inspection = example::inspection(number, verdict.clone());
            inspection.pictures.clear();
            let acted = example::acted(inspection, domain::AnsweredBy::Inspection);
            record(&mut writer, &Outcome::Acted(Box::new(acted))).unwrap();
        }
        let run = writer.run();
        end(writer);
        let reader = Reader::open(dir.path()).unwrap();
        let counts = reader.counts(Some(run)).unwrap();
        let conservation = Conservation {
            triggered: 200,
            passed: counts.passed,
            rejected: counts.rejected,
            undecided: counts.undecided,
            in_line: 0,
        };
        assert!(conservation.holds(), "{conservation:?}");
        assert_eq!((counts.passed, counts.rejected), (19, 19));
        let runs = reader.runs().unwrap();
        assert_eq!((runs[0].counts, runs.len()), (counts, 1));
        assert_eq!(runs[0].ended_at, Some(WallTime { unix_ns: 9_000 }));
        assert_eq!(clean(dir.path()).parts, 200);
    }

    #[test]
    fn pages_hold_every_part_once_newest_first() {
        let (dir, mut writer) = writer();
        for number in 1..=25 {
            let verdict = if number % 5 == 0 { example::reject() } else { Verdict::Pass };
            record(&mut writer, &example::outcome(number, verdict)).unwrap();
        }
        let run = writer.run();
        end(writer);
        let reader = Reader::open(dir.path()).unwrap();
        let all = |verdict, run| {
            let mut filter = PartFilter { run, verdict, limit: 4, after: None };
            let mut numbers = Vec::new();
            loop {
                let page = reader.parts(&filter).unwrap();
                let Some(last) = page.last() else { return numbers };
                assert!(page.len() <= 4);
                filter.after = Some((last.run, last.part));
                numbers.extend(page.iter().map(|row| row.part.0));
            }
        };
        let newest_first: Vec<u64> = (1..=25).rev().collect();
        assert_eq!(all(None, None), newest_first);
        assert_eq!(all(None, Some(run)), newest_first);
        assert_eq!(all(Some(VerdictWord::Reject), Some(run)), [25, 20, 15, 10, 5]);
        assert_eq!(all(Some(VerdictWord::Undecided), None), [0_u64; 0]);
        assert_eq!(all(None, Some(RunId(99))), [0_u64; 0]);
        assert_eq!(reader.part(run, PartId(26)).unwrap(), None);
    }

    #[test]
    fn a_part_gets_exactly_one_verdict() {
        let (dir, mut writer) = writer();
        record(&mut writer, &example::outcome(1, Verdict::Pass)).unwrap();
        let error = record(&mut writer, &example::outcome(1, example::reject())).unwrap_err();
        assert!(matches!(error, StoreError::AlreadyAnswered { part: PartId(1), .. }), "{error}");
        // The batch stands, and nothing of the second verdict is left.
        record(&mut writer, &example::outcome(2, Verdict::Pass)).unwrap();
        let run = writer.run();
        end(writer);
        let reader = Reader::open(dir.path()).unwrap();
        assert_eq!(reader.part(run, PartId(1)).unwrap().unwrap().row.verdict, Verdict::Pass);
        assert_eq!(reader.counts(None).unwrap().total(), 2);
        assert!(files(dir.path()).is_empty());
        clean(dir.path());
    }

    #[test]
    fn the_schema_refuses_what_contradicts_itself() {
        let (dir, mut writer) = writer();
        let mut no_number = example::inspection(1, Verdict::Pass);
        no_number.score = f32::NAN;
        let mut too_much = example::inspection(2, Verdict::Pass);
        too_much.score = 1.5;
        let for_nothing = example::inspection(3, Verdict::Reject { reasons: vec![] });
        let part_zero = example::inspection(0, Verdict::Pass);
        for inspection in [no_number, too_much, for_nothing, part_zero] {
            let acted = example::acted(inspection, domain::AnsweredBy::Inspection);
            let error = record(&mut writer, &Outcome::Acted(Box::new(acted))).unwrap_err();
            assert!(matches!(error, StoreError::Refused { .. }), "{error}");
        }
        let db = &writer.db;
        record_row(db, "pass", "pass").unwrap();
        record_row(db, "perhaps", "pass").unwrap_err();
        record_row(db, "pass", "throw").unwrap_err();
        drop(writer);
        assert!(files(dir.path()).is_empty());
    }

    fn record_row(db: &Connection, verdict: &str, gate: &str) -> rusqlite::Result<usize> {
        db.execute(
            "INSERT OR IGNORE INTO provenance VALUES (1, format('%064d', 0), NULL, NULL, '', 0)",
            [],
        )?;
        db.execute(
            "INSERT INTO part VALUES (1, (SELECT 1 + count(*) FROM part), 1, 0, 0, ?1, NULL, NULL,
             0, 'whole', NULL, NULL, NULL, '[]', ?2, 0, 0, 'inspection', 'logged', NULL,
             0, 0, 0, 0, 0, 0)",
            (verdict, gate),
        )
    }

    #[test]
    fn a_late_inspection_is_kept_beside_the_part_and_changes_nothing() {
        let (dir, mut writer) = writer();
        let run = writer.run();
        record(&mut writer, &example::deadline(1)).unwrap();
        writer.flush().unwrap();
        let before = Reader::open(dir.path()).unwrap().part(run, PartId(1)).unwrap().unwrap();
        assert_eq!((before.row.answered_by, before.views.len()), (domain::AnsweredBy::FailSafe, 0));

        let late = example::inspection(1, example::reject());
        let recorded = record(&mut writer, &Outcome::Late(Box::new(late))).unwrap();
        assert_eq!(recorded.images, 3);
        end(writer);
        let after = Reader::open(dir.path()).unwrap().part(run, PartId(1)).unwrap().unwrap();
        assert_eq!(after.row, before.row);
        assert_eq!((after.defects.len(), after.views.len()), (0, 2));
        let late = after.late.unwrap();
        assert_eq!((late.verdict, late.score), (example::reject(), 0.9));
        assert!(late.inspection_json.contains("scratch"));
        assert_eq!(Reader::open(dir.path()).unwrap().counts(None).unwrap().undecided, 1);
        clean(dir.path());
    }

    #[test]
    fn a_late_inspection_needs_a_part_and_comes_once() {
        let (dir, mut writer) = writer();
        let late = || Outcome::Late(Box::new(example::inspection(1, Verdict::Pass)));
        let error = record(&mut writer, &late()).unwrap_err();
        assert!(matches!(error, StoreError::NotAnswered { part: PartId(1), .. }), "{error}");
        record(&mut writer, &example::outcome(1, example::late_verdict())).unwrap();
        let images = files(dir.path());
        assert_eq!(record(&mut writer, &late()).unwrap().images, 0);
        let error = record(&mut writer, &late()).unwrap_err();
        assert!(matches!(error, StoreError::AlreadyAnswered { .. }), "{error}");
        assert_eq!(files(dir.path()), images);
        end(writer);
        clean(dir.path());
    }

    #[test]
    fn rejected_and_undecided_keep_their_images_and_passed_ones_when_asked() {
        let (dir, mut writer) = writer();
        for (number, verdict) in (1..).zip(example::verdicts()) {
            let asked = std::cell::Cell::new(false);
            let outcome = example::outcome(number, verdict.clone());
            let recorded = writer
                .record(&outcome, &mut |_| {
                    asked.set(true);
                    false
                })
                .unwrap();
            assert_eq!(recorded.images, if verdict == Verdict::Pass { 0 } else { 3 });
            assert_eq!(asked.get(), verdict == Verdict::Pass);
            assert!(recorded.left_out.is_empty());
        }
        let recorded = writer.record(&example::outcome(50, Verdict::Pass), &mut |_| true).unwrap();
        let on_disk: u64 = files(dir.path())
            .iter()
            .filter(|file| file.to_str().unwrap().contains("/000050_"))
            .map(|file| fs::metadata(file).unwrap().len())
            .sum();
        assert_eq!((recorded.images, recorded.image_bytes), (3, on_disk));
    }

    #[test]
    fn kept_pictures_and_heatmaps_are_the_very_samples() {
        let (dir, mut writer) = writer();
        let outcome = example::outcome(1, example::reject());
        record(&mut writer, &outcome).unwrap();
        let run = writer.run();
        end(writer);
        let reader = Reader::open(dir.path()).unwrap();
        let images = reader.part(run, PartId(1)).unwrap().unwrap().images;
        let kinds: Vec<_> = images.iter().map(|image| (image.view, image.kind)).collect();
        assert_eq!(
            kinds,
            [(0, ImageKind::Picture), (0, ImageKind::Heatmap), (1, ImageKind::Picture)]
        );
        let told = &acted(&outcome).inspection;
        for image in &images {
            let file = reader.image_file(image).unwrap();
            if image.kind == ImageKind::Heatmap {
                assert_eq!(Some(read_heatmap(&file).unwrap()), told.heatmaps[image.view]);
                assert_eq!(image.covers, told.views[image.view].crop_in_frame);
                continue;
            }
            let picture = read_picture(&file).unwrap();
            let frame = &told.pictures[image.view].frame.pixels;
            assert_eq!((picture.crop, picture.pixels.size()), (image.covers, image.size));
            assert_eq!(picture.pixels.format(), image.format);
            let crop = picture.crop;
            assert!(crop.contains(&told.views[image.view].crop_in_frame));
            for y in 0..crop.height {
                let whole = frame.plane(0).row((crop.y + y) as usize);
                let kept = &whole[crop.x as usize..crop.right() as usize];
                assert_eq!(picture.pixels.plane(0).row(y as usize), kept);
            }
        }
    }

    #[test]
    fn hostile_names_stay_in_the_folder_and_come_back_as_they_are() {
        let (dir, mut writer) = writer();
        let hostile = ["../../../etc/passwd", "/abs\0olute\n", "..", "a'; DROP TABLE part; --", ""];
        for (number, name) in (1..).zip(hostile) {
            let mut inspection = example::inspection(number, example::reject());
            for (view, record) in inspection.pictures.iter_mut().zip(&mut inspection.views) {
                view.name = name.into();
                view.frame.camera = domain::CameraId::new(name);
                *record = domain::ViewRecord::from(&*view);
            }
            let acted = example::acted(inspection, domain::AnsweredBy::Inspection);
            let recorded = record(&mut writer, &Outcome::Acted(Box::new(acted))).unwrap();
            assert_eq!((recorded.images, recorded.left_out.len()), (3, 0));
        }
        let run = writer.run();
        end(writer);
        assert_eq!(files(dir.path()).len(), 3 * hostile.len());
        assert_eq!(fs::read_dir(dir.path().join("images")).unwrap().count(), 1);
        let reader = Reader::open(dir.path()).unwrap();
        for (number, name) in (1..).zip(hostile) {
            let views = reader.part(run, PartId(number)).unwrap().unwrap().views;
            assert_eq!((&*views[0].name, views[0].camera.as_str()), (name, name));
        }
        clean(dir.path());
    }

    #[test]
    fn an_image_that_cannot_be_made_is_told_and_the_row_is_written() {
        let (dir, mut writer) = writer();
        let mut inspection = example::inspection(1, example::reject());
        inspection.pictures[0].crop_in_frame = RectPx::new(31, 0, 5, 5);
        inspection.heatmaps[0].as_mut().unwrap().values.pop();
        let acted = example::acted(inspection, domain::AnsweredBy::Inspection);
        let recorded = record(&mut writer, &Outcome::Acted(Box::new(acted))).unwrap();
        assert_eq!((recorded.images, recorded.left_out.len()), (1, 2));
        assert!(recorded.left_out[0].contains("outside the frame 31x23"), "{recorded:?}");
        end(writer);
        assert_eq!(clean(dir.path()).parts, 1);
    }

    #[test]
    fn a_killed_writer_leaves_a_readable_store_and_orphans_that_are_found() {
        let (dir, mut writer) = writer();
        record(&mut writer, &example::outcome(1, example::reject())).unwrap();
        writer.flush().unwrap();
        record(&mut writer, &example::outcome(2, example::reject())).unwrap();
        drop(writer);
        let reader = Reader::open(dir.path()).unwrap();
        assert_eq!(reader.counts(None).unwrap().total(), 1);
        assert_eq!(reader.runs().unwrap()[0].ended_at, None);
        let report = check(dir.path()).unwrap();
        assert_eq!((report.parts, report.images, report.orphans.len()), (1, 3, 3));
        assert!(CheckReport { orphans: vec![], ..report.clone() }.is_clean());
        assert!(report.orphans.iter().all(|file| file.to_str().unwrap().contains("/000002_")));
        // The next run goes on beside it.
        let store = Store::create_or_open(dir.path()).unwrap();
        let mut next = store.start_run(&example::START).unwrap();
        assert_eq!(next.run(), RunId(2));
        record(&mut next, &example::outcome(1, Verdict::Pass)).unwrap();
        end(next);
    }

    #[test]
    fn nothing_is_seen_before_the_flush_and_all_of_it_after() {
        let (dir, mut writer) = writer();
        let reader = Reader::open(dir.path()).unwrap();
        record(&mut writer, &example::outcome(1, Verdict::Pass)).unwrap();
        assert_eq!(reader.counts(None).unwrap().total(), 0);
        writer.flush().unwrap();
        assert_eq!(reader.counts(None).unwrap().total(), 1);
        writer.flush().unwrap();
    }

    #[test]
    fn a_full_database_loses_the_batch_aloud_and_goes_on() {
        let (dir, mut writer) = writer();
        record(&mut writer, &example::outcome(1, Verdict::Pass)).unwrap();
        writer.flush().unwrap();
        let pages: i64 = writer.db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        let limit = |writer: &Writer, pages: i64| {
            writer
                .db
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
                .unwrap();
        };
        limit(&writer, pages + 2);
        let mut recorded = 0;
        let error = loop {
            match record(&mut writer, &example::outcome(2 + recorded, example::reject())) {
                Ok(_) => recorded += 1,
                Err(error) => break error,
            }
            assert!(recorded < 1_000, "the limit did nothing");
        };
        let lost = match &error {
            StoreError::DiskFull { .. } => 0,
            StoreError::BatchLost { entries, source } => {
                assert!(matches!(**source, StoreError::DiskFull { .. }), "{error}");
                assert_eq!(*entries, recorded);
                recorded
            }
            _ => panic!("{error}"),
        };
        // With room again the writer goes on, and what it said is so.
        limit(&writer, 1_000_000);
        record(&mut writer, &example::outcome(5_000, example::reject())).unwrap();
        end(writer);
        let parts = Reader::open(dir.path()).unwrap().counts(None).unwrap().total();
        assert_eq!(parts, 2 + recorded - lost);
        let report = check(dir.path()).unwrap();
        assert!(report.orphans.is_empty() && report.missing.is_empty(), "{report:?}");
    }

    #[test]
    fn a_full_disk_under_the_images_is_told_and_nothing_of_the_part_is_left() {
        let (dir, mut writer) = writer();
        record(&mut writer, &example::outcome(1, example::reject())).unwrap();
        // The second part's second picture meets a device without room.
        let path = files::image_path(writer.run(), PartId(2), 1, "side", ImageKind::Picture);
        let unfinished = files::unfinished(&dir.path().join(path));
        std::os::unix::fs::symlink("/dev/full", unfinished).unwrap();
        let error = record(&mut writer, &example::outcome(2, example::reject())).unwrap_err();
        assert!(matches!(&error, StoreError::DiskFull { .. }), "{error}");
        assert!(error.to_string().contains("000002_1_side.png"), "{error}");
        assert!(files(dir.path()).iter().all(|file| file.to_str().unwrap().contains("/000001_")));
        record(&mut writer, &example::outcome(2, example::reject())).unwrap();
        end(writer);
        assert_eq!(clean(dir.path()).images, 6);
    }

    #[test]
    fn two_runs_write_the_same_store_in_turns() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(dir.path()).unwrap();
        let mut writers = [(); 2].map(|()| store.start_run(&example::START).unwrap());
        writers[0].keep_recipe(&example::recipe()).unwrap();
        for number in 1..=3 {
            for writer in &mut writers {
                record(writer, &example::outcome(number, example::reject())).unwrap();
                writer.flush().unwrap();
            }
        }
        writers.into_iter().for_each(end);
        assert_eq!(clean(dir.path()).images, 18);
    }

    #[test]
    fn another_connection_that_holds_the_database_is_named() {
        let (dir, mut writer) = writer();
        let other = Connection::open(dir.path().join(DATABASE)).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        writer.db.busy_timeout(std::time::Duration::ZERO).unwrap();
        let error = record(&mut writer, &example::outcome(1, Verdict::Pass)).unwrap_err();
        assert!(matches!(error, StoreError::Busy { .. }), "{error}");
        other.execute_batch("ROLLBACK").unwrap();
        record(&mut writer, &example::outcome(1, Verdict::Pass)).unwrap();
    }

    #[test]
    fn a_refused_part_takes_no_event_with_it() {
        let (dir, mut writer) = writer();
        record(&mut writer, &example::outcome(1, Verdict::Pass)).unwrap();
        writer.flush().unwrap();
        let at = CaptureTime::default();
        writer.count_event(&Event::PartCut { part: PartId(1) }, at).unwrap();
        record(&mut writer, &example::outcome(1, Verdict::Pass)).unwrap_err();
        let run = writer.run();
        end(writer);
        assert_eq!(Reader::open(dir.path()).unwrap().events(run).unwrap()[0].count, 1);
    }

    #[test]
    fn events_are_counted() {
        let (dir, mut writer) = writer();
        let event = |frame| Event::BlobIgnored { camera: domain::CameraId::new("top"), frame };
        let at = |ns| CaptureTime { mono: MonoTime::from_ns(ns), wall: WallTime { unix_ns: 5 } };
        for frame in 0..300 {
            writer.count_event(&event(frame), at(frame * 10)).unwrap();
        }
        writer.count_event(&Event::PartCut { part: PartId(4) }, at(7)).unwrap();
        let run = writer.run();
        end(writer);
        let events = Reader::open(dir.path()).unwrap().events(run).unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!((events[0].name.as_str(), events[0].count), ("blob_ignored", 300));
        assert_eq!((&events[0].last, events[0].last_at), (&event(299), at(2_990)));
        assert_eq!((events[1].name.as_str(), events[1].count), ("part_cut", 1));
    }
}
