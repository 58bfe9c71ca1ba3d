//! When frames were exposed. Takes the presentation times of a stream, which may be missing or go
//! backwards; gives times on the line's clocks that always go forward.

use std::sync::Arc;
use std::time::Duration;

use domain::{CaptureTime, MonoTime, WallTime};
use gst::prelude::*;

use super::{CaptureError, time_after};
use crate::clock::Clock;

/// Assumed when neither the stamps nor the container tell how far apart frames are.
const PERIOD_UNKNOWN: Duration = Duration::from_millis(40);

/// The fastest frame rate that is believed.
const FPS_MOST: f64 = 100_000.0;

/// The time from one frame to the next at `fps`.
pub(super) fn period_from_fps(fps: f64) -> Result<Duration, CaptureError> {
    if fps > 0.0 && fps <= FPS_MOST {
        Duration::try_from_secs_f64(fps.recip()).map_err(|_| CaptureError::Fps { fps })
    } else {
        Err(CaptureError::Fps { fps })
    }
}

/// When frame `sequence` comes at `fps`, without the error that adding up periods would gather.
pub(super) fn offset_at_fps(sequence: u64, fps: f64) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "exact below 2^53 frames")]
    Duration::try_from_secs_f64(sequence as f64 / fps).unwrap_or(Duration::MAX)
}

/// What both clocks read at the same time: of several readings the one that was interrupted least,
/// because an error here is an error in the time of every frame.
pub(super) fn read_together(line: &dyn Clock, gst: &gst::Clock) -> (MonoTime, Duration) {
    let reading = || {
        let before = gst.time();
        let now = line.now();
        (gst.time() - before, now, Duration::from(before))
    };
    let readings: [_; 8] = std::array::from_fn(|_| reading());
    let (took, now, before) =
        readings.into_iter().min_by_key(|(took, ..)| *took).unwrap_or_else(reading);
    (now, before + Duration::from(took) / 2)
}

/// Turns the stamps of one stream into capture times.
pub(super) struct Stamps {
    began: CaptureTime,
    zero: Option<Duration>,
    period: Duration,
    last: Option<Duration>,
    end: Duration,
    /// The line's clock, for frames that are exposed now.
    clock: Option<Arc<dyn Clock>>,
}

/// The time of day at `mono`, a time not long ago. Asked of the clock each time, so that frames
/// follow the wall clock when it is set.
pub(super) fn wall_at(clock: &dyn Clock, mono: MonoTime) -> WallTime {
    let age_ns = i64::try_from(clock.now().since(mono).as_nanos()).unwrap_or(i64::MAX);
    WallTime { unix_ns: clock.wall().unix_ns.saturating_sub(age_ns) }
}

impl Stamps {
    /// Footage: the first frame lies at `began`, whatever its stamp.
    pub(super) fn of_footage(began: CaptureTime) -> Self {
        Self {
            began,
            zero: None,
            period: PERIOD_UNKNOWN,
            last: None,
            end: Duration::ZERO,
            clock: None,
        }
    }

    /// Live: stamps are readings of a clock that read `opened` when the line's read `began`.
    pub(super) fn of_camera(clock: Arc<dyn Clock>, began: MonoTime, opened: Duration) -> Self {
        let began = CaptureTime { mono: began, wall: WallTime::default() };
        Self { zero: Some(opened), clock: Some(clock), ..Self::of_footage(began) }
    }

    /// Says how far apart frames are.
    pub(super) fn expect_fps(&mut self, fps: f64) {
        self.period = period_from_fps(fps).unwrap_or(PERIOD_UNKNOWN);
    }

    /// The time of the next frame, stamped `stamp`; always later than the one before. `lasts` is
    /// how long it is shown, where the stream tells.
    pub(super) fn next(&mut self, stamp: Option<Duration>, lasts: Option<Duration>) -> CaptureTime {
        let stamped = stamp.map(|stamp| stamp.saturating_sub(*self.zero.get_or_insert(stamp)));
        let offset = match (stamped, self.last) {
            (Some(offset), None) => offset,
            (Some(offset), Some(last)) if offset > last => offset,
            (_, Some(last)) => last.saturating_add(self.period),
            (None, None) => Duration::ZERO,
        };
        self.last = Some(offset);
        self.end = offset.saturating_add(lasts.unwrap_or(self.period));
        let at = time_after(self.began, offset);
        match &self.clock {
            Some(clock) => CaptureTime { wall: wall_at(&**clock, at.mono), ..at },
            None => at,
        }
    }

    /// How far apart frames are, as far as is known.
    pub(super) fn period(&self) -> Duration {
        self.period
    }

    /// From the first frame to the end of the last one given.
    pub(super) fn length(&self) -> Duration {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::clock::SimulatedClock;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn mono_ms(stamps: &mut Stamps, stamp_ms: Option<u64>) -> u64 {
        stamps.next(stamp_ms.map(ms), None).mono.ns / 1_000_000
    }

    #[test]
    fn footage_counts_from_its_first_frame() {
        let mut stamps = Stamps::of_footage(CaptureTime::default());
        stamps.expect_fps(50.0);
        assert_eq!([1000, 1020, 1040].map(|t| mono_ms(&mut stamps, Some(t))), [0, 20, 40]);
        assert_eq!(stamps.length(), ms(60));
        stamps.next(Some(ms(1060)), Some(ms(500)));
        assert_eq!(stamps.length(), ms(560));
    }

    #[test]
    fn missing_and_backward_stamps_go_on_at_the_frame_rate() {
        let mut stamps = Stamps::of_footage(CaptureTime::default());
        stamps.expect_fps(50.0);
        let given = [None, None, Some(5000), Some(4000), None, Some(5100)];
        let times = given.map(|stamp| mono_ms(&mut stamps, stamp));
        assert_eq!(times, [0, 20, 40, 60, 80, 100]);
    }

    #[test]
    fn a_cameras_stamps_land_on_the_lines_clocks() {
        let clock = Arc::new(SimulatedClock::default());
        clock.set(MonoTime::from_ns(1_507_000));
        let mut stamps = Stamps::of_camera(clock.clone(), MonoTime::from_ns(7_000), ms(500));
        let at = stamps.next(Some(ms(501)), None);
        assert_eq!((at.mono.ns, at.wall.unix_ns), (1_007_000, 1_007_000));
    }

    #[test]
    fn a_live_frame_follows_the_wall_clock_when_it_is_set() {
        struct Set(AtomicI64);
        impl Clock for Set {
            fn now(&self) -> MonoTime {
                MonoTime::from_ns(50_000_000)
            }
            fn wall(&self) -> WallTime {
                WallTime { unix_ns: self.0.load(Ordering::Relaxed) }
            }
        }
        let clock = Arc::new(Set(AtomicI64::new(0)));
        let mut stamps = Stamps::of_camera(clock.clone(), MonoTime::ZERO, ms(0));
        let before = stamps.next(Some(ms(20)), None);
        clock.0.store(3_600_000_000_000, Ordering::Relaxed);
        let after = stamps.next(Some(ms(40)), None);
        assert_eq!((before.mono.ns, before.wall.unix_ns), (20_000_000, -30_000_000));
        assert_eq!((after.mono.ns, after.wall.unix_ns), (40_000_000, 3_599_990_000_000));
    }

    #[test]
    fn frame_rates_that_are_none_are_refused() {
        for fps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9, 1e-300] {
            assert!(period_from_fps(fps).is_err(), "{fps}");
        }
        assert_eq!(period_from_fps(25.0).unwrap(), ms(40));
        assert_eq!(offset_at_fps(90_000, 30.0), ms(3_000_000));
        assert_eq!(offset_at_fps(1, 3.0), Duration::from_nanos(333_333_333));
    }
}
