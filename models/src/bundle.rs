//! Model bundles: takes a folder with a `model.toml`, gives a [`Model`] that was seen to reproduce
//! its golden samples, or says what is wrong.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{FindingFault, OwnedPixels, PixelFormat, Sha256, SizePx};
use image::{DynamicImage, ImageFormat};
use thiserror::Error;

use crate::manifest::{Manifest, Refusal};
use crate::model::Model;
use crate::screen::{NUMBERS_MAX, Objection, screen};
use crate::session::Runtime;
use crate::tensor::Shaper;

/// The manifest's file name.
pub const MANIFEST: &str = "model.toml";

/// A label of a golden sample whose score is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// The label.
    pub label: String,
    /// What the manifest says.
    pub expected: f32,
    /// What the network said here.
    pub got: f32,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " `{}` expected {:.4} got {:.4}", self.label, self.expected, self.got)
    }
}

fn listed(missed: &[Missed]) -> String {
    missed.iter().map(Missed::to_string).collect()
}

/// Why a bundle is not armed.
#[derive(Clone, Debug, Error, PartialEq)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum BundleError {
    /// No such folder or file, or it cannot be read.
    #[error(
        "{}: {message}; a bundle is a folder with a {MANIFEST} and the files it names",
        .file.display()
    )]
    Unreadable { file: PathBuf, message: String },
    /// The manifest is not TOML.
    #[error("{} is not TOML: {message}", .file.display())]
    NotToml { file: PathBuf, message: String },
    /// The manifest has a key that does not belong, lacks one, or has a value of the wrong type.
    #[error("{}: {message}", .file.display())]
    WrongKey { file: PathBuf, message: String },
    /// A value of the manifest makes no sense.
    #[error("{}: `{key}`: {problem}; right would be: {right}", .file.display())]
    WrongValue { file: PathBuf, key: String, problem: String, right: String },
    /// A path of the manifest leads out of the bundle's folder.
    #[error(
        "{}: `{key}`: {} leads out of the bundle; right would be: a path downwards, without \
         `..`, and no link to elsewhere", .file.display(), .path.display()
    )]
    PathEscapes { file: PathBuf, key: String, path: PathBuf },
    /// A file is not the one that the manifest was written for.
    #[error("{} has the hash {got}; the manifest says {expected}", .file.display())]
    HashMismatch { file: PathBuf, expected: Sha256, got: Sha256 },
    /// There is nothing to try the model on.
    #[error(
        "{} has no golden samples; right would be: at least one [[golden]] with image, sha256, \
         expected and tolerance", .file.display()
    )]
    NoGolden { file: PathBuf },
    /// A golden sample's picture is not one that a camera could have given.
    #[error("{}: {message}; right would be: a PNG, 8-bit gray or RGB", .file.display())]
    GoldenPicture { file: PathBuf, message: String },
    /// ONNX Runtime does not take the network.
    #[error("{} is no network that ONNX Runtime takes: {message}", .file.display())]
    NotOnnx { file: PathBuf, message: String },
    /// Some of the network is in another file.
    #[error(
        "{}: the network keeps `{name}` in another file, `{location}`; right would be: all of it \
         in the one file", .file.display()
    )]
    ExternalData { file: PathBuf, name: String, location: String },
    /// The network declares something larger than anybody means.
    #[error(
        "{}: the network declares `{name}` as {shape:?}; right would be: at most {} numbers",
        .file.display(), NUMBERS_MAX
    )]
    TooLarge { file: PathBuf, name: String, shape: Vec<i64> },
    /// The network needs operators that somebody added to their own ONNX Runtime.
    #[error(
        "{}: the network needs operators that are not ONNX's: {}; right would be: an export \
         without them ({message})", .file.display(), .operators.join(", ")
    )]
    ForeignOperators { file: PathBuf, operators: Vec<String>, message: String },
    /// The network has no input of the manifest's name.
    #[error("{}: the network has no input `{name}`; it has {there:?}", .file.display())]
    NoSuchInput { file: PathBuf, name: String, there: Vec<String> },
    /// The network has no output of the manifest's name.
    #[error("{}: the network has no output `{name}`; it has {there:?}", .file.display())]
    NoSuchOutput { file: PathBuf, name: String, there: Vec<String> },
    /// The network wants more than a picture.
    #[error("{}: the network has the inputs {there:?}; right would be: one", .file.display())]
    MoreInputs { file: PathBuf, there: Vec<String> },
    /// An input or output is not made of 32-bit floats.
    #[error("{}: `{name}` is of {element}; right would be: float", .file.display())]
    WrongElement { file: PathBuf, name: String, element: String },
    /// The network's input is not as the manifest says.
    #[error(
        "{}: the network takes `{name}` as {got:?}, the manifest says {expected:?} (batch, \
         channels, rows, columns)", .file.display()
    )]
    WrongInputShape { file: PathBuf, name: String, expected: [usize; 4], got: Vec<i64> },
    /// The network's output is not as its kind needs it.
    #[error("{}: the network gives `{name}` as {got:?}; right would be: {right}", .file.display())]
    WrongOutputShape { file: PathBuf, name: String, right: &'static str, got: Vec<i64> },
    /// The network does not have a channel for each label.
    #[error(
        "{}: the network gives `{name}` with {channels} channels, the manifest has the {} labels \
         {labels:?}", .file.display(), .labels.len()
    )]
    LabelCount { file: PathBuf, name: String, channels: i64, labels: Vec<String> },
    /// The cells of neighbouring tiles do not fall on one another.
    #[error(
        "{}: the network gives `{name}` with {cells} cells over {side} pixels; tiles that share \
         {overlap_px} pixels do not fall on whole cells; right would be: an \
         `input.tiling.overlap_px` that is a whole number of cells", .file.display()
    )]
    TilesOffGrid { file: PathBuf, name: String, cells: usize, side: u32, overlap_px: u32 },
    /// The network gives no answer to a golden sample.
    #[error("golden sample {}: {fault}", .image.display())]
    GoldenFault { image: PathBuf, fault: FindingFault },
    /// The network answers a golden sample otherwise than when it was made.
    #[error(
        "golden sample {} is not reproduced within {tolerance}:{}",
        .image.display(), listed(.missed)
    )]
    GoldenMissed { image: PathBuf, tolerance: f32, missed: Vec<Missed> },
}

/// A bundle whose files are all there and are those that the manifest was written for.
#[derive(Clone)]
pub struct Bundle {
    pub(crate) parts: Arc<Parts>,
}

pub(crate) struct Parts {
    pub manifest: Manifest,
    pub hash: Sha256,
    /// Path of the network, for errors; the bytes below are what is run.
    pub onnx_file: PathBuf,
    pub onnx: Vec<u8>,
    /// One for each of the manifest's golden samples.
    pub pictures: Vec<OwnedPixels>,
}

impl Bundle {
    /// Reads the bundle in the folder `dir`. All of it is read once: what changes on disk later
    /// does not change the bundle.
    ///
    /// # Errors
    /// When a file is missing, is not the one the manifest names, the manifest makes no sense, or
    /// the network must not reach ONNX Runtime: it is no ONNX file, names other files, or declares
    /// what has no room anywhere.
    pub fn load(dir: &Path) -> Result<Self, BundleError> {
        let file = dir.join(MANIFEST);
        let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
        let manifest =
            Manifest::from_text(&text).map_err(|refusal| refused(file.clone(), refusal))?;
        let (onnx_file, onnx) =
            read_named(dir, "file.onnx", &manifest.file.onnx, manifest.file.sha256)?;
        screen(&onnx).map_err(|objection| objected(onnx_file.clone(), objection))?;
        let pictures = manifest
            .golden
            .iter()
            .enumerate()
            .map(|(i, golden)| {
                let key = format!("golden[{i}].image");
                let (file, bytes) = read_named(dir, &key, &golden.image, golden.sha256)?;
                picture_from_png(&bytes)
                    .map_err(|message| BundleError::GoldenPicture { file, message })
            })
            .collect::<Result<_, _>>()?;
        let both = format!("{}{}", Sha256::of(text.as_bytes()), manifest.file.sha256);
        let hash = Sha256::of(both.as_bytes());
        Ok(Self { parts: Arc::new(Parts { manifest, hash, onnx_file, onnx, pictures }) })
    }

    /// Hash over the manifest's bytes and the network's, and so over the golden samples too, whose
    /// hashes the manifest holds. Every finding carries it.
    #[must_use]
    pub fn hash(&self) -> Sha256 {
        self.parts.hash
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.parts.manifest
    }

    /// Makes the network ready on this machine and has it reproduce every golden sample.
    ///
    /// Sides that the graph leaves open are taken as the manifest gives them; those it fixes must
    /// be the same.
    ///
    /// # Errors
    /// When ONNX Runtime does not take the network, its input or output is not as the manifest
    /// says, or a golden sample is not reproduced.
    pub fn arm(&self, runtime: &Runtime) -> Result<Model, BundleError> {
        let mut model = Model::ready(self, runtime)?;
        let mut shaper = Shaper::new(model.input().clone());
        let mut tensor = model.input().tensor();
        for (golden, picture) in self.parts.manifest.golden.iter().zip(&self.parts.pictures) {
            model.reproduce(golden, picture, &mut shaper, &mut tensor)?;
        }
        tracing::info!(model = %self.manifest().name, hash = %self.hash().short(), "model armed");
        Ok(model)
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bundle {{ {} {} }}", self.manifest().name, self.hash().short())
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> BundleError {
    BundleError::Unreadable { file: file.to_owned(), message: error.to_string() }
}

fn refused(file: PathBuf, refusal: Refusal) -> BundleError {
    match refusal {
        Refusal::NotToml(message) => BundleError::NotToml { file, message },
        Refusal::WrongKey(message) => BundleError::WrongKey { file, message },
        Refusal::PathEscapes { key, path } => BundleError::PathEscapes { file, key, path },
        Refusal::NoGolden => BundleError::NoGolden { file },
        Refusal::WrongValue { key, problem, right } => {
            BundleError::WrongValue { file, key, problem, right }
        }
    }
}

fn objected(file: PathBuf, objection: Objection) -> BundleError {
    match objection {
        Objection::NotOnnx(message) => BundleError::NotOnnx { file, message },
        Objection::Elsewhere { name, location } => {
            BundleError::ExternalData { file, name, location }
        }
        Objection::TooLarge { name, shape } => BundleError::TooLarge { file, name, shape },
    }
}

/// The bytes of a file that the manifest names, when they are those it was written for.
fn read_named(
    dir: &Path,
    key: &str,
    path: &Path,
    expected: Sha256,
) -> Result<(PathBuf, Vec<u8>), BundleError> {
    let file = dir.join(path);
    let real = |path: &Path| path.canonicalize().map_err(|error| unreadable(path, &error));
    // The manifest's check saw the words of the path; a link can still lead anywhere.
    if !real(&file)?.starts_with(real(dir)?) {
        let (file, key) = (dir.join(MANIFEST), key.to_owned());
        return Err(BundleError::PathEscapes { file, key, path: path.to_owned() });
    }
    let bytes = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
    let got = Sha256::of(&bytes);
    if got != expected {
        return Err(BundleError::HashMismatch { file, expected, got });
    }
    Ok((file, bytes))
}

fn picture_from_png(bytes: &[u8]) -> Result<OwnedPixels, String> {
    let decoded = image::load_from_memory_with_format(bytes, ImageFormat::Png)
        .map_err(|error| format!("it is no PNG: {error}"))?;
    let size = SizePx::new(decoded.width(), decoded.height());
    let (format, pixels) = match decoded {
        DynamicImage::ImageLuma8(gray) => (PixelFormat::Gray8, gray.into_raw()),
        DynamicImage::ImageRgb8(rgb) => (PixelFormat::Rgb8, rgb.into_raw()),
        other => return Err(format!("its pixels are {:?}", other.color())),
    };
    OwnedPixels::new(format, size, vec![pixels]).ok_or_else(|| "it is empty".to_owned())
}
