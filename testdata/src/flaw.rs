//! What can be wrong with a part: how it comes about, and how it looks at each place of the metal.

mod stroke;

use std::f32::consts::TAU;
use std::fmt;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::noise::{Field, step};
use crate::part::{Part, RADIANS};
use crate::shape::{Metal, Point, dot, turned};
use stroke::Stroke;

/// A kind of defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefectKind {
    /// A thin line that something hard has drawn over the surface.
    Scratch,
    /// A jagged dark line that starts at an edge.
    Crack,
    /// A shallow round depression.
    Dent,
    /// A dark blot with an irregular rim.
    Stain,
    /// The part is turned by more than it may be.
    Misaligned,
    /// A hole or slot was not made.
    MissingFeature,
}

impl DefectKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Scratch,
        Self::Crack,
        Self::Dent,
        Self::Stain,
        Self::Misaligned,
        Self::MissingFeature,
    ];

    /// The name used in the truth.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scratch => "scratch",
            Self::Crack => "crack",
            Self::Dent => "dent",
            Self::Stain => "stain",
            Self::Misaligned => "misaligned",
            Self::MissingFeature => "missing_feature",
        }
    }
}

impl fmt::Display for DefectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing wrong with a part.
#[derive(Clone, Debug)]
pub(crate) enum Flaw {
    Scratch(Stroke),
    Crack(Stroke),
    Dent(Dent),
    Stain(Stain),
    Misaligned,
    /// Which hole was not made.
    Missing(usize),
}

/// How a flaw changes the metal at a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Touch {
    /// Factor on red, green and blue.
    pub(crate) factor: [f32; 3],
    /// How much of the flaw is there, 0..=1.
    pub(crate) strength: f32,
}

/// Where a flaw's strength is above this, the place belongs to its mask.
const IN_MASK: f32 = 0.15;

impl Flaw {
    pub(crate) const fn kind(&self) -> DefectKind {
        match self {
            Self::Scratch(_) => DefectKind::Scratch,
            Self::Crack(_) => DefectKind::Crack,
            Self::Dent(_) => DefectKind::Dent,
            Self::Stain(_) => DefectKind::Stain,
            Self::Misaligned => DefectKind::Misaligned,
            Self::Missing(_) => DefectKind::MissingFeature,
        }
    }

    /// What it does to the surface at `place`, the lamp being towards `lamp`.
    pub(crate) fn touch(&self, place: Point, lamp: Point) -> Option<Touch> {
        match self {
            Self::Scratch(stroke) => stroke.scratch(place),
            Self::Crack(stroke) => stroke.crack(place, lamp),
            Self::Dent(dent) => dent.touch(place, lamp),
            Self::Stain(stain) => stain.touch(place),
            Self::Misaligned | Self::Missing(_) => None,
        }
    }

    /// Whether `place`, in the metal, is part of the flaw.
    pub(crate) fn covers(&self, place: Point, metal: Metal) -> bool {
        match self {
            Self::Misaligned => true,
            Self::Missing(hole) => metal.kind.holes()[*hole].distance(place) <= 0.0,
            // The lamp decides how a flaw looks, not where it is.
            _ => self.touch(place, [0.0, 1.0]).is_some_and(|touch| touch.strength > IN_MASK),
        }
    }

    /// A circle that it lies in.
    pub(crate) fn reach(&self, metal: Metal) -> (Point, f32) {
        match self {
            Self::Scratch(stroke) | Self::Crack(stroke) => stroke.reach(),
            Self::Dent(dent) => (dent.centre, dent.radius),
            Self::Stain(stain) => (stain.centre, stain.radius * Stain::SPREAD),
            Self::Misaligned => ([0.0, 0.0], 1.0),
            Self::Missing(hole) => {
                let hole = metal.kind.holes()[*hole];
                (hole.centre(), hole.reach())
            }
        }
    }
}

/// Gives `part` one defect, now and then several of different kinds.
pub(crate) fn spoil(part: &mut Part, rng: &mut ChaCha8Rng) {
    let wanted = match rng.random_range(0..20) {
        0 => 3,
        1..=4 => 2,
        _ => 1,
    };
    let mut kinds = DefectKind::ALL.to_vec();
    for _ in 0..wanted {
        let kind = kinds.swap_remove(rng.random_range(0..kinds.len()));
        let flaw = match kind {
            DefectKind::Scratch => Flaw::Scratch(Stroke::scratched(part, rng)),
            DefectKind::Crack => Flaw::Crack(Stroke::cracked(part, rng)),
            DefectKind::Dent => Flaw::Dent(Dent::new(part, rng)),
            DefectKind::Stain => Flaw::Stain(Stain::new(part, rng)),
            DefectKind::Misaligned => {
                part.angle = rng.random_range(8.0..20.0_f32) * RADIANS * sign(rng);
                Flaw::Misaligned
            }
            DefectKind::MissingFeature => {
                let holes = part.metal.kind.holes();
                let optional: Vec<_> = (0..holes.len()).filter(|&i| holes[i].optional).collect();
                let hole = optional[rng.random_range(0..optional.len())];
                part.metal.missing = Some(hole);
                Flaw::Missing(hole)
            }
        };
        part.flaws.push(flaw);
    }
    part.flaws.sort_by_key(|flaw| flaw.kind().name());
}

fn sign(rng: &mut ChaCha8Rng) -> f32 {
    if rng.random() { 1.0 } else { -1.0 }
}

/// How plainly a defect shows, from hard (0.3) to easy (1).
fn contrast(rng: &mut ChaCha8Rng) -> f32 {
    0.3 + 0.7 * rng.random::<f32>()
}

/// A place in the metal at least `margin` from every edge, or as near to that as chance gives.
fn place_in(metal: Metal, margin: f32, rng: &mut ChaCha8Rng) -> Point {
    let tries = (0..60).map(|_| [rng.random_range(-0.5..0.5), rng.random_range(-0.45..0.45)]);
    let depth = |place: &Point| -metal.distance(*place);
    let mut best = [0.0, 0.0];
    for place in tries {
        if depth(&place) >= margin {
            return place;
        }
        if depth(&place) > depth(&best) {
            best = place;
        }
    }
    best
}

/// A shallow depression: the slope towards the lamp is bright, the other dark.
#[derive(Clone, Debug)]
pub(crate) struct Dent {
    centre: Point,
    radius: f32,
    /// How much longer than wide, and which way.
    stretch: f32,
    angle: f32,
    contrast: f32,
}

impl Dent {
    fn new(part: &Part, rng: &mut ChaCha8Rng) -> Self {
        let radius = rng.random_range(0.035..0.08);
        Self {
            centre: place_in(part.metal, radius * 0.8, rng),
            radius,
            stretch: rng.random_range(1.0..1.5),
            angle: rng.random_range(0.0..TAU),
            contrast: contrast(rng),
        }
    }

    fn touch(&self, place: Point, lamp: Point) -> Option<Touch> {
        let off = [place[0] - self.centre[0], place[1] - self.centre[1]];
        let mut off = turned(off, -self.angle).map(|c| c / self.radius);
        off[1] *= self.stretch;
        let r2 = dot(off, off);
        if r2 >= 1.0 {
            return None;
        }
        // The slope of a bowl (1 - r²)², scaled to a largest value of 1.
        let slope = turned(off.map(|c| c * (1.0 - r2) * 2.6), self.angle);
        let lit = -dot(slope, lamp);
        let glint = 0.25 * step(0.55, 1.0, lit);
        let floor = -0.10 * (1.0 - r2) * (1.0 - r2);
        let factor = 1.0 + self.contrast * (0.55 * lit + glint + floor);
        Some(Touch { factor: [factor; 3], strength: step(1.0, 0.75, r2) })
    }
}

/// A blot that dried from its rim: darkest there, brownish.
#[derive(Clone, Debug)]
pub(crate) struct Stain {
    centre: Point,
    radius: f32,
    seed: u32,
    contrast: f32,
    warmth: f32,
}

impl Stain {
    /// How far the rim reaches beyond the radius at most.
    const SPREAD: f32 = 1.7;

    fn new(part: &Part, rng: &mut ChaCha8Rng) -> Self {
        let radius = rng.random_range(0.06..0.15);
        Self {
            centre: place_in(part.metal, radius * 0.5, rng),
            radius,
            seed: rng.random(),
            contrast: contrast(rng),
            warmth: rng.random_range(0.1..0.5),
        }
    }

    fn touch(&self, place: Point) -> Option<Touch> {
        let off = [place[0] - self.centre[0], place[1] - self.centre[1]].map(|c| c / self.radius);
        let reach = off[0].hypot(off[1]);
        if reach > Self::SPREAD {
            return None;
        }
        let noise = |scale: f32, salt| Field(self.seed ^ salt).at(off[0] * scale, off[1] * scale);
        let rim = reach + 0.38 * noise(1.3, 0) + 0.16 * noise(4.0, 1) + 0.06 * noise(11.0, 2);
        let strength = step(1.0, 0.88, rim);
        let tide = step(0.72, 0.9, rim) * strength;
        let body = 0.75 + 0.25 * noise(2.5, 3);
        let dark = self.contrast * strength * (0.34 * body + 0.2 * tide);
        let tint = dark * self.warmth;
        Some(Touch { factor: [1.0 - dark + tint * 0.5, 1.0 - dark, 1.0 - dark - tint], strength })
    }
}
