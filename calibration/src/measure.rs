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
        let grid = heatmap.as_ref().map(Grid::of);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::{Score, Sha256, SizePx};
    use jiff::Timestamp;

    use super::*;
    use crate::align::Pose;
    use crate::profile::CameraNote;
    use crate::{Corrector, Lens, Profile};

    const SIZE: SizePx = SizePx::new(400, 300);
    const CROP: RectPx = RectPx::new(200, 100, 80, 40);

    fn calibration(lens: Option<Lens>) -> Calibration {
        let mut profile = Profile::new(SIZE, CameraNote::default(), Timestamp::UNIX_EPOCH);
        // Four pixels a millimetre.
        let plane = Plane::from_ruler(Px::new(0.0, 0.0), Px::new(400.0, 0.0), 100.0, 0.1).unwrap();
        (profile.plane, profile.lens) = (Some(plane), lens);
        Calibration::open(&profile, std::path::Path::new("/nowhere")).unwrap()
    }

    fn lens(k1: f64) -> Lens {
        Lens {
            size: SIZE,
            focal_px: [500.0, 500.0],
            centre_px: Px::new(199.5, 149.5),
            distortion: [k1, 0.0, 0.0, 0.0, 0.0],
            sd: crate::lens::LensSd::default(),
        }
    }

    fn as_seen(calibration: &Calibration) -> Laid {
        let mut raw = vec![0; usize::try_from(calibration.source_of(CROP).area()).unwrap()];
        Corrector::default().correct(calibration, CROP, &mut raw).unwrap().1
    }

    /// A finding whose mask has these cells, of 20 x 10 over the crop: 4 x 4 pixels each.
    fn finding(cells: &[(u32, u32)]) -> Finding {
        let area = RectPx::new(0, 0, 20, 10);
        let bits: Vec<bool> = (0..200).map(|at| cells.contains(&(at % 20, at / 20))).collect();
        let values = bits.iter().map(|bit| if *bit { 200 } else { 0 }).collect();
        let (x, y) = cells[0];
        Finding {
            view: 0,
            model: Sha256::of(b"m"),
            classes: vec![],
            defects: vec![Defect {
                kind: Arc::from("scratch"),
                view: 0,
                box_in_frame: RectPx::new(CROP.x + 4 * x, CROP.y + 4 * y, 4, 4),
                area_px: 16 * cells.len() as u64,
                score: Score::ONE,
                mask: Some(Mask::from_bits(area, bits)),
                mm: None,
            }],
            heatmap: Some(Heatmap { width: 20, height: 10, values, covers: CROP }),
        }
    }

    #[test]
    fn a_mask_is_as_long_as_its_farthest_corners() {
        let calibration = calibration(None);
        let mut finding = finding(&[(2, 3), (3, 3), (4, 3)]);
        let before = finding.clone();
        calibration.measure(&mut finding, &as_seen(&calibration));
        let mm = finding.defects[0].mm.unwrap();
        // 12 x 4 pixels of a quarter millimetre: 3 x 1.
        assert!((mm.length_mm - 10.0_f32.sqrt()).abs() < 1e-3, "{mm:?}");
        assert!((mm.area_mm2 - 3.0).abs() < 1e-3, "{mm:?}");
        assert!((mm.x_mm - (200.0 + 13.5) / 4.0).abs() < 1e-3, "{mm:?}");
        // Either end anywhere in a cell of 1 mm.
        assert!((0.40..0.45).contains(&mm.uncertainty_mm), "{mm:?}");
        assert_eq!(finding.defects[0].mask, before.defects[0].mask, "nothing was moved");
    }

    #[test]
    fn a_box_is_as_long_as_its_diagonal() {
        let calibration = calibration(None);
        let mut finding = finding(&[(2, 3)]);
        finding.defects[0].mask = None;
        finding.defects[0].box_in_frame = RectPx::new(210, 110, 12, 16);
        calibration.measure(&mut finding, &as_seen(&calibration));
        let mm = finding.defects[0].mm.unwrap();
        assert!((mm.length_mm - 5.0).abs() < 1e-3, "{mm:?}");
    }

    #[test]
    fn what_was_set_upright_is_laid_back_where_the_camera_saw_it() {
        let calibration = calibration(None);
        let pose = Pose { angle_deg: 180.0, ..Pose::UPRIGHT };
        let mut laid = as_seen(&calibration);
        laid.pose = Some(pose);
        let mut finding = finding(&[(2, 3), (3, 3)]);
        finding.defects[0].box_in_frame = RectPx::new(208, 112, 8, 4);
        calibration.measure(&mut finding, &laid);
        let defect = &finding.defects[0];
        // Half a turn about the crop's middle.
        assert_eq!(defect.box_in_frame, RectPx::new(264, 124, 8, 4));
        let mask = defect.mask.as_ref().unwrap();
        assert_eq!(mask.area, RectPx::new(16, 6, 2, 1));
        assert_eq!(mask.count(), 2);
        let heatmap = finding.heatmap.unwrap();
        let warm: Vec<_> = (0..200).filter(|at| heatmap.values[*at] > 0).collect();
        assert_eq!(warm, [6 * 20 + 16, 6 * 20 + 17]);
        let mm = defect.mm.unwrap();
        assert!((mm.x_mm - (200.0 + 67.5) / 4.0).abs() < 1e-3, "where it is on the belt: {mm:?}");
    }

    #[test]
    fn a_lens_is_undone_for_the_length_and_redone_for_the_box() {
        let bent = calibration(Some(lens(-0.4)));
        let laid = as_seen(&bent);
        let mut finding = finding(&[(0, 0), (19, 9)]);
        finding.defects[0].box_in_frame = CROP;
        bent.measure(&mut finding, &laid);
        let defect = &finding.defects[0];
        let corner = |x: f64, y: f64| laid.frame_px(Px::new(x - 0.5, y - 0.5), &bent);
        let (first, last) = (corner(0.0, 0.0), corner(80.0, 40.0));
        let seen = defect.box_in_frame;
        assert!((f64::from(seen.x) - first.x).abs() < 2.0, "{seen:?} {first:?}");
        assert!((f64::from(seen.right()) - last.x).abs() < 2.0, "{seen:?} {last:?}");
        // 80 x 40 straight pixels are 20 x 10 mm, however the lens shows them.
        assert!((defect.mm.unwrap().length_mm - 500.0_f32.sqrt()).abs() < 1e-3);
    }

    #[test]
    fn places_go_and_come_back() {
        let bent = calibration(Some(lens(-0.3)));
        let pose = Pose { angle_deg: 33.0, dx_px: 3.5, dy_px: -2.0, scale: 1.01, ..Pose::UPRIGHT };
        let mut laid = as_seen(&bent);
        laid.pose = Some(pose);
        for at in [Px::new(0.0, 0.0), Px::new(79.0, 0.0), Px::new(40.0, 39.0)] {
            let back = laid.corrected_px(laid.frame_px(at, &bent), &bent);
            assert!(back.distance(at) < 1e-3, "{at:?} {back:?}");
        }
    }

    #[test]
    fn the_straight_crop_is_what_the_whole_picture_would_give() {
        let bent = calibration(Some(lens(-0.3)));
        let luma: Vec<u8> = (0..SIZE.area())
            .map(|at| u8::try_from((at % 400 * 7 + at * 3) % 256).unwrap())
            .collect();
        let source = bent.source_of(CROP);
        let mut raw: Vec<u8> = (source.y..source.bottom())
            .flat_map(|y| luma[(y * 400 + source.x) as usize..][..source.width as usize].to_vec())
            .collect();
        let mut corrector = Corrector::default();
        let (piece, laid) = corrector.correct(&bent, CROP, &mut raw).unwrap();
        let whole = crate::Picture::new(SIZE, 400, &luma).unwrap();
        let mut wanted = vec![0; piece.len()];
        let at = laid.straight_px(Px::new(0.0, 0.0));
        let straight = RectPx { x: clamped(at.x, 400.0), y: clamped(at.y, 300.0), ..CROP };
        crate::CropMap::new(&lens(-0.3)).apply(&whole, straight, &mut wanted, 80);
        assert_eq!(piece, wanted);
    }
}
