//! How fast footage is inspected, next to only decoding it with `gst-launch-1.0` and through our
//! capture; and whether the line takes memory the size of a frame while it does so.
//!
//! Footage is simulated into a temporary folder, lossless (FFV1) and H.264, and read from memory.
//! The ways take turns; what is shown of them are medians. Time counts from opening the file to
//! the end, to the last verdict written down for the line; of gst-launch's the start of its
//! process is taken off. `x_real` is against a camera of 60 frames a second. `cpu_s` is of all
//! threads, decoding included.
//!
//! `big_allocs` counts what the line took from Rust's allocator, half a frame or more at once,
//! from start to end; GStreamer's own buffers come from another. The last row's frames come from
//! a pipeline without a decoder.

mod allocations;
mod footage;
mod ways;

use std::process::ExitCode;

use domain::PixelFormat;
use pipeline::capture::SourceConfig;
use serde_json::json;
use sightline_benches::report::Report;
use sightline_benches::subject::CAMERAS;
use sightline_benches::{Failure, bench};

use footage::Footage;
use ways::{Run, Way, median};

const ROUNDS: usize = 3;
const FPS: f64 = footage::FPS;

fn measure(report: &mut Report) -> Result<(), Failure> {
    allocations::check_that_they_are_counted()?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    for camera in &CAMERAS {
        for footage in footage::film(camera, folder.path())? {
            compare(report, &footage)?;
        }
    }
    let camera = &CAMERAS[1];
    let pipeline = format!(
        "videotestsrc num-buffers=200 ! video/x-raw,format=GRAY8,width={},height={},framerate=60/1",
        camera.size.width, camera.size.height
    );
    let run =
        ways::line(camera, PixelFormat::Gray8, &SourceConfig::Custom { pipeline, live: false })?;
    add(report, &format!("{} videotestsrc", camera.name), Way::Line, &[run], None);
    Ok(())
}

fn compare(report: &mut Report, footage: &Footage) -> Result<(), Failure> {
    let start_s = ways::gst_launch_start()?;
    let mut runs: [Vec<Run>; Way::ALL.len()] = Default::default();
    for _ in 0..ROUNDS {
        for (way, runs) in Way::ALL.into_iter().zip(&mut runs) {
            runs.extend(way.run(footage, start_s)?);
        }
    }
    let frames = runs.iter().flatten().map(|run| run.frames);
    if let Some(frames) = frames.into_iter().find(|frames| *frames != footage.frames) {
        return Err(format!("{}: {frames} of {} frames", footage.name, footage.frames).into());
    }
    let peer_s = (!runs[0].is_empty()).then(|| median(&runs[0], |run| run.wall_s));
    for (way, runs) in Way::ALL.into_iter().zip(&runs) {
        add(report, &footage.name, way, runs, peer_s);
    }
    Ok(())
}

fn add(report: &mut Report, name: &str, way: Way, runs: &[Run], peer_s: Option<f64>) {
    let Some(last) = runs.last() else {
        return report.note(format!("{name}: gst-launch-1.0 is not installed"));
    };
    let wall_s = median(runs, |run| run.wall_s);
    #[expect(clippy::cast_precision_loss, reason = "a few hundred frames")]
    let fps = last.frames as f64 / wall_s;
    let line = last.line.as_ref();
    let decision = line.and_then(|line| line.decision);
    report.row(vec![
        ("footage", json!(name)),
        ("way", json!(way.name())),
        ("runs", json!(runs.len())),
        ("frames", json!(last.frames)),
        ("fps", json!(fps)),
        ("x_real", json!(fps / FPS)),
        ("to_gst_launch", json!(peer_s.map(|peer_s| peer_s / wall_s))),
        ("cpu_s", json!(median(runs, |run| run.cpu_s))),
        ("parts", json!(line.map(|line| line.parts))),
        ("decision_p50_ms", json!(decision.map(|tail| tail.p50))),
        ("decision_p99_ms", json!(decision.map(|tail| tail.p99))),
        ("big_allocs", json!(line.map(|line| line.big_allocations))),
    ]);
}

fn main() -> ExitCode {
    bench("replay", env!("CARGO_TARGET_TMPDIR"), measure)
}
