//! Patches of foreground: takes one bit a cell, gives the patches that hang together.

use std::ops::Range;

use super::background::count;
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
    /// Runs of cells in one row that belong to the blob and whose neighbours wait to be looked at.
    runs: Vec<Range<usize>>,
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
        self.runs.clear();
        self.runs.reserve(bits.len());
        self.members.clear();
        self.members.reserve(bits.len());
        self.blobs.clear();
        self.blobs.reserve(limits::TRACKS_MAX);
        let mut seen = 0;
        while let Some(start) = next_set(&self.closed, seen) {
            seen = start + 1;
            let blob = self.flood(bits, start, width);
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
        &self.blobs
    }

    /// A cell is set when it was, or when it lies between two that were, across or down. Unlike
    /// dilate-then-erode it never bridges two parts a cell apart at their rims
    /// more than it must, and needs one pass.
    fn close(&mut self, bits: &[bool], width: usize, height: usize) {
        self.closed.clear();
        self.closed.extend_from_slice(bits);
        let inner = 1..width.saturating_sub(1).max(1);
        for y in 1..height.saturating_sub(1) {
            let row = |y: usize| &bits[y * width..(y + 1) * width];
            let (above, here, below) = (row(y - 1), row(y), row(y + 1));
            let across = here.iter().zip(here.iter().skip(2));
            let down = above[inner.clone()].iter().zip(&below[inner.clone()]);
            let closed = &mut self.closed[y * width..][inner.clone()];
            for ((closed, (left, right)), (above, below)) in closed.iter_mut().zip(across).zip(down)
            {
                *closed |= (left & right) | (above & below);
            }
        }
    }

    /// Clears the blob that holds `start` from `closed` and measures it. Only cells that were
    /// foreground themselves are counted; `bits` is left as it is.
    fn flood(&mut self, bits: &[bool], start: usize, width: usize) -> Blob {
        let mut blob = Blob { x0: usize::MAX, y0: usize::MAX, x1: 0, y1: 0, cells: 0 };
        self.members.clear();
        let x = start % width;
        self.take_runs(start - x, x..x + 1, width);
        while let Some(run) = self.runs.pop() {
            let y = run.start / width;
            let row = y * width;
            let (x0, x1) = (run.start - row, run.end - row);
            (blob.x0, blob.x1) = (blob.x0.min(x0), blob.x1.max(x1));
            (blob.y0, blob.y1) = (blob.y0.min(y), blob.y1.max(y + 1));
            blob.cells += count(&bits[run.clone()]);
            self.members.extend(run);
            let near = x0.saturating_sub(1)..(x1 + 1).min(width);
            if y > 0 {
                self.take_runs(row - width, near.clone(), width);
            }
            if row + 2 * width <= bits.len() {
                self.take_runs(row + width, near, width);
            }
        }
        blob
    }

    /// Moves the runs of the row from cell `row` on that have a cell in `columns` from `closed` to
    /// `runs`.
    fn take_runs(&mut self, row: usize, columns: Range<usize>, width: usize) {
        let cells = &mut self.closed[row..row + width];
        let mut x = columns.start;
        while x < columns.end {
            if !cells[x] {
                x += 1;
                continue;
            }
            let start = cells[..x].iter().rposition(|set| !set).map_or(0, |clear| clear + 1);
            let end = cells[x..].iter().position(|set| !set).map_or(width, |clear| x + clear);
            cells[start..end].fill(false);
            self.runs.push(row + start..row + end);
            x = end + 1;
        }
    }
}

/// The first set bit from `from` on. Most of a belt is empty, so it is looked at in chunks.
fn next_set(bits: &[bool], from: usize) -> Option<usize> {
    const CHUNK: usize = 64;
    let any = |bits: &[bool]| bits.iter().fold(false, |any, bit| any | bit);
    let chunks = bits[from..].chunks(CHUNK).position(any)?;
    let start = from + chunks * CHUNK;
    bits[start..].iter().position(|bit| *bit).map(|at| start + at)
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

    /// As [`BlobFinder::find`] does it, cell by cell.
    fn cell_by_cell(bits: &[bool], width: usize) -> Vec<Blob> {
        let height = bits.len() / width;
        let is_set = |x: usize, y: usize| bits[y * width + x];
        let is_inner = |x, y| x > 0 && y > 0 && x + 1 < width && y + 1 < height;
        let gap = |x: usize, y: usize| {
            (is_set(x - 1, y) && is_set(x + 1, y)) || (is_set(x, y - 1) && is_set(x, y + 1))
        };
        let places = || (0..bits.len()).map(|at| (at % width, at / width));
        let closed = |&(x, y): &_| is_set(x, y) || (is_inner(x, y) && gap(x, y));
        let mut open: Vec<(usize, usize)> = places().filter(closed).collect();
        let mut blobs = Vec::new();
        while !open.is_empty() {
            let mut group = vec![open.remove(0)];
            let mut next = 0;
            while let Some(&(x, y)) = group.get(next) {
                let near =
                    |&mut (a, b): &mut (usize, usize)| a.abs_diff(x) < 2 && b.abs_diff(y) < 2;
                group.extend(open.extract_if(.., near));
                next += 1;
            }
            blobs.push(Blob {
                x0: group.iter().map(|cell| cell.0).min().unwrap(),
                y0: group.iter().map(|cell| cell.1).min().unwrap(),
                x1: group.iter().map(|cell| cell.0 + 1).max().unwrap(),
                y1: group.iter().map(|cell| cell.1 + 1).max().unwrap(),
                cells: group.iter().filter(|(x, y)| is_set(*x, *y)).count(),
            });
        }
        blobs
    }

    proptest! {
        #[test]
        fn runs_of_cells_give_the_same_blobs_as_cells_do(
            bits in prop::collection::vec(prop::bool::weighted(0.35), 288),
            width in prop::sample::select(vec![1_usize, 2, 12, 72, 288]),
        ) {
            let mut finder = BlobFinder::default();
            prop_assert_eq!(finder.find(&bits, width, 0, None), cell_by_cell(&bits, width));
        }

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
