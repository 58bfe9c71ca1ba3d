//! How long things take: takes durations from one thread or many, without waiting or allocating;
//! gives their tail at any moment.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::Tail;

/// Every power of two is cut into so many buckets: values are kept to better than 0.8 %.
const STEPS: usize = 128;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Up to 2^40 ns, which is 18 minutes; what is longer counts as that.
const LONGEST_NS: u64 = (1 << 40) - 1;
const BUCKETS: usize = bucket_of(LONGEST_NS) + 1;

/// A histogram of durations with a high dynamic range (buckets as in HdrHistogram: linear within a
/// power of two). One buffer for its life; adding is one atomic addition in it.
pub struct Timing {
    buckets: Box<[AtomicU64]>,
    count: AtomicU64,
    sum_ns: AtomicU64,
    min_ns: AtomicU64,
    max_ns: AtomicU64,
}

/// Nanoseconds below [`STEPS`] have a bucket each; above, the leading bits choose it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "at most LONGEST_NS goes in, a few thousand out"
)]
const fn bucket_of(ns: u64) -> usize {
    let bits = u64::BITS - ns.leading_zeros();
    if bits <= STEP_BITS + 1 {
        return ns as usize;
    }
    let shift = bits - STEP_BITS - 1;
    (shift as usize) * STEPS + (ns >> shift) as usize
}

/// The largest value that falls into `bucket`.
const fn highest_in(bucket: usize) -> u64 {
    if bucket < 2 * STEPS {
        return bucket as u64;
    }
    let shift = bucket / STEPS - 1;
    let leading = (bucket % STEPS + STEPS) as u64;
    ((leading + 1) << shift) - 1
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            count: AtomicU64::new(0),
            sum_ns: AtomicU64::new(0),
            min_ns: AtomicU64::new(u64::MAX),
            max_ns: AtomicU64::new(0),
        }
    }
}

impl fmt::Debug for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timing({:?})", self.tail())
    }
}

impl Timing {
    /// Adds one duration.
    pub fn add(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).min(LONGEST_NS);
        self.buckets[bucket_of(ns)].fetch_add(1, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
        self.min_ns.fetch_min(ns, Ordering::Relaxed);
        self.max_ns.fetch_max(ns, Ordering::Relaxed);
    }

    /// Adds all of `other`.
    pub fn merge(&self, other: &Self) {
        for (mine, theirs) in self.buckets.iter().zip(&other.buckets) {
            mine.fetch_add(theirs.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        self.count.fetch_add(other.count.load(Ordering::Relaxed), Ordering::Relaxed);
        self.sum_ns.fetch_add(other.sum_ns.load(Ordering::Relaxed), Ordering::Relaxed);
        self.min_ns.fetch_min(other.min_ns.load(Ordering::Relaxed), Ordering::Relaxed);
        self.max_ns.fetch_max(other.max_ns.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Shortest, mean and longest; zero when nothing was measured. Costs next to nothing, unlike
    /// [`Timing::tail`].
    #[must_use]
    pub fn spread(&self) -> [Duration; 3] {
        let get = |value: &AtomicU64| value.load(Ordering::Relaxed);
        let count = get(&self.count);
        if count == 0 {
            return [Duration::ZERO; 3];
        }
        [get(&self.min_ns), get(&self.sum_ns) / count, get(&self.max_ns)].map(Duration::from_nanos)
    }

    /// The tail so far; `None` when nothing was measured. Taken while others add, it may lack the
    /// last few.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    pub fn tail(&self) -> Option<Tail> {
        let counts: Vec<u64> = self.buckets.iter().map(|b| b.load(Ordering::Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        if count == 0 {
            return None;
        }
        let max_ns = self.max_ns.load(Ordering::Relaxed);
        let ms = |ns: u64| ns as f64 / 1e6;
        let at = |quantile: f64| ms(value_at(&counts, count, quantile).min(max_ns));
        Some(Tail {
            count,
            mean: ms(self.sum_ns.load(Ordering::Relaxed)) / count as f64,
            min: ms(self.min_ns.load(Ordering::Relaxed)),
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: ms(max_ns),
        })
    }
}

/// The smallest value that at least `quantile` of all are not above.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank within the count"
)]
fn value_at(counts: &[u64], count: u64, quantile: f64) -> u64 {
    let rank = ((count as f64 * quantile).ceil() as u64).clamp(1, count);
    let mut seen = 0;
    let bucket = counts.iter().position(|here| {
        seen += here;
        seen >= rank
    });
    highest_in(bucket.unwrap_or(counts.len() - 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tails_are_ordered() {
        let timing = Timing::default();
        assert_eq!((timing.tail(), timing.spread()), (None, [Duration::ZERO; 3]));
        (1..=1000).for_each(|ms| timing.add(Duration::from_millis(ms)));
        assert_eq!(timing.spread(), [1000, 500_500, 1_000_000].map(Duration::from_micros));
        let tail = timing.tail().unwrap();
        assert!(tail.p50 < tail.p99 && tail.p99 < tail.p999 && tail.p999 <= tail.max);
        assert!((tail.p50 - 500.0).abs() < 4.0 && (tail.mean - 500.5).abs() < 0.01, "{tail:?}");
        assert!((tail.min - 1.0).abs() < 1e-9 && (tail.max - 1000.0).abs() < 1e-9, "{tail:?}");
    }

    #[test]
    fn what_takes_for_ever_is_counted_too() {
        let timing = Timing::default();
        timing.add(Duration::MAX);
        assert_eq!(timing.tail().map(|tail| tail.count), Some(1));
    }

    proptest! {
        #[test]
        fn a_value_is_kept_to_one_part_in_128(ns in 0..=LONGEST_NS) {
            let bucket = bucket_of(ns);
            prop_assert!(bucket < BUCKETS);
            let highest = highest_in(bucket);
            prop_assert!(highest >= ns && highest - ns <= ns / 128);
            prop_assert_eq!(bucket_of(highest), bucket);
            prop_assert!(bucket == 0 || highest_in(bucket - 1) < ns);
        }
    }
}
