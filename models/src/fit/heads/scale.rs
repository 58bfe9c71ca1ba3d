//! What makes logits mean what they say: takes logits of cells that a network was not trained on
//! and what the cells show, gives the gain and offset under which they are most likely.
//!
//! Platt, "Probabilistic outputs for support vector machines" (1999), for several classes: one gain
//! for all, one offset for all defects. Training on as many defective cells as good ones makes
//! defects seem common; this makes them as rare as they are.

use nalgebra::{Matrix2, Vector2};

use super::net::Columns;

/// `gain * logits`, and `offset` on top for every label but the good one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub gain: f32,
    pub offset: f32,
}

/// Gains outside would be a network that learnt nothing, or everything.
const GAINS: std::ops::RangeInclusive<f64> = 0.1..=4.0;

const STEPS: usize = 40;

impl Scale {
    /// Logits as they are.
    pub const NONE: Self = Self { gain: 1.0, offset: 0.0 };

    pub fn apply(self, logits: &mut Columns) {
        *logits *= self.gain;
        logits.rows_mut(1, logits.nrows() - 1).add_scalar_mut(self.offset);
    }

    /// The likeliest scale; each column of `logits` is of a cell of the class `kinds`, and stands
    /// for `weights` cells.
    #[expect(clippy::cast_possible_truncation, reason = "worked out in f64, used in f32")]
    pub fn of(logits: &Columns, kinds: &[usize], weights: &[f64]) -> Self {
        let (mut at, mut step) = (Vector2::new(1.0, 0.0), 1.0);
        let (mut loss, mut slope, mut bend) = likelihood(logits, kinds, weights, at);
        for _ in 0..STEPS {
            let Some(inverse) = (bend + Matrix2::identity() * 1e-9).try_inverse() else { break };
            let mut next = at - inverse * slope * step;
            next.x = next.x.clamp(*GAINS.start(), *GAINS.end());
            let (next_loss, next_slope, next_bend) = likelihood(logits, kinds, weights, next);
            if next_loss.is_nan() || next_loss > loss {
                step /= 2.0;
                continue;
            }
            let gained = loss - next_loss;
            (at, loss, slope, bend, step) = (next, next_loss, next_slope, next_bend, 1.0);
            if gained < 1e-9 {
                break;
            }
        }
        Self { gain: at.x as f32, offset: at.y as f32 }
    }
}

/// The mean of minus the log of what each cell was given for its class, its slope and its bend in
/// gain and offset.
fn likelihood(
    logits: &Columns,
    kinds: &[usize],
    weights: &[f64],
    at: Vector2<f64>,
) -> (f64, Vector2<f64>, Matrix2<f64>) {
    let (mut loss, mut slope, mut bend) = (0.0, Vector2::zeros(), Matrix2::zeros());
    let mut powers = vec![0.0; logits.nrows()];
    for ((column, kind), weight) in logits.column_iter().zip(kinds).zip(weights) {
        let moved =
            |label: usize| Vector2::new(f64::from(column[label]), f64::from(u8::from(label > 0)));
        let scaled = |label: usize| at.dot(&moved(label));
        let top = (0..column.len()).map(scaled).fold(f64::MIN, f64::max);
        (0..column.len()).for_each(|label| powers[label] = (scaled(label) - top).exp());
        let sum: f64 = powers.iter().sum();
        let (mut mean, mut square) = (Vector2::zeros(), Matrix2::zeros());
        for (label, power) in powers.iter().enumerate() {
            let moved = moved(label);
            mean += moved * (power / sum);
            square += moved * moved.transpose() * (power / sum);
        }
        loss += weight * (sum.ln() + top - scaled(*kind));
        slope += (mean - moved(*kind)) * *weight;
        bend += (square - mean * mean.transpose()) * *weight;
    }
    let all = weights.iter().sum::<f64>().max(1e-9);
    (loss / all, slope / all, bend / all)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_boast_is_taken_back() {
        // True chances, then stretched by 3 and shifted by 2: what comes back is a third of it.
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let truth: Vec<f32> = (0..4000).map(|_| rng.random_range(-4.0..1.0)).collect();
        let kinds: Vec<usize> = truth
            .iter()
            .map(|logit| usize::from(rng.random_range(0.0..1.0_f32) < 1.0 / (1.0 + (-logit).exp())))
            .collect();
        let logits = Columns::from_fn(2, 4000, |row, at| [0.0, 3.0 * truth[at] + 2.0][row]);
        let scale = Scale::of(&logits, &kinds, &vec![1.0; 4000]);
        assert!((scale.gain - 1.0 / 3.0).abs() < 0.03, "{scale:?}");
        assert!((scale.offset + 2.0 / 3.0).abs() < 0.15, "{scale:?}");
        // The same cells, every second good one standing for two.
        let kept: Vec<usize> = (0..4000).filter(|at| kinds[*at] == 1 || at % 2 == 0).collect();
        let some = logits.select_columns(&kept);
        let kinds: Vec<usize> = kept.iter().map(|at| kinds[*at]).collect();
        let weights: Vec<f64> = kinds.iter().map(|kind| [2.0, 1.0][*kind]).collect();
        let again = Scale::of(&some, &kinds, &weights);
        assert!(
            (again.gain - scale.gain).abs() < 0.03 && (again.offset - scale.offset).abs() < 0.15
        );
    }

    #[test]
    fn what_is_always_right_gets_no_infinite_gain() {
        let logits =
            Columns::from_fn(2, 20, |row, at| [0.0, if at < 10 { -5.0 } else { 5.0 }][row]);
        let kinds: Vec<usize> = (0..20).map(|at| usize::from(at >= 10)).collect();
        let scale = Scale::of(&logits, &kinds, &[1.0; 20]);
        assert!(
            scale.gain.is_finite() && scale.offset.is_finite() && scale.gain > 1.0,
            "{scale:?}"
        );
        let mut scaled = Columns::from_column_slice(2, 1, &[1.0, 2.0]);
        Scale { gain: 2.0, offset: -1.0 }.apply(&mut scaled);
        assert_eq!(scaled.as_slice(), [2.0, 3.0]);
    }
}
