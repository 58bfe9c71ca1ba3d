//! Where parts lie on the belt. Takes the wishes; gives the parts, frontmost first.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::part::{Part, stream};
use crate::{SceneConfig, Spacing};

/// How many frames pass before the first part comes.
const EMPTY_BEFORE: f64 = 30.0;

/// A part and where its centre lies: `x` along the belt, from the left border of the picture at
/// frame 0, and `y` from the upper border.
pub(crate) struct Placed {
    pub(crate) part: Part,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Placed {
    /// Left, top, width and height of its upright box in whole pixels of the belt.
    #[expect(clippy::cast_possible_truncation, reason = "positions on a belt are far below 2^52")]
    pub(crate) fn box_on_belt(&self) -> (i64, i64, u32, u32) {
        let (half_x, half_y) = self.part.half_extent_px();
        let side = |centre: f64, half: f64| {
            let (from, to) = ((centre - half).round() as i64, (centre + half).round() as i64);
            (from, u32::try_from(to - from).unwrap_or(1).max(1))
        };
        let ((x, width), (y, height)) = (side(self.x, half_x), side(self.y, half_y));
        (x, y, width, height)
    }

    /// How far from its centre the metal begins in the row at `y`, going along `direction`.
    #[expect(clippy::cast_possible_truncation, reason = "lengths within a part")]
    fn reach(&self, y: f64, direction: f32) -> Option<f64> {
        let half = self.part.half_extent_px().0 as f32;
        let mut x = half * direction;
        while x * direction > -half {
            let place = self.part.place([x, (y - self.y) as f32]);
            let away = self.part.metal.kind.outline(place) * self.part.length;
            if away <= 0.05 {
                return Some(f64::from(x));
            }
            // The outline is at least this far off, so nothing is jumped over.
            x -= away.max(0.05) * direction;
        }
        None
    }
}

pub(crate) fn lay_out(config: &SceneConfig) -> Vec<Placed> {
    let mut rng = stream(config, 0);
    let mut lanes: Vec<Lane> = (0..config.lanes).map(|n| Lane::new(config, n, &mut rng)).collect();
    let mut parts = Vec::new();
    for index in 0..config.parts {
        let at_border = rng.random_bool(f64::from(config.edge_rate));
        let touching = rng.random_bool(f64::from(config.touching_rate));
        let wish = Wish { at_border, touching };
        let part = Part::new(config, index);
        let lane = frontmost(&mut lanes, at_border);
        parts.push(lane.place(config, part, &wish, &parts, &mut rng));
        lane.last = Some(parts.len() - 1);
    }
    parts
}

/// The lane whose next part comes first; only the outer ones when it is to lie at a border.
fn frontmost(lanes: &mut [Lane], at_border: bool) -> &mut Lane {
    let count = lanes.len();
    let outer = |lane: &Lane| lane.number == 0 || lane.number + 1 == count;
    let best = (0..count)
        .filter(|&n| !at_border || outer(&lanes[n]))
        .max_by(|&a, &b| lanes[a].next_x.total_cmp(&lanes[b].next_x))
        .unwrap_or(0);
    &mut lanes[best]
}

struct Lane {
    number: usize,
    y: f64,
    next_x: f64,
    /// The part placed last, as an index.
    last: Option<usize>,
}

struct Wish {
    at_border: bool,
    touching: bool,
}

impl Lane {
    fn new(config: &SceneConfig, number: u8, rng: &mut ChaCha8Rng) -> Self {
        let height = f64::from(config.size.height);
        let length = 0.2 * height;
        let before = EMPTY_BEFORE * f64::from(config.speed_px());
        let phase = rng.random_range(0.0..1.6 * length);
        Self {
            number: usize::from(number),
            y: height * (f64::from(number) + 0.5) / f64::from(config.lanes),
            next_x: -before - 0.65 * length - phase,
            last: None,
        }
    }

    fn place(
        &mut self,
        config: &SceneConfig,
        part: Part,
        wish: &Wish,
        parts: &[Placed],
        rng: &mut ChaCha8Rng,
    ) -> Placed {
        let height = f64::from(config.size.height);
        let length = f64::from(part.length);
        let half_y = part.half_extent_px().1;
        let mut placed =
            Placed { part, x: self.next_x, y: self.y + height * rng.random_range(-0.015..0.015) };
        let hidden = rng.random_range(0.2..0.55);
        let upper = if config.lanes == 1 { rng.random() } else { self.number == 0 };
        if wish.at_border {
            let inside = half_y * (1.0 - 2.0 * hidden);
            placed.y = if upper { inside } else { height - inside };
        }
        if let Some(last) = self.last.filter(|_| wish.touching) {
            placed.y = parts[last].y;
            placed.x = touching_x(&parts[last], &placed);
        }
        let gap = match config.spacing {
            Spacing::Regular => 0.6,
            Spacing::Irregular => 0.3 + 1.5 * rng.random::<f64>().powi(2),
        };
        self.next_x = placed.x - length * (1.0 + gap);
        placed
    }
}

/// Where `part` must lie to touch `ahead` from behind.
fn touching_x(ahead: &Placed, part: &Placed) -> f64 {
    let half = part.part.half_extent_px().1;
    let mut offset = f64::INFINITY;
    let mut y = part.y - half;
    while y < part.y + half {
        if let (Some(left), Some(right)) = (ahead.reach(y, -1.0), part.reach(y, 1.0)) {
            offset = offset.min(left - right);
        }
        y += 1.0;
    }
    // One pixel into each other, or their softened edges would leave a seam of belt.
    if offset.is_finite() { ahead.x + offset + 1.0 } else { part.x }
}
