//! Parts that touch, told apart: takes the cells of one blob, gives a blob a part.
//!
//! The way of the distance transform (Rosenfeld & Pfaltz 1966): how far each cell lies from the
//! blob's rim; where that is highest is the middle of a part; each cell belongs to the part whose
//! middle it is nearest to. Good for parts that are about as long as they are wide.

use super::blobs::Blob;

/// Steps of the 3-4 chamfer distance.
const ACROSS: u32 = 3;
const DIAGONAL: u32 = 4;
/// A middle is at least so far from the rim, as a share of a single part's radius.
const DEPTH_SHARE: f32 = 0.5;
/// Two middles are at least so far apart, as a share of a single part's radius.
const APART_SHARE: f32 = 1.2;

/// Splits blobs; keeps its memory from frame to frame.
#[derive(Default)]
pub struct Splitter {
    depth: Vec<u32>,
    deep: Vec<(u32, usize)>,
    middles: Vec<(u32, usize, usize)>,
}

impl Splitter {
    /// Splits `blob`, whose cells are `cells` (indices into a grid of `width` columns), into
    /// parts of about `cells_single` cells, and adds them to `out`; the blob itself when it has
    /// but one middle.
    pub fn split(
        &mut self,
        blob: &Blob,
        cells: &[usize],
        width: usize,
        cells_single: f32,
        out: &mut Vec<Blob>,
    ) {
        let radius = (cells_single / std::f32::consts::PI).sqrt();
        self.measure_depth(blob, cells, width);
        self.find_middles(blob, radius);
        if self.middles.len() < 2 {
            out.push(blob.clone());
            return;
        }
        let empty = Blob { x0: usize::MAX, y0: usize::MAX, x1: 0, y1: 0, cells: 0 };
        let before = out.len();
        out.resize(before + self.middles.len(), empty);
        let parts = &mut out[before..];
        for &cell in cells {
            let (x, y) = (cell % width, cell / width);
            let nearest = (0..parts.len()).min_by_key(|&i| {
                let (_, mx, my) = self.middles[i];
                distance_squared((x, y), (mx, my))
            });
            if let Some(part) = nearest.map(|i| &mut parts[i]) {
                part.cells += 1;
                (part.x0, part.x1) = (part.x0.min(x), part.x1.max(x + 1));
                (part.y0, part.y1) = (part.y0.min(y), part.y1.max(y + 1));
            }
        }
        out.retain(|part| part.cells > 0);
    }

    /// The 3-4 chamfer distance to the nearest cell outside, for every cell of the blob's box and
    /// a rim of one around it (Borgefors 1986).
    fn measure_depth(&mut self, blob: &Blob, cells: &[usize], width: usize) {
        let (w, h) = (blob.x1 - blob.x0 + 2, blob.y1 - blob.y0 + 2);
        self.depth.clear();
        self.depth.resize(w * h, 0);
        for &cell in cells {
            let (x, y) = (cell % width - blob.x0 + 1, cell / width - blob.y0 + 1);
            self.depth[y * w + x] = u32::MAX / 2;
        }
        let forward = [(w + 1, DIAGONAL), (w, ACROSS), (w - 1, DIAGONAL), (1, ACROSS)];
        for at in w + 1..w * h {
            let near = forward.iter().map(|(back, step)| self.depth[at - back] + step).min();
            self.depth[at] = self.depth[at].min(near.unwrap_or(0));
        }
        for at in (0..w * h - w - 1).rev() {
            let near = forward.iter().map(|(ahead, step)| self.depth[at + ahead] + step).min();
            self.depth[at] = self.depth[at].min(near.unwrap_or(0));
        }
    }

    /// The deepest cells, deepest first, each far enough from those before it.
    #[expect(clippy::cast_precision_loss, reason = "a grid is a few hundred cells wide")]
    fn find_middles(&mut self, blob: &Blob, radius: f32) {
        let w = blob.x1 - blob.x0 + 2;
        let place = |at: usize| (at % w + blob.x0 - 1, at / w + blob.y0 - 1);
        let deep_enough = DEPTH_SHARE * radius * ACROSS as f32;
        let is_deep = |(depth, _): &(u32, usize)| *depth as f32 >= deep_enough;
        self.deep.clear();
        self.deep.extend(self.depth.iter().copied().zip(0..).filter(is_deep));
        // Ties by place, so that the same picture is always split alike.
        self.deep.sort_unstable_by_key(|&(depth, at)| (std::cmp::Reverse(depth), at));
        self.middles.clear();
        for &(depth, at) in &self.deep {
            let (x, y) = place(at);
            let clear = self.middles.iter().all(|&(_, mx, my)| {
                distance_squared((x, y), (mx, my)) as f32 >= (APART_SHARE * radius).powi(2)
            });
            if clear {
                self.middles.push((depth, x, y));
            }
        }
    }
}

const fn distance_squared(a: (usize, usize), b: (usize, usize)) -> usize {
    a.0.abs_diff(b.0).pow(2) + a.1.abs_diff(b.1).pow(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::blobs::BlobFinder;

    /// Discs of radius 10 around `middles` on a grid of 100 x 60.
    fn split(middles: &[(usize, usize)]) -> Vec<Blob> {
        let inside = |at: usize| {
            let place = (at % 100, at / 100);
            middles.iter().any(|&middle| distance_squared(place, middle) <= 100)
        };
        let bits: Vec<bool> = (0..6000).map(inside).collect();
        BlobFinder::default()
            .find(&bits, 100, 10, None)
            .iter()
            .flat_map(|blob| {
                let cells: Vec<usize> = (0..6000).filter(|&at| bits[at]).collect();
                let mut parts = Vec::new();
                Splitter::default().split(blob, &cells, 100, 314.0, &mut parts);
                parts
            })
            .collect()
    }

    #[test]
    fn discs_that_touch_are_told_apart() {
        assert_eq!(split(&[(20, 20)]).len(), 1);
        assert_eq!(split(&[(20, 20), (38, 20)]).len(), 2);
        let three = split(&[(20, 20), (38, 22), (52, 35)]);
        assert_eq!(three.len(), 3, "{three:?}");
    }

    #[test]
    fn no_cell_is_lost_or_given_twice() {
        let parts = split(&[(20, 20), (38, 22), (56, 20)]);
        let all: usize = parts.iter().map(|part| part.cells).sum();
        let discs = (0..6000).filter(|at| {
            let place = (at % 100, at / 100);
            [(20, 20), (38, 22), (56, 20)].iter().any(|&m| distance_squared(place, m) <= 100)
        });
        assert_eq!(all, discs.count());
    }
}
