//! Takes little, gives inspections, for the tests of this room.

use domain::{
    ActedInspection, AnsweredBy, CameraId, CaptureTime, Defect, GateSignal, Inspection, MonoTime,
    PartCondition, PartId, PlcAnswer, Provenance, Reason, RectPx, Score, Sha256, StageTimes,
    Verdict, ViewRecord, WallTime, Why,
};

use super::facts::{Facts, LatencyMs};
use super::row::Row;

/// A reject for one defect.
pub fn reject(kind: &str, score: f32) -> Verdict {
    Verdict::reject(vec![reason(kind, score)]).unwrap()
}

/// A score between the limits.
pub fn near_limit(kind: &str, score: f32) -> Verdict {
    Verdict::Undecided { why: Why::NearLimit { nearest: reason(kind, score) } }
}

fn reason(kind: &str, score: f32) -> Reason {
    Reason {
        kind: kind.into(),
        score: Score::new(score).unwrap(),
        limit: Score::new(0.6).unwrap(),
        box_in_frame: RectPx::new(130, 110, 20, 10),
        view: 0,
    }
}

/// What record is handed: part `part` in frame `part`, its box at (100, 100), 80 by 60.
pub fn acted(part: u64, verdict: Verdict) -> ActedInspection {
    let box_in_frame = RectPx::new(100, 100, 80, 60);
    let at = CaptureTime { mono: MonoTime::from_ns(part * 40_000_000), wall: WallTime::default() };
    let defects = match &verdict {
        Verdict::Reject { reasons } => reasons.clone(),
        Verdict::Undecided { why: Why::NearLimit { nearest } } => vec![nearest.clone()],
        _ => vec![],
    };
    let gate = if verdict == Verdict::Pass { GateSignal::Pass } else { GateSignal::Reject };
    ActedInspection {
        inspection: Inspection {
            part: PartId(part),
            triggered_at: at,
            score: defects.first().map_or(0.1, |reason| reason.score.get()),
            verdict,
            condition: PartCondition::Whole,
            motion: None,
            classes: vec![],
            defects: defects
                .iter()
                .map(|reason| Defect {
                    kind: reason.kind.clone(),
                    view: 0,
                    box_in_frame: reason.box_in_frame,
                    area_px: 90,
                    score: reason.score,
                    mask: None,
                    mm: None,
                })
                .collect(),
            views: vec![ViewRecord {
                name: "top".into(),
                camera: CameraId::new("cam"),
                frame: part,
                origin: None,
                at,
                box_in_frame,
                crop_in_frame: RectPx::new(90, 90, 100, 80),
                pose: None,
            }],
            provenance: provenance(),
            heatmaps: vec![],
            pictures: vec![],
            times: StageTimes::default(),
        },
        gate,
        told_at: at.mono,
        due: at.mono,
        answered_by: AnsweredBy::Inspection,
        plc: PlcAnswer::Logged,
    }
}

/// A row as read from `inspections.jsonl`.
pub fn row(part: u64, verdict: Verdict) -> Row {
    Row::from(&acted(part, verdict))
}

/// What decided.
pub fn provenance() -> Provenance {
    Provenance {
        recipe: Sha256::of(b"recipe"),
        model: Some(Sha256::of(b"model")),
        calibration: None,
        software: "sightline 0.1.0".into(),
        is_simulated: true,
    }
}

/// Facts of a run over `frames` frames at 25 a second.
pub fn facts(frames: u32) -> Facts {
    let stage = |p50: f64| LatencyMs { p50, p99: p50 * 2.0, p999: p50 * 3.0, max: p50 * 4.0 };
    Facts {
        source: "footage/belt.mkv".to_owned(),
        recipe_name: "bracket".to_owned(),
        triggered: 0,
        frames: frames.into(),
        frames_dropped: 0,
        footage_s: Some(f64::from(frames) / 25.0),
        wall_s: 2.0,
        files: None,
        latency: [("capture", 0.4), ("infer", 6.25), ("decision", 9.0)]
            .map(|(name, p50)| (name.to_owned(), stage(p50)))
            .into(),
        limits: None,
        provenance: provenance(),
        verdict_log: Sha256::of(b"log"),
    }
}
