//! The average and range method: takes a study, gives what each source has of its variation by
//! AIAG's constants. For a check by hand; ANOVA also finds interaction.

use serde::Serialize;

use super::{Settings, Shares, Study, StudyRefused};

/// What a crossed study found by the average and range method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RangeStudy {
    /// Mean range of an operator's trials on a part.
    pub mean_range: f64,
    /// Range of the operators' means.
    pub operators_range: f64,
    /// Range of the parts' means.
    pub parts_range: f64,
    /// The shares.
    pub shares: Shares,
}

/// 1/d2* for a single range of 2 to 10 values (AIAG MSA 4th ed., K2 and K3).
#[expect(clippy::approx_constant, reason = "as the manual prints it")]
const OF_ONE_RANGE: [f64; 9] =
    [0.7071, 0.5231, 0.4467, 0.4030, 0.3742, 0.3534, 0.3375, 0.3249, 0.3146];
/// 1/d2 for the mean of many ranges of 2 to 6 values (K1).
const OF_MANY_RANGES: [f64; 5] = [0.8862, 0.5908, 0.4857, 0.4299, 0.3946];

impl Study {
    /// The study by the average and range method.
    ///
    /// # Errors
    /// Where there are no constants for its size.
    pub fn average_and_range(&self, settings: &Settings) -> Result<RangeStudy, StudyRefused> {
        self.check(settings, 2)?;
        let (p, o, r) = (self.parts.len(), self.operators.len(), self.trials);
        let k1 = constant(&OF_MANY_RANGES, "the number of trials", r)?;
        let k2 = constant(&OF_ONE_RANGE, "the number of operators", o)?;
        let k3 = constant(&OF_ONE_RANGE, "the number of parts", p)?;
        let ranges = self.values.chunks(r).map(|trials| range(trials.iter().copied()));
        let mean_range = ranges.sum::<f64>() / (p * o) as f64;
        let mean = |of: &mut dyn Iterator<Item = f64>, count: usize| of.sum::<f64>() / count as f64;
        let cells: Vec<f64> =
            self.values.chunks(r).map(|c| mean(&mut c.iter().copied(), r)).collect();
        let operators_range =
            range((0..o).map(|who| mean(&mut (0..p).map(|part| cells[part * o + who]), p)));
        let parts_range =
            range((0..p).map(|part| mean(&mut cells[part * o..][..o].iter().copied(), o)));
        let ev = (mean_range * k1).powi(2);
        let av = ((operators_range * k2).powi(2) - ev / (p * r) as f64).max(0.0);
        let pv = (parts_range * k3).powi(2);
        let shares = Shares::of(ev, av, pv, settings);
        Ok(RangeStudy { mean_range, operators_range, parts_range, shares })
    }
}

fn constant(table: &[f64], what: &'static str, got: usize) -> Result<f64, StudyRefused> {
    let known = got.checked_sub(2).and_then(|index| table.get(index));
    known.copied().ok_or(StudyRefused::NoConstant { what, got, from: 2, to: table.len() + 1 })
}

fn range(values: impl Iterator<Item = f64>) -> f64 {
    let (least, most) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), value| (l.min(value), m.max(value)));
    most - least
}
