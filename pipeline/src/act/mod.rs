//! act: tells the gate, exactly once for every part, by the part's deadline.
//!
//! Takes notices of parts due from locate, and inspections from the inspecting threads. Gives
//! outcomes to record, after the gate has heard. Owns the [`Ledger`].

pub mod ledger;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{
    ActedInspection, AnsweredBy, Event, Expected, Inspection, MonoTime, Outcome, PartId, PlcAnswer,
    Provenance, Stage, StageTimes, Verdict, Why,
};

use crate::clock::Clock;
use crate::link::{LinkReceiver, LinkSender};
use crate::plc::{FieldInput, Plc, Telling};
use crate::stage::Counters;
use ledger::{Ledger, Standing};

/// A part is due; sent by locate before the part itself.
pub struct Notice {
    /// The part.
    pub expected: Expected,
    /// When it was located, on the line's clock.
    pub located_at: MonoTime,
    /// No inspection will ever come, and why: the fail-safe answers at once.
    pub unseen: Option<Why>,
}

/// What comes out of the inspecting threads.
pub enum Inspected {
    /// An inspection.
    Done(Box<Inspection>),
    /// Nothing will come of this part, and why: a stage failed on it, or it has no picture.
    Lost(PartId, Why),
}

/// By which clock parts are due.
#[derive(Clone)]
pub enum Pace {
    /// The footage's: computing takes no time on it, so what comes out does not depend on how
    /// fast the machine is. Parts are answered in the order in which they were located.
    Footage,
    /// The machine's: live lines.
    Machine(Arc<dyn Clock>),
}

/// The stage act.
pub struct Act {
    /// By which clock parts are due.
    pub pace: Pace,
    /// The gate.
    pub plc: Box<dyn Plc>,
    /// What the fail-safe's inspections say of their making.
    pub software: Arc<str>,
    /// Whether the frames are replayed or simulated.
    pub is_simulated: bool,
    /// What the PLC tells of the belt at the gate.
    pub field: Option<LinkReceiver<FieldInput>>,
    /// Where outcomes go.
    pub outcomes: LinkSender<Outcome>,
    /// The line's counters.
    pub counters: Arc<Counters>,
}

impl Act {
    /// Runs until both links are closed and every part is answered.
    pub fn run(mut self, notices: &LinkReceiver<Notice>, inspected: &LinkReceiver<Inspected>) {
        let mut ledger = Ledger::default();
        match self.pace.clone() {
            Pace::Footage => self.run_on_footage(&mut ledger, notices, inspected),
            Pace::Machine(clock) => {
                self.run_on_machine(&mut ledger, &*clock, notices, inspected);
            }
        }
        for expected in ledger.close() {
            let at = expected.due;
            self.fail_safe(&expected, at, Why::Stopped);
        }
        self.counters.set_in_line(0);
    }

    /// Takes parts in order and waits for each, so that the result depends on nothing but the
    /// footage. A part whose inspection fails is answered at its deadline.
    fn run_on_footage(
        &mut self,
        ledger: &mut Ledger,
        notices: &LinkReceiver<Notice>,
        inspected: &LinkReceiver<Inspected>,
    ) {
        let mut early = BTreeMap::new();
        while let Ok(Notice { expected, located_at, unseen }) = notices.recv() {
            let part = expected.part;
            self.enter(ledger, expected);
            if let Some(why) = unseen {
                self.lose(ledger, part, located_at, why);
                continue;
            }
            for late in ledger.overdue(located_at) {
                self.miss(&late, located_at);
            }
            match wait_for(part, &mut early, inspected) {
                Some(Inspected::Done(inspection)) => {
                    self.settle(ledger, inspection, located_at);
                }
                Some(Inspected::Lost(_, why)) => self.lose(ledger, part, located_at, why),
                None => {
                    let why = Why::StageFailed { stage: Stage::Infer };
                    self.lose(ledger, part, located_at, why);
                }
            }
            self.counters.set_in_line(ledger.open());
        }
    }

    fn run_on_machine(
        &mut self,
        ledger: &mut Ledger,
        clock: &dyn Clock,
        notices: &LinkReceiver<Notice>,
        inspected: &LinkReceiver<Inspected>,
    ) {
        let never = crossbeam_channel::never();
        let mut notices_open = true;
        loop {
            let wait = ledger.next_due().map_or(crate::limits::STOP_LOOK, |due| {
                due.since(clock.now()).min(crate::limits::STOP_LOOK)
            });
            let from_notices = if notices_open { notices.channel() } else { &never };
            let item = crossbeam_channel::select_biased! {
                recv(from_notices) -> notice => match notice {
                    Ok(notice) => { self.take_note(ledger, notice, clock); None }
                    Err(_) => { notices_open = false; None }
                },
                recv(inspected.channel()) -> item => match item {
                    Ok(item) => Some(item),
                    // The inspecting threads are gone: nothing more will come.
                    Err(_) => return self.drain(ledger, notices),
                },
                default(wait) => None,
            };
            let now = clock.now();
            for late in ledger.overdue(now) {
                self.miss(&late, now);
            }
            match item {
                Some(Inspected::Done(inspection)) => self.settle(ledger, inspection, now),
                Some(Inspected::Lost(part, why)) => self.lose(ledger, part, now, why),
                None => {}
            }
            self.counters.set_in_line(ledger.open());
        }
    }

    fn take_note(&mut self, ledger: &mut Ledger, notice: Notice, clock: &dyn Clock) {
        let part = notice.expected.part;
        self.enter(ledger, notice.expected);
        if let Some(why) = notice.unseen {
            self.lose(ledger, part, clock.now(), why);
        }
    }

    fn drain(&mut self, ledger: &mut Ledger, notices: &LinkReceiver<Notice>) {
        while let Ok(notice) = notices.recv() {
            self.enter(ledger, notice.expected);
        }
    }

    fn enter(&mut self, ledger: &mut Ledger, expected: Expected) {
        if let Err(twice) = ledger.expect(expected) {
            tracing::error!(target: "act", part = %twice.part, "a part number was used twice");
        }
        self.counters.set_in_line(ledger.open());
    }

    fn settle(&mut self, ledger: &mut Ledger, inspection: Box<Inspection>, now: MonoTime) {
        match ledger.answer(inspection.part) {
            Standing::InTime(expected) => {
                self.tell(*inspection, &expected, now, AnsweredBy::Inspection);
            }
            Standing::Late => {
                self.counters.event(&Event::LateInspection { part: inspection.part });
                self.hand_on(Outcome::Late(inspection));
            }
            Standing::Unknown => {
                let part = inspection.part;
                tracing::error!(target: "act", %part, "nobody expected this part");
            }
        }
    }

    fn miss(&mut self, expected: &Expected, at: MonoTime) {
        self.counters.event(&Event::DeadlineMissed { part: expected.part });
        self.fail_safe(expected, at, Why::Deadline);
    }

    /// No inspection of `part` will come: the fail-safe answers at once, not at the deadline.
    fn lose(&mut self, ledger: &mut Ledger, part: PartId, at: MonoTime, why: Why) {
        if let Some(expected) = ledger.lost(part) {
            self.fail_safe(&expected, at, why);
        }
    }

    fn fail_safe(&mut self, expected: &Expected, at: MonoTime, why: Why) {
        let inspection = Inspection {
            part: expected.part,
            triggered_at: expected.triggered_at,
            verdict: Verdict::Undecided { why },
            score: 0.0,
            condition: expected.condition.clone(),
            motion: None,
            classes: vec![],
            defects: vec![],
            views: expected.views.clone(),
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
        };
        self.tell(inspection, expected, at, AnsweredBy::FailSafe);
    }

    /// The gate first, then the books.
    fn tell(
        &mut self,
        inspection: Inspection,
        expected: &Expected,
        told_at: MonoTime,
        answered_by: AnsweredBy,
    ) {
        let gate = expected.recipe.signal_for(&inspection.verdict);
        let took = told_at.since(expected.triggered_at.mono);
        let plc = self.plc.tell(&Telling {
            part: expected.part,
            signal: gate,
            verdict: inspection.verdict.clone(),
            answered_by,
            took,
            told_at,
        });
        if matches!(self.pace, Pace::Machine(_)) {
            self.counters.decision.add(took);
        }
        if let PlcAnswer::Failed { message } = &plc {
            tracing::error!(target: "act", part = %expected.part, message, "the gate was not told");
        }
        self.counters.answered(&inspection.verdict, gate);
        let due = expected.due;
        let acted = ActedInspection { inspection, gate, told_at, due, answered_by, plc };
        self.hand_on(Outcome::Acted(Box::new(acted)));
    }

    /// Record gone means that nothing is written down any more: the gate goes on being told, and
    /// the head of the line is asked to stop.
    fn hand_on(&self, outcome: Outcome) {
        if self.outcomes.send(outcome).is_err() {
            self.counters.ask_to_stop();
        }
    }
}

/// Waits until the inspection of `part` comes; keeps the others that come before it.
fn wait_for(
    part: PartId,
    early: &mut BTreeMap<PartId, Inspected>,
    inspected: &LinkReceiver<Inspected>,
) -> Option<Inspected> {
    loop {
        if let Some(item) = early.remove(&part) {
            return Some(item);
        }
        let item = inspected.recv().ok()?;
        let id = match &item {
            Inspected::Done(inspection) => inspection.part,
            Inspected::Lost(part, _) => *part,
        };
        early.insert(id, item);
    }
}
