//! A store with clips that were never filmed, and the command line on it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domain::{CameraId, CaptureTime, MonoTime, PartId, WallTime};
use serde_json::Value;
use store::{
    ClipClass, ClipEnd, ClipId, ClipPart, ClipStart, ClipState, Clips, Fragment, RunStart, Store,
    VerdictWord,
};
use tempfile::TempDir;

pub const BYTES: u64 = 700_000;

/// What came of a command.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// A store with three clips: 1 is persisted, 2 undecided and queued, 3 of another camera, rejected
/// and held.
pub struct StoreWith {
    dir: TempDir,
}

impl StoreWith {
    pub fn three_clips() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(dir.path()).unwrap();
        let started_at = WallTime { unix_ns: 0 };
        store.start_run(&RunStart { started_at, source: "a test" }).unwrap();
        let mut clips = store.clips().unwrap();
        let first = accept(&mut clips, "top", 0, ClipClass::Rejected);
        clips.advance(first, 0, ClipState::Persisted, Some("91343852333181")).unwrap();
        accept(&mut clips, "top", 60, ClipClass::Undecided);
        let third = accept(&mut clips, "side", 120, ClipClass::Rejected);
        clips.hold(third, "the customer asked").unwrap();
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs `sightline clips WHAT STORE ARGS`.
    pub fn clips(&self, what: &str, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sightline"));
        command.args(["clips", what]).arg(self.path()).args(args).stdin(Stdio::null());
        let output = command.env_remove("SIGHTLINE_LOG").output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let code = output.status.code().unwrap();
        Ran { code, out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The file of the clip that starts so many seconds after the others.
    pub fn file(&self, camera: &str, start_s: u64) -> PathBuf {
        self.path()
            .join(format!("clips/000001/{camera}-{}.mkv", 1_700_000_000_000 + start_s * 1_000))
    }

    /// Every file of a clip, and how many bytes it has.
    pub fn files(&self) -> Vec<(PathBuf, u64)> {
        let entries = fs::read_dir(self.path().join("clips/000001")).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.path(), entry.metadata().unwrap().len()))
            .collect();
        files.sort();
        files
    }
}

fn time(seconds: u64) -> CaptureTime {
    let wall_s = i64::try_from(1_700_000_000 + seconds).unwrap();
    CaptureTime {
        mono: MonoTime::from_ns(seconds * 1_000_000_000),
        wall: WallTime { unix_ns: wall_s * 1_000_000_000 },
    }
}

fn accept(clips: &mut Clips, camera: &str, start_s: u64, class: ClipClass) -> ClipId {
    let camera = CameraId::new(camera);
    let run = store::RunId(1);
    let start = ClipStart { run, camera: &camera, started: time(start_s), clock_is_synced: true };
    let mut file = clips.begin(&start).unwrap();
    file.write_all(&vec![7; usize::try_from(BYTES).unwrap()]).unwrap();
    let header_bytes = 100;
    let fragment = Fragment {
        offset_bytes: header_bytes,
        size_bytes: BYTES - header_bytes,
        timecode_at_bytes: header_bytes,
        starts_ms: 0,
        lasts_ms: 5_000,
    };
    let part = |part| ClipPart {
        part: PartId(part),
        verdict: VerdictWord::Reject,
        at: time(start_s + 2),
        picture: Some(30),
    };
    let end = ClipEnd {
        ended: time(start_s + 5),
        class,
        header_bytes,
        fragments: vec![fragment],
        parts: (1..=5).map(part).collect(),
        pictures: 75,
        pictures_missing: 1,
        facts: Value::Null,
    };
    clips.accept(file, &end).unwrap()
}
