//! The line while it is filmed and clips are made of it, and while it is not, in turns: what the
//! slow work beside it costs its verdicts. Takes a subject; gives rows and values.

#[path = "../clips/setup.rs"]
mod setup;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use domain::CameraId;
use pipeline::clock::Clock;
use pipeline::limits::REEL_WAITING;
use pipeline::link::{WhenFull, link};
use pipeline::record::clip;
use pipeline::record::film::{FilmConfig, FilmSetup};
use pipeline::stage::Counters;
use serde_json::json;
use sightline_benches::Failure;
use sightline_benches::report::Report;
use sightline_benches::spread::median;
use store::{RunId, Store};

use crate::run::{Run, run};
use crate::sections::Subject;
use crate::wishes::Wishes;
use setup::setup;

/// The threads that make clips, one a camera.
pub type Makers = Vec<JoinHandle<()>>;

/// What films `cameras`, and the threads that make clips of it.
pub fn studio(
    store: &Store,
    of: RunId,
    cameras: &[CameraId],
    counters: &Arc<Counters>,
    clock: &Arc<dyn Clock>,
) -> Result<(FilmSetup, Makers), Failure> {
    let config = FilmConfig::default();
    let (mut reels, mut makers) = (BTreeMap::new(), Makers::new());
    for camera in cameras {
        let (to_clip, reel) = link(REEL_WAITING, WhenFull::Wait);
        let (clips, setup) = (store.clips()?, setup(camera, config.fps));
        let (counters, clock) = (Arc::clone(counters), Arc::clone(clock));
        let make = move || clip::run(&reel, clips, of, setup, &counters, &*clock);
        makers.push(Builder::new().name(format!("clip-{camera}")).spawn(make)?);
        reels.insert(camera.clone(), to_clip);
    }
    Ok((FilmSetup { config, reels }, makers))
}

/// Runs the line filmed and not filmed, who is first changing each time.
pub fn against_unfilmed(
    subject: &Subject<'_>,
    wishes: &Wishes,
    report: &mut Report,
) -> Result<(), Failure> {
    report.table("filmed");
    let mut runs = [Vec::new(), Vec::new()];
    for number in 0..wishes.runs {
        for turn in 0..2 {
            let filmed = (number + turn) % 2 == 0;
            let work = subject.work(wishes.seconds, true);
            let run = run(&crate::run::Work { filmed, ..work })?;
            row(report, filmed, &run);
            runs[usize::from(filmed)].push(run);
        }
    }
    let [without, with] = &runs;
    let p99 = |runs: &[Run]| median(runs.iter().map(|run| run.decision_ms.p99()));
    let max = |runs: &[Run]| median(runs.iter().map(|run| run.decision_ms.at(1.0)));
    report.value(
        "filmed",
        json!({
            "decision_p99_ms": p99(with),
            "unfilmed_decision_p99_ms": p99(without),
            "ratio_p99": p99(with) / p99(without),
            "decision_max_ms": max(with),
            "unfilmed_decision_max_ms": max(without),
        }),
    );
    Ok(())
}

fn row(report: &mut Report, filmed: bool, run: &Run) {
    let cpu = |name: &str| {
        let of = run.threads.iter().filter(|(thread, _)| thread.starts_with(name));
        100.0 * of.map(|(_, used)| used.cpu_s).sum::<f64>() / run.seconds
    };
    let clips = run.clips;
    report.row(vec![
        ("filmed", json!(filmed)),
        ("parts", json!(run.parts)),
        ("of", json!(run.parts_expected)),
        ("dropped", json!(run.frames_dropped)),
        ("misses", json!(run.deadline_misses)),
        ("p50_ms", json!(run.decision_ms.p50())),
        ("p99_ms", json!(run.decision_ms.p99())),
        ("max_ms", json!(run.decision_ms.at(1.0))),
        ("clips", json!(clips.made)),
        ("pictures", json!(clips.pictures_made)),
        ("missing", json!(clips.pictures_missing + clips.pictures_dropped)),
        ("clip_mib", json!(clips.bytes_made / (1 << 20))),
        ("film_cpu_percent", json!(cpu("film"))),
        ("clip_cpu_percent", json!(cpu("clip"))),
        ("cpu_percent", json!(run.line_cpu_percent())),
        ("rss_mib", json!(run.rss_peak_mib)),
    ]);
}
