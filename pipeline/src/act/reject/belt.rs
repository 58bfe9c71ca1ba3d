//! Where the belt is. Takes readings of an encoder; gives the belt's place at any moment: between
//! two readings by interpolation, after the last one at the speed last measured. Without an
//! encoder the belt's place is the time.

use std::collections::VecDeque;
use std::time::Duration;

use domain::MonoTime;

use super::config::EncoderRule;
use crate::limits;

/// The belt, in its own units: nanoseconds without an encoder, counts with one.
pub(super) enum Belt {
    Time,
    Encoder(Encoder),
}

/// Where the belt was at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    At(i64),
    /// The next reading will tell.
    NotYet,
    /// Before everything that is remembered.
    Forgotten,
}

/// What a reading is worth.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Fine,
    /// Older than what is known, or the first one.
    Nothing,
    /// What a belt can't do: the count has begun anew, or was misread. The belt is taken to have
    /// gone on as before.
    Jumped(String),
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    at: MonoTime,
    place: i64,
}

pub(super) struct Encoder {
    rule: EncoderRule,
    tolerance: i64,
    readings: VecDeque<Reading>,
    /// Added to the count, so that a count that begins anew goes on.
    offset: i64,
    /// Counts in so many nanoseconds.
    speed: (i64, i64),
    /// Since when it is waited for the first reading.
    waiting_since: Option<MonoTime>,
}

fn time_ns(at: MonoTime) -> i64 {
    at.ns.cast_signed()
}

/// `a * b / c`, rounded down; `c` is above 0.
fn scaled(a: i64, b: i64, c: i64) -> i64 {
    let product = i128::from(a) * i128::from(b);
    i64::try_from(product.div_euclid(i128::from(c))).unwrap_or(i64::MAX)
}

impl Belt {
    pub fn encoder(&mut self) -> Option<&mut Encoder> {
        match self {
            Self::Time => None,
            Self::Encoder(encoder) => Some(encoder),
        }
    }

    /// Where the belt is or will be at `at`, which lies after the last reading; `None` before
    /// the first one.
    pub fn here(&self, at: MonoTime) -> Option<i64> {
        match self {
            Self::Time => Some(time_ns(at)),
            Self::Encoder(encoder) => encoder.here(at),
        }
    }

    /// How far it has certainly come.
    pub fn come(&self, now: MonoTime) -> Option<i64> {
        match self {
            Self::Time => Some(time_ns(now)),
            Self::Encoder(encoder) => encoder.readings.back().map(|last| last.place),
        }
    }

    /// Where it was at `at`.
    pub fn at(&self, at: MonoTime) -> Place {
        match self {
            Self::Time => Place::At(time_ns(at)),
            Self::Encoder(encoder) => encoder.at(at),
        }
    }

    /// When it will be at `place`, going on as it does; `None` when it never will.
    pub fn when(&self, place: i64) -> Option<MonoTime> {
        match self {
            Self::Time => u64::try_from(place).ok().map(MonoTime::from_ns),
            Self::Encoder(encoder) => encoder.when(place),
        }
    }

    /// When it last came by `place`, as far as is remembered.
    pub fn came_by(&self, place: i64) -> Option<MonoTime> {
        match self {
            Self::Time => u64::try_from(place).ok().map(MonoTime::from_ns),
            Self::Encoder(encoder) => encoder.came_by(place),
        }
    }

    /// How far it runs in `ns` nanoseconds at its present speed.
    pub fn distance(&self, ns: i64) -> i64 {
        match self {
            Self::Time => ns,
            Self::Encoder(encoder) => scaled(ns, encoder.speed.0, encoder.speed.1),
        }
    }
}

impl Encoder {
    pub fn new(rule: EncoderRule, tolerance: i64) -> Self {
        let readings = VecDeque::new();
        Self { rule, tolerance, readings, offset: 0, speed: (0, 1), waiting_since: None }
    }

    /// Takes in a reading.
    pub fn hear(&mut self, count: i64, at: MonoTime) -> Heard {
        let place = count.saturating_add(self.offset);
        let Some(last) = self.readings.back().copied() else {
            self.readings.push_back(Reading { at, place });
            return Heard::Nothing;
        };
        if at <= last.at {
            return Heard::Nothing;
        }
        let elapsed = at.since(last.at);
        if place.abs_diff(last.place) > self.farthest(elapsed) {
            let gone_on = self.here(at).unwrap_or(last.place);
            self.offset = self.offset.saturating_add(gone_on.saturating_sub(place));
            self.readings.clear();
            self.readings.push_back(Reading { at, place: gone_on });
            return Heard::Jumped(format!(
                "{} counts in {:.1} ms, and the belt can't run more than {} a second",
                i128::from(place) - i128::from(last.place),
                elapsed.as_secs_f64() * 1e3,
                self.rule.per_s_max
            ));
        }
        self.remember(Reading { at, place });
        Heard::Fine
    }

    /// Whether there has been no reading for too long at `now`.
    pub fn is_lost(&mut self, now: MonoTime) -> bool {
        let since = *self.waiting_since.get_or_insert(now);
        let heard = self.readings.back().map_or(since, |last| last.at);
        now.since(heard) >= self.rule.lost
    }

    /// From when on it will be lost, without another reading.
    pub fn lost_from(&self) -> Option<MonoTime> {
        let heard = self.readings.back().map(|last| last.at).or(self.waiting_since);
        heard.map(|heard| heard.plus(self.rule.lost))
    }

    /// Half as fast again as the belt can run, and the tolerance.
    fn farthest(&self, elapsed: Duration) -> u64 {
        let ns = i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX);
        let run = scaled(ns, self.rule.per_s_max, 1_000_000_000);
        run.saturating_add(run / 2).saturating_add(self.tolerance).unsigned_abs()
    }

    fn remember(&mut self, last: Reading) {
        if self.readings.len() >= limits::ENCODER_READINGS {
            self.readings.pop_front();
        }
        self.readings.push_back(last);
        let old_enough = |reading: &&Reading| last.at.since(reading.at) >= limits::SPEED_OVER;
        let before = self.readings.iter().rev().find(old_enough).or(self.readings.front());
        if let Some(before) = before {
            let elapsed = time_ns(last.at) - time_ns(before.at);
            self.speed = (last.place - before.place, elapsed.max(1));
        }
    }

    fn here(&self, at: MonoTime) -> Option<i64> {
        let last = self.readings.back()?;
        let age = time_ns(at) - time_ns(last.at);
        Some(last.place + scaled(age, self.speed.0, self.speed.1))
    }

    fn at(&self, at: MonoTime) -> Place {
        let after = self.readings.partition_point(|reading| reading.at < at);
        let Some(next) = self.readings.get(after) else {
            return Place::NotYet;
        };
        let before = after.checked_sub(1).and_then(|before| self.readings.get(before));
        match before {
            _ if next.at == at => Place::At(next.place),
            None => Place::Forgotten,
            Some(before) => {
                let part = time_ns(at) - time_ns(before.at);
                let whole = time_ns(next.at) - time_ns(before.at);
                Place::At(before.place + scaled(next.place - before.place, part, whole))
            }
        }
    }

    fn when(&self, place: i64) -> Option<MonoTime> {
        let last = self.readings.back()?;
        let (counts, ns) = self.speed;
        let ahead = place - last.place;
        if counts <= 0 || ahead < 0 {
            return None;
        }
        // Rounded up, so that the belt is there by then.
        let after = scaled(ahead, ns, counts).saturating_add(1);
        Some(last.at.plus(Duration::from_nanos(after.unsigned_abs())))
    }

    fn came_by(&self, place: i64) -> Option<MonoTime> {
        let (mut after, mut found) = (self.readings.back()?, None);
        if after.place < place {
            return None;
        }
        for before in self.readings.iter().rev() {
            if before.place < place {
                let (part, whole) = (place - before.place, after.place - before.place);
                let ns = scaled(time_ns(after.at) - time_ns(before.at), part, whole);
                found = Some(before.at.plus(Duration::from_nanos(ns.unsigned_abs())));
                break;
            }
            after = before;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::OnLost;
    use super::*;

    fn ms(ms: u64) -> MonoTime {
        MonoTime::from_ns(ms * 1_000_000)
    }

    fn belt(readings: &[(u64, i64)]) -> Belt {
        let rule = EncoderRule {
            per_s_max: 2000,
            lost: Duration::from_millis(100),
            on_lost: OnLost::Open,
        };
        let mut encoder = Encoder::new(rule, 5);
        for &(at, count) in readings {
            assert!(!matches!(encoder.hear(count, ms(at)), Heard::Jumped(_)), "{count} at {at}");
        }
        Belt::Encoder(encoder)
    }

    #[test]
    fn between_readings_it_is_interpolated_and_after_them_it_goes_on() {
        let belt = belt(&[(0, 0), (10, 10), (20, 20)]);
        assert_eq!(belt.at(ms(15)), Place::At(15));
        assert_eq!(belt.at(ms(20)), Place::At(20));
        assert_eq!(belt.at(ms(21)), Place::NotYet);
        assert_eq!(belt.here(ms(25)), Some(25));
        assert_eq!(belt.come(ms(25)), Some(20));
        assert_eq!(belt.when(30), Some(ms(30).plus(Duration::from_nanos(1))));
        assert_eq!(belt.came_by(15), Some(ms(15)));
        assert_eq!(belt.distance(1_000_000), 1);
    }

    #[test]
    fn a_belt_that_stands_or_runs_back_never_comes() {
        let standing = belt(&[(0, 50), (10, 50), (30, 50)]);
        assert_eq!((standing.here(ms(90)), standing.when(51)), (Some(50), None));
        let back = belt(&[(0, 50), (30, 20)]);
        assert_eq!((back.here(ms(40)), back.when(51)), (Some(10), None));
    }

    #[test]
    fn what_was_before_all_readings_is_forgotten() {
        assert_eq!(belt(&[(10, 0), (20, 9)]).at(ms(9)), Place::Forgotten);
        assert_eq!(belt(&[]).at(ms(9)), Place::NotYet);
    }

    #[test]
    fn a_count_that_begins_anew_goes_on_from_where_it_was() {
        let mut belt = belt(&[(0, 1_000_000), (10, 1_000_010), (20, 1_000_020)]);
        let Heard::Jumped(what) = belt.encoder().unwrap().hear(3, ms(30)) else {
            panic!("a million counts in ten milliseconds")
        };
        assert!(what.contains("-1000017 counts in 10.0 ms"), "{what}");
        assert_eq!(belt.here(ms(30)), Some(1_000_030));
        assert_eq!(belt.encoder().unwrap().hear(13, ms(40)), Heard::Fine);
        assert_eq!(belt.here(ms(40)), Some(1_000_040));
    }

    #[test]
    fn readings_out_of_order_change_nothing() {
        let mut belt = belt(&[(0, 0), (10, 10)]);
        assert_eq!(belt.encoder().unwrap().hear(99, ms(10)), Heard::Nothing);
        assert_eq!(belt.here(ms(10)), Some(10));
    }

    #[test]
    fn without_readings_it_is_lost_after_its_time() {
        let mut belt = belt(&[(0, 0)]);
        let encoder = belt.encoder().unwrap();
        assert!(!encoder.is_lost(ms(99)) && encoder.is_lost(ms(100)));
        assert_eq!(encoder.lost_from(), Some(ms(100)));
    }
}
