//! Takes single measurements; gives their exact quantiles. For what is counted in thousands.

use serde_json::{Value, json};

/// Measurements of one kind, in ascending order.
#[derive(Clone, Debug, Default)]
pub struct Spread {
    sorted: Vec<f64>,
}

impl From<Vec<f64>> for Spread {
    fn from(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self { sorted: values }
    }
}

impl Spread {
    /// The measurements, the smallest first.
    #[must_use]
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The smallest measurement that at least `quantile` of all are not above; NaN of none.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank within the count"
    )]
    pub fn at(&self, quantile: f64) -> f64 {
        let rank = (self.sorted.len() as f64 * quantile).ceil() as usize;
        self.sorted.get(rank.max(1) - 1).or(self.sorted.last()).copied().unwrap_or(f64::NAN)
    }

    /// The middle one.
    #[must_use]
    pub fn p50(&self) -> f64 {
        self.at(0.5)
    }

    /// 99 of 100 are not above it.
    #[must_use]
    pub fn p99(&self) -> f64 {
        self.at(0.99)
    }

    /// Its quantiles as they stand in a report.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "count": self.sorted.len(),
            "p50": self.p50(),
            "p99": self.p99(),
            "p999": self.at(0.999),
            "max": self.at(1.0),
        })
    }
}

/// The middle of a few values; between the two in the middle where there is no such one.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let spread = Spread::from(values.into_iter().collect::<Vec<_>>());
    let Spread { sorted } = &spread;
    match sorted.len() {
        0 => f64::NAN,
        count => f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_measurements() {
        let spread = Spread::from((1..=1000).rev().map(f64::from).collect::<Vec<_>>());
        assert_eq!([spread.p50(), spread.p99(), spread.at(0.999)], [500.0, 990.0, 999.0]);
        assert_eq!([spread.at(0.0), spread.at(1.0)], [1.0, 1000.0]);
        assert!(Spread::default().p99().is_nan());
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        assert_eq!(median([4.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
