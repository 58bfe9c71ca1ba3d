//! prepare, infer and decide on one thread: a part's tensor never changes hands. Takes parts with
//! what they are to be inspected with; gives inspections to act.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use domain::{Event, Inspection, Part, PartId, Stage, Why};

use super::armed::{Armed, Seat};
use crate::act::Inspected;
use crate::clock::Clock;
use crate::decide::{Stamp, inspection_from_inferred};
use crate::infer::inferred_from_prepared;
use crate::link::{LinkReceiver, LinkSender};
use crate::stage::{Counters, Pulse};

/// A part, and what it is to be inspected with.
pub(super) struct Job {
    pub part: Part,
    pub armed: Arc<Armed>,
}

/// What an inspecting thread shows of itself.
#[derive(Default)]
pub(super) struct Vitals {
    pub pulse: Pulse,
    part: AtomicU64,
    /// It stood still, and another has taken its place: what it still does is late, and then it
    /// leaves.
    pub replaced: AtomicBool,
}

impl Vitals {
    /// The part it is at.
    pub fn part(&self) -> PartId {
        PartId(self.part.load(Ordering::Relaxed))
    }
}

/// The body of an inspecting thread.
#[derive(Clone)]
pub(super) struct Inspector {
    pub stamp: Stamp,
    pub clock: Arc<dyn Clock>,
    pub counters: Arc<Counters>,
    /// Whether deadlines run on the machine's clock: then what is due already is not begun, or
    /// one slow part would make every other late.
    pub live: bool,
    pub jobs: LinkReceiver<Job>,
    pub to_act: LinkSender<Inspected>,
}

impl Inspector {
    /// A panic costs the part its inspection, not the line: act's fail-safe answers for it.
    pub fn run(self, vitals: &Vitals) {
        while let Ok(Job { part, armed }) = self.jobs.recv() {
            let id = part.id;
            if self.live && self.clock.now() >= part.due() {
                if self.to_act.send(Inspected::Lost(id, Why::Deadline)).is_err() {
                    return;
                }
                continue;
            }
            vitals.part.store(id.0, Ordering::Relaxed);
            vitals.pulse.works(self.clock.now());
            let inspected = self.inspect_guarded(part, &armed, vitals);
            vitals.pulse.rests();
            let inspected = inspected.map_or_else(
                || Inspected::Lost(id, Why::StageFailed { stage: Stage::Infer }),
                |inspection| Inspected::Done(Box::new(inspection)),
            );
            let is_replaced = vitals.replaced.load(Ordering::Acquire);
            if self.to_act.send(inspected).is_err() || is_replaced {
                return;
            }
        }
    }

    /// `None` when there is nothing to inspect with, or the inspection failed.
    fn inspect_guarded(&self, part: Part, armed: &Armed, vitals: &Vitals) -> Option<Inspection> {
        let id = part.id;
        let mut seat = armed.take()?;
        let inspect = AssertUnwindSafe(|| {
            let inspection = self.inspect(part, &mut seat);
            (inspection, seat)
        });
        match catch_unwind(inspect) {
            Ok((inspection, seat)) => {
                // Whoever replaced this thread has brought a seat along.
                if !vitals.replaced.load(Ordering::Acquire) {
                    armed.give_back(seat);
                }
                Some(inspection)
            }
            Err(_) => {
                armed.lose_one();
                let message = format!("{id} made an inspecting thread panic");
                self.counters.event(&Event::StageFailed { stage: Stage::Infer, message });
                None
            }
        }
    }

    fn inspect(&self, part: Part, seat: &mut Seat) -> Inspection {
        let prepared = seat.preparer.prepare(part, &*self.clock);
        let preparer = &mut seat.preparer;
        let used = |tensor| preparer.give_back(tensor);
        let mut inferred = inferred_from_prepared(prepared, &mut seat.model, &*self.clock, used);
        let measuring = self.clock.now();
        seat.preparer.measure(&mut inferred);
        let start = self.clock.now();
        let mut inspection = inspection_from_inferred(inferred, &self.stamp);
        inspection.times.add(Stage::Prepare, start.since(measuring));
        inspection.times.add(Stage::Decide, self.clock.now().since(start));
        for stage in [Stage::Prepare, Stage::Infer, Stage::Decide] {
            self.counters.took[stage as usize].add(inspection.times.of(stage));
        }
        inspection
    }
}
