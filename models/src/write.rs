//! Writes bundles: takes a manifest, a network and golden pictures, leaves a folder that has been
//! seen to reproduce them. A bundle appears under its name whole or not at all.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use domain::{OwnedPixels, PixelFormat, Pixels, Sha256};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use thiserror::Error;

use crate::bundle::{Bundle, BundleError, MANIFEST};
use crate::manifest::{Golden, Manifest};
use crate::model::Model;
use crate::session::Runtime;
use crate::tensor::Shaper;

/// How far a golden sample's scores may be off on another machine.
pub const TOLERANCE: f32 = 0.01;

/// What a bundle is made of.
pub struct Draft<'a> {
    /// Everything but `file.sha256` and `golden`, which are filled in.
    pub manifest: Manifest,
    /// The network.
    pub onnx: &'a [u8],
    /// Pictures to become golden samples, gray8 or rgb8; what the network says of them now is what
    /// it must say ever after. At least one.
    pub golden: &'a [OwnedPixels],
    /// The card, in Markdown: `CARD.md`.
    pub card: &'a str,
    /// More files to lie beside: name (no folders) and bytes.
    pub beside: &'a [(&'a str, Vec<u8>)],
}

/// Why no bundle was written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// Something is there already.
    #[error("{}: is there already; right would be: a folder that is not there yet", .0.display())]
    Taken(PathBuf),
    /// The disk refused.
    #[error("{}: {message}", .file.display())]
    Disk {
        /// The file.
        file: PathBuf,
        /// What the system said.
        message: String,
    },
    /// What was drafted is no bundle that could be armed.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// Writes the bundle `draft` into the folder `dir`, which must not be there yet, and arms it once.
///
/// # Errors
/// When `dir` is taken, the disk refuses, or what was drafted can't be armed; then nothing is left.
pub fn bundle_from_draft(
    dir: &Path,
    draft: Draft<'_>,
    runtime: &Runtime,
) -> Result<Model, WriteError> {
    if dir.exists() {
        return Err(WriteError::Taken(dir.to_owned()));
    }
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    let making = dir.with_file_name(format!(".{name}.{}.part", std::process::id()));
    let made = fill(&making, draft, runtime).and_then(|()| {
        fs::rename(&making, dir).map_err(|error| disk(dir, &error))?;
        Ok(Bundle::load(dir)?.arm(runtime)?)
    });
    if made.is_err() {
        // What could not be finished is of no use to anybody.
        let _ = fs::remove_dir_all(&making);
    }
    made
}

fn fill(dir: &Path, draft: Draft<'_>, runtime: &Runtime) -> Result<(), WriteError> {
    let Draft { mut manifest, onnx, golden, card, beside } = draft;
    let folder = dir.join("golden");
    fs::create_dir_all(&folder).map_err(|error| disk(&folder, &error))?;
    write(&dir.join(&manifest.file.onnx), onnx)?;
    manifest.file.sha256 = Sha256::of(onnx);
    let labels = manifest.output.labels.len();
    manifest.golden.clear();
    for (index, picture) in golden.iter().enumerate() {
        let image = PathBuf::from(format!("golden/{:02}.png", index + 1));
        let bytes = png_from_pixels(picture);
        write(&dir.join(&image), &bytes)?;
        let (sha256, expected) = (Sha256::of(&bytes), vec![0.0; labels]);
        manifest.golden.push(Golden { image, sha256, expected, tolerance: TOLERANCE });
    }
    if !card.is_empty() {
        write(&dir.join("CARD.md"), card.as_bytes())?;
    }
    for (name, bytes) in beside {
        write(&dir.join(name), bytes)?;
    }
    // Loaded with scores of zero, run, and written again with what it said.
    write_manifest(dir, &manifest)?;
    let mut model = Model::ready(&Bundle::load(dir)?, runtime)?;
    let mut shaper = Shaper::new(model.input().clone());
    let mut tensor = model.input().tensor();
    for (golden, picture) in manifest.golden.iter_mut().zip(golden) {
        let crop = picture.size().rect();
        let finding = shaper
            .prepare(picture, crop, &mut tensor)
            .and_then(|()| model.run(&tensor, 0, crop))
            .map_err(|fault| BundleError::GoldenFault { image: golden.image.clone(), fault })?;
        golden.expected = finding.classes.iter().map(|class| class.score.get()).collect();
    }
    write_manifest(dir, &manifest)?;
    Bundle::load(dir)?.arm(runtime)?;
    Ok(())
}

fn write_manifest(dir: &Path, manifest: &Manifest) -> Result<(), WriteError> {
    let file = dir.join(MANIFEST);
    let text = toml::to_string(manifest)
        .map_err(|error| WriteError::Disk { file: file.clone(), message: error.to_string() })?;
    write(&file, text.as_bytes())
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    fs::write(file, bytes).map_err(|error| disk(file, &error))
}

fn disk(file: &Path, error: &std::io::Error) -> WriteError {
    WriteError::Disk { file: file.to_owned(), message: error.to_string() }
}

/// A PNG with the very same pixels. Only gray8 and rgb8 come here, from [`crate::picture`].
fn png_from_pixels(pixels: &OwnedPixels) -> Vec<u8> {
    let size = pixels.size();
    let plane = pixels.plane(0);
    let bytes = (0..size.height as usize).flat_map(|y| plane.row(y).to_vec()).collect();
    let picture = match pixels.format() {
        PixelFormat::Gray8 => {
            GrayImage::from_raw(size.width, size.height, bytes).map(DynamicImage::from)
        }
        _ => RgbImage::from_raw(size.width, size.height, bytes).map(DynamicImage::from),
    };
    let mut png = Cursor::new(Vec::new());
    // Pixels that are no such picture give an empty file, which is then refused as a golden sample.
    if let Some(picture) = picture {
        let _ = picture.write_to(&mut png, ImageFormat::Png);
    }
    png.into_inner()
}
