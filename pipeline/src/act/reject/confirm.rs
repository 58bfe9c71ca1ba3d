//! Whether what was thrown out was seen to fall. Takes parts as the gate opens for them, and the
//! signals of the sensor; tells which part was not seen, which signal had no part, and that parts
//! fall later and later, as they do when the belt slips under the encoder.

use std::collections::VecDeque;
use std::time::Duration;

use domain::{Event, MonoTime, PartId};

use crate::limits;

/// So many signals make the delay that is usual.
const USUAL_OF: i64 = 32;
/// Of the drift seen so far, one in so many is replaced by what is seen now.
const DRIFT_OVER: i64 = 16;

pub(super) struct Confirms {
    within: Duration,
    last_count: Option<u32>,
    awaited: VecDeque<Awaited>,
    /// Signals that belong to no part so far.
    strays: VecDeque<MonoTime>,
    unconfirmed: u64,
    drift: Drift,
}

struct Awaited {
    part: PartId,
    middle: i64,
    from: MonoTime,
    /// Known when the part has passed.
    until: Option<MonoTime>,
    /// A neighbour may fall as well, or may not.
    needed: bool,
    seen: bool,
}

/// How much later than usual parts fall.
#[derive(Default)]
struct Drift {
    count: i64,
    usual_ns: i64,
    /// How much delays differ from the usual, on average.
    spread_ns: i64,
    late_ns: i64,
    told: bool,
}

/// A part that was seen to fall, and when.
pub(super) struct Fallen {
    pub middle: i64,
    pub at: MonoTime,
}

impl Confirms {
    pub fn new(within: Duration) -> Self {
        Self {
            within,
            last_count: None,
            awaited: VecDeque::new(),
            strays: VecDeque::new(),
            unconfirmed: 0,
            drift: Drift::default(),
        }
    }

    pub const fn unconfirmed(&self) -> u64 {
        self.unconfirmed
    }

    /// The gate has opened for `part`; again, when the belt has run back and forth.
    pub fn opened(&mut self, part: PartId, middle: i64, from: MonoTime, needed: bool) {
        let again = self.awaited.iter().any(|awaited| awaited.part == part);
        if again || self.awaited.len() >= limits::CONFIRMS_WAITING {
            return;
        }
        let seen = !needed && self.take_stray(from);
        let until = None;
        self.awaited.push_back(Awaited { part, middle, from, until, needed, seen });
    }

    fn take_stray(&mut self, from: MonoTime) -> bool {
        let found = self.strays.iter().position(|&at| at >= from);
        found.and_then(|index| self.strays.remove(index)).is_some()
    }

    /// `part` has passed the gate at `now`.
    pub fn passed(&mut self, part: PartId, now: MonoTime) {
        let until = now.plus(self.within);
        for awaited in self.awaited.iter_mut().filter(|awaited| awaited.part == part) {
            awaited.until = Some(until);
        }
        self.awaited.retain(|awaited| awaited.part != part || !awaited.seen);
    }

    /// The sensor's count at `at`; gives the parts that were seen to fall.
    pub fn hear(&mut self, count: u32, at: MonoTime) -> Option<Fallen> {
        // More at once than that is a count that has begun anew.
        let fell = match self.last_count.map_or(1, |last| count.wrapping_sub(last)) {
            few @ 0..=16 => few,
            _ => 1,
        };
        self.last_count = Some(count);
        (0..fell).filter_map(|_| self.fell(at)).last()
    }

    fn fell(&mut self, at: MonoTime) -> Option<Fallen> {
        let fits = |awaited: &&mut Awaited| {
            !awaited.seen && awaited.from <= at && awaited.until.is_none_or(|until| at <= until)
        };
        let mut fitting = self.awaited.iter_mut().filter(fits);
        let first = fitting.next();
        let best = match first {
            Some(awaited) if !awaited.needed => {
                fitting.find(|other| other.needed).or(Some(awaited))
            }
            first => first,
        };
        let Some(awaited) = best else {
            if self.strays.len() >= limits::CONFIRMS_WAITING {
                self.strays.pop_front();
            }
            self.strays.push_back(at);
            return None;
        };
        awaited.seen = true;
        let (part, passed) = (awaited.part, awaited.until.is_some());
        let fallen = awaited.needed.then_some(Fallen { middle: awaited.middle, at });
        if passed {
            self.awaited.retain(|awaited| awaited.part != part);
        }
        fallen
    }

    /// Tells what has waited too long. While the gate is open, what falls may still find its part.
    pub fn expire(&mut self, now: MonoTime, gate_open: bool, tell: &mut impl FnMut(Event)) {
        let unconfirmed = &mut self.unconfirmed;
        self.awaited.retain(|awaited| {
            let over = awaited.until.is_some_and(|until| until < now);
            if over && awaited.needed && !awaited.seen {
                *unconfirmed += 1;
                tell(Event::RejectNotConfirmed { part: awaited.part });
            }
            !over
        });
        let within = self.within;
        while self.strays.front().is_some_and(|at| !gate_open && at.plus(within) < now) {
            self.strays.pop_front();
            tell(Event::ConfirmUnexpected);
        }
    }

    /// Whatever falls while the gate is held open belongs to nobody.
    pub fn forget_strays(&mut self) {
        self.strays.clear();
    }

    /// When [`Confirms::expire`] has something to tell.
    pub fn next_wake(&self) -> Option<MonoTime> {
        let until = self.awaited.iter().filter_map(|awaited| awaited.until).min();
        until.map(|until| until.plus(Duration::from_nanos(1)))
    }

    /// Takes the time from a part's passing the gate's middle to its being seen; gives how much
    /// later than usual parts fall, once, when that is more than `bound_ns` beyond the usual
    /// spread.
    pub fn drifted(&mut self, delay_ns: i64, bound_ns: i64) -> Option<i64> {
        let drift = &mut self.drift;
        let off_ns = delay_ns - drift.usual_ns;
        if drift.count < USUAL_OF {
            drift.count += 1;
            drift.usual_ns += off_ns / drift.count;
            if drift.count > 1 {
                drift.spread_ns += (off_ns.abs() - drift.spread_ns) / drift.count;
            }
            return None;
        }
        drift.late_ns += (off_ns - drift.late_ns) / DRIFT_OVER;
        let bound_ns = bound_ns.saturating_add(2 * drift.spread_ns);
        let was_told = drift.told;
        drift.told = drift.late_ns.abs() > if was_told { bound_ns / 2 } else { bound_ns };
        (drift.told && !was_told).then_some(drift.late_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> MonoTime {
        MonoTime::from_ns(ms * 1_000_000)
    }

    fn told(confirms: &mut Confirms, now: MonoTime) -> Vec<Event> {
        let mut events = Vec::new();
        confirms.expire(now, false, &mut |event| events.push(event));
        events
    }

    fn thrown_out() -> Confirms {
        let mut confirms = Confirms::new(Duration::from_millis(100));
        confirms.opened(PartId(1), 0, ms(10), true);
        confirms
    }

    #[test]
    fn a_part_that_is_not_seen_is_told_once_when_its_time_is_over() {
        let mut confirms = thrown_out();
        assert_eq!(told(&mut confirms, ms(1000)), [], "it stands in the gate");
        confirms.passed(PartId(1), ms(1000));
        assert_eq!(told(&mut confirms, ms(1100)), []);
        assert_eq!(told(&mut confirms, ms(1101)), [Event::RejectNotConfirmed { part: PartId(1) }]);
        assert_eq!(told(&mut confirms, ms(9000)), []);
        assert_eq!(confirms.unconfirmed(), 1);
    }

    #[test]
    fn a_part_that_is_seen_is_not_told_whether_it_has_passed_or_not() {
        for seen_at in [20, 90] {
            let mut confirms = thrown_out();
            let see = |confirms: &mut Confirms| {
                assert!(confirms.hear(7, ms(seen_at)).is_some());
            };
            if seen_at == 20 {
                see(&mut confirms);
            }
            confirms.passed(PartId(1), ms(50));
            if seen_at == 90 {
                see(&mut confirms);
            }
            assert_eq!(told(&mut confirms, ms(9000)), []);
        }
    }

    #[test]
    fn a_signal_that_belongs_to_no_part_is_told() {
        let mut confirms = thrown_out();
        confirms.hear(u32::MAX, ms(5));
        assert_eq!(told(&mut confirms, ms(106)), [Event::ConfirmUnexpected]);
        confirms.passed(PartId(1), ms(110));
        // Two at once, and the count wraps: one is the part.
        confirms.hear(1, ms(120));
        assert_eq!(told(&mut confirms, ms(9000)), [Event::ConfirmUnexpected]);
    }

    #[test]
    fn a_neighbour_may_fall_or_not() {
        let mut confirms = thrown_out();
        confirms.hear(1, ms(20));
        confirms.hear(2, ms(25));
        confirms.opened(PartId(2), 0, ms(10), false);
        for part in [1, 2] {
            confirms.passed(PartId(part), ms(40));
        }
        assert_eq!(told(&mut confirms, ms(9000)), []);
    }

    #[test]
    fn parts_that_fall_later_and_later_are_told_once() {
        let mut confirms = thrown_out();
        assert!((0..100).all(|_| confirms.drifted(300, 100).is_none()));
        let told: Vec<i64> = (0..100).filter_map(|_| confirms.drifted(600, 100)).collect();
        assert_eq!(told.len(), 1);
        assert!((101..300).contains(&told[0]), "{told:?}");
    }
}
