//! The family of PLCs: who hears the verdict.

pub mod none;

use domain::{GateSignal, PartId, PlcAnswer};

/// Something that opens the reject gate.
pub trait Plc: Send {
    /// Tells the signal for `part`. Must return within the part's budget.
    fn tell(&mut self, part: PartId, signal: GateSignal) -> PlcAnswer;
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
                let answer = plc.tell(PartId(part), signal);
                assert!(!matches!(answer, PlcAnswer::Failed { .. }), "{name}: {answer:?}");
            }
        }
    }
}
