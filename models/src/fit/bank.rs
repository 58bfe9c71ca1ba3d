//! PatchCore's memory (Roth et al., CVPR 2022, arXiv:2106.08265): takes good parts' patches, keeps
//! a few that stand for all; a place's distance is that to the nearest patch kept.
//!
//! Each number of a patch is centred and scaled by its spread over the good patches first, so that
//! both strides have a say. The paper's re-weighting of a picture's score by the neighbours of the
//! nearest patch is left out: it moves a score by a few percent and costs as much as the search.

use nalgebra::{DMatrix, DMatrixView};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::coreset::{Projection, chosen, drawn};
use super::nodes::{Nodes, int, ints};
use super::patches::{PATCHES, Patches};

/// Of more patches than these a random part is looked through; an equal share a picture.
const POOL_MOST: usize = 60_000;

/// The patches that were kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bank {
    /// What each number of a patch is multiplied with, and what is added then.
    gain: Vec<f32>,
    offset: Vec<f32>,
    /// `[kept, depth]`, centred and scaled.
    kept: DMatrix<f32>,
    /// Each kept patch's length, squared.
    squares: Vec<f32>,
}

impl Bank {
    /// Keeps at most `count` patches of `good`, which has at least one.
    pub fn fit(good: &[&Patches], count: usize, seed: u64) -> Self {
        let depth = good[0].depth;
        let (gain, offset) = scaling(good);
        let pool = pool(good, seed);
        let scaled = |patch: &[f32]| -> Vec<f32> {
            patch.iter().zip(&gain).zip(&offset).map(|((x, g), o)| x * g + o).collect()
        };
        let projection = Projection::new(depth, seed);
        let points: Vec<_> = pool.iter().map(|patch| projection.of(&scaled(patch))).collect();
        let rows: Vec<_> =
            chosen(&points, count).into_iter().flat_map(|index| scaled(pool[index])).collect();
        let kept = DMatrix::from_row_slice(rows.len() / depth, depth, &rows);
        let squares = kept.row_iter().map(|row| row.norm_squared()).collect();
        Self { gain, offset, kept, squares }
    }

    /// How many patches were kept.
    pub fn count(&self) -> usize {
        self.squares.len()
    }

    /// The distance of each place.
    pub fn distances(&self, patches: &Patches) -> Vec<f32> {
        let view = DMatrixView::from_slice(&patches.data, patches.depth, patches.places());
        let mut scaled = view.into_owned();
        for mut place in scaled.column_iter_mut() {
            for (value, (gain, offset)) in place.iter_mut().zip(self.gain.iter().zip(&self.offset))
            {
                *value = *value * gain + offset;
            }
        }
        let products = &self.kept * &scaled;
        let nearest = |(place, products): (nalgebra::DVectorView<'_, f32>, _)| {
            let products: nalgebra::DVectorView<'_, f32> = products;
            let pairs = products.iter().zip(&self.squares);
            let least = pairs.map(|(product, square)| square - 2.0 * product);
            (place.norm_squared() + least.fold(f32::INFINITY, f32::min)).max(0.0).sqrt()
        };
        scaled.column_iter().zip(products.column_iter()).map(nearest).collect()
    }

    /// The same as operators: `[places, depth]` patches in, `distances` `[places, 1]` out.
    pub fn append(&self, nodes: &mut Nodes<'_>, distances: &str) {
        let (count, depth) = self.kept.shape();
        nodes.floats("gain", &[depth], &self.gain);
        nodes.floats("offset", &[depth], &self.offset);
        // Column by column is what a transposed matrix is row by row.
        let turned = self.kept.map(|value| -2.0 * value);
        nodes.floats("kept", &[depth, count], turned.as_slice());
        nodes.floats("kept_squares", &[1, count], &self.squares);
        nodes.add("Mul", &[PATCHES, "gain"], "times_gain", vec![]);
        nodes.add("Add", &["times_gain", "offset"], "scaled", vec![]);
        nodes.add("MatMul", &["scaled", "kept"], "products", vec![]);
        nodes.add("Add", &["products", "kept_squares"], "less_square", vec![]);
        let over_depth = || vec![ints("axes", &[1]), int("keepdims", 1)];
        nodes.add("ReduceMin", &["less_square"], "least", over_depth());
        nodes.add("ReduceSumSquare", &["scaled"], "square", over_depth());
        nodes.add("Add", &["least", "square"], "squared", vec![]);
        nodes.add("Relu", &["squared"], "not_negative", vec![]);
        nodes.add("Sqrt", &["not_negative"], distances, vec![]);
    }
}

/// What centres and scales each number over all places of `good`.
#[expect(clippy::cast_possible_truncation, reason = "means and spreads of f32")]
fn scaling(good: &[&Patches]) -> (Vec<f32>, Vec<f32>) {
    let depth = good[0].depth;
    let (mut sums, mut squares) = (vec![0.0_f64; depth], vec![0.0_f64; depth]);
    let mut places = 0.0;
    for patches in good {
        for place in patches.data.chunks_exact(depth) {
            places += 1.0;
            for ((sum, square), value) in sums.iter_mut().zip(&mut squares).zip(place) {
                *sum += f64::from(*value);
                *square += f64::from(*value).powi(2);
            }
        }
    }
    let spread = |(sum, square): (&f64, &f64)| {
        let mean = sum / places;
        // What never changes is left as it is: any change of it counts.
        let spread = (square / places - mean * mean).max(0.0).sqrt();
        (mean, if spread > 1e-6 { spread } else { 1.0 })
    };
    let pairs: Vec<_> = sums.iter().zip(&squares).map(spread).collect();
    let gain = pairs.iter().map(|(_, spread)| (1.0 / spread) as f32).collect();
    (gain, pairs.iter().map(|(mean, spread)| (-mean / spread) as f32).collect())
}

/// The patches to choose from.
fn pool<'a>(good: &[&'a Patches], seed: u64) -> Vec<&'a [f32]> {
    let share = (POOL_MOST / good.len()).max(1);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    good.iter()
        .flat_map(|patches| {
            let places = patches.places();
            drawn(&mut random, places, share).into_iter().map(|index| patches.place(index))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn patches(depth: usize, data: Vec<f32>) -> Patches {
        Patches { depth, data, shown: [0..1, 0..1] }
    }

    #[test]
    fn what_was_seen_is_near_and_what_was_not_is_far() {
        let good = patches(2, vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        let bank = Bank::fit(&[&good], 4, 1);
        assert_eq!(bank.count(), 4);
        assert!(bank.distances(&good).iter().all(|distance| *distance < 1e-3));
        // The numbers are spread by 0.5, so 3 more is 6 spreads.
        let other = bank.distances(&patches(2, vec![4.0, 1.0]));
        assert!((other[0] - 6.0).abs() < 1e-4, "{other:?}");
    }

    #[test]
    fn of_many_patches_each_picture_gives_its_share() {
        let pictures: Vec<_> = (0..7_u16).map(|i| patches(1, vec![f32::from(i); 20_000])).collect();
        let pictures: Vec<_> = pictures.iter().collect();
        let pool = pool(&pictures, 3);
        assert_eq!(pool.len(), 7 * (POOL_MOST / 7));
        assert_eq!(pool.iter().filter(|patch| patch[0] == 6.0).count(), POOL_MOST / 7);
    }

    proptest! {
        #[test]
        fn distances_are_those_to_the_nearest(
            data in prop::collection::vec(-9.0_f32..9.0, 30..120),
            other in prop::collection::vec(-9.0_f32..9.0, 3..30),
        ) {
            let cut = |data: Vec<f32>| patches(3, data[..data.len() / 3 * 3].to_vec());
            let (good, other) = (cut(data), cut(other));
            let bank = Bank::fit(&[&good], 1000, 7);
            let scale = |place: &[f32]| -> Vec<f32> {
                (0..3).map(|i| place[i] * bank.gain[i] + bank.offset[i]).collect()
            };
            for (index, got) in bank.distances(&other).into_iter().enumerate() {
                let at = scale(other.place(index));
                let to = |place: usize| -> f32 {
                    let kept = scale(good.place(place));
                    at.iter().zip(&kept).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
                };
                let wanted = (0..good.places()).map(to).fold(f32::INFINITY, f32::min);
                prop_assert!((got - wanted).abs() < 5e-3, "{got} is not {wanted}");
            }
        }
    }
}
