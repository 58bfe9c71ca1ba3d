//! A straight line through shifts: takes pairs of pictures with their shift, gives the direction
//! and the way a second or a count, robust against pairs that show something else.

use super::{MOST_SPREAD_DEG, Measured};

/// Two pictures and how far what is in them moved.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Of the later picture.
    pub index: usize,
    pub dx: f64,
    pub dy: f64,
    pub seconds: f64,
    pub counts: Option<i64>,
}

/// Pairs that agree, along their common direction.
pub struct Line {
    pub pairs: Vec<Pair>,
    /// Pairs that did not agree.
    pub odd: usize,
    /// Of length 1.
    pub along: (f64, f64),
    /// Standard deviation of the pairs' directions, in radians.
    spread: f64,
}

/// A pair this many times as far from the rest as they are from each other is odd.
const ODD: f64 = 5.0;
/// More odd pairs than this share contradict the rest.
const MOST_ODD: f64 = 0.34;

impl Pair {
    pub fn length(&self) -> f64 {
        self.dx.hypot(self.dy)
    }

    fn angle_from(&self, along: (f64, f64)) -> f64 {
        let across = along.0 * self.dy - along.1 * self.dx;
        across.atan2(along.0 * self.dx + along.1 * self.dy)
    }
}

impl Line {
    /// The same, of those pairs only that `keep` keeps.
    pub fn of_those(&self, keep: impl Fn(&&Pair) -> bool) -> Self {
        Self { pairs: self.pairs.iter().filter(keep).copied().collect(), ..*self }
    }

    /// The line through pairs, or the spread of their directions in degrees where it is too wide.
    pub fn through(mut pairs: Vec<Pair>) -> Result<Self, f64> {
        let all = pairs.len();
        let unit = |of: fn(&Pair) -> f64| {
            median(pairs.iter().map(|pair| of(pair) / pair.length()).collect())
        };
        let mut along = normal(unit(|pair| pair.dx), unit(|pair| pair.dy));
        let spread_of = |pairs: &[Pair], along| {
            let squares: f64 = pairs.iter().map(|pair| pair.angle_from(along).powi(2)).sum();
            (squares / pairs.len().max(1) as f64).sqrt()
        };
        let first_spread = spread_of(&pairs, along).to_degrees();
        // By direction, then by speed.
        let usual = 1.48 * median(pairs.iter().map(|pair| pair.angle_from(along).abs()).collect());
        let most = (ODD * usual).clamp(0.05, 0.5);
        pairs.retain(|pair| pair.angle_from(along).abs() <= most);
        let counted = pairs.iter().all(|pair| pair.counts.is_some_and(|counts| counts > 0));
        let per = |pair: &Pair| match pair.counts {
            Some(counts) if counted => pair.length() / counts as f64,
            _ => pair.length() / pair.seconds,
        };
        let speed = median(pairs.iter().map(per).collect());
        let usual = 1.48 * median(pairs.iter().map(|pair| (per(pair) - speed).abs()).collect());
        let most = ODD * usual.max(0.002 * speed);
        let steady = |pair: &Pair| (per(pair) - speed).abs() <= most;
        let few = |odd: usize| odd as f64 <= MOST_ODD * all as f64;
        if pairs.is_empty() || !few(all - pairs.len()) {
            return Err(first_spread);
        }
        // Where many differ, it is the speed or the encoder that does: what is left will say so.
        if few(pairs.iter().filter(|pair| !steady(pair)).count()) {
            pairs.retain(steady);
        }
        let odd = all - pairs.len();
        let sum = |of: fn(&Pair) -> f64| pairs.iter().map(of).sum::<f64>();
        along = normal(sum(|pair| pair.dx), sum(|pair| pair.dy));
        let spread = spread_of(&pairs, along);
        if spread.to_degrees() > MOST_SPREAD_DEG {
            return Err(spread.to_degrees());
        }
        Ok(Self { pairs, odd, along, spread })
    }

    /// How far a pair moved along the direction.
    pub fn way(&self, pair: &Pair) -> f64 {
        pair.dx * self.along.0 + pair.dy * self.along.1
    }

    pub fn usual_way(&self) -> f64 {
        median(self.pairs.iter().map(|pair| self.way(pair)).collect())
    }

    pub fn usual_seconds(&self) -> f64 {
        median(self.pairs.iter().map(|pair| pair.seconds).collect())
    }

    /// In degrees, from the x axis towards y.
    pub fn direction(&self) -> Measured {
        let count = self.pairs.len() as f64;
        Measured {
            value: self.along.1.atan2(self.along.0).to_degrees(),
            std_error: self.spread.to_degrees() / count.sqrt(),
        }
    }

    /// The way for one of `what`, by least squares through the origin, and what is left a pair.
    /// `bias_px` is what all pairs may be wrong by together.
    pub fn slope(&self, bias_px: f64, what: impl Fn(&Pair) -> f64) -> (Measured, f64) {
        let sum = |of: &dyn Fn(&Pair) -> f64| self.pairs.iter().map(of).sum::<f64>();
        let squares = sum(&|pair| what(pair).powi(2));
        let value = sum(&|pair| what(pair) * self.way(pair)) / squares;
        let left = sum(&|pair| (self.way(pair) - value * what(pair)).powi(2));
        let freedom = (self.pairs.len() as f64 - 1.0).max(1.0);
        let residual = (left / freedom).sqrt();
        let std_error = (residual / squares.sqrt()).hypot(bias_px / self.usual_way() * value);
        (Measured { value, std_error }, residual)
    }
}

fn normal(x: f64, y: f64) -> (f64, f64) {
    let length = x.hypot(y).max(f64::MIN_POSITIVE);
    (x / length, y / length)
}

fn median(mut values: Vec<f64>) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(index: usize, dx: f64, dy: f64, counts: i64) -> Pair {
        Pair { index, dx, dy, seconds: 0.01, counts: Some(counts) }
    }

    #[test]
    fn a_pair_that_shows_something_else_is_left_out() {
        let mut pairs: Vec<Pair> = (0..10).map(|index| pair(index, 20.0, 1.0, 50)).collect();
        pairs[3] = pair(3, 31.0, 1.5, 50);
        pairs[7] = pair(7, -4.0, 20.0, 50);
        let line = Line::through(pairs).unwrap_or_else(|spread| panic!("{spread}"));
        assert_eq!((line.odd, line.pairs.len()), (2, 8));
        let (slope, residual) = line.slope(0.0, |pair| pair.counts.unwrap_or(0) as f64);
        assert!((slope.value - 20.0_f64.hypot(1.0) / 50.0).abs() < 1e-9, "{slope:?}");
        assert!(residual < 1e-9, "{residual}");
    }

    #[test]
    fn a_belt_that_gathers_speed_is_not_odd() {
        let ramp = |index: usize| pair(index, 5.0 + index as f64, 0.0, 0);
        let line = Line::through((0..20).map(ramp).collect());
        assert_eq!(line.map(|line| line.odd).ok(), Some(0));
    }
}
