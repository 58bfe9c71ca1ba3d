//! The family of PLCs: who hears the verdict, moves the gate, and tells what the line can't see.
//!
//! A member does its input and output on a thread of its own, with timeouts: nothing here makes
//! the line wait. What it hears goes into [`Inputs`]; what it is told lies ready for the PLC, or
//! is queued for it.

mod config;
pub mod modbus_tcp;
pub mod none;

use std::time::Duration;

use domain::{
    AnsweredBy, Conservation, GateSignal, LineState, MonoTime, PartId, PlcAnswer, Verdict,
};

use crate::limits;
use crate::link::{LinkReceiver, LinkSender, WhenFull, link};
pub use config::{
    ClientConfig, ModbusTcpConfig, PlcConfig, PlcError, RegistersConfig, ServerConfig, open,
};

/// What the PLC is told of a part.
#[derive(Clone, Debug)]
pub struct Telling {
    /// The part.
    pub part: PartId,
    /// What is to become of it.
    pub signal: GateSignal,
    /// What is said of it.
    pub verdict: Verdict,
    /// Who says so.
    pub answered_by: AnsweredBy,
    /// From trigger to now.
    pub took: Duration,
    /// Now, on the line's clock.
    pub told_at: MonoTime,
}

/// What the PLC may read besides verdicts; told every tenth of a second by the thread that owns
/// the ledger, so that a line which hangs has no heartbeat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlcStatus {
    /// What the line is doing.
    pub state: LineState,
    /// The sum of parts.
    pub parts: Conservation,
    /// Parts that the gate was told to throw out.
    pub told_reject: u64,
    /// Parts that the fail-safe answered at their deadline.
    pub deadline_misses: u64,
    /// How often a camera was lost.
    pub camera_faults: u64,
    /// Rejected parts that were not seen to fall.
    pub rejects_unconfirmed: u64,
    /// Shortest, mean and longest time from trigger to signal.
    pub took_min: Duration,
    /// Mean.
    pub took_mean: Duration,
    /// Longest.
    pub took_max: Duration,
    /// Number of the recipe in force, as the station's configuration counts them from 1.
    pub recipe: u16,
}

/// Someone who moves the reject gate.
pub trait Plc: Send {
    /// Tells the verdict on a part. Never waits for the PLC.
    fn tell(&mut self, telling: &Telling) -> PlcAnswer;

    /// Opens or closes the reject gate now; only where this program tracks parts to the gate.
    /// Never waits for the PLC.
    fn gate(&mut self, open: bool) -> PlcAnswer;

    /// Shows `status`, and that the line is alive.
    fn status(&mut self, status: &PlcStatus);
}

/// What a PLC tells of the belt, with the moment at which it was read on the line's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldInput {
    /// A part is at a trigger.
    Trigger {
        /// Which trigger input, from 0.
        input: u8,
        /// The input's own count of triggers; a jump tells of triggers that never arrived.
        /// Wraps at 2^32.
        count: u32,
        /// When.
        at: MonoTime,
    },
    /// Where the belt is.
    Encoder {
        /// Counts since some moment, unwrapped; backwards negative.
        count: i64,
        /// When.
        at: MonoTime,
    },
    /// A part fell at the reject gate.
    Confirm {
        /// The confirm sensor's own count. Wraps at 2^32.
        count: u32,
        /// When.
        at: MonoTime,
    },
}

/// What the PLC asks of the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlcCommand {
    /// Inspect.
    Start,
    /// Inspect no more.
    Stop,
    /// Change to the recipe of this number, as the station's configuration counts them from 1.
    SelectRecipe(u16),
    /// Forget alarms and counters of the shift.
    Reset,
}

/// What became of a command; written back to the PLC as the handshake's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandAnswer {
    /// Done.
    Done,
    /// Not possible now, or not known.
    Refused,
}

/// A command and where its answer goes. Dropping it unanswered refuses it.
#[derive(Debug)]
pub struct Asked {
    /// What is asked.
    pub command: PlcCommand,
    answer: Option<crossbeam_channel::Sender<CommandAnswer>>,
}

impl Asked {
    /// A command, and the end at which its one answer arrives.
    #[must_use]
    pub fn new(command: PlcCommand) -> (Self, crossbeam_channel::Receiver<CommandAnswer>) {
        let (answer, answered) = crossbeam_channel::bounded(1);
        (Self { command, answer: Some(answer) }, answered)
    }

    /// Answers it.
    pub fn answer(mut self, answer: CommandAnswer) {
        self.give(answer);
    }

    fn give(&mut self, answer: CommandAnswer) {
        // Nobody to hear it: the PLC is gone, and will ask again.
        if let Some(sender) = self.answer.take() {
            let _ = sender.try_send(answer);
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.give(CommandAnswer::Refused);
    }
}

/// Where a PLC puts what it hears. Never waits: what finds a full link is counted by it.
pub struct Inputs {
    fields: Vec<LinkSender<FieldInput>>,
    commands: LinkSender<Asked>,
}

impl Inputs {
    /// Hands `input` to everyone who listens.
    pub fn hear(&self, input: FieldInput) {
        for field in &self.fields {
            // The newest counts; a listener that has gone is the line ending.
            let _ = field.send(input);
        }
    }

    /// Hands a command to the station.
    pub fn ask(&self, asked: Asked) {
        // A command that finds a full link is refused as it is dropped.
        let _ = self.commands.try_send(asked);
    }
}

/// Makes the links from a PLC: to `listeners` stages, and to the station.
#[must_use]
pub fn inputs(listeners: usize) -> (Inputs, Vec<LinkReceiver<FieldInput>>, LinkReceiver<Asked>) {
    let (fields, heard) =
        (0..listeners).map(|_| link(limits::FIELD_INPUTS_WAITING, WhenFull::DropOldest)).unzip();
    let (commands, asked) = link(limits::COMMANDS_WAITING, WhenFull::Wait);
    (Inputs { fields, commands }, heard, asked)
}

/// Conformance: what every member of the family must do.
#[cfg(test)]
mod conformance {
    use super::*;

    fn members() -> Vec<(&'static str, Box<dyn Plc>)> {
        vec![("none", Box::new(none::NonePlc))]
    }

    #[test]
    fn every_member_answers_every_part() {
        for (name, mut plc) in members() {
            for (part, signal) in [(1, GateSignal::Pass), (2, GateSignal::Reject)] {
                let answer = plc.tell(&Telling {
                    part: PartId(part),
                    signal,
                    verdict: Verdict::Pass,
                    answered_by: AnsweredBy::Inspection,
                    took: Duration::from_millis(9),
                    told_at: MonoTime::ZERO,
                });
                assert!(!matches!(answer, PlcAnswer::Failed { .. }), "{name}: {answer:?}");
            }
        }
    }

    #[test]
    fn a_command_that_nobody_answers_is_refused() {
        let (asked, answer) = Asked::new(PlcCommand::Start);
        drop(asked);
        assert_eq!(answer.try_recv(), Ok(CommandAnswer::Refused));
        let (asked, answer) = Asked::new(PlcCommand::Stop);
        asked.answer(CommandAnswer::Done);
        assert_eq!(answer.try_recv(), Ok(CommandAnswer::Done));
    }
}
