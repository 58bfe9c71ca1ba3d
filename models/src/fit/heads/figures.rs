//! How good a model is: takes what it said of pictures that it was not trained on, by limits that
//! were not chosen on them, gives the figures that its card shows.

use std::collections::HashSet;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::limits::{Answer, Limits, PixelCounts};
use crate::rate::Rate;

/// What was measured on pictures that the model was not trained on, by limits that were not chosen
/// on them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Pictures.
    pub images: usize,
    /// Parts that they show.
    pub groups: usize,
    /// How well pictures' scores tell bad from good: 0.5 is chance, 1 is always. Absent when there
    /// are only good ones or only bad ones.
    pub auroc: Option<f64>,
    /// Its 95 % interval, from drawing parts again and again.
    pub auroc_low95: Option<f64>,
    /// Upper end.
    pub auroc_high95: Option<f64>,
    /// Share of pictures that are called what they are.
    pub accuracy: f64,
    /// Mean over labels of the harmonic mean of precision and recall.
    pub macro_f1: f64,
    /// Segmenters: area under the precision-recall curve of pixels, any defect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_ap: Option<f64>,
    /// Segmenters: overlap of what is marked and what is defective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_iou: Option<f64>,
    /// Bad pictures that are not rejected.
    pub escape: Rate,
    /// Good pictures that are rejected.
    pub overkill: Rate,
    /// Bad pictures that are neither rejected nor undecided.
    pub escape_unseen: Rate,
    /// Good pictures that are rejected or undecided.
    pub overkill_stopped: Rate,
    /// One a label that is a defect's.
    pub classes: Vec<ClassFigures>,
}

/// What was measured of one kind of defect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    /// The label.
    pub label: String,
    /// Pictures with it.
    pub images: usize,
    /// Parts with it.
    pub groups: usize,
    /// Of those pictures, rejected for any reason.
    pub caught: Rate,
    /// Of those pictures, rejected for this reason.
    pub named: Rate,
}

/// A picture by certain limits.
struct Judged<'a> {
    kinds: &'a [usize],
    group: usize,
    scores: Vec<f32>,
    best: f32,
    limits: Limits,
    /// The labels it is called by.
    called: Vec<usize>,
}

impl<'a> Judged<'a> {
    fn new(answer: &Answer<'a>, limits: &Limits) -> Self {
        let scores = answer.scores(limits.cells());
        let best = scores.iter().copied().fold(0.0, f32::max);
        let highest =
            |of: &[f32]| (0..of.len()).rev().max_by(|a, b| of[*a].total_cmp(&of[*b])).unwrap_or(0);
        let called = if limits.cells().is_none() {
            vec![highest(answer.probabilities.column(0).as_slice())]
        } else if best < limits.reject_at {
            vec![0]
        } else if answer.kinds.len() == 1 {
            vec![highest(&scores)]
        } else {
            (1..scores.len()).filter(|label| scores[*label] >= limits.reject_at).collect()
        };
        Self { kinds: answer.kinds, group: answer.group, scores, best, limits: *limits, called }
    }

    fn is_bad(&self) -> bool {
        self.kinds != [0]
    }

    fn is_rejected(&self) -> bool {
        self.best >= self.limits.reject_at
    }
}

/// The figures of `answers`, each by the limits that go with it.
pub(super) fn figures(answers: &[(&Answer<'_>, Limits)], labels: &[String], seed: u64) -> Figures {
    let mut pixels = PixelCounts::new();
    answers.iter().for_each(|(answer, _)| answer.count_pixels(&mut pixels));
    let judged: Vec<_> =
        answers.iter().map(|(answer, limits)| Judged::new(answer, limits)).collect();
    let rate = |of: &dyn Fn(&Judged<'_>) -> bool, is: &dyn Fn(&Judged<'_>) -> bool| {
        let of: Vec<_> = judged.iter().filter(|one| of(one)).collect();
        Rate::new(of.iter().filter(|one| is(one)).count() as u64, of.len() as u64)
    };
    let stopped = |one: &Judged<'_>| one.best >= one.limits.undecided_from;
    let class = |label: usize| {
        let of = |one: &Judged<'_>| one.kinds.contains(&label);
        ClassFigures {
            label: labels[label].clone(),
            images: judged.iter().filter(|one| of(one)).count(),
            groups: groups(judged.iter().filter(|one| of(one))),
            caught: rate(&of, &|one| one.is_rejected()),
            named: rate(&of, &|one| one.scores[label] >= one.limits.reject_at),
        }
    };
    let (bad, good) = scores_of(&judged);
    let apart = (!bad.is_empty() && !good.is_empty()).then(|| auroc(&bad, &good));
    let interval = apart.and_then(|_| auroc_interval(&judged, seed));
    let threshold = answers.iter().find_map(|(_, limits)| limits.pixel_threshold);
    let right = judged.iter().filter(|one| one.called.iter().any(|call| one.kinds.contains(call)));
    Figures {
        images: judged.len(),
        groups: groups(judged.iter()),
        auroc: apart,
        auroc_low95: interval.map(|(low, _)| low),
        auroc_high95: interval.map(|(_, high)| high),
        accuracy: real(right.count()) / real(judged.len().max(1)),
        macro_f1: macro_f1(&judged, labels.len()),
        pixel_ap: threshold.map(|_| pixels.average_precision()),
        pixel_iou: threshold.map(|threshold| pixels.iou(threshold)),
        escape: rate(&|one| one.is_bad(), &|one| !one.is_rejected()),
        overkill: rate(&|one| !one.is_bad(), &|one| one.is_rejected()),
        escape_unseen: rate(&|one| one.is_bad(), &|one| !stopped(one)),
        overkill_stopped: rate(&|one| !one.is_bad(), &stopped),
        classes: (1..labels.len()).map(class).collect(),
    }
}

fn groups<'a>(judged: impl Iterator<Item = &'a Judged<'a>>) -> usize {
    judged.map(|one| one.group).collect::<HashSet<_>>().len()
}

fn scores_of(judged: &[Judged<'_>]) -> (Vec<f32>, Vec<f32>) {
    let of = |is_bad: bool| {
        judged.iter().filter(|one| one.is_bad() == is_bad).map(|one| one.best).collect()
    };
    (of(true), of(false))
}

/// The chance that a bad picture scores higher than a good one; ties count half. Neither is empty.
pub(super) fn auroc(bad: &[f32], good: &[f32]) -> f64 {
    let all =
        bad.iter().map(|score| (*score, true)).chain(good.iter().map(|score| (*score, false)));
    crate::eval::auroc(all).unwrap_or_default()
}

/// How often parts are drawn again.
const DRAWS: usize = 1000;

/// 95 % of what the AUROC would have been with other parts: a bootstrap over groups.
fn auroc_interval(judged: &[Judged<'_>], seed: u64) -> Option<(f64, f64)> {
    let mut names: Vec<usize> = judged.iter().map(|one| one.group).collect();
    names.sort_unstable();
    names.dedup();
    let of = |group: &usize| judged.iter().filter(|one| one.group == *group).collect::<Vec<_>>();
    let groups: Vec<Vec<&Judged<'_>>> = names.iter().map(of).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn: Vec<f64> = (0..DRAWS)
        .filter_map(|_| {
            let (mut bad, mut good) = (Vec::new(), Vec::new());
            for _ in 0..groups.len() {
                for one in &groups[rng.random_range(0..groups.len())] {
                    if one.is_bad() { &mut bad } else { &mut good }.push(one.best);
                }
            }
            (!bad.is_empty() && !good.is_empty()).then(|| auroc(&bad, &good))
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let at = |share: usize| drawn.get(drawn.len() * share / DRAWS).copied();
    at(25).zip(at(974))
}

fn macro_f1(judged: &[Judged<'_>], labels: usize) -> f64 {
    let f1 = |label: usize| {
        let is = judged.iter().filter(|one| one.kinds.contains(&label)).count();
        let called = judged.iter().filter(|one| one.called.contains(&label)).count();
        let both = |one: &&Judged<'_>| one.kinds.contains(&label) && one.called.contains(&label);
        let hits = judged.iter().filter(both).count();
        // A label that is neither there nor called says nothing.
        (is + called > 0).then(|| 2.0 * real(hits) / real(is + called))
    };
    let each: Vec<f64> = (0..labels).filter_map(f1).collect();
    each.iter().sum::<f64>() / real(each.len().max(1))
}

#[expect(clippy::cast_precision_loss, reason = "counts of pictures")]
const fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::super::net::Columns;
    use super::*;

    const LIMITS: Limits =
        Limits { pixel_threshold: None, min_cells: None, reject_at: 0.5, undecided_from: 0.25 };

    fn answer(kind: usize, group: usize, probabilities: [f32; 3]) -> Answer<'static> {
        Answer {
            probabilities: Columns::from_column_slice(3, 1, &probabilities),
            width: 1,
            covers: None,
            kinds: [&[0], &[1], &[2_usize]][kind],
            group,
        }
    }

    #[test]
    fn auroc_is_the_chance_to_be_told_apart() {
        assert_eq!(auroc(&[0.9, 0.8], &[0.1, 0.2]), 1.0);
        assert_eq!(auroc(&[0.5], &[0.5]), 0.5);
        assert_eq!(auroc(&[0.9, 0.1], &[0.5, 0.1]), 0.625);
    }

    #[test]
    fn figures_are_what_was_counted() {
        let answers = [
            answer(0, 0, [0.9, 0.1, 0.0]),
            answer(0, 1, [0.6, 0.3, 0.1]),
            answer(1, 2, [0.2, 0.7, 0.1]),
            answer(1, 2, [0.1, 0.3, 0.6]),
            answer(2, 3, [0.8, 0.1, 0.1]),
        ];
        let labels = ["ok", "crack", "dent"].map(str::to_owned);
        let pairs: Vec<_> = answers.iter().map(|answer| (answer, LIMITS)).collect();
        let figures = figures(&pairs, &labels, 1);
        assert_eq!((figures.images, figures.groups), (5, 4));
        assert_eq!((figures.escape.count, figures.escape.of), (1, 3));
        assert_eq!((figures.overkill.count, figures.overkill.of), (0, 2));
        assert_eq!((figures.escape_unseen.count, figures.overkill_stopped.count), (1, 1));
        assert_eq!(figures.accuracy, 0.6);
        let [crack, dent] = figures.classes.as_slice() else { panic!("two defects") };
        assert_eq!((crack.caught.count, crack.named.count, crack.groups), (2, 1, 1));
        assert_eq!((dent.caught.count, dent.images), (0, 1));
        // ok: 2 of 2 and 3 calls; crack: 1 of 2 and 1 call; dent: 0 of 1 and 1 call.
        assert!((figures.macro_f1 - (4.0 / 5.0 + 2.0 / 3.0 + 0.0) / 3.0).abs() < 1e-9);
        let auroc = figures.auroc.unwrap();
        assert!((auroc - 4.5 / 6.0).abs() < 1e-9, "{auroc}");
        assert!(figures.auroc_low95.unwrap() < auroc && figures.auroc_high95.unwrap() > auroc);
        assert_eq!(figures.pixel_ap, None);
    }

    #[test]
    fn without_bad_ones_there_is_no_auroc() {
        let answer = answer(0, 0, [0.9, 0.1, 0.0]);
        let labels = ["ok", "crack", "dent"].map(str::to_owned);
        let figures = figures(&[(&answer, LIMITS)], &labels, 1);
        assert_eq!((figures.auroc, figures.auroc_low95, figures.escape.rate), (None, None, None));
    }
}
