//! act: tells the gate, exactly once for every part, by the part's deadline.
//!
//! Takes notices of parts due from locate, inspections from the inspecting threads, and what the
//! PLC tells of the belt. Gives outcomes to record, after the gate has heard; on a live line it
//! never waits for record. What is decided lies in the [`desk`], which knows neither threads nor
//! clocks; the loops around it wait, and the [`hands`] do what it orders.

pub mod desk;
mod footage;
pub mod hands;
pub mod ledger;
mod machine;
pub mod reject;

use std::sync::Arc;

use domain::{Expected, Inspection, MonoTime, Outcome, PartId, Why};

use crate::clock::Clock;
use crate::link::{LinkReceiver, LinkSender};
use crate::plc::{FieldInput, Plc};
use crate::stage::{Counters, Pulse};
use desk::Desk;
use hands::Hands;
use reject::{Reject, Tracker};

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
    /// Nothing will come for this part, and why.
    Lost(PartId, Why),
}

impl Inspected {
    const fn part(&self) -> PartId {
        match self {
            Self::Done(inspection) => inspection.part,
            Self::Lost(part, _) => *part,
        }
    }
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
    /// How parts are followed to the gate, where this program does that. Only on the machine's
    /// clock.
    pub reject: Option<Reject>,
    /// Shows whether the thread is at work.
    pub pulse: Arc<Pulse>,
    /// Where outcomes go. On a live line this link must not wait when it is full.
    pub outcomes: LinkSender<Outcome>,
    /// The line's counters.
    pub counters: Arc<Counters>,
}

impl Act {
    /// Runs until both links are closed and every part is answered; then, on a live line, until
    /// what is to be thrown out has reached the gate, for a bounded time.
    pub fn run(self, notices: &LinkReceiver<Notice>, inspected: &LinkReceiver<Inspected>) {
        let live = matches!(self.pace, Pace::Machine(_));
        let tracker = self.reject.filter(|_| live).map(Tracker::new);
        let mut desk = Desk::new(self.software, self.is_simulated, tracker);
        let mut hands = Hands::new(self.plc, self.outcomes, self.counters, live);
        match self.pace {
            Pace::Footage => footage::run(&mut desk, &mut hands, notices, inspected),
            Pace::Machine(clock) => {
                let listens = machine::Listens { notices, inspected, field: self.field };
                machine::Machine::new(desk, hands, clock, self.pulse, listens).run();
            }
        }
    }
}
