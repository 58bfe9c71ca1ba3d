//! Few points that stand for many: takes points, gives the numbers of those to keep.
//!
//! Greedy k-centre: the next point kept is the one farthest from all kept so far. No choice of as
//! many points can halve the largest distance that it leaves (Gonzalez 1985; as a coreset: Sener
//! and Savarese, ICLR 2018, arXiv:1708.00489). Distances are those of a random projection onto
//! [`DEPTH`] directions, which keeps them nearly as they are (Johnson and Lindenstrauss 1984).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Directions of the projection.
const DEPTH: usize = 32;

/// Numbers that are added side by side, so that the compiler uses the processor's wide registers.
const LANES: usize = 8;

type Point = [f32; DEPTH];

/// The numbers of `count` of `points`, in the order of choice; of all of them when there are fewer.
/// The first is the one nearest to their mean.
pub(crate) fn chosen(points: &[Point], count: usize) -> Vec<usize> {
    let mut kept = Vec::new();
    let middle = mean(points);
    let mut distances: Vec<f32> = points.iter().map(|point| squared(point, &middle)).collect();
    let Some(mut next) = (0..points.len()).min_by(|a, b| distances[*a].total_cmp(&distances[*b]))
    else {
        return kept;
    };
    distances.fill(f32::INFINITY);
    while kept.len() < count.min(points.len()) {
        kept.push(next);
        let centre = points[next];
        // Kept points stay below every other, copies of them too.
        distances[next] = -1.0;
        let (mut farthest, mut most) = (next, -1.0);
        for (index, (distance, point)) in distances.iter_mut().zip(points).enumerate() {
            *distance = distance.min(squared(point, &centre));
            if *distance > most {
                (farthest, most) = (index, *distance);
            }
        }
        next = farthest;
    }
    kept
}

/// `count` of the numbers below `of`, or all of them, in order; every choice is as likely (Knuth's
/// algorithm S).
pub(crate) fn drawn(random: &mut ChaCha8Rng, of: usize, count: usize) -> Vec<usize> {
    let mut wanted = count;
    let mut is_drawn = |number: &usize| {
        let draw = random.random_range(0..of - number) < wanted;
        wanted -= usize::from(draw);
        draw
    };
    (0..of).filter(|number| is_drawn(number)).collect()
}

fn mean(points: &[Point]) -> Point {
    let mut sums = [0.0_f64; DEPTH];
    for point in points {
        sums.iter_mut().zip(point).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    sums.map(|sum| as_float(sum / points.len() as f64))
}

#[expect(clippy::cast_possible_truncation, reason = "a mean of f32, or a number about 1")]
const fn as_float(value: f64) -> f32 {
    value as f32
}

fn squared(a: &Point, b: &Point) -> f32 {
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    sums.iter().sum()
}

/// Random directions to project on.
pub(crate) struct Projection {
    /// One row of [`DEPTH`] a number of the point.
    rows: Vec<Point>,
}

impl Projection {
    /// For points of `depth` numbers; the same `seed` gives the same directions.
    pub fn new(depth: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let rows = (0..depth).map(|_| [(); DEPTH].map(|()| normal(&mut random))).collect();
        Self { rows }
    }

    /// `point` in these directions; its length is kept on average.
    pub fn of(&self, point: &[f32]) -> Point {
        let mut sums = [0.0_f32; DEPTH];
        for (value, row) in point.iter().zip(&self.rows) {
            sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
        }
        sums.map(|sum| sum / (DEPTH as f32).sqrt())
    }
}

/// A normal number, by Box and Muller.
fn normal(random: &mut ChaCha8Rng) -> f32 {
    let (a, b) = (1.0 - random.random::<f64>(), random.random::<f64>());
    as_float((-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(count: usize, seed: u64) -> Vec<Point> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| [(); DEPTH].map(|()| normal(&mut random))).collect()
    }

    /// The largest distance from a point to the nearest of those kept.
    fn radius(points: &[Point], kept: &[usize]) -> f32 {
        let nearest = |point: &Point| {
            kept.iter().map(|k| squared(point, &points[*k]).sqrt()).fold(f32::INFINITY, f32::min)
        };
        points.iter().map(nearest).fold(0.0, f32::max)
    }

    #[test]
    fn the_farthest_is_next() {
        let at = |x: f32| std::array::from_fn(|i| if i == 0 { x } else { 0.0 });
        let line = [0.0, 1.0, 2.0, 3.0, 10.0, 3.5].map(at);
        // The mean is 3.25; 3 is nearest, and 10 farthest from it.
        assert_eq!(chosen(&line, 4), [3, 4, 0, 1]);
        assert_eq!(chosen(&line, 0), [0_usize; 0]);
        assert_eq!(chosen(&[], 3), [0_usize; 0]);
    }

    #[test]
    fn draws_are_in_order_and_even() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        assert_eq!(drawn(&mut random, 3, 9), [0, 1, 2]);
        let mut counts = [0; 6];
        for _ in 0..6000 {
            let drawn = drawn(&mut random, 6, 2);
            assert!(drawn.len() == 2 && drawn[0] < drawn[1]);
            drawn.iter().for_each(|number| counts[*number] += 1);
        }
        assert!(counts.iter().all(|count| (1850..2150).contains(count)), "{counts:?}");
    }

    #[test]
    fn distances_are_nearly_kept() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let projection = Projection::new(152, 1);
        let many: Vec<Vec<f32>> =
            (0..200).map(|_| (0..152).map(|_| normal(&mut random)).collect()).collect();
        let ratios: Vec<f32> = many
            .windows(2)
            .map(|pair| {
                let plain: f32 = pair[0].iter().zip(&pair[1]).map(|(a, b)| (a - b).powi(2)).sum();
                squared(&projection.of(&pair[0]), &projection.of(&pair[1])) / plain
            })
            .collect();
        let mean = ratios.iter().sum::<f32>() / ratios.len() as f32;
        assert!((mean - 1.0).abs() < 0.15, "{mean}");
        assert!(ratios.iter().all(|ratio| (0.2..3.0).contains(ratio)), "{ratios:?}");
    }

    proptest! {
        #[test]
        fn kept_points_differ_and_cover_the_rest(
            count in 1..120_usize, keep in 1..40_usize, seed: u64,
        ) {
            let points = points(count, seed);
            let kept = chosen(&points, keep);
            prop_assert_eq!(kept.len(), keep.min(count));
            let mut once = kept.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), kept.len());
            // Any two kept points are at least as far apart as the worst covered one is from them:
            // what makes it at most twice the best there is.
            let left = radius(&points, &kept);
            for (i, a) in kept.iter().enumerate() {
                for b in &kept[..i] {
                    prop_assert!(squared(&points[*a], &points[*b]).sqrt() >= left - 1e-5);
                }
            }
            prop_assert!(left <= radius(&points, &kept[..kept.len().div_ceil(2)]));
        }
    }
}
