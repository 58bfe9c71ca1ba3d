//! What the person who imports says of a network: takes flags and their text, gives values.

use domain::SizePx;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};

use super::ImportError;
use super::normalise::Normalise;
use crate::kinds::Kind;
use crate::manifest::{Activation, BoxLayout, Colour, Resize};

/// A setting that may be told.
#[derive(Debug)]
pub struct Setting {
    /// The flag, `--colour`.
    pub flag: &'static str,
    /// The manifest's key that it sets.
    pub key: &'static str,
    /// What the flag takes.
    pub right: &'static str,
}

/// Every setting that may be told, in the order in which they are shown.
pub const SETTINGS: [Setting; 15] = [
    setting("--kind", "kind", "classifier, segmenter, detector or anomaly_map"),
    setting("--output", "output.name", "the name of one of the graph's outputs"),
    setting("--layout", "output.boxes.layout", "yolo_v5, yolo_v8, end_to_end or detr"),
    setting("--size", "input.width", "WIDTHxHEIGHT in pixels, like 640x480"),
    setting("--colour", "input.colour", "rgb, bgr or gray"),
    setting(
        "--normalise",
        "input.mean",
        "0..1, imagenet, -1..1, 0..255, or MEAN/STD in parts of 1 like 0.5,0.5,0.5/0.2,0.2,0.2",
    ),
    setting("--resize", "input.resize", "letterbox or stretch"),
    setting("--pad", "input.pad", "brightness of the border, 0 to 1"),
    setting(
        "--labels",
        "output.labels",
        "a word for each channel, in their order, like ok,scratch",
    ),
    setting("--good", "output.good", "the label that is no defect"),
    setting("--activation", "output.activation", "softmax, sigmoid or none"),
    setting("--range", "output.anomaly", "LOW,HIGH: the map's usual and surely bad numbers"),
    setting("--licence", "licence", "the weights' licence, like MIT"),
    setting("--name", "name", "what people shall call the model"),
    setting("--description", "description", "what it finds, in a sentence"),
];

const fn setting(flag: &'static str, key: &'static str, right: &'static str) -> Setting {
    Setting { flag, key, right }
}

/// What was told; the rest is proposed.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    pub(super) kind: Option<Kind>,
    pub(super) output: Option<String>,
    pub(super) layout: Option<BoxLayout>,
    pub(super) size: Option<SizePx>,
    pub(super) colour: Option<Colour>,
    pub(super) normalise: Option<Normalise>,
    pub(super) resize: Option<Resize>,
    pub(super) pad: Option<f32>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) good: Option<String>,
    pub(super) activation: Option<Activation>,
    pub(super) range: Option<(f32, f32)>,
    pub(super) licence: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
}

impl Wishes {
    /// Takes `text` as what `flag`, one of [`SETTINGS`], was told.
    ///
    /// # Errors
    /// When there is no such flag, or the text is none of what it takes.
    pub fn tell(&mut self, flag: &str, text: &str) -> Result<(), ImportError> {
        let text = text.trim();
        let taken = match flag {
            "--kind" => told(&mut self.kind, word(text)),
            "--output" => told(&mut self.output, words(text)),
            "--layout" => told(&mut self.layout, word(text)),
            "--size" => told(&mut self.size, size_from_text(text)),
            "--colour" => told(&mut self.colour, word(text)),
            "--normalise" => told(&mut self.normalise, Normalise::from_text(text)),
            "--resize" => told(&mut self.resize, word(text)),
            "--pad" => told(&mut self.pad, number(text).filter(|pad| (0.0..=1.0).contains(pad))),
            "--labels" => told(&mut self.labels, list(text)),
            "--good" => told(&mut self.good, words(text)),
            "--activation" => told(&mut self.activation, word(text)),
            "--range" => told(&mut self.range, range_from_text(text)),
            "--licence" => told(&mut self.licence, words(text)),
            "--name" => told(&mut self.name, words(text)),
            "--description" => told(&mut self.description, words(text)),
            _ => false,
        };
        if taken {
            return Ok(());
        }
        let known = SETTINGS.iter().find(|setting| setting.flag == flag);
        let right = known.map_or("one of the flags there are", |setting| setting.right);
        Err(ImportError::Wish { flag: flag.to_owned(), told: text.to_owned(), right: right.into() })
    }
}

/// Puts what was told in its place; says whether there was something.
fn told<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let taken = value.is_some();
    if taken {
        *place = value;
    }
    taken
}

/// An enum of the manifest from its word.
fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    T::deserialize(StrDeserializer::<Error>::new(text)).ok()
}

/// The word of one of the manifest's enums.
pub(crate) fn word_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn words(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn number(text: &str) -> Option<f32> {
    text.trim().parse().ok().filter(|number: &f32| number.is_finite())
}

pub(super) fn numbers(text: &str) -> Option<Vec<f32>> {
    text.split(',').map(number).collect()
}

fn list(text: &str) -> Option<Vec<String>> {
    let labels: Vec<_> = text.split(',').map(|label| label.trim().to_owned()).collect();
    labels.iter().all(|label| !label.is_empty()).then_some(labels)
}

fn size_from_text(text: &str) -> Option<SizePx> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=8192).contains(side));
    let (width, height) = text.split_once(['x', 'X'])?;
    Some(SizePx::new(side(width)?, side(height)?))
}

fn range_from_text(text: &str) -> Option<(f32, f32)> {
    let (low, high) = text.split_once(',')?;
    let (low, high) = (number(low)?, number(high)?);
    (low < high).then_some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_takes_what_it_says_and_nothing_else() {
        for (flag, good, bad) in [
            ("--kind", "anomaly_map", "oracle"),
            ("--output", "logits", ""),
            ("--layout", "yolo_v8", "yolo"),
            ("--size", "640x480", "640"),
            ("--size", "1x8192", "0x10"),
            ("--colour", "bgr", "BRG"),
            ("--normalise", "imagenet", "some"),
            ("--normalise", "0.5/0.25", "0.5/0"),
            ("--resize", "letterbox", "crop"),
            ("--pad", "0.447", "114"),
            ("--labels", "ok, scratch", "ok,,scratch"),
            ("--good", "ok", " "),
            ("--activation", "none", "relu"),
            ("--range", "-0.5,12", "3,2"),
            ("--licence", "MIT", ""),
            ("--name", "brackets", ""),
            ("--description", "finds scratches", ""),
        ] {
            let mut wishes = Wishes::default();
            wishes.tell(flag, good).unwrap_or_else(|error| panic!("{error}"));
            let error = wishes.tell(flag, bad).unwrap_err().to_string();
            let setting = SETTINGS.iter().find(|setting| setting.flag == flag).unwrap();
            assert!(error.contains(flag) && error.contains(setting.right), "{error}");
        }
        assert!(Wishes::default().tell("--colours", "rgb").is_err());
    }

    #[test]
    fn words_of_enums_are_those_of_the_manifest() {
        assert_eq!(word_of(&BoxLayout::YoloV8), "yolo_v8");
        assert_eq!(word::<BoxLayout>("end_to_end"), Some(BoxLayout::EndToEnd));
        assert_eq!(word_of(&Kind::AnomalyMap), "anomaly_map");
    }
}
