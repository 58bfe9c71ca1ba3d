//! Pixels where GStreamer put them. Takes a buffer and what its caps say; gives [`Pixels`] that
//! borrow from the mapped buffer and keep it alive, in slots that are used again and again.

use std::fmt;
use std::sync::Arc;

use domain::{PixelFormat, Pixels, Plane, SizePx, YuvMatrix, YuvRange};
use gst_video::prelude::*;
use gst_video::{VideoColorMatrix, VideoColorRange, VideoFormat};

use crate::limits::FRAME_SLOTS_MAX;

/// The formats that are read where they lie, for people.
pub(super) const KNOWN: &str =
    "GRAY8, GRAY16_LE, NV12, I420, RGB, BGR, or video/x-bayer rggb, bggr, grbg, gbrg";

const RAW: [(VideoFormat, PixelFormat); 6] = [
    (VideoFormat::Gray8, PixelFormat::Gray8),
    (VideoFormat::Gray16Le, PixelFormat::Gray16Le),
    (VideoFormat::Nv12, PixelFormat::Nv12),
    (VideoFormat::I420, PixelFormat::I420),
    (VideoFormat::Rgb, PixelFormat::Rgb8),
    (VideoFormat::Bgr, PixelFormat::Bgr8),
];

const BAYER: [(&str, PixelFormat); 4] = [
    ("rggb", PixelFormat::BayerRggb8),
    ("bggr", PixelFormat::BayerBggr8),
    ("grbg", PixelFormat::BayerGrbg8),
    ("gbrg", PixelFormat::BayerGbrg8),
];

/// Caps that list every known format.
pub(super) fn known_caps() -> gst::Caps {
    let raw = gst::Structure::builder("video/x-raw")
        .field("format", gst::List::new(RAW.map(|(format, _)| format.to_str().as_str())))
        .build();
    let bayer = gst::Structure::builder("video/x-bayer")
        .field("format", gst::List::new(BAYER.map(|(name, _)| name)))
        .build();
    [raw, bayer].into_iter().collect()
}

/// What caps say of the frames that follow them.
pub(super) struct Layout {
    format: PixelFormat,
    size: SizePx,
    fps: Option<f64>,
    yuv: (YuvMatrix, YuvRange),
    /// `None` for Bayer mosaics, which GStreamer does not count among its raw formats.
    info: Option<gst_video::VideoInfo>,
    planes: Planes,
}

/// Payload bytes per row and rows of each plane; no format has more than three.
#[derive(Clone, Copy)]
struct Planes {
    shapes: [(usize, usize); 3],
    count: usize,
}

impl Planes {
    fn new(format: PixelFormat, size: SizePx) -> Self {
        let mut planes = Self { shapes: [(0, 0); 3], count: 0 };
        for (shape, known) in planes.shapes.iter_mut().zip(format.planes(size)) {
            *shape = known;
            planes.count += 1;
        }
        planes
    }

    fn each(&self) -> impl Iterator<Item = (usize, (usize, usize))> {
        self.shapes.into_iter().take(self.count).enumerate()
    }
}

impl Layout {
    /// Reads caps; `None` when they are not of a known format.
    pub(super) fn from_caps(caps: &gst::CapsRef) -> Option<Self> {
        match gst_video::VideoInfo::from_caps(caps) {
            Ok(info) if info.format() != VideoFormat::Encoded => Self::from_info(info),
            _ => Self::from_bayer(caps.structure(0)?),
        }
    }

    fn from_info(info: gst_video::VideoInfo) -> Option<Self> {
        let (_, format) = RAW.into_iter().find(|(raw, _)| *raw == info.format())?;
        let size = SizePx::new(info.width(), info.height());
        Some(Self {
            format,
            size,
            planes: Planes::new(format, size),
            fps: fps_from_fraction(info.fps()),
            yuv: if info.is_yuv() { yuv_from(&info.colorimetry()) } else { Default::default() },
            info: Some(info),
        })
    }

    fn from_bayer(caps: &gst::StructureRef) -> Option<Self> {
        if caps.name() != "video/x-bayer" {
            return None;
        }
        let name = caps.get::<&str>("format").ok()?;
        let (_, format) = BAYER.into_iter().find(|(bayer, _)| *bayer == name)?;
        let side = |key| u32::try_from(caps.get::<i32>(key).ok()?).ok();
        let size = SizePx::new(side("width")?, side("height")?);
        Some(Self {
            format,
            size,
            planes: Planes::new(format, size),
            fps: caps.get::<gst::Fraction>("framerate").ok().and_then(fps_from_fraction),
            yuv: Default::default(),
            info: None,
        })
    }

    /// How pixels lie.
    pub(super) fn format(&self) -> PixelFormat {
        self.format
    }

    /// Reads gray8 as the mosaic it really carries; whether that is possible.
    pub(super) fn relabel(&mut self, format: PixelFormat) -> bool {
        let fits =
            self.format == format || (self.format == PixelFormat::Gray8 && format.is_bayer());
        if fits {
            self.format = format;
        }
        fits
    }

    /// Frames per second, where constant and known.
    pub(super) fn fps(&self) -> Option<f64> {
        self.fps
    }

    /// Whether frames of both lie the same way, so that one stage can read both.
    pub(super) fn alike(&self, other: &Self) -> bool {
        (self.format, self.size, self.yuv) == (other.format, other.size, other.yuv)
    }

    /// Maps `buffer`; `None` when it is smaller than its caps say, or not readable.
    pub(super) fn map(&self, buffer: gst::Buffer) -> Option<Mapped> {
        let bytes = match &self.info {
            Some(info) => {
                Bytes::Frame(gst_video::VideoFrame::from_buffer_readable(buffer, info).ok()?)
            }
            None => Bytes::Bayer {
                stride: self.bayer_stride(&buffer)?,
                map: buffer.into_mapped_buffer_readable().ok()?,
            },
        };
        let mapped = Mapped {
            format: self.format,
            size: self.size,
            yuv: self.yuv,
            planes: self.planes,
            bytes: Some(bytes),
        };
        mapped.holds_its_planes().then_some(mapped)
    }

    /// Cameras pack the rows of a mosaic, GStreamer's own elements align them to four bytes.
    fn bayer_stride(&self, buffer: &gst::BufferRef) -> Option<usize> {
        if let Some(meta) = buffer.meta::<gst_video::VideoMeta>() {
            return usize::try_from(*meta.stride().first()?).ok();
        }
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let aligned = width.next_multiple_of(4);
        let packed = buffer.size() < aligned * (height - 1) + width;
        Some(if packed { width } else { aligned })
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.format, self.size)?;
        if matches!(self.format, PixelFormat::Nv12 | PixelFormat::I420) {
            write!(f, " {:?} {:?}", self.yuv.0, self.yuv.1)?;
        }
        Ok(())
    }
}

/// The two matrices that exist here; BT.2020 and SMPTE 240M are nearer to BT.709.
fn yuv_from(colorimetry: &gst_video::VideoColorimetry) -> (YuvMatrix, YuvRange) {
    let matrix = match colorimetry.matrix() {
        VideoColorMatrix::Bt601 | VideoColorMatrix::Fcc => YuvMatrix::Bt601,
        _ => YuvMatrix::Bt709,
    };
    let range = match colorimetry.range() {
        VideoColorRange::Range0_255 => YuvRange::Full,
        _ => YuvRange::Limited,
    };
    (matrix, range)
}

fn fps_from_fraction(fps: gst::Fraction) -> Option<f64> {
    (fps.numer() > 0 && fps.denom() > 0).then(|| f64::from(fps.numer()) / f64::from(fps.denom()))
}

#[expect(clippy::large_enum_variant, reason = "each lies behind a pointer of its own")]
enum Bytes {
    Frame(gst_video::VideoFrame<gst_video::video_frame::Readable>),
    Bayer { map: gst::MappedBuffer<gst::buffer::Readable>, stride: usize },
}

/// A mapped buffer.
pub(super) struct Mapped {
    format: PixelFormat,
    size: SizePx,
    yuv: (YuvMatrix, YuvRange),
    planes: Planes,
    /// `None` once it was given back to the camera; nobody but a slot holds it then.
    bytes: Option<Bytes>,
}

impl Mapped {
    /// The bytes and the stride of plane `index`, as mapped.
    fn mapped_plane(&self, index: usize) -> Option<(&[u8], usize)> {
        match self.bytes.as_ref()? {
            Bytes::Frame(frame) => {
                let stride = usize::try_from(*frame.plane_stride().get(index)?).ok()?;
                Some((frame.plane_data(u32::try_from(index).ok()?).ok()?, stride))
            }
            Bytes::Bayer { map, stride } => (index == 0).then_some((map.as_slice(), *stride)),
        }
    }

    fn holds_its_planes(&self) -> bool {
        self.planes.each().all(|(index, (row_bytes, rows))| {
            self.mapped_plane(index).is_some_and(|(data, stride)| {
                rows > 0 && stride >= row_bytes && data.len() >= stride * (rows - 1) + row_bytes
            })
        })
    }
}

impl Pixels for Mapped {
    fn format(&self) -> PixelFormat {
        self.format
    }

    fn size(&self) -> SizePx {
        self.size
    }

    fn plane(&self, index: usize) -> Plane<'_> {
        let (row_bytes, rows) = self.planes.shapes[index];
        // Every plane was looked at when the buffer was mapped.
        let (data, stride) = self.mapped_plane(index).unwrap_or((&[], row_bytes));
        Plane { data, stride, row_bytes, rows }
    }

    fn yuv(&self) -> (YuvMatrix, YuvRange) {
        self.yuv
    }
}

/// Where mapped buffers lie while anyone reads them. Handing one out allocates nothing once there
/// are as many slots as frames are held at a time.
#[derive(Default)]
pub(super) struct Slots {
    slots: Vec<Arc<Mapped>>,
}

impl Slots {
    /// Gives back to the camera every buffer that nobody reads any more.
    pub(super) fn release(&mut self) {
        for mapped in self.slots.iter_mut().filter_map(Arc::get_mut) {
            mapped.bytes = None;
        }
    }

    /// Puts `mapped` where it can be shared.
    pub(super) fn put(&mut self, mapped: Mapped) -> Arc<dyn Pixels> {
        for slot in &mut self.slots {
            if let Some(free) = Arc::get_mut(slot) {
                *free = mapped;
                return Arc::<Mapped>::clone(slot);
            }
        }
        let slot = Arc::new(mapped);
        // Who holds more frames than a line ever does pays with an allocation for each.
        if self.slots.len() < FRAME_SLOTS_MAX {
            self.slots.push(Arc::clone(&slot));
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(value: u8) -> Mapped {
        gst::init().unwrap();
        let info = gst_video::VideoInfo::builder(VideoFormat::Gray8, 4, 2).build().unwrap();
        let layout = Layout::from_caps(&info.to_caps().unwrap()).unwrap();
        layout.map(gst::Buffer::from_slice([value; 8])).unwrap()
    }

    #[test]
    fn a_slot_is_used_again_when_nobody_reads_it() {
        let mut slots = Slots::default();
        let (one, two) = (slots.put(mapped(1)), slots.put(mapped(2)));
        assert_eq!(slots.slots.len(), 2);
        drop(one);
        let three = slots.put(mapped(3));
        assert_eq!(slots.slots.len(), 2);
        assert_eq!((two.plane(0).row(1), three.plane(0).row(1)), (&[2; 4][..], &[3; 4][..]));
    }

    #[test]
    fn only_buffers_that_nobody_reads_are_given_back() {
        let mut slots = Slots::default();
        let (kept, gone) = (slots.put(mapped(1)), slots.put(mapped(2)));
        drop(gone);
        slots.release();
        let held = |slot: &Arc<Mapped>| slot.bytes.is_some();
        assert_eq!(slots.slots.iter().map(held).collect::<Vec<_>>(), [true, false]);
        assert_eq!(kept.plane(0).row(0), [1; 4]);
    }

    #[test]
    fn who_holds_very_many_frames_gets_them_all() {
        let mut slots = Slots::default();
        let held: Vec<_> = (0..100).map(|value| slots.put(mapped(value))).collect();
        assert_eq!(slots.slots.len(), FRAME_SLOTS_MAX);
        assert!(held.iter().zip(0..).all(|(pixels, value)| pixels.plane(0).row(0) == [value; 4]));
    }
}
