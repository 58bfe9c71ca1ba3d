//! Takes the scores of parts, gives how they are spread, good and bad apart.

use domain::recipe::LimitsInForce;
use domain::{Verdict, Why};
use serde::Serialize;

use super::row::Row;

/// Number of bins from 0 to 1.
pub const BINS: usize = 20;

/// How the scores of parts are spread over 0..=1, in bins of equal width.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ScoreHistogram {
    /// Good parts in each bin; the last bin holds 1.
    pub good: [u64; BINS],
    /// Bad parts in each bin.
    pub bad: [u64; BINS],
    /// Parts of which the truth says nothing, in each bin.
    pub unknown: [u64; BINS],
    /// From this score a part is rejected, for labels without a limit of their own.
    pub reject_at: Option<f32>,
    /// From this score a part is undecided, for labels without a limit of their own.
    pub undecided_from: Option<f32>,
}

impl ScoreHistogram {
    pub(super) fn new(limits: Option<LimitsInForce>) -> Self {
        Self {
            reject_at: limits.map(|limits| limits.reject_at.get()),
            undecided_from: limits.map(|limits| limits.undecided_from.get()),
            ..Self::default()
        }
    }

    /// Counts the row as bad, good or, for `None`, unknown; not at all when its verdict does not
    /// come from a score.
    pub(super) fn add(&mut self, row: &Row, is_bad: Option<bool>) {
        match &row.verdict {
            Verdict::Pass | Verdict::Reject { .. } => {}
            Verdict::Undecided { why: Why::NearLimit { .. } } => {}
            Verdict::Undecided { .. } => return,
        }
        let bins = match is_bad {
            Some(true) => &mut self.bad,
            Some(false) => &mut self.good,
            None => &mut self.unknown,
        };
        bins[bin_of(row.score)] += 1;
    }

    /// Whether no score was counted.
    pub(super) fn is_empty(&self) -> bool {
        [self.good, self.bad, self.unknown].iter().flatten().all(|count| *count == 0)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first")]
#[expect(clippy::cast_precision_loss, reason = "20")]
pub fn bin_of(score: f32) -> usize {
    ((score.clamp(0.0, 1.0) * BINS as f32) as usize).min(BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake;

    #[test]
    fn scores_fall_into_their_bins() {
        assert_eq!([0.0, 0.049, 0.051, 0.999, 1.0].map(bin_of), [0, 0, 1, 19, 19]);
    }

    #[test]
    fn only_scores_that_decided_are_counted() {
        let mut scores = ScoreHistogram::new(None);
        scores.add(&fake::row(1, fake::reject("dent", 0.97)), Some(true));
        scores.add(&fake::row(2, fake::near_limit("dent", 0.5)), Some(false));
        scores.add(&fake::row(3, Verdict::Undecided { why: Why::PartCut }), Some(false));
        assert_eq!((scores.bad[19], scores.good[10]), (1, 1));
        assert_eq!(scores.good.iter().sum::<u64>(), 1);
    }
}
