//! The film takes its memory once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use allocation_counter::measure;
use domain::{
    CameraId, CaptureTime, Frame, MonoTime, OwnedPixels, PixelFormat, Pixels, SizePx, WallTime,
};
use sightline_pipeline::capture::tap::Tap;
use sightline_pipeline::clock::Clock;
use sightline_pipeline::limits;
use sightline_pipeline::link::{LinkSender, WhenFull, link};
use sightline_pipeline::record::film::{Film, FilmConfig, FilmError};
use sightline_pipeline::record::reel::Reel;

use super::reels::{Clip, MS, Projector, note};

const SIZE: SizePx = SizePx::new(640, 480);

/// A clock that goes on as the film looks at it, about as fast as its pictures come: three a turn
/// and a look for each, and one for all.
#[derive(Default)]
struct Steps(AtomicU64);

impl Clock for Steps {
    fn now(&self) -> MonoTime {
        MonoTime::from_ns(self.0.fetch_add(33 * MS * 3 / 4, Ordering::Relaxed))
    }

    fn wall(&self) -> WallTime {
        WallTime::default()
    }
}

fn config() -> FilmConfig {
    FilmConfig { longer_side_px: 320, memory_mib: 16, ..FilmConfig::default() }
}

fn frame(pixels: &Arc<OwnedPixels>, sequence: u64) -> Frame {
    let mono = MonoTime::from_ns(sequence * 33 * MS);
    let at = CaptureTime { mono, wall: WallTime::default() };
    let pixels = Arc::clone(pixels) as Arc<dyn Pixels>;
    Frame { camera: CameraId::new("c"), sequence, at, origin: None, pixels }
}

fn pixels() -> Arc<OwnedPixels> {
    let gray = vec![100; usize::try_from(SIZE.area()).unwrap()];
    Arc::new(OwnedPixels::new(PixelFormat::Gray8, SIZE, vec![gray]).unwrap())
}

/// A film that runs on this thread over frames that were given before.
struct Given {
    film: Film,
    pixels: Arc<OwnedPixels>,
}

impl Given {
    fn new(live: bool, frames: u64, parts: &[u64], reels: LinkSender<Reel>) -> Self {
        let measures = config().check(Duration::from_millis(50)).unwrap();
        let bound = usize::try_from(frames).unwrap();
        let (to_film, tapped) = link(bound.max(1), WhenFull::Wait);
        let (wanted, wants) = link(limits::NOTES_WAITING, WhenFull::DropOldest);
        let pixels = pixels();
        (0..frames).for_each(|n| to_film.send((n, frame(&pixels, n))).map(drop).unwrap());
        for (index, ms) in parts.iter().enumerate() {
            wanted.send(note(index as u64 + 1, *ms)).unwrap();
        }
        let clock = Arc::new(Steps::default()) as Arc<dyn Clock>;
        let (counters, camera, frames) = (Arc::default(), CameraId::new("c"), tapped);
        let film = Film { camera, measures, live, frames, wants, reels, counters, clock };
        Self { film, pixels }
    }
}

/// A live film over frames that were given before; nothing takes its reel, or somebody takes all
/// of it when it is over.
fn film_over(frames: u64, parts: &[u64]) -> (u64, i64, Vec<Clip>) {
    let (reels, reel) = link(10_000, WhenFull::Wait);
    let Given { film, pixels } = Given::new(true, frames, parts, reels);
    let taken = measure(|| film.run());
    assert_eq!(Arc::strong_count(&pixels), 1, "the camera's buffers are let go");
    let mut projector = Projector::default();
    while let Some(reel) = reel.try_recv() {
        projector.take(reel);
    }
    (taken.count_total, taken.bytes_current, projector.end())
}

#[test]
fn pictures_cost_no_allocation() {
    let (few, ..) = film_over(10, &[]);
    let (many, held, clips) = film_over(2000, &[]);
    assert_eq!(few, many, "after the start there is none");
    assert!(held <= 0 && clips.is_empty(), "all is given back at the end: {held}");
}

#[test]
fn memory_is_bounded_by_the_configuration_while_nobody_takes_the_reel() {
    // Windows that touch: 182 pictures, and memory for 109.
    let (_, held, clips) = film_over(300, &[1000, 3000, 5000]);
    let kept = clips.iter().map(|clip| clip.pictures.len()).sum::<usize>();
    let missing = clips.iter().map(|clip| clip.missing).sum::<u64>();
    // What is not yet judged holds the rest of the memory.
    assert!((40..=109).contains(&kept), "{kept} pictures");
    assert!(held <= (17 << 20), "{held} bytes");
    assert_eq!(kept as u64 + missing, 182);
}

#[test]
fn of_footage_nothing_is_given_up_for_memory() {
    // More than there is memory for: the film waits for who takes them.
    let (reels, reel) = link(limits::REEL_WAITING, WhenFull::Wait);
    let Given { film, .. } = Given::new(false, 300, &[1000, 3000, 5000], reels);
    let filming = std::thread::Builder::new().name("film".to_owned());
    let filming = filming.spawn(move || film.run()).unwrap();
    let mut projector = Projector::default();
    while let Ok(reel) = reel.recv() {
        projector.take(reel);
    }
    filming.join().unwrap();
    let [clip] = &projector.end()[..] else { panic!("windows that touch are one clip") };
    assert_eq!((clip.pictures.len(), clip.missing), (182, 0));
}

#[test]
fn a_tap_costs_the_camera_no_allocation() {
    let (to_film, frames) = link(limits::FILM_FRAMES_WAITING, WhenFull::DropOldest);
    let mut tap = Tap::new(to_film, Duration::from_millis(33), Arc::default());
    let pixels = pixels();
    let given: Vec<Frame> = (0..200).map(|n| frame(&pixels, n)).collect();
    let taken = measure(|| given.iter().for_each(|frame| tap.see(frame)));
    assert_eq!(taken.count_total, 0);
    assert!(frames.try_recv().is_some());
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    let budget = Duration::from_millis(50);
    assert!(FilmConfig::default().check(budget).is_ok());
    let large = FilmConfig { longer_side_px: 1920, ..FilmConfig::default() };
    let error = large.check(budget).unwrap_err();
    let FilmError::Memory { needed_mib, .. } = error else { panic!("{error}") };
    assert!(error.to_string().contains("film.memory_mib is 256"), "{error}");
    let memory_mib = u32::try_from(needed_mib).unwrap();
    assert!(FilmConfig { memory_mib, ..large.clone() }.check(budget).is_ok(), "as it says");
    let less = FilmConfig { memory_mib: memory_mib - 1, ..large };
    assert!(less.check(budget).is_err());
    let error = FilmConfig { fps: 0, ..FilmConfig::default() }.check(budget).unwrap_err();
    assert_eq!(error.to_string(), "film.fps is 0; it must be 1 to 240");
    let long = Duration::from_secs(3600 * 24 * 365);
    assert!(FilmConfig::default().check(long).is_err());
}
