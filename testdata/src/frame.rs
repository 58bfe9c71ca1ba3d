//! One frame: the belt with parts on it, moved, blurred, lit and made noisy, row by row.

use std::ops::Range;

use domain::{OwnedPixels, PixelFormat};

use crate::SceneConfig;
use crate::belt::{BeltTile, PER_LEVEL};
use crate::noise::{mix, mix_all};
use crate::sprite::Sprite;

/// How the belt reflects red, green and blue, of 4096.
const BELT_TINT: [u32; 3] = [3520, 4270, 4060];

/// Whether pixels of that format tell colours apart.
pub(crate) const fn is_colour(format: PixelFormat) -> bool {
    !matches!(format, PixelFormat::Gray8 | PixelFormat::Gray16Le)
}

/// Everything a frame is made of.
pub(crate) struct Shot<'a> {
    pub(crate) config: &'a SceneConfig,
    pub(crate) belt: &'a BeltTile,
    pub(crate) lamp: &'a Lamp,
    pub(crate) sprites: &'a [std::sync::Arc<Sprite>],
    pub(crate) frame: u64,
    /// How far the belt has come, in pixels.
    pub(crate) position: f64,
    /// How far it moves while the shutter is open, in pixels.
    pub(crate) blur: f64,
}

/// How much light falls where: a share for the column and one for the row.
pub(crate) struct Lamp {
    columns: Vec<f32>,
    rows: Vec<f32>,
}

impl Lamp {
    /// A lamp above the left half, through a lens that is darker in the corners.
    #[expect(clippy::cast_precision_loss, reason = "at most 8192")]
    pub(crate) fn new(config: &SceneConfig) -> Self {
        let half = (config.size.width as f32 / 2.0).hypot(config.height_px() / 2.0);
        let falloff = |length: u32, slope: f32| -> Vec<f32> {
            let middle = length as f32 / 2.0;
            let share = |i: u32| (i as f32 + 0.5 - middle) / half;
            (0..length).map(|i| 0.5 - 0.20 * share(i).powi(2) + slope * share(i)).collect()
        };
        Self {
            columns: falloff(config.size.width, -0.05),
            rows: falloff(config.size.height, -0.04),
        }
    }
}

/// Which stretch of the belt a pixel gathers light from while the shutter is open: from cell
/// `first + x`, `whole` cells on, the first and last in part.
struct Window {
    first: i64,
    whole: usize,
    skip: f32,
    reach: f32,
    share: f32,
}

impl Window {
    #[expect(clippy::cast_possible_truncation, reason = "positions on a belt are far below 2^52")]
    #[expect(clippy::cast_sign_loss, reason = "a length is not below 0")]
    fn new(position: f64, blur: f64) -> Self {
        // A pixel is itself one pixel wide.
        let length = blur.hypot(1.0);
        let from = 0.5 - length / 2.0 - position;
        let to = from + length;
        Self {
            first: from.floor() as i64,
            whole: (to.floor() - from.floor()) as usize,
            skip: (from - from.floor()) as f32,
            reach: (to - to.floor()) as f32,
            share: (1.0 / (length * f64::from(PER_LEVEL))) as f32,
        }
    }
}

impl Shot<'_> {
    pub(crate) fn render(&self) -> OwnedPixels {
        let size = self.config.size;
        let mut painter = Painter::new(self);
        let mut planes: Vec<Vec<u8>> = Vec::new();
        for (row_bytes, rows) in self.config.format.planes(size) {
            planes.push(vec![0; row_bytes * rows]);
        }
        painter.paint(&mut planes);
        match OwnedPixels::new(self.config.format, size, planes) {
            Some(pixels) => pixels,
            None => unreachable!("planes are made as the format says, and sizes are checked"),
        }
    }
}

struct Painter<'a> {
    shot: &'a Shot<'a>,
    window: Window,
    width: usize,
    line: Vec<u32>,
    sums: Vec<u32>,
}

impl<'a> Painter<'a> {
    fn new(shot: &'a Shot<'a>) -> Self {
        let window = Window::new(shot.position, shot.blur);
        let width = shot.config.size.width as usize;
        let cells = width + window.whole + 1;
        Self { shot, width, line: vec![0; cells], sums: vec![0; cells + 1], window }
    }

    fn paint(&mut self, planes: &mut [Vec<u8>]) {
        let (width, format) = (self.width, self.shot.config.format);
        let mut rows = vec![vec![0.0_f32; width]; 6];
        match format {
            PixelFormat::Gray8 => {
                for (y, out) in planes[0].chunks_exact_mut(width).enumerate() {
                    self.expose(y, 0, &mut rows[0]);
                    out.iter_mut().zip(&rows[0]).for_each(|(to, &level)| *to = byte(level));
                }
            }
            PixelFormat::Gray16Le => {
                for (y, out) in planes[0].chunks_exact_mut(width * 2).enumerate() {
                    self.expose(y, 0, &mut rows[0]);
                    for (to, level) in out.chunks_exact_mut(2).zip(&rows[0]) {
                        to.copy_from_slice(&word(level * 257.0).to_le_bytes());
                    }
                }
            }
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => {
                let flip = format == PixelFormat::Bgr8;
                for (y, out) in planes[0].chunks_exact_mut(width * 3).enumerate() {
                    for channel in 0..3 {
                        let row = &mut rows[0];
                        self.expose(y, channel, row);
                        let place = if flip { 2 - channel } else { channel };
                        let to = out.iter_mut().skip(place).step_by(3);
                        to.zip(row.iter()).for_each(|(to, &level)| *to = byte(level));
                    }
                }
            }
            PixelFormat::Nv12 | PixelFormat::I420 => self.paint_yuv(planes, &mut rows),
            PixelFormat::BayerRggb8 => self.paint_mosaic(planes, &mut rows[0], [0, 1, 1, 2]),
            PixelFormat::BayerBggr8 => self.paint_mosaic(planes, &mut rows[0], [2, 1, 1, 0]),
            PixelFormat::BayerGrbg8 => self.paint_mosaic(planes, &mut rows[0], [1, 0, 2, 1]),
            PixelFormat::BayerGbrg8 => self.paint_mosaic(planes, &mut rows[0], [1, 2, 0, 1]),
        }
    }

    /// `colours` of the four pixels of the mosaic, row by row.
    fn paint_mosaic(&mut self, planes: &mut [Vec<u8>], row: &mut [f32], colours: [usize; 4]) {
        for (y, out) in planes[0].chunks_exact_mut(self.width).enumerate() {
            for start in 0..2 {
                self.expose(y, colours[y % 2 * 2 + start], row);
                let to = out.iter_mut().zip(row.iter()).skip(start).step_by(2);
                to.for_each(|(to, &level)| *to = byte(level));
            }
        }
    }

    /// BT.601, limited range; chroma is the mean of up to four pixels.
    fn paint_yuv(&mut self, planes: &mut [Vec<u8>], rows: &mut [Vec<f32>]) {
        let (width, height) = (self.width, self.shot.config.size.height as usize);
        let (luma, chroma) = planes.split_at_mut(1);
        for top in (0..height).step_by(2) {
            let bottom = (top + 1).min(height - 1);
            for channel in 0..3 {
                self.expose(top, channel, &mut rows[channel]);
                if bottom > top {
                    self.expose(bottom, channel, &mut rows[3 + channel]);
                } else {
                    let (upper, lower) = rows.split_at_mut(3);
                    lower[channel].copy_from_slice(&upper[channel]);
                }
            }
            for (y, three) in [(top, &rows[..3]), (bottom, &rows[3..])] {
                for (x, to) in luma[0][y * width..(y + 1) * width].iter_mut().enumerate() {
                    let [r, g, b] = [three[0][x], three[1][x], three[2][x]];
                    *to = byte(16.0 + 0.256_788 * r + 0.504_129 * g + 0.097_906 * b);
                }
            }
            for column in 0..width.div_ceil(2) {
                let (left, right) = (column * 2, (column * 2 + 1).min(width - 1));
                let [r, g, b] = [0, 1, 2].map(|c| {
                    let (upper, lower) = (&rows[c], &rows[3 + c]);
                    (upper[left] + upper[right] + lower[left] + lower[right]) / 4.0
                });
                let u = byte(128.0 - 0.148_223 * r - 0.290_993 * g + 0.439_216 * b);
                let v = byte(128.0 + 0.439_216 * r - 0.367_788 * g - 0.071_427 * b);
                put_chroma(chroma, top / 2 * width.div_ceil(2) + column, [u, v]);
            }
        }
    }

    /// What the sensor reads in row `y`, in grey levels.
    fn expose(&mut self, y: usize, channel: usize, row: &mut [f32]) {
        self.gather(y, channel);
        self.blur_and_light(y, row);
        self.add_noise(y, channel, row);
    }

    /// The row as it lies on the belt, sharp, in cells from the window's first.
    fn gather(&mut self, y: usize, channel: usize) {
        let first = self.window.first;
        self.shot.belt.copy_row(y, first, &mut self.line);
        if is_colour(self.shot.config.format) {
            let tint = BELT_TINT[channel];
            self.line.iter_mut().for_each(|level| *level = level.wrapping_mul(tint) >> 12);
        }
        for sprite in self.shot.sprites {
            sprite.lay_on(&mut self.line, first, y, channel);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "sums within a window are far below 2^24")]
    fn blur_and_light(&mut self, y: usize, row: &mut [f32]) {
        let Window { whole, skip, reach, share, .. } = self.window;
        let mut sum = 0_u32;
        for (to, level) in self.sums[1..].iter_mut().zip(&self.line) {
            sum = sum.wrapping_add(*level);
            *to = sum;
        }
        let lamp = self.shot.lamp;
        let row_light = lamp.rows[y];
        let width = row.len();
        let (from, to) = (&self.sums[..width], &self.sums[whole..whole + width]);
        let (first, last) = (&self.line[..width], &self.line[whole..whole + width]);
        let columns = &lamp.columns[..width];
        for x in 0..width {
            let inner = to[x].wrapping_sub(from[x]).cast_signed() as f32;
            let ends = reach * last[x].cast_signed() as f32 - skip * first[x].cast_signed() as f32;
            row[x] = (inner + ends) * share * (columns[x] + row_light);
        }
    }

    /// Read noise and shot noise.
    #[expect(clippy::cast_possible_truncation, reason = "a hash; a column number")]
    #[expect(clippy::cast_precision_loss, reason = "sums of four bytes")]
    fn add_noise(&self, y: usize, channel: usize, row: &mut [f32]) {
        let config = self.shot.config;
        if config.noise <= 0.0 {
            return;
        }
        let seed = mix_all(&[config.seed, self.shot.frame, y as u64, channel as u64]);
        // Four bytes of a hash add up to nearly a bell curve with this deviation.
        let scale = config.noise / 147.802;
        for (x, level) in row.iter_mut().enumerate() {
            let hash = mix(seed ^ (x as u32).wrapping_mul(0x9e37_79b9));
            let pairs = (hash & 0x00ff_00ff).wrapping_add((hash >> 8) & 0x00ff_00ff);
            let sum = (pairs & 0xffff).wrapping_add(pairs >> 16).cast_signed() as f32;
            let deviation = (1.0 + 0.022 * *level).sqrt();
            *level += (sum - 510.0) * scale * deviation;
        }
    }
}

/// Stores one pixel's chroma, interleaved in one plane or apart in two.
fn put_chroma(planes: &mut [Vec<u8>], at: usize, [u, v]: [u8; 2]) {
    if let [us, vs] = planes {
        (us[at], vs[at]) = (u, v);
    } else {
        planes[0][at * 2..at * 2 + 2].copy_from_slice(&[u, v]);
    }
}

impl Sprite {
    /// Lays row `y` of the part on `line`, which starts at belt position `first`.
    fn lay_on(&self, line: &mut [u32], first: i64, y: usize, channel: usize) {
        let Some(row) = row_of(self.y, self.height, y) else { return };
        let Some((to, from)) = overlap(self.x - first, line.len(), self.width) else { return };
        let from = row * self.width + from.start..row * self.width + from.end;
        let pixels = self.keep[from.clone()].iter().zip(&self.add[channel][from]);
        for (level, (&keep, &add)) in line[to].iter_mut().zip(pixels) {
            *level = (level.wrapping_mul(u32::from(keep)) >> 12).wrapping_add(u32::from(add));
        }
    }
}

fn row_of(top: i64, height: usize, y: usize) -> Option<usize> {
    let row = usize::try_from(i64::try_from(y).ok()? - top).ok()?;
    (row < height).then_some(row)
}

/// Which cells of a line of `line` cells, and which of a sprite `width` wide at `at`, meet.
fn overlap(at: i64, line: usize, width: usize) -> Option<(Range<usize>, Range<usize>)> {
    let signed = |n: usize| i64::try_from(n).ok();
    let (start, end) = (at.max(0), (at + signed(width)?).min(signed(line)?));
    let range = |from: i64| {
        let from = usize::try_from(from).ok()?;
        Some(from..from + usize::try_from(end - start).ok()?)
    };
    Some((range(start)?, range(start - at)?))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn byte(level: f32) -> u8 {
    (level + 0.5) as u8
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn word(level: f32) -> u16 {
    (level + 0.5) as u16
}
