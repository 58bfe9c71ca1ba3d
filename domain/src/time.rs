//! Two clocks that are never mixed: one that only goes forward, one that people read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A reading of the line's monotonic clock, in nanoseconds since the line started.
///
/// In replay this is the footage's own clock: the presentation time of the newest frame.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MonoTime {
    /// Nanoseconds since the line started.
    pub ns: u64,
}

impl MonoTime {
    /// The instant the line started.
    pub const ZERO: Self = Self { ns: 0 };

    /// The instant `ns` nanoseconds after the line started.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self { ns }
    }

    /// This instant moved later by `by`, stopping at the end of the clock.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self { ns: self.ns.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)) }
    }

    /// How long after `earlier` this is; zero when it is not after.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.ns.saturating_sub(earlier.ns))
    }

    /// Seconds since the line started.
    #[must_use]
    pub fn as_secs(self) -> f64 {
        Duration::from_nanos(self.ns).as_secs_f64()
    }
}

/// Wall-clock time, in nanoseconds since 1970-01-01 UTC. May jump; never used for deadlines.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct WallTime {
    /// Nanoseconds since 1970-01-01 UTC.
    pub unix_ns: i64,
}

impl WallTime {
    /// This instant moved later by `by`.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let by_ns = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        Self { unix_ns: self.unix_ns.saturating_add(by_ns) }
    }
}

/// When a frame was exposed, on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureTime {
    /// On the line's monotonic clock; deadlines are counted from this.
    pub mono: MonoTime,
    /// On the wall clock; for people and for the record.
    pub wall: WallTime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_rather_than_wraps() {
        let end = MonoTime::from_ns(u64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(MonoTime::ZERO.since(end), Duration::ZERO);
    }
}
