//! The rows of the database, written: takes the domain's words, gives rows. A function a table;
//! what the columns mean is said in `schema.sql`.

use std::time::Duration;

use domain::{
    ActedInspection, CaptureTime, CheckedRecipe, Defect, Event, Inspection, PartCondition, PartId,
    PlcAnswer, Provenance, Sha256, Stage, Verdict, ViewRecord,
};
use rusqlite::{Connection, OptionalExtension, Result, named_params};

use super::{int, place};
use crate::words::{json, word};
use crate::{ImageRow, RunId};

fn micros(spent: Duration) -> i64 {
    i64::try_from(spent.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn insert_recipe(db: &Connection, recipe: &CheckedRecipe) -> Result<()> {
    let written = recipe.as_written();
    db.execute(
        "INSERT INTO recipe (sha256, name, recipe_json) VALUES (?1, ?2, ?3)
         ON CONFLICT (sha256) DO NOTHING",
        (recipe.hash().to_string(), &written.name, json(written)),
    )?;
    Ok(())
}

/// Number of the row that says `provenance`; makes it when it is new.
pub(crate) fn provenance_id(db: &Connection, provenance: &Provenance) -> Result<i64> {
    let hash = |hash: Option<Sha256>| hash.map(|hash| hash.to_string());
    let values = (
        provenance.recipe.to_string(),
        hash(provenance.model),
        hash(provenance.calibration),
        &*provenance.software,
        provenance.is_simulated,
    );
    let known = db
        .prepare_cached(
            "SELECT id FROM provenance WHERE recipe_sha256 = ?1 AND model_sha256 IS ?2
             AND calibration_sha256 IS ?3 AND software = ?4 AND is_simulated = ?5",
        )?
        .query_row(values.clone(), |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    db.execute(
        "INSERT INTO provenance
         (recipe_sha256, model_sha256, calibration_sha256, software, is_simulated)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        values,
    )?;
    Ok(db.last_insert_rowid())
}

pub(crate) fn insert_part(
    db: &Connection,
    run: RunId,
    provenance_id: i64,
    acted: &ActedInspection,
) -> Result<()> {
    let inspection = &acted.inspection;
    let (reasons_json, why_json) = verdict_columns(&inspection.verdict);
    let (condition, parts_estimated) = condition_columns(&inspection.condition);
    let (plc, plc_message) = plc_columns(&acted.plc);
    let velocity = inspection.motion.map(|motion| motion.velocity_px_per_s);
    let spent = |stage| micros(inspection.times.of(stage));
    db.prepare_cached(INSERT_PART)?.execute(named_params! {
        ":run": run.0,
        ":number": int(inspection.part.0),
        ":provenance": provenance_id,
        ":triggered_mono": int(inspection.triggered_at.mono.ns),
        ":triggered_wall": inspection.triggered_at.wall.unix_ns,
        ":verdict": inspection.verdict.word(),
        ":reasons": reasons_json,
        ":why": why_json,
        ":score": inspection.score,
        ":condition": condition,
        ":parts_estimated": parts_estimated,
        ":velocity_x": velocity.map(|velocity| velocity.x),
        ":velocity_y": velocity.map(|velocity| velocity.y),
        ":classes": json(&inspection.classes),
        ":gate": word(&acted.gate),
        ":told": int(acted.told_at.ns),
        ":due": int(acted.due.ns),
        ":answered_by": word(&acted.answered_by),
        ":plc": plc,
        ":plc_message": plc_message,
        ":capture": spent(Stage::Capture),
        ":locate": spent(Stage::Locate),
        ":prepare": spent(Stage::Prepare),
        ":infer": spent(Stage::Infer),
        ":decide": spent(Stage::Decide),
        ":act": spent(Stage::Act),
    })?;
    Ok(())
}

const INSERT_PART: &str = "INSERT INTO part (run_id, number, provenance_id,
    triggered_mono_ns, triggered_wall_ns, verdict, reasons_json, why_json, score,
    condition, parts_estimated, velocity_x_px_per_s, velocity_y_px_per_s, classes_json,
    gate, told_mono_ns, due_mono_ns, answered_by, plc, plc_message,
    capture_us, locate_us, prepare_us, infer_us, decide_us, act_us)
    VALUES (:run, :number, :provenance,
    :triggered_mono, :triggered_wall, :verdict, :reasons, :why, :score,
    :condition, :parts_estimated, :velocity_x, :velocity_y, :classes,
    :gate, :told, :due, :answered_by, :plc, :plc_message,
    :capture, :locate, :prepare, :infer, :decide, :act)";

fn verdict_columns(verdict: &Verdict) -> (Option<String>, Option<String>) {
    match verdict {
        Verdict::Pass => (None, None),
        Verdict::Reject { reasons } => (Some(json(reasons)), None),
        Verdict::Undecided { why } => (None, Some(json(why))),
    }
}

fn condition_columns(condition: &PartCondition) -> (&'static str, Option<u32>) {
    match *condition {
        PartCondition::Whole => ("whole", None),
        PartCondition::Cut => ("cut", None),
        PartCondition::Merged { parts_estimated } => ("merged", Some(parts_estimated)),
    }
}

fn plc_columns(answer: &PlcAnswer) -> (&'static str, Option<&str>) {
    match answer {
        PlcAnswer::Logged => ("logged", None),
        PlcAnswer::Taken => ("taken", None),
        PlcAnswer::Queued => ("queued", None),
        PlcAnswer::Failed { message } => ("failed", Some(message)),
    }
}

pub(crate) fn insert_defect(
    db: &Connection,
    run: RunId,
    part: PartId,
    position: usize,
    defect: &Defect,
) -> Result<()> {
    let at = defect.box_in_frame;
    db.prepare_cached(
        "INSERT INTO defect VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(rusqlite::params![
        run.0,
        int(part.0),
        place(position),
        defect.kind,
        place(defect.view),
        at.x,
        at.y,
        at.width,
        at.height,
        int(defect.area_px),
        defect.score.get(),
        defect.mask.as_ref().map(json),
        defect.mm.as_ref().map(json),
    ])?;
    Ok(())
}

pub(crate) fn insert_view(
    db: &Connection,
    run: RunId,
    part: PartId,
    position: usize,
    view: &ViewRecord,
) -> Result<()> {
    let (seen, crop) = (view.box_in_frame, view.crop_in_frame);
    db.prepare_cached(
        "INSERT INTO view
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
             ?18)",
    )?
    .execute(rusqlite::params![
        run.0,
        int(part.0),
        place(position),
        view.name,
        view.camera.as_str(),
        int(view.frame),
        view.origin,
        int(view.at.mono.ns),
        view.at.wall.unix_ns,
        seen.x,
        seen.y,
        seen.width,
        seen.height,
        crop.x,
        crop.y,
        crop.width,
        crop.height,
        view.pose.as_ref().map(json),
    ])?;
    Ok(())
}

pub(crate) fn has_views_and_images(
    db: &Connection,
    run: RunId,
    part: PartId,
) -> Result<(bool, bool)> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM view WHERE run_id = ?1 AND part_number = ?2),
                EXISTS (SELECT 1 FROM image WHERE run_id = ?1 AND part_number = ?2)",
    )?
    .query_row((run.0, int(part.0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(crate) fn insert_image(
    db: &Connection,
    run: RunId,
    part: PartId,
    image: &ImageRow,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO image VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(rusqlite::params![
        run.0,
        int(part.0),
        place(image.view),
        image.kind.name(),
        image.path,
        image.format.name(),
        image.size.width,
        image.size.height,
        image.covers.x,
        image.covers.y,
        image.covers.width,
        image.covers.height,
        image.sha256.to_string(),
        int(image.size_bytes),
    ])?;
    Ok(())
}

pub(crate) fn insert_late(db: &Connection, run: RunId, inspection: &Inspection) -> Result<()> {
    let (reasons_json, why_json) = verdict_columns(&inspection.verdict);
    db.prepare_cached("INSERT INTO late_inspection VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute(
        (
            run.0,
            int(inspection.part.0),
            inspection.verdict.word(),
            reasons_json,
            why_json,
            inspection.score,
            json(inspection),
        ),
    )?;
    Ok(())
}

pub(crate) fn count_event(
    db: &Connection,
    run: RunId,
    event: &Event,
    at: CaptureTime,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO event VALUES (?1, ?2, 1, ?3, ?4, ?5)
         ON CONFLICT (run_id, name) DO UPDATE SET count = count + 1,
         last_mono_ns = excluded.last_mono_ns, last_wall_ns = excluded.last_wall_ns,
         last_event_json = excluded.last_event_json",
    )?
    .execute((run.0, event.name(), int(at.mono.ns), at.wall.unix_ns, json(event)))?;
    Ok(())
}
