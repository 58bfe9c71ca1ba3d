//! Pictures into the dataset: takes the store's file, gives it byte by byte where any tool can show
//! it; else the picture in colour and the store's file beside it.

use std::fs;
use std::io::Write;
use std::path::Path;

use domain::{Cut, Mask, PixelFormat, Pixels, Plane, RectPx, Sha256, SizePx, YuvMatrix, YuvRange};
use png::{BitDepth, ColorType};

use super::folder::Folder;
use super::manifest::{MarkFacts, PictureFacts};
use super::plan::{Item, Source};
use super::shape::{box_of, pixels};
use super::{ExportError, Options, Told, judgement_of};
use crate::{ImageRow, StoreError, read_picture};

/// The text of a picture in colour that has the hash of what it was made from.
const ORIGINAL: &str = "sightline:original";

/// The hash of the store's file that a picture in colour was made from; `None` for others.
pub(crate) fn original_of(bytes: &[u8]) -> Option<Sha256> {
    let png = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().ok()?;
    let text = &png.info().uncompressed_latin1_text;
    let original = text.iter().find(|chunk| chunk.keyword == ORIGINAL)?;
    Sha256::from_hex(&original.text)
}

/// Puts an item's picture at `place`. `None` when it is left out, which is told.
pub(super) fn put(
    folder: &mut Folder,
    options: &Options<'_>,
    item: &Item,
    place: String,
    told: &mut Told,
) -> Result<Option<PictureFacts>, ExportError> {
    let Some(source) = &item.source else { return Ok(None) };
    let bytes = match fs::read(&source.file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            told.gone.push(source.image.path.clone());
            return Ok(None);
        }
        Err(error) => return Err(StoreError::io(&source.file, "read the picture", error).into()),
    };
    if Sha256::of(&bytes) != source.image.sha256 {
        told.damaged.push(source.image.path.clone());
        return Ok(None);
    }
    if is_shown(source.image.format) {
        folder.put(&place, &source.file, &bytes, options.link)?;
        return Ok(Some(facts(item, source, place, None)));
    }
    let original = format!("originals/{}.png", item.name);
    folder.put(&original, &source.file, &bytes, options.link)?;
    folder.write(&place, &in_colour(source, item.covers, options)?)?;
    told.shown_in_colour += 1;
    Ok(Some(facts(item, source, place, Some(original))))
}

/// What the exported picture shows of the frame, when the model looked at `crop` of it. Samples
/// that mean nothing without their neighbours are kept with a row or column more than that, which
/// no model was shown.
pub(crate) fn shown_of(image: &ImageRow, crop: RectPx) -> RectPx {
    if is_shown(image.format) {
        return image.covers;
    }
    crop.intersection(&image.covers).unwrap_or(image.covers)
}

/// Whether the PNG that the store keeps of such samples is a picture to any tool.
const fn is_shown(format: PixelFormat) -> bool {
    use PixelFormat::{Bgr8, Gray8, Gray16Le, Rgb8};
    matches!(format, Gray8 | Gray16Le | Rgb8 | Bgr8)
}

fn facts(item: &Item, source: &Source, file: String, original: Option<String>) -> PictureFacts {
    let Source { image, label, recipe, model, .. } = source;
    let mark = |mark: &domain::Mark| MarkFacts {
        class: mark.class.clone(),
        by: mark.by,
        area: box_of(&mark.shape, item.size),
    };
    PictureFacts {
        file,
        name: item.name.clone(),
        original,
        original_sha256: image.sha256,
        pixel_format: image.format,
        size: item.size,
        covers: item.covers,
        part: item.key,
        view: item.view,
        split: item.split,
        group: item.group.clone(),
        judgement: judgement_of(item),
        marks: item.marks.iter().map(mark).collect(),
        by: label.by.clone(),
        role: label.role,
        at_unix_ns: label.at.unix_ns,
        is_blind: label.label.is_blind,
        recipe: *recipe,
        model: *model,
    }
}

/// Samples with the matrix and range that their file names.
struct Shown(crate::Picture);

impl Pixels for Shown {
    fn format(&self) -> PixelFormat {
        self.0.pixels.format()
    }
    fn size(&self) -> SizePx {
        self.0.pixels.size()
    }
    fn plane(&self, index: usize) -> Plane<'_> {
        self.0.pixels.plane(index)
    }
    fn cut_from(&self) -> Option<Cut> {
        self.0.pixels.cut_from()
    }
    fn yuv(&self) -> (YuvMatrix, YuvRange) {
        self.0.yuv
    }
}

/// The PNG of `area` of the frame. All that was kept is brought to colour, so that pixels at the
/// edge have their neighbours, and then cut.
fn in_colour(source: &Source, area: RectPx, options: &Options<'_>) -> Result<Vec<u8>, ExportError> {
    let shown = Shown(read_picture(&source.file)?);
    let not_shown = || ExportError::NotShown { path: source.file.clone() };
    let rgb = (options.rgb)(&shown).ok_or_else(not_shown)?;
    let samples = cut(&rgb, source.image.covers, area).ok_or_else(not_shown)?;
    let text = [(ORIGINAL, source.image.sha256.to_string())];
    let size = SizePx::new(area.width, area.height);
    png_of(ColorType::Rgb, size, &samples, &text).map_err(|_| not_shown())
}

/// `area` of a picture in colour that covers `covers`; `None` when it does not lie inside.
fn cut(rgb: &[u8], covers: RectPx, area: RectPx) -> Option<Vec<u8>> {
    let (x, y) = (area.x.checked_sub(covers.x)? as usize, area.y.checked_sub(covers.y)? as usize);
    let row = |at: usize| {
        let start = 3 * ((y + at) * covers.width as usize + x);
        rgb.get(start..start + 3 * area.width as usize)
    };
    let rows = (0..area.height as usize).map(row).collect::<Option<Vec<_>>>()?;
    Some(rows.concat())
}

/// An 8-bit picture, 255 on the pixels of `masks` and 0 elsewhere.
pub(super) fn mask_png<'a>(
    masks: impl IntoIterator<Item = &'a Mask>,
    size: SizePx,
) -> Result<Vec<u8>, ExportError> {
    let wide = size.width as usize;
    let mut samples = vec![0; wide * size.height as usize];
    for (x, y) in masks.into_iter().flat_map(pixels) {
        samples[y as usize * wide + x as usize] = u8::MAX;
    }
    let encoded = png_of(ColorType::Grayscale, size, &samples, &[]);
    encoded.map_err(|error| {
        let error = std::io::Error::other(error);
        StoreError::io(Path::new("a mask"), "encode the picture", error).into()
    })
}

fn png_of(
    color: ColorType,
    size: SizePx,
    samples: &[u8],
    text: &[(&str, String)],
) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Vec::new();
    let mut png = png::Encoder::new(&mut file, size.width, size.height);
    png.set_color(color);
    png.set_depth(BitDepth::Eight);
    png.set_compression(png::Compression::Fast);
    for (key, value) in text {
        png.add_text_chunk((*key).to_owned(), value.clone())?;
    }
    let mut png = png.write_header()?;
    let mut rows = png.stream_writer()?;
    rows.write_all(samples)?;
    rows.finish()?;
    png.finish()?;
    Ok(file)
}
