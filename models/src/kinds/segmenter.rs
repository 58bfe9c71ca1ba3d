//! Networks that say of each cell of a grid what is there: takes a probability a label and cell,
//! gives the heatmap and one defect for each group of cells that touch.

use domain::FindingFault;

use super::grid::{self, Grid};
use super::{Look, Reader, Reading, Said, highest};
use crate::session::Raw;
use crate::tiling::Tile;

pub(super) fn take(
    reader: &mut Reader,
    raws: &mut [Raw],
    tiles: &[Tile],
    look: &Look,
) -> Result<(), FindingFault> {
    let (raw, labels) = (&mut raws[0], reader.labels.len());
    let numbers = raw.values.len() / tiles.len();
    raw.values.chunks_exact_mut(numbers).try_for_each(|tile| reader.activate(labels, tile))?;
    grid::join(&mut reader.said.grid, raw, tiles, &reader.input, look)
}

pub(super) fn read(reader: &mut Reader, look: &Look) -> Result<Reading, FindingFault> {
    let (bad, Said { grid, cells, heat, seen, .. }) = (reader.bad_labels(), &mut reader.said);
    let grid = Grid::new(reader.input.canvas(), grid, look);
    let highest = |channel| grid.rows(channel).map(highest).fold(0.0, f32::max);
    let classes = (0..reader.labels.len()).map(highest).collect();
    let mut defects = Vec::new();
    heat.clear();
    for channel in bad {
        cells.clear();
        grid.rows(channel).for_each(|row| cells.extend_from_slice(row));
        heat.resize(cells.len(), 0.0);
        heat.iter_mut().zip(&*cells).for_each(|(heat, cell)| *heat = heat.max(*cell));
        defects.extend(grid.defects(&reader.labels[channel], cells, &reader.output, seen)?);
    }
    Ok(Reading { classes, defects, heatmap: Some(grid.heatmap(heat)) })
}

#[cfg(test)]
mod tests {
    use domain::{Finding, Placement, RectPx};
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
