//! Cells to train on: takes pictures looked at cell by cell, gives all cells that show defects,
//! some good ones picked at random, and then the good ones that were mistaken for defects. The
//! rare look of a good part is what a highest-score rule meets, and what random picking misses.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::grid::DEPTH;
use super::lessons::{Course, Seen};
use super::net::{Columns, How, Net, Samples, train};
use super::truth::{GOOD, UNKNOWN};

/// Cells of each sort (defective, good at random, good and mistaken), over all pictures.
const CELLS_MOST: usize = 60_000;

/// How the network is trained.
const CELL: How =
    How { hidden: 64, rate: 2e-3, decay: 0.01, batch: 1024, epochs: 30, patience: 4, seed: 0 };

/// Cells of many pictures, and the picture of each.
pub(super) struct Pool<'a> {
    course: &'a Course<'a>,
    x: Columns,
    kinds: Vec<usize>,
    of: Vec<usize>,
}

/// For how many epochs each of the two rounds served best.
pub(super) type Epochs = [usize; 2];

impl<'a> Pool<'a> {
    /// Defective cells of all pictures, and good ones at random.
    pub fn new(course: &'a Course<'a>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(course.seed);
        let bad_pictures = course.seen.iter().filter(|seen| seen.kinds != [0]).count();
        let most_bad = (CELLS_MOST / bad_pictures.max(1)).max(16);
        let mut picked = Vec::new();
        for (at, seen) in course.seen.iter().enumerate() {
            let mut good = cells_of(seen, |kind| kind == GOOD);
            let mut bad = cells_of(seen, |kind| kind != GOOD && kind != UNKNOWN);
            let good = good.partial_shuffle(&mut rng, course.good_cells()).0.iter();
            let bad = bad.partial_shuffle(&mut rng, most_bad).0.iter();
            picked.extend(good.chain(bad).map(|cell| (at, *cell)));
        }
        Self::of(course, &picked)
    }

    fn of(course: &'a Course<'a>, picked: &[(usize, usize)]) -> Self {
        let mut values = Vec::with_capacity(picked.len() * DEPTH);
        let mut kinds = Vec::with_capacity(picked.len());
        for (at, cell) in picked {
            let Some(cells) = &course.seen[*at].cells else { continue };
            values.extend(cells.features.cell(*cell));
            kinds.push(usize::from(course.seen[*at].covers()[*cell].kind));
        }
        let x = Columns::from_vec(DEPTH, kinds.len(), values);
        Self { course, x, kinds, of: picked.iter().map(|(at, _)| *at).collect() }
    }

    /// A network trained on the cells of the pictures `fit` (in rising order) until those of `stop`
    /// get worse; then once more, with the good cells that the first one took for defects. Without
    /// pictures to stop by, for as many epochs as `epochs` says.
    pub fn train(
        &self,
        fit: &[usize],
        stop: &[usize],
        epochs: Option<Epochs>,
        seed: u64,
    ) -> (Net, Epochs) {
        let how = |round: usize| {
            let epochs = epochs.map_or(CELL.epochs, |epochs| epochs[round]);
            How { epochs, seed: seed + round as u64, ..CELL }
        };
        let first = self.train_with(None, fit, stop, &how(0));
        let mut both = [fit, stop].concat();
        both.sort_unstable();
        let mistaken = self.mistaken(&first.net, &both);
        let second = self.train_with(Some(&mistaken), fit, stop, &how(1));
        (second.net, [first.epochs, second.epochs])
    }

    fn train_with(
        &self,
        more: Option<&Self>,
        fit: &[usize],
        stop: &[usize],
        how: &How,
    ) -> super::net::Trained {
        let pools = || [Some(self), more].into_iter().flatten();
        let of: Vec<usize> = pools().flat_map(|pool| pool.of.iter().copied()).collect();
        let joined;
        let x = match more {
            None => &self.x,
            Some(more) => {
                let values = [self.x.as_slice(), more.x.as_slice()].concat();
                joined = Columns::from_vec(DEPTH, of.len(), values);
                &joined
            }
        };
        let mut is = Columns::zeros(self.course.labels, of.len());
        let kinds = pools().flat_map(|pool| &pool.kinds);
        kinds.enumerate().for_each(|(at, kind)| is[(*kind, at)] = 1.0);
        let cells_of = |pictures: &[usize]| -> Vec<usize> {
            (0..of.len()).filter(|at| pictures.binary_search(&of[*at]).is_ok()).collect()
        };
        train(Samples { x, is: &is }, &cells_of(fit), &cells_of(stop), how)
    }

    /// Of each of the pictures, the good cells that look most like a defect.
    fn mistaken(&self, net: &Net, pictures: &[usize]) -> Self {
        let mut picked = Vec::new();
        for at in pictures {
            let seen = &self.course.seen[*at];
            let Some(cells) = &seen.cells else { continue };
            let logits = net.logits(&cells.features.columns());
            let looks_bad = |cell: usize| {
                let column = logits.column(cell);
                column.iter().skip(1).copied().fold(f32::MIN, f32::max) - column[0]
            };
            let mut good = cells_of(seen, |kind| kind == GOOD);
            good.sort_by(|a, b| looks_bad(*b).total_cmp(&looks_bad(*a)));
            picked.extend(good.into_iter().take(self.course.good_cells()).map(|cell| (*at, cell)));
        }
        Self::of(self.course, &picked)
    }
}

impl Course<'_> {
    /// How many good cells a picture gives, at random or mistaken.
    fn good_cells(&self) -> usize {
        (CELLS_MOST / self.seen.len().max(1)).clamp(16, 400)
    }
}

/// The cells of a picture that count as what `wanted` says.
fn cells_of(seen: &Seen, wanted: impl Fn(u8) -> bool) -> Vec<usize> {
    let covers = seen.covers();
    (0..covers.len()).filter(|cell| wanted(covers[*cell].kind)).collect()
}
