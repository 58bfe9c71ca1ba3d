//! Scores of good and bad pictures: takes them, gives how well they are told apart, at every limit
//! and at the two limits that an integrator asks for first.

use serde::Serialize;

use crate::rate::Rate;

/// A score and whether the picture is bad.
pub type Scored = (f32, bool);

/// What happens when pictures of `limit` and more are rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// Bad pictures rejected.
    bad: u64,
    /// Good pictures rejected.
    good: u64,
}

/// Pictures by falling score, counted at each limit that tells any two of them apart. Pictures of
/// one score are never told apart, so no order among them makes a difference.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// Limits, falling, with what they reject.
    steps: Vec<(f32, Step)>,
    bad: u64,
    good: u64,
}

/// A rate at a limit that was chosen for it, on the same pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OperatingPoint {
    /// The rate; its interval takes the limit as given, so it is too narrow by what choosing it
    /// on these very pictures gains.
    #[serde(flatten)]
    pub rate: Rate,
    /// Pictures of this score and more are rejected; `None` when no score is high enough.
    pub limit: Option<f32>,
}

/// One point of the curve of escape against overkill.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Share of the good pictures that are rejected.
    pub overkill: f64,
    /// Share of the bad pictures that are not.
    pub escape: f64,
}

/// [`Ranking::auroc`] of `scores`, which are no NaN; `None` unless there is a good and a bad
/// picture.
#[must_use]
pub fn auroc(scores: impl IntoIterator<Item = Scored>) -> Option<f64> {
    Ranking::new(scores).map(|ranking| ranking.auroc())
}

impl Ranking {
    /// Of scores that are no NaN. `None` unless there is a good and a bad picture: with one sort
    /// only there is nothing to tell apart.
    #[must_use]
    pub fn new(scores: impl IntoIterator<Item = Scored>) -> Option<Self> {
        let mut scores: Vec<Scored> = scores.into_iter().collect();
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut steps, mut now) = (Vec::<(f32, Step)>::new(), Step { bad: 0, good: 0 });
        for (score, is_bad) in scores {
            if is_bad {
                now.bad += 1
            } else {
                now.good += 1
            }
            match steps.last_mut() {
                Some((limit, step)) if *limit == score => *step = now,
                _ => steps.push((score, now)),
            }
        }
        (now.bad > 0 && now.good > 0).then_some(Self { steps, bad: now.bad, good: now.good })
    }

    /// Area under the receiver's curve: the chance that a bad picture scores above a good one,
    /// half a chance for equal scores (Hanley and McNeil, Radiology 143 (1982) 29–36). As
    /// scikit-learn's `roc_auc_score`.
    #[must_use]
    pub fn auroc(&self) -> f64 {
        let (mut twice, mut before) = (0_u128, Step { bad: 0, good: 0 });
        for &(_, now) in &self.steps {
            // A trapezoid between two steps, times two, in whole numbers.
            twice += u128::from(now.good - before.good) * u128::from(now.bad + before.bad);
            before = now;
        }
        real(twice) / (2.0 * real(self.bad) * real(self.good))
    }

    /// Average precision: precision at each limit, weighted by what recall it gains; nothing is
    /// interpolated. As scikit-learn's `average_precision_score`.
    #[must_use]
    pub fn average_precision(&self) -> f64 {
        let (mut sum, mut before) = (0.0, 0);
        for &(_, Step { bad, good }) in &self.steps {
            sum += real(bad - before) * (real(bad) / real(bad + good));
            before = bad;
        }
        sum / real(self.bad)
    }

    /// The lowest escape rate among limits that reject at most `overkill` of the good pictures.
    #[must_use]
    pub fn escape_at_overkill(&self, overkill: f64) -> OperatingPoint {
        let allowed = overkill * real(self.good);
        let kept = self.steps.iter().take_while(|(_, step)| real(step.good) <= allowed).last();
        let caught = kept.map_or(0, |(_, step)| step.bad);
        let rate = Rate::new(self.bad - caught, self.bad);
        OperatingPoint { rate, limit: kept.map(|(limit, _)| *limit) }
    }

    /// The overkill rate at the highest limit that lets no bad picture pass.
    #[must_use]
    pub fn overkill_at_zero_escape(&self) -> OperatingPoint {
        let all = self.steps.iter().find(|(_, step)| step.bad == self.bad);
        let good = all.map_or(self.good, |(_, step)| step.good);
        OperatingPoint { rate: Rate::new(good, self.good), limit: all.map(|(limit, _)| *limit) }
    }

    /// Escape against overkill at every limit, from rejecting nothing to rejecting everything.
    pub fn curve(&self) -> impl Iterator<Item = CurvePoint> + '_ {
        let none = CurvePoint { overkill: 0.0, escape: 1.0 };
        let points = self.steps.iter().map(|(_, step)| CurvePoint {
            overkill: real(step.good) / real(self.good),
            escape: real(self.bad - step.bad) / real(self.bad),
        });
        std::iter::once(none).chain(points)
    }
}

/// A count as a number to calculate with.
pub(super) fn real(count: impl TryInto<u128>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a relative error of 1e-16 is meant")]
    let number = count.try_into().unwrap_or(u128::MAX) as f64;
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranking(bad: &[f32], good: &[f32]) -> Option<Ranking> {
        let bad = bad.iter().map(|score| (*score, true));
        Ranking::new(bad.chain(good.iter().map(|score| (*score, false))))
    }

    #[test]
    fn one_sort_alone_is_not_told_apart() {
        assert!(ranking(&[], &[0.1, 0.2]).is_none());
        assert!(ranking(&[0.1], &[]).is_none());
    }

    #[test]
    fn the_two_limits_are_found() {
        let good: Vec<f32> = (0..100_u8).map(|i| f32::from(i) / 200.0).collect();
        let ranking = ranking(&[0.9, 0.495, 0.494, 0.2], &good).unwrap();
        // One good picture of a hundred may go, the one of 0.495; the next is of 0.49.
        let point = ranking.escape_at_overkill(0.01);
        assert_eq!((point.rate.count, point.rate.of, point.limit), (1, 4, Some(0.494)));
        let point = ranking.overkill_at_zero_escape();
        assert_eq!((point.rate.count, point.rate.of, point.limit), (60, 100, Some(0.2)));
    }

    #[test]
    fn no_score_is_high_enough_when_good_pictures_share_the_highest() {
        let point = ranking(&[1.0, 1.0], &[1.0, 0.0]).unwrap().escape_at_overkill(0.01);
        assert_eq!((point.rate.count, point.limit), (2, None));
        let json = serde_json::to_value(point).unwrap();
        assert_eq!((&json["rate"], &json["limit"]), (&1.0.into(), &serde_json::Value::Null));
    }

    proptest! {
        #[test]
        fn auroc_is_the_chance_of_the_right_order(
            scores in prop::collection::vec((0_u8..6, any::<bool>()), 2..40),
        ) {
            let scores: Vec<_> = scores.iter().map(|(s, bad)| (f32::from(*s), *bad)).collect();
            let Some(ranking) = Ranking::new(scores.iter().copied()) else { return Ok(()) };
            let (mut sum, mut pairs) = (0.0, 0.0);
            for (bad, _) in scores.iter().filter(|s| s.1) {
                for (good, _) in scores.iter().filter(|s| !s.1) {
                    sum += if bad > good { 1.0 } else if bad == good { 0.5 } else { 0.0 };
                    pairs += 1.0;
                }
            }
            prop_assert!((ranking.auroc() - sum / pairs).abs() < 1e-12);
            let curve: Vec<_> = ranking.curve().collect();
            let falls = |a: &CurvePoint, b: &CurvePoint| {
                a.overkill <= b.overkill && a.escape >= b.escape
            };
            prop_assert!(curve.is_sorted_by(falls));
            let last = curve.last().unwrap();
            prop_assert_eq!((last.overkill, last.escape), (1.0, 0.0));
        }
    }
}
