//! `sightline replay`: inspects recorded footage. Takes a source, a recipe and perhaps the truth;
//! gives `inspections.jsonl`, `report.json`, `report.html`, a store, and an exit code.

mod facts;
mod gallery;

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use domain::{CameraId, CaptureTime, PixelFormat, Sha256};
use models::Trust;
use pipeline::capture::{self, Source, SourceConfig};
use pipeline::clock::{Clock, RealClock};
use pipeline::line::{self, CameraSetup, Line, LineSetup, LineSummary, ThreadPlan};
use pipeline::plc::none::NonePlc;
use pipeline::prepare::Calibrations;
use pipeline::record::verdict_log::VerdictLog;
use pipeline::stage::Counters;
use store::{RunId, RunStart, Store};

use super::{progress, say, say_json};
use crate::Ended;
use crate::config::{self, Armed, Calibrated};
use crate::report::{self, FailOn, Report, Row, Violation};
use crate::truth::Truth;

/// Inspect recorded footage: find every part, give each exactly one verdict, write everything
/// down, and report escape and overkill against the truth.
///
/// Exit codes: 0 done; 1 a limit of --fail-on is not met; 2 bad input or environment, or
/// interrupted (what was inspected until then is written and reported all the same).
#[derive(clap::Args)]
pub struct Args {
    /// A video, a folder or pattern of images, or `synthetic:parts=50,seed=1`.
    source: std::ffi::OsString,
    /// The recipe: what to look for.
    #[arg(long, value_name = "FILE")]
    recipe: PathBuf,
    /// What is true: the simulator's truth.csv or truth.json, an index.csv of labelled images,
    /// or counts of parts a video.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Only the images of this split of an index.csv are held against the truth.
    #[arg(long, value_name = "NAME", requires = "truth")]
    split: Option<String>,
    /// Folder for the results.
    #[arg(long, value_name = "DIR", default_value = "out/replay")]
    out: PathBuf,
    /// Limits that make the exit code 1: `escape=0.01,overkill=0.02`; also `lost`, `undecided`,
    /// `escape-high95`, `overkill-high95`.
    #[arg(long, value_name = "LIMITS")]
    fail_on: Option<FailOn>,
    /// Inspecting threads; verdicts do not depend on it. All cores when not given.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Images are frames of a running belt, so many a second; without it, one image is one part.
    #[arg(long, value_name = "N")]
    fps: Option<f64>,
    /// What gray footage really carries, for example bayer_rggb8.
    #[arg(long, value_name = "FORMAT", value_parser = super::parse_format)]
    pixel_format: Option<PixelFormat>,
    /// Name of the camera in the record.
    #[arg(long, value_name = "NAME", default_value = "camera1")]
    camera: String,
    /// Folder of the camera's calibration, for a recipe that measures in millimetres.
    #[arg(long, value_name = "DIR")]
    calibration: Option<PathBuf>,
    /// One JSON object (the report) on stdout, no progress bar.
    #[arg(long)]
    json: bool,
}

/// What a replay needs besides the line.
struct Replay<'a> {
    args: &'a Args,
    armed: Armed,
    calibrations: Calibrations,
    truth: Option<Arc<Truth>>,
    source_name: String,
    stop: Receiver<()>,
    clock: Arc<RealClock>,
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    // Before the slow things, so that an early Ctrl-C is noticed too.
    let stop = stop_on_signal()?;
    let config = source_config(args)?;
    let truth = args
        .truth
        .as_deref()
        .map(|path| Truth::load(path, args.split.as_deref()).map(Arc::new))
        .transpose()?;
    let source_name = args.source.to_string_lossy().into_owned();
    if let Some(truth) = &truth {
        // That it counts other videos only is told now, not after the replay.
        truth.count_in(&source_name)?;
    }
    let armed = config::arm(&args.recipe, &Trust::default())?;
    let camera = Calibrated {
        camera: CameraId::new(&args.camera),
        serial: None,
        folder: args.calibration.clone(),
        still: Arc::default(),
    };
    let calibrations = config::calibrations(&args.recipe, &armed.recipe, &[camera], None)?;
    fs::create_dir_all(&args.out)
        .with_context(|| format!("{}: the folder can't be made", args.out.display()))?;
    let clock = Arc::new(RealClock::start());
    let began = match config {
        SourceConfig::Custom { live: true, .. } => {
            CaptureTime { mono: clock.now(), wall: clock.wall() }
        }
        // The footage's own clock: verdicts don't depend on the hour of the replay.
        _ => CaptureTime::default(),
    };
    let source = capture::open(&config, CameraId::new(&args.camera), began)?;
    let replay = Replay { args, armed, calibrations, truth, source_name, stop, clock };
    replay.inspect(source)
}

fn source_config(args: &Args) -> Result<SourceConfig> {
    let mut config = SourceConfig::from_argument(&args.source)?;
    match &mut config {
        SourceConfig::Images { fps, .. } => *fps = args.fps,
        _ if args.fps.is_some() => bail!("--fps is for a folder of images only"),
        _ => {}
    }
    match &mut config {
        SourceConfig::File { pixel_format, .. } => *pixel_format = args.pixel_format,
        _ if args.pixel_format.is_some() => bail!("--pixel-format is for a video only"),
        _ => {}
    }
    Ok(config)
}

fn stop_on_signal() -> Result<Receiver<()>> {
    let (sender, receiver) = channel();
    // The receiver going away means that the replay is over: then there is nothing to stop.
    ctrlc::set_handler(move || {
        let _ = sender.send(());
    })
    .context("Ctrl-C can't be watched")?;
    Ok(receiver)
}

impl Replay<'_> {
    fn inspect(self, source: Box<dyn Source>) -> Result<Ended> {
        let args = self.args;
        let frames_total = source.info().frames_total;
        let store = Store::create_or_open(&args.out.join("store"))?;
        let start = RunStart { started_at: self.clock.wall(), source: &self.source_name };
        let mut writer = store.start_run(&start)?;
        writer.keep_recipe(&self.armed.recipe)?;
        let run = writer.run();
        let log_path = args.out.join("inspections.jsonl");
        let camera = CameraId::new(&args.camera);
        let counters = Arc::new(Counters::of_cameras([camera.clone()]));
        if let Some(event) = self.armed.alarm() {
            counters.event(&event);
        }
        let setup = LineSetup {
            counters,
            cameras: vec![CameraSetup {
                camera,
                source,
                field: None,
                peeks: vec![],
                watcher: None,
            }],
            field: None,
            reject: None,
            armed: Arc::new(line::Armed::new(
                Arc::clone(&self.armed.recipe),
                self.armed.model.another()?,
                self.calibrations.clone(),
                args.threads.map_or_else(cores, NonZeroUsize::get),
            )?),
            plc: Box::new(NonePlc),
            writer,
            log: Some(VerdictLog::create(&log_path)?),
            keep: self.keep(),
            film: None,
            threads: ThreadPlan::default(),
            software: super::software(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        };
        let started = self.clock.now();
        let line = line::start(setup)?;
        let interrupted = watch(&line, &self.stop, frames_total, args.json);
        let summary = line.join();
        let wall = self.clock.now().since(started);
        let reported = self.report(&summary, &log_path, wall, run);
        // What went wrong on the line comes first: a full disk explains why there is no report.
        complain(summary, interrupted)?;
        let met = reported?.is_none_or(|violations| violations.is_empty());
        Ok(if met { Ended::Done } else { Ended::LimitsNotMet })
    }

    /// Besides the recipe's share, the pictures of parts whose answer contradicts the truth.
    fn keep(&self) -> pipeline::record::Keep {
        let share = f64::from(self.armed.recipe.as_written().record.keep_passed);
        let truth = self.truth.clone();
        Arc::new(move |acted| {
            store::keep_share(acted.inspection.part, share)
                || truth.as_ref().is_some_and(|truth| truth.disagrees(acted))
        })
    }

    /// Writes and says the report; gives the limits that were not kept.
    fn report(
        &self,
        summary: &LineSummary,
        log: &Path,
        wall: Duration,
        run: RunId,
    ) -> Result<Option<Vec<Violation>>> {
        let rows = Row::read_all(log)?;
        let bytes = fs::read(log).with_context(|| log.display().to_string())?;
        let facts = facts::Run {
            source: &self.source_name,
            armed: &self.armed,
            summary,
            wall,
            verdict_log: Sha256::of(&bytes),
            rows: &rows,
        };
        let report = Report::build(&rows, self.truth.as_deref(), facts.facts())?;
        let violations = self.args.fail_on.as_ref().map(|limits| limits.check(&report));
        let out = &self.args.out;
        let json = serde_json::to_vec_pretty(&report)?;
        let json_path = out.join("report.json");
        fs::write(&json_path, json).with_context(|| json_path.display().to_string())?;
        let gallery = gallery::Gallery::open(&out.join("store"), run)?;
        let picture = |row: &Row| gallery.picture(row);
        let page = report::page(&report, &rows, violations.as_deref(), &picture);
        let page_path = out.join("report.html");
        fs::write(&page_path, page).with_context(|| page_path.display().to_string())?;
        if self.args.json {
            say_json(&report)?;
        } else {
            say(&report.table(violations.as_deref()))?;
            say(&format!("report with pictures: {}", page_path.display()))?;
        }
        Ok(violations)
    }
}

/// Shows progress until the line is over; hands Ctrl-C to its head. Whether there was one.
fn watch(line: &Line, stop: &Receiver<()>, frames_total: Option<u64>, quiet: bool) -> bool {
    let bar = progress::bar(frames_total, quiet);
    let mut interrupted = false;
    while !line.is_over() {
        if stop.recv_timeout(Duration::from_millis(100)).is_ok() {
            interrupted = true;
            line.stop();
        }
        let now = line.snapshot();
        bar.set_position(now.frames);
        let elapsed_s = bar.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "parts a second for people")]
        let parts_per_s = now.recorded as f64 / elapsed_s;
        let realtime = now.footage_s / elapsed_s;
        bar.set_message(format!(
            "{} parts ({} rejected)  {parts_per_s:.1} parts/s  {realtime:.2} × real time",
            now.recorded, now.parts.rejected
        ));
    }
    bar.finish_and_clear();
    interrupted
}

/// What went wrong, after everything that could be saved was.
fn complain(summary: LineSummary, interrupted: bool) -> Result<()> {
    summary.record?;
    summary.locate?;
    let mut broken = summary.capture.into_iter();
    if let Some(first) = broken.next() {
        let more = broken.count();
        let error = anyhow!(first);
        return Err(if more > 0 {
            error.context(format!("{} errors; the first", more + 1))
        } else {
            error
        });
    }
    if !summary.failed.is_empty() {
        bail!("a defect in this software: {:?} failed; please report it", summary.failed);
    }
    if !summary.snapshot.parts.is_closed() {
        bail!("a defect in this software: parts do not add up: {:?}", summary.snapshot.parts);
    }
    for sentence in &summary.left_out {
        tracing::warn!("{sentence}");
    }
    if interrupted {
        bail!("interrupted; what was inspected until then is written and reported");
    }
    Ok(())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}
