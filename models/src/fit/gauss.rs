//! PaDiM's memory (Defard et al., ICPR 2021, arXiv:2011.08785): takes good parts' patches, keeps a
//! normal distribution for each place; a place's distance is Mahalanobis' to its own.
//!
//! For parts that always lie the same way. [`DEPTH`] of a patch's numbers are used, drawn at
//! random. Covariances are shrunk towards their mean variance by Ledoit and Wolf's estimate
//! (J. Multivariate Analysis 88, 2004), as there are often fewer pictures than numbers.

use nalgebra::{Cholesky, DMatrix, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::coreset::drawn;
use super::nodes::{Nodes, int, ints};
use super::patches::{PATCHES, Patches};

/// How many of a patch's numbers are used, as in the paper.
const DEPTH: usize = 100;

/// Added to every variance, as a share of the mean one; the paper's 0.01. Keeps what never changed
/// from counting without bound.
const FLOOR: f64 = 0.01;

/// A normal distribution a place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gauss {
    /// Which numbers of a patch are used.
    used: Vec<usize>,
    /// One a place.
    places: Vec<Normal>,
}

#[derive(Clone, Debug, PartialEq)]
struct Normal {
    mean: DVector<f32>,
    /// The inverse of the covariance's Cholesky factor: lengths after it are distances.
    whiten: DMatrix<f32>,
}

impl Gauss {
    /// Fits a distribution to each place of `good`, which has at least one picture.
    pub fn fit(good: &[&Patches], seed: u64) -> Self {
        let depth = good[0].depth;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let used = drawn(&mut random, depth, DEPTH);
        let moments: Vec<_> =
            (0..good[0].places()).map(|place| Moments::of(good, place, &used)).collect();
        let mean_variance: f64 = moments.iter().map(|m| m.covariance.trace()).sum::<f64>()
            / (moments.len() * used.len()) as f64;
        let floor = FLOOR * mean_variance.max(1e-6);
        Self { used, places: moments.into_iter().map(|m| m.normal(floor)).collect() }
    }

    /// The distance of each place.
    pub fn distances(&self, patches: &Patches) -> Vec<f32> {
        let distance = |(index, normal): (usize, &Normal)| {
            let patch = patches.place(index);
            let picked = self.used.iter().map(|&number| patch[number]);
            let off = DVector::from_iterator(self.used.len(), picked) - &normal.mean;
            (&normal.whiten * off).norm()
        };
        self.places.iter().enumerate().map(distance).collect()
    }

    /// The same as operators: `[places, depth]` patches in, `distances` `[places, 1]` out.
    pub fn append(&self, nodes: &mut Nodes<'_>, distances: &str) {
        let (places, depth) = (self.places.len(), self.used.len());
        let means: Vec<_> = self.places.iter().flat_map(|p| p.mean.iter().copied()).collect();
        // A row times the transposed matrix; column by column is that, row by row.
        let whiten: Vec<_> = self.places.iter().flat_map(|p| p.whiten.iter().copied()).collect();
        nodes.numbers("used", &self.used);
        nodes.floats("means", &[places, depth], &means);
        nodes.floats("whiten", &[places, depth, depth], &whiten);
        nodes.numbers("a_row_a_place", &[places, 1, depth]);
        nodes.add("Gather", &[PATCHES, "used"], "picked", vec![int("axis", 1)]);
        nodes.add("Sub", &["picked", "means"], "off", vec![]);
        nodes.add("Reshape", &["off", "a_row_a_place"], "off_rows", vec![]);
        nodes.add("MatMul", &["off_rows", "whiten"], "whitened", vec![]);
        let over_depth = vec![ints("axes", &[2]), int("keepdims", 0)];
        nodes.add("ReduceSumSquare", &["whitened"], "squared", over_depth);
        nodes.add("Sqrt", &["squared"], distances, vec![]);
    }
}

/// Mean and shrunk covariance of one place.
struct Moments {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Moments {
    fn of(good: &[&Patches], place: usize, used: &[usize]) -> Self {
        let mut off = DMatrix::from_fn(used.len(), good.len(), |row, picture| {
            f64::from(good[picture].place(place)[used[row]])
        });
        let mean = off.column_mean();
        off.column_iter_mut().for_each(|mut column| column -= &mean);
        let covariance = &off * off.transpose() / good.len() as f64;
        Self { mean, covariance: shrunk(&off, covariance) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "features are f32")]
    fn normal(mut self, floor: f64) -> Normal {
        let depth = self.mean.len();
        self.covariance += DMatrix::identity(depth, depth) * floor;
        // The floor makes it positive definite; rounding can't undo that but for NaN, which the
        // extractor never gives.
        let whiten = Cholesky::new(self.covariance)
            .and_then(|factor| factor.l().solve_lower_triangular(&DMatrix::identity(depth, depth)))
            .unwrap_or_else(|| DMatrix::identity(depth, depth));
        Normal { mean: self.mean.map(|x| x as f32), whiten: whiten.map(|x| x as f32) }
    }
}

/// Ledoit and Wolf's: as far towards the mean variance on the diagonal as the pictures are too few
/// for more. `off` has a column a picture, centred; `covariance` is its.
fn shrunk(off: &DMatrix<f64>, covariance: DMatrix<f64>) -> DMatrix<f64> {
    let (depth, count) = off.shape();
    let variance = covariance.trace() / depth as f64;
    let target = DMatrix::identity(depth, depth) * variance;
    let away = (&covariance - &target).norm_squared();
    if away <= 0.0 {
        return covariance;
    }
    let fourth: f64 = off.column_iter().map(|column| column.norm_squared().powi(2)).sum();
    let count = count as f64;
    let noise = (fourth / count - covariance.norm_squared()).max(0.0) / count;
    let share = (noise / away).min(1.0);
    target * share + covariance * (1.0 - share)
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    fn patches(data: impl Into<Vec<f32>>) -> Patches {
        Patches { depth: 4, data: data.into(), shown: [0..1, 0..2] }
    }

    /// Pictures of two places, four numbers each: one wide at this end, one at the other.
    fn pictures(count: usize) -> Vec<Patches> {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let spreads = [4.0, 2.0, 1.0, 0.5, 0.5, 1.0, 2.0, 4.0];
        let mut uniform = move || random.random::<f32>() * 2.0 - 1.0;
        (0..count).map(|_| patches(spreads.map(|s: f32| 10.0 + s * uniform()))).collect()
    }

    #[test]
    fn each_place_is_held_against_its_own_spread() {
        let good = pictures(400);
        let gauss = Gauss::fit(&good.iter().collect::<Vec<_>>(), 1);
        let at = |data: [f32; 8]| gauss.distances(&patches(data));
        let usual = at([10.0; 8]);
        assert!(usual.iter().all(|distance| *distance < 0.5), "{usual:?}");
        // Four off is 1.7 standard deviations of the wide number, 14 of the narrow one.
        let off = at([14.0, 10.0, 10.0, 10.0, 14.0, 10.0, 10.0, 10.0]);
        assert!((1.4..2.1).contains(&off[0]), "{off:?}");
        assert!(off[1] > 8.0, "{off:?}");
    }

    #[test]
    fn one_picture_is_enough_for_numbers() {
        let gauss = Gauss::fit(&[&pictures(1)[0]], 1);
        let far = gauss.distances(&patches(vec![20.0; 8]));
        assert!(far.iter().all(|distance| distance.is_finite() && *distance > 1.0), "{far:?}");
    }

    #[test]
    fn fewer_pictures_are_shrunk_further() {
        let share_of = |count: usize| {
            let good = pictures(count);
            let refs: Vec<_> = good.iter().collect();
            let covariance = Moments::of(&refs, 0, &[0, 1, 2, 3]).covariance;
            covariance[(0, 0)] / covariance[(3, 3)]
        };
        // The true ratio is 64.
        assert!(share_of(6) < share_of(60) && share_of(60) < share_of(2000));
        assert!((50.0..75.0).contains(&share_of(2000)), "{}", share_of(2000));
    }
}
