//! Amazon SageMaker Ground Truth: pictures in `images/`, a manifest of JSON lines a split. A line
//! says of a picture whether it is good (`anomaly-label`, image classification) and, when it is
//! not, where its defects are (`bounding-box`, object detection).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use domain::PixelFormat;
use serde_json::{Map, Value, json};

use super::folder::Folder;
use super::names::Classes;
use super::plan::Item;
use super::shape::box_of;
use super::{ExportError, Recount, Split, Writes, classes_of, moment};

pub(super) struct GroundTruth {
    classes: Arc<Classes>,
    uri: String,
    made_at: String,
    lines: BTreeMap<Split, String>,
}

impl GroundTruth {
    pub fn new(classes: Arc<Classes>, uri: Option<&str>, made_at: String) -> Self {
        let uri = uri.map(|uri| format!("{}/", uri.trim_end_matches('/'))).unwrap_or_default();
        Self { classes, uri, made_at, lines: BTreeMap::new() }
    }

    fn line(&self, item: &Item) -> Value {
        let is_bad = !item.marks.is_empty();
        let said_at = item.source.as_ref().map(|source| moment::iso_from_wall(source.label.at));
        let said_at = said_at.as_ref().unwrap_or(&self.made_at).trim_end_matches('Z');
        let metadata = |kind: &str| {
            json!({
                "type": format!("groundtruth/{kind}"), "human-annotated": "yes",
                "creation-date": said_at, "job-name": "sightline-export",
            })
        };
        let mut label = metadata("image-classification");
        label["class-name"] = if is_bad { "anomaly" } else { "normal" }.into();
        label["confidence"] = 1.into();
        let mut line = json!({
            "source-ref": format!("{}{}", self.uri, self.place(item)),
            "anomaly-label": u8::from(is_bad),
            "anomaly-label-metadata": label,
        });
        // A picture without boxes has none of these: the service takes no empty list of them.
        if is_bad {
            let mut boxes = metadata("object-detection");
            boxes["class-map"] = Value::Object(self.class_map(item));
            boxes["objects"] = item.marks.iter().map(|_| json!({ "confidence": 1 })).collect();
            line["bounding-box"] = self.boxes(item);
            line["bounding-box-metadata"] = boxes;
        }
        line
    }

    fn boxes(&self, item: &Item) -> Value {
        let format = item.source.as_ref().map(|source| source.image.format);
        let is_gray = matches!(format, Some(PixelFormat::Gray8 | PixelFormat::Gray16Le));
        let depth = if is_gray { 1 } else { 3 };
        let annotation = |mark: &domain::Mark| {
            let area = box_of(&mark.shape, item.size);
            json!({
                "class_id": self.classes.place(&mark.class), "left": area.x, "top": area.y,
                "width": area.width, "height": area.height,
            })
        };
        let size = json!({
            "width": item.size.width, "height": item.size.height, "depth": depth,
        });
        json!({
            "image_size": [size],
            "annotations": item.marks.iter().map(annotation).collect::<Vec<_>>(),
        })
    }

    fn class_map(&self, item: &Item) -> Map<String, Value> {
        let classes = classes_of(&item.marks).into_iter();
        let entry = |class: Arc<str>| {
            (self.classes.place(&class).to_string(), self.classes.written(&class).into())
        };
        classes.map(entry).collect()
    }
}

impl Writes for GroundTruth {
    fn place(&self, item: &Item) -> String {
        format!("images/{}.png", item.name)
    }

    fn add(&mut self, _folder: &mut Folder, item: &Item) -> Result<(), ExportError> {
        let line = format!("{}\n", self.line(item));
        self.lines.entry(item.split).or_default().push_str(&line);
        Ok(())
    }

    fn finish(&mut self, folder: &mut Folder) -> Result<(), ExportError> {
        for split in Split::ALL {
            let lines = self.lines.remove(&split).unwrap_or_default();
            folder.write(&format!("{}.manifest", split.name()), lines.as_bytes())?;
        }
        Ok(())
    }

    fn recount(&self, folder: &Path) -> Result<Recount, String> {
        let mut counted = Recount::default();
        for split in Split::ALL {
            let file = folder.join(format!("{}.manifest", split.name()));
            let told = |problem: String| format!("{}: {problem}", file.display());
            let text = fs::read_to_string(&file).map_err(|error| told(error.to_string()))?;
            for line in text.lines() {
                let line: Value =
                    serde_json::from_str(line).map_err(|error| told(error.to_string()))?;
                let map = &line["bounding-box-metadata"]["class-map"];
                let boxes = line["bounding-box"]["annotations"].as_array();
                let class = |annotation: &Value| map[annotation["class_id"].to_string()].as_str();
                counted.add(boxes.into_iter().flatten().filter_map(class));
            }
        }
        Ok(counted)
    }
}
