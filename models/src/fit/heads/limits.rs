//! Where to draw the lines: takes answers about pictures that the network was not trained on, gives
//! the limits that serve them best. The station's own rule: a cell is a defect's from the pixel
//! threshold on, smaller groups are dropped, a picture's score is its best cell left.

use serde::Serialize;

use super::blobs::blobs;
use super::figures::auroc;
use super::net::Columns;
use super::truth::Cover;

/// The limits a model is used with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// Segmenters: from which probability a cell is a defect's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_threshold: Option<f32>,
    /// Segmenters: groups of fewer cells are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_cells: Option<u32>,
    /// The recipe's: from which score a part is rejected.
    pub reject_at: f32,
    /// The recipe's: from which score a part is undecided.
    pub undecided_from: f32,
}

/// What a network said of a picture, beside what it shows.
pub(super) struct Answer<'a> {
    /// A column a cell that shows the picture, row by row; one column for a classifier.
    pub probabilities: Columns,
    /// Cells across.
    pub width: usize,
    /// What the cells show, where anybody said; none for a classifier.
    pub covers: Option<Vec<Cover>>,
    pub kinds: &'a [usize],
    pub group: usize,
}

impl Answer<'_> {
    pub fn is_bad(&self) -> bool {
        self.kinds != [0]
    }

    /// The score of each label; the good one's is 0.
    pub fn scores(&self, cells: Option<(f32, u32)>) -> Vec<f32> {
        let score = |label: usize| match cells {
            _ if label == 0 => 0.0,
            None => self.probabilities[(label, 0)],
            Some((threshold, min_cells)) => {
                let plane = self.probabilities.row(label);
                let marked = plane.iter().map(|value| *value >= threshold).collect();
                let large = blobs(marked, self.width).into_iter();
                let large = large.filter(|blob| blob.cells.len() >= min_cells as usize);
                large.flat_map(|blob| blob.cells).map(|cell| plane[cell]).fold(0.0, f32::max)
            }
        };
        (0..self.probabilities.nrows()).map(score).collect()
    }

    /// The score of the picture.
    pub fn score(&self, cells: Option<(f32, u32)>) -> f32 {
        self.scores(cells).into_iter().fold(0.0, f32::max)
    }

    /// Adds its pixels to `counts`, by the probability of their likeliest defect.
    pub fn count_pixels(&self, counts: &mut PixelCounts) {
        for (column, cover) in self.probabilities.column_iter().zip(self.covers.iter().flatten()) {
            let heat = column.iter().skip(1).copied().fold(0.0, f32::max);
            counts.add(heat, cover);
        }
    }
}

impl Limits {
    /// What the bundle needs of them, where it is a segmenter's.
    pub fn cells(&self) -> Option<(f32, u32)> {
        self.pixel_threshold.zip(self.min_cells)
    }
}

const BINS: usize = 1000;

/// Pixel thresholds to choose from.
const THRESHOLDS: [f32; 19] = [
    0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85,
    0.9, 0.95,
];

/// Smallest groups to choose from.
const SIZES: [u32; 5] = [1, 2, 3, 4, 6];

/// How many pixels, good and bad, got each probability.
#[derive(Clone)]
pub(super) struct PixelCounts {
    good: Vec<u64>,
    bad: Vec<u64>,
}

impl PixelCounts {
    pub fn new() -> Self {
        Self { good: vec![0; BINS], bad: vec![0; BINS] }
    }

    fn add(&mut self, heat: f32, cover: &Cover) {
        let bin = bin_of(heat);
        self.good[bin] += u64::from(cover.good);
        self.bad[bin] += u64::from(cover.bad);
    }

    /// Good and bad pixels with at least each probability, from the highest down.
    fn sums(&self) -> impl Iterator<Item = (f64, f64)> {
        let bins = self.good.iter().zip(&self.bad).rev();
        bins.scan((0.0, 0.0), |sums, (good, bad)| {
            *sums = (sums.0 + real(*good), sums.1 + real(*bad));
            Some(*sums)
        })
    }

    /// The area under the precision-recall curve.
    pub fn average_precision(&self) -> f64 {
        let all = real(self.bad.iter().sum()).max(1.0);
        let mut before = 0.0;
        self.sums()
            .map(|(good, bad)| {
                let gained = (bad - before) / all;
                before = bad;
                if bad > 0.0 { gained * bad / (good + bad) } else { 0.0 }
            })
            .sum()
    }

    /// Marked and bad, of marked or bad.
    pub fn iou(&self, threshold: f32) -> f64 {
        let all = real(self.bad.iter().sum()).max(1.0);
        let at = self.sums().nth(BINS - 1 - bin_of(threshold));
        at.map_or(0.0, |(good, bad)| bad / (all + good))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "cut at the bins")]
fn bin_of(heat: f32) -> usize {
    // A little up, so that 0.7 is in the bin that begins at 0.7.
    ((heat * 1000.0 + 1e-3) as usize).min(BINS - 1)
}

#[expect(clippy::cast_precision_loss, reason = "counts of pixels")]
const fn real(count: u64) -> f64 {
    count as f64
}

/// The limits that serve `answers` best: of the pixel thresholds whose overlap is within 20 % of
/// the best, and of the smallest groups, those that tell bad pictures from good ones best (a
/// decision matters more than an outline); `reject_at` by escape plus overkill; `undecided_from`
/// as low as stops at most 5 % more good pictures.
pub(super) fn chosen(answers: &[&Answer<'_>], is_segmenter: bool) -> Limits {
    let cells = is_segmenter.then(|| cells(answers));
    let (bad, good) = split_scores(answers, cells);
    let (reject_at, undecided_from) = picture_limits(&bad, &good, cells.map_or(0.0, |(t, _)| t));
    Limits {
        pixel_threshold: cells.map(|(threshold, _)| threshold),
        min_cells: cells.map(|(_, cells)| cells),
        reject_at,
        undecided_from,
    }
}

fn cells(answers: &[&Answer<'_>]) -> (f32, u32) {
    let mut counts = PixelCounts::new();
    answers.iter().for_each(|answer| answer.count_pixels(&mut counts));
    let overlaps = THRESHOLDS.map(|threshold| counts.iou(threshold));
    let most = overlaps.iter().copied().fold(0.0, f64::max);
    let near = THRESHOLDS.iter().zip(overlaps).filter(|(_, overlap)| *overlap >= 0.8 * most);
    let mut best = (THRESHOLDS[0], 1);
    let mut apart = f64::MIN;
    for cells in near.flat_map(|(threshold, _)| SIZES.map(|cells| (*threshold, cells))) {
        let (bad, good) = split_scores(answers, Some(cells));
        let now = auroc(&bad, &good);
        if now > apart {
            (best, apart) = (cells, now);
        }
    }
    best
}

fn split_scores(answers: &[&Answer<'_>], cells: Option<(f32, u32)>) -> (Vec<f32>, Vec<f32>) {
    let of = |is_bad: bool| {
        let answers = answers.iter().filter(|answer| answer.is_bad() == is_bad);
        answers.map(|answer| answer.score(cells)).collect()
    };
    (of(true), of(false))
}

/// `reject_at` and `undecided_from`, between the scores there are; `floor` is the lowest that a
/// defect can have.
fn picture_limits(bad: &[f32], good: &[f32], floor: f32) -> (f32, f32) {
    let mut levels: Vec<f32> =
        bad.iter().chain(good).copied().filter(|score| *score > 0.0).collect();
    levels.extend([floor, 1.0]);
    levels.sort_by(f32::total_cmp);
    levels.dedup();
    let gaps: Vec<(f32, f32)> = levels.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let at_least = |of: &[f32], level: f32| share(of, |score| score >= level);
    let escape: Vec<f64> = gaps.iter().map(|gap| 1.0 - at_least(bad, gap.1)).collect();
    let overkill: Vec<f64> = gaps.iter().map(|gap| at_least(good, gap.1)).collect();
    let cost = |at: &usize| escape[*at] + overkill[*at];
    let at = (0..gaps.len()).min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(0);
    let below = (0..=at).find(|below| overkill[*below] <= overkill[at] + 0.05).unwrap_or(at);
    let level = |at: usize| gaps.get(at).map_or(floor, |gap| round_number(*gap));
    (level(at), level(below))
}

fn share(of: &[f32], is: impl Fn(f32) -> bool) -> f64 {
    let count = of.iter().filter(|score| is(**score)).count();
    real(count as u64) / real(of.len().max(1) as u64)
}

/// A number between two scores, as near the middle as a few digits allow.
#[expect(clippy::cast_possible_truncation, reason = "a probability, rounded")]
fn round_number((low, high): (f32, f32)) -> f32 {
    let middle = f64::midpoint(low.into(), high.into());
    let rounded = |digits: i32| {
        let unit = 10_f64.powi(digits);
        ((middle * unit).round() / unit) as f32
    };
    (3..=8).map(rounded).find(|level| *level > low && *level < high).unwrap_or(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer whose only cells have the given probabilities of a defect.
    fn answer<'a>(kinds: &'a [usize], heat: &[f32], bad_px: &[u32]) -> Answer<'a> {
        let both = |row: usize, at: usize| if row == 1 { heat[at] } else { 1.0 - heat[at] };
        let covers = bad_px.iter().map(|bad| Cover { kind: 0, bad: *bad, good: 64 - bad, all: 64 });
        Answer {
            probabilities: Columns::from_fn(2, heat.len(), both),
            width: heat.len(),
            covers: Some(covers.collect()),
            kinds,
            group: 0,
        }
    }

    #[test]
    fn a_picture_scores_its_best_group_that_is_large_enough() {
        let answer = answer(&[1], &[0.9, 0.1, 0.6, 0.7, 0.1], &[0; 5]);
        assert_eq!(answer.score(Some((0.5, 1))), 0.9);
        assert_eq!(answer.scores(Some((0.5, 2))), [0.0, 0.7]);
        assert_eq!(answer.score(Some((0.5, 3))), 0.0);
        assert_eq!(answer.score(Some((0.95, 1))), 0.0);
        assert_eq!(answer.score(None), 0.9, "a classifier has one cell");
    }

    #[test]
    fn pixels_are_counted_by_their_probability() {
        let mut counts = PixelCounts::new();
        answer(&[1], &[0.9, 0.7, 0.1], &[64, 32, 0]).count_pixels(&mut counts);
        assert!((counts.iou(0.7) - 96.0 / 128.0).abs() < 1e-9, "{}", counts.iou(0.7));
        assert!((counts.iou(0.8) - 64.0 / 96.0).abs() < 1e-9);
        let wanted = 64.0 / 96.0 + 32.0 / 96.0 * (96.0 / 128.0);
        assert!((counts.average_precision() - wanted).abs() < 1e-9);
    }

    #[test]
    fn limits_lie_between_what_they_part() {
        // A lone hot cell in good pictures is told by size.
        let all = [
            answer(&[1], &[0.85, 0.9, 0.04, 0.04], &[64, 64, 0, 0]),
            answer(&[1], &[0.8, 0.8, 0.04, 0.04], &[64, 64, 0, 0]),
            answer(&[0], &[0.99, 0.0, 0.0, 0.0], &[0; 4]),
            answer(&[0], &[0.1, 0.0, 0.0, 0.0], &[0; 4]),
        ];
        let limits = chosen(&all.iter().collect::<Vec<_>>(), true);
        assert_eq!((limits.pixel_threshold, limits.min_cells), (Some(0.05), Some(2)));
        assert!(limits.reject_at > 0.1 && limits.reject_at <= 0.8, "{limits:?}");
        assert_eq!(limits.undecided_from, limits.reject_at);
    }

    #[test]
    fn near_certain_scores_are_still_parted() {
        let (low, high) = (0.999_98_f32, 0.999_99_f32);
        let (reject_at, undecided_from) = picture_limits(&[high], &[low], 0.2);
        assert!(reject_at > low && reject_at <= high, "{reject_at}");
        assert!(undecided_from <= reject_at);
    }

    #[test]
    fn the_band_stops_few_more_good_ones() {
        let good: Vec<f32> = (0..100).map(|at| at as f32 / 200.0).collect();
        let (reject_at, undecided_from) = picture_limits(&[0.8, 0.9, 0.2], &good, 0.0);
        assert!(reject_at > 0.495 && reject_at < 0.8, "{reject_at}");
        let stopped = good.iter().filter(|score| **score >= undecided_from).count();
        assert_eq!(stopped, 5);
    }
}
