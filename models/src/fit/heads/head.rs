//! What is put on the frozen features: takes a picture's cells, gives logits; and the same as ONNX
//! operators behind the extractor, so that a bundle holds one graph.

use domain::SizePx;

use super::grid::{self, CELLS, pooled};
use super::net::{Columns, Layer, Net, softmax};
use super::scale::Scale;
use crate::fit::features::FeaturesError;
use crate::fit::nodes::{Nodes, int, ints, whole};
use crate::onnx::element;
use crate::onnx::proto::{GraphProto, ModelProto, ValueInfoProto};

/// Name of a segmenter's output: logits `[1, labels, rows, columns]`.
pub(super) const HEATMAP: &str = "heatmap";

/// Name of a classifier's output: logits `[1, labels]`.
pub(super) const CLASSES: &str = "classes";

/// A trained head.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Head {
    /// Judges each cell; then adds what the picture as a whole looks like, when there is a second
    /// network.
    Cells { cell: Net, picture: Option<Net>, scale: Scale },
    /// Judges the picture as a whole.
    Picture(Net),
}

impl Head {
    /// Logits: a column a cell, or one column for the picture.
    pub fn logits(&self, cells: &Columns) -> Columns {
        match self {
            Self::Picture(net) => net.logits(&as_column(pooled(cells))),
            Self::Cells { cell, picture, scale } => {
                let mut logits = cell.logits(cells);
                if let Some(net) = picture {
                    let whole = net.logits(&as_column(overview(&pooled(cells), &logits)));
                    logits.column_iter_mut().for_each(|mut column| column += whole.column(0));
                }
                scale.apply(&mut logits);
                logits
            }
        }
    }

    /// The extractor with this head on it, and its output's name.
    pub fn graph(&self, size: SizePx) -> Result<(ModelProto, &'static str), FeaturesError> {
        let mut model = grid::graph(size)?;
        let graph = model.graph.get_or_insert_with(GraphProto::default);
        let [rows, columns] = grid::cells(size);
        let mut nodes = Nodes(graph);
        let (output, sides) = match self {
            Self::Picture(net) => {
                pool(&mut nodes, CELLS);
                let pooled = ["cells_mean", "cells_highest"];
                nodes.add("Concat", &pooled, "overview", vec![int("axis", 1)]);
                add_net(&mut nodes, net, "overview", "picture");
                nodes.add("Flatten", &["picture"], CLASSES, vec![int("axis", 1)]);
                (CLASSES, vec![1, whole(labels(net))])
            }
            Self::Cells { cell, picture, scale } => {
                add_net(&mut nodes, cell, CELLS, "cell");
                if let Some(net) = picture {
                    add_overview(&mut nodes, net);
                    nodes.add("Add", &["cell", "picture"], "mixed", vec![]);
                }
                let unscaled = if picture.is_some() { "mixed" } else { "cell" };
                add_scale(&mut nodes, *scale, unscaled, labels(cell));
                (HEATMAP, vec![1, whole(labels(cell)), whole(rows), whole(columns)])
            }
        };
        graph.output = vec![ValueInfoProto::tensor(output, element::FLOAT, &sides)];
        Ok((model, output))
    }
}

/// What the second network sees: features pooled, then the first one's probabilities pooled.
pub(super) fn overview(pooled_features: &[f32], cell_logits: &Columns) -> Vec<f32> {
    let mut probabilities = cell_logits.clone();
    softmax(&mut probabilities);
    [pooled_features, &pooled(&probabilities)].concat()
}

fn as_column(values: Vec<f32>) -> Columns {
    Columns::from_vec(values.len(), 1, values)
}

fn labels(net: &Net) -> usize {
    net.layers.last().map_or(0, |layer| layer.bias.len())
}

fn add_overview(nodes: &mut Nodes<'_>, net: &Net) {
    pool(nodes, CELLS);
    nodes.add("Softmax", &["cell"], "likely", vec![int("axis", 1)]);
    pool(nodes, "likely");
    let pooled = ["cells_mean", "cells_highest", "likely_mean", "likely_highest"];
    nodes.add("Concat", &pooled, "overview", vec![int("axis", 1)]);
    add_net(nodes, net, "overview", "picture");
}

fn add_scale(nodes: &mut Nodes<'_>, scale: Scale, from: &str, labels: usize) {
    let mut offsets = vec![scale.offset; labels];
    offsets[0] = 0.0;
    nodes.floats("gain", &[1], &[scale.gain]);
    nodes.floats("offsets", &[1, labels, 1, 1], &offsets);
    nodes.add("Mul", &[from, "gain"], "stretched", vec![]);
    nodes.add("Add", &["stretched", "offsets"], HEATMAP, vec![]);
}

fn pool(nodes: &mut Nodes<'_>, from: &str) {
    nodes.add("GlobalAveragePool", &[from], &format!("{from}_mean"), vec![]);
    nodes.add("GlobalMaxPool", &[from], &format!("{from}_highest"), vec![]);
}

/// Layers as convolutions of one by one.
fn add_net(nodes: &mut Nodes<'_>, net: &Net, from: &str, to: &str) {
    let mut input = from.to_owned();
    for (number, layer) in net.layers.iter().enumerate() {
        let is_last = number + 1 == net.layers.len();
        let output = if is_last { to.to_owned() } else { format!("{to}_{number}") };
        add_layer(nodes, layer, &input, &output);
        input = output;
        if !is_last {
            let bent = format!("{input}_relu");
            nodes.add("Relu", &[&input], &bent, vec![]);
            input = bent;
        }
    }
}

fn add_layer(nodes: &mut Nodes<'_>, layer: &Layer, from: &str, to: &str) {
    let (weights, bias) = (format!("{to}_weights"), format!("{to}_bias"));
    let (outputs, inputs) = layer.weights.shape();
    // ONNX wants a row after the other; ours lie column by column.
    nodes.floats(&weights, &[outputs, inputs, 1, 1], layer.weights.transpose().as_slice());
    nodes.floats(&bias, &[outputs], layer.bias.as_slice());
    nodes.add("Conv", &[from, &weights, &bias], to, vec![ints("kernel_shape", &[1, 1])]);
}

#[cfg(test)]
mod tests {
    use domain::{OwnedPixels, PixelFormat};
    use nalgebra::{DMatrix, DVector};

    use super::super::grid::DEPTH;
    use super::*;
    use crate::fit::features::{Extractor, input_spec};
    use crate::session::Runtime;

    fn net(sides: &[usize], gain: f32) -> Net {
        let number = |at: usize| gain * (((at * 7919 + 13) % 1000) as f32 / 500.0 - 1.0);
        let layer = |sides: &[usize]| Layer {
            weights: DMatrix::from_fn(sides[1], sides[0], |r, c| number(r * 31 + c)),
            bias: DVector::from_fn(sides[1], |r, _| number(r + 3)),
        };
        Net { layers: sides.windows(2).map(layer).collect() }
    }

    /// The promise of the module: what is trained here is what ONNX Runtime computes.
    #[test]
    fn the_graph_says_what_the_head_says() {
        let (runtime, size) = (Runtime::open().unwrap(), SizePx::new(128, 64));
        let bytes = (0..200 * 80_u32).map(|i| (i * i / 11).to_le_bytes()[0]).collect();
        let picture =
            OwnedPixels::new(PixelFormat::Gray8, SizePx::new(200, 80), vec![bytes]).unwrap();
        let (cells, _) = grid::Looker::open(&runtime, size).unwrap().look(&picture).unwrap();
        for head in [
            Head::Picture(net(&[2 * DEPTH, 4], 0.05)),
            Head::Cells { cell: net(&[DEPTH, 64, 3], 0.05), picture: None, scale: Scale::NONE },
            Head::Cells {
                cell: net(&[DEPTH, 64, 3], 0.05),
                picture: Some(net(&[2 * DEPTH + 2 * 3, 3], 0.05)),
                scale: Scale { gain: 0.5, offset: -1.5 },
            },
        ] {
            let (model, output) = head.graph(size).unwrap();
            let outputs = vec![output.to_owned()];
            let mut bundled = Extractor::new(&runtime, model, input_spec(size), &outputs).unwrap();
            let raw = &bundled.run(&picture).unwrap().0[0];
            let wanted = head.logits(&cells);
            let expected = if output == CLASSES { vec![1, 4] } else { vec![1, 3, 8, 16] };
            assert_eq!(raw.shape, expected);
            let got = Columns::from_row_slice(wanted.nrows(), wanted.ncols(), &raw.values);
            let off = (got - &wanted).abs().max();
            assert!(off < 1e-4, "{output} is {off} off");
            assert!(wanted.abs().max() > 0.1, "it says something");
        }
    }
}
