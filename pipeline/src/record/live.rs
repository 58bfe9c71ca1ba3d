//! record on a live line: the disk may be slow, full or gone for a while, and nothing is lost by
//! it that memory can hold. Takes outcomes whose pictures are cut out; gives what [`Recorder`]
//! gives. Whatever happens, verdicts go on.
//!
//! What was recorded stays here until its batch is flushed. When the disk refuses, the batch is
//! written again from the beginning, once a second, until it is taken.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{CaptureTime, CheckedRecipe, Event, MonoTime, Outcome, Stage};
use store::StoreError;

use super::{BATCH, FLUSH_AFTER, RecordReport, Recorder, cut};
use crate::limits;
use crate::link::{LinkReceiver, Received};

/// How long the disk is left alone after it refused.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What is not yet safe on disk.
#[derive(Default)]
struct Unflushed {
    outcomes: VecDeque<Outcome>,
    /// How many of them are in the store's batch.
    written: usize,
    events: VecDeque<Event>,
    events_written: usize,
    /// Not kept yet, and needed before any part is written.
    recipes: VecDeque<Arc<CheckedRecipe>>,
    /// Since when the oldest waits for its flush.
    since: Option<MonoTime>,
    /// Since when the disk refuses.
    refused_at: Option<MonoTime>,
}

impl Recorder {
    /// Runs until the link is closed.
    pub(super) fn run_live(&mut self, outcomes: &LinkReceiver<Outcome>, report: &mut RecordReport) {
        let mut unflushed = Unflushed::default();
        loop {
            let closed = match outcomes.recv_within(FLUSH_AFTER) {
                Received::Item(outcome) => {
                    self.hold(&mut unflushed, outcome);
                    if !self.is_due(&unflushed) {
                        self.write_timed(&mut unflushed, report);
                        continue;
                    }
                    false
                }
                Received::Nothing => false,
                Received::Closed => true,
            };
            if closed || self.may_try(&unflushed) {
                self.flush_live(&mut unflushed, report);
            }
            if closed {
                return self.give_up(unflushed);
            }
        }
    }

    /// Holds one more; the oldest that is in no batch is given up where there are too many.
    fn hold(&self, unflushed: &mut Unflushed, outcome: Outcome) {
        if unflushed.outcomes.len() >= limits::OUTCOMES_WAITING_LIVE
            && let Some(oldest) = unflushed.outcomes.remove(unflushed.written)
        {
            self.counters.event(&cut::given_up(&oldest));
        }
        unflushed.since.get_or_insert(self.clock.now());
        unflushed.outcomes.push_back(outcome);
    }

    /// Whether it is time for a flush; while the disk refuses, each turn is.
    fn is_due(&self, unflushed: &Unflushed) -> bool {
        let waited = unflushed.since.map(|since| self.clock.now().since(since));
        unflushed.refused_at.is_some()
            || unflushed.outcomes.len() >= BATCH
            || waited.is_some_and(|waited| waited >= FLUSH_AFTER)
    }

    fn may_try(&self, unflushed: &Unflushed) -> bool {
        unflushed.refused_at.is_none_or(|since| self.clock.now().since(since) >= RETRY_AFTER)
    }

    fn write_timed(&mut self, unflushed: &mut Unflushed, report: &mut RecordReport) {
        let start = self.clock.now();
        if let Err(error) = self.write_held(unflushed, report) {
            self.refused(unflushed, &error);
        }
        self.counters.took[Stage::Record as usize].add(self.clock.now().since(start));
    }

    /// Keeps the recipes that came into force.
    fn keep_recipes(&mut self, unflushed: &mut Unflushed) -> Result<(), StoreError> {
        unflushed.recipes.extend(self.recipes.try_iter());
        if unflushed.recipes.is_empty() {
            return Ok(());
        }
        // Keeping a recipe flushes; what is in the batch must be known to be safe before.
        self.writer.flush()?;
        self.flushed(unflushed);
        while let Some(recipe) = unflushed.recipes.front() {
            self.writer.keep_recipe(recipe)?;
            unflushed.recipes.pop_front();
        }
        Ok(())
    }

    /// Puts into the batch what is not in it, as far as a batch goes: after a disk was full, what
    /// little there is room for is kept for good before the next is tried.
    fn write_held(
        &mut self,
        unflushed: &mut Unflushed,
        report: &mut RecordReport,
    ) -> Result<(), StoreError> {
        self.keep_recipes(unflushed)?;
        while unflushed.written < BATCH
            && let Some(outcome) = unflushed.outcomes.get(unflushed.written)
        {
            // What the cutter left in is kept.
            let mut keep = |acted: &domain::ActedInspection| !acted.inspection.pictures.is_empty();
            match self.writer.record(outcome, &mut keep) {
                Ok(recorded) => {
                    unflushed.written += 1;
                    report.left_out(recorded.left_out);
                }
                Err(error) if error.may_pass() => return Err(error),
                Err(error) => {
                    let part = part_of(outcome);
                    self.counters.event(&Event::NotRecorded { part, cause: error.to_string() });
                    unflushed.outcomes.remove(unflushed.written);
                }
            }
        }
        Ok(())
    }

    fn write_events(&mut self, unflushed: &mut Unflushed) -> Result<(), StoreError> {
        let at = CaptureTime { mono: self.clock.now(), wall: self.clock.wall() };
        while let Some(event) = unflushed.events.get(unflushed.events_written) {
            self.writer.count_event(event, at)?;
            unflushed.events_written += 1;
        }
        Ok(())
    }

    fn flush_live(&mut self, unflushed: &mut Unflushed, report: &mut RecordReport) {
        unflushed.events.extend(self.counters.take_unwritten());
        while unflushed.events.len() > limits::EVENTS_WAITING {
            unflushed.events.remove(unflushed.events_written);
        }
        loop {
            let done = self
                .write_held(unflushed, report)
                .and_then(|()| self.write_events(unflushed))
                .and_then(|()| self.writer.flush());
            match done {
                Ok(()) => self.flushed(unflushed),
                Err(error) => return self.refused(unflushed, &error),
            }
            if unflushed.outcomes.is_empty() {
                return self.recovered(unflushed);
            }
        }
    }

    fn flushed(&mut self, unflushed: &mut Unflushed) {
        for _ in 0..std::mem::take(&mut unflushed.written) {
            let Some(outcome) = unflushed.outcomes.pop_front() else { break };
            self.counters.recorded();
            self.log_live(&outcome);
        }
        unflushed.events.drain(..std::mem::take(&mut unflushed.events_written));
        unflushed.since = (!unflushed.outcomes.is_empty()).then(|| self.clock.now());
    }

    fn recovered(&self, unflushed: &mut Unflushed) {
        if unflushed.refused_at.take().is_some() {
            self.counters.event(&Event::RecordingAgain);
        }
    }

    /// A verdict log that can't be written is given up: the store has the same.
    fn log_live(&mut self, outcome: &Outcome) {
        let (Some(log), Outcome::Acted(acted)) = (&mut self.log, outcome) else { return };
        if let Err(error) = log.add(acted).and_then(|()| log.flush()) {
            tracing::error!(target: "record", "{error}; the verdict log ends here");
            self.log = None;
        }
    }

    fn refused(&self, unflushed: &mut Unflushed, error: &StoreError) {
        if matches!(error, StoreError::BatchLost { .. }) {
            (unflushed.written, unflushed.events_written) = (0, 0);
        }
        if unflushed.refused_at.replace(self.clock.now()).is_none() {
            self.counters.event(&Event::RecordStuck { cause: error.to_string() });
        }
    }

    /// The line is over and the disk did not take these.
    fn give_up(&self, unflushed: Unflushed) {
        for outcome in &unflushed.outcomes {
            let cause = "the line ended while the disk refused".to_owned();
            self.counters.event(&Event::NotRecorded { part: part_of(outcome), cause });
        }
    }
}

const fn part_of(outcome: &Outcome) -> domain::PartId {
    match outcome {
        Outcome::Acted(acted) => acted.inspection.part,
        Outcome::Late(inspection) => inspection.part,
    }
}
