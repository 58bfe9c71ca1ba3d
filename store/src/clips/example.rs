//! Clips made up for tests: takes sizes and times, gives what an encoder would hand over.

use std::io::Write;
use std::path::Path;

use domain::{CameraId, CaptureTime, MonoTime, PartId, WallTime};
use tempfile::TempDir;

use super::{ClipClass, ClipEnd, ClipId, ClipPart, ClipStart, Clips, Fragment};
use crate::{RunId, Store, StoreError, VerdictWord, example};

const HEADER: u64 = 100;
/// The wall time at which the line's clock began.
pub(super) const BEGAN_WALL_NS: i64 = 1_700_000_000_000_000_000;

/// `ns` after the line began.
pub(super) fn time(ns: u64) -> CaptureTime {
    let wall = WallTime { unix_ns: BEGAN_WALL_NS + i64::try_from(ns).unwrap() };
    CaptureTime { mono: MonoTime::from_ns(ns), wall }
}

/// A whole second after the line began.
pub(super) fn second(number: u64) -> CaptureTime {
    time(number * 1_000_000_000)
}

/// What is known at the end of a file of `size_bytes` with `fragments` fragments, which starts
/// within the line's first second.
pub(super) fn end(size_bytes: u64, fragments: u64) -> ClipEnd {
    let each = (size_bytes - HEADER) / fragments;
    let fragment = |i: u64| {
        let offset_bytes = HEADER + i * each;
        let last = i + 1 == fragments;
        Fragment {
            offset_bytes,
            size_bytes: if last { size_bytes - offset_bytes } else { each },
            timecode_at_bytes: offset_bytes + 2,
            starts_ms: i * 2_000,
            lasts_ms: 2_000,
        }
    };
    ClipEnd {
        ended: time(4_000_000_000),
        class: ClipClass::Rejected,
        header_bytes: HEADER,
        fragments: (0..fragments).map(fragment).collect(),
        parts: vec![ClipPart {
            part: PartId(7),
            verdict: VerdictWord::Reject,
            at: time(2_000_000_000),
            picture: Some(30),
        }],
        pictures: 60,
        pictures_missing: 1,
        facts: serde_json::json!({"line": "north"}),
    }
}

/// The bytes of a clip: the same for the same seed.
pub(super) fn bytes(size_bytes: u64, seed: u64) -> Vec<u8> {
    (0..size_bytes).map(|i| (i.wrapping_mul(31) ^ seed).to_le_bytes()[0]).collect()
}

/// A store with one run, and its write half for clips.
pub(super) fn store() -> (TempDir, Clips) {
    let dir = tempfile::tempdir().unwrap();
    let clips = open(dir.path());
    (dir, clips)
}

/// The store in `folder`, with run 1.
pub(super) fn open(folder: &Path) -> Clips {
    let store = Store::create_or_open(folder).unwrap();
    if crate::Reader::open(folder).unwrap().runs().unwrap().is_empty() {
        store.start_run(&example::START).unwrap();
    }
    store.clips().unwrap()
}

/// The camera of most tests.
pub(super) fn top() -> CameraId {
    CameraId::new("top")
}

/// Accepts a clip of 1000 bytes of `camera` that starts at a whole second.
pub(super) fn accept_at(
    clips: &mut Clips,
    camera: &str,
    start_s: u64,
    class: ClipClass,
) -> Result<ClipId, StoreError> {
    let camera = CameraId::new(camera);
    let start = ClipStart {
        run: RunId(1),
        camera: &camera,
        started: second(start_s),
        clock_is_synced: true,
    };
    let mut file = clips.begin(&start)?;
    file.write_all(&bytes(1_000, start_s)).unwrap();
    let ended = second(start_s + 4);
    clips.accept(file, &ClipEnd { class, ended, ..end(1_000, 2) })
}
