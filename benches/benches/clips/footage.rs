//! A simulated line as a slow camera films it. Takes a rate of parts; gives frames with their times
//! and, for the bad parts, what the film is told of them.

use std::sync::Arc;
use std::time::Duration;

use domain::{
    CameraId, CaptureTime, Frame, Heatmap, MonoTime, PartId, PixelFormat, Pixels, RectPx, SizePx,
    WallTime,
};
use pipeline::record::reel::{Mark, Note};
use sightline_benches::Failure;
use store::{ClipPart, VerdictWord};
use testdata::{Scene, SceneConfig, TruthPart};

/// The film's size, so that what is measured is not how the camera's picture is made smaller.
pub const SIZE: SizePx = SizePx::new(1280, 720);
/// The camera's rate, and the film's.
pub const FPS: u32 = 30;
/// Share of the parts that are bad.
pub const DEFECTS: f32 = 0.01;
/// When the first frame is exposed: some day in 2026.
const START: WallTime = WallTime { unix_ns: 1_790_000_000_000_000_000 };
/// At the simulator's usual speed and distance a part comes every four frames, in one of two lanes.
const FRAMES_A_PART: f64 = 4.0;
/// Side of the map of where a part looked defective.
const HEAT_CELLS: u32 = 32;

/// When frame `number` is exposed.
pub fn at(number: u64) -> CaptureTime {
    let since = Duration::from_nanos(number * 1_000_000_000 / u64::from(FPS));
    CaptureTime { mono: MonoTime::ZERO.plus(since), wall: START.plus(since) }
}

/// The camera.
pub fn camera() -> CameraId {
    CameraId::new("bench")
}

/// Frame `number`, which shows `pixels`.
pub fn frame(number: u64, pixels: Arc<dyn Pixels>) -> Frame {
    Frame { camera: camera(), sequence: number, at: at(number), origin: None, pixels }
}

/// A scene with `parts` parts, about `parts_per_s` a second, of which exactly the share
/// [`DEFECTS`] is bad.
pub fn scene(parts: u32, parts_per_s: f64) -> Result<Scene, Failure> {
    let usual = SceneConfig { size: SIZE, ..SceneConfig::default() };
    #[expect(clippy::cast_possible_truncation, reason = "a few pixels")]
    let speed = usual.speed_px() * (parts_per_s * FRAMES_A_PART / f64::from(FPS)) as f32;
    let wanted = f64::from(parts) * f64::from(DEFECTS);
    for seed in 0..1000 {
        let scene = Scene::new(&SceneConfig {
            seed,
            parts,
            fps: FPS.into(),
            format: PixelFormat::Gray8,
            defect_rate: DEFECTS,
            speed_px_per_frame: Some(speed),
            ..usual.clone()
        })?;
        let bad = u32::try_from(bad_parts(&scene).count())?;
        if (f64::from(bad) - wanted).abs() < 0.5 {
            return Ok(scene);
        }
    }
    Err(format!("no scene of {parts} parts has {wanted} bad ones").into())
}

/// What is wrong in it, in the order of the middle of the picture.
pub fn bad_parts(scene: &Scene) -> impl Iterator<Item = &TruthPart> {
    scene.truth().parts.iter().filter(|part| !part.is_ok())
}

/// What the film is told of a part when it was rejected.
pub fn note(part: &TruthPart, speed_px: f32) -> Arc<Note> {
    let shown = part.visible_at(part.centre_frame, SIZE).unwrap_or(RectPx::new(0, 0, 0, 0));
    let mark = |defect: &testdata::TruthDefect| Mark {
        kind: defect.kind.as_str().into(),
        score: 0.97,
        box_in_frame: defect.box_in_frame,
        is_reason: true,
    };
    Arc::new(Note {
        part: ClipPart {
            part: PartId(part.part),
            verdict: VerdictWord::Reject,
            at: at(part.centre_frame),
            picture: None,
        },
        recipe: "simulated-parts".into(),
        headline: "REJECT".to_owned(),
        reasons: part.kinds().map(|kind| format!("{kind} 0.97 ≥ 0.50")).collect(),
        score: 0.97,
        box_in_frame: shown,
        velocity_px_per_s: Some((speed_px * 30.0, 0.0)),
        marks: part.defects.iter().map(mark).collect(),
        heatmap: Some(heat(shown)),
        frame_size: SIZE,
    })
}

/// Warm in the middle.
fn heat(covers: RectPx) -> Heatmap {
    let off = |at: u32| 2 * at.abs_diff(HEAT_CELLS / 2);
    let warm =
        |cell: u32| HEAT_CELLS.saturating_sub(off(cell / HEAT_CELLS) + off(cell % HEAT_CELLS));
    let values = (0..HEAT_CELLS * HEAT_CELLS).map(|cell| warm(cell).to_le_bytes()[0] * 7).collect();
    Heatmap { width: HEAT_CELLS, height: HEAT_CELLS, values, covers }
}
