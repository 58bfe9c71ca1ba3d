//! What is saved by sending clips of the defects and not all of the film. Takes simulated lines of
//! several rates, one part in a hundred bad; gives the bytes of both, and what arithmetic says.
//!
//! The verdicts are the truth's: it is not the model that is measured.

use std::sync::Arc;
use std::thread::{self, Builder};

use domain::{ClipSnapshot, Frame};
use pipeline::link::{WhenFull, link};
use pipeline::record::clip::ClipConfig;
use pipeline::record::clip::encoder::Encoders;
use pipeline::record::film::FilmConfig;
use serde_json::json;
use sightline_benches::Failure;
use sightline_benches::report::Report;
use testdata::Scene;

use crate::footage::{DEFECTS, FPS, bad_parts, frame, note, scene};
use crate::stream::Stream;
use crate::studio::Studio;

/// Parts a second, and how many: fewer of those that come slowly, as each shows as many pictures.
const LINES: [(f64, u32); 4] = [(10.0, 600), (3.0, 300), (1.0, 200), (0.3, 100)];
/// Before and after a part: as it is unless somebody says otherwise, and the shortest clip that the
/// cloud takes.
const WINDOWS_MS: [(u32, u32); 2] = [(1000, 1000), (500, 500)];
/// Frames that are rendered and wait.
const FRAMES_AHEAD: usize = 4;

/// Measures all lines, each `times` times as long as usual.
pub fn saved(report: &mut Report, times: u32) -> Result<(), Failure> {
    report.table("saved");
    for (parts_per_s, parts) in LINES {
        one_line(report, &scene(parts * times, parts_per_s)?)?;
    }
    by_arithmetic(report);
    let config = ClipConfig::default();
    let encoder = Encoders::new(&config, FPS)?.name();
    report.note(format!(
        "saved: 1280x720 at {FPS} a second, {encoder} at {} kbit/s, a key frame every {} ms; the \
         whole film as one stream, and the same film's clips; `arithmetic` is the share of time \
         that no window covers",
        config.kbit_per_s, config.fragment_ms
    ));
    Ok(())
}

/// Films it once, for the stream and for clips of each length.
fn one_line(report: &mut Report, scene: &Scene) -> Result<(), Failure> {
    let mut stream = Stream::open()?;
    let mut studios = Vec::new();
    for (before_ms, after_ms) in WINDOWS_MS {
        let config = FilmConfig { before_ms, after_ms, ..FilmConfig::default() };
        studios.push(Studio::open(&config)?);
    }
    let mut bad = bad_parts(scene).peekable();
    rendered(scene, |frame| {
        stream.see(&frame)?;
        studios.iter_mut().for_each(|studio| studio.see(&frame));
        while let Some(part) = bad.next_if(|part| part.centre_frame == frame.sequence) {
            let note = note(part, scene.config().speed_px());
            studios.iter().try_for_each(|studio| studio.want(&note))?;
        }
        Ok(())
    })?;
    let stream_bytes = stream.end()?;
    for (studio, (before_ms, after_ms)) in studios.into_iter().zip(WINDOWS_MS) {
        row(report, scene, before_ms + after_ms, stream_bytes, &studio.end()?);
    }
    Ok(())
}

/// Gives all frames in order; the next ones are rendered meanwhile.
fn rendered(
    scene: &Scene,
    mut see: impl FnMut(Frame) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (to_see, frames) = link(FRAMES_AHEAD, WhenFull::Wait);
    thread::scope(move |scope| {
        Builder::new().name("scene".to_owned()).spawn_scoped(scope, move || {
            for number in 0..scene.frames() {
                // Nobody takes more when something failed.
                if to_see.send(frame(number, Arc::new(scene.render(number)))).is_err() {
                    return;
                }
            }
        })?;
        std::iter::from_fn(|| frames.recv().ok()).try_for_each(&mut see)
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes of some minutes")]
fn row(report: &mut Report, scene: &Scene, clip_ms: u32, stream_bytes: u64, clips: &ClipSnapshot) {
    let parts = &scene.truth().parts;
    let seconds = scene.frames() as f64 / f64::from(FPS);
    let ends = parts.first().zip(parts.last());
    let frames = ends.map_or(0, |(first, last)| last.centre_frame - first.centre_frame);
    let parts_per_s = (parts.len() - 1) as f64 / frames as f64 * f64::from(FPS);
    let bad = bad_parts(scene).count();
    let share = bad as f64 / parts.len() as f64;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let percent = |part: u64, of: u64| 100.0 * part as f64 / of as f64;
    report.row(vec![
        ("parts_per_s", json!(parts_per_s)),
        ("clip_ms", json!(clip_ms)),
        ("seconds", json!(seconds.round())),
        ("parts", json!(parts.len())),
        ("defects", json!(bad)),
        ("clips", json!(clips.made)),
        ("stream_mib", json!(mib(stream_bytes))),
        ("clips_mib", json!(mib(clips.bytes_made))),
        ("shown_percent", json!(percent(clips.pictures_made, clips.pictures))),
        ("sent_percent", json!(percent(clips.bytes_made, stream_bytes))),
        ("saved_percent", json!(100.0 - percent(clips.bytes_made, stream_bytes))),
        ("arithmetic_percent", json!(unseen_percent(share, parts_per_s, clip_ms))),
    ]);
}

/// The share of time that lies in no window: in each window's length before a moment, no part was
/// bad.
fn unseen_percent(defects: f64, parts_per_s: f64, clip_ms: u32) -> f64 {
    100.0 * (1.0 - defects).powf(parts_per_s * f64::from(clip_ms) / 1000.0)
}

fn by_arithmetic(report: &mut Report) {
    report.table("by_arithmetic");
    for (before_ms, after_ms) in WINDOWS_MS {
        let clip_ms = before_ms + after_ms;
        for defects in [0.001, 0.003, f64::from(DEFECTS), 0.03] {
            let saved = |parts_per_s: f64| json!(unseen_percent(defects, parts_per_s, clip_ms));
            let seconds = f64::from(clip_ms) / 1000.0;
            let most = 0.99_f64.ln() / (1.0 - defects).ln() / seconds;
            report.row(vec![
                ("clip_ms", json!(clip_ms)),
                ("defects_percent", json!(100.0 * defects)),
                ("at_0.1_parts_per_s", saved(0.1)),
                ("at_0.3", saved(0.3)),
                ("at_1", saved(1.0)),
                ("at_3", saved(3.0)),
                ("at_10", saved(10.0)),
                ("parts_per_s_with_99_percent", json!(most)),
            ]);
        }
    }
}
