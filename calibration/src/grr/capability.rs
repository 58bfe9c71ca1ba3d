//! Type-1 study of a gauge and capability of a process: takes values, gives Cg and Cgk, Cp and Cpk.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};
use thiserror::Error;

/// Cg, Cgk, Cp and Cpk are wanted to be at least this.
pub const LEAST_CAPABLE: f64 = 1.33;

/// Which share of the tolerance is compared with how many standard deviations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Type1Convention {
    /// Of the tolerance, in percent: 20 almost everywhere.
    pub tolerance_percent: f64,
    /// Standard deviations: 6 (Bosch booklet 10: `Cg = 0.2 T / 6 s`) or 4 (`0.2 T / 4 s`, VDA 5 and
    /// older house standards).
    pub sigmas: f64,
}

impl Default for Type1Convention {
    fn default() -> Self {
        Self { tolerance_percent: 20.0, sigmas: 6.0 }
    }
}

/// What a type-1 study found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Type1 {
    /// Presentations.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
    /// Mean minus reference.
    pub bias: f64,
    /// The chance of at least that bias in a gauge without one (Student's t, both sides).
    pub bias_p: f64,
    /// Repeatability against the tolerance.
    pub cg: f64,
    /// The same with the bias.
    pub cgk: f64,
}

/// Capability of a process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Capability {
    /// Values.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Standard deviation from one value to the next (mean moving range / 1.128).
    pub std_within: f64,
    /// Standard deviation of all.
    pub std_overall: f64,
    /// Short-term spread; absent where one limit is.
    pub cp: Option<f64>,
    /// Short-term spread and place.
    pub cpk: f64,
    /// Long-term spread; absent where one limit is.
    pub pp: Option<f64>,
    /// Long-term spread and place.
    pub ppk: f64,
}

/// Values that say nothing.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum TooFewValues {
    /// Too few.
    #[error("{got} values are too few, {needed} are needed")]
    Count {
        /// Values.
        got: usize,
        /// Values.
        needed: usize,
    },
    /// Not a number.
    #[error("value {index} is not a number")]
    NotFinite {
        /// From 0.
        index: usize,
    },
    /// All the same.
    #[error("all {count} values are {value}: the gauge is too coarse to see its own spread")]
    AllEqual {
        /// Values.
        count: usize,
        /// The one.
        value: f64,
    },
    /// Limits or tolerance.
    #[error("{what} must be {must}, it is {got}")]
    Limits {
        /// Which.
        what: &'static str,
        /// As given.
        got: f64,
        /// What would be right.
        must: &'static str,
    },
    /// Neither limit.
    #[error("a lower or an upper limit is needed")]
    NoLimit,
}

/// The least number of presentations (Bosch booklet 10: 50, at the very least 25).
const LEAST_PRESENTATIONS: usize = 25;
/// The least number of values of a process.
const LEAST_OF_PROCESS: usize = 25;

/// A type-1 study of repeat presentations of one part whose true value is `reference`.
///
/// # Errors
/// Where there are too few values, all are the same, or the tolerance is none.
pub fn type1(
    values: &[f64],
    reference: f64,
    tolerance: f64,
    convention: Type1Convention,
) -> Result<Type1, TooFewValues> {
    for (what, got) in [
        ("the tolerance", tolerance),
        ("tolerance_percent", convention.tolerance_percent),
        ("sigmas", convention.sigmas),
    ] {
        if !(got.is_finite() && got > 0.0) {
            return Err(TooFewValues::Limits { what, got, must: "above 0" });
        }
    }
    let (mean, std) = moments(values, LEAST_PRESENTATIONS)?;
    let count = values.len();
    let share = convention.tolerance_percent / 100.0 * tolerance;
    let bias = mean - reference;
    let t = bias / (std / (count as f64).sqrt());
    let bias_p = StudentsT::new(0.0, 1.0, (count - 1) as f64)
        .map_or(f64::NAN, |spread| 2.0 * (1.0 - spread.cdf(t.abs())));
    Ok(Type1 {
        count,
        mean,
        std,
        bias,
        bias_p,
        cg: share / (convention.sigmas * std),
        cgk: (share / 2.0 - bias.abs()) / (convention.sigmas / 2.0 * std),
    })
}

/// Capability of a process with these values, in the order in which they were made.
///
/// # Errors
/// Where there are too few values, all are the same, or there is no limit.
pub fn capability(
    values: &[f64],
    lower: Option<f64>,
    upper: Option<f64>,
) -> Result<Capability, TooFewValues> {
    if let (Some(lower), Some(upper)) = (lower, upper)
        && (upper <= lower || !(upper - lower).is_finite())
    {
        let must = "above the lower limit";
        return Err(TooFewValues::Limits { what: "the upper limit", got: upper, must });
    }
    let (mean, std_overall) = moments(values, LEAST_OF_PROCESS)?;
    let moving: f64 = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
    let std_within = moving / (values.len() - 1) as f64 / 1.128;
    let place = |std: f64| {
        let below = lower.map(|lower| (mean - lower) / (3.0 * std));
        let above = upper.map(|upper| (upper - mean) / (3.0 * std));
        match (below, above) {
            (Some(below), Some(above)) => Some(below.min(above)),
            (one, other) => one.or(other),
        }
    };
    let spread = |std: f64| Some((upper? - lower?) / (6.0 * std));
    Ok(Capability {
        count: values.len(),
        mean,
        std_within,
        std_overall,
        cp: spread(std_within),
        cpk: place(std_within).ok_or(TooFewValues::NoLimit)?,
        pp: spread(std_overall),
        ppk: place(std_overall).ok_or(TooFewValues::NoLimit)?,
    })
}

fn moments(values: &[f64], needed: usize) -> Result<(f64, f64), TooFewValues> {
    let got = values.len();
    if got < needed {
        return Err(TooFewValues::Count { got, needed });
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(TooFewValues::NotFinite { index });
    }
    let count = got as f64;
    let mean = values.iter().sum::<f64>() / count;
    if values.iter().all(|value| *value == values[0]) {
        return Err(TooFewValues::AllEqual { count: got, value: values[0] });
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Ok((mean, (squares / (count - 1.0)).sqrt()))
}
