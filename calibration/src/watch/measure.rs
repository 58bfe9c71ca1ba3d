//! What a sample looks like: takes a picture, gives brightness of its cells, saturation and
//! sharpness, from a thin lattice of pixels.

use domain::{RectPx, SizePx};

use crate::Picture;
use crate::rounding::{edge, single};

/// Cells along the longer edge.
const CELLS: u32 = 96;
/// Pixels read along a cell's edge.
const READ: u32 = 5;
/// Sharpness compares the change over 2 pixels with that over twice this many.
const FAR: u32 = 4;
/// From this grey on a pixel is saturated.
const SATURATED: u8 = 254;
/// A change over the far distance that is an edge, in greys beyond noise.
const EDGE_GREYS: f32 = 12.0;
/// Places at edges, at least, for a sharpness.
const LEAST_PLACES: u32 = 30;

/// Where a picture is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lattice {
    size: SizePx,
    cell: u32,
    step: u32,
}

/// What a sample looks like, besides its cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub saturated_percent: f64,
    /// Edge strength over 2 pixels relative to that over 8, about 0 to 0.3; absent without edges.
    pub sharpness: Option<f64>,
}

impl Lattice {
    pub fn new(size: SizePx) -> Self {
        let cell = size.width.max(size.height).div_ceil(CELLS).max(2);
        Self { size, cell, step: (cell / READ).max(1) }
    }

    pub const fn columns(&self) -> u32 {
        self.size.width.div_ceil(self.cell)
    }

    pub const fn rows(&self) -> u32 {
        self.size.height.div_ceil(self.cell)
    }

    pub const fn count(&self) -> usize {
        self.columns() as usize * self.rows() as usize
    }

    /// Where a cell is in the picture.
    pub fn rect(&self, index: usize) -> RectPx {
        let (x, y) = (edge(index) % self.columns(), edge(index) / self.columns());
        let (x, y) = (x * self.cell, y * self.cell);
        let (right, bottom) = (x + self.cell, y + self.cell);
        RectPx::from_corners(x, y, right.min(self.size.width), bottom.min(self.size.height))
    }

    /// Fills `cells` with their mean greys, and says what else there is to see. The picture must be
    /// of the lattice's size.
    pub fn read(&self, picture: &Picture<'_>, noise: f32, cells: &mut [f32]) -> Look {
        let (mut saturated, mut read) = (0_u32, 0_u32);
        for (index, cell) in cells.iter_mut().enumerate() {
            let rect = self.rect(index);
            let (mut sum, mut count) = (0_u32, 0_u32);
            for y in (rect.y..rect.bottom()).step_by(self.step as usize) {
                let row = &picture.row(y)[rect.x as usize..rect.right() as usize];
                for &grey in row.iter().step_by(self.step as usize) {
                    sum += u32::from(grey);
                    saturated += u32::from(grey >= SATURATED);
                    count += 1;
                }
            }
            read += count;
            *cell = sum as f32 / count as f32;
        }
        Look {
            saturated_percent: f64::from(saturated) / f64::from(read.max(1)) * 100.0,
            sharpness: self.sharpness(picture, noise),
        }
    }

    /// Tenengrad over a short distance normalised by the same over a long one, at edges only: it
    /// depends on how sharp edges are, not on how many there are or how strong (Pertuz et al. 2013
    /// compare the kinds; normalising by contrast is what makes them bear other parts and light).
    fn sharpness(&self, picture: &Picture<'_>, noise: f32) -> Option<f64> {
        let least = (EDGE_GREYS + 4.0 * noise).powi(2);
        let (mut near, mut far, mut places) = (0.0_f64, 0.0_f64, 0_u32);
        for y in (FAR..self.size.height.saturating_sub(FAR)).step_by(self.step as usize) {
            let rows = [-4_i64, -1, 1, 4].map(|by| picture.row(row_at(y, by)));
            let here = picture.row(y);
            for x in (FAR..self.size.width.saturating_sub(FAR)).step_by(self.step as usize) {
                let x = x as usize;
                let square = |a: u8, b: u8| (f32::from(a) - f32::from(b)).powi(2);
                let long = square(here[x + 4], here[x - 4]) + square(rows[3][x], rows[0][x]);
                if long > least {
                    near += f64::from(square(here[x + 1], here[x - 1]));
                    near += f64::from(square(rows[2][x], rows[1][x]));
                    far += f64::from(long);
                    places += 1;
                }
            }
        }
        // Two differences of two pixels each have four times a pixel's noise, squared.
        let noise = 4.0 * f64::from(noise * noise) * f64::from(places);
        (places >= LEAST_PLACES).then(|| (near - noise).max(0.0) / (far - noise).max(1.0))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the picture")]
const fn row_at(y: u32, by: i64) -> u32 {
    (y as i64 + by) as u32
}

/// The median; `None` of nothing. Reorders.
pub fn median(values: &mut [f32]) -> Option<f32> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// The belt's brightness: the median over cells relative to commissioning. Parts that cover less
/// than half of the picture do not change it.
pub fn brightness(cells: &[f32], usual: &[f32], room: &mut Vec<f32>) -> f64 {
    room.clear();
    room.extend(cells.iter().zip(usual).map(|(cell, usual)| cell / usual.max(1.0)));
    f64::from(median(room).unwrap_or(1.0))
}

/// Picture-to-picture change of brightness as a standard deviation, by the median of differences:
/// a slow drift or one odd picture does not count.
pub fn flicker(values: impl Iterator<Item = f64> + Clone, room: &mut Vec<f32>) -> Option<f64> {
    room.clear();
    let next = values.clone().skip(1);
    room.extend(values.zip(next).map(|(a, b)| single((b - a).abs())));
    // A normal distribution's differences are √2 wider than itself.
    median(room).map(|median| 1.4826 * f64::from(median) / std::f64::consts::SQRT_2)
}

/// Which of twice the mains frequencies explains a course of brightness, where one does: sines are
/// fitted at the times of the pictures, so that it does not matter that they alias.
pub fn mains(course: impl Iterator<Item = (f64, f64)> + Clone) -> Option<u32> {
    let [fifty, sixty] = [100.0, 120.0].map(|hz| explained(course.clone(), hz));
    match (fifty, sixty) {
        (a, b) if a > MAINS_SHARE && a > b + 0.2 => Some(100),
        (a, b) if b > MAINS_SHARE && b > a + 0.2 => Some(120),
        _ => None,
    }
}

/// A sine must explain this share of the variance.
const MAINS_SHARE: f64 = 0.6;

/// The share of the variance that a sine of `hz` explains.
fn explained(course: impl Iterator<Item = (f64, f64)> + Clone, hz: f64) -> f64 {
    let count = course.clone().count() as f64;
    let mean = course.clone().map(|(_, value)| value).sum::<f64>() / count.max(1.0);
    let basis = |seconds: f64| (std::f64::consts::TAU * hz * seconds).sin_cos();
    let mut matrix = [0.0; 9];
    let mut right = [0.0; 3];
    let mut all = 0.0;
    for (seconds, value) in course {
        let (sin, cos) = basis(seconds);
        let row = [1.0, sin, cos];
        for i in 0..3 {
            right[i] += row[i] * (value - mean);
            for j in 0..3 {
                matrix[i * 3 + j] += row[i] * row[j];
            }
        }
        all += (value - mean).powi(2);
    }
    let sums = right;
    if count < 12.0 || !crate::linear::factor(&mut matrix, 3) || matrix[8] < 0.05 * count.sqrt() {
        return 0.0;
    }
    crate::linear::solve(&matrix, 3, &mut right);
    let by_sine: f64 = right.iter().zip(sums).map(|(a, b)| a * b).sum();
    by_sine / all.max(f64::MIN_POSITIVE)
}
