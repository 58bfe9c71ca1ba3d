//! Fills a store as a station does in some weeks: takes how many parts, leaves a folder.
//!
//! Of 100 parts 12 are rejected, 6 are near a limit, 2 were too late, the rest passed; of those one
//! in 50 has a picture. Nearly all that did not pass has been labelled, so that a queue has to look
//! for what is not.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    ActedInspection, AnsweredBy, CameraId, CaptureTime, CheckedRecipe, ClassScore, Defect, Frame,
    GateSignal, Inspection, Judgement, Label, Mark, MarkedBy, MonoTime, Outcome, OwnedPixels,
    PartCondition, PartId, PartKey, PersonId, PixelFormat, PlcAnswer, Provenance, Recipe, RectPx,
    Role, Score, Sha256, Shape, SizePx, Stage, StageTimes, Verdict, View, ViewRecord, WallTime,
    Why,
};
use sightline_benches::Failure;
use store::{NewLabel, RunStart, Store};

/// Who has labelled nearly all.
pub const WHO: &str = "p-all";
/// A class that only a few parts have.
pub const RARE: &str = "crack";
/// The newest parts that nobody has labelled yet.
const FRESH: u64 = 400;
/// Labels, and parts, that are written at a time.
const BATCH: usize = 500;
/// A part every two seconds.
const EVERY_NS: u64 = 2_000_000_000;
const START_NS: i64 = 1_795_000_000_000_000_000;

/// When a part was triggered.
pub fn at(part: u64) -> CaptureTime {
    let ns = part * EVERY_NS;
    let wall = WallTime { unix_ns: START_NS.saturating_add_unsigned(ns) };
    CaptureTime { mono: MonoTime::from_ns(ns), wall }
}

fn recipe() -> Result<CheckedRecipe, Failure> {
    let text = r#"{"name": "bracket", "model": "zoo/bracket", "region": null,
        "locate": {"kind": "every-frame"}, "limits": {"reject_at": 0.6, "undecided_from": 0.35}}"#;
    Ok(serde_json::from_str::<Recipe>(text)?.check()?)
}

/// Fills it.
pub fn fill(folder: &Path, parts: u64) -> Result<(), Failure> {
    let store = Store::create_or_open(folder)?;
    let recipe = recipe()?;
    // Two runs, of which the first is long over.
    for (run, range) in [(1, 1..=parts / 10 * 9), (2, parts / 10 * 9 + 1..=parts)] {
        let started_at = at(*range.start()).wall;
        let mut writer = store.start_run(&RunStart { started_at, source: "station" })?;
        writer.keep_recipe(&recipe)?;
        for part in range {
            let outcome = outcome(part, &recipe)?;
            writer.record(&outcome, &mut |acted| acted.inspection.part.0 % 50 == 1)?;
            if part.is_multiple_of(BATCH as u64) {
                writer.flush()?;
            }
        }
        debug_assert_eq!(writer.run().0, run);
        writer.finish(at(parts).wall)?;
    }
    label(&store, parts)
}

fn label(store: &Store, parts: u64) -> Result<(), Failure> {
    let mut labels = store.labels()?;
    let (one, other) = (PersonId::new(WHO), PersonId::new("p-other"));
    let (good, bad) = (Label::unmarked(Judgement::Good, false), bad());
    let mut said = vec![];
    for part in 1..=parts.saturating_sub(FRESH) {
        if part % 100 >= 18 && part % 50 != 1 {
            continue;
        }
        let run = if part > parts / 10 * 9 { 2 } else { 1 };
        let key = PartKey { run, part: PartId(part) };
        // The model is right but for one in 40.
        let is_bad = (part % 100 < 12) != (part % 40 == 7);
        let label = if is_bad { &bad } else { &good };
        let new = |by, is_second| NewLabel {
            key,
            at: at(part).wall,
            by,
            role: Role::Operator,
            label,
            is_second,
        };
        said.push(new(&one, false));
        if part % 20 == 3 {
            said.push(new(&other, true));
        }
    }
    for some in said.chunks(BATCH) {
        labels.add_all(some)?;
    }
    Ok(())
}

fn bad() -> Label {
    let area = RectPx::new(12, 12, 4, 4);
    let (shape, by) = (Shape::Box { area }, MarkedBy::Hand);
    let mark = Mark { class: "scratch".into(), view: 0, shape, by };
    Label { judgement: Judgement::Bad, marks: vec![mark], is_blind: false }
}

/// The same number gives the same bits; neighbours lie far apart.
const fn scattered(number: u64) -> u64 {
    let bits = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Up to two defects; the first decides.
fn defects(part: u64) -> Result<Vec<Defect>, Failure> {
    let bits = scattered(part);
    let within = |low: u32, high: u32, shift: u32| {
        let share = u16::try_from(bits >> shift & 0xffff).unwrap_or_default();
        f32::from(share) / 65_536.0 * (high - low) as f32 / 100.0 + low as f32 / 100.0
    };
    let first = match part % 100 {
        0..12 => within(60, 100, 0),
        12..18 => within(35, 60, 0),
        18..20 => return Ok(vec![]),
        _ if bits.is_multiple_of(3) => within(1, 34, 0),
        _ => return Ok(vec![]),
    };
    let kind = match bits % 1_000 {
        0 => RARE,
        1..600 => "scratch",
        600..900 => "dent",
        _ => "stain",
    };
    let defect = |kind: &str, score: f32, shift: u32| -> Result<Defect, Failure> {
        let place = |shift: u32| u32::try_from(bits >> shift & 0xf).unwrap_or_default();
        Ok(Defect {
            kind: kind.into(),
            view: 0,
            box_in_frame: RectPx::new(4 + place(shift), 4 + place(shift + 4), 6, 6),
            area_px: 30,
            score: Score::new(score)?,
            mask: None,
            mm: None,
        })
    };
    let mut all = vec![defect(kind, first, 20)?];
    if bits.is_multiple_of(5) {
        all.push(defect("dent", first * within(10, 99, 32), 40)?);
    }
    Ok(all)
}

fn outcome(part: u64, recipe: &CheckedRecipe) -> Result<Outcome, Failure> {
    let is_late = (18..20).contains(&(part % 100));
    let defects = defects(part)?;
    let (none, condition) = (None, PartCondition::Whole);
    let verdict = match is_late {
        true => Verdict::Undecided { why: Why::Deadline },
        false => domain::verdict_from_defects(&condition, defects.iter(), none, recipe),
    };
    let view = view(part)?;
    let mut times = StageTimes::default();
    times.add(Stage::Infer, Duration::from_micros(4_000 + part % 1_000));
    let score = defects.iter().map(|defect| defect.score.get()).fold(0.0, f32::max);
    let inspection = Inspection {
        part: PartId(part),
        triggered_at: at(part),
        score,
        condition,
        motion: None,
        classes: vec![ClassScore { label: "scratch".into(), score: Score::new(score)? }],
        defects,
        views: if is_late { vec![] } else { vec![ViewRecord::from(&view)] },
        provenance: Provenance {
            recipe: recipe.hash(),
            model: Some(Sha256::of(b"model")),
            calibration: None,
            software: "sightline".into(),
            is_simulated: part.is_multiple_of(2),
        },
        heatmaps: vec![],
        pictures: if is_late { vec![] } else { vec![view] },
        times,
        verdict: verdict.clone(),
    };
    let passes = verdict == Verdict::Pass;
    Ok(Outcome::Acted(Box::new(ActedInspection {
        gate: if passes { GateSignal::Pass } else { GateSignal::Reject },
        told_at: inspection.triggered_at.mono.plus(Duration::from_millis(9)),
        due: inspection.triggered_at.mono.plus(Duration::from_millis(50)),
        answered_by: if is_late { AnsweredBy::FailSafe } else { AnsweredBy::Inspection },
        plc: PlcAnswer::Taken,
        inspection,
    })))
}

/// A picture as small as one can be: it is not what is measured.
fn view(part: u64) -> Result<View, Failure> {
    let size = SizePx::new(32, 32);
    let pixels = OwnedPixels::new(PixelFormat::Gray8, size, vec![vec![128; 32 * 32]])
        .ok_or("the pixels do not fit")?;
    Ok(View {
        name: "top".into(),
        frame: Frame {
            camera: CameraId::new("top"),
            sequence: part,
            at: at(part),
            origin: None,
            pixels: Arc::new(pixels),
        },
        box_in_frame: RectPx::new(2, 2, 28, 28),
        crop_in_frame: RectPx::new(0, 0, 32, 32),
        pose: None,
    })
}
