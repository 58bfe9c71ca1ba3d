//! A bundle's `model.toml`: takes its text, gives a [`Manifest`] whose values make sense together.
//!
//! Nothing here opens another file; [`crate::bundle`] does, and holds them against the manifest.

mod check;

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::{Sha256, SizePx, Tensor};
use serde::{Deserialize, Serialize};

use crate::kinds::Kind;
pub(crate) use check::Refusal;

/// The only version of `model.toml` there is.
pub const SCHEMA: i64 = 1;

/// A bundle's `model.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// Path of the ONNX file, relative to the bundle's folder.
    pub onnx: PathBuf,
    /// Hash of its bytes.
    pub sha256: Sha256,
    /// In what it computes.
    #[serde(default)]
    pub precision: Precision,
    /// The bundle that this one was quantised from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantized_from: Option<Sha256>,
}

/// In what a network computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
/// input, neighbours sharing `overlap_px`; what the network says of each is put together. Where
/// tiles overlap, the highest probability counts. Fed all at once where the graph leaves its batch
/// open, else one after the other. At most 64 tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resize {
    /// Aspect kept; centred, the border filled with `pad`.
    Letterbox,
    /// Width and height each scaled to fit.
    Stretch,
}

/// What the network gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    /// Name of the graph's output.
    pub name: String,
    /// What turns its numbers into probabilities, over the channel axis. Detectors: of the scores
    /// only. Anomaly maps: before `anomaly` is applied.
    pub activation: Activation,
    /// One a channel; but a detector's boxes have none for `good`, and an anomaly map has one
    /// channel, which is of the one label that is not `good`.
    pub labels: Vec<String>,
    /// The label that is no defect.
    pub good: String,
    /// Segmenters and anomaly maps: from which probability a cell of the grid counts as a defect's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_threshold: Option<f32>,
    /// Segmenters and anomaly maps: groups of fewer cells are dropped.
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxLayout {
    /// `[1, boxes, 5 + labels]`: middle x, middle y, width, height, objectness, label scores
    /// (YOLO v5, v7).
    YoloV5,
    /// `[1, 4 + labels, boxes]`: middle x, middle y, width, height, label scores (YOLO v8 to v11).
    YoloV8,
    /// `[1, boxes, 6]`: left, top, right, bottom, score, label's number (exports with NMS, v10).
    /// Labels count from 0 without `output.good`; rows with a score of 0 or less fill up.
    EndToEnd,
    /// Two outputs, scores `[1, queries, labels]` and boxes `[1, queries, 4]`: middle x, middle
    /// y, width, height as parts of the input (RT-DETR, RF-DETR). A channel of scores more than
    /// labels stands last, for "nothing" (DETR; RF-DETR's is not used): it competes in a softmax
    /// and is no label.
    Detr,
}

/// What an anomaly map's numbers mean: `(value - low) / (high - low)`, cut at 0 and 1, is the
/// probability that a place is defective.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// Path of a PNG, 8-bit gray or RGB, relative to the bundle's folder.
    pub image: PathBuf,
    /// Hash of its bytes.
    pub sha256: Sha256,
    /// Score of each label, in the order of `output.labels`.
    pub expected: Vec<f32>,
    /// How far each score may be off.
    pub tolerance: f32,
}

impl BoxLayout {
    /// What the outputs must look like, in words; a label is a defect's here.
    #[must_use]
    pub const fn output_shape(self) -> &'static str {
        match self {
            Self::YoloV5 => "[1, boxes, 5 + labels]",
            Self::YoloV8 => "[1, 4 + labels, boxes]",
            Self::EndToEnd => "[1, boxes, 6]",
            Self::Detr => "[1, queries, labels] or [1, queries, labels + 1]",
        }
    }
}

impl InputSpec {
    /// Width and height of what the network takes.
    #[must_use]
    pub const fn size(&self) -> SizePx {
        SizePx::new(self.width, self.height)
    }

    /// Width and height of what a crop is made to fit: the network's input, or as many tiles of
    /// it as `tiling` says.
    #[must_use]
    pub const fn canvas(&self) -> SizePx {
        let Some(Tiling { columns, rows, overlap_px }) = self.tiling else { return self.size() };
        SizePx::new(
            columns * (self.width - overlap_px) + overlap_px,
            rows * (self.height - overlap_px) + overlap_px,
        )
    }

    /// Batch, channels, rows, columns of the canvas: what [`crate::Model::run`] takes.
    #[must_use]
    pub const fn shape(&self) -> [usize; 4] {
        let canvas = self.canvas();
        [1, self.colour.channels(), canvas.height as usize, canvas.width as usize]
    }

    /// Batch, channels, rows, columns of the network's input.
    #[must_use]
    pub const fn network_shape(&self) -> [usize; 4] {
        [1, self.colour.channels(), self.height as usize, self.width as usize]
    }

    /// An empty tensor of the canvas's shape, for [`crate::Shaper::prepare`] to fill again and
    /// again.
    #[must_use]
    pub fn tensor(&self) -> Tensor {
        let placement =
            domain::Placement { offset_x_px: 0.0, offset_y_px: 0.0, scale_x: 1.0, scale_y: 1.0 };
        let shape = self.shape();
        Tensor { shape, data: vec![0.0; shape.iter().product()], placement }
    }
}

impl OutputSpec {
    /// Names of the graph's outputs that are read, the first of them `name`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let boxes = self.boxes.as_ref().and_then(|boxes| boxes.name.as_deref());
        let score = self.anomaly.as_ref().and_then(|anomaly| anomaly.score.as_deref());
        [Some(&*self.name), boxes, score].into_iter().flatten()
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

    /// [`TEXT`] as a detector's, an anomaly map's, and in tiles.
    pub(crate) fn texts() -> [String; 4] {
        let cells = "pixel_threshold = 0.3\nmin_cells = 2\n";
        let detector = TEXT
            .replace("\"segmenter\"", "\"detector\"")
            .replace("\"softmax\"", "\"none\"")
            .replace(cells, BOXES);
        let map = TEXT
            .replace("\"segmenter\"", "\"anomaly_map\"")
            .replace("\"softmax\"", "\"none\"")
            .replace(cells, &format!("{cells}{ANOMALY}"));
        let tiled = TEXT.replace("[output]", &format!("{TILING}[output]"));
        [TEXT.to_owned(), detector, map, tiled]
    }

    const BOXES: &str = r#"
[output.boxes]
layout = "detr"
name = "boxes"
min_score = 0.2
max_iou = 0.5
max_boxes = 100
"#;
    const ANOMALY: &str = r#"
[output.anomaly]
low = 1.0
high = 9.0
score = "pred_score"
"#;
    const TILING: &str = r#"
[input.tiling]
columns = 3
rows = 2
overlap_px = 8
"#;

    #[test]
    fn tiles_make_the_canvas_and_the_tensor_larger_and_the_network_no_other() {
        let input = Manifest::from_text(&texts()[3]).unwrap().input;
        assert_eq!((input.size(), input.canvas()), (SizePx::new(64, 32), SizePx::new(176, 56)));
        assert_eq!((input.shape(), input.network_shape()), ([1, 3, 56, 176], [1, 3, 32, 64]));
        assert_eq!(input.tensor().data.len(), 3 * 56 * 176);
    }

    #[test]
    fn every_output_that_is_read_is_named() {
        let [plain, boxes, map, _] = texts().map(|text| Manifest::from_text(&text).unwrap().output);
        assert_eq!(plain.names().collect::<Vec<_>>(), ["heatmap"]);
        assert_eq!(boxes.names().collect::<Vec<_>>(), ["heatmap", "boxes"]);
        assert_eq!(map.names().collect::<Vec<_>>(), ["heatmap", "pred_score"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in "\\PC*",
            of in 0..4_usize,
            cut in any::<prop::sample::Index>(),
            skip in 0..40_usize,
            with in "\\PC{0,8}",
        ) {
            let _ = Manifest::from_text(&text);
            let good = &texts()[of];
            let cut = cut.index(good.len());
            let (before, after) = (&good[..cut], &good[cut..]);
            let _ = Manifest::from_text(&format!("{before}{with}{after}"));
            let _ = Manifest::from_text(&format!("{before}{}", after.get(skip..).unwrap_or("")));
        }

        #[test]
        fn no_number_makes_it_panic(
            of in 0..4_usize,
            line in any::<prop::sample::Index>(),
            number in prop_oneof![
                any::<i64>().prop_map(|n| n.to_string()),
                any::<u32>().prop_map(|n| n.to_string()),
                any::<f32>().prop_map(|n| format!("{n:e}")),
                Just("nan".to_owned()),
            ],
        ) {
            let good = &texts()[of];
            let with_numbers = |line: &&str| {
                line.split_once(" = ").is_some_and(|(_, value)| value.parse::<f64>().is_ok())
            };
            let lines: Vec<_> = good.lines().filter(with_numbers).collect();
            let line = lines[line.index(lines.len())];
            let (key, _) = line.split_once(" = ").unwrap();
            let text = good.replacen(line, &format!("{key} = {number}"), 1);
            if let Ok(manifest) = Manifest::from_text(&text) {
                // What is taken is of a size that can be had.
                let [_, channels, height, width] = manifest.input.shape();
                prop_assert!(channels * height * width <= 1 << 26);
            }
        }

        #[test]
        fn manifests_round_trip(
            of in 0..4_usize,
            width in 9_u32..=8192,
            pad in 0.0_f32..=1.0,
            cells in 1_u32..99,
            (columns, rows, overlap_px) in (1_u32..=4, 1_u32..=4, 0_u32..9),
            layout in prop::sample::select(vec![
                BoxLayout::YoloV5, BoxLayout::YoloV8, BoxLayout::EndToEnd, BoxLayout::Detr,
            ]),
            (min_score, max_iou, max_boxes) in (0.001_f32..=1.0, 0.0_f32..=1.0, 1_u32..=1000),
            (low, high, scored) in (-9.0_f32..0.0, 0.1_f32..9.0, any::<bool>()),
        ) {
            let mut manifest = Manifest::from_text(&texts()[of]).unwrap();
            manifest.input.width = width;
            manifest.input.pad = pad;
            if let Some(tiling) = &mut manifest.input.tiling {
                *tiling = Tiling { columns, rows, overlap_px };
            }
            let output = &mut manifest.output;
            output.min_cells = output.min_cells.map(|_| cells);
            if let Some(boxes) = &mut output.boxes {
                let name = (layout == BoxLayout::Detr).then(|| "boxes".to_owned());
                *boxes = BoxesSpec { layout, name, min_score, max_iou, max_boxes };
            }
            if let Some(anomaly) = &mut output.anomaly {
                let score = scored.then(|| "pred_score".to_owned());
                *anomaly = AnomalySpec { low, high, score };
            }
            let text = toml::to_string(&manifest).unwrap();
            prop_assert_eq!(Manifest::from_text(&text), Ok(manifest));
        }
    }
}
