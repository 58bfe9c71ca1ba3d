//! What a golden sample can be recognised by: takes a level of it, gives its strongest edge points,
//! well spread, with grey and gradient.

use domain::RectPx;

use crate::Picture;
use crate::linear;

/// An edge point of the golden sample.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// From the middle of the picture, in pixels of the level.
    pub x: f32,
    pub y: f32,
    /// Grey.
    pub grey: f32,
    /// Change of grey a pixel, to the right and down.
    pub right: f32,
    pub down: f32,
}

/// The edge points of a level.
#[derive(Clone, Debug)]
pub struct Points {
    pub all: Vec<Point>,
    /// Root mean square distance from the middle.
    pub radius: f32,
    /// Standard deviation of their greys.
    pub contrast: f32,
    /// Of the level's greys.
    pub noise: f32,
}

/// An edge must be this many times steeper than noise is.
const LEAST_STEEP: f32 = 5.0;
/// An edge must have at least this many greys a pixel.
const LEAST_GREYS: f32 = 3.0;
/// An edge must be this steep relative to the strongest: the belt's texture does not move with the
/// part.
const LEAST_SHARE: f32 = 0.2;
/// A gradient's noise for a pixel's: √(2 · (3² + 10² + 3²)) / 32.
const GRADIENT_NOISE: f32 = 0.48;
/// Distance from the picture's border.
const MARGIN: u32 = 3;

impl Points {
    /// At most `most` points inside `part` that stand out of the `noise` of the greys, the
    /// strongest of each small cell.
    pub fn of(
        picture: &Picture<'_>,
        part: RectPx,
        middle: (f32, f32),
        noise: f32,
        most: usize,
    ) -> Self {
        let least = (LEAST_STEEP * noise * GRADIENT_NOISE).max(LEAST_GREYS);
        let size = picture.size();
        let inner = RectPx::from_corners(
            MARGIN,
            MARGIN,
            size.width.saturating_sub(MARGIN),
            size.height.saturating_sub(MARGIN),
        );
        let part = part.intersection(&inner).unwrap_or(RectPx::new(0, 0, 0, 0));
        let step = if part.area() > 64 * most as u64 { 4 } else { 2 };
        let mut all = Vec::new();
        for y in (part.y..part.bottom()).step_by(step as usize) {
            for x in (part.x..part.right()).step_by(step as usize) {
                let cell = RectPx::new(x, y, step, step).intersection(&part);
                let best = cell.and_then(|cell| strongest(picture, cell));
                all.extend(best.filter(|&(steep, ..)| steep > least));
            }
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.2, a.1).cmp(&(b.2, b.1))));
        all.truncate(most);
        let strong = all.get(all.len() / 20).map_or(0.0, |&(steep, ..)| steep);
        all.retain(|&(steep, ..)| steep >= strong * LEAST_SHARE);
        // Along rows, as the crop lies in memory.
        all.sort_by_key(|&(_, x, y)| (y, x));
        let all: Vec<Point> =
            all.into_iter().map(|(_, x, y)| point(picture, x, y, middle)).collect();
        let count = (all.len() as f32).max(1.0);
        let mean = |of: fn(&Point) -> f32| all.iter().map(of).sum::<f32>() / count;
        let radius = mean(|p| p.x * p.x + p.y * p.y).sqrt().max(1.0);
        let contrast = (mean(|p| p.grey * p.grey) - mean(|p| p.grey).powi(2)).max(1.0).sqrt();
        Self { all, radius, contrast, noise }
    }

    /// Sums of products of what a shift to the right, down and a turn (at the radius) change.
    fn information(&self) -> [f64; 9] {
        let mut sums = [0.0; 9];
        for point in &self.all {
            let change = point.changes(self.radius).map(f64::from);
            for (index, sum) in sums.iter_mut().enumerate() {
                *sum += change[index / 3] * change[index % 3];
            }
        }
        sums
    }

    /// What noise alone would add to a change's sum of squares.
    fn noise_squares(&self) -> f64 {
        self.all.len() as f64 * f64::from(self.noise * GRADIENT_NOISE).powi(2)
    }

    /// The direction in which the part could slide unseen, in degrees, if there is one.
    pub fn slides_along(&self) -> Option<f64> {
        let sums = self.information();
        let (a, b, c) = (sums[0] - self.noise_squares(), sums[1], sums[4] - self.noise_squares());
        let (mean, half) = ((a + c) / 2.0, ((a - c) / 2.0).hypot(b));
        // The direction of the greatest change is across.
        let across = (2.0 * b).atan2(a - c) / 2.0;
        let along = (across.to_degrees() + 90.0 + 180.0) % 180.0;
        ((mean - half) < 0.01 * (mean + half)).then_some(along)
    }

    /// How much of the edges' strength shows a turn that is not also a shift, as a share.
    pub fn turning_share(&self) -> f64 {
        let sums = self.information();
        let mut shifts = [sums[0], sums[1], sums[3], sums[4]];
        let mut mixed = [sums[2], sums[5]];
        let (u, v) = (mixed[0], mixed[1]);
        if !linear::factor(&mut shifts, 2) {
            return 0.0;
        }
        linear::solve(&shifts, 2, &mut mixed);
        let left = sums[8] - u * mixed[0] - v * mixed[1];
        (left - self.noise_squares()) / (sums[0] + sums[4])
    }
}

impl Point {
    /// How its grey changes with a shift to the right, down, and a turn by one pixel at `radius`.
    #[inline]
    pub fn changes(&self, radius: f32) -> [f32; 3] {
        [self.right, self.down, (self.down * self.x - self.right * self.y) / radius]
    }
}

/// Scharr's gradient: nearly the same at every direction of an edge.
fn gradient(picture: &Picture<'_>, x: u32, y: u32) -> (f32, f32) {
    let at = |x: u32, y: u32| f32::from(picture.row(y)[x as usize]);
    let across = |y: u32| at(x + 1, y) - at(x - 1, y);
    let along = |x: u32| at(x, y + 1) - at(x, y - 1);
    let mix = |outer: f32, middle: f32| (3.0 * outer + 10.0 * middle) / 32.0;
    (mix(across(y - 1) + across(y + 1), across(y)), mix(along(x - 1) + along(x + 1), along(x)))
}

fn strongest(picture: &Picture<'_>, cell: RectPx) -> Option<(f32, u32, u32)> {
    let places = (cell.y..cell.bottom()).flat_map(|y| (cell.x..cell.right()).map(move |x| (x, y)));
    let steep = places.map(|(x, y)| {
        let (right, down) = gradient(picture, x, y);
        (right.hypot(down), x, y)
    });
    steep.max_by(|a, b| a.0.total_cmp(&b.0))
}

fn point(picture: &Picture<'_>, x: u32, y: u32, middle: (f32, f32)) -> Point {
    let (right, down) = gradient(picture, x, y);
    let grey = f32::from(picture.row(y)[x as usize]);
    Point { x: x as f32 - middle.0, y: y as f32 - middle.1, grey, right, down }
}
