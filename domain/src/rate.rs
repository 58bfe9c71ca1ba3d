//! Takes "so many of so many", gives the rate with its exact confidence interval.
//!
//! Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
//! binomial", Biometrika 26 (1934) 404–413: the interval that covers the true rate in at least
//! 95 of 100 such tests, whatever that rate is. It is conservative, which is what an acceptance
//! test wants. Its ends are quantiles of the beta distribution.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF};

/// What is left outside a two-sided 95 % interval at each end.
const TAIL: f64 = 0.025;

/// `count` of `of`, with the two-sided 95 % interval of Clopper and Pearson.
///
/// `rate`, `low95` and `high95` are absent (JSON `null`) when `of` is 0: nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How many it happened to.
    pub count: u64,
    /// How many it could have happened to.
    pub of: u64,
    /// `count / of`.
    pub rate: Option<f64>,
    /// Lower end of the interval.
    pub low95: Option<f64>,
    /// Upper end of the interval.
    pub high95: Option<f64>,
}

impl Rate {
    /// The rate of `count` in `of`; a `count` above `of` is taken as `of`.
    #[must_use]
    pub fn new(count: u64, of: u64) -> Self {
        let count = count.min(of);
        if of == 0 {
            return Self::default();
        }
        let (k, n) = (real(count), real(of));
        let low = if count == 0 { 0.0 } else { beta_quantile(k, n - k + 1.0, TAIL) };
        let high = if count == of { 1.0 } else { beta_quantile(k + 1.0, n - k, 1.0 - TAIL) };
        Self { count, of, rate: Some(k / n), low95: Some(low), high95: Some(high) }
    }
}

/// The rate that 0 of `of` rules out with 95 % confidence, one-sided: `1 - 0.05^(1/of)`, about
/// `3 / of` (the rule of three). `None` when `of` is 0.
#[must_use]
pub fn ruled_out_by_none_of(of: u64) -> Option<f64> {
    (of > 0).then(|| -(0.05_f64.ln() / real(of)).exp_m1())
}

/// How many parts with none wrong are needed to say, with 95 % confidence, that the rate is
/// below `rate`, which lies between 0 and 1.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
pub fn needed_with_none_wrong(rate: f64) -> u64 {
    (0.05_f64.ln() / (-rate).ln_1p()).ceil() as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts of parts are far below 2^52")]
const fn real(count: u64) -> f64 {
    count as f64
}

/// Halves the interval rather than asking the library's inverse, which is only good to about
/// 5e-10: as large as the answer itself when one part in ten million is wrong.
fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    // Both shapes are at least 1 here, so there is such a distribution.
    let Ok(beta) = Beta::new(a, b) else { return f64::NAN };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if beta.cdf(middle) < p { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn interval(count: u64, of: u64) -> (f64, f64) {
        let rate = Rate::new(count, of);
        (rate.low95.unwrap(), rate.high95.unwrap())
    }

    /// P(X ≤ k) for X binomial in n, p; summed in logs, without the beta function.
    fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
        let (mut log_choose, mut sum) = (0.0, 0.0);
        for i in 0..=k {
            sum += (log_choose + real(i) * p.ln() + real(n - i) * (-p).ln_1p()).exp();
            log_choose += real(n - i).ln() - real(i + 1).ln();
        }
        sum
    }

    #[test]
    fn published_values() {
        // R's binom.test(k, n)$conf.int, to the digits it prints.
        for (count, of, low, high) in [
            (0, 10, 0.0, 0.308_497_1),
            (1, 10, 0.002_528_579, 0.445_016_1),
            (5, 10, 0.187_086_0, 0.812_914_0),
            (10, 10, 0.691_502_9, 1.0),
            (682, 925, 0.707_668_3, 0.765_406_6),
        ] {
            let (got_low, got_high) = interval(count, of);
            assert!((got_low - low).abs() < 6e-7, "{count}/{of}: {got_low} is not {low}");
            assert!((got_high - high).abs() < 6e-7, "{count}/{of}: {got_high} is not {high}");
        }
    }

    #[test]
    fn none_and_all_have_closed_forms() {
        for of in [1, 2, 7, 100, 2995, 1_000_000, 10_000_000] {
            let root = (TAIL.ln() / real(of)).exp();
            let (low, high) = interval(0, of);
            assert_eq!(low, 0.0);
            assert!((high / (1.0 - root) - 1.0).abs() < 1e-6, "0/{of}: {high}");
            let (low, high) = interval(of, of);
            assert_eq!(high, 1.0);
            assert!((low / root - 1.0).abs() < 1e-6, "{of}/{of}: {low}");
        }
    }

    #[test]
    fn nothing_measured_is_no_rate() {
        assert_eq!(Rate::new(0, 0), Rate::default());
        let json = serde_json::to_string(&Rate::new(0, 0)).unwrap();
        assert_eq!(json, r#"{"count":0,"of":0,"rate":null,"low95":null,"high95":null}"#);
    }

    #[test]
    fn the_planner_gives_the_known_number() {
        assert_eq!(needed_with_none_wrong(0.001), 2995);
        assert_eq!(needed_with_none_wrong(0.01), 299);
        assert!(ruled_out_by_none_of(2995).unwrap() < 0.001);
        assert!(ruled_out_by_none_of(2994).unwrap() > 0.001);
        assert_eq!(ruled_out_by_none_of(0), None);
    }

    /// The definition itself: at the lower end `count` or more, at the upper end `count` or fewer,
    /// come up in 2.5 of 100 tests.
    fn assert_tails(count: u64, of: u64) {
        let (low, high) = interval(count, of);
        assert!(low <= real(count) / real(of) && real(count) / real(of) <= high);
        if count > 0 {
            let tail = 1.0 - binomial_cdf(count - 1, of, low);
            assert!((tail - TAIL).abs() < 1e-6, "{count}/{of}: below {low}: {tail}");
        }
        if count < of {
            let tail = binomial_cdf(count, of, high);
            assert!((tail - TAIL).abs() < 1e-6, "{count}/{of}: above {high}: {tail}");
        }
    }

    #[test]
    fn large_tests_are_as_exact() {
        for (count, of) in [(1, 10_000_000), (500_000, 1_000_000), (999_990, 1_000_000)] {
            assert_tails(count, of);
        }
    }

    proptest! {
        #[test]
        fn the_ends_are_where_the_tails_are(of in 1_u64..5_000, share in 0.0..1.0_f64) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "test")]
            assert_tails((real(of) * share).round() as u64, of);
        }
    }
}
