//! Grids of probabilities over a canvas: takes what tiles said cell by cell, gives the heatmap and
//! one defect for each group of cells that touch. Segmenters and anomaly maps share it.
//!
//! Cells that lie wholly in the border around a letterboxed crop are not looked at. Where tiles
//! overlap a cell's highest probability counts: what one tile's border cuts, its neighbour sees
//! whole, and a mean of the two would halve its score.

use std::ops::Range;
use std::sync::Arc;

use domain::{Defect, FindingFault, Heatmap, Mask, RectPx, SizePx};

use super::{Look, NEAR_PX, score_from, snapped};
use crate::manifest::{InputSpec, OutputSpec};
use crate::session::Raw;
use crate::tiling::{Tile, step_and_cells};

/// Puts the grids of `tiles`, which are in `raw` as `[tiles, channels, rows, columns]`, into the
/// canvas's, which is `[1, channels, rows, columns]` and empty before the first.
pub(super) fn join(
    canvas: &mut Raw,
    raw: &mut Raw,
    tiles: &[Tile],
    input: &InputSpec,
    look: &Look,
) -> Result<(), FindingFault> {
    let Some(tiling) = input.tiling else {
        std::mem::swap(canvas, raw);
        return Ok(());
    };
    let &[_, channels, rows, columns] = raw.shape.as_slice() else { return Ok(()) };
    let along = |count, side, cells| step_and_cells(count, side, tiling.overlap_px, cells);
    let (Some((step_x, width)), Some((step_y, height))) =
        (along(tiling.columns, input.width, columns), along(tiling.rows, input.height, rows))
    else {
        let message = format!("its grid of {columns} x {rows} cells does not fit the tiles");
        return Err(FindingFault::Runtime { message });
    };
    let shape = [1, channels, height, width];
    if canvas.shape.is_empty() {
        canvas.shape.extend(shape);
        canvas.values.clear();
        canvas.values.resize(shape.iter().product(), 0.0);
    } else if canvas.shape != shape {
        let message = format!("its grids differ: one is of {columns} x {rows} cells");
        return Err(FindingFault::Runtime { message });
    }
    let lines = raw.values.chunks_exact(channels * rows * columns);
    for (tile, grid) in tiles.iter().zip(lines).filter(|(tile, _)| look.shows(tile)) {
        for (line, cells) in grid.chunks_exact(columns).enumerate() {
            let (channel, y) = (line / rows, line % rows + tile.row * step_y);
            let start = (channel * height + y) * width + tile.column * step_x;
            let said = &mut canvas.values[start..][..columns];
            said.iter_mut().zip(cells).for_each(|(said, cell)| *said = said.max(*cell));
        }
    }
    Ok(())
}

/// The part of the output's grid that shows the crop.
pub(super) struct Grid<'a> {
    raw: &'a Raw,
    look: &'a Look,
    across: Cells,
    down: Cells,
}

/// One direction of the grid.
struct Cells {
    /// Of all cells, those that show some of the crop.
    shown: Range<usize>,
    /// Where each of them begins and ends in the frame, cut at the crop; one more than cells.
    edges: Vec<f64>,
}

impl Cells {
    /// `count` cells over `canvas` pixels, laid so that `canvas = (frame - offset) * scale`, of
    /// which frame pixels `start..stop` show the crop.
    #[expect(clippy::cast_precision_loss, reason = "a grid's sides are small")]
    fn new(count: usize, canvas: u32, (offset, scale): (f32, f32), start: u32, stop: u32) -> Self {
        let (start, stop) = (f64::from(start), f64::from(stop));
        let size = f64::from(canvas) / count as f64 / f64::from(scale);
        let edge = |cell: usize| f64::from(offset) + cell as f64 * size;
        let shows = |cell: &usize| edge(cell + 1) > start + NEAR_PX && edge(*cell) < stop - NEAR_PX;
        let first = (0..count).find(shows).unwrap_or(0);
        let last = (first..count).rev().find(shows).unwrap_or(first);
        let cut = |cell| snapped(edge(cell)).clamp(start, stop);
        Self { shown: first..last + 1, edges: (first..=last + 1).map(cut).collect() }
    }

    fn length(&self, cell: usize) -> f64 {
        self.edges[cell + 1] - self.edges[cell]
    }

    /// The whole pixels of the frame that cells `first..=last` touch.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "edges are cut at the crop, which is in u32"
    )]
    fn pixels(&self, first: usize, last: usize) -> (u32, u32) {
        (self.edges[first].floor() as u32, self.edges[last + 1].ceil() as u32)
    }
}

impl<'a> Grid<'a> {
    /// Of what the tiles said, in `[1, channels, rows, columns]`, the part that shows the crop.
    pub fn new(canvas: SizePx, raw: &'a Raw, look: &'a Look) -> Self {
        let (crop, laid) = (look.crop, look.placement);
        let (rows, columns) = (raw.shape[2], raw.shape[3]);
        let across = (laid.offset_x_px, laid.scale_x);
        let down = (laid.offset_y_px, laid.scale_y);
        Self {
            raw,
            look,
            across: Cells::new(columns, canvas.width, across, crop.x, crop.right()),
            down: Cells::new(rows, canvas.height, down, crop.y, crop.bottom()),
        }
    }

    fn width(&self) -> usize {
        self.across.shown.len()
    }

    /// The probabilities of a channel, row by row.
    pub fn rows(&self, channel: usize) -> impl Iterator<Item = &[f32]> {
        let (rows, columns) = (self.raw.shape[2], self.raw.shape[3]);
        self.down.shown.clone().map(move |y| {
            let row = &self.raw.values[(channel * rows + y) * columns..][..columns];
            &row[self.across.shown.clone()]
        })
    }

    /// A defect of `label` for each group of `cells` that reach the threshold of `output`. `seen`
    /// is only memory.
    pub fn defects(
        &self,
        label: &Arc<str>,
        cells: &[f32],
        output: &OutputSpec,
        seen: &mut Vec<bool>,
    ) -> Result<Vec<Defect>, FindingFault> {
        blobs(cells, self.width(), output.pixel_threshold.unwrap_or(1.0), seen)
            .iter()
            .filter(|blob| blob.len() >= output.min_cells.unwrap_or(1) as usize)
            .map(|blob| self.defect(label, cells, blob))
            .collect()
    }

    /// The defect that covers the cells of `blob`, which is not empty.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an area within a crop, and cells of a grid"
    )]
    fn defect(
        &self,
        label: &Arc<str>,
        cells: &[f32],
        blob: &[usize],
    ) -> Result<Defect, FindingFault> {
        let width = self.width();
        let (mut left, mut right, mut top, mut bottom) = (width, 0, usize::MAX, 0);
        let (mut score, mut area) = (0.0_f32, 0.0);
        for &cell in blob {
            let (x, y) = (cell % width, cell / width);
            (left, right) = (left.min(x), right.max(x));
            (top, bottom) = (top.min(y), bottom.max(y));
            score = score.max(cells[cell]);
            area += self.across.length(x) * self.down.length(y);
        }
        let (x0, x1) = self.across.pixels(left, right);
        let (y0, y1) = self.down.pixels(top, bottom);
        let grid =
            RectPx::from_corners(left as u32, top as u32, right as u32 + 1, bottom as u32 + 1);
        let inside = (top..=bottom)
            .flat_map(|y| (left..=right).map(move |x| y * width + x))
            .map(|cell| blob.binary_search(&cell).is_ok());
        Ok(Defect {
            kind: Arc::clone(label),
            view: self.look.view,
            box_in_frame: RectPx::from_corners(x0, y0, x1, y1),
            area_px: (area.round() as u64).max(1),
            score: score_from(score)?,
            mask: Some(Mask::from_bits(grid, inside)),
            mm: None,
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cells of a grid, and probabilities times 255"
    )]
    pub fn heatmap(&self, heat: &[f32]) -> Heatmap {
        Heatmap {
            width: self.across.shown.len() as u32,
            height: self.down.shown.len() as u32,
            // They are not negative: a half more and cut off is rounded, without a call a cell.
            values: heat.iter().map(|heat| (heat * 255.0 + 0.5) as u8).collect(),
            covers: self.look.crop,
        }
    }
}

/// Groups of cells of at least `threshold` that touch, corners included; each in rising order,
/// the groups in the order of their first cells. `seen` is only memory.
fn blobs(cells: &[f32], width: usize, threshold: f32, seen: &mut Vec<bool>) -> Vec<Vec<usize>> {
    let height = cells.len() / width;
    seen.clear();
    seen.extend(cells.iter().map(|cell| *cell < threshold));
    let mut blobs = Vec::new();
    for start in 0..cells.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut blob = vec![start];
        let mut next = 0;
        while let Some(&cell) = blob.get(next) {
            next += 1;
            let (x, y) = (cell % width, cell / width);
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    if !std::mem::replace(&mut seen[y * width + x], true) {
                        blob.push(y * width + x);
                    }
                }
            }
        }
        blob.sort_unstable();
        blobs.push(blob);
    }
    blobs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn groups_share_no_cell_and_miss_none(
            cells in prop::collection::vec(prop_oneof![Just(0.0_f32), Just(1.0)], 1..120),
            width in 1_usize..12,
        ) {
            let cells = &cells[..cells.len() / width * width];
            let groups = blobs(cells, width, 0.5, &mut Vec::new());
            let mut all = groups.concat();
            all.sort_unstable();
            let wanted: Vec<_> = (0..cells.len()).filter(|i| cells[*i] >= 0.5).collect();
            prop_assert_eq!(all, wanted);
            let touch = |a: usize, b: usize| {
                (a % width).abs_diff(b % width) <= 1 && (a / width).abs_diff(b / width) <= 1
            };
            for (i, group) in groups.iter().enumerate() {
                for other in &groups[i + 1..] {
                    prop_assert!(!group.iter().any(|a| other.iter().any(|b| touch(*a, *b))));
                }
            }
        }
    }
}
