//! `sightline model compile`: takes a bundle and a provider, leaves the network as that provider
//! runs it on this machine, so that the line never waits for it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use domain::{Execution, Provider};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use models::compiled::usual_folder;
use models::{Bundle, Made, Runtime, Step, compile};
use pipeline::clock::{Clock, RealClock};
use serde_json::json;

use crate::Ended;
use crate::modes::{say, say_json};

/// How often the time that passes is drawn anew.
const DRAW: Duration = Duration::from_millis(200);

/// Prepare a bundle for an execution provider ahead of time.
///
/// Leaves the compiled network and a key (network, ONNX Runtime, provider, device, driver,
/// precision) in a folder; a recipe whose `execution.compiled` names it uses it while the key fits.
/// With TensorRT this builds the engine, which takes minutes; a line never does.
#[derive(clap::Args)]
pub struct Args {
    /// The bundle's folder, the one that holds model.toml.
    bundle: PathBuf,
    /// For what: cpu, cuda, tensorrt, openvino.
    #[arg(long, default_value = "cpu", value_parser = super::parse_provider)]
    provider: Provider,
    /// Number of the GPU (cuda, tensorrt), or OpenVINO's name of a device.
    #[arg(long)]
    device: Option<String>,
    /// Compute with 16-bit floats where that is faster (tensorrt, openvino).
    #[arg(long)]
    fp16: bool,
    /// Compute with 8-bit integers what the network was quantised for (tensorrt).
    #[arg(long)]
    int8: bool,
    /// Threads that compute one picture (openvino).
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// The folder; `compiled/<provider>` in the bundle when absent.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// One JSON object on stdout, no progress bar.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let execution = Execution {
        provider: args.provider,
        device: args.device.clone(),
        fp16: args.fp16,
        int8: args.int8,
        threads: args.threads,
        ..Execution::default()
    };
    execution.check()?;
    let bundle = Bundle::load(&args.bundle)?;
    let runtime = Runtime::open()?;
    let folder = args.out.clone().unwrap_or_else(|| usual_folder(&bundle, args.provider));
    let clock = RealClock::start();
    let bar = bar(args.json);
    let made = compile(&bundle, &runtime, &execution, &folder, &mut |step| show(&bar, step));
    bar.finish_and_clear();
    let made = made?;
    let took_s = clock.now().since(domain::MonoTime::ZERO).as_secs_f64();
    tell(args, &bundle, &made, took_s)?;
    Ok(Ended::Done)
}

fn bar(quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(3), target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:20} {msg}  {elapsed}") {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    }
    if !quiet {
        // The provider does not tell how far it is: the time goes on.
        bar.enable_steady_tick(DRAW);
    }
    bar
}

fn show(bar: &ProgressBar, step: Step) {
    let (done, words) = match step {
        Step::Building => (0, "the provider builds what it runs (TensorRT: minutes)"),
        Step::Proving => (1, "the golden samples are tried on it"),
        Step::Keeping => (2, "it is put in its place"),
    };
    bar.set_position(done);
    bar.set_message(words);
}

fn tell(args: &Args, bundle: &Bundle, made: &Made, took_s: f64) -> Result<()> {
    let (name, folder) = (&bundle.manifest().name, made.folder.display());
    if args.json {
        return say_json(&json!({
            "name": name, "hash": bundle.hash(), "provider": args.provider,
            "folder": made.folder, "file": made.compiled.file, "bytes": made.bytes,
            "sha256": made.compiled.sha256, "key": made.compiled.key, "seconds": took_s,
            "nodes": made.runs_on.nodes.map(|(taken, left)| json!({"taken": taken, "cpu": left})),
        }));
    }
    // A recipe takes paths from where it lies itself.
    let absolute = made.folder.canonicalize()?;
    say(&format!(
        "{name}: compiled for {}, {} kB, {took_s:.1} s; golden samples reproduced\n\
         {folder}\nIn a recipe: [execution] provider = \"{}\", compiled = \"{}\"",
        made.runs_on,
        made.bytes / 1000,
        args.provider,
        absolute.display(),
    ))
}
