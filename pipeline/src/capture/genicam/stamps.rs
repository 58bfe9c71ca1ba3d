//! Which frame it is and when it was exposed. Takes what the camera counts and what its clock
//! says; gives sequence numbers and times that always go forward.

use std::time::Duration;

/// GigE Vision 1.x counts 1 to 65535 and leaves 0 out.
const SHORT_IDS: u64 = 65_535;
/// More frames than this are never missed at once; the counter was set anew.
const MISSED_MOST: u64 = SHORT_IDS / 2;
/// The camera's clock may run slow by 1/5000 (200 ppm), twice what a plain quartz does.
const DRIFT: u64 = 5_000;

/// Which frame it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Running number, from 0.
    pub(super) number: u64,
    /// How many are missing before it.
    pub(super) missed: u64,
}

/// Makes running numbers of a camera's block ids, which wrap.
#[derive(Default)]
pub(super) struct BlockIds {
    /// The last id, and its number.
    last: Option<(u64, u64)>,
}

impl BlockIds {
    /// The number of the frame whose id is `id`. An id that does not go on from the last one (a
    /// counter that was set anew, or that a camera does not have) counts as the next frame.
    pub(super) fn next(&mut self, id: u64) -> Sequence {
        let step = match self.last {
            Some((last, _)) if id > last => id - last,
            Some((last, _)) if last <= SHORT_IDS => id + SHORT_IDS - last,
            Some(_) | None => 1,
        };
        let missed = if step - 1 > MISSED_MOST { 0 } else { step - 1 };
        let number = self.last.map_or(0, |(_, number)| number + 1 + missed);
        self.last = Some((id, number));
        Sequence { number, missed: if number == 0 { 0 } else { missed } }
    }
}

/// Puts the camera's clock onto ours.
///
/// The time from the camera's stamp to the first packet's arrival here is a constant and a delay
/// that varies with the load. The smallest that was seen is taken for the constant, allowed to
/// grow as fast as clocks drift; so the times have the camera's own regularity. Taking off the
/// exposure time then gives the beginning of the exposure, for cameras that stamp its beginning as
/// well as for those that stamp its end: both send at its end.
///
/// What remains: the time from the end of the exposure to the first packet, by which all times are
/// late. It is below a millisecond for cameras that send while they read the sensor out, and the
/// read-out time for those that store the picture first. With automatic exposure, the exposure
/// time is the one at the start.
pub(super) struct CameraClock {
    exposure: Duration,
    last: Option<Last>,
}

struct Last {
    stamp: u64,
    /// Ours less the camera's, nanoseconds.
    offset: i128,
    exposed: u64,
}

impl CameraClock {
    /// A clock whose frames are exposed for `exposure`.
    pub(super) fn new(exposure: Duration) -> Self {
        Self { exposure, last: None }
    }

    /// When the exposure began, on the clock of `arrived`; later than that of the frame before.
    /// `stamp` is what the camera says, 0 when it has no clock. Nanoseconds.
    pub(super) fn exposed_ns(&mut self, stamp: u64, arrived: u64) -> u64 {
        let seen = i128::from(arrived) - i128::from(stamp);
        let offset = match &self.last {
            Some(last) if stamp > last.stamp => {
                seen.min(last.offset + i128::from((stamp - last.stamp) / DRIFT))
            }
            // The first frame, a clock that was set back, or none.
            Some(_) | None => seen,
        };
        let sent = u64::try_from(i128::from(stamp) + offset).unwrap_or(0);
        let exposure = u64::try_from(self.exposure.as_nanos()).unwrap_or(u64::MAX);
        let after = self.last.as_ref().map_or(0, |last| last.exposed + 1);
        let exposed = sent.saturating_sub(exposure).max(after);
        self.last = Some(Last { stamp, offset, exposed });
        exposed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(ids: &[u64]) -> Vec<(u64, u64)> {
        let mut block_ids = BlockIds::default();
        ids.iter().map(|id| block_ids.next(*id)).map(|it| (it.number, it.missed)).collect()
    }

    #[test]
    fn short_ids_wrap_past_zero() {
        assert_eq!(numbers(&[65_534, 65_535, 1, 2]), [(0, 0), (1, 0), (2, 0), (3, 0)]);
        assert_eq!(numbers(&[65_533, 2]), [(0, 0), (4, 3)]);
        assert_eq!(numbers(&[7, 8, 11]), [(0, 0), (1, 0), (4, 2)]);
    }

    #[test]
    fn long_ids_do_not_wrap() {
        let far = u64::from(u32::MAX);
        assert_eq!(numbers(&[far, far + 1, far + 4]), [(0, 0), (1, 0), (4, 2)]);
        assert_eq!(numbers(&[65_535, 65_536, 65_538]), [(0, 0), (1, 0), (3, 1)]);
    }

    #[test]
    fn a_counter_that_starts_anew_or_stands_still_loses_nothing() {
        assert_eq!(numbers(&[100, 1, 2]), [(0, 0), (1, 0), (2, 0)]);
        assert_eq!(numbers(&[1_000_000, 0, 1]), [(0, 0), (1, 0), (2, 0)]);
        assert_eq!(numbers(&[5, 5, 5]), [(0, 0), (1, 0), (2, 0)]);
        assert_eq!(numbers(&[0, u64::MAX, 0]), [(0, 0), (1, 0), (2, 0)]);
    }

    #[test]
    fn late_arrivals_do_not_make_late_frames() {
        let mut clock = CameraClock::new(Duration::from_millis(2));
        let ms = 1_000_000;
        let late = [3, 0, 7, 1, 0, 30].map(|late_ms| late_ms * ms);
        let exposed: Vec<_> = (0..6u64)
            .zip(late)
            .map(|(i, late)| clock.exposed_ns((500 + 10 * i) * ms, (100 + 10 * i) * ms + late))
            .collect();
        // From the second on, which came without delay, each lies where it was exposed.
        let truth: Vec<_> = (0..6u64).map(|i| (98 + 10 * i) * ms).collect();
        assert_eq!(exposed[0], truth[0] + 3 * ms);
        for (exposed, truth) in exposed.iter().zip(&truth).skip(1) {
            assert!((truth..=&(truth + 10 * ms / 5000 * 4)).contains(&exposed), "{exposed}");
        }
    }

    #[test]
    fn a_camera_without_a_clock_has_the_times_of_arrival() {
        let mut clock = CameraClock::new(Duration::ZERO);
        assert_eq!([5, 9, 9].map(|at| clock.exposed_ns(0, at)), [5, 9, 10]);
    }

    #[test]
    fn a_clock_that_is_set_back_is_followed() {
        let mut clock = CameraClock::new(Duration::ZERO);
        clock.exposed_ns(1_000_000_000, 1_000);
        assert_eq!(clock.exposed_ns(5, 2_000), 2_000);
    }

    proptest! {
        /// Whatever a camera says, time goes forward and nothing overflows.
        #[test]
        fn times_and_numbers_go_forward(
            frames in prop::collection::vec((any::<u64>(), any::<u64>(), 0..u64::MAX / 2), 1..50),
            exposure_us in 0..10_000_000u64,
        ) {
            let mut clock = CameraClock::new(Duration::from_micros(exposure_us));
            let mut ids = BlockIds::default();
            let mut before = None;
            for (id, stamp, arrived) in frames {
                let now = (ids.next(id).number, clock.exposed_ns(stamp, arrived));
                if let Some((number, at)) = before {
                    prop_assert!(now.0 > number && now.1 > at);
                }
                before = Some(now);
            }
        }

        /// A drift of 100 ppm either way is followed to within what it makes in ten frames.
        #[test]
        fn drift_is_followed(
            ppm in -100..=100i64,
            delays in prop::collection::vec(0..5_000_000u64, 10),
        ) {
            let mut clock = CameraClock::new(Duration::ZERO);
            let period = 20_000_000i64;
            for i in 0..2_000i64 {
                let truth = u64::try_from(period * i).unwrap();
                let drift = period * i / 1_000_000 * ppm;
                let stamp = u64::try_from(1_000_000_000 + period * i + drift).unwrap();
                let turn = usize::try_from(i).unwrap() % delays.len();
                // One in ten comes without delay.
                let delay = if turn == 0 { 0 } else { delays[turn] };
                let got = clock.exposed_ns(stamp, truth + delay);
                let error = i128::from(got) - i128::from(truth);
                prop_assert!(error.abs() < 100_000, "frame {i}: {error} ns");
            }
        }
    }
}
