//! A camera's pixels, row by row: takes a picture where it lies and a crop of it, gives one row at
//! a time as planes of floats in 0..=255.
//!
//! Only the crop is read. Colour is told from mosaics and from luma and chroma here, nowhere else.

use domain::{FindingFault, PixelFormat, Pixels, Plane, RectPx, YuvMatrix, YuvRange};

use crate::manifest::Colour;

/// Rows of a crop. Made anew for each picture; keeps nothing of its own.
pub(crate) struct Rows<'a> {
    format: PixelFormat,
    planes: [Option<Plane<'a>>; 3],
    crop: RectPx,
    frame_rows: usize,
    frame_columns: usize,
    colour: Colour,
    yuv: YuvToRgb,
}

/// Three rows of a mosaic around the wanted one, each with a pixel more on both sides.
pub(crate) type Neighbours = [Vec<f32>; 3];

/// Weights of red, green and blue in luma; Pillow's and OpenCV's.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

impl<'a> Rows<'a> {
    /// The rows of `crop` in `pixels`.
    ///
    /// # Errors
    /// When the crop is empty or reaches beyond the picture, or the planes are shorter than the
    /// picture's format and size say.
    pub fn new(pixels: &'a dyn Pixels, crop: RectPx, colour: Colour) -> Result<Self, FindingFault> {
        let (format, size) = (pixels.format(), pixels.size());
        let reaches = |start: u32, length: u32, end: u32| {
            length > 0 && start.checked_add(length).is_some_and(|stop| stop <= end)
        };
        if !reaches(crop.x, crop.width, size.width) || !reaches(crop.y, crop.height, size.height) {
            return Err(not_prepared(format!("the crop {crop} is not inside the picture {size}")));
        }
        let mut planes = [None; 3];
        for (index, (row_bytes, rows)) in format.planes(size).into_iter().enumerate() {
            let plane = pixels.plane(index);
            check_plane(&plane, row_bytes, rows).map_err(|why| {
                not_prepared(format!("plane {index} of a {size} {format} picture {why}"))
            })?;
            planes[index] = Some(plane);
        }
        Ok(Self {
            format,
            planes,
            crop,
            frame_rows: size.height as usize,
            frame_columns: size.width as usize,
            colour,
            yuv: YuvToRgb::new(pixels.yuv()),
        })
    }

    /// Planes that [`Self::read`] gives: 1 where every channel would be the same.
    pub const fn channels(&self) -> usize {
        match (self.colour, self.format) {
            (Colour::Gray, _) | (_, PixelFormat::Gray8 | PixelFormat::Gray16Le) => 1,
            (Colour::Rgb | Colour::Bgr, _) => 3,
        }
    }

    /// Puts row `y` of the crop into `out`, plane after plane, each as wide as the crop; red,
    /// green, blue where there are three.
    pub fn read(&self, y: usize, out: &mut [f32], neighbours: &mut Neighbours) {
        let y = self.crop.y as usize + y;
        match (self.format, self.colour) {
            (PixelFormat::Gray8, _) => from_bytes(self.pixels(0, y, 1), out),
            (PixelFormat::Gray16Le, _) => from_words(self.pixels(0, y, 2), out),
            (PixelFormat::Nv12 | PixelFormat::I420, Colour::Gray) => {
                for (out, luma) in out.iter_mut().zip(self.pixels(0, y, 1)) {
                    *out = self.yuv.luma(*luma).clamp(0.0, 255.0);
                }
            }
            (PixelFormat::Rgb8, _) => self.read_triples(self.pixels(0, y, 3), [0, 1, 2], out),
            (PixelFormat::Bgr8, _) => self.read_triples(self.pixels(0, y, 3), [2, 1, 0], out),
            (PixelFormat::Nv12, _) => {
                let chroma = self.plane(1).row(y / 2);
                self.read_yuv(y, |x| (chroma[x / 2 * 2], chroma[x / 2 * 2 + 1]), out);
            }
            (PixelFormat::I420, _) => {
                let (us, vs) = (self.plane(1).row(y / 2), self.plane(2).row(y / 2));
                self.read_yuv(y, |x| (us[x / 2], vs[x / 2]), out);
            }
            (format, _) => self.read_mosaic(Mosaic::of(format), y, out, neighbours),
        }
    }

    fn plane(&self, index: usize) -> Plane<'a> {
        const NONE: Plane<'static> = Plane { data: &[], stride: 0, row_bytes: 0, rows: 0 };
        self.planes[index].unwrap_or(NONE)
    }

    /// The crop's part of row `y` of a plane of `bytes` per pixel.
    fn pixels(&self, plane: usize, y: usize, bytes: usize) -> &'a [u8] {
        let start = self.crop.x as usize * bytes;
        &self.plane(plane).row(y)[start..start + self.crop.width as usize * bytes]
    }

    /// `order` says which byte of a triple is red, green and blue.
    fn read_triples(&self, triples: &[u8], order: [usize; 3], out: &mut [f32]) {
        let (triples, _) = triples.as_chunks::<3>();
        match self.colour {
            Colour::Gray => {
                for (out, triple) in out.iter_mut().zip(triples) {
                    *out = luma(order.map(|i| f32::from(triple[i])));
                }
            }
            Colour::Rgb | Colour::Bgr => {
                for (plane, byte) in out.chunks_exact_mut(triples.len()).zip(order) {
                    for (out, triple) in plane.iter_mut().zip(triples) {
                        *out = f32::from(triple[byte]);
                    }
                }
            }
        }
    }

    /// `chroma` gives U and V at a column of the frame. Each counts for the two by two pixels that
    /// it was averaged over.
    fn read_yuv(&self, y: usize, chroma: impl Fn(usize) -> (u8, u8), out: &mut [f32]) {
        let width = self.crop.width as usize;
        let (reds, rest) = out.split_at_mut(width);
        let (greens, blues) = rest.split_at_mut(width);
        let columns = self.crop.x as usize..self.crop.x as usize + width;
        // Spread first, so that the arithmetic below is the same for each pixel, side by side.
        for ((u, v), x) in blues.iter_mut().zip(reds.iter_mut()).zip(columns) {
            let bytes = chroma(x);
            (*u, *v) = (f32::from(bytes.0), f32::from(bytes.1));
        }
        let pixels = reds.iter_mut().zip(greens).zip(blues).zip(self.pixels(0, y, 1));
        for (((red, green), blue), luma) in pixels {
            [*red, *green, *blue] = self.yuv.rgb(*luma, *blue, *red);
        }
    }

    /// Bilinear: what a pixel did not see is the mean of its nearest neighbours that did.
    fn read_mosaic(&self, mosaic: Mosaic, y: usize, out: &mut [f32], near: &mut Neighbours) {
        let width = self.crop.width as usize;
        let plane = self.plane(0);
        for (row, offset) in near.iter_mut().zip([-1_isize, 0, 1]) {
            row.resize(width + 2, 0.0);
            self.with_border(plane.row(mirrored(y, offset, self.frame_rows)), row);
        }
        let [up, mid, down] = near;
        let red_row = y % 2 == mosaic.red_y;
        let coloured = if red_row { mosaic.red_x } else { 1 - mosaic.red_x };
        let nine = up.array_windows().zip(mid.array_windows()).zip(down.array_windows());
        let pixels = nine.enumerate().map(|(i, ((up, mid), down))| {
            let is_green = (self.crop.x as usize + i) % 2 != coloured;
            rgb_from_mosaic([up, mid, down], is_green, red_row)
        });
        match self.colour {
            Colour::Gray => out.iter_mut().zip(pixels).for_each(|(out, rgb)| *out = luma(rgb)),
            Colour::Rgb | Colour::Bgr => {
                let (reds, rest) = out.split_at_mut(width);
                let (greens, blues) = rest.split_at_mut(width);
                let places = reds.iter_mut().zip(greens).zip(blues);
                for (((red, green), blue), rgb) in places.zip(pixels) {
                    [*red, *green, *blue] = rgb;
                }
            }
        }
    }

    /// The crop's part of `row` and a pixel on both sides, mirrored at the frame's border.
    fn with_border(&self, row: &[u8], out: &mut [f32]) {
        let (start, width) = (self.crop.x as usize, self.crop.width as usize);
        from_bytes(&row[start..start + width], &mut out[1..=width]);
        out[0] = f32::from(row[mirrored(start, -1, self.frame_columns)]);
        out[width + 1] = f32::from(row[mirrored(start + width - 1, 1, self.frame_columns)]);
    }
}

/// The pixel in the middle of three by three, of which a mosaic's row saw green or another colour:
/// red in rows with red, blue in the others.
fn rgb_from_mosaic([up, mid, down]: [&[f32; 3]; 3], is_green: bool, red_row: bool) -> [f32; 3] {
    let beside = f32::midpoint(mid[0], mid[2]);
    let above = f32::midpoint(up[1], down[1]);
    let [own, green, other] = if is_green {
        [beside, mid[1], above]
    } else {
        let corners = f32::midpoint(f32::midpoint(up[0], down[0]), f32::midpoint(up[2], down[2]));
        [mid[1], f32::midpoint(beside, above), corners]
    };
    if red_row { [own, green, other] } else { [other, green, own] }
}

/// The place one step from `at`, turned back at the ends of `0..length`: it has the same colour of
/// filter as the place outside would have. A picture one pixel wide has no other colour to give.
const fn mirrored(at: usize, step: isize, length: usize) -> usize {
    let (before, after) = (at.wrapping_sub(1), at + 1);
    match step {
        0 => at,
        _ if length < 2 => 0,
        ..0 if at == 0 => after,
        1.. if after == length => before,
        ..0 => before,
        1.. => after,
    }
}

/// Where the red filters of a mosaic are, in each block of two by two.
#[derive(Clone, Copy)]
struct Mosaic {
    red_x: usize,
    red_y: usize,
}

impl Mosaic {
    const fn of(format: PixelFormat) -> Self {
        match format {
            PixelFormat::BayerBggr8 => Self { red_x: 1, red_y: 1 },
            PixelFormat::BayerGrbg8 => Self { red_x: 1, red_y: 0 },
            PixelFormat::BayerGbrg8 => Self { red_x: 0, red_y: 1 },
            _ => Self { red_x: 0, red_y: 0 },
        }
    }
}

/// How luma and chroma make red, green and blue.
#[derive(Clone, Copy)]
struct YuvToRgb {
    black: f32,
    luma_gain: f32,
    red_from_v: f32,
    green_from_u: f32,
    green_from_v: f32,
    blue_from_u: f32,
}

impl YuvToRgb {
    fn new((matrix, range): (YuvMatrix, YuvRange)) -> Self {
        let (kr, kb) = match matrix {
            YuvMatrix::Bt601 => (0.299, 0.114),
            YuvMatrix::Bt709 => (0.2126, 0.0722),
        };
        let (black, luma_gain, chroma_gain) = match range {
            YuvRange::Limited => (16.0, 255.0 / 219.0, 255.0 / 224.0),
            YuvRange::Full => (0.0, 1.0, 1.0),
        };
        let (red, blue) = (2.0 * (1.0 - kr) * chroma_gain, 2.0 * (1.0 - kb) * chroma_gain);
        let kg = 1.0 - kr - kb;
        Self {
            black,
            luma_gain,
            red_from_v: red,
            green_from_u: -blue * kb / kg,
            green_from_v: -red * kr / kg,
            blue_from_u: blue,
        }
    }

    fn luma(&self, y: u8) -> f32 {
        (f32::from(y) - self.black) * self.luma_gain
    }

    fn rgb(&self, y: u8, u: f32, v: f32) -> [f32; 3] {
        let (y, u, v) = (self.luma(y), u - 128.0, v - 128.0);
        [
            y + self.red_from_v * v,
            y + self.green_from_u * u + self.green_from_v * v,
            y + self.blue_from_u * u,
        ]
        .map(|value| value.clamp(0.0, 255.0))
    }
}

fn luma(rgb: [f32; 3]) -> f32 {
    LUMA[0] * rgb[0] + LUMA[1] * rgb[1] + LUMA[2] * rgb[2]
}

fn from_bytes(bytes: &[u8], out: &mut [f32]) {
    for (out, byte) in out.iter_mut().zip(bytes) {
        *out = f32::from(*byte);
    }
}

/// 65535 is white, as 255 is.
fn from_words(bytes: &[u8], out: &mut [f32]) {
    let (words, _) = bytes.as_chunks::<2>();
    for (out, word) in out.iter_mut().zip(words) {
        *out = f32::from(u16::from_le_bytes(*word)) / 257.0;
    }
}

/// Says what is wrong with a plane that must have `rows` rows of `row_bytes`.
fn check_plane(plane: &Plane<'_>, row_bytes: usize, rows: usize) -> Result<(), String> {
    if plane.row_bytes < row_bytes || plane.rows < rows {
        return Err(format!(
            "has {} rows of {} bytes, not {rows} of {row_bytes}",
            plane.rows, plane.row_bytes
        ));
    }
    if plane.stride < plane.row_bytes {
        return Err(format!("has a stride of {}, less than a row", plane.stride));
    }
    let needed = (rows - 1) * plane.stride + plane.row_bytes;
    if plane.data.len() < needed {
        return Err(format!("has {} bytes, not {needed}", plane.data.len()));
    }
    Ok(())
}

pub(crate) const fn not_prepared(message: String) -> FindingFault {
    FindingFault::NotPrepared { message }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made-up pixels wrap as they like"
)]
#[cfg(test)]
pub(crate) mod tests {
    use domain::{OwnedPixels, SizePx};
    use proptest::prelude::*;

    use super::*;

    /// A picture whose rows are further apart than they are long, with junk between them, as
    /// cameras' buffers are.
    pub struct Strided {
        pub inner: OwnedPixels,
        pub yuv: (YuvMatrix, YuvRange),
        padded: Vec<Vec<u8>>,
        gap: usize,
    }

    impl Strided {
        pub fn new(inner: OwnedPixels, gap: usize) -> Self {
            let planes = inner.format().planes(inner.size()).len();
            let padded = (0..planes)
                .map(|index| {
                    let plane = inner.plane(index);
                    let mut data = Vec::new();
                    for y in 0..plane.rows {
                        data.extend_from_slice(plane.row(y));
                        // The last row ends where its pixels end.
                        let junk = if y + 1 == plane.rows { 0 } else { gap };
                        data.extend(std::iter::repeat_n(77, junk));
                    }
                    data
                })
                .collect();
            Self { inner, yuv: (YuvMatrix::Bt601, YuvRange::Limited), padded, gap }
        }
    }

    impl Pixels for Strided {
        fn format(&self) -> PixelFormat {
            self.inner.format()
        }
        fn size(&self) -> SizePx {
            self.inner.size()
        }
        fn plane(&self, index: usize) -> Plane<'_> {
            let plane = self.inner.plane(index);
            Plane { data: &self.padded[index], stride: plane.stride + self.gap, ..plane }
        }
        fn yuv(&self) -> (YuvMatrix, YuvRange) {
            self.yuv
        }
    }

    /// A picture whose bytes are `byte(plane, x, y)`, x in bytes of the row.
    pub fn picture(
        format: PixelFormat,
        size: SizePx,
        byte: impl Fn(usize, usize, usize) -> u8,
    ) -> OwnedPixels {
        let planes = format
            .planes(size)
            .into_iter()
            .enumerate()
            .map(|(plane, (row_bytes, rows))| {
                (0..rows)
                    .flat_map(|y| (0..row_bytes).map(move |x| (x, y)))
                    .map(|(x, y)| byte(plane, x, y))
                    .collect()
            })
            .collect();
        OwnedPixels::new(format, size, planes).unwrap()
    }

    /// The pixels of `crop`, row by row.
    fn read(pixels: &dyn Pixels, crop: RectPx, colour: Colour) -> Vec<Vec<f32>> {
        let rows = Rows::new(pixels, crop, colour).unwrap();
        let (width, channels) = (crop.width as usize, rows.channels());
        let mut neighbours = Neighbours::default();
        let mut pixels = Vec::new();
        for y in 0..crop.height as usize {
            let mut out = vec![f32::NAN; width * channels];
            rows.read(y, &mut out, &mut neighbours);
            pixels.extend((0..width).map(|x| (0..channels).map(|c| out[c * width + x]).collect()));
        }
        pixels
    }

    /// A picture of one colour in any format, as a camera would give it.
    fn uniform(
        format: PixelFormat,
        size: SizePx,
        rgb: [u8; 3],
        (matrix, range): (YuvMatrix, YuvRange),
    ) -> Strided {
        let [r, g, b] = rgb.map(f64::from);
        let (kr, kb) = match matrix {
            YuvMatrix::Bt601 => (0.299, 0.114),
            YuvMatrix::Bt709 => (0.2126, 0.0722),
        };
        let luma = kr * r + (1.0 - kr - kb) * g + kb * b;
        let (u, v) = ((b - luma) / (2.0 - 2.0 * kb), (r - luma) / (2.0 - 2.0 * kr));
        let [y, u, v] = match range {
            YuvRange::Full => [luma, u + 128.0, v + 128.0],
            YuvRange::Limited => {
                [luma * 219.0 / 255.0 + 16.0, u * 224.0 / 255.0 + 128.0, v * 224.0 / 255.0 + 128.0]
            }
        }
        .map(|value| value.round() as u8);
        let mosaic = Mosaic::of(format);
        let byte = |plane: usize, x: usize, row: usize| match format {
            PixelFormat::Gray8 | PixelFormat::Gray16Le => rgb[0],
            PixelFormat::Rgb8 => rgb[x % 3],
            PixelFormat::Bgr8 => rgb[2 - x % 3],
            PixelFormat::Nv12 => [y, if x.is_multiple_of(2) { u } else { v }][plane],
            PixelFormat::I420 => [y, u, v][plane],
            _ => match (x % 2 == mosaic.red_x, row % 2 == mosaic.red_y) {
                (true, true) => rgb[0],
                (false, false) => rgb[2],
                _ => rgb[1],
            },
        };
        let yuv = (matrix, range);
        Strided { yuv, ..Strided::new(picture(format, size, byte), 5) }
    }

    const SYSTEMS: [(YuvMatrix, YuvRange); 4] = [
        (YuvMatrix::Bt601, YuvRange::Limited),
        (YuvMatrix::Bt601, YuvRange::Full),
        (YuvMatrix::Bt709, YuvRange::Limited),
        (YuvMatrix::Bt709, YuvRange::Full),
    ];

    #[test]
    fn a_uniform_colour_is_that_colour_in_every_format() {
        let size = SizePx::new(7, 5);
        let crops = [size.rect(), RectPx::new(1, 1, 5, 3), RectPx::new(6, 4, 1, 1)];
        for (format, yuv) in PixelFormat::ALL.into_iter().flat_map(|f| SYSTEMS.map(|s| (f, s))) {
            let gray_only = matches!(format, PixelFormat::Gray8 | PixelFormat::Gray16Le);
            for rgb in [[255, 0, 0], [0, 255, 0], [0, 0, 255], [200, 120, 40], [255, 255, 255]] {
                let rgb = if gray_only { [rgb[0]; 3] } else { rgb };
                // A byte of luma and of chroma holds a colour to about 1 in 255; others exactly.
                let within = if format.planes(size).len() > 1 { 1.6 } else { 1e-4 };
                let pixels = uniform(format, size, rgb, yuv);
                for crop in crops {
                    for pixel in read(&pixels, crop, Colour::Rgb) {
                        let wanted = rgb.map(f32::from);
                        let off = pixel.iter().zip(wanted).map(|(p, w)| (p - w).abs());
                        let off = off.fold(0.0, f32::max);
                        assert!(off <= within, "{format} {yuv:?} {crop}: {pixel:?} is not {rgb:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn gray_is_the_cameras_luma_or_the_weighted_sum() {
        let size = SizePx::new(5, 5);
        for format in PixelFormat::ALL {
            let yuv = (YuvMatrix::Bt601, YuvRange::Limited);
            for pixel in
                read(&uniform(format, size, [200, 100, 50], yuv), size.rect(), Colour::Gray)
            {
                let gray = matches!(format, PixelFormat::Gray8 | PixelFormat::Gray16Le);
                let wanted = if gray { 200.0 } else { 124.2 };
                assert!((pixel[0] - wanted).abs() < 0.7, "{format}: {pixel:?}");
                assert_eq!(pixel.len(), 1);
            }
        }
    }

    #[test]
    fn sixteen_bits_span_the_same_range_as_eight() {
        let words = [0_u16, 257, 0x0102, 0xffff];
        let pixels = picture(PixelFormat::Gray16Le, SizePx::new(4, 1), |_, x, _| {
            words[x / 2].to_le_bytes()[x % 2]
        });
        let read = read(&pixels, RectPx::new(0, 0, 4, 1), Colour::Gray).concat();
        assert_eq!(read, [0.0, 1.0, 258.0 / 257.0, 255.0]);
    }

    #[test]
    fn a_mosaic_gives_the_mean_of_the_nearest_that_saw_the_colour() {
        // RGGB: red at even columns of even rows, blue at odd columns of odd rows.
        let pixels =
            picture(PixelFormat::BayerRggb8, SizePx::new(4, 4), |_, x, y| (10 * y + x) as u8);
        let all = read(&pixels, RectPx::new(0, 0, 4, 4), Colour::Rgb);
        assert_eq!(all[2 * 4 + 2], [22.0, (12.0 + 21.0 + 23.0 + 32.0) / 4.0, 22.0], "on red");
        assert_eq!(all[4 + 1], [11.0, (1.0 + 10.0 + 12.0 + 21.0) / 4.0, 11.0], "on blue");
        assert_eq!(all[2 * 4 + 1], [21.0, 21.0, 21.0], "on green beside red");
        assert_eq!(all[4 + 2], [12.0, 12.0, 12.0], "on green beside blue");
        assert_eq!(all[0], [0.0, (1.0 + 1.0 + 10.0 + 10.0) / 4.0, 11.0], "mirrored corner");
        let crop = RectPx::new(1, 1, 3, 3);
        let part = read(&pixels, crop, Colour::Rgb);
        let same = (0..9).map(|i| all[(i / 3 + 1) * 4 + i % 3 + 1].clone());
        assert_eq!(part, same.collect::<Vec<_>>(), "a crop sees beyond its own border");
    }

    #[test]
    fn each_chroma_counts_for_two_by_two_pixels() {
        let size = SizePx::new(3, 3);
        let nv12 = picture(PixelFormat::Nv12, size, |plane, x, y| match plane {
            0 => 128,
            _ => [60, 128, 200, 128][x] + 10 * y as u8,
        });
        let full = Strided { yuv: (YuvMatrix::Bt601, YuvRange::Full), ..Strided::new(nv12, 3) };
        let blues: Vec<f32> =
            read(&full, size.rect(), Colour::Rgb).iter().map(|pixel| pixel[2]).collect();
        let blue = |u: f32| (128.0 + 1.772 * (u - 128.0)).clamp(0.0, 255.0);
        let wanted = [60., 60., 200., 60., 60., 200., 70., 70., 210.].map(blue);
        for (got, wanted) in blues.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-3, "{blues:?} is not {wanted}");
        }
    }

    #[test]
    fn a_crop_outside_the_picture_is_refused() {
        let size = SizePx::new(8, 6);
        let pixels = picture(PixelFormat::Gray8, size, |_, _, _| 0);
        for crop in [
            RectPx::new(0, 0, 0, 6),
            RectPx::new(0, 0, 8, 0),
            RectPx::new(1, 0, 8, 6),
            RectPx::new(0, 1, 8, 6),
            RectPx::new(u32::MAX, 0, 2, 2),
            RectPx::new(0, u32::MAX, 2, u32::MAX),
        ] {
            let fault = Rows::new(&pixels, crop, Colour::Gray).err().unwrap();
            assert!(fault.to_string().contains("not inside the picture 8x6"), "{fault}");
        }
    }

    /// Says of its planes what it is told to.
    struct Lying<'a>(Plane<'a>);

    impl Pixels for Lying<'_> {
        fn format(&self) -> PixelFormat {
            PixelFormat::Gray8
        }
        fn size(&self) -> SizePx {
            SizePx::new(4, 3)
        }
        fn plane(&self, _: usize) -> Plane<'_> {
            self.0
        }
    }

    #[test]
    fn short_planes_are_refused() {
        let data = [0; 12];
        let good = Plane { data: &data, stride: 4, row_bytes: 4, rows: 3 };
        let crop = RectPx::new(0, 0, 4, 3);
        assert!(Rows::new(&Lying(good), crop, Colour::Gray).is_ok());
        for bad in [
            Plane { data: &data[1..], ..good },
            Plane { stride: 5, ..good },
            Plane { stride: 3, ..good },
            Plane { row_bytes: 3, ..good },
            Plane { rows: 2, ..good },
        ] {
            let fault = Rows::new(&Lying(bad), crop, Colour::Gray).err().unwrap();
            assert!(fault.to_string().contains("plane 0 of a 4x3 gray8 picture"), "{fault}");
        }
    }

    proptest! {
        #[test]
        fn any_crop_of_any_picture_is_read_and_stays_in_range(
            format in prop::sample::select(PixelFormat::ALL.to_vec()),
            (width, height) in (1_u32..9, 1_u32..9),
            (x, y, w, h) in (0_u32..9, 0_u32..9, 1_u32..9, 1_u32..9),
            seed in any::<u8>(),
        ) {
            let size = SizePx::new(width, height);
            let byte = |p: usize, x: usize, y: usize| {
                (p * 31 + x * 57 + y * 101) as u8 ^ seed
            };
            let crop = RectPx::new(x % width, y % height, w, h).intersection(&size.rect()).unwrap();
            let packed = picture(format, size, byte);
            for colour in [Colour::Rgb, Colour::Gray] {
                let all = read(&packed, size.rect(), colour);
                prop_assert!(all.iter().flatten().all(|value| (0.0..=255.001).contains(value)));
                let part = read(&Strided::new(picture(format, size, byte), 9), crop, colour);
                let place = |i: usize| {
                    let (x, y) = (i % crop.width as usize, i / crop.width as usize);
                    (crop.y as usize + y) * width as usize + crop.x as usize + x
                };
                for (i, pixel) in part.iter().enumerate() {
                    prop_assert_eq!(pixel, &all[place(i)]);
                }
            }
        }
    }
}
