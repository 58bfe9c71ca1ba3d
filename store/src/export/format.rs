//! The formats that an export may have, and what each holds of a mark.

use domain::{Shape, SizePx};
use serde::{Deserialize, Serialize};

use super::names::NameRule;
use super::shape::{box_of, mask_of, polygons_of};

/// How an export lays its pictures and labels out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// COCO: a JSON file a split; boxes, polygons and run lengths.
    Coco,
    /// YOLO for detection: a text file a picture, boxes as shares of the picture.
    Yolo,
    /// YOLO for segmentation: the same with polygons.
    YoloSegment,
    /// Pascal VOC: an XML file a picture, boxes.
    Voc,
    /// A folder a class, masks beside them, as the MVTec sets have it and anomalib reads it.
    ImageFolder,
    /// Amazon SageMaker Ground Truth: a manifest a split, good or not and boxes.
    GroundTruth,
    /// `index.csv`, as `sightline model` reads it, and `labels.jsonl`.
    Csv,
}

/// What becomes of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Becomes {
    /// It stays as it is.
    Itself,
    /// The smallest box of whole pixels around it; of the whole picture where it has no place.
    Box,
    /// The polygon around it: a box's corners, or one around each piece of a mask, whose holes are
    /// filled.
    Polygon,
    /// Its pixels: those whose middle it holds.
    Mask,
}

/// What a format keeps of the shapes that people draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    /// Of a defect without a place.
    pub whole: Becomes,
    /// Of a box.
    pub boxes: Becomes,
    /// Of a polygon.
    pub polygons: Becomes,
    /// Of a mask.
    pub masks: Becomes,
}

impl Holds {
    const ALL: Self = Self::all_as(Becomes::Itself);
    const BOXES: Self = Self { boxes: Becomes::Itself, ..Self::all_as(Becomes::Box) };
    const POLYGONS: Self = Self { polygons: Becomes::Itself, ..Self::all_as(Becomes::Polygon) };
    const MASKS: Self = Self { masks: Becomes::Itself, ..Self::all_as(Becomes::Mask) };

    const fn all_as(becomes: Becomes) -> Self {
        Self { whole: becomes, boxes: becomes, polygons: becomes, masks: becomes }
    }

    /// What becomes of `shape`.
    #[must_use]
    pub const fn of(&self, shape: &Shape) -> Becomes {
        match shape {
            Shape::Whole => self.whole,
            Shape::Box { .. } => self.boxes,
            Shape::Polygon { .. } => self.polygons,
            Shape::Mask { .. } => self.masks,
        }
    }

    /// What is kept of `shape`, which lies in a picture of size `picture`: mostly one shape, of a
    /// mask in several pieces several polygons.
    #[must_use]
    pub fn kept(&self, shape: &Shape, picture: SizePx) -> Vec<Shape> {
        match self.of(shape) {
            Becomes::Itself => match shape {
                Shape::Mask { .. } => vec![Shape::Mask { mask: mask_of(shape, picture) }],
                shape => vec![shape.clone()],
            },
            Becomes::Box => vec![Shape::Box { area: box_of(shape, picture) }],
            Becomes::Polygon => {
                let polygons = polygons_of(shape, picture).into_iter();
                polygons.map(|corners| Shape::Polygon { corners }).collect()
            }
            Becomes::Mask => vec![Shape::Mask { mask: mask_of(shape, picture) }],
        }
    }
}

impl Format {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Coco,
        Self::Yolo,
        Self::YoloSegment,
        Self::Voc,
        Self::ImageFolder,
        Self::GroundTruth,
        Self::Csv,
    ];

    /// The name on the command line and in the manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coco => "coco",
            Self::Yolo => "yolo",
            Self::YoloSegment => "yolo-segment",
            Self::Voc => "voc",
            Self::ImageFolder => "image-folder",
            Self::GroundTruth => "ground-truth",
            Self::Csv => "csv",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// What it keeps of marks.
    #[must_use]
    pub const fn holds(self) -> Holds {
        match self {
            Self::Coco | Self::Csv => Holds::ALL,
            Self::Yolo | Self::Voc | Self::GroundTruth => Holds::BOXES,
            Self::YoloSegment => Holds::POLYGONS,
            Self::ImageFolder => Holds::MASKS,
        }
    }

    pub(super) const fn name_rule(self) -> NameRule {
        match self {
            Self::Coco | Self::Yolo | Self::YoloSegment | Self::GroundTruth => NameRule::Any,
            Self::Voc => NameRule::Text,
            Self::ImageFolder => NameRule::Folder,
            Self::Csv => NameRule::Column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
        assert_eq!(Format::from_name("csv "), None);
    }
}
