//! The ways to go through a film: takes one; gives what it cost and what came of it.

use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::sync::Arc;

use domain::{CameraId, CaptureTime};
use pipeline::capture::{self, Next, SourceConfig};
use pipeline::clock::{Clock, RealClock};
use pipeline::line::{self, Armed, CameraSetup, LineSetup, ThreadPlan};
use pipeline::plc::none::NonePlc;
use pipeline::prepare::Calibrations;
use pipeline::record::verdict_log::VerdictLog;
use pipeline::stage::{Counters, Timing};
use sightline_benches::Failure;
use sightline_benches::report::cores;
use sightline_benches::subject::{Camera, model};
use store::{RunStart, Store};

use crate::allocations::counted;
use crate::footage::{FORMAT, Footage};
use crate::spent::{Meter, Of, Spent};

/// A way.
#[derive(Clone, Copy)]
pub enum Way {
    /// Only decode it, with GStreamer's own tool.
    GstLaunch,
    /// Only decode it, through our capture.
    Capture,
    /// Inspect it.
    Line,
}

/// What one run measured.
pub struct Run {
    /// From opening the footage to its end.
    pub spent: Spent,
    /// How many came.
    pub frames: u64,
    /// Of the whole line only.
    pub line: Option<LineRun>,
}

/// What came of the whole line.
pub struct LineRun {
    pub parts: u64,
    pub counters: Arc<Counters>,
    pub big_allocations: u64,
}

impl Way {
    /// First the one that the others are held against.
    pub const ALL: [Self; 3] = [Self::GstLaunch, Self::Capture, Self::Line];

    pub fn name(self) -> &'static str {
        match self {
            Self::GstLaunch => "gst-launch",
            Self::Capture => "capture",
            Self::Line => "whole line",
        }
    }

    /// Goes through `footage`; `None` where GStreamer's tool is not installed, which `start`
    /// (what it costs to start it) tells.
    pub fn run(self, footage: &Footage, start: Option<Spent>) -> Result<Option<Run>, Failure> {
        let config = SourceConfig::File { path: footage.path.clone(), pixel_format: None };
        match (self, start) {
            (Self::GstLaunch, None) => Ok(None),
            (Self::GstLaunch, Some(start)) => gst_decode(footage, start).map(Some),
            (Self::Capture, _) => decode(&config).map(Some),
            (Self::Line, _) => line(footage.camera, &config).map(Some),
        }
    }
}

/// What it costs to start `gst-launch-1.0` and to decode one frame, which loads the decoder;
/// `None` where it is not installed.
pub fn gst_launch_start(footage: &Footage) -> Result<Option<Spent>, Failure> {
    let mut runs = Vec::new();
    for _ in 0..5 {
        let spent = gst_launch(footage, &["num-buffers=1"])?;
        runs.extend(spent.map(|spent| Run { spent, frames: 1, line: None }));
    }
    Ok((!runs.is_empty()).then(|| median(&runs)))
}

fn gst_decode(footage: &Footage, start: Spent) -> Result<Run, Failure> {
    let Spent { wall_s, cpu_s } = gst_launch(footage, &[])?.ok_or("gst-launch-1.0 is gone")?;
    let spent = Spent { wall_s: wall_s - start.wall_s, cpu_s: cpu_s - start.cpu_s };
    Ok(Run { spent, frames: footage.frames, line: None })
}

fn gst_launch(footage: &Footage, sink: &[&str]) -> Result<Option<Spent>, Failure> {
    let location = format!("location={}", footage.path.display());
    let pipeline = ["-q", "filesrc", &location, "!", "decodebin", "!", "fakesink"];
    let meter = Meter::start(Of::Children)?;
    let mut command = Command::new("gst-launch-1.0");
    match command.args(pipeline).args(sink).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(Some(meter.read()?)),
        Ok(status) => Err(format!("gst-launch-1.0: {}: {status}", footage.name).into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn decode(config: &SourceConfig) -> Result<Run, Failure> {
    let meter = Meter::start(Of::Us)?;
    let mut source = capture::open(config, CameraId::new("bench"), CaptureTime::default())?;
    let mut frames = 0;
    loop {
        match source.next()? {
            Next::Frame(_) => frames += 1,
            Next::Waiting | Next::Lost(_) | Next::Back(_) => {}
            Next::End => break,
        }
    }
    drop(source);
    Ok(Run { spent: meter.read()?, frames, line: None })
}

/// Inspects what comes from `config`, into a store of its own, as `sightline replay` does.
pub fn line(camera: &Camera, config: &SourceConfig) -> Result<Run, Failure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let recipe = camera.recipe()?;
    let model = model("simulated-parts")?;
    let clock = Arc::new(RealClock::start());
    let store = Store::create_or_open(&folder.path().join("store"))?;
    let mut writer = store.start_run(&RunStart { started_at: clock.wall(), source: "bench" })?;
    writer.keep_recipe(&recipe)?;
    let log = VerdictLog::create(&folder.path().join("inspections.jsonl"))?;
    let share = f64::from(recipe.as_written().record.keep_passed);

    let meter = Meter::start(Of::Us)?;
    let inspect = || -> Result<_, Failure> {
        let setup = LineSetup {
            counters: Arc::new(Counters::of_cameras([CameraId::new("bench")])),
            field: None,
            reject: None,
            cameras: vec![CameraSetup {
                camera: CameraId::new("bench"),
                source: capture::open(config, CameraId::new("bench"), CaptureTime::default())?,
                field: None,
                peeks: vec![],
                watcher: None,
            }],
            armed: Arc::new(Armed::new(recipe, model, Calibrations::default(), cores())?),
            plc: Box::new(NonePlc),
            writer,
            log: Some(log),
            keep: Arc::new(move |acted| store::keep_share(acted.inspection.part, share)),
            film: None,
            threads: ThreadPlan::default(),
            software: "bench".into(),
            clock,
        };
        Ok(line::start(setup)?.join())
    };
    let planes = FORMAT.planes(camera.size);
    let frame_bytes: usize = planes.into_iter().map(|(row_bytes, rows)| row_bytes * rows).sum();
    let (summary, big_allocations) = counted(frame_bytes / 2, inspect);
    let spent = meter.read()?;

    let summary = summary?;
    summary.record?;
    if let Some(error) = summary.capture.into_iter().next() {
        return Err(error.into());
    }
    let parts = summary.snapshot.parts;
    if !summary.failed.is_empty() || !parts.is_closed() {
        return Err(format!("{:?} failed, {parts:?}", summary.failed).into());
    }
    let line = LineRun { parts: parts.triggered, counters: summary.counters, big_allocations };
    Ok(Run { spent, frames: summary.snapshot.frames, line: Some(line) })
}

/// The middle of a few runs.
pub fn median(runs: &[Run]) -> Spent {
    let middle = |of: fn(&Run) -> f64| {
        let mut values: Vec<f64> = runs.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
    };
    Spent { wall_s: middle(|run| run.spent.wall_s), cpu_s: middle(|run| run.spent.cpu_s) }
}

/// The decisions of all runs.
pub fn merged(runs: &[Run]) -> Timing {
    let all = Timing::default();
    runs.iter().flat_map(|run| &run.line).for_each(|line| all.merge(&line.counters.decision));
    all
}
