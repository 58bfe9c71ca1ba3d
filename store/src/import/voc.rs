//! Pascal VOC, read: a folder with `Annotations/` and, where they are there, `JPEGImages/`. Boxes
//! are counted from 1, last column and row included.

use std::path::Path;

use domain::Shape;

use super::dataset::{self, Dataset, LabelledPicture, box_from_edges, mark};
use super::xml::{self, Element};

/// Reads every annotation file of the dataset.
pub(crate) fn read(folder: &Path) -> Result<Dataset, String> {
    let annotations = folder.join("Annotations");
    let files = dataset::files(&annotations, "xml")?;
    if files.is_empty() {
        return Err(format!("{}: there are no annotations", annotations.display()));
    }
    let folders = [folder.join("JPEGImages"), folder.to_owned()];
    let mut read = Dataset::default();
    for file in files {
        let told = |problem: String| format!("{}: {problem}", file.display());
        let root = xml::parse(&dataset::text(&file)?).map_err(told)?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let named = root.text_of("filename").filter(|name| !name.is_empty()).unwrap_or(&stem);
        let image = dataset::in_one_of(&folders, named);
        let mut picture = LabelledPicture::new(named, image);
        for object in root.children.iter().filter(|child| child.name == "object") {
            let found = mark_from(object);
            picture.marks.push(found.ok_or_else(|| told("an object has no box".to_owned()))?);
        }
        read.pictures.push(picture);
    }
    Ok(read)
}

fn mark_from(object: &Element) -> Option<domain::Mark> {
    let around = object.child("bndbox")?;
    let edge = |name: &str| around.text_of(name)?.parse::<f64>().ok();
    let (left, top) = (edge("xmin")? - 1.0, edge("ymin")? - 1.0);
    let area = box_from_edges([left, top, edge("xmax")?, edge("ymax")?])?;
    Some(mark(object.text_of("name")?, Shape::Box { area }))
}
