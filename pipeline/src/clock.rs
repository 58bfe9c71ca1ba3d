//! The only place that reads a clock. Everything else is given one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use domain::{MonoTime, WallTime};

/// A clock that can be asked.
pub trait Clock: Send + Sync {
    /// Time since the line started; never goes back.
    fn now(&self) -> MonoTime;
    /// Time of day; may jump.
    fn wall(&self) -> WallTime;

    /// Whether the wall clock follows a time server, so that what it says may be sent elsewhere.
    fn wall_is_synced(&self) -> bool {
        true
    }
}

/// The machine's clocks.
pub struct RealClock {
    start: Instant,
}

impl RealClock {
    /// A clock that starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for RealClock {
    fn now(&self) -> MonoTime {
        MonoTime::ZERO.plus(self.start.elapsed())
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn wall(&self) -> WallTime {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallTime::default().plus(since_1970)
    }
}

/// A clock that stands still until it is set. For tests and simulations.
#[derive(Default)]
pub struct SimulatedClock {
    now_ns: AtomicU64,
}

impl SimulatedClock {
    /// Sets the time; going back is ignored, as a monotonic clock never does.
    pub fn set(&self, now: MonoTime) {
        self.now_ns.fetch_max(now.ns, Ordering::AcqRel);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> MonoTime {
        MonoTime::from_ns(self.now_ns.load(Ordering::Acquire))
    }

    fn wall(&self) -> WallTime {
        WallTime::default().plus(self.now().since(MonoTime::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulated_clock_never_goes_back() {
        let clock = SimulatedClock::default();
        clock.set(MonoTime::from_ns(5));
        clock.set(MonoTime::from_ns(3));
        assert_eq!(clock.now(), MonoTime::from_ns(5));
    }

    #[test]
    fn the_real_clock_goes_forward() {
        let clock = RealClock::start();
        let before = clock.now();
        assert!(clock.now() >= before);
        assert!(clock.wall().unix_ns > 0);
    }
}
