//! Two looks at a target, held against each other: takes where its points were, gives how far they
//! moved, and whether the second look says anything that the first did not.

use std::collections::BTreeMap;

use calibration::Px;
use calibration::target::Observation;
use domain::SizePx;

/// Looks with fewer points in common show different pieces of the target.
const COMMON_LEAST: usize = 8;
/// A target that moved less between two looks is still, pixels root mean square. Its corners are
/// found to a few hundredths.
const STILL_PX: f64 = 1.0;
/// A view is another one when its target's middle moved by so much of the picture's shorter side,
const OTHER_PLACE: f64 = 0.12;
/// or it is larger or smaller by so much,
const OTHER_SIZE: f64 = 1.15;
/// or it is turned in the picture by so much, degrees,
const OTHER_TURN_DEG: f64 = 25.0;
/// or it is distorted, as by another tilt, by so much of its own radius.
const OTHER_SHAPE: f64 = 0.02;

/// Whether the target is where it was in the look before.
pub fn is_still(before: &Observation, now: &Observation) -> bool {
    let pairs = common(before, now);
    let enough = pairs.len() >= COMMON_LEAST && 2 * pairs.len() >= now.points.len();
    let squares = pairs.iter().map(|(a, b)| a.distance(*b).powi(2)).sum::<f64>();
    enough && (squares / count(&pairs)).sqrt() < STILL_PX
}

/// Whether a view says nothing that another did not, in pictures of `size`.
pub fn is_alike(one: &Observation, other: &Observation, size: SizePx) -> bool {
    let pairs = common(one, other);
    // Much of either was not in the other: another place.
    if pairs.len() < COMMON_LEAST || 2 * pairs.len() < one.points.len().max(other.points.len()) {
        return false;
    }
    let change = Change::of(&pairs);
    change.moved_px < OTHER_PLACE * f64::from(size.width.min(size.height))
        && change.scale.max(1.0 / change.scale) < OTHER_SIZE
        && change.turn_deg.abs() < OTHER_TURN_DEG
        && change.shape < OTHER_SHAPE
}

/// What becomes of points: a shift, a turn and a scale, and what these do not explain.
struct Change {
    moved_px: f64,
    scale: f64,
    turn_deg: f64,
    /// Root mean square of the rest, in radii of the points.
    shape: f64,
}

impl Change {
    /// The similarity nearest to the pairs, by least squares.
    fn of(pairs: &[(Px, Px)]) -> Self {
        let n = count(pairs);
        let middle = |of: fn(&(Px, Px)) -> Px| {
            let x = pairs.iter().map(|pair| of(pair).x).sum::<f64>() / n;
            let y = pairs.iter().map(|pair| of(pair).y).sum::<f64>() / n;
            Px::new(x, y)
        };
        let (from, to) = (middle(|pair| pair.0), middle(|pair| pair.1));
        let (mut dot, mut cross, mut size, mut size_after) = (0.0, 0.0, 0.0, 0.0);
        for (a, b) in pairs {
            let (ax, ay, bx, by) = (a.x - from.x, a.y - from.y, b.x - to.x, b.y - to.y);
            dot += ax * bx + ay * by;
            cross += ax * by - ay * bx;
            size += ax * ax + ay * ay;
            size_after += bx * bx + by * by;
        }
        let (dot, cross) = (dot / size, cross / size);
        let scale = dot.hypot(cross);
        let rest = (size_after - scale * scale * size).max(0.0);
        Self {
            moved_px: from.distance(to),
            scale,
            turn_deg: cross.atan2(dot).to_degrees(),
            shape: (rest / size_after).sqrt(),
        }
    }
}

/// Points that are in both.
fn common(one: &Observation, other: &Observation) -> Vec<(Px, Px)> {
    let known: BTreeMap<u32, Px> = one.points.iter().map(|seen| (seen.id, seen.px)).collect();
    let both = other.points.iter();
    both.filter_map(|seen| Some((*known.get(&seen.id)?, seen.px))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a count of points")]
const fn count(pairs: &[(Px, Px)]) -> f64 {
    pairs.len() as f64
}
