//! Few points that stand for many: takes points, gives the numbers of those to keep.
//!
//! Greedy k-centre: the next point kept is the one farthest from all kept so far. No choice of as
//! many points can halve the largest distance that it leaves (Gonzalez 1985; as a coreset: Sener
//! and Savarese, ICLR 2018, arXiv:1708.00489).
//!
//! A point's distance to those kept only falls, so what it was is a bound of what it is: only the
//! point with the highest bound is looked at, and only until another's is higher. Most points are
//! held against few of those kept, and the choice is the same.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Numbers that are added side by side, so that the compiler uses the processor's wide registers.
const LANES: usize = 8;

/// A point that is not kept yet.
struct Waiting {
    /// Squared, to the nearest of the first `seen` that were kept.
    distance: f32,
    seen: usize,
    index: usize,
}

impl Ord for Waiting {
    /// The farthest is the greatest; of several, the first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_index = || Reverse(self.index).cmp(&Reverse(other.index));
        self.distance.total_cmp(&other.distance).then_with(by_index)
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

/// The numbers of `count` of `points`, in the order of choice; of all of them when there are fewer.
/// The first is the one nearest to their mean.
pub(crate) fn chosen(points: &[&[f32]], count: usize) -> Vec<usize> {
    let middle = mean(points);
    let from_middle: Vec<f32> = points.iter().map(|point| squared(point, &middle)).collect();
    let nearest = (0..points.len()).min_by(|a, b| from_middle[*a].total_cmp(&from_middle[*b]));
    let Some(first) = nearest.filter(|_| count > 0) else { return Vec::new() };
    let others = (0..points.len()).filter(|index| *index != first);
    let mut waiting: BinaryHeap<_> = others
        .map(|index| Waiting { distance: squared(points[index], points[first]), seen: 1, index })
        .collect();
    let mut kept = vec![first];
    while kept.len() < count {
        let Some(mut point) = waiting.pop() else { break };
        let next = waiting.peek();
        while point.seen < kept.len() && next.is_none_or(|next| point > *next) {
            let distance = squared(points[point.index], points[kept[point.seen]]);
            point.distance = point.distance.min(distance);
            point.seen += 1;
        }
        if next.is_none_or(|next| point > *next) {
            kept.push(point.index);
        } else {
            waiting.push(point);
        }
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

#[expect(clippy::cast_possible_truncation, reason = "a mean of f32")]
fn mean(points: &[&[f32]]) -> Vec<f32> {
    let mut sums = vec![0.0_f64; points.first().map_or(0, |point| point.len())];
    for point in points {
        sums.iter_mut().zip(*point).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    sums.into_iter().map(|sum| (sum / points.len() as f64) as f32).collect()
}

fn squared(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let ((a, rest_of_a), (b, rest_of_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    let rest = rest_of_a.iter().zip(rest_of_b).map(|(a, b)| (a - b) * (a - b));
    sums.iter().sum::<f32>() + rest.sum::<f32>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    /// Whole numbers, so that many are equally far and some are the same.
    fn points(count: usize, seed: u64) -> Vec<[f32; 11]> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut number = || f32::from(random.random_range(0..4_u8));
        (0..count).map(|_| [(); 11].map(|()| number())).collect()
    }

    fn slices(points: &[[f32; 11]]) -> Vec<&[f32]> {
        points.iter().map(<[f32; 11]>::as_slice).collect()
    }

    /// Every point held against every one kept.
    fn chosen_plainly(points: &[&[f32]], count: usize, first: usize) -> Vec<usize> {
        let mut kept = vec![first];
        while kept.len() < count.min(points.len()) {
            let to_kept = |index: &usize| {
                let to = kept.iter().map(|k| squared(points[*index], points[*k]));
                to.fold(f32::INFINITY, f32::min)
            };
            let left = (0..points.len()).filter(|index| !kept.contains(index));
            let farthest = left.rev().max_by(|a, b| to_kept(a).total_cmp(&to_kept(b)));
            kept.push(farthest.unwrap());
        }
        kept
    }

    #[test]
    fn the_farthest_is_next() {
        let line = [[0.0], [1.0], [2.0], [3.0], [10.0], [3.5]];
        let line: Vec<_> = line.iter().map(<[f32; 1]>::as_slice).collect();
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

    proptest! {
        #[test]
        fn the_choice_is_that_of_looking_at_all(
            count in 1..120_usize, keep in 1..40_usize, seed: u64,
        ) {
            let points = points(count, seed);
            let points = slices(&points);
            let kept = chosen(&points, keep);
            prop_assert_eq!(&kept, &chosen_plainly(&points, keep, kept[0]));
        }
    }
}
