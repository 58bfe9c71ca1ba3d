//! Fast Fourier transform of square pictures whose edge is a power of two: in place, no memory
//! taken after the start, and the same bits on every machine and number of threads.

use std::f32::consts::TAU;
use std::ops::{Add, Mul, Sub};

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Complex {
    pub re: f32,
    pub im: f32,
}

impl Complex {
    /// Times i.
    pub const fn turned(self) -> Self {
        Self { re: -self.im, im: self.re }
    }

    const fn swapped(self) -> Self {
        Self { re: self.im, im: self.re }
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
}

/// Tables for pictures of one edge.
#[derive(Clone, Debug)]
pub struct Fourier {
    edge: usize,
    /// `exp(-2πi k / edge)` for the first half.
    roots: Vec<Complex>,
    /// Where each sample of a row goes first.
    order: Vec<usize>,
}

impl Fourier {
    /// For pictures of `edge` x `edge`, which must be a power of two of at least 2.
    pub fn new(edge: usize) -> Self {
        let bits = edge.trailing_zeros();
        let roots = (0..edge / 2)
            .map(|k| (TAU * k as f32 / edge as f32).sin_cos())
            .map(|(sin, cos)| Complex { re: cos, im: -sin })
            .collect();
        let order = (0..edge).map(|i| i.reverse_bits() >> (usize::BITS - bits)).collect();
        Self { edge, roots, order }
    }

    pub const fn edge(&self) -> usize {
        self.edge
    }

    /// To frequencies, which come out transposed: [`Self::inverse`] turns them back.
    pub fn forward(&self, data: &mut [Complex]) {
        data.chunks_exact_mut(self.edge).for_each(|row| self.row(row));
        self.transpose(data);
        data.chunks_exact_mut(self.edge).for_each(|row| self.row(row));
    }

    /// From (transposed) frequencies, without the factor of 1 / edge².
    pub fn inverse(&self, data: &mut [Complex]) {
        data.iter_mut().for_each(|value| *value = value.swapped());
        self.forward(data);
        data.iter_mut().for_each(|value| *value = value.swapped());
    }

    fn transpose(&self, data: &mut [Complex]) {
        for y in 0..self.edge {
            for x in 0..y {
                data.swap(y * self.edge + x, x * self.edge + y);
            }
        }
    }

    fn row(&self, row: &mut [Complex]) {
        for (from, &to) in self.order.iter().enumerate() {
            if from < to {
                row.swap(from, to);
            }
        }
        let mut half = 1;
        while half < self.edge {
            let stride = self.edge / (2 * half);
            for block in row.chunks_exact_mut(2 * half) {
                let (low, high) = block.split_at_mut(half);
                for ((a, b), root) in
                    low.iter_mut().zip(high).zip(self.roots.iter().step_by(stride))
                {
                    let turned = *b * *root;
                    (*a, *b) = (*a + turned, *a - turned);
                }
            }
            half *= 2;
        }
    }
}

/// A tapered window of `length` samples: 1 in the middle, falling to 0 over `share` of the length
/// at either end (Tukey's).
pub fn taper(at: f32, length: f32, share: f32) -> f32 {
    let from_end = (at + 0.5).min(length - at - 0.5) / (length * share);
    if from_end >= 1.0 { 1.0 } else { 0.5 - 0.5 * (from_end.max(0.0) * TAU / 2.0).cos() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_gives_the_picture_back() {
        let fourier = Fourier::new(16);
        let picture: Vec<Complex> =
            (0..256).map(|i| Complex { re: (i * 7 % 31) as f32, im: 0.0 }).collect();
        let mut data = picture.clone();
        fourier.forward(&mut data);
        fourier.inverse(&mut data);
        for (got, wanted) in data.iter().zip(&picture) {
            assert!((got.re / 256.0 - wanted.re).abs() < 1e-4 && got.im.abs() < 1e-1);
        }
    }

    #[test]
    fn a_wave_has_one_frequency() {
        let fourier = Fourier::new(16);
        let mut data: Vec<Complex> = (0..256)
            .map(|i| (TAU * 3.0 * (i % 16) as f32 / 16.0).sin_cos())
            .map(|(sin, cos)| Complex { re: cos, im: sin })
            .collect();
        fourier.forward(&mut data);
        // Transposed: frequency 3 along x is row 3.
        for (index, value) in data.iter().enumerate() {
            let wanted = if index == 3 * 16 { 256.0 } else { 0.0 };
            assert!((value.re - wanted).abs() < 1e-3 && value.im.abs() < 1e-3, "{index} {value:?}");
        }
    }
}
