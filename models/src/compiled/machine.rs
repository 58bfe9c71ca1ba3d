//! What of a machine a compiled network depends on: takes `/proc` and `/sys`, gives words. What
//! can't be read is absent.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use domain::Provider;

/// What the CPU's kernels are chosen by.
const FEATURES: [&str; 18] = [
    "sse4_1",
    "avx",
    "avx2",
    "fma",
    "f16c",
    "avx512f",
    "avx512bw",
    "avx512dq",
    "avx512vl",
    "avx512_vnni",
    "avx512_bf16",
    "avx_vnni",
    "amx_int8",
    "asimd",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
];

/// Facts about the machine whose files lie under `root` that matter to `provider`.
pub fn facts(root: &Path, provider: Provider) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.insert(key.to_owned(), value);
        }
    };
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    if matches!(provider, Provider::Cpu | Provider::OpenVino) {
        let cpu = text("proc/cpuinfo");
        add("cpu", value_of(&cpu, "model name").map(str::to_owned));
        add("cpu_features", Some(features(&cpu)));
    } else {
        let driver = text("proc/driver/nvidia/version");
        add("driver", driver.lines().next().map(one_line));
        add("gpus", Some(gpus(&root.join("proc/driver/nvidia/gpus"))));
        // A Jetson's GPU is part of the board and has no folder of its own.
        add("board", Some(text("proc/device-tree/model").replace('\0', "")));
        add("jetpack", text("etc/nv_tegra_release").lines().next().map(one_line));
    }
    facts
}

fn features(cpu: &str) -> String {
    let all = value_of(cpu, "flags").or_else(|| value_of(cpu, "Features")).unwrap_or_default();
    let has = |feature: &&str| all.split_ascii_whitespace().any(|flag| flag == *feature);
    FEATURES.into_iter().filter(has).collect::<Vec<_>>().join(" ")
}

/// The GPUs' names in the order of their places on the bus.
fn gpus(folder: &Path) -> String {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut places: Vec<_> = entries.map(|entry| entry.path()).collect();
    places.sort();
    let name = |place: &std::path::PathBuf| {
        let text = fs::read_to_string(place.join("information")).ok()?;
        value_of(&text, "Model").map(str::to_owned)
    };
    places.iter().filter_map(name).collect::<Vec<_>>().join("; ")
}

/// The value in the first line that reads `key : value`.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.map(|(name, value)| (name.trim(), value.trim())).find(|(name, _)| *name == key)?.1.into()
}

fn one_line(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn a_processor_is_its_name_and_what_kernels_ask_for() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n\
                       flags\t\t: fpu avx sse4_1 avx2 hypervisor\n\nprocessor\t: 1\n";
        let root = machine(&[("proc/cpuinfo", cpuinfo)]);
        let facts = facts(root.path(), Provider::Cpu);
        assert_eq!(facts["cpu"], "Some CPU @ 2 GHz");
        assert_eq!(facts["cpu_features"], "sse4_1 avx avx2");
        let arm = machine(&[("proc/cpuinfo", "Features\t: fp asimd asimddp\n")]);
        let facts = super::facts(arm.path(), Provider::OpenVino);
        assert_eq!(facts["cpu_features"], "asimd asimddp");
    }

    #[test]
    fn a_gpu_is_its_name_and_driver() {
        let root = machine(&[
            ("proc/driver/nvidia/version", "NVRM version: NVIDIA  UNIX 580.1\nGCC version: 13\n"),
            ("proc/driver/nvidia/gpus/0000:81:00.0/information", "Model: \t\t NVIDIA B\nIRQ: 7\n"),
            ("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA A\n"),
            ("proc/cpuinfo", "model name: x\n"),
        ]);
        let facts = facts(root.path(), Provider::TensorRt);
        assert_eq!(facts["driver"], "NVRM version: NVIDIA UNIX 580.1");
        assert_eq!(facts["gpus"], "NVIDIA A; NVIDIA B");
        assert!(!facts.contains_key("cpu"), "another processor beside the same GPU is no matter");
    }

    #[test]
    fn a_jetson_is_its_board() {
        let root = machine(&[
            ("proc/device-tree/model", "NVIDIA Jetson Orin Nano\0"),
            ("etc/nv_tegra_release", "# R36 (release), REVISION: 4.0\n"),
        ]);
        let facts = facts(root.path(), Provider::Cuda);
        assert_eq!(facts["board"], "NVIDIA Jetson Orin Nano");
        assert_eq!(facts["jetpack"], "# R36 (release), REVISION: 4.0");
        assert!(super::facts(&root.path().join("nowhere"), Provider::Cuda).is_empty());
    }
}
