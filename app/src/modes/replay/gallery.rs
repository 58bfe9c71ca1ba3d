//! Pictures for the report: takes a row, gives the kept picture of its first view and the heatmap
//! over it.

use std::path::Path;

use anyhow::Result;
use domain::{Heatmap, Pixels, RectPx};
use image::{GrayImage, RgbImage, imageops};
use models::{Colour, InputSpec, Resize, Shaper};
use store::{ImageKind, Reader, RunId, read_heatmap, read_picture};

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
        let image = rgb_from_pixels(&picture.pixels)?;
        let heatmap = file(ImageKind::Heatmap).and_then(|path| read_heatmap(&path).ok());
        let heatmap = heatmap.and_then(|heatmap| laid_over(&heatmap, picture.crop, &image));
        Some(GalleryPicture { view: 0, image, heatmap })
    }
}

/// The picture in colour, shrunk to fit. The same code that prepares parts for the model reads
/// every pixel format.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and clamped")]
fn rgb_from_pixels(pixels: &dyn Pixels) -> Option<RgbImage> {
    let size = pixels.size();
    let longest = size.width.max(size.height);
    let fit = |side: u32| match longest > SIDE_MAX_PX {
        true => (side * SIDE_MAX_PX / longest).max(1),
        false => side,
    };
    let spec = InputSpec {
        name: String::new(),
        width: fit(size.width),
        height: fit(size.height),
        colour: Colour::Rgb,
        resize: Resize::Stretch,
        pad: 0.0,
        mean: vec![0.0; 3],
        std: vec![1.0; 3],
    };
    let mut tensor = spec.tensor();
    let (width, height) = (spec.width, spec.height);
    Shaper::new(spec).prepare(pixels, size.rect(), &mut tensor).ok()?;
    let plane = (width * height) as usize;
    let byte = |at: usize| (tensor.data[at] * 255.0).round().clamp(0.0, 255.0) as u8;
    Some(RgbImage::from_fn(width, height, |x, y| {
        let at = (y * width + x) as usize;
        image::Rgb([byte(at), byte(plane + at), byte(2 * plane + at)])
    }))
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
