//! Training by folds: takes what was seen of every picture, gives what networks say of pictures
//! that they were not trained on, and the head that is trained on all of them.

use std::ops::Range;

use super::FitError;
use super::folds::{dealt, with_some_to_stop_by};
use super::grid::Packed;
use super::head::{Head, overview};
use super::limits::Answer;
use super::net::{Columns, How, Net, Samples, softmax, train};
use super::pool::{Epochs, Pool};
use super::scale::Scale;
use super::shared::each;
use super::truth::{Cover, UNKNOWN};

/// The most folds that parts are dealt into.
const FOLDS: usize = 5;

/// How the network that judges pictures is trained.
const PICTURE: How =
    How { hidden: 0, rate: 2e-3, decay: 0.1, batch: 64, epochs: 150, patience: 15, seed: 0 };

/// How much what a whole picture looks like may count beside its cells.
pub(super) const BLENDS: [f32; 3] = [0.0, 0.5, 1.0];

/// About how many good cells the scale is worked out on.
const SCALE_CELLS: usize = 200_000;

/// A picture, looked at.
pub(super) struct Seen {
    pub kinds: Vec<usize>,
    pub group: usize,
    /// Means and highest of its features.
    pub pooled: Vec<f32>,
    /// For segmenters.
    pub cells: Option<Cells>,
}

/// A picture, cell by cell.
pub(super) struct Cells {
    pub features: Packed,
    /// Columns of the grid.
    pub columns: usize,
    /// Rows and columns that show the picture.
    pub shown: [Range<usize>; 2],
    /// What each shows, where anybody said.
    pub covers: Option<Vec<Cover>>,
}

impl Seen {
    /// What each of its cells shows; empty where nobody said.
    pub fn covers(&self) -> &[Cover] {
        let covers = self.cells.as_ref().and_then(|cells| cells.covers.as_deref());
        covers.unwrap_or_default()
    }
}

/// All that was learnt by folds.
pub(super) struct Lessons {
    /// The fold of each picture.
    pub folds: Vec<usize>,
    /// How many there are.
    pub count: usize,
    /// Cells' logits of each picture, by a network that had not seen its part; segmenters only.
    cells: Vec<Columns>,
    cell_epochs: Epochs,
    /// Pictures' logits likewise, a column each.
    pictures: Columns,
    picture_epochs: usize,
}

/// What all parts of a fit go by.
#[derive(Clone, Copy)]
pub(super) struct Course<'a> {
    pub seen: &'a [Seen],
    pub labels: usize,
    pub seed: u64,
    pub threads: usize,
}

impl Course<'_> {
    fn groups(&self) -> Vec<usize> {
        self.seen.iter().map(|seen| seen.group).collect()
    }

    /// One class a picture, the first of several, to deal by.
    fn kinds(&self) -> Vec<usize> {
        self.seen.iter().map(|seen| seen.kinds.first().copied().unwrap_or(0)).collect()
    }

    fn is_segmenter(&self) -> bool {
        self.seen.iter().any(|seen| seen.cells.is_some())
    }

    /// Which pictures to train on for each fold, and which to stop by.
    fn lessons(&self, folds: &[usize], count: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
        let (groups, kinds) = (self.groups(), self.kinds());
        let of = |fold: usize| {
            let others: Vec<_> = (0..folds.len()).filter(|at| folds[*at] != fold).collect();
            with_some_to_stop_by(&others, &groups, &kinds, self.seed + fold as u64)
        };
        (0..count).map(of).collect()
    }

    /// How many parts are good, and how many bad.
    pub fn parts(&self) -> [usize; 2] {
        let parts = |is_bad: bool| {
            let of = self.seen.iter().filter(|seen| (seen.kinds != [0]) == is_bad);
            let mut groups: Vec<_> = of.map(|seen| seen.group).collect();
            groups.sort_unstable();
            groups.dedup();
            groups.len()
        };
        [parts(false), parts(true)]
    }

    /// Into how many folds they can be dealt.
    fn folds(&self) -> usize {
        let [good, bad] = self.parts();
        good.min(bad).min(FOLDS)
    }

    /// How many networks [`Self::learn`] trains.
    pub fn trainings(&self) -> usize {
        self.folds() * if self.is_segmenter() { 2 } else { 1 }
    }

    /// Learns by folds; `done` hears of each network.
    pub fn learn(&self, mut done: impl FnMut()) -> Result<Lessons, FitError> {
        let count = self.folds();
        let folds = dealt(&self.groups(), &self.kinds(), count, self.seed);
        let lessons = self.lessons(&folds, count);
        let (mut cells, mut cell_epochs) = (Vec::new(), [0; 2]);
        if self.is_segmenter() {
            let pool = Pool::new(self);
            let learn = |(): &mut (), fold: usize| {
                let (fit, stop) = &lessons[fold];
                let (net, epochs) = pool.train(fit, stop, None, self.seed + fold as u64);
                let asked = (0..folds.len()).filter(|at| folds[*at] == fold);
                let said = asked.filter_map(|at| Some((at, self.say(at, &net)?)));
                Ok((epochs, said.collect::<Vec<_>>()))
            };
            let learnt = each(count, self.threads, || Ok(()), learn, |_| done())?;
            cell_epochs = [0, 1]
                .map(|round| median(learnt.iter().map(|(epochs, _)| epochs[round]).collect()));
            cells = vec![Columns::default(); self.seen.len()];
            learnt.into_iter().flat_map(|(_, said)| said).for_each(|(at, said)| cells[at] = said);
        }
        let (x, is) = (self.overviews(&cells), self.shares());
        let learn = |(): &mut (), fold: usize| {
            let (fit, stop) = &lessons[fold];
            let how = How { seed: self.seed + fold as u64, ..PICTURE };
            Ok(train(Samples { x: &x, is: &is }, fit, stop, &how))
        };
        let learnt = each(count, self.threads, || Ok(()), learn, |_| done())?;
        let mut pictures = Columns::zeros(self.labels, self.seen.len());
        for (at, fold) in folds.iter().enumerate() {
            let logits = learnt[*fold].net.logits(&x.select_columns([at].iter()));
            pictures.set_column(at, &logits.column(0));
        }
        let picture_epochs = median(learnt.iter().map(|trained| trained.epochs).collect());
        Ok(Lessons { folds, count, cells, cell_epochs, pictures, picture_epochs })
    }

    /// The head trained on everything, for as long as served best in the folds.
    pub fn head(&self, lessons: &Lessons, mix: Mix) -> Head {
        let Mix { blend, scale } = mix;
        let all: Vec<usize> = (0..self.seen.len()).collect();
        let picture = (blend > 0.0).then(|| {
            let (x, is) = (self.overviews(&lessons.cells), self.shares());
            let how = How { epochs: lessons.picture_epochs, seed: self.seed, ..PICTURE };
            let mut net = train(Samples { x: &x, is: &is }, &all, &[], &how).net;
            net.layers.iter_mut().for_each(|layer| {
                layer.weights *= blend;
                layer.bias *= blend;
            });
            net
        });
        if !self.is_segmenter() {
            return Head::Picture(picture.unwrap_or_default());
        }
        let (cell, _) = Pool::new(self).train(&all, &[], Some(lessons.cell_epochs), self.seed);
        Head::Cells { cell, picture, scale }
    }

    fn say(&self, at: usize, net: &Net) -> Option<Columns> {
        Some(net.logits(&self.seen[at].cells.as_ref()?.features.columns()))
    }

    /// What networks that judge pictures see, a column a picture.
    fn overviews(&self, cells: &[Columns]) -> Columns {
        let of = |(at, seen): (usize, &Seen)| match cells.get(at) {
            Some(logits) => overview(&seen.pooled, logits),
            None => seen.pooled.clone(),
        };
        let all: Vec<Vec<f32>> = self.seen.iter().enumerate().map(of).collect();
        let rows = all.first().map_or(0, Vec::len);
        Columns::from_iterator(rows, all.len(), all.into_iter().flatten())
    }

    /// How much of each label every picture is.
    fn shares(&self) -> Columns {
        let mut is = Columns::zeros(self.labels, self.seen.len());
        for (mut column, seen) in is.column_iter_mut().zip(self.seen) {
            #[expect(clippy::cast_precision_loss, reason = "labels are few")]
            let share = 1.0 / seen.kinds.len().max(1) as f32;
            seen.kinds.iter().for_each(|kind| column[*kind] = share);
        }
        is
    }

    /// What was said of each picture by networks that had not seen its part.
    pub fn answers(&self, lessons: &Lessons, mix: Mix) -> Vec<Answer<'_>> {
        let of = |(at, seen)| {
            let mut logits = lessons.mixed(at, mix.blend);
            mix.scale.apply(&mut logits);
            answer(seen, logits)
        };
        self.seen.iter().enumerate().map(of).collect()
    }

    /// The scale that goes with `blend`.
    pub fn mix(&self, lessons: &Lessons, blend: f32) -> Mix {
        if !self.is_segmenter() {
            return Mix { blend, scale: Scale::NONE };
        }
        let count: usize = self.seen.iter().map(|seen| seen.covers().len()).sum();
        // Every so many'th good cell will do.
        let every = count.div_ceil(SCALE_CELLS).max(1);
        let (mut values, mut kinds, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (at, seen) in self.seen.iter().enumerate() {
            let logits = lessons.mixed(at, blend);
            for (cell, cover) in seen.covers().iter().enumerate().filter(|(_, c)| c.kind != UNKNOWN)
            {
                let is_bad = cover.kind > 0;
                if is_bad || (cell + at) % every == 0 {
                    values.extend_from_slice(logits.column(cell).as_slice());
                    kinds.push(usize::from(cover.kind));
                    #[expect(clippy::cast_precision_loss, reason = "a small count")]
                    weights.push(if is_bad { 1.0 } else { every as f64 });
                }
            }
        }
        let logits = Columns::from_vec(self.labels, kinds.len(), values);
        Mix { blend, scale: Scale::of(&logits, &kinds, &weights) }
    }
}

/// How cells and the whole picture are put together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mix {
    /// How much the whole picture counts.
    pub blend: f32,
    pub scale: Scale,
}

impl Lessons {
    /// Logits of a picture by networks that had not seen its part, not yet scaled.
    fn mixed(&self, at: usize, blend: f32) -> Columns {
        let whole = self.pictures.column(at) * blend;
        match self.cells.get(at) {
            Some(cells) => {
                let mut logits = cells.clone();
                logits.column_iter_mut().for_each(|mut column| column += &whole);
                logits
            }
            None => Columns::from_column_slice(whole.len(), 1, whole.as_slice()),
        }
    }
}

/// What a head says of a picture.
pub(super) fn said(head: &Head, seen: &Seen) -> Columns {
    match (head, &seen.cells) {
        (Head::Picture(net), _) => {
            net.logits(&Columns::from_column_slice(seen.pooled.len(), 1, &seen.pooled))
        }
        (Head::Cells { .. }, Some(cells)) => head.logits(&cells.features.columns()),
        (Head::Cells { .. }, None) => Columns::default(),
    }
}

/// `logits` of a picture as probabilities of the cells that show it.
pub(super) fn answer(seen: &Seen, mut logits: Columns) -> Answer<'_> {
    softmax(&mut logits);
    let (kinds, group) = (seen.kinds.as_slice(), seen.group);
    let Some(cells) = &seen.cells else {
        return Answer { probabilities: logits, width: 1, covers: None, kinds, group };
    };
    let [rows, columns] = cells.shown.clone();
    let shown: Vec<usize> =
        rows.flat_map(|y| columns.clone().map(move |x| y * cells.columns + x)).collect();
    let covers = cells.covers.as_ref().map(|covers| shown.iter().map(|at| covers[*at]).collect());
    let probabilities = logits.select_columns(&shown);
    Answer { probabilities, width: columns.len(), covers, kinds, group }
}

fn median(mut of: Vec<usize>) -> usize {
    of.sort_unstable();
    of.get(of.len() / 2).copied().unwrap_or(1).max(1)
}
