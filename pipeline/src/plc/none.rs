//! No PLC: the signal is logged. For replay, and for lines that only watch.

use domain::{GateSignal, PartId, PlcAnswer};

use super::Plc;

/// Logs the signal and nothing else.
pub struct NonePlc;

impl Plc for NonePlc {
    fn tell(&mut self, part: PartId, signal: GateSignal) -> PlcAnswer {
        tracing::debug!(target: "act", %part, ?signal, "gate");
        PlcAnswer::Logged
    }
}
