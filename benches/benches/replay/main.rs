//! How fast footage is inspected, next to only decoding it with `gst-launch-1.0` and through our
//! capture; and whether the line takes memory the size of a frame while it does so.
//!
//! Footage is simulated into a temporary folder, lossless (FFV1) and H.264, and read from memory.
//! The ways take turns; what is shown are medians of `runs`, and the decisions of all of them.
//! Time counts from opening the file to its end, for the line to the last verdict written down;
//! gst-launch's start up to its first frame is taken off, which flatters it by that frame. CPU
//! time is of all threads, decoding included. On a busy machine trust `cpu_to_gst` more.
//!
//! `big_allocs` counts what the line took from Rust's allocator, half a frame or more at once,
//! from start to end; GStreamer's own buffers come from another. The last row's frames come from
//! a pipeline without a decoder.

mod allocations;
mod footage;
mod spent;
mod ways;

use std::process::ExitCode;

use pipeline::capture::SourceConfig;
use serde_json::json;
use sightline_benches::report::Report;
use sightline_benches::subject::CAMERAS;
use sightline_benches::{Failure, bench};

use footage::{FPS, Footage};
use spent::Spent;
use ways::{Run, Way, median, merged};

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
    let run = ways::line(camera, &SourceConfig::Custom { pipeline, live: false })?;
    add(report, &format!("{} videotestsrc", camera.name), Way::Line, &[run], None);
    Ok(())
}

fn compare(report: &mut Report, footage: &Footage) -> Result<(), Failure> {
    let start = ways::gst_launch_start(footage)?;
    let mut runs: [Vec<Run>; Way::ALL.len()] = Default::default();
    for _ in 0..footage.rounds {
        for (way, runs) in Way::ALL.into_iter().zip(&mut runs) {
            runs.extend(way.run(footage, start)?);
        }
    }
    if let Some(run) = runs.iter().flatten().find(|run| run.frames != footage.frames) {
        let Footage { name, frames, .. } = footage;
        return Err(format!("{name}: {} of {frames} frames came", run.frames).into());
    }
    let peer = (!runs[0].is_empty()).then(|| median(&runs[0]));
    for (way, runs) in Way::ALL.into_iter().zip(&runs) {
        add(report, &footage.name, way, runs, peer);
    }
    Ok(())
}

fn add(report: &mut Report, name: &str, way: Way, runs: &[Run], peer: Option<Spent>) {
    let Some(last) = runs.last() else {
        return report.note(format!("{name}: gst-launch-1.0 is not installed"));
    };
    let spent = median(runs);
    #[expect(clippy::cast_precision_loss, reason = "a few hundred frames")]
    let frames = last.frames as f64;
    let line = last.line.as_ref();
    let decisions = merged(runs).tail();
    report.row(vec![
        ("footage", json!(name)),
        ("way", json!(way.name())),
        ("runs", json!(runs.len())),
        ("frames", json!(last.frames)),
        ("fps", json!(frames / spent.wall_s)),
        ("x_real", json!(frames / spent.wall_s / FPS)),
        ("fps_to_gst", json!(peer.map(|peer| peer.wall_s / spent.wall_s))),
        ("cpu_ms_per_frame", json!(spent.cpu_s * 1e3 / frames)),
        ("cpu_to_gst", json!(peer.map(|peer| spent.cpu_s / peer.cpu_s))),
        ("parts", json!(line.map(|line| line.parts))),
        ("decisions", json!(decisions.map(|tail| tail.count))),
        ("p50_ms", json!(decisions.map(|tail| tail.p50))),
        ("p99_ms", json!(decisions.map(|tail| tail.p99))),
        ("big_allocs", json!(line.map(|line| line.big_allocations))),
    ]);
}

fn main() -> ExitCode {
    bench("replay", env!("CARGO_TARGET_TMPDIR"), measure)
}
