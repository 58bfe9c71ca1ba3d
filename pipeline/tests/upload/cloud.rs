//! docs/faults.md, the part about the cloud: each fault is caused, and what the operator is told
//! and what becomes of the clips is compared with the page. `UPDATE_DOCS=1` writes it.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::{CaptureTime, PartId, RectPx, SizePx};
use sightline_pipeline::link::{WhenFull, link};
use sightline_pipeline::record::clip::{self, ClipConfig, ClipSetup, encoder::Encoders};
use sightline_pipeline::record::reel::{FilmBytes, FilmPicture, Imprint, Note, Reel};
use sightline_pipeline::upload::{self, UploadConfig, Uploading};
use store::{ClipClass, ClipPart, ClipState, VerdictWord};

use crate::kvs::{Fault, Service};
use crate::station::{STREAM, Station, patient_service, short, stop, top};

const MARK: &str = "\n## The cloud\n";

const HEAD: &str = "
What fails on the way of a clip, [kinesis.md](kinesis.md), is nothing to the line: no verdict waits
for it, the PLC sees nothing, and parts pass or are rejected as ever. Each row was written by
causing the fault, against the strict service on loopback
(`cargo test --release -p sightline-pipeline --test upload cloud`).

| fault | the operator sees | clips | until it works again |
|---|---|---|---|
";

/// One fault, as the page tells it.
struct Row {
    fault: &'static str,
    /// What the operator is told.
    alarm: &'static str,
    clips: &'static str,
    recovery: &'static str,
}

/// Causes a fault; gives what was told.
type Cause = fn() -> Option<Vec<String>>;

/// Every fault with what causes it, sees that the clips fare as the row says, and gives what was
/// told; nothing where it can't be caused here.
const FAULTS: [(Row, Cause); 10] = [
    (
        Row {
            fault: "no network, or nobody answers there",
            alarm: "can't be reached",
            clips: "wait on disk, in any number that the budget allows",
            recovery: "when it is there again: it is tried after 1 to 60 s",
        },
        no_network,
    ),
    (
        Row {
            fault: "the service answers 500",
            alarm: "PutMedia was refused",
            clips: "wait and are sent again",
            recovery: "the first answer that is none; 1 to 60 s between two attempts",
        },
        error_500,
    ),
    (
        Row {
            fault: "the service hangs",
            alarm: "no answer within",
            clips: "wait; what was on the way is sent again, and kept once",
            recovery: "a connection is given up after 15 s without an answer and 30 s without an \
                       acknowledgement; then as above",
        },
        hangs,
    ),
    (
        Row {
            fault: "access denied: no right, or no valid credentials",
            alarm: "was refused",
            clips: "wait",
            recovery: "when the right is there; credentials are asked for anew each time, at most \
                       60 s (a right: 120 s) later",
        },
        access_denied,
    ),
    (
        Row {
            fault: "stream without retention",
            alarm: "it keeps nothing",
            clips: "wait; nothing is sent, as nothing would be kept",
            recovery: "when it has one; looked at again within 120 s",
        },
        no_retention,
    ),
    (
        Row {
            fault: "wrong region",
            alarm: "is not one of upload.allowed_regions",
            clips: "nothing is sent anywhere",
            recovery: "the station file: the program does not start with it",
        },
        wrong_region,
    ),
    (
        Row {
            fault: "the wall clock follows no time server",
            alarm: "the wall clock follows no time server",
            clips: "are held, whether filmed before or meanwhile",
            recovery: "when the clock is right: those of this program get the right times and go; \
                       older ones when a person releases them (`clips push --held`)",
        },
        clock_not_right,
    ),
    (
        Row {
            fault: "connections end on one clip again and again",
            alarm: "connections ended on it while others were kept",
            clips: "the others go before it; then it is set aside (`quarantined`), and stays on \
                    disk",
            recovery: "`clips push --again`, once a person has looked",
        },
        one_clip,
    ),
    (
        Row {
            fault: "the uploader has a defect",
            alarm: "upload failed",
            clips: "wait and are sent again",
            recovery: "at once, then after 1 to 60 s",
        },
        defect,
    ),
    (
        Row {
            fault: "clips fill their part of the disk",
            alarm: "is lost: it made room when only queued",
            clips: "those that are kept in the cloud go first, then set aside, undecided, rejected \
                    ones; labelled ones never before they are kept",
            recovery: "when clips get through, or `clips.disk_mib` is larger; the alarm \
                       `clips_nearly_full` comes long before",
        },
        disk_budget,
    ),
];

#[test]
fn every_fault_of_the_cloud_is_as_docs_faults_says() {
    for (row, cause) in &FAULTS {
        eprintln!("{}", row.fault);
        let Some(told) = cause() else {
            println!("skipped: {}", row.fault);
            continue;
        };
        assert!(told.iter().any(|line| line.contains(row.alarm)), "{}: {told:?}", row.fault);
    }
    check();
}

fn check() {
    let mut part = HEAD.to_owned();
    for (Row { fault, alarm, clips, recovery }, _) in &FAULTS {
        writeln!(part, "| {fault} | {alarm} | {clips} | {recovery} |").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (line, written) = page.split_once(MARK).unwrap_or((&page, ""));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        return std::fs::write(&path, format!("{line}{MARK}{part}")).unwrap();
    }
    assert_eq!(written, part, "run again with UPDATE_DOCS=1 to write docs/faults.md");
}

/// A station with a clip, and a service that gets it in the end, whatever `cause` does before and
/// `mend` after the operator was told.
fn told_and_mended(
    cause: impl FnOnce(&Station, &Service),
    mend: impl FnOnce(&Station, &Service),
) -> Option<Vec<String>> {
    let (mut station, service) = (Station::new(), patient_service());
    station.accept(2);
    cause(&station, &service);
    let uploader = station.start_to(&service);
    station.wait("told", || station.told("upload_trouble") + station.told("clips_held") == 1);
    mend(&station, &service);
    station.wait_for_all("mended");
    stop(uploader);
    station.is_all_kept_by(&service);
    Some(told(&station))
}

fn told(station: &Station) -> Vec<String> {
    station.events().iter().map(ToString::to_string).collect()
}

fn no_network() -> Option<Vec<String>> {
    told_and_mended(|_, service| service.down(), |_, service| service.up())
}

/// The same on so many connections that it is told.
fn many(service: &Service, fault: &Fault) {
    for _ in 0..4 {
        service.script([fault.clone()]);
    }
}

fn error_500() -> Option<Vec<String>> {
    let answer = Fault::Answers { status: 500, kind: "InternalFailure" };
    told_and_mended(|_, service| many(service, &answer), |_, _| ())
}

fn hangs() -> Option<Vec<String>> {
    told_and_mended(|_, service| many(service, &Fault::NeverAnswers), |_, _| ())
}

fn access_denied() -> Option<Vec<String>> {
    let answer = Fault::Answers { status: 403, kind: "AccessDeniedException" };
    told_and_mended(|_, service| many(service, &answer), |_, _| ())
}

fn no_retention() -> Option<Vec<String>> {
    let retention = |hours| {
        move |_: &Station, service: &Service| {
            service.set_retention(STREAM, hours);
        }
    };
    told_and_mended(retention(0), retention(1))
}

fn wrong_region() -> Option<Vec<String>> {
    let (station, service) = (Station::new(), patient_service());
    let mut config = station.config(&service);
    if let UploadConfig::KinesisVideo(config) = &mut config {
        config.region = "us-east-1".to_owned();
    }
    let what = Uploading {
        config: &config,
        station: "station",
        cameras: &[top()],
        first_run: station.run(),
        waits: short(),
    };
    let clock: Arc<dyn sightline_pipeline::clock::Clock> = station.clock.clone();
    let refused = upload::start(&what, || station.open_clips(), &station.counters, &clock);
    assert!(service.calls().is_empty());
    Some(vec![refused.err().unwrap().to_string()])
}

fn clock_not_right() -> Option<Vec<String>> {
    let synced = |is| {
        move |station: &Station, _: &Service| {
            station.clock.is_synced.store(is, Ordering::Release);
        }
    };
    told_and_mended(synced(false), synced(true))
}

fn one_clip() -> Option<Vec<String>> {
    let (mut station, service) = (Station::new(), patient_service());
    let bad = station.accept(2);
    let clip = station.clip(bad);
    service.reset_at(Some(clip.timecode_ms(&clip.fragments[0].fragment)));
    let uploader = station.start_to(&service);
    for _ in 0..40 {
        if station.is(bad, ClipState::Quarantined) {
            break;
        }
        let next = station.accept(1);
        station.wait("the others go", || station.is(next, ClipState::Persisted));
        let tried = service.connections() + 8;
        let is_tried = || station.is(bad, ClipState::Quarantined) || service.connections() > tried;
        station.wait("it is tried", is_tried);
    }
    stop(uploader);
    Some(told(&station))
}

fn defect() -> Option<Vec<String>> {
    let (mut station, service) = (Station::new(), patient_service());
    station.accept(1);
    station.clock.panics.store(1, Ordering::Release);
    let uploader = station.start_to(&service);
    station.wait_for_all("after a panic");
    stop(uploader);
    Some(told(&station))
}

fn disk_budget() -> Option<Vec<String>> {
    // Less than a clip needs while it is written, beside another.
    let config = ClipConfig { disk_mib: 1, ..ClipConfig::default() };
    if let Err(error) = Encoders::new(&config, 30) {
        println!("{error}");
        return None;
    }
    let mut station = Station::new();
    let old = station.accept(1);
    let made = small_clip(&station);
    let (sender, reels) = link(made.len(), WhenFull::Wait);
    for reel in made {
        sender.send(reel).unwrap();
    }
    drop(sender);
    let clips = station.open_clips().unwrap();
    clip::run(&reels, clips, station.run(), setup(config), &station.counters, &*station.clock);
    assert!(station.clip(old).gone_at.is_some());
    assert_eq!(station.clips.waiting(&top(), 9).unwrap().len(), 1, "the new one");
    Some(told(&station))
}

const SIZE: SizePx = SizePx::new(64, 48);

fn small_clip(station: &Station) -> Vec<Reel> {
    use sightline_pipeline::clock::Clock;
    let began = CaptureTime { mono: station.clock.now(), wall: station.clock.wall() };
    let mut reels = vec![Reel::Begin { camera: top(), clock_is_synced: true }];
    for index in 0..5_u64 {
        let since = std::time::Duration::from_millis(33 * index);
        let at = CaptureTime { mono: began.mono.plus(since), wall: began.wall.plus(since) };
        let bytes = FilmBytes { bytes: vec![99; 64 * 48 * 3 / 2], back: None };
        reels.push(Reel::Picture(FilmPicture { size: SIZE, bytes, at, sequence: index }, vec![]));
    }
    let part =
        ClipPart { part: PartId(2), verdict: VerdictWord::Reject, at: began, picture: Some(0) };
    let note = Arc::new(Note {
        part,
        recipe: "r".into(),
        headline: String::new(),
        reasons: Vec::new(),
        score: 0.9,
        box_in_frame: RectPx::new(0, 0, 9, 9),
        velocity_px_per_s: None,
        marks: Vec::new(),
        heatmap: None,
        frame_size: SIZE,
    });
    let (class, notes) = (ClipClass::Rejected, vec![note]);
    reels.push(Reel::End { class, notes, pictures_missing: 0 });
    reels
}

fn setup(config: ClipConfig) -> ClipSetup {
    ClipSetup {
        camera: top(),
        config,
        fps: 30,
        imprint: Imprint { station: "station".into(), software: "test".into() },
        draw: Arc::new(|_, _| ()),
        tags: Arc::new(|_| Vec::new()),
        facts: Arc::new(|_| serde_json::json!({})),
        accepted: Arc::new(|_| ()),
        nearly_full: Arc::default(),
        writing: Arc::default(),
    }
}
