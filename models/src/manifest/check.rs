//! Whether the values of a manifest make sense together: takes its text, gives the manifest or the
//! key whose value is wrong, and what would be right.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use super::{
    Activation, AnomalySpec, BoxLayout, BoxesSpec, Golden, InputSpec, Manifest, OutputSpec, SCHEMA,
    Tiling,
};
use crate::kinds::Kind;

/// Largest tolerance of a golden sample; with more, a broken model would reproduce it.
const TOLERANCE_MAX: f32 = 0.1;

/// The most tiles of a crop.
const TILES_MAX: u32 = 64;

/// The most numbers that are made of one crop, all tiles together: 256 MiB.
const NUMBERS_MAX: u64 = 1 << 26;

/// The most boxes that can be kept of one crop.
const BOXES_MAX: u32 = 1000;

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
    fn check(&self) -> Result<(), Refusal> {
        for (key, side) in [("input.width", self.width), ("input.height", self.height)] {
            if !(1..=8192).contains(&side) {
                return Err(wrong(key, format!("it is {side}"), "1 to 8192 pixels"));
            }
        }
        self.tiling.map_or(Ok(()), |tiling| tiling.check(self))?;
        self.check_numbers()?;
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

    /// Nobody means to feed that much, and nothing is made of that size before it is known.
    fn check_numbers(&self) -> Result<(), Refusal> {
        let tiles = self.tiling.map_or(1, |tiling| u64::from(tiling.columns * tiling.rows));
        let numbers = self.size().area() * self.colour.channels() as u64 * tiles;
        if numbers <= NUMBERS_MAX {
            return Ok(());
        }
        let problem = format!("{} in {tiles} tiles are {numbers} numbers", self.size());
        Err(wrong("input", problem, format!("at most {NUMBERS_MAX}, fewer pixels or tiles")))
    }
}

impl Tiling {
    fn check(self, input: &InputSpec) -> Result<(), Refusal> {
        for (key, count) in [("columns", self.columns), ("rows", self.rows)] {
            if !(1..=TILES_MAX).contains(&count) {
                let right = format!("1 to {TILES_MAX}");
                return Err(wrong(format!("input.tiling.{key}"), format!("it is {count}"), right));
            }
        }
        let tiles = self.columns * self.rows;
        if tiles > TILES_MAX {
            let problem = format!("{} x {} are {tiles} tiles", self.columns, self.rows);
            return Err(wrong("input.tiling", problem, format!("at most {TILES_MAX} tiles")));
        }
        let least = input.width.min(input.height);
        if self.overlap_px >= least {
            let right = format!("less than a tile, of which the shorter side is {least}");
            return Err(wrong(
                "input.tiling.overlap_px",
                format!("it is {}", self.overlap_px),
                right,
            ));
        }
        Ok(())
    }
}

impl OutputSpec {
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
        self.check_cells(kind)?;
        self.check_boxes(kind)?;
        self.check_anomaly(kind)
    }

    fn check_cells(&self, kind: Kind) -> Result<(), Refusal> {
        let (threshold_key, cells_key) = ("output.pixel_threshold", "output.min_cells");
        let (what, has_cells) = match kind {
            Kind::Segmenter => ("a segmenter", true),
            Kind::AnomalyMap => ("an anomaly map", true),
            Kind::Classifier => ("a classifier", false),
            Kind::Detector => ("a detector", false),
        };
        let (missing, none) = (format!("{what} needs it"), format!("{what} has no cells"));
        let right = "a number above 0, at most 1";
        match (has_cells, self.pixel_threshold, self.min_cells) {
            (true, None, _) => Err(wrong(threshold_key, missing, right)),
            (true, _, None) => Err(wrong(cells_key, missing, "a number from 1")),
            (true, Some(threshold), _) if !(threshold > 0.0 && threshold <= 1.0) => {
                Err(wrong(threshold_key, format!("it is {threshold}"), right))
            }
            (true, _, Some(0)) => Err(wrong(cells_key, "it is 0", "a number from 1")),
            (false, Some(_), _) => Err(wrong(threshold_key, none, "no such key")),
            (false, _, Some(_)) => Err(wrong(cells_key, none, "no such key")),
            _ => Ok(()),
        }
    }

    fn check_boxes(&self, kind: Kind) -> Result<(), Refusal> {
        let key = "output.boxes";
        match (kind, &self.boxes) {
            (Kind::Detector, None) => {
                Err(wrong(key, "a detector needs it", "a table: layout, min_score, max_iou, …"))
            }
            (Kind::Detector, Some(boxes)) => boxes.check(self),
            (_, Some(_)) => Err(wrong(key, "only a detector has boxes", "no such key")),
            (_, None) => Ok(()),
        }
    }

    fn check_anomaly(&self, kind: Kind) -> Result<(), Refusal> {
        let key = "output.anomaly";
        match (kind, &self.anomaly) {
            (Kind::AnomalyMap, None) => {
                Err(wrong(key, "an anomaly map needs it", "a table: low and high"))
            }
            (Kind::AnomalyMap, Some(anomaly)) => anomaly.check(self),
            (_, Some(_)) => Err(wrong(key, "only an anomaly map has it", "no such key")),
            (_, None) => Ok(()),
        }
    }
}

impl BoxesSpec {
    fn check(&self, output: &OutputSpec) -> Result<(), Refusal> {
        let key = "output.boxes.name";
        match (self.layout, &self.name) {
            (BoxLayout::Detr, None) => {
                return Err(wrong(key, "this layout needs it", "the output that holds the boxes"));
            }
            (BoxLayout::Detr, Some(name)) if *name == output.name => {
                let right = "the scores in `output.name` and the boxes here";
                return Err(wrong(key, format!("`{name}` holds the scores"), right));
            }
            (BoxLayout::Detr, _) | (_, None) => {}
            (_, Some(_)) => {
                let right = "no such key, or the layout `detr`";
                return Err(wrong(key, "this layout has boxes and scores in one output", right));
            }
        }
        if !(self.min_score > 0.0 && self.min_score <= 1.0) {
            let problem = format!("it is {}", self.min_score);
            return Err(wrong("output.boxes.min_score", problem, "a number above 0, at most 1"));
        }
        if !(0.0..=1.0).contains(&self.max_iou) {
            let right = "0 to 1, where 1 keeps every box";
            return Err(wrong("output.boxes.max_iou", format!("it is {}", self.max_iou), right));
        }
        if !(1..=BOXES_MAX).contains(&self.max_boxes) {
            let (problem, right) =
                (format!("it is {}", self.max_boxes), format!("1 to {BOXES_MAX}"));
            return Err(wrong("output.boxes.max_boxes", problem, right));
        }
        let right = match (self.layout, output.activation) {
            (BoxLayout::EndToEnd, Activation::Softmax | Activation::Sigmoid) => {
                "none: the scores of this layout are probabilities"
            }
            (BoxLayout::YoloV5 | BoxLayout::YoloV8, Activation::Softmax) => {
                "none or sigmoid: labels do not compete in this layout"
            }
            _ => return Ok(()),
        };
        let problem = format!("it is {:?}", output.activation).to_lowercase();
        Err(wrong("output.activation", problem, right))
    }
}

impl AnomalySpec {
    fn check(&self, output: &OutputSpec) -> Result<(), Refusal> {
        for (key, number) in [("output.anomaly.low", self.low), ("output.anomaly.high", self.high)]
        {
            if !number.is_finite() {
                return Err(wrong(key, format!("it is {number}"), "a finite number"));
            }
        }
        let apart = self.high - self.low;
        // Its inverse must be finite too.
        if !(apart.is_finite() && apart > 1e-30) {
            let problem = format!("it is {}, and low is {}", self.high, self.low);
            return Err(wrong("output.anomaly.high", problem, "a number above low"));
        }
        if self.score.as_ref() == Some(&output.name) {
            let right = "another output than the map's, or no such key";
            return Err(wrong("output.anomaly.score", "`output.name` holds the map", right));
        }
        if output.activation == Activation::Softmax {
            let right = "none or sigmoid: there is nothing to compete with";
            return Err(wrong("output.activation", "it is softmax", right));
        }
        if output.labels.len() != 2 {
            let problem = format!("there are {}", output.labels.len());
            return Err(wrong("output.labels", problem, "two: the good one, and one for the rest"));
        }
        Ok(())
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
mod tests {
    use super::super::tests::{TEXT, texts};
    use super::*;

    /// That each of `changes`, made to `text`, is refused, and for the value that it names.
    fn each_is_named(text: &str, changes: &[(&str, &str, &str)]) {
        for (from, to, named) in changes {
            assert!(text.contains(from), "{from}");
            match Manifest::from_text(&text.replacen(from, to, 1)) {
                Err(Refusal::WrongValue { key, problem, right }) => {
                    assert_eq!(key, *named, "{from} -> {to}: {problem}");
                    assert!(!right.is_empty() && !problem.is_empty());
                }
                other => panic!("{named}: {from} -> {to}: {other:?}"),
            }
        }
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        each_is_named(
            TEXT,
            &[
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
            ],
        );
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
    fn a_detectors_values_that_make_no_sense_are_named() {
        let [plain, text, ..] = texts();
        let boxes = &text[text.find("[output.boxes]").unwrap()..text.find("[prov").unwrap()];
        each_is_named(
            &text,
            &[
                (boxes, "", "output.boxes"),
                ("\"detector\"", "\"classifier\"", "output.boxes"),
                ("good = \"ok\"", "good = \"ok\"\nmin_cells = 1", "output.min_cells"),
                ("good = \"ok\"", "good = \"ok\"\npixel_threshold = 0.5", "output.pixel_threshold"),
                ("name = \"boxes\"\n", "", "output.boxes.name"),
                ("name = \"boxes\"", "name = \"heatmap\"", "output.boxes.name"),
                ("\"detr\"", "\"yolo_v5\"", "output.boxes.name"),
                ("min_score = 0.2", "min_score = 0.0", "output.boxes.min_score"),
                ("min_score = 0.2", "min_score = nan", "output.boxes.min_score"),
                ("max_iou = 0.5", "max_iou = 1.5", "output.boxes.max_iou"),
                ("max_iou = 0.5", "max_iou = nan", "output.boxes.max_iou"),
                ("max_boxes = 100", "max_boxes = 0", "output.boxes.max_boxes"),
                ("max_boxes = 100", "max_boxes = 1001", "output.boxes.max_boxes"),
            ],
        );
        let yolo = text.replace("name = \"boxes\"\n", "").replace("detr", "yolo_v8");
        assert!(Manifest::from_text(&yolo).is_ok());
        each_is_named(&yolo, &[("\"none\"", "\"softmax\"", "output.activation")]);
        let end = yolo.replace("yolo_v8", "end_to_end");
        each_is_named(&end, &[("\"none\"", "\"sigmoid\"", "output.activation")]);
        assert!(Manifest::from_text(&text.replace("\"none\"", "\"softmax\"")).is_ok(), "DETR");
        let both = plain.replace("[provenance]", &format!("{boxes}\n[provenance]"));
        each_is_named(&both, &[("softmax", "sigmoid", "output.boxes")]);
    }

    #[test]
    fn an_anomaly_maps_values_that_make_no_sense_are_named() {
        let [plain, _, text, _] = texts();
        let anomaly = &text[text.find("[output.anomaly]").unwrap()..text.find("[prov").unwrap()];
        each_is_named(
            &text,
            &[
                (anomaly, "", "output.anomaly"),
                ("\"anomaly_map\"", "\"segmenter\"", "output.anomaly"),
                ("low = 1.0", "low = nan", "output.anomaly.low"),
                ("low = 1.0\nhigh = 9.0", "low = -3e38\nhigh = 3e38", "output.anomaly.high"),
                ("high = 9.0", "high = inf", "output.anomaly.high"),
                ("high = 9.0", "high = 1.0", "output.anomaly.high"),
                ("high = 9.0", "high = 0.5", "output.anomaly.high"),
                ("\"pred_score\"", "\"heatmap\"", "output.anomaly.score"),
                ("\"none\"", "\"softmax\"", "output.activation"),
                ("[\"ok\", \"scratch\"]", "[\"ok\", \"scratch\", \"stain\"]", "output.labels"),
                ("pixel_threshold = 0.3\n", "", "output.pixel_threshold"),
                ("pixel_threshold = 0.3", "pixel_threshold = 1.1", "output.pixel_threshold"),
                ("min_cells = 2\n", "", "output.min_cells"),
                ("min_cells = 2", "min_cells = 0", "output.min_cells"),
            ],
        );
        let both = plain.replace("[provenance]", &format!("{anomaly}\n[provenance]"));
        each_is_named(&both, &[("softmax", "sigmoid", "output.anomaly")]);
    }

    #[test]
    fn tiles_that_make_no_sense_are_named() {
        let [.., text] = texts();
        each_is_named(
            &text,
            &[
                ("columns = 3", "columns = 0", "input.tiling.columns"),
                ("columns = 3", "columns = 4294967295", "input.tiling.columns"),
                ("rows = 2", "rows = 0", "input.tiling.rows"),
                ("rows = 2", "rows = 65", "input.tiling.rows"),
                ("rows = 2", "rows = 22", "input.tiling"),
                ("overlap_px = 8", "overlap_px = 32", "input.tiling.overlap_px"),
                ("width = 64", "width = 8", "input.tiling.overlap_px"),
            ],
        );
        // 6 tiles of 4096 x 1024 with 3 channels.
        let large = text.replace("width = 64", "width = 4096");
        each_is_named(&large, &[("height = 32", "height = 1024", "input")]);
        each_is_named(TEXT, &[("width = 64\nheight = 32", "width = 8192\nheight = 8192", "input")]);
    }
}
