//! A picture from a camera: pixels that are shared, never copied in silence.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{CameraId, CaptureTime, SizePx};

/// How pixels lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PixelFormat {
    /// One byte of luma.
    Gray8,
    /// Two bytes of luma, little endian.
    Gray16Le,
    /// Bayer mosaic, one byte, first row red green.
    BayerRggb8,
    /// Bayer mosaic, one byte, first row blue green.
    BayerBggr8,
    /// Bayer mosaic, one byte, first row green red.
    BayerGrbg8,
    /// Bayer mosaic, one byte, first row green blue.
    BayerGbrg8,
    /// Luma plane, then a plane of interleaved U and V at half width and height.
    Nv12,
    /// Luma plane, then a U plane and a V plane at half width and height.
    I420,
    /// Three bytes: red, green, blue.
    Rgb8,
    /// Three bytes: blue, green, red.
    Bgr8,
}

impl PixelFormat {
    /// Every format, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Gray8,
        Self::Gray16Le,
        Self::BayerRggb8,
        Self::BayerBggr8,
        Self::BayerGrbg8,
        Self::BayerGbrg8,
        Self::Nv12,
        Self::I420,
        Self::Rgb8,
        Self::Bgr8,
    ];

    /// The name used in configuration and in the record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gray8 => "gray8",
            Self::Gray16Le => "gray16_le",
            Self::BayerRggb8 => "bayer_rggb8",
            Self::BayerBggr8 => "bayer_bggr8",
            Self::BayerGrbg8 => "bayer_grbg8",
            Self::BayerGbrg8 => "bayer_gbrg8",
            Self::Nv12 => "nv12",
            Self::I420 => "i420",
            Self::Rgb8 => "rgb8",
            Self::Bgr8 => "bgr8",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Whether it is one of the four Bayer mosaics.
    #[must_use]
    pub const fn is_bayer(self) -> bool {
        matches!(self, Self::BayerRggb8 | Self::BayerBggr8 | Self::BayerGrbg8 | Self::BayerGbrg8)
    }

    /// Bytes of payload per row and number of rows of each plane for a picture of `size`.
    ///
    /// Odd sizes round chroma up, as GStreamer does.
    #[must_use]
    pub fn planes(self, size: SizePx) -> Vec<(usize, usize)> {
        let (w, h) = (size.width as usize, size.height as usize);
        let (half_w, half_h) = (w.div_ceil(2), h.div_ceil(2));
        match self {
            Self::Gray16Le => vec![(w * 2, h)],
            Self::Rgb8 | Self::Bgr8 => vec![(w * 3, h)],
            Self::Nv12 => vec![(w, h), (half_w * 2, half_h)],
            Self::I420 => vec![(w, h), (half_w, half_h), (half_w, half_h)],
            _ => vec![(w, h)],
        }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which matrix turned RGB into YUV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YuvMatrix {
    /// ITU-R BT.601, standard definition.
    #[default]
    Bt601,
    /// ITU-R BT.709, high definition.
    Bt709,
}

/// Which byte values black and white have in YUV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YuvRange {
    /// Luma 16..=235, chroma 16..=240.
    #[default]
    Limited,
    /// 0..=255.
    Full,
}

/// One plane of a picture, borrowed from wherever it lies.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// The bytes, `stride` per row; the last row may be shorter than `stride`.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes of payload in a row; at most `stride`.
    pub row_bytes: usize,
    /// Number of rows.
    pub rows: usize,
}

impl<'a> Plane<'a> {
    /// The payload of row `y`. Panics when `y` is not below `rows`, as slices do.
    #[must_use]
    pub fn row(&self, y: usize) -> &'a [u8] {
        let start = y * self.stride;
        &self.data[start..start + self.row_bytes]
    }
}

/// Where a piece of a camera's picture was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Column of its left edge; even where the format's pixels come in pairs.
    pub x: u32,
    /// Row of its upper edge; even where the format's pixels come in pairs.
    pub y: u32,
    /// Size of the whole picture.
    pub of: SizePx,
}

/// Read access to a picture's bytes where they lie. Implemented by mapped camera buffers.
pub trait Pixels: Send + Sync {
    /// How the pixels lie.
    fn format(&self) -> PixelFormat;
    /// Width and height.
    fn size(&self) -> SizePx;
    /// Plane `index`; as many as [`PixelFormat::planes`] says.
    fn plane(&self, index: usize) -> Plane<'_>;
    /// Which piece of the camera's picture these pixels are; `None` for the whole of it.
    fn cut_from(&self) -> Option<Cut> {
        None
    }
    /// Which matrix and range YUV formats use; ignored for the others.
    fn yuv(&self) -> (YuvMatrix, YuvRange) {
        (YuvMatrix::Bt601, YuvRange::Limited)
    }
}

/// Pixels in memory of our own, rows packed. For decoded images, the simulator and tests.
pub struct OwnedPixels {
    format: PixelFormat,
    size: SizePx,
    /// Each with its bytes per row and rows, which need not be worked out at every look.
    planes: Vec<(Vec<u8>, usize, usize)>,
}

impl OwnedPixels {
    /// Takes packed planes. `None` when their number or lengths do not fit `format` and `size`.
    #[must_use]
    pub fn new(format: PixelFormat, size: SizePx, planes: Vec<Vec<u8>>) -> Option<Self> {
        let expected = format.planes(size);
        let fits = expected.len() == planes.len()
            && expected.iter().zip(&planes).all(|((row, rows), data)| row * rows == data.len());
        let planes = planes.into_iter().zip(expected);
        let planes = planes.map(|(data, (row_bytes, rows))| (data, row_bytes, rows)).collect();
        (fits && size.area() > 0).then_some(Self { format, size, planes })
    }
}

impl Pixels for OwnedPixels {
    fn format(&self) -> PixelFormat {
        self.format
    }

    fn size(&self) -> SizePx {
        self.size
    }

    fn plane(&self, index: usize) -> Plane<'_> {
        let (data, row_bytes, rows) = &self.planes[index];
        Plane { data, stride: *row_bytes, row_bytes: *row_bytes, rows: *rows }
    }
}

/// One picture from one camera. Holds the pixels by reference count; [`Frame::share`] makes
/// another handle, and nothing here copies pixels.
pub struct Frame {
    /// Which camera.
    pub camera: CameraId,
    /// Running number of the frame at this camera, from 0; gaps are frames that were lost.
    pub sequence: u64,
    /// When it was exposed.
    pub at: CaptureTime,
    /// The file it was read from, for sources of one file a frame; relative to the source.
    pub origin: Option<Arc<str>>,
    /// The pixels, where the camera put them.
    pub pixels: Arc<dyn Pixels>,
}

impl Frame {
    /// Another handle to the same pixels.
    #[must_use]
    pub fn share(&self) -> Self {
        Self {
            camera: self.camera.clone(),
            sequence: self.sequence,
            at: self.at,
            origin: self.origin.clone(),
            pixels: Arc::clone(&self.pixels),
        }
    }

    /// Width and height of the camera's picture, also where only a piece of it is left.
    #[must_use]
    pub fn size(&self) -> SizePx {
        self.pixels.cut_from().map_or_else(|| self.pixels.size(), |cut| cut.of)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Frame {{ {} #{} {} {} }}",
            self.camera,
            self.sequence,
            self.pixels.format(),
            self.size()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_round_chroma_up() {
        let size = SizePx::new(5, 3);
        assert_eq!(PixelFormat::Nv12.planes(size), [(5, 3), (6, 2)]);
        assert_eq!(PixelFormat::I420.planes(size), [(5, 3), (3, 2), (3, 2)]);
    }

    #[test]
    fn names_round_trip() {
        for format in PixelFormat::ALL {
            assert_eq!(PixelFormat::from_name(format.name()), Some(format));
        }
        assert_eq!(PixelFormat::from_name("yuyv"), None);
    }

    #[test]
    fn planes_of_the_wrong_length_are_refused() {
        let size = SizePx::new(4, 2);
        assert!(OwnedPixels::new(PixelFormat::Gray8, size, vec![vec![0; 8]]).is_some());
        assert!(OwnedPixels::new(PixelFormat::Gray8, size, vec![vec![0; 7]]).is_none());
        assert!(OwnedPixels::new(PixelFormat::Nv12, size, vec![vec![0; 8]]).is_none());
    }

    #[test]
    fn sharing_a_frame_shares_its_pixels() {
        let pixels =
            OwnedPixels::new(PixelFormat::Gray8, SizePx::new(2, 1), vec![vec![1, 2]]).unwrap();
        let frame = Frame {
            camera: CameraId::new("c"),
            sequence: 0,
            at: CaptureTime::default(),
            origin: None,
            pixels: Arc::new(pixels),
        };
        assert!(Arc::ptr_eq(&frame.pixels, &frame.share().pixels));
    }
}
