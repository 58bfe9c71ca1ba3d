//! prepare, infer and decide on one thread: a part's tensor never changes hands. Takes parts with
//! what they are to be inspected with; gives inspections to act.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use domain::{Event, Inspection, Part, Stage, Why};

use super::armed::{Armed, Seat};
use crate::act::Inspected;
use crate::clock::Clock;
use crate::decide::{Stamp, inspection_from_inferred};
use crate::infer::inferred_from_prepared;
use crate::link::{LinkReceiver, LinkSender};
use crate::stage::Counters;

/// A part, and what it is to be inspected with.
pub(super) struct Job {
    pub part: Part,
    pub armed: Arc<Armed>,
}

/// The body of an inspecting thread.
pub(super) struct Inspector {
    stamp: Stamp,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
}

impl Inspector {
    pub fn new(stamp: Stamp, clock: Arc<dyn Clock>, counters: Arc<Counters>) -> Self {
        Self { stamp, clock, counters }
    }

    /// A panic costs the part its inspection, not the line: act's fail-safe answers for it.
    pub fn run(self, jobs: &LinkReceiver<Job>, to_act: &LinkSender<Inspected>) {
        while let Ok(Job { part, armed }) = jobs.recv() {
            let id = part.id;
            let inspected = match catch_unwind(AssertUnwindSafe(|| self.inspect_with(part, &armed)))
            {
                Ok(Some(inspection)) => Inspected::Done(Box::new(inspection)),
                Ok(None) => Inspected::Lost(id, Why::StageFailed { stage: Stage::Infer }),
                Err(_) => {
                    let message = format!("{id} made an inspecting thread panic");
                    self.counters.event(&Event::StageFailed { stage: Stage::Infer, message });
                    Inspected::Lost(id, Why::StageFailed { stage: Stage::Infer })
                }
            };
            if to_act.send(inspected).is_err() {
                return;
            }
        }
    }

    fn inspect_with(&self, part: Part, armed: &Armed) -> Option<Inspection> {
        let mut seat = armed.take()?;
        let inspection = self.inspect(part, &mut seat);
        armed.give_back(seat);
        Some(inspection)
    }

    fn inspect(&self, part: Part, seat: &mut Seat) -> Inspection {
        let prepared = seat.preparer.prepare(part, &*self.clock);
        let preparer = &mut seat.preparer;
        let inferred = inferred_from_prepared(prepared, &mut seat.model, &*self.clock, |tensor| {
            preparer.give_back(tensor);
        });
        let start = self.clock.now();
        let mut inspection = inspection_from_inferred(inferred, &self.stamp);
        inspection.times.add(Stage::Decide, self.clock.now().since(start));
        for stage in [Stage::Prepare, Stage::Infer, Stage::Decide] {
            self.counters.took[stage as usize].add(inspection.times.of(stage));
        }
        inspection
    }
}
