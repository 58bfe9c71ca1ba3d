//! Where to draw the line: takes the scores of parts that the memory did not see, gives the limits
//! and how often they are wrong.

use serde::{Deserialize, Serialize};

use crate::rate::Rate;

/// What a wrong verdict costs, and how often parts are bad: what decides between two wrongs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Of a bad part that is passed.
    pub escape: f64,
    /// Of a good part that is rejected.
    pub overkill: f64,
    /// Share of parts that are bad.
    pub defect_rate: f64,
}

/// How the limits are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// Share of good parts that may be rejected; what counts without bad parts to look at.
    pub overkill: f64,
    /// Share of good parts that may be undecided, besides.
    pub undecided: f64,
    /// What counts when there are bad parts.
    pub costs: Costs,
}

impl Rule {
    /// One good part in a hundred rejected and two undecided; with bad parts, an escape as dear
    /// as a hundred overkills and one part in a hundred bad, so that both rates weigh the same.
    pub const USUAL: Self = Self {
        overkill: 0.01,
        undecided: 0.02,
        costs: Costs { escape: 100.0, overkill: 1.0, defect_rate: 0.01 },
    };
}

/// Limits in the memory's own distances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    pub reject_at: f32,
    pub undecided_from: f32,
}

/// A score that was given by a memory that had not seen the part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scored {
    pub score: f32,
    pub bad: bool,
    /// Which part of the data it belongs to.
    pub fold: usize,
}

/// How often the limits are wrong. Each part was judged by limits chosen without its fold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Errors {
    /// Good parts rejected.
    pub overkill: Rate,
    /// Good parts rejected or undecided.
    pub overkill_with_undecided: Rate,
    /// Bad parts not rejected; `of` is 0 without bad parts.
    pub escape: Rate,
    /// Bad parts passed: neither rejected nor undecided.
    pub escape_past_undecided: Rate,
}

impl Limits {
    /// The limits that `rule` wants; at least one of `scored` is good.
    pub fn new(scored: &[Scored], rule: &Rule) -> Self {
        let of = |bad| scored.iter().filter(move |s| s.bad == bad).map(|s| s.score).collect();
        let (mut good, mut bad): (Vec<f32>, Vec<f32>) = (of(false), of(true));
        good.sort_by(f32::total_cmp);
        bad.sort_by(f32::total_cmp);
        let reject_at = if bad.is_empty() {
            limit_of_share(&good, rule.overkill)
        } else {
            cheapest(&good, &bad, rule.costs)
        };
        let rejected = if bad.is_empty() { rule.overkill } else { share_from(&good, reject_at) };
        let stopped = limit_of_share(&good, rejected + rule.undecided);
        Self { reject_at, undecided_from: stopped.min(reject_at) }
    }
}

impl Errors {
    /// Counts what goes wrong in each fold with the limits of the others.
    pub(crate) fn cross_validated(scored: &[Scored], folds: usize, rule: &Rule) -> Self {
        let (mut counts, mut of) = ([[0_u64; 2]; 2], [0; 2]);
        for fold in 0..folds {
            let others: Vec<_> = scored.iter().filter(|s| s.fold != fold).copied().collect();
            if others.iter().all(|s| s.bad) {
                continue;
            }
            let limits = Limits::new(&others, rule);
            for part in scored.iter().filter(|s| s.fold == fold) {
                of[usize::from(part.bad)] += 1;
                for (count, limit) in counts[usize::from(part.bad)]
                    .iter_mut()
                    .zip([limits.reject_at, limits.undecided_from])
                {
                    *count += u64::from((part.score >= limit) != part.bad);
                }
            }
        }
        let [good, bad] = of;
        let [[overkill, with_undecided], [escape, past_undecided]] = counts;
        Self {
            overkill: Rate::new(overkill, good),
            overkill_with_undecided: Rate::new(with_undecided, good),
            escape: Rate::new(escape, bad),
            escape_past_undecided: Rate::new(past_undecided, bad),
        }
    }
}

/// The share of `sorted` at `limit` or above.
fn share_from(sorted: &[f32], limit: f32) -> f64 {
    let below = sorted.partition_point(|score| *score < limit);
    (sorted.len() - below) as f64 / sorted.len() as f64
}

/// The limit that `share` of good parts reach, in the long run.
///
/// The upper tail is taken as exponential, as long as the mean by which the tenth of highest
/// scores (five at least) exceeds the next one: so that thirty pictures can speak of one part in a
/// hundred, which their highest score alone can't.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a score is f32; a place among the sorted is not negative"
)]
fn limit_of_share(sorted: &[f32], share: f64) -> f32 {
    let count = sorted.len();
    let tail = (count / 10).max(5).min(count - 1);
    if tail == 0 {
        // One part: nothing is known of how parts differ.
        return sorted[0] * 2.0 + f32::MIN_POSITIVE;
    }
    let start = sorted[count - tail - 1];
    let excess = sorted[count - tail..].iter().map(|score| f64::from(score - start)).sum::<f64>();
    let mean_excess = excess / tail as f64;
    let reaching = tail as f64 / count as f64;
    if share >= reaching {
        // Inside what was seen.
        let index = ((1.0 - share).max(0.0) * count as f64) as usize;
        return sorted[index.min(count - 1)];
    }
    let limit = f64::from(start) + mean_excess * (reaching / share.max(1e-9)).ln();
    (limit as f32).max(start.next_up())
}

/// The limit at which wrong verdicts cost least; of several, the middle of the widest gap between
/// scores.
fn cheapest(good: &[f32], bad: &[f32], costs: Costs) -> f32 {
    let mut scores: Vec<f32> = good.iter().chain(bad).copied().collect();
    scores.sort_by(f32::total_cmp);
    scores.dedup();
    let cost = |limit: f32| {
        let escape = 1.0 - share_from(bad, limit);
        costs.defect_rate * costs.escape * escape
            + (1.0 - costs.defect_rate) * costs.overkill * share_from(good, limit)
    };
    // A limit below all scores and one above them, too.
    let (lowest, highest) = (scores[0], scores[scores.len() - 1]);
    let ends = [(lowest, 0.0), (highest.next_up(), 0.0)];
    let gaps = scores.windows(2).map(|pair| (f32::midpoint(pair[0], pair[1]), pair[1] - pair[0]));
    let best = ends.into_iter().chain(gaps).min_by(|(a, gap_a), (b, gap_b)| {
        cost(*a).total_cmp(&cost(*b)).then(gap_b.total_cmp(gap_a))
    });
    best.map_or(highest, |(limit, _)| limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(score: f32, bad: bool, fold: usize) -> Scored {
        Scored { score, bad, fold }
    }

    #[test]
    fn with_bad_parts_the_cheapest_limit_is_taken() {
        let costs = |escape: f64| Costs { escape, overkill: 1.0, defect_rate: 0.5 };
        // One good part among the bad ones.
        let (good, bad) = ([1.0, 2.0, 6.0], [5.0, 7.0, 8.0]);
        assert_eq!(cheapest(&good, &bad, costs(10.0)), 3.5);
        assert_eq!(cheapest(&good, &bad, costs(0.1)), 6.5);
        // Nothing to tell them apart: the dearer mistake is not made at all.
        assert_eq!(cheapest(&[1.0], &[1.0], costs(10.0)), 1.0);
        assert!(cheapest(&[1.0], &[1.0], costs(0.1)) > 1.0);
        // All is right anywhere between 2 and 9; the middle leaves most room.
        assert_eq!(cheapest(&[1.0, 2.0], &[9.0, 9.5], costs(1.0)), 5.5);
    }

    #[test]
    fn without_bad_parts_the_wanted_share_of_good_ones_reaches_the_limit() {
        // 1000 quantiles of the exponential distribution with mean 1.
        let sorted: Vec<f32> =
            (0..1000).map(|i| -((i as f32 + 0.5) / 1000.0 - 1.0).abs().ln()).collect();
        for share in [0.2, 0.05, 0.01, 0.001, 0.0001] {
            let limit = limit_of_share(&sorted, share);
            let wanted = -share.ln();
            assert!((f64::from(limit) - wanted).abs() < 0.15, "{share}: {limit} is not {wanted}");
        }
    }

    #[test]
    fn few_parts_give_a_limit_above_them() {
        for scores in [vec![3.0], vec![3.0, 3.0], vec![1.0, 2.0, 3.0]] {
            let limit = limit_of_share(&scores, 0.01);
            assert!(limit > 3.0 && limit.is_finite(), "{scores:?}: {limit}");
        }
    }

    #[test]
    fn errors_are_counted_with_the_limits_of_the_others() {
        // Fold 1 scores higher than fold 0: its limits must not judge itself.
        let scored: Vec<_> = (0..60)
            .map(|i| part(i as f32 / 60.0 + if i % 2 == 0 { 0.0 } else { 5.0 }, false, i % 2))
            .collect();
        let rule = Rule::USUAL;
        let errors = Errors::cross_validated(&scored, 2, &rule);
        assert_eq!(errors.overkill, Rate::new(30, 60));
        assert_eq!(errors.escape, Rate::default());
        let limits = Limits::new(&scored, &rule);
        assert!(scored.iter().all(|s| s.score < limits.reject_at), "its own would look perfect");
    }

    #[test]
    fn bad_parts_that_score_high_do_not_escape() {
        let mut scored: Vec<_> =
            (0..40).map(|i| part(1.0 + i as f32 / 40.0, false, i % 3)).collect();
        scored.extend((0..12).map(|i| part(if i == 0 { 1.5 } else { 9.0 }, true, i % 3)));
        let errors = Errors::cross_validated(&scored, 3, &Rule::USUAL);
        assert_eq!((errors.overkill.count, errors.escape.count), (0, 1));
        assert_eq!(errors.escape.of, 12);
        let auroc = crate::eval::auroc(scored.iter().map(|s| (s.score, s.bad))).unwrap();
        assert!((auroc - (11.0 + 0.5 + 0.5 / 40.0) / 12.0).abs() < 1e-6, "{auroc}");
    }

    proptest! {
        #[test]
        fn limits_are_in_order(
            scores in prop::collection::vec((0.0_f32..9.0, any::<bool>()), 1..60),
            overkill in 0.0001..0.3_f64,
        ) {
            let mut scored: Vec<_> = scores.iter().map(|(s, bad)| part(*s, *bad, 0)).collect();
            scored.push(part(1.0, false, 0));
            let limits = Limits::new(&scored, &Rule { overkill, ..Rule::USUAL });
            prop_assert!(limits.reject_at.is_finite() && limits.undecided_from.is_finite());
            prop_assert!(limits.undecided_from <= limits.reject_at);
            let folds = Errors::cross_validated(&scored, 1, &Rule::USUAL);
            prop_assert!(folds.overkill.count <= folds.overkill.of);
        }
    }
}
