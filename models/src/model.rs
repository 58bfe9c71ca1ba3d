//! An armed network: takes tensors, gives findings. One a thread.

use std::sync::Arc;

use domain::{Finding, FindingFault, OwnedPixels, Pixels, RectPx, Sha256, Tensor};

use crate::bundle::{Bundle, BundleError, Missed, Parts};
use crate::kinds::{Look, Reader};
use crate::manifest::{Golden, InputSpec};
use crate::ports::{check_input, check_outputs};
use crate::screen::foreign_operators;
use crate::session::{Complaint, Raw, Runtime, Session};
use crate::tensor::Shaper;
use crate::tiling::Tiles;

/// A network that reproduced its golden samples, ready to look at pictures. One a thread.
#[derive(Debug)]
pub struct Model {
    bundle: Bundle,
    runtime: Runtime,
    session: Session,
    reader: Reader,
    tiles: Tiles,
    /// One an output that the reader asks for.
    raws: Vec<Raw>,
}

impl Model {
    pub(crate) fn ready(bundle: &Bundle, runtime: &Runtime) -> Result<Self, BundleError> {
        let parts = &bundle.parts;
        let session = Session::compile(runtime, &parts.onnx)
            .map_err(|Complaint(message)| not_taken(parts, message))?;
        let manifest = &parts.manifest;
        let mut reader = Reader::new(manifest.kind, parts.hash, &manifest.input, &manifest.output);
        let takes_any = check_input(parts, &session.inputs())?;
        check_outputs(parts, &session.outputs(), &mut reader)?;
        let takes_any = takes_any && reader.wanted().all(|(_, output)| output.follows_the_batch());
        let tiles = Tiles::new(&manifest.input, takes_any);
        let bundle = bundle.clone();
        let raws = reader.outputs().iter().map(|_| Raw::default()).collect();
        Ok(Self { bundle, runtime: runtime.clone(), session, reader, tiles, raws })
    }

    /// The same model for another thread. The golden samples are not tried again: the bytes and
    /// the machine are the same.
    ///
    /// # Errors
    /// When ONNX Runtime refuses, which it did not before: memory is short.
    pub fn another(&self) -> Result<Self, BundleError> {
        Self::ready(&self.bundle, &self.runtime)
    }

    /// What the network takes, and how crops are made to fit.
    #[must_use]
    pub fn input(&self) -> &InputSpec {
        &self.bundle.manifest().input
    }

    /// The network's labels, good and bad, in the order of its channels.
    #[must_use]
    pub fn labels(&self) -> &[Arc<str>] {
        self.reader.labels()
    }

    /// The bundle's hash.
    #[must_use]
    pub fn hash(&self) -> Sha256 {
        self.bundle.hash()
    }

    /// The bundle.
    #[must_use]
    pub const fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Looks at what [`Shaper::prepare`] made of `crop_in_frame`, which is the part's view number
    /// `view`.
    ///
    /// # Errors
    /// When the tensor is another network's, ONNX Runtime fails, or the network's answer holds NaN,
    /// infinity or what is no probability.
    pub fn run(
        &mut self,
        tensor: &Tensor,
        view: usize,
        crop_in_frame: RectPx,
    ) -> Result<Finding, FindingFault> {
        let input = &self.bundle.parts.manifest.input;
        if tensor.shape != input.shape() {
            let message =
                format!("the tensor is {:?}, the model takes {:?}", tensor.shape, input.shape());
            return Err(FindingFault::NotPrepared { message });
        }
        let look = Look::new(view, crop_in_frame, tensor.placement, input);
        if !self.tiles.places().iter().any(|tile| look.shows(tile)) {
            let message = format!("no tile shows any of the crop {crop_in_frame}");
            return Err(FindingFault::NotPrepared { message });
        }
        self.reader.begin();
        for round in self.tiles.rounds() {
            // The border around a letterboxed crop is not looked at.
            if !self.tiles.places()[round.clone()].iter().any(|tile| look.shows(tile)) {
                continue;
            }
            let fed = self.tiles.cut(tensor, round.clone());
            self.session
                .run(&input.name, fed, self.reader.outputs(), &mut self.raws)
                .map_err(|Complaint(message)| FindingFault::Runtime { message })?;
            self.reader.take(&mut self.raws, &self.tiles.places()[round], &look)?;
        }
        self.reader.finish(&look)
    }

    /// Looks at a golden sample's picture and holds the scores against those of the manifest.
    pub(crate) fn reproduce(
        &mut self,
        golden: &Golden,
        picture: &OwnedPixels,
        shaper: &mut Shaper,
        tensor: &mut Tensor,
    ) -> Result<(), BundleError> {
        let crop = picture.size().rect();
        let finding = shaper
            .prepare(picture, crop, tensor)
            .and_then(|()| self.run(tensor, 0, crop))
            .map_err(|fault| BundleError::GoldenFault { image: golden.image.clone(), fault })?;
        let missed: Vec<_> = finding
            .classes
            .iter()
            .zip(&golden.expected)
            .filter(|(class, expected)| (class.score.get() - **expected).abs() > golden.tolerance)
            .map(|(class, expected)| Missed {
                label: class.label.to_string(),
                expected: *expected,
                got: class.score.get(),
            })
            .collect();
        if missed.is_empty() {
            return Ok(());
        }
        let image = golden.image.clone();
        Err(BundleError::GoldenMissed { image, tolerance: golden.tolerance, missed })
    }
}

/// Why ONNX Runtime does not take the network; the operators it lacks, where that is why.
fn not_taken(parts: &Parts, message: String) -> BundleError {
    let (file, operators) = (parts.onnx_file.clone(), foreign_operators(&parts.onnx));
    if operators.is_empty() {
        return BundleError::NotOnnx { file, message };
    }
    BundleError::ForeignOperators { file, operators, message }
}
