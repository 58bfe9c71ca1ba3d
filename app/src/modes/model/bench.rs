//! `sightline model bench`: takes bundles, gives how fast they are here by provider and threads,
//! each beside the bare ONNX Runtime call on the same tensor.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};
use domain::{Execution, Pixels, Provider, RectPx, Tensor};
use models::{Bare, Bundle, Model, Precision, Runtime, Shaper};
use pipeline::clock::{Clock, RealClock};
use pipeline::stage::Timing;
use serde::Serialize;
use serde_json::json;

use crate::Ended;
use crate::modes::{say, say_json};

/// How fast bundles are on this machine, by execution provider and threads.
///
/// Each model looks at its first golden sample. Every run is followed by the bare ONNX Runtime
/// call on the same tensor, so that both meet the same noise: `ratio` is what we add, reading the
/// answer included. Memory is what the process grew by.
#[derive(clap::Args)]
pub struct Args {
    /// Folders of bundles: give the same model in several precisions to compare them.
    #[arg(required = true)]
    bundles: Vec<PathBuf>,
    /// Providers to try; those that can't be had are listed with the reason. All when absent.
    #[arg(long, value_delimiter = ',', value_parser = super::parse_provider)]
    providers: Vec<Provider>,
    /// Numbers of threads that compute one picture.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<u32>,
    /// Runs of each.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// One bundle on one provider with so many threads.
#[derive(Serialize)]
struct Row {
    bundle: String,
    precision: Precision,
    provider: Provider,
    threads: u32,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Measured(Measured),
    Unavailable(String),
}

/// Milliseconds and MiB.
#[derive(Serialize)]
struct Measured {
    p50_ms: f64,
    p99_ms: f64,
    bare_p50_ms: f64,
    bare_p99_ms: f64,
    ratio: f64,
    arm_ms: f64,
    rss_mib: Option<f64>,
    runs_on: String,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let runtime = Runtime::open()?;
    let providers =
        if args.providers.is_empty() { &Provider::ALL[..] } else { &args.providers[..] };
    let mut rows = Vec::new();
    for path in &args.bundles {
        let bundle = Bundle::load(path)?;
        for provider in providers {
            for threads in &args.threads {
                let execution =
                    Execution { provider: *provider, threads: *threads, ..Execution::default() };
                execution.check()?;
                let row = row(&bundle, &runtime, &execution, args.runs)?;
                let is_there = matches!(row.outcome, Outcome::Measured(_));
                rows.push(row);
                if !is_there {
                    // With more threads it would not be there either.
                    break;
                }
            }
        }
    }
    if args.json {
        say_json(&json!({
            "onnxruntime": runtime.build_info(), "library": runtime.library(),
            "runs": args.runs, "rows": rows,
        }))?;
    } else {
        say(&table(&rows))?;
        say(&format!("{}: {}", runtime.library().display(), runtime.build_info()))?;
    }
    if rows.iter().all(|row| matches!(row.outcome, Outcome::Unavailable(_))) {
        bail!("none of the providers can be had here");
    }
    Ok(Ended::Done)
}

fn row(bundle: &Bundle, runtime: &Runtime, execution: &Execution, runs: u32) -> Result<Row> {
    let clock = RealClock::start();
    let rss_before = rss_mib();
    let start = clock.now();
    let outcome = match bundle.arm_on(runtime, execution) {
        Err(error) => Outcome::Unavailable(error.to_string()),
        Ok(model) => {
            let arm_ms = clock.now().since(start).as_secs_f64() * 1e3;
            let rss_mib = rss_mib().zip(rss_before).map(|(now, before)| now - before);
            let times = Contest::new(model)?.run(&clock, runs)?;
            Outcome::Measured(times.measured(arm_ms, rss_mib)?)
        }
    };
    Ok(Row {
        bundle: bundle.manifest().name.clone(),
        precision: bundle.manifest().file.precision,
        provider: execution.provider,
        threads: execution.threads,
        outcome,
    })
}

/// Our own run and the bare call, on one tensor.
struct Contest {
    model: Model,
    bare: Bare,
    tensor: Tensor,
    crop: RectPx,
    ours: Timing,
    theirs: Timing,
}

impl Contest {
    fn new(model: Model) -> Result<Self> {
        let Some(picture) = model.bundle().pictures().first() else { bail!("no golden sample") };
        let (mut tensor, crop) = (model.input().tensor(), picture.size().rect());
        Shaper::new(model.input().clone()).prepare(picture, crop, &mut tensor)?;
        let mut bare = Bare::of(&model)?;
        for _ in 0..3 {
            bare.run(&tensor).map_err(anyhow::Error::msg)?;
        }
        let (ours, theirs) = (Timing::default(), Timing::default());
        Ok(Self { model, bare, tensor, crop, ours, theirs })
    }

    /// In turns, who is first changing each time.
    fn run(mut self, clock: &RealClock, runs: u32) -> Result<Self> {
        for turn in 0..runs {
            for ours in [turn % 2 == 0, turn % 2 == 1] {
                let start = clock.now();
                if ours {
                    self.model.run(&self.tensor, 0, self.crop)?;
                } else {
                    self.bare.run(&self.tensor).map_err(anyhow::Error::msg)?;
                }
                let timing = if ours { &self.ours } else { &self.theirs };
                timing.add(clock.now().since(start));
            }
        }
        Ok(self)
    }

    fn measured(&self, arm_ms: f64, rss_mib: Option<f64>) -> Result<Measured> {
        let (Some(ours), Some(theirs)) = (self.ours.tail(), self.theirs.tail()) else {
            bail!("nothing was measured")
        };
        Ok(Measured {
            p50_ms: ours.p50,
            p99_ms: ours.p99,
            bare_p50_ms: theirs.p50,
            bare_p99_ms: theirs.p99,
            ratio: ours.p50 / theirs.p50,
            arm_ms,
            rss_mib,
            runs_on: self.model.runs_on().to_string(),
        })
    }
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<20} {:<5} {:<8} {:>7} {:>9} {:>9} {:>9} {:>6} {:>8} {:>8}",
        "bundle", "in", "on", "threads", "p50 ms", "p99 ms", "bare p50", "ratio", "arm ms", "MiB"
    );
    for Row { bundle, precision, provider, threads, outcome } in rows {
        let precision = format!("{precision:?}").to_lowercase();
        let provider = provider.name();
        let head = format!("\n{bundle:<20} {precision:<5} {provider:<8} {threads:>7} ");
        text += &head;
        // A string never refuses to be written to.
        let _ = match outcome {
            Outcome::Unavailable(reason) => write!(text, "{}", one_line(reason)),
            Outcome::Measured(it) => write!(
                text,
                "{:>9.3} {:>9.3} {:>9.3} {:>6.3} {:>8.0} {:>8}",
                it.p50_ms,
                it.p99_ms,
                it.bare_p50_ms,
                it.ratio,
                it.arm_ms,
                it.rss_mib.map_or_else(|| "-".to_owned(), |mib| format!("{mib:.1}")),
            ),
        };
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Memory of this process that is resident.
fn rss_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn what_can_be_had_is_measured_and_what_can_not_is_explained() {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data/classifier");
        let (bundle, runtime) = (Bundle::load(&fixture).unwrap(), Runtime::open().unwrap());
        let on = |provider| Execution { provider, ..Execution::default() };
        let cpu = row(&bundle, &runtime, &on(Provider::Cpu), 4).unwrap();
        let Outcome::Measured(it) = &cpu.outcome else { panic!("the CPU is everywhere") };
        assert!(it.p50_ms > 0.0 && it.p50_ms <= it.p99_ms && it.bare_p50_ms > 0.0);
        assert!(it.ratio > 0.0 && it.arm_ms > 0.0 && it.rss_mib.is_some());
        // Either the library lacks it, or nobody has built an engine for the fixture.
        let gpu = row(&bundle, &runtime, &on(Provider::TensorRt), 4).unwrap();
        let Outcome::Unavailable(reason) = &gpu.outcome else { panic!("no engine was built") };
        assert!(reason.contains("tensorrt"), "{reason}");
        let text = table(&[cpu, gpu]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[2].contains("right would be") || lines[2].contains("Right would be"));
    }
}
