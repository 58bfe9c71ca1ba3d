//! Makes a pose exact on one level: takes the golden sample's edge points, a picture and a pose
//! that is nearly right, gives the pose at which they fit, and how well.

use super::points::{Point, Points};
use super::pyramid::{between, inner};
use crate::Picture;
use crate::linear;
use crate::rounding::single;

/// A pose in pixels of a level, about the level's middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub dx: f64,
    pub dy: f64,
    pub angle: f64,
    pub scale: f64,
}

impl Place {
    /// The same place on a level with twice the pixels.
    pub const fn doubled(self) -> Self {
        Self { dx: 2.0 * self.dx, dy: 2.0 * self.dy, ..self }
    }
}

/// What of a pose is looked for besides the shift.
#[derive(Clone, Copy, Debug)]
pub struct Free {
    pub angle: bool,
    pub scale: bool,
}

/// How well points fit at a place.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    pub place: Place,
    /// Share of the points whose edge is there, running the same way.
    pub found: f64,
    /// Difference left, as a share of the points' contrast.
    pub residual: f64,
    /// Standard errors of the shift, in pixels of the level, and the angle, in radians.
    pub std_px: f64,
    pub std_angle: f64,
}

impl Fit {
    /// Of a place that was not tried yet.
    pub const fn unknown(place: Place) -> Self {
        Self { place, found: 0.0, residual: f64::INFINITY, std_px: 0.0, std_angle: 0.0 }
    }
}

/// Unknowns: shift, lamp (strength, its slope to the right and down, black level), turn, scale.
const MOST: usize = 8;
/// Of these the lamp's.
const LAMP: std::ops::Range<usize> = 2..6;
const ANGLE: usize = 6;
const SCALE: usize = 7;
/// Tukey's biweight keeps 95 % efficiency at this many standard deviations.
const TUKEY: f32 = 4.685;
/// Steps on a level, at most.
const MOST_STEPS: usize = 15;
/// A step of fewer pixels is the last.
const LAST_STEP: f64 = 0.004;

/// Memory for the points of the level with the most of them.
#[derive(Clone, Debug)]
pub struct Refiner {
    /// Grey seen at each point; not a number outside the picture.
    seen: Vec<f32>,
    sorted: Vec<f32>,
}

/// What the lamp does to the golden sample's greys: strength, its slopes, black level.
type Lamp = [f32; 4];

/// Normal equations of one step.
struct Sums {
    matrix: [f64; MOST * MOST],
    right: [f64; MOST],
    /// Of differences before the step, weighted.
    squares: f64,
    weights: f64,
}

impl Refiner {
    pub fn new(most_points: usize) -> Self {
        Self { seen: Vec::with_capacity(most_points), sorted: Vec::with_capacity(most_points) }
    }

    /// The pose at which `points` fit `picture`, from `start` on. `None` where too few of them are
    /// in the picture, or they do not determine it.
    pub fn refine(
        &mut self,
        points: &Points,
        picture: &Picture<'_>,
        middle: (f32, f32),
        start: Place,
        free: Free,
    ) -> Option<Fit> {
        let (mut place, radius) = (start, f64::from(points.radius));
        self.look(points, picture, middle, place)?;
        let mut lamp = [1.0, 0.0, 0.0, self.black_level(points)];
        let mut errors = (f64::INFINITY, f64::INFINITY, 0.0);
        for _ in 0..MOST_STEPS {
            let spread = self.spread(points, lamp).max(points.noise);
            let mut sums = self.sums(points, lamp, spread);
            sums.hold(ANGLE, free.angle);
            sums.hold(SCALE, free.scale);
            if !linear::factor(&mut sums.matrix, MOST) {
                return None;
            }
            linear::solve(&sums.matrix, MOST, &mut sums.right);
            for (value, new) in lamp.iter_mut().zip(&sums.right[LAMP]) {
                *value = single(*new);
            }
            errors = sums.errors(radius);
            let moved = place.step(&sums.right, radius);
            self.look(points, picture, middle, place)?;
            if moved < LAST_STEP {
                break;
            }
        }
        let (residual, std_px, std_angle) = errors;
        Some(Fit {
            place,
            found: found(points, picture, middle, place),
            residual: residual / f64::from(points.contrast),
            std_px,
            std_angle: if free.angle { std_angle } else { 0.0 },
        })
    }

    /// Reads the picture at all points. `None` where fewer than a quarter of them are in it.
    fn look(
        &mut self,
        points: &Points,
        picture: &Picture<'_>,
        middle: (f32, f32),
        place: Place,
    ) -> Option<()> {
        let to = Mapping::of(place, middle);
        self.seen.clear();
        self.seen.extend(points.all.iter().map(|point| {
            let (x, y) = to.place(point.x, point.y);
            between(picture, x, y).unwrap_or(f32::NAN)
        }));
        let inside = self.seen.iter().filter(|seen| !seen.is_nan()).count();
        (inside * 4 > points.all.len()).then_some(())
    }

    /// The median difference, as a first black level.
    fn black_level(&mut self, points: &Points) -> f32 {
        let pairs = self.seen.iter().zip(&points.all);
        self.sorted.clear();
        self.sorted.extend(pairs.map(|(seen, point)| seen - point.grey).filter(|d| !d.is_nan()));
        median(&mut self.sorted)
    }

    /// A standard deviation of what is left, by its median.
    fn spread(&mut self, points: &Points, lamp: Lamp) -> f32 {
        let scale = 1.0 / points.radius;
        let pairs = self.seen.iter().zip(&points.all);
        self.sorted.clear();
        self.sorted.extend(
            pairs
                .map(|(seen, point)| (seen - lit(point, lamp, scale)).abs())
                .filter(|left| !left.is_nan()),
        );
        1.4826 * median(&mut self.sorted)
    }

    fn sums(&self, points: &Points, lamp: Lamp, spread: f32) -> Sums {
        let scale = 1.0 / points.radius;
        let mut sums =
            Sums { matrix: [0.0; MOST * MOST], right: [0.0; MOST], squares: 0.0, weights: 0.0 };
        for (&seen, point) in self.seen.iter().zip(&points.all) {
            let left = seen - lit(point, lamp, scale);
            let share = left / (TUKEY * spread);
            // False for what is outside the picture, too.
            if share.abs() < 1.0 {
                let weight = f64::from((1.0 - share * share).powi(2));
                sums.add(&changes(point, lamp, scale), f64::from(seen), weight);
                sums.squares += weight * f64::from(left * left);
                sums.weights += weight;
            }
        }
        sums
    }
}

/// The golden sample's grey under the lamp.
#[inline]
fn lit(point: &Point, lamp: Lamp, scale: f32) -> f32 {
    let strength = lamp[0] + (lamp[1] * point.x + lamp[2] * point.y) * scale;
    point.grey * strength + lamp[3]
}

/// How a point's grey changes with each unknown.
#[inline]
fn changes(point: &Point, lamp: Lamp, scale: f32) -> [f64; MOST] {
    let (u, v) = (point.x * scale, point.y * scale);
    let strength = lamp[0] + lamp[1] * u + lamp[2] * v;
    let (right, down) = (point.right * strength, point.down * strength);
    let turn = down * u - right * v;
    let grow = right * u + down * v;
    [right, down, point.grey, point.grey * u, point.grey * v, 1.0, turn, grow].map(f64::from)
}

impl Sums {
    /// Adds a point: only the lower triangle, the rest is not read.
    #[inline]
    fn add(&mut self, changes: &[f64; MOST], seen: f64, weight: f64) {
        for (row, change) in changes.iter().enumerate() {
            let weighted = weight * change;
            self.right[row] += weighted * seen;
            for (sum, other) in self.matrix[row * MOST..][..=row].iter_mut().zip(changes) {
                *sum += weighted * other;
            }
        }
    }

    /// Holds an unknown that is not looked for at nothing.
    fn hold(&mut self, unknown: usize, free: bool) {
        if free {
            return;
        }
        for other in 0..MOST {
            self.matrix[unknown * MOST + other] = 0.0;
            self.matrix[other * MOST + unknown] = 0.0;
        }
        self.matrix[unknown * MOST + unknown] = 1.0;
        self.right[unknown] = 0.0;
    }

    /// Root mean square of what is left, and standard errors of shift and angle; after factoring.
    fn errors(&self, radius: f64) -> (f64, f64, f64) {
        let variance = self.squares / (self.weights - MOST as f64).max(1.0);
        let error = |unknown: usize| {
            let mut unit = [0.0; MOST];
            unit[unknown] = 1.0;
            linear::solve(&self.matrix, MOST, &mut unit);
            (variance * unit[unknown]).sqrt()
        };
        let rms = (self.squares / self.weights.max(1.0)).sqrt();
        (rms, error(0).max(error(1)), error(ANGLE) / radius)
    }
}

impl Place {
    /// Undoes the change that would make the golden sample look like the picture; gives by how many
    /// pixels it moved.
    fn step(&mut self, change: &[f64; MOST], radius: f64) -> f64 {
        let (turn, grow) = (change[ANGLE] / radius, change[SCALE] / radius);
        self.angle -= turn;
        self.scale /= 1.0 + grow.clamp(-0.2, 0.2);
        let (sin, cos) = self.angle.sin_cos();
        self.dx -= self.scale * (cos * change[0] - sin * change[1]);
        self.dy -= self.scale * (sin * change[0] + cos * change[1]);
        change[0].hypot(change[1]) + change[ANGLE].abs() + change[SCALE].abs()
    }
}

/// From the golden sample's points to the picture's pixels.
#[derive(Clone, Copy)]
struct Mapping {
    cos: f32,
    sin: f32,
    x: f32,
    y: f32,
}

impl Mapping {
    fn of(place: Place, middle: (f32, f32)) -> Self {
        let (sin, cos) = place.angle.sin_cos();
        Self {
            cos: single(place.scale * cos),
            sin: single(place.scale * sin),
            x: middle.0 + single(place.dx),
            y: middle.1 + single(place.dy),
        }
    }

    #[inline]
    fn place(self, x: f32, y: f32) -> (f32, f32) {
        (self.x + self.cos * x - self.sin * y, self.y + self.sin * x + self.cos * y)
    }

    /// The same for a direction.
    #[inline]
    fn turn(self, x: f32, y: f32) -> (f32, f32) {
        (self.cos * x - self.sin * y, self.sin * x + self.cos * y)
    }
}

/// The share of points whose edge is in the picture, within 45° of its direction and at least a
/// third as steep: what Steger (2002) matches by, as a count.
fn found(points: &Points, picture: &Picture<'_>, middle: (f32, f32), place: Place) -> f64 {
    let to = Mapping::of(place, middle);
    let there = points.all.iter().filter(|point| {
        let (x, y) = to.place(point.x, point.y);
        if between(picture, x, y).is_none() {
            return false;
        }
        let right = (inner(picture, x + 1.0, y) - inner(picture, x - 1.0, y)) / 2.0;
        let down = (inner(picture, x, y + 1.0) - inner(picture, x, y - 1.0)) / 2.0;
        let (wanted_right, wanted_down) = to.turn(point.right, point.down);
        let along = right * wanted_right + down * wanted_down;
        let wanted = wanted_right.hypot(wanted_down);
        along > 0.7 * wanted * right.hypot(down) && right.hypot(down) > wanted / 3.0
    });
    there.count() as f64 / points.all.len().max(1) as f64
}

fn median(values: &mut [f32]) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}
