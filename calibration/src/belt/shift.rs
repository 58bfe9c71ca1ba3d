//! How far a picture has moved against another: takes what moves in both, gives the shift at which
//! they correlate best, to a fraction of a pixel.
//!
//! Correlation over all shifts at once in the Fourier domain, padded so that nothing wraps around,
//! then refined on edge points as parts are (`align`).

use domain::SizePx;

use crate::Picture;
use crate::align::level::{Free, Place, Points, Refiner, inner, noise};
use crate::fourier::{Complex, Fourier};
use crate::rounding::edge;

/// A shift between two pictures, in their pixels.
#[derive(Clone, Copy, Debug)]
pub struct Shift {
    pub dx: f64,
    pub dy: f64,
    /// Whether another shift, well apart, correlates nearly as well.
    pub ambiguous: bool,
}

/// Edge points by which a shift is refined, at most and at least.
const POINTS: (usize, usize) = (800, 30);
/// Share of them that must be found.
const LEAST_FOUND: f64 = 0.1;
/// Correlation of two pictures that have something in common, at least.
const LEAST_LIKENESS: f32 = 0.15;
/// A second peak of this share of the first makes a shift ambiguous.
const RIVAL_SHARE: f32 = 0.8;
/// A second peak is at least this far away, as a share of the picture's longer edge.
const APART: f64 = 0.06;

/// Measures shifts between pictures of one size.
pub struct Shifter {
    size: SizePx,
    /// What stands still: it says nothing of the belt.
    standing: Vec<u8>,
    fourier: Fourier,
    refiner: Refiner,
    /// Frequencies of the picture before, its energy.
    before: (Vec<Complex>, f32),
    now: (Vec<Complex>, f32),
    product: Vec<Complex>,
}

impl Shifter {
    /// For pictures of `size`, in which `standing` stands still.
    pub fn new(size: SizePx, standing: Vec<u8>) -> Self {
        let side = (2 * size.width.max(size.height)).next_power_of_two() as usize;
        let room = || vec![Complex::default(); side * side];
        Self {
            size,
            standing,
            fourier: Fourier::new(side),
            refiner: Refiner::new(POINTS.0),
            before: (room(), 0.0),
            now: (room(), 0.0),
            product: room(),
        }
    }

    /// Makes a picture the one that the next is compared with.
    pub fn start(&mut self, picture: &[u8]) {
        self.transform(picture);
        std::mem::swap(&mut self.before, &mut self.now);
    }

    /// The shift from the last picture, `before`, to `picture`, which becomes the last. `None`
    /// where they have too little in common.
    pub fn next(&mut self, before: &[u8], picture: &[u8]) -> Option<Shift> {
        self.transform(picture);
        for ((out, now), before) in self.product.iter_mut().zip(&self.now.0).zip(&self.before.0) {
            *out = *now * Complex { re: before.re, im: -before.im };
        }
        self.fourier.inverse(&mut self.product);
        let side = self.fourier.edge();
        let scale = (self.now.1 * self.before.1).sqrt().max(1.0) * (side * side) as f32;
        let (first, dx, dy) = self.peak(None);
        let (second, ..) = self.peak(Some((dx, dy)));
        std::mem::swap(&mut self.before, &mut self.now);
        let (likeness, ambiguous) = (first / scale, second > RIVAL_SHARE * first);
        if likeness < LEAST_LIKENESS {
            return None;
        }
        let (dx, dy) = self.refined(before, picture, dx, dy)?;
        Some(Shift { dx, dy, ambiguous })
    }

    /// To frequencies of what moves.
    fn transform(&mut self, picture: &[u8]) {
        let (width, side) = (self.size.width as usize, self.fourier.edge());
        let moving = |(here, usual): (&u8, &u8)| f32::from(*here) - f32::from(*usual);
        let sum: f32 = picture.iter().zip(&self.standing).map(moving).sum();
        let mean = sum / picture.len() as f32;
        let (data, energy) = &mut self.now;
        data.fill(Complex::default());
        *energy = 0.0;
        let rows = picture.chunks_exact(width).zip(self.standing.chunks_exact(width));
        for ((row, standing), data) in rows.zip(data.chunks_exact_mut(side)) {
            for (pair, value) in row.iter().zip(standing).zip(data) {
                value.re = moving(pair) - mean;
                *energy += value.re * value.re;
            }
        }
        self.fourier.forward(data);
    }

    /// The highest correlation and its shift; away from another one where that is given.
    fn peak(&self, away: Option<(f64, f64)>) -> (f32, f64, f64) {
        let side = self.fourier.edge();
        let wrapped = |at: usize| if at >= side / 2 { at as f64 - side as f64 } else { at as f64 };
        let least = APART * f64::from(self.size.width.max(self.size.height));
        let mut best = (f32::NEG_INFINITY, 0.0, 0.0);
        for (index, value) in self.product.iter().enumerate() {
            if value.re <= best.0 {
                continue;
            }
            let (dx, dy) = (wrapped(index % side), wrapped(index / side));
            if away.is_none_or(|(x, y)| (dx - x).hypot(dy - y) > least && self.hill(index)) {
                best = (value.re, dx, dy);
            }
        }
        best
    }

    /// Whether a place is higher than the four around it.
    fn hill(&self, index: usize) -> bool {
        let count = self.product.len();
        let around = [1, count - 1, self.fourier.edge(), count - self.fourier.edge()];
        let here = self.product[index].re;
        around.iter().all(|step| self.product[(index + step) % count].re <= here)
    }

    /// The shift to a fraction of a pixel, by edges that do not stand still.
    fn refined(&mut self, before: &[u8], picture: &[u8], dx: f64, dy: f64) -> Option<(f64, f64)> {
        let size = self.size;
        let view = |luma| Picture { size, stride: size.width as usize, luma };
        let middle = |length: u32| (length as f32 - 1.0) / 2.0;
        let middle = (middle(size.width), middle(size.height));
        let standing = view(&self.standing);
        let before = view(before);
        let mut points = Points::of(&before, size.rect(), middle, noise(&before), POINTS.0);
        points.all.retain(|point| {
            let (x, y) = (point.x + middle.0, point.y + middle.1);
            let right = inner(&standing, x + 1.0, y) - inner(&standing, x - 1.0, y);
            let down = inner(&standing, x, y + 1.0) - inner(&standing, x, y - 1.0);
            right.hypot(down) / 2.0 < 0.5 * point.right.hypot(point.down)
        });
        if points.all.len() < POINTS.1 {
            return None;
        }
        let start = Place { dx, dy, angle: 0.0, scale: 1.0 };
        let free = Free { angle: false, scale: false };
        let fit = self.refiner.refine(&points, &view(picture), middle, start, free)?;
        let near = (fit.place.dx - dx).hypot(fit.place.dy - dy) < 2.0;
        (near && fit.found > LEAST_FOUND).then_some((fit.place.dx, fit.place.dy))
    }
}

/// A picture's window at a `shrink`th of its size: means of squares, a little blurred, because
/// edges sharper than a pixel pull shifts towards whole pixels.
pub fn shrunk(picture: &Picture<'_>, window: domain::RectPx, shrink: u32) -> Vec<u8> {
    let (columns, rows) = (window.width / shrink, window.height / shrink);
    let mut out = Vec::with_capacity(columns as usize * rows as usize);
    let mut sums = vec![0_u32; columns as usize];
    let area = shrink * shrink;
    for row in 0..rows {
        sums.fill(0);
        for y in 0..shrink {
            let line = &picture.row(window.y + row * shrink + y)[window.x as usize..];
            for (sum, square) in sums.iter_mut().zip(line.chunks_exact(shrink as usize)) {
                *sum += square.iter().map(|&grey| u32::from(grey)).sum::<u32>();
            }
        }
        out.extend(sums.iter().map(|sum| mean(*sum, area)));
    }
    blurred(&out, columns as usize)
}

/// One, two, one in both directions; the border counts twice.
fn blurred(greys: &[u8], width: usize) -> Vec<u8> {
    let rows = greys.len() / width;
    let across = |y: usize, x: usize| {
        let row = &greys[y * width..][..width];
        let (left, right) = (row[x.saturating_sub(1)], row[(x + 1).min(width - 1)]);
        u32::from(left) + 2 * u32::from(row[x]) + u32::from(right)
    };
    (0..greys.len())
        .map(|at| {
            let (y, x) = (at / width, at % width);
            let (above, below) = (y.saturating_sub(1), (y + 1).min(rows - 1));
            mean(across(above, x) + 2 * across(y, x) + across(below, x), 16)
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a mean of bytes")]
const fn mean(sum: u32, area: u32) -> u8 {
    ((sum + area / 2) / area) as u8
}

/// The median of every pixel over all pictures: what stands still.
pub fn standing(pictures: &[Vec<u8>]) -> Vec<u8> {
    let length = pictures.first().map_or(0, Vec::len);
    let mut values = vec![0; pictures.len()];
    (0..length)
        .map(|at| {
            values.iter_mut().zip(pictures).for_each(|(value, picture)| *value = picture[at]);
            let middle = values.len() / 2;
            *values.select_nth_unstable(middle).1
        })
        .collect()
}

/// The mean difference between two pictures, in greys.
pub fn difference(a: &[u8], b: &[u8]) -> f64 {
    let sum: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / f64::from(edge(a.len().max(1)))
}
