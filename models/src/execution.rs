//! On what a bundle's network runs: takes what the recipe wants, gives a session that was seen to
//! run there, or says what this machine lacks. The CPU never takes another provider's place
//! unless the recipe says that it may, and then it is told.

mod graph;

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use domain::{Execution, Provider, WhenMissing};
use thiserror::Error;

use crate::bundle::{Bundle, BundleError, Parts};
use crate::compiled::{self, CompiledError, Found};
use crate::screen::foreign_operators;
use crate::session::{Assigned, Complaint, Opening, Runtime, Session};

/// How many operators are named of those that the CPU would have to compute.
const NAMED_MOST: usize = 6;

/// Why a model does not run on what its recipe names.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum ExecutionError {
    /// The library was built without the provider.
    #[error(
        "the ONNX Runtime at {} has no provider {wanted}; it has: {}. Right would be: a library \
         with it ({}; ORT_DYLIB_PATH names one), another `execution.provider`, or \
         `execution.when_missing = \"cpu\"`", .library.display(), listed(.has), package(*.wanted)
    )]
    NotBuiltIn { wanted: Provider, library: PathBuf, has: Vec<Provider> },
    /// The library has the provider, and it does not work here.
    #[error(
        "the ONNX Runtime at {} has the provider {wanted}, which does not work on this machine: \
         {message}. Right would be: what it asks for ({}), or `execution.when_missing = \"cpu\"`",
        .library.display(), needs(*.wanted)
    )]
    DoesNotWork { wanted: Provider, library: PathBuf, message: String },
    /// The provider took too little of the network.
    #[error(
        "{wanted} takes {taken} of the network's nodes and leaves {} to the CPU ({}); right would \
         be: a network of operators that it knows, or `execution.nodes_on_cpu = {}`",
        .left.len(), operators(.left), .left.len()
    )]
    NodesLeft { wanted: Provider, taken: usize, left: Vec<String> },
}

fn listed(providers: &[Provider]) -> String {
    providers.iter().map(|provider| provider.name()).collect::<Vec<_>>().join(", ")
}

const fn package(provider: Provider) -> &'static str {
    match provider {
        Provider::Cpu => "every one",
        Provider::Cuda | Provider::TensorRt => "the Python package onnxruntime-gpu holds one",
        Provider::OpenVino => "the Python package onnxruntime-openvino holds one",
    }
}

const fn needs(provider: Provider) -> &'static str {
    match provider {
        Provider::Cpu => "memory",
        Provider::Cuda => "an NVIDIA GPU, its driver, CUDA and cuDNN",
        Provider::TensorRt => "an NVIDIA GPU, its driver, CUDA, cuDNN and TensorRT",
        Provider::OpenVino => "a device that OpenVINO knows; `execution.device` names it",
    }
}

/// `Conv 12, Resize 1`, most first.
fn operators(left: &[String]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for operator in left {
        match counts.iter_mut().find(|(name, _)| name == operator) {
            Some((_, count)) => *count += 1,
            None => counts.push((operator, 1)),
        }
    }
    counts.sort_by(|(a, n), (b, m)| m.cmp(n).then(a.cmp(b)));
    let named: Vec<_> =
        counts.iter().take(NAMED_MOST).map(|(name, n)| format!("{name} {n}")).collect();
    let more = if counts.len() > NAMED_MOST { ", …" } else { "" };
    format!("{}{more}", named.join(", "))
}

/// Whether the CPU may take over where the recipe allows it: what is missing may be replaced, what
/// was tampered with may not.
fn is_missing(error: &BundleError) -> bool {
    match error {
        BundleError::Execution(_) => true,
        BundleError::Compiled(error) => error.is_missing(),
        _ => false,
    }
}

/// On what an armed model runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunsOn {
    /// What computes the network.
    pub provider: Provider,
    /// What the recipe names.
    pub wanted: Provider,
    /// Why it is not all as the recipe wants, in words; none when it is.
    pub shortfall: Option<String>,
    /// Nodes that the provider and the CPU compute; not asked where all is the CPU's.
    pub nodes: Option<(usize, usize)>,
    /// The graph was made ready ahead of time.
    pub is_compiled: bool,
}

impl fmt::Display for RunsOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.provider)?;
        if let Some((taken, left)) = self.nodes {
            write!(f, ", {taken} nodes ({left} on the CPU)")?;
        }
        f.write_str(if self.is_compiled { ", compiled ahead" } else { "" })
    }
}

/// How a bundle's network is run on this machine: decided once, the same for each thread.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    bundle: Bundle,
    runtime: Runtime,
    /// With the provider in force.
    execution: Execution,
    /// What ONNX Runtime is given; none where it is the bundle's own file.
    graph: Option<Arc<Vec<u8>>>,
    /// Where OpenVINO finds what it made of the network before.
    cache: Option<PathBuf>,
    runs_on: RunsOn,
}

impl Engine {
    /// Decides on what `bundle` runs, and makes a session of it.
    pub fn choose(
        bundle: &Bundle,
        runtime: &Runtime,
        wanted: &Execution,
    ) -> Result<(Self, Session), BundleError> {
        let missing = match Self::on(bundle, runtime, wanted) {
            Err(error) if wanted.when_missing == WhenMissing::Cpu && is_missing(&error) => error,
            done => return done,
        };
        let name = &bundle.manifest().name;
        tracing::error!(model = %name, wanted = %wanted.provider, "runs on the CPU: {missing}");
        let cpu = Execution {
            provider: Provider::Cpu,
            threads: wanted.threads,
            arena: wanted.arena,
            memory_pattern: wanted.memory_pattern,
            warm_up_runs: wanted.warm_up_runs,
            ..Execution::default()
        };
        let (mut engine, session) = Self::on(bundle, runtime, &cpu)?;
        engine.runs_on.wanted = wanted.provider;
        engine.runs_on.shortfall = Some(missing.to_string());
        Ok((engine, session))
    }

    /// A session on the provider that `wanted` names, and no other.
    fn on(
        bundle: &Bundle,
        runtime: &Runtime,
        wanted: &Execution,
    ) -> Result<(Self, Session), BundleError> {
        let provider = wanted.provider;
        check_built_in(runtime, provider)?;
        let compiled = compiled::found_for(bundle, runtime, wanted)?;
        let is_compiled = compiled.is_some();
        let (graph, cache) = match compiled {
            Some(Found::Graph(graph)) => (Some(graph), None),
            Some(Found::Cache(folder)) => (changed_graph(bundle), Some(folder)),
            None => (changed_graph(bundle), None),
        };
        let runs_on =
            RunsOn { provider, wanted: provider, shortfall: None, nodes: None, is_compiled };
        let (bundle, runtime, execution) = (bundle.clone(), runtime.clone(), wanted.clone());
        let mut engine =
            Self { bundle, runtime, execution, graph: graph.map(Arc::new), cache, runs_on };
        let session = engine.open()?;
        if provider != Provider::Cpu {
            engine.count_nodes(&session)?;
        }
        Ok((engine, session))
    }

    /// Another session.
    pub fn open(&self) -> Result<Session, BundleError> {
        Session::open(&self.runtime, self.graph(), &self.opening())
            .map_err(|complaint| self.refused(complaint))
    }

    /// What a refusal of ONNX Runtime means.
    pub fn refused(&self, Complaint(message): Complaint) -> BundleError {
        match self.execution.provider {
            Provider::Cpu => not_taken(&self.bundle.parts, message),
            wanted => does_not_work(wanted, &self.runtime, message).into(),
        }
    }

    /// How its sessions are opened.
    pub fn opening(&self) -> Opening<'_> {
        // OpenVINO finds what it made only if it is given the very same graph.
        let is_compiled = self.runs_on.is_compiled && self.cache.is_none();
        let cache = self.cache.as_deref();
        Opening { execution: &self.execution, is_compiled, save: None, cache }
    }

    /// What ONNX Runtime is given.
    pub fn graph(&self) -> &[u8] {
        self.graph.as_deref().map_or(&self.bundle.parts.onnx, Vec::as_slice)
    }

    pub const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub const fn runs_on(&self) -> &RunsOn {
        &self.runs_on
    }

    pub const fn execution(&self) -> &Execution {
        &self.execution
    }

    /// Sees which nodes the provider took. A provider can be there, be registered, and take none.
    fn count_nodes(&mut self, session: &Session) -> Result<(), BundleError> {
        let assigned = session.assigned().map_err(|complaint| self.refused(complaint))?;
        let (taken, left) = taken_and_left(&assigned);
        self.runs_on.nodes = Some((taken, left.len()));
        if taken > 0 && left.len() <= self.execution.nodes_on_cpu as usize {
            return Ok(());
        }
        let error = ExecutionError::NodesLeft { wanted: self.execution.provider, taken, left };
        if taken == 0 || self.execution.when_missing == WhenMissing::Refuse {
            return Err(error.into());
        }
        tracing::error!(model = %self.bundle.manifest().name, "runs in part on the CPU: {error}");
        self.runs_on.shortfall = Some(error.to_string());
        Ok(())
    }
}

/// The network as [`graph_from_parts`] gives it, where that is not the bundle's own file.
fn changed_graph(bundle: &Bundle) -> Option<Vec<u8>> {
    match graph_from_parts(&bundle.parts) {
        Cow::Borrowed(_) => None,
        Cow::Owned(graph) => Some(graph),
    }
}

/// Refuses a provider that the library was built without.
pub(crate) fn check_built_in(runtime: &Runtime, wanted: Provider) -> Result<(), ExecutionError> {
    let has = runtime.providers();
    if has.contains(&wanted) {
        return Ok(());
    }
    Err(ExecutionError::NotBuiltIn { wanted, library: runtime.library().to_owned(), has })
}

/// What a provider's own refusal means.
pub(crate) fn does_not_work(
    wanted: Provider,
    runtime: &Runtime,
    message: String,
) -> ExecutionError {
    ExecutionError::DoesNotWork { wanted, library: runtime.library().to_owned(), message }
}

/// How many nodes a provider other than the CPU took, and the operators of the others.
fn taken_and_left(assigned: &[Assigned]) -> (usize, Vec<String>) {
    let on_cpu = |part: &&Assigned| part.provider == "CPUExecutionProvider";
    let left = assigned.iter().filter(on_cpu).flat_map(|part| part.operators.clone()).collect();
    let taken = assigned.iter().filter(|part| !on_cpu(part)).map(|part| part.operators.len());
    (taken.sum(), left)
}

/// Why ONNX Runtime does not take the network; the operators it lacks, where that is why.
fn not_taken(parts: &Parts, message: String) -> BundleError {
    let (file, operators) = (parts.onnx_file.clone(), foreign_operators(&parts.onnx));
    if operators.is_empty() {
        return BundleError::NotOnnx { file, message };
    }
    BundleError::ForeignOperators { file, operators, message }
}

/// The network that ONNX Runtime is given: the bundle's, with the sides of its input fixed as the
/// manifest says, so that it can plan all memory ahead and never builds anything for a new shape.
/// The batch of one that is shown tiles stays open where it is.
pub(crate) fn graph_from_parts(parts: &Parts) -> Cow<'_, [u8]> {
    let input = &parts.manifest.input;
    let mut shape = input.network_shape().map(Some);
    if input.tiling.is_some() {
        shape[0] = None;
    }
    graph::fixed(&parts.onnx, &input.name, shape)
}

/// Whether the CPU may take over.
impl CompiledError {
    const fn is_missing(&self) -> bool {
        matches!(self, Self::NotThere { .. } | Self::Stale { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(provider: &str, operators: &[&str]) -> Assigned {
        let operators = operators.iter().map(|name| (*name).to_owned()).collect();
        Assigned { provider: provider.to_owned(), operators }
    }

    #[test]
    fn what_the_cpu_has_is_counted() {
        let all = [
            part("CUDAExecutionProvider", &["Conv", "Relu"]),
            part("CPUExecutionProvider", &["Shape", "Conv"]),
            part("CUDAExecutionProvider", &["Conv"]),
            part("CPUExecutionProvider", &["Shape"]),
        ];
        let (taken, left) = taken_and_left(&all);
        assert_eq!(taken, 3);
        assert_eq!(operators(&left), "Shape 2, Conv 1");
        assert_eq!(taken_and_left(&[]), (0, vec![]));
    }

    #[test]
    fn a_long_list_is_cut() {
        let left: Vec<String> = ('a'..='h').map(String::from).collect();
        assert_eq!(operators(&left), "a 1, b 1, c 1, d 1, e 1, f 1, …");
    }

    #[test]
    fn errors_say_what_would_be_right() {
        let library = PathBuf::from("/opt/ort.so");
        let has = vec![Provider::Cpu];
        let error =
            ExecutionError::NotBuiltIn { wanted: Provider::Cuda, library: library.clone(), has };
        let text = error.to_string();
        for part in ["/opt/ort.so", "no provider cuda", "has: cpu", "onnxruntime-gpu", "when_mis"] {
            assert!(text.contains(part), "{part} is missing in {text}");
        }
        let message = "libnvinfer.so.10: cannot open".to_owned();
        let wanted = Provider::TensorRt;
        let text = ExecutionError::DoesNotWork { wanted, library, message }.to_string();
        assert!(text.contains("libnvinfer.so.10") && text.contains("TensorRT"), "{text}");
        let left = vec!["Resize".to_owned(); 3];
        let text = ExecutionError::NodesLeft { wanted, taken: 90, left }.to_string();
        assert!(text.contains("takes 90") && text.contains("nodes_on_cpu = 3"), "{text}");
        assert!(text.contains("Resize 3"), "{text}");
    }
}
