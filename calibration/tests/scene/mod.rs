//! Pictures with known truth for tests: drawn shapes at a pose, a lamp, a lens out of focus, noise.
#![allow(dead_code, reason = "every test uses some of it")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "drawn numbers are small and wanted whole"
)]

use domain::SizePx;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sightline_calibration::Picture;

/// A grey picture that owns its pixels.
#[derive(Clone)]
pub struct Image {
    pub size: SizePx,
    pub luma: Vec<u8>,
}

impl Image {
    pub fn picture(&self) -> Picture<'_> {
        Picture::new(self.size, self.size.width as usize, &self.luma).unwrap()
    }

    /// Writes a PGM file for looking at, where the environment says so.
    pub fn keep(&self, name: &str) {
        if let Ok(folder) = std::env::var("SIGHTLINE_KEEP_PICTURES") {
            let mut bytes =
                format!("P5 {} {} 255\n", self.size.width, self.size.height).into_bytes();
            bytes.extend_from_slice(&self.luma);
            std::fs::write(format!("{folder}/{name}.pgm"), bytes).unwrap();
        }
    }
}

/// Light that reaches the sensor, in greys, before noise.
#[derive(Clone)]
pub struct Light {
    pub size: SizePx,
    pub greys: Vec<f64>,
}

pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub fn uniform(random: &mut impl Rng, from: f64, to: f64) -> f64 {
    from + (to - from) * random.random::<f64>()
}

/// Standard normal (Box–Muller).
pub fn normal(random: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

impl Light {
    /// Each pixel the mean of samples of `grey`, given in pixels from the middle: nine, and many
    /// where there is an edge.
    pub fn draw(size: SizePx, grey: impl Fn(f64, f64) -> f64) -> Self {
        let (cx, cy) = ((size.width - 1) as f64 / 2.0, (size.height - 1) as f64 / 2.0);
        let samples = |x: f64, y: f64, edge: i32| {
            let at = move |part: i32| (f64::from(part) + 0.5) / f64::from(edge) - 0.5;
            let grey = &grey;
            (0..edge * edge).map(move |part| grey(x + at(part % edge), y + at(part / edge)))
        };
        let mut greys = Vec::with_capacity((size.width * size.height) as usize);
        for y in 0..size.height {
            for x in 0..size.width {
                let (x, y) = (f64::from(x) - cx, f64::from(y) - cy);
                let (least, most) = samples(x, y, 3)
                    .fold((f64::MAX, f64::MIN), |(l, m), grey| (l.min(grey), m.max(grey)));
                let edge = if most - least > 8.0 { 10 } else { 3 };
                greys.push(samples(x, y, edge).sum::<f64>() / f64::from(edge * edge));
            }
        }
        Self { size, greys }
    }

    /// Times a value a pixel, given in half pictures from the middle.
    pub fn times(mut self, factor: impl Fn(f64, f64) -> f64) -> Self {
        let (w, h) = (self.size.width as f64, self.size.height as f64);
        for (at, grey) in self.greys.iter_mut().enumerate() {
            let (x, y) = (at as u32 % self.size.width, at as u32 / self.size.width);
            *grey *= factor((2.0 * x as f64 + 1.0) / w - 1.0, (2.0 * y as f64 + 1.0) / h - 1.0);
        }
        self
    }

    /// Out of focus: a Gaussian of this standard deviation, in pixels.
    pub fn blurred(mut self, sigma: f64) -> Self {
        let (w, h) = (self.size.width as usize, self.size.height as usize);
        let kernel: Vec<f64> = {
            let reach = (3.0 * sigma).ceil() as i32;
            let raw: Vec<f64> = (-reach..=reach)
                .map(|i| if sigma > 0.0 { (-0.5 * (i as f64 / sigma).powi(2)).exp() } else { 1.0 })
                .collect();
            let sum: f64 = raw.iter().sum();
            raw.into_iter().map(|v| v / sum).collect()
        };
        let reach = kernel.len() as i64 / 2;
        for across in [true, false] {
            let from = self.greys.clone();
            for y in 0..h {
                for x in 0..w {
                    self.greys[y * w + x] = kernel
                        .iter()
                        .enumerate()
                        .map(|(i, k)| {
                            let off = i as i64 - reach;
                            let (sx, sy) = if across {
                                (x as i64 + off, y as i64)
                            } else {
                                (x as i64, y as i64 + off)
                            };
                            let (sx, sy) = (sx.clamp(0, w as i64 - 1), sy.clamp(0, h as i64 - 1));
                            k * from[sy as usize * w + sx as usize]
                        })
                        .sum();
                }
            }
        }
        self
    }

    /// As a camera with read noise `read` and shot noise `shot · √grey` sees it.
    pub fn seen(&self, read: f64, shot: f64, random: &mut impl Rng) -> Image {
        // Drawn once: 65521 normal numbers, begun elsewhere in every picture.
        static NORMAL: std::sync::OnceLock<Vec<f64>> = std::sync::OnceLock::new();
        let table = NORMAL.get_or_init(|| {
            let mut random = self::random(99);
            (0..65_521).map(|_| normal(&mut random)).collect()
        });
        let start = random.random_range(0..table.len());
        let noise = table.iter().cycle().skip(start);
        let luma = self
            .greys
            .iter()
            .zip(noise)
            .map(|(grey, noise)| {
                let sigma = (read * read + shot * shot * grey.max(0.0)).sqrt();
                (grey + sigma * noise).round().clamp(0.0, 255.0) as u8
            })
            .collect();
        Image { size: self.size, luma }
    }
}

/// Where a part lies; the convention of `align::Pose`.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub dx: f64,
    pub dy: f64,
    pub deg: f64,
    pub scale: f64,
}

/// A drawn part: grey at a place of its own, in units of 1 / 512 of the picture; `None` is belt.
pub type Shape = fn(f64, f64) -> Option<f64>;

/// A bracket with a slot, two holes and a printed bar: no symmetry.
pub fn bracket(x: f64, y: f64) -> Option<f64> {
    let inside = |x0: f64, y0: f64, x1: f64, y1: f64| x >= x0 && x < x1 && y >= y0 && y < y1;
    let body = inside(-150.0, -110.0, 150.0, -20.0) || inside(-150.0, -20.0, -50.0, 130.0);
    let hole = |cx: f64, cy: f64, r: f64| (x - cx).hypot(y - cy) < r;
    if !body || hole(-100.0, 85.0, 22.0) || hole(105.0, -65.0, 18.0) {
        return None;
    }
    if inside(-40.0, -75.0, 50.0, -58.0) {
        return Some(70.0);
    }
    Some(170.0)
}

/// A plate that looks the same after half a turn.
pub fn plate(x: f64, y: f64) -> Option<f64> {
    let hole = |cx: f64| (x - cx).hypot(y) < 20.0;
    (x.abs() < 140.0 && y.abs() < 60.0 && !hole(100.0) && !hole(-100.0)).then_some(160.0)
}

/// A washer.
pub fn washer(x: f64, y: f64) -> Option<f64> {
    let r = x.hypot(y);
    (r > 50.0 && r < 130.0).then_some(170.0)
}

/// A stripe through the whole picture.
pub fn stripe(_: f64, y: f64) -> Option<f64> {
    (y.abs() < 60.0).then_some(170.0)
}

/// A part on a belt of `belt` grey with a soft texture, at a pose.
pub fn part(size: SizePx, shape: Shape, at: At, belt: f64) -> Light {
    let unit = f64::from(size.width.max(size.height)) / 512.0;
    let (sin, cos) = at.deg.to_radians().sin_cos();
    Light::draw(size, |x, y| {
        let (u, v) = ((x - at.dx) / (at.scale * unit), (y - at.dy) / (at.scale * unit));
        let texture = 3.0 * (x * 0.31 + (y * 0.11).sin()).sin();
        shape(cos * u + sin * v, -sin * u + cos * v).unwrap_or(belt + texture)
    })
}

/// A number from 0 to 1 that belongs to a place.
pub fn speck(x: i64, y: i64) -> f64 {
    let mut hash = (x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (y as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    hash = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 32)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash >> 40) as f64 / f64::from(1 << 24)
}

/// Smooth texture from -1 to 1 with features of size 1.
pub fn texture(x: f64, y: f64) -> f64 {
    let (column, row) = (x.floor(), y.floor());
    let smooth = |t: f64| t * t * (3.0 - 2.0 * t);
    let (u, v) = (smooth(x - column), smooth(y - row));
    let at = |dx: i64, dy: i64| speck(column as i64 + dx, row as i64 + dy);
    let top = at(0, 0) + (at(1, 0) - at(0, 0)) * u;
    let bottom = at(0, 1) + (at(1, 1) - at(0, 1)) * u;
    2.0 * (top + (bottom - top) * v) - 1.0
}
