//! Parts made up for tests: takes a number and a verdict, gives an outcome as `act` would.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    ActedInspection, AnsweredBy, BeltMotion, CameraId, CaptureTime, CheckedRecipe, ClassScore,
    Defect, DefectMm, FindingFault, Frame, GateSignal, Heatmap, Inspection, Mask, MonoTime,
    Outcome, OwnedPixels, PartCondition, PartId, PartPose, PixelFormat, Pixels, Plane, PlcAnswer,
    PointPx, Provenance, Reason, Recipe, RectPx, Score, Sha256, SizePx, Stage, StageTimes, Verdict,
    View, ViewRecord, WallTime, Why, YuvMatrix, YuvRange,
};

use crate::RunStart;

/// A run's start.
pub(crate) const START: RunStart<'static> =
    RunStart { started_at: WallTime { unix_ns: 1_000 }, source: "belt.mkv" };

/// Samples that look like nothing, the same for the same seed.
pub(crate) fn pixels(format: PixelFormat, size: SizePx, seed: u64) -> OwnedPixels {
    let mut state = seed;
    let mut byte = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    let planes = format.planes(size).into_iter();
    let planes = planes.map(|(row, rows)| (0..row * rows).map(|_| byte()).collect()).collect();
    OwnedPixels::new(format, size, planes).unwrap()
}

/// A frame of such samples.
pub(crate) fn frame(format: PixelFormat, size: SizePx, seed: u64) -> Frame {
    Frame {
        camera: CameraId::new("top"),
        sequence: seed,
        at: time(seed),
        origin: None,
        pixels: Arc::new(pixels(format, size, seed)),
    }
}

/// Pixels of another matrix and range than the default.
pub(crate) struct Bt709Full(pub(crate) OwnedPixels);

impl Pixels for Bt709Full {
    fn format(&self) -> PixelFormat {
        self.0.format()
    }
    fn size(&self) -> SizePx {
        self.0.size()
    }
    fn plane(&self, index: usize) -> Plane<'_> {
        self.0.plane(index)
    }
    fn yuv(&self) -> (YuvMatrix, YuvRange) {
        (YuvMatrix::Bt709, YuvRange::Full)
    }
}

/// A small heatmap over `covers`.
pub(crate) fn heatmap(covers: RectPx) -> Heatmap {
    Heatmap { width: 4, height: 3, values: (0..12).map(|i| i * 20).collect(), covers }
}

fn time(seed: u64) -> CaptureTime {
    let ns = (seed % 1_000_000) * 1_000;
    CaptureTime {
        mono: MonoTime::from_ns(ns),
        wall: WallTime { unix_ns: 1_700_000_000_000_000_000 },
    }
}

pub(crate) fn score(value: f32) -> Score {
    Score::new(value).unwrap()
}

fn reason() -> Reason {
    Reason {
        kind: "scratch".into(),
        score: score(0.9),
        limit: score(0.6),
        box_in_frame: RectPx::new(5, 6, 7, 8),
        view: 0,
    }
}

/// One of each kind of verdict and of reason for having none.
pub(crate) fn verdicts() -> Vec<Verdict> {
    let why = [
        Why::NearLimit { nearest: reason() },
        Why::Deadline,
        Why::PartCut,
        Why::PartsMerged { parts_estimated: 2 },
        Why::NoFinding { cause: FindingFault::NotFinite { output: "scores".into() } },
        Why::NoFinding { cause: FindingFault::Runtime { message: "it's \"gone\"".into() } },
        Why::Stopped,
        Why::NoPicture { cause: "top is gone".into() },
        Why::StageFailed { stage: Stage::Infer },
    ];
    let undecided = why.into_iter().map(|why| Verdict::Undecided { why });
    [Verdict::Pass, reject()].into_iter().chain(undecided).collect()
}

pub(crate) fn reject() -> Verdict {
    Verdict::reject(vec![reason()]).unwrap()
}

pub(crate) fn late_verdict() -> Verdict {
    Verdict::Undecided { why: Why::Deadline }
}

pub(crate) fn recipe() -> CheckedRecipe {
    let text = r#"{"name": "bracket", "model": "zoo/bracket", "region": null,
        "locate": {"kind": "every-frame"}, "limits": {"reject_at": 0.6, "undecided_from": 0.35}}"#;
    serde_json::from_str::<Recipe>(text).unwrap().check().unwrap()
}

/// An inspection with two views, a defect, and a heatmap of the first view.
pub(crate) fn inspection(number: u64, verdict: Verdict) -> Inspection {
    let view = |name: &str, format, seed| View {
        name: name.into(),
        frame: frame(format, SizePx::new(31, 23), seed),
        box_in_frame: RectPx::new(4, 5, 10, 11),
        crop_in_frame: RectPx::new(3, 3, 14, 15),
        pose: (name == "side").then_some(PartPose {
            angle_deg: 1.5,
            dx_px: -3.25,
            dy_px: 0.5,
            offset_mm: Some(0.375),
        }),
    };
    let pictures = vec![
        view("top", PixelFormat::Gray8, number),
        view("side", PixelFormat::BayerRggb8, number + 1),
    ];
    let mut times = StageTimes::default();
    times.add(Stage::Infer, Duration::from_micros(1_234));
    times.add(Stage::Act, Duration::from_micros(7));
    Inspection {
        part: PartId(number),
        triggered_at: time(number),
        verdict,
        score: 0.9,
        condition: PartCondition::Whole,
        motion: Some(BeltMotion { velocity_px_per_s: PointPx { x: -120.5, y: 0.25 } }),
        classes: vec![ClassScore { label: "scratch".into(), score: score(0.9) }],
        defects: vec![Defect {
            kind: "scratch".into(),
            view: 0,
            box_in_frame: RectPx::new(5, 6, 7, 8),
            area_px: 33,
            score: score(0.9),
            mask: Some(Mask::from_bits(RectPx::new(0, 0, 2, 2), [true, false, false, true])),
            mm: Some(DefectMm {
                x_mm: 12.5,
                y_mm: -3.25,
                length_mm: 2.5,
                area_mm2: 0.75,
                uncertainty_mm: 0.03125,
            }),
        }],
        views: pictures.iter().map(ViewRecord::from).collect(),
        provenance: Provenance {
            recipe: recipe().hash(),
            model: Some(Sha256::of(b"model")),
            calibration: None,
            software: "sightline 0.1.0".into(),
            is_simulated: true,
        },
        heatmaps: vec![Some(heatmap(RectPx::new(3, 3, 14, 15))), None],
        pictures,
        times,
    }
}

pub(crate) fn acted(inspection: Inspection, answered_by: AnsweredBy) -> ActedInspection {
    ActedInspection {
        gate: if inspection.verdict == Verdict::Pass {
            GateSignal::Pass
        } else {
            GateSignal::Reject
        },
        told_at: inspection.triggered_at.mono.plus(Duration::from_millis(9)),
        due: inspection.triggered_at.mono.plus(Duration::from_millis(50)),
        answered_by,
        plc: PlcAnswer::Taken,
        inspection,
    }
}

/// What `act` hands over for a part that was inspected in time.
pub(crate) fn outcome(number: u64, verdict: Verdict) -> Outcome {
    Outcome::Acted(Box::new(acted(inspection(number, verdict), AnsweredBy::Inspection)))
}

/// What `act` hands over for a part whose deadline came first: no views, no findings.
pub(crate) fn deadline(number: u64) -> Outcome {
    let bare = Inspection {
        score: 0.0,
        motion: None,
        classes: vec![],
        defects: vec![],
        views: vec![],
        heatmaps: vec![],
        pictures: vec![],
        ..inspection(number, late_verdict())
    };
    Outcome::Acted(Box::new(acted(bare, AnsweredBy::FailSafe)))
}
