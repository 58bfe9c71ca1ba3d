//! Defect probabilities of pixels: takes a map and a mask a picture, keeps counts, gives how well
//! defective pixels are told apart, however many pictures there were.
//!
//! Up to four million pixels are kept one by one, and every figure is exact. Of more, probabilities
//! are counted in 1.5 million bins whose width follows the floats themselves: at either end of
//! 0..=1, where networks put most pixels, as fine as the distance from that end, 2^-15 of it; in
//! the middle 1.5e-5. Pixels that share a bin count as equal. So 200 MB are enough for any set.

use domain::SizePx;
use serde::Serialize;

use super::ranking::real;

/// Distances from 0 or 1 below this are taken as none.
const FLOOR: f32 = f32::from_bits(FLOOR_BITS);
/// 2^-24, the smallest distance that a float can keep from 1.
const FLOOR_BITS: u32 = 103 << 23;
const HALF_BITS: u32 = 126 << 23;
/// Bits of a float that a bin forgets; 15 of its 23 are left.
const FORGOTTEN: u32 = 8;
/// Bins below a half.
const LOWER: usize = 1 + ((HALF_BITS - FLOOR_BITS) >> FORGOTTEN) as usize;
/// All of them. A half itself belongs to the upper ones.
const BINS: usize = 2 * LOWER + 1;

/// Where a probability is counted; rises with it.
fn bin_of(probability: f32) -> usize {
    let step = |distance: f32| match distance < FLOOR {
        true => 0,
        false => 1 + ((distance.to_bits() - FLOOR_BITS) >> FORGOTTEN) as usize,
    };
    let probability = probability.clamp(0.0, 1.0);
    if probability < 0.5 { step(probability) } else { BINS - 1 - step(1.0 - probability) }
}

/// The limit of false alarms up to which the per-region overlap is integrated.
pub const AUPRO_LIMIT: f64 = 0.3;

/// How well pixels are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PixelFigures {
    /// Area under the receiver's curve over all pixels of all pictures: the chance that a
    /// defective one is more probable than a good one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auroc: Option<f64>,
    /// Area under the per-region-overlap curve, up to 30 % false alarms, divided by 0.3 (Bergmann
    /// et al., The MVTec Anomaly Detection Dataset, IJCV 129 (2021) 1038–1059): at each limit the
    /// share of each defective region that is found, averaged over regions, large and small alike;
    /// against the share of good pixels that are marked. Regions are defective pixels of one mask
    /// that touch, corners included. The curve is integrated by trapezoids over every limit there
    /// is, without resampling, and cut at 0.3 by a straight line between its neighbours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aupro: Option<f64>,
    /// Pixels that are defective and marked, of those that are either, at the model's
    /// `pixel_threshold`, over all pixels of all pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iou: Option<f64>,
}

/// Which pixels of a picture are defective.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Row-major.
    is_bad: Vec<bool>,
    /// Places of the pixels of each region.
    regions: Vec<Vec<usize>>,
}

impl Truth {
    /// A picture without a defect.
    #[must_use]
    pub fn good(size: SizePx) -> Self {
        let pixels = size.width as usize * size.height as usize;
        Self { is_bad: vec![false; pixels], regions: Vec::new() }
    }

    /// From a mask, row-major, `width` columns.
    #[must_use]
    pub fn from_mask(is_bad: Vec<bool>, width: usize) -> Self {
        let regions = regions(&is_bad, width);
        Self { is_bad, regions }
    }
}

/// Groups of defective pixels that touch, corners included.
fn regions(is_bad: &[bool], width: usize) -> Vec<Vec<usize>> {
    let height = is_bad.len().checked_div(width).unwrap_or(0);
    let (mut left, mut regions) = (is_bad.to_vec(), Vec::new());
    for start in 0..width * height {
        if !std::mem::replace(&mut left[start], false) {
            continue;
        }
        let (mut region, mut next) = (vec![start], 0);
        while let Some(&pixel) = region.get(next) {
            next += 1;
            let (x, y) = (pixel % width, pixel / width);
            for y in y.saturating_sub(1)..(y + 2).min(height) {
                for x in x.saturating_sub(1)..(x + 2).min(width) {
                    if std::mem::replace(&mut left[y * width + x], false) {
                        region.push(y * width + x);
                    }
                }
            }
        }
        regions.push(region);
    }
    regions
}

/// Pixels that are equally probable.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    good: u64,
    bad: u64,
    /// Of the bad ones, the shares of their regions that they are, added up.
    shares: f64,
}

/// Of a bad pixel the share of its region that it is; 0 of a good one.
type Share = f64;

/// Pixels as they are kept.
#[derive(Clone, Debug)]
enum Kept {
    Each(Vec<(f32, Share)>),
    Bins(Vec<Level>),
}

/// Pixels counted so far.
#[derive(Clone, Debug)]
pub struct PixelTally {
    kept: Kept,
    /// So many are kept one by one.
    each: usize,
    regions: u64,
    threshold: Option<f32>,
    both: u64,
    either: u64,
}

impl PixelTally {
    /// Nothing counted yet. A pixel of `threshold` and more is marked; without one there is no
    /// IoU.
    #[must_use]
    pub const fn new(threshold: Option<f32>) -> Self {
        Self::exact_up_to(1 << 22, threshold)
    }

    /// The same, with so many pixels kept one by one, 16 bytes each.
    #[must_use]
    pub const fn exact_up_to(each: usize, threshold: Option<f32>) -> Self {
        Self { kept: Kept::Each(Vec::new()), each, regions: 0, threshold, both: 0, either: 0 }
    }

    /// Counts a picture: the probability of each pixel, and what is true of it, of equal length.
    pub fn add(&mut self, probabilities: &[f32], truth: &Truth) {
        for (probability, is_bad) in probabilities.iter().zip(&truth.is_bad) {
            let is_marked = self.threshold.is_some_and(|threshold| *probability >= threshold);
            self.both += u64::from(is_marked && *is_bad);
            self.either += u64::from(is_marked || *is_bad);
            if !is_bad {
                self.keep(*probability, 0.0);
            }
        }
        for region in &truth.regions {
            let share = 1.0 / real(region.len());
            region.iter().for_each(|pixel| self.keep(probabilities[*pixel], share));
        }
        self.regions += truth.regions.len() as u64;
    }

    fn keep(&mut self, probability: f32, share: Share) {
        if let Kept::Each(pixels) = &mut self.kept
            && pixels.len() >= self.each
        {
            let mut bins = vec![Level::default(); BINS];
            pixels.iter().for_each(|&(probability, share)| bins[bin_of(probability)].add(share));
            self.kept = Kept::Bins(bins);
        }
        match &mut self.kept {
            Kept::Each(pixels) => pixels.push((probability, share)),
            Kept::Bins(bins) => bins[bin_of(probability)].add(share),
        }
    }

    /// What was counted. Absent is what needs good or bad pixels, and there are none.
    #[must_use]
    pub fn figures(&self) -> PixelFigures {
        let levels = self.levels();
        let good: u64 = levels.iter().map(|level| level.good).sum();
        let bad: u64 = levels.iter().map(|level| level.bad).sum();
        let both_sorts = good > 0 && bad > 0;
        PixelFigures {
            auroc: both_sorts.then(|| auroc(&levels, good, bad)),
            aupro: both_sorts.then(|| aupro(&levels, good, self.regions)),
            iou: (self.threshold.is_some() && self.either > 0)
                .then(|| real(self.both) / real(self.either)),
        }
    }

    /// By falling probability.
    fn levels(&self) -> Vec<Level> {
        match &self.kept {
            Kept::Bins(bins) => bins.iter().rev().copied().collect(),
            Kept::Each(pixels) => {
                let mut pixels = pixels.clone();
                pixels.sort_by(|a, b| b.0.total_cmp(&a.0));
                let equal = pixels.chunk_by(|a, b| a.0 == b.0);
                let level = |equal: &[(f32, Share)]| {
                    let mut level = Level::default();
                    equal.iter().for_each(|(_, share)| level.add(*share));
                    level
                };
                equal.map(level).collect()
            }
        }
    }
}

impl Level {
    fn add(&mut self, share: Share) {
        if share > 0.0 {
            self.bad += 1
        } else {
            self.good += 1
        }
        self.shares += share;
    }
}

fn auroc(levels: &[Level], good: u64, bad: u64) -> f64 {
    let (mut above, mut twice) = (0_u128, 0_u128);
    for level in levels {
        twice += u128::from(level.good) * (2 * above + u128::from(level.bad));
        above += u128::from(level.bad);
    }
    real(twice) / (2.0 * real(good) * real(bad))
}

fn aupro(levels: &[Level], good: u64, regions: u64) -> f64 {
    let (mut area, mut marked, mut found) = (0.0, 0_u64, 0.0);
    let (mut alarms, mut overlap) = (0.0, 0.0);
    for level in levels {
        marked += level.good;
        found += level.shares;
        let (next_alarms, next) = (real(marked) / real(good), found / real(regions));
        if next_alarms > AUPRO_LIMIT {
            let at = (AUPRO_LIMIT - alarms) / (next_alarms - alarms);
            let there = overlap + (next - overlap) * at;
            area += (AUPRO_LIMIT - alarms) * f64::midpoint(overlap, there);
            break;
        }
        area += (next_alarms - alarms) * f64::midpoint(overlap, next);
        (alarms, overlap) = (next_alarms, next);
    }
    area / AUPRO_LIMIT
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_and_the_middle_have_their_bins() {
        assert_eq!((bin_of(0.0), bin_of(1e-30), bin_of(1.0)), (0, 0, BINS - 1));
        assert_eq!((bin_of(0.5), bin_of(0.5_f32.next_down())), (LOWER, LOWER - 1));
        assert_eq!(bin_of(1.0_f32.next_down()), BINS - 2);
        assert!(bin_of(1e-7) > 0 && BINS > 1 << 20);
    }

    #[test]
    fn regions_touch_at_corners_and_not_around_the_border() {
        #[rustfmt::skip]
        let mask = [
            1, 0, 0, 1,
            0, 1, 0, 0,
            0, 0, 0, 1,
        ];
        let mask: Vec<bool> = mask.iter().map(|bit| *bit == 1).collect();
        let mut sizes: Vec<_> = regions(&mask, 4).iter().map(Vec::len).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 1, 2]);
    }

    #[test]
    fn a_small_region_weighs_as_much_as_a_large_one() {
        // One region of one pixel that is found, one of nine that is missed.
        let mut mask = vec![false; 40];
        mask[0] = true;
        mask[10..19].fill(true);
        let mut probabilities = vec![0.1; 40];
        probabilities[0] = 0.9;
        probabilities[10..19].fill(0.05);
        let mut tally = PixelTally::new(Some(0.5));
        tally.add(&probabilities, &Truth::from_mask(mask, 40));
        let figures = tally.figures();
        // All good pixels tie at 0.1: a straight line from (0, 1/2) to (1, 1/2).
        assert!((figures.aupro.unwrap() - 0.5).abs() < 1e-12, "{figures:?}");
        assert_eq!(figures.iou, Some(0.1));
    }

    #[test]
    fn what_is_not_there_is_not_measured() {
        let mut tally = PixelTally::new(None);
        assert_eq!(tally.figures(), PixelFigures::default());
        tally.add(&[0.5; 4], &Truth::good(SizePx::new(2, 2)));
        assert_eq!(tally.figures(), PixelFigures::default());
    }

    #[test]
    fn what_is_kept_one_by_one_goes_into_bins_when_it_is_too_much() {
        let probabilities: Vec<f32> = (0..64_u8).map(|i| f32::from(i) / 64.0).collect();
        let truth = Truth::from_mask((0..64).map(|i| i % 7 == 3 || i > 50).collect(), 8);
        let figures = [1000, 100, 20, 0].map(|each| {
            let mut tally = PixelTally::exact_up_to(each, Some(0.5));
            tally.add(&probabilities, &truth);
            tally.add(&probabilities, &truth);
            assert_eq!(matches!(tally.kept, Kept::Bins(_)), each < 128);
            tally.figures()
        });
        let near = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-12;
        for other in &figures[1..] {
            assert!(near(other.auroc, figures[0].auroc) && near(other.aupro, figures[0].aupro));
            assert_eq!(other.iou, figures[0].iou);
        }
    }

    proptest! {
        #[test]
        fn bins_keep_the_order(a in 0.0_f32..=1.0, b in 0.0_f32..=1.0) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(bin_of(low) <= bin_of(high) && bin_of(high) < BINS);
            // What a bin does not tell apart is close together.
            if bin_of(low) == bin_of(high) {
                let distance = low.min(1.0 - high).max(FLOOR);
                prop_assert!(high - low <= distance * 4e-5, "{low} {high}");
            }
        }
    }
}
