//! An armed network: takes tensors, gives findings. One a thread.

use std::sync::Arc;

use domain::{Finding, FindingFault, OwnedPixels, Pixels, RectPx, Sha256, Tensor};

use crate::bundle::{Bundle, BundleError, Missed};
use crate::eval::DefectMap;
use crate::kinds::{Look, Reader};
use crate::manifest::{Golden, InputSpec};
use crate::ports::{check_input, check_output};
use crate::session::{Complaint, Raw, Runtime, Session};
use crate::tensor::Shaper;

/// A network that reproduced its golden samples, ready to look at pictures. One a thread.
#[derive(Debug)]
pub struct Model {
    bundle: Bundle,
    runtime: Runtime,
    session: Session,
    reader: Reader,
    /// One an output that the reader asks for.
    raws: Vec<Raw>,
}

impl Model {
    pub(crate) fn ready(bundle: &Bundle, runtime: &Runtime) -> Result<Self, BundleError> {
        let parts = &bundle.parts;
        let session = Session::compile(runtime, &parts.onnx).map_err(|Complaint(message)| {
            BundleError::NotOnnx { file: parts.onnx_file.clone(), message }
        })?;
        check_input(parts, &session.inputs())?;
        check_output(parts, &session.outputs())?;
        let manifest = &parts.manifest;
        let reader = Reader::new(manifest.kind, parts.hash, &manifest.input, &manifest.output);
        let bundle = bundle.clone();
        let raws = reader.outputs().iter().map(|_| Raw::default()).collect();
        Ok(Self { bundle, runtime: runtime.clone(), session, reader, raws })
    }

    /// The same model for another thread. The golden samples are not tried again: the bytes and
    /// the machine are the same.
    ///
    /// # Errors
    /// When ONNX Runtime refuses, which it did not before: memory is short.
    pub fn another(&self) -> Result<Self, BundleError> {
        Self::ready(&self.bundle, &self.runtime)
    }

    /// What the network takes.
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
        self.session
            .run(&input.name, tensor, self.reader.outputs(), &mut self.raws)
            .map_err(|Complaint(message)| FindingFault::Runtime { message })?;
        let look = Look { view, crop: crop_in_frame, placement: tensor.placement };
        self.reader.read(&mut self.raws, look)
    }

    /// Looks as [`Self::run`] does, and says in floats too where it sees a defect; `None` of kinds
    /// that don't say where. For measuring models; a line has no use for it.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_map(
        &mut self,
        tensor: &Tensor,
        view: usize,
        crop_in_frame: RectPx,
    ) -> Result<(Finding, Option<DefectMap>), FindingFault> {
        let finding = self.run(tensor, view, crop_in_frame)?;
        Ok((finding, self.reader.map(&self.raws, tensor.placement)))
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
