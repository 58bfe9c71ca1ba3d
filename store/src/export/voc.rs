//! Pascal VOC: pictures in `JPEGImages/` (PNG all the same), an XML file for each in
//! `Annotations/`, the names of each split's in `ImageSets/Main/`, the classes in `labelmap.txt`,
//! by which datumaro and CVAT know those that are not VOC's own.
//!
//! Boxes are counted as VOC does: from 1, last column and row included. A picture of which the
//! left upper quarter is defective, 100 pixels wide and high, has `1 1 50 50`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use super::folder::Folder;
use super::names::Classes;
use super::plan::Item;
use super::shape::box_of;
use super::{ExportError, Recount, Split, Writes};

pub(super) struct Voc {
    classes: Arc<Classes>,
    names: BTreeMap<Split, String>,
}

impl Voc {
    pub fn new(classes: Arc<Classes>) -> Self {
        Self { classes, names: BTreeMap::new() }
    }
}

impl Writes for Voc {
    fn place(&self, item: &Item) -> String {
        format!("JPEGImages/{}.png", item.name)
    }

    fn add(&mut self, folder: &mut Folder, item: &Item) -> Result<(), ExportError> {
        let names = self.names.entry(item.split).or_default();
        names.push_str(&item.name);
        names.push('\n');
        let file = format!("Annotations/{}.xml", item.name);
        folder.write(&file, annotation(item, &self.classes).as_bytes())
    }

    fn finish(&mut self, folder: &mut Folder) -> Result<(), ExportError> {
        for split in Split::ALL {
            let names = self.names.remove(&split).unwrap_or_default();
            folder.write(&format!("ImageSets/Main/{}.txt", split.name()), names.as_bytes())?;
        }
        let classes = self.classes.each().map(|(_, written)| format!("{written}:::\n"));
        let head = "# label:color_rgb:parts:actions\nbackground:0,0,0::\n";
        folder.write("labelmap.txt", format!("{head}{}", classes.collect::<String>()).as_bytes())
    }

    fn recount(&self, folder: &Path) -> Result<Recount, String> {
        Ok(crate::import::voc::read(folder)?.recount())
    }
}

fn annotation(item: &Item, classes: &Classes) -> String {
    let (name, size) = (&item.name, item.size);
    // How many samples a pixel has; tests of formats have no picture.
    let depth = item.source.as_ref().map_or(3, |source| match source.image.format {
        domain::PixelFormat::Gray8 | domain::PixelFormat::Gray16Le => 1,
        _ => 3,
    });
    let mut text = format!(
        "<annotation>\n  <folder>JPEGImages</folder>\n  <filename>{name}.png</filename>\n  \
         <source><database>Sightline</database></source>\n  <size><width>{}</width><height>{}\
         </height><depth>{depth}</depth></size>\n  <segmented>0</segmented>\n",
        size.width, size.height,
    );
    for mark in &item.marks {
        let area = box_of(&mark.shape, size);
        // A string takes every line.
        let _ = writeln!(
            text,
            "  <object><name>{}</name><pose>Unspecified</pose><truncated>0</truncated>\
             <difficult>0</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>\
             <ymax>{}</ymax></bndbox></object>",
            escaped(classes.written(&mark.class)),
            area.x + 1,
            area.y + 1,
            area.right(),
            area.bottom(),
        );
    }
    text + "</annotation>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
