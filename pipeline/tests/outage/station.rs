//! A station of several cameras whose clips have to go to the cloud: takes a number of cameras and
//! how far its clock is behind; gives its store, its clock and its uploader.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::{CameraId, CaptureTime, MonoTime, PartId, WallTime};
use sightline_pipeline::clock::{Clock, RealClock};
use sightline_pipeline::stage::Counters;
use sightline_pipeline::upload::{
    self, KinesisVideoConfig, UploadConfig, Uploader, Uploading, Waits,
};
use store::{
    ClipClass, ClipEnd, ClipFile, ClipFilter, ClipId, ClipPart, ClipStart, ClipState, Clips,
    Fragment, Reader, RunStart, Store, VerdictWord, Writer,
};
use tempfile::TempDir;

use crate::kvs::{Config, Credentials, Service};
use crate::raw;

/// The machine's clock, so far behind and then put forward by hand.
pub struct SkipClock {
    real: RealClock,
    behind: Duration,
    skipped_ns: AtomicU64,
}

impl SkipClock {
    pub fn behind(behind: Duration) -> Arc<Self> {
        Arc::new(Self { real: RealClock::start(), behind, skipped_ns: AtomicU64::new(0) })
    }

    pub fn skip(&self, by: Duration) {
        self.skipped_ns.fetch_add(u64::try_from(by.as_nanos()).unwrap(), Ordering::AcqRel);
    }

    fn skipped(&self) -> Duration {
        Duration::from_nanos(self.skipped_ns.load(Ordering::Acquire))
    }
}

impl Clock for SkipClock {
    fn now(&self) -> MonoTime {
        self.real.now().plus(self.skipped())
    }

    fn wall(&self) -> WallTime {
        let behind = i64::try_from(self.behind.as_nanos()).unwrap();
        let wall = self.real.wall().plus(self.skipped());
        WallTime { unix_ns: wall.unix_ns - behind }
    }
}

/// A station.
pub struct Station {
    pub clock: Arc<SkipClock>,
    pub clips: Clips,
    pub accepted: Vec<ClipId>,
    pub cameras: Vec<CameraId>,
    pub dir: TempDir,
    counters: Arc<Counters>,
    store: Store,
    writer: Writer,
}

/// A clip that is written and not accepted yet.
pub struct Written {
    file: ClipFile,
    end: ClipEnd,
    pub bytes: u64,
}

impl Station {
    pub fn new(cameras: usize, clock: Arc<SkipClock>) -> Self {
        // In memory where that can be: it is not the disk that is on trial.
        let in_memory = tempfile::Builder::new().tempdir_in("/dev/shm");
        let dir = in_memory.or_else(|_| tempfile::tempdir()).unwrap();
        let store = Store::create_or_open(&dir.path().join("store")).unwrap();
        let start = RunStart { started_at: WallTime { unix_ns: 1_000 }, source: "test" };
        let writer = store.start_run(&start).unwrap();
        let clips = store.clips().unwrap();
        let cameras: Vec<_> = (0..cameras).map(|n| CameraId::new(&format!("c{n}"))).collect();
        let counters = Arc::new(Counters::of_cameras(cameras.iter().cloned()));
        let accepted = Vec::new();
        Self { clock, clips, accepted, cameras, dir, counters, store, writer }
    }

    pub fn stream(camera: &CameraId) -> String {
        format!("station-{camera}")
    }

    pub fn make_streams(&self, service: &Service) {
        self.cameras.iter().for_each(|camera| service.make_stream(&Self::stream(camera), 48));
    }

    /// Writes a clip of so many fragments of two seconds, that starts then.
    pub fn write(&self, camera: usize, at: WallTime, count: u64, class: ClipClass) -> Written {
        let started = CaptureTime { mono: self.clock.now(), wall: at };
        let lasts = Duration::from_secs(2 * count);
        let ended = CaptureTime { mono: started.mono.plus(lasts), wall: at.plus(lasts) };
        let camera = &self.cameras[camera];
        let run = self.writer.run();
        let mut file =
            self.clips.begin(&ClipStart { run, camera, started, clock_is_synced: true }).unwrap();
        let mut bytes = raw::header();
        let header_bytes = bytes.len() as u64;
        let mut fragments = Vec::new();
        for index in 0..count {
            let (offset_bytes, tags) = (bytes.len() as u64, tags());
            let timecode_at_bytes = offset_bytes + tags.len() as u64 + 14;
            let size_bytes = (tags.len() + raw::fragment(1).len()) as u64;
            let (starts_ms, lasts_ms) = (index * 2000, 2000);
            bytes.extend([tags, raw::fragment(1)].concat());
            fragments.push(Fragment {
                offset_bytes,
                size_bytes,
                timecode_at_bytes,
                starts_ms,
                lasts_ms,
            });
        }
        file.write_all(&bytes).unwrap();
        file.flush().unwrap();
        let verdict = match class {
            ClipClass::Undecided => VerdictWord::Undecided,
            _ => VerdictWord::Reject,
        };
        let part = ClipPart { part: PartId(1), verdict, at: started, picture: Some(0) };
        let end = ClipEnd {
            ended,
            class,
            header_bytes,
            fragments,
            parts: vec![part],
            pictures: 4 * count,
            pictures_missing: 0,
            facts: serde_json::json!({}),
        };
        Written { file, end, bytes: bytes.len() as u64 }
    }

    pub fn accept(&mut self, written: Written) -> ClipId {
        let id = self.clips.accept(written.file, &written.end).unwrap();
        self.accepted.push(id);
        id
    }

    /// As at the start of a process, then brings clips.
    pub fn start(&self, service: &Service, waits: &Waits) -> Uploader {
        self.store.clips().unwrap().recover().unwrap();
        let config = self.config(service);
        let what = Uploading {
            config: &config,
            station: "station",
            cameras: &self.cameras,
            first_run: self.writer.run(),
            waits: waits.clone(),
        };
        let clock: Arc<dyn Clock> = self.clock.clone();
        upload::start(&what, || self.store.clips(), &self.counters, &clock).unwrap()
    }

    /// Ends an uploader in the middle of whatever it does.
    pub fn kill(&self, uploader: Uploader) {
        drop(uploader);
        // Its thread is done when nobody else counts.
        self.wait("it has ended", || Arc::strong_count(&self.counters) == 1);
    }

    fn config(&self, service: &Service) -> UploadConfig {
        UploadConfig::KinesisVideo(KinesisVideoConfig {
            region: service.region().to_owned(),
            allowed_regions: vec![service.region().to_owned()],
            stream: "{station}-{camera}".to_owned(),
            profile: None,
            credentials: Some(self.key_file()),
            create_with_retention_h: None,
            endpoint: Some(service.endpoint()),
        })
    }

    fn key_file(&self) -> PathBuf {
        let path = self.dir.path().join("credentials");
        if !path.exists() {
            self.sign_by(&Config::default().keys[0]);
        }
        path
    }

    pub fn sign_by(&self, key: &Credentials) {
        let Credentials { access_key, secret_key, .. } = key;
        let text = format!(
            "[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"
        );
        std::fs::write(self.dir.path().join("credentials"), text).unwrap();
    }

    pub fn reader(&self) -> Reader {
        Reader::open(&self.dir.path().join("store")).unwrap()
    }

    /// How often an event was told.
    pub fn told(&self, event: &str) -> u64 {
        self.counters.events().get(event).copied().unwrap_or_default()
    }

    pub fn count(&self, state: ClipState) -> u64 {
        self.clips.tally().unwrap().of(state).clips
    }

    /// Waits until `holds`; `most` after that nothing more is kept it is given up.
    pub fn wait(&self, what: &str, holds: impl Fn() -> bool) {
        let (mut kept, mut still) = (0, Duration::ZERO);
        while !holds() {
            rest(Duration::from_millis(50));
            let now = self.count(ClipState::Persisted);
            still = if now == kept { still + Duration::from_millis(50) } else { Duration::ZERO };
            kept = now;
            let tally = self.clips.tally().unwrap();
            assert!(still < Duration::from_secs(60), "{what}: a minute without a clip; {tally:?}");
        }
    }

    /// Whether the service keeps every fragment of every clip that is still here once, whole, by
    /// its time and under the number that the store knows, and nothing else.
    pub fn is_all_kept_once_by(&self, service: &Service) {
        for camera in &self.cameras {
            let stream = Self::stream(camera);
            let (fragments, view) = (service.fragments(&stream), service.view(&stream));
            let kept: BTreeSet<_> =
                fragments.iter().map(|s| (s.fragment.starts_ms, s.number.clone())).collect();
            let of_camera = ClipFilter { camera: Some(camera.clone()), ..Default::default() };
            let mut clips = self.reader().clips(&of_camera).unwrap();
            clips.reverse();
            let mut expected = Vec::new();
            for clip in &clips {
                assert_eq!(clip.state, ClipState::Persisted, "{clip:?}");
                for row in &clip.fragments {
                    let timecode_ms = clip.timecode_ms(&row.fragment);
                    expected.push(timecode_ms);
                    let number = row.number.clone().unwrap();
                    assert!(kept.contains(&(timecode_ms, number)), "the store is wrong: {clip:?}");
                }
            }
            let starts: Vec<_> = view.iter().map(|stored| stored.fragment.starts_ms).collect();
            assert_eq!(starts, expected, "{stream}: each once, and nothing else");
            assert_eq!(service.overlaps(&stream), []);
            for stored in &fragments {
                let timecode = u64::try_from(stored.fragment.starts_ms).unwrap();
                let sent = [tags(), raw::fragment(timecode)].concat();
                assert!(stored.fragment.bytes == sent, "other bytes than were accepted");
            }
        }
    }
}

fn tags() -> Vec<u8> {
    raw::tags(&[("station", "test")])
}

/// When a clip that has just ended began.
pub fn just_now(clock: &SkipClock) -> WallTime {
    WallTime { unix_ns: clock.wall().unix_ns - 3_000_000_000 }
}

/// Lets real time pass.
pub fn rest(time: Duration) {
    let _ = crossbeam_channel::never::<()>().recv_timeout(time);
}

/// As [`lawful`], and nothing is taken for dead that is only slow.
pub fn patient() -> Waits {
    let Waits { answer_within, quiet_at_most, .. } = Waits::default();
    Waits { answer_within, quiet_at_most, ..lawful() }
}

/// Waits that break no rule of the service, and are short.
pub fn lawful() -> Waits {
    Waits {
        look_every: Duration::from_millis(300),
        answer_within: Duration::from_secs(2),
        quiet_at_most: Duration::from_secs(2),
        back_off: (Duration::from_millis(300), Duration::from_millis(800)),
        yield_for: Duration::from_millis(300),
        wait_for: Duration::from_millis(300),
        ..Waits::default()
    }
}
