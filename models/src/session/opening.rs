//! What a recipe's words mean to ONNX Runtime: takes an [`Execution`], gives a session's options.

use std::path::Path;

use domain::{Execution, Provider};
use ort::ep::{self, ExecutionProvider, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use ort::session::Session as Graph;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::{Complaint, Runtime};

/// Whether the library that was opened was built with `provider`.
pub fn is_built_in(provider: Provider) -> bool {
    let known = match provider {
        Provider::Cpu => ep::CPU::is_available(),
        Provider::Cuda => ep::CUDA::is_available(),
        Provider::TensorRt => ep::TensorRT::is_available(),
        Provider::OpenVino => ep::OpenVINO::is_available(),
    };
    known.unwrap_or(false)
}

/// How a graph is made ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    /// On what, with how many threads, with which memory.
    pub execution: &'a Execution,
    /// The graph is what an earlier opening left in `save`.
    pub is_compiled: bool,
    /// File in which to leave what was made of the graph, so that it need not be made again.
    pub save: Option<&'a Path>,
    /// `openvino`: folder in which it looks for what it made of the graph before, or leaves it.
    pub cache: Option<&'a Path>,
}

impl<'a> Opening<'a> {
    /// The network as it is in its bundle.
    pub const fn plain(execution: &'a Execution) -> Self {
        Self { execution, is_compiled: false, save: None, cache: None }
    }

    pub fn builder(&self, runtime: &Runtime) -> Result<SessionBuilder, Complaint> {
        let execution = self.execution;
        let level = match self.is_compiled {
            true => GraphOptimizationLevel::Disable,
            false => GraphOptimizationLevel::Level3,
        };
        let arena = ep::CPU::default().with_arena_allocator(execution.arena).build();
        let mut builder = Graph::builder(&runtime.environment)?
            .with_optimization_level(level)?
            .with_intra_threads(execution.threads as usize)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            .with_memory_pattern(execution.memory_pattern)?
            .with_execution_providers([arena.error_on_failure()])?;
        if execution.provider != Provider::Cpu {
            builder = builder.with_config_entry("session.record_ep_graph_assignment_info", "1")?;
        }
        if let Some(provider) = self.provider() {
            // Otherwise a provider that can't start is left out, and nobody hears of it.
            builder = builder.with_execution_providers([provider.error_on_failure()])?;
        }
        self.save_in(builder)
    }

    /// Where what the CPU's and CUDA's optimiser made of the graph goes.
    fn save_in(&self, builder: SessionBuilder) -> Result<SessionBuilder, Complaint> {
        match (self.save, self.execution.provider) {
            // It warns that the file is for this machine only, which is what it is for.
            (Some(file), Provider::Cpu | Provider::Cuda) => {
                Ok(builder.with_optimized_model_path(file)?.with_log_level(LogLevel::Error)?)
            }
            _ => Ok(builder),
        }
    }

    fn provider(&self) -> Option<ExecutionProviderDispatch> {
        let Execution { provider, device, fp16, int8, threads, .. } = self.execution;
        let device = device.as_deref();
        let gpu = device.and_then(|number| number.parse().ok()).unwrap_or(0);
        match provider {
            Provider::Cpu => None,
            Provider::Cuda => Some(ep::CUDA::default().with_device_id(gpu).build()),
            Provider::TensorRt => {
                let engine = ep::TensorRT::default().with_device_id(gpu);
                Some(self.engine_in(engine.with_fp16(*fp16).with_int8(*int8)).build())
            }
            Provider::OpenVino => {
                let plain = ep::OpenVINO::default().with_num_threads(*threads as usize);
                let there = plain.with_device_type(device.unwrap_or("CPU"));
                let there = match self.cache {
                    Some(folder) => there.with_cache_dir(folder.display()),
                    None => there,
                };
                Some(if *fp16 { there.with_precision("FP16") } else { there }.build())
            }
        }
    }

    /// With the engine left inside the saved file, and how fast each kernel was left beside it, so
    /// that the next build on this machine is quicker.
    fn engine_in(&self, engine: ep::TensorRT) -> ep::TensorRT {
        let Some(file) = self.save else { return engine };
        let beside = file.parent().unwrap_or(Path::new("."));
        engine
            .with_dump_ep_context_model(true)
            .with_ep_context_embed_mode(1)
            .with_ep_context_file_path(file.display())
            .with_timing_cache(true)
            .with_timing_cache_path(beside.display())
    }
}
