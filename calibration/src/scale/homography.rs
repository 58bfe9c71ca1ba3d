//! A plane seen in perspective: takes pairs of points; gives the map from one to the other and how
//! sure its parameters are.
//!
//! `to = H ((from - centre) / spread)`, with the last element of H one. Points are centred and
//! spread first as R. Hartley found ("In Defense of the Eight-Point Algorithm", 1997), so that
//! eight parameters of like size remain. The parameters minimise the squared distances in `to`
//! (Gauss and Newton, from the linear solution).

use serde::{Deserialize, Serialize};

/// A map between planes: `to = matrix * (from - centre) / spread`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Homography {
    /// Taken from a place before the matrix is applied.
    pub centre: [f64; 2],
    /// Divided by then.
    pub spread: f64,
    /// Rows; the last element is 1.
    pub matrix: [[f64; 3]; 3],
}

/// Two places that belong together: from, to.
pub(crate) type Pair = ([f64; 2], [f64; 2]);

/// Sums of the products of slopes: what is inverted for parameters and for their covariance.
pub(crate) type Square = [[f64; 8]; 8];

impl Homography {
    /// The map that fits `pairs` best; none where they do not fix one (fewer than four, or on a
    /// line).
    pub(crate) fn fit(pairs: &[Pair]) -> Option<Self> {
        Self::fitted(pairs, 8)
    }

    /// The same without perspective: six parameters.
    pub(crate) fn fit_affine(pairs: &[Pair]) -> Option<Self> {
        Self::fitted(pairs, 6)
    }

    fn fitted(pairs: &[Pair], parameters: usize) -> Option<Self> {
        if pairs.len() * 2 < parameters {
            return None;
        }
        let mut map = Self::start(pairs);
        // The first step from a map to one point is the linear solution; five more settle it.
        for step in 0..6 {
            let (normal, mut right) = map.equations(pairs, step == 0);
            let change = solved(normal, &mut right, parameters)?;
            for (index, by) in change.iter().enumerate() {
                map.matrix[index / 3][index % 3] += by;
            }
        }
        let finite = map.matrix.as_flattened().iter().all(|v| v.is_finite());
        finite.then_some(map)
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of points")]
    fn start(pairs: &[Pair]) -> Self {
        let n = pairs.len() as f64;
        let centre = [0, 1].map(|i| pairs.iter().map(|p| p.0[i]).sum::<f64>() / n);
        let far = |p: &Pair| (p.0[0] - centre[0]).powi(2) + (p.0[1] - centre[1]).powi(2);
        let spread = (pairs.iter().map(far).sum::<f64>() / n).sqrt().max(f64::MIN_POSITIVE);
        Self { centre, spread, matrix: [[0.0; 3], [0.0; 3], [0.0, 0.0, 1.0]] }
    }

    /// The normal equations of one step; of the linear problem if `linear`, where distances are
    /// multiplied by the denominator.
    fn equations(&self, pairs: &[Pair], linear: bool) -> (Square, [f64; 8]) {
        let (mut normal, mut right) = ([[0.0; 8]; 8], [0.0; 8]);
        for (from, to) in pairs {
            let at = if linear { [0.0; 2] } else { self.apply(*from) };
            let slopes = if linear { self.linear(*from, *to) } else { self.slopes(*from) };
            for i in 0..2 {
                for row in 0..8 {
                    right[row] += slopes[i][row] * (to[i] - at[i]);
                    for column in 0..8 {
                        normal[row][column] += slopes[i][row] * slopes[i][column];
                    }
                }
            }
        }
        (normal, right)
    }

    fn linear(&self, from: [f64; 2], to: [f64; 2]) -> [[f64; 8]; 2] {
        let [u, v] = self.centred(from);
        [
            [u, v, 1.0, 0.0, 0.0, 0.0, -u * to[0], -v * to[0]],
            [0.0, 0.0, 0.0, u, v, 1.0, -u * to[1], -v * to[1]],
        ]
    }

    fn centred(&self, from: [f64; 2]) -> [f64; 2] {
        [0, 1].map(|i| (from[i] - self.centre[i]) / self.spread)
    }

    /// Where a place goes.
    pub(crate) fn apply(&self, from: [f64; 2]) -> [f64; 2] {
        let [u, v] = self.centred(from);
        projected(&self.matrix, u, v)
    }

    /// Where a place came from.
    pub(crate) fn invert(&self, to: [f64; 2]) -> [f64; 2] {
        let [u, v] = projected(&cofactors(&self.matrix), to[0], to[1]);
        [self.centre[0] + u * self.spread, self.centre[1] + v * self.spread]
    }

    /// How `to` changes with `from`: rows of `to`.
    pub(crate) fn jacobian(&self, from: [f64; 2]) -> [[f64; 2]; 2] {
        let [u, v] = self.centred(from);
        let h = &self.matrix;
        let down = (h[2][0] * u + h[2][1] * v + h[2][2]) * self.spread;
        let at = self.apply(from);
        [0, 1].map(|i| [0, 1].map(|j| (h[i][j] - at[i] * h[2][j]) / down))
    }

    /// How `to` changes with the eight parameters.
    pub(crate) fn slopes(&self, from: [f64; 2]) -> [[f64; 8]; 2] {
        let [u, v] = self.centred(from);
        let down = self.matrix[2][0] * u + self.matrix[2][1] * v + self.matrix[2][2];
        let at = self.apply(from);
        self.linear(from, at).map(|row| row.map(|slope| slope / down))
    }

    /// The covariance of the parameters where each coordinate of `to` has this variance; those of
    /// the perspective are certain if the map is affine.
    pub(crate) fn covariance(&self, pairs: &[Pair], variance: f64) -> Option<Square> {
        let affine = self.matrix[2][..2] == [0.0, 0.0];
        let parameters = if affine { 6 } else { 8 };
        let (normal, _) = self.equations(pairs, false);
        let mut covariance = [[0.0; 8]; 8];
        for column in 0..parameters {
            let mut unit = [0.0; 8];
            unit[column] = variance;
            let solution = solved(normal, &mut unit, parameters)?;
            for row in 0..parameters {
                covariance[row][column] = solution[row];
            }
        }
        Some(covariance)
    }
}

fn projected(m: &[[f64; 3]; 3], x: f64, y: f64) -> [f64; 2] {
    let row = |i: usize| m[i][0] * x + m[i][1] * y + m[i][2];
    let down = row(2);
    [row(0) / down, row(1) / down]
}

/// The inverse, up to a factor.
fn cofactors(m: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let minor = |i: usize, j: usize| {
        let [a, b] = [(i + 1) % 3, (i + 2) % 3];
        let [c, d] = [(j + 1) % 3, (j + 2) % 3];
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    [0, 1, 2].map(|i| [0, 1, 2].map(|j| minor(j, i)))
}

/// Solves the first `n` equations by elimination with pivots; none where they are not independent.
pub(crate) fn solved(mut a: Square, b: &mut [f64; 8], n: usize) -> Option<[f64; 8]> {
    let scale = (0..n).map(|i| a[i][i].abs()).fold(0.0, f64::max);
    for column in 0..n {
        let pivot =
            (column..n).max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs()))?;
        if a[pivot][column].abs() <= scale * 1e-13 {
            return None;
        }
        a.swap(column, pivot);
        b.swap(column, pivot);
        for row in column + 1..n {
            let factor = a[row][column] / a[column][column];
            let from = a[column];
            for (to, from) in a[row].iter_mut().zip(from).take(n).skip(column) {
                *to -= factor * from;
            }
            b[row] -= factor * b[column];
        }
    }
    let mut x = [0.0; 8];
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|k| a[row][k] * x[k]).sum();
        x[row] = (b[row] - known) / a[row][row];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(map: impl Fn([f64; 2]) -> [f64; 2]) -> Vec<Pair> {
        let place = |i: u32| [f64::from(i % 7) * 20.0 + 500.0, f64::from(i / 7) * 20.0 - 300.0];
        (0..35).map(|i| (place(i), map(place(i)))).collect()
    }

    fn tilted([x, y]: [f64; 2]) -> [f64; 2] {
        let down = 1.0 + 3e-4 * x - 5e-4 * y;
        [(6.0 * x + 0.3 * y + 12.0) / down, (-0.4 * x + 5.5 * y + 700.0) / down]
    }

    #[test]
    fn a_map_is_found_again_and_goes_back() {
        let pairs = grid(tilted);
        let map = Homography::fit(&pairs).unwrap();
        for (from, to) in &pairs {
            let (there, back) = (map.apply(*from), map.invert(*to));
            assert!((there[0] - to[0]).abs() < 1e-6 && (there[1] - to[1]).abs() < 1e-6);
            assert!((back[0] - from[0]).abs() < 1e-6 && (back[1] - from[1]).abs() < 1e-6);
        }
    }

    #[test]
    fn slopes_are_those_of_small_steps() {
        let map = Homography::fit(&grid(tilted)).unwrap();
        let at = [540.0, -250.0];
        let jacobian = map.jacobian(at);
        for j in 0..2 {
            let mut near = at;
            near[j] += 1e-4;
            let (a, b) = (map.apply(at), map.apply(near));
            for i in 0..2 {
                assert!(((b[i] - a[i]) / 1e-4 - jacobian[i][j]).abs() < 1e-3);
            }
        }
        let [x_slopes, y_slopes] = map.slopes(at);
        for (parameter, slopes) in x_slopes.into_iter().zip(y_slopes).enumerate() {
            let mut changed = map;
            changed.matrix[parameter / 3][parameter % 3] += 1e-6;
            let (a, b) = (map.apply(at), changed.apply(at));
            assert!(((b[0] - a[0]) / 1e-6 - slopes.0).abs() < 1e-2, "{parameter}");
            assert!(((b[1] - a[1]) / 1e-6 - slopes.1).abs() < 1e-2, "{parameter}");
        }
    }

    #[test]
    fn points_that_fix_no_map_give_none() {
        let line: Vec<Pair> =
            (0..9).map(|i| ([f64::from(i), 2.0 * f64::from(i)], [f64::from(i); 2])).collect();
        assert_eq!(Homography::fit(&line), None);
        assert_eq!(Homography::fit(&grid(tilted)[..3]), None);
        assert_eq!(Homography::fit_affine(&grid(tilted)[..2]), None);
    }
}
