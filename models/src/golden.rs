//! Golden samples: takes a model and the answers it must give, says of each whether it gives them,
//! and when it does not, which single setting being otherwise would explain it.

mod attempts;

use std::fmt;
use std::path::PathBuf;

use domain::{Finding, FindingFault, OwnedPixels, PixelFormat, Pixels, Tensor};
use serde::Serialize;

use crate::bundle::{Bundle, BundleError, Missed};
use crate::import::{Facts, word_of};
use crate::kinds::Kind;
use crate::manifest::{Golden, InputSpec, Manifest, Precision};
use crate::model::Model;
use crate::onnx::model_from_bytes;
use crate::session::Runtime;
use crate::tensor::Shaper;
use attempts::{attempts, change};

/// What a network said of a golden sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// The picture, relative to the bundle's folder.
    pub image: PathBuf,
    /// How far each score may be off.
    pub tolerance: f32,
    /// Each label's score, in the order of `output.labels`; empty when there was no answer.
    pub scores: Vec<Compared>,
    /// Why there was no answer.
    #[serde(serialize_with = "as_text", skip_serializing_if = "Option::is_none")]
    pub fault: Option<FindingFault>,
}

/// A label's score, as it must be and as it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The label.
    pub label: String,
    /// What the manifest says.
    pub expected: f32,
    /// What the network said.
    pub got: f32,
}

fn as_text<S: serde::Serializer>(
    fault: &Option<FindingFault>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&fault.as_ref().map_or_else(String::new, ToString::to_string))
}

impl Sample {
    /// Whether every score is as it must be.
    #[must_use]
    pub fn reproduced(&self) -> bool {
        self.fault.is_none() && self.scores.iter().all(|score| score.off() <= self.tolerance)
    }

    /// The label that is furthest off, and how far.
    #[must_use]
    pub fn worst(&self) -> Option<&Compared> {
        self.scores.iter().max_by(|a, b| a.off().total_cmp(&b.off()))
    }

    fn into_error(self, cause: Cause) -> BundleError {
        let Self { image, tolerance, scores, fault } = self;
        if let Some(fault) = fault {
            return BundleError::GoldenFault { image, fault, cause };
        }
        let missed = scores.into_iter().filter(|score| score.off() > tolerance);
        let missed =
            missed.map(|Compared { label, expected, got }| Missed { label, expected, got });
        BundleError::GoldenMissed { image, tolerance, missed: missed.collect(), cause }
    }
}

impl Compared {
    /// How far it is off.
    #[must_use]
    pub fn off(&self) -> f32 {
        (self.expected - self.got).abs()
    }
}

/// Why golden samples are not reproduced.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// Any one of these would reproduce all of them.
    Settings(Vec<Change>),
    /// The CPU reproduces them.
    Provider {
        /// What does not.
        name: String,
    },
    /// No setting explains it, and the network computes in less than 32-bit floats.
    Quantised {
        /// In what it computes.
        precision: Precision,
        /// The largest deviation of a score.
        worst: f32,
    },
    /// No setting explains it.
    Unexplained {
        /// The largest deviation of a score; `None` when the network gave no answer.
        worst: Option<f32>,
    },
}

/// A setting that would reproduce the golden samples if it were otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The manifest's key, or what else would be changed.
    pub key: String,
    /// What it would have to be.
    pub would: String,
    /// What the manifest says.
    pub says: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: the manifest says {}", self.key, self.would, self.says)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(changes) => {
                changes.iter().enumerate().try_for_each(|(index, change)| {
                    let before = if index == 0 { "right with " } else { "; or with " };
                    write!(f, "{before}{change}")
                })
            }
            Self::Provider { name } => write!(f, "right on the CPU, wrong on {name}"),
            Self::Quantised { precision, worst } => {
                let precision = word_of(precision);
                write!(
                    f,
                    "no setting explains it: damage of quantisation ({precision}), scores are off \
                     by up to {worst:.4}"
                )
            }
            Self::Unexplained { worst } => {
                f.write_str(
                    "no single setting explains it: the network or the pictures are others",
                )?;
                match worst {
                    Some(worst) => write!(f, " (scores are off by up to {worst:.4})"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// Where a model missed that the CPU may not.
pub(crate) struct Elsewhere<'a> {
    /// What people call it: `CUDA`.
    pub name: String,
    /// Makes the same bundle ready on the CPU.
    pub on_cpu: &'a dyn Fn() -> Result<Model, BundleError>,
}

/// Gives `model` back when it reproduces every golden sample of its bundle. `elsewhere` is where
/// it runs, unless it runs on the CPU.
pub(crate) fn proven(
    mut model: Model,
    elsewhere: Option<Elsewhere<'_>>,
) -> Result<Model, BundleError> {
    let bundle = model.bundle().clone();
    let mut trial = Trial::of(model.input().clone());
    let missed = trial.samples(&mut model, &bundle).find(|sample| !sample.reproduced());
    match missed {
        None => Ok(model),
        Some(sample) => {
            tracing::debug!(image = %sample.image.display(), "golden sample missed: asking why");
            Err(sample.into_error(cause(model, &bundle, elsewhere)))
        }
    }
}

impl Bundle {
    /// What the network says here of every golden sample, right or wrong.
    ///
    /// # Errors
    /// When ONNX Runtime does not take the network, or it is not as the manifest says.
    pub fn samples(&self, runtime: &Runtime) -> Result<Vec<Sample>, BundleError> {
        let mut model = Model::ready(self, runtime)?;
        let mut trial = Trial::of(model.input().clone());
        Ok(trial.samples(&mut model, self).collect())
    }
}

/// What `model` says of every golden picture of its bundle, whatever the manifest expects.
///
/// # Errors
/// When it gives no answer to one; the error names what would make it answer.
pub(crate) fn answers(model: &mut Model) -> Result<Vec<Finding>, BundleError> {
    let bundle = model.bundle().clone();
    let mut trial = Trial::of(model.input().clone());
    let pairs = bundle.manifest().golden.iter().zip(&bundle.parts.pictures);
    let looked = pairs.map(|(golden, pixels)| {
        trial.look(model, pixels).map_err(|fault| (golden.image.clone(), fault))
    });
    let answers: Result<Vec<_>, _> = looked.collect();
    answers.map_err(|(image, fault)| {
        let changes = changes_that(model, &bundle, &|_, _| true);
        let explained = !changes.is_empty();
        let cause =
            if explained { Cause::Settings(changes) } else { Cause::Unexplained { worst: None } };
        BundleError::GoldenFault { image, fault, cause }
    })
}

/// What a finding comes to, in a word: the label that a classifier gives the highest score, else
/// that of the worst defect, or the good one.
fn verdict_of(finding: &Finding, manifest: &Manifest) -> String {
    let best = match manifest.kind {
        Kind::Classifier => finding.classes.iter().map(|c| (c.score, &c.label)).reduce(higher),
        _ => finding.defects.iter().map(|d| (d.score, &d.kind)).reduce(higher),
    };
    best.map_or_else(|| manifest.output.good.clone(), |(_, label)| label.to_string())
}

fn higher<'a, T>(a: (domain::Score, &'a T), b: (domain::Score, &'a T)) -> (domain::Score, &'a T) {
    if b.0.get() > a.0.get() { b } else { a }
}

/// A network that contradicts what people say of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct Contradiction {
    /// Number of the picture among the golden samples, from 0.
    pub picture: usize,
    /// What it is said to show.
    pub said: String,
    /// What the network says.
    pub got: String,
    /// Settings with which it would contradict nobody.
    pub changes: Vec<Change>,
}

/// Holds what `model` says of its golden samples against what people say they show: a label each,
/// or `None` where nobody said. Gives the first contradiction.
///
/// # Errors
/// When the network gives no answer.
pub fn contradiction(
    mut model: Model,
    all: &[Option<String>],
) -> Result<Option<Contradiction>, FindingFault> {
    let bundle = model.bundle().clone();
    let mut trial = Trial::of(model.input().clone());
    for (picture, said) in all.iter().enumerate() {
        let (Some(said), Some(pixels)) = (said, bundle.parts.pictures.get(picture)) else {
            continue;
        };
        let got = verdict_of(&trial.look(&mut model, pixels)?, bundle.manifest());
        if got != *said {
            let agrees = |picture: usize, finding: &Finding| {
                let verdict = verdict_of(finding, bundle.manifest());
                all.get(picture)
                    .is_none_or(|said| said.as_ref().is_none_or(|said| *said == verdict))
            };
            let changes = changes_that(&mut model, &bundle, &agrees);
            return Ok(Some(Contradiction { picture, said: said.clone(), got, changes }));
        }
    }
    Ok(None)
}

/// A way of making pictures ready, with the memory it needs.
struct Trial {
    shaper: Shaper,
    tensor: Tensor,
}

impl Trial {
    fn of(input: InputSpec) -> Self {
        Self { tensor: input.tensor(), shaper: Shaper::new(input) }
    }

    fn look(&mut self, model: &mut Model, pixels: &OwnedPixels) -> Result<Finding, FindingFault> {
        let crop = pixels.size().rect();
        self.shaper.prepare(pixels, crop, &mut self.tensor)?;
        model.run(&self.tensor, 0, crop)
    }

    /// Each golden sample of `bundle`, looked at when it is asked for.
    fn samples<'a>(
        &'a mut self,
        model: &'a mut Model,
        bundle: &'a Bundle,
    ) -> impl Iterator<Item = Sample> + 'a {
        let pairs = bundle.manifest().golden.iter().zip(&bundle.parts.pictures);
        pairs.map(move |(golden, pixels)| sample(golden, self.look(model, pixels)))
    }
}

/// Holds what a network said against what it must say.
fn sample(golden: &Golden, said: Result<Finding, FindingFault>) -> Sample {
    let (image, tolerance) = (golden.image.clone(), golden.tolerance);
    match said {
        Ok(finding) => {
            let both = finding.classes.iter().zip(&golden.expected);
            let compared = both.map(|(class, expected)| Compared {
                label: class.label.to_string(),
                expected: *expected,
                got: class.score.get(),
            });
            Sample { image, tolerance, scores: compared.collect(), fault: None }
        }
        Err(fault) => Sample { image, tolerance, scores: Vec::new(), fault: Some(fault) },
    }
}

/// Why `model` does not reproduce the golden samples of `bundle`.
fn cause(model: Model, bundle: &Bundle, elsewhere: Option<Elsewhere<'_>>) -> Cause {
    let mut model = model;
    if let Some(Elsewhere { name, on_cpu }) = elsewhere
        && let Ok(mut on_cpu) = on_cpu()
    {
        let mut trial = Trial::of(on_cpu.input().clone());
        if trial.samples(&mut on_cpu, bundle).all(|sample| sample.reproduced()) {
            return Cause::Provider { name };
        }
        // The CPU is as wrong, and asking it why is quicker.
        model = on_cpu;
    }
    let samples: Vec<_> = Trial::of(model.input().clone()).samples(&mut model, bundle).collect();
    let goldens = &bundle.manifest().golden;
    let reproduces = |picture: usize, finding: &Finding| {
        sample(&goldens[picture], Ok(finding.clone())).reproduced()
    };
    let mut changes = changes_that(&mut model, bundle, &reproduces);
    changes.extend(order_that_reproduces(bundle.manifest(), &samples));
    if !changes.is_empty() {
        return Cause::Settings(changes);
    }
    let worst = samples.iter().filter_map(Sample::worst).map(Compared::off).reduce(f32::max);
    match (precision(bundle), worst) {
        (precision @ (Precision::Int8 | Precision::Fp16), Some(worst)) => {
            Cause::Quantised { precision, worst }
        }
        _ => Cause::Unexplained { worst },
    }
}

/// In what the network computes, whatever the manifest says.
fn precision(bundle: &Bundle) -> Precision {
    match (bundle.manifest().file.precision, model_from_bytes(&bundle.parts.onnx)) {
        (Precision::Fp32, Ok(model)) => Facts::of(&model).precision,
        (precision, _) => precision,
    }
}

/// Whether an answer to a golden sample, by number, is as it should be.
type Right<'a> = &'a dyn Fn(usize, &Finding) -> bool;

/// The single changes with which every golden sample's answer is right.
fn changes_that(model: &mut Model, bundle: &Bundle, right: Right<'_>) -> Vec<Change> {
    let gray: Vec<_> = bundle.parts.pictures.iter().map(gray_of).collect();
    let mut found: Vec<Change> = Vec::new();
    for attempt in attempts(bundle.manifest()) {
        model.read_as(&attempt.output);
        let mut trial = Trial::of(attempt.input);
        let all = bundle.parts.pictures.iter().enumerate().all(|(index, pixels)| {
            let pixels = gray[index].as_ref().filter(|_| attempt.gray).unwrap_or(pixels);
            trial.look(model, pixels).is_ok_and(|finding| right(index, &finding))
        });
        if all && found.iter().all(|change| change.key != attempt.change.key) {
            found.push(attempt.change);
        }
    }
    model.read_as(&bundle.manifest().output);
    found
}

/// A colour picture as a camera without colour gives it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of bytes is a byte"
)]
fn gray_of(pixels: &OwnedPixels) -> Option<OwnedPixels> {
    if pixels.format() != PixelFormat::Rgb8 {
        return None;
    }
    let (size, plane) = (pixels.size(), pixels.plane(0));
    let luma = |[r, g, b]: &[u8; 3]| {
        (0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)).round() as u8
    };
    let rows = (0..size.height as usize).flat_map(|y| plane.row(y).as_chunks::<3>().0);
    OwnedPixels::new(PixelFormat::Gray8, size, vec![rows.map(luma).collect()])
}

/// Another order of the labels that gives every expected score, when there is just one reading.
fn order_that_reproduces(manifest: &Manifest, samples: &[Sample]) -> Option<Change> {
    let labels = &manifest.output.labels;
    if samples.iter().any(|sample| sample.scores.len() != labels.len()) {
        return None;
    }
    let fits = |expected: usize, got: usize| {
        samples.iter().all(|sample| {
            (sample.scores[expected].expected - sample.scores[got].got).abs() <= sample.tolerance
        })
    };
    // Labels that fit fewest channels choose first.
    let all = 0..labels.len();
    let mut by_choice: Vec<_> = all.clone().collect();
    by_choice.sort_by_key(|label| all.clone().filter(|channel| fits(*label, *channel)).count());
    let mut order: Vec<Option<&String>> = vec![None; labels.len()];
    for label in by_choice {
        // Its own channel is the likeliest.
        let mut channels = std::iter::once(label).chain(all.clone());
        let channel = channels.find(|at| order[*at].is_none() && fits(label, *at))?;
        order[channel] = Some(&labels[label]);
    }
    let order: Vec<_> = order.into_iter().flatten().collect();
    Some(change("output.labels", &format!("{order:?}"), &format!("{labels:?}")))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The fixture's segmenter, and the same with another normalisation.
    fn right_and_wrong() -> (Bundle, Bundle) {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/segmenter");
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("golden")).unwrap();
        for file in ["model.onnx", "model.toml", "golden/01.png", "golden/02.png"] {
            fs::copy(fixture.join(file), dir.path().join(file)).unwrap();
        }
        let file = dir.path().join("model.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(file, text.replace("std = [0.5, 0.5, 0.5]", "std = [0.5, 0.5, 0.6]")).unwrap();
        (Bundle::load(&fixture).unwrap(), Bundle::load(dir.path()).unwrap())
    }

    #[test]
    fn what_the_cpu_does_right_is_the_providers_fault() {
        let runtime = Runtime::open().unwrap_or_else(|error| panic!("{error}"));
        let (right, wrong) = right_and_wrong();
        let refused = |on_cpu: &dyn Fn() -> Result<Model, BundleError>| {
            let elsewhere = Elsewhere { name: "CUDA".to_owned(), on_cpu };
            let there = Model::ready(&wrong, &runtime).unwrap();
            match proven(there, Some(elsewhere)).unwrap_err() {
                BundleError::GoldenMissed { cause, .. } => cause,
                other => panic!("{other}"),
            }
        };
        // It goes wrong in one place, as a provider of little precision would have it.
        let cause = refused(&|| Model::ready(&right, &runtime));
        assert_eq!(cause.to_string(), "right on the CPU, wrong on CUDA");
        // The CPU goes wrong too: then it is something else.
        let cause = refused(&|| Model::ready(&wrong, &runtime));
        assert!(matches!(cause, Cause::Settings(_)), "{cause}");
    }
}
