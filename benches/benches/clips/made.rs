//! What it costs to make clips: processor time of one, and the memory of film and clips.

use std::fs;
use std::sync::Arc;
use std::thread::Builder;

use domain::{Pixels, WallTime};
use pipeline::clock::{Clock, RealClock};
use pipeline::limits::REEL_WAITING;
use pipeline::link::{LinkSender, WhenFull, link};
use pipeline::record::annotate::annotate;
use pipeline::record::clip::encoder::Encoders;
use pipeline::record::clip::{self, ClipConfig};
use pipeline::record::film::FilmConfig;
use pipeline::record::film::shrink::{Shrinker, bytes_of};
use pipeline::record::reel::{FilmBytes, FilmPicture, Imprint, Note, Reel};
use pipeline::stage::Counters;
use serde_json::json;
use sightline_benches::Failure;
use sightline_benches::report::Report;
use store::{ClipClass, RunStart, Store};

use crate::footage::{FPS, SIZE, at, bad_parts, camera, frame, note, scene};
use crate::setup::setup;
use crate::spent::{Meter, Of};
use crate::studio::Studio;
use crate::threads::{forget_peak, peak_mib};

/// Clips that are made one after the other.
const CLIPS: u64 = 20;
/// How often they are made.
const ROUNDS: usize = 3;
/// Pictures of a clip: a second before and after the one that decided.
const PICTURES: u64 = 61;
/// Seconds that are filmed without a pause.
const FILMED_S: u64 = 60;
/// Frames that are filmed over and over: enough for a clip.
const POOL: u64 = 64;
/// Parts a second of the scene that is filmed.
const PARTS_PER_S: f64 = 3.0;

/// Frames, and what is told of a part in them.
type Filmed = (Vec<Arc<dyn Pixels>>, Arc<Note>);

/// Frames around a bad part, and what is told of it.
fn filmed() -> Result<Filmed, Failure> {
    let scene = scene(100, PARTS_PER_S)?;
    let part = bad_parts(&scene).next().ok_or("no part is bad")?;
    let from = part.centre_frame.saturating_sub(PICTURES / 2);
    let pixels = (from..from + POOL).map(|at| Arc::new(scene.render(at)) as Arc<dyn Pixels>);
    Ok((pixels.collect(), note(part, scene.config().speed_px())))
}

/// The same note of part `number`, decided in frame `frame`.
fn note_at(note: &Note, number: u64, frame: u64) -> Arc<Note> {
    let mut note = note.clone();
    (note.part.part, note.part.at) = (domain::PartId(number), at(frame));
    Arc::new(note)
}

/// Memory of film and clips while all that is filmed is in clips.
pub fn memory(report: &mut Report) -> Result<(), Failure> {
    let (pool, note) = filmed()?;
    forget_peak();
    let before = peak_mib().ok_or("the kernel does not say how much memory is used")?;
    let config = FilmConfig::default();
    let mut studio = Studio::open(&config)?;
    for (number, pixels) in (0..FILMED_S * u64::from(FPS)).zip(pool.iter().cycle()) {
        studio.see(&frame(number, Arc::clone(pixels)));
        if number % u64::from(FPS) == 0 {
            studio.want(&note_at(&note, number + 1, number))?;
        }
    }
    let clips = studio.end()?;
    let peak = peak_mib().unwrap_or(f64::NAN);
    report.table("memory");
    report.row(vec![
        ("filmed_s", json!(FILMED_S)),
        ("pictures", json!(clips.pictures)),
        ("in_clips", json!(clips.pictures_made)),
        ("clips", json!(clips.made)),
        ("rss_before_mib", json!(before)),
        ("rss_peak_mib", json!(peak)),
        ("film_and_clips_mib", json!(peak - before)),
        ("film_memory_mib", json!(config.memory_mib)),
    ]);
    report.note(
        "memory: with every part of one camera wanted, and the film's memory used to its end; \
         encoder, GStreamer and store are in it",
    );
    Ok(())
}

/// Processor time of a clip of two seconds: all of it, and its larger parts by themselves.
pub fn processor(report: &mut Report) -> Result<(), Failure> {
    let (pool, note) = filmed()?;
    let mut shrinker = Shrinker::new(FilmConfig::default().longer_side_px);
    let shrunk = |pixels: &Arc<dyn Pixels>| {
        let mut bytes = vec![0; bytes_of(SIZE)];
        shrinker.shrink(&**pixels, &mut bytes);
        bytes
    };
    let pictures: Vec<Vec<u8>> = pool.iter().map(shrunk).collect();
    let ([mut annotated, mut encoded, mut all], mut bytes) = ([f64::INFINITY; 3], 0);
    // In turns, and the least of each: what others do on the machine only ever adds.
    for _ in 0..ROUNDS {
        annotated = annotated.min(annotating(&pictures, &note)?);
        encoded = encoded.min(encoding(&pictures)?);
        let (spent, made) = making(&pictures, &note)?;
        (all, bytes) = (all.min(spent), made);
    }
    report.table("processor");
    for (what, cpu_s) in
        [("annotate", annotated), ("encode", encoded), ("annotate, encode, write, accept", all)]
    {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand pictures")]
        report.row(vec![
            ("what", json!(what)),
            ("cpu_s_per_clip", json!(cpu_s / CLIPS as f64)),
            ("cpu_ms_per_picture", json!(1e3 * cpu_s / (CLIPS * PICTURES) as f64)),
        ]);
    }
    report.value("bytes_per_clip", json!(bytes / CLIPS));
    report.note(format!(
        "processor: {CLIPS} clips of {PICTURES} pictures, 2 s each, {} KiB a clip; all threads",
        bytes / CLIPS / 1024
    ));
    Ok(())
}

/// Picture `index` of clip `clip`, in memory of its own.
fn picture(pictures: &[Vec<u8>], clip: u64, index: u64) -> Result<FilmPicture, Failure> {
    let bytes = pictures.get(usize::try_from(index)?).ok_or("too few pictures")?.clone();
    let (sequence, bytes) = (number(clip, index), FilmBytes { bytes, back: None });
    Ok(FilmPicture { size: SIZE, bytes, at: at(sequence), sequence })
}

/// Clips are ten seconds apart.
const fn number(clip: u64, index: u64) -> u64 {
    clip * 10 * FPS as u64 + index
}

fn annotating(pictures: &[Vec<u8>], note: &Note) -> Result<f64, Failure> {
    let imprint = Imprint { station: "bench".into(), software: "bench".into() };
    let (camera, mut spent) = (camera(), 0.0);
    for clip in 0..CLIPS {
        let notes = [note_at(note, clip + 1, number(clip, PICTURES / 2))];
        for index in 0..PICTURES {
            let mut picture = picture(pictures, clip, index)?;
            let before = of_this_thread()?;
            annotate(&mut picture, &notes, &imprint, &camera);
            spent += of_this_thread()? - before;
        }
    }
    Ok(spent)
}

fn encoding(pictures: &[Vec<u8>]) -> Result<f64, Failure> {
    let encoders = Encoders::new(&ClipConfig::default(), FPS)?;
    let (meter, mut copying) = (Meter::start(Of::Us)?, 0.0);
    for clip in 0..CLIPS {
        let (mut encoder, mut coded) = (encoders.begin(SIZE)?, Vec::new());
        for index in 0..PICTURES {
            let before = of_this_thread()?;
            let picture = picture(pictures, clip, index)?;
            copying += of_this_thread()? - before;
            encoder.push(picture, index * 1000 / u64::from(FPS), index == 0, &mut coded)?;
        }
        encoder.finish(&mut coded)?;
    }
    Ok(meter.read()?.cpu_s - copying)
}

/// By the thread that makes clips on a line. Gives its processor time with that of its encoders,
/// and the bytes.
fn making(pictures: &[Vec<u8>], note: &Note) -> Result<(f64, u64), Failure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let store = Store::create_or_open(folder.path())?;
    let start = RunStart { started_at: WallTime::default(), source: "bench" };
    let run = store.start_run(&start)?.run();
    let (clips, setup) = (store.clips()?, setup(&camera(), FPS));
    let counters = Arc::new(Counters::default());
    let counts = Arc::clone(&counters);
    let (reels, reel) = link(REEL_WAITING, WhenFull::Wait);
    let clock = RealClock::start();
    let (meter, before) = (Meter::start(Of::Us)?, of_this_thread()?);
    let make = move || clip::run(&reel, clips, run, setup, &counts, &clock as &dyn Clock);
    let maker = Builder::new().name("clip".to_owned()).spawn(make)?;
    for clip in 0..CLIPS {
        let note = note_at(note, clip + 1, number(clip, PICTURES / 2));
        hand_over(&reels, pictures, clip, &note)?;
    }
    drop(reels);
    maker.join().map_err(|_| "the thread that makes clips panicked")?;
    let spent = meter.read()?.cpu_s - (of_this_thread()? - before);
    let made = counters.clips.snapshot();
    if made.made != CLIPS {
        return Err(
            format!("{} of {CLIPS} clips: {:?}", made.made, counters.take_unwritten()).into()
        );
    }
    Ok((spent, made.bytes_made))
}

fn hand_over(
    reels: &LinkSender<Reel>,
    pictures: &[Vec<u8>],
    clip: u64,
    note: &Arc<Note>,
) -> Result<(), Failure> {
    let gone = |_| "the thread that makes clips has ended";
    reels.send(Reel::Begin { camera: camera(), clock_is_synced: true }).map_err(gone)?;
    for index in 0..PICTURES {
        let picture = picture(pictures, clip, index)?;
        reels.send(Reel::Picture(picture, vec![Arc::clone(note)])).map_err(gone)?;
    }
    let notes = vec![Arc::clone(note)];
    reels
        .send(Reel::End { class: ClipClass::Rejected, notes, pictures_missing: 0 })
        .map_err(gone)?;
    Ok(())
}

/// Seconds on a core of the thread that asks.
fn of_this_thread() -> Result<f64, Failure> {
    let books = fs::read_to_string("/proc/thread-self/schedstat")?;
    let ns: f64 = books.split_ascii_whitespace().next().ok_or("no books")?.parse()?;
    Ok(ns / 1e9)
}
