//! On what a model runs: never on the CPU in another provider's place unless the recipe says so,
//! and then it is told. Each test holds with any build of ONNX Runtime.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that stops has failed")]

#[expect(dead_code, reason = "fixtures of several tests")]
mod bundles;

use std::fs;
use std::path::Path;

use bundles::{Copy, data, runtime};
use domain::{Execution, Provider, WhenMissing};
use sightline_models::compiled::{COMPILED, usual_folder};
use sightline_models::onnx::proto::{ModelProto, Side, TypeValue};
use sightline_models::onnx::{bytes_from_model, model_from_bytes};
use sightline_models::{Bundle, BundleError, CompiledError, ExecutionError, Step, Trust, compile};

/// A provider that needs a GPU, which the library here lacks; none where it has both.
fn missing() -> Option<Provider> {
    let has = runtime().providers();
    assert!(has.contains(&Provider::Cpu), "every library has the CPU: {has:?}");
    [Provider::Cuda, Provider::OpenVino].into_iter().find(|provider| !has.contains(provider))
}

fn on(provider: Provider) -> Execution {
    Execution { provider, ..Execution::default() }
}

fn bundle() -> Bundle {
    Bundle::load(&data().join("segmenter")).unwrap()
}

#[test]
fn a_provider_that_the_library_lacks_is_refused_and_never_replaced_in_silence() {
    let Some(wanted) = missing() else { return };
    let error = bundle().arm_on(&runtime(), &on(wanted)).unwrap_err();
    let text = error.to_string();
    let BundleError::Execution(ExecutionError::NotBuiltIn { library, has, .. }) = error else {
        panic!("{text}");
    };
    assert_eq!((library.as_path(), has), (runtime().library(), runtime().providers()));
    for part in [library.to_str().unwrap(), wanted.name(), "has: cpu", "when_missing = \"cpu\""] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn the_cpu_takes_over_where_the_recipe_allows_it_and_says_so() {
    let Some(wanted) = missing() else { return };
    let execution = Execution { when_missing: WhenMissing::Cpu, threads: 2, ..on(wanted) };
    let model = bundle().arm_on(&runtime(), &execution).unwrap();
    let runs_on = model.runs_on().clone();
    assert_eq!((runs_on.provider, runs_on.wanted), (Provider::Cpu, wanted));
    let shortfall = runs_on.shortfall.as_deref().unwrap();
    assert!(shortfall.contains(wanted.name()), "{shortfall}");
    // The next thread's model knows it too.
    assert_eq!(*model.another().unwrap().runs_on(), runs_on);
}

#[test]
fn what_the_cpu_was_asked_for_is_no_shortfall() {
    let model = bundle().arm(&runtime()).unwrap();
    assert_eq!(model.runs_on().shortfall, None);
    assert_eq!(model.runs_on().to_string(), "cpu");
    for execution in [
        Execution { threads: 2, warm_up_runs: 0, ..Execution::default() },
        Execution { arena: false, memory_pattern: false, ..Execution::default() },
    ] {
        bundle().arm_on(&runtime(), &execution).unwrap();
    }
}

#[test]
fn tensorrt_is_refused_without_an_engine_and_the_command_is_told() {
    let error = bundle().arm_on(&runtime(), &on(Provider::TensorRt)).unwrap_err();
    let text = error.to_string();
    if runtime().providers().contains(&Provider::TensorRt) {
        assert!(text.contains("sightline model compile"), "{text}");
        assert!(text.contains("--provider tensorrt"), "{text}");
    } else {
        assert!(
            matches!(error, BundleError::Execution(ExecutionError::NotBuiltIn { .. })),
            "{text}"
        );
    }
}

fn with_graph(change: impl FnOnce(&mut ModelProto)) -> Copy {
    let copy = Copy::of("segmenter");
    let mut model = model_from_bytes(&fs::read(copy.path().join("model.onnx")).unwrap()).unwrap();
    change(&mut model);
    copy.replace("model.onnx", &bytes_from_model(&model));
    copy
}

#[test]
fn a_graph_with_open_sides_is_armed_with_those_of_the_manifest() {
    let copy = with_graph(|model| {
        let graph = model.graph.as_mut().unwrap();
        for port in graph.input.iter_mut().chain(&mut graph.output) {
            let value = port.r#type.as_mut().unwrap().value.as_mut();
            let Some(TypeValue::Tensor(tensor)) = value else { panic!("no tensor") };
            tensor.shape.as_mut().unwrap().dim[0].value = Some(Side::Param("batch".into()));
        }
    });
    Bundle::load(copy.path()).unwrap().arm(&runtime()).unwrap();
}

/// Compiles a copy of the segmenter for the CPU into its usual folder.
fn compiled(copy: &Copy) -> (Bundle, Execution) {
    compiled_for(copy, Provider::Cpu)
}

fn compiled_for(copy: &Copy, provider: Provider) -> (Bundle, Execution) {
    let bundle = Bundle::load(copy.path()).unwrap();
    let folder = usual_folder(&bundle, provider);
    let mut steps = Vec::new();
    let told = &mut |step| steps.push(step);
    let made = compile(&bundle, &runtime(), &on(provider), &folder, told).unwrap();
    assert_eq!(steps, [Step::Building, Step::Proving, Step::Keeping]);
    assert!(made.bytes > 0 && made.runs_on.is_compiled);
    let compiled = Some(folder.to_str().unwrap().to_owned());
    (bundle, Execution { compiled, ..on(provider) })
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_was_compiled_is_run_and_proven_anew() {
    let has = runtime().providers();
    let both = [Provider::Cpu, Provider::OpenVino];
    both.into_iter().filter(|it| has.contains(it)).for_each(is_run_and_proven_anew);
}

fn is_run_and_proven_anew(provider: Provider) {
    let copy = Copy::of("segmenter");
    let (bundle, execution) = compiled_for(&copy, provider);
    let folder = usual_folder(&bundle, provider);
    let there = names(&folder);
    assert_eq!(there.len(), 2, "the network and what it is for, nothing half made: {there:?}");
    let model = bundle.arm_on(&runtime(), &execution).unwrap();
    assert!(model.runs_on().is_compiled && model.another().unwrap().runs_on().is_compiled);
    assert_eq!(names(&folder), there, "nothing is built where something fits");
    // Again, over what is there.
    compiled_for(&copy, provider);
    assert_eq!(names(&folder), there);
    // The golden samples are held against what was compiled, too.
    copy.edit("[0.920129, 0.039935, 0.039935]", "[0.920129, 0.039935, 0.5]");
    let changed = Bundle::load(copy.path()).unwrap();
    let error = changed.arm_on(&runtime(), &execution).unwrap_err();
    assert!(matches!(error, BundleError::GoldenMissed { .. }), "{error}");
}

#[test]
fn what_was_compiled_for_something_else_is_refused_and_the_command_told() {
    let copy = Copy::of("segmenter");
    let (bundle, execution) = compiled(&copy);
    let file = usual_folder(&bundle, Provider::Cpu).join(COMPILED);
    let text = fs::read_to_string(&file).unwrap();
    let info = runtime().build_info();
    fs::write(&file, text.replace(info, "an older one")).unwrap();
    let error = bundle.arm_on(&runtime(), &execution).unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, BundleError::Compiled(CompiledError::Stale { .. })), "{told}");
    for part in ["`onnxruntime` was \"an older one\"", "model compile", "--provider cpu"] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    // The CPU as the bundle has it may take over where the recipe allows it.
    let execution = Execution { when_missing: WhenMissing::Cpu, ..execution };
    let model = bundle.arm_on(&runtime(), &execution).unwrap();
    assert!(model.runs_on().shortfall.is_some() && !model.runs_on().is_compiled);
}

#[test]
fn a_compiled_network_of_another_bundle_is_refused() {
    let (segmenter, classifier) = (Copy::of("segmenter"), Copy::of("classifier"));
    let (_, execution) = compiled(&segmenter);
    let other = Bundle::load(classifier.path()).unwrap();
    let error = other.arm_on(&runtime(), &execution).unwrap_err().to_string();
    assert!(error.contains("`network` was"), "{error}");
}

#[test]
fn a_compiled_network_that_was_tampered_with_is_refused_whatever_the_recipe_allows() {
    let copy = Copy::of("segmenter");
    let (bundle, execution) = compiled(&copy);
    let execution = Execution { when_missing: WhenMissing::Cpu, ..execution };
    let folder = usual_folder(&bundle, Provider::Cpu);
    let network = folder.join(names(&folder).iter().find(|name| name.ends_with("onnx")).unwrap());
    let mut bytes = fs::read(&network).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&network, bytes).unwrap();
    for words in ["has the hash", "No such file", "missing field"] {
        let error = bundle.arm_on(&runtime(), &execution).unwrap_err();
        let told = error.to_string();
        assert!(matches!(error, BundleError::Compiled(CompiledError::Spoilt { .. })), "{told}");
        assert!(told.contains(words), "{words} is missing in {told}");
        match words {
            "has the hash" => fs::remove_file(&network).unwrap(),
            _ => fs::write(folder.join(COMPILED), "schema = 1").unwrap(),
        }
    }
}

#[test]
fn nothing_compiled_is_told_with_the_command() {
    let copy = Copy::of("classifier");
    let bundle = Bundle::load(copy.path()).unwrap();
    let folder = copy.path().join("elsewhere");
    let compiled = Some(folder.to_str().unwrap().to_owned());
    let execution = Execution { compiled, ..Execution::default() };
    let error = bundle.arm_on(&runtime(), &execution).unwrap_err();
    assert!(matches!(error, BundleError::Compiled(CompiledError::NotThere { .. })), "{error}");
    assert!(error.to_string().contains("--out"), "{error}");
}

#[test]
fn what_can_not_be_compiled_leaves_what_was_there() {
    let copy = Copy::of("segmenter");
    compiled(&copy);
    copy.edit("[0.920129, 0.039935, 0.039935]", "[0.920129, 0.039935, 0.5]");
    let bundle = Bundle::load(copy.path()).unwrap();
    let folder = usual_folder(&bundle, Provider::Cpu);
    let there = names(&folder);
    let error = compile(&bundle, &runtime(), &Execution::default(), &folder, &mut |_| {});
    assert!(matches!(error, Err(BundleError::GoldenMissed { .. })), "it is not proven");
    assert_eq!(names(&folder), there);
    let Some(provider) = missing() else { return };
    let error = compile(&bundle, &runtime(), &on(provider), &folder, &mut |_| {}).unwrap_err();
    assert!(matches!(error, BundleError::Execution(_)), "{error}");
}

#[test]
fn a_signed_bundle_needs_signed_compiled_networks() {
    let copy = Copy::of("segmenter");
    let pair = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let trust = Trust::from_keys(true, &[pair.pk.to_base64()]).unwrap();
    let sign = |file: &Path| {
        let bytes = std::io::Cursor::new(fs::read(file).unwrap());
        let signature = minisign::sign(Some(&pair.pk), &pair.sk, bytes, None, None).unwrap();
        fs::write(format!("{}.minisig", file.display()), signature.into_string()).unwrap();
    };
    let error = Bundle::load_trusted(copy.path(), &trust).unwrap_err();
    assert!(error.to_string().contains("is not signed"), "{error}");
    sign(&copy.path().join("model.toml"));
    let bundle = Bundle::load_trusted(copy.path(), &trust).unwrap();
    let (_, execution) = compiled(&copy);
    let error = bundle.arm_on(&runtime(), &execution).unwrap_err();
    assert!(matches!(error, BundleError::Compiled(CompiledError::Signature(_))), "{error}");
    sign(&usual_folder(&bundle, Provider::Cpu).join(COMPILED));
    bundle.arm_on(&runtime(), &execution).unwrap();
    // What is compiled anew is to be signed anew.
    compiled(&copy);
    assert!(bundle.arm_on(&runtime(), &execution).is_err());
    // A bundle that was edited is refused, in whichever of its files.
    copy.edit("licence = ", "licence  = ");
    let error = Bundle::load_trusted(copy.path(), &trust).unwrap_err();
    assert!(error.to_string().contains("not what was signed"), "{error}");
    copy.edit("licence  = ", "licence = ");
    fs::write(copy.path().join("golden/01.png"), b"x").unwrap();
    let error = Bundle::load_trusted(copy.path(), &trust).unwrap_err();
    assert!(matches!(error, BundleError::HashMismatch { .. }), "{error}");
}
