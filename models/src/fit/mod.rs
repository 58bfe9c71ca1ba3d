//! Models fitted to pictures of good parts, on the station's own processor: takes pictures, gives a
//! bundle whose network is the frozen extractor ([`features`]) and a memory of what good parts
//! look like ([`Method`]), with limits tried on parts that the memory had not seen.

mod bank;
mod card;
mod coreset;
pub mod features;
mod gauss;
pub mod heads;
mod limits;
mod memory;
mod nodes;
mod patches;
pub mod pictures;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use domain::{FindingFault, OwnedPixels, Sha256, SizePx};
use serde::Serialize;
use thiserror::Error;

use self::features::FeaturesError;
use self::limits::{Limits, Scored};
use self::memory::Memory;
use self::patches::{Looker, Patches};
use self::pictures::{Picture, Pictures, PicturesError};
use crate::eval::auroc;
use crate::kinds::Kind;
use crate::manifest::{Activation, AnomalySpec, FileSpec, Manifest, OutputSpec, Precision, SCHEMA};
use crate::onnx::bytes_from_model;
use crate::picture::{PictureError, pixels_from_file};
use crate::session::Runtime;
use crate::write::{Draft, WriteError, bundle_from_draft};

pub use self::limits::{Costs, Errors, Rule};
pub use self::memory::Method;
pub use self::patches::Grid;

/// Good pictures are dealt into so many parts, each judged by a memory of the others.
const FOLDS: usize = 3;

/// Features that are kept in memory at most; of more good pictures an even share is used.
const FEATURE_BYTES_MOST: usize = 1 << 30;

/// The probability that stands for `reject_at` in every fitted bundle.
const REJECT_AT: f32 = 0.5;

/// The label of what is unlike good parts.
const LABEL: &str = "anomaly";

/// How to fit.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What people will call the model.
    pub name: String,
    /// Under which licence it may be used; that of the extractor's weights is named beside it.
    pub licence: String,
    /// How good parts are remembered.
    pub method: Method,
    /// The size that pictures are shown at.
    pub size: SizePx,
    /// How fine places are.
    pub grid: Grid,
    /// The most patches that [`Method::Patchcore`] keeps.
    pub patches: usize,
    /// Where chance has a say, it is this one.
    pub seed: u64,
    /// How limits are chosen.
    pub rule: Rule,
    /// How many pictures are looked at at once.
    pub threads: usize,
    /// Whether pictures that can't be read are left out.
    pub skip_unreadable: bool,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One more picture was looked at.
    Looked,
    /// The memory of so many good pictures is being made.
    Remembering(usize),
    /// The bundle is being written and tried.
    Writing,
}

/// Why there is no bundle.
#[derive(Debug, Error)]
pub enum FitError {
    /// There is nothing to fit to.
    #[error(transparent)]
    Pictures(#[from] PicturesError),
    /// Some pictures are none.
    #[error(
        "{} pictures can't be used: {}; right would be: pictures, or to skip these",
        .0.len(), listed(.0)
    )]
    Unreadable(Vec<PictureError>),
    /// The extractor does not start.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// There is no thread to work on.
    #[error("no thread could be started: {0}")]
    Thread(io::Error),
    /// The bundle can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A picture that was read before can't be any more.
    #[error(transparent)]
    Picture(#[from] PictureError),
}

fn listed(errors: &[PictureError]) -> String {
    let told: Vec<_> = errors.iter().take(5).map(PictureError::to_string).collect();
    let more = if errors.len() > told.len() { ", …" } else { "" };
    format!("{}{more}", told.join(", "))
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Fitted {
    /// The bundle's hash.
    pub model: Sha256,
    /// How good parts are remembered.
    pub method: Method,
    /// The size that pictures are shown at.
    pub size: SizePx,
    /// How fine places are.
    pub grid: Grid,
    /// Patches that were kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patches: Option<usize>,
    /// Good pictures that were fitted to.
    pub good: usize,
    /// Bad pictures that were looked at.
    pub bad: usize,
    /// How many groups the good pictures are of; 0 when none are named.
    pub groups: usize,
    /// Into how many folds they were dealt.
    pub folds: usize,
    /// From which score a part is rejected.
    pub reject_at: f32,
    /// From which score a part is undecided.
    pub undecided_from: f32,
    /// How often the limits are wrong, cross-validated.
    pub errors: Errors,
    /// How well scores tell bad from good, cross-validated; absent without bad pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auroc: Option<f64>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Scores of good pictures in twentieths of 0 to 1, cross-validated.
    pub good_scores: [usize; 20],
    /// Those of bad pictures.
    pub bad_scores: [usize; 20],
}

/// Fits a model to `pictures` as `plan` says and writes it into the folder `dir`, which must not be
/// there yet. `progress` hears of each step, on any thread.
///
/// The same pictures, plan and machine give the same bundle, whatever the number of threads.
///
/// # Errors
/// When too few pictures can be read, the size is none the extractor takes, or the bundle can't be
/// written; then nothing is left.
pub fn bundle_from_pictures(
    dir: &Path,
    mut pictures: Pictures,
    plan: &Plan,
    runtime: &Runtime,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Fitted, FitError> {
    if dir.exists() {
        return Err(WriteError::Taken(dir.to_owned()).into());
    }
    thin_out(&mut pictures, plan);
    let (good, bad) = look_at_all(&mut pictures, plan, runtime, progress)?;
    let (fold_of_good, fold_of_bad, folds) = pictures.folds(FOLDS);
    let grid = plan.grid.places(plan.size);
    let memory_of = |chosen: &[&Patches]| {
        progress(Step::Remembering(chosen.len()));
        Memory::fit(plan.method, chosen, plan.patches, plan.seed)
    };
    let mut scored = Vec::with_capacity(good.len() + bad.len());
    for fold in 0..folds {
        let others = good.iter().zip(&fold_of_good).filter(|(_, f)| **f != fold).map(|(p, _)| p);
        let memory = memory_of(&others.collect::<Vec<_>>());
        for (all, fold_of, is_bad) in [(&good, &fold_of_good, false), (&bad, &fold_of_bad, true)] {
            for (index, (patches, _)) in
                all.iter().zip(fold_of).enumerate().filter(|(_, (_, f))| **f == fold)
            {
                let score = memory.score(patches, grid);
                scored.push((index, Scored { score, bad: is_bad, fold }));
            }
        }
    }
    let memory = memory_of(&good.iter().collect::<Vec<_>>());
    progress(Step::Writing);
    let making = Making { dir, pictures, plan, folds, scored, memory };
    making.write(runtime)
}

/// Keeps an even share of the good pictures when all would not fit into memory.
fn thin_out(pictures: &mut Pictures, plan: &Plan) {
    let [rows, columns] = plan.grid.places(plan.size);
    let bytes = rows * columns * plan.grid.depth() * size_of::<f32>();
    let (most, count) = ((FEATURE_BYTES_MOST / bytes.max(1)).max(1), pictures.good.len());
    if count <= most {
        return;
    }
    let mut index = 0;
    pictures.good.retain(|_| {
        index += 1;
        index * most / count != (index - 1) * most / count
    });
    let warning = format!("of {count} good pictures, {most} spread evenly were used");
    pictures.warnings.push(warning);
}

/// Patches of all good and all bad pictures; those that can't be read are refused, or dropped
/// from `pictures`.
fn look_at_all(
    pictures: &mut Pictures,
    plan: &Plan,
    runtime: &Runtime,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<(Vec<Patches>, Vec<Patches>), FitError> {
    let mut unreadable = Vec::new();
    let mut both = [Vec::new(), Vec::new()];
    for (list, seen) in [&mut pictures.good, &mut pictures.bad].into_iter().zip(&mut both) {
        let answers = look_at(list, plan, runtime, progress)?;
        let mut readable = Vec::with_capacity(list.len());
        for (picture, answer) in list.drain(..).zip(answers) {
            match answer {
                Ok(patches) => {
                    seen.push(patches);
                    readable.push(picture);
                }
                Err(error) => unreadable.push(error),
            }
        }
        *list = readable;
    }
    if !unreadable.is_empty() {
        if !plan.skip_unreadable {
            return Err(FitError::Unreadable(unreadable));
        }
        let told = listed(&unreadable);
        pictures.warnings.push(format!("{} pictures were skipped: {told}", unreadable.len()));
        pictures.check_count()?;
    }
    let [good, bad] = both;
    Ok((good, bad))
}

type Answer = Result<Patches, PictureError>;

/// Patches of each picture, in order, over several threads.
fn look_at(
    list: &[Picture],
    plan: &Plan,
    runtime: &Runtime,
    progress: &(dyn Fn(Step) + Sync),
) -> Result<Vec<Answer>, FitError> {
    let next = AtomicUsize::new(0);
    let answers: Mutex<BTreeMap<usize, Answer>> = Mutex::default();
    let work = || -> Result<(), FeaturesError> {
        let mut looker = Looker::open(runtime, plan.size, plan.grid)?;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(picture) = list.get(index) else { return Ok(()) };
            let answer = look_at_one(&mut looker, &picture.file);
            answers.lock().unwrap_or_else(PoisonError::into_inner).insert(index, answer);
            progress(Step::Looked);
        }
    };
    thread::scope(|scope| {
        let start = |i| thread::Builder::new().name(format!("fit-{i}")).spawn_scoped(scope, work);
        let started: Vec<_> = (0..plan.threads.clamp(1, list.len().max(1))).map(start).collect();
        for thread in started {
            match thread.map_err(FitError::Thread)?.join() {
                Ok(ended) => ended?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    })
    .map(|()| {
        let answers = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers.into_values().collect()
    })
}

fn look_at_one(looker: &mut Looker, file: &Path) -> Answer {
    let pixels = pixels_from_file(file)?;
    looker.look(&pixels).map_err(|fault| unfit(file, &fault))
}

fn unfit(file: &Path, fault: &FindingFault) -> PictureError {
    PictureError { file: file.to_owned(), message: fault.to_string() }
}

/// All that the bundle is made of.
struct Making<'a> {
    dir: &'a Path,
    pictures: Pictures,
    plan: &'a Plan,
    folds: usize,
    /// Each picture's number among the good or the bad, and its score.
    scored: Vec<(usize, Scored)>,
    memory: Memory,
}

impl Making<'_> {
    fn write(self, runtime: &Runtime) -> Result<Fitted, FitError> {
        let scored: Vec<_> = self.scored.iter().map(|(_, scored)| *scored).collect();
        let limits = Limits::new(&scored, &self.plan.rule);
        let anomaly = scale(&scored, limits);
        let undecided_from =
            rounded(probability(&anomaly, limits.undecided_from)).clamp(0.01, REJECT_AT);
        let mut fitted = Fitted {
            model: Sha256::of(b""),
            method: self.plan.method,
            size: self.plan.size,
            grid: self.plan.grid,
            patches: self.memory.kept(),
            good: self.pictures.good.len(),
            bad: self.pictures.bad.len(),
            groups: self.pictures.groups().len(),
            folds: self.folds,
            reject_at: REJECT_AT,
            undecided_from,
            errors: Errors::cross_validated(&scored, self.folds, &self.plan.rule),
            auroc: auroc(scored.iter().map(|s| (s.score, s.bad))),
            warnings: self.pictures.warnings.clone(),
            good_scores: twentieths(&scored, false, &anomaly),
            bad_scores: twentieths(&scored, true, &anomaly),
        };
        let network = self.memory.network(self.plan.size, self.plan.grid)?;
        let golden = self.golden(limits)?;
        let recipe = card::recipe(&self.plan.name, fitted.reject_at, fitted.undecided_from);
        let draft = Draft {
            manifest: self.manifest(&fitted, anomaly),
            onnx: &bytes_from_model(&network),
            golden: &golden,
            card: &card::card(self.plan, &fitted),
            beside: &[("recipe.toml", recipe.into_bytes())],
        };
        fitted.model = bundle_from_draft(self.dir, draft, runtime)?.hash();
        Ok(fitted)
    }

    fn manifest(&self, fitted: &Fitted, anomaly: AnomalySpec) -> Manifest {
        let output = OutputSpec {
            name: memory::MAP.to_owned(),
            activation: Activation::None,
            labels: vec!["ok".to_owned(), LABEL.to_owned()],
            good: "ok".to_owned(),
            pixel_threshold: Some(fitted.undecided_from),
            min_cells: Some(1),
            boxes: None,
            anomaly: Some(anomaly),
        };
        let words = [
            ("trained_on", card::trained_on(fitted)),
            ("split", card::split(fitted)),
            ("recipe", card::command(self.plan)),
            ("backbone", features::ORIGIN.to_owned()),
        ];
        Manifest {
            schema: SCHEMA,
            name: self.plan.name.clone(),
            kind: Kind::AnomalyMap,
            licence: self.plan.licence.clone(),
            description: "finds what good parts do not have, and marks where".to_owned(),
            file: FileSpec {
                onnx: PathBuf::from("model.onnx"),
                sha256: Sha256::of(b""),
                precision: Precision::Fp32,
                quantized_from: None,
            },
            input: features::input_spec(self.plan.size),
            output,
            provenance: words.map(|(word, text)| (word.to_owned(), text)).into(),
            golden: Vec::new(),
        }
    }

    /// Three good pictures and two bad ones: the middle one, and others from where a limit is near.
    fn golden(&self, limits: Limits) -> Result<Vec<OwnedPixels>, FitError> {
        let mut golden = Vec::new();
        for (bad, list) in [(false, &self.pictures.good), (true, &self.pictures.bad)] {
            let mut of: Vec<_> = self.scored.iter().filter(|(_, s)| s.bad == bad).collect();
            of.sort_by(|(_, a), (_, b)| a.score.total_cmp(&b.score));
            // Bad ones that look good would only show what the model can't do.
            of.retain(|(_, s)| !bad || s.score >= limits.reject_at);
            let places = if bad { [1, 4].as_slice() } else { &[1, 4, 7] };
            for place in places {
                let Some((index, _)) = of.get(of.len() * place / 8) else { continue };
                let file = &list[*index].file;
                let pixels = pixels_from_file(file)?;
                let shown = patches::shown(&pixels, self.plan.size);
                golden.push(shown.map_err(|fault| unfit(file, &fault))?);
            }
        }
        Ok(golden)
    }
}

/// The middle good part's score becomes a quarter, `reject_at` a half.
fn scale(scored: &[Scored], limits: Limits) -> AnomalySpec {
    let mut good: Vec<_> = scored.iter().filter(|s| !s.bad).map(|s| s.score).collect();
    good.sort_by(f32::total_cmp);
    let middle = good.get(good.len() / 2).copied().unwrap_or_default();
    let quarter = (limits.reject_at - middle).max(limits.reject_at * 0.01).max(1e-6);
    AnomalySpec {
        low: limits.reject_at - 2.0 * quarter,
        high: limits.reject_at + 2.0 * quarter,
        score: None,
    }
}

fn probability(anomaly: &AnomalySpec, score: f32) -> f32 {
    ((score - anomaly.low) / (anomaly.high - anomaly.low)).clamp(0.0, 1.0)
}

fn rounded(probability: f32) -> f32 {
    (probability * 1000.0).round() / 1000.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a probability's place among twenty"
)]
fn twentieths(scored: &[Scored], bad: bool, anomaly: &AnomalySpec) -> [usize; 20] {
    let mut counts = [0; 20];
    for part in scored.iter().filter(|s| s.bad == bad) {
        counts[((probability(anomaly, part.score) * 20.0) as usize).min(19)] += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
