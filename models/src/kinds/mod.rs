//! What networks say and how it is read: takes the numbers a graph put out, gives a
//! [`domain::Finding`]. A file and a variant of [`Kind`] for each kind of network.

mod anomaly_map;
mod classifier;
mod detector;
mod grid;
mod map;
mod segmenter;
mod shape;

use std::sync::Arc;

use domain::{
    ClassScore, Defect, Finding, FindingFault, Heatmap, Placement, RectPx, Score, Sha256,
};
use serde::{Deserialize, Serialize};

use crate::manifest::{Activation, InputSpec, OutputSpec};
use crate::session::Raw;
use crate::tiling::Tile;
use detector::Candidate;
pub(crate) use shape::Wanted;

/// What a network does with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Says of each cell of a grid what is there: output `[1, labels, rows, columns]`.
    Segmenter,
    /// Says of the whole picture what it shows: output `[1, labels]`.
    Classifier,
    /// Draws boxes around what it finds; layouts in [`crate::manifest::BoxLayout`].
    Detector,
    /// Says of each place how unlike good parts it is: output `[1, 1, rows, columns]` or `[1, rows,
    /// columns]`, perhaps a score of the whole picture beside it.
    AnomalyMap,
}

impl Kind {
    /// What the output must look like, in words.
    #[must_use]
    pub const fn output_shape(self) -> &'static str {
        match self {
            Self::Segmenter => "[1, labels, rows, columns]",
            Self::Classifier => "[1, labels]",
            Self::Detector => "boxes, laid out as `output.boxes.layout` says",
            Self::AnomalyMap => "[1, 1, rows, columns] or [1, rows, columns]",
        }
    }
}

/// Which picture an answer is about, and where it lay on the canvas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Which of the part's views.
    pub view: usize,
    pub crop: RectPx,
    pub placement: Placement,
    /// Where on the canvas the crop lies: left, top, right, bottom.
    shown: [f32; 4],
    /// Width and height of a tile; `None` where the canvas is one.
    tile: Option<[f32; 2]>,
}

/// The placement is in f32, so edges that should meet may miss each other by this much.
const NEAR_PX: f64 = 0.01;

/// `edge`, on the whole pixel that it is meant to be on.
fn snapped(edge: f64) -> f64 {
    let whole = edge.round();
    if (edge - whole).abs() < NEAR_PX { whole } else { edge }
}

impl Look {
    /// A look at `crop`, the part's view number `view`, which was laid on `input`'s canvas so.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "sides")]
    pub fn new(view: usize, crop: RectPx, placement: Placement, input: &InputSpec) -> Self {
        let canvas = input.canvas();
        let laid = |edge: u32, offset: f32, scale: f32, side: u32| {
            let place = (f64::from(edge) - f64::from(offset)) * f64::from(scale);
            place.round().clamp(0.0, side.into()) as f32
        };
        let across = |x| laid(x, placement.offset_x_px, placement.scale_x, canvas.width);
        let down = |y| laid(y, placement.offset_y_px, placement.scale_y, canvas.height);
        let shown = [across(crop.x), down(crop.y), across(crop.right()), down(crop.bottom())];
        let tile = input.tiling.map(|_| [input.width as f32, input.height as f32]);
        Self { view, crop, placement, shown, tile }
    }

    /// Whether `tile` shows some of the crop, and not only the border around it.
    #[expect(clippy::cast_precision_loss, reason = "sides of pictures")]
    pub fn shows(&self, tile: &Tile) -> bool {
        let (Some([width, height]), [left, top, right, bottom]) = (self.tile, self.shown) else {
            return true;
        };
        let (x, y) = (tile.x as f32, tile.y as f32);
        x < right && left < x + width && y < bottom && top < y + height
    }

    /// A defect as large as the crop.
    fn whole_crop(&self, kind: &Arc<str>, probability: f32) -> Result<Defect, FindingFault> {
        Ok(Defect {
            kind: Arc::clone(kind),
            view: self.view,
            box_in_frame: self.crop,
            area_px: self.crop.area(),
            score: score_from(probability)?,
            mask: None,
            mm: None,
        })
    }
}

/// Reads what one network puts out, tile by tile. Its labels are shared with every finding.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    kind: Kind,
    model: Sha256,
    input: InputSpec,
    output: OutputSpec,
    labels: Arc<[Arc<str>]>,
    /// Which of the labels is no defect.
    good: usize,
    /// Names of the outputs it reads, in the order it takes them, and what they must look like.
    outputs: Vec<String>,
    wanted: Vec<Wanted>,
    said: Said,
}

/// What the tiles of a picture said so far, and memory to read it with. Kept, so that the next
/// picture finds its room.
#[derive(Clone, Debug, Default)]
struct Said {
    /// Grids put together: `[1, channels, rows, columns]`; empty before the first.
    grid: Raw,
    /// Probability of each label, where it is not the grid's.
    classes: Vec<f32>,
    /// Boxes that may be kept.
    boxes: Vec<Candidate>,
    /// One channel of the grid where it shows the crop, which of its cells were looked at, and the
    /// highest of all channels.
    cells: Vec<f32>,
    seen: Vec<bool>,
    heat: Vec<f32>,
}

/// A finding but for what is the same for every kind.
struct Reading {
    /// Highest probability of each label.
    classes: Vec<f32>,
    defects: Vec<Defect>,
    heatmap: Option<Heatmap>,
}

impl Reader {
    pub fn new(kind: Kind, model: Sha256, input: &InputSpec, output: &OutputSpec) -> Self {
        Self {
            kind,
            model,
            input: input.clone(),
            output: output.clone(),
            labels: output.labels.iter().map(|label| label.as_str().into()).collect(),
            good: output.labels.iter().position(|l| *l == output.good).unwrap_or(usize::MAX),
            outputs: output.names().map(str::to_owned).collect(),
            wanted: Wanted::of(kind, output),
            said: Said::default(),
        }
    }

    pub fn labels(&self) -> &[Arc<str>] {
        &self.labels
    }

    /// Names of the outputs it reads, in the order it takes them.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Names of the outputs, and what each must look like.
    pub fn wanted(&mut self) -> impl Iterator<Item = (&String, &mut Wanted)> {
        self.outputs.iter().zip(&mut self.wanted)
    }

    /// Labels that are a defect's.
    fn bad_labels(&self) -> impl Iterator<Item = usize> + use<> {
        let good = self.good;
        (0..self.labels.len()).filter(move |label| *label != good)
    }

    /// Forgets the last picture.
    pub fn begin(&mut self) {
        self.said.grid.shape.clear();
        self.said.boxes.clear();
        self.said.classes.clear();
        self.said.classes.resize(self.labels.len(), 0.0);
        // Nothing speaks against the part yet.
        if let Some(good) = self.said.classes.get_mut(self.good) {
            *good = 1.0;
        }
    }

    /// Takes what the network said of `tiles`: `raws`, one for each of [`Self::outputs`], in each
    /// of them one tile after the other. Their values become probabilities on the way.
    pub fn take(
        &mut self,
        raws: &mut [Raw],
        tiles: &[Tile],
        look: &Look,
    ) -> Result<(), FindingFault> {
        for ((raw, name), wanted) in raws.iter().zip(&self.outputs).zip(&self.wanted) {
            wanted.check(name, &raw.shape, tiles.len())?;
            if raw.values.iter().any(|value| !value.is_finite()) {
                return Err(FindingFault::NotFinite { output: name.clone() });
            }
        }
        match self.kind {
            Kind::Segmenter => segmenter::take(self, raws, tiles, look),
            Kind::Classifier => classifier::take(self, raws, tiles, look),
            Kind::Detector => detector::take(self, raws, tiles, look),
            Kind::AnomalyMap => anomaly_map::take(self, raws, tiles, look),
        }
    }

    /// Makes a finding of what was taken since [`Self::begin`].
    pub fn finish(&mut self, look: &Look) -> Result<Finding, FindingFault> {
        let reading = match self.kind {
            Kind::Segmenter => segmenter::read(self, look)?,
            Kind::Classifier => classifier::read(self, look)?,
            Kind::Detector => detector::read(self, look)?,
            Kind::AnomalyMap => anomaly_map::read(self, look)?,
        };
        let classes = self.labels.iter().zip(reading.classes).map(|(label, score)| {
            Ok(ClassScore { label: Arc::clone(label), score: score_from(score)? })
        });
        Ok(Finding {
            view: look.view,
            model: self.model,
            classes: classes.collect::<Result<_, _>>()?,
            defects: reading.defects,
            heatmap: reading.heatmap,
        })
    }

    /// Makes probabilities of a tile's numbers: `channels` planes of them.
    fn activate(&self, channels: usize, values: &mut [f32]) -> Result<(), FindingFault> {
        match self.output.activation {
            Activation::Softmax => softmax(values, channels),
            Activation::Sigmoid => sigmoid(values),
            Activation::None => return self.check_probabilities(values),
        }
        Ok(())
    }

    /// What a network calls a probability may be off by rounding, and no more.
    fn check_probabilities(&self, values: &mut [f32]) -> Result<(), FindingFault> {
        const ROUNDING: f32 = 1e-3;
        for value in values {
            if !(-ROUNDING..=1.0 + ROUNDING).contains(value) {
                let name = &self.output.name;
                let message = format!("its output `{name}` holds {value}, which is no probability");
                return Err(FindingFault::Runtime { message });
            }
            *value = value.clamp(0.0, 1.0);
        }
        Ok(())
    }
}

fn sigmoid(values: &mut [f32]) {
    values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp()));
}

/// `values` holds `channels` planes; at each place they become positive and add up to 1.
fn softmax(values: &mut [f32], channels: usize) {
    /// Places at a time: their maxima and sums stay close by while plane after plane is read.
    const AT_ONCE: usize = 256;
    let places = values.len() / channels;
    for start in (0..places).step_by(AT_ONCE) {
        let count = AT_ONCE.min(places - start);
        let (mut tops, mut sums) = ([f32::NEG_INFINITY; AT_ONCE], [0.0; AT_ONCE]);
        let (tops, sums) = (&mut tops[..count], &mut sums[..count]);
        let plane = |channel: usize| channel * places + start..channel * places + start + count;
        for channel in 0..channels {
            tops.iter_mut().zip(&values[plane(channel)]).for_each(|(top, v)| *top = top.max(*v));
        }
        for channel in 0..channels {
            for ((value, top), sum) in values[plane(channel)].iter_mut().zip(&*tops).zip(&mut *sums)
            {
                *value = (*value - top).exp();
                *sum += *value;
            }
        }
        for channel in 0..channels {
            values[plane(channel)].iter_mut().zip(&*sums).for_each(|(value, sum)| *value /= sum);
        }
    }
}

/// The highest of `values` and 0. One number after the other would wait for the last comparison;
/// lanes need not.
fn highest(values: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (wide, rest) = values.as_chunks::<LANES>();
    let mut tops = [0.0_f32; LANES];
    for chunk in wide {
        tops.iter_mut().zip(chunk).for_each(|(top, value)| *top = top.max(*value));
    }
    rest.iter().chain(&tops).copied().fold(0.0, f32::max)
}

/// A probability as a score.
fn score_from(probability: f32) -> Result<Score, FindingFault> {
    Score::new(probability).map_err(|error| FindingFault::Runtime { message: error.to_string() })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::manifest::{Manifest, Tiling};
    use crate::tiling::Tiles;

    impl Reader {
        /// The finding of what came out for all tiles at once.
        pub fn read(&mut self, raws: &mut [Raw], look: Look) -> Result<Finding, FindingFault> {
            let tiles = Tiles::new(&self.input, true);
            self.begin();
            self.take(raws, tiles.places(), &look)?;
            self.finish(&look)
        }
    }

    /// A reader with input 64 x 32 and the labels `ok` and `scratch`.
    pub fn reader(kind: Kind, activation: Activation) -> Reader {
        reader_of(kind, |_, output| output.activation = activation)
    }

    /// The same with tiles.
    pub fn tiled(kind: Kind, activation: Activation, tiling: Tiling) -> Reader {
        reader_of(kind, |input, output| {
            input.tiling = Some(tiling);
            output.activation = activation;
        })
    }

    /// The same with whatever `change` makes of the manifest.
    pub fn reader_of(kind: Kind, change: impl Fn(&mut InputSpec, &mut OutputSpec)) -> Reader {
        let mut manifest = Manifest::from_text(crate::manifest::tests::TEXT).unwrap();
        change(&mut manifest.input, &mut manifest.output);
        Reader::new(kind, Sha256::of(b""), &manifest.input, &manifest.output)
    }

    /// A look at a crop on an input of 64 x 32.
    pub fn look(crop: RectPx, placement: Placement) -> Look {
        let manifest = Manifest::from_text(crate::manifest::tests::TEXT).unwrap();
        Look::new(3, crop, placement, &manifest.input)
    }

    pub const AS_IS: Placement =
        Placement { offset_x_px: 0.0, offset_y_px: 0.0, scale_x: 1.0, scale_y: 1.0 };

    fn read(activation: Activation, values: &[f32]) -> Result<Finding, FindingFault> {
        let raw = Raw { shape: vec![1, 2], values: values.to_vec() };
        let look = look(RectPx::new(0, 0, 64, 32), AS_IS);
        reader(Kind::Classifier, activation).read(&mut [raw], look)
    }

    #[test]
    fn softmax_lets_channels_compete_at_each_place() {
        let mut values = [0.0, 1000.0, -1000.0, 0.0, 0.0, 3_f32.ln()];
        softmax(&mut values, 2);
        assert_eq!(values[..2], [0.5, 1.0]);
        assert_eq!(values[3..5], [0.5, 0.0]);
        assert!(values[2].abs() < 1e-6 && (values[5] - 1.0).abs() < 1e-6);
    }

    #[test]
    fn each_activation_gives_probabilities() {
        let scores = |activation, values| {
            let finding = read(activation, values).unwrap();
            finding.classes.iter().map(|class| class.score.get()).collect::<Vec<_>>()
        };
        assert_eq!(scores(Activation::Softmax, &[2.0, 2.0]), [0.5, 0.5]);
        assert_eq!(scores(Activation::Sigmoid, &[0.0, -200.0]), [0.5, 0.0]);
        assert_eq!(scores(Activation::None, &[1.0005, 0.25]), [1.0, 0.25]);
    }

    #[test]
    fn what_is_not_finite_is_a_fault() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for activation in [Activation::Softmax, Activation::Sigmoid, Activation::None] {
                let fault = read(activation, &[0.5, bad]).unwrap_err();
                assert_eq!(fault, FindingFault::NotFinite { output: "heatmap".into() });
            }
        }
    }

    #[test]
    fn what_is_no_probability_is_a_fault() {
        let fault = read(Activation::None, &[0.5, 1.5]).unwrap_err();
        assert!(fault.to_string().contains("1.5"), "{fault}");
    }

    #[test]
    fn a_shape_that_is_not_the_kinds_is_a_fault() {
        for shape in [vec![1, 2, 1, 1], vec![2], vec![1, 3], vec![2, 2], vec![1, 2, 0, 4]] {
            let raw = Raw { values: vec![0.5; shape.iter().product()], shape };
            let look = look(RectPx::new(0, 0, 64, 32), AS_IS);
            for kind in [Kind::Classifier, Kind::Segmenter] {
                if raw.shape == [1, 2, 1, 1] && kind == Kind::Segmenter {
                    continue;
                }
                let fault =
                    reader(kind, Activation::None).read(&mut [raw.clone()], look).unwrap_err();
                assert!(fault.to_string().contains(kind.output_shape()), "{fault}");
            }
        }
    }
}
