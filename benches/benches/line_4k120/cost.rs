//! What the line costs as its work grows, one thing at a time. Gives a row a case.

use std::collections::BTreeMap;

use domain::PixelFormat;
use serde_json::json;
use sightline_benches::Failure;
use sightline_benches::report::Report;
use sightline_benches::spread::median;
use sightline_benches::subject::CAMERAS;
use testdata::SceneConfig;

use crate::belt::{FPS, Film, scene};
use crate::plot::{Bar, Picture};
use crate::run::{Run, Work, is_of_line, run};
use crate::sections::Subject;
use crate::wishes::Wishes;

/// Each case is measured for this share of the time.
const SHORT: f64 = 1.0 / 6.0;

/// A change to what is filmed, or to how.
struct Case {
    what: &'static str,
    camera: usize,
    change: fn(&mut SceneConfig),
    fps: f64,
    cameras: usize,
}

const BASE: Case = Case { what: "4K, 120 fps", camera: 1, change: |_| {}, fps: FPS, cameras: 1 };

/// Those that show the same film stand together, so that it is rendered once.
const CASES: [Case; 8] = [
    BASE,
    Case { what: "30 fps", fps: 30.0, ..BASE },
    Case { what: "240 fps", fps: 240.0, ..BASE },
    Case { what: "2 cameras", cameras: 2, ..BASE },
    Case { what: "4 cameras", cameras: 4, ..BASE },
    Case { what: "few parts", change: |scene| scene.parts = 1, ..BASE },
    Case { what: "many parts", change: many, ..BASE },
    Case { what: "1080p", camera: 0, ..BASE },
];

/// Four rows of parts on a belt half as fast again.
fn many(scene: &mut SceneConfig) {
    scene.parts = 56;
    scene.lanes = 4;
    scene.speed_px_per_frame = Some(1.5 * scene.speed_px());
}

/// Measures all cases; `subject` is the first one's.
pub fn against_work(
    subject: &Subject<'_>,
    wishes: &Wishes,
    report: &mut Report,
    picture: &mut Picture,
) -> Result<(), Failure> {
    report.table("cost_against_work");
    let mut film = std::sync::Arc::clone(subject.film);
    for case in &CASES {
        let camera = &CAMERAS[case.camera];
        let mut filmed = scene(camera, PixelFormat::Gray8);
        (case.change)(&mut filmed);
        if filmed != film.scene {
            film = Film::shoot(&filmed)?;
        }
        let recipe = camera.recipe()?;
        let work = Work {
            film: &film,
            recipe: &recipe,
            model: subject.model,
            cameras: case.cameras,
            fps: case.fps,
            live: true,
            filmed: false,
            seconds: wishes.seconds * SHORT,
        };
        let runs = (0..wishes.runs).map(|_| run(&work)).collect::<Result<Vec<_>, _>>()?;
        add(report, picture, case, &runs);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
fn add(report: &mut Report, picture: &mut Picture, case: &Case, runs: &[Run]) {
    let over = |of: &dyn Fn(&Run) -> f64| median(runs.iter().map(of));
    let stage = |name: &'static str| {
        (name, over(&|run| by_stage(run).get(name).copied().unwrap_or_default()))
    };
    let stages = ["capture", "locate", "inspect", "act", "record"].map(stage);
    let total = over(&Run::line_cpu_percent);
    let p99_ms = over(&|run| run.decision_ms.p99());
    let dropped = over(&|run| run.frames_dropped as f64);
    let mut row = vec![
        ("work", json!(case.what)),
        ("camera", json!(CAMERAS[case.camera].name)),
        ("cameras", json!(case.cameras)),
        ("fps", json!(case.fps)),
        ("parts_per_s", json!(over(&|run| run.parts as f64 / run.seconds))),
        ("parts", json!(over(&|run| run.parts as f64))),
        ("of", json!(over(&|run| run.parts_expected as f64))),
        ("dropped", json!(dropped)),
        ("misses", json!(over(&|run| run.deadline_misses as f64))),
        ("p50_ms", json!(over(&|run| run.decision_ms.p50()))),
        ("p99_ms", json!(p99_ms)),
        ("cpu_percent", json!(total)),
    ];
    row.extend(stages.map(|(name, percent)| (name, json!(percent))));
    report.row(row);
    picture.bar(Bar { what: case.what, stages: stages.to_vec(), p99_ms, dropped });
}

/// Percent of a core, by stage.
fn by_stage(run: &Run) -> BTreeMap<&str, f64> {
    let mut sums = BTreeMap::new();
    for (thread, percent) in run.cpu_percent().into_iter().filter(|(name, _)| is_of_line(name)) {
        *sums.entry(thread.split('-').next().unwrap_or(thread)).or_default() += percent;
    }
    sums
}
