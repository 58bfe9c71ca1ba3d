//! The line: which stages there are, which threads they have, and what links them. The only file
//! that names two stages.
//!
//! Built last stage first, so that each stage is given the link to the next. The line ends from
//! its head: when capture returns, its link closes, and each stage in turn finishes what it has.

mod armed;
mod inspect;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use domain::{CameraId, Command, Frame, LineState, MonoTime, Outcome, Part, Snapshot, Stage};
use thiserror::Error;

use crate::act::{Act, Inspected, Notice, Pace};
use crate::capture::feed;
use crate::capture::{CaptureError, Source};
use crate::clock::Clock;
use crate::decide::Stamp;
use crate::limits;
use crate::link::{LinkReceiver, LinkSender, WhenFull, link};
use crate::locate::{LocateError, Locator, PartNumbers, notice_of};
use crate::plc::{FieldInput, Plc};
use crate::record::verdict_log::VerdictLog;
use crate::record::{Keep, RecordError, RecordReport, Recorder};
use crate::stage::Counters;
pub use armed::Armed;
use inspect::{Inspector, Job};

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
    /// The line's counters, with its cameras; the PLC's thread counts there too.
    pub counters: Arc<Counters>,
    /// The store's write half.
    pub writer: store::Writer,
    /// The verdict log, where one is wanted.
    pub log: Option<VerdictLog>,
    /// Which passed parts' images are kept.
    pub keep: Keep,
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
    capture: Vec<JoinHandle<Vec<CaptureError>>>,
    locate: Vec<JoinHandle<Result<(), LocateError>>>,
    inspectors: Vec<JoinHandle<()>>,
    act: JoinHandle<()>,
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
    let counters = setup.counters;
    let clock = setup.clock;
    let stamp = Stamp { software: Arc::clone(&setup.software), is_simulated: !live };

    let (to_record, outcomes) = link::<Outcome>(limits::OUTCOMES_WAITING, WhenFull::Wait);
    counters.show_gauge(Stage::Record, to_record.gauge());
    let recorder = Recorder {
        writer: setup.writer,
        log: setup.log,
        keep: setup.keep,
        live,
        counters: Arc::clone(&counters),
        clock: Arc::clone(&clock),
    };
    let record = spawn(Stage::Record.name(), move || recorder.run(&outcomes))?;

    let (to_act, inspected) = link::<Inspected>(limits::INSPECTIONS_WAITING, WhenFull::Wait);
    counters.show_gauge(Stage::Act, to_act.gauge());
    let (due, notices) = link::<Notice>(limits::NOTICES_WAITING, WhenFull::Wait);
    let act = Act {
        pace: if live { Pace::Machine(Arc::clone(&clock)) } else { Pace::Footage },
        plc: setup.plc,
        software: setup.software,
        is_simulated: !live,
        field: setup.field,
        reject: None,
        outcomes: to_record,
        counters: Arc::clone(&counters),
    };
    let act = spawn(Stage::Act.name(), move || act.run(&notices, &inspected))?;

    let (to_inspect, jobs) = link::<Job>(limits::PARTS_WAITING, WhenFull::Wait);
    counters.show_gauge(Stage::Prepare, to_inspect.gauge());
    let inspectors = (0..setup.armed.seats())
        .map(|index| {
            let inspector =
                Inspector::new(stamp.clone(), Arc::clone(&clock), Arc::clone(&counters));
            let (jobs, to_act) = (jobs.clone(), to_act.clone());
            spawn(&format!("inspect-{index}"), move || inspector.run(&jobs, &to_act))
        })
        .collect::<Result<_, _>>()?;
    drop((jobs, to_act));

    let mut line = Line {
        counters: Arc::clone(&counters),
        capture: Vec::new(),
        locate: Vec::new(),
        inspectors,
        act,
        record,
    };
    let numbers = Arc::new(PartNumbers::default());
    let head = Head { due, to_inspect, armed: setup.armed, clock, counters, numbers, live };
    for camera in setup.cameras {
        line.start_camera(camera, &head)?;
    }
    line.counters.set_state(LineState::Running);
    Ok(line)
}

/// What the threads of each camera share.
struct Head {
    due: LinkSender<Notice>,
    to_inspect: LinkSender<Job>,
    armed: Arc<Armed>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    numbers: Arc<PartNumbers>,
    live: bool,
}

impl Line {
    fn start_camera(&mut self, setup: CameraSetup, head: &Head) -> Result<(), LineError> {
        let CameraSetup { camera, source, field } = setup;
        let (to_locate, frames) = link::<Frame>(limits::FRAMES_WAITING, feed::when_full(head.live));
        head.counters.show_gauge(Stage::Locate, to_locate.gauge());
        let locator = Locator::new(
            Arc::clone(&head.armed.recipe),
            !head.live,
            Arc::clone(&head.numbers),
            Arc::clone(&head.clock),
            Arc::clone(&head.counters),
        );
        let looker = Looker {
            locator,
            armed: Arc::clone(&head.armed),
            due: head.due.clone(),
            to_inspect: head.to_inspect.clone(),
        };
        let _ = field;
        let name = format!("{}-{camera}", Stage::Locate);
        self.locate.push(spawn(&name, move || looker.run(&frames))?);

        let (clock, counters) = (Arc::clone(&head.clock), Arc::clone(&head.counters));
        let name = format!("{}-{camera}", Stage::Capture);
        self.capture.push(spawn(&name, move || {
            feed::feed(source, &camera, &to_locate, &*clock, &counters)
        })?);
        Ok(())
    }

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
        let _ = armed;
    }

    /// Whether no thread stands still: every one either waits for work, or has been at the same
    /// thing for a short time only. What a watchdog is told.
    #[must_use]
    pub fn is_alive(&self, now: MonoTime) -> bool {
        let _ = now;
        true
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
        for inspector in self.inspectors {
            if inspector.join().is_err() {
                failed.push(Stage::Infer);
            }
        }
        if self.act.join().is_err() {
            failed.push(Stage::Act);
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

fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, LineError> {
    Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|source| LineError::Thread { name: name.to_owned(), source })
}

/// The body of a thread locate. Each part is announced to act before it is handed on.
struct Looker {
    locator: Locator,
    armed: Arc<Armed>,
    due: LinkSender<Notice>,
    to_inspect: LinkSender<Job>,
}

impl Looker {
    fn run(mut self, frames: &LinkReceiver<Frame>) -> Result<(), LocateError> {
        let mut looked = Ok(());
        while let Ok(frame) = frames.recv() {
            match self.locator.see(frame) {
                Ok(parts) => self.hand_on(parts),
                // Leaving closes the link, which stops capture.
                Err(error) => {
                    looked = Err(error);
                    break;
                }
            }
        }
        let last = self.locator.end();
        self.hand_on(last);
        looked
    }

    fn hand_on(&self, parts: Vec<Part>) {
        for part in parts {
            let notice = Notice {
                expected: notice_of(&part),
                located_at: part.triggered_at.mono,
                unseen: None,
            };
            let job = Job { part, armed: Arc::clone(&self.armed) };
            // Without act or inspectors there is nothing to be done for a part; what was already
            // announced is answered by act's fail-safe.
            let _ = self.due.send(notice).and_then(|_| self.to_inspect.send(job));
        }
    }
}
