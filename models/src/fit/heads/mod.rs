//! Heads trained on operators' labels: takes an index of labelled pictures, gives a segmenter
//! (where masks or boxes say where defects are) or a classifier, on the frozen features of
//! [`super::features`], in minutes on the station's own processor.
//!
//! Nothing is reported or chosen on pictures of parts that were trained on: parts are dealt into
//! folds, networks that have not seen a fold are asked about it, limits are chosen on what they
//! say, and judged on folds that they were not chosen on. The head that is kept is then trained on
//! all folds.

mod blobs;
mod card;
mod data;
mod figures;
mod folds;
mod grid;
mod head;
mod lessons;
mod limits;
mod net;
mod pool;
mod scale;
mod shared;
#[cfg(test)]
mod tests;
mod truth;

use std::path::{Path, PathBuf};

use domain::{FindingFault, SizePx};
use serde::Serialize;
use thiserror::Error;

use self::data::Data;
use self::grid::{Looker, Packed};
use self::head::Head;
use self::lessons::{BLENDS, Cells, Course, Lessons, Mix, Seen, answer, said};
use self::limits::Answer;
use self::shared::each;
use self::truth::Checked;
use super::card::recipe;
use super::features::{self, FeaturesError};
use super::patches::shown;
use crate::index::{Index, IndexError, OK};
use crate::kinds::Kind;
use crate::manifest::{Activation, FileSpec, Manifest, OutputSpec, Precision, SCHEMA};
use crate::model::Model;
use crate::onnx::bytes_from_model;
use crate::picture::{PictureError, pixels_from_file};
use crate::session::Runtime;
use crate::write::{Draft, WriteError, bundle_from_draft};

pub use self::figures::{ClassFigures, Figures};
pub use self::limits::Limits;
pub use self::truth::RowProblem;

/// The most pictures of defects that become golden samples.
const GOLDEN_MOST: usize = 5;

/// How to fit.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The label that is no defect.
    pub good: String,
    /// How large pictures are shown, multiples of 16; chosen by the defects' size when `None`.
    pub size: Option<SizePx>,
    /// The split to train on; `None` is `train` where there is one, else every row.
    pub train_split: Option<String>,
    /// A split that is kept out of everything and only reported on.
    pub test_split: Option<String>,
    /// Where chance has a say, it is this one.
    pub seed: u64,
    /// How many threads work.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let (train_split, test_split) = (None, None);
        Self { good: OK.to_owned(), size: None, train_split, test_split, seed: 7, threads: 2 }
    }
}

/// What a bundle is called.
#[derive(Clone, Debug)]
pub struct Naming {
    /// What people will call the model.
    pub name: String,
    /// Under which licence it may be used; that of the extractor's weights is named on the card.
    pub licence: String,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Rows held against their files.
    Checked {
        /// So many.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// Pictures looked at.
    Looked {
        /// So many.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// Networks trained for the folds.
    Trained {
        /// So many.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// The head that is kept is being trained.
    Finishing,
}

/// Why there is no head.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum FitError {
    /// The index can't be read, or has no such split.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Rows contradict themselves or their files.
    #[error(
        "{}: {} rows can't be learnt from:{}", .index.display(), .problems.len(),
        listed(.problems)
    )]
    Rows { index: PathBuf, problems: Vec<RowProblem> },
    /// There is nothing to learn.
    #[error(
        "{}: all {pictures} pictures are `{good}`; right would be: pictures of defects too, or to \
         fit to good pictures alone", .index.display()
    )]
    NoDefects { index: PathBuf, good: String, pictures: usize },
    /// Nothing says what good looks like.
    #[error(
        "{}: no picture is labelled `{good}`, only {labels:?}; right would be: pictures of good \
         parts, without which nobody knows how many of them would be rejected; or the label among \
         these that is no defect", .index.display()
    )]
    NoGood { index: PathBuf, good: String, labels: Vec<String> },
    /// More labels than anybody has.
    #[error("{}: it has {count} labels; right would be: at most {most}", .index.display())]
    ManyLabels { index: PathBuf, count: usize, most: usize },
    /// A part would be trained on and reported on.
    #[error(
        "{} line {line}: the part `{group}` is in the split that is trained on too; right would \
         be: all pictures of a part in one split", .index.display()
    )]
    GroupInBoth { index: PathBuf, line: usize, group: String },
    /// Parts can't be dealt into folds.
    #[error(
        "{}: {good} good parts and {bad} bad ones; right would be: at least 2 of each, so that \
         some can be kept apart (pictures of one part share a `group`)", .index.display()
    )]
    FewGroups { index: PathBuf, good: usize, bad: usize },
    /// The features would not fit into memory.
    #[error(
        "{pictures} pictures at {size} need more than {gib} GiB; right would be: a smaller size, \
         or fewer pictures"
    )]
    TooMuch { pictures: usize, size: SizePx, gib: usize },
    /// The extractor does not start, or not at this size.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// A picture can't be read any more.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A picture can't be looked at.
    #[error("{}: {fault}", .file.display())]
    Look { file: PathBuf, fault: FindingFault },
    /// There is no thread to work on.
    #[error("no thread could be started: {message}")]
    Thread { message: String },
    /// The bundle can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

fn listed(problems: &[RowProblem]) -> String {
    const MOST: usize = 10;
    let mut text: String =
        problems.iter().take(MOST).map(|problem| format!("\n  {problem}")).collect();
    if problems.len() > MOST {
        text += &format!("\n  and {} more", problems.len() - MOST);
    }
    text
}

/// A trained head with all that is known of it.
#[derive(Clone, Debug, Serialize)]
pub struct Fitted {
    /// What the bundle will be.
    pub kind: Kind,
    /// Why it is no other.
    pub why: String,
    /// The good one first.
    pub labels: Vec<String>,
    /// How large pictures are shown.
    pub size: SizePx,
    /// Pictures that were trained on.
    pub images: usize,
    /// Parts that they show.
    pub groups: usize,
    /// Into how many folds they were dealt.
    pub folds: usize,
    /// Chosen on pictures whose parts the networks had not seen.
    pub limits: Limits,
    /// Cross-validated: neither the networks nor the limits had seen the parts.
    pub figures: Figures,
    /// Of the split that was kept out, where there is one; by [`Self::limits`].
    pub test: Option<TestFigures>,
    /// Segmenters: image AUROC by how much the whole picture's looks count beside its cells.
    pub blends: Vec<(f32, f64)>,
    /// The one that was taken.
    pub blend: f32,
    /// What a user should know before believing the figures.
    pub warnings: Vec<String>,
    #[serde(skip)]
    seed: u64,
    #[serde(skip)]
    head: Head,
    /// A good picture, and one of each of some defects.
    #[serde(skip)]
    golden: Vec<PathBuf>,
    #[serde(skip)]
    index: PathBuf,
}

/// Figures of a split.
#[derive(Clone, Debug, Serialize)]
pub struct TestFigures {
    /// The split.
    pub split: String,
    /// What was measured on it.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Trains a head on the labelled pictures of `index`. `progress` hears of each step.
///
/// The same index, settings and machine give the same head.
///
/// # Errors
/// When rows contradict themselves or their files, there is nothing good or nothing bad, fewer than
/// two parts of either, or ONNX Runtime refuses.
pub fn fit(
    runtime: &Runtime,
    index: &Index,
    settings: &Settings,
    mut progress: impl FnMut(Step),
) -> Result<Fitted, FitError> {
    let data = Data::read(index, settings, &mut progress)?;
    let (kind, why) = data.kind();
    let size = data.size(kind, settings.size)?;
    let seen = look_at_all(runtime, &data, kind, size, settings.threads, &mut progress)?;
    let (trained, kept_out) = seen.split_at(data.trained);
    let (labels, seed) = (data.labels.len(), settings.seed);
    let course = Course { seen: trained, labels, seed, threads: settings.threads };
    check_groups(&course, index)?;
    let (mut done, of) = (0, course.trainings());
    let lessons = course.learn(|| {
        done += 1;
        progress(Step::Trained { done, of });
    })?;
    let (blends, mix) = mix(&course, &lessons, kind);
    let answers = course.answers(&lessons, mix);
    let is_segmenter = kind == Kind::Segmenter;
    let limits = limits::chosen(&answers.iter().collect::<Vec<_>>(), is_segmenter);
    let judged = judged_by_others(&answers, &lessons, is_segmenter);
    let figures = figures::figures(&judged, &data.labels, seed);
    progress(Step::Finishing);
    let head = course.head(&lessons, mix);
    let test = data.test_split.clone().map(|split| {
        let answers: Vec<_> = kept_out.iter().map(|seen| answer(seen, said(&head, seen))).collect();
        let judged: Vec<_> = answers.iter().map(|answer| (answer, limits)).collect();
        TestFigures { split, figures: figures::figures(&judged, &data.labels, seed) }
    });
    let mut warnings = data.warnings(kind, size);
    if lessons.count < 3 {
        warnings.push("parts could only be dealt into 2 folds".to_owned());
    }
    Ok(Fitted {
        kind,
        why,
        size,
        images: data.trained,
        groups: figures.groups,
        folds: lessons.count,
        limits,
        figures,
        test,
        blends,
        blend: mix.blend,
        warnings,
        seed,
        head,
        golden: golden(&answers, &limits, data.trained()),
        index: index.file.clone(),
        labels: data.labels,
    })
}

fn check_groups(course: &Course<'_>, index: &Index) -> Result<(), FitError> {
    let [good, bad] = course.parts();
    if good.min(bad) >= 2 {
        return Ok(());
    }
    Err(FitError::FewGroups { index: index.file.clone(), good, bad })
}

/// What the extractor sees of every picture.
fn look_at_all(
    runtime: &Runtime,
    data: &Data,
    kind: Kind,
    size: SizePx,
    threads: usize,
    progress: &mut impl FnMut(Step),
) -> Result<Vec<Seen>, FitError> {
    let (pictures, groups) = (&data.pictures, &data.groups);
    let look =
        |looker: &mut Looker, at: usize| look_at(looker, &pictures[at], groups[at], kind, size);
    let done = |done| progress(Step::Looked { done, of: pictures.len() });
    each(pictures.len(), threads, || Ok(Looker::open(runtime, size)?), look, done)
}

fn look_at(
    looker: &mut Looker,
    picture: &Checked,
    group: usize,
    kind: Kind,
    size: SizePx,
) -> Result<Seen, FitError> {
    let pixels = pixels_from_file(&picture.file)?;
    let (features, placement) = looker
        .look(&pixels)
        .map_err(|fault| FitError::Look { file: picture.file.clone(), fault })?;
    let cells = if kind == Kind::Segmenter {
        let grid = grid::cells(size);
        let region = picture.region()?;
        Some(Cells {
            features: Packed::new(&features),
            columns: grid[1],
            shown: truth::shown(picture.size, &placement, grid),
            covers: region.map(|region| region.cells(&placement, grid)),
        })
    } else {
        None
    };
    Ok(Seen { kinds: picture.kinds.clone(), group, pooled: grid::pooled(&features), cells })
}

/// The image AUROC with each blend there is, and what to take: the whole picture's looks only count
/// where that is clearly better than cells alone.
fn mix(course: &Course<'_>, lessons: &Lessons, kind: Kind) -> (Vec<(f32, f64)>, Mix) {
    const CLEARLY: f64 = 0.002;
    if kind != Kind::Segmenter {
        return (Vec::new(), course.mix(lessons, 1.0));
    }
    let apart = |mix: Mix| {
        let answers = course.answers(lessons, mix);
        let limits = limits::chosen(&answers.iter().collect::<Vec<_>>(), true);
        let scores = |is_bad: bool| {
            let of = answers.iter().filter(|answer| answer.is_bad() == is_bad);
            of.map(|answer| answer.score(limits.cells())).collect::<Vec<_>>()
        };
        figures::auroc(&scores(true), &scores(false))
    };
    let mixes = BLENDS.map(|blend| course.mix(lessons, blend));
    let all: Vec<(f32, f64)> = mixes.iter().map(|mix| (mix.blend, apart(*mix))).collect();
    let mut taken = 0;
    for at in 1..all.len() {
        if all[at].1 > all[taken].1 + CLEARLY {
            taken = at;
        }
    }
    let mix = mixes[taken];
    (all, mix)
}

/// Each answer with the limits that the other folds' answers chose.
fn judged_by_others<'a, 'b>(
    answers: &'a [Answer<'b>],
    lessons: &Lessons,
    is_segmenter: bool,
) -> Vec<(&'a Answer<'b>, Limits)> {
    let limits_without = |fold: usize| {
        let others = answers.iter().zip(&lessons.folds).filter(|(_, of)| **of != fold);
        limits::chosen(&others.map(|(answer, _)| answer).collect::<Vec<_>>(), is_segmenter)
    };
    let limits: Vec<Limits> = (0..lessons.count).map(limits_without).collect();
    answers.iter().zip(&lessons.folds).map(|(answer, fold)| (answer, limits[*fold])).collect()
}

/// The plainest good picture, and of each defect the plainest.
fn golden(answers: &[Answer<'_>], limits: &Limits, pictures: &[Checked]) -> Vec<PathBuf> {
    let scores: Vec<Vec<f32>> =
        answers.iter().map(|answer| answer.scores(limits.cells())).collect();
    let labels = scores.first().map_or(0, Vec::len);
    let plainest = |label: usize| {
        let plain = |at: &usize| match label {
            0 => -scores[*at].iter().copied().fold(0.0, f32::max),
            _ => scores[*at][label],
        };
        let of = (0..answers.len()).filter(|at| answers[*at].kinds.contains(&label));
        of.max_by(|a, b| plain(a).total_cmp(&plain(b))).map(|at| pictures[at].file.clone())
    };
    let mut golden: Vec<PathBuf> = (0..labels.min(GOLDEN_MOST + 1)).filter_map(plainest).collect();
    golden.dedup();
    golden
}

impl Fitted {
    /// Writes the bundle into the folder `dir`, which must not be there yet: network, card, a
    /// recipe with the limits, and golden samples.
    ///
    /// # Errors
    /// When `dir` is taken, the disk refuses, or the golden pictures can't be read any more; then
    /// nothing is left.
    pub fn write(&self, dir: &Path, naming: &Naming, runtime: &Runtime) -> Result<Model, FitError> {
        let (network, output) = self.head.graph(self.size)?;
        let golden = self.golden.iter().map(|file| {
            let pixels = pixels_from_file(file)?;
            shown(&pixels, self.size).map_err(|fault| FitError::Look { file: file.clone(), fault })
        });
        let golden = golden.collect::<Result<Vec<_>, _>>()?;
        let (reject_at, undecided_from) = (self.limits.reject_at, self.limits.undecided_from);
        let recipe = recipe(&naming.name, reject_at, undecided_from);
        let draft = Draft {
            manifest: self.manifest(naming, output),
            onnx: &bytes_from_model(&network),
            golden: &golden,
            card: &card::card(self, naming),
            beside: &[("recipe.toml", recipe.into_bytes())],
        };
        Ok(bundle_from_draft(dir, draft, runtime)?)
    }

    fn manifest(&self, naming: &Naming, output: &str) -> Manifest {
        let words = [
            ("trained_on", card::trained_on(self)),
            ("split", card::split(self)),
            ("recipe", card::command(self)),
            ("backbone", features::ORIGIN.to_owned()),
        ];
        Manifest {
            schema: SCHEMA,
            name: naming.name.clone(),
            kind: self.kind,
            licence: naming.licence.clone(),
            description: format!("finds {}", self.labels[1..].join(", ")),
            file: FileSpec {
                onnx: PathBuf::from("model.onnx"),
                sha256: domain::Sha256::of(b""),
                precision: Precision::Fp32,
                quantized_from: None,
            },
            input: features::input_spec(self.size),
            output: OutputSpec {
                name: output.to_owned(),
                activation: Activation::Softmax,
                labels: self.labels.clone(),
                good: self.labels[0].clone(),
                pixel_threshold: self.limits.pixel_threshold,
                min_cells: self.limits.min_cells,
                boxes: None,
                anomaly: None,
            },
            provenance: words.map(|(word, text)| (word.to_owned(), text)).into(),
            golden: Vec::new(),
        }
    }
}
