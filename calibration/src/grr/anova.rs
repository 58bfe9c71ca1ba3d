//! The ANOVA method: takes a study, gives its table of variance and what each source has of it.

use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor};

use super::{Component, Settings, Shares, Study, StudyRefused};

/// A row of the table of variance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AnovaRow {
    /// `parts`, `operators`, `parts x operators`, `repeatability` or `total`.
    pub source: &'static str,
    /// Degrees of freedom.
    pub freedom: usize,
    /// Sum of squares.
    pub squares: f64,
    /// Mean square.
    pub mean_square: f64,
    /// Against the mean square below it that it is tested by, where there is one.
    pub f: Option<f64>,
    /// The chance of at least that `f` with no such source.
    pub p: Option<f64>,
}

/// What a crossed study found by the ANOVA method.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Crossed {
    /// The table, with the interaction.
    pub table: Vec<AnovaRow>,
    /// Whether the interaction was counted as repeatability.
    pub pooled: bool,
    /// Standard deviation between operators.
    pub operators: Component,
    /// Standard deviation of the interaction; 0 where pooled.
    pub interaction: Component,
    /// The shares.
    pub shares: Shares,
    /// Interval of the standard deviation of repeatability (χ²).
    pub repeatability_interval: (f64, f64),
    /// Interval of the standard deviation of GRR (modified large sample).
    pub grr_interval: (f64, f64),
}

/// A mean square with its weight in a variance.
#[derive(Clone, Copy)]
struct Term {
    weight: f64,
    square: Square,
}

#[derive(Clone, Copy)]
struct Square {
    sum: f64,
    freedom: usize,
}

impl Square {
    fn mean(self) -> f64 {
        if self.freedom == 0 { 0.0 } else { self.sum / self.freedom as f64 }
    }

    /// F against `other` and its p.
    fn against(self, other: Self) -> Option<(f64, f64)> {
        let f = self.mean() / other.mean();
        let spread = FisherSnedecor::new(self.freedom as f64, other.freedom as f64).ok()?;
        f.is_finite().then(|| (f, 1.0 - spread.cdf(f)))
    }
}

struct Squares {
    parts: Square,
    operators: Square,
    interaction: Square,
    repeatability: Square,
}

impl Study {
    /// The study by the ANOVA method.
    ///
    /// # Errors
    /// Where the study is too small for it, or the tolerance is none.
    pub fn anova(&self, settings: &Settings) -> Result<Crossed, StudyRefused> {
        self.check(settings, 1)?;
        let squares = self.squares();
        let (p, o, r) = (self.parts.len() as f64, self.operators.len() as f64, self.trials as f64);
        let tested = squares.interaction.against(squares.repeatability);
        let pooled = tested.is_none_or(|(_, chance)| chance > settings.pool_above_p);
        let error = if pooled { squares.pooled() } else { squares.repeatability };
        let below = if pooled { error } else { squares.interaction };
        let repeatability = error.mean();
        let interaction = if pooled { 0.0 } else { ((below.mean() - error.mean()) / r).max(0.0) };
        let operators = ((squares.operators.mean() - below.mean()) / (p * r)).max(0.0);
        let parts = ((squares.parts.mean() - below.mean()) / (o * r)).max(0.0);
        let shares = Shares::of(repeatability, operators + interaction, parts, settings);
        let alone = |variance| {
            Shares::of(
                variance,
                repeatability + operators + interaction - variance,
                parts,
                settings,
            )
            .repeatability
        };
        let mut terms = vec![Term { weight: 1.0 / (p * r), square: squares.operators }];
        if pooled {
            terms.push(Term { weight: 1.0 - 1.0 / (p * r), square: error });
        } else {
            terms.push(Term { weight: (p - 1.0) / (p * r), square: squares.interaction });
            terms.push(Term { weight: (r - 1.0) / r, square: error });
        }
        if self.operators.len() == 1 {
            terms = vec![Term { weight: 1.0, square: error }];
        }
        Ok(Crossed {
            table: squares.table(),
            pooled,
            operators: alone(operators),
            interaction: alone(interaction),
            shares,
            repeatability_interval: interval(
                &[Term { weight: 1.0, square: error }],
                settings.confidence,
            ),
            grr_interval: interval(&terms, settings.confidence),
        })
    }

    fn squares(&self) -> Squares {
        let (p, o, r) = (self.parts.len(), self.operators.len(), self.trials);
        let mean = |of: &mut dyn Iterator<Item = f64>| {
            let (sum, count) =
                of.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
            sum / count
        };
        let values = &self.values;
        let all = mean(&mut values.iter().copied());
        let squares = |of: &mut dyn Iterator<Item = f64>| -> f64 {
            of.map(|value| (value - all).powi(2)).sum()
        };
        let cells: Vec<f64> = values.chunks(r).map(|c| mean(&mut c.iter().copied())).collect();
        let of_part = |part: usize| mean(&mut cells[part * o..][..o].iter().copied());
        let of_operator = |who: usize| mean(&mut (0..p).map(|part| cells[part * o + who]));
        let parts = squares(&mut (0..p).map(of_part)) * (o * r) as f64;
        let operators = squares(&mut (0..o).map(of_operator)) * (p * r) as f64;
        let between = squares(&mut cells.iter().copied()) * r as f64;
        let within = values
            .chunks(r)
            .zip(&cells)
            .flat_map(|(chunk, cell)| chunk.iter().map(move |value| (value - cell).powi(2)))
            .sum();
        Squares {
            parts: Square { sum: parts, freedom: p - 1 },
            operators: Square { sum: operators, freedom: o - 1 },
            interaction: Square {
                sum: (between - parts - operators).max(0.0),
                freedom: (p - 1) * (o - 1),
            },
            repeatability: Square { sum: within, freedom: p * o * (r - 1) },
        }
    }
}

impl Squares {
    fn pooled(&self) -> Square {
        Square {
            sum: self.interaction.sum + self.repeatability.sum,
            freedom: self.interaction.freedom + self.repeatability.freedom,
        }
    }

    fn table(&self) -> Vec<AnovaRow> {
        let row = |source, square: Square, below: Option<Square>| {
            let tested = below.and_then(|below| square.against(below));
            AnovaRow {
                source,
                freedom: square.freedom,
                squares: square.sum,
                mean_square: square.mean(),
                f: tested.map(|(f, _)| f),
                p: tested.map(|(_, p)| p),
            }
        };
        let all = [self.parts, self.operators, self.interaction, self.repeatability];
        let total = Square {
            sum: all.iter().map(|square| square.sum).sum(),
            freedom: all.iter().map(|square| square.freedom).sum(),
        };
        vec![
            row("parts", self.parts, Some(self.interaction)),
            row("operators", self.operators, Some(self.interaction)),
            row("parts x operators", self.interaction, Some(self.repeatability)),
            row("repeatability", self.repeatability, None),
            row("total", total, None),
        ]
    }
}

/// The interval of the square root of a sum of weighted mean squares (Graybill & Wang 1980; exact
/// for a single one).
fn interval(terms: &[Term], confidence: f64) -> (f64, f64) {
    let alpha = (1.0 - confidence) / 2.0;
    let (mut value, mut below, mut above) = (0.0, 0.0, 0.0);
    for term in terms.iter().filter(|term| term.square.freedom > 0) {
        let part = term.weight * term.square.mean();
        let freedom = term.square.freedom as f64;
        let Ok(spread) = ChiSquared::new(freedom) else { continue };
        let g = 1.0 - freedom / spread.inverse_cdf(1.0 - alpha);
        let h = freedom / spread.inverse_cdf(alpha) - 1.0;
        value += part;
        below += (g * part).powi(2);
        above += (h * part).powi(2);
    }
    ((value - below.sqrt()).max(0.0).sqrt(), (value + above.sqrt()).sqrt())
}
