//! An armed network: takes tensors, gives findings. One a thread.

use std::sync::Arc;

use domain::{Execution, Finding, FindingFault, OwnedPixels, Pixels, RectPx, Sha256, Tensor};

use crate::bundle::{Bundle, BundleError, Missed};
use crate::execution::{Engine, RunsOn};
use crate::kinds::{Look, Reader};
use crate::manifest::{Golden, InputSpec};
use crate::ports::{check_input, check_output};
use crate::session::{Complaint, Raw, Runtime, Session};
use crate::tensor::Shaper;

/// A network that reproduced its golden samples, ready to look at pictures. One a thread.
#[derive(Debug)]
pub struct Model {
    bundle: Bundle,
    engine: Engine,
    session: Session,
    reader: Reader,
    /// One an output that the reader asks for.
    raws: Vec<Raw>,
}

impl Model {
    /// On one thread of the CPU.
    pub(crate) fn ready(bundle: &Bundle, runtime: &Runtime) -> Result<Self, BundleError> {
        Self::ready_on(bundle, runtime, &Execution::default())
    }

    pub(crate) fn ready_on(
        bundle: &Bundle,
        runtime: &Runtime,
        execution: &Execution,
    ) -> Result<Self, BundleError> {
        let (engine, session) = Engine::choose(bundle, runtime, execution)?;
        Self::with_session(bundle, engine, session)
    }

    fn with_session(
        bundle: &Bundle,
        engine: Engine,
        mut session: Session,
    ) -> Result<Self, BundleError> {
        let parts = &bundle.parts;
        check_input(parts, &session.inputs())?;
        check_output(parts, &session.outputs())?;
        let manifest = &parts.manifest;
        let reader = Reader::new(manifest.kind, parts.hash, &manifest.input, &manifest.output);
        session.want(reader.outputs()).map_err(|complaint| engine.refused(complaint))?;
        let raws = reader.outputs().iter().map(|_| Raw::default()).collect();
        Ok(Self { bundle: bundle.clone(), engine, session, reader, raws })
    }

    /// The same model for another thread, warm. The golden samples are not tried again: the bytes
    /// and the machine are the same.
    ///
    /// # Errors
    /// When ONNX Runtime refuses, which it did not before: memory is short.
    pub fn another(&self) -> Result<Self, BundleError> {
        let session = self.engine.open()?;
        let mut model = Self::with_session(&self.bundle, self.engine.clone(), session)?;
        model.warm_up();
        Ok(model)
    }

    /// On what it runs.
    #[must_use]
    pub const fn runs_on(&self) -> &RunsOn {
        self.engine.runs_on()
    }

    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Runs it as often as the recipe says before a part meets it. The first runs take two or three
    /// times as long as all others, on a GPU a hundred times.
    pub(crate) fn warm_up(&mut self) {
        let (tensor, size) = (self.input().tensor(), self.input().size());
        for _ in 0..self.engine.execution().warm_up_runs {
            // What it says of an empty picture is of no interest.
            let _ = self.run(&tensor, 0, size.rect());
        }
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
        self.compute(tensor)?;
        let look = Look { view, crop: crop_in_frame, placement: tensor.placement };
        self.reader.read(&mut self.raws, look)
    }

    /// The first half of [`Self::run`]: feeds the network and leaves its answer unread. Allocates
    /// nothing where the graph fixes the shapes of its outputs.
    ///
    /// # Errors
    /// When the tensor is another network's, or ONNX Runtime fails.
    pub fn compute(&mut self, tensor: &Tensor) -> Result<(), FindingFault> {
        let input = &self.bundle.parts.manifest.input;
        if tensor.shape != input.shape() {
            let message =
                format!("the tensor is {:?}, the model takes {:?}", tensor.shape, input.shape());
            return Err(FindingFault::NotPrepared { message });
        }
        self.session
            .run(tensor, &mut self.raws)
            .map_err(|Complaint(message)| FindingFault::Runtime { message })
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
