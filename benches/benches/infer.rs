//! How long the zoo's networks take for one view: `Model::run` alone, which is ONNX Runtime and
//! reading its answer. One thread, as every inspecting thread has a session of its own; wall time.

use std::fs;
use std::process::ExitCode;

use domain::PixelFormat;
use models::{Runtime, Shaper};
use pipeline::clock::{Clock, RealClock};
use pipeline::stage::Timing;
use serde_json::json;
use sightline_benches::report::Report;
use sightline_benches::subject::{CAMERAS, model, zoo};
use sightline_benches::{Failure, bench};

const RUNS: u32 = 200;

fn measure(report: &mut Report) -> Result<(), Failure> {
    let clock = RealClock::start();
    let frame = &CAMERAS[0].frames(PixelFormat::Gray8)?[0];
    let crop = frame.size().rect();
    let mut names: Vec<_> = fs::read_dir(zoo())?.filter_map(Result::ok).collect();
    names.sort_by_key(fs::DirEntry::file_name);
    for name in names.iter().filter(|entry| entry.path().is_dir()) {
        let name = name.file_name().to_string_lossy().into_owned();
        // Arming runs the golden samples, so the first run that counts is a warm one.
        let mut model = model(&name)?;
        let mut tensor = model.input().tensor();
        Shaper::new(model.input().clone()).prepare(&**frame, crop, &mut tensor)?;
        let timing = Timing::default();
        for _ in 0..RUNS {
            let start = clock.now();
            model.run(&tensor, 0, crop)?;
            timing.add(clock.now().since(start));
        }
        let tail = timing.tail().ok_or("nothing was measured")?;
        report.row(vec![
            ("model", json!(name)),
            ("input", json!(model.input().size().to_string())),
            ("runs", json!(tail.count)),
            ("p50_ms", json!(tail.p50)),
            ("p99_ms", json!(tail.p99)),
            ("per_s", json!(1e3 / tail.p50)),
        ]);
    }
    report.note(format!("ONNX Runtime: {}", Runtime::open()?.build_info()));
    Ok(())
}

fn main() -> ExitCode {
    bench("infer", env!("CARGO_TARGET_TMPDIR"), measure)
}
