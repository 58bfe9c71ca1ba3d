//! One run of the whole line: takes a film and a model; gives what came of it, part by part and
//! thread by thread.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder};
use std::time::Duration;

use domain::{CameraId, CheckedRecipe, ClipSnapshot, PlcAnswer, Stage, Verdict};
use models::Model;
use pipeline::clock::{Clock, RealClock};
use pipeline::line::{self, Armed, CameraSetup, Line, LineSetup, LineSummary, ThreadPlan};
use pipeline::plc::{Plc, PlcStatus, Telling};
use pipeline::prepare::Calibrations;
use pipeline::record::verdict_log::VerdictLog;
use pipeline::stage::Counters;
use sightline_benches::Failure;
use sightline_benches::report::cores;
use sightline_benches::spread::Spread;
use store::{PartFilter, Reader, RunStart, Store};

use crate::belt::{Camera, Exposed, Film};
use crate::filmed::{Makers, studio};
use crate::threads::{Threads, Used, forget_peak, peak_mib, written_bytes};

/// How often someone asks for a snapshot, as a screen does.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Parts that are told of one by one.
const SLOW_PARTS: usize = 8;

/// What is to be run.
pub struct Work<'a> {
    pub film: &'a Arc<Film>,
    pub recipe: &'a Arc<CheckedRecipe>,
    pub model: &'a Model,
    pub cameras: usize,
    pub fps: f64,
    /// In real time, or as fast as the line can.
    pub live: bool,
    pub seconds: f64,
    /// Whether clips are made of what is not passed.
    pub filmed: bool,
}

/// What the gate heard of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Pass,
    Reject,
    Undecided,
}

/// What came of it.
pub struct Run {
    pub seconds: f64,
    pub frames_offered: u64,
    /// Lost in the driver because the reader was late, and dropped by the line.
    pub frames_dropped: u64,
    pub parts_expected: u64,
    /// Of these, with something wrong.
    pub bad_expected: u64,
    pub parts: u64,
    pub deadline_misses: u64,
    pub told_reject: u64,
    /// What was filmed, and clips of it.
    pub clips: ClipSnapshot,
    /// From exposure to signal, of each part.
    pub decision_ms: Spread,
    /// From exposure to the capture thread having the frame.
    pub taken_after_ms: Spread,
    /// The first round whose verdicts are not those of the round before, if any.
    pub odd_round: Option<usize>,
    pub threads: BTreeMap<String, Used>,
    pub rss_peak_mib: Option<f64>,
    pub written_bytes: Option<u64>,
    /// Where the time of a part went; for those near the median and for the slowest.
    pub usual: Shares,
    pub slowest: Shares,
    /// The slowest parts, the slowest last.
    pub slow_parts: Vec<(u64, Shares)>,
    /// How long each stage took, milliseconds.
    pub stages: BTreeMap<&'static str, domain::Tail>,
}

/// Mean milliseconds of a part's way.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Shares {
    pub parts: usize,
    pub decision_ms: f64,
    pub locate_ms: f64,
    pub prepare_ms: f64,
    pub infer_ms: f64,
    pub decide_ms: f64,
    /// Waking up, waiting in links, waiting for a core.
    pub between_ms: f64,
}

/// A gate that remembers what it heard.
struct Gate {
    heard: Arc<Mutex<Vec<(u64, Said, Duration)>>>,
}

impl Plc for Gate {
    fn tell(&mut self, telling: &Telling) -> PlcAnswer {
        let said = match telling.verdict {
            Verdict::Pass => Said::Pass,
            Verdict::Reject { .. } => Said::Reject,
            Verdict::Undecided { .. } => Said::Undecided,
        };
        // Nobody else looks before the line is over.
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push((telling.part.0, said, telling.took));
        PlcAnswer::Logged
    }

    fn gate(&mut self, _: bool) -> PlcAnswer {
        PlcAnswer::Logged
    }

    fn status(&mut self, _: &PlcStatus) {}
}

/// Runs the line to the end of the last round.
pub fn run(work: &Work<'_>) -> Result<Run, Failure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let heard = Arc::new(Mutex::new(Vec::with_capacity(1 << 16)));
    let Set { setup, exposed, makers } = setup(work, folder.path(), &heard)?;
    let written_before = written_bytes();
    forget_peak();
    let clock = RealClock::start();
    let line = line::start(setup)?;
    let (threads, seconds) = watch(&line, &clock)?;
    let summary = line.join();
    for maker in makers {
        maker.join().map_err(|_| "a thread that makes clips panicked")?;
    }
    let written = written_bytes().zip(written_before).map(|(after, before)| after - before);
    check(&summary)?;

    let rounds = work.film.rounds(work.seconds, work.fps) * work.cameras as u64;
    let bad = work.film.parts.iter().filter(|part| part.is_bad);
    let mut run = Run {
        seconds,
        frames_offered: exposed.iter().map(|it| it.frames.load(Ordering::Relaxed)).sum(),
        frames_dropped: summary.snapshot.frames_dropped
            + exposed.iter().map(|it| it.lost.load(Ordering::Relaxed)).sum::<u64>(),
        parts_expected: rounds * work.film.parts.len() as u64,
        bad_expected: rounds * bad.count() as u64,
        parts: summary.snapshot.parts.triggered,
        deadline_misses: summary.snapshot.deadline_misses,
        told_reject: summary.snapshot.told_reject,
        clips: summary.counters.snapshot().clips,
        decision_ms: Spread::default(),
        taken_after_ms: taken_after(&exposed),
        odd_round: None,
        threads,
        rss_peak_mib: peak_mib(),
        written_bytes: written,
        usual: Shares::default(),
        slowest: Shares::default(),
        slow_parts: Vec::new(),
        stages: stages(&summary.counters),
    };
    let mut heard = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
    heard.sort_by_key(|(part, ..)| *part);
    run.odd_round = odd_round(&heard, work.film.parts.len());
    run.decision_ms =
        heard.iter().map(|(.., took)| took.as_secs_f64() * 1e3).collect::<Vec<_>>().into();
    let ways = ways(&Reader::open(&folder.path().join("store"))?)?;
    let (count, slow) = (ways.len(), ways.len() / 100);
    run.usual = mean(&ways[count * 2 / 5..count - count * 2 / 5]);
    run.slowest = mean(&ways[count - slow.clamp(1, count)..]);
    run.slow_parts = ways[count.saturating_sub(SLOW_PARTS)..].to_vec();
    Ok(run)
}

type Heard = Arc<Mutex<Vec<(u64, Said, Duration)>>>;

/// A line that is ready, and what it is watched by.
struct Set {
    setup: LineSetup,
    exposed: Vec<Arc<Exposed>>,
    makers: Makers,
}

fn setup(work: &Work<'_>, folder: &Path, heard: &Heard) -> Result<Set, Failure> {
    let clock = Arc::new(RealClock::start()) as Arc<dyn Clock>;
    let store = Store::create_or_open(&folder.join("store"))?;
    let mut writer = store.start_run(&RunStart { started_at: clock.wall(), source: "bench" })?;
    writer.keep_recipe(work.recipe)?;
    let share = f64::from(work.recipe.as_written().record.keep_passed);
    let rounds = work.film.rounds(work.seconds, work.fps);
    let ids: Vec<CameraId> =
        (1..=work.cameras).map(|number| CameraId::new(&format!("cam{number}"))).collect();
    let (cameras, exposed) = ids
        .iter()
        .map(|id| {
            let pace = (work.fps, work.live);
            let (source, exposed) = Camera::new(work.film, id.clone(), &clock, pace, rounds);
            let source = Box::new(source);
            (
                CameraSetup {
                    camera: id.clone(),
                    source,
                    field: None,
                    peeks: vec![],
                    watcher: None,
                },
                exposed,
            )
        })
        .unzip();
    let counters = Arc::new(Counters::of_cameras(ids.clone()));
    let (film, makers) = match work.filmed {
        true => {
            let (film, makers) = studio(&store, writer.run(), &ids, &counters, &clock)?;
            (Some(film), makers)
        }
        false => (None, Makers::new()),
    };
    let setup = LineSetup {
        reject: None,
        film,
        threads: ThreadPlan::default(),
        cameras,
        armed: Arc::new(Armed::new(
            Arc::clone(work.recipe),
            work.model.another()?,
            Calibrations::default(),
            cores(),
        )?),
        plc: Box::new(Gate { heard: Arc::clone(heard) }),
        field: None,
        counters,
        writer,
        log: Some(VerdictLog::create(&folder.join("inspections.jsonl"))?),
        keep: Arc::new(move |acted| store::keep_share(acted.inspection.part, share)),
        software: "bench".into(),
        clock,
    };
    Ok(Set { setup, exposed, makers })
}

/// Asks for snapshots until the line is over; gives what its threads used, and in what time.
fn watch(line: &Line, clock: &RealClock) -> Result<(BTreeMap<String, Used>, f64), Failure> {
    let look = || {
        let mut threads = Threads::start();
        let start = clock.now();
        let mut until = start;
        while !line.is_over() {
            thread::park_timeout(LOOK_EVERY);
            std::hint::black_box(line.snapshot());
            threads.look();
            // Past the last frame there is nothing to be used.
            until = clock.now();
        }
        (threads.by_name(), until.since(start).as_secs_f64())
    };
    thread::scope(|scope| {
        let watcher = Builder::new().name("snapshot".to_owned()).spawn_scoped(scope, look)?;
        watcher.join().map_err(|_| "the thread that reads snapshots panicked".into())
    })
}

fn check(summary: &LineSummary) -> Result<(), Failure> {
    if let Some(error) = summary.capture.first() {
        return Err(error.to_string().into());
    }
    if let Err(error) = &summary.locate {
        return Err(error.to_string().into());
    }
    if let Err(error) = &summary.record {
        return Err(error.to_string().into());
    }
    let parts = summary.snapshot.parts;
    if !summary.failed.is_empty() || !parts.is_closed() {
        return Err(format!("{:?} failed, {parts:?}", summary.failed).into());
    }
    Ok(())
}

fn taken_after(exposed: &[Arc<Exposed>]) -> Spread {
    let all = exposed.iter().flat_map(|it| {
        std::mem::take(&mut *it.taken_after_ms.lock().unwrap_or_else(PoisonError::into_inner))
    });
    all.collect::<Vec<_>>().into()
}

fn stages(counters: &Counters) -> BTreeMap<&'static str, domain::Tail> {
    let tail = |stage: &Stage| Some((stage.name(), counters.took[*stage as usize].tail()?));
    Stage::ALL.iter().filter_map(tail).collect()
}

/// Every round shows the same parts, so it must hear the same.
fn odd_round(heard: &[(u64, Said, Duration)], parts: usize) -> Option<usize> {
    let said: Vec<Said> = heard.iter().map(|(_, said, _)| *said).collect();
    let mut rounds = said.chunks_exact(parts);
    let first = rounds.next()?;
    rounds.position(|round| round != first).map(|at| at + 1)
}

/// Where the time of each part went, as the store has it; the slowest last.
fn ways(reader: &Reader) -> Result<Vec<(u64, Shares)>, Failure> {
    let mut ways = Vec::new();
    for row in reader.parts(&PartFilter { limit: 1 << 16, ..PartFilter::default() })? {
        let part = reader.part(row.run, row.part)?.ok_or("a part is gone from the store")?;
        let ms = |stage| part.times.of(stage).as_secs_f64() * 1e3;
        let decision_ms = row.told_at.since(row.triggered_at.mono).as_secs_f64() * 1e3;
        let [locate_ms, prepare_ms, infer_ms, decide_ms] =
            [Stage::Locate, Stage::Prepare, Stage::Infer, Stage::Decide].map(ms);
        let between_ms = decision_ms - locate_ms - prepare_ms - infer_ms - decide_ms;
        let shares = Shares {
            parts: 1,
            decision_ms,
            locate_ms,
            prepare_ms,
            infer_ms,
            decide_ms,
            between_ms,
        };
        ways.push((row.part.0, shares));
    }
    ways.sort_by(|(_, a), (_, b)| a.decision_ms.total_cmp(&b.decision_ms));
    Ok(ways)
}

fn mean(ways: &[(u64, Shares)]) -> Shares {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand parts")]
    let count = ways.len().max(1) as f64;
    let of = |ms: fn(&Shares) -> f64| ways.iter().map(|(_, way)| ms(way)).sum::<f64>() / count;
    Shares {
        parts: ways.len(),
        decision_ms: of(|way| way.decision_ms),
        locate_ms: of(|way| way.locate_ms),
        prepare_ms: of(|way| way.prepare_ms),
        infer_ms: of(|way| way.infer_ms),
        decide_ms: of(|way| way.decide_ms),
        between_ms: of(|way| way.between_ms),
    }
}

impl Run {
    /// Percent of a core, by thread; without the one that only watches.
    pub fn cpu_percent(&self) -> BTreeMap<&str, f64> {
        self.threads
            .iter()
            .filter(|(_, used)| used.cpu_s > 0.0)
            .map(|(name, used)| (name.as_str(), 100.0 * used.cpu_s / self.seconds))
            .collect()
    }

    /// Percent of a core, of the line alone.
    pub fn line_cpu_percent(&self) -> f64 {
        self.cpu_percent().iter().filter(|(name, _)| is_of_line(name)).map(|(_, it)| it).sum()
    }
}

/// Whether a thread is the line's, and not ours that watches it.
pub fn is_of_line(thread: &str) -> bool {
    let stage = thread.split('-').next().unwrap_or(thread);
    stage == "inspect" || Stage::ALL.iter().any(|it| it.name() == stage)
}
