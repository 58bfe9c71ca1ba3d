//! Networks that say of each cell of a grid what is there: takes a probability a label and cell,
//! gives the heatmap and one defect for each group of cells that touch.
//!
//! Cells that lie wholly in the border around a letterboxed crop are not looked at.

use std::ops::Range;
use std::sync::Arc;

use domain::{Defect, FindingFault, Heatmap, Mask, RectPx};

use super::{Look, Reader, Reading, score_from};
use crate::session::Raw;

pub(super) fn read(reader: &Reader, raw: &Raw, look: Look) -> Result<Reading, FindingFault> {
    let grid = Grid::new(reader, raw, look);
    let classes =
        (0..reader.labels().len()).map(|channel| grid.cells(channel).fold(0.0, f32::max)).collect();
    let mut defects = Vec::new();
    let mut heat = vec![0.0_f32; grid.len()];
    for (channel, label) in reader.defect_labels() {
        let cells: Vec<f32> = grid.cells(channel).collect();
        heat.iter_mut().zip(&cells).for_each(|(heat, cell)| *heat = heat.max(*cell));
        for blob in blobs(&cells, grid.width(), reader.output.pixel_threshold.unwrap_or(1.0)) {
            if blob.len() >= reader.output.min_cells.unwrap_or(1) as usize {
                defects.push(grid.defect(label, &cells, &blob)?);
            }
        }
    }
    Ok(Reading { classes, defects, heatmap: Some(grid.heatmap(&heat)) })
}

/// The part of the output's grid that shows the crop.
struct Grid<'a> {
    raw: &'a Raw,
    look: Look,
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
    /// `count` cells over `input` pixels, laid so that `input = (frame - offset) * scale`, of
    /// which frame pixels `start..stop` show the crop.
    #[expect(clippy::cast_precision_loss, reason = "a grid's sides are small")]
    fn new(count: usize, input: f64, (offset, scale): (f32, f32), start: u32, stop: u32) -> Self {
        // The placement is in f32, so edges that should meet may miss each other by this much.
        const NEAR_PX: f64 = 0.01;
        let (start, stop) = (f64::from(start), f64::from(stop));
        let size = input / count as f64 / f64::from(scale);
        let edge = |cell: usize| f64::from(offset) + cell as f64 * size;
        let shows = |cell: &usize| edge(cell + 1) > start + NEAR_PX && edge(*cell) < stop - NEAR_PX;
        let first = (0..count).find(shows).unwrap_or(0);
        let last = (first..count).rev().find(shows).unwrap_or(first);
        let snapped = |cell| {
            let edge: f64 = edge(cell);
            let whole = edge.round();
            let edge = if (edge - whole).abs() < NEAR_PX { whole } else { edge };
            edge.clamp(start, stop)
        };
        Self { shown: first..last + 1, edges: (first..=last + 1).map(snapped).collect() }
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
    fn new(reader: &Reader, raw: &'a Raw, look: Look) -> Self {
        let (crop, laid) = (look.crop, look.placement);
        let (rows, columns) = (raw.shape[2], raw.shape[3]);
        let across = (laid.offset_x_px, laid.scale_x);
        let down = (laid.offset_y_px, laid.scale_y);
        Self {
            raw,
            look,
            across: Cells::new(columns, reader.input_width, across, crop.x, crop.right()),
            down: Cells::new(rows, reader.input_height, down, crop.y, crop.bottom()),
        }
    }

    fn width(&self) -> usize {
        self.across.shown.len()
    }

    fn len(&self) -> usize {
        self.across.shown.len() * self.down.shown.len()
    }

    /// The probabilities of a channel, row-major.
    fn cells(&self, channel: usize) -> impl Iterator<Item = f32> {
        let (rows, columns) = (self.raw.shape[2], self.raw.shape[3]);
        self.down.shown.clone().flat_map(move |y| {
            let row = &self.raw.values[(channel * rows + y) * columns..][..columns];
            row[self.across.shown.clone()].iter().copied()
        })
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
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cells of a grid, and probabilities times 255"
    )]
    fn heatmap(&self, heat: &[f32]) -> Heatmap {
        Heatmap {
            width: self.across.shown.len() as u32,
            height: self.down.shown.len() as u32,
            values: heat.iter().map(|heat| (heat * 255.0).round() as u8).collect(),
            covers: self.look.crop,
        }
    }
}

/// Groups of cells of at least `threshold` that touch, corners included; each in rising order,
/// the groups in the order of their first cells.
fn blobs(cells: &[f32], width: usize, threshold: f32) -> Vec<Vec<usize>> {
    let height = cells.len() / width;
    let mut seen: Vec<bool> = cells.iter().map(|cell| *cell < threshold).collect();
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
    use domain::{Finding, Placement};
    use proptest::prelude::*;

    use super::super::{Kind, tests};
    use super::*;
    use crate::manifest::Activation;

    /// What is found in a grid of scratches; input 64 x 32.
    fn find(scratch: &[[f32; 8]; 4], crop: RectPx, placement: Placement) -> Finding {
        let scratch = scratch.concat();
        let values = scratch.iter().map(|p| 1.0 - p).chain(scratch.iter().copied()).collect();
        let raw = Raw { shape: vec![1, 2, 4, 8], values };
        tests::reader(Kind::Segmenter, Activation::None)
            .read(&mut [raw], tests::look(crop, placement))
            .unwrap()
    }

    /// Threshold 0.3, groups of at least 2 cells, 8 pixels a cell.
    const TWO_THINGS: [[f32; 8]; 4] = [
        [0.9, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.4, 0.0, 0.0, 0.0, 0.0, 0.3, 0.7],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.29, 0.0],
        [0.0, 0.0, 0.0, 0.99, 0.0, 0.0, 0.0, 0.0],
    ];

    #[test]
    fn cells_that_touch_at_a_corner_are_one_defect_and_single_ones_are_dropped() {
        let crop = RectPx::new(0, 0, 64, 32);
        let finding = find(&TWO_THINGS, crop, tests::AS_IS);
        let [first, second] = finding.defects.as_slice() else { panic!("{:?}", finding.defects) };
        assert_eq!((first.score.get(), first.area_px), (0.9, 128));
        assert_eq!(first.box_in_frame, RectPx::new(0, 0, 16, 16));
        let mask = first.mask.as_ref().unwrap();
        assert_eq!(mask.area, RectPx::new(0, 0, 2, 2));
        assert_eq!(mask.bits().collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!((second.score.get(), second.area_px, second.view), (0.7, 128, 3));
        assert_eq!(second.box_in_frame, RectPx::new(48, 8, 16, 8));
        assert_eq!(finding.classes[1].score.get(), 0.99, "the label's score is of any cell");
        assert_eq!(finding.classes[0].score.get(), 1.0);
        let heatmap = finding.heatmap.unwrap();
        assert_eq!((heatmap.width, heatmap.height, heatmap.covers), (8, 4, crop));
        assert_eq!((heatmap.values[0], heatmap.values[27]), (230, 252));
    }

    #[test]
    fn boxes_and_areas_are_in_frame_pixels() {
        let crop = RectPx::new(1000, 500, 128, 64);
        let placement =
            Placement { offset_x_px: 1000.0, offset_y_px: 500.0, scale_x: 0.5, scale_y: 0.5 };
        let finding = find(&TWO_THINGS, crop, placement);
        assert_eq!(finding.defects[0].box_in_frame, RectPx::new(1000, 500, 32, 32));
        assert_eq!(finding.defects[0].area_px, 512);
    }

    #[test]
    fn the_border_of_a_letterbox_is_not_looked_at() {
        // A crop of 44 x 32 lies in input columns 10 to 54: cells 1 to 6 show some of it.
        let crop = RectPx::new(200, 100, 44, 32);
        let placement =
            Placement { offset_x_px: 190.0, offset_y_px: 100.0, scale_x: 1.0, scale_y: 1.0 };
        let mut grid = [[0.0; 8]; 4];
        (grid[0][0], grid[1][0], grid[3][7]) = (1.0, 1.0, 1.0);
        (grid[1][1], grid[2][1]) = (0.5, 0.6);
        let finding = find(&grid, crop, placement);
        let [defect] = finding.defects.as_slice() else { panic!("{:?}", finding.defects) };
        assert_eq!(defect.score.get(), 0.6);
        assert_eq!(defect.box_in_frame, RectPx::new(200, 108, 6, 16), "cut at the crop");
        assert_eq!(defect.area_px, 6 * 16);
        assert_eq!(defect.mask.as_ref().unwrap().area, RectPx::new(0, 1, 1, 2));
        assert_eq!(finding.classes[1].score.get(), 0.6);
        let heatmap = finding.heatmap.unwrap();
        assert_eq!((heatmap.width, heatmap.height, heatmap.covers), (6, 4, crop));
    }

    #[test]
    fn a_crop_thinner_than_a_cell_is_still_looked_at() {
        let crop = RectPx::new(7, 0, 1, 32);
        let placement =
            Placement { offset_x_px: -24.0, offset_y_px: 0.0, scale_x: 1.0, scale_y: 1.0 };
        let finding = find(&[[1.0; 8]; 4], crop, placement);
        let heatmap = finding.heatmap.unwrap();
        assert_eq!((heatmap.width, heatmap.height), (1, 4));
        assert_eq!(finding.defects[0].box_in_frame, crop);
    }

    #[test]
    fn nothing_found_is_a_finding() {
        let finding = find(&[[0.0; 8]; 4], RectPx::new(0, 0, 64, 32), tests::AS_IS);
        assert!(finding.defects.is_empty());
        assert_eq!(finding.heatmap.unwrap().values, [0; 32]);
    }

    proptest! {
        #[test]
        fn groups_share_no_cell_and_miss_none(
            cells in prop::collection::vec(prop_oneof![Just(0.0_f32), Just(1.0)], 1..120),
            width in 1_usize..12,
        ) {
            let cells = &cells[..cells.len() / width * width];
            let groups = blobs(cells, width, 0.5);
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

        #[test]
        fn boxes_lie_in_the_crop(
            (x, y, width, height) in (0_u32..4000, 0_u32..2000, 1_u32..900, 1_u32..900),
            (pad_x, pad_y) in (0.0_f32..20.0, 0.0_f32..10.0),
        ) {
            let crop = RectPx::new(x, y, width, height);
            let scale_x = (64.0 - 2.0 * pad_x) / width as f32;
            let scale_y = (32.0 - 2.0 * pad_y) / height as f32;
            let placement = Placement {
                offset_x_px: x as f32 - pad_x / scale_x,
                offset_y_px: y as f32 - pad_y / scale_y,
                scale_x,
                scale_y,
            };
            let finding = find(&[[1.0; 8]; 4], crop, placement);
            prop_assert_eq!(finding.defects.len(), 1);
            prop_assert_eq!(finding.defects[0].box_in_frame, crop);
            prop_assert_eq!(finding.defects[0].area_px, crop.area());
        }
    }
}
