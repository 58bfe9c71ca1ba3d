//! One grid for all features: takes pictures, gives a column of numbers a cell at stride 8; and the
//! graph that does so, for a head to be put on.
//!
//! The finer map is averaged two by two, the coarser one interpolated. Trained on and shipped are
//! the very same graph.

use domain::{FindingFault, Pixels, Placement, SizePx};
use half::f16;
use half::slice::HalfFloatSliceExt;

use super::net::Columns;
use crate::fit::features::{self, Extractor, FeaturesError, LEVELS};
use crate::fit::nodes::{Nodes, int, ints, whole, word};
use crate::onnx::element;
use crate::onnx::proto::{GraphProto, ModelProto, ValueInfoProto};
use crate::session::Runtime;

/// Pixels of the input from one cell to the next.
pub(super) const STRIDE: u32 = LEVELS[1].stride;

/// Numbers a cell: those of all levels, finest first.
pub(super) const DEPTH: usize = LEVELS[0].channels + LEVELS[1].channels + LEVELS[2].channels;

/// Name of the graph's output: `[1, DEPTH, rows, columns]`.
pub(super) const CELLS: &str = "cells";

/// Rows and columns for an input of `size`.
pub(super) const fn cells(size: SizePx) -> [usize; 2] {
    LEVELS[1].grid(size)
}

/// The extractor with all its maps at one grid.
pub(super) fn graph(size: SizePx) -> Result<ModelProto, FeaturesError> {
    let mut model = features::graph(size)?;
    let graph = model.graph.get_or_insert_with(GraphProto::default);
    let [rows, columns] = cells(size);
    let sides = [1, whole(DEPTH), whole(rows), whole(columns)];
    graph.output = vec![ValueInfoProto::tensor(CELLS, element::FLOAT, &sides)];
    let mut nodes = Nodes(graph);
    let [fine, own, coarse] = LEVELS.map(|level| level.output);
    let two_by_two = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
    nodes.add("AveragePool", &[fine], "fine_at_8", two_by_two);
    nodes.floats("twice_each_side", &[4], &[1.0, 1.0, 2.0, 2.0]);
    let linear = vec![word("mode", "linear"), word("coordinate_transformation_mode", "half_pixel")];
    nodes.add("Resize", &[coarse, "", "twice_each_side"], "coarse_at_8", linear);
    let axis = vec![int("axis", 1)];
    nodes.add("Concat", &["fine_at_8", own, "coarse_at_8"], CELLS, axis);
    Ok(model)
}

/// Looks at pictures on the caller's thread. One a thread.
pub(super) struct Looker(Extractor);

impl Looker {
    pub fn open(runtime: &Runtime, size: SizePx) -> Result<Self, FeaturesError> {
        let input = features::input_spec(size);
        Ok(Self(Extractor::new(runtime, graph(size)?, input, &[CELLS.to_owned()])?))
    }

    /// A column a cell, row by row, and how the picture was laid.
    pub fn look(&mut self, picture: &dyn Pixels) -> Result<(Columns, Placement), FindingFault> {
        let (raws, tensor) = self.0.run(picture)?;
        let places = raws[0].values.len() / DEPTH;
        let columns = Columns::from_row_slice(DEPTH, places, &raws[0].values);
        Ok((columns, tensor.placement))
    }
}

/// The features of a picture, kept at half the size: a fit holds hundreds of them.
#[derive(Clone, Debug)]
pub(super) struct Packed(Vec<f16>);

impl Packed {
    pub fn new(columns: &Columns) -> Self {
        let mut packed = vec![f16::ZERO; columns.len()];
        packed.convert_from_f32_slice(columns.as_slice());
        Self(packed)
    }

    pub fn columns(&self) -> Columns {
        let mut columns = Columns::zeros(DEPTH, self.0.len() / DEPTH);
        self.0.convert_to_f32_slice(columns.as_mut_slice());
        columns
    }

    /// The numbers of one cell.
    pub fn cell(&self, at: usize) -> impl Iterator<Item = f32> {
        self.0[at * DEPTH..][..DEPTH].iter().map(|value| value.to_f32())
    }
}

/// Mean and highest of each number over all columns: means first.
pub(super) fn pooled(columns: &Columns) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "cells of a grid")]
    let count = columns.ncols() as f32;
    let (mut sums, mut highest) = (vec![0.0; columns.nrows()], vec![f32::MIN; columns.nrows()]);
    for column in columns.column_iter() {
        for ((sum, high), value) in sums.iter_mut().zip(&mut highest).zip(column.iter()) {
            *sum += value;
            *high = high.max(*value);
        }
    }
    sums.into_iter().map(|sum| sum / count).chain(highest).collect()
}

#[cfg(test)]
mod tests {
    use domain::{OwnedPixels, PixelFormat};

    use super::*;
    use crate::fit::features::{Features, Map, Maps};

    fn at(map: &Map, channel: usize, row: usize, column: usize) -> f32 {
        map.data[(channel * map.rows + row) * map.columns + column]
    }

    #[test]
    fn levels_are_laid_over_each_other() {
        let (runtime, size) = (Runtime::open().unwrap(), SizePx::new(96, 64));
        let bytes = (0..96 * 64_u32).map(|i| (i * i / 7).to_le_bytes()[0]).collect();
        let picture = OwnedPixels::new(PixelFormat::Gray8, size, vec![bytes]).unwrap();
        let Maps([fine, own, coarse]) =
            Features::open(&runtime, size).unwrap().of(&picture).unwrap();
        let (columns, placement) = Looker::open(&runtime, size).unwrap().look(&picture).unwrap();
        assert_eq!(columns.shape(), (176, 12 * 8));
        assert_eq!((placement.scale_x, placement.offset_x_px), (1.0, 0.0));
        let near = |got: f32, wanted: f32| assert!((got - wanted).abs() < 1e-4, "{got} {wanted}");
        let four =
            at(&fine, 3, 2, 8) + at(&fine, 3, 2, 9) + at(&fine, 3, 3, 8) + at(&fine, 3, 3, 9);
        near(columns[(3, 12 + 4)], four / 4.0);
        near(columns[(24 + 7, 12 + 4)], at(&own, 7, 1, 4));
        near(columns[(64 + 9, 0)], at(&coarse, 9, 0, 0));
        let inside = 0.75 * (0.75 * at(&coarse, 9, 0, 2) + 0.25 * at(&coarse, 9, 0, 1))
            + 0.25 * (0.75 * at(&coarse, 9, 1, 2) + 0.25 * at(&coarse, 9, 1, 1));
        near(columns[(64 + 9, 12 + 4)], inside);
    }

    #[test]
    fn packing_loses_little() {
        let columns = Columns::from_fn(DEPTH, 4, |row, column| (row * 7 + column) as f32 / 97.0);
        let packed = Packed::new(&columns);
        assert!((packed.columns() - &columns).abs().max() < 0.01);
        let cell: Vec<f32> = packed.cell(2).collect();
        assert_eq!(cell, packed.columns().column(2).as_slice());
    }

    #[test]
    fn pooling_gives_means_then_highest() {
        let columns = Columns::from_row_slice(2, 3, &[1.0, 2.0, 6.0, -1.0, -4.0, -1.0]);
        assert_eq!(pooled(&columns), [3.0, -2.0, 6.0, -1.0]);
    }
}
