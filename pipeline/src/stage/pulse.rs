//! Whether a thread is at work on something, and since when: written by it, read by who
//! supervises it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::MonoTime;

/// One thread's pulse. At rest it waits for something to do, however long; at work it should be
/// done soon.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Since when it is at work, in nanoseconds and one more; 0 at rest.
    since: AtomicU64,
}

impl Pulse {
    /// It begins to work on something at `now`.
    pub fn works(&self, now: MonoTime) {
        self.since.store(now.ns.saturating_add(1), Ordering::Release);
    }

    /// It is done, and waits for more.
    pub fn rests(&self) {
        self.since.store(0, Ordering::Release);
    }

    /// How long it has been at work on the same thing at `now`; zero at rest.
    #[must_use]
    pub fn at_work_for(&self, now: MonoTime) -> Duration {
        match self.since.load(Ordering::Acquire) {
            0 => Duration::ZERO,
            since => now.since(MonoTime::from_ns(since - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_counts() {
        let pulse = Pulse::default();
        let at = |ns| MonoTime::from_ns(ns);
        assert_eq!(pulse.at_work_for(at(1000)), Duration::ZERO);
        pulse.works(at(0));
        assert_eq!(pulse.at_work_for(at(10)), Duration::from_nanos(10));
        pulse.rests();
        assert_eq!(pulse.at_work_for(at(1000)), Duration::ZERO);
    }
}
