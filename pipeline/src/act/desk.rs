//! The desk: what act decides, as a step machine. Takes notices, inspections, inputs from the
//! field and the time; gives orders, which [`super::hands`] carries out. No thread, no clock, no
//! input or output, so that every order of events can be tried.
//!
//! ```text
//!   trigger        notice                    inspection            due
//!      │              │                          │                  │
//!      │              ├── owed an answer ────────┤ in time: told    │
//!      │              ├─────────────────────────────────────────────┤ none came: the fail-safe's
//!      │              │                          ·                  │ answer is told, as the
//!      │              │                          ·                  │ recipe says
//!      │              │                          ·                  ├──┤ late: recorded, no more
//!      ├──────────────────────── budget ────────────────────────────┤
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use domain::{
    AnsweredBy, Event, Expected, GateSignal, Inspection, MonoTime, PartId, Provenance, StageTimes,
    Verdict, Why,
};

use super::ledger::{Ledger, Standing};
use super::reject::Tracker;
use super::{Inspected, Notice};
use crate::plc::FieldInput;

/// The one answer for a part.
#[derive(Debug)]
pub struct Answer {
    /// The inspection, or what the fail-safe says in its place.
    pub inspection: Box<Inspection>,
    /// What is to become of the part.
    pub gate: GateSignal,
    /// When it was decided.
    pub at: MonoTime,
    /// By when it had to be.
    pub due: MonoTime,
    /// Who decided.
    pub answered_by: AnsweredBy,
}

/// Something to be done, in this order.
#[derive(Debug)]
pub enum Order {
    /// Tell the PLC, count, hand on.
    Tell(Answer),
    /// Hand on an inspection that came too late.
    Late(Box<Inspection>),
    /// Open or close the reject gate.
    Gate(bool),
    /// Tell of something that happened.
    Event(Event),
}

/// The step machine. Times given to it never go back.
pub struct Desk {
    ledger: Ledger,
    tracker: Option<Tracker>,
    software: Arc<str>,
    is_simulated: bool,
    orders: VecDeque<Order>,
    newly_taken: u64,
    untold: usize,
    closed: bool,
}

impl Desk {
    /// A desk that owes nothing. `software` and `is_simulated` are what the fail-safe's
    /// inspections say of their making.
    #[must_use]
    pub fn new(software: Arc<str>, is_simulated: bool, tracker: Option<Tracker>) -> Self {
        Self {
            ledger: Ledger::default(),
            tracker,
            software,
            is_simulated,
            orders: VecDeque::new(),
            newly_taken: 0,
            untold: 0,
            closed: false,
        }
    }

    /// A part is due.
    pub fn notice(&mut self, notice: Notice, now: MonoTime) {
        self.enter(notice, now);
        self.miss_overdue(now);
    }

    /// An inspection has come, or will never come. `earlier` are the notices that wait at this
    /// moment: a part's notice is sent before the part itself, but may still lie in its link
    /// when the inspection is taken from another.
    pub fn inspected(
        &mut self,
        item: Inspected,
        earlier: impl Iterator<Item = Notice>,
        now: MonoTime,
    ) {
        for notice in earlier {
            self.enter(notice, now);
        }
        self.miss_overdue(now);
        match item {
            Inspected::Done(inspection) => self.settle(inspection, now),
            Inspected::Lost(part, why) => self.lose(part, now, why),
        }
    }

    /// The PLC tells of the belt.
    pub fn field(&mut self, input: FieldInput) {
        if let Some(tracker) = &mut self.tracker {
            tracker.hear(input, &mut self.orders);
        }
    }

    /// Time passes: the fail-safe answers what is due, the gate moves.
    pub fn tick(&mut self, now: MonoTime) {
        self.miss_overdue(now);
        if let Some(tracker) = &mut self.tracker {
            tracker.step(now, &mut self.orders);
        }
    }

    /// No inspection will come any more: everything owed is answered, and what is still announced
    /// is answered at once.
    pub fn close(&mut self, now: MonoTime) {
        self.closed = true;
        self.miss_overdue(now);
        while let Some(expected) = self.ledger.next_open() {
            self.fail_safe(expected, now, Why::Stopped);
        }
    }

    /// The end: the gate is left closed, and what never reached it is told.
    pub fn end(&mut self, now: MonoTime) {
        self.close(now);
        if let Some(tracker) = &mut self.tracker {
            tracker.end(&mut self.orders);
        }
    }

    /// When [`Desk::tick`] must be called next, if nothing else happens before.
    #[must_use]
    pub fn next_wake(&self, now: MonoTime) -> Option<MonoTime> {
        let gate = self.tracker.as_ref().and_then(|tracker| tracker.next_wake(now));
        [self.ledger.next_due(), gate].into_iter().flatten().min()
    }

    /// The next thing to be done.
    pub fn next_order(&mut self) -> Option<Order> {
        let order = self.orders.pop_front()?;
        if matches!(order, Order::Tell(_)) {
            self.untold -= 1;
        }
        Some(order)
    }

    /// How many parts were entered since this was last asked.
    pub fn newly_taken(&mut self) -> u64 {
        std::mem::take(&mut self.newly_taken)
    }

    /// How many parts are owed an answer, or have one that was not yet taken from here.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.ledger.open() + self.untold
    }

    /// How many parts are on their way to be thrown out.
    #[must_use]
    pub fn on_their_way(&self) -> usize {
        self.tracker.as_ref().map_or(0, Tracker::on_their_way)
    }

    /// How many parts that were to be thrown out were not seen to fall.
    #[must_use]
    pub fn unconfirmed(&self) -> u64 {
        self.tracker.as_ref().map_or(0, Tracker::unconfirmed)
    }

    fn enter(&mut self, notice: Notice, now: MonoTime) {
        let Notice { expected, unseen, .. } = notice;
        let (part, triggered_at) = (expected.part, expected.triggered_at.mono);
        if self.ledger.expect(expected).is_err() {
            tracing::error!(target: "act", %part, "a part number was used twice");
            return;
        }
        self.newly_taken += 1;
        if let Some(tracker) = &mut self.tracker {
            tracker.expect(part, triggered_at, &mut self.orders);
        }
        if let Some(why) = unseen.or(self.closed.then_some(Why::Stopped)) {
            self.lose(part, now, why);
        }
    }

    fn settle(&mut self, inspection: Box<Inspection>, now: MonoTime) {
        match self.ledger.answer(inspection.part) {
            Standing::InTime(expected) => {
                let due = expected.due;
                let gate = expected.recipe.signal_for(&inspection.verdict);
                let answered_by = AnsweredBy::Inspection;
                self.answer(Answer { inspection, gate, at: now, due, answered_by });
            }
            Standing::Late => {
                let part = inspection.part;
                self.orders.push_back(Order::Event(Event::LateInspection { part }));
                self.orders.push_back(Order::Late(inspection));
            }
            Standing::Unknown => {
                let part = inspection.part;
                tracing::error!(target: "act", %part, "nobody expected this part");
            }
        }
    }

    fn miss_overdue(&mut self, now: MonoTime) {
        while let Some(expected) = self.ledger.next_overdue(now) {
            let missed = Event::DeadlineMissed { part: expected.part };
            self.fail_safe(expected, now, Why::Deadline);
            self.orders.push_back(Order::Event(missed));
        }
    }

    /// No inspection of `part` will come: the fail-safe answers at once, not at the deadline.
    fn lose(&mut self, part: PartId, at: MonoTime, why: Why) {
        if let Some(expected) = self.ledger.lost(part) {
            self.fail_safe(expected, at, why);
        }
    }

    fn fail_safe(&mut self, expected: Expected, at: MonoTime, why: Why) {
        let verdict = Verdict::Undecided { why };
        let gate = expected.recipe.signal_for(&verdict);
        let due = expected.due;
        let inspection = Box::new(self.uninspected(expected, verdict));
        self.answer(Answer { inspection, gate, at, due, answered_by: AnsweredBy::FailSafe });
    }

    fn uninspected(&self, expected: Expected, verdict: Verdict) -> Inspection {
        Inspection {
            part: expected.part,
            triggered_at: expected.triggered_at,
            verdict,
            score: 0.0,
            condition: expected.condition,
            motion: None,
            classes: vec![],
            defects: vec![],
            views: expected.views,
            provenance: Provenance {
                recipe: expected.recipe.hash(),
                model: None,
                calibration: None,
                software: Arc::clone(&self.software),
                is_simulated: self.is_simulated,
            },
            heatmaps: vec![],
            pictures: vec![],
            times: StageTimes::default(),
        }
    }

    fn answer(&mut self, answer: Answer) {
        if let Some(tracker) = &mut self.tracker {
            tracker.verdict(answer.inspection.part, answer.gate);
        }
        self.untold += 1;
        self.orders.push_back(Order::Tell(answer));
    }
}
