//! What is measured of the line at 4K and 120 frames a second: the line itself with the bare model,
//! the line without a model, the line and its peer. Takes a subject; gives rows, values, curves.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::CheckedRecipe;
use models::Model;
use pipeline::limits::THIN_CELLS_MAX;
use pipeline::locate::thin::Grid;
use serde_json::{Map, Value, json};
use sightline_benches::Failure;
use sightline_benches::report::{Report, Row};
use sightline_benches::spread::{Spread, median};
use sightline_benches::subject::Camera;

use crate::bare::Bare;
use crate::belt::{FPS, Film};
use crate::nothing;
use crate::peer::{Peer, PeerRun};
use crate::plot::Picture;
use crate::run::{Run, Shares, Work, is_of_line, run};
use crate::wishes::Wishes;

/// Calls of the bare model before and after each run of the line.
const BARE_CALLS: usize = 200;
/// What is asked of the line: so many times the bare model, and so many milliseconds more.
const ALLOWED: (f64, f64) = (1.5, 3.0);
/// What is not for the tail is measured for this share of the time.
const SHORT: f64 = 1.0 / 3.0;

/// A film with what it is inspected with.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub camera: &'static Camera,
    pub recipe: &'a Arc<CheckedRecipe>,
    pub model: &'a Model,
    pub film: &'a Arc<Film>,
}

impl<'a> Subject<'a> {
    pub fn work(&self, seconds: f64, live: bool) -> Work<'a> {
        let Subject { recipe, model, film, .. } = *self;
        Work { film, recipe, model, cameras: 1, fps: FPS, live, seconds, filmed: false }
    }
}

/// Several runs, and the bare model in turns with them.
pub struct Line {
    name: String,
    runs: Vec<Run>,
    /// A spread a run.
    bare: Vec<Spread>,
    /// The same calls on cold caches.
    cold: Vec<Spread>,
    pool_mib: f64,
    traffic_gb_per_s: f64,
    frames_gb_per_s: f64,
}

/// Runs the line, with the bare model before and after each run.
pub fn line(subject: &Subject<'_>, wishes: &Wishes) -> Result<Line, Failure> {
    let mut bare = Bare::new(subject.model, subject.film, subject.camera.crop_px)?;
    let (mut runs, mut spreads, mut cold) = (Vec::new(), Vec::new(), Vec::new());
    bare.run(BARE_CALLS / 10)?;
    for _ in 0..wishes.runs {
        let mut took = bare.run(BARE_CALLS)?;
        runs.push(run(&subject.work(wishes.seconds, true))?);
        took.extend(bare.run(BARE_CALLS)?);
        spreads.push(took.into());
        cold.push(bare.run_cold(BARE_CALLS, subject.film)?.into());
    }
    let film = subject.film;
    let traffic_gb_per_s = median(runs.iter().map(|run| traffic(subject, run) / 1e9));
    #[expect(clippy::cast_precision_loss, reason = "a few gigabytes")]
    let (pool_mib, frame_bytes) =
        (film.bytes() as f64 / f64::from(1 << 20), film.frame_bytes() as f64);
    let name = film.scene.format.name().to_owned();
    let frames_gb_per_s = frame_bytes * FPS / 1e9;
    Ok(Line { name, runs, bare: spreads, cold, pool_mib, traffic_gb_per_s, frames_gb_per_s })
}

/// An estimate of the bytes a second that go between memory and the cores: the rows that locate
/// samples (whole, as every cache line of them is touched), each crop once for prepare and once for
/// record, and what is written to disk.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn traffic(subject: &Subject<'_>, run: &Run) -> f64 {
    let size = subject.film.scene.size;
    let grid = Grid::new(size.rect(), THIN_CELLS_MAX);
    let sampled = grid.height as f64 * f64::from(size.width);
    let share = subject.film.frame_bytes() as f64 / size.area() as f64;
    let crop = f64::from(subject.camera.crop_px).powi(2) * share;
    let frames = (run.frames_offered - run.frames_dropped) as f64;
    let written = run.written_bytes.unwrap_or_default() as f64;
    (frames * sampled + run.parts as f64 * 2.0 * crop + written) / run.seconds
}

impl Line {
    fn over(&self, of: impl Fn(&Run) -> f64) -> f64 {
        median(self.runs.iter().map(of))
    }

    fn bare(&self, of: impl Fn(&Spread) -> f64) -> f64 {
        median(self.bare.iter().map(of))
    }

    /// A row a run.
    #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
    pub fn rows(&self, report: &mut Report) {
        let bares = self.bare.iter().zip(&self.cold);
        for (number, (run, (bare, cold))) in self.runs.iter().zip(bares).enumerate() {
            let spread = &run.decision_ms;
            report.row(vec![
                ("format", json!(self.name)),
                ("run", json!(number + 1)),
                ("frames", json!(run.frames_offered)),
                ("dropped", json!(run.frames_dropped)),
                ("parts", json!(run.parts)),
                ("of", json!(run.parts_expected)),
                ("rejected", json!(run.told_reject)),
                ("bad", json!(run.bad_expected)),
                ("odd_round", json!(run.odd_round)),
                ("misses", json!(run.deadline_misses)),
                ("p50_ms", json!(spread.p50())),
                ("p99_ms", json!(spread.p99())),
                ("p999_ms", json!(spread.at(0.999))),
                ("max_ms", json!(spread.at(1.0))),
                ("taken_p99_ms", json!(run.taken_after_ms.p99())),
                ("bare_p50_ms", json!(bare.p50())),
                ("bare_p99_ms", json!(bare.p99())),
                ("cold_p50_ms", json!(cold.p50())),
                ("cold_p99_ms", json!(cold.p99())),
                ("p99_to_bare", json!(spread.p99() / bare.p99())),
                ("p99_allowed_ms", json!(ALLOWED.0.mul_add(bare.p99(), ALLOWED.1))),
                ("cpu_percent", json!(run.line_cpu_percent())),
                ("rss_mib", json!(run.rss_peak_mib)),
                ("pool_mib", json!(self.pool_mib)),
                ("written_mib", json!(run.written_bytes.map(|it| it as f64 / 1048576.0))),
            ]);
        }
        report.note(format!(
            "{}: about {:.2} GB/s of memory traffic, of {:.2} GB/s that the camera fills: an \
             estimate (rows that locate samples, crops twice, disk)",
            self.name, self.traffic_gb_per_s, self.frames_gb_per_s
        ));
    }

    /// What scripts rely on, medians over the runs.
    pub fn values(&self, report: &mut Report) {
        let counted = |of: fn(&Run) -> u64| {
            let mut counts: Vec<u64> = self.runs.iter().map(of).collect();
            counts.sort_unstable();
            json!(counts[counts.len() / 2])
        };
        let at = |quantile: f64| self.over(|run| run.decision_ms.at(quantile));
        report.value("frames_offered", counted(|run| run.frames_offered));
        report.value("frames_dropped", counted(|run| run.frames_dropped));
        report.value("parts", counted(|run| run.parts));
        report.value("parts_expected", counted(|run| run.parts_expected));
        report.value("deadline_misses", counted(|run| run.deadline_misses));
        report.value(
            "decision_ms",
            json!({"p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "max": at(1.0)}),
        );
        let (p50, p99) = (self.bare(Spread::p50), self.bare(Spread::p99));
        report.value("bare_model_ms", json!({"p50": p50, "p99": p99}));
        let cold = |of: fn(&Spread) -> f64| median(self.cold.iter().map(of));
        report.value(
            "bare_model_cold_ms",
            json!({"p50": cold(Spread::p50), "p99": cold(Spread::p99)}),
        );
        report.value("decision_p99_to_bare_p99", json!(at(0.99) / p99));
        report.value("decision_p99_allowed_ms", json!(ALLOWED.0.mul_add(p99, ALLOWED.1)));
        let names: BTreeSet<&str> =
            self.runs.iter().flat_map(|run| run.cpu_percent().into_keys()).collect();
        let percent =
            |name: &&str| self.over(|run| run.cpu_percent().get(name).copied().unwrap_or_default());
        let threads: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!(percent(name)))).collect();
        report.value("cpu_percent", json!(threads));
        report.value("line_cpu_percent", json!(self.over(Run::line_cpu_percent)));
        report.value("rss_peak_mib", json!(self.over(|run| run.rss_peak_mib.unwrap_or(f64::NAN))));
        report.value("pool_mib", json!(self.pool_mib));
        report.value("memory_traffic_gb_per_s_estimated", json!(self.traffic_gb_per_s));
        report.value("frames_gb_per_s", json!(self.frames_gb_per_s));
    }

    /// What each thread used in the first run.
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    pub fn threads(&self, report: &mut Report) {
        report.table("threads");
        let run = &self.runs[0];
        for (name, used) in run.threads.iter().filter(|(_, used)| used.cpu_s > 0.0) {
            report.row(vec![
                ("thread", json!(name)),
                ("is_of_line", json!(is_of_line(name))),
                ("cpu_percent", json!(100.0 * used.cpu_s / run.seconds)),
                ("queued_percent", json!(100.0 * used.queued_s / run.seconds)),
                ("voluntary_per_s", json!(used.voluntary as f64 / run.seconds)),
                ("involuntary_per_s", json!(used.involuntary as f64 / run.seconds)),
            ]);
        }
        let stages = run.stages.iter().map(|(name, tail)| ((*name).to_owned(), json!(tail)));
        report.value("stages_ms", json!(stages.collect::<Map<_, _>>()));
    }

    /// Where the time of usual and slow parts went in the first run.
    pub fn ways(&self, report: &mut Report) {
        report.table("where_time_goes");
        let run = &self.runs[0];
        report.row(shares("the middle fifth", &run.usual));
        report.row(shares("the slowest hundredth", &run.slowest));
        for (part, way) in run.slow_parts.iter().rev() {
            report.row(shares(&format!("part {part}"), way));
        }
    }

    /// The line and the bare model, all runs together.
    pub fn curves(&self, picture: &mut Picture) {
        let line = self.runs.iter().flat_map(|run| run.decision_ms.sorted().to_vec());
        picture.curve(&format!("line, {}", self.name), line.collect::<Vec<_>>().into());
        if self.name == "gray8" {
            let bare = self.bare.iter().flat_map(|bare| bare.sorted().to_vec());
            picture.curve("bare model", bare.collect::<Vec<_>>().into());
        }
    }
}

fn shares(name: &str, shares: &Shares) -> Row {
    vec![
        ("parts", json!(name)),
        ("count", json!(shares.parts)),
        ("decision_ms", json!(shares.decision_ms)),
        ("locate_ms", json!(shares.locate_ms)),
        ("prepare_ms", json!(shares.prepare_ms)),
        ("infer_ms", json!(shares.infer_ms)),
        ("decide_ms", json!(shares.decide_ms)),
        ("between_ms", json!(shares.between_ms)),
    ]
}

/// The line with a model that does nothing: what the house itself adds.
pub fn without_model(
    subject: &Subject<'_>,
    wishes: &Wishes,
    report: &mut Report,
    picture: &mut Picture,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let model = nothing::model(subject.model.input(), folder.path())?;
    let subject = Subject { model: &model, ..*subject };
    let mut bare = Bare::new(&model, subject.film, subject.camera.crop_px)?;
    report.table("without_model");
    let (mut all, mut overheads) = (Vec::new(), Vec::new());
    for number in 0..wishes.runs {
        let mut took = bare.run(BARE_CALLS)?;
        let run = run(&subject.work(wishes.seconds * SHORT, true))?;
        took.extend(bare.run(BARE_CALLS)?);
        let (spread, bare_ms) = (&run.decision_ms, Spread::from(took).p50());
        report.row(vec![
            ("run", json!(number + 1)),
            ("parts", json!(run.parts)),
            ("of", json!(run.parts_expected)),
            ("dropped", json!(run.frames_dropped)),
            ("bare_p50_ms", json!(bare_ms)),
            ("overhead_p50_ms", json!(spread.p50() - bare_ms)),
            ("overhead_p99_ms", json!(spread.p99() - bare_ms)),
            ("overhead_max_ms", json!(spread.at(1.0) - bare_ms)),
            ("locate_ms", json!(run.usual.locate_ms)),
            ("prepare_ms", json!(run.usual.prepare_ms)),
            ("between_ms", json!(run.usual.between_ms)),
            ("cpu_percent", json!(run.line_cpu_percent())),
        ]);
        overheads.push((spread.p50() - bare_ms, spread.p99() - bare_ms));
        all.extend(spread.sorted().to_vec());
    }
    let (p50, p99) = (overheads.iter().map(|it| it.0), overheads.iter().map(|it| it.1));
    report.value("house_overhead_ms", json!({"p50": median(p50), "p99": median(p99)}));
    picture.curve("line without a model", all.into());
    Ok(())
}

/// The line and the peer, in turns: at the camera's pace, and as fast as they can.
pub fn against_peer(
    subject: &Subject<'_>,
    wishes: &Wishes,
    report: &mut Report,
    picture: &mut Picture,
) -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let Some(peer) = Peer::new(subject.film, folder.path())? else {
        report.note(
            "no peer: it needs a Python with numpy, OpenCV and onnxruntime; PEER_PYTHON names it",
        );
        return Ok(());
    };
    report.table("line_and_peer");
    let seconds = wishes.seconds * SHORT;
    let mut theirs = [Vec::new(), Vec::new()];
    for live in [true, false] {
        // Not paced, both need about a third of the time for the same frames.
        let total = subject.film.rounds(seconds, FPS) * subject.film.len();
        for _ in 0..wishes.runs {
            let ours = run(&subject.work(seconds, live))?;
            let run = peer.run(total, FPS, live)?;
            row(report, live, "Sightline", &Compared::from(&ours));
            row(report, live, &run.name, &Compared::from(&run));
            theirs[usize::from(live)].push(run);
        }
    }
    let [unpaced, paced] = &theirs;
    let over = |runs: &[PeerRun], of: fn(&PeerRun) -> f64| median(runs.iter().map(of));
    report.value(
        "peer",
        json!({
            "name": paced[0].name,
            "fps": over(paced, |run| run.fps),
            "fps_most": over(unpaced, |run| run.fps),
            "decision_p50_ms": over(paced, |run| Spread::from(run.decision_ms.clone()).p50()),
            "decision_p99_ms": over(paced, |run| Spread::from(run.decision_ms.clone()).p99()),
            "cpu_percent": over(paced, |run| run.cpu_percent),
        }),
    );
    let all = paced.iter().flat_map(|run| run.decision_ms.clone());
    picture.curve("peer in Python", all.collect::<Vec<_>>().into());
    Ok(())
}

/// What both say of a run.
struct Compared {
    frames: u64,
    fps: f64,
    dropped: u64,
    parts: u64,
    rejected: u64,
    decision_ms: Spread,
    cpu_percent: f64,
    rss_mib: Option<f64>,
}

impl From<&Run> for Compared {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand frames")]
    fn from(run: &Run) -> Self {
        Self {
            frames: run.frames_offered,
            fps: (run.frames_offered - run.frames_dropped) as f64 / run.seconds,
            dropped: run.frames_dropped,
            parts: run.parts,
            rejected: run.told_reject,
            decision_ms: run.decision_ms.clone(),
            cpu_percent: run.line_cpu_percent(),
            rss_mib: run.rss_peak_mib,
        }
    }
}

impl From<&PeerRun> for Compared {
    fn from(run: &PeerRun) -> Self {
        Self {
            frames: run.frames_offered,
            fps: run.fps,
            dropped: run.frames_dropped,
            parts: run.parts,
            rejected: run.rejected,
            decision_ms: run.decision_ms.clone().into(),
            cpu_percent: run.cpu_percent,
            rss_mib: Some(run.rss_peak_mib),
        }
    }
}

fn row(report: &mut Report, live: bool, name: &str, run: &Compared) {
    // Without a pace a frame has no time of exposure.
    let ms = live.then_some(&run.decision_ms);
    report.row(vec![
        ("pace", json!(if live { "120 fps" } else { "as fast as it can" })),
        ("who", json!(name)),
        ("frames", json!(run.frames)),
        ("fps", json!(run.fps)),
        ("dropped", json!(run.dropped)),
        ("parts", json!(run.parts)),
        ("rejected", json!(run.rejected)),
        ("p50_ms", json!(ms.map(Spread::p50))),
        ("p99_ms", json!(ms.map(Spread::p99))),
        ("cpu_percent", json!(run.cpu_percent)),
        ("cpu_ms_per_frame", json!(10.0 * run.cpu_percent / run.fps)),
        ("rss_mib", json!(run.rss_mib)),
    ]);
}
