//! The hands: carry out what the desk orders. The PLC first, then the counters, then record,
//! which a live line never waits for.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use domain::{ActedInspection, Event, GateSignal, Outcome, PartId, PlcAnswer, Stage, Verdict};

use super::desk::{Answer, Desk, Order};
use crate::link::{LinkSender, Sent};
use crate::plc::{Plc, PlcStatus, Telling};
use crate::stage::Counters;

/// What act does its work with.
pub struct Hands {
    plc: Box<dyn Plc>,
    outcomes: LinkSender<Outcome>,
    counters: Arc<Counters>,
    live: bool,
    /// The gate's state that the PLC did not take; told again with the next status.
    gate_owed: Option<bool>,
}

impl Hands {
    /// `live`: whether times from trigger to signal are the machine's.
    #[must_use]
    pub fn new(
        plc: Box<dyn Plc>,
        outcomes: LinkSender<Outcome>,
        counters: Arc<Counters>,
        live: bool,
    ) -> Self {
        Self { plc, outcomes, counters, live, gate_owed: None }
    }

    /// Does everything that `desk` has ordered.
    pub fn carry_out(&mut self, desk: &mut Desk) {
        self.book(desk, None);
        while let Some(order) = desk.next_order() {
            match order {
                Order::Tell(answer) => self.tell(answer, desk),
                Order::Late(inspection) => self.hand_on(Outcome::Late(inspection)),
                Order::Gate(open) => self.move_gate(open),
                Order::Event(event) => self.counters.event(&event),
            }
        }
        self.book(desk, None);
    }

    /// Shows the PLC what the line is doing, and that it is alive.
    pub fn show_status(&mut self, unconfirmed: u64) {
        if let Some(open) = self.gate_owed.take() {
            self.move_gate(open);
        }
        let [took_min, took_mean, took_max] = self.counters.decision.spread();
        let status = PlcStatus {
            state: self.counters.state(),
            parts: self.counters.parts(),
            told_reject: self.counters.told_reject(),
            deadline_misses: self.counters.deadline_misses(),
            camera_faults: self.counters.camera_faults(),
            rejects_unconfirmed: unconfirmed,
            took_min,
            took_mean,
            took_max,
            recipe: self.counters.recipe(),
        };
        let _ = self.guarded(|plc| plc.status(&status));
    }

    /// Something of act has failed; it goes on.
    pub fn failed(&self, panic: &(dyn Any + Send)) {
        let message = message_of(panic).to_owned();
        self.counters.event(&Event::StageFailed { stage: Stage::Act, message });
    }

    /// Act works again.
    pub fn works_again(&self) {
        self.counters.event(&Event::StageRestarted { stage: Stage::Act });
    }

    /// The gate first, then the books.
    fn tell(&mut self, answer: Answer, desk: &mut Desk) {
        let Answer { inspection, gate, at: told_at, due, answered_by } = answer;
        let inspection = *inspection;
        let part = inspection.part;
        let took = told_at.since(inspection.triggered_at.mono);
        let verdict = inspection.verdict.clone();
        let telling = Telling { part, signal: gate, verdict, answered_by, took, told_at };
        let plc = self
            .guarded(|plc| plc.tell(&telling))
            .unwrap_or_else(|message| PlcAnswer::Failed { message });
        if self.live {
            self.counters.decision.add(took);
        }
        if let PlcAnswer::Failed { message } = &plc {
            // The PLC's part of this program tells of it once; each part's row has it.
            tracing::debug!(target: "act", %part, message, "the gate was not told");
        }
        self.book(desk, Some((&inspection.verdict, gate)));
        let acted = ActedInspection { inspection, gate, told_at, due, answered_by, plc };
        self.counters.answered(&acted);
        self.hand_on(Outcome::Acted(Box::new(acted)));
    }

    fn book(&self, desk: &mut Desk, answered: Option<(&Verdict, GateSignal)>) {
        self.counters.book(desk.newly_taken(), answered, desk.owed());
    }

    fn move_gate(&mut self, open: bool) {
        let moved = self.guarded(|plc| plc.gate(open));
        if let Ok(PlcAnswer::Failed { message }) | Err(message) = moved {
            tracing::error!(target: "act", open, message, "the gate did not move");
            self.gate_owed = Some(open);
        }
    }

    /// A PLC that panics costs no part its answer: what it was told counts as failed.
    fn guarded<T>(&mut self, ask: impl FnOnce(&mut dyn Plc) -> T) -> Result<T, String> {
        let plc = &mut *self.plc;
        catch_unwind(AssertUnwindSafe(|| ask(plc))).map_err(|panic| {
            self.failed(&*panic);
            self.works_again();
            format!("the PLC's part of this program failed: {}", message_of(&*panic))
        })
    }

    /// Record gone means that nothing is written down any more: the gate goes on being told, and
    /// the head of the line is asked to stop.
    fn hand_on(&self, outcome: Outcome) {
        let part = part_of(&outcome);
        match self.outcomes.send(outcome) {
            Ok(Sent::Queued) => {}
            Ok(Sent::Dropped(old)) => {
                self.not_recorded(part_of(&old), "the disk is slower than the line");
            }
            Err(_) => {
                self.not_recorded(part, "nobody writes it down any more");
                self.counters.ask_to_stop();
            }
        }
    }

    fn not_recorded(&self, part: PartId, cause: &str) {
        self.counters.event(&Event::NotRecorded { part, cause: cause.to_owned() });
    }
}

const fn part_of(outcome: &Outcome) -> PartId {
    match outcome {
        Outcome::Acted(acted) => acted.inspection.part,
        Outcome::Late(inspection) => inspection.part,
    }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic")
}
