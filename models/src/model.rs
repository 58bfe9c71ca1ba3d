//! An armed network: takes tensors, gives findings. One a thread.

use std::sync::Arc;

use domain::{Execution, Finding, FindingFault, RectPx, Sha256, Tensor};

use crate::bundle::{Bundle, BundleError};
use crate::eval::DefectMap;
use crate::execution::{Engine, RunsOn};
use crate::kinds::{Look, Reader};
use crate::manifest::{InputSpec, Manifest, OutputSpec};
use crate::ports::{check_input, check_outputs};
use crate::session::{Complaint, Raw, Runtime, Session};
use crate::tiling::Tiles;

/// A network that reproduced its golden samples, ready to look at pictures. One a thread.
#[derive(Debug)]
pub struct Model {
    bundle: Bundle,
    engine: Engine,
    session: Session,
    reader: Reader,
    tiles: Tiles,
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
        let manifest = &parts.manifest;
        let mut reader = Reader::new(manifest.kind, parts.hash, &manifest.input, &manifest.output);
        let takes_any = check_input(parts, &session.inputs())?;
        check_outputs(parts, &session.outputs(), &mut reader)?;
        let takes_any = takes_any && reader.wanted().all(|(_, output)| output.follows_the_batch());
        let tiles = Tiles::new(&manifest.input, takes_any);
        session.want(reader.outputs()).map_err(|complaint| engine.refused(complaint))?;
        let raws = reader.outputs().iter().map(|_| Raw::default()).collect();
        Ok(Self { bundle: bundle.clone(), engine, session, reader, tiles, raws })
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
        self.check_shape(tensor)?;
        let look = Look::new(view, crop_in_frame, tensor.placement, self.input());
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
            self.session.run(fed, &mut self.raws).map_err(not_run)?;
            self.reader.take(&mut self.raws, &self.tiles.places()[round], &look)?;
        }
        self.reader.finish(&look)
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
        Ok((finding, self.reader.map(tensor.placement)))
    }

    /// The first half of [`Self::run`]: feeds the network and leaves its answer unread. Allocates
    /// nothing where the graph fixes the shapes of its outputs.
    ///
    /// # Errors
    /// When the tensor is another network's, or ONNX Runtime fails.
    pub fn compute(&mut self, tensor: &Tensor) -> Result<(), FindingFault> {
        self.check_shape(tensor)?;
        for round in self.tiles.rounds() {
            let fed = self.tiles.cut(tensor, round);
            self.session.run(fed, &mut self.raws).map_err(not_run)?;
        }
        Ok(())
    }

    fn check_shape(&self, tensor: &Tensor) -> Result<(), FindingFault> {
        let (got, takes) = (tensor.shape, self.input().shape());
        if got == takes {
            return Ok(());
        }
        let message = format!("the tensor is {got:?}, the model takes {takes:?}");
        Err(FindingFault::NotPrepared { message })
    }

    /// Reads what the network puts out as `output` says, which names the same outputs.
    pub(crate) fn read_as(&mut self, output: &OutputSpec) {
        let Manifest { kind, input, .. } = self.bundle.manifest();
        self.reader = Reader::new(*kind, self.bundle.hash(), input, output);
        // They are the same outputs, so they fit as before.
        let _ = check_outputs(&self.bundle.parts, &self.session.outputs(), &mut self.reader);
    }
}

fn not_run(Complaint(message): Complaint) -> FindingFault {
    FindingFault::Runtime { message }
}
