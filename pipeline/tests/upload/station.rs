//! A station with clips to bring: takes how it is set up; gives its store, its clock and its
//! uploader.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use domain::{CameraId, CaptureTime, Event, MonoTime, PartId, WallTime};
use sightline_pipeline::clock::{Clock, RealClock};
use sightline_pipeline::stage::Counters;
use sightline_pipeline::upload::{
    self, KinesisVideoConfig, UploadConfig, Uploader, Uploading, Waits,
};
use store::{
    Clip, ClipClass, ClipEnd, ClipId, ClipPart, ClipStart, ClipState, Clips, Fragment, RunId,
    RunStart, Store, StoreError, VerdictWord, Writer,
};
use tempfile::TempDir;

use crate::kvs::{Config, Credentials, Limits, Service};
use crate::raw;

/// The station's only camera; its stream is `station-top`.
pub const STREAM: &str = "station-top";

/// The machine's clock, that follows a time server when a test says so, and may be wrong.
pub struct TestClock {
    real: RealClock,
    pub is_synced: AtomicBool,
    /// How often it panics when it is asked whether it is right: a defect of ours.
    pub panics: AtomicU32,
}

impl Clock for TestClock {
    fn now(&self) -> MonoTime {
        self.real.now()
    }

    fn wall(&self) -> WallTime {
        self.real.wall()
    }

    fn wall_is_synced(&self) -> bool {
        let left = self.panics.load(Ordering::Acquire);
        if left > 0 {
            self.panics.store(left - 1, Ordering::Release);
            panic!("as the test wants it");
        }
        self.is_synced.load(Ordering::Acquire)
    }
}

/// A station.
pub struct Station {
    pub dir: TempDir,
    pub clock: Arc<TestClock>,
    pub counters: Arc<Counters>,
    pub clips: Clips,
    store: Store,
    writer: Writer,
    /// Clips begin so long after each other, from an hour ago.
    pub accepted: Vec<ClipId>,
}

pub fn top() -> CameraId {
    CameraId::new("top")
}

/// Waits as short as a loaded machine allows.
pub fn short() -> Waits {
    Waits {
        look_every: Duration::from_millis(20),
        answer_within: Duration::from_secs(2),
        quiet_at_most: Duration::from_secs(2),
        back_off: (Duration::from_millis(10), Duration::from_millis(100)),
        yield_for: Duration::from_millis(50),
        wait_for: Duration::from_millis(50),
        copy_within: Duration::from_secs(10),
        ..Waits::default()
    }
}

/// A service that does not mind how often it is called.
pub fn patient_service() -> Service {
    let limits = Limits { puts_per_s: 10_000, control_per_s: 10_000, ..Limits::default() };
    let service = Service::with(Config { limits, ..Config::default() });
    service.make_stream(STREAM, 24);
    service
}

impl Station {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&dir.path().join("store")).unwrap();
        let start = RunStart { started_at: WallTime { unix_ns: 1_000 }, source: "test" };
        let writer = store.start_run(&start).unwrap();
        let clips = store.clips().unwrap();
        let clock = Arc::new(TestClock {
            real: RealClock::start(),
            is_synced: AtomicBool::new(true),
            panics: AtomicU32::new(0),
        });
        let counters = Arc::new(Counters::of_cameras([top()]));
        Self { dir, clock, counters, clips, store, writer, accepted: Vec::new() }
    }

    /// Accepts a clip of so many fragments of two seconds, a minute after the one before.
    pub fn accept(&mut self, fragments: u64) -> ClipId {
        self.accept_after(-3600 + 60 * self.accepted.len() as i64, fragments, true)
    }

    /// Accepts a clip that starts `after_s` from now on the wall.
    pub fn accept_after(&mut self, after_s: i64, fragments: u64, clock_is_synced: bool) -> ClipId {
        let mono = self.clock.now();
        let wall = WallTime { unix_ns: self.clock.wall().unix_ns + after_s * 1_000_000_000 };
        let started = CaptureTime { mono, wall };
        let lasts = Duration::from_secs(2 * fragments);
        let ended = CaptureTime { mono: mono.plus(lasts), wall: wall.plus(lasts) };
        let camera = top();
        let run = self.writer.run();
        let start = ClipStart { run, camera: &camera, started, clock_is_synced };
        let header = raw::header();
        let mut bytes = header.clone();
        let tags = raw::tags(&[("station", "test")]);
        let fragments = (0..fragments).map(|index| {
            let offset_bytes = bytes.len() as u64;
            let fragment = [tags.clone(), raw::fragment(1)].concat();
            bytes.extend(&fragment);
            Fragment {
                offset_bytes,
                size_bytes: fragment.len() as u64,
                timecode_at_bytes: offset_bytes + tags.len() as u64 + 14,
                starts_ms: index * 2000,
                lasts_ms: 2000,
            }
        });
        let fragments = fragments.collect();
        let mut file = self.clips.begin(&start).unwrap();
        file.write_all(&bytes).unwrap();
        let part = ClipPart {
            part: PartId(1),
            verdict: VerdictWord::Reject,
            at: started,
            picture: Some(0),
        };
        let end = ClipEnd {
            ended,
            class: ClipClass::Rejected,
            header_bytes: header.len() as u64,
            fragments,
            parts: vec![part],
            pictures: 60,
            pictures_missing: 0,
            facts: serde_json::json!({}),
        };
        let id = self.clips.accept(file, &end).unwrap();
        self.accepted.push(id);
        id
    }

    pub fn start(&self, config: &UploadConfig, waits: Waits) -> Uploader {
        let what = Uploading {
            config,
            station: "station",
            cameras: &[top()],
            first_run: self.writer.run(),
            waits,
        };
        let clock: Arc<dyn Clock> = self.clock.clone();
        upload::start(&what, || self.store.clips(), &self.counters, &clock).unwrap()
    }

    /// The run of its clips.
    pub fn run(&self) -> RunId {
        self.writer.run()
    }

    /// The write half for clips, once more.
    pub fn open_clips(&self) -> Result<Clips, StoreError> {
        self.store.clips()
    }

    /// How the upload goes.
    pub fn upload(&self) -> domain::UploadSnapshot {
        self.counters.snapshot().uploads.remove(0)
    }

    /// Starts to bring clips to `service`.
    pub fn start_to(&self, service: &Service) -> Uploader {
        self.start(&self.config(service), short())
    }

    /// What brings clips to `service`.
    pub fn config(&self, service: &Service) -> UploadConfig {
        let credentials = self.sign_by(&Config::default().keys[0]);
        UploadConfig::KinesisVideo(KinesisVideoConfig {
            region: service.region().to_owned(),
            allowed_regions: vec![service.region().to_owned()],
            stream: "{station}-{camera}".to_owned(),
            profile: None,
            credentials: Some(credentials),
            create_with_retention_h: None,
            endpoint: Some(service.endpoint()),
        })
    }

    /// Writes the credentials file.
    pub fn sign_by(&self, key: &Credentials) -> PathBuf {
        let path = self.dir.path().join("credentials");
        let Credentials { access_key, secret_key, .. } = key;
        let text = format!(
            "[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn clip(&self, id: ClipId) -> Clip {
        self.clips.clip(id).unwrap()
    }

    pub fn is(&self, id: ClipId, state: ClipState) -> bool {
        self.clip(id).state == state
    }

    /// Waits until every clip is kept.
    pub fn wait_for_all(&self, why: &str) {
        let all = || self.accepted.iter().all(|id| self.is(*id, ClipState::Persisted));
        self.wait(why, all);
    }

    pub fn wait(&self, what: &str, holds: impl Fn() -> bool) {
        for _ in 0..6000 {
            if holds() {
                return;
            }
            let _ = crossbeam_channel::never::<()>().recv_timeout(Duration::from_millis(10));
        }
        let clips: Vec<_> = self.accepted.iter().map(|id| self.clip(*id)).collect();
        panic!("{what}: not within a minute; {clips:#?}, {:?}", self.counters.events());
    }

    /// How often an event was told.
    pub fn told(&self, event: &str) -> u64 {
        self.counters.events().get(event).copied().unwrap_or_default()
    }

    /// The events that were told.
    pub fn events(&self) -> Vec<Event> {
        self.counters.take_unwritten()
    }

    /// Whether the service keeps every fragment of every clip, whole, with its time; nothing
    /// else, and nothing twice but what was sent again.
    pub fn is_all_kept_by(&self, service: &Service) {
        let mut expected = Vec::new();
        for id in &self.accepted {
            let clip = self.clip(*id);
            expected.extend(clip.fragments.iter().map(|row| clip.timecode_ms(&row.fragment)));
            assert!(clip.fragments.iter().all(|row| row.number.is_some()), "{clip:?}");
        }
        let view = service.view(STREAM);
        let starts: Vec<_> = view.iter().map(|stored| stored.fragment.starts_ms).collect();
        assert_eq!(starts, expected);
        assert_eq!(service.overlaps(STREAM), []);
        let tags = raw::tags(&[("station", "test")]);
        for stored in service.fragments(STREAM) {
            let timecode = u64::try_from(stored.fragment.starts_ms).unwrap();
            let sent = [tags.clone(), raw::fragment(timecode)].concat();
            assert!(stored.fragment.bytes == sent, "other bytes than were accepted");
        }
    }
}

/// Stops an uploader that must stop soon.
pub fn stop(uploader: Uploader) {
    assert!(uploader.stop(Duration::from_secs(30)), "it did not stop");
}
