//! One part on the belt: everything that its looks and its truth follow from.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::SceneConfig;
use crate::flaw::{self, Flaw};
use crate::shape::{Metal, PartKind, Point, turned};

/// How far good parts are turned at most.
const GOOD_ANGLE: f32 = 2.0 * RADIANS;
pub(crate) const RADIANS: f32 = std::f32::consts::PI / 180.0;

/// What a part is like, wherever it lies.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) metal: Metal,
    /// Clockwise, in radians.
    pub(crate) angle: f32,
    /// Length of a bracket in pixels; shapes scale with it.
    pub(crate) length: f32,
    pub(crate) finish: Finish,
    pub(crate) flaws: Vec<Flaw>,
}

/// Harmless differences between good parts.
#[derive(Clone, Debug)]
pub(crate) struct Finish {
    pub(crate) seed: u32,
    /// Brightness.
    pub(crate) gain: f32,
    /// How strongly the brushing shows.
    pub(crate) brushing: f32,
    /// Warmth of the metal's colour.
    pub(crate) warmth: f32,
    /// Specks: where, how large, how much brighter.
    pub(crate) dust: Vec<(Point, f32, f32)>,
    /// A film of oil: where, how large, how much darker.
    pub(crate) sheen: Option<(Point, f32, f32)>,
}

/// A source of random numbers of its own for each use, so that one never shifts another.
pub(crate) fn stream(config: &SceneConfig, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    rng.set_stream(number);
    rng
}

impl Part {
    /// The `index`th part of a scene.
    pub(crate) fn new(config: &SceneConfig, index: u32) -> Self {
        let mut rng = stream(config, 1 + 2 * u64::from(index));
        let kind = PartKind::ALL[rng.random_range(0..PartKind::ALL.len())];
        let mut part = Self {
            metal: Metal { kind, missing: None },
            angle: rng.random_range(-GOOD_ANGLE..GOOD_ANGLE),
            length: 0.2 * config.height_px(),
            finish: Finish::new(&mut rng),
            flaws: Vec::new(),
        };
        let mut rng = stream(config, 2 + 2 * u64::from(index));
        if rng.random_bool(f64::from(config.defect_rate)) {
            flaw::spoil(&mut part, &mut rng);
        }
        part
    }

    /// Half width and half height of its upright box, in pixels.
    pub(crate) fn half_extent_px(&self) -> (f64, f64) {
        let [x, y] = self.metal.kind.half_extent(self.angle);
        (f64::from(x * self.length), f64::from(y * self.length))
    }

    /// From pixels off its centre, in the picture's directions, to its own lengths and directions.
    pub(crate) fn place(&self, off_px: Point) -> Point {
        turned(off_px.map(|px| px / self.length), -self.angle)
    }
}

impl Finish {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let specks = rng.random_range(0..7);
        Self {
            seed: rng.random(),
            gain: rng.random_range(0.92..1.08),
            brushing: rng.random_range(0.6..1.3),
            warmth: rng.random_range(-0.02..0.03),
            dust: (0..specks).map(|_| speck(rng)).collect(),
            sheen: rng.random_bool(0.4).then(|| {
                (anywhere(rng), rng.random_range(0.15..0.35), rng.random_range(-0.05..0.03))
            }),
        }
    }
}

fn speck(rng: &mut ChaCha8Rng) -> (Point, f32, f32) {
    let size = rng.random_range(0.003..0.006);
    (anywhere(rng), size, rng.random_range(-0.15..0.12))
}

fn anywhere(rng: &mut ChaCha8Rng) -> Point {
    [rng.random_range(-0.5..0.5), rng.random_range(-0.4..0.4)]
}
