//! What parts look like in outline. Lengths are in part lengths, y down, the origin in the middle.

use std::fmt;

pub(crate) type Point = [f32; 2];

/// A type of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// A rounded plate with four drilled holes and a slot.
    Bracket,
    /// A turned ring with a hub, a bore with keyway, and a bolt circle.
    Flange,
}

/// Something cut out of a part: all within `radius` of the line between two points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hole {
    pub(crate) ends: [Point; 2],
    pub(crate) radius: f32,
    /// Whether it is made in a step of its own, which may have been left out.
    pub(crate) optional: bool,
}

const BRACKET_HALF: Point = [0.5, 0.34];
const BRACKET_CORNER: f32 = 0.09;
const FLANGE_RADIUS: f32 = 0.45;
/// Where the flange's raised hub ends.
pub(crate) const HUB_RADIUS: f32 = 0.255;

const fn drilled(x: f32, y: f32, radius: f32) -> Hole {
    Hole { ends: [[x, y], [x, y]], radius, optional: true }
}

const BRACKET_HOLES: [Hole; 5] = [
    drilled(-0.38, -0.22, 0.06),
    drilled(0.38, -0.22, 0.06),
    drilled(-0.38, 0.22, 0.06),
    drilled(0.38, 0.22, 0.06),
    Hole { ends: [[-0.14, 0.0], [0.14, 0.0]], radius: 0.055, optional: true },
];

const FLANGE_HOLES: [Hole; 8] = [
    Hole { ends: [[0.0, 0.0], [0.0, 0.0]], radius: 0.155, optional: false },
    Hole { ends: [[0.0, -0.12], [0.0, -0.175]], radius: 0.032, optional: false },
    drilled(0.35, 0.0, 0.044),
    drilled(0.175, 0.3031, 0.044),
    drilled(-0.175, 0.3031, 0.044),
    drilled(-0.35, 0.0, 0.044),
    drilled(-0.175, -0.3031, 0.044),
    drilled(0.175, -0.3031, 0.044),
];

impl PartKind {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::Bracket, Self::Flange];

    /// The name used in the truth.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bracket => "bracket",
            Self::Flange => "flange",
        }
    }

    pub(crate) const fn holes(self) -> &'static [Hole] {
        match self {
            Self::Bracket => &BRACKET_HOLES,
            Self::Flange => &FLANGE_HOLES,
        }
    }

    /// Distance to the outer edge, negative inside.
    pub(crate) fn outline(self, [x, y]: Point) -> f32 {
        match self {
            Self::Flange => x.hypot(y) - FLANGE_RADIUS,
            Self::Bracket => {
                let out_x = x.abs() - BRACKET_HALF[0] + BRACKET_CORNER;
                let out_y = y.abs() - BRACKET_HALF[1] + BRACKET_CORNER;
                let outside = out_x.max(0.0).hypot(out_y.max(0.0));
                outside + out_x.max(out_y).min(0.0) - BRACKET_CORNER
            }
        }
    }

    /// Half width and half height of the upright box around it when turned by `angle`.
    pub(crate) fn half_extent(self, angle: f32) -> Point {
        match self {
            Self::Flange => [FLANGE_RADIUS; 2],
            Self::Bracket => {
                let [w, h] = BRACKET_HALF.map(|half| half - BRACKET_CORNER);
                let (sin, cos) = (angle.sin().abs(), angle.cos().abs());
                [w * cos + h * sin + BRACKET_CORNER, w * sin + h * cos + BRACKET_CORNER]
            }
        }
    }
}

impl fmt::Display for PartKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Hole {
    /// Distance to its edge, negative inside it.
    pub(crate) fn distance(&self, point: Point) -> f32 {
        distance_to_line(point, self.ends[0], self.ends[1]).0 - self.radius
    }

    pub(crate) fn centre(&self) -> Point {
        let [a, b] = self.ends;
        [f32::midpoint(a[0], b[0]), f32::midpoint(a[1], b[1])]
    }

    /// From its centre to its farthest edge.
    pub(crate) fn reach(&self) -> f32 {
        let [a, b] = self.ends;
        (a[0] - b[0]).hypot(a[1] - b[1]) / 2.0 + self.radius
    }
}

/// The metal of one part: its outline less its holes, `missing` of which were not made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metal {
    pub(crate) kind: PartKind,
    pub(crate) missing: Option<usize>,
}

impl Metal {
    /// Distance to the nearest edge, negative in the metal.
    pub(crate) fn distance(self, point: Point) -> f32 {
        let holes = self.kind.holes().iter().enumerate();
        holes
            .filter(|(index, _)| Some(*index) != self.missing)
            .fold(self.kind.outline(point), |nearest, (_, hole)| nearest.max(-hole.distance(point)))
    }

    /// The direction away from the metal, of length 1.
    pub(crate) fn outward(self, [x, y]: Point) -> Point {
        const STEP: f32 = 1e-3;
        let dx = self.distance([x + STEP, y]) - self.distance([x - STEP, y]);
        let dy = self.distance([x, y + STEP]) - self.distance([x, y - STEP]);
        let length = dx.hypot(dy).max(1e-9);
        [dx / length, dy / length]
    }
}

/// Distance from `point` to the line from `a` to `b`, how far along it (0..=1) the nearest place
/// is, and on which side (-1 or 1) the point lies.
pub(crate) fn distance_to_line(point: Point, a: Point, b: Point) -> (f32, f32, f32) {
    let along = [b[0] - a[0], b[1] - a[1]];
    let from_a = [point[0] - a[0], point[1] - a[1]];
    let length2 = dot(along, along).max(1e-12);
    let t = (dot(from_a, along) / length2).clamp(0.0, 1.0);
    let off = [from_a[0] - along[0] * t, from_a[1] - along[1] * t];
    let side = (along[0] * from_a[1] - along[1] * from_a[0]).signum();
    (off[0].hypot(off[1]), t, side)
}

pub(crate) fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

/// `point` turned by `angle` about the origin, clockwise as seen in a picture.
pub(crate) fn turned(point: Point, angle: f32) -> Point {
    let (sin, cos) = angle.sin_cos();
    [point[0] * cos - point[1] * sin, point[0] * sin + point[1] * cos]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_is_the_smallest_box_around_the_outline() {
        for kind in PartKind::ALL {
            for angle in [-0.35_f32, 0.0, 0.02, 0.2] {
                let mut reach = [0.0_f32; 2];
                for i in -600..600_i16 {
                    for j in -600..600_i16 {
                        let place = [f32::from(i) / 1000.0, f32::from(j) / 1000.0];
                        if kind.outline(turned(place, -angle)) <= 0.0 {
                            reach = [reach[0].max(place[0]), reach[1].max(place[1])];
                        }
                    }
                }
                let extent = kind.half_extent(angle);
                assert!((reach[0] - extent[0]).abs() < 2e-3, "{kind} {angle}");
                assert!((reach[1] - extent[1]).abs() < 2e-3, "{kind} {angle}");
            }
        }
    }

    #[test]
    fn holes_are_in_the_part_and_gone_when_missing() {
        for kind in PartKind::ALL {
            for (index, hole) in kind.holes().iter().enumerate().filter(|(_, h)| h.optional) {
                assert!(kind.outline(hole.centre()) < -hole.radius);
                assert!(Metal { kind, missing: None }.distance(hole.centre()) > 0.0);
                assert!(Metal { kind, missing: Some(index) }.distance(hole.centre()) < 0.0);
            }
        }
    }
}
