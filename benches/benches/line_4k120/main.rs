//! The whole line at 3840 x 2160 and 120 frames a second: how long from exposure to the gate's
//! signal, with its tail and the deadlines missed, and what it costs.
//!
//! Frames come from a pool by the clock, as from a camera's DMA ([`belt`]); they are simulated, so
//! the truth is known, and each round must give as many parts as there are, with the same verdicts.
//! In the same run, in turns with the line: the bare model on the same parts, the line with a model
//! that does nothing, a peer in Python, and the line while clips are made of it. Last, what the
//! line costs as its work grows.
//!
//! `cargo bench -p sightline-benches --bench line_4k120 -- --seconds 60 --runs 3 --only a,c,f`

mod bare;
mod belt;
mod cost;
mod filmed;
mod nothing;
mod peer;
mod plot;
mod run;
mod sections;
mod threads;
mod wishes;

use std::process::ExitCode;

use domain::PixelFormat;
use models::Runtime;
use serde_json::{Value, json};
use sightline_benches::report::Report;
use sightline_benches::subject::{CAMERAS, model};
use sightline_benches::{Failure, bench, folder_of_reports};

use belt::{Film, scene};
use plot::Picture;
use sections::Subject;
use wishes::Wishes;

fn measure(report: &mut Report) -> Result<(), Failure> {
    let wishes = Wishes::from_args(std::env::args().skip(1))?;
    let camera = &CAMERAS[1];
    let (recipe, model) = (camera.recipe()?, model("simulated-parts")?);
    let mut picture = Picture::new(recipe.as_written().gate.budget_ms);
    report.table("line");
    say_what(report, &wishes, &model.hash().to_string());

    let wants = |section| wishes.wants(section);
    if wants('a') {
        // Not held while the others run, so that memory is told of one pool at a time.
        let film = Film::shoot(&scene(camera, PixelFormat::Nv12))?;
        let subject = Subject { camera, recipe: &recipe, model: &model, film: &film };
        let line = sections::line(&subject, &wishes)?;
        line.rows(report);
        line.curves(&mut picture);
    }
    let film = Film::shoot(&scene(camera, PixelFormat::Gray8))?;
    let subject = Subject { camera, recipe: &recipe, model: &model, film: &film };
    if wants('a') || wants('c') {
        let line = sections::line(&subject, &wishes)?;
        line.rows(report);
        line.curves(&mut picture);
        line.values(report);
        line.threads(report);
        line.ways(report);
    }
    if wants('b') {
        sections::without_model(&subject, &wishes, report, &mut picture)?;
    }
    if wants('d') {
        sections::against_peer(&subject, &wishes, report, &mut picture)?;
    }
    if wants('f') {
        filmed::against_unfilmed(&subject, &wishes, report)?;
    }
    if wants('e') {
        cost::against_work(&subject, &wishes, report, &mut picture)?;
    }
    let drawn = folder_of_reports(env!("CARGO_TARGET_TMPDIR")).join("line_4k120.svg");
    picture.draw(&drawn)?;
    report.note(drawn.display().to_string());
    Ok(())
}

fn say_what(report: &mut Report, wishes: &Wishes, model: &str) {
    let runtime = Runtime::open().map_or("", |runtime| runtime.build_info());
    report.value("seconds", json!(wishes.seconds));
    report.value("runs", json!(wishes.runs));
    report.value("model", json!(model));
    report.value("onnx_runtime", json!(runtime));
    report.value("kernel", json!(text_of("/proc/sys/kernel/osrelease")));
    report.note(format!("model simulated-parts {model}; {runtime}"));
}

fn text_of(file: &str) -> Value {
    std::fs::read_to_string(file).map(|text| json!(text.trim())).unwrap_or_default()
}

fn main() -> ExitCode {
    bench("line_4k120", env!("CARGO_TARGET_TMPDIR"), measure)
}
