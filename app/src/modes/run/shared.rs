//! One PLC for one line after another: takes it once; gives it to each line, whose threads speak to
//! it.

use std::sync::{Arc, Mutex, PoisonError};

use domain::PlcAnswer;
use pipeline::plc::{Plc, PlcStatus, Telling};

/// A PLC that outlives a line: it is there before the first one and between two.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Box<dyn Plc>>>);

impl Shared {
    /// Of `plc`.
    pub fn new(plc: Box<dyn Plc>) -> Self {
        Self(Arc::new(Mutex::new(plc)))
    }

    // Never contended on a line: only one thread of it speaks to the PLC.
    fn with<T>(&self, act: impl FnOnce(&mut dyn Plc) -> T) -> T {
        act(self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut())
    }
}

impl Plc for Shared {
    fn tell(&mut self, telling: &Telling) -> PlcAnswer {
        self.with(|plc| plc.tell(telling))
    }

    fn gate(&mut self, open: bool) -> PlcAnswer {
        self.with(|plc| plc.gate(open))
    }

    fn status(&mut self, status: &PlcStatus) {
        self.with(|plc| plc.status(status));
    }
}
