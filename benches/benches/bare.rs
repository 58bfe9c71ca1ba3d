//! What we add to ONNX Runtime: the zoo's networks through `Model::run` (feeding, running, reading
//! the answer into a finding), each run beside the bare call on the same tensor. One thread; wall
//! time; in turns, who is first changing each time, so that both meet the same noise. The goal is a
//! ratio of 1.15 at most.

use std::fs;
use std::process::ExitCode;

use domain::Pixels;
use models::{Bare, Runtime, Shaper};
use pipeline::clock::{Clock, RealClock};
use serde_json::json;
use sightline_benches::report::Report;
use sightline_benches::spread::Spread;
use sightline_benches::subject::{model, zoo};
use sightline_benches::{Failure, bench};

const RUNS: u32 = 200;
const WARM_UP_RUNS: u32 = 10;

fn measure(report: &mut Report) -> Result<(), Failure> {
    let mut names: Vec<_> = fs::read_dir(zoo())?.filter_map(Result::ok).collect();
    names.sort_by_key(fs::DirEntry::file_name);
    for name in names.iter().filter(|entry| entry.path().is_dir()) {
        measure_one(report, &name.file_name().to_string_lossy())?;
    }
    report.note("ratio: p50 of Model::run by p50 of the bare call; the goal is 1.15 at most");
    report.note(format!("ONNX Runtime: {}", Runtime::open()?.build_info()));
    Ok(())
}

fn measure_one(report: &mut Report, name: &str) -> Result<(), Failure> {
    let clock = RealClock::start();
    let mut model = model(name)?;
    let mut bare = Bare::of(&model)?;
    let bundle = model.bundle().clone();
    let picture = bundle.pictures().first().ok_or("no golden sample")?;
    let (mut tensor, crop) = (model.input().tensor(), picture.size().rect());
    Shaper::new(model.input().clone()).prepare(picture, crop, &mut tensor)?;
    let mut times = [const { Vec::new() }; 3];
    for turn in 0..WARM_UP_RUNS + RUNS {
        let mut took = [0.0; 3];
        for step in 0..3 {
            let who = (turn as usize + step) % 3;
            let start = clock.now();
            match who {
                0 => drop(model.run(&tensor, 0, crop)?),
                1 => bare.run(&tensor)?,
                _ => model.compute(&tensor)?,
            }
            took[who] = clock.now().since(start).as_secs_f64() * 1e3;
        }
        if turn >= WARM_UP_RUNS {
            times.iter_mut().zip(took).for_each(|(times, ms)| times.push(ms));
        }
    }
    let [ours, theirs, unread] = times.map(Spread::from);
    report.row(vec![
        ("model", json!(name)),
        ("kind", json!(bundle.manifest().kind)),
        ("input", json!(model.input().size().to_string())),
        ("p50_ms", json!(ours.p50())),
        ("p99_ms", json!(ours.p99())),
        ("bare_p50_ms", json!(theirs.p50())),
        ("bare_p99_ms", json!(theirs.p99())),
        ("ratio", json!(ours.p50() / theirs.p50())),
        ("unread_ratio", json!(unread.p50() / theirs.p50())),
    ]);
    Ok(())
}

fn main() -> ExitCode {
    bench("bare", env!("CARGO_TARGET_TMPDIR"), measure)
}
