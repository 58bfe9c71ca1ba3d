//! COCO: pictures in `images/SPLIT/`, labels in `annotations/instances_SPLIT.json`.
//!
//! A box has the polygon of its corners, a polygon itself, a mask its run lengths down the columns
//! of the picture; `attributes.shape` tells which it was. `iscrowd` is 0: each is one defect.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use domain::{Mark, Shape, SizePx};
use serde_json::{Value, json};

use super::folder::Folder;
use super::names::Classes;
use super::plan::Item;
use super::rle::Runs;
use super::shape::{area, box_of, corners_of};
use super::{ExportError, Recount, Split, Writes};

#[derive(Default)]
struct OfSplit {
    images: Vec<Value>,
    annotations: Vec<Value>,
}

pub(super) struct Coco {
    classes: Arc<Classes>,
    splits: BTreeMap<Split, OfSplit>,
}

impl Coco {
    pub fn new(classes: Arc<Classes>) -> Self {
        Self { classes, splits: BTreeMap::new() }
    }

    fn file(split: Split) -> String {
        format!("annotations/instances_{}.json", split.name())
    }
}

impl Writes for Coco {
    fn place(&self, item: &Item) -> String {
        format!("images/{}/{}.png", item.split.name(), item.name)
    }

    fn add(&mut self, _folder: &mut Folder, item: &Item) -> Result<(), ExportError> {
        let split = self.splits.entry(item.split).or_default();
        let image = split.images.len() + 1;
        split.images.push(json!({
            "id": image, "file_name": format!("{}.png", item.name),
            "width": item.size.width, "height": item.size.height,
        }));
        for mark in &item.marks {
            let mut annotation = annotation(mark, item.size);
            annotation["id"] = (split.annotations.len() + 1).into();
            annotation["image_id"] = image.into();
            annotation["category_id"] = (self.classes.place(&mark.class) + 1).into();
            split.annotations.push(annotation);
        }
        Ok(())
    }

    fn finish(&mut self, folder: &mut Folder) -> Result<(), ExportError> {
        let named = |id, name: &str| json!({ "id": id, "name": name, "supercategory": "defect" });
        let category = |(at, (_, name)): (usize, (&Arc<str>, &str))| named(at + 1, name);
        let categories: Vec<_> = self.classes.each().enumerate().map(category).collect();
        for split in Split::ALL {
            folder.make(&format!("images/{}", split.name()))?;
            let of = self.splits.remove(&split).unwrap_or_default();
            let all = json!({
                "info": { "description": "Sightline export; see manifest.json" },
                "licenses": [],
                "categories": categories,
                "images": of.images,
                "annotations": of.annotations,
            });
            folder.write(&Self::file(split), all.to_string().as_bytes())?;
        }
        Ok(())
    }

    fn recount(&self, folder: &Path) -> Result<Recount, String> {
        let dataset = crate::import::coco::read(folder)?;
        Ok(dataset.recount())
    }
}

/// An annotation without its numbers.
fn annotation(mark: &Mark, picture: SizePx) -> Value {
    let around = box_of(&mark.shape, picture);
    let flat = |corners: &[domain::PointPx]| {
        let numbers: Vec<f32> = corners.iter().flat_map(|at| [at.x, at.y]).collect();
        json!([numbers])
    };
    let (shape, segmentation, area) = match &mark.shape {
        Shape::Whole => ("whole", flat(&corners_of(around)), json!(around.area())),
        Shape::Box { .. } => ("box", flat(&corners_of(around)), json!(around.area())),
        Shape::Polygon { corners } => ("polygon", flat(corners), json!(area(corners))),
        Shape::Mask { mask } => {
            let counts = Runs::from_mask(mask, picture).counts;
            let runs = json!({ "size": [picture.height, picture.width], "counts": counts });
            ("mask", runs, json!(mask.count()))
        }
    };
    json!({
        "bbox": [around.x, around.y, around.width, around.height],
        "segmentation": segmentation, "area": area, "iscrowd": 0,
        "attributes": { "shape": shape },
    })
}
