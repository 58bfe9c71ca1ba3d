//! Parts made up for tests, in a real store: brackets with scratches, dents and missing holes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    ActedInspection, AnsweredBy, CameraId, CaptureTime, CheckedRecipe, ClassScore, Defect,
    DefectMm, Frame, GateSignal, Heatmap, Inspection, MonoTime, Outcome, OwnedPixels,
    PartCondition, PartId, PixelFormat, PlcAnswer, Provenance, Reason, Recipe, RectPx, Score,
    Sha256, SizePx, StageTimes, Verdict, View, ViewRecord, WallTime, Why,
};
use sightline_ui::RgbPicture;
use store::{RunId, RunStart, Store};

use super::NOW;

/// Size of a part's picture.
pub const CROP: SizePx = SizePx::new(160, 120);

pub fn recipe() -> CheckedRecipe {
    let text = r#"{"name": "bracket", "model": "zoo/bracket", "region": null,
        "locate": {"kind": "every-frame"}, "limits": {"reject_at": 0.6, "undecided_from": 0.35}}"#;
    serde_json::from_str::<Recipe>(text).unwrap().check().unwrap()
}

/// Gray of a bracket at (x, y): a bright plate with two holes; `flaw` is where it is spoilt.
fn gray(x: f64, y: f64, flaw: Option<(f64, f64)>) -> u8 {
    let (w, h) = (f64::from(CROP.width), f64::from(CROP.height));
    let is_plate = x > 0.12 * w && x < 0.88 * w && y > 0.2 * h && y < 0.8 * h;
    let hole = |cx: f64| ((x - cx * w).hypot(y - 0.5 * h)) < 0.09 * h.min(w);
    let grain = 6.0 * (x * 0.9 + (y * 0.31).sin() * 3.0).sin();
    let mut value = if is_plate && !hole(0.28) && !hole(0.72) { 176.0 + grain } else { 38.0 };
    if let Some((fx, fy)) = flaw
        && (y - fy * h - 0.4 * (x - fx * w)).abs() < 2.0
        && (x - fx * w).abs() < 0.1 * w
    {
        value = 92.0;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a byte")]
    let byte = value.clamp(0.0, 255.0) as u8;
    byte
}

/// A belt with a bracket on it.
pub fn belt(size: SizePx) -> RgbPicture {
    let mut rgb = Vec::new();
    for y in 0..size.height {
        for x in 0..size.width {
            let inside = (300..428).contains(&x) && (120..216).contains(&y);
            let value = if inside {
                gray(f64::from(x - 300) * 1.25, f64::from(y - 120) * 1.25, Some((0.5, 0.5)))
            } else {
                38
            };
            rgb.extend([value; 3]);
        }
    }
    RgbPicture { size, rgb }
}

struct Kind {
    class: &'static str,
    score: f32,
    at: (f64, f64),
}

/// Writes `count` parts into a new store in `folder`, a run.
pub fn store_of(folder: &Path, count: u64) -> RunId {
    let store = Store::create_or_open(folder).unwrap();
    let started_at = WallTime { unix_ns: NOW.unix_ns - 600_000_000_000 };
    let mut writer = store.start_run(&RunStart { started_at, source: "station Line 3" }).unwrap();
    writer.keep_recipe(&recipe()).unwrap();
    for number in 1..=count {
        writer.record(&outcome(number), &mut |_| true).unwrap();
    }
    let run = writer.run();
    writer.finish(NOW).unwrap();
    run
}

fn outcome(number: u64) -> Outcome {
    let kind = match number % 9 {
        0 => Some(Kind { class: "scratch", score: 0.93, at: (0.45, 0.42) }),
        4 => Some(Kind { class: "dent", score: 0.71, at: (0.62, 0.6) }),
        5 => Some(Kind { class: "scratch", score: 0.48, at: (0.3, 0.55) }),
        7 => Some(Kind { class: "missing hole", score: 0.12, at: (0.72, 0.5) }),
        _ => None,
    };
    let ns = number * 200_000_000;
    #[allow(clippy::cast_possible_wrap, reason = "small")]
    let wall = WallTime { unix_ns: NOW.unix_ns - 600_000_000_000 + ns as i64 };
    let at = CaptureTime { mono: MonoTime::from_ns(ns), wall };
    let view = view(number, at, kind.as_ref());
    let defects: Vec<Defect> = kind.iter().map(defect).collect();
    let verdict = verdict(&defects);
    let heat = heatmap(kind.as_ref());
    let gate = if verdict == Verdict::Pass { GateSignal::Pass } else { GateSignal::Reject };
    let inspection = Inspection {
        part: PartId(number),
        triggered_at: at,
        verdict,
        score: kind.as_ref().map_or(0.02, |kind| kind.score),
        condition: PartCondition::Whole,
        motion: None,
        classes: kind
            .iter()
            .map(|kind| ClassScore { label: kind.class.into(), score: score(kind.score) })
            .collect(),
        defects,
        views: vec![ViewRecord::from(&view)],
        provenance: Provenance {
            recipe: recipe().hash(),
            model: Some(Sha256::of(b"model")),
            calibration: None,
            software: "sightline 0.1.0".into(),
            is_simulated: true,
        },
        heatmaps: vec![Some(heat)],
        pictures: vec![view],
        times: StageTimes::default(),
    };
    Outcome::Acted(Box::new(ActedInspection {
        gate,
        told_at: at.mono.plus(Duration::from_micros(8_700)),
        due: at.mono.plus(Duration::from_millis(50)),
        answered_by: AnsweredBy::Inspection,
        plc: PlcAnswer::Taken,
        inspection,
    }))
}

fn score(value: f32) -> Score {
    Score::new(value).unwrap()
}

/// The frame is 20 px larger on each side than the part.
const FRAME: SizePx = SizePx::new(CROP.width + 40, CROP.height + 40);

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the picture")]
fn defect(kind: &Kind) -> Defect {
    let x = 20 + (kind.at.0 * f64::from(CROP.width)) as u32;
    let y = 20 + (kind.at.1 * f64::from(CROP.height)) as u32;
    Defect {
        kind: kind.class.into(),
        view: 0,
        box_in_frame: RectPx::new(x - 18, y - 10, 36, 20),
        area_px: 240,
        score: score(kind.score),
        mask: None,
        mm: (kind.class == "scratch").then_some(DefectMm {
            x_mm: 31.2,
            y_mm: 18.4,
            length_mm: 3.241,
            area_mm2: 1.7,
            uncertainty_mm: 0.034,
        }),
    }
}

fn verdict(defects: &[Defect]) -> Verdict {
    let Some(defect) = defects.first() else { return Verdict::Pass };
    let reason = |limit| Reason {
        kind: Arc::clone(&defect.kind),
        score: defect.score,
        limit: score(limit),
        box_in_frame: defect.box_in_frame,
        view: 0,
    };
    match defect.score.get() {
        high if high >= 0.6 => Verdict::reject(vec![reason(0.6)]).unwrap(),
        near if near >= 0.35 => Verdict::Undecided { why: Why::NearLimit { nearest: reason(0.6) } },
        _ => Verdict::Pass,
    }
}

fn view(number: u64, at: CaptureTime, kind: Option<&Kind>) -> View {
    let flaw = kind.map(|kind| kind.at);
    let place = |px: u32| f64::from(px) - 20.0;
    let samples = (0..FRAME.height)
        .flat_map(|y| (0..FRAME.width).map(move |x| gray(place(x), place(y), flaw)))
        .collect();
    let pixels = OwnedPixels::new(PixelFormat::Gray8, FRAME, vec![samples]).unwrap();
    View {
        name: "top".into(),
        frame: Frame {
            camera: CameraId::new("top"),
            sequence: number,
            at,
            origin: None,
            pixels: Arc::new(pixels),
        },
        box_in_frame: RectPx::new(30, 30, CROP.width - 20, CROP.height - 20),
        crop_in_frame: RectPx::new(20, 20, CROP.width, CROP.height),
        pose: None,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a byte")]
fn heatmap(kind: Option<&Kind>) -> Heatmap {
    let (width, height) = (40_u32, 30_u32);
    let heat = |x: u32, y: u32| match kind {
        None => 4.0,
        Some(kind) => {
            let dx = f64::from(x) / f64::from(width) - kind.at.0;
            let dy = f64::from(y) / f64::from(height) - kind.at.1;
            255.0 * f64::from(kind.score) * (-(dx * dx + dy * dy) / 0.006).exp()
        }
    };
    let values = (0..height).flat_map(|y| (0..width).map(move |x| heat(x, y) as u8)).collect();
    Heatmap { width, height, values, covers: RectPx::new(20, 20, CROP.width, CROP.height) }
}
