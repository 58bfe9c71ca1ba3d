//! The line: which stages there are, which threads they have, and what links them. The only file
//! that names two stages.
//!
//! Built last stage first, so that each stage is given the link to the next. The line ends from
//! its head: when capture returns, its link closes, and each stage in turn finishes what it has.

mod armed;
mod inspect;
mod look;
mod supervise;
mod threads;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::Sender;
use domain::{
    CameraId, CheckedRecipe, Command, Event, Frame, LineState, MonoTime, Outcome, Sha256, Snapshot,
    Stage,
};
use thiserror::Error;

use crate::act::reject::Reject;
use crate::act::{Act, Inspected, Notice, Pace};
use crate::capture::feed;
use crate::capture::{CaptureError, Source};
use crate::clock::Clock;
use crate::decide::Stamp;
use crate::limits;
use crate::link::{LinkReceiver, LinkSender, WhenFull, link};
use crate::locate::{LocateError, PartNumbers};
use crate::plc::{FieldInput, Plc};
use crate::record::cut::Cutter;
use crate::record::verdict_log::VerdictLog;
use crate::record::{Keep, RecordError, RecordReport, Recorder};
use crate::stage::{Counters, Pulse};
pub use armed::Armed;
use armed::InForce;
use inspect::{Inspector, Job};
use look::Looker;
use supervise::Supervisor;
pub use threads::ThreadPlan;
use threads::Threads;

/// One camera of a line.
pub struct CameraSetup {
    /// Its name.
    pub camera: CameraId,
    /// Where its frames come from.
    pub source: Box<dyn Source>,
    /// What the PLC tells of the belt under it.
    pub field: Option<LinkReceiver<FieldInput>>,
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
    supervise: JoinHandle<bool>,
    act: JoinHandle<()>,
    cut: Option<JoinHandle<()>>,
    record: JoinHandle<(RecordReport, Result<(), RecordError>)>,
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

/// Starts the line, last stage first.
///
/// # Errors
/// When a thread can't be had.
pub fn start(setup: LineSetup) -> Result<Line, LineError> {
    let live = setup.cameras.iter().all(|camera| camera.source.info().live);
    let threads = Arc::new(Threads::new(setup.threads, live));
    let (counters, clock) = (setup.counters, setup.clock);
    counters.set_state(LineState::Starting);

    let (to_keep, recipes) = crossbeam_channel::unbounded();
    let recorder = Recorder {
        recipes,
        writer: setup.writer,
        log: setup.log,
        keep: Arc::clone(&setup.keep),
        live,
        counters: Arc::clone(&counters),
        clock: Arc::clone(&clock),
    };
    let (to_record, cut, record) = start_record(recorder, setup.keep, &threads)?;

    let (to_act, inspected) = link::<Inspected>(limits::INSPECTIONS_WAITING, WhenFull::Wait);
    counters.show_gauge(Stage::Act, to_act.gauge());
    let (due, notices) = link::<Notice>(limits::NOTICES_WAITING, WhenFull::Wait);
    let act_pulse = Arc::new(Pulse::default());
    let act = Act {
        pace: if live { Pace::Machine(Arc::clone(&clock)) } else { Pace::Footage },
        plc: setup.plc,
        software: Arc::clone(&setup.software),
        is_simulated: !live,
        field: setup.field,
        reject: setup.reject,
        pulse: Arc::clone(&act_pulse),
        outcomes: to_record,
        counters: Arc::clone(&counters),
    };
    let act =
        threads.spawn(Stage::Act, 0, Stage::Act.name(), move || act.run(&notices, &inspected))?;

    // A live camera can't wait for inspections: the oldest part is left to its deadline.
    let (to_inspect, jobs) = link::<Job>(limits::PARTS_WAITING, feed::when_full(live));
    counters.show_gauge(Stage::Prepare, to_inspect.gauge());
    let inspector = Inspector {
        stamp: Stamp { software: setup.software, is_simulated: !live },
        clock: Arc::clone(&clock),
        counters: Arc::clone(&counters),
        live,
        jobs,
        to_act: to_act.clone(),
    };
    let in_force = Arc::new(InForce::new(Arc::clone(&setup.armed)));
    let retired = Arc::default();
    let mut supervisor = Supervisor::new(
        inspector,
        Arc::clone(&threads),
        Arc::clone(&in_force),
        Arc::clone(&retired),
    );
    for _ in 0..setup.armed.seats() {
        supervisor.start_worker()?;
    }

    let numbers = Arc::new(PartNumbers::default());
    let mut head = Head {
        due,
        to_inspect,
        to_act,
        in_force: Arc::clone(&in_force),
        clock,
        counters: Arc::clone(&counters),
        numbers,
        threads: Arc::clone(&threads),
        live,
        cameras: 0,
        pulses: vec![act_pulse],
    };
    let (mut capture, mut locate) = (Vec::new(), Vec::new());
    for camera in setup.cameras {
        let learnt = Arc::new(AtomicBool::new(false));
        supervisor.learnt.push(Arc::clone(&learnt));
        let (looking, capturing) = head.start_camera(camera, learnt)?;
        locate.push(looking);
        capture.push(capturing);
    }
    let pulses = head.pulses;
    let supervise = Builder::new()
        .name("supervise".to_owned())
        .spawn(move || supervisor.run())
        .map_err(|source| LineError::Thread { name: "supervise".to_owned(), source })?;
    Ok(Line {
        counters,
        in_force,
        retired,
        pulses,
        kept: Mutex::default(),
        to_keep,
        capture,
        locate,
        supervise,
        act,
        cut,
        record,
    })
}

type RecordThread = JoinHandle<(RecordReport, Result<(), RecordError>)>;

/// record, and on a live line before it the thread that cuts pictures out of frames, so that a
/// slow disk holds no camera's buffer.
fn start_record(
    recorder: Recorder,
    keep: Keep,
    threads: &Threads,
) -> Result<(LinkSender<Outcome>, Option<JoinHandle<()>>, RecordThread), LineError> {
    let (live, counters) = (recorder.live, Arc::clone(&recorder.counters));
    let bound = if live { limits::OUTCOMES_WAITING_LIVE } else { limits::OUTCOMES_WAITING };
    let (to_record, outcomes) = link::<Outcome>(bound, feed::when_full(live));
    counters.show_gauge(Stage::Record, to_record.gauge());
    let name = Stage::Record.name();
    let record = threads.spawn(Stage::Record, 0, name, move || recorder.run(&outcomes))?;
    if !live {
        return Ok((to_record, None, record));
    }
    let (to_cut, uncut) = link::<Outcome>(limits::OUTCOMES_TO_CUT, feed::when_full(live));
    let cutter = Cutter::new(keep, limits::PICTURES_WAITING_BYTES, counters);
    let cut = Builder::new()
        .name("record-cut".to_owned())
        .spawn(move || cutter.run(&uncut, &to_record))
        .map_err(|source| LineError::Thread { name: "record-cut".to_owned(), source })?;
    Ok((to_cut, Some(cut), record))
}

/// What the threads of each camera share.
struct Head {
    due: LinkSender<Notice>,
    to_inspect: LinkSender<Job>,
    to_act: LinkSender<Inspected>,
    in_force: Arc<InForce>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    numbers: Arc<PartNumbers>,
    threads: Arc<Threads>,
    live: bool,
    cameras: usize,
    pulses: Vec<Arc<Pulse>>,
}

type LocateThread = JoinHandle<Result<(), LocateError>>;
type CaptureThread = JoinHandle<Vec<CaptureError>>;

impl Head {
    fn start_camera(
        &mut self,
        setup: CameraSetup,
        learnt: Arc<AtomicBool>,
    ) -> Result<(LocateThread, CaptureThread), LineError> {
        let CameraSetup { camera, source, field } = setup;
        let index = self.cameras;
        self.cameras += 1;
        let (to_locate, frames) = link::<Frame>(limits::FRAMES_WAITING, feed::when_full(self.live));
        self.counters.show_gauge(Stage::Locate, to_locate.gauge());
        let pulse = Arc::new(Pulse::default());
        self.pulses.push(Arc::clone(&pulse));
        let looker = Looker::new(camera.clone(), field, learnt, pulse, self);
        let name = format!("{}-{camera}", Stage::Locate);
        let looking =
            self.threads.spawn(Stage::Locate, index, &name, move || looker.run(&frames))?;

        let (clock, counters) = (Arc::clone(&self.clock), Arc::clone(&self.counters));
        let name = format!("{}-{camera}", Stage::Capture);
        let capturing = self.threads.spawn(Stage::Capture, index, &name, move || {
            feed::feed(source, &camera, &to_locate, &*clock, &counters)
        })?;
        Ok((looking, capturing))
    }
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

    /// Asks something of the head of the line.
    pub fn command(&self, command: Command) {
        match command {
            Command::Stop => {
                self.counters.set_state(LineState::Stopping);
                self.counters.ask_to_stop();
            }
        }
    }

    /// Inspects the parts that are located from now on with `armed`. Parts in the line keep what
    /// they were located with; none is missed.
    pub fn change(&self, armed: Arc<Armed>) {
        let recipe = armed.recipe.as_written().name.clone();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.insert(armed.recipe.hash()) {
            // record gone is the line ending.
            let _ = self.to_keep.send(Arc::clone(&armed.recipe));
        }
        let before = self.in_force.change(armed);
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        if !retired.iter().any(|known| Arc::ptr_eq(known, &before)) {
            retired.push(before);
        }
        self.counters.event(&Event::RecipeChanged { recipe });
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
        self.record.is_finished()
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
