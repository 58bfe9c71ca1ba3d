//! Agreement beyond chance: takes who said what of which part, gives kappa with its interval.
//!
//! Two raters: J. Cohen, "A coefficient of agreement for nominal scales", Educational and
//! Psychological Measurement 20 (1960) 37–46. Its standard error when kappa is not zero: J. L.
//! Fleiss, J. Cohen and B. S. Everitt, "Large sample standard errors of kappa and weighted kappa",
//! Psychological Bulletin 72 (1969) 323–327, equation 13.
//!
//! Many raters, not the same for every part: J. L. Fleiss, "Measuring nominal scale agreement among
//! many raters", Psychological Bulletin 76 (1971) 378–382, with parts weighing the same however
//! many rated them. Its standard error, for which nothing need be independent but the parts: K. L.
//! Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement",
//! British Journal of Mathematical and Statistical Psychology 61 (2008) 29–48.

use serde::Serialize;

/// The quantile of the normal distribution for intervals of 95 %.
const Z95: f64 = 1.959_963_984_540_054;

/// How far raters agree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Kappa {
    /// Parts, or pairs of labels of a part, that went into it.
    pub items: u64,
    /// Share of agreement, 0..=1.
    pub observed: f64,
    /// Share of agreement that chance alone would give, 0..=1.
    pub expected: f64,
    /// (observed − expected) / (1 − expected): 1 for perfect agreement, 0 for that of chance.
    /// Absent when everybody always said the same one thing, for then chance explains it all.
    pub kappa: Option<f64>,
    /// Both ends of its interval of 95 %, within -1..=1; absent with kappa and for a single item.
    pub interval95: Option<(f64, f64)>,
}

impl Kappa {
    fn new(items: u64, observed: f64, expected: f64, error: impl Fn(f64) -> Option<f64>) -> Self {
        let is_told_apart = expected < 1.0 - 1e-12;
        let kappa = is_told_apart.then(|| (observed - expected) / (1.0 - expected));
        let interval95 = kappa.and_then(|kappa| {
            let reach = Z95 * error(kappa)?;
            Some(((kappa - reach).max(-1.0), (kappa + reach).min(1.0)))
        });
        Self { items, observed, expected, kappa, interval95 }
    }
}

/// Cohen's kappa. `table[i][j]` says of how many items one rater said `i` and the other `j`; it is
/// square. `None` without items.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of labels")]
pub fn cohen(table: &[Vec<u64>]) -> Option<Kappa> {
    let items: u64 = table.iter().flatten().sum();
    if items == 0 {
        return None;
    }
    let n = items as f64;
    let share = |i: usize, j: usize| table[i][j] as f64 / n;
    let all = 0..table.len();
    let one: Vec<f64> = all.clone().map(|i| all.clone().map(|j| share(i, j)).sum()).collect();
    let other: Vec<f64> = all.clone().map(|j| all.clone().map(|i| share(i, j)).sum()).collect();
    let observed: f64 = all.clone().map(|i| share(i, i)).sum();
    let expected: f64 = one.iter().zip(&other).map(|(a, b)| a * b).sum();
    let error = |kappa: f64| {
        let rest = 1.0 - kappa;
        let mut sum = -(kappa - expected * rest).powi(2);
        for (i, j) in all.clone().flat_map(|i| all.clone().map(move |j| (i, j))) {
            sum += share(i, j)
                * match i == j {
                    true => (1.0 - (one[i] + other[i]) * rest).powi(2),
                    false => (rest * (other[i] + one[j])).powi(2),
                };
        }
        (items > 1).then(|| (sum.max(0.0) / n).sqrt() / (1.0 - expected))
    };
    Some(Kappa::new(items, observed, expected, error))
}

/// Fleiss' kappa. `counts[part][category]` says how many said so of the part; parts of which fewer
/// than two said anything are left out. `None` without others.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of labels")]
pub fn fleiss(counts: &[Vec<u64>]) -> Option<Kappa> {
    let raters = |part: &[u64]| part.iter().sum::<u64>();
    let parts: Vec<&Vec<u64>> = counts.iter().filter(|part| raters(part) >= 2).collect();
    let categories = parts.first()?.len();
    let n = parts.len() as f64;
    let share = |part: &[u64], category: usize| part[category] as f64 / raters(part) as f64;
    let agreement = |part: &[u64]| {
        let r = raters(part) as f64;
        let pairs: f64 = part.iter().map(|&said| said as f64 * (said as f64 - 1.0)).sum();
        pairs / (r * (r - 1.0))
    };
    let shares: Vec<f64> = (0..categories)
        .map(|category| parts.iter().map(|part| share(part, category)).sum::<f64>() / n)
        .collect();
    let observed = parts.iter().map(|part| agreement(part)).sum::<f64>() / n;
    let expected: f64 = shares.iter().map(|share| share * share).sum();
    let error = |kappa: f64| {
        let of_part = |part: &&Vec<u64>| {
            let chance: f64 = (0..categories).map(|i| shares[i] * share(part, i)).sum();
            let own = (agreement(part) - expected) / (1.0 - expected);
            own - 2.0 * (1.0 - kappa) * (chance - expected) / (1.0 - expected)
        };
        let squares: f64 = parts.iter().map(|part| (of_part(part) - kappa).powi(2)).sum();
        (parts.len() > 1).then(|| (squares / (n * (n - 1.0))).sqrt())
    };
    Some(Kappa::new(parts.len() as u64, observed, expected, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Table 1 of Fleiss (1971): six psychiatrists, thirty patients, five diagnoses.
    const DIAGNOSES: [[u64; 5]; 30] = [
        [0, 0, 0, 6, 0],
        [0, 3, 0, 0, 3],
        [0, 1, 4, 0, 1],
        [0, 0, 0, 0, 6],
        [0, 3, 0, 3, 0],
        [2, 0, 4, 0, 0],
        [0, 0, 4, 0, 2],
        [2, 0, 3, 1, 0],
        [2, 0, 0, 4, 0],
        [0, 0, 0, 0, 6],
        [1, 0, 0, 5, 0],
        [1, 1, 0, 4, 0],
        [0, 3, 3, 0, 0],
        [1, 0, 0, 5, 0],
        [0, 2, 0, 3, 1],
        [0, 0, 5, 0, 1],
        [3, 0, 0, 1, 2],
        [5, 1, 0, 0, 0],
        [0, 2, 0, 4, 0],
        [1, 0, 2, 0, 3],
        [0, 0, 0, 0, 6],
        [0, 1, 0, 5, 0],
        [0, 2, 0, 1, 3],
        [2, 0, 0, 4, 0],
        [1, 0, 0, 4, 1],
        [0, 5, 0, 1, 0],
        [4, 0, 0, 0, 2],
        [0, 2, 0, 4, 0],
        [1, 0, 5, 0, 0],
        [0, 0, 0, 0, 6],
    ];

    fn table(rows: &[&[u64]]) -> Vec<Vec<u64>> {
        rows.iter().map(|row| row.to_vec()).collect()
    }

    fn half_width(kappa: &Kappa) -> f64 {
        let (low, high) = kappa.interval95.unwrap();
        (high - low) / 2.0
    }

    fn is_near(value: f64, published: f64, within: f64) {
        assert!((value - published).abs() <= within, "{value}, published {published}");
    }

    #[test]
    fn fleiss_gives_what_fleiss_found() {
        let counts: Vec<_> = DIAGNOSES.iter().map(|row| row.to_vec()).collect();
        let found = fleiss(&counts).unwrap();
        is_near(found.observed, 0.556, 0.0005);
        is_near(found.expected, 0.220, 0.0005);
        is_near(found.kappa.unwrap(), 0.430, 0.0005);
        // The error against one that is found in another way: leaving each part out in turn.
        let without = |i: usize| {
            let mut rest = counts.clone();
            rest.remove(i);
            fleiss(&rest).unwrap().kappa.unwrap()
        };
        let left: Vec<f64> = (0..30).map(without).collect();
        let mean = left.iter().sum::<f64>() / 30.0;
        let jackknife = (29.0 / 30.0 * left.iter().map(|k| (k - mean).powi(2)).sum::<f64>()).sqrt();
        is_near(half_width(&found) / Z95, jackknife, 0.05 * jackknife);
    }

    #[test]
    fn fleiss_gives_the_worked_example_of_the_encyclopedia() {
        // Wikipedia, "Fleiss' kappa": ten subjects, fourteen raters, kappa 0.210.
        let counts = table(&[
            &[0, 0, 0, 0, 14],
            &[0, 2, 6, 4, 2],
            &[0, 0, 3, 5, 6],
            &[0, 3, 9, 2, 0],
            &[2, 2, 8, 1, 1],
            &[7, 7, 0, 0, 0],
            &[3, 2, 6, 3, 0],
            &[2, 5, 3, 2, 2],
            &[6, 5, 2, 1, 0],
            &[0, 2, 2, 3, 7],
        ]);
        is_near(fleiss(&counts).unwrap().kappa.unwrap(), 0.210, 0.0005);
    }

    #[test]
    fn cohen_gives_the_worked_examples() {
        // Wikipedia, "Cohen's kappa": 50 grant proposals, kappa 0.40.
        let grants = cohen(&table(&[&[20, 5], &[10, 15]])).unwrap();
        is_near(grants.kappa.unwrap(), 0.4, 1e-12);
        assert_eq!((grants.items, grants.observed, grants.expected), (50, 0.7, 0.5));
        // Fleiss, Levin and Paik, "Statistical Methods for Rates and Proportions" (2003), table
        // 18.1: 100 patients, kappa 0.68 with a standard error of 0.087.
        let patients = cohen(&table(&[&[75, 1, 4], &[5, 4, 1], &[0, 0, 10]])).unwrap();
        is_near(patients.kappa.unwrap(), 0.676, 0.0005);
        is_near(half_width(&patients) / Z95, 0.087, 0.001);
    }

    #[test]
    fn what_cannot_be_told_is_not() {
        assert_eq!(cohen(&table(&[&[0, 0], &[0, 0]])), None);
        assert_eq!(fleiss(&table(&[&[1, 0], &[0, 1]])), None);
        let always = cohen(&table(&[&[9, 0], &[0, 0]])).unwrap();
        assert_eq!((always.observed, always.kappa, always.interval95), (1.0, None, None));
        let always = fleiss(&table(&[&[2, 0], &[3, 0]])).unwrap();
        assert_eq!((always.observed, always.kappa), (1.0, None));
        let once = cohen(&table(&[&[0, 1], &[0, 0]])).unwrap();
        assert_eq!((once.kappa, once.interval95), (Some(0.0), None));
    }

    proptest! {
        #[test]
        fn kappa_and_its_interval_are_where_they_can_be(
            cells in prop::collection::vec(0_u64..40, 9),
        ) {
            let rows: Vec<Vec<u64>> = cells.chunks(3).map(<[u64]>::to_vec).collect();
            for found in [cohen(&rows), fleiss(&rows)].into_iter().flatten() {
                if let (Some(kappa), Some((low, high))) = (found.kappa, found.interval95) {
                    prop_assert!((-1.0..=1.0).contains(&kappa));
                    prop_assert!(-1.0 <= low && low <= kappa + 1e-9);
                    prop_assert!(kappa - 1e-9 <= high && high <= 1.0);
                }
            }
        }

        #[test]
        fn who_is_first_and_how_categories_are_ordered_does_not_matter(
            cells in prop::collection::vec(1_u64..40, 9),
        ) {
            let rows: Vec<Vec<u64>> = cells.chunks(3).map(<[u64]>::to_vec).collect();
            let turned: Vec<Vec<u64>> =
                (0..3).map(|i| (0..3).map(|j| rows[j][i]).collect()).collect();
            let reversed: Vec<Vec<u64>> =
                rows.iter().rev().map(|row| row.iter().rev().copied().collect()).collect();
            let found = cohen(&rows).unwrap();
            for other in [cohen(&turned).unwrap(), cohen(&reversed).unwrap()] {
                prop_assert!((found.kappa.unwrap() - other.kappa.unwrap()).abs() < 1e-9);
                prop_assert!((half_width(&found) - half_width(&other)).abs() < 1e-9);
            }
        }
    }
}
