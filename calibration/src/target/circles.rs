//! Finds an asymmetric circle grid: takes luma; gives the middles of all its discs.

use opencv::calib3d::{CALIB_CB_ASYMMETRIC_GRID, CALIB_CB_CLUSTERING, find_circles_grid};
use opencv::core::{Mat, Point2f, Size, Vector};
use opencv::imgproc::{
    ADAPTIVE_THRESH_MEAN_C, CC_STAT_AREA, CC_STAT_HEIGHT, CC_STAT_LEFT, CC_STAT_TOP, CC_STAT_WIDTH,
    THRESH_BINARY_INV, adaptive_threshold, connected_components_with_stats_def,
};
use opencv::prelude::MatTraitConst;

use super::detect::{Found, px_from};
use super::{DISC_RADIUS, NotFound, Px, Target, TargetKind};
use crate::scale::homography::Homography;

/// The middles of all discs, in the grid's order.
pub(super) fn find(target: &Target, luma: &Mat, columns: u32, rows: u32) -> Found {
    let name = target.to_string();
    let discs = discs(luma)?;
    let (seen, of) = (discs.len(), columns as usize * rows as usize);
    if seen < of {
        return Err(if seen < of / 4 {
            NotFound::Nothing { target: name }
        } else {
            NotFound::Partial { target: name, seen, of, needed: of }
        });
    }
    let side = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let size = Size::new(side(columns), side(rows));
    let mut ordered = Vector::<Point2f>::new();
    let mut grid = |flags| find_circles_grid(&discs, size, &mut ordered, flags, None);
    let found =
        grid(CALIB_CB_ASYMMETRIC_GRID)? || grid(CALIB_CB_ASYMMETRIC_GRID | CALIB_CB_CLUSTERING)?;
    if !found || ordered.len() != of || seen > of + of / 8 {
        let seen = format!("a pattern of {seen} discs");
        return Err(NotFound::OtherTarget { target: name, seen });
    }
    let middles = ordered.iter().map(px_from).collect();
    let middles = upright(middles, columns as usize).ok_or(NotFound::Mirrored { target: name })?;
    Ok((0..).zip(without_perspective(target, middles)).collect())
}

/// The rows so that they run down where columns run right; none where a mirror alone would show
/// them so. A grid with an odd number of rows looks the same in a mirror.
fn upright(middles: Vec<Px>, columns: usize) -> Option<Vec<Px>> {
    let (first, right, down) = (middles[0], middles[1], middles[2 * columns]);
    let turn = (right.x - first.x) * (down.y - first.y) - (right.y - first.y) * (down.x - first.x);
    if turn > 0.0 {
        return Some(middles);
    }
    let odd = (middles.len() / columns) % 2 == 1;
    odd.then(|| middles.chunks(columns).rev().flatten().copied().collect())
}

/// The places of the discs' middles, from the middles of their pictures: seen at a slant, the near
/// half of a disc is larger than the far one, and pulls (up to some tenths of a pixel).
fn without_perspective(target: &Target, mut middles: Vec<Px>) -> Vec<Px> {
    let TargetKind::CircleGrid { spacing_mm, .. } = target.0 else {
        return middles;
    };
    let radius = DISC_RADIUS * spacing_mm;
    let points = target.points_mm();
    let pairs: Vec<_> =
        points.iter().zip(&middles).map(|(mm, px)| ([mm.x, mm.y], [px.x, px.y])).collect();
    let Some(map) = Homography::fit(&pairs) else {
        return middles;
    };
    for (mm, px) in points.iter().zip(&mut middles) {
        let outline = (0..32).map(|step| {
            let (sin, cos) = (f64::from(step) * std::f64::consts::TAU / 32.0).sin_cos();
            map.apply([mm.x + radius * cos, mm.y + radius * sin])
        });
        let (seen, true_middle) = (centroid(&outline.collect::<Vec<_>>()), map.apply([mm.x, mm.y]));
        px.x -= seen[0] - true_middle[0];
        px.y -= seen[1] - true_middle[1];
    }
    middles
}

/// Of a polygon's area.
fn centroid(corners: &[[f64; 2]]) -> [f64; 2] {
    let first = corners[0];
    let (mut area, mut sum) = (0.0, [0.0; 2]);
    for pair in corners.windows(2) {
        let [a, b] = [0, 1].map(|i| [pair[i][0] - first[0], pair[i][1] - first[1]]);
        let cross = a[0] * b[1] - a[1] * b[0];
        area += cross;
        sum = [0, 1].map(|i| sum[i] + cross * (a[i] + b[i]) / 3.0);
    }
    [0, 1].map(|i| first[i] + sum[i] / area)
}

/// The middles of all that is dark and round.
fn discs(luma: &Mat) -> Result<Vector<Point2f>, NotFound> {
    let mut dark = Mat::default();
    let window = (luma.rows().min(luma.cols()) / 8).max(15) | 1;
    adaptive_threshold(
        luma,
        &mut dark,
        255.0,
        ADAPTIVE_THRESH_MEAN_C,
        THRESH_BINARY_INV,
        window,
        12.0,
    )?;
    let (mut labels, mut stats, mut centroids) = (Mat::default(), Mat::default(), Mat::default());
    let count =
        connected_components_with_stats_def(&dark, &mut labels, &mut stats, &mut centroids)?;
    let mut boxes = Vec::new();
    for label in 1..count {
        let stat = |which: i32| stats.at_2d::<i32>(label, which).copied();
        let (left, top) = (stat(CC_STAT_LEFT)?, stat(CC_STAT_TOP)?);
        let (width, height) = (stat(CC_STAT_WIDTH)?, stat(CC_STAT_HEIGHT)?);
        let area = stat(CC_STAT_AREA)?;
        let inside =
            left > 0 && top > 0 && left + width < luma.cols() && top + height < luma.rows();
        let fill = f64::from(area) / (f64::from(width) * f64::from(height));
        if inside && area >= 20 && (0.45..0.9).contains(&fill) {
            boxes.push(([left, top, width, height], area));
        }
    }
    let mut areas: Vec<i32> = boxes.iter().map(|&(_, area)| area).collect();
    areas.sort_unstable();
    let typical = areas.get(areas.len() / 2).copied().unwrap_or_default();
    let alike =
        boxes.iter().filter(|(_, area)| (typical / 4..=typical.saturating_mul(4)).contains(area));
    alike.map(|&(place, _)| middle(luma, place)).collect()
}

/// The middle of the darkness in and around a box: to a fraction of a pixel, whatever the lamp.
fn middle(luma: &Mat, [left, top, width, height]: [i32; 4]) -> Result<Point2f, NotFound> {
    let (mx, my) = (width / 4 + 2, height / 4 + 2);
    let columns = (left - mx).max(0)..(left + width + mx).min(luma.cols());
    let rows = (top - my).max(0)..(top + height + my).min(luma.rows());
    let mut grey = Vec::new();
    for y in rows {
        for x in columns.clone() {
            grey.push((f64::from(x), f64::from(y), f64::from(*luma.at_2d::<u8>(y, x)?)));
        }
    }
    let mut levels: Vec<f64> = grey.iter().map(|&(_, _, v)| v).collect();
    levels.sort_unstable_by(f64::total_cmp);
    let (dark, light) = (levels[levels.len() / 10], levels[levels.len() * 9 / 10]);
    let rise = (light - dark).max(1.0);
    let (mut sum, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    for (x, y, v) in grey {
        // The foot of the edge is cut off, or noise far from the disc would pull.
        let weight = ((light - v) / rise - 0.1).clamp(0.0, 0.9);
        sum += weight;
        x_sum += weight * x;
        y_sum += weight * y;
    }
    #[expect(clippy::cast_possible_truncation, reason = "as OpenCV takes it")]
    Ok(Point2f::new((x_sum / sum) as f32, (y_sum / sum) as f32))
}
