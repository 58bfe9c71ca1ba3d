//! A thin sample of a frame: few enough cells that a 4K frame costs about a millisecond.
//!
//! Takes a frame's region; gives one luma value a cell, and two of chroma when asked. Each cell
//! is the mean of four pixels in one row, so that sensor noise is halved while only one row in
//! `step` is touched.

use domain::recipe::DifferIn;
use domain::{PixelFormat, Pixels, Plane, RectPx};

/// Where the cells lie in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The region of the frame that is looked at.
    pub region: RectPx,
    /// Pixels from one cell to the next, both ways.
    pub step_px: u32,
    /// Columns of cells.
    pub width: usize,
    /// Rows of cells.
    pub height: usize,
}

impl Grid {
    /// The finest grid over `region` with at most `cells_max` cells.
    #[must_use]
    pub fn new(region: RectPx, cells_max: u64) -> Self {
        let mut step_px = 1;
        while (u64::from(region.width / step_px) * u64::from(region.height / step_px)) > cells_max {
            step_px += 1;
        }
        let cells = |px: u32| (px / step_px).max(1) as usize;
        Self { region, step_px, width: cells(region.width), height: cells(region.height) }
    }

    /// Number of cells.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.width * self.height
    }

    /// Whether there is no cell; there always is one.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels of the frame a cell stands for.
    #[must_use]
    pub fn cell_area_px(&self) -> u64 {
        u64::from(self.step_px) * u64::from(self.step_px)
    }
}

/// The cells of one frame, row-major.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thin {
    /// Brightness, 0..=255; empty when only colour was asked for.
    pub luma: Vec<u8>,
    /// Blue and red difference around 128; empty unless colour was asked for and the format
    /// has any.
    pub chroma: [Vec<u8>; 2],
}

impl Thin {
    /// Samples `pixels` on `grid`, reusing the memory of `self`.
    pub fn sample(&mut self, pixels: &dyn Pixels, grid: &Grid, what: DifferIn) {
        self.luma.clear();
        self.chroma.iter_mut().for_each(Vec::clear);
        let luma = pixels.plane(0);
        let middle = grid.step_px / 2;
        for row in 0..grid.height {
            let y = grid.region.y as usize + row * grid.step_px as usize + middle as usize;
            // A region may be thinner than one step.
            let y = y.min(grid.region.bottom() as usize - 1);
            if what != DifferIn::Colour {
                sample_row(&mut self.luma, pixels.format(), &luma, y, grid);
            }
            if what != DifferIn::Brightness {
                self.sample_chroma(pixels, &luma, y, grid);
            }
        }
    }

    fn sample_chroma(&mut self, pixels: &dyn Pixels, luma: &Plane<'_>, y: usize, grid: &Grid) {
        let xs = cell_middles(grid);
        let [blue, red] = &mut self.chroma;
        match pixels.format() {
            PixelFormat::Nv12 => {
                let row = pixels.plane(1).row(y / 2);
                blue.extend(xs.clone().map(|x| row[x / 2 * 2]));
                red.extend(xs.map(|x| row[x / 2 * 2 + 1]));
            }
            PixelFormat::I420 => {
                let rows = [pixels.plane(1), pixels.plane(2)].map(|plane| plane.row(y / 2));
                blue.extend(xs.clone().map(|x| rows[0][x / 2]));
                red.extend(xs.map(|x| rows[1][x / 2]));
            }
            PixelFormat::Rgb8 => {
                let row = luma.row(y);
                blue.extend(xs.clone().map(|x| difference(row[3 * x + 2], row[3 * x + 1])));
                red.extend(xs.map(|x| difference(row[3 * x], row[3 * x + 1])));
            }
            PixelFormat::Bgr8 => {
                let row = luma.row(y);
                blue.extend(xs.clone().map(|x| difference(row[3 * x], row[3 * x + 1])));
                red.extend(xs.map(|x| difference(row[3 * x + 2], row[3 * x + 1])));
            }
            _ => {}
        }
    }
}

/// Half of `a - b`, around 128.
fn difference(a: u8, b: u8) -> u8 {
    let shifted = 128 + (i16::from(a) - i16::from(b)) / 2;
    u8::try_from(shifted.clamp(0, 255)).unwrap_or(128)
}

fn cell_middles(grid: &Grid) -> impl Iterator<Item = usize> + Clone + use<> {
    let (x0, step) = (grid.region.x as usize, grid.step_px as usize);
    let last = grid.region.right() as usize - 1;
    (0..grid.width).map(move |column| (x0 + column * step + step / 2).min(last))
}

/// Four pixels of each cell, spread over its width; fewer when the cell is narrower.
fn sample_row(out: &mut Vec<u8>, format: PixelFormat, plane: &Plane<'_>, y: usize, grid: &Grid) {
    let (x0, step) = (grid.region.x as usize, grid.step_px as usize);
    let taps = [0, step / 4, step / 2, step * 3 / 4];
    let last = grid.region.right() as usize - 1;
    let at = |column: usize, value: &dyn Fn(usize) -> u32| {
        let start = x0 + column * step;
        let sum: u32 = taps.iter().map(|tap| value((start + tap).min(last))).sum();
        u8::try_from(sum / 4).unwrap_or(u8::MAX)
    };
    let row = plane.row(y);
    match format {
        PixelFormat::Gray8 | PixelFormat::Nv12 | PixelFormat::I420 => {
            // The common case, kept free of indirection and of checks: every tap is in its cell.
            let cells = row[x0..].chunks_exact(step).take(grid.width);
            let cut = (cells.len() < grid.width).then(|| &row[x0..]);
            out.extend(cells.map(|cell| mean(taps.map(|tap| cell[tap]))));
            // One that is narrower than a step: then it is the only one.
            out.extend(cut.map(|cell| mean(taps.map(|tap| cell[tap.min(cell.len() - 1)]))));
        }
        PixelFormat::Gray16Le => {
            out.extend((0..grid.width).map(|c| at(c, &|x| u32::from(row[2 * x + 1]))));
        }
        PixelFormat::Rgb8 | PixelFormat::Bgr8 => {
            // Green counts double: close to luma, and the same for both orders.
            out.extend((0..grid.width).map(|c| {
                at(c, &|x| {
                    let [a, g, b] = [row[3 * x], row[3 * x + 1], row[3 * x + 2]].map(u32::from);
                    (a + 2 * g + b) / 4
                })
            }));
        }
        _ => {
            // A Bayer quad holds one red, two green and one blue whatever its order.
            let y = (y & !1).min(plane.rows.saturating_sub(2));
            let (upper, lower) = (plane.row(y), plane.row((y + 1).min(plane.rows - 1)));
            out.extend((0..grid.width).map(|c| {
                at(c, &|x| {
                    let x = (x & !1).min(upper.len().saturating_sub(2));
                    let right = (x + 1).min(upper.len() - 1);
                    let quad = [upper[x], upper[right], lower[x], lower[right]];
                    quad.map(u32::from).iter().sum::<u32>() / 4
                })
            }));
        }
    }
}

fn mean(taps: [u8; 4]) -> u8 {
    let sum: u16 = taps.map(u16::from).iter().sum();
    u8::try_from(sum / 4).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{OwnedPixels, SizePx};
    use proptest::prelude::*;

    fn uniform(format: PixelFormat, size: SizePx, value: u8) -> OwnedPixels {
        let planes =
            format.planes(size).into_iter().map(|(row, rows)| vec![value; row * rows]).collect();
        OwnedPixels::new(format, size, planes).unwrap()
    }

    proptest! {
        #[test]
        fn every_format_and_odd_size_gives_every_cell(
            format in prop::sample::select(PixelFormat::ALL.to_vec()),
            (width, height) in (1_u32..70, 1_u32..70),
            cells_max in 1_u64..500,
        ) {
            let size = SizePx::new(width, height);
            let pixels = uniform(format, size, 77);
            let grid = Grid::new(size.rect(), cells_max);
            let mut thin = Thin::default();
            thin.sample(&pixels, &grid, DifferIn::Either);
            prop_assert_eq!(thin.luma.len(), grid.len());
            prop_assert!(thin.luma.iter().all(|&v| v == 77));
            let colour = matches!(format, PixelFormat::Nv12 | PixelFormat::I420
                | PixelFormat::Rgb8 | PixelFormat::Bgr8);
            for plane in &thin.chroma {
                prop_assert_eq!(plane.len(), if colour { grid.len() } else { 0 });
            }
        }
    }

    #[test]
    fn a_4k_frame_has_few_cells() {
        let grid = Grid::new(SizePx::new(3840, 2160).rect(), crate::limits::THIN_CELLS_MAX);
        assert_eq!((grid.step_px, grid.width, grid.height), (12, 320, 180));
    }

    #[test]
    fn a_region_thinner_than_a_step_is_sampled() {
        for size in [SizePx::new(68, 1), SizePx::new(1, 68), SizePx::new(1, 1)] {
            for format in PixelFormat::ALL {
                let grid = Grid::new(size.rect(), 1);
                let mut thin = Thin::default();
                thin.sample(&uniform(format, size, 9), &grid, DifferIn::Either);
                assert!(thin.luma.iter().all(|&v| v == 9) && thin.luma.len() == grid.len());
            }
        }
    }

    #[test]
    fn the_region_is_where_it_says() {
        let size = SizePx::new(40, 20);
        let mut data = vec![0; 800];
        (5..10).for_each(|y| data[y * 40 + 10..y * 40 + 20].fill(200));
        let pixels = OwnedPixels::new(PixelFormat::Gray8, size, vec![data]).unwrap();
        let grid = Grid::new(RectPx::new(10, 5, 10, 5), 50);
        let mut thin = Thin::default();
        thin.sample(&pixels, &grid, DifferIn::Brightness);
        assert!(thin.luma.iter().all(|&v| v == 200));
    }
}
