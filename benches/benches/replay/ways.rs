//! The ways to go through a film: takes one; gives how long it took and what came of it.

use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::sync::Arc;

use domain::{CameraId, CaptureTime, PixelFormat};
use pipeline::capture::{self, Next, SourceConfig};
use pipeline::clock::{Clock, RealClock};
use pipeline::line::{self, LineSetup};
use pipeline::plc::none::NonePlc;
use pipeline::record::verdict_log::VerdictLog;
use pipeline::stage::Tail;
use sightline_benches::Failure;
use sightline_benches::report::cores;
use sightline_benches::subject::{Camera, model};
use store::{RunStart, Store};

use crate::allocations::counted;
use crate::footage::Footage;

/// A way.
#[derive(Clone, Copy)]
pub enum Way {
    /// Decode it with GStreamer's own tool.
    GstLaunch,
    /// Decode it through our capture.
    Capture,
    /// Inspect it.
    Line,
}

/// What one run measured.
pub struct Run {
    /// From opening the footage to its end.
    pub wall_s: f64,
    /// Of all threads.
    pub cpu_s: f64,
    /// How many came.
    pub frames: u64,
    /// Of the whole line only.
    pub line: Option<LineRun>,
}

/// What came of the whole line.
pub struct LineRun {
    pub parts: u64,
    pub decision: Option<Tail>,
    pub big_allocations: u64,
}

impl Way {
    /// The one that the others are held against first.
    pub const ALL: [Self; 3] = [Self::GstLaunch, Self::Capture, Self::Line];

    pub fn name(self) -> &'static str {
        match self {
            Self::GstLaunch => "gst-launch, decode",
            Self::Capture => "capture, decode",
            Self::Line => "whole line",
        }
    }

    /// Goes through `footage`; `None` where GStreamer's tool is not installed, which `start_s`
    /// (how long its process takes to start) tells.
    pub fn run(self, footage: &Footage, start_s: Option<f64>) -> Result<Option<Run>, Failure> {
        let path = footage.path.clone();
        let config = SourceConfig::File { path, pixel_format: None };
        match (self, start_s) {
            (Self::GstLaunch, None) => Ok(None),
            (Self::GstLaunch, Some(start_s)) => gst_launch(footage, start_s).map(Some),
            (Self::Capture, _) => decode(&config).map(Some),
            (Self::Line, _) => line(footage.camera, PixelFormat::Gray8, &config).map(Some),
        }
    }
}

/// How long `gst-launch-1.0` takes to do nothing; `None` where it is not installed.
pub fn gst_launch_start() -> Result<Option<f64>, Failure> {
    let nothing = ["fakesrc", "num-buffers=1", "!", "fakesink"].map(str::to_owned);
    let mut times_s = Vec::new();
    for _ in 0..5 {
        let Some(time_s) = gst_launch_s(&nothing)? else { return Ok(None) };
        times_s.push(time_s);
    }
    Ok(Some(median(&times_s, |time_s| *time_s)))
}

fn gst_launch(footage: &Footage, start_s: f64) -> Result<Run, Failure> {
    let location = format!("location={}", footage.path.display());
    let pipeline = ["filesrc", &location, "!", "decodebin", "!", "fakesink", "sync=false"];
    let cpu_before_s = cpu_s(Of::Children)?;
    let wall_s = gst_launch_s(&pipeline.map(str::to_owned))?.ok_or("gst-launch-1.0 is gone")?;
    let cpu_s = cpu_s(Of::Children)? - cpu_before_s;
    Ok(Run { wall_s: wall_s - start_s, cpu_s, frames: footage.frames, line: None })
}

fn gst_launch_s(pipeline: &[String]) -> Result<Option<f64>, Failure> {
    let clock = RealClock::start();
    let mut command = Command::new("gst-launch-1.0");
    match command.arg("-q").args(pipeline).stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(Some(clock.now().as_secs())),
        Ok(status) => Err(format!("gst-launch-1.0 {}: {status}", pipeline.join(" ")).into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn decode(config: &SourceConfig) -> Result<Run, Failure> {
    let (clock, cpu_before_s) = (RealClock::start(), cpu_s(Of::Us)?);
    let mut source = capture::open(config, CameraId::new("bench"), CaptureTime::default())?;
    let mut frames = 0;
    loop {
        match source.next()? {
            Next::Frame(_) => frames += 1,
            Next::Waiting => {}
            Next::End => break,
        }
    }
    drop(source);
    let wall_s = clock.now().as_secs();
    Ok(Run { wall_s, cpu_s: cpu_s(Of::Us)? - cpu_before_s, frames, line: None })
}

/// Inspects what comes from `config`, into a store of its own.
pub fn line(camera: &Camera, format: PixelFormat, config: &SourceConfig) -> Result<Run, Failure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let recipe = camera.recipe()?;
    let model = model("simulated-parts")?;
    let clock = Arc::new(RealClock::start());
    let store = Store::create_or_open(&folder.path().join("store"))?;
    let mut writer = store.start_run(&RunStart { started_at: clock.wall(), source: "bench" })?;
    writer.keep_recipe(&recipe)?;
    let log = VerdictLog::create(&folder.path().join("inspections.jsonl"))?;
    let share = f64::from(recipe.as_written().record.keep_passed);

    let (start, cpu_before_s) = (clock.now(), cpu_s(Of::Us)?);
    let inspect = || -> Result<_, Failure> {
        let setup = LineSetup {
            source: capture::open(config, CameraId::new("bench"), CaptureTime::default())?,
            recipe,
            model,
            inspectors: cores(),
            plc: Box::new(NonePlc),
            writer,
            log,
            keep: Arc::new(move |acted| store::keep_share(acted.inspection.part, share)),
            software: "bench".into(),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        };
        Ok(line::start(setup)?.join())
    };
    let planes = format.planes(camera.size);
    let frame_bytes: usize = planes.into_iter().map(|(row_bytes, rows)| row_bytes * rows).sum();
    let (summary, big_allocations) = counted(frame_bytes / 2, inspect);
    let (wall_s, cpu_s) = (clock.now().since(start).as_secs_f64(), cpu_s(Of::Us)? - cpu_before_s);

    let summary = summary?;
    summary.record?;
    if let Some(error) = summary.capture.into_iter().next() {
        return Err(error.into());
    }
    let parts = summary.snapshot.parts;
    if !summary.failed.is_empty() || !parts.holds() {
        return Err(format!("{:?} failed, {parts:?}", summary.failed).into());
    }
    let decision = summary.decision.tail();
    let line = Some(LineRun { parts: parts.triggered, decision, big_allocations });
    Ok(Run { wall_s, cpu_s, frames: summary.snapshot.frames, line })
}

/// The middle one of a few.
pub fn median<T>(runs: &[T], of: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

enum Of {
    Us,
    Children,
}

/// CPU time so far, of all threads, ended ones too; to a hundredth, as the kernel counts for us.
fn cpu_s(of: Of) -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // The program's name may hold blanks; what follows it starts with the third field.
    let (_, fields) = text.rsplit_once(')').ok_or("/proc/self/stat is not as expected")?;
    let first = match of {
        Of::Us => 11,
        Of::Children => 13,
    };
    let ticks = fields.split_ascii_whitespace().skip(first).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}
