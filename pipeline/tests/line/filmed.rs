//! A line that is filmed: what was rejected is in a clip, also when the line stops.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::CameraId;
use sightline_pipeline::limits;
use sightline_pipeline::link::{LinkReceiver, WhenFull, link};
use sightline_pipeline::record::film::{FilmConfig, FilmSetup};
use sightline_pipeline::record::reel::Reel;
use store::VerdictWord;

use super::setup::{Setup, grey, recipe, scratched};

/// All that is filmed is in a clip of a part that is wanted.
fn film() -> (FilmSetup, LinkReceiver<Reel>) {
    let (before_ms, after_ms) = (30_000, 30_000);
    let config = FilmConfig {
        longer_side_px: 64,
        fps: 200,
        before_ms,
        after_ms,
        clip_max_ms: 600_000,
        memory_mib: 128,
    };
    let (reels, reel) = link(limits::REEL_WAITING, WhenFull::Wait);
    (FilmSetup { config, reels: BTreeMap::from([(CameraId::new("top"), reels)]) }, reel)
}

/// Films eleven parts of which the sixth is rejected, until the line stops.
fn is_in_a_clip(live: bool) {
    let (film, reel) = film();
    let setup = Setup { live, film: Some(film), ..Setup::new(recipe("one", 5_000)) };
    let bench = setup.start();
    for shot in 1..=11_u64 {
        bench.shoot(if shot == 6 { scratched() } else { grey(128) });
        bench.until_filmed(shot);
        bench.let_pass(Duration::from_millis(8));
    }
    bench.answers(11);
    // Nobody takes the reel before the line ends: the line runs all the same.
    let taking = std::thread::Builder::new().name("taking".to_owned());
    let taking = taking.spawn(move || std::iter::from_fn(|| reel.recv().ok()).collect::<Vec<_>>());
    let left = bench.end();
    assert!(left.summary.failed.is_empty(), "{:?}", left.summary.failed);
    let mut reels = taking.unwrap().join().unwrap().into_iter();
    assert!(matches!(reels.next(), Some(Reel::Begin { .. })));
    let mut pictures = 0;
    let end = reels.by_ref().find(|reel| {
        pictures += usize::from(matches!(reel, Reel::Picture(..)));
        matches!(reel, Reel::End { .. })
    });
    let Some(Reel::End { notes, pictures_missing, .. }) = end else { panic!("no end") };
    assert_eq!((pictures, pictures_missing, reels.count()), (11, 0, 0));
    let [note] = &notes[..] else { panic!("{} parts", notes.len()) };
    assert_eq!((note.part.part.0, note.part.verdict), (6, VerdictWord::Reject));
    assert_eq!(note.part.picture, Some(5), "the sixth picture decided");
    assert_eq!((&*note.recipe, &*note.headline), ("one", "REJECT"));
    assert!(note.marks.iter().any(|mark| mark.is_reason) && note.frame_size.area() > 0);
    let clips = left.summary.snapshot.clips;
    assert_eq!((clips.pictures, clips.pictures_dropped, clips.begun), (11, 0, 1));
}

#[test]
fn a_rejected_part_is_in_a_clip_when_the_line_stops() {
    is_in_a_clip(true);
}

#[test]
fn a_rejected_part_of_footage_is_in_a_clip_too() {
    is_in_a_clip(false);
}
