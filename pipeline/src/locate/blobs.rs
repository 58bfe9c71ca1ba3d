//! Patches of foreground: takes one bit a cell, gives the patches that hang together.

use super::split::Splitter;
use crate::limits;

/// A patch of foreground cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Blob {
    /// Leftmost column.
    pub x0: usize,
    /// Topmost row.
    pub y0: usize,
    /// Rightmost column, exclusive.
    pub x1: usize,
    /// Lowest row, exclusive.
    pub y1: usize,
    /// Number of cells.
    pub cells: usize,
}

impl Blob {
    /// Middle of the box, in cells.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a grid is a few hundred cells wide")]
    pub fn centre(&self) -> (f32, f32) {
        ((self.x0 + self.x1) as f32 / 2.0, (self.y0 + self.y1) as f32 / 2.0)
    }

    /// Whether the boxes share a cell.
    #[must_use]
    pub const fn meets(&self, other: &Self) -> bool {
        self.x0 < other.x1 && other.x0 < self.x1 && self.y0 < other.y1 && other.y0 < self.y1
    }
}

/// Finds blobs; keeps its memory from frame to frame.
#[derive(Default)]
pub struct BlobFinder {
    closed: Vec<bool>,
    stack: Vec<usize>,
    /// The cells of the blob that was flooded last.
    members: Vec<usize>,
    splitter: Splitter,
    blobs: Vec<Blob>,
}

/// How large one part is, in cells, when blobs that are larger are to be split.
#[derive(Clone, Copy, Debug)]
pub struct Single {
    /// More are several.
    pub cells_max: f32,
    /// What one usually has.
    pub cells: f32,
}

impl BlobFinder {
    /// Closes gaps of one cell in `bits` (`width` cells a row), then gives the 8-connected
    /// blobs of at least `cells_min` cells, in reading order of their first cell.
    /// With `single`, larger blobs are split into parts of that size.
    pub fn find(
        &mut self,
        bits: &[bool],
        width: usize,
        cells_min: usize,
        single: Option<Single>,
    ) -> &[Blob] {
        let height = bits.len() / width.max(1);
        self.close(bits, width, height);
        // No more than all cells ever wait or hang together.
        self.stack.clear();
        self.stack.reserve(bits.len());
        self.members.clear();
        self.members.reserve(bits.len());
        self.blobs.clear();
        self.blobs.reserve(limits::TRACKS_MAX);
        for start in 0..self.closed.len() {
            if self.closed[start] {
                let blob = self.flood(bits, start, width, height);
                if blob.cells < cells_min {
                    continue;
                }
                #[expect(clippy::cast_precision_loss, reason = "a grid has few cells")]
                match single.filter(|single| blob.cells as f32 > single.cells_max) {
                    Some(Single { cells, .. }) => {
                        let Self { splitter, members, blobs, .. } = self;
                        splitter.split(&blob, members, width, cells, blobs);
                    }
                    None => self.blobs.push(blob),
                }
            }
        }
        &self.blobs
    }

    /// A cell is set when it was, or when it lies between two that were, across or down. Unlike
    /// dilate-then-erode it never bridges two parts a cell apart at their rims
    /// more than it must, and needs one pass.
    fn close(&mut self, bits: &[bool], width: usize, height: usize) {
        self.closed.clear();
        self.closed.extend_from_slice(bits);
        for y in 1..height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let at = y * width + x;
                self.closed[at] = bits[at]
                    || (bits[at - 1] && bits[at + 1])
                    || (bits[at - width] && bits[at + width]);
            }
        }
    }

    /// Clears the blob that holds `start` from `closed` and measures it. Only cells that were
    /// foreground themselves are counted; `bits` is left as it is.
    fn flood(&mut self, bits: &[bool], start: usize, width: usize, height: usize) -> Blob {
        let mut blob = Blob { x0: usize::MAX, y0: usize::MAX, x1: 0, y1: 0, cells: 0 };
        self.members.clear();
        self.stack.push(start);
        self.closed[start] = false;
        while let Some(at) = self.stack.pop() {
            let (x, y) = (at % width, at / width);
            blob.cells += usize::from(bits[at]);
            self.members.push(at);
            (blob.x0, blob.x1) = (blob.x0.min(x), blob.x1.max(x + 1));
            (blob.y0, blob.y1) = (blob.y0.min(y), blob.y1.max(y + 1));
            for near_y in y.saturating_sub(1)..(y + 2).min(height) {
                for near_x in x.saturating_sub(1)..(x + 2).min(width) {
                    let near = near_y * width + near_x;
                    if self.closed[near] {
                        self.closed[near] = false;
                        self.stack.push(near);
                    }
                }
            }
        }
        blob
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(rows: &[&str], cells_min: usize) -> Vec<Blob> {
        let width = rows[0].len();
        let bits: Vec<bool> = rows.iter().flat_map(|row| row.bytes().map(|b| b == b'#')).collect();
        BlobFinder::default().find(&bits, width, cells_min, None).to_vec()
    }

    #[test]
    fn what_hangs_together_is_one() {
        let blobs = find(&["##....", "##....", "..#...", "......", ".....#"], 1);
        assert_eq!(blobs.len(), 2, "diagonal neighbours hang together: {blobs:?}");
        assert_eq!((blobs[0].x1, blobs[0].y1, blobs[0].cells), (3, 3, 5));
    }

    #[test]
    fn gaps_of_one_are_closed_and_specks_are_left_out() {
        let blobs = find(&["......", "##.##.", "##.##.", "......", "......"], 3);
        assert_eq!(blobs.len(), 1);
        assert_eq!(blobs[0].cells, 8);
        assert!(find(&["......", "..#...", "......"], 2).is_empty());
    }

    proptest! {
        #[test]
        fn no_cell_is_counted_twice_or_lost(
            bits in prop::collection::vec(any::<bool>(), 144),
            width in prop::sample::select(vec![12_usize, 16, 9]),
        ) {
            let all = bits.iter().filter(|b| **b).count();
            let mut finder = BlobFinder::default();
            let blobs = finder.find(&bits, width, 0, None);
            prop_assert_eq!(blobs.iter().map(|b| b.cells).sum::<usize>(), all);
        }
    }
}
