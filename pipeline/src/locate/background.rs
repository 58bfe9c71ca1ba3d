//! What the empty belt looks like, cell by cell, and which cells are something else.
//!
//! Takes thin samples; gives a foreground bit a cell. The belt moves and has texture, so each
//! cell knows its usual value and how far it usually strays: a running mean and a running mean
//! absolute deviation (Sigma-Delta in spirit: Manzanera & Richefeu 2007, with means in place of
//! signs). A cell in the foreground is not learnt, so a part on a stopped belt stays a part.

use domain::recipe::PartsAre;

use super::thin::Thin;

/// A cell's usual value and straying, in 1/256 grey levels.
#[derive(Clone, Copy, Default)]
struct Usual {
    mean: i32,
    spread: i32,
}

/// How many usual deviations a value must lie off, besides the recipe's contrast.
const SPREADS: i32 = 5;
/// Learning rate: 1 / 2^6 a frame, about a second at 60 fps.
const RATE_SHIFT: i32 = 6;
/// No cell is trusted to stray less than this, in 1/256 grey levels: sensor noise.
const SPREAD_MIN: i32 = 256;

/// The empty belt.
pub struct Background {
    /// Luma, then the two of chroma; a plane that is not looked at is empty.
    planes: [Vec<Usual>; 3],
    contrast: i32,
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
        Self { planes, contrast: i32::from(contrast) << 8, parts_are }
    }

    /// Marks the cells of `thin` that are not belt, and returns how many there are.
    pub fn foreground(&self, thin: &Thin, out: &mut Vec<bool>) -> usize {
        out.clear();
        out.resize(self.planes.iter().map(Vec::len).max().unwrap_or(0), false);
        for (index, usual) in self.planes.iter().enumerate() {
            // Chroma spans about half of what luma does.
            let contrast = if index == 0 { self.contrast } else { self.contrast / 2 };
            for ((usual, &value), bit) in
                usual.iter().zip(plane_of(thin, index)).zip(out.iter_mut())
            {
                let off = (i32::from(value) << 8) - usual.mean;
                let off = match self.parts_are {
                    PartsAre::Brighter if index == 0 => off,
                    PartsAre::Darker if index == 0 => -off,
                    _ => off.abs(),
                };
                *bit |= off > contrast.max(SPREADS * usual.spread.max(SPREAD_MIN));
            }
        }
        out.iter().filter(|bit| **bit).count()
    }

    /// Follows slow change (lamp, dirt) in the cells that are belt.
    pub fn follow(&mut self, thin: &Thin, foreground: &[bool]) {
        for (index, usual) in self.planes.iter_mut().enumerate() {
            let cells = usual.iter_mut().zip(plane_of(thin, index)).zip(foreground);
            for ((usual, &value), _) in cells.filter(|(_, bit)| !**bit) {
                let off = (i32::from(value) << 8) - usual.mean;
                usual.mean += off >> RATE_SHIFT;
                usual.spread += (off.abs() - usual.spread) >> RATE_SHIFT;
            }
        }
    }

    /// Takes `thin` as belt in the given cells: something that lies there for good.
    pub fn absorb(&mut self, thin: &Thin, cells: impl Iterator<Item = usize> + Clone) {
        for (index, usual) in self.planes.iter_mut().enumerate().filter(|(_, u)| !u.is_empty()) {
            let values = plane_of(thin, index);
            cells.clone().for_each(|cell| usual[cell].mean = i32::from(values[cell]) << 8);
        }
    }
}

fn plane_of(thin: &Thin, index: usize) -> &[u8] {
    match index {
        0 => &thin.luma,
        _ => &thin.chroma[index - 1],
    }
}

/// The value at `rank` (0..1) of each cell's history, and the median distance from it.
fn learn_plane(history: &[&[u8]], rank: f32) -> Vec<Usual> {
    let cells = history.first().map_or(0, |first| first.len());
    let mut values = Vec::with_capacity(history.len());
    (0..cells)
        .map(|cell| {
            values.clear();
            values.extend(history.iter().map(|sample| i32::from(sample[cell]) << 8));
            let mean = at_rank(&mut values, rank);
            values.iter_mut().for_each(|value| *value = (*value - mean).abs());
            Usual { mean, spread: at_rank(&mut values, rank.min(1.0 - rank)) }
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "at most 65535 frames are learnt from")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= rank < 1")]
fn at_rank(values: &mut [i32], rank: f32) -> i32 {
    let at = (values.len() as f32 * rank) as usize;
    *values.select_nth_unstable(at).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use PartsAre::{Brighter, Either};

    fn flat(value: u8) -> Thin {
        Thin { luma: vec![value; 16], ..Thin::default() }
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
