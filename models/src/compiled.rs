//! Networks made ready ahead of time: takes a bundle and a provider, leaves a folder with the
//! compiled network and the key that says for what it was made; at arming the key must fit.
//!
//! A compiled network is one file: an ONNX file with the graph as the CPU's or CUDA's optimiser has
//! changed it, or with a TensorRT engine inside a node, so that loading it never builds anything;
//! or the blob that OpenVINO finds in its cache.

mod machine;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use domain::{Execution, Provider, Sha256};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::bundle::{Bundle, BundleError};
use crate::execution::{RunsOn, check_built_in, does_not_work, graph_from_parts};
use crate::session::{Complaint, Opening, Runtime, Session};
use crate::signature::SignatureError;

/// Name of the file that says for what a network was compiled.
pub const COMPILED: &str = "compiled.toml";
/// The only version of it there is.
const SCHEMA: u32 = 1;

/// A `compiled.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compiled {
    /// Version of this format: 1.
    pub schema: u32,
    /// Name of the compiled network's file, in the same folder.
    pub file: String,
    /// Hash of its bytes.
    pub sha256: Sha256,
    /// For what it was made: all of it must be the same where it is used.
    pub key: BTreeMap<String, String>,
}

/// A word of the key that is another one here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs {
    /// Which.
    pub what: String,
    /// As it was where the network was compiled.
    pub then: String,
    /// As it is here.
    pub now: String,
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " `{}` was {:?} and is {:?};", self.what, self.then, self.now)
    }
}

/// Why a compiled network is not used, or none was made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum CompiledError {
    /// Nothing was compiled.
    #[error(
        "{}: no network compiled for {provider} is there, and a line never builds one; \
         right would be: {command}", .folder.display()
    )]
    NotThere { folder: PathBuf, provider: Provider, command: String },
    /// It was compiled for something else.
    #[error(
        "{} was compiled for something else:{} right would be: {command}",
        .file.display(), .differs.iter().map(Differs::to_string).collect::<String>()
    )]
    Stale { file: PathBuf, differs: Vec<Differs>, command: String },
    /// What is there is not what was written.
    #[error("{}: {message}; right would be: {command}", .file.display())]
    Spoilt { file: PathBuf, message: String, command: String },
    /// It is not signed as the station wants it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The disk refused.
    #[error("{}: {message}", .file.display())]
    Disk { file: PathBuf, message: String },
}

/// What compiling is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The provider makes of the network what it runs: seconds, or minutes with TensorRT.
    Building,
    /// What was made reproduces the golden samples.
    Proving,
    /// It is put in its place.
    Keeping,
}

/// What was compiled.
#[derive(Clone, Debug)]
pub struct Made {
    /// The folder it lies in.
    pub folder: PathBuf,
    /// As it was written.
    pub compiled: Compiled,
    /// Size of the compiled network, bytes.
    pub bytes: u64,
    /// On what it was proven.
    pub runs_on: RunsOn,
}

/// Where `execution` says that the compiled network is; none where the network is used as it is in
/// its bundle.
fn folder_for(bundle: &Bundle, execution: &Execution) -> Option<PathBuf> {
    let named = execution.compiled.as_deref().map(PathBuf::from);
    let needed = execution.provider == Provider::TensorRt;
    named.or_else(|| needed.then(|| usual_folder(bundle, execution.provider)))
}

/// Where compiled networks lie unless another folder is named: `compiled/<provider>` in the bundle.
#[must_use]
pub fn usual_folder(bundle: &Bundle, provider: Provider) -> PathBuf {
    bundle.parts.dir.join("compiled").join(provider.name())
}

/// The command that compiles `bundle` for `execution` into `folder`.
fn command(bundle: &Bundle, execution: &Execution, folder: &Path) -> String {
    let Execution { provider, device, fp16, int8, threads, .. } = execution;
    let dir = bundle.parts.dir.display();
    let mut command = format!("sightline model compile {dir} --provider {provider}");
    if let Some(device) = device {
        command += &format!(" --device {device}");
    }
    for (option, is_set) in [(" --fp16", *fp16), (" --int8", *int8)] {
        command += if is_set { option } else { "" };
    }
    if *provider == Provider::OpenVino && *threads != 1 {
        command += &format!(" --threads {threads}");
    }
    if folder != usual_folder(bundle, *provider) {
        command += &format!(" --out {}", folder.display());
    }
    command
}

/// What was compiled and fits.
pub(crate) enum Found {
    /// An ONNX file's bytes, to be run instead of the bundle's.
    Graph(Vec<u8>),
    /// A folder, in which OpenVINO finds what it made of the bundle's.
    Cache(PathBuf),
}

/// For what `bundle` is compiled here.
fn key(bundle: &Bundle, runtime: &Runtime, execution: &Execution) -> BTreeMap<String, String> {
    let Execution { provider, device, fp16, int8, threads, .. } = execution;
    let mut key = machine::facts(Path::new("/"), *provider);
    let mut add = |what: &str, word: String| key.insert(what.to_owned(), word);
    add("network", bundle.manifest().file.sha256.to_string());
    add("provider", provider.to_string());
    add("onnxruntime", runtime.build_info().to_owned());
    add("arch", std::env::consts::ARCH.to_owned());
    if *provider != Provider::Cpu {
        add("device", device.clone().unwrap_or_default());
        add("fp16", fp16.to_string());
        add("int8", int8.to_string());
    }
    if *provider == Provider::OpenVino {
        add("threads", threads.to_string());
    }
    key
}

fn differences(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<Differs> {
    let word = |key: &BTreeMap<String, String>, what: &str| key.get(what).cloned();
    let all: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let other = all.into_iter().filter(|what| then.get(*what) != now.get(*what));
    let differs = |what: &String| Differs {
        what: what.clone(),
        then: word(then, what).unwrap_or_default(),
        now: word(now, what).unwrap_or_default(),
    };
    other.map(differs).collect()
}

/// The compiled network that `execution` asks for; none where it asks for none.
///
/// # Errors
/// When there is none, it is not the one that was written, or was made for something else.
pub(crate) fn found_for(
    bundle: &Bundle,
    runtime: &Runtime,
    execution: &Execution,
) -> Result<Option<Found>, BundleError> {
    let Some(folder) = folder_for(bundle, execution) else { return Ok(None) };
    let command = command(bundle, execution, &folder);
    let file = folder.join(COMPILED);
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let provider = execution.provider;
            return Err(CompiledError::NotThere { folder, provider, command }.into());
        }
        read => read.map_err(|error| disk(&file, &error))?,
    };
    bundle.trust.check(&file, text.as_bytes()).map_err(CompiledError::from)?;
    let spoilt = |file: &Path, message: String| CompiledError::Spoilt {
        file: file.to_owned(),
        message,
        command: command.clone(),
    };
    let compiled = Compiled::from_text(&text).map_err(|message| spoilt(&file, message))?;
    let differs = differences(&compiled.key, &key(bundle, runtime, execution));
    if !differs.is_empty() {
        return Err(CompiledError::Stale { file, differs, command }.into());
    }
    let network = folder.join(&compiled.file);
    let bytes = fs::read(&network).map_err(|error| spoilt(&network, error.to_string()))?;
    let got = Sha256::of(&bytes);
    if got != compiled.sha256 {
        let message = format!("has the hash {got}; {COMPILED} says {}", compiled.sha256);
        return Err(spoilt(&network, message).into());
    }
    Ok(Some(match execution.provider {
        Provider::OpenVino => Found::Cache(folder),
        Provider::Cpu | Provider::Cuda | Provider::TensorRt => Found::Graph(bytes),
    }))
}

impl Compiled {
    fn from_text(text: &str) -> Result<Self, String> {
        let compiled: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if compiled.schema != SCHEMA {
            return Err(format!("`schema` {} is not known; {SCHEMA} is", compiled.schema));
        }
        if Path::new(&compiled.file).file_name() != Some(compiled.file.as_ref()) {
            return Err(format!("`file` {:?} is no plain name", compiled.file));
        }
        Ok(compiled)
    }
}

/// Compiles the network of `bundle` for `execution` into `folder`, proves what was made with the
/// golden samples, and puts it in the place of what was there before. `told` hears of each step.
///
/// A reader finds what was there before or what is there now, at any moment.
///
/// # Errors
/// When the provider is not there or does not work, what it made is not proven, or the disk
/// refuses; what was there before stays.
pub fn compile(
    bundle: &Bundle,
    runtime: &Runtime,
    execution: &Execution,
    folder: &Path,
    told: &mut dyn FnMut(Step),
) -> Result<Made, BundleError> {
    check_built_in(runtime, execution.provider)?;
    fs::create_dir_all(folder).map_err(|error| disk(folder, &error))?;
    let making = folder.join(format!(".{}.part", std::process::id()));
    fs::create_dir_all(&making).map_err(|error| disk(&making, &error))?;
    let made = make(bundle, runtime, execution, &making, told).and_then(|(compiled, runs_on)| {
        told(Step::Keeping);
        let bytes = keep(&making, folder, &compiled)?;
        Ok(Made { folder: folder.to_owned(), compiled, bytes, runs_on })
    });
    // Nothing of use is left in it, whatever happened.
    let _ = fs::remove_dir_all(&making);
    made
}

/// Fills the folder `making`, and arms the bundle from it.
fn make(
    bundle: &Bundle,
    runtime: &Runtime,
    execution: &Execution,
    making: &Path,
    told: &mut dyn FnMut(Step),
) -> Result<(Compiled, RunsOn), BundleError> {
    told(Step::Building);
    let (file, bytes) = build(bundle, runtime, execution, making)?;
    let sha256 = Sha256::of(&bytes);
    let compiled = Compiled { schema: SCHEMA, file, sha256, key: key(bundle, runtime, execution) };
    let text = toml::to_string(&compiled)
        .map_err(|error| disk(&making.join(COMPILED), &std::io::Error::other(error)))?;
    write(&making.join(COMPILED), text.as_bytes())?;
    told(Step::Proving);
    let made = Execution {
        compiled: Some(making.to_string_lossy().into_owned()),
        when_missing: domain::WhenMissing::Refuse,
        ..execution.clone()
    };
    // What is made here and now needs no signature yet: it is what is to be signed.
    let model = bundle.without_trust().arm_on(runtime, &made)?;
    Ok((compiled, model.runs_on().clone()))
}

/// Has the provider make of the network what it runs; gives the name and bytes of the file that is
/// in the folder `making` then.
fn build(
    bundle: &Bundle,
    runtime: &Runtime,
    execution: &Execution,
    making: &Path,
) -> Result<(String, Vec<u8>), BundleError> {
    let provider = execution.provider;
    let graph = graph_from_parts(&bundle.parts);
    let saved = making.join("model.onnx");
    let (save, cache) = match provider {
        Provider::OpenVino => (None, Some(making)),
        Provider::Cpu | Provider::Cuda | Provider::TensorRt => (Some(&*saved), None),
    };
    let opening = Opening { save, cache, ..Opening::plain(execution) };
    Session::open(runtime, &graph, &opening).map_err(|Complaint(message)| match provider {
        Provider::Cpu => BundleError::NotOnnx { file: bundle.parts.onnx_file.clone(), message },
        provider => does_not_work(provider, runtime, message).into(),
    })?;
    let nothing = |message: String| {
        let message = format!("it left nothing compiled: {message}");
        BundleError::from(does_not_work(provider, runtime, message))
    };
    if provider == Provider::OpenVino {
        let name = only_blob(making).map_err(nothing)?;
        let bytes = fs::read(making.join(&name)).map_err(|error| nothing(error.to_string()))?;
        return Ok((name, bytes));
    }
    let bytes = fs::read(&saved).map_err(|error| nothing(error.to_string()))?;
    let name = format!("model-{}.onnx", Sha256::of(&bytes).short());
    write(&making.join(&name), &bytes)?;
    Ok((name, bytes))
}

/// The name of the only `.blob` in `folder`: OpenVINO finds it by its name, so that it stays.
fn only_blob(folder: &Path) -> Result<String, String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let blobs: Vec<String> = names.filter(|name| name.ends_with(".blob")).collect();
    match blobs.as_slice() {
        [blob] => Ok(blob.clone()),
        blobs => Err(format!("{} blobs where one was expected", blobs.len())),
    }
}

/// Moves what was made into `folder`: the network first, under a name of its own, then the file
/// that names it; then what nobody names any more goes.
fn keep(making: &Path, folder: &Path, compiled: &Compiled) -> Result<u64, BundleError> {
    let network = folder.join(&compiled.file);
    let moved = |name: &str| {
        let to = folder.join(name);
        fs::rename(making.join(name), &to).map_err(|error| disk(&to, &error))
    };
    moved(&compiled.file)?;
    moved(COMPILED)?;
    File::open(folder).and_then(|it| it.sync_all()).map_err(|error| disk(folder, &error))?;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        let is_older = name.starts_with("model-") || name.ends_with(".blob");
        if is_older && path != network {
            // It is only in the way.
            let _ = fs::remove_file(path);
        }
    }
    // A signature of what was there before says nothing of this.
    let _ = fs::remove_file(folder.join(format!("{COMPILED}.minisig")));
    // How fast each kernel was is of use to the next build.
    for entry in fs::read_dir(making).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|it| it == "timing") {
            let _ = fs::rename(entry.path(), folder.join(entry.file_name()));
        }
    }
    Ok(fs::metadata(&network).map_err(|error| disk(&network, &error))?.len())
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), CompiledError> {
    let written = File::create(file).and_then(|mut to| {
        to.write_all(bytes)?;
        to.sync_all()
    });
    written.map_err(|error| disk(file, &error))
}

fn disk(file: &Path, error: &std::io::Error) -> CompiledError {
    CompiledError::Disk { file: file.to_owned(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> BTreeMap<String, String> {
        let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
        pairs.map(|(what, word)| (what.to_owned(), word.to_owned())).collect()
    }

    #[test]
    fn every_word_of_the_key_counts() {
        let now = words("cpu=a driver=1 fp16=true");
        assert!(differences(&now, &now).is_empty());
        let told = |then: &str| {
            let differs = differences(&words(then), &now);
            differs.iter().map(|it| it.what.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told("cpu=a driver=2 fp16=true"), "driver");
        assert_eq!(told("cpu=b driver=1"), "cpu fp16");
        assert_eq!(told("cpu=a driver=1 fp16=true gpus=x"), "gpus");
    }

    #[test]
    fn only_a_plain_name_beside_it_is_loaded() {
        let text = |file: &str| {
            let sha256 = Sha256::of(b"");
            format!("schema = 1\nfile = {file:?}\nsha256 = \"{sha256}\"\n[key]\nprovider = \"cpu\"")
        };
        Compiled::from_text(&text("model-1.onnx")).unwrap();
        for file in ["../model.onnx", "/etc/x", "a/b", "", ".."] {
            let message = Compiled::from_text(&text(file)).unwrap_err();
            assert!(message.contains("plain name"), "{message}");
        }
        let newer = text("m").replace("schema = 1", "schema = 2");
        assert!(Compiled::from_text(&newer).unwrap_err().contains("schema"));
        assert!(Compiled::from_text("schema = 1").unwrap_err().contains("file"));
    }
}
