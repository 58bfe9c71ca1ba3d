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
    is_trusted: bool,
}

impl RealClock {
    /// A clock that starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn start() -> Self {
        Self { start: Instant::now(), is_trusted: false }
    }

    /// The same, whose time of day is taken for right whatever the kernel thinks of it.
    #[must_use]
    pub const fn trusted(self) -> Self {
        Self { is_trusted: true, ..self }
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

    fn wall_is_synced(&self) -> bool {
        self.is_trusted || kernel_max_error_us().is_some_and(follows_a_time_server)
    }
}

/// How wrong the kernel thinks that its wall clock may be, in microseconds. It grows by half a
/// millisecond a second from when a time server (NTP, PTP) last set it.
#[expect(unsafe_code, reason = "the kernel is asked by a pointer")]
fn kernel_max_error_us() -> Option<i64> {
    // SAFETY: a `timex` of zeros is a valid one; its `modes` of zero asks and sets nothing.
    let mut answer: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a whole `timex` of our own, which the kernel fills in.
    let state = unsafe { libc::adjtimex(&raw mut answer) };
    (state >= 0).then_some(answer.maxerror)
}

/// systemd's rule: the error and not the flag `STA_UNSYNC`, which may be set for the sake of the
/// hardware clock alone. A clock that was never set has an error of 16 s, the most there is.
const fn follows_a_time_server(max_error_us: i64) -> bool {
    max_error_us < 16_000_000
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
    fn a_clock_that_was_never_set_is_not_synced() {
        assert!(!follows_a_time_server(16_000_000), "the kernel's answer at boot");
        assert!(follows_a_time_server(15_999_999));
        assert!(follows_a_time_server(500));
    }

    #[test]
    fn the_kernel_says_how_wrong_the_clock_may_be() {
        let clock = RealClock::start();
        match kernel_max_error_us() {
            Some(error) => assert!((0..=16_000_000).contains(&error), "{error} µs"),
            None => assert!(!clock.wall_is_synced(), "not allowed to ask: not to be trusted"),
        }
    }

    #[test]
    fn the_real_clock_goes_forward() {
        let clock = RealClock::start();
        let before = clock.now();
        assert!(clock.now() >= before);
        assert!(clock.wall().unix_ns > 0);
    }
}
