//! How long the uploader waits for what. Tests wait less than a station.

use std::time::Duration;

/// How long is waited for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waits {
    /// From when nothing more waits to when it is looked again. The service allows five
    /// connections a second, and each must be forgotten before the next is welcome.
    pub look_every: Duration,
    /// For a connection, and for each answer to a request.
    pub answer_within: Duration,
    /// For any sign of life while something is outstanding.
    pub quiet_at_most: Duration,
    /// For the service to close a connection on which everything is kept.
    pub close_within: Duration,
    /// The least and the most between two attempts.
    pub back_off: (Duration, Duration),
    /// At least so long after a connection was refused because there is another.
    pub yield_for: Duration,
    /// At least so long when a person has to do something first.
    pub wait_for: Duration,
    /// A connection takes no new fragment after that: the service ends it at 45 minutes.
    pub connection_lasts: Duration,
    /// The data endpoint is asked for anew after that.
    pub endpoint_lasts: Duration,
    /// For a file to be copied to the folder and read back.
    pub copy_within: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            look_every: Duration::from_secs(5),
            answer_within: Duration::from_secs(15),
            quiet_at_most: Duration::from_secs(30),
            close_within: Duration::from_secs(2),
            back_off: (Duration::from_secs(1), Duration::from_secs(60)),
            yield_for: Duration::from_secs(30),
            wait_for: Duration::from_secs(60),
            connection_lasts: Duration::from_mins(38),
            endpoint_lasts: Duration::from_mins(40),
            copy_within: Duration::from_mins(2),
        }
    }
}

impl Waits {
    /// The pause before attempt `failures` + 1: anything between the least and a bound that
    /// doubles up to the most, so that a hundred stations do not come back at the same moment.
    /// `random` is in 0..1.
    pub fn back_off(&self, failures: u32, random: f64) -> Duration {
        let (least, most) = self.back_off;
        let bound = least.saturating_mul(1 << failures.clamp(1, 20)).min(most);
        least + bound.saturating_sub(least).mul_f64(random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_a_minute() {
        let waits = Waits::default();
        let longest: Vec<_> = (1..9).map(|failures| waits.back_off(failures, 1.0)).collect();
        let expected = [2, 4, 8, 16, 32, 60, 60, 60].map(Duration::from_secs);
        assert_eq!(longest, expected);
        for failures in [0, 1, 5, u32::MAX] {
            assert_eq!(waits.back_off(failures, 0.0), Duration::from_secs(1));
        }
    }
}
