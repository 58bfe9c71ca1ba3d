//! A bundle's `model.toml`: takes its text, gives a [`Manifest`] whose values make sense together.
//!
//! Nothing here opens another file; [`crate::bundle`] does, and holds them against the manifest.

use std::collections::{BTreeMap, HashSet};
use std::path::{Component, Path, PathBuf};

use domain::{Sha256, SizePx, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::Kind;

/// The only version of `model.toml` there is.
pub const SCHEMA: i64 = 1;

/// A bundle's `model.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format: 1.
    pub schema: i64,
    /// What people call the model.
    pub name: String,
    /// What it does with a picture.
    pub kind: Kind,
    /// Under which licence the weights may be used.
    pub licence: String,
    /// What it finds, in a sentence.
    pub description: String,
    /// The network.
    pub file: FileSpec,
    /// What the network takes.
    pub input: InputSpec,
    /// What the network gives.
    pub output: OutputSpec,
    /// How it came about: `trained_on`, `split`, `recipe`, … Free words.
    #[serde(default)]
    pub provenance: BTreeMap<String, String>,
    /// Pictures with the answers that the network must give.
    #[serde(default)]
    pub golden: Vec<Golden>,
}

/// The network's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Path of the ONNX file, relative to the bundle's folder.
    pub onnx: PathBuf,
    /// Hash of its bytes.
    #[schemars(with = "String", regex(pattern = "^[0-9a-fA-F]{64}$"))]
    pub sha256: Sha256,
    /// In what it computes.
    #[serde(default)]
    pub precision: Precision,
    /// The bundle that this one was quantised from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub quantized_from: Option<Sha256>,
}

/// In what a network computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    Fp32,
    /// 16-bit floats inside; 32-bit ones go in and come out.
    Fp16,
    /// 8-bit integers, by QuantizeLinear and DequantizeLinear; floats go in and come out.
    Int8,
}

/// What the network takes: `[1, channels, height, width]` floats, `(pixel / 255 - mean) / std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Name of the graph's input.
    pub name: String,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How many channels, and which.
    pub colour: Colour,
    /// How a crop of another shape is made to fit.
    pub resize: Resize,
    /// Brightness of the border around a letterboxed crop, 0..=1, before normalisation.
    pub pad: f32,
    /// Subtracted from each channel.
    pub mean: Vec<f32>,
    /// Each channel is divided by it, after `mean` was subtracted.
    pub std: Vec<f32>,
    /// For parts that need more pixels than the network takes: a crop is shown to it in tiles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiling: Option<Tiling>,
}

/// A crop is made to fit a canvas of `columns` x `rows` tiles, each as large as the network's
/// input, neighbours sharing `overlap_px`; what the network says of each is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tiling {
    /// Tiles side by side.
    pub columns: u32,
    /// Tiles one below the other.
    pub rows: u32,
    /// Columns and rows that neighbours share, in pixels of the network's input.
    pub overlap_px: u32,
}

/// The channels a network takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red: what OpenCV's users train on.
    Bgr,
    /// Luma: the camera's own where it gives one, else 0.299 R + 0.587 G + 0.114 B.
    Gray,
}

impl Colour {
    /// How many channels.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Gray => 1,
        }
    }

    /// Where red (0), green (1) or blue (2) stands among the network's channels.
    pub(crate) const fn channel_of(self, rgb: usize) -> usize {
        match self {
            Self::Bgr => 2 - rgb,
            Self::Rgb | Self::Gray => rgb,
        }
    }
}

/// How a crop is made to fit the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// Aspect kept; centred, the border filled with `pad`.
    Letterbox,
    /// Width and height each scaled to fit.
    Stretch,
}

/// What the network gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// Name of the graph's output.
    pub name: String,
    /// What turns its numbers into probabilities, over the channel axis.
    pub activation: Activation,
    /// One a channel.
    pub labels: Vec<String>,
    /// The label that is no defect.
    pub good: String,
    /// Segmenters: from which probability a cell of the grid counts as a defect's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_threshold: Option<f32>,
    /// Segmenters: groups of fewer cells are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_cells: Option<u32>,
    /// Detectors: how boxes are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boxes: Option<BoxesSpec>,
    /// Anomaly maps: what their numbers mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<AnomalySpec>,
}

/// How a detector writes boxes. Labels leave out `output.good`: it has no channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoxesSpec {
    /// Where coordinates and scores stand.
    pub layout: BoxLayout,
    /// DETR layouts: the output that holds the boxes; `output.name` holds the scores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Boxes of a lower score are dropped.
    pub min_score: f32,
    /// Of two boxes of one label that share more of their union than this, the lower one goes.
    pub max_iou: f32,
    /// The most boxes that are kept, best first.
    pub max_boxes: u32,
}

/// Where a detector's coordinates and scores stand; coordinates in pixels of the input unless said
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BoxLayout {
    /// `[1, boxes, 5 + labels]`: middle x, middle y, width, height, objectness, label scores
    /// (YOLO v5, v7).
    YoloV5,
    /// `[1, 4 + labels, boxes]`: middle x, middle y, width, height, label scores (YOLO v8 to v11).
    YoloV8,
    /// `[1, boxes, 6]`: left, top, right, bottom, score, label's number (exports with NMS, v10).
    EndToEnd,
    /// Two outputs, scores `[1, queries, labels]` and boxes `[1, queries, 4]`: middle x, middle
    /// y, width, height as parts of the input (RT-DETR, RF-DETR).
    Detr,
}

/// What an anomaly map's numbers mean: `(value - low) / (high - low)`, cut at 0 and 1, is the
/// probability that a place is defective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnomalySpec {
    /// The number that becomes 0: usual for good parts.
    pub low: f32,
    /// The number that becomes 1: surely no good part.
    pub high: f32,
    /// The output that scores the whole picture, on the same scale; where there is none, the
    /// map's highest place does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
}

/// What turns a network's numbers into probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The channels of a place compete; they add up to 1.
    Softmax,
    /// Each channel by itself.
    Sigmoid,
    /// They are probabilities already.
    None,
}

/// A picture with the answer that the network must give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// Path of a PNG, 8-bit gray or RGB, relative to the bundle's folder.
    pub image: PathBuf,
    /// Hash of its bytes.
    #[schemars(with = "String", regex(pattern = "^[0-9a-fA-F]{64}$"))]
    pub sha256: Sha256,
    /// Score of each label, in the order of `output.labels`.
    pub expected: Vec<f32>,
    /// How far each score may be off.
    pub tolerance: f32,
}

/// Largest tolerance of a golden sample; with more, a broken model would reproduce it.
const TOLERANCE_MAX: f32 = 0.1;

/// Why a text is no manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not TOML; with place.
    NotToml(String),
    /// A key that does not belong, is missing, or has a value of the wrong type; with place.
    WrongKey(String),
    /// A path that leads out of the bundle's folder.
    PathEscapes { key: String, path: PathBuf },
    /// There is nothing to try the model on.
    NoGolden,
    /// A value that makes no sense.
    WrongValue { key: String, problem: String, right: String },
}

fn wrong(key: impl Into<String>, problem: impl Into<String>, right: impl Into<String>) -> Refusal {
    Refusal::WrongValue { key: key.into(), problem: problem.into(), right: right.into() }
}

impl Manifest {
    /// Reads and checks the text of a `model.toml`.
    pub(crate) fn from_text(text: &str) -> Result<Self, Refusal> {
        let table: toml::Table =
            toml::from_str(text).map_err(|error| Refusal::NotToml(error.to_string()))?;
        // Another version may have other keys; say that first.
        if let Some(schema) = table.get("schema")
            && schema.as_integer() != Some(SCHEMA)
        {
            return Err(wrong("schema", format!("{schema} is not known"), format!("{SCHEMA}")));
        }
        let manifest: Self =
            toml::from_str(text).map_err(|error| Refusal::WrongKey(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), Refusal> {
        for (key, text) in [("name", &self.name), ("licence", &self.licence)] {
            if text.trim().is_empty() {
                return Err(wrong(key, "it is empty", "a few words"));
            }
        }
        check_path("file.onnx", &self.file.onnx)?;
        self.input.check()?;
        self.output.check(self.kind)?;
        if self.golden.is_empty() {
            return Err(Refusal::NoGolden);
        }
        let labels = self.output.labels.len();
        self.golden.iter().enumerate().try_for_each(|(i, golden)| golden.check(i, labels))
    }
}

/// Refuses what is not a plain path downwards.
fn check_path(key: &str, path: &Path) -> Result<(), Refusal> {
    let downwards = path.components().all(|part| matches!(part, Component::Normal(_)));
    if downwards && path.components().next().is_some() {
        return Ok(());
    }
    Err(Refusal::PathEscapes { key: key.to_owned(), path: path.to_owned() })
}

impl InputSpec {
    /// Width and height.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        SizePx::new(self.width, self.height)
    }

    /// Batch, channels, rows, columns.
    #[must_use]
    pub const fn shape(&self) -> [usize; 4] {
        [1, self.colour.channels(), self.height as usize, self.width as usize]
    }

    /// An empty tensor of the right shape, for [`crate::Shaper::prepare`] to fill again and again.
    #[must_use]
    pub fn tensor(&self) -> Tensor {
        let placement =
            domain::Placement { offset_x_px: 0.0, offset_y_px: 0.0, scale_x: 1.0, scale_y: 1.0 };
        let shape = self.shape();
        Tensor { shape, data: vec![0.0; shape.iter().product()], placement }
    }

    fn check(&self) -> Result<(), Refusal> {
        for (key, side) in [("input.width", self.width), ("input.height", self.height)] {
            if !(1..=8192).contains(&side) {
                return Err(wrong(key, format!("it is {side}"), "1 to 8192 pixels"));
            }
        }
        if !(0.0..=1.0).contains(&self.pad) {
            return Err(wrong("input.pad", format!("it is {}", self.pad), "0 to 1"));
        }
        let channels = self.colour.channels();
        for (key, values) in [("input.mean", &self.mean), ("input.std", &self.std)] {
            if values.len() != channels {
                let right = format!("{channels}, one a channel of `input.colour`");
                return Err(wrong(key, format!("it has {} numbers", values.len()), right));
            }
        }
        if let Some(mean) = self.mean.iter().find(|mean| !mean.is_finite()) {
            return Err(wrong("input.mean", format!("it holds {mean}"), "finite numbers"));
        }
        // What divides must not make the input infinite, nor turn it round by mistake.
        if let Some(std) = self.std.iter().find(|std| !(std.is_finite() && **std > 1e-6)) {
            return Err(wrong("input.std", format!("it holds {std}"), "numbers above 0"));
        }
        Ok(())
    }
}

impl OutputSpec {
    /// Names of the graph's outputs that are read, the first of them `name`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let boxes = self.boxes.as_ref().and_then(|boxes| boxes.name.as_deref());
        let score = self.anomaly.as_ref().and_then(|anomaly| anomaly.score.as_deref());
        [Some(&*self.name), boxes, score].into_iter().flatten()
    }

    fn check(&self, kind: Kind) -> Result<(), Refusal> {
        let key = "output.labels";
        if self.labels.len() < 2 {
            return Err(wrong(key, "no label is a defect", "the good label and at least another"));
        }
        let mut seen = HashSet::new();
        for label in &self.labels {
            if label.trim().is_empty() {
                return Err(wrong(key, "a label is empty", "a word for each"));
            }
            if !seen.insert(label) {
                return Err(wrong(key, format!("`{label}` is there twice"), "each label once"));
            }
        }
        if !seen.contains(&self.good) {
            let problem = format!("`{}` is no label", self.good);
            return Err(wrong("output.good", problem, format!("one of {:?}", self.labels)));
        }
        self.check_cells(kind)
    }

    fn check_cells(&self, kind: Kind) -> Result<(), Refusal> {
        let (threshold_key, cells_key) = ("output.pixel_threshold", "output.min_cells");
        match (kind, self.pixel_threshold, self.min_cells) {
            (Kind::Segmenter, None, _) => {
                Err(wrong(threshold_key, "a segmenter needs it", "a number above 0, at most 1"))
            }
            (Kind::Segmenter, _, None) => {
                Err(wrong(cells_key, "a segmenter needs it", "a number from 1"))
            }
            (Kind::Segmenter, Some(threshold), _) if !(threshold > 0.0 && threshold <= 1.0) => {
                let problem = format!("it is {threshold}");
                Err(wrong(threshold_key, problem, "a number above 0, at most 1"))
            }
            (Kind::Segmenter, _, Some(0)) => Err(wrong(cells_key, "it is 0", "a number from 1")),
            (Kind::Classifier, Some(_), _) => {
                Err(wrong(threshold_key, "a classifier has no cells", "no such key"))
            }
            (Kind::Classifier, _, Some(_)) => {
                Err(wrong(cells_key, "a classifier has no cells", "no such key"))
            }
            _ => Ok(()),
        }
    }
}

impl Golden {
    fn check(&self, index: usize, labels: usize) -> Result<(), Refusal> {
        let place = format!("golden[{index}]");
        check_path(&format!("{place}.image"), &self.image)?;
        let key = format!("{place}.expected");
        if self.expected.len() != labels {
            let problem = format!("it has {} numbers", self.expected.len());
            return Err(wrong(key, problem, format!("{labels}, one a label")));
        }
        if let Some(score) = self.expected.iter().find(|score| !(0.0..=1.0).contains(*score)) {
            return Err(wrong(key, format!("it holds {score}"), "scores from 0 to 1"));
        }
        if !(self.tolerance > 0.0 && self.tolerance <= TOLERANCE_MAX) {
            let problem = format!("it is {}", self.tolerance);
            let right = format!("above 0, at most {TOLERANCE_MAX}");
            return Err(wrong(format!("{place}.tolerance"), problem, right));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) const TEXT: &str = r#"
schema = 1
name = "tiles"
kind = "segmenter"
licence = "MIT"
description = "finds scratches"
[file]
onnx = "model.onnx"
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
[input]
name = "image"
width = 64
height = 32
colour = "rgb"
resize = "letterbox"
pad = 0.0
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
[output]
name = "heatmap"
activation = "softmax"
labels = ["ok", "scratch"]
good = "ok"
pixel_threshold = 0.3
min_cells = 2
[provenance]
trained_on = "nothing"
[[golden]]
image = "golden/01.png"
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
expected = [0.99, 0.01]
tolerance = 0.01
"#;

    #[test]
    fn a_good_manifest_is_taken() {
        let manifest = Manifest::from_text(TEXT).unwrap();
        assert_eq!(manifest.kind, Kind::Segmenter);
        assert_eq!(manifest.input.shape(), [1, 3, 32, 64]);
        assert_eq!(manifest.provenance["trained_on"], "nothing");
    }

    #[test]
    fn what_is_not_toml_is_told_with_its_line() {
        let Err(Refusal::NotToml(message)) = Manifest::from_text("schema = 1\nname = = 2\n") else {
            panic!("expected a refusal")
        };
        assert!(message.contains("line 2"), "{message}");
    }

    #[test]
    fn unknown_missing_and_ill_typed_keys_are_named() {
        for (from, to, named) in [
            ("[file]", "colour = 1\n[file]", "colour"),
            ("pad = 0.0", "pad = 0.0\npadd = 1", "padd"),
            ("tolerance = 0.01", "tolerance = 0.01\ntolerence = 1", "tolerence"),
            ("licence = \"MIT\"\n", "", "licence"),
            ("kind = \"segmenter\"", "kind = \"oracle\"", "oracle"),
            ("width = 64", "width = \"64\"", "width"),
            ("sha256 = \"e3b0", "sha256 = \"zz\" # ", "64 hex digits"),
        ] {
            match Manifest::from_text(&TEXT.replacen(from, to, 1)) {
                Err(Refusal::WrongKey(message)) => {
                    assert!(message.contains(named) && message.contains("line"), "{message}");
                }
                other => panic!("{named}: {other:?}"),
            }
        }
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        for (from, to, named) in [
            ("schema = 1", "schema = 2\nnew_key = 1", "schema"),
            ("name = \"tiles\"", "name = \" \"", "name"),
            ("licence = \"MIT\"", "licence = \"\"", "licence"),
            ("width = 64", "width = 0", "input.width"),
            ("height = 32", "height = 9000", "input.height"),
            ("pad = 0.0", "pad = 1.5", "input.pad"),
            ("pad = 0.0", "pad = nan", "input.pad"),
            ("mean = [0.5, 0.5, 0.5]", "mean = [0.5]", "input.mean"),
            ("mean = [0.5, 0.5, 0.5]", "mean = [0.5, inf, 0.5]", "input.mean"),
            ("std = [0.25, 0.25, 0.25]", "std = [0.25, 0.25]", "input.std"),
            ("std = [0.25, 0.25, 0.25]", "std = [0.25, 0.0, 0.25]", "input.std"),
            ("std = [0.25, 0.25, 0.25]", "std = [0.25, -1.0, 0.25]", "input.std"),
            ("std = [0.25, 0.25, 0.25]", "std = [0.25, nan, 0.25]", "input.std"),
            ("[\"ok\", \"scratch\"]", "[\"ok\", \"ok\"]", "output.labels"),
            ("[\"ok\", \"scratch\"]", "[\"ok\", \"\"]", "output.labels"),
            ("[\"ok\", \"scratch\"]", "[\"ok\"]", "output.labels"),
            ("good = \"ok\"", "good = \"fine\"", "output.good"),
            ("pixel_threshold = 0.3", "pixel_threshold = 0.0", "output.pixel_threshold"),
            ("pixel_threshold = 0.3\n", "", "output.pixel_threshold"),
            ("min_cells = 2", "min_cells = 0", "output.min_cells"),
            ("min_cells = 2\n", "", "output.min_cells"),
            ("\"segmenter\"", "\"classifier\"", "output.pixel_threshold"),
            ("[0.99, 0.01]", "[0.99]", "golden[0].expected"),
            ("[0.99, 0.01]", "[0.99, 1.01]", "golden[0].expected"),
            ("tolerance = 0.01", "tolerance = 0.0", "golden[0].tolerance"),
            ("tolerance = 0.01", "tolerance = 0.5", "golden[0].tolerance"),
        ] {
            match Manifest::from_text(&TEXT.replacen(from, to, 1)) {
                Err(Refusal::WrongValue { key, right, .. }) => {
                    assert_eq!(key, named);
                    assert!(!right.is_empty());
                }
                other => panic!("{named}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_classifier_has_no_cells() {
        let text = TEXT.replace("\"segmenter\"", "\"classifier\"");
        let text = text.replace("pixel_threshold = 0.3\n", "");
        let Err(Refusal::WrongValue { key, .. }) = Manifest::from_text(&text) else {
            panic!("expected a refusal")
        };
        assert_eq!(key, "output.min_cells");
        assert!(Manifest::from_text(&text.replace("min_cells = 2\n", "")).is_ok());
    }

    #[test]
    fn paths_lead_downwards() {
        for bad in ["../model.onnx", "/etc/passwd", "a/../../b", ""] {
            let text = TEXT.replace("onnx = \"model.onnx\"", &format!("onnx = \"{bad}\""));
            let path = PathBuf::from(bad);
            let refusal = Refusal::PathEscapes { key: "file.onnx".into(), path };
            assert_eq!(Manifest::from_text(&text), Err(refusal));
        }
        let text = TEXT.replace("golden/01.png", "../01.png");
        assert!(matches!(Manifest::from_text(&text), Err(Refusal::PathEscapes { .. })));
    }

    #[test]
    fn without_golden_samples_there_is_no_manifest() {
        let text = &TEXT[..TEXT.find("[[golden]]").unwrap()];
        assert_eq!(Manifest::from_text(text), Err(Refusal::NoGolden));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", cut in 0..TEXT.len(), with in "\\PC{0,8}") {
            let _ = Manifest::from_text(&text);
            let _ = Manifest::from_text(&format!("{}{with}{}", &TEXT[..cut], &TEXT[cut..]));
        }

        #[test]
        fn manifests_round_trip(width in 1_u32..=8192, pad in 0.0_f32..=1.0, cells in 1_u32..99) {
            let mut manifest = Manifest::from_text(TEXT).unwrap();
            manifest.input.width = width;
            manifest.input.pad = pad;
            manifest.output.min_cells = Some(cells);
            let text = toml::to_string(&manifest).unwrap();
            prop_assert_eq!(Manifest::from_text(&text), Ok(manifest));
        }
    }
}
