//! Whole reels into a store, and into one that refuses.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64};

use domain::{CameraId, MonoTime, PartId, RectPx, SizePx};
use store::{RunStart, Store, Tally, VerdictWord};

use super::*;
use crate::clock::SimulatedClock;
use crate::limits;
use crate::link::{WhenFull, link};
use crate::record::clip::ClipConfig;
use crate::record::reel::{FilmBytes, Imprint};

const SIZE: SizePx = SizePx::new(320, 240);
const FPS: u64 = 30;
const START_NS: i64 = 1_795_290_301_883_456_789;

/// Whether clips can be encoded here; says so when not.
fn can_encode() -> bool {
    let can = Encoders::new(&ClipConfig::default(), 30).is_ok()
        && gst::ElementFactory::find("h264parse").is_some();
    if !can {
        println!("skipped: no H.264 encoder, or no h264parse");
    }
    can
}

fn at(second: u64, index: u64) -> CaptureTime {
    let since =
        std::time::Duration::from_nanos(second * 1_000_000_000 + index * 1_000_000_000 / FPS);
    let wall = WallTime { unix_ns: START_NS };
    CaptureTime { mono: MonoTime::ZERO.plus(since), wall: wall.plus(since) }
}

fn picture(size: SizePx, second: u64, index: u64) -> Reel {
    let luma = (size.width * size.height) as usize;
    let mut bytes: Vec<u8> = (0..luma).map(|i| u8::try_from(i % 100).unwrap() + 60).collect();
    bytes.resize(luma * 3 / 2, 128);
    let bytes = FilmBytes { bytes, back: None };
    let picture = FilmPicture { size, bytes, at: at(second, index), sequence: index };
    let notes = if (10..20).contains(&index) { vec![note(second)] } else { Vec::new() };
    Reel::Picture(picture, notes)
}

fn note(part: u64) -> Arc<Note> {
    Arc::new(Note {
        part: ClipPart {
            part: PartId(part),
            verdict: VerdictWord::Reject,
            at: at(part, 15),
            picture: Some(15),
        },
        recipe: "caps".into(),
        headline: "REJECT".to_owned(),
        reasons: Vec::new(),
        score: 0.9,
        box_in_frame: RectPx::new(0, 0, 10, 10),
        velocity_px_per_s: None,
        marks: Vec::new(),
        heatmap: None,
        frame_size: SIZE,
    })
}

fn begin() -> Reel {
    Reel::Begin { camera: CameraId::new("top"), clock_is_synced: true }
}

fn end(second: u64) -> Reel {
    let notes = vec![note(second)];
    Reel::End { class: ClipClass::Rejected, notes, pictures_missing: 3 }
}

/// A clip of `count` pictures from `second` on, which is also the number of its part.
fn clip(second: u64, count: u64) -> Vec<Reel> {
    let pictures = (0..count).map(|index| picture(SIZE, second, index));
    std::iter::once(begin()).chain(pictures).chain([end(second)]).collect()
}

/// What came of reels: the clips that were accepted, and the events.
struct Came {
    accepted: Arc<Mutex<Vec<ClipDone>>>,
    drawn: Arc<Mutex<Vec<usize>>>,
    counters: Counters,
}

impl Came {
    fn events(&self) -> Vec<String> {
        self.counters.take_unwritten().iter().map(ToString::to_string).collect()
    }

    fn parts(&self) -> Vec<Vec<PartId>> {
        self.accepted.lock().unwrap().iter().map(|done| done.parts.clone()).collect()
    }
}

fn setup(config: ClipConfig, came: &Came) -> ClipSetup {
    let (accepted, drawn) = (Arc::clone(&came.accepted), Arc::clone(&came.drawn));
    ClipSetup {
        camera: CameraId::new("top"),
        config,
        fps: 30,
        imprint: Imprint { station: "bottling".into(), software: "sightline".into() },
        draw: Arc::new(move |picture, notes| {
            picture.bytes.bytes[..100].fill(255);
            drawn.lock().unwrap().push(notes.len());
        }),
        tags: Arc::new(|notes| {
            let tag = |n: &Arc<Note>| Tag { name: "part".into(), value: n.part.part.to_string() };
            notes.iter().map(tag).collect()
        }),
        facts: Arc::new(
            |facts| serde_json::json!({ "camera": facts.camera, "pictures": facts.pictures }),
        ),
        accepted: Arc::new(move |done| accepted.lock().unwrap().push(done)),
        nearly_full: Arc::new(AtomicBool::new(false)),
        writing: Arc::default(),
    }
}

fn run_with<O: Outbox>(outbox: O, run: RunId, config: ClipConfig, reels: Vec<Reel>) -> Came {
    let came =
        Came { accepted: Arc::default(), drawn: Arc::default(), counters: Counters::default() };
    let (sender, receiver) = link(reels.len(), WhenFull::Wait);
    for reel in reels {
        sender.send(reel).unwrap();
    }
    drop(sender);
    let clock = SimulatedClock::default();
    Maker::new(outbox, run, setup(config, &came), &came.counters, &clock).run(&receiver);
    came
}

/// Reels into a store of its own.
fn stored(config: ClipConfig, reels: Vec<Reel>) -> (tempfile::TempDir, Clips, Came) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create_or_open(folder.path()).unwrap();
    let start = RunStart { started_at: WallTime { unix_ns: START_NS }, source: "test" };
    let run = store.start_run(&start).unwrap().run();
    let came = run_with(store.clips().unwrap(), run, config, reels);
    let clips = store.clips().unwrap();
    (folder, clips, came)
}

#[test]
fn clips_are_accepted_one_after_the_other_with_all_that_belongs_to_them() {
    if !can_encode() {
        return;
    }
    let config = ClipConfig { fragment_ms: 1000, ..ClipConfig::default() };
    let reels = [clip(7, 75), clip(20, 40)].into_iter().flatten().collect();
    let (_folder, clips, came) = stored(config, reels);
    assert_eq!(came.events(), [""; 0]);
    assert_eq!(came.parts(), [[PartId(7)], [PartId(20)]]);
    assert_eq!(came.drawn.lock().unwrap().len(), 115, "each picture is drawn on");
    let kept = clips.waiting(&CameraId::new("top"), 9).unwrap();
    let [one, two] = &kept[..] else { panic!("two clips: {kept:?}") };
    assert_eq!((one.pictures, one.pictures_missing, one.class), (75, 3, ClipClass::Rejected));
    assert_eq!((one.started, one.ended), (at(7, 0), at(7, 74)));
    assert_eq!(one.parts, [note(7).part.clone()]);
    assert_eq!(one.fragments.len(), 2, "half a second at the end is in the one before");
    assert_eq!(one.header_bytes, two.header_bytes);
    let (first, second) = (std::fs::read(&one.path).unwrap(), std::fs::read(&two.path).unwrap());
    let header = usize::try_from(one.header_bytes).unwrap();
    assert_eq!(first[..header], second[..header], "both go behind one header");
    assert_eq!(one.done().bytes, first.len() as u64);
    for row in &one.fragments {
        let fragment = row.fragment;
        let at = usize::try_from(fragment.timecode_at_bytes).unwrap();
        assert_eq!(first[at..at + 8], one.timecode_ms(&fragment).to_be_bytes());
        let from = usize::try_from(fragment.offset_bytes).unwrap();
        let tagged = first[from..at].windows(7).any(|said| said == b"P000007");
        assert_eq!(tagged, fragment.starts_ms == 0, "said where the part is seen");
    }
}

trait Done {
    fn done(&self) -> ClipDone;
}

impl Done for store::Clip {
    fn done(&self) -> ClipDone {
        let parts = self.parts.iter().map(|part| part.part).collect();
        let (camera, started) = (self.camera.clone(), self.started.wall);
        ClipDone { camera, started, parts, bytes: self.size_bytes }
    }
}

#[test]
fn reels_that_are_torn_cost_only_the_clip_that_is_torn() {
    if !can_encode() {
        return;
    }
    let torn = |drop: fn(&Reel) -> bool| clip(1, 12).into_iter().filter(move |reel| !drop(reel));
    let odd = [begin(), picture(SIZE, 40, 0), picture(SizePx::new(160, 120), 40, 1), end(40)];
    let reels = clip(2, 12)
        .into_iter()
        .chain(torn(|reel| matches!(reel, Reel::End { .. })))
        .chain(clip(3, 12))
        .chain(torn(|reel| matches!(reel, Reel::Begin { .. })))
        .chain(torn(|reel| matches!(reel, Reel::Picture(..))))
        .chain(odd)
        .chain(clip(50, 12))
        .chain([begin(), picture(SIZE, 60, 0)]);
    let (_folder, clips, came) = stored(ClipConfig::default(), reels.collect());
    assert_eq!(came.parts(), [[PartId(2)], [PartId(3)], [PartId(50)]]);
    let events = came.events();
    let says = ["its end", "its beginning", "no picture", "picture 1 is 160x120", "line stopped"];
    assert_eq!(events.len(), says.len(), "{events:?}");
    for (event, says) in events.iter().zip(says) {
        assert!(event.starts_with("top: a clip is lost: ") && event.contains(says), "{event}");
    }
    assert_eq!(clips.tally().unwrap().queued.clips, 3);
    let left = walk(_folder.path());
    assert!(!left.iter().any(|path| path.ends_with(".partial")), "{left:?}");
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn an_encoder_that_is_not_there_costs_clips_and_nothing_else() {
    let config = ClipConfig { encoder: Some("filesink".to_owned()), ..ClipConfig::default() };
    let (_folder, clips, came) = stored(config, [clip(1, 3), clip(2, 3)].concat_reels());
    assert_eq!(came.events().len(), 2, "told once a clip");
    assert_eq!(clips.tally().unwrap().queued.clips, 0);
}

trait ConcatReels {
    fn concat_reels(self) -> Vec<Reel>;
}

impl<const N: usize> ConcatReels for [Vec<Reel>; N] {
    fn concat_reels(self) -> Vec<Reel> {
        self.into_iter().flatten().collect()
    }
}

/// A store that does as it is told.
#[derive(Default)]
struct Fake {
    /// Bytes that the disk takes, of each clip in turn; all when there is no more.
    disk: Mutex<Vec<usize>>,
    evicts: Vec<Evicted>,
    queued_bytes: Vec<u64>,
    accepted: i64,
}

struct FakeFile {
    room: usize,
}

impl Write for FakeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.checked_sub(bytes.len());
        self.room = room.ok_or_else(|| io::Error::from(io::ErrorKind::StorageFull))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outbox for Fake {
    type File = FakeFile;

    fn begin(&self, _: &ClipStart<'_>) -> Result<FakeFile, StoreError> {
        Ok(FakeFile { room: self.disk.lock().unwrap().pop().unwrap_or(usize::MAX) })
    }

    fn accept(&mut self, _: FakeFile, end: &ClipEnd) -> Result<ClipId, StoreError> {
        assert!(!end.fragments.is_empty());
        self.accepted += 1;
        Ok(ClipId(self.accepted))
    }

    fn make_room(
        &mut self,
        budget: &Budget,
        more_bytes: u64,
        _: WallTime,
    ) -> Result<Vec<Evicted>, StoreError> {
        assert!(more_bytes > 1000, "a clip's bytes");
        let (kept_bytes, bytes_max) = (self.tally()?.queued.bytes, budget.bytes_max);
        if kept_bytes + more_bytes > bytes_max {
            let path = "clips".into();
            return Err(StoreError::NoRoom { path, more_bytes, kept_bytes, bytes_max });
        }
        Ok(std::mem::take(&mut self.evicts))
    }

    fn tally(&self) -> Result<ClipTally, StoreError> {
        let at = usize::try_from(self.accepted).unwrap();
        let bytes = self.queued_bytes.get(at).copied().unwrap_or_default();
        Ok(ClipTally { queued: Tally { clips: 1, bytes }, ..ClipTally::default() })
    }

    fn sidecar_bytes(_: &FakeFile, end: &ClipEnd) -> u64 {
        end.facts.to_string().len() as u64
    }
}

fn run_id() -> RunId {
    RunId(1)
}

#[test]
fn a_full_disk_costs_the_clip_and_the_next_one_is_made_anew() {
    if !can_encode() {
        return;
    }
    // The first has room for nothing, the second for a header and no fragment.
    let fake = Fake { disk: Mutex::new(vec![400, 0]), ..Fake::default() };
    let reels = [clip(1, 12), clip(2, 12), clip(3, 12)].concat_reels();
    let came = run_with(fake, run_id(), ClipConfig::default(), reels);
    assert_eq!(came.parts(), [[PartId(3)]]);
    let events = came.events();
    assert_eq!(events.len(), 2, "{events:?}");
    for event in events {
        assert!(event.contains("the disk does not take it"), "{event}");
    }
}

#[test]
fn what_goes_to_make_room_is_told_and_what_does_not_fit_is_lost() {
    if !can_encode() {
        return;
    }
    let evicted = |clip, class, state| Evicted { clip: ClipId(clip), class, state, size_bytes: 9 };
    let evicts = vec![
        evicted(4, ClipClass::Rejected, ClipState::Persisted),
        evicted(5, ClipClass::Undecided, ClipState::Queued),
    ];
    let mib = 1 << 20;
    // At first little, then above the alarm twice, below it, above it, and no room.
    let queued_bytes = vec![0, 80 * mib, 90 * mib, 10 * mib, 71 * mib, 100 * mib];
    let fake = Fake { evicts, queued_bytes, ..Fake::default() };
    let config = ClipConfig { disk_mib: 100, ..ClipConfig::default() };
    let reels = [1, 2, 3, 4, 5, 6].map(|second| clip(second, 12)).concat_reels();
    let came = run_with(fake, run_id(), config, reels);
    assert_eq!(came.parts().len(), 5);
    let nearly = |mib| format!("clips that only this machine has take {mib} of 100 MiB");
    let told = [
        "clip 4 made room here; the cloud keeps it".to_owned(),
        "clip 5 (undecided) is lost: it made room when only queued".to_owned(),
        nearly(80),
        nearly(71),
    ];
    let mut events = came.events();
    let lost = events.pop().unwrap();
    assert!(lost.starts_with("top: a clip is lost: clips"), "{lost}");
    assert_eq!(events, told);
}

/// A picture that does not compress.
fn noise(second: u64, index: u64) -> Reel {
    let Reel::Picture(mut picture, notes) = picture(SIZE, second, index) else { panic!() };
    let mut state = second * 1000 + index + 1;
    for byte in &mut picture.bytes.bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        [*byte, ..] = state.to_be_bytes();
    }
    Reel::Picture(picture, notes)
}

/// What the files in a folder take together.
fn bytes_in(folder: &std::path::Path) -> u64 {
    walk(folder).iter().filter_map(|path| std::fs::metadata(path).ok()).map(|it| it.len()).sum()
}

#[test]
fn the_disk_never_holds_more_than_the_budget_not_even_while_a_clip_is_written() {
    if !can_encode() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create_or_open(folder.path()).unwrap();
    let start = RunStart { started_at: WallTime { unix_ns: START_NS }, source: "test" };
    let run = store.start_run(&start).unwrap().run();
    let config = ClipConfig { disk_mib: 3, kbit_per_s: 20_000, ..ClipConfig::default() };
    let came =
        Came { accepted: Arc::default(), drawn: Arc::default(), counters: Counters::default() };
    let most = Arc::new(AtomicU64::new(0));
    let mut setup = setup(config, &came);
    let (seen, clips_in) = (Arc::clone(&most), folder.path().join("clips"));
    setup.draw = Arc::new(move |_, _| {
        seen.fetch_max(bytes_in(&clips_in), Ordering::AcqRel);
    });
    let reels: Vec<_> = (1..=24)
        .flat_map(|second| {
            let pictures = (0..20).map(move |index| noise(2 * second, index));
            std::iter::once(begin()).chain(pictures).chain([end(2 * second)])
        })
        .collect();
    let (sender, receiver) = link(reels.len(), WhenFull::Wait);
    reels.into_iter().for_each(|reel| {
        sender.send(reel).unwrap();
    });
    drop(sender);
    let writing = Arc::clone(&setup.writing);
    let (clips, clock) = (store.clips().unwrap(), SimulatedClock::default());
    Maker::new(clips, run, setup, &came.counters, &clock).run(&receiver);
    assert_eq!(came.parts().len(), 24, "{:?}", came.events());
    most.fetch_max(bytes_in(&folder.path().join("clips")), Ordering::AcqRel);
    let (most, budget) = (most.load(Ordering::Acquire), 3 << 20);
    assert!(most <= budget, "{most} bytes of {budget}");
    assert!(most > budget / 3, "{most} bytes of {budget}: too much room is kept free");
    let gone = came.counters.events().get("clip_evicted").copied().unwrap_or_default();
    assert!(gone > 0, "so little fits only when something goes");
    assert_eq!(writing.load(Ordering::Acquire), 0, "all that was reserved is given back");
}

#[test]
fn a_part_keeps_its_picture_when_pictures_before_it_are_dropped() {
    let part = note(1).part.clone();
    assert_eq!(part_in(&part, &[]).picture, Some(15));
    assert_eq!(part_in(&part, &[0, 14, 16]).picture, Some(13));
    assert_eq!(part_in(&part, &[15]).picture, None);
    assert_eq!(part_in(&ClipPart { picture: None, ..part }, &[3]).picture, None);
}

#[test]
fn values_that_the_service_would_refuse_are_named() {
    assert_eq!(ClipConfig::default().check(), Ok(()));
    let refused = |config: ClipConfig| config.check().unwrap_err().to_string();
    let fragment_ms = refused(ClipConfig { fragment_ms: 999, ..ClipConfig::default() });
    assert_eq!(fragment_ms, "[clips] fragment_ms = 999: 1000 to 10000 is right");
    assert!(refused(ClipConfig { kbit_per_s: 0, ..ClipConfig::default() }).contains("kbit_per_s"));
    assert!(refused(ClipConfig { alarm_percent: 101, ..ClipConfig::default() }).contains("101"));
    assert!(refused(ClipConfig { disk_mib: u64::MAX, ..ClipConfig::default() }).contains("disk"));
    let budget = ClipConfig { disk_mib: 100, ..ClipConfig::default() }.budget();
    assert_eq!((budget.bytes_max >> 20, budget.alarm_bytes >> 20), (100, 70));
    const { assert!(limits::CLIP_ENCODERS_HANGING > 0) };
}
