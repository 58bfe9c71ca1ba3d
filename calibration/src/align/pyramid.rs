//! A picture at half, a quarter … of its size: memory taken once, filled for each crop.

use domain::SizePx;

use crate::Picture;
use crate::rounding::floor;

/// Levels below a picture. Level 0 is the picture itself and is not kept.
#[derive(Clone, Debug)]
pub struct Pyramid {
    full: SizePx,
    levels: Vec<(SizePx, Vec<u8>)>,
}

impl Pyramid {
    /// For pictures of `full` size, down to a level whose longer edge is at most `coarsest`.
    pub fn new(full: SizePx, coarsest: u32) -> Self {
        let (mut size, mut levels) = (full, Vec::new());
        while size.width.max(size.height) > coarsest {
            size = SizePx::new((size.width / 2).max(1), (size.height / 2).max(1));
            levels.push((size, vec![0; size.width as usize * size.height as usize]));
        }
        Self { full, levels }
    }

    /// The number of the coarsest level.
    pub const fn coarsest(&self) -> usize {
        self.levels.len()
    }

    /// The size of a level.
    pub fn size(&self, level: usize) -> SizePx {
        level.checked_sub(1).map_or(self.full, |index| self.levels[index].0)
    }

    /// Fills all levels from `picture`.
    pub fn fill(&mut self, picture: &Picture<'_>) {
        for level in 0..self.levels.len() {
            let (done, rest) = self.levels.split_at_mut(level);
            let above = match done.last() {
                Some((size, luma)) => whole(*size, luma),
                None => *picture,
            };
            let (size, luma) = &mut rest[0];
            for (y, row) in (0..size.height).zip(luma.chunks_exact_mut(size.width as usize)) {
                let bottom = (2 * y + 1).min(above.size().height - 1);
                halve(above.row(2 * y), above.row(bottom), row);
            }
        }
    }

    /// A level of the pyramid over `picture`.
    pub fn level<'a>(&'a self, level: usize, picture: &Picture<'a>) -> Picture<'a> {
        level.checked_sub(1).map_or(*picture, |index| {
            let (size, luma) = &self.levels[index];
            whole(*size, luma)
        })
    }
}

fn whole(size: SizePx, luma: &[u8]) -> Picture<'_> {
    Picture { size, stride: size.width as usize, luma }
}

/// The mean of each two by two pixels; a last single column stands for itself.
fn halve(top: &[u8], bottom: &[u8], out: &mut [u8]) {
    for ((out, top), bottom) in out.iter_mut().zip(top.chunks(2)).zip(bottom.chunks(2)) {
        let pair = |row: &[u8]| u32::from(row[0]) + u32::from(row[row.len() - 1]);
        *out = mean_of_four(pair(top) + pair(bottom));
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a mean of bytes")]
const fn mean_of_four(sum: u32) -> u8 {
    ((sum + 2) / 4) as u8
}

/// The middle of a full-size picture, in pixels of a level.
pub fn middle(full: SizePx, level: usize) -> (f32, f32) {
    let scale = (1_u32 << level) as f32;
    let at = |length: u32| ((length as f32 - 1.0) / 2.0 - (scale - 1.0) / 2.0) / scale;
    (at(full.width), at(full.height))
}

/// The grey between pixels, bilinear; `None` less than two pixels from the border.
#[inline]
pub fn between(picture: &Picture<'_>, x: f32, y: f32) -> Option<f32> {
    let size = picture.size();
    let inside = |at: f32, length: u32| at >= 2.0 && at < length as f32 - 3.0;
    if !(inside(x, size.width) && inside(y, size.height)) {
        return None;
    }
    Some(inner(picture, x, y))
}

/// The grey between pixels of a place that [`between`] has found to be inside, or one pixel away.
#[inline]
#[expect(clippy::cast_sign_loss, reason = "inside a picture")]
pub fn inner(picture: &Picture<'_>, x: f32, y: f32) -> f32 {
    let (left, top) = (floor(x), floor(y));
    let (u, v) = (x - left as f32, y - top as f32);
    let at = top as usize * picture.stride() + left as usize;
    let pair = |at: usize| {
        let (a, b) = (f32::from(picture.luma[at]), f32::from(picture.luma[at + 1]));
        a + (b - a) * u
    };
    let (upper, lower) = (pair(at), pair(at + picture.stride()));
    upper + (lower - upper) * v
}

/// The noise of a picture, in greys: from second differences along rows, by their median, so that
/// edges do not count.
pub fn noise(picture: &Picture<'_>) -> f32 {
    let size = picture.size();
    let mut counts = [0_usize; 1024];
    for y in 0..size.height {
        for three in picture.row(y).windows(3) {
            let second = i32::from(three[0]) - 2 * i32::from(three[1]) + i32::from(three[2]);
            counts[second.unsigned_abs() as usize] += 1;
        }
    }
    let half = counts.iter().sum::<usize>() / 2;
    let mut seen = 0;
    let median = counts.iter().position(|count| {
        seen += count;
        seen > half
    });
    // A median of whole numbers: half a step finer than they are, and never nothing.
    let median = f32::from(u16::try_from(median.unwrap_or(0)).unwrap_or(0)).max(0.5);
    (1.4826 * median / 6.0_f32.sqrt()).max(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_edges_are_halved() {
        let luma = [10, 20, 30, 40, 50, 60, 70, 80, 90];
        let picture = Picture::new(SizePx::new(3, 3), 3, &luma).unwrap();
        let mut pyramid = Pyramid::new(picture.size(), 1);
        pyramid.fill(&picture);
        assert_eq!((pyramid.coarsest(), pyramid.size(1)), (1, SizePx::new(1, 1)));
        assert_eq!(pyramid.level(1, &picture).row(0), [30]);
    }

    #[test]
    fn a_place_between_pixels_is_a_mixture() {
        let luma: Vec<u8> = (0..64).map(|i| i / 8 * 10 + i % 8).collect();
        let picture = Picture::new(SizePx::new(8, 8), 8, &luma).unwrap();
        assert_eq!(between(&picture, 3.25, 2.5), Some(28.25));
        assert_eq!(between(&picture, 1.9, 2.5), None);
        assert_eq!(between(&picture, f32::NAN, 2.5), None);
    }
}
