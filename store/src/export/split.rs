//! Which pictures are trained on, chosen by and tested with: takes a part, gives its split, the
//! same whatever else is in the store and whatever comes later.

use std::collections::BTreeMap;

use domain::{PartKey, Sha256};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A part of a dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose by.
    Val,
    /// To report on.
    Test,
}

impl Split {
    /// All.
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

/// What is never torn apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitBy {
    /// All pictures of a part.
    #[default]
    Part,
    /// All parts of a run.
    Run,
    /// All runs of a lot; a run of which no lot is known is a lot of its own.
    Lot,
}

impl SplitBy {
    /// All.
    pub const ALL: [Self; 3] = [Self::Part, Self::Run, Self::Lot];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Part => "part",
            Self::Run => "run",
            Self::Lot => "lot",
        }
    }
}

/// Shares that are none.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error("the shares {0}, {1} and {2} are none: give three of at least 0 that add up to 1")]
pub struct ShareError(f64, f64, f64);

/// How a dataset is split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitRule {
    /// What is never torn apart.
    pub by: SplitBy,
    /// Another seed deals anew; the same deals the same, always.
    pub seed: u64,
    train: f64,
    val: f64,
    test: f64,
    /// The lot of each run of which one is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lots: BTreeMap<i64, String>,
}

impl Default for SplitRule {
    fn default() -> Self {
        let (train, val, test) = (0.7, 0.15, 0.15);
        Self { by: SplitBy::Part, seed: 0, train, val, test, lots: BTreeMap::new() }
    }
}

impl SplitRule {
    /// The same with other shares of train, val and test.
    ///
    /// # Errors
    /// When they are negative or do not add up to 1.
    pub fn with_shares(self, [train, val, test]: [f64; 3]) -> Result<Self, ShareError> {
        let each = [train, val, test].iter().all(|share| (0.0..=1.0).contains(share));
        let fits = each && (train + val + test - 1.0).abs() < 1e-6;
        if fits { Ok(Self { train, val, test, ..self }) } else { Err(ShareError(train, val, test)) }
    }

    /// The shares of train, val and test.
    #[must_use]
    pub const fn shares(&self) -> [f64; 3] {
        [self.train, self.val, self.test]
    }

    /// The name of what `key` is never torn apart from.
    #[must_use]
    pub fn group(&self, key: PartKey) -> String {
        let run = || format!("r{:06}", key.run);
        match self.by {
            SplitBy::Part => format!("{}-p{:06}", run(), key.part.0),
            SplitBy::Run => run(),
            SplitBy::Lot => self.lots.get(&key.run).cloned().unwrap_or_else(run),
        }
    }

    /// The split of `key`. It depends on its group, the seed and the shares, and on nothing else.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
    pub fn split(&self, key: PartKey) -> Split {
        let told = format!("{}\n{}\n{}", self.seed, self.by.name(), self.group(key));
        let hex = Sha256::of(told.as_bytes()).to_string();
        let bits = u64::from_str_radix(&hex[..16], 16).unwrap_or(0) >> 11;
        let place = bits as f64 / (1_u64 << 53) as f64;
        match place {
            place if place < self.train => Split::Train,
            // What is not to be tested with must not be for a rounding error.
            place if place < self.train + self.val || self.test == 0.0 => Split::Val,
            _ => Split::Test,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PartId;

    fn key(run: i64, part: u64) -> PartKey {
        PartKey { run, part: PartId(part) }
    }

    fn counts(rule: &SplitRule) -> [usize; 3] {
        let splits: Vec<_> = (1..=10_000).map(|part| rule.split(key(1, part))).collect();
        Split::ALL.map(|split| splits.iter().filter(|found| **found == split).count())
    }

    #[test]
    fn shares_are_kept() {
        let [train, val, test] = counts(&SplitRule::default());
        assert!((6_800..=7_200).contains(&train), "{train}");
        assert!((1_350..=1_650).contains(&val), "{val}");
        assert!((1_350..=1_650).contains(&test), "{test}");
        let all = SplitRule::default().with_shares([1.0, 0.0, 0.0]).unwrap();
        assert_eq!(counts(&all), [10_000, 0, 0]);
        let none = SplitRule::default().with_shares([0.1, 0.9, 0.0]).unwrap();
        assert_eq!(counts(&none)[2], 0);
        assert!(SplitRule::default().with_shares([0.5, 0.5, 0.5]).is_err());
        assert!(SplitRule::default().with_shares([1.5, -0.5, 0.0]).is_err());
        assert!(SplitRule::default().with_shares([f64::NAN, 0.5, 0.5]).is_err());
    }

    /// A new version of this software must not deal anew: what was tested with would be learnt.
    #[test]
    fn the_choice_is_the_same_for_ever() {
        let rule = SplitRule::default();
        let dealt: String = (1..=30).map(|part| &rule.split(key(1, part)).name()[..2]).collect();
        assert_eq!(dealt, "trvatetrvatrtrvavatetrtrvatrvatrtrtrtrtrtetrtrvatrtrtrtrtrtr");
    }

    #[test]
    fn a_lot_is_never_torn_apart() {
        let lots = (1..=40).map(|run| (run, format!("lot {}", run / 4))).collect();
        let rule = SplitRule { by: SplitBy::Lot, lots, ..SplitRule::default() };
        for run in 1..=40 {
            let first = rule.split(key(run - run % 4, 1));
            assert!((1..=9).all(|part| rule.split(key(run, part)) == first));
        }
        let splits: std::collections::BTreeSet<_> =
            (1..=40).map(|run| rule.split(key(run, 1))).collect();
        assert!(splits.len() > 1);
        // A run without a lot is one.
        assert_eq!(rule.group(key(77, 3)), "r000077");
    }

    #[test]
    fn another_seed_deals_anew() {
        let (one, two) = (SplitRule::default(), SplitRule { seed: 1, ..SplitRule::default() });
        let moved = (1..=1_000).filter(|part| one.split(key(1, *part)) != two.split(key(1, *part)));
        assert!(moved.count() > 300);
    }
}
