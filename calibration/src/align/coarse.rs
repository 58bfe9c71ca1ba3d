//! Finds the coarse place: takes a small level of a crop, gives for each angle tried how well the
//! golden sample fits it, and where. All shifts are tried at once in the Fourier domain, two angles
//! in each inverse transform, because what comes out for one is real.

use domain::RectPx;

use super::pyramid::between;
use super::refine::Place;
use crate::Picture;
use crate::fourier::{Complex, Fourier, taper};
use crate::rounding::{edge, single};

/// The longer edge of the level that is searched is at most this; all transforms have this edge.
pub const COARSE_EDGE: u32 = 64;
/// Greys are taken relative to their mean over a square of this many pixels to each side.
const SURROUNDINGS: usize = 7;

/// How well one angle fits.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    pub place: Place,
    /// Correlation; comparable between angles of one crop.
    pub likeness: f32,
}

/// The golden sample at all angles, as frequencies.
#[derive(Clone, Debug)]
pub struct Coarse {
    fourier: Fourier,
    middle: (f32, f32),
    /// Radians.
    angles: Vec<f64>,
    /// Two angles each: the second turned by i, so that one transform gives both.
    pairs: Vec<Vec<Complex>>,
    crop: Vec<Complex>,
    product: Vec<Complex>,
    flat: Vec<f32>,
    pub candidates: Vec<Candidate>,
}

impl Coarse {
    /// Of a coarse level of the golden sample, in which the part is in `part`.
    pub fn new(golden: &Picture<'_>, part: RectPx, middle: (f32, f32), angles: Vec<f64>) -> Self {
        let fourier = Fourier::new(COARSE_EDGE as usize);
        let room = || vec![Complex::default(); fourier.edge() * fourier.edge()];
        let mut coarse = Self {
            middle,
            pairs: Vec::with_capacity(angles.len().div_ceil(2)),
            crop: room(),
            product: room(),
            flat: Vec::new(),
            candidates: Vec::with_capacity(angles.len()),
            fourier,
            angles,
        };
        coarse.flatten(golden);
        let flat = coarse.windowed(golden, part);
        for pair in coarse.angles.chunks(2) {
            let mut both = coarse.turned(golden, &flat, pair[0]);
            if let Some(&second) = pair.get(1) {
                let second = coarse.turned(golden, &flat, second);
                both.iter_mut().zip(second).for_each(|(a, b)| *a = *a + b.turned());
            }
            coarse.pairs.push(both);
        }
        coarse
    }

    /// Fills `candidates`, one an angle.
    pub fn search(&mut self, crop: &Picture<'_>) {
        self.flatten(crop);
        let (size, side) = (crop.size(), self.fourier.edge());
        self.crop.fill(Complex::default());
        for y in 0..size.height as usize {
            let down = taper(y as f32, size.height as f32, 0.1);
            for x in 0..size.width as usize {
                let across = taper(x as f32, size.width as f32, 0.1);
                self.crop[y * side + x].re = self.flat[y * size.width as usize + x] * down * across;
            }
        }
        self.fourier.forward(&mut self.crop);
        self.candidates.clear();
        for (pair, angles) in self.pairs.iter().zip(self.angles.chunks(2)) {
            for ((out, crop), golden) in self.product.iter_mut().zip(&self.crop).zip(pair) {
                *out = *crop * *golden;
            }
            self.fourier.inverse(&mut self.product);
            let values = [|c: &Complex| c.re, |c: &Complex| c.im];
            for (&angle, value) in angles.iter().zip(values) {
                let (likeness, dx, dy) = peak(&self.product, side, value);
                let place = Place { dx, dy, angle, scale: 1.0 };
                self.candidates.push(Candidate { place, likeness });
            }
        }
    }

    /// A picture's greys relative to their surroundings, which a lamp's slope does not change.
    fn flatten(&mut self, picture: &Picture<'_>) {
        let (width, height) = (picture.size().width as usize, picture.size().height as usize);
        self.flat.clear();
        for y in 0..height {
            let rows = y.saturating_sub(SURROUNDINGS)..(y + SURROUNDINGS + 1).min(height);
            for x in 0..width {
                let columns = x.saturating_sub(SURROUNDINGS)..(x + SURROUNDINGS + 1).min(width);
                let area = (rows.len() * columns.len()) as f32;
                let sum: u32 = rows
                    .clone()
                    .map(|y| {
                        let row = &picture.row(edge(y))[columns.clone()];
                        row.iter().map(|&grey| u32::from(grey)).sum::<u32>()
                    })
                    .sum();
                let here = f32::from(picture.row(edge(y))[x]);
                self.flat.push(here - sum as f32 / area);
            }
        }
    }

    /// What [`Self::flatten`] left, fading out around the part.
    fn windowed(&self, golden: &Picture<'_>, part: RectPx) -> Vec<f32> {
        let width = golden.size().width;
        let inside = |at: u32, from: u32, length: u32| {
            if at < from || at >= from + length {
                return 0.0;
            }
            taper((at - from) as f32, length as f32, 0.08)
        };
        let window = |index: usize| {
            let (x, y) = (edge(index) % width, edge(index) / width);
            inside(x, part.x, part.width) * inside(y, part.y, part.height)
        };
        self.flat.iter().enumerate().map(|(index, value)| value * window(index)).collect()
    }

    /// The conjugate frequencies of the golden sample at an angle, of unit energy.
    fn turned(&self, golden: &Picture<'_>, flat: &[f32], angle: f64) -> Vec<Complex> {
        let (size, side) = (golden.size(), self.fourier.edge());
        // As bytes around 128, so that the pyramid's interpolation serves here too.
        let bytes: Vec<u8> = flat.iter().map(|v| crate::rounding::grey(128.0 + v / 2.0)).collect();
        let picture = Picture { size, stride: size.width as usize, luma: &bytes };
        let (sin, cos) = (single(angle.sin()), single(angle.cos()));
        let (cx, cy) = self.middle;
        let mut out = vec![Complex::default(); side * side];
        let mut energy = 0.0;
        let half = side as f32 / 2.0;
        for (index, value) in out.iter_mut().enumerate() {
            // Places about the middle of the picture, wrapped as the transform wraps them.
            let at = |index: usize, middle: f32| index as f32 - middle;
            let (x, y) = (index % side, index / side);
            let (mut u, mut v) = (at(x, cx), at(y, cy));
            u -= if u >= half { side as f32 } else { 0.0 };
            v -= if v >= half { side as f32 } else { 0.0 };
            let from = (cx + cos * u + sin * v, cy - sin * u + cos * v);
            value.re = between(&picture, from.0, from.1).map_or(0.0, |grey| grey - 128.0);
            energy += value.re * value.re;
        }
        self.fourier.forward(&mut out);
        let scale = 1.0 / energy.sqrt().max(1e-6);
        // Conjugated, and divided by the energy.
        out.iter().map(|c| Complex { re: c.re * scale, im: -c.im * scale }).collect()
    }
}

/// The highest value, and at which shift it is.
fn peak(values: &[Complex], side: usize, value: impl Fn(&Complex) -> f32) -> (f32, f64, f64) {
    let mut best = (f32::NEG_INFINITY, 0);
    for (index, c) in values.iter().enumerate() {
        if value(c) > best.0 {
            best = (value(c), index);
        }
    }
    let wrapped = |at: usize| if at >= side / 2 { at as f64 - side as f64 } else { at as f64 };
    (best.0, wrapped(best.1 % side), wrapped(best.1 / side))
}
