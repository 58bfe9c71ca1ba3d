//! Lines on the metal: scratches and cracks.

use std::f32::consts::{PI, TAU};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Touch, contrast, place_in, sign};
use crate::noise::{Field, step};
use crate::part::Part;
use crate::shape::{Metal, Point, distance_to_line, dot, turned};

/// One or more connected lines, each point with the half width there.
#[derive(Clone, Debug)]
pub(crate) struct Stroke {
    lines: Vec<Vec<(Point, f32)>>,
    /// A circle that all of it lies in.
    centre: Point,
    reach: f32,
    seed: u32,
    contrast: f32,
    /// Whether a scratch is brighter than the metal (1) or darker (-1).
    tone: f32,
}

/// The nearest place on a stroke.
struct Near {
    /// How far off, in half widths, positive on the right of the line.
    off: f32,
    /// Which way is off the line on the right.
    right: Point,
}

/// Lines fade over a few half widths; beyond this many there is nothing.
const WIDEST: f32 = 4.0;

impl Stroke {
    fn new(lines: Vec<Vec<(Point, f32)>>, tone: f32, rng: &mut ChaCha8Rng) -> Self {
        let centre = lines[0][lines[0].len() / 2].0;
        let points = lines.iter().flatten();
        let reach = points.map(|(p, half)| gap(*p, centre) + half * WIDEST).fold(0.0, f32::max);
        Self { lines, centre, reach, seed: rng.random(), contrast: contrast(rng), tone }
    }

    /// One or two nearly straight strokes across the grain or along it.
    pub(super) fn scratched(part: &Part, rng: &mut ChaCha8Rng) -> Self {
        let count = if rng.random_bool(0.3) { 2_u8 } else { 1 };
        let (middle, heading) = (place_in(part.metal, 0.04, rng), rng.random_range(0.0..TAU));
        let half = half_width(rng.random_range(0.0018..0.005), part);
        let line = |offset: f32, rng: &mut ChaCha8Rng| {
            let length = rng.random_range(0.14..0.5);
            let back = turned([-length / 2.0, offset], heading);
            let from = [middle[0] + back[0], middle[1] + back[1]];
            curve(from, heading, length, rng.random_range(-1.2..1.2), half)
        };
        let lines = (0..count).map(|i| line(f32::from(i) * 0.022, rng)).collect();
        let tone = if rng.random_bool(0.7) { 1.0 } else { -1.0 };
        Self::new(lines, tone, rng)
    }

    /// A jagged line inwards from an edge, sometimes with a branch.
    pub(super) fn cracked(part: &Part, rng: &mut ChaCha8Rng) -> Self {
        let (start, inwards) = edge_of(part.metal, rng);
        let half = half_width(rng.random_range(0.003..0.0065), part);
        let trunk = jagged(start, inwards, rng.random_range(0.12..0.32), half, rng);
        let mut lines = vec![trunk];
        if rng.random_bool(0.5) {
            let (fork, half) = lines[0][lines[0].len() / 2];
            let heading = inwards + sign(rng) * rng.random_range(0.5..1.0);
            lines.push(jagged(fork, heading, rng.random_range(0.05..0.12), half * 0.8, rng));
        }
        Self::new(lines, -1.0, rng)
    }

    /// A bright (or dark) furrow with a burr of the other tone beside it; it skips here and there.
    pub(super) fn scratch(&self, place: Point) -> Option<Touch> {
        let near = self.near(place)?;
        let skip = 0.72 + 0.5 * Field(self.seed).at(place[0] * 30.0, place[1] * 30.0);
        let press = self.contrast * skip.clamp(0.45, 1.0);
        let furrow = bell(near.off);
        let burr = bell(near.off - 1.9);
        let factor = 1.0 + self.tone * press * (0.7 * furrow - 0.3 * burr);
        Some(Touch { factor: [factor; 3], strength: furrow })
    }

    /// A dark gap; the lip that faces the lamp catches some light.
    pub(super) fn crack(&self, place: Point, lamp: Point) -> Option<Touch> {
        let near = self.near(place)?;
        let gap = bell(near.off);
        let facing = -near.off.signum() * dot(near.right, lamp);
        let lip = bell(near.off.abs() - 2.0) * facing.max(0.0);
        let factor = 1.0 - (0.25 + 0.6 * self.contrast) * gap + 0.18 * self.contrast * lip;
        Some(Touch { factor: [factor; 3], strength: gap })
    }

    pub(super) const fn reach(&self) -> (Point, f32) {
        (self.centre, self.reach)
    }

    fn near(&self, place: Point) -> Option<Near> {
        if gap(place, self.centre) > self.reach {
            return None;
        }
        let segments = self.lines.iter().flat_map(|line| line.windows(2));
        let nearest = segments
            .map(|pair| {
                let [(a, half_a), (b, half_b)] = [pair[0], pair[1]];
                let (distance, along, side) = distance_to_line(place, a, b);
                let off = distance / (half_a + (half_b - half_a) * along);
                let length = gap(a, b).max(1e-9);
                let right = [-(b[1] - a[1]) / length, (b[0] - a[0]) / length];
                Near { off: off * side, right }
            })
            .min_by(|a, b| a.off.abs().total_cmp(&b.off.abs()))?;
        (nearest.off.abs() < WIDEST).then_some(nearest)
    }
}

/// At least about half a pixel, or a line would vanish in small pictures.
fn half_width(half: f32, part: &Part) -> f32 {
    half.max(0.55 / part.length)
}

fn bell(x: f32) -> f32 {
    (-x * x).exp()
}

fn gap(a: Point, b: Point) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// A gently bent line that is thinner towards its ends.
fn curve(from: Point, heading: f32, length: f32, bend: f32, half: f32) -> Vec<(Point, f32)> {
    const STEPS: u8 = 24;
    let stride = length / f32::from(STEPS);
    let mut place = from;
    let mut line = Vec::new();
    for i in 0..=STEPS {
        let along = f32::from(i) / f32::from(STEPS);
        line.push((place, half * (0.45 + 0.55 * (along * PI).sin())));
        let go = turned([stride, 0.0], heading + bend * length * (along - 0.5));
        place = [place[0] + go[0], place[1] + go[1]];
    }
    line
}

/// A line that changes its mind every few steps and ends in a hair.
fn jagged(
    from: Point,
    heading: f32,
    length: f32,
    half: f32,
    rng: &mut ChaCha8Rng,
) -> Vec<(Point, f32)> {
    let mut line = vec![(from, half)];
    let (mut place, mut gone, mut drift) = (from, 0.0, heading);
    while gone < length {
        let stride = rng.random_range(0.012..0.035);
        drift += rng.random_range(-0.25..0.25);
        let go = turned([stride, 0.0], drift + rng.random_range(-0.7..0.7));
        place = [place[0] + go[0], place[1] + go[1]];
        gone += stride;
        let thin = step(1.15, 0.3, gone / length);
        line.push((place, half * (0.4 + 0.6 * thin)));
    }
    line
}

/// A place on an edge of the metal, and the heading from there into it.
fn edge_of(metal: Metal, rng: &mut ChaCha8Rng) -> (Point, f32) {
    let mut place = place_in(metal, 0.03, rng);
    // Newton on the distance: the gradient has length 1, so a few steps land on the edge.
    for _ in 0..4 {
        let (out, distance) = (metal.outward(place), metal.distance(place));
        place = [place[0] - out[0] * distance, place[1] - out[1] * distance];
    }
    let out = metal.outward([place[0] * 0.999, place[1] * 0.999]);
    (place, (-out[1]).atan2(-out[0]) + rng.random_range(-0.4..0.4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SceneConfig;
    use crate::part::stream;

    #[test]
    fn cracks_start_at_an_edge_and_go_into_the_metal() {
        for index in 0..100 {
            let part = Part::new(&SceneConfig::default(), index);
            let mut rng = stream(&SceneConfig::default(), 1_000_000 + u64::from(index));
            let (start, heading) = edge_of(part.metal, &mut rng);
            assert!(part.metal.distance(start).abs() < 0.01, "{start:?}");
            let go = turned([0.02, 0.0], heading);
            assert!(part.metal.distance([start[0] + go[0], start[1] + go[1]]) < 0.0);
        }
    }
}
