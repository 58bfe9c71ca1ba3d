//! The line: which stages there are, which threads they have, and what links them. The only file
//! that names two stages.
//!
//! Built last stage first, so that each stage is given the link to the next. The line ends from
//! its head: when capture returns, its link closes, and each stage in turn finishes what it has.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use domain::{CheckedRecipe, Command, Event, Frame, Inspection, Outcome, Part, Snapshot, Stage};
use models::{BundleError, Model};
use thiserror::Error;

use crate::act::{Act, ActReport, Inspected, Notice, Pace};
use crate::capture::feed::{self, CaptureReport};
use crate::capture::{CaptureError, Source};
use crate::clock::Clock;
use crate::decide::{Stamp, inspection_from_inferred};
use crate::infer::inferred_from_prepared;
use crate::limits;
use crate::link::{LinkReceiver, LinkSender, WhenFull, link};
use crate::locate::{LocateError, Locator, notice_of};
use crate::plc::Plc;
use crate::prepare::Preparer;
use crate::record::Keep;
use crate::record::verdict_log::VerdictLog;
use crate::record::{RecordError, RecordReport, Recorder};
use crate::stage::{Counters, Timing};

/// Everything a line is made of.
pub struct LineSetup {
    /// Where frames come from.
    pub source: Box<dyn Source>,
    /// What to look for.
    pub recipe: Arc<CheckedRecipe>,
    /// The armed model.
    pub model: Model,
    /// How many threads inspect; each has a session of its own, so verdicts do not depend on it.
    pub inspectors: usize,
    /// Who hears the verdicts.
    pub plc: Box<dyn Plc>,
    /// The store's write half.
    pub writer: store::Writer,
    /// The verdict log.
    pub log: VerdictLog,
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
    /// No session for another inspecting thread.
    #[error(transparent)]
    Model(#[from] BundleError),
}

/// A running line.
pub struct Line {
    counters: Arc<Counters>,
    capture: JoinHandle<CaptureReport>,
    locate: JoinHandle<(Timing, Result<(), LocateError>)>,
    inspectors: Vec<JoinHandle<()>>,
    act: JoinHandle<ActReport>,
    record: JoinHandle<(RecordReport, Result<(), RecordError>)>,
    live: bool,
}

/// What a line has to say when it is over.
pub struct LineSummary {
    /// What was wrong with the source, first things first.
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
    /// Time in each stage: a frame in capture and locate, a part in the others.
    pub timings: BTreeMap<Stage, Timing>,
    /// A part's way to its verdict. Live: from trigger to signal. In replay: its time in locate,
    /// prepare, infer and decide, without waiting, as footage is fed as fast as it is taken.
    pub decision: Timing,
    /// Images that could not be kept.
    pub left_out: Vec<String>,
}

/// Starts the line, last stage first.
///
/// # Errors
/// When a thread or a session can't be had.
pub fn start(setup: LineSetup) -> Result<Line, LineError> {
    let live = setup.source.info().live;
    let counters = Arc::new(Counters::default());
    let clock = setup.clock;
    let stamp = Stamp { software: Arc::clone(&setup.software), is_simulated: !live };

    let (to_record, outcomes) = link::<Outcome>(limits::OUTCOMES_WAITING, WhenFull::Wait);
    let recorder = Recorder {
        writer: setup.writer,
        log: setup.log,
        keep: setup.keep,
        counters: Arc::clone(&counters),
        clock: Arc::clone(&clock),
    };
    let record = spawn(Stage::Record.name(), move || recorder.run(&outcomes))?;

    let (to_act, inspected) = link::<Inspected>(limits::INSPECTIONS_WAITING, WhenFull::Wait);
    let (due, notices) = link::<Notice>(limits::NOTICES_WAITING, WhenFull::Wait);
    let act = Act {
        pace: if live { Pace::Machine(Arc::clone(&clock)) } else { Pace::Footage },
        plc: setup.plc,
        software: setup.software,
        is_simulated: !live,
        outcomes: to_record,
        counters: Arc::clone(&counters),
    };
    let act = spawn(Stage::Act.name(), move || act.run(&notices, &inspected))?;

    let (to_inspect, parts) = link::<Part>(limits::PARTS_WAITING, WhenFull::Wait);
    let wanted = setup.inspectors.clamp(1, limits::INSPECTORS_MAX);
    let mut models = vec![setup.model];
    while models.len() < wanted {
        models.push(models[0].another()?);
    }
    let inspectors = models
        .into_iter()
        .enumerate()
        .map(|(index, model)| {
            let inspector =
                Inspector::new(model, stamp.clone(), Arc::clone(&clock), Arc::clone(&counters));
            let (parts, to_act) = (parts.clone(), to_act.clone());
            spawn(&format!("inspect-{index}"), move || inspector.run(&parts, &to_act))
        })
        .collect::<Result<_, _>>()?;
    drop((parts, to_act));

    let (to_locate, frames) = link::<Frame>(limits::FRAMES_WAITING, feed::when_full(live));
    let locator = Locator::new(setup.recipe, !live, Arc::clone(&clock), Arc::clone(&counters));
    let locate = spawn(Stage::Locate.name(), move || locate(locator, &frames, &due, &to_inspect))?;

    let (source, counted) = (setup.source, Arc::clone(&counters));
    let capture =
        spawn(Stage::Capture.name(), move || feed::feed(source, &to_locate, &*clock, &counted))?;
    Ok(Line { counters, capture, locate, inspectors, act, record, live })
}

impl Line {
    /// The latest values; waits for nothing.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.counters.snapshot()
    }

    /// Asks something of the head of the line.
    pub fn command(&self, command: Command) {
        match command {
            Command::Stop => self.counters.ask_to_stop(),
        }
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
        let mut timings = BTreeMap::new();
        let capture = self.capture.join().unwrap_or_else(|_| {
            failed.push(Stage::Capture);
            CaptureReport::default()
        });
        timings.insert(Stage::Capture, capture.timing);
        let (locate_timing, locate) = self.locate.join().unwrap_or_else(|_| {
            failed.push(Stage::Locate);
            (Timing::default(), Ok(()))
        });
        for inspector in self.inspectors {
            if inspector.join().is_err() {
                failed.push(Stage::Infer);
            }
        }
        let act = self.act.join().unwrap_or_else(|_| {
            failed.push(Stage::Act);
            ActReport::default()
        });
        let (report, record) = self.record.join().unwrap_or_else(|_| {
            failed.push(Stage::Record);
            (RecordReport::default(), Ok(()))
        });
        for stage in [Stage::Prepare, Stage::Infer, Stage::Decide] {
            timings.insert(stage, report.stages[stage as usize].clone());
        }
        timings.insert(Stage::Locate, locate_timing);
        timings.insert(Stage::Record, report.timing);
        LineSummary {
            capture: capture.errors,
            locate,
            record,
            failed,
            snapshot: self.counters.snapshot(),
            events: self.counters.events(),
            timings,
            decision: if self.live { act.decision } else { report.decision },
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

/// The body of the thread locate. Each part is announced to act before it is handed on.
fn locate(
    mut locator: Locator,
    frames: &LinkReceiver<Frame>,
    due: &LinkSender<Notice>,
    to_inspect: &LinkSender<Part>,
) -> (Timing, Result<(), LocateError>) {
    let hand_on = |parts: Vec<Part>| {
        for part in parts {
            let notice = Notice { expected: notice_of(&part), located_at: part.triggered_at.mono };
            // Without act or inspectors there is nothing to be done for a part; what was already
            // announced is answered by act's fail-safe.
            let _ = due.send(notice).and_then(|_| to_inspect.send(part));
        }
    };
    let mut looked = Ok(());
    while let Ok(frame) = frames.recv() {
        match locator.see(frame) {
            Ok(parts) => hand_on(parts),
            // Leaving closes the link, which stops capture.
            Err(error) => {
                looked = Err(error);
                break;
            }
        }
    }
    hand_on(locator.end());
    (std::mem::take(&mut locator.timing), looked)
}

/// prepare, infer and decide on one thread: a part's tensor never changes hands.
struct Inspector {
    model: Model,
    preparer: Preparer,
    stamp: Stamp,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

impl Inspector {
    fn new(model: Model, stamp: Stamp, clock: Arc<dyn Clock>, counters: Arc<Counters>) -> Self {
        let preparer = Preparer::new(model.input());
        Self { model, preparer, stamp, clock, counters }
    }

    /// A panic costs the part its inspection, not the line: act's fail-safe answers for it.
    fn run(mut self, parts: &LinkReceiver<Part>, to_act: &LinkSender<Inspected>) {
        while let Ok(part) = parts.recv() {
            let id = part.id;
            let inspected = match catch_unwind(AssertUnwindSafe(|| self.inspect(part))) {
                Ok(inspection) => Inspected::Done(Box::new(inspection)),
                Err(_) => {
                    let message = format!("{id} made an inspecting thread panic");
                    self.counters.event(&Event::StageFailed { stage: Stage::Infer, message });
                    Inspected::Lost(id)
                }
            };
            if to_act.send(inspected).is_err() {
                return;
            }
        }
    }

    fn inspect(&mut self, part: Part) -> Inspection {
        let prepared = self.preparer.prepare(part, &*self.clock);
        let preparer = &mut self.preparer;
        let inferred = inferred_from_prepared(prepared, &mut self.model, &*self.clock, |tensor| {
            preparer.give_back(tensor);
        });
        let start = self.clock.now();
        let mut inspection = inspection_from_inferred(inferred, &self.stamp);
        inspection.times.add(Stage::Decide, self.clock.now().since(start));
        inspection
    }
}
