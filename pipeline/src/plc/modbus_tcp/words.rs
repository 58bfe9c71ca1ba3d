//! From numbers to 16-bit words and back. Takes a word order, for PLCs differ; gives words.

use serde::{Deserialize, Serialize};

/// Which word of a 32-bit value comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordOrder {
    /// The high word at the lower address, as the bytes within a word.
    #[default]
    HighFirst,
    /// The low word at the lower address.
    LowFirst,
}

impl WordOrder {
    /// The two words of `value`.
    #[must_use]
    pub const fn words(self, value: u32) -> [u16; 2] {
        let [a, b, c, d] = value.to_be_bytes();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        match self {
            Self::HighFirst => [high, low],
            Self::LowFirst => [low, high],
        }
    }

    /// The value of two words.
    #[must_use]
    pub const fn value(self, first: u16, second: u16) -> u32 {
        let (high, low) = match self {
            Self::HighFirst => (first, second),
            Self::LowFirst => (second, first),
        };
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        u32::from_be_bytes([a, b, c, d])
    }
}

/// The low 32 bits: a counter that wraps.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "counters wrap, as the map says")]
pub const fn wrapped(count: u64) -> u32 {
    count as u32
}

/// How far a wrapping 32-bit count went from `last` to `now`, the shorter way round.
#[must_use]
pub const fn step(last: u32, now: u32) -> i32 {
    now.wrapping_sub(last).cast_signed()
}

/// A 32-bit count of both directions, followed beyond its wraps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwrapped {
    last: Option<u32>,
    total: i64,
}

impl Unwrapped {
    /// The whole count now. The first is taken as it is, signed.
    pub fn follow(&mut self, now: u32) -> i64 {
        let by = self.last.map_or(now.cast_signed(), |last| step(last, now));
        self.last = Some(now);
        self.total += i64::from(by);
        self.total
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_is_what_it_is_called() {
        assert_eq!(WordOrder::HighFirst.words(0x0001_0002), [1, 2]);
        assert_eq!(WordOrder::LowFirst.words(0x0001_0002), [2, 1]);
    }

    proptest! {
        #[test]
        fn words_come_back_as_the_value(value: u32, low_first: bool) {
            let order = if low_first { WordOrder::LowFirst } else { WordOrder::HighFirst };
            let [first, second] = order.words(value);
            prop_assert_eq!(order.value(first, second), value);
        }

        #[test]
        fn an_encoder_is_followed_through_every_wrap(start: i32, steps: Vec<i32>) {
            let mut unwrapped = Unwrapped::default();
            let mut truth = i64::from(start);
            prop_assert_eq!(unwrapped.follow(start.cast_unsigned()), truth);
            for by in steps {
                truth += i64::from(by);
                let shown = wrapped(truth.cast_unsigned());
                prop_assert_eq!(unwrapped.follow(shown), truth);
            }
        }
    }
}
