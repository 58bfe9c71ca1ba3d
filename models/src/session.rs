//! The only file that knows ONNX Runtime: takes a graph's bytes and tensors, gives numbers.
//!
//! Every session runs on the caller's thread alone, so that its numbers do not depend on how many
//! threads the line has.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::Tensor;
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session as Graph;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Outlet, TensorElementType, TensorRef};

use crate::runtime::{RuntimeError, Surroundings};

/// ONNX Runtime, opened once a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
}

/// A process has one environment; what came of the first attempt holds.
static OPENED: OnceLock<Result<Runtime, RuntimeError>> = OnceLock::new();

impl Runtime {
    /// Finds ONNX Runtime's shared library and starts it; later calls give the same one.
    ///
    /// Looked at, in order: `ORT_DYLIB_PATH` (and then nothing else); the program's folder and
    /// `../lib/sightline`; `/usr/lib/sightline`; the user's cache, newest version first; the
    /// system's library path.
    ///
    /// # Errors
    /// When no place has a library of version 1.24 or newer, or it does not start. The first
    /// answer holds for the life of the process.
    pub fn open() -> Result<Self, RuntimeError> {
        OPENED.get_or_init(Self::start).clone()
    }

    fn start() -> Result<Self, RuntimeError> {
        let (library, builder) = Surroundings::of_this_process()
            .first_that_opens(|path| ort::init_from(path).map_err(|error| error.to_string()))?;
        match builder.with_telemetry(false).build() {
            Ok(environment) => {
                // Below a warning it reports every node of every graph.
                environment.set_log_level(LogLevel::Warning);
                tracing::info!(library = %library.display(), "ONNX Runtime opened");
                Ok(Self { environment, library })
            }
            Err(error) => {
                Err(RuntimeError::NotStarted { library, message: error.message().to_owned() })
            }
        }
    }

    /// The shared library in use.
    #[must_use]
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// What the library says of its own making: version, commit, flags.
    #[must_use]
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }
}

/// An input or output of a graph, as the graph declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    pub name: String,
    /// Element type as ONNX calls it; `float` is what we can feed and read.
    pub element: String,
    /// -1 where the graph leaves it open; empty when it says nothing of its shape.
    pub shape: Vec<i64>,
}

impl Port {
    fn from_outlet(outlet: &Outlet) -> Self {
        let element = match outlet.dtype().tensor_type() {
            Some(TensorElementType::Float32) => "float".to_owned(),
            Some(other) => format!("{other:?}").to_lowercase(),
            None => "no tensor".to_owned(),
        };
        let shape = outlet.dtype().tensor_shape().map_or_else(Vec::new, |shape| shape.to_vec());
        Self { name: outlet.name().to_owned(), element, shape }
    }
}

/// Numbers as they came out of a graph; kept by the caller and filled again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    /// Outermost first; multiplied out it is the length of `values`.
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// A graph, ready to run on one thread.
#[derive(Debug)]
pub(crate) struct Session {
    graph: Graph,
}

/// What ONNX Runtime said when it would not do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint(pub String);

impl<R> From<ort::Error<R>> for Complaint {
    fn from(error: ort::Error<R>) -> Self {
        Self(error.message().to_owned())
    }
}

impl Session {
    /// Compiles the graph in `onnx`.
    pub fn compile(runtime: &Runtime, onnx: &[u8]) -> Result<Self, Complaint> {
        let graph = Graph::builder(&runtime.environment)?
            .with_optimization_level(GraphOptimizationLevel::Level3)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .commit_from_memory(onnx)?;
        Ok(Self { graph })
    }

    /// The graph in `onnx` with what is constant worked out and what belongs together merged, in
    /// ONNX's own operators.
    pub fn simplified(runtime: &Runtime, onnx: &[u8]) -> Result<Vec<u8>, Complaint> {
        // A folder of its own: the runtime writes a file, and it writes through links.
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("sightline-simplified-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let told = |error: std::io::Error| Complaint(format!("{}: {error}", folder.display()));
        std::fs::create_dir(&folder).map_err(told)?;
        let file = folder.join("model.onnx");
        let made = Self::written_simplified(runtime, onnx, &file)
            .and_then(|()| std::fs::read(&file).map_err(told));
        let _ = std::fs::remove_dir_all(&folder);
        made
    }

    fn written_simplified(runtime: &Runtime, onnx: &[u8], file: &Path) -> Result<(), Complaint> {
        Graph::builder(&runtime.environment)?
            .with_optimization_level(GraphOptimizationLevel::Level1)?
            .with_intra_threads(1)?
            .with_optimized_model_path(file)?
            .commit_from_memory(onnx)?;
        Ok(())
    }

    pub fn inputs(&self) -> Vec<Port> {
        self.graph.inputs().iter().map(Port::from_outlet).collect()
    }

    pub fn outputs(&self) -> Vec<Port> {
        self.graph.outputs().iter().map(Port::from_outlet).collect()
    }

    /// Feeds `tensor` to `input` and puts what comes out of each of `outputs` into its raw.
    pub fn run(
        &mut self,
        input: &str,
        tensor: &Tensor,
        outputs: &[String],
        raws: &mut [Raw],
    ) -> Result<(), Complaint> {
        let fed = TensorRef::from_array_view((tensor.shape, tensor.data.as_slice()))?;
        let answers = self.graph.run(ort::inputs![input => fed])?;
        for (output, raw) in outputs.iter().zip(raws) {
            let answer = answers
                .get(output)
                .ok_or_else(|| Complaint(format!("it gave no output `{output}`")))?;
            let (shape, values) = answer.try_extract_tensor::<f32>()?;
            raw.shape.clear();
            raw.shape.extend(shape.iter().map(|side| usize::try_from(*side).unwrap_or(0)));
            raw.values.clear();
            raw.values.extend_from_slice(values);
        }
        Ok(())
    }
}
