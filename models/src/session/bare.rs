//! ONNX Runtime called as its documentation shows, for benches to hold our own run against: takes a
//! tensor, gives nothing but the time it took.

use std::hint::black_box;

use domain::Tensor;
use ort::session::Session as Graph;
use ort::value::TensorRef;

use super::Complaint;
use crate::bundle::BundleError;
use crate::model::Model;

/// A session and nothing around it: an armed model's graph and options, `run` with the input's
/// name, all outputs looked up.
#[derive(Debug)]
pub struct Bare {
    graph: Graph,
    input: String,
}

impl Bare {
    /// A bare session for what `model` runs, made ready in the same way.
    ///
    /// # Errors
    /// When ONNX Runtime refuses, which it did not before: memory is short.
    pub fn of(model: &Model) -> Result<Self, BundleError> {
        let engine = model.engine();
        let open = || -> Result<Graph, Complaint> {
            Ok(engine.opening().builder(engine.runtime())?.commit_from_memory(engine.graph())?)
        };
        let graph = open().map_err(|complaint| engine.refused(complaint))?;
        Ok(Self { graph, input: model.input().name.clone() })
    }

    /// Feeds `tensor` and looks at every output.
    ///
    /// # Errors
    /// What ONNX Runtime says.
    pub fn run(&mut self, tensor: &Tensor) -> Result<(), String> {
        self.run_or_complain(tensor).map_err(|Complaint(message)| message)
    }

    fn run_or_complain(&mut self, tensor: &Tensor) -> Result<(), Complaint> {
        let fed = TensorRef::from_array_view((tensor.shape, tensor.data.as_slice()))?;
        let answers = self.graph.run(ort::inputs![&*self.input => fed])?;
        for (_, answer) in &answers {
            black_box(answer.try_extract_tensor::<f32>()?);
        }
        Ok(())
    }
}
