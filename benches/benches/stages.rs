//! What one frame, or one part, costs in each stage: locate, prepare, infer, decide and act's
//! ledger, at 1080p and 4K. Criterion keeps the last run in `target/criterion` and tells what
//! changed, so this is what to run before and after a change to a stage.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use domain::{
    CameraId, CaptureTime, Expected, Finding, Frame, InferredPart, Part, PartCondition, PartId,
    PixelFormat, Pixels, RectPx, StageTimes, View,
};
use models::{Model, Shaper};
use pipeline::act::ledger::Ledger;
use pipeline::clock::{Clock, RealClock};
use pipeline::decide::{Stamp, inspection_from_inferred};
use pipeline::locate::Locator;
use pipeline::stage::Counters;
use sightline_benches::Failure;
use sightline_benches::subject::{CAMERAS, Camera, model};

const FORMAT: PixelFormat = PixelFormat::Gray8;
const FRAME_TIME: Duration = Duration::from_nanos(8_333_333);

/// What a bench is called in Criterion's books.
fn name(what: &str, camera: &Camera) -> String {
    format!("{what}, {}", camera.name)
}

/// A frame as if just exposed.
fn frame(pixels: &Arc<dyn Pixels>, sequence: u64) -> Frame {
    let mut at = CaptureTime::default();
    at.mono.ns = sequence * u64::try_from(FRAME_TIME.as_nanos()).unwrap_or_default();
    let camera = CameraId::new("bench");
    Frame { camera, sequence, at, origin: None, pixels: Arc::clone(pixels) }
}

/// A whole part in the middle of `pixels`.
fn part(camera: &Camera, pixels: &Arc<dyn Pixels>) -> Result<Part, Failure> {
    let (size, side) = (camera.size, camera.crop_px);
    let crop = RectPx::new((size.width - side) / 2, (size.height - side) / 2, side, side);
    let view = View {
        name: "view1".into(),
        frame: frame(pixels, 0),
        box_in_frame: crop,
        crop_in_frame: crop,
        pose: None,
    };
    Ok(Part {
        id: PartId::FIRST,
        recipe: camera.recipe()?,
        views: vec![view],
        triggered_at: CaptureTime::default(),
        condition: PartCondition::Whole,
        motion: None,
        times: StageTimes::default(),
    })
}

fn locate(criterion: &mut Criterion, camera: &Camera) -> Result<(), Failure> {
    let frames = camera.frames(FORMAT)?;
    let clock = Arc::new(RealClock::start()) as Arc<dyn Clock>;
    let counters = Arc::<Counters>::default();
    let mut locator = Locator::new(
        camera.recipe()?,
        CameraId::new("bench"),
        true,
        Arc::default(),
        clock,
        counters,
    );
    let mut sequence = 0;
    let mut see = || {
        let at = usize::try_from(sequence).unwrap_or_default() % frames.len();
        sequence += 1;
        locator.see(frame(&frames[at], sequence))
    };
    // It learns the belt first, which is not what a frame costs.
    for _ in 0..100 {
        see()?;
    }
    let id = name("locate a frame", camera);
    criterion.bench_function(&id, |bencher| bencher.iter(&mut see));
    Ok(())
}

fn prepare_and_infer(
    criterion: &mut Criterion,
    camera: &Camera,
    model: &mut Model,
) -> Result<Finding, Failure> {
    let pixels = &camera.frames(FORMAT)?[0];
    let crop = part(camera, pixels)?.views[0].crop_in_frame;
    let mut shaper = Shaper::new(model.input().clone());
    let mut tensor = model.input().tensor();
    let id = name("prepare a part", camera);
    criterion.bench_function(&id, |bencher| {
        bencher.iter(|| shaper.prepare(&**pixels, crop, &mut tensor));
    });
    let id = name("infer a part", camera);
    criterion.bench_function(&id, |bencher| {
        bencher.iter(|| model.run(&tensor, 0, crop));
    });
    Ok(model.run(&tensor, 0, crop)?)
}

fn decide(
    criterion: &mut Criterion,
    camera: &Camera,
    model: &Model,
    finding: &Finding,
) -> Result<(), Failure> {
    let pixels = &camera.frames(FORMAT)?[0];
    let recipe = camera.recipe()?;
    let stamp = Stamp { software: "bench".into(), is_simulated: true };
    let template = part(camera, pixels)?.views.remove(0);
    let inferred = || InferredPart {
        part: Part {
            id: PartId::FIRST,
            recipe: Arc::clone(&recipe),
            views: vec![View {
                name: Arc::clone(&template.name),
                frame: template.frame.share(),
                ..template
            }],
            triggered_at: CaptureTime::default(),
            condition: PartCondition::Whole,
            motion: None,
            times: StageTimes::default(),
        },
        findings: vec![Ok(finding.clone())],
        calibration: None,
        model: model.hash(),
    };
    let id = name("decide a part", camera);
    criterion.bench_function(&id, |bencher| {
        bencher.iter_batched(
            inferred,
            |inferred| inspection_from_inferred(inferred, &stamp),
            BatchSize::SmallInput,
        );
    });
    Ok(())
}

/// A part enters among forty others that are due, and leaves.
fn ledger(criterion: &mut Criterion) -> Result<(), Failure> {
    let camera = &CAMERAS[0];
    let pixels = &camera.frames(FORMAT)?[0];
    let part = part(camera, pixels)?;
    let expected = |id: u64| Expected { part: PartId(id), ..Expected::from(&part) };
    let mut ledger = Ledger::default();
    let mut newest = 0;
    let mut turn = || {
        newest += 1;
        let entered = ledger.expect(expected(newest)).is_ok();
        (entered, (newest > 40).then(|| ledger.answer(PartId(newest - 40))))
    };
    criterion.bench_function("ledger, in and out", |bencher| bencher.iter(&mut turn));
    Ok(())
}

fn measure(criterion: &mut Criterion) -> Result<(), Failure> {
    let mut model = model("simulated-parts")?;
    for camera in &CAMERAS {
        locate(criterion, camera)?;
        let finding = prepare_and_infer(criterion, camera, &mut model)?;
        decide(criterion, camera, &model, &finding)?;
    }
    ledger(criterion)
}

#[expect(clippy::print_stderr, reason = "where a bench says why there is no report")]
fn main() -> ExitCode {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    match measure(&mut criterion) {
        Ok(()) => {
            criterion.final_summary();
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("bench stages: {failure}");
            ExitCode::FAILURE
        }
    }
}
