//! Every setting of a bundle, proposed: takes the choices, gives them as they are shown, and as a
//! manifest.

use std::path::PathBuf;

use domain::SizePx;

use super::Import;
use super::choice::{Choice, Item};
use super::normalise::Normalise;
use super::outputs::Found;
use super::wishes::{SETTINGS, word_of};
use crate::kinds::Kind;
use crate::manifest::{
    Activation, AnomalySpec, BoxesSpec, Colour, FileSpec, InputSpec, Manifest, OutputSpec, Resize,
    SCHEMA,
};

/// Every setting.
pub(super) struct Choices {
    pub found: Found,
    pub size: Choice<SizePx>,
    pub colour: Choice<Colour>,
    pub normalise: Choice<Normalise>,
    pub resize: Choice<Resize>,
    pub pad: Choice<f32>,
    pub labels: Choice<Vec<String>>,
    pub good: Choice<String>,
    pub activation: Choice<Activation>,
    pub range: Option<Choice<(f32, f32)>>,
    /// Licence, name, description.
    pub words: [Choice<String>; 3],
}

impl Choices {
    pub fn items(&self) -> Vec<Item> {
        let setting = |flag: &str| SETTINGS.iter().find(|setting| setting.flag == flag);
        let found = &self.found;
        let as_found =
            |value: String| Choice { value: Some(value), sure: found.sure, why: found.why.clone() };
        let text = |text: &String| text.clone();
        let [licence, name, description] = &self.words;
        let output = Choice::read(found.output.clone(), "one of the graph's");
        let layout = found.layout.map(|layout| as_found(word_of(&layout)));
        [
            setting("--kind").map(|s| as_found(word_of(&found.kind)).item(s, text)),
            setting("--output").map(|s| output.item(s, text)),
            setting("--layout").and_then(|s| Some(layout.as_ref()?.item(s, text))),
            setting("--size").map(|s| self.size.item(s, |v| format!("{}x{}", v.width, v.height))),
            setting("--colour").map(|s| self.colour.item(s, word_of)),
            setting("--normalise").map(|s| self.normalise.item(s, |v| v.name.clone())),
            setting("--resize").map(|s| self.resize.item(s, word_of)),
            setting("--pad").map(|s| self.pad.item(s, f32::to_string)),
            setting("--labels").map(|s| self.labels.item(s, |v| v.join(","))),
            setting("--good").map(|s| self.good.item(s, text)),
            setting("--activation").map(|s| self.activation.item(s, word_of)),
            setting("--range")
                .and_then(|s| Some(self.range.as_ref()?.item(s, |(a, b)| format!("{a},{b}")))),
            setting("--licence").map(|s| licence.item(s, text)),
            setting("--name").map(|s| name.item(s, text)),
            setting("--description").map(|s| description.item(s, text)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The manifest without golden samples, when every setting has a value.
    pub fn manifest(&self, import: &Import, input: &str) -> Option<Manifest> {
        let colour = self.colour.value?;
        let size = self.size.value?;
        let (mean, std) = self.normalise.value.as_ref()?.of_channels(colour);
        let [licence, name, description] = &self.words;
        Some(Manifest {
            schema: SCHEMA,
            name: name.value.clone()?,
            kind: self.found.kind,
            licence: licence.value.clone()?,
            description: description.value.clone()?,
            file: FileSpec {
                onnx: PathBuf::from("model.onnx"),
                sha256: import.sha256,
                precision: import.facts.precision,
                quantized_from: None,
            },
            input: InputSpec {
                name: input.to_owned(),
                width: size.width,
                height: size.height,
                colour,
                resize: self.resize.value?,
                pad: self.pad.value?,
                mean,
                std,
                tiling: None,
            },
            output: self.output()?,
            provenance: import.provenance(),
            golden: Vec::new(),
        })
    }

    fn output(&self) -> Option<OutputSpec> {
        let found = &self.found;
        let grid = matches!(found.kind, Kind::Segmenter | Kind::AnomalyMap);
        let anomaly = match &self.range {
            Some(range) => {
                let (low, high) = range.value?;
                Some(AnomalySpec { low, high, score: found.score.clone() })
            }
            None => None,
        };
        // Where to start from; `sightline model eval` finds better ones.
        let boxes = found.layout.map(|layout| BoxesSpec {
            layout,
            name: found.boxes.clone(),
            min_score: 0.25,
            max_iou: 0.45,
            max_boxes: 100,
        });
        Some(OutputSpec {
            name: found.output.clone(),
            activation: self.activation.value?,
            labels: self.labels.value.clone()?,
            good: self.good.value.clone()?,
            pixel_threshold: grid.then_some(0.5),
            min_cells: grid.then_some(1),
            boxes,
            anomaly,
        })
    }
}
