//! Where a network saw a defect, in floats: takes what the tiles said, gives the map that models
//! are measured by. The heatmap of a finding has 256 steps, too few for that.

use domain::Placement;

use super::Reader;
use crate::eval::DefectMap;

impl Reader {
    /// Where what was read last shows a defect, over the whole canvas, which was laid so; `None` of
    /// kinds that don't say where.
    #[expect(clippy::cast_precision_loss, reason = "a grid's sides are small")]
    pub fn map(&self, laid: Placement) -> Option<DefectMap> {
        let &[_, channels, height, width] = self.said.grid.shape.as_slice() else { return None };
        let mut values = vec![0.0_f32; width * height];
        let planes = self.said.grid.values.chunks_exact(width * height).take(channels);
        // The one channel of an anomaly map is the defects'.
        for (_, plane) in
            planes.enumerate().filter(|(channel, _)| channels == 1 || *channel != self.good)
        {
            values.iter_mut().zip(plane).for_each(|(value, cell)| *value = value.max(*cell));
        }
        let canvas = self.input.canvas();
        let side = |offset: f32, pixels: u32, cells: usize, scale: f32| {
            (offset.into(), f64::from(pixels) / cells as f64 / f64::from(scale))
        };
        Some(DefectMap {
            width,
            height,
            values,
            across: side(laid.offset_x_px, canvas.width, width, laid.scale_x),
            down: side(laid.offset_y_px, canvas.height, height, laid.scale_y),
        })
    }
}
