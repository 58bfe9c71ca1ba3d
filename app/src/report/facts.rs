//! What the report must be told besides the inspections: the run around them.

use std::collections::BTreeMap;

use domain::recipe::LimitsInForce;
use domain::{Provenance, Sha256};
use hdrhistogram::Histogram;
use serde::Serialize;

/// How long something took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyMs {
    /// Half of the parts took no longer.
    pub p50: f64,
    /// 99 of 100 parts took no longer.
    pub p99: f64,
    /// 999 of 1000 parts took no longer.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl From<&Histogram<u64>> for LatencyMs {
    /// From a histogram of nanoseconds.
    fn from(ns: &Histogram<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "times of parts are far below 2^52 ns")]
        let ms = |ns: u64| ns as f64 / 1e6;
        let at = |quantile| ms(ns.value_at_quantile(quantile));
        Self { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: ms(ns.max()) }
    }
}

/// The run that made the inspections.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The footage, as the user named it.
    pub source: String,
    /// The recipe's name.
    pub recipe_name: String,
    /// Parts located; each is owed an answer.
    pub triggered: u64,
    /// Frames taken from the source.
    pub frames: u64,
    /// Frames dropped because the line was busy.
    pub frames_dropped: u64,
    /// Length of the footage in seconds; `None` when the source has no clock.
    pub footage_s: Option<f64>,
    /// How long the run took, in seconds.
    pub wall_s: f64,
    /// The files that were replayed, as [`domain::ViewRecord::origin`] names them; `None` when
    /// the source is not one of files. What the truth knows beyond them was not asked for and is
    /// not lost. Without this list everything the truth knows counts as asked for.
    pub files: Option<Vec<String>>,
    /// Time in each stage by the stage's name, and under `decision` from the deciding frame's
    /// exposure to the gate, or in replay the sum of its stages.
    pub latency: BTreeMap<String, LatencyMs>,
    /// The recipe's limits for labels that have none of their own; drawn beside the scores.
    pub limits: Option<LimitsInForce>,
    /// What decided.
    pub provenance: Provenance,
    /// Hash over all verdicts in order; equal for equal replays.
    pub verdict_log: Sha256,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_become_milliseconds() {
        let mut ns = Histogram::new(3).unwrap();
        (1..=1000).for_each(|i| ns.record(i * 1_000_000).unwrap());
        let ms = LatencyMs::from(&ns);
        for (got, right) in [(ms.p50, 500.0), (ms.p99, 990.0), (ms.p999, 999.0), (ms.max, 1000.0)] {
            assert!((got / right - 1.0).abs() < 2e-3, "{got} is not {right}");
        }
    }
}
