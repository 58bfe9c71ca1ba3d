//! What there is to learn from: takes an index, gives its rows held against their files, what kind
//! of model they allow and how large pictures are shown to it; or what is wrong with them.

use std::collections::{BTreeSet, HashMap};

use domain::SizePx;

use super::grid::{DEPTH, cells};
use super::shared::each;
use super::truth::{Checked, LABELS_MAX, RowProblem};
use super::{FitError, Settings, Step};
use crate::index::{Index, Row};
use crate::kinds::Kind;

/// The split that is trained on, where rows name splits and nobody says otherwise.
const TRAIN: &str = "train";

/// A class of fewer parts is warned of.
const GROUPS_FEW: usize = 5;

/// Features that are kept in memory at most, in bytes.
const FEATURE_BYTES_MOST: usize = 3 << 30;

/// The shortest and longest side that is chosen for pictures.
const SIDE_LEAST: f64 = 192.0;
const SIDE_MOST: f64 = 1024.0;

/// How large all but the smallest quarter of defects should be shown: two cells.
const EXTENT: f64 = 16.0;

/// Checked rows.
pub(super) struct Data {
    /// The good one first.
    pub labels: Vec<String>,
    /// Pictures to train on, then those that are only reported on.
    pub pictures: Vec<Checked>,
    /// How many of them are trained on.
    pub trained: usize,
    /// The group of each, numbered.
    pub groups: Vec<usize>,
    /// The split that is only reported on.
    pub test_split: Option<String>,
    /// Whether rows name groups.
    pub has_groups: bool,
}

impl Data {
    /// Reads what `settings` names of `index`.
    pub fn read(
        index: &Index,
        settings: &Settings,
        progress: &mut impl FnMut(Step),
    ) -> Result<Self, FitError> {
        let split = Split::new(index, settings)?;
        let labels = labels(index, &split.train, &settings.good)?;
        let chosen: Vec<usize> = split.train.iter().chain(&split.test).copied().collect();
        let check = |(): &mut (), at: usize| Ok(Checked::new(index, chosen[at], &labels));
        let done = |done| progress(Step::Checked { done, of: chosen.len() });
        let checked = each(chosen.len(), settings.threads, || Ok(()), check, done)?;
        let (mut pictures, mut problems) = (Vec::new(), Vec::new());
        for row in checked {
            match row {
                Ok(picture) => pictures.push(picture),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(FitError::Rows { index: index.file.clone(), problems });
        }
        let groups = numbered(&pictures);
        let has_groups =
            chosen.iter().any(|at| index.rows[*at].file.as_os_str() != &*index.rows[*at].group);
        let trained = split.train.len();
        Ok(Self { labels, pictures, trained, groups, test_split: split.test_name, has_groups })
    }

    /// The pictures that are trained on.
    pub fn trained(&self) -> &[Checked] {
        &self.pictures[..self.trained]
    }

    /// A segmenter where people said where defects are, of at least half of each class's pictures.
    pub fn kind(&self) -> (Kind, String) {
        let mut whole = Vec::new();
        for (label, name) in self.labels.iter().enumerate().skip(1) {
            let of = || self.trained().iter().filter(|picture| picture.kinds.contains(&label));
            let located = of().filter(|picture| picture.is_located).count();
            if located * 2 < of().count() || located == 0 {
                whole.push(format!("{located} of {} of `{name}`", of().count()));
            }
        }
        if whole.is_empty() {
            let why = "masks or boxes say where the defects are";
            return (Kind::Segmenter, why.to_owned());
        }
        let why = format!("too few pictures have a mask or boxes: {}", whole.join(", "));
        (Kind::Classifier, why)
    }

    /// How large pictures are shown: large enough for the defects, in the pictures' shape.
    ///
    /// # Errors
    /// When a size that was asked for would need too much memory.
    pub fn size(&self, kind: Kind, asked: Option<SizePx>) -> Result<SizePx, FitError> {
        let most = match kind {
            Kind::Segmenter => FEATURE_BYTES_MOST / (2 * DEPTH * self.pictures.len().max(1)),
            _ => usize::MAX,
        };
        let places = |size: SizePx| cells(size).iter().product::<usize>();
        if let Some(size) = asked {
            if places(size) <= most {
                return Ok(size);
            }
            let (pictures, gib) = (self.pictures.len(), FEATURE_BYTES_MOST >> 30);
            return Err(FitError::TooMuch { pictures, size, gib });
        }
        let mut longest = self.longest();
        while places(self.shaped(longest)) > most && longest > SIDE_LEAST {
            longest -= 16.0;
        }
        Ok(self.shaped(longest))
    }

    fn longest(&self) -> f64 {
        let sides = self.trained().iter().map(|picture| longest_side(picture.size)).collect();
        let own = quantile(sides, 0.5).max(SIDE_LEAST);
        let extents: Vec<f64> = self.trained().iter().flat_map(relative_extents).collect();
        if extents.is_empty() {
            return own.min(256.0);
        }
        (EXTENT / quantile(extents, 0.25)).clamp(SIDE_LEAST, own.min(SIDE_MOST))
    }

    /// The size with this longest side and the pictures' usual shape.
    fn shaped(&self, longest: f64) -> SizePx {
        let shapes =
            |picture: &Checked| f64::from(picture.size.width) / f64::from(picture.size.height);
        let shape = quantile(self.trained().iter().map(shapes).collect(), 0.5);
        let (width, height) =
            if shape >= 1.0 { (longest, longest / shape) } else { (longest * shape, longest) };
        SizePx::new(step(width), step(height))
    }

    /// What a user should know before believing the figures.
    pub fn warnings(&self, kind: Kind, size: SizePx) -> Vec<String> {
        let mut warnings = Vec::new();
        for (label, name) in self.labels.iter().enumerate() {
            let of = self.trained().iter().zip(&self.groups);
            let of = of.filter(|(picture, _)| picture.kinds.contains(&label));
            let groups = of.map(|(_, group)| group).collect::<BTreeSet<_>>().len();
            if groups < GROUPS_FEW {
                warnings.push(format!(
                    "only {groups} parts are labelled `{name}`: what is measured of it says \
                     little; label more parts"
                ));
            }
        }
        if !self.has_groups {
            warnings.push(
                "no row names a group: pictures of one part may be trained on and asked about, and \
                 the figures be too good; fill the column `group`"
                    .to_owned(),
            );
        }
        if kind == Kind::Segmenter {
            warnings.extend(self.warnings_of_places(size));
        }
        warnings
    }

    fn warnings_of_places(&self, size: SizePx) -> Vec<String> {
        let mut warnings = Vec::new();
        let bad = || self.trained().iter().filter(|picture| picture.is_bad());
        let nowhere = bad().filter(|picture| !picture.is_located).count();
        if nowhere > 0 {
            warnings.push(format!(
                "{nowhere} bad pictures do not say where: they helped to judge whole pictures, not \
                 places"
            ));
        }
        let boxed = bad().filter(|picture| picture.is_boxed_only()).count();
        if boxed > 0 {
            warnings.push(format!(
                "{boxed} pictures have boxes and no mask: all inside a box was taken for \
                 defective, so marked places are as rough as boxes, and pixel figures are about \
                 boxes"
            ));
        }
        let longest = longest_side(size);
        let extents: Vec<f64> =
            self.trained().iter().flat_map(relative_extents).map(|e| e * longest).collect();
        let small = quantile(extents, 0.25);
        if small < 8.0 {
            warnings.push(format!(
                "a quarter of the defects is shown smaller than {small:.1} pixels at {size}, less \
                 than a cell: show pictures larger, or crop closer to the part"
            ));
        }
        warnings
    }
}

fn longest_side(size: SizePx) -> f64 {
    f64::from(size.width.max(size.height))
}

/// Sides of a picture's defects, as parts of its longest side. Boxes are drawn with a margin.
fn relative_extents(picture: &Checked) -> impl Iterator<Item = f64> {
    let whole = longest_side(picture.size) * if picture.is_boxed_only() { 2.0 } else { 1.0 };
    picture.extents.iter().map(move |extent| extent / whole)
}

/// The value that a share of `of` lies below; 0 when there is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a list"
)]
fn quantile(mut of: Vec<f64>, share: f64) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get((of.len() as f64 * share) as usize).copied().unwrap_or(0.0)
}

/// The multiple of 16 next to a side.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn step(side: f64) -> u32 {
    ((side / 16.0).round() as u32).clamp(2, 128) * 16
}

/// Which rows are trained on, and which are reported on.
struct Split {
    train: Vec<usize>,
    test: Vec<usize>,
    test_name: Option<String>,
}

impl Split {
    fn new(index: &Index, settings: &Settings) -> Result<Self, FitError> {
        let rows = |split: &str| {
            (0..index.rows.len()).filter(|at| index.rows[*at].split == split).collect::<Vec<_>>()
        };
        let train = match &settings.train_split {
            Some(split) => {
                index.of_split(split)?;
                rows(split)
            }
            None if rows(TRAIN).is_empty() => (0..index.rows.len()).collect(),
            None => rows(TRAIN),
        };
        let test_name = settings.test_split.clone();
        let test = match &test_name {
            Some(split) => {
                index.of_split(split)?;
                rows(split)
            }
            None => Vec::new(),
        };
        let trained_groups: BTreeSet<&str> =
            train.iter().map(|at| &*index.rows[*at].group).collect();
        if let Some(both) = test.iter().find(|at| trained_groups.contains(&*index.rows[**at].group))
        {
            let group = index.rows[*both].group.clone();
            return Err(FitError::GroupInBoth { index: index.file.clone(), line: both + 2, group });
        }
        Ok(Self { train, test, test_name })
    }
}

/// The labels of the rows that are trained on, the good one first.
fn labels(index: &Index, train: &[usize], good: &str) -> Result<Vec<String>, FitError> {
    let rows = || train.iter().map(|at| &index.rows[*at]);
    let all: BTreeSet<&String> = rows().flat_map(|row: &Row| &row.labels).collect();
    let bad: Vec<String> =
        all.iter().filter(|label| **label != good).map(|l| (*l).clone()).collect();
    let index = index.file.clone();
    if !all.contains(&good.to_owned()) {
        return Err(FitError::NoGood { index, good: good.to_owned(), labels: bad });
    }
    if bad.is_empty() {
        return Err(FitError::NoDefects { index, good: good.to_owned(), pictures: train.len() });
    }
    if bad.len() >= LABELS_MAX {
        return Err(FitError::ManyLabels { index, count: bad.len() + 1, most: LABELS_MAX });
    }
    Ok([good.to_owned()].into_iter().chain(bad).collect())
}

fn numbered(pictures: &[Checked]) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let number = |picture: &Checked| {
        let next = numbers.len();
        *numbers.entry(picture.group.clone()).or_insert(next)
    };
    pictures.iter().map(number).collect()
}

/// Where a row went wrong after it had been right.
impl From<RowProblem> for FitError {
    fn from(problem: RowProblem) -> Self {
        Self::Rows { index: problem.picture.clone(), problems: vec![problem] }
    }
}
