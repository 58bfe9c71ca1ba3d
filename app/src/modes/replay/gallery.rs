//! Pictures for the report: takes a row, gives the kept picture of its first view and the heatmap
//! over it.

use std::path::Path;

use anyhow::Result;
use domain::{Heatmap, RectPx};
use image::{GrayImage, RgbImage, imageops};
use store::{ImageKind, Reader, RunId, read_heatmap, read_picture};

use crate::picture::rgb_from_pixels;
use crate::report::{GalleryPicture, Row};

/// Pictures are shown no larger than this, either way.
const SIDE_MAX_PX: u32 = 480;

/// The pictures of one run.
pub struct Gallery {
    reader: Reader,
    run: RunId,
}

impl Gallery {
    /// The pictures that the store in `folder` holds of `run`.
    pub fn open(folder: &Path, run: RunId) -> Result<Self> {
        Ok(Self { reader: Reader::open(folder)?, run })
    }

    /// The picture for `row`; `None` when none was kept or it can't be read any more, which the
    /// report shows as a missing picture.
    pub fn picture(&self, row: &Row) -> Option<GalleryPicture> {
        let part = self.reader.part(self.run, row.part).ok()??;
        let file = |kind| {
            let image = part.images.iter().find(|image| image.view == 0 && image.kind == kind)?;
            self.reader.image_file(image)
        };
        let picture = read_picture(&file(ImageKind::Picture)?).ok()?;
        let image = rgb_from_pixels(&picture.pixels, SIDE_MAX_PX)?;
        let heatmap = file(ImageKind::Heatmap).and_then(|path| read_heatmap(&path).ok());
        let heatmap = heatmap.and_then(|heatmap| laid_over(&heatmap, picture.crop, &image));
        Some(GalleryPicture { view: 0, image, heatmap })
    }
}

/// The heatmap stretched over what it covers of the picture, which shows `crop` of the frame.
fn laid_over(heatmap: &Heatmap, crop: RectPx, image: &RgbImage) -> Option<GrayImage> {
    let covered = heatmap.covers.intersection(&crop)?;
    let grid = GrayImage::from_raw(heatmap.width, heatmap.height, heatmap.values.clone())?;
    let across = |px: u32| px * image.width() / crop.width;
    let down = |px: u32| px * image.height() / crop.height;
    let (width, height) = (across(covered.width).max(1), down(covered.height).max(1));
    let stretched = imageops::resize(&grid, width, height, imageops::FilterType::Triangle);
    let mut whole = GrayImage::new(image.width(), image.height());
    let (x, y) = (across(covered.x - crop.x), down(covered.y - crop.y));
    imageops::replace(&mut whole, &stretched, x.into(), y.into());
    Some(whole)
}
