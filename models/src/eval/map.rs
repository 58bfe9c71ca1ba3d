//! Where a model sees a defect, in floats: takes a grid of probabilities, gives one a pixel.

use domain::SizePx;

/// The highest defect probability of each cell of a grid, as the network gave it: the heatmap of a
/// finding has too few levels to be measured by.
#[derive(Clone, Debug, PartialEq)]
pub struct DefectMap {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row-major.
    pub values: Vec<f32>,
    /// Where the left border of the first column lies, in pixels of the frame, and how many of
    /// them a column takes.
    pub across: (f64, f64),
    /// The same of rows.
    pub down: (f64, f64),
}

impl DefectMap {
    /// The probability at the middle of each pixel of a frame of `size`, row-major: bilinear
    /// between the middles of cells, the outermost going on beyond the grid.
    #[must_use]
    pub fn pixels(&self, size: SizePx) -> Vec<f32> {
        let columns: Vec<_> = taps(size.width, self.width, self.across);
        let mut pixels = Vec::with_capacity(columns.len() * size.height as usize);
        for (top, bottom, lower) in taps(size.height, self.height, self.down) {
            let upper = &self.values[top * self.width..][..self.width];
            let under = &self.values[bottom * self.width..][..self.width];
            pixels.extend(columns.iter().map(|&(left, right, share)| {
                let above = upper[left] + (upper[right] - upper[left]) * share;
                let below = under[left] + (under[right] - under[left]) * share;
                above + (below - above) * lower
            }));
        }
        pixels
    }
}

/// For each of `pixels`: the two cells of `cells` that its middle lies between, and how much the
/// second counts.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped to the cells of a grid, which are few"
)]
fn taps(pixels: u32, cells: usize, (start, size): (f64, f64)) -> Vec<(usize, usize, f32)> {
    let last = cells.saturating_sub(1);
    let tap = |pixel: u32| {
        let at = ((f64::from(pixel) + 0.5 - start) / size - 0.5).clamp(0.0, last as f64);
        let first = at.floor() as usize;
        (first, (first + 1).min(last), (at - at.floor()) as f32)
    };
    (0..pixels).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_lie_between_the_middles_of_cells() {
        let values = vec![0.0, 1.0];
        let map = DefectMap { width: 2, height: 1, values, across: (0.0, 4.0), down: (0.0, 2.0) };
        let pixels = map.pixels(SizePx::new(8, 2));
        let row = [0.0, 0.0, 0.125, 0.375, 0.625, 0.875, 1.0, 1.0];
        assert_eq!(pixels, [row, row].concat());
    }

    #[test]
    fn the_border_of_a_letterbox_is_no_pixel() {
        // Three columns of four pixels; the frame begins with the second.
        let values = vec![1.0, 0.25, 0.75];
        let map = DefectMap { width: 3, height: 1, values, across: (-4.0, 4.0), down: (0.0, 1.0) };
        let pixels = map.pixels(SizePx::new(6, 1));
        assert_eq!(pixels, [0.53125, 0.34375, 0.3125, 0.4375, 0.5625, 0.6875]);
    }
}
