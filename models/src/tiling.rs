//! Tiles: takes a canvas larger than a network's input, gives it piece by piece, each piece with
//! its place. A canvas as large as the input is its own only piece.

use std::ops::Range;

use domain::Tensor;

use crate::manifest::InputSpec;

/// A piece of the canvas, as large as the network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Which from the left, and which from the top.
    pub column: usize,
    pub row: usize,
    /// Its left and top edge, in pixels of the canvas.
    pub x: usize,
    pub y: usize,
}

/// How a canvas is shown to a network. Keeps the memory of what it cuts.
#[derive(Debug)]
pub(crate) struct Tiles {
    /// Row by row.
    places: Vec<Tile>,
    /// What is fed at once: every tile, or one; `None` when that is the canvas itself.
    cut: Option<Tensor>,
}

impl Tiles {
    /// The tiles of `input`'s canvas, all of them at once where the network takes as many
    /// pictures as one likes.
    pub fn new(input: &InputSpec, takes_any_batch: bool) -> Self {
        let (columns, rows) = input.tiling.map_or((1, 1), |tiling| (tiling.columns, tiling.rows));
        let step = |side: u32| (side - input.tiling.map_or(0, |t| t.overlap_px)) as usize;
        let (step_x, step_y) = (step(input.width), step(input.height));
        let tile = |column, row| Tile { column, row, x: column * step_x, y: row * step_y };
        let places: Vec<_> = (0..rows as usize)
            .flat_map(|row| (0..columns as usize).map(move |column| tile(column, row)))
            .collect();
        let cut = (places.len() > 1).then(|| {
            let mut shape = input.network_shape();
            shape[0] = if takes_any_batch { places.len() } else { 1 };
            Tensor { shape, data: vec![0.0; shape.iter().product()], ..input.tensor() }
        });
        Self { places, cut }
    }

    /// All of them, row by row.
    pub fn places(&self) -> &[Tile] {
        &self.places
    }

    /// Which tiles are fed at once, in order.
    pub fn rounds(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let at_once = self.cut.as_ref().map_or(1, |cut| cut.shape[0]);
        (0..self.places.len()).step_by(at_once).map(move |first| first..first + at_once)
    }

    /// The tiles `round` of `canvas`, one after the other.
    pub fn cut<'a>(&'a mut self, canvas: &'a Tensor, round: Range<usize>) -> &'a Tensor {
        let Some(cut) = &mut self.cut else { return canvas };
        let [_, channels, height, width] = cut.shape;
        let [_, _, canvas_height, canvas_width] = canvas.shape;
        let mut rows = cut.data.chunks_exact_mut(width);
        for tile in &self.places[round] {
            for channel in 0..channels {
                let top = channel * canvas_height + tile.y;
                // As many rows are left as tiles have.
                for (y, row) in (top..top + height).zip(&mut rows) {
                    row.copy_from_slice(&canvas.data[y * canvas_width + tile.x..][..width]);
                }
            }
        }
        cut
    }
}

/// How grids of `cells` cells, each over a tile of `side` pixels, lie along a canvas of `count`
/// tiles that share `overlap` pixels: from one to the next so many cells, so many in all. `None`
/// when the tiles do not fall on whole cells.
pub(crate) fn step_and_cells(
    count: u32,
    side: u32,
    overlap: u32,
    cells: usize,
) -> Option<(usize, usize)> {
    if count == 1 {
        return Some((0, cells));
    }
    let (side, step) = (side as usize, (side - overlap) as usize * cells);
    step.is_multiple_of(side).then(|| (step / side, step / side * (count as usize - 1) + cells))
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "made-up numbers are small")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::manifest::{Manifest, Tiling};

    fn input(tiling: Option<Tiling>) -> InputSpec {
        let manifest = Manifest::from_text(crate::manifest::tests::TEXT).unwrap();
        InputSpec { width: 6, height: 4, tiling, ..manifest.input }
    }

    /// A canvas in which every number is its own place.
    fn canvas(input: &InputSpec) -> Tensor {
        let mut canvas = input.tensor();
        canvas.data.iter_mut().enumerate().for_each(|(i, value)| *value = i as f32);
        canvas
    }

    #[test]
    fn without_tiling_the_canvas_itself_is_fed() {
        let input = input(None);
        let canvas = canvas(&input);
        let mut tiles = Tiles::new(&input, true);
        assert!(tiles.rounds().eq(std::iter::once(0..1)));
        assert!(std::ptr::eq(tiles.cut(&canvas, 0..1), &raw const canvas));
    }

    #[test]
    fn neighbours_share_the_overlap() {
        let input = input(Some(Tiling { columns: 2, rows: 2, overlap_px: 1 }));
        assert_eq!((input.canvas().width, input.canvas().height), (11, 7));
        let canvas = canvas(&input);
        let mut tiles = Tiles::new(&input, false);
        assert_eq!(tiles.rounds().collect::<Vec<_>>(), [0..1, 1..2, 2..3, 3..4]);
        let last = tiles.cut(&canvas, 3..4);
        assert_eq!(last.shape, [1, 3, 4, 6]);
        // Its first pixel is column 5 of row 3; the last one the canvas's last.
        assert_eq!((last.data[0], last.data[71]), (38.0, 230.0));
    }

    #[test]
    fn cells_lie_along_the_canvas_or_not_at_all() {
        assert_eq!(step_and_cells(3, 64, 0, 8), Some((8, 24)));
        assert_eq!(step_and_cells(3, 64, 16, 8), Some((6, 20)));
        assert_eq!(step_and_cells(3, 64, 12, 8), None, "a cell is 8 pixels");
        assert_eq!(step_and_cells(1, 64, 12, 8), Some((0, 8)), "one tile has no neighbour");
        assert_eq!(step_and_cells(2, 64, 0, 7), Some((7, 14)), "no overlap, no matter");
        assert_eq!(step_and_cells(2, 32, 8, 64), Some((48, 112)), "finer than the picture");
    }

    proptest! {
        #[test]
        fn tiles_fed_at_once_are_those_fed_one_by_one(
            columns in 1_u32..4,
            rows in 1_u32..4,
            overlap_px in 0_u32..4,
        ) {
            let input = input(Some(Tiling { columns, rows, overlap_px }));
            let canvas = canvas(&input);
            let (mut all, mut single) = (Tiles::new(&input, true), Tiles::new(&input, false));
            let count = all.places().len();
            prop_assert_eq!(all.rounds().count(), 1);
            prop_assert_eq!(single.rounds().count(), count);
            let together = all.cut(&canvas, 0..count).data.clone();
            let one_by_one: Vec<f32> =
                single.rounds().flat_map(|round| single.cut(&canvas, round).data.clone()).collect();
            prop_assert_eq!(&together, &one_by_one);
            // Every pixel of the canvas is in some tile.
            let mut seen = vec![false; canvas.data.len()];
            for (i, _) in canvas.data.iter().enumerate() {
                seen[i] = together.contains(&(i as f32));
            }
            prop_assert!(seen.iter().all(|seen| *seen));
        }
    }
}
