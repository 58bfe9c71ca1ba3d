//! How pictures lie in the buffers that go into an encoder. Takes pixels as a camera left them;
//! gives bytes in GStreamer's own order, and the caps that say what they are.

use domain::{PixelFormat, Pixels, SizePx, YuvMatrix, YuvRange};

use super::Encoding;

/// How pictures lie in the buffers that go into the pipeline.
pub(super) struct Picture {
    pub(super) format: PixelFormat,
    pub(super) size: SizePx,
    pub(super) encoding: Encoding,
}

impl Picture {
    /// H.264 takes even sides only; half the encoders would cut an odd one in silence.
    fn padded(&self) -> SizePx {
        let SizePx { width, height } = self.size;
        match self.encoding {
            Encoding::Lossless => self.size,
            Encoding::H264 => SizePx::new(width.next_multiple_of(2), height.next_multiple_of(2)),
        }
    }

    /// The format in the buffers: mosaics go into lossless files as gray, deep gray into H.264
    /// with the eight bits that it holds.
    fn laid_as(&self) -> PixelFormat {
        match (self.encoding, self.format) {
            (Encoding::Lossless, format) if format.is_bayer() => PixelFormat::Gray8,
            (Encoding::H264, PixelFormat::Gray16Le) => PixelFormat::Gray8,
            (_, format) => format,
        }
    }

    /// Rows begin at multiples of four bytes, as GStreamer has it where nothing else is said.
    fn strides(&self) -> Vec<(usize, usize)> {
        let planes = self.laid_as().planes(self.padded());
        planes.into_iter().map(|(row, rows)| (row.next_multiple_of(4), rows)).collect()
    }

    /// Bytes of a buffer; GStreamer rounds the rows of subsampled luma up to an even number.
    pub(super) fn bytes(&self) -> usize {
        self.offsets().1
    }

    /// Where each plane begins, and where the last one ends.
    fn offsets(&self) -> (Vec<usize>, usize) {
        let strides = self.strides();
        let subsampled = strides.len() > 1;
        let mut end = 0;
        let begins = strides.iter().enumerate().map(|(index, &(stride, rows))| {
            let begin = end;
            let rows = if subsampled && index == 0 { rows.next_multiple_of(2) } else { rows };
            end += stride * rows;
            begin
        });
        (begins.collect(), end)
    }

    pub(super) fn caps(&self, yuv: (YuvMatrix, YuvRange), fps: gst::Fraction) -> Option<gst::Caps> {
        let (name, format) = names_of(self.laid_as());
        let size = self.padded();
        let caps = gst::Caps::builder(name)
            .field("format", format)
            .field("width", i32::try_from(size.width).ok()?)
            .field("height", i32::try_from(size.height).ok()?)
            .field("framerate", fps);
        let caps = match self.format {
            PixelFormat::Nv12 | PixelFormat::I420 => caps.field("colorimetry", colorimetry(yuv)),
            _ => caps,
        };
        Some(caps.build())
    }

    /// Copies a row; how many bytes it became.
    fn copy_row(&self, from: &[u8], row: &mut [u8]) -> usize {
        match (self.encoding, self.format) {
            (Encoding::H264, PixelFormat::Gray8) => {
                row.iter_mut().zip(from).for_each(|(to, gray)| *to = luma_from_gray(*gray));
                from.len()
            }
            (Encoding::H264, PixelFormat::Gray16Le) => {
                let high = from.iter().skip(1).step_by(2);
                row.iter_mut().zip(high).for_each(|(to, gray)| *to = luma_from_gray(*gray));
                from.len() / 2
            }
            _ => {
                row[..from.len()].copy_from_slice(from);
                from.len()
            }
        }
    }

    /// Copies a picture; rows and columns that it lacks repeat its last.
    pub(super) fn copy(&self, pixels: &dyn Pixels, into: &mut [u8]) {
        let unit = match self.laid_as() {
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => 3,
            PixelFormat::Gray16Le => 2,
            _ => 1,
        };
        let (offsets, _) = self.offsets();
        for (index, ((stride, rows), begin)) in self.strides().into_iter().zip(offsets).enumerate()
        {
            let plane = pixels.plane(index);
            let target = into[begin..].chunks_exact_mut(stride).take(rows);
            for (y, row) in target.enumerate() {
                let from = plane.row(y.min(plane.rows - 1));
                let filled = self.copy_row(from, row);
                let (done, missing) = row.split_at_mut(filled);
                let last = &done[filled - unit..];
                missing.chunks_exact_mut(unit).for_each(|pixel| pixel.copy_from_slice(last));
            }
        }
    }
}

/// Gray in H.264's range of luma; GStreamer would copy it as it is, and players darken it.
fn luma_from_gray(gray: u8) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 235")]
    let luma = ((u16::from(gray) * 219 + 127) / 255 + 16) as u8;
    luma
}

/// The name of the caps, and of the format in them.
fn names_of(format: PixelFormat) -> (&'static str, &'static str) {
    const RAW: &str = "video/x-raw";
    const BAYER: &str = "video/x-bayer";
    match format {
        PixelFormat::Gray8 => (RAW, "GRAY8"),
        PixelFormat::Gray16Le => (RAW, "GRAY16_LE"),
        PixelFormat::BayerRggb8 => (BAYER, "rggb"),
        PixelFormat::BayerBggr8 => (BAYER, "bggr"),
        PixelFormat::BayerGrbg8 => (BAYER, "grbg"),
        PixelFormat::BayerGbrg8 => (BAYER, "gbrg"),
        PixelFormat::Nv12 => (RAW, "NV12"),
        PixelFormat::I420 => (RAW, "I420"),
        PixelFormat::Rgb8 => (RAW, "RGB"),
        PixelFormat::Bgr8 => (RAW, "BGR"),
    }
}

/// GStreamer's spelling: range, matrix, transfer, primaries, as numbers of its enumerations.
fn colorimetry(yuv: (YuvMatrix, YuvRange)) -> &'static str {
    match yuv {
        (YuvMatrix::Bt601, YuvRange::Limited) => "bt601",
        (YuvMatrix::Bt709, YuvRange::Limited) => "bt709",
        (YuvMatrix::Bt601, YuvRange::Full) => "1:4:16:4",
        (YuvMatrix::Bt709, YuvRange::Full) => "1:3:5:1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_laid_out_as_gstreamer_expects() {
        gst::init().unwrap();
        for format in PixelFormat::ALL.into_iter().filter(|format| !format.is_bayer()) {
            for (width, height) in [(64, 48), (61, 35), (17, 16), (130, 33), (18, 17)] {
                let size = SizePx::new(width, height);
                let picture = Picture { format, size, encoding: Encoding::Lossless };
                let caps = picture.caps(Default::default(), gst::Fraction::new(30, 1)).unwrap();
                let info = gst_video::VideoInfo::from_caps(&caps).unwrap();
                let (offsets, bytes) = picture.offsets();
                assert_eq!(info.offset(), offsets, "{format} {size}");
                assert_eq!(info.size(), bytes, "{format} {size}");
                let strides = picture.strides();
                let same =
                    |(theirs, (ours, _)): (&i32, (usize, _))| i32::try_from(ours) == Ok(*theirs);
                assert!(info.stride().iter().zip(strides).all(same), "{format} {size}");
            }
        }
    }

    #[test]
    fn gray_becomes_luma_and_odd_pictures_are_filled_with_their_last_pixels() {
        let size = SizePx::new(3, 1);
        let given = |format, bytes: &[u8]| {
            let pixels = domain::OwnedPixels::new(format, size, vec![bytes.to_vec()]).unwrap();
            let picture = Picture { format, size, encoding: Encoding::H264 };
            let mut into = vec![0; picture.bytes()];
            picture.copy(&pixels, &mut into);
            into
        };
        let luma = [16, 126, 235, 235, 16, 126, 235, 235];
        assert_eq!(given(PixelFormat::Gray8, &[0, 128, 255]), luma);
        assert_eq!(given(PixelFormat::Gray16Le, &[9, 0, 9, 128, 9, 255]), luma);
        let rgb = given(PixelFormat::Rgb8, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(rgb[..12], [1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 8, 9]);
    }
}
