//! Patch features: takes pictures, gives for each place of a grid what the frozen extractor sees in
//! and around it; and the graph that does so, for distances to be put on.
//!
//! "Locally aware" as in Roth et al., "Towards Total Recall in Industrial Anomaly Detection"
//! (CVPR 2022, arXiv:2106.08265): each cell is averaged with its eight neighbours. Outside the
//! input lie zeros, so that the outermost cells count for less: the extractor saw nothing beyond
//! them, and what a picture's edge cuts differs from picture to picture.

use std::ops::Range;

use domain::{FindingFault, OwnedPixels, PixelFormat, Pixels, RectPx, SizePx, Tensor};
use serde::{Deserialize, Serialize};

use super::features::{self, Extractor, FeaturesError, LEVELS, Level};
use super::nodes::{Nodes, int, ints, word};
use crate::onnx::element;
use crate::onnx::proto::{GraphProto, ModelProto, ValueInfoProto};
use crate::session::Runtime;
use crate::tensor::Shaper;

/// Name of the graph's output: `[places, depth]`, places row by row.
pub(crate) const PATCHES: &str = "patches";

/// How fine the grid of places is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grid {
    /// A place every 16 pixels of the input, 112 numbers each.
    Coarse,
    /// A place every 8 pixels, 152 numbers each: smaller defects, four times the work after the
    /// extractor.
    Fine,
}

impl Grid {
    /// The finest feature map that is used.
    const fn level(self) -> Level {
        match self {
            Self::Coarse => LEVELS[2],
            Self::Fine => LEVELS[1],
        }
    }

    /// Rows and columns.
    #[must_use]
    pub const fn places(self, size: SizePx) -> [usize; 2] {
        self.level().grid(size)
    }

    /// Numbers a place.
    #[must_use]
    pub const fn depth(self) -> usize {
        match self {
            Self::Coarse => LEVELS[2].channels,
            Self::Fine => LEVELS[1].channels + LEVELS[2].channels,
        }
    }
}

/// One picture's patch features.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Patches {
    /// Numbers a place.
    pub depth: usize,
    /// Place by place, row by row.
    pub data: Vec<f32>,
    /// Rows and columns of places that show the picture, not only the border around it.
    pub shown: [Range<usize>; 2],
}

impl Patches {
    pub fn places(&self) -> usize {
        self.data.len() / self.depth
    }

    pub fn place(&self, index: usize) -> &[f32] {
        &self.data[index * self.depth..][..self.depth]
    }
}

/// The extractor, the averaging and the order of [`Patches`], as a model with the output
/// [`PATCHES`].
pub(crate) fn graph(size: SizePx, grid: Grid) -> Result<ModelProto, FeaturesError> {
    let mut model = features::graph(size)?;
    let graph = model.graph.get_or_insert_with(GraphProto::default);
    let [rows, columns] = grid.places(size);
    let (places, depth) = (rows * columns, grid.depth());
    let sides = [super::nodes::whole(places), super::nodes::whole(depth)];
    graph.output = vec![ValueInfoProto::tensor(PATCHES, element::FLOAT, &sides)];
    let mut nodes = Nodes(graph);
    mean_of_neighbours(&mut nodes, LEVELS[2].output, "around16", Outside::Zeros);
    let last = match grid {
        Grid::Coarse => "around16",
        Grid::Fine => {
            mean_of_neighbours(&mut nodes, LEVELS[1].output, "around8", Outside::Zeros);
            nodes.floats("twice", &[4], &[1.0, 1.0, 2.0, 2.0]);
            let linear =
                vec![word("mode", "linear"), word("coordinate_transformation_mode", "half_pixel")];
            nodes.add("Resize", &["around16", "", "twice"], "around16_up", linear);
            let inputs = ["around8", "around16_up"];
            nodes.add("Concat", &inputs, "around", vec![int("axis", 1)]);
            "around"
        }
    };
    nodes.numbers("depth_by_places", &[depth, places]);
    nodes.add("Reshape", &[last, "depth_by_places"], "in_channels", vec![]);
    nodes.add("Transpose", &["in_channels"], PATCHES, vec![ints("perm", &[1, 0])]);
    Ok(model)
}

/// What a cell at the border has for the neighbours that it lacks.
#[derive(Clone, Copy)]
pub(crate) enum Outside {
    /// It is averaged with those there are.
    Nothing,
    Zeros,
}

/// Each cell averaged with its neighbours.
pub(crate) fn mean_of_neighbours(nodes: &mut Nodes<'_>, from: &str, to: &str, outside: Outside) {
    let settings = vec![
        ints("kernel_shape", &[3, 3]),
        ints("pads", &[1, 1, 1, 1]),
        ints("strides", &[1, 1]),
        int("count_include_pad", i64::from(matches!(outside, Outside::Zeros))),
    ];
    nodes.add("AveragePool", &[from], to, settings);
}

/// Gives patch features on the caller's thread. One a thread.
pub(crate) struct Looker {
    extractor: Extractor,
    grid: Grid,
}

impl Looker {
    pub fn open(runtime: &Runtime, size: SizePx, grid: Grid) -> Result<Self, FeaturesError> {
        let input = features::input_spec(size);
        let outputs = vec![PATCHES.to_owned()];
        let extractor = Extractor::new(runtime, graph(size, grid)?, input, &outputs)?;
        Ok(Self { extractor, grid })
    }

    pub fn look(&mut self, picture: &dyn Pixels) -> Result<Patches, FindingFault> {
        let (raws, tensor) = self.extractor.run(picture)?;
        let inside = inside(tensor, picture.size());
        let places = |start: u32, stop: u32| {
            let stride = self.grid.level().stride;
            (start / stride) as usize..stop.div_ceil(stride) as usize
        };
        let shown = [places(inside.y, inside.bottom()), places(inside.x, inside.right())];
        Ok(Patches { depth: self.grid.depth(), data: raws[0].values.clone(), shown })
    }
}

/// Where in the input a whole picture of `size` was laid.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "whole pixels of the input, which the placement was made from"
)]
fn inside(tensor: &Tensor, size: SizePx) -> RectPx {
    let (laid, [_, _, rows, columns]) = (tensor.placement, tensor.shape);
    let along = |side: u32, offset: f32, scale: f32, most: usize| {
        let at = |place: f32| ((place - offset) * scale).round().clamp(0.0, most as f32) as u32;
        (at(0.0), at(side as f32))
    };
    let (left, right) = along(size.width, laid.offset_x_px, laid.scale_x, columns);
    let (top, bottom) = along(size.height, laid.offset_y_px, laid.scale_y, rows);
    RectPx::new(left, top, right - left, bottom - top)
}

/// The picture as the network is shown it at `size`, 8 bits a channel, without the border.
pub(crate) fn shown(picture: &dyn Pixels, size: SizePx) -> Result<OwnedPixels, FindingFault> {
    let spec = features::input_spec(size);
    let mut tensor = spec.tensor();
    let (mean, std) = (spec.mean[0], spec.std[0]);
    Shaper::new(spec).prepare(picture, picture.size().rect(), &mut tensor)?;
    let inside = inside(&tensor, picture.size());
    let (area, width) = (tensor.data.len() / 3, size.width);
    let bytes = (inside.y..inside.bottom())
        .flat_map(|y| (inside.x..inside.right()).map(move |x| (y * width + x) as usize))
        .flat_map(|pixel| [pixel, area + pixel, 2 * area + pixel])
        .map(|at| level_from((tensor.data[at] * std + mean) * 255.0))
        .collect();
    let inside = SizePx::new(inside.width, inside.height);
    OwnedPixels::new(PixelFormat::Rgb8, inside, vec![bytes])
        .ok_or_else(|| FindingFault::NotPrepared { message: format!("{inside} is empty") })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded and clamped to 0..=255"
)]
fn level_from(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use domain::{OwnedPixels, PixelFormat};

    use super::*;
    use crate::fit::features::{Features, Maps};

    /// The mean over a cell and its neighbours, with zeros outside, worked out plainly.
    fn around(map: &features::Map, channel: usize, row: usize, column: usize) -> f32 {
        let near = |at: usize, most: usize| at.saturating_sub(1)..(at + 2).min(most);
        let cells = near(row, map.rows)
            .flat_map(|y| near(column, map.columns).map(move |x| (y, x)))
            .map(|(y, x)| map.data[(channel * map.rows + y) * map.columns + x]);
        cells.sum::<f32>() / 9.0
    }

    #[test]
    fn places_come_row_by_row_with_their_neighbours_averaged() {
        let (runtime, size) = (Runtime::open().unwrap(), SizePx::new(96, 64));
        let bytes = (0..96 * 64).map(|i: u32| u8::try_from(i * i / 7 % 251).unwrap()).collect();
        let picture = OwnedPixels::new(PixelFormat::Gray8, size, vec![bytes]).unwrap();
        let Maps([_, map8, map16]) = Features::open(&runtime, size).unwrap().of(&picture).unwrap();
        let coarse = Looker::open(&runtime, size, Grid::Coarse).unwrap().look(&picture).unwrap();
        let fine = Looker::open(&runtime, size, Grid::Fine).unwrap().look(&picture).unwrap();
        assert_eq!((coarse.places(), coarse.depth), (6 * 4, 112));
        assert_eq!((fine.places(), fine.depth), (12 * 8, 152));
        let near = |got: f32, wanted: f32| assert!((got - wanted).abs() < 1e-4, "{got} {wanted}");
        for (row, column, channel) in [(0, 0, 0), (1, 4, 111), (3, 5, 7)] {
            near(coarse.place(row * 6 + column)[channel], around(&map16, channel, row, column));
        }
        for (row, column, channel) in [(0, 0, 0), (5, 11, 39), (7, 3, 20)] {
            near(fine.place(row * 12 + column)[channel], around(&map8, channel, row, column));
        }
        // The corner of a map that was made twice as large is its own corner.
        near(fine.place(0)[40], coarse.place(0)[0]);
    }

    #[test]
    fn what_is_shown_is_shown_the_same_again() {
        let size = SizePx::new(64, 48);
        for side in [(100, 40), (40, 100), (64, 48), (33, 77)] {
            let whole = SizePx::new(side.0, side.1);
            let bytes =
                (0..whole.area() * 3).map(|i| u8::try_from(i * 13 % 256).unwrap()).collect();
            let picture = OwnedPixels::new(PixelFormat::Rgb8, whole, vec![bytes]).unwrap();
            let once = shown(&picture, size).unwrap();
            let twice = shown(&once, size).unwrap();
            let rows = |pixels: &OwnedPixels| {
                let rows = 0..pixels.size().height as usize;
                rows.flat_map(|y| pixels.plane(0).row(y).to_vec()).collect::<Vec<_>>()
            };
            assert_eq!(once.size(), twice.size());
            assert_eq!(rows(&once), rows(&twice));
        }
    }

    #[test]
    fn places_of_the_border_are_known() {
        let (runtime, size) = (Runtime::open().unwrap(), SizePx::new(96, 64));
        let mut looker = Looker::open(&runtime, size, Grid::Coarse).unwrap();
        let mut shown = |width: u32, height: u32| {
            let bytes = vec![99; (width * height) as usize];
            let size = SizePx::new(width, height);
            let picture = OwnedPixels::new(PixelFormat::Gray8, size, vec![bytes]).unwrap();
            looker.look(&picture).unwrap().shown
        };
        assert_eq!(shown(192, 128), [0..4, 0..6]);
        // 32 x 64, and 32 pixels of border on either side.
        assert_eq!(shown(16, 32), [0..4, 2..4]);
        // 96 x 24 between 20 and 44 touches two of four rows, and the third.
        assert_eq!(shown(96, 24), [1..3, 0..6]);
    }
}
