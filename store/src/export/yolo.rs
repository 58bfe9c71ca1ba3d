//! YOLO: pictures in `images/SPLIT/`, a text file for each in `labels/SPLIT/`, classes and splits
//! in
//! `data.yaml`. A line is a class's number and a box's middle and size, or a polygon's corners, as
//! shares of the picture. The file of a good picture is empty.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use domain::{Shape, SizePx};

use super::folder::Folder;
use super::names::{Classes, is_no_character};
use super::plan::Item;
use super::shape::box_of;
use super::{ExportError, Recount, Split, Writes};

pub(super) struct Yolo {
    classes: Arc<Classes>,
}

impl Yolo {
    pub const fn new(classes: Arc<Classes>) -> Self {
        Self { classes }
    }
}

impl Writes for Yolo {
    fn place(&self, item: &Item) -> String {
        format!("images/{}/{}.png", item.split.name(), item.name)
    }

    fn add(&mut self, folder: &mut Folder, item: &Item) -> Result<(), ExportError> {
        let mut text = String::new();
        for mark in &item.marks {
            let class = self.classes.place(&mark.class);
            // A string takes every line.
            let _ = writeln!(text, "{class}{}", shares(&mark.shape, item.size));
        }
        let file = format!("labels/{}/{}.txt", item.split.name(), item.name);
        folder.write(&file, text.as_bytes())
    }

    fn finish(&mut self, folder: &mut Folder) -> Result<(), ExportError> {
        // Without `path` the folder of this file is meant, wherever it is.
        let mut text = String::new();
        for split in Split::ALL.map(Split::name) {
            folder.make(&format!("images/{split}"))?;
            folder.make(&format!("labels/{split}"))?;
            let _ = writeln!(text, "{split}: images/{split}");
        }
        let classes: Vec<_> = self.classes.each().map(|(_, written)| written).collect();
        text.push_str(if classes.is_empty() { "names: {}\n" } else { "names:\n" });
        for (at, class) in classes.into_iter().enumerate() {
            let _ = writeln!(text, "  {at}: {}", quoted(class));
        }
        folder.write("data.yaml", text.as_bytes())
    }

    fn recount(&self, folder: &Path) -> Result<Recount, String> {
        Ok(crate::import::yolo::read(folder, &|_| None)?.recount())
    }
}

fn shares(shape: &Shape, picture: SizePx) -> String {
    let (wide, high) = (f64::from(picture.width), f64::from(picture.height));
    match shape {
        Shape::Polygon { corners } => {
            let share = |at: &domain::PointPx| {
                format!(" {} {}", f64::from(at.x) / wide, f64::from(at.y) / high)
            };
            corners.iter().map(share).collect()
        }
        shape => {
            let area = box_of(shape, picture);
            let middle = |from: u32, length: u32| f64::from(from) + f64::from(length) / 2.0;
            let (x, y) = (middle(area.x, area.width) / wide, middle(area.y, area.height) / high);
            format!(" {x} {y} {} {}", f64::from(area.width) / wide, f64::from(area.height) / high)
        }
    }
}

/// A name in YAML's double quotes.
fn quoted(name: &str) -> String {
    let mut text = String::from("\"");
    for c in name.chars() {
        // A string takes every letter.
        let _ = match c {
            '"' | '\\' => write!(text, "\\{c}"),
            c if c.is_control() || is_no_character(c) => write!(text, "\\u{:04x}", u32::from(c)),
            c => write!(text, "{c}"),
        };
    }
    text + "\""
}
