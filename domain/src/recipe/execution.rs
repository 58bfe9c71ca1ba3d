//! On what a recipe's model runs: the table `[execution]` as written, then checked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RecipeError;

/// Most threads that one session may use.
const THREADS_MOST: u32 = 64;
/// Most warm-up runs: with more, arming would take longer than anybody waits.
const WARM_UP_MOST: u32 = 1000;

/// What computes a network's nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The processor. Every ONNX Runtime has it.
    #[default]
    Cpu,
    /// An NVIDIA GPU, node by node.
    Cuda,
    /// An NVIDIA GPU, the network compiled into an engine ahead of time.
    TensorRt,
    /// An Intel processor, GPU or NPU.
    OpenVino,
}

impl Provider {
    /// Every provider there is.
    pub const ALL: [Self; 4] = [Self::Cpu, Self::Cuda, Self::TensorRt, Self::OpenVino];

    /// As it is written in a recipe.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::OpenVino => "openvino",
        }
    }

    /// The provider that is written as `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happens when the provider can't be had on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenMissing {
    /// The recipe is not armed.
    #[default]
    Refuse,
    /// The model runs on the CPU, and an alarm says so.
    Cpu,
}

/// On what the model runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Execution {
    /// What computes the network.
    pub provider: Provider,
    /// What happens when the provider can't be had here.
    pub when_missing: WhenMissing,
    /// How many of the network's nodes may be left to the CPU by another provider before that
    /// counts as missing.
    pub nodes_on_cpu: u32,
    /// `cuda` and `tensorrt`: number of the GPU, 0 when absent. `openvino`: `CPU`, `GPU`, `GPU.1`,
    /// `NPU`, …; `CPU` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// `tensorrt` and `openvino`: compute with 16-bit floats where that is faster.
    pub fp16: bool,
    /// `tensorrt`: compute with 8-bit integers what the network was quantised for.
    pub int8: bool,
    /// Folder that `sightline model compile` has filled, relative to the recipe file. `tensorrt`
    /// looks into the bundle's own when absent; the others then compile at each start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compiled: Option<String>,
    /// Threads that compute one picture.
    pub threads: u32,
    /// Keep memory that was used once for the next picture.
    pub arena: bool,
    /// Plan all memory of a picture at once.
    pub memory_pattern: bool,
    /// Runs after the golden samples and before the first part: first runs are slow.
    pub warm_up_runs: u32,
}

impl Default for Execution {
    fn default() -> Self {
        Self {
            provider: Provider::Cpu,
            when_missing: WhenMissing::Refuse,
            nodes_on_cpu: 0,
            device: None,
            fp16: false,
            int8: false,
            compiled: None,
            threads: 1,
            arena: true,
            memory_pattern: true,
            warm_up_runs: 3,
        }
    }
}

impl Execution {
    /// Whether nothing was written: such a recipe's hash is as if the table were not there.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Checks every value on its own and against the others.
    ///
    /// # Errors
    /// The first contradiction found, naming its key.
    pub fn check(&self) -> Result<(), RecipeError> {
        let provider = self.provider;
        if !(1..=THREADS_MOST).contains(&self.threads) {
            let right = format!("1 to {THREADS_MOST}; 1 is best where several parts come at once");
            return Err(wrong("threads", format!("is {}", self.threads), right));
        }
        if self.warm_up_runs > WARM_UP_MOST {
            let right = format!("0 to {WARM_UP_MOST}");
            return Err(wrong("warm_up_runs", format!("is {}", self.warm_up_runs), right));
        }
        let reduces = matches!(provider, Provider::TensorRt | Provider::OpenVino);
        if self.fp16 && !reduces {
            return Err(not_for("fp16", provider, "convert the bundle: sightline model quantize"));
        }
        if self.int8 && provider != Provider::TensorRt {
            return Err(not_for("int8", provider, "quantise the bundle: sightline model quantize"));
        }
        if self.nodes_on_cpu > 0 && provider == Provider::Cpu {
            return Err(not_for("nodes_on_cpu", provider, "all nodes run there; leave it out"));
        }
        if self.compiled.as_deref().is_some_and(|folder| folder.trim().is_empty()) {
            return Err(wrong("compiled", "is empty", "name the folder of `model compile --out`"));
        }
        self.check_device()
    }

    fn check_device(&self) -> Result<(), RecipeError> {
        let Some(device) = &self.device else { return Ok(()) };
        let (fits, right) = match self.provider {
            Provider::Cpu => (false, "there is only one CPU; leave it out"),
            Provider::Cuda | Provider::TensorRt => (
                device.parse::<u16>().is_ok(),
                "the number of the GPU, \"0\" for the first, as `nvidia-smi -L` counts",
            ),
            Provider::OpenVino => {
                let kind = device.split_once('.').map_or(&**device, |(kind, _)| kind);
                (matches!(kind, "CPU" | "GPU" | "NPU"), "\"CPU\", \"GPU\", \"GPU.1\" or \"NPU\"")
            }
        };
        if fits {
            return Ok(());
        }
        Err(wrong("device", format!("is \"{device}\" with provider {}", self.provider), right))
    }
}

fn wrong(key: &str, problem: impl Into<String>, right: impl Into<String>) -> RecipeError {
    RecipeError::new(format!("execution.{key}"), problem, right)
}

fn not_for(key: &str, provider: Provider, right: &str) -> RecipeError {
    wrong(key, format!("is nothing for the provider {provider}"), right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execution(text: &str) -> Execution {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn nothing_written_is_one_thread_of_the_cpu_and_no_fallback() {
        let plain = execution("");
        assert!(plain.is_default());
        assert_eq!((plain.provider, plain.threads), (Provider::Cpu, 1));
        assert_eq!(plain.when_missing, WhenMissing::Refuse);
        plain.check().unwrap();
        assert!(!execution("threads = 2").is_default());
    }

    #[test]
    fn providers_are_written_as_they_are_called() {
        for provider in Provider::ALL {
            assert_eq!(execution(&format!("provider = \"{provider}\"")).provider, provider);
            assert_eq!(Provider::from_name(provider.name()), Some(provider));
        }
        let error = toml::from_str::<Execution>("provider = \"gpu\"").unwrap_err().to_string();
        assert!(error.contains("`cuda`") && error.contains("`tensorrt`"), "{error}");
        assert!(toml::from_str::<Execution>("whenmissing = \"cpu\"").is_err());
    }

    #[test]
    fn what_fits_is_taken() {
        for text in [
            "provider = \"tensorrt\"\nfp16 = true\nint8 = true\ndevice = \"1\"\ncompiled = \"c\"",
            "provider = \"openvino\"\nfp16 = true\ndevice = \"GPU.1\"",
            "provider = \"cuda\"\nwhen_missing = \"cpu\"\nnodes_on_cpu = 3\ndevice = \"0\"",
            "threads = 64\narena = false\nmemory_pattern = false\nwarm_up_runs = 0",
        ] {
            execution(text).check().unwrap();
        }
    }

    #[test]
    fn contradictions_are_named() {
        for (text, key) in [
            ("threads = 0", "threads"),
            ("threads = 65", "threads"),
            ("warm_up_runs = 1001", "warm_up_runs"),
            ("fp16 = true", "fp16"),
            ("provider = \"cuda\"\nfp16 = true", "fp16"),
            ("provider = \"openvino\"\nint8 = true", "int8"),
            ("nodes_on_cpu = 1", "nodes_on_cpu"),
            ("compiled = \" \"", "compiled"),
            ("device = \"0\"", "device"),
            ("provider = \"cuda\"\ndevice = \"GPU\"", "device"),
            ("provider = \"tensorrt\"\ndevice = \"-1\"", "device"),
            ("provider = \"openvino\"\ndevice = \"0\"", "device"),
        ] {
            let error = execution(text).check().unwrap_err();
            assert_eq!(error.key, format!("execution.{key}"), "{text}: {error}");
        }
    }
}
