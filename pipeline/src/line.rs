//! The line: which stages there are, which threads they have, and what links them. The only file
//! that names two stages.
//!
//! Built last stage first, so that each stage is given the link to the next. The line ends from
//! its head: when capture returns, its link closes, and each stage in turn finishes what it has.

mod armed;
mod filmed;
mod inspect;
mod look;
mod supervise;
mod threads;
mod watched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Sender, TrySendError};
use domain::{
    CameraId, CheckedRecipe, Event, Frame, LineState, MonoTime, Outcome, Sha256, Snapshot, Stage,
};
use thiserror::Error;

use crate::act::reject::Reject;
use crate::act::{Act, Inspected, Notice, Pace};
use crate::capture::feed;
use crate::capture::peek::Peek;
use crate::capture::tap::Tap;
use crate::capture::{CaptureError, Source};
use crate::clock::Clock;
use crate::decide::Stamp;
use crate::limits;
use crate::link::{LinkReceiver, LinkSender, WhenFull, link};
use crate::locate::{LocateError, PartNumbers};
use crate::plc::{FieldInput, Plc};
use crate::record::cut::Cutter;
use crate::record::film::wants::Recipes;
use crate::record::film::{FilmError, FilmSetup};
use crate::record::verdict_log::VerdictLog;
use crate::record::{Keep, RecordError, RecordReport, Recorder};
use crate::stage::{Counters, Pulse};
pub use armed::Armed;
use armed::InForce;
use filmed::Filmed;
use inspect::{Inspector, Job};
use look::Looker;
use supervise::Supervisor;
pub use threads::ThreadPlan;
use threads::Threads;
pub use watched::{Against, WATCH_EVERY, Watcher};

/// One camera of a line.
pub struct CameraSetup {
    /// Its name.
    pub camera: CameraId,
    /// Where its frames come from.
    pub source: Box<dyn Source>,
    /// What the PLC tells of the belt under it.
    pub field: Option<LinkReceiver<FieldInput>>,
    /// Where people look at its frames, and who calibrates it.
    pub peeks: Vec<Arc<Peek>>,
    /// Who looks whether its calibration still holds.
    pub watcher: Option<Watcher>,
}

/// Everything a line is made of.
pub struct LineSetup {
    /// Where frames come from; at least one. All are live, or there is one that is not.
    pub cameras: Vec<CameraSetup>,
    /// What to look for, and the model to do it with; as many threads inspect as it has seats.
    /// Verdicts do not depend on their number.
    pub armed: Arc<Armed>,
    /// Who hears the verdicts.
    pub plc: Box<dyn Plc>,
    /// What the PLC tells of the belt at the gate.
    pub field: Option<LinkReceiver<FieldInput>>,
    /// How rejected parts are followed to the gate, where this program moves it.
    pub reject: Option<Reject>,
    /// The line's counters, with its cameras; the PLC's thread counts there too.
    pub counters: Arc<Counters>,
    /// The store's write half.
    pub writer: store::Writer,
    /// The verdict log, where one is wanted.
    pub log: Option<VerdictLog>,
    /// Which passed parts' images are kept.
    pub keep: Keep,
    /// How it is filmed, if it is, and where clips are made of it.
    pub film: Option<FilmSetup>,
    /// How threads share the machine.
    pub threads: ThreadPlan,
    /// Name and version of this software.
    pub software: Arc<str>,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
}

/// The line could not be started.
#[derive(Debug, Error)]
pub enum LineError {
    /// No thread.
    #[error("the thread `{name}` could not be started: {source}")]
    Thread {
        /// Its name.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It can't be filmed like that.
    #[error(transparent)]
    Film(#[from] FilmError),
    /// The disk takes nothing.
    #[error(
        "recipe `{recipe}` can't come into force: {} recipes before it wait for the disk, which \
         takes nothing",
        limits::RECIPES_WAITING
    )]
    RecipesWaiting {
        /// Its name.
        recipe: String,
    },
}

/// A running line.
pub struct Line {
    counters: Arc<Counters>,
    in_force: Arc<InForce>,
    retired: Arc<Mutex<Vec<Arc<Armed>>>>,
    pulses: Vec<Arc<Pulse>>,
    capture: Vec<JoinHandle<Vec<CaptureError>>>,
    locate: Vec<JoinHandle<Result<(), LocateError>>>,
    /// Recipes that record has been told to keep.
    kept: Mutex<BTreeSet<Sha256>>,
    to_keep: Sender<Arc<CheckedRecipe>>,
    /// What recipes are called in clips.
    recipes: Recipes,
    supervise: JoinHandle<bool>,
    act: JoinHandle<()>,
    cut: Option<JoinHandle<()>>,
    record: JoinHandle<(RecordReport, Result<(), RecordError>)>,
    films: Vec<JoinHandle<()>>,
}

/// What a line has to say when it is over.
pub struct LineSummary {
    /// What was wrong with the sources, first things first.
    pub capture: Vec<CaptureError>,
    /// Whether parts could be looked for to the end.
    pub locate: Result<(), LocateError>,
    /// Whether everything was written down.
    pub record: Result<(), RecordError>,
    /// Stages whose thread failed; empty unless there is a defect in this software.
    pub failed: Vec<Stage>,
    /// The last values.
    pub snapshot: Snapshot,
    /// How often each event happened.
    pub events: BTreeMap<&'static str, u64>,
    /// All counters, with every timing.
    pub counters: Arc<Counters>,
    /// Images that could not be kept.
    pub left_out: Vec<String>,
}

/// What every thread of a line shares.
#[derive(Clone)]
struct Ground {
    live: bool,
    is_simulated: bool,
    software: Arc<str>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    threads: Arc<Threads>,
}

type RecordThread = JoinHandle<(RecordReport, Result<(), RecordError>)>;
type CutThread = Option<JoinHandle<()>>;

impl Ground {
    /// record, and on a live line before it the thread that cuts pictures out of frames, so that
    /// a slow disk holds no camera's buffer.
    fn start_record(
        &self,
        mut recorder: Recorder,
    ) -> Result<(LinkSender<Outcome>, CutThread, RecordThread), LineError> {
        let bound =
            if self.live { limits::OUTCOMES_WAITING_LIVE } else { limits::OUTCOMES_WAITING };
        let (to_record, outcomes) = link::<Outcome>(bound, feed::when_full(self.live));
        self.counters.show_gauge(Stage::Record, to_record.gauge());
        let keep = Arc::clone(&recorder.keep);
        let wants = if self.live { recorder.wants.take() } else { None };
        let name = Stage::Record.name();
        let record = self.threads.spawn(Stage::Record, 0, name, move || recorder.run(&outcomes))?;
        if !self.live {
            return Ok((to_record, None, record));
        }
        let (to_cut, uncut) = link::<Outcome>(limits::OUTCOMES_TO_CUT, feed::when_full(true));
        let counters = Arc::clone(&self.counters);
        let cutter = Cutter::new(keep, limits::PICTURES_WAITING_BYTES, wants, counters);
        let cut = spawn("record-cut", move || cutter.run(&uncut, &to_record))?;
        Ok((to_cut, Some(cut), record))
    }

    /// The inspecting threads, and who looks after them. They live as long as the link to them.
    fn start_inspecting(
        &self,
        in_force: &Arc<InForce>,
        retired: &Arc<Mutex<Vec<Arc<Armed>>>>,
        jobs: LinkReceiver<Job>,
        to_act: LinkSender<Inspected>,
    ) -> Result<Supervisor, LineError> {
        let stamp = Stamp { software: Arc::clone(&self.software), is_simulated: self.is_simulated };
        let (clock, counters) = (Arc::clone(&self.clock), Arc::clone(&self.counters));
        let inspector = Inspector { stamp, clock, counters, live: self.live, jobs, to_act };
        let (threads, in_force) = (Arc::clone(&self.threads), Arc::clone(in_force));
        let seats = in_force.get().seats();
        let mut supervisor = Supervisor::new(inspector, threads, in_force, Arc::clone(retired));
        for _ in 0..seats {
            supervisor.start_worker()?;
        }
        Ok(supervisor)
    }
}

/// Starts the line, last stage first.
///
/// # Errors
/// When a thread can't be had.
pub fn start(setup: LineSetup) -> Result<Line, LineError> {
    let ground = Ground::of(&setup);
    let (live, counters, clock) = (ground.live, &ground.counters, &ground.clock);
    counters.set_state(LineState::Starting);

    let recipes = Recipes::default();
    let Filmed { taps, wants, threads: films } =
        ground.start_films(setup.film, &setup.armed.recipe, &recipes)?;
    let (to_keep, to_be_kept) = crossbeam_channel::bounded(limits::RECIPES_WAITING);
    let (to_record, cut, record) = ground.start_record(Recorder {
        recipes: to_be_kept,
        writer: setup.writer,
        log: setup.log,
        keep: setup.keep,
        live,
        wants,
        counters: Arc::clone(counters),
        clock: Arc::clone(clock),
    })?;

    let (to_act, inspected) = link::<Inspected>(limits::INSPECTIONS_WAITING, WhenFull::Wait);
    counters.show_gauge(Stage::Act, to_act.gauge());
    let (due, notices) = link::<Notice>(limits::NOTICES_WAITING, WhenFull::Wait);
    let act_pulse = Arc::new(Pulse::default());
    let act = Act {
        pace: if live { Pace::Machine(Arc::clone(clock)) } else { Pace::Footage },
        plc: setup.plc,
        software: setup.software,
        is_simulated: ground.is_simulated,
        field: setup.field,
        reject: setup.reject,
        pulse: Arc::clone(&act_pulse),
        outcomes: to_record,
        counters: Arc::clone(counters),
    };
    let run = move || act.run(&notices, &inspected);
    let act = ground.threads.spawn(Stage::Act, 0, Stage::Act.name(), run)?;

    // A live camera can't wait for inspections: the oldest part is left to its deadline.
    let (to_inspect, jobs) = link::<Job>(limits::PARTS_WAITING, feed::when_full(live));
    counters.show_gauge(Stage::Prepare, to_inspect.gauge());
    let (in_force, retired) = (Arc::new(InForce::new(setup.armed)), Arc::default());
    let supervisor = ground.start_inspecting(&in_force, &retired, jobs, to_act.clone())?;

    let numbers = Arc::default();
    let links = (due, to_inspect, to_act);
    let in_force_too = Arc::clone(&in_force);
    let head = Head { links, in_force: in_force_too, numbers, taps, ground: ground.clone() };
    let Running { capture, locate, pulses, supervise } =
        head.start_cameras(setup.cameras, supervisor, act_pulse)?;
    let counters = ground.counters;
    let kept = Mutex::default();
    Ok(Line {
        counters,
        in_force,
        retired,
        pulses,
        kept,
        to_keep,
        recipes,
        capture,
        locate,
        supervise,
        act,
        cut,
        record,
        films,
    })
}

impl Ground {
    fn of(setup: &LineSetup) -> Self {
        let cameras = setup.cameras.iter().map(|camera| camera.source.info());
        let live = cameras.clone().all(|info| info.live);
        Self {
            live,
            is_simulated: !live || cameras.clone().any(|info| info.simulated),
            software: Arc::clone(&setup.software),
            counters: Arc::clone(&setup.counters),
            clock: Arc::clone(&setup.clock),
            threads: Arc::new(Threads::new(setup.threads.clone(), live)),
        }
    }
}

/// What the threads of each camera share: where notices, parts and what is lost go.
struct Head {
    links: (LinkSender<Notice>, LinkSender<Job>, LinkSender<Inspected>),
    in_force: Arc<InForce>,
    numbers: Arc<PartNumbers>,
    taps: BTreeMap<CameraId, Tap>,
    ground: Ground,
}

/// The head of a line that runs.
struct Running {
    capture: Vec<CaptureThread>,
    locate: Vec<LocateThread>,
    pulses: Vec<Arc<Pulse>>,
    supervise: JoinHandle<bool>,
}

type LocateThread = JoinHandle<Result<(), LocateError>>;
type CaptureThread = JoinHandle<Vec<CaptureError>>;

impl Head {
    fn start_cameras(
        mut self,
        cameras: Vec<CameraSetup>,
        mut supervisor: Supervisor,
        act_pulse: Arc<Pulse>,
    ) -> Result<Running, LineError> {
        let (mut capture, mut locate, mut pulses) = (Vec::new(), Vec::new(), vec![act_pulse]);
        for (index, camera) in cameras.into_iter().enumerate() {
            let vitals = look::Vitals::default();
            supervisor.learnt.push(Arc::clone(&vitals.learnt));
            pulses.push(Arc::clone(&vitals.pulse));
            let (looking, capturing) = self.start_camera(index, camera, vitals)?;
            locate.push(looking);
            capture.push(capturing);
        }
        let supervise = spawn("supervise", move || supervisor.run())?;
        Ok(Running { capture, locate, pulses, supervise })
    }

    fn start_camera(
        &mut self,
        index: usize,
        setup: CameraSetup,
        vitals: look::Vitals,
    ) -> Result<(LocateThread, CaptureThread), LineError> {
        let CameraSetup { camera, mut source, field, peeks, watcher } = setup;
        let Ground { threads, counters, clock, live, .. } = &self.ground;
        let mut beside = feed::Beside { film: self.taps.remove(&camera), peeks, met: None };
        let watching = watcher.map(|it| watched::start(it, &mut beside, counters)).transpose()?;
        let (to_locate, frames) = link::<Frame>(limits::FRAMES_WAITING, feed::when_full(*live));
        counters.show_gauge(Stage::Locate, to_locate.gauge());
        let looker = Looker::new(camera.clone(), field, vitals, self);
        let name = format!("{}-{camera}", Stage::Locate);
        let looking = threads.spawn(Stage::Locate, index, &name, move || looker.run(&frames))?;

        let (clock, counters) = (Arc::clone(clock), Arc::clone(counters));
        let name = format!("{}-{camera}", Stage::Capture);
        let capturing = threads.spawn(Stage::Capture, index, &name, move || {
            let errors = feed::feed(&mut *source, &camera, &to_locate, beside, &*clock, &counters);
            drop((to_locate, watching));
            errors
        })?;
        Ok((looking, capturing))
    }
}

/// A thread that no plan says anything of.
fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, LineError> {
    let unnamed = |source| LineError::Thread { name: name.to_owned(), source };
    Builder::new().name(name.to_owned()).spawn(body).map_err(unnamed)
}

impl Line {
    /// The latest values; waits for nothing.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.counters.snapshot()
    }

    /// How often each event happened.
    #[must_use]
    pub fn events(&self) -> BTreeMap<&'static str, u64> {
        self.counters.events()
    }

    /// Asks the head of the line to take no more frames; what was located is answered and written.
    pub fn stop(&self) {
        self.counters.set_state(LineState::Stopping);
        self.counters.ask_to_stop();
    }

    /// Inspects the parts that are located from now on with `armed`. Parts in the line keep what
    /// they were located with; none is missed.
    ///
    /// # Errors
    /// When the record has not yet kept the recipes before it; then nothing has changed.
    pub fn change(&self, armed: Arc<Armed>) -> Result<(), LineError> {
        let recipe = armed.recipe.as_written().name.clone();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.contains(&armed.recipe.hash()) {
            // record gone is the line ending.
            if let Err(TrySendError::Full(_)) = self.to_keep.try_send(Arc::clone(&armed.recipe)) {
                return Err(LineError::RecipesWaiting { recipe });
            }
            kept.insert(armed.recipe.hash());
        }
        self.recipes.add(&armed.recipe);
        let before = self.in_force.change(armed);
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        if !retired.iter().any(|known| Arc::ptr_eq(known, &before)) {
            retired.push(before);
        }
        self.counters.event(&Event::RecipeChanged { recipe });
        Ok(())
    }

    /// Whether no thread stands still: every one either waits for work, or has been at the same
    /// thing for a short time only. What a watchdog is told. Inspecting threads are replaced and
    /// record may wait for its disk, so neither counts.
    #[must_use]
    pub fn is_alive(&self, now: MonoTime) -> bool {
        supervise::all_beat(&self.pulses, now, limits::DEAD_AFTER) && !self.act.is_finished()
    }

    /// Whether everything has been written down and the threads are gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.record.is_finished() && self.films.iter().all(JoinHandle::is_finished)
    }

    /// Waits for the end of the line, head first.
    #[must_use]
    pub fn join(self) -> LineSummary {
        let mut failed = Vec::new();
        let mut capture = Vec::new();
        for camera in self.capture {
            match camera.join() {
                Ok(errors) => capture.extend(errors),
                Err(_) => failed.push(Stage::Capture),
            }
        }
        let mut locate = Ok(());
        for looker in self.locate {
            match looker.join() {
                Ok(looked) => locate = locate.and(looked),
                Err(_) => failed.push(Stage::Locate),
            }
        }
        if self.supervise.join().unwrap_or(true) {
            failed.push(Stage::Infer);
        }
        if self.act.join().is_err() {
            failed.push(Stage::Act);
        }
        if self.cut.is_some_and(|cut| cut.join().is_err()) {
            failed.push(Stage::Record);
        }
        let (report, record) = self.record.join().unwrap_or_else(|_| {
            failed.push(Stage::Record);
            (RecordReport::default(), Ok(()))
        });
        for film in self.films {
            if film.join().is_err() {
                failed.push(Stage::Record);
            }
        }
        self.counters.set_state(LineState::Off);
        LineSummary {
            capture,
            locate,
            record,
            failed,
            snapshot: self.counters.snapshot(),
            events: self.counters.events(),
            counters: self.counters,
            left_out: report.left_out,
        }
    }
}
