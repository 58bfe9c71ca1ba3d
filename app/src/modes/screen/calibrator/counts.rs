//! The encoder's count at a frame: takes what the PLC tells of the belt while a camera is
//! calibrated; gives the count at a moment, between two readings or shortly after the last one.

use std::collections::VecDeque;
use std::time::Duration;

use domain::MonoTime;
use pipeline::link::{LinkReceiver, Received};
use pipeline::plc::FieldInput;

/// So many readings are remembered: at a thousand a second, of the last second.
const READINGS: usize = 1024;
/// A frame may be so much newer than the last reading; the belt goes on as before meanwhile.
const AHEAD: Duration = Duration::from_millis(100);
/// The belt's speed is that over so long: readings are whole counts, and late by a millisecond.
const SPEED_OVER: Duration = Duration::from_millis(200);

/// What the encoder counts.
pub struct Counts {
    heard: LinkReceiver<FieldInput>,
    readings: VecDeque<(MonoTime, i64)>,
}

impl Counts {
    /// Of what is `heard`.
    pub const fn new(heard: LinkReceiver<FieldInput>) -> Self {
        Self { heard, readings: VecDeque::new() }
    }

    /// The count at `at`; `None` where no encoder is read, or not around that moment.
    pub fn at(&mut self, at: MonoTime) -> Option<i64> {
        self.hear();
        let after = self.readings.partition_point(|(read, _)| *read < at);
        let before = *self.readings.get(after.checked_sub(1)?)?;
        match self.readings.get(after) {
            Some(after) => Some(between(before, *after, at)),
            None if at.since(before.0) <= AHEAD => {
                let is_old_enough = |(read, _): &&_| before.0.since(*read) >= SPEED_OVER;
                let earlier = self.readings.iter().rev().find(is_old_enough);
                Some(between(*earlier.or_else(|| self.readings.front())?, before, at))
            }
            None => None,
        }
    }

    fn hear(&mut self) {
        while let Received::Item(input) = self.heard.recv_within(Duration::ZERO) {
            let FieldInput::Encoder { count, at } = input else { continue };
            // The count began anew, or readings came out of turn.
            if self.readings.back().is_some_and(|(last, _)| at <= *last) {
                self.readings.clear();
            }
            if self.readings.len() == READINGS {
                self.readings.pop_front();
            }
            self.readings.push_back((at, count));
        }
    }
}

/// The count at `at`, on the line through two readings.
fn between(a: (MonoTime, i64), b: (MonoTime, i64), at: MonoTime) -> i64 {
    let ns = |time: MonoTime| i128::from(time.ns);
    let (run, rise) = (ns(b.0) - ns(a.0), i128::from(b.1) - i128::from(a.1));
    if run == 0 {
        return b.1;
    }
    let half = run / 2;
    let gone = (rise * (ns(at) - ns(a.0)) + half).div_euclid(run);
    i64::try_from(i128::from(a.1) + gone).unwrap_or(b.1)
}

#[cfg(test)]
mod tests {
    use pipeline::plc;

    use super::*;

    fn ms(ms: u64) -> MonoTime {
        MonoTime::from_ns(ms * 1_000_000)
    }

    #[test]
    fn the_count_at_a_frame_lies_between_readings_and_goes_on_for_a_while() {
        let (inputs, fields, _asked) = plc::inputs(1);
        let mut counts = Counts::new(fields[0].clone());
        let hear = |at, count| inputs.hear(FieldInput::Encoder { count, at: ms(at) });
        assert_eq!(counts.at(ms(5)), None, "nothing was read");
        // 2 counts a millisecond, read late now and then.
        (0..20).for_each(|n| hear(100 + 20 * n, 200 + 40 * i64::try_from(n).unwrap()));
        assert_eq!(counts.at(ms(99)), None, "before all that is remembered");
        assert_eq!(counts.at(ms(100)), None);
        assert_eq!((counts.at(ms(120)), counts.at(ms(125))), (Some(240), Some(250)));
        assert_eq!(counts.at(ms(480)), Some(960));
        assert_eq!(counts.at(ms(500)), Some(1000), "the belt goes on");
        assert_eq!(counts.at(ms(581)), None, "who knows");
        inputs.hear(FieldInput::Confirm { count: 1, at: ms(590) });
        hear(600, 1200);
        assert_eq!(counts.at(ms(581)), Some(1162));
        hear(50, 0);
        assert_eq!(counts.at(ms(581)), None, "it began anew");
    }

    #[test]
    fn a_belt_runs_backwards_too_and_few_readings_are_enough() {
        let (inputs, fields, _asked) = plc::inputs(1);
        let mut counts = Counts::new(fields[0].clone());
        inputs.hear(FieldInput::Encoder { count: 10, at: ms(10) });
        assert_eq!(counts.at(ms(20)), Some(10), "as far as is known it stands");
        inputs.hear(FieldInput::Encoder { count: -10, at: ms(30) });
        assert_eq!((counts.at(ms(20)), counts.at(ms(40))), (Some(0), Some(-20)));
    }
}
