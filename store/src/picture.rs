//! Pictures as files: takes camera samples, gives PNGs that any viewer opens and from which the
//! very same samples come back.
//!
//! - gray8 and Bayer: 8-bit grey, as they are;
//! - gray16: 16-bit grey;
//! - rgb8 and bgr8: 8-bit RGB;
//! - nv12 and i420: 8-bit grey, the rows of luma, then the rows of chroma (U and V interleaved, or
//!   a row of U beside its row of V).
//!
//! What a PNG cannot say of itself stands in its text chunks, `sightline:pixel_format` and so on.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use domain::{
    CameraId, Frame, Heatmap, OwnedPixels, PixelFormat, Plane, RectPx, SizePx, YuvMatrix, YuvRange,
};
use png::{BitDepth, ColorType};
use thiserror::Error;

use crate::words;

const KIND: &str = "sightline:kind";
const PIXEL_FORMAT: &str = "sightline:pixel_format";
const FRAME_SIZE: &str = "sightline:frame_size";
const CROP: &str = "sightline:crop";
const LAYOUT: &str = "sightline:layout";
const YUV: &str = "sightline:yuv";
const CAMERA: &str = "sightline:camera";
const FRAME: &str = "sightline:frame";
const COVERS: &str = "sightline:covers";

/// Largest picture that is read, in bytes of samples; a file that claims more is refused.
const SAMPLES_MAX_BYTES: u64 = 1 << 30;

/// A kept picture, bit by bit as the camera gave it.
pub struct Picture {
    /// The samples of the crop.
    pub pixels: OwnedPixels,
    /// Matrix and range of YUV formats; the default for the others.
    pub yuv: (YuvMatrix, YuvRange),
    /// Where in the frame the crop lies.
    pub crop: RectPx,
    /// Size of the whole frame.
    pub frame_size: SizePx,
    /// The camera.
    pub camera: CameraId,
    /// The camera's running number of the frame.
    pub frame: u64,
}

/// Why an image file could not be read.
#[derive(Debug, Error)]
#[error("{}: {problem}", path.display())]
pub struct PictureError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

/// Reads a picture that a [`crate::Writer`] kept.
///
/// # Errors
/// When the file cannot be read or is not one of our pictures. Whatever its bytes are, it does not
/// panic.
pub fn read_picture(path: &Path) -> Result<Picture, PictureError> {
    read(path, decode_picture)
}

/// Reads a heatmap that a [`crate::Writer`] kept.
///
/// # Errors
/// As [`read_picture`].
pub fn read_heatmap(path: &Path) -> Result<Heatmap, PictureError> {
    read(path, decode_heatmap)
}

fn read<T>(path: &Path, decode: fn(&[u8]) -> Result<T, String>) -> Result<T, PictureError> {
    fs::read(path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| decode(&bytes))
        .map_err(|problem| PictureError { path: path.to_owned(), problem })
}

/// What is kept of a frame when a model looked at `crop`: the part of it inside the frame, grown
/// outwards where the format needs even corners to keep its phase. `None` when nothing is inside.
#[must_use]
pub fn kept_of(format: PixelFormat, frame: SizePx, crop: RectPx) -> Option<RectPx> {
    let SizePx { width, height } = frame;
    let (mut x0, mut y0) = (crop.x, crop.y);
    let mut x1 = x0.saturating_add(crop.width).min(width);
    let mut y1 = y0.saturating_add(crop.height).min(height);
    if x0 >= x1 || y0 >= y1 {
        return None;
    }
    if in_pairs(format) {
        (x0, y0) = (x0 & !1, y0 & !1);
        (x1, y1) = ((x1 + (x1 & 1)).min(width), (y1 + (y1 & 1)).min(height));
    }
    Some(RectPx::from_corners(x0, y0, x1, y1))
}

/// Whether pixels only mean something together with their neighbours.
fn in_pairs(format: PixelFormat) -> bool {
    format.is_bayer() || matches!(format, PixelFormat::Nv12 | PixelFormat::I420)
}

/// How a picture's planes lie in a PNG.
struct Layout {
    /// Bytes per row and rows of each plane.
    planes: Vec<(usize, usize)>,
    /// Bytes in a row of the PNG.
    row_bytes: usize,
    color: ColorType,
    depth: BitDepth,
    words: &'static str,
}

impl Layout {
    fn of(format: PixelFormat, size: SizePx) -> Self {
        let planes = format.planes(size);
        let chroma_bytes: usize = planes.iter().skip(1).map(|(row_bytes, _)| row_bytes).sum();
        let row_bytes = planes.first().map_or(0, |plane| plane.0).max(chroma_bytes);
        let (color, depth, words) = match format {
            PixelFormat::Gray8 => (ColorType::Grayscale, BitDepth::Eight, "grey"),
            PixelFormat::Gray16Le => (ColorType::Grayscale, BitDepth::Sixteen, "grey"),
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => (ColorType::Rgb, BitDepth::Eight, "colour"),
            PixelFormat::Nv12 => {
                (ColorType::Grayscale, BitDepth::Eight, "rows of Y, then rows of U, V, U, V, ...")
            }
            PixelFormat::I420 => {
                (ColorType::Grayscale, BitDepth::Eight, "rows of Y, then rows of U beside V")
            }
            _ => (ColorType::Grayscale, BitDepth::Eight, "mosaic"),
        };
        Self { planes, row_bytes, color, depth, words }
    }

    fn width(&self) -> usize {
        self.row_bytes
            / (self.color.samples() * if self.depth == BitDepth::Sixteen { 2 } else { 1 })
    }

    fn height(&self) -> usize {
        self.rows().count()
    }

    /// For each row of the PNG the planes that it holds side by side, and their row.
    fn rows(&self) -> impl Iterator<Item = (std::ops::Range<usize>, usize)> + use<> {
        let luma_rows = self.planes.first().map_or(0, |plane| plane.1);
        let chroma_rows = self.planes.get(1).map_or(0, |plane| plane.1);
        let planes = self.planes.len();
        let luma = (0..luma_rows).map(|y| (0..1, y));
        luma.chain((0..chroma_rows).map(move |y| (1..planes, y)))
    }
}

/// Swaps camera order and PNG order of the bytes in a row; its own inverse.
fn swap_order(format: PixelFormat, row: &mut [u8]) {
    match format {
        PixelFormat::Gray16Le => row.chunks_exact_mut(2).for_each(|sample| sample.swap(0, 1)),
        PixelFormat::Bgr8 => row.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2)),
        _ => {}
    }
}

/// Appends a PNG of `kept`, a rectangle from [`kept_of`], to `file`. Reads the frame where it
/// lies, a row at a time.
pub(crate) fn encode_picture(
    file: &mut Vec<u8>,
    frame: &Frame,
    kept: RectPx,
) -> Result<(), png::EncodingError> {
    let pixels = &*frame.pixels;
    let format = pixels.format();
    let layout = Layout::of(format, SizePx::new(kept.width, kept.height));
    // How far a rectangle as large as the part above and to the left would reach into each plane.
    let (left, above) = pixels.cut_from().map_or((0, 0), |cut| (cut.x, cut.y));
    let offsets = format.planes(SizePx::new(kept.x - left, kept.y - above));
    let planes: Vec<Plane<'_>> = (0..layout.planes.len()).map(|i| pixels.plane(i)).collect();
    let text = picture_text(frame, kept, layout.words);
    let mut png = encoder(file, layout.width(), layout.height(), &text)?;
    png.set_color(layout.color);
    png.set_depth(layout.depth);
    let mut png = png.write_header()?;
    let mut rows = png.stream_writer()?;
    let mut row = Vec::with_capacity(layout.row_bytes);
    for (together, y) in layout.rows() {
        row.clear();
        for i in together {
            let (x, y) = (offsets[i].0, offsets[i].1 + y);
            row.extend_from_slice(&planes[i].row(y)[x..x + layout.planes[i].0]);
        }
        row.resize(layout.row_bytes, 0);
        swap_order(format, &mut row);
        rows.write_all(&row)?;
    }
    rows.finish()?;
    png.finish()
}

/// Appends a PNG of `map` to `file`.
pub(crate) fn encode_heatmap(file: &mut Vec<u8>, map: &Heatmap) -> Result<(), png::EncodingError> {
    let text = [(KIND, "heatmap".to_owned()), (COVERS, rect_text(map.covers))];
    let png = encoder(file, map.width as usize, map.height as usize, &text)?;
    let mut png = png.write_header()?;
    png.write_image_data(&map.values)?;
    png.finish()
}

fn picture_text(frame: &Frame, kept: RectPx, layout: &str) -> Vec<(&'static str, String)> {
    let format = frame.pixels.format();
    let mut text = vec![
        (KIND, "picture".to_owned()),
        (PIXEL_FORMAT, format.name().to_owned()),
        (FRAME_SIZE, frame.size().to_string()),
        (CROP, rect_text(kept)),
        (LAYOUT, layout.to_owned()),
        // A text chunk ends at NUL; the database has the name as it is.
        (CAMERA, frame.camera.as_str().replace('\0', "\u{fffd}")),
        (FRAME, frame.sequence.to_string()),
    ];
    if matches!(format, PixelFormat::Nv12 | PixelFormat::I420) {
        let (matrix, range) = frame.pixels.yuv();
        text.push((YUV, format!("{} {}", words::word(&matrix), words::word(&range))));
    }
    text
}

fn rect_text(rect: RectPx) -> String {
    format!("{},{},{},{}", rect.x, rect.y, rect.width, rect.height)
}

/// An 8-bit grey PNG with text; fast rather than small.
fn encoder<'a>(
    file: &'a mut Vec<u8>,
    width: usize,
    height: usize,
    text: &[(&str, String)],
) -> Result<png::Encoder<'static, &'a mut Vec<u8>>, png::EncodingError> {
    let size = |pixels: usize| u32::try_from(pixels).map_err(std::io::Error::other);
    let mut png = png::Encoder::new(file, size(width)?, size(height)?);
    png.set_color(ColorType::Grayscale);
    png.set_depth(BitDepth::Eight);
    png.set_compression(png::Compression::Fast);
    for (key, value) in text {
        if value.is_ascii() {
            png.add_text_chunk((*key).to_owned(), value.clone())?;
        } else {
            png.add_itxt_chunk((*key).to_owned(), value.clone())?;
        }
    }
    Ok(png)
}

/// A PNG whose header and text were read and whose samples come next.
struct Opened<'a> {
    png: png::Reader<Cursor<&'a [u8]>>,
    text: BTreeMap<String, String>,
}

impl<'a> Opened<'a> {
    fn new(bytes: &'a [u8], kind: &str) -> Result<Self, String> {
        let png = png::Decoder::new(Cursor::new(bytes)).read_info().map_err(|e| e.to_string())?;
        let info = png.info();
        if info.interlaced || info.animation_control.is_some() {
            return Err("is interlaced or animated; kept images are neither".into());
        }
        let latin = &info.uncompressed_latin1_text;
        let mut text: BTreeMap<String, String> =
            latin.iter().map(|chunk| (chunk.keyword.clone(), chunk.text.clone())).collect();
        for chunk in &info.utf8_text {
            let value = chunk.get_text().map_err(|error| error.to_string())?;
            text.insert(chunk.keyword.clone(), value);
        }
        let opened = Self { png, text };
        let found = opened.text(KIND)?;
        if found == kind { Ok(opened) } else { Err(format!("is a {found}, not a {kind}")) }
    }

    fn text(&self, key: &str) -> Result<&str, String> {
        let missing = || format!("has no text `{key}`; it is not an image that a station kept");
        self.text.get(key).map(String::as_str).ok_or_else(missing)
    }

    /// The text `key`, read by `parse`.
    fn value<T>(&self, key: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let text = self.text(key)?;
        parse(text).ok_or_else(|| format!("text `{key}` is `{text}`, which does not fit"))
    }

    /// Refuses a PNG that is not of this shape.
    fn must_be(&self, layout: &Layout) -> Result<(), String> {
        let info = self.png.info();
        let found = (info.width as usize, info.height as usize, info.color_type, info.bit_depth);
        let right = (layout.width(), layout.height(), layout.color, layout.depth);
        if found != right {
            return Err(format!("is {found:?}, but its text asks for {right:?}"));
        }
        if layout.row_bytes as u64 * layout.height() as u64 > SAMPLES_MAX_BYTES {
            return Err(format!("claims more than {SAMPLES_MAX_BYTES} bytes of samples"));
        }
        Ok(())
    }

    /// The next row of samples, in the PNG's order.
    fn row(&mut self) -> Result<&[u8], String> {
        match self.png.next_row() {
            Ok(Some(row)) => Ok(row.data()),
            Ok(None) => Err("ends before its last row".into()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn decode_picture(bytes: &[u8]) -> Result<Picture, String> {
    let mut opened = Opened::new(bytes, "picture")?;
    let format = opened.value(PIXEL_FORMAT, PixelFormat::from_name)?;
    let frame_size = opened.value(FRAME_SIZE, size_from_text)?;
    let crop = opened
        .value(CROP, |text| rect_from_text(text).filter(|crop| frame_size.rect().contains(crop)))?;
    let size = SizePx::new(crop.width, crop.height);
    let layout = Layout::of(format, size);
    opened.must_be(&layout)?;
    let mut planes = vec![Vec::new(); layout.planes.len()];
    for (together, _) in layout.rows() {
        let mut row = opened.row()?.to_vec();
        swap_order(format, &mut row);
        let mut rest = row.as_slice();
        for i in together {
            let (samples, after) = rest.split_at(layout.planes[i].0);
            planes[i].extend_from_slice(samples);
            rest = after;
        }
    }
    let yuv = match opened.text.get(YUV) {
        Some(_) => opened.value(YUV, yuv_from_text)?,
        None => Default::default(),
    };
    let camera = CameraId::new(opened.text(CAMERA)?);
    let frame = opened.value(FRAME, |text| text.parse().ok())?;
    let pixels = OwnedPixels::new(format, size, planes).ok_or("has no pixels")?;
    Ok(Picture { pixels, yuv, crop, frame_size, camera, frame })
}

fn decode_heatmap(bytes: &[u8]) -> Result<Heatmap, String> {
    let mut opened = Opened::new(bytes, "heatmap")?;
    let covers = opened.value(COVERS, rect_from_text)?;
    let (width, height) = opened.png.info().size();
    opened.must_be(&Layout::of(PixelFormat::Gray8, SizePx::new(width, height)))?;
    let mut values = Vec::new();
    for _ in 0..height {
        values.extend_from_slice(opened.row()?);
    }
    Ok(Heatmap { width, height, values, covers })
}

/// Reads `640x480`.
fn size_from_text(text: &str) -> Option<SizePx> {
    let (width, height) = text.split_once('x')?;
    Some(SizePx::new(width.parse().ok()?, height.parse().ok()?))
}

/// Reads `x,y,width,height` of a rectangle whose far edges are numbers, too.
fn rect_from_text(text: &str) -> Option<RectPx> {
    let numbers: Vec<u32> = text.split(',').map_while(|number| number.parse().ok()).collect();
    let &[x, y, width, height] = numbers.as_slice() else { return None };
    x.checked_add(width)?;
    y.checked_add(height)?;
    Some(RectPx::new(x, y, width, height))
}

/// Reads `bt709 limited`.
fn yuv_from_text(text: &str) -> Option<(YuvMatrix, YuvRange)> {
    let (matrix, range) = text.split_once(' ')?;
    Some((words::from_word(matrix)?, words::from_word(range)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;
    use domain::Pixels;
    use proptest::prelude::*;

    fn encoded(frame: &Frame, kept: RectPx) -> Vec<u8> {
        let mut file = Vec::new();
        encode_picture(&mut file, frame, kept).unwrap();
        file
    }

    fn format() -> impl Strategy<Value = PixelFormat> {
        prop::sample::select(PixelFormat::ALL.to_vec())
    }

    /// The samples of `crop`, taken one at a time by the formats' definition.
    fn samples(frame: &dyn Pixels, crop: RectPx) -> Vec<Vec<u8>> {
        let block = |plane: usize, bytes: usize, shrink: u32| {
            let (x0, y0) = (crop.x / shrink, crop.y / shrink);
            let (x1, y1) = (crop.right().div_ceil(shrink), crop.bottom().div_ceil(shrink));
            let mut taken = Vec::new();
            for y in y0..y1 {
                for x in x0..x1 {
                    let at = x as usize * bytes;
                    taken.extend_from_slice(&frame.plane(plane).row(y as usize)[at..at + bytes]);
                }
            }
            taken
        };
        match frame.format() {
            PixelFormat::Gray16Le => vec![block(0, 2, 1)],
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => vec![block(0, 3, 1)],
            PixelFormat::Nv12 => vec![block(0, 1, 1), block(1, 2, 2)],
            PixelFormat::I420 => vec![block(0, 1, 1), block(1, 1, 2), block(2, 1, 2)],
            _ => vec![block(0, 1, 1)],
        }
    }

    fn planes(pixels: &OwnedPixels) -> Vec<Vec<u8>> {
        let count = pixels.format().planes(pixels.size()).len();
        (0..count).map(|i| pixels.plane(i).data.to_vec()).collect()
    }

    proptest! {
        #[test]
        fn every_sample_of_every_format_comes_back(
            format in format(),
            (width, height) in (1_u32..40, 1_u32..40),
            (x, y, w, h) in (0_u32..40, 0_u32..40, 1_u32..60, 1_u32..60),
            seed in any::<u64>(),
        ) {
            let frame = example::frame(format, SizePx::new(width, height), seed);
            let crop = RectPx::new(x, y, w, h);
            let Some(kept) = kept_of(frame.pixels.format(), frame.size(), crop) else {
                prop_assert!(x >= width || y >= height);
                return Ok(());
            };
            let picture = decode_picture(&encoded(&frame, kept)).unwrap();
            prop_assert_eq!(planes(&picture.pixels), samples(&*frame.pixels, kept));
            prop_assert_eq!(picture.pixels.format(), format);
            prop_assert_eq!(picture.pixels.size(), SizePx::new(kept.width, kept.height));
            prop_assert_eq!((picture.crop, picture.frame_size), (kept, frame.size()));
            prop_assert_eq!((picture.camera, picture.frame), (frame.camera, frame.sequence));
        }

        #[test]
        fn what_is_kept_covers_the_crop_and_keeps_the_phase(
            format in format(),
            (width, height) in (1_u32..40, 1_u32..40),
            (x, y, w, h) in (any::<u32>(), 0_u32..50, any::<u32>(), 0_u32..50),
        ) {
            let frame = example::frame(format, SizePx::new(width, height), 0);
            let x = x % 50;
            let inside = RectPx::from_corners(
                x, y, x.saturating_add(w).min(width), y.saturating_add(h).min(height),
            );
            let crop = RectPx::new(x, y, w, h);
            let Some(kept) = kept_of(frame.pixels.format(), frame.size(), crop) else {
                prop_assert!(inside.is_empty());
                return Ok(());
            };
            prop_assert!(kept.contains(&inside) && frame.size().rect().contains(&kept));
            if in_pairs(format) {
                prop_assert!(inside.grown(1, &frame.size().rect()).contains(&kept));
                prop_assert!(kept.x % 2 == 0 && kept.y % 2 == 0);
            } else {
                prop_assert_eq!(kept, inside);
            }
        }

        #[test]
        fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode_picture(&bytes).is_err());
            prop_assert!(decode_heatmap(&bytes).is_err());
        }

        #[test]
        fn a_damaged_picture_is_refused_or_whole_but_never_a_panic(
            format in format(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let frame = example::frame(format, SizePx::new(9, 7), 5);
            let whole = encoded(&frame, frame.size().rect());
            let mut bytes = whole.clone();
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = decode_picture(&bytes);
            let _ = decode_heatmap(&bytes);
            bytes.truncate(cut.index(bytes.len()));
            let _ = decode_picture(&bytes);
        }

        #[test]
        fn any_png_with_any_text_is_read_or_refused(
            kind in prop::sample::select(vec!["picture", "heatmap"]),
            format in format(),
            (width, height) in (1_u32..20, 1_u32..20),
            color in prop::sample::select(vec![ColorType::Grayscale, ColorType::Rgb]),
            depth in prop::sample::select(vec![BitDepth::Eight, BitDepth::Sixteen]),
            size in "([0-9]{1,10}x[0-9]{1,10}|4294967295x4294967295|.{0,5})",
            rect in "([0-9]{1,3},[0-9]{1,3},[0-9]{1,3},[0-9]{1,10}|.{0,5})",
            rest in ".{0,8}",
        ) {
            let text = [
                (KIND, kind.to_owned()), (PIXEL_FORMAT, format.name().to_owned()),
                (FRAME_SIZE, size), (CROP, rect.clone()), (COVERS, rect), (FRAME, "7".into()),
                (CAMERA, rest.replace('\0', "")), (YUV, "bt601 full".into()),
            ];
            let mut file = Vec::new();
            let mut png = encoder(&mut file, width as usize, height as usize, &text).unwrap();
            png.set_color(color);
            png.set_depth(depth);
            let mut png = png.write_header().unwrap();
            let bits = color.samples() * depth as usize * width as usize * height as usize;
            png.write_image_data(&vec![7; bits / 8]).unwrap();
            png.finish().unwrap();
            if let Ok(picture) = decode_picture(&file) {
                prop_assert_eq!(picture.pixels.format(), format);
            }
            if let Ok(map) = decode_heatmap(&file) {
                prop_assert_eq!(map.values.len(), (width * height) as usize);
            }
        }
    }

    #[test]
    fn a_large_claim_in_a_small_file_takes_no_memory() {
        let mut file = Vec::new();
        let mut png = png::Encoder::new(&mut file, 60_000, 60_000);
        for (key, value) in [
            (KIND, "picture"),
            (PIXEL_FORMAT, "gray8"),
            (FRAME_SIZE, "60000x60000"),
            (CROP, "0,0,60000,60000"),
        ] {
            png.add_text_chunk(key.into(), value.into()).unwrap();
        }
        let mut png = png.write_header().unwrap();
        png.write_chunk(png::chunk::IDAT, &[0x78, 0x01]).unwrap();
        drop(png);
        let problem = decode_picture(&file).err().unwrap();
        assert!(problem.contains("claims more than"), "{problem}");
    }

    #[test]
    fn any_viewer_sees_the_right_brightness_and_colours() {
        let shown = |format, samples: [u8; 6], width| {
            let size = SizePx::new(width, 1);
            let mut frame = example::frame(format, size, 0);
            let pixels = OwnedPixels::new(format, size, vec![samples.to_vec()]).unwrap();
            frame.pixels = std::sync::Arc::new(pixels);
            let file = encoded(&frame, size.rect());
            let mut png = png::Decoder::new(Cursor::new(file)).read_info().unwrap();
            let row = png.next_row().unwrap().unwrap().data().to_vec();
            (png.output_color_type(), row)
        };
        let rgb = (ColorType::Rgb, BitDepth::Eight);
        let gray16 = (ColorType::Grayscale, BitDepth::Sixteen);
        let samples = [1, 2, 3, 4, 5, 6];
        assert_eq!(shown(PixelFormat::Rgb8, samples, 2), (rgb, vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(shown(PixelFormat::Bgr8, samples, 2), (rgb, vec![3, 2, 1, 6, 5, 4]));
        assert_eq!(shown(PixelFormat::Gray16Le, samples, 3), (gray16, vec![2, 1, 4, 3, 6, 5]));
    }

    #[test]
    fn heatmaps_come_back() {
        let map = example::heatmap(RectPx::new(10, 20, 30, 40));
        let mut file = Vec::new();
        encode_heatmap(&mut file, &map).unwrap();
        assert_eq!(decode_heatmap(&file).unwrap(), map);
        assert!(decode_picture(&file).err().unwrap().contains("is a heatmap"));
        let short = Heatmap { width: 99, ..map };
        assert!(encode_heatmap(&mut Vec::new(), &short).is_err());
    }

    #[test]
    fn the_matrix_and_range_of_yuv_and_any_camera_name_come_back() {
        let mut frame = example::frame(PixelFormat::Nv12, SizePx::new(5, 3), 1);
        frame.pixels = std::sync::Arc::new(example::Bt709Full(example::pixels(
            PixelFormat::Nv12,
            SizePx::new(5, 3),
            1,
        )));
        frame.camera = CameraId::new("Förderband/3 \n←");
        let picture = decode_picture(&encoded(&frame, frame.size().rect())).unwrap();
        assert_eq!(picture.yuv, (YuvMatrix::Bt709, YuvRange::Full));
        assert_eq!(picture.camera, frame.camera);
        frame.camera = CameraId::new("a\0b");
        let picture = decode_picture(&encoded(&frame, frame.size().rect())).unwrap();
        assert_eq!(picture.camera.as_str(), "a\u{fffd}b");
    }

    #[test]
    fn the_same_picture_gives_the_same_file() {
        let frame = example::frame(PixelFormat::I420, SizePx::new(33, 21), 4);
        let all = frame.size().rect();
        assert_eq!(encoded(&frame, all), encoded(&frame, all));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = read_picture(Path::new("/nowhere/a.png")).err().unwrap();
        assert!(error.to_string().contains("/nowhere/a.png"), "{error}");
    }
}
