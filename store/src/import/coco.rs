//! COCO, read: the folder of an export, or one JSON file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use domain::{Mask, PointPx, RectPx, Shape, SizePx};
use serde::Deserialize;
use serde_json::Value;

use super::dataset::{self, Dataset, LabelledPicture, box_from_edges, mark};
use crate::export::shape::{mask_of, pixels};
use crate::export::{MANIFEST, Runs};

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: Value,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: Value,
    category_id: Value,
    #[serde(default)]
    bbox: Vec<f64>,
    #[serde(default)]
    segmentation: Value,
    #[serde(default)]
    attributes: Value,
}

#[derive(Deserialize)]
struct Category {
    id: Value,
    name: String,
}

/// Reads every JSON file of the dataset.
pub(crate) fn read(dataset: &Path) -> Result<Dataset, String> {
    let files = match dataset.is_file() {
        true => vec![dataset.to_owned()],
        false => {
            let in_it = |folder: &Path| dataset::files(folder, "json");
            let of_folder = in_it(&dataset.join("annotations"))?;
            let is_one = |file: &PathBuf| file.file_name().is_some_and(|name| name != MANIFEST);
            if of_folder.is_empty() { in_it(dataset)? } else { of_folder }
                .into_iter()
                .filter(is_one)
                .collect()
        }
    };
    if files.is_empty() {
        return Err(format!("{}: there is no JSON file of annotations", dataset.display()));
    }
    let mut read = Dataset::default();
    for file in files {
        let told = |problem: String| format!("{}: {problem}", file.display());
        let parsed: File = serde_json::from_str(&dataset::text(&file)?)
            .map_err(|error| told(error.to_string()))?;
        add(&mut read, dataset, &file, parsed).map_err(told)?;
    }
    Ok(read)
}

fn add(read: &mut Dataset, dataset: &Path, file: &Path, parsed: File) -> Result<(), String> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let split = stem.strip_prefix("instances_").unwrap_or(&stem);
    let folder = if dataset.is_file() { file.parent().unwrap_or(dataset) } else { dataset };
    let folders = [
        folder.join("images").join(split),
        folder.join("images"),
        folder.join(split),
        folder.to_owned(),
    ];
    let classes: HashMap<String, String> =
        parsed.categories.into_iter().map(|class| (class.id.to_string(), class.name)).collect();
    let (first, mut places) = (read.pictures.len(), HashMap::new());
    for image in parsed.images {
        let size = SizePx::new(image.width, image.height);
        places.insert(image.id.to_string(), (read.pictures.len() - first, size));
        let found = dataset::in_one_of(&folders, &image.file_name);
        read.pictures.push(LabelledPicture::new(&image.file_name, found));
    }
    for (at, annotation) in parsed.annotations.iter().enumerate() {
        let of = |what: &str, id: &Value| format!("annotation {}: there is no {what} {id}", at + 1);
        let (place, size) = places
            .get(&annotation.image_id.to_string())
            .ok_or_else(|| of("image", &annotation.image_id))?;
        let class = classes
            .get(&annotation.category_id.to_string())
            .ok_or_else(|| of("category", &annotation.category_id))?;
        let picture = &mut read.pictures[first + place];
        match shape(annotation, *size) {
            Some(shape) => picture.marks.push(mark(class, shape)),
            None => return Err(format!("annotation {}: it covers nothing", at + 1)),
        }
    }
    Ok(())
}

fn shape(annotation: &Annotation, size: SizePx) -> Option<Shape> {
    let around = || {
        let &[x, y, width, height] = annotation.bbox.as_slice() else { return None };
        box_from_edges([x, y, x + width, y + height])
    };
    match annotation.attributes["shape"].as_str() {
        Some("whole") => return Some(Shape::Whole),
        Some("box") => return Some(Shape::Box { area: around()? }),
        _ => {}
    }
    match &annotation.segmentation {
        Value::Array(rings) if !rings.is_empty() => polygons(rings, size),
        Value::Object(runs) => {
            let sides: Vec<u32> = serde_json::from_value(runs.get("size")?.clone()).ok()?;
            let &[height, width] = sides.as_slice() else { return None };
            let size = SizePx::new(width, height);
            let runs = match runs.get("counts")? {
                Value::String(text) => Runs::unpacked(size, text)?,
                counts => {
                    let counts = serde_json::from_value(counts.clone()).ok()?;
                    Runs { size, counts }
                }
            };
            Some(Shape::Mask { mask: runs.mask()? })
        }
        _ => Some(Shape::Box { area: around()? }),
    }
}

/// One ring as a polygon, several as the mask of all: a defect in pieces.
fn polygons(rings: &[Value], size: SizePx) -> Option<Shape> {
    let ring = |ring: &Value| -> Option<Vec<PointPx>> {
        let numbers: Vec<f32> = serde_json::from_value(ring.clone()).ok()?;
        let corners = numbers.chunks_exact(2).map(|at| PointPx { x: at[0], y: at[1] });
        let corners: Vec<_> = corners.collect();
        let is_one = corners.len() >= 3 && numbers.iter().all(|number| number.is_finite());
        is_one.then_some(corners)
    };
    let mut rings = rings.iter().map(ring).collect::<Option<Vec<_>>>()?;
    if rings.len() == 1 {
        return Some(Shape::Polygon { corners: rings.swap_remove(0) });
    }
    let shapes = rings.into_iter().map(|corners| Shape::Polygon { corners });
    union(shapes.map(|shape| mask_of(&shape, size))).map(|mask| Shape::Mask { mask })
}

/// The pixels of any of the masks.
fn union(masks: impl Iterator<Item = Mask>) -> Option<Mask> {
    let masks: Vec<_> = masks.collect();
    let area = masks.iter().map(|mask| mask.area).reduce(|all, one| all.union(&one))?;
    if area.area() > 1 << 28 {
        return None;
    }
    let mut bits = vec![false; usize::try_from(area.area()).ok()?];
    for (x, y) in masks.iter().flat_map(pixels) {
        let RectPx { x: left, y: top, width, .. } = area;
        bits[(y - top) as usize * width as usize + (x - left) as usize] = true;
    }
    Some(Mask::from_bits(area, bits))
}
