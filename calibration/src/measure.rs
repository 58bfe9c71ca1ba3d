//! Defects on the belt: takes a finding in corrected pixels, gives it measured in millimetres and
//! laid back onto the camera's picture, where people look at it.

use domain::{Defect, DefectMm, Finding, Heatmap, Mask, RectPx};

use crate::correct::{Calibration, Laid};
use crate::scale::Plane;
use crate::target::{Mm, Px};

impl Calibration {
    /// Measures the defects of `finding`, which was made of the crop that `laid` describes, and
    /// lays it back onto the camera's picture.
    pub fn measure(&self, finding: &mut Finding, laid: &Laid) {
        let Finding { defects, heatmap, .. } = finding;
        let grid = heatmap.as_ref().map(|heatmap| Grid::of(heatmap));
        for defect in defects.iter_mut() {
            if let Some(plane) = self.plane() {
                let (outline, cell_px) = outline(defect, grid, laid);
                let area_px = defect.area_px;
                defect.mm = measured(&outline, cell_px, area_px, plane);
            }
        }
        if self.changes_pixels() || laid.pose.is_some() {
            self.lay_back(defects, heatmap.as_mut(), laid);
        }
    }

    fn lay_back(&self, defects: &mut [Defect], heatmap: Option<&mut Heatmap>, laid: &Laid) {
        for defect in &mut *defects {
            defect.box_in_frame = self.box_in_frame(defect.box_in_frame, laid);
        }
        let Some(heatmap) = heatmap else { return };
        let (grid, from) = (Grid::of(heatmap), self.cells_from(heatmap, laid));
        for mask in defects.iter_mut().filter_map(|defect| defect.mask.as_mut()) {
            *mask = laid_mask(mask, &from, grid);
        }
        let values = from.iter().map(|cell| cell.map_or(0, |cell| heatmap.values[cell]));
        heatmap.values = values.collect();
        heatmap.covers = laid.crop;
    }

    /// The upright box around what `corrected`, a box in the camera's pixels but of the corrected
    /// crop, shows; within the picture.
    fn box_in_frame(&self, corrected: RectPx, laid: &Laid) -> RectPx {
        let corners = corners(corrected, laid).map(|at| self.frame_of(at, laid));
        let size = self.size();
        let ends = |of: fn(&Px) -> f64, pixels: u32| {
            let low = corners.iter().map(of).fold(f64::MAX, f64::min).floor();
            let high = corners.iter().map(of).fold(f64::MIN, f64::max).ceil();
            let last = f64::from(pixels);
            (clamped(low, last - 1.0), clamped(high, last))
        };
        let (left, right) = ends(|at| at.x + 0.5, size.width);
        let (top, bottom) = ends(|at| at.y + 0.5, size.height);
        RectPx::from_corners(left, top, right.max(left + 1), bottom.max(top + 1))
    }

    fn frame_of(&self, at: Px, laid: &Laid) -> Px {
        laid.frame_px(at, self)
    }

    /// For each cell of a grid over the camera's crop, the cell of the corrected one that shows it.
    fn cells_from(&self, heatmap: &Heatmap, laid: &Laid) -> Vec<Option<usize>> {
        let grid = Grid::of(heatmap);
        let (across, down) = grid.cell_px(laid.crop);
        let cells = (0..heatmap.height).flat_map(|y| (0..heatmap.width).map(move |x| (x, y)));
        cells
            .map(|(x, y)| {
                let at = Px::new(
                    f64::from(laid.crop.x) + (f64::from(x) + 0.5) * across - 0.5,
                    f64::from(laid.crop.y) + (f64::from(y) + 0.5) * down - 0.5,
                );
                let from = laid.corrected_px(at, self);
                let column = ((from.x + 0.5) / across).floor();
                let row = ((from.y + 0.5) / down).floor();
                let inside = (0.0..f64::from(grid.width)).contains(&column)
                    && (0.0..f64::from(grid.height)).contains(&row);
                inside.then(|| (clamped(row, row) * grid.width + clamped(column, column)) as usize)
            })
            .collect()
    }
}

/// A grid of cells over a crop.
#[derive(Clone, Copy)]
struct Grid {
    width: u32,
    height: u32,
}

impl Grid {
    const fn of(heatmap: &Heatmap) -> Self {
        Self { width: heatmap.width, height: heatmap.height }
    }

    /// Pixels a cell, across and down.
    fn cell_px(self, crop: RectPx) -> (f64, f64) {
        (
            f64::from(crop.width) / f64::from(self.width.max(1)),
            f64::from(crop.height) / f64::from(self.height.max(1)),
        )
    }
}

/// A box's corners, counted from the crop's first pixel.
fn corners(of: RectPx, laid: &Laid) -> [Px; 4] {
    let x = |edge: u32| f64::from(edge) - f64::from(laid.crop.x) - 0.5;
    let y = |edge: u32| f64::from(edge) - f64::from(laid.crop.y) - 0.5;
    let (left, right, top, bottom) = (x(of.x), x(of.right()), y(of.y), y(of.bottom()));
    [Px::new(left, top), Px::new(right, top), Px::new(right, bottom), Px::new(left, bottom)]
}

/// Where a defect ends, in straight pixels, and how coarsely that is known: of its mask the
/// corners of each row's first and last cell, of a box its corners.
fn outline(defect: &Defect, grid: Option<Grid>, laid: &Laid) -> (Vec<Px>, f64) {
    let straight = |at: Px| laid.straight_px(at);
    let Some((mask, grid)) = defect.mask.as_ref().zip(grid) else {
        return (corners(defect.box_in_frame, laid).map(straight).to_vec(), 1.0);
    };
    let (across, down) = grid.cell_px(laid.crop);
    let width = mask.area.width as usize;
    let bits: Vec<bool> = mask.bits().collect();
    let mut outline = Vec::new();
    for (y, row) in (mask.area.y..).zip(bits.chunks(width.max(1))) {
        let ends = row.iter().position(|bit| *bit).zip(row.iter().rposition(|bit| *bit));
        let Some((first, last)) = ends else { continue };
        let x = |cell: usize| (f64::from(mask.area.x) + cell as f64) * across - 0.5;
        for y in [y, y + 1] {
            let y = f64::from(y) * down - 0.5;
            outline.extend([Px::new(x(first), y), Px::new(x(last + 1), y)].map(straight));
        }
    }
    (outline, across.max(down))
}

/// The size of what has this outline; `None` of nothing, or where the plane has no such place.
fn measured(outline: &[Px], cell_px: f64, area_px: u64, plane: &Plane) -> Option<DefectMm> {
    let hull = hull(outline);
    let pairs = hull.iter().enumerate().flat_map(|(i, a)| hull[i..].iter().map(move |b| (*a, *b)));
    let mm = |px: Px| plane.point_mm(px);
    let (a, b) = pairs.max_by(|x, y| {
        let length = |(a, b): &(Px, Px)| mm(*a).distance(mm(*b));
        length(x).total_cmp(&length(y))
    })?;
    let count = hull.len() as f64;
    let sum = hull.iter().fold(Mm::new(0.0, 0.0), |sum, px| {
        let at = mm(*px);
        Mm::new(sum.x + at.x, sum.y + at.y)
    });
    let middle_px = Px::new(f64::midpoint(a.x, b.x), f64::midpoint(a.y, b.y));
    let length = plane.length_mm(a, b);
    // Each end lies anywhere in its cell: uniform, so its width over the root of twelve.
    let ends = plane.mm_per_px(middle_px) * cell_px * (2.0_f64 / 12.0).sqrt();
    let measured = DefectMm {
        x_mm: short(sum.x / count),
        y_mm: short(sum.y / count),
        length_mm: short(length.value),
        area_mm2: short(plane.area_mm2(middle_px, area_px as f64).value),
        uncertainty_mm: short(length.sd.hypot(ends)),
    };
    measured.length_mm.is_finite().then_some(measured)
}

/// The convex hull (Andrew 1979), so that the longest distance is between few points.
fn hull(points: &[Px]) -> Vec<Px> {
    let mut points = points.to_vec();
    points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    points.dedup();
    if points.len() < 3 {
        return points;
    }
    let half = |points: &mut dyn Iterator<Item = Px>| {
        let mut chain: Vec<Px> = Vec::new();
        for c in points {
            while let [.., a, b] = chain[..] {
                if (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) > 0.0 {
                    break;
                }
                chain.pop();
            }
            chain.push(c);
        }
        chain.pop();
        chain
    };
    let mut hull = half(&mut points.iter().copied());
    hull.extend(half(&mut points.iter().rev().copied()));
    hull
}

/// `mask` as the camera's crop shows it: `from` names for each cell of the grid where it is taken.
fn laid_mask(mask: &Mask, from: &[Option<usize>], grid: Grid) -> Mask {
    let width = mask.area.width as usize;
    let bits: Vec<bool> = mask.bits().collect();
    let is_in = |cell: usize| {
        let (x, y) = (cell % grid.width as usize, cell / grid.width as usize);
        let (left, top) = (mask.area.x as usize, mask.area.y as usize);
        let inside = x >= left && y >= top && x - left < width;
        inside && bits.get((y - top) * width + x - left).copied().unwrap_or(false)
    };
    let shown: Vec<bool> = from.iter().map(|cell| cell.is_some_and(is_in)).collect();
    let columns = grid.width as usize;
    let places = || shown.iter().enumerate().filter(|(_, bit)| **bit).map(|(at, _)| at);
    let x = |of: Option<usize>| of.and_then(|at| u32::try_from(at).ok()).unwrap_or_default();
    let left = x(places().map(|at| at % columns).min());
    let right = x(places().map(|at| at % columns + 1).max());
    let top = x(places().map(|at| at / columns).min());
    let bottom = x(places().map(|at| at / columns + 1).max());
    let area = RectPx::from_corners(left, top, right, bottom);
    let bits = (top..bottom)
        .flat_map(|y| (left..right).map(move |x| (y * grid.width + x) as usize))
        .map(|at| shown[at]);
    Mask::from_bits(area, bits)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn clamped(value: f64, last: f64) -> u32 {
    value.clamp(0.0, last.max(0.0)) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits are more than is measured")]
const fn short(value: f64) -> f32 {
    value as f32
}
