//! What every destination must do, in the same words for each.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use sightline_pipeline::upload::{UploadConfig, Uploader};
use store::ClipState;

use crate::kvs::{Fault, Service};
use crate::station::{STREAM, Station, patient_service, short, stop, top};

/// A place where clips are kept.
trait Place {
    fn new(station: &Station) -> Self;
    fn config(&self, station: &Station) -> UploadConfig;
    /// When the clips that are kept were begun to be kept, in that order: their starts.
    fn kept(&self, station: &Station) -> Vec<i64>;
    fn down(&self);
    fn up(&self);
    /// Sees to it that the first clip is never taken.
    fn refuse_first(&self, station: &Station);
}

struct Kinesis(Service);

impl Place for Kinesis {
    fn new(_: &Station) -> Self {
        Self(patient_service())
    }

    fn config(&self, station: &Station) -> UploadConfig {
        station.config(&self.0)
    }

    fn kept(&self, _: &Station) -> Vec<i64> {
        self.0.fragments(STREAM).iter().map(|stored| stored.fragment.starts_ms).collect()
    }

    fn down(&self) {
        self.0.down();
    }

    fn up(&self) {
        self.0.up();
    }

    fn refuse_first(&self, _: &Station) {
        self.0.script([Fault::Error { fragment: 0, id: 4006 }]);
    }
}

struct Nas(PathBuf);

impl Place for Nas {
    fn new(station: &Station) -> Self {
        let root = station.dir.path().join("nas");
        fs::create_dir(&root).unwrap();
        Self(root)
    }

    fn config(&self, _: &Station) -> UploadConfig {
        UploadConfig::Folder { path: self.0.clone() }
    }

    fn kept(&self, station: &Station) -> Vec<i64> {
        let folder = self.0.join("station").join("top");
        let mut found = Vec::new();
        for id in &station.accepted {
            let clip = station.clip(*id);
            let there = folder.join(clip.path.file_name().unwrap());
            let Ok(bytes) = fs::read(&there) else { continue };
            assert_eq!(domain::Sha256::of(&bytes), clip.sha256);
            assert!(there.with_extension("json").exists(), "its sidecar");
            let written = there.metadata().unwrap().modified().unwrap();
            found.push((written, clip.started.wall.unix_ns / 1_000_000));
        }
        found.sort();
        let partial = |entry: &fs::DirEntry| entry.path().extension().unwrap() == "partial";
        let mut files = fs::read_dir(&folder).into_iter().flatten().map(Result::unwrap);
        assert!(!files.any(|entry| partial(&entry)), "a file that is not whole");
        found.into_iter().map(|(_, start)| start).collect()
    }

    fn down(&self) {
        fs::rename(&self.0, self.0.with_extension("gone")).unwrap();
    }

    fn up(&self) {
        fs::rename(self.0.with_extension("gone"), &self.0).unwrap();
    }

    fn refuse_first(&self, station: &Station) {
        let path = station.clip(station.accepted[0]).path;
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
    }
}

fn begin<P: Place>(clips: usize) -> (Station, P) {
    let mut station = Station::new();
    let place = P::new(&station);
    for _ in 0..clips {
        station.accept(1);
    }
    (station, place)
}

fn starts(station: &Station) -> Vec<i64> {
    let start = |id: &_| station.clip(*id).started.wall.unix_ns / 1_000_000;
    station.accepted.iter().map(start).collect()
}

fn run<P: Place>(station: &Station, place: &P) -> Uploader {
    station.start(&place.config(station), short())
}

fn kept_once_in_order<P: Place>() {
    let (mut station, place) = begin::<P>(1);
    station.accept_after(-7200, 1, true);
    station.accept(1);
    let uploader = run(&station, &place);
    station.wait_for_all("kept");
    let snapshot = station.upload();
    assert_eq!((snapshot.clips_kept, snapshot.trouble), (3, None));
    stop(uploader);
    let mut expected = starts(&station);
    expected.sort_unstable();
    assert_eq!(place.kept(&station), expected, "each once, by start");
    // Another uploader finds nothing to do.
    let mut again = station;
    let uploader = run(&again, &place);
    again.accept(1);
    again.wait_for_all("the new one");
    stop(uploader);
    assert_eq!(place.kept(&again).len(), 4);
    assert_eq!(again.told("upload_trouble"), 0);
}

fn trouble_is_told_once_and_overcome<P: Place>() {
    let (station, place) = begin::<P>(2);
    place.down();
    let uploader = run(&station, &place);
    station.wait("trouble is told", || station.told("upload_trouble") == 1);
    let shown = || station.upload().trouble.is_some();
    station.wait("trouble is shown", shown);
    assert!(station.accepted.iter().all(|id| !station.is(*id, ClipState::Persisted)));
    place.up();
    station.wait_for_all("kept after all");
    station.wait("told", || station.told("upload_works") == 1);
    stop(uploader);
    assert_eq!(station.told("upload_trouble"), 1, "{:?}", station.events());
    let mut kept = place.kept(&station);
    kept.dedup();
    assert_eq!(kept, starts(&station));
}

fn what_is_held_is_not_sent<P: Place>() {
    let (mut station, place) = begin::<P>(3);
    station.clips.hold(station.accepted[1], "a person asked").unwrap();
    station.accept_after(3600, 1, true);
    let uploader = run(&station, &place);
    let [first, held, third, future] = station.accepted[..] else { panic!() };
    for id in [first, third] {
        station.wait("the others", || station.is(id, ClipState::Persisted));
    }
    station.wait("held", || station.clip(future).held.is_some());
    assert_eq!(station.told("clips_held"), 1, "one from the future");
    assert!(station.is(held, ClipState::Queued) && station.is(future, ClipState::Queued));
    station.clips.release(held).unwrap();
    station.wait("released", || station.is(held, ClipState::Persisted));
    stop(uploader);
    assert_eq!(place.kept(&station).len(), 3);
}

fn nothing_goes_while_the_clock_is_wrong<P: Place>() {
    let (mut station, place) = begin::<P>(1);
    // What was filmed by a clock of 1970 gets its time when the clock is right.
    let wrong = station.accept_after(-1_700_000_000, 1, false);
    station.clock.is_synced.store(false, Ordering::Release);
    let uploader = run(&station, &place);
    station.wait("it is told", || station.told("clips_held") == 1);
    assert!(station.is(station.accepted[0], ClipState::Queued));
    assert!(station.clip(wrong).held.is_some());
    let until = station.clips.clip(wrong).unwrap().ended.mono;
    let clock = &station.clock;
    station.wait("the clip has ended by the clock", || {
        sightline_pipeline::clock::Clock::now(&**clock) > until
    });
    station.clock.is_synced.store(true, Ordering::Release);
    station.wait_for_all("kept by a clock that is right");
    stop(uploader);
    let started = station.clip(wrong).started.wall.unix_ns / 1_000_000;
    let now = sightline_pipeline::clock::Clock::wall(&*station.clock).unix_ns / 1_000_000;
    assert!((now - started) < 120_000, "{started} is not about now");
}

fn what_is_never_taken_holds_up_nothing<P: Place>() {
    let (station, place) = begin::<P>(3);
    place.refuse_first(&station);
    let uploader = run(&station, &place);
    let [bad, good @ ..] = &station.accepted[..] else { panic!() };
    station.wait("quarantined", || station.is(*bad, ClipState::Quarantined));
    for id in good {
        station.wait("the others", || station.is(*id, ClipState::Persisted));
    }
    stop(uploader);
    assert_eq!(station.told("clip_quarantined"), 1);
    assert!(station.clips.open(&station.clip(*bad)).is_ok(), "its file stays");
    assert!(station.clips.waiting(&top(), 9).unwrap().is_empty());
}

macro_rules! family {
    ($name:ident, $place:ty) => {
        mod $name {
            use super::*;

            #[test]
            fn clips_are_kept_once_in_order() {
                kept_once_in_order::<$place>();
            }

            #[test]
            fn trouble_is_told_once_and_overcome() {
                super::trouble_is_told_once_and_overcome::<$place>();
            }

            #[test]
            fn what_is_held_is_not_sent() {
                super::what_is_held_is_not_sent::<$place>();
            }

            #[test]
            fn nothing_goes_while_the_clock_is_wrong() {
                super::nothing_goes_while_the_clock_is_wrong::<$place>();
            }

            #[test]
            fn what_is_never_taken_holds_up_nothing() {
                super::what_is_never_taken_holds_up_nothing::<$place>();
            }
        }
    };
}

family!(kinesis_video, Kinesis);
family!(folder, Nas);
