//! How sharp a picture is: takes luma and where to look; gives the width of its edges.

use super::Px;
use crate::Picture;

/// Edges that rise by less are not looked at, grey levels.
const RISE_MIN: f64 = 30.0;
/// How far an edge is followed to each side, pixels.
const REACH: i64 = 40;
/// How many of the steepest places are measured.
const PLACES: usize = 600;

/// The median width, from 10 % to 90 %, of the steepest edges within the bounds of `around` (of
/// the whole picture if it is empty), in pixels; none where there is no edge.
pub(super) fn edge_width_px(picture: &Picture<'_>, around: &[Px]) -> Option<f64> {
    let mut steep = slopes(picture, bounds(picture, around));
    steep.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    steep.truncate(PLACES);
    let width = |&(_, x, y): &(f64, i64, i64)| width_at(picture, x, y);
    let mut widths: Vec<f64> = steep.iter().filter_map(width).collect();
    if widths.len() < 10 {
        return None;
    }
    widths.sort_unstable_by(f64::total_cmp);
    Some(widths[widths.len() / 2])
}

/// Left, top, right and bottom of where to look, one pixel within the picture.
#[expect(clippy::cast_possible_truncation, reason = "places in a picture")]
fn bounds(picture: &Picture<'_>, around: &[Px]) -> [i64; 4] {
    let (right, bottom) =
        (i64::from(picture.size().width) - 2, i64::from(picture.size().height) - 2);
    let mut bounds = if around.is_empty() { [1, 1, right, bottom] } else { [right, bottom, 1, 1] };
    for place in around {
        let (x, y) = (place.x as i64, place.y as i64);
        bounds = [
            bounds[0].min(x.max(1)),
            bounds[1].min(y.max(1)),
            bounds[2].max(x.min(right)),
            bounds[3].max(y.min(bottom)),
        ];
    }
    bounds
}

/// Slope, column and row of about a hundred thousand places.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
#[expect(clippy::cast_precision_loss, reason = "a count of pixels")]
fn slopes(picture: &Picture<'_>, [left, top, right, bottom]: [i64; 4]) -> Vec<(f64, i64, i64)> {
    let area = ((right - left).max(0) * (bottom - top).max(0)) as f64;
    let step = (area / 100_000.0).ceil().max(1.0) as usize;
    let slope = |x, y| {
        let [across, down] = gradient(picture, x, y);
        (across.hypot(down), x, y)
    };
    let rows = (top..=bottom).step_by(step);
    rows.flat_map(|y| (left..=right).map(move |x| slope(x, y))).filter(|s| s.0 > 0.0).collect()
}

fn grey(picture: &Picture<'_>, x: i64, y: i64) -> Option<f64> {
    let (x, y) = (u32::try_from(x).ok()?, u32::try_from(y).ok()?);
    let inside = y < picture.size().height;
    if inside { picture.row(y).get(x as usize).map(|&v| f64::from(v)) } else { None }
}

/// Grey levels a pixel, to the right and down.
fn gradient(picture: &Picture<'_>, x: i64, y: i64) -> [f64; 2] {
    let at = |x, y| grey(picture, x, y).unwrap_or_default();
    [(at(x + 1, y) - at(x - 1, y)) / 2.0, (at(x, y + 1) - at(x, y - 1)) / 2.0]
}

/// The width of the edge through a pixel: followed along the steeper axis for as long as it rises,
/// then turned square to the edge.
fn width_at(picture: &Picture<'_>, x: i64, y: i64) -> Option<f64> {
    let [across, down] = gradient(picture, x, y);
    let along_x = across.abs() >= down.abs();
    let (steeper, slope) = if along_x { (across, across.abs()) } else { (down, down.abs()) };
    let sign = if steeper > 0.0 { 1 } else { -1 };
    let at = |i: i64| {
        if along_x { grey(picture, x + i * sign, y) } else { grey(picture, x, y + i * sign) }
    };
    let low = plateau(|i| at(-i).map(|v| -v))?;
    let high = plateau(at)?;
    let (dark, light) = (-low.1, high.1);
    if light - dark < RISE_MIN {
        return None;
    }
    let crossing = |level: f64| {
        (-low.0..high.0).find_map(|i| {
            let (a, b) = (at(i)?, at(i + 1)?);
            #[expect(clippy::cast_precision_loss, reason = "a few pixels")]
            (a <= level && b > level).then(|| i as f64 + (level - a) / (b - a))
        })
    };
    let rise = light - dark;
    let width = crossing(dark + 0.9 * rise)? - crossing(dark + 0.1 * rise)?;
    Some(width * slope / across.hypot(down))
}

/// How far it rises, with a little noise, and to what.
fn plateau(at: impl Fn(i64) -> Option<f64>) -> Option<(i64, f64)> {
    const NOISE: f64 = 2.0;
    let mut best = (0, at(0)?);
    for i in 1..=REACH {
        let Some(value) = at(i) else { break };
        if value > best.1 {
            best = (i, value);
        } else if value < best.1 - NOISE || i > best.0 + 3 {
            break;
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SizePx;

    #[test]
    fn the_width_of_a_blurred_edge_is_that_of_its_gaussian() {
        // A smooth step: 10 % to 90 % of a logistic of scale s is 2 ln 9 s.
        for scale in [1.0, 2.0, 4.0] {
            let value = |x: i32| 200.0 / (1.0 + (-(f64::from(x) - 50.3) / scale).exp()) + 20.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "grey")]
            let row: Vec<u8> = (0..100).map(|x| value(x).round() as u8).collect();
            let luma = row.repeat(40);
            let picture = Picture::new(SizePx::new(100, 40), 100, &luma).unwrap();
            let width = edge_width_px(&picture, &[]).unwrap();
            let expected = 2.0 * 9.0_f64.ln() * scale;
            assert!((width / expected - 1.0).abs() < 0.1, "{width} against {expected}");
        }
    }

    #[test]
    fn a_plain_picture_has_no_edges() {
        let luma = [99; 400];
        let picture = Picture::new(SizePx::new(20, 20), 20, &luma).unwrap();
        assert_eq!(edge_width_px(&picture, &[]), None);
    }
}
