//! The rows of the database, read: takes rows, gives the domain's words. A value that the schema
//! allows and the domain does not, because something else wrote it, is an error that names its
//! column.

use std::time::Duration;

use domain::{
    BeltMotion, CameraId, CaptureTime, Defect, MonoTime, PartCondition, PartId, PixelFormat,
    PlcAnswer, PointPx, Provenance, RectPx, Score, Sha256, SizePx, Stage, StageTimes, Verdict,
    ViewRecord, WallTime,
};
use rusqlite::types::Type;
use rusqlite::{Result, Row};
use serde::de::DeserializeOwned;

use crate::{ImageKind, ImageRow, LateInspection, PartDetail, PartRow, RunId, words};

pub(crate) const PART_COLUMNS: &str =
    "run_id, number, triggered_mono_ns, triggered_wall_ns, verdict,
    reasons_json, why_json, score, condition, parts_estimated, gate, told_mono_ns, due_mono_ns,
    answered_by, plc, plc_message";

pub(crate) const DETAIL_COLUMNS: &str = "velocity_x_px_per_s, velocity_y_px_per_s, classes_json,
    capture_us, locate_us, prepare_us, infer_us, decide_us, act_us,
    recipe_sha256, model_sha256, calibration_sha256, software, is_simulated
    FROM part JOIN provenance ON provenance.id = provenance_id";

pub(crate) fn part_row(row: &Row<'_>) -> Result<PartRow> {
    Ok(PartRow {
        run: RunId(row.get("run_id")?),
        part: PartId(count(row, "number")?),
        triggered_at: time(row, "triggered_mono_ns", "triggered_wall_ns")?,
        verdict: verdict(row)?,
        score: row.get("score")?,
        condition: condition(row)?,
        gate: word(row, "gate")?,
        told_at: MonoTime::from_ns(count(row, "told_mono_ns")?),
        due: MonoTime::from_ns(count(row, "due_mono_ns")?),
        answered_by: word(row, "answered_by")?,
        plc: plc(row)?,
    })
}

fn verdict(row: &Row<'_>) -> Result<Verdict> {
    match text(row, "verdict")?.as_str() {
        "pass" => Ok(Verdict::Pass),
        "reject" => Verdict::reject(json(row, "reasons_json")?)
            .ok_or_else(|| unfit("reasons_json", "a reject without a reason")),
        "undecided" => Ok(Verdict::Undecided { why: json(row, "why_json")? }),
        other => Err(unfit("verdict", other)),
    }
}

fn condition(row: &Row<'_>) -> Result<PartCondition> {
    match text(row, "condition")?.as_str() {
        "whole" => Ok(PartCondition::Whole),
        "cut" => Ok(PartCondition::Cut),
        "merged" => Ok(PartCondition::Merged { parts_estimated: row.get("parts_estimated")? }),
        other => Err(unfit("condition", other)),
    }
}

fn plc(row: &Row<'_>) -> Result<PlcAnswer> {
    match text(row, "plc")?.as_str() {
        "logged" => Ok(PlcAnswer::Logged),
        "taken" => Ok(PlcAnswer::Taken),
        "queued" => Ok(PlcAnswer::Queued),
        "failed" => Ok(PlcAnswer::Failed { message: text(row, "plc_message")? }),
        other => Err(unfit("plc", other)),
    }
}

/// All of a part that stands in its own row.
pub(crate) fn part_detail(row: &Row<'_>) -> Result<PartDetail> {
    let velocity = row.get::<_, Option<f32>>("velocity_x_px_per_s")?;
    let velocity = velocity.zip(row.get("velocity_y_px_per_s")?);
    let mut times = StageTimes::default();
    for stage in
        [Stage::Capture, Stage::Locate, Stage::Prepare, Stage::Infer, Stage::Decide, Stage::Act]
    {
        let spent_us = count(row, format!("{stage}_us").as_str())?;
        times.add(stage, Duration::from_micros(spent_us));
    }
    let optional_hash = |column| match row.get::<_, Option<String>>(column)? {
        Some(_) => hash(row, column).map(Some),
        None => Ok(None),
    };
    Ok(PartDetail {
        row: part_row(row)?,
        motion: velocity.map(|(x, y)| BeltMotion { velocity_px_per_s: PointPx { x, y } }),
        classes: json(row, "classes_json")?,
        times,
        provenance: Provenance {
            recipe: hash(row, "recipe_sha256")?,
            model: optional_hash("model_sha256")?,
            calibration: optional_hash("calibration_sha256")?,
            software: text(row, "software")?.into(),
            is_simulated: row.get("is_simulated")?,
        },
        defects: vec![],
        views: vec![],
        images: vec![],
        late: None,
    })
}

fn optional_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<Option<T>> {
    let there = row.get::<_, Option<String>>(column)?;
    there.map(|_| json(row, column)).transpose()
}

pub(crate) fn defect(row: &Row<'_>) -> Result<Defect> {
    Ok(Defect {
        kind: text(row, "kind")?.into(),
        view: place(row, "view")?,
        box_in_frame: rect(row, "box")?,
        area_px: count(row, "area_px")?,
        score: Score::new(row.get("score")?).map_err(|error| unfit("score", error))?,
        mask: optional_json(row, "mask_json")?,
        mm: optional_json(row, "mm_json")?,
    })
}

pub(crate) fn view(row: &Row<'_>) -> Result<ViewRecord> {
    Ok(ViewRecord {
        name: text(row, "name")?.into(),
        camera: CameraId::new(&text(row, "camera")?),
        frame: count(row, "frame_number")?,
        origin: row.get::<_, Option<String>>("origin")?.map(Into::into),
        at: time(row, "exposed_mono_ns", "exposed_wall_ns")?,
        box_in_frame: rect(row, "box")?,
        crop_in_frame: rect(row, "crop")?,
        pose: optional_json(row, "pose_json")?,
    })
}

pub(crate) fn image(row: &Row<'_>) -> Result<ImageRow> {
    let (kind, format) = (text(row, "kind")?, text(row, "pixel_format")?);
    Ok(ImageRow {
        view: place(row, "view")?,
        kind: ImageKind::from_name(&kind).ok_or_else(|| unfit("kind", kind))?,
        path: text(row, "path")?,
        format: PixelFormat::from_name(&format).ok_or_else(|| unfit("pixel_format", format))?,
        size: SizePx::new(row.get("width_px")?, row.get("height_px")?),
        covers: rect(row, "covers")?,
        sha256: hash(row, "sha256")?,
        size_bytes: count(row, "size_bytes")?,
    })
}

pub(crate) fn late(row: &Row<'_>) -> Result<LateInspection> {
    Ok(LateInspection {
        verdict: verdict(row)?,
        score: row.get("score")?,
        inspection_json: text(row, "inspection_json")?,
    })
}

pub(crate) fn text(row: &Row<'_>, column: &str) -> Result<String> {
    row.get(column)
}

pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    serde_json::from_str(&text(row, column)?).map_err(|error| unfit(column, error))
}

pub(crate) fn word<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    let word = text(row, column)?;
    words::from_word(&word).ok_or_else(|| unfit(column, word))
}

pub(crate) fn hash(row: &Row<'_>, column: &str) -> Result<Sha256> {
    let hex = text(row, column)?;
    Sha256::from_hex(&hex).ok_or_else(|| unfit(column, hex))
}

pub(crate) fn count(row: &Row<'_>, column: impl rusqlite::RowIndex) -> Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|error| unfit("a count", error))
}

pub(crate) fn place(row: &Row<'_>, column: &str) -> Result<usize> {
    let number: i64 = row.get(column)?;
    usize::try_from(number).map_err(|error| unfit(column, error))
}

pub(crate) fn time(row: &Row<'_>, mono_ns: &str, wall_ns: &str) -> Result<CaptureTime> {
    let wall = WallTime { unix_ns: row.get(wall_ns)? };
    Ok(CaptureTime { mono: MonoTime::from_ns(count(row, mono_ns)?), wall })
}

/// The rectangle whose four columns start with `name`.
pub(crate) fn rect(row: &Row<'_>, name: &str) -> Result<RectPx> {
    let side = |side: &str| row.get(format!("{name}_{side}_px").as_str());
    Ok(RectPx::new(side("x")?, side("y")?, side("width")?, side("height")?))
}

/// A value that the schema allows and the domain does not: written by something else.
pub(crate) fn unfit(column: &str, what: impl std::fmt::Display) -> rusqlite::Error {
    let message = format!("column {column}: {what} does not fit");
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, message.into())
}
