//! No PLC: the signal is logged. For replay, and for lines that only watch.

use domain::PlcAnswer;

use super::{Plc, PlcStatus, Telling};

/// Logs the signal and nothing else.
pub struct NonePlc;

impl Plc for NonePlc {
    fn tell(&mut self, telling: &Telling) -> PlcAnswer {
        tracing::debug!(target: "act", part = %telling.part, signal = ?telling.signal, "gate");
        PlcAnswer::Logged
    }

    fn gate(&mut self, open: bool) -> PlcAnswer {
        tracing::debug!(target: "act", open, "gate");
        PlcAnswer::Logged
    }

    fn status(&mut self, _: &PlcStatus) {}
}
