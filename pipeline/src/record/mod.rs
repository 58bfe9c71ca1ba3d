//! record: writes everything down, after the gate has heard.
//!
//! Takes outcomes from act; gives rows, images and lines of the verdict log. May be slow: in
//! replay the line waits for it; on a live line it holds no camera's buffer, and nothing waits.

pub mod annotate;
pub mod clip;
pub mod cut;
pub mod encode;
pub mod film;
mod live;
pub mod reel;
pub mod verdict_log;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use domain::{ActedInspection, CaptureTime, CheckedRecipe, Outcome, Stage, StageTimes, WallTime};
use store::{StoreError, Writer};
use thiserror::Error;

use crate::clock::Clock;
use crate::link::{LinkReceiver, Received};
use crate::stage::Counters;
use film::wants::Wants;
use verdict_log::VerdictLog;

/// Outcomes between two flushes.
const BATCH: usize = 32;
/// The longest an outcome waits for its flush.
const FLUSH_AFTER: Duration = Duration::from_millis(200);

/// Images that could not be kept and are told one by one.
const LEFT_OUT_MOST: usize = 8;

/// Which passed parts' images are kept besides the recipe's share.
pub type Keep = Arc<dyn Fn(&ActedInspection) -> bool + Send + Sync>;

/// Something could not be written down.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The verdict log.
    #[error("{}: the verdict log can't be written: {source}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RecordError {
    fn log(path: &Path, source: std::io::Error) -> Self {
        Self::Log { path: path.to_owned(), source }
    }
}

/// The stage record.
pub struct Recorder {
    /// The store's write half.
    pub writer: Writer,
    /// The verdict log, where one is wanted.
    pub log: Option<VerdictLog>,
    /// Which passed parts' images are kept.
    pub keep: Keep,
    /// Recipes that came into force, to be kept before the parts that were inspected with them.
    pub recipes: Receiver<Arc<CheckedRecipe>>,
    /// Whether frames come at their own pace. Otherwise the time to a verdict is what its part
    /// took in the stages, without waiting, as footage is fed as fast as it is taken.
    pub live: bool,
    /// The films to tell which parts are to be seen in clips; on a live line the cutter does.
    pub wants: Option<Wants>,
    /// The line's counters.
    pub counters: Arc<Counters>,
    /// The machine's clock, for the time it takes.
    pub clock: Arc<dyn Clock>,
}

/// What record measured.
#[derive(Default)]
pub struct RecordReport {
    /// Images that could not be kept, a sentence each; only the first few.
    pub left_out: Vec<String>,
}

impl RecordReport {
    fn left_out(&mut self, sentences: Vec<String>) {
        if self.left_out.len() < LEFT_OUT_MOST {
            self.left_out.extend(sentences);
        }
    }
}

impl Recorder {
    /// Runs until the link is closed.
    ///
    /// # Errors
    /// The first thing that could not be written. What was flushed before stays.
    pub fn run(
        mut self,
        outcomes: &LinkReceiver<Outcome>,
    ) -> (RecordReport, Result<(), RecordError>) {
        let mut report = RecordReport::default();
        let written = if self.live {
            self.run_live(outcomes, &mut report);
            Ok(())
        } else {
            self.write_all(outcomes, &mut report)
        };
        let done = written.and_then(|()| {
            let ended_at: WallTime = self.clock.wall();
            Ok(self.writer.finish(ended_at)?)
        });
        (report, done)
    }

    fn write_all(
        &mut self,
        outcomes: &LinkReceiver<Outcome>,
        report: &mut RecordReport,
    ) -> Result<(), RecordError> {
        let mut unflushed = 0;
        loop {
            match outcomes.recv_within(FLUSH_AFTER) {
                Received::Item(outcome) => {
                    let start = self.clock.now();
                    self.write(&outcome, report)?;
                    let took = self.clock.now().since(start);
                    self.counters.took[Stage::Record as usize].add(took);
                    unflushed += 1;
                }
                Received::Nothing if unflushed == 0 => {}
                Received::Nothing => unflushed = BATCH,
                Received::Closed => return self.flush(),
            }
            if unflushed >= BATCH {
                self.flush()?;
                unflushed = 0;
            }
        }
    }

    fn write(&mut self, outcome: &Outcome, report: &mut RecordReport) -> Result<(), RecordError> {
        let keep = Arc::clone(&self.keep);
        let recorded = self.writer.record(outcome, &mut |acted| keep(acted))?;
        report.left_out(recorded.left_out);
        if let Outcome::Acted(acted) = outcome {
            if let Some(wants) = &self.wants {
                wants.tell(acted);
            }
            if let Some(log) = &mut self.log {
                log.add(acted)?;
            }
            self.counters.decision.add(time_of(&acted.inspection.times));
        }
        self.counters.recorded();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), RecordError> {
        let at = CaptureTime { mono: self.counters.footage_time(), wall: self.clock.wall() };
        for event in self.counters.take_unwritten() {
            self.writer.count_event(&event, at)?;
        }
        if let Some(log) = &mut self.log {
            log.flush()?;
        }
        Ok(self.writer.flush()?)
    }
}

fn time_of(times: &StageTimes) -> Duration {
    let stages = [Stage::Locate, Stage::Prepare, Stage::Infer, Stage::Decide];
    stages.into_iter().map(|stage| times.of(stage)).sum()
}
