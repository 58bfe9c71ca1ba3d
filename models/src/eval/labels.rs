//! Labels as they are and as a model says: takes pairs of them, gives the confusion matrix and what
//! follows from it. And pairs of what two models say: how far they agree.

use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF};

use super::ranking::real;

/// How often a picture of one label is said to be of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// The labels, in the order of rows and columns.
    pub labels: Vec<String>,
    /// A row a true label, a column a label said.
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// Of pairs of places in `labels`: the true one and the one said.
    #[must_use]
    pub fn new(labels: Vec<String>, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut counts = vec![vec![0; labels.len()]; labels.len()];
        for (truth, said) in pairs {
            counts[truth][said] += 1;
        }
        Self { labels, counts }
    }

    fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    fn right(&self) -> u64 {
        (0..self.labels.len()).map(|label| self.counts[label][label]).sum()
    }

    fn true_of(&self, label: usize) -> u64 {
        self.counts[label].iter().sum()
    }

    fn said_of(&self, label: usize) -> u64 {
        self.counts.iter().map(|row| row[label]).sum()
    }

    /// Share of pictures of which the right label is said; `None` without a picture. As
    /// scikit-learn's `accuracy_score`.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        (self.total() > 0).then(|| real(self.right()) / real(self.total()))
    }

    /// The plain mean, over labels that are true of a picture or said of one, of each label's F1:
    /// `2 right / (true + said)`. As scikit-learn's `f1_score(average="macro")`.
    #[must_use]
    pub fn macro_f1(&self) -> Option<f64> {
        let f1: Vec<f64> = (0..self.labels.len())
            .filter(|label| self.true_of(*label) + self.said_of(*label) > 0)
            .map(|label| {
                let of = self.true_of(label) + self.said_of(label);
                2.0 * real(self.counts[label][label]) / real(of)
            })
            .collect();
        (!f1.is_empty()).then(|| f1.iter().sum::<f64>() / real(f1.len()))
    }

    /// Cohen's kappa: agreement beyond what chance gives, 1 when both always say the same
    /// (Educational and Psychological Measurement 20 (1960) 37–46). `None` without a picture, and
    /// where both say one and the same label of everything: then chance explains it all. As
    /// scikit-learn's `cohen_kappa_score`.
    #[must_use]
    pub fn kappa(&self) -> Option<f64> {
        let total = real(self.total());
        let chance: f64 = (0..self.labels.len())
            .map(|label| real(self.true_of(label)) * real(self.said_of(label)))
            .sum::<f64>()
            / (total * total);
        (self.total() > 0 && chance < 1.0)
            .then(|| (real(self.right()) / total - chance) / (1.0 - chance))
    }
}

/// Pictures that one of two models gets right and the other wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct McNemar {
    /// Only the first is right.
    pub only_first_right: u64,
    /// Only the second is right.
    pub only_second_right: u64,
    /// The chance of a difference at least as large between two models that are equally good:
    /// McNemar's test, exact and two-sided (Psychometrika 12 (1947) 153–157).
    pub p: f64,
}

impl McNemar {
    /// The test on these counts; `p` is 1 where they don't differ.
    #[must_use]
    pub fn new(only_first_right: u64, only_second_right: u64) -> Self {
        let differ = only_first_right + only_second_right;
        let fewer = only_first_right.min(only_second_right);
        let p = match Binomial::new(0.5, differ) {
            Ok(even) if differ > 0 => (2.0 * even.cdf(fewer)).min(1.0),
            _ => 1.0,
        };
        Self { only_first_right, only_second_right, p }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confusion(pairs: &[(usize, usize)]) -> Confusion {
        let labels = ["ok", "dent", "crack"].map(str::to_owned).to_vec();
        Confusion::new(labels, pairs.iter().copied())
    }

    #[test]
    fn nothing_seen_measures_nothing() {
        let none = confusion(&[]);
        assert_eq!((none.accuracy(), none.macro_f1(), none.kappa()), (None, None, None));
    }

    #[test]
    fn labels_that_never_come_up_do_not_count() {
        let all_right = confusion(&[(0, 0), (1, 1)]);
        assert_eq!((all_right.accuracy(), all_right.macro_f1()), (Some(1.0), Some(1.0)));
        // A label that is only said has an F1 of 0.
        let wrong_once = confusion(&[(0, 0), (0, 2), (1, 1)]);
        let f1 = wrong_once.macro_f1().unwrap();
        assert!((f1 - (2.0 / 3.0 + 1.0) / 3.0).abs() < 1e-12, "{f1}");
    }

    #[test]
    fn saying_one_label_of_everything_is_no_agreement() {
        assert_eq!(confusion(&[(0, 0), (0, 0)]).kappa(), None);
        assert_eq!(confusion(&[(0, 0), (1, 1)]).kappa(), Some(1.0));
        assert_eq!(confusion(&[(0, 1), (1, 0)]).kappa(), Some(-1.0));
    }

    #[test]
    fn mcnemar_is_a_coin_thrown() {
        assert_eq!(McNemar::new(0, 0).p, 1.0);
        assert_eq!(McNemar::new(3, 3).p, 1.0);
        assert!((McNemar::new(0, 5).p - 2.0 / 32.0).abs() < 1e-12);
        assert_eq!(McNemar::new(1, 8).p, McNemar::new(8, 1).p);
    }
}
