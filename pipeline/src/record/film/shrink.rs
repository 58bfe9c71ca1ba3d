//! Makes pictures small. Takes a camera's pixels of any format; gives I420, BT.709, limited range,
//! rows packed, by area average (every pixel counts by how much of it lies in the new one).
//!
//! Down first, then across: down is what the processor does sixteen pixels at a time.

use domain::{PixelFormat, Pixels, Plane, SizePx, YuvMatrix, YuvRange};

/// Down the weights of one new pixel add up to this, so that a sum of bytes fits 16 bits.
const DOWN: u64 = 256;
/// Across they add up to this times the gain, so that a sum of those fits 32 bits.
const ACROSS: f64 = 65_536.0;
/// How far the sum of both is above a byte.
const SHIFT: u32 = 24;

/// Size of the film of a camera whose frames have size `frame`: as its shape is, sides even, the
/// longer one at most `longer_side_px`, never larger than the frame (but at least 2).
#[must_use]
pub fn film_size(frame: SizePx, longer_side_px: u32) -> SizePx {
    let longer = frame.width.max(frame.height).max(1);
    let to = u64::from(longer_side_px.min(longer));
    let side = |of: u32| {
        let rounded = (u64::from(of) * to + u64::from(longer) / 2) / u64::from(longer);
        (u32::try_from(rounded).unwrap_or(u32::MAX) & !1).max(2)
    };
    SizePx::new(side(frame.width), side(frame.height))
}

/// Bytes of an I420 picture of `size`, whose sides are even.
#[must_use]
pub fn bytes_of(size: SizePx) -> usize {
    size.width as usize * size.height as usize / 2 * 3
}

/// Which old pixels a row or column of new ones is made of.
struct Axis {
    taps: usize,
    starts: Vec<u32>,
    /// `taps` for each new pixel; they add up to the same for all.
    weights: Vec<u32>,
}

impl Axis {
    #[expect(clippy::cast_possible_truncation, reason = "sides and weights are below 2^32")]
    fn new(from: usize, to: usize, total: u64) -> Self {
        let (old, new) = (from as u64, to as u64);
        // In units of 1/new of an old pixel.
        let reach = |i: u64| (i * old / new, ((i + 1) * old).div_ceil(new));
        let taps = (0..new).map(|i| reach(i).1 - reach(i).0).max().unwrap_or(1);
        let mut axis = Self { taps: taps as usize, starts: Vec::new(), weights: Vec::new() };
        for i in 0..new {
            let start = reach(i).0.min(old - taps);
            axis.starts.push(start as u32);
            let (begin, end) = (i * old, (i + 1) * old);
            // How much of the new pixel lies before the old one `at`, as a weight.
            let before = |at: u64| ((at * new).clamp(begin, end) - begin) * total * 2 / old;
            let weight = |at| before(at + 1).div_ceil(2) - before(at).div_ceil(2);
            axis.weights.extend((start..start + taps).map(|at| weight(at) as u32));
        }
        axis
    }
}

/// From levels of one kind to levels of another.
#[derive(Clone, Copy)]
struct Levels {
    gain: f64,
    offset: f64,
}

impl Levels {
    const SAME: Self = Self { gain: 1.0, offset: 0.0 };
    const LUMA_FROM_FULL: Self = Self { gain: 219.0 / 255.0, offset: 16.0 };
    const CHROMA_FROM_FULL: Self =
        Self { gain: 224.0 / 255.0, offset: 128.0 - 128.0 * 224.0 / 255.0 };
}

/// One component of one plane: `samples` across and down, and how it becomes the new component.
struct Scale {
    across: Axis,
    down: Axis,
    /// The offset and what rounds, in units of the last sum.
    bias: u32,
}

impl Scale {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "gain and offset are positive and small"
    )]
    fn new(samples: (usize, usize), to: (usize, usize), levels: Levels) -> Self {
        let total = (ACROSS * levels.gain).round() as u64;
        let bias = ((levels.offset + 0.5) * f64::from(1_u32 << SHIFT)).round() as u32;
        let across = Axis::new(samples.0, to.0, total);
        Self { across, down: Axis::new(samples.1, to.1, DOWN), bias }
    }

    /// Adds up what new row `y` is made of; `rows` says which rows of the plane count.
    fn sum_down(&self, plane: &Plane<'_>, rows: (usize, usize), y: usize, sums: &mut [u16]) {
        let Axis { taps, starts, weights } = &self.down;
        let (first, step) = rows;
        let row = |tap: usize| plane.row((starts[y] as usize + tap) * step + first);
        let weights = &weights[y * taps..][..*taps];
        let narrow = |weight: u32| u16::try_from(weight).unwrap_or(u16::MAX);
        if let &[a, b, c] = weights {
            return sum_three([row(0), row(1), row(2)], [a, b, c].map(narrow), sums);
        }
        for (tap, weight) in weights.iter().enumerate() {
            let weight = narrow(*weight);
            let sums = sums.iter_mut().zip(row(tap));
            if tap == 0 {
                sums.for_each(|(sum, &pixel)| *sum = u16::from(pixel).wrapping_mul(weight));
            } else if weight > 0 {
                sums.for_each(|(sum, &pixel)| {
                    *sum = sum.wrapping_add(u16::from(pixel).wrapping_mul(weight));
                });
            }
        }
    }

    /// The new row from the sums, of which every `step`th from `first` counts.
    fn add_across(&self, sums: &[u16], (first, step): (usize, usize), row: &mut [u8]) {
        match (self.across.taps, step) {
            (1, 1) => self.add::<1, 1>(sums, first, row),
            (2, 1) => self.add::<2, 1>(sums, first, row),
            (3, 1) => self.add::<3, 1>(sums, first, row),
            (4, 1) => self.add::<4, 1>(sums, first, row),
            (2, 2) => self.add::<2, 2>(sums, first, row),
            (3, 2) => self.add::<3, 2>(sums, first, row),
            (2, 3) => self.add::<2, 3>(sums, first, row),
            (3, 3) => self.add::<3, 3>(sums, first, row),
            (4, 3) => self.add::<4, 3>(sums, first, row),
            _ => self.add_any(sums, (first, step), row),
        }
    }

    fn add<const TAPS: usize, const STEP: usize>(
        &self,
        sums: &[u16],
        first: usize,
        row: &mut [u8],
    ) {
        let (weights, _) = self.across.weights.as_chunks::<TAPS>();
        let places = self.across.starts.iter().zip(weights);
        for (new, (&start, weights)) in row.iter_mut().zip(places) {
            let begin = start as usize * STEP + first;
            let sums = &sums[begin..=begin + (TAPS - 1) * STEP];
            let mut sum = self.bias;
            for (tap, weight) in weights.iter().enumerate() {
                sum = sum.wrapping_add(u32::from(sums[tap * STEP]).wrapping_mul(*weight));
            }
            *new = (sum >> SHIFT) as u8;
        }
    }

    fn add_any(&self, sums: &[u16], (first, step): (usize, usize), row: &mut [u8]) {
        let weights = self.across.weights.chunks_exact(self.across.taps);
        for (new, (&start, weights)) in row.iter_mut().zip(self.across.starts.iter().zip(weights)) {
            let sums = sums[start as usize * step + first..].iter().step_by(step);
            let sum = sums.zip(weights).fold(self.bias, |sum, (&add, weight)| {
                sum.wrapping_add(u32::from(add).wrapping_mul(*weight))
            });
            *new = (sum >> SHIFT) as u8;
        }
    }
}

/// Three rows at once, as 4K on a film of 1280 has it.
fn sum_three(rows: [&[u8]; 3], weights: [u16; 3], sums: &mut [u16]) {
    let rows = rows[0].iter().zip(rows[1]).zip(rows[2]);
    for (sum, ((&a, &b), &c)) in sums.iter_mut().zip(rows) {
        *sum = u16::from(a)
            .wrapping_mul(weights[0])
            .wrapping_add(u16::from(b).wrapping_mul(weights[1]))
            .wrapping_add(u16::from(c).wrapping_mul(weights[2]));
    }
}

/// What the formats come down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Luma alone: where the first sample of a row is, and how far the next.
    Gray { first: usize, step: usize },
    /// Luma, and two components of chroma: plane, first and step of each.
    Yuv { chroma: [(usize, usize, usize); 2] },
    /// Three colours in one plane: where red and blue are.
    Rgb { red: usize, blue: usize },
    /// A mosaic: column and row of red in each two by two; blue is across from it.
    Bayer { red: (usize, usize) },
}

impl Kind {
    fn of(format: PixelFormat, size: SizePx) -> Self {
        let bayer = |red| {
            // Too narrow for all its colours.
            let whole = size.width > 1 && size.height > 1;
            if whole { Self::Bayer { red } } else { Self::Gray { first: 0, step: 1 } }
        };
        match format {
            PixelFormat::Gray8 => Self::Gray { first: 0, step: 1 },
            // The high byte is what can be seen.
            PixelFormat::Gray16Le => Self::Gray { first: 1, step: 2 },
            PixelFormat::Nv12 => Self::Yuv { chroma: [(1, 0, 2), (1, 1, 2)] },
            PixelFormat::I420 => Self::Yuv { chroma: [(1, 0, 1), (2, 0, 1)] },
            PixelFormat::Rgb8 => Self::Rgb { red: 0, blue: 2 },
            PixelFormat::Bgr8 => Self::Rgb { red: 2, blue: 0 },
            PixelFormat::BayerRggb8 => bayer((0, 0)),
            PixelFormat::BayerBggr8 => bayer((1, 1)),
            PixelFormat::BayerGrbg8 => bayer((1, 0)),
            PixelFormat::BayerGbrg8 => bayer((0, 1)),
        }
    }
}

/// What is worked out once for all frames that are alike.
struct Plan {
    of: (PixelFormat, SizePx, (YuvMatrix, YuvRange)),
    to: SizePx,
    kind: Kind,
    /// Luma, or each colour.
    main: Scale,
    chroma: Option<Scale>,
}

impl Plan {
    fn new(pixels: &dyn Pixels, longer_side_px: u32) -> Self {
        let (format, size, yuv) = (pixels.format(), pixels.size(), pixels.yuv());
        let to = film_size(size, longer_side_px);
        let kind = Kind::of(format, size);
        let (w, h) = (size.width as usize, size.height as usize);
        let whole = (to.width as usize, to.height as usize);
        let half = (whole.0 / 2, whole.1 / 2);
        let full = yuv.1 == YuvRange::Full;
        let pick = |is: bool, levels| if is { levels } else { Levels::SAME };
        let (main, chroma) = match kind {
            Kind::Gray { .. } => (Scale::new((w, h), whole, Levels::LUMA_FROM_FULL), None),
            Kind::Yuv { .. } => {
                let luma = Scale::new((w, h), whole, pick(full, Levels::LUMA_FROM_FULL));
                let samples = (w.div_ceil(2), h.div_ceil(2));
                let chroma = Scale::new(samples, half, pick(full, Levels::CHROMA_FROM_FULL));
                (luma, Some(chroma))
            }
            Kind::Rgb { .. } => (Scale::new((w, h), whole, Levels::SAME), None),
            Kind::Bayer { .. } => (Scale::new((w / 2, h / 2), whole, Levels::SAME), None),
        };
        Self { of: (format, size, yuv), to, kind, main, chroma }
    }
}

/// Makes the frames of one camera small.
pub struct Shrinker {
    longer_side_px: u32,
    plan: Option<Plan>,
    /// Of two rows of a mosaic; of one of anything else.
    sums: [Vec<u16>; 2],
    /// Red, green, blue and another green of two new rows.
    colours: [[Vec<u8>; 4]; 2],
}

impl Shrinker {
    /// Makes frames as small as `longer_side_px`.
    #[must_use]
    pub fn new(longer_side_px: u32) -> Self {
        let (sums, colours) = Default::default();
        Self { longer_side_px, plan: None, sums, colours }
    }

    /// Shrinks `pixels` into the beginning of `into`; gives the new size. Allocates only when the
    /// frames are not like those before.
    ///
    /// Panics when `into` is shorter than [`bytes_of`] the size that [`film_size`] says.
    pub fn shrink(&mut self, pixels: &dyn Pixels, into: &mut [u8]) -> SizePx {
        let alike = (pixels.format(), pixels.size(), pixels.yuv());
        let plan = match self.plan.take() {
            Some(plan) if plan.of == alike => plan,
            _ => self.prepare(pixels),
        };
        let area = plan.to.width as usize * plan.to.height as usize;
        let (luma, chroma) = into[..bytes_of(plan.to)].split_at_mut(area);
        let (u, v) = chroma.split_at_mut(area / 4);
        match plan.kind {
            Kind::Gray { first, step } => {
                self.component(&plan.main, &pixels.plane(0), (first, step), luma);
                u.fill(128);
                v.fill(128);
            }
            Kind::Yuv { chroma: [of_u, of_v] } => {
                self.component(&plan.main, &pixels.plane(0), (0, 1), luma);
                let scale = plan.chroma.as_ref().unwrap_or(&plan.main);
                self.component(scale, &pixels.plane(of_u.0), (of_u.1, of_u.2), u);
                self.component(scale, &pixels.plane(of_v.0), (of_v.1, of_v.2), v);
                if plan.of.2.0 == YuvMatrix::Bt601 {
                    bt709_from_bt601(plan.to.width as usize, luma, u, v);
                }
            }
            Kind::Rgb { .. } | Kind::Bayer { .. } => {
                self.colours(&plan, &pixels.plane(0), luma, u, v);
            }
        }
        let to = plan.to;
        self.plan = Some(plan);
        to
    }

    fn prepare(&mut self, pixels: &dyn Pixels) -> Plan {
        let plan = Plan::new(pixels, self.longer_side_px);
        let planes = pixels.format().planes(pixels.size());
        let longest = planes.into_iter().map(|(row_bytes, _)| row_bytes).max().unwrap_or(0);
        self.sums.iter_mut().for_each(|sums| sums.resize(longest, 0));
        let width = plan.to.width as usize;
        self.colours.iter_mut().flatten().for_each(|line| line.resize(width, 0));
        plan
    }

    fn component(
        &mut self,
        scale: &Scale,
        plane: &Plane<'_>,
        (first, step): (usize, usize),
        into: &mut [u8],
    ) {
        let sums = &mut self.sums[0][..plane.row_bytes];
        let width = scale.across.starts.len();
        for (y, row) in into.chunks_exact_mut(width).enumerate() {
            scale.sum_down(plane, (0, 1), y, sums);
            scale.add_across(sums, (first, step), row);
        }
    }

    fn colours(
        &mut self,
        plan: &Plan,
        plane: &Plane<'_>,
        luma: &mut [u8],
        u: &mut [u8],
        v: &mut [u8],
    ) {
        let width = plan.to.width as usize;
        let chroma = u.chunks_exact_mut(width / 2).zip(v.chunks_exact_mut(width / 2));
        for (pair, (rows, (u, v))) in luma.chunks_exact_mut(2 * width).zip(chroma).enumerate() {
            let (upper, lower) = rows.split_at_mut(width);
            for (index, row) in [upper, lower].into_iter().enumerate() {
                self.colour_row(plan, plane, 2 * pair + index, index);
                let [red, green, blue, _] = &self.colours[index];
                luma_from_rgb([red, green, blue], row);
            }
            chroma_from_rgb(&self.colours, u, v);
        }
    }

    /// The colours of new row `y`.
    fn colour_row(&mut self, plan: &Plan, plane: &Plane<'_>, y: usize, index: usize) {
        let [sums, below] = &mut self.sums;
        let (sums, below) = (&mut sums[..plane.row_bytes], &mut below[..plane.row_bytes]);
        let [red, green, blue, other_green] = &mut self.colours[index];
        match plan.kind {
            Kind::Bayer { red: (column, row) } => {
                plan.main.sum_down(plane, (row, 2), y, sums);
                plan.main.sum_down(plane, (1 - row, 2), y, below);
                plan.main.add_across(sums, (column, 2), red);
                plan.main.add_across(sums, (1 - column, 2), green);
                plan.main.add_across(below, (column, 2), other_green);
                plan.main.add_across(below, (1 - column, 2), blue);
                for (green, other) in green.iter_mut().zip(other_green) {
                    *green = green.midpoint(*other);
                }
            }
            Kind::Rgb { red: at_red, blue: at_blue } => {
                plan.main.sum_down(plane, (0, 1), y, sums);
                plan.main.add_across(sums, (at_red, 3), red);
                plan.main.add_across(sums, (1, 3), green);
                plan.main.add_across(sums, (at_blue, 3), blue);
            }
            Kind::Gray { .. } | Kind::Yuv { .. } => {}
        }
    }
}

/// ITU-R BT.709-6, item 3.2 to 3.5, in parts of 65536.
const LUMA: [i32; 3] = [11_966, 40_254, 4_063];
const CB: [i32; 3] = [-6_596, -22_188, 28_784];
const CR: [i32; 3] = [28_784, -26_145, -2_639];

fn weighed(of: [i32; 3], rgb: [i32; 3]) -> i32 {
    of[0]
        .wrapping_mul(rgb[0])
        .wrapping_add(of[1].wrapping_mul(rgb[1]))
        .wrapping_add(of[2].wrapping_mul(rgb[2]))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "16 to 235")]
fn luma_from_rgb([red, green, blue]: [&[u8]; 3], row: &mut [u8]) {
    for (new, ((&r, &g), &b)) in row.iter_mut().zip(red.iter().zip(green).zip(blue)) {
        let sum = weighed(LUMA, [r, g, b].map(i32::from));
        *new = ((sum.wrapping_add((16 << 16) + (1 << 15))) >> 16) as u8;
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "16 to 240")]
fn chroma_from_rgb(colours: &[[Vec<u8>; 4]; 2], u: &mut [u8], v: &mut [u8]) {
    let four = |colour: usize, x: usize| -> i32 {
        let [upper, lower] = colours.each_ref().map(|lines| &lines[colour]);
        [upper[2 * x], upper[2 * x + 1], lower[2 * x], lower[2 * x + 1]]
            .into_iter()
            .map(i32::from)
            .sum()
    };
    for (x, (u, v)) in u.iter_mut().zip(v).enumerate() {
        let rgb = [four(0, x), four(1, x), four(2, x)];
        let byte = |sum: i32| ((sum.wrapping_add((128 << 18) + (1 << 17))) >> 18) as u8;
        *u = byte(weighed(CB, rgb));
        *v = byte(weighed(CR, rgb));
    }
}

/// From one matrix to the other, both in limited range: what BT.601 (item 2.5.1) took apart put
/// together, and taken apart again as BT.709 does. In parts of 16384.
#[expect(clippy::cast_sign_loss, reason = "clamped to a byte")]
fn bt709_from_bt601(width: usize, luma: &mut [u8], u: &mut [u8], v: &mut [u8]) {
    let byte = |value: i32| value.clamp(0, 255) as u8;
    let chroma = u.chunks_exact_mut(width / 2).zip(v.chunks_exact_mut(width / 2));
    for (rows, (u, v)) in luma.chunks_exact_mut(2 * width).zip(chroma) {
        let (upper, lower) = rows.split_at_mut(width);
        let (upper, _) = upper.as_chunks_mut::<2>();
        let (lower, _) = lower.as_chunks_mut::<2>();
        for ((u, v), (upper, lower)) in u.iter_mut().zip(v).zip(upper.iter_mut().zip(lower)) {
            let (cb, cr) = (i32::from(*u) - 128, i32::from(*v) - 128);
            let add = (cb.wrapping_mul(-1893)).wrapping_add(cr.wrapping_mul(-3407));
            let add = add.wrapping_add(1 << 13) >> 14;
            for pixel in upper.iter_mut().chain(lower) {
                *pixel = byte(i32::from(*pixel).wrapping_add(add));
            }
            *u = byte(128 + ((cb * 16_689 + cr * 1_878 + (1 << 13)) >> 14));
            *v = byte(128 + ((cb * 1_230 + cr * 16_799 + (1 << 13)) >> 14));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_possible_truncation, reason = "small pictures")]

    use domain::OwnedPixels;
    use proptest::prelude::*;

    use super::*;

    /// A picture of one colour, in any format.
    fn plain(format: PixelFormat, size: SizePx, [r, g, b]: [u8; 3]) -> OwnedPixels {
        let [y, u, v] = yuv601([r, g, b]);
        let fill = |(row, rows): (usize, usize), bytes: &[u8]| -> Vec<u8> {
            bytes.iter().copied().cycle().take(row * rows).collect()
        };
        let mosaic = |(row, rows): (usize, usize), sites: [[u8; 2]; 2]| -> Vec<u8> {
            (0..row * rows).map(|i| sites[i / row % 2][i % row % 2]).collect()
        };
        let planes = format.planes(size);
        let of = |index: usize, bytes: &[u8]| fill(planes[index], bytes);
        let data = match format {
            PixelFormat::Gray8 => vec![of(0, &[g])],
            PixelFormat::Gray16Le => vec![of(0, &[77, g])],
            PixelFormat::Rgb8 => vec![of(0, &[r, g, b])],
            PixelFormat::Bgr8 => vec![of(0, &[b, g, r])],
            PixelFormat::Nv12 => vec![of(0, &[y]), of(1, &[u, v])],
            PixelFormat::I420 => vec![of(0, &[y]), of(1, &[u]), of(2, &[v])],
            PixelFormat::BayerRggb8 => vec![mosaic(planes[0], [[r, g], [g, b]])],
            PixelFormat::BayerBggr8 => vec![mosaic(planes[0], [[b, g], [g, r]])],
            PixelFormat::BayerGrbg8 => vec![mosaic(planes[0], [[g, r], [b, g]])],
            PixelFormat::BayerGbrg8 => vec![mosaic(planes[0], [[g, b], [r, g]])],
        };
        OwnedPixels::new(format, size, data).unwrap()
    }

    fn yuv(rgb: [u8; 3], kr: f64, kb: f64) -> [u8; 3] {
        let [r, g, b] = rgb.map(|c| f64::from(c) / 255.0);
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        let (u, v) = ((b - y) / (2.0 - 2.0 * kb), (r - y) / (2.0 - 2.0 * kr));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a byte")]
        let byte = |value: f64| value.round() as u8;
        [byte(16.0 + 219.0 * y), byte(128.0 + 224.0 * u), byte(128.0 + 224.0 * v)]
    }

    fn yuv601(rgb: [u8; 3]) -> [u8; 3] {
        yuv(rgb, 0.299, 0.114)
    }

    fn yuv709(rgb: [u8; 3]) -> [u8; 3] {
        yuv(rgb, 0.2126, 0.0722)
    }

    fn shrunk(pixels: &OwnedPixels, longer: u32) -> (SizePx, Vec<u8>) {
        let mut into = vec![0; bytes_of(film_size(pixels.size(), longer)) + 7];
        let size = Shrinker::new(longer).shrink(pixels, &mut into);
        into.truncate(bytes_of(size));
        (size, into)
    }

    proptest! {
        /// Every colour stays what it is, in every format, at every size.
        #[test]
        fn a_plain_picture_stays_plain(
            format in prop::sample::select(PixelFormat::ALL.to_vec()),
            (w, h) in (1_u32..90, 1_u32..70),
            longer in 2_u32..100,
            rgb in any::<[u8; 3]>(),
        ) {
            let (size, bytes) = shrunk(&plain(format, SizePx::new(w, h), rgb), longer);
            let gray = matches!(format, PixelFormat::Gray8 | PixelFormat::Gray16Le);
            let narrow = format.is_bayer() && (w < 2 || h < 2);
            if narrow { return Ok(()); }
            let [y, u, v] = yuv709(if gray { [rgb[1]; 3] } else { rgb });
            let (luma, chroma) = bytes.split_at(size.area() as usize);
            let (us, vs) = chroma.split_at(chroma.len() / 2);
            // What was rounded to bytes in one matrix is off by more in the other.
            let off = if matches!(format, PixelFormat::Nv12 | PixelFormat::I420) { 2 } else { 1 };
            for (name, values, wanted) in [("y", luma, y), ("u", us, u), ("v", vs, v)] {
                for value in values {
                    prop_assert!(value.abs_diff(wanted) <= off, "{name} {value} not {wanted}");
                }
            }
        }

        /// Averages are those of the area, as a slow and simple sum has them.
        #[test]
        fn luma_is_the_mean_of_its_area(
            (w, h) in (2_usize..60, 2_usize..60),
            longer in 2_u32..60,
            seed in any::<u32>(),
        ) {
            let size = SizePx::new(w as u32, h as u32);
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            let gray: Vec<u8> = (0..w * h).map(|_| next()).collect();
            let pixels = OwnedPixels::new(PixelFormat::Gray8, size, vec![gray.clone()]).unwrap();
            let (to, bytes) = shrunk(&pixels, longer);
            let (ow, oh) = (to.width as usize, to.height as usize);
            // Half a level for the byte, and what the 256ths of each row's weight can be off, which
            // grows with the rows that are added up.
            let off = 0.6 + 0.5 * 219.0 / 255.0 * (h.div_ceil(oh) + 1) as f64;
            let overlap = |i: usize, new: usize, old: usize, at: usize| {
                let (a, b) = (i as f64 * old as f64 / new as f64,
                    (i + 1) as f64 * old as f64 / new as f64);
                (b.min(at as f64 + 1.0) - a.max(at as f64)).max(0.0) / (b - a)
            };
            for y in 0..oh {
                for x in 0..ow {
                    let mut mean = 0.0;
                    for j in y * h / oh..((y + 1) * h).div_ceil(oh) {
                        for i in x * w / ow..((x + 1) * w).div_ceil(ow) {
                            mean += overlap(x, ow, w, i) * overlap(y, oh, h, j)
                                * f64::from(gray[j * w + i]);
                        }
                    }
                    let wanted = 16.0 + mean * 219.0 / 255.0;
                    let got = f64::from(bytes[y * ow + x]);
                    prop_assert!((got - wanted).abs() < off, "({x},{y}) {got} not {wanted}");
                }
            }
        }

        #[test]
        fn the_film_is_even_and_never_larger(w in 2_u32..5000, h in 2_u32..5000, l in 2_u32..5000) {
            let size = film_size(SizePx::new(w, h), l);
            prop_assert!(size.width.is_multiple_of(2) && size.height.is_multiple_of(2));
            prop_assert!(size.width <= w && size.height <= h && size.width.max(size.height) <= l);
        }
    }

    #[test]
    fn full_range_video_is_brought_into_limited_range() {
        struct Full(OwnedPixels);
        impl Pixels for Full {
            fn format(&self) -> PixelFormat {
                self.0.format()
            }
            fn size(&self) -> SizePx {
                self.0.size()
            }
            fn plane(&self, index: usize) -> Plane<'_> {
                self.0.plane(index)
            }
            fn yuv(&self) -> (YuvMatrix, YuvRange) {
                (YuvMatrix::Bt709, YuvRange::Full)
            }
        }
        let size = SizePx::new(8, 8);
        for (level, luma) in [(0, 16), (255, 235)] {
            let planes = vec![vec![level; 64], vec![0; 16], vec![255; 16]];
            let pixels = Full(OwnedPixels::new(PixelFormat::I420, size, planes).unwrap());
            let mut into = vec![0; bytes_of(SizePx::new(4, 4))];
            Shrinker::new(4).shrink(&pixels, &mut into);
            assert_eq!((into[0], into[16], into[20]), (luma, 16, 240));
        }
    }

    #[test]
    fn sizes_are_what_people_expect() {
        let size = |w, h, longer| film_size(SizePx::new(w, h), longer);
        assert_eq!(size(3840, 2160, 1280), SizePx::new(1280, 720));
        assert_eq!(size(640, 480, 1280), SizePx::new(640, 480));
        assert_eq!(size(2448, 2048, 1280), SizePx::new(1280, 1070));
        assert_eq!(size(1, 1, 1280), SizePx::new(2, 2));
    }
}
