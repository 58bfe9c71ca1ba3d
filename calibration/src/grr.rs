//! Whether the measurement is fit for its purpose: takes measured values, gives gauge R&R (crossed
//! study), type-1 study (Cg, Cgk) and capability (Cp, Cpk), each with its formulas' source.
//!
//! Sources: AIAG, *Measurement Systems Analysis*, 4th ed. 2010, ch. III B (average and range
//! method; ANOVA method; %GRR, ndc); Burdick, Borror & Montgomery, *J. Quality Technology* 35
//! (2003) 342 (intervals); Bosch booklet 10, *Capability of Measurement and Test Processes*, and
//! VDA 5 (type-1 study); AIAG, *Statistical Process Control*, 2nd ed. 2005 (Cp, Cpk, Pp, Ppk).

mod anova;
mod capability;
mod range;
mod table;

use serde::{Deserialize, Serialize};

pub use anova::{AnovaRow, Crossed};
pub use capability::{
    Capability, LEAST_CAPABLE, TooFewValues, Type1, Type1Convention, capability, type1,
};
pub use range::RangeStudy;
pub use table::{Study, StudyRefused};

/// How a study is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Upper minus lower limit of what is measured, for %GRR of the tolerance.
    pub tolerance: Option<f64>,
    /// Standard deviations that the tolerance is compared with: 6 (AIAG 4th ed.) or 5.15 (older).
    pub sigmas: f64,
    /// The interaction of parts and operators counts as repeatability where its p is above this.
    pub pool_above_p: f64,
    /// Of intervals, 0 to 1.
    pub confidence: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tolerance: None, sigmas: 6.0, pool_above_p: 0.05, confidence: 0.95 }
    }
}

/// One source of variation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Component {
    /// Standard deviation, in the unit measured.
    pub std: f64,
    /// Of the total standard deviation, in percent (these do not add up to 100).
    pub study_percent: f64,
    /// Of the total variance, in percent (these do).
    pub contribution_percent: f64,
    /// `sigmas · std` of the tolerance, in percent, where one is known.
    pub tolerance_percent: Option<f64>,
}

/// What a study found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shares {
    /// EV, repeatability: the same operator measures the same part again.
    pub repeatability: Component,
    /// AV, reproducibility: another operator; the interaction included.
    pub reproducibility: Component,
    /// GRR: both together.
    pub grr: Component,
    /// PV: the parts themselves.
    pub parts: Component,
    /// TV: all.
    pub total: Component,
    /// Number of distinct categories, `1.41 · PV / GRR`, rounded down; at least 5 are wanted.
    pub ndc: u32,
}

/// What AIAG says of a %GRR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fitness {
    /// Below 10 %: acceptable.
    Good,
    /// 10 to 30 %: may be acceptable for some uses.
    Marginal,
    /// Above 30 %: not acceptable.
    Unfit,
}

impl Shares {
    /// Shares of the variances of repeatability, reproducibility and parts.
    fn of(repeatability: f64, reproducibility: f64, parts: f64, settings: &Settings) -> Self {
        let grr = repeatability + reproducibility;
        let total = grr + parts;
        let share = |part: f64| if total > 0.0 { part / total } else { 0.0 };
        let component = |variance: f64| Component {
            std: variance.sqrt(),
            study_percent: share(variance).sqrt() * 100.0,
            contribution_percent: share(variance) * 100.0,
            tolerance_percent: settings
                .tolerance
                .map(|tolerance| settings.sigmas * variance.sqrt() / tolerance * 100.0),
        };
        let categories = if grr > 0.0 { 1.41 * (parts / grr).sqrt() } else { f64::INFINITY };
        Self {
            repeatability: component(repeatability),
            reproducibility: component(reproducibility),
            grr: component(grr),
            parts: component(parts),
            total: component(total),
            ndc: crate::rounding::u32_from(categories.floor()),
        }
    }

    /// What AIAG says: of the tolerance where one is known, else of the total variation.
    #[must_use]
    pub fn fitness(&self) -> Fitness {
        match self.grr.tolerance_percent.unwrap_or(self.grr.study_percent) {
            percent if percent < 10.0 => Fitness::Good,
            percent if percent <= 30.0 => Fitness::Marginal,
            _ => Fitness::Unfit,
        }
    }
}
