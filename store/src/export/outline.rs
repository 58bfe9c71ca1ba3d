//! The outlines of a mask: takes its pixels, gives a polygon around each of its pieces, along the
//! edges of pixels.

use std::collections::{BTreeMap, HashSet};

use domain::{Mask, PointPx};

use super::shape::pixels;

/// A corner of a pixel.
type Corner = (i64, i64);

/// A polygon around each piece of `mask`: pixels that touch, also by a corner, are of one. Holes
/// are filled.
pub(crate) fn outlines(mask: &Mask) -> Vec<Vec<PointPx>> {
    let mut edges = edges(mask);
    let mut found = Vec::new();
    while let Some((&start, _)) = edges.first_key_value() {
        let ring = ring_from(start, &mut edges);
        // Holes run the other way round.
        if turns(&ring) > 0 {
            found.push(corners_from(&ring));
        }
    }
    found
}

/// The edges between pixels that are meant and others, by where they start; clockwise as seen, so
/// that what is meant lies on their right.
fn edges(mask: &Mask) -> BTreeMap<Corner, Vec<Corner>> {
    let set: HashSet<Corner> = pixels(mask).map(|(x, y)| (i64::from(y), i64::from(x))).collect();
    let mut edges = BTreeMap::<Corner, Vec<Corner>>::new();
    for &(y, x) in &set {
        let sides = [
            ((y - 1, x), (y, x), (y, x + 1)),
            ((y, x + 1), (y, x + 1), (y + 1, x + 1)),
            ((y + 1, x), (y + 1, x + 1), (y + 1, x)),
            ((y, x - 1), (y + 1, x), (y, x)),
        ];
        for (beside, from, to) in sides {
            if !set.contains(&beside) {
                edges.entry(from).or_default().push(to);
            }
        }
    }
    edges
}

/// Takes the ring through `start` out of `edges`. Where two pixels touch by a corner it turns left,
/// which keeps both in one ring.
fn ring_from(start: Corner, edges: &mut BTreeMap<Corner, Vec<Corner>>) -> Vec<Corner> {
    let (mut ring, mut at, mut came) = (vec![start], start, (0, 1));
    while let Some(ways) = edges.get_mut(&at) {
        let left = (-came.1, came.0);
        let goes_left = ways.iter().position(|to| (to.0 - at.0, to.1 - at.1) == left);
        let to = ways.swap_remove(goes_left.unwrap_or(0));
        if ways.is_empty() {
            edges.remove(&at);
        }
        came = (to.0 - at.0, to.1 - at.1);
        at = to;
        if at == start && !edges.contains_key(&start) {
            break;
        }
        ring.push(at);
    }
    ring
}

/// Twice the ring's area; negative for holes.
fn turns(ring: &[Corner]) -> i64 {
    let next = ring.iter().cycle().skip(1);
    ring.iter().zip(next).map(|(a, b)| a.1 * b.0 - b.1 * a.0).sum()
}

/// The ring's corners without those it goes straight through.
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn corners_from(ring: &[Corner]) -> Vec<PointPx> {
    let count = ring.len();
    let is_corner = |&at: &usize| {
        let (before, here, after) =
            (ring[(at + count - 1) % count], ring[at], ring[(at + 1) % count]);
        (here.0 - before.0, here.1 - before.1) != (after.0 - here.0, after.1 - here.1)
    };
    let corners = (0..count).filter(is_corner);
    corners.map(|at| PointPx { x: ring[at].1 as f32, y: ring[at].0 as f32 }).collect()
}
