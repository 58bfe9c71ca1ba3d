//! What networks say and how it is read: takes the numbers a graph put out, gives a
//! [`domain::Finding`]. A file and a variant of [`Kind`] for each kind of network.

mod classifier;
mod segmenter;

use std::sync::Arc;

use domain::{
    ClassScore, Defect, Finding, FindingFault, Heatmap, Placement, RectPx, Score, Sha256,
};
use serde::{Deserialize, Serialize};

use crate::manifest::{Activation, InputSpec, OutputSpec};
use crate::session::Raw;

/// What a network does with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Says of each cell of a grid what is there: output `[1, labels, rows, columns]`.
    Segmenter,
    /// Says of the whole picture what it shows: output `[1, labels]`.
    Classifier,
    /// Draws boxes around what it finds; layouts in [`crate::manifest::BoxLayout`].
    Detector,
    /// Says of each place how unlike good parts it is: output `[1, 1, rows, columns]`, perhaps
    /// a score beside it.
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
            Self::AnomalyMap => "[1, 1, rows, columns]",
        }
    }

    /// How many numbers the output's shape has.
    pub(crate) const fn rank(self) -> usize {
        match self {
            Self::Segmenter | Self::AnomalyMap => 4,
            Self::Classifier => 2,
            Self::Detector => 3,
        }
    }
}

/// Which picture an answer is about, and where it lay in the input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Which of the part's views.
    pub view: usize,
    pub crop: RectPx,
    pub placement: Placement,
}

/// Reads what one network puts out. Its labels are shared with every finding.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    kind: Kind,
    model: Sha256,
    output: OutputSpec,
    labels: Arc<[Arc<str>]>,
    /// Names of the outputs it reads, in the order it takes them.
    outputs: Vec<String>,
    input_width: f64,
    input_height: f64,
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
            output: output.clone(),
            outputs: output.names().map(str::to_owned).collect(),
            labels: output.labels.iter().map(|label| label.as_str().into()).collect(),
            input_width: input.width.into(),
            input_height: input.height.into(),
        }
    }

    pub fn labels(&self) -> &[Arc<str>] {
        &self.labels
    }

    /// Names of the outputs it reads, in the order it takes them.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Labels that are a defect's, with their channels.
    fn defect_labels(&self) -> impl Iterator<Item = (usize, &Arc<str>)> {
        self.labels.iter().enumerate().filter(|(_, label)| ***label != *self.output.good)
    }

    /// Turns `raws`, one for each of [`Self::outputs`], into a finding; their values become
    /// probabilities on the way.
    pub fn read(&self, raws: &mut [Raw], look: Look) -> Result<Finding, FindingFault> {
        let raw = &mut raws[0];
        self.check_shape(&raw.shape)?;
        self.activate(&mut raw.values)?;
        let reading = match self.kind {
            Kind::Segmenter => segmenter::read(self, raw, look)?,
            Kind::Classifier => classifier::read(self, raw, look)?,
            Kind::Detector | Kind::AnomalyMap => {
                let message = format!("{:?} can't be read yet", self.kind);
                return Err(FindingFault::Runtime { message });
            }
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

    fn check_shape(&self, shape: &[usize]) -> Result<(), FindingFault> {
        let fits = shape.len() == self.kind.rank()
            && shape[..2] == [1, self.labels.len()]
            && shape.iter().all(|side| *side > 0);
        if fits {
            return Ok(());
        }
        let (name, wanted) = (&self.output.name, self.kind.output_shape());
        let labels = self.labels.len();
        let message = format!("its output `{name}` is {shape:?}, not {wanted} of {labels} labels");
        Err(FindingFault::Runtime { message })
    }

    /// Makes probabilities of the network's numbers, over the channels.
    fn activate(&self, values: &mut [f32]) -> Result<(), FindingFault> {
        if values.iter().any(|value| !value.is_finite()) {
            return Err(FindingFault::NotFinite { output: self.output.name.clone() });
        }
        match self.output.activation {
            Activation::Softmax => softmax(values, self.labels.len()),
            Activation::Sigmoid => {
                values.iter_mut().for_each(|value| *value = 1.0 / (1.0 + (-*value).exp()));
            }
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

/// `values` holds `channels` planes; at each place they become positive and add up to 1.
fn softmax(values: &mut [f32], channels: usize) {
    let places = values.len() / channels;
    for place in 0..places {
        let at = |channel: usize| channel * places + place;
        let top = (0..channels).map(|c| values[at(c)]).fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for channel in 0..channels {
            let value = (values[at(channel)] - top).exp();
            values[at(channel)] = value;
            sum += value;
        }
        (0..channels).for_each(|channel| values[at(channel)] /= sum);
    }
}

/// A probability as a score.
fn score_from(probability: f32) -> Result<Score, FindingFault> {
    Score::new(probability).map_err(|error| FindingFault::Runtime { message: error.to_string() })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::manifest::Manifest;

    /// A reader with input 64 x 32 and the labels `ok` and `scratch`.
    pub fn reader(kind: Kind, activation: Activation) -> Reader {
        let mut manifest = Manifest::from_text(crate::manifest::tests::TEXT).unwrap();
        manifest.output.activation = activation;
        Reader::new(kind, Sha256::of(b""), &manifest.input, &manifest.output)
    }

    pub fn look(crop: RectPx, placement: Placement) -> Look {
        Look { view: 3, crop, placement }
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
