//! From an ONNX file to a bundle: takes the file as data and what a person says of it, proposes
//! every setting of the manifest with the reason and how sure that is. What is unsure is never
//! taken in silence: it is asked for. Nothing here runs a network.

mod choice;
mod facts;
mod inputs;
mod labels;
mod macs;
pub(crate) mod normalise;
mod outputs;
mod settings;
mod walk;
mod wishes;

use std::collections::BTreeMap;

use domain::Sha256;
use thiserror::Error;

use crate::kinds::Kind;
use crate::manifest::{Activation, BoxLayout, Manifest};
use crate::onnx::proto::ModelProto;
use crate::onnx::{OnnxError, bytes_from_model, model_from_bytes};

pub use choice::{Item, Sure};
pub use facts::{Facts, PortFacts};
pub(crate) use wishes::word_of;
pub use wishes::{SETTINGS, Setting, Wishes};

use choice::Choice;
use outputs::{Family, Found};
use settings::Choices;
use walk::{Tail, Walk};

/// Why an ONNX file is not made a bundle.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum ImportError {
    /// It is no ONNX file.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// It is one that we can't run.
    #[error("{problem}; right would be: {right}")]
    Unfit {
        /// What stands against it.
        problem: String,
        /// What to export instead.
        right: String,
    },
    /// A flag was told what it does not take.
    #[error("{flag} {told:?}: right would be: {right}")]
    Wish {
        /// The flag.
        flag: String,
        /// What it was told.
        told: String,
        /// What it takes.
        right: String,
    },
    /// The file does not say it all, and neither did anybody.
    #[error("the file does not say it all; right would be: {}", flags(.0))]
    Open(Vec<Item>),
}

fn flags(items: &[Item]) -> String {
    let flag = |item: &Item| match &item.value {
        Some(value) => format!("{} {value} if that is right ({})", item.flag, item.why),
        None => format!("{}: {} ({})", item.flag, item.right, item.why),
    };
    items.iter().map(flag).collect::<Vec<_>>().join("; ")
}

/// An ONNX file that is to become a bundle.
#[derive(Clone, Debug)]
pub struct Import {
    model: ModelProto,
    facts: Facts,
    /// The file's name, and the hash of its bytes.
    file: String,
    sha256: Sha256,
}

/// Every setting of a bundle as the file and what was told make it.
#[derive(Clone, Debug)]
pub struct Proposal {
    items: Vec<Item>,
    manifest: Option<Manifest>,
}

impl Proposal {
    /// The settings, in the order in which they are shown.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The settings that a person has to say yes or no to.
    pub fn open(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.sure == Sure::Unsure)
    }

    /// The manifest, without golden samples, as far as it can be made: `None` while a setting has
    /// no value.
    #[must_use]
    pub const fn draft(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// The manifest without golden samples.
    ///
    /// # Errors
    /// While a setting is unsure.
    pub fn settled(self) -> Result<Manifest, ImportError> {
        let open: Vec<_> = self.open().cloned().collect();
        match self.manifest {
            Some(manifest) if open.is_empty() => Ok(manifest),
            _ => Err(ImportError::Open(open)),
        }
    }
}

impl Import {
    /// Reads the bytes of the ONNX file called `file`.
    ///
    /// # Errors
    /// When they are no ONNX file, or a part of it lies in another file.
    pub fn of(bytes: &[u8], file: &str) -> Result<Self, ImportError> {
        let model = model_from_bytes(bytes)?;
        let constants = model.graph.iter().flat_map(|graph| &graph.initializer);
        let elsewhere = constants.filter(|constant| facts::lies_elsewhere(constant)).count();
        if elsewhere > 0 {
            return Err(ImportError::Unfit {
                problem: format!("{elsewhere} of its constants lie in another file"),
                right: "all in one file: onnx.save with save_as_external_data=False, \
                        torch.onnx.export with external_data=False"
                    .into(),
            });
        }
        let facts = Facts::of(&model);
        Ok(Self { model, facts, file: file.to_owned(), sha256: Sha256::of(bytes) })
    }

    /// What the file says of itself.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Proposes every setting that was not told.
    ///
    /// # Errors
    /// When the network is none that we can run, or what was told contradicts it.
    pub fn propose(&self, wishes: &Wishes) -> Result<Proposal, ImportError> {
        let facts = &self.facts;
        let graph = self.model.graph.as_ref().ok_or(OnnxError::NoGraph)?;
        let walk = Walk::new(graph);
        let first = facts.inputs.first().map_or("", |port| &port.name);
        let head = walk.head(first);
        let port = inputs::picture_input(facts, &head)?;
        let names: Vec<_> = graph.initializer.iter().map(|c| c.name.as_str()).collect();
        let size = inputs::size(port, facts, wishes)?;
        let found = outputs::found_in(facts, &names, size.value, wishes)?;
        let tail = walk.tail(&found.output);
        if tail == Tail::ArgMax {
            return Err(ImportError::Unfit {
                problem: format!("its output `{}` is the number of the best class", found.output),
                right: "the scores that the last ArgMax takes".into(),
            });
        }
        let colour = inputs::colour(port, &found, wishes)?;
        let normalise = inputs::normalise(&head, facts, &found, wishes);
        let resize = inputs::resize(&found, wishes);
        let pad = inputs::pad(&found, &resize, wishes);
        let (labels, good) = labels::labels_and_good(facts, &found, wishes);
        let activation = activation(tail, &found, wishes);
        let range = range(facts, &walk, &found, wishes);
        let words = self.words(wishes);
        let choices = Choices {
            found,
            size,
            colour,
            normalise,
            resize,
            pad,
            labels,
            good,
            activation,
            range,
            words,
        };
        Ok(Proposal { items: choices.items(), manifest: choices.manifest(self, &port.name) })
    }

    /// The network's bytes for a bundle of `manifest`, with no side of its input open.
    #[must_use]
    pub fn network(&self, manifest: &Manifest) -> Vec<u8> {
        let mut model = self.model.clone();
        inputs::with_fixed_sides(&mut model, &manifest.input.name, manifest.input.shape());
        bytes_from_model(&model)
    }

    /// Licence, name and description.
    fn words(&self, wishes: &Wishes) -> [Choice<String>; 3] {
        let told = |keys: &[&str]| {
            keys.iter().find_map(|key| {
                let text = self.facts.metadata.get(*key)?.trim();
                (!text.is_empty())
                    .then(|| Choice::read(text.to_owned(), format!("the file's `{key}`")))
            })
        };
        let stem = self.file.strip_suffix(".onnx").unwrap_or(&self.file);
        let licence = Choice::of(wishes.licence.clone(), || {
            told(&["license", "licence"]).unwrap_or_else(|| {
                Choice::missing("the file names none, and who ships the weights must know")
            })
        });
        let name = Choice::of(wishes.name.clone(), || {
            told(&["model_name", "name"])
                .unwrap_or_else(|| Choice::likely(stem.to_owned(), "the file's name"))
        });
        let description = Choice::of(wishes.description.clone(), || {
            told(&["description"]).unwrap_or_else(|| {
                Choice::likely(format!("imported from {}", self.file), "the file describes nothing")
            })
        });
        [licence, name, description]
    }

    /// Where it came from, for the manifest.
    fn provenance(&self) -> BTreeMap<String, String> {
        let entry = |key: &str, value: String| (key.to_owned(), value);
        let mut provenance = BTreeMap::from([
            entry("imported_from", self.file.clone()),
            entry("imported_sha256", self.sha256.to_string()),
        ]);
        if !self.facts.producer.is_empty() {
            provenance.extend([entry("producer", self.facts.producer.clone())]);
        }
        for key in ["author", "version", "date", "dataset", "trained_on", "docs"] {
            let value = self.facts.metadata.get(key).filter(|value| !value.trim().is_empty());
            provenance.extend(value.map(|value| entry(key, value.clone())));
        }
        provenance
    }
}

/// What turns its numbers into probabilities: what the graph ends in, else what its kind needs.
fn activation(tail: Tail, found: &Found, wishes: &Wishes) -> Choice<Activation> {
    let detr = found.layout == Some(BoxLayout::Detr);
    Choice::of(wishes.activation, || match (tail, found.kind) {
        (Tail::Softmax, _) => Choice::read(Activation::None, "the graph ends in Softmax"),
        (Tail::Sigmoid, _) => Choice::read(Activation::None, "the graph ends in Sigmoid"),
        // The softmax of logarithms of probabilities are the probabilities.
        (Tail::LogSoftmax, _) => {
            Choice::read(Activation::Softmax, "the graph ends in LogSoftmax, which this undoes")
        }
        (_, Kind::Detector) if detr => {
            Choice::likely(Activation::Sigmoid, "the graph ends in logits, which DETRs score so")
        }
        (_, Kind::Detector) => {
            Choice::likely(Activation::None, "YOLOs give scores that are probabilities already")
        }
        (_, Kind::AnomalyMap) => Choice::likely(Activation::None, "distances, by output.anomaly"),
        _ => Choice::likely(
            Activation::Softmax,
            "the graph ends in bare numbers, and one label a place is usual",
        ),
    })
}

/// An anomaly map's usual and surely bad numbers.
fn range(facts: &Facts, walk: &Walk, found: &Found, wishes: &Wishes) -> Option<Choice<(f32, f32)>> {
    if found.kind != Kind::AnomalyMap {
        return None;
    }
    let labelled = facts.outputs.iter().any(|port| port.name == "pred_label");
    let held = walk.is_clipped(&found.output);
    Some(Choice::of(wishes.range, || match (found.family, labelled) {
        (Family::Anomalib, true) if held => {
            Choice::likely((0.0, 1.0), "anomalib's own postprocessing brings it to 0..1")
        }
        (Family::Anomalib, true) => Choice::missing(
            "anomalib's postprocessing leaves the numbers as they are: it was exported before it \
             had been validated, which is where it learns their range; export after that, or look \
             at the numbers of good parts",
        ),
        _ => Choice::missing("the map's numbers may be of any size: look at those of good parts"),
    }))
}
