//! Who is trained on and who is asked: takes each picture's part and class, gives folds that never
//! split a part and share each class out as evenly as the parts allow.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The fold, below `folds`, of each picture. `groups` and `kinds` have one entry a picture.
///
/// The largest groups are dealt first, each to the fold that is shortest of its classes.
pub(super) fn dealt(groups: &[usize], kinds: &[usize], folds: usize, seed: u64) -> Vec<usize> {
    let classes = kinds.iter().max().map_or(0, |kind| kind + 1);
    let mut hands = vec![vec![0_u64; classes]; groups.iter().max().map_or(0, |group| group + 1)];
    groups.iter().zip(kinds).for_each(|(group, kind)| hands[*group][*kind] += 1);
    let mut all = vec![0_u64; classes];
    hands.iter().flatten().enumerate().for_each(|(at, count)| all[at % classes] += count);
    let mut order: Vec<usize> = (0..hands.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    order.sort_by_key(|group| std::cmp::Reverse(hands[*group].iter().sum::<u64>()));
    let mut has = vec![vec![0_u64; classes]; folds];
    let mut fold_of = vec![0; hands.len()];
    for group in order {
        // By how much the squares of the folds' shares of each class grow.
        let grows = |fold: &usize| {
            let classes =
                hands[group].iter().zip(&has[*fold]).zip(&all).filter(|(_, all)| **all > 0);
            classes
                .map(|((gets, has), all)| share(gets * (2 * has + gets)) / share(*all).powi(2))
                .sum::<f64>()
        };
        let fold = (0..folds).min_by(|a, b| grows(a).total_cmp(&grows(b))).unwrap_or(0);
        has[fold].iter_mut().zip(&hands[group]).for_each(|(has, gets)| *has += gets);
        fold_of[group] = fold;
    }
    groups.iter().map(|group| fold_of[*group]).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of pictures")]
const fn share(count: u64) -> f64 {
    count as f64
}

/// One part in so many is kept apart to stop by.
const STOP: usize = 6;

/// Which of the pictures `chosen` to train on, and which to stop by. No class loses its last group
/// to the latter, which may be empty.
pub(super) fn with_some_to_stop_by(
    chosen: &[usize],
    groups: &[usize],
    kinds: &[usize],
    seed: u64,
) -> (Vec<usize>, Vec<usize>) {
    let of = |from: &[usize]| chosen.iter().map(|at| from[*at]).collect::<Vec<_>>();
    let (groups, kinds) = (of(groups), of(kinds));
    let fold = dealt(&groups, &kinds, STOP, seed);
    let left: Vec<usize> =
        (0..chosen.len()).filter(|at| fold[*at] > 0).map(|at| kinds[at]).collect();
    let orphan = |at: usize| !left.contains(&kinds[at]);
    let kept_for = |at: usize| (0..chosen.len()).any(|o| groups[o] == groups[at] && orphan(o));
    let (fit, stop): (Vec<usize>, Vec<usize>) =
        (0..chosen.len()).partition(|at| fold[*at] > 0 || kept_for(*at));
    let named = |at: Vec<usize>| at.into_iter().map(|at| chosen[at]).collect::<Vec<_>>();
    (named(fit), named(stop))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn classes_are_shared_out() {
        // 30 groups of 4; every third is bad.
        let groups: Vec<usize> = (0..120).map(|at| at / 4).collect();
        let kinds: Vec<usize> = groups.iter().map(|group| usize::from(group % 3 == 0)).collect();
        let fold = dealt(&groups, &kinds, 5, 1);
        for of in 0..5 {
            let in_it =
                |kind: usize| (0..120).filter(|at| fold[*at] == of && kinds[*at] == kind).count();
            assert_eq!((in_it(0), in_it(1)), (16, 8));
        }
        assert_ne!(dealt(&groups, &kinds, 5, 2), fold, "the seed deals");
    }

    #[test]
    fn the_last_group_of_a_class_is_trained_on() {
        let groups: Vec<usize> = (0..40).collect();
        let kinds: Vec<usize> = groups.iter().map(|at| usize::from(*at == 7)).collect();
        for seed in 0..20 {
            let (fit, stop) = with_some_to_stop_by(&groups, &groups, &kinds, seed);
            assert!(fit.contains(&7) && !stop.is_empty());
            assert_eq!(fit.len() + stop.len(), 40);
        }
    }

    proptest! {
        #[test]
        fn no_group_is_split(
            rows in prop::collection::vec((0_usize..12, 0_usize..3), 1..60),
            folds in 2_usize..6,
            seed: u64,
        ) {
            let (groups, kinds): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            let fold = dealt(&groups, &kinds, folds, seed);
            let chosen: Vec<usize> = (0..groups.len()).filter(|at| at % 3 > 0).collect();
            let (fit, stop) = with_some_to_stop_by(&chosen, &groups, &kinds, seed);
            for (a, group) in groups.iter().enumerate() {
                for b in 0..a {
                    prop_assert!(groups[b] != *group || fold[a] == fold[b]);
                }
            }
            prop_assert!(fit.iter().all(|a| stop.iter().all(|b| groups[*a] != groups[*b])));
            prop_assert_eq!(fit.len() + stop.len(), chosen.len());
            prop_assert!(fit.iter().all(|at| chosen.contains(at)));
        }
    }
}
