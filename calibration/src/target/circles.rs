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
    let of = columns as usize * rows as usize;
    let discs = discs(luma, of)?;
    let seen = discs.len();
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

/// The middles of all that is dark and round, and about as large as the `of` largest.
fn discs(luma: &Mat, of: usize) -> Result<Vector<Point2f>, NotFound> {
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
    // Letters and dirt are smaller.
    let largest = &areas[areas.len().saturating_sub(of)..];
    let typical = largest.get(largest.len() / 2).copied().unwrap_or_default();
    let alike =
        boxes.iter().filter(|(_, area)| (typical / 4..=typical.saturating_mul(4)).contains(area));
    alike.map(|&(place, _)| middle(luma, place)).collect()
}

/// The middle of the darkness in and around a box: to a fraction of a pixel, whatever the lamp.
fn middle(luma: &Mat, [left, top, width, height]: [i32; 4]) -> Result<Point2f, NotFound> {
    let (mx, my) = (width / 4 + 2, height / 4 + 2);
    let (left, right) = ((left - mx).max(0), (left + width + mx).min(luma.cols()) - 1);
    let (top, bottom) = ((top - my).max(0), (top + height + my).min(luma.rows()) - 1);
    let grey = |x: i32, y: i32| luma.at_2d::<u8>(y, x).map(|&v| f64::from(v));
    let column = |x: i32| mean((top..=bottom).map(|y| grey(x, y)));
    let row = |y: i32| mean((left..=right).map(|x| grey(x, y)));
    // The paper around the disc, as a plane: the lamp is brighter on one side.
    let (west, east, north, south) = (column(left)?, column(right)?, row(top)?, row(bottom)?);
    let slope_x = (east - west) / f64::from(right - left);
    let slope_y = (south - north) / f64::from(bottom - top);
    let (middle_x, middle_y) = (f64::from(left + right) / 2.0, f64::from(top + bottom) / 2.0);
    let level = (west + east + north + south) / 4.0;
    let mut seen = Vec::new();
    for y in top..=bottom {
        for x in left..=right {
            let (dx, dy) = (f64::from(x) - middle_x, f64::from(y) - middle_y);
            let paper = (level + slope_x * dx + slope_y * dy).max(1.0);
            seen.push((dx, dy, grey(x, y)? / paper));
        }
    }
    let mut levels: Vec<f64> = seen.iter().map(|&(_, _, v)| v).collect();
    levels.sort_unstable_by(f64::total_cmp);
    let rise = (1.0 - levels[levels.len() / 10]).max(0.01);
    let (mut sum, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    for (dx, dy, v) in seen {
        // The foot of the edge is cut off, or noise far from the disc would pull.
        let weight = ((1.0 - v) / rise - 0.1).clamp(0.0, 0.9);
        sum += weight;
        x_sum += weight * dx;
        y_sum += weight * dy;
    }
    #[expect(clippy::cast_possible_truncation, reason = "as OpenCV takes it")]
    let [x, y] = [middle_x + x_sum / sum, middle_y + y_sum / sum].map(|v| v as f32);
    Ok(Point2f::new(x, y))
}

fn mean(values: impl Iterator<Item = opencv::Result<f64>>) -> opencv::Result<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value?;
        count += 1.0;
    }
    Ok(sum / count)
}
