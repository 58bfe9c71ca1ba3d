//! `index.csv`, as `sightline model fit`, `model eval` and the training recipes read it, and
//! `labels.jsonl`, which keeps every mark as it was drawn, and what the station measured. Pictures
//! in `images/`, masks in `masks/`.
//!
//! A row has a mask when a person drew more than boxes; boxes, in pixels with right and bottom
//! exclusive, say which part of it is of which class.

use std::path::Path;
use std::sync::Arc;

use domain::{Defect, Mark, Shape};
use serde_json::json;

use super::folder::Folder;
use super::names::Classes;
use super::pictures::mask_png;
use super::plan::Item;
use super::shape::{box_of, mask_of};
use super::{ExportError, Recount, Writes, classes_of, judgement_of};
use crate::StoreError;

/// What is good in an index.
const OK: &str = "ok";

const COLUMNS: [&str; 8] = ["file", "label", "split", "mask", "boxes", "width", "height", "group"];

pub(super) struct Csv {
    classes: Arc<Classes>,
    rows: Vec<[String; 8]>,
    lines: String,
}

impl Csv {
    pub const fn new(classes: Arc<Classes>) -> Self {
        Self { classes, rows: Vec::new(), lines: String::new() }
    }

    fn label(&self, item: &Item) -> String {
        let classes = classes_of(&item.marks);
        let written: Vec<_> = classes.iter().map(|class| self.classes.written(class)).collect();
        if written.is_empty() { OK.to_owned() } else { written.join("|") }
    }

    fn boxes(&self, item: &Item) -> String {
        let text = |mark: &&Mark| {
            let area = box_of(&mark.shape, item.size);
            let (right, bottom) = (area.right(), area.bottom());
            let class = self.classes.written(&mark.class);
            format!("{} {} {right} {bottom} {class}", area.x, area.y)
        };
        let placed: Vec<_> = item.marks.iter().filter(has_place).collect();
        placed.iter().map(text).collect::<Vec<_>>().join(";")
    }

    fn line(item: &Item) -> serde_json::Value {
        let said = item.source.as_ref().map(|source| &source.label);
        let measured: Vec<_> =
            item.source.iter().flat_map(|source| &source.measured).map(measured).collect();
        json!({
            "file": file(item), "part": item.key, "view": item.view, "split": item.split,
            "group": item.group, "size": item.size, "covers": item.covers,
            "judgement": judgement_of(item), "marks": item.marks,
            "by": said.map(|label| &label.by), "at_unix_ns": said.map(|label| label.at.unix_ns),
            "is_blind": said.map(|label| label.label.is_blind), "measured": measured,
        })
    }
}

/// A defect that the station found, in millimetres; its box is in pixels of the camera's frame.
fn measured(defect: &Defect) -> serde_json::Value {
    json!({
        "kind": defect.kind, "score": defect.score, "box_in_frame": defect.box_in_frame,
        "mm": defect.mm,
    })
}

fn file(item: &Item) -> String {
    format!("images/{}.png", item.name)
}

fn has_place(mark: &&Mark) -> bool {
    mark.shape != Shape::Whole
}

impl Writes for Csv {
    fn place(&self, item: &Item) -> String {
        file(item)
    }

    fn add(&mut self, folder: &mut Folder, item: &Item) -> Result<(), ExportError> {
        let is_drawn =
            |mark: &Mark| matches!(mark.shape, Shape::Polygon { .. } | Shape::Mask { .. });
        let mut mask = String::new();
        if item.marks.iter().any(is_drawn) {
            mask = format!("masks/{}.png", item.name);
            let placed = item.marks.iter().filter(has_place);
            let masks: Vec<_> = placed.map(|mark| mask_of(&mark.shape, item.size)).collect();
            folder.write(&mask, &mask_png(&masks, item.size)?)?;
        }
        let (width, height) = (item.size.width.to_string(), item.size.height.to_string());
        let (label, boxes) = (self.label(item), self.boxes(item));
        let (split, group) = (item.split.name().to_owned(), item.group.clone());
        self.rows.push([file(item), label, split, mask, boxes, width, height, group]);
        self.lines.push_str(&format!("{}\n", Self::line(item)));
        Ok(())
    }

    fn finish(&mut self, folder: &mut Folder) -> Result<(), ExportError> {
        let mut table = ::csv::Writer::from_writer(Vec::new());
        let rows = self.rows.iter().map(|row| row.iter().map(String::as_str).collect::<Vec<_>>());
        let mut all = [COLUMNS.to_vec()].into_iter().chain(rows);
        let written = all.try_for_each(|row| table.write_record(row));
        let failed = |error: String| {
            let error = std::io::Error::other(error);
            StoreError::io(Path::new("index.csv"), "write the table", error)
        };
        written.map_err(|error| failed(error.to_string()))?;
        let table = table.into_inner().map_err(|error| failed(error.to_string()))?;
        folder.write("index.csv", &table)?;
        folder.write("labels.jsonl", self.lines.as_bytes())
    }

    fn recount(&self, folder: &Path) -> Result<Recount, String> {
        let mut counted = Recount::default();
        let file = folder.join("index.csv");
        let told = |error: ::csv::Error| format!("{}: {error}", file.display());
        let mut table = ::csv::Reader::from_path(&file).map_err(told)?;
        for row in table.records() {
            let row = row.map_err(told)?;
            counted.add(row.get(1).unwrap_or_default().split('|').filter(|label| *label != OK));
        }
        Ok(counted)
    }
}
