//! PatchCore's memory (Roth et al., CVPR 2022, arXiv:2106.08265): takes good parts' patches, keeps
//! a few that stand for all; a place's distance is that to the nearest patch kept.
//!
//! Numbers count as the extractor gives them: scaled to the same spread, those that hardly ever
//! change had too much of a say. The paper's re-weighting of a picture's score by the neighbours of
//! the nearest patch is left out: it told bad parts from good no better, and costs as much as the
//! search.

use nalgebra::{DMatrix, DMatrixView};

use super::coreset::chosen;
use super::nodes::{Nodes, int, ints};
use super::patches::{PATCHES, Patches};

/// The patches that were kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bank {
    /// `[kept, depth]`.
    kept: DMatrix<f32>,
    /// Each kept patch's length, squared.
    squares: Vec<f32>,
}

impl Bank {
    /// Keeps at most `count` patches of `good`, which has at least one.
    pub fn fit(good: &[&Patches], count: usize) -> Self {
        let depth = good[0].depth;
        let pool: Vec<_> =
            good.iter().flat_map(|patches| patches.data.chunks_exact(depth)).collect();
        let rows: Vec<f32> =
            chosen(&pool, count).into_iter().flat_map(|index| pool[index]).copied().collect();
        let kept = DMatrix::from_row_slice(rows.len() / depth, depth, &rows);
        let squares = kept.row_iter().map(|row| row.norm_squared()).collect();
        Self { kept, squares }
    }

    /// How many patches were kept.
    pub fn count(&self) -> usize {
        self.squares.len()
    }

    /// The distance of each place.
    pub fn distances(&self, patches: &Patches) -> Vec<f32> {
        let view = DMatrixView::from_slice(&patches.data, patches.depth, patches.places());
        let products = &self.kept * view;
        let nearest = |(place, products): (nalgebra::DVectorView<'_, f32>, _)| {
            let products: nalgebra::DVectorView<'_, f32> = products;
            let pairs = products.iter().zip(&self.squares);
            let least = pairs.map(|(product, square)| square - 2.0 * product);
            (place.norm_squared() + least.fold(f32::INFINITY, f32::min)).max(0.0).sqrt()
        };
        view.column_iter().zip(products.column_iter()).map(nearest).collect()
    }

    /// The same as operators: `[places, depth]` patches in, `distances` `[places, 1]` out.
    pub fn append(&self, nodes: &mut Nodes<'_>, distances: &str) {
        let (count, depth) = self.kept.shape();
        // Column by column is what a transposed matrix is row by row.
        let turned = self.kept.map(|value| -2.0 * value);
        nodes.floats("kept", &[depth, count], turned.as_slice());
        nodes.floats("kept_squares", &[1, count], &self.squares);
        nodes.add("MatMul", &[PATCHES, "kept"], "products", vec![]);
        nodes.add("Add", &["products", "kept_squares"], "less_square", vec![]);
        let over_depth = || vec![ints("axes", &[1]), int("keepdims", 1)];
        nodes.add("ReduceMin", &["less_square"], "least", over_depth());
        nodes.add("ReduceSumSquare", &[PATCHES], "square", over_depth());
        nodes.add("Add", &["least", "square"], "squared", vec![]);
        nodes.add("Relu", &["squared"], "not_negative", vec![]);
        nodes.add("Sqrt", &["not_negative"], distances, vec![]);
    }
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
        let bank = Bank::fit(&[&good], 4);
        assert_eq!(bank.count(), 4);
        assert!(bank.distances(&good).iter().all(|distance| *distance < 1e-3));
        let other = bank.distances(&patches(2, vec![4.0, 1.0, 4.0, 5.0]));
        assert!((other[0] - 3.0).abs() < 1e-4 && (other[1] - 5.0).abs() < 1e-4, "{other:?}");
    }

    proptest! {
        #[test]
        fn distances_are_those_to_the_nearest(
            data in prop::collection::vec(-9.0_f32..9.0, 30..120),
            other in prop::collection::vec(-9.0_f32..9.0, 3..30),
        ) {
            let cut = |data: Vec<f32>| patches(3, data[..data.len() / 3 * 3].to_vec());
            let (good, other) = (cut(data), cut(other));
            let bank = Bank::fit(&[&good], 1000);
            for (index, got) in bank.distances(&other).into_iter().enumerate() {
                let at = other.place(index);
                let to = |place: usize| -> f32 {
                    let kept = good.place(place);
                    at.iter().zip(kept).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
                };
                let wanted = (0..good.places()).map(to).fold(f32::INFINITY, f32::min);
                // Squared, as rounding is of the numbers' size and not of the distance's.
                prop_assert!((got.powi(2) - wanted.powi(2)).abs() < 1e-3, "{got} is not {wanted}");
            }
        }
    }
}
