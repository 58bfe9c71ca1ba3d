//! The slow course of brightness: takes a picture, gives means of its blocks, and the smooth
//! surface that lamp and lens make of a plain target.

use domain::{RectPx, SizePx};

use crate::linear;
use crate::rounding::edge;

/// Highest power of the surface; a lamp and a lens have no more, print on the target has.
const ORDER: usize = 6;
/// Powers of x and y together of at most [`ORDER`].
const TERMS: usize = (ORDER + 1) * (ORDER + 2) / 2;

/// Means over a grid of blocks.
pub struct Blocks {
    size: SizePx,
    edge: u32,
    pub columns: u32,
    pub means: Vec<f64>,
}

/// The blocks' edge for a picture: 16 pixels, fewer where that would leave too few of them.
fn block_edge(size: SizePx) -> u32 {
    (size.width.min(size.height) / 20).clamp(2, 16)
}

impl Blocks {
    pub fn of_greys(size: SizePx, greys: &[u8]) -> Self {
        Self::of(size, |at| f64::from(greys[at]))
    }

    /// Blocks of a picture whose pixel at an index has this value.
    pub fn of(size: SizePx, value: impl Fn(usize) -> f64) -> Self {
        let side = block_edge(size);
        let (columns, rows) = (size.width.div_ceil(side), size.height.div_ceil(side));
        let mut blocks = Self { size, edge: side, columns, means: Vec::new() };
        blocks.means = (0..columns * rows)
            .map(|index| {
                let (sum, count) =
                    blocks.indices(index).fold((0.0, 0.0), |(s, n), at| (s + value(at), n + 1.0));
                sum / count
            })
            .collect();
        blocks
    }

    /// Where a block is.
    pub fn rect(&self, index: u32) -> RectPx {
        let (x, y) = (index % self.columns * self.edge, index / self.columns * self.edge);
        let (right, bottom) = (x + self.edge, y + self.edge);
        RectPx::from_corners(x, y, right.min(self.size.width), bottom.min(self.size.height))
    }

    /// The indices of a block's pixels.
    pub fn indices(&self, index: u32) -> impl Iterator<Item = usize> + use<> {
        let (rect, width) = (self.rect(index), self.size.width as usize);
        (rect.y..rect.bottom())
            .flat_map(move |y| (rect.x..rect.right()).map(move |x| y as usize * width + x as usize))
    }

    pub fn count(&self) -> u32 {
        edge(self.means.len())
    }

    fn mean(&self) -> f64 {
        self.means.iter().sum::<f64>() / self.means.len() as f64
    }

    /// Root mean square difference from the mean, as a share of it.
    pub fn spread(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.means.iter().map(|m| (m / mean - 1.0).powi(2)).sum();
        (squares / self.means.len() as f64).sqrt()
    }

    /// The block that differs most from the mean, and by which share of it.
    pub fn worst(&self) -> (RectPx, f64) {
        let mean = self.mean();
        let away = |index: u32| (self.means[index as usize] / mean - 1.0).abs();
        let worst = (0..self.count()).max_by(|&a, &b| away(a).total_cmp(&away(b))).unwrap_or(0);
        (self.rect(worst), away(worst))
    }

    fn place(&self, index: u32) -> (f64, f64) {
        let middle = self.rect(index).centre();
        let unit = |at: f32, length: u32| 2.0 * f64::from(at) / f64::from(length) - 1.0;
        (unit(middle.x, self.size.width), unit(middle.y, self.size.height))
    }
}

/// A smooth, positive surface over a picture.
pub struct Surface {
    size: SizePx,
    terms: [f64; TERMS],
}

impl Surface {
    /// Fitted to the logarithm of the blocks' means, twice leaving out what stands out, so that a
    /// spot on the target does not bend it. `None` where the blocks do not determine it.
    pub fn fit(blocks: &Blocks) -> Option<Self> {
        let mut surface = Self { size: blocks.size, terms: [0.0; TERMS] };
        let mut tolerance = f64::INFINITY;
        for _ in 0..3 {
            surface.terms = surface.solved(blocks, tolerance)?;
            let mut away: Vec<f64> =
                (0..blocks.count()).map(|i| surface.share_off(blocks, i).abs()).collect();
            away.sort_by(f64::total_cmp);
            tolerance = (4.0 * 1.48 * away[away.len() / 2]).max(1e-3);
        }
        Some(surface)
    }

    fn solved(&self, blocks: &Blocks, tolerance: f64) -> Option<[f64; TERMS]> {
        let mut matrix = [0.0; TERMS * TERMS];
        let mut right = [0.0; TERMS];
        for index in 0..blocks.count() {
            let mean = blocks.means[index as usize];
            if mean <= 0.0 || self.share_off(blocks, index).abs() > tolerance {
                continue;
            }
            let powers = powers(blocks.place(index));
            for (row, power) in powers.iter().enumerate() {
                right[row] += power * mean.ln();
                for (column, other) in powers.iter().enumerate() {
                    matrix[row * TERMS + column] += power * other;
                }
            }
        }
        for term in 0..TERMS {
            matrix[term * TERMS + term] *= 1.0 + 1e-9;
        }
        linear::factor(&mut matrix, TERMS).then(|| {
            linear::solve(&matrix, TERMS, &mut right);
            right
        })
    }

    /// By which share a block is brighter than the surface.
    pub fn share_off(&self, blocks: &Blocks, index: u32) -> f64 {
        blocks.means[index as usize] / self.value(blocks.place(index)) - 1.0
    }

    /// At a pixel.
    pub fn at(&self, x: u32, y: u32) -> f64 {
        let unit = |at: u32, length: u32| (2.0 * f64::from(at) + 1.0) / f64::from(length) - 1.0;
        self.value((unit(x, self.size.width), unit(y, self.size.height)))
    }

    fn value(&self, place: (f64, f64)) -> f64 {
        let powers = powers(place);
        self.terms.iter().zip(powers).map(|(term, power)| term * power).sum::<f64>().exp()
    }
}

/// Products of Chebyshev polynomials, which stay apart where plain powers do not.
fn powers((x, y): (f64, f64)) -> [f64; TERMS] {
    let (xs, ys) = (chebyshev(x), chebyshev(y));
    let mut powers = [0.0; TERMS];
    let pairs = (0..=ORDER).flat_map(|i| (0..=ORDER - i).map(move |j| (i, j)));
    for (power, (i, j)) in powers.iter_mut().zip(pairs) {
        *power = xs[i] * ys[j];
    }
    powers
}

fn chebyshev(x: f64) -> [f64; ORDER + 1] {
    let mut all = [1.0; ORDER + 1];
    all[1] = x;
    for i in 2..=ORDER {
        all[i] = 2.0 * x * all[i - 1] - all[i - 2];
    }
    all
}
