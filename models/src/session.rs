//! The only door to ONNX Runtime: takes a graph's bytes and tensors, gives numbers.
//!
//! A session computes on the caller's thread, or on as many as the recipe says, so that its
//! numbers do not depend on how many threads the line has.

mod assigned;
mod bare;
mod opening;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Execution, Provider, Tensor};
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::memory::{Allocator, MemoryInfo};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{HasSelectedOutputs, OutputSelector, RunOptions, Session as Graph};
use ort::value::{Outlet, Shape, Tensor as Numbers, TensorElementType, TensorRefMut};

pub use assigned::Assigned;
pub use bare::Bare;
pub(crate) use opening::Opening;

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

    /// The providers that the library was built with. Whether one works on this machine shows
    /// when a model is armed on it.
    #[must_use]
    pub fn providers(&self) -> Vec<Provider> {
        Provider::ALL.into_iter().filter(|provider| opening::is_built_in(*provider)).collect()
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

/// A graph, ready to run.
pub(crate) struct Session {
    graph: Graph,
    /// The outputs that are read; those whose shape the graph fixes are always written to the same
    /// memory.
    wanted: RunOptions<HasSelectedOutputs>,
    fed: Option<Fed>,
}

/// The tensor that was fed last, as ONNX Runtime sees it: tensors are used again and again.
struct Fed {
    address: usize,
    shape: [usize; 4],
    seen: TensorRefMut<'static, f32>,
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
    /// Makes the graph in `onnx` ready as `opening` says.
    pub fn open(runtime: &Runtime, onnx: &[u8], opening: &Opening<'_>) -> Result<Self, Complaint> {
        let graph = opening.builder(runtime)?.commit_from_memory(onnx)?;
        let wanted = RunOptions::new()?.with_outputs(OutputSelector::default());
        Ok(Self { graph, wanted, fed: None })
    }

    /// Makes the graph in `onnx` ready on one thread of the CPU, for work that is no line's.
    pub fn compile(runtime: &Runtime, onnx: &[u8]) -> Result<Self, Complaint> {
        Self::open(runtime, onnx, &Opening::plain(&Execution::default()))
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

    /// Which provider has which nodes. Only of sessions whose provider is not the CPU.
    pub fn assigned(&self) -> Result<Vec<Assigned>, Complaint> {
        assigned::of_graph(&self.graph)
    }

    /// From now on only `outputs` are computed, in this order.
    pub fn want(&mut self, outputs: &[String]) -> Result<(), Complaint> {
        let mut selector = OutputSelector::no_default();
        for name in outputs {
            let port = self.outputs().into_iter().find(|port| port.name == *name);
            let port = port.ok_or_else(|| Complaint(format!("it gives no output `{name}`")))?;
            let is_fixed = !port.shape.is_empty() && port.shape.iter().all(|side| *side > 0);
            selector = selector.with(name);
            if is_fixed && port.element == "float" {
                let memory = Numbers::<f32>::new(&Allocator::default(), port.shape)?;
                selector = selector.preallocate(name, memory);
            }
        }
        self.wanted = RunOptions::new()?.with_outputs(selector);
        Ok(())
    }

    /// Feeds `tensor`, which has the shape of the graph's only input, and puts the numbers of each
    /// output, in the order of [`Self::want`], into its raw.
    pub fn run(&mut self, tensor: &Tensor, raws: &mut [Raw]) -> Result<(), Complaint> {
        let seen = self.fed.take().filter(|fed| fed.is_of(tensor));
        let fed = self.fed.insert(seen.map_or_else(|| Fed::of(tensor), Ok)?);
        let answers = self.graph.run_with_options(ort::inputs![&*fed.seen], &self.wanted)?;
        for ((_, answer), raw) in answers.iter().zip(raws) {
            let (shape, values) = answer.try_extract_tensor::<f32>()?;
            raw.shape.clear();
            raw.shape.extend(shape.iter().map(|side| usize::try_from(*side).unwrap_or(0)));
            raw.values.clear();
            raw.values.extend_from_slice(values);
        }
        Ok(())
    }
}

impl Fed {
    #[expect(unsafe_code, reason = "a view that outlives the borrow, used only while there is one")]
    fn of(tensor: &Tensor) -> Result<Self, Complaint> {
        if tensor.data.len() != tensor.shape.iter().product::<usize>() {
            let (numbers, shape) = (tensor.data.len(), tensor.shape);
            return Err(Complaint(format!("a tensor of {shape:?} holds {numbers} numbers")));
        }
        let info = MemoryInfo::default();
        let sides = tensor.shape.iter().map(|side| i64::try_from(*side).unwrap_or(0));
        let data = tensor.data.as_ptr().cast_mut().cast();
        // SAFETY: the buffer holds as many floats as the shape says (checked above), and lies in
        // plain memory as the info says. ONNX Runtime reads it only within `Session::run`, which
        // passes this view on only while it borrows a tensor of the same address and length;
        // inputs are never written to.
        let seen = unsafe { TensorRefMut::from_raw(info, data, Shape::from_iter(sides)) }?;
        Ok(Self { address: tensor.data.as_ptr() as usize, shape: tensor.shape, seen })
    }

    fn is_of(&self, tensor: &Tensor) -> bool {
        let numbers = self.shape.iter().product::<usize>();
        (self.address, self.shape) == (tensor.data.as_ptr() as usize, tensor.shape)
            && tensor.data.len() == numbers
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("graph", &self.graph).finish_non_exhaustive()
    }
}
