//! What the empty belt looks like, cell by cell, and which cells are something else.
//!
//! Takes thin samples; gives a foreground bit a cell. The belt moves and has texture, so each
//! cell knows its usual value and how far it usually strays: a running mean and a running mean
//! absolute deviation (Sigma-Delta in spirit: Manzanera & Richefeu 2007, with means in place of
//! signs). A cell in the foreground is not learnt, so a part on a stopped belt stays a part.

use domain::recipe::PartsAre;

use super::thin::Thin;

/// The cells' usual values and strayings, in 1/256 grey levels. Kept apart, and 16 bits wide, so
/// that the loops over them look at eight cells at a time.
#[derive(Default)]
struct Usual {
    mean: Vec<u16>,
    spread: Vec<u16>,
}

/// How many usual deviations a value must lie off, besides the recipe's contrast.
const SPREADS: u16 = 5;
/// Learning rate: 1 / 2^6 a frame, about a second at 60 fps.
const RATE_SHIFT: u16 = 6;
/// No cell is trusted to stray less than this, in 1/256 grey levels: sensor noise.
const SPREAD_MIN: u16 = 256;
/// No value lies off so far as so many times this or more.
const SPREAD_MAX: u16 = u16::MAX / SPREADS;

/// The empty belt.
pub struct Background {
    /// Luma, then the two of chroma; a plane that is not looked at is empty.
    planes: [Usual; 3],
    contrast: u16,
    parts_are: PartsAre,
}

impl Background {
    /// Learns from samples of one size. The usual value of a cell is its median, so that parts
    /// passing meanwhile do no harm where they cover it less than half of the time; where parts
    /// are known to be brighter (darker) than the belt it is the lower (upper) fifth, which
    /// bears parts four fifths of the time.
    #[must_use]
    pub fn learn(samples: &[Thin], contrast: u8, parts_are: PartsAre) -> Self {
        let rank = match parts_are {
            PartsAre::Either => 0.5,
            PartsAre::Brighter => 0.2,
            PartsAre::Darker => 0.8,
        };
        let plane = |index: usize, rank: f32| {
            let history: Vec<&[u8]> = samples.iter().map(|s| plane_of(s, index)).collect();
            learn_plane(&history, rank)
        };
        let planes = [plane(0, rank), plane(1, 0.5), plane(2, 0.5)];
        Self { planes, contrast: u16::from(contrast) << 8, parts_are }
    }

    /// Marks the cells of `thin` that are not belt, and returns how many there are.
    pub fn foreground(&self, thin: &Thin, out: &mut Vec<bool>) -> usize {
        out.clear();
        out.resize(self.planes.iter().map(|usual| usual.mean.len()).max().unwrap_or(0), false);
        for (index, usual) in self.planes.iter().enumerate() {
            let values = plane_of(thin, index);
            // Chroma spans about half of what luma does.
            let contrast = if index == 0 { self.contrast } else { self.contrast / 2 };
            match self.parts_are {
                PartsAre::Brighter if index == 0 => usual.mark(values, contrast, |up, _| up, out),
                PartsAre::Darker if index == 0 => usual.mark(values, contrast, |_, down| down, out),
                _ => usual.mark(values, contrast, |up, down| up | down, out),
            }
        }
        count(out)
    }

    /// Follows slow change (lamp, dirt) in the cells that are belt.
    pub fn follow(&mut self, thin: &Thin, foreground: &[bool]) {
        for (index, usual) in self.planes.iter_mut().enumerate() {
            usual.follow(plane_of(thin, index), foreground);
        }
    }

    /// Takes `thin` as belt in the given cells: something that lies there for good.
    pub fn absorb(&mut self, thin: &Thin, cells: impl Iterator<Item = usize> + Clone) {
        for (index, usual) in self.planes.iter_mut().enumerate() {
            let values = plane_of(thin, index);
            if !usual.mean.is_empty() {
                cells.clone().for_each(|cell| usual.mean[cell] = u16::from(values[cell]) << 8);
            }
        }
    }
}

impl Usual {
    /// Sets the bits of `values` that lie off too far. `off` says how far one lies off by how far
    /// it lies above its mean and below it; one of the two is 0.
    fn mark(&self, values: &[u8], contrast: u16, off: impl Fn(u16, u16) -> u16, out: &mut [bool]) {
        let usual = self.mean.iter().zip(&self.spread);
        for (((&mean, &spread), &value), bit) in usual.zip(values).zip(out) {
            let (up, down) = apart(u16::from(value) << 8, mean);
            let usually = SPREADS.wrapping_mul(spread.clamp(SPREAD_MIN, SPREAD_MAX));
            *bit |= off(up, down) > contrast.max(usually);
        }
    }

    /// Learns the values that are no foreground.
    fn follow(&mut self, values: &[u8], foreground: &[bool]) {
        let usual = self.mean.iter_mut().zip(&mut self.spread);
        for (((mean, spread), &value), &bit) in usual.zip(values).zip(foreground) {
            // All ones where it is belt: a mask instead of a branch.
            let belt = u16::from(bit).wrapping_sub(1);
            let (up, down) = apart(u16::from(value) << 8, *mean);
            let (wider, closer) = apart(up | down, *spread);
            *mean = stepped(*mean, up & belt, down & belt);
            *spread = stepped(*spread, wider & belt, closer & belt);
        }
    }
}

/// How far `a` is above `b`, and how far below it; one of the two is 0.
const fn apart(a: u16, b: u16) -> (u16, u16) {
    (a.saturating_sub(b), b.saturating_sub(a))
}

/// A step of the learning rate up or down, rounded down. It never goes past where it heads for and
/// nothing here exceeds 255 << 8, so that nothing wraps; without the checks it is several times as
/// fast.
const fn stepped(from: u16, up: u16, down: u16) -> u16 {
    let down = down.wrapping_add((1 << RATE_SHIFT) - 1);
    from.wrapping_add(up >> RATE_SHIFT).wrapping_sub(down >> RATE_SHIFT)
}

/// Number of bits that are set.
pub fn count(bits: &[bool]) -> usize {
    // So few at a time that a byte holds their number.
    let few = |bits: &[bool]| bits.iter().fold(0_u8, |sum, &bit| sum.wrapping_add(u8::from(bit)));
    bits.chunks(128).map(|bits| usize::from(few(bits))).sum()
}

fn plane_of(thin: &Thin, index: usize) -> &[u8] {
    match index {
        0 => &thin.luma,
        _ => &thin.chroma[index - 1],
    }
}

/// The value at `rank` (0..1) of each cell's history, and the median distance from it.
fn learn_plane(history: &[&[u8]], rank: f32) -> Usual {
    let cells = history.first().map_or(0, |first| first.len());
    let mut values = Vec::with_capacity(history.len());
    let learnt = (0..cells).map(|cell| {
        values.clear();
        values.extend(history.iter().map(|sample| u16::from(sample[cell]) << 8));
        let mean = at_rank(&mut values, rank);
        values.iter_mut().for_each(|value| *value = value.abs_diff(mean));
        (mean, at_rank(&mut values, rank.min(1.0 - rank)))
    });
    let (mean, spread) = learnt.unzip();
    Usual { mean, spread }
}

#[expect(clippy::cast_precision_loss, reason = "at most 65535 frames are learnt from")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= rank < 1")]
fn at_rank(values: &mut [u16], rank: f32) -> u16 {
    let at = (values.len() as f32 * rank) as usize;
    *values.select_nth_unstable(at).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use PartsAre::{Brighter, Either};
    use proptest::prelude::*;

    fn flat(value: u8) -> Thin {
        Thin { luma: vec![value; 16], ..Thin::default() }
    }

    proptest! {
        /// One cell that is told the same as 32-bit integers that neither wrap nor saturate.
        #[test]
        fn sixteen_bits_are_enough(
            learnt in prop::collection::vec(any::<u8>(), 3),
            seen in prop::collection::vec(any::<u8>(), 1..200),
            contrast in any::<u8>(),
            parts_are in prop::sample::select(vec![Either, Brighter, PartsAre::Darker]),
        ) {
            let thin = |value: u8| Thin { luma: vec![value], ..Thin::default() };
            let samples: Vec<Thin> = learnt.iter().map(|&value| thin(value)).collect();
            let mut background = Background::learn(&samples, contrast, parts_are);
            let usual = &background.planes[0];
            let (mut mean, mut spread) = (i32::from(usual.mean[0]), i32::from(usual.spread[0]));
            for value in seen {
                let mut bits = Vec::new();
                let count = background.foreground(&thin(value), &mut bits);
                background.follow(&thin(value), &bits);
                let off = (i32::from(value) << 8) - mean;
                let signed = match parts_are {
                    Brighter => off,
                    PartsAre::Darker => -off,
                    Either => off.abs(),
                };
                let is_part = signed > (i32::from(contrast) << 8).max(5 * spread.max(256));
                if !is_part {
                    mean += off >> 6;
                    spread += (off.abs() - spread) >> 6;
                }
                prop_assert_eq!((bits[0], count), (is_part, usize::from(is_part)));
                let usual = &background.planes[0];
                prop_assert_eq!((usual.mean[0].into(), usual.spread[0].into()), (mean, spread));
            }
        }
    }

    #[test]
    fn a_part_that_passes_while_learning_does_no_harm() {
        let mut samples: Vec<Thin> = (0..9).map(|i| flat(100 + i % 3)).collect();
        samples[4] = flat(250);
        let background = Background::learn(&samples, 20, Either);
        let mut bits = Vec::new();
        assert_eq!(background.foreground(&flat(101), &mut bits), 0);
        assert_eq!(background.foreground(&flat(130), &mut bits), 16);
    }

    #[test]
    fn a_stopped_part_stays_while_the_lamp_is_followed() {
        let mut background = Background::learn(&[flat(100), flat(100), flat(100)], 20, Either);
        let mut bits = Vec::new();
        for step in 0..40 {
            let mut thin = flat(100 + step / 2);
            thin.luma[3] = 200;
            background.foreground(&thin, &mut bits);
            background.follow(&thin, &bits);
            assert!(bits[3], "the part is gone at step {step}");
            assert_eq!(bits.iter().filter(|b| **b).count(), 1, "the lamp shows at {step}");
        }
    }

    #[test]
    fn a_restless_cell_needs_more_to_stand_out() {
        let samples: Vec<Thin> = (0..20).map(|i| flat(if i % 2 == 0 { 60 } else { 140 })).collect();
        let background = Background::learn(&samples, 20, Either);
        assert_eq!(background.foreground(&flat(180), &mut Vec::new()), 0);
    }

    #[test]
    fn a_crowded_belt_is_learnt_when_parts_are_known_to_be_brighter() {
        let samples: Vec<Thin> = (0..20).map(|i| flat(if i % 3 == 0 { 60 } else { 200 })).collect();
        let background = Background::learn(&samples, 20, Brighter);
        let mut bits = Vec::new();
        assert_eq!(background.foreground(&flat(200), &mut bits), 16);
        assert_eq!(background.foreground(&flat(60), &mut bits), 0);
        assert_eq!(background.foreground(&flat(10), &mut bits), 0, "a shadow is no part");
    }

    #[test]
    fn what_is_absorbed_is_belt() {
        let mut background = Background::learn(&[flat(100), flat(100)], 20, Either);
        background.absorb(&flat(200), 0..16);
        assert_eq!(background.foreground(&flat(200), &mut Vec::new()), 0);
    }
}
