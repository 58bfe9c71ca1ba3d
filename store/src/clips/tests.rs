//! What each change of a clip's state does, one at a time.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use domain::{CameraId, CaptureTime, MonoTime, PartId, Sha256, WallTime};
use tempfile::TempDir;

use super::ClipState::{Persisted, Quarantined, Queued, Received, Sent};
use super::example::{accept_at, bytes, end, open, second, store, time, top};
use super::*;
use crate::RunId;

fn accepted(clips: &mut Clips) -> ClipId {
    accept_at(clips, "top", 1, ClipClass::Rejected).unwrap()
}

/// So many clips, from the first second on.
fn several(clips: &mut Clips, count: u64) -> Vec<ClipId> {
    let accept = |start| accept_at(clips, "top", start, ClipClass::Rejected).unwrap();
    (1..=count).map(accept).collect()
}

fn state(clips: &Clips, id: ClipId) -> ClipState {
    clips.clip(id).unwrap().state
}

/// All fragments of a clip come to `state`.
fn advance_all(clips: &mut Clips, id: ClipId, state: ClipState) {
    for position in 0..2 {
        clips.advance(id, position, state, Some("9134385233318150666")).unwrap();
    }
}

fn files(dir: &TempDir) -> Vec<String> {
    let found = files::files_under(dir.path(), CLIPS).unwrap();
    let name = |file: PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
    found.into_iter().map(name).collect()
}

const NOW: WallTime = WallTime { unix_ns: 1_800_000_000_000_000_000 };

fn budget(bytes_max: u64) -> Budget {
    Budget { bytes_max, alarm_bytes: bytes_max }
}

/// What `clips` clips of 1000 bytes take with their facts.
fn taken(clips: &Clips) -> u64 {
    let tally = clips.tally().unwrap();
    ClipState::ALL.map(|state| tally.of(state).bytes).iter().sum()
}

#[test]
fn an_accepted_clip_is_whole_and_says_what_it_is() {
    let (dir, mut clips) = store();
    let id = accepted(&mut clips);
    assert_eq!(files(&dir), ["top-1700000001000.json", "top-1700000001000.mkv"]);
    let clip = clips.clip(id).unwrap();
    let mut read = Vec::new();
    clips.open(&clip).unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, bytes(1_000, 1));
    assert_eq!((clip.sha256, clip.size_bytes), (Sha256::of(&read), 1_000));
    assert_eq!(clip.parts, end(1_000, 2).parts);
    let fragments: Vec<_> = clip.fragments.iter().map(|row| row.fragment).collect();
    assert_eq!(fragments, end(1_000, 2).fragments);
    assert_eq!((clip.started, clip.ended), (second(1), second(5)));
    assert_eq!((clip.state, &clip.held, clip.gone_at), (Queued, &None, None));
    assert_eq!(clip.timecode_ms(&clip.fragments[1].fragment), 1_700_000_003_000);
    let facts = fs::read_to_string(clip.path.with_extension("json")).unwrap();
    assert!(facts.contains(r#""line": "north""#), "{facts}");
}

#[test]
fn a_clip_that_is_dropped_or_refused_leaves_nothing() {
    let (dir, mut clips) = store();
    let camera = top();
    let start =
        ClipStart { run: RunId(1), camera: &camera, started: time(0), clock_is_synced: true };
    let mut file = clips.begin(&start).unwrap();
    file.write_all(b"half").unwrap();
    assert_eq!(files(&dir), ["top-1700000000000.mkv.partial"]);
    assert!(file.path().is_file());
    drop(file);
    assert!(files(&dir).is_empty());
    let mut file = clips.begin(&start).unwrap();
    file.write_all(&bytes(999, 0)).unwrap();
    let error = clips.accept(file, &end(1_000, 2)).unwrap_err();
    assert!(error.to_string().contains("end at 1000, the file at 999"), "{error}");
    assert!(!error.may_pass());
    // A row that the schema refuses: a run that is not there.
    let mut file = clips.begin(&ClipStart { run: RunId(9), ..start }).unwrap();
    file.write_all(&bytes(1_000, 0)).unwrap();
    clips.accept(file, &end(1_000, 2)).unwrap_err();
    assert!(files(&dir).is_empty());
    assert_eq!(clips.tally().unwrap(), ClipTally::default());
}

#[test]
fn one_name_is_given_once_and_no_name_leaves_the_folder() {
    let (dir, mut clips) = store();
    let camera = CameraId::new("../../etc/pass wd");
    let start =
        ClipStart { run: RunId(1), camera: &camera, started: time(0), clock_is_synced: true };
    let mut begun = Vec::new();
    for _ in 0..3 {
        let mut file = clips.begin(&start).unwrap();
        file.write_all(&bytes(1_000, 0)).unwrap();
        begun.push(file);
    }
    for file in begun {
        clips.accept(file, &end(1_000, 2)).unwrap();
    }
    clips.make_room(&budget(0), 0, NOW).unwrap();
    // Names of clips that are gone are not given again: their rows have them.
    let file = clips.begin(&start).unwrap();
    assert!(file.path().ends_with("clips/000001/______etc_pass_wd-1700000000000_3.mkv.partial"));
    assert!(file.path().starts_with(dir.path()));
}

#[test]
fn fragments_go_forward_only_and_the_clip_follows_the_last_of_them() {
    let (_dir, mut clips) = store();
    let id = accepted(&mut clips);
    clips.advance(id, 0, Persisted, Some("1")).unwrap();
    assert_eq!(state(&clips, id), Queued);
    clips.advance(id, 1, Sent, None).unwrap();
    assert_eq!(state(&clips, id), Sent);
    clips.advance(id, 1, Received, Some("2")).unwrap();
    clips.advance(id, 1, Sent, Some("3")).unwrap();
    clips.advance(id, 0, Sent, Some("4")).unwrap();
    let clip = clips.clip(id).unwrap();
    assert_eq!(clip.state, Received);
    let numbers: Vec<_> = clip.fragments.iter().map(|row| row.number.as_deref()).collect();
    assert_eq!(numbers, [Some("1"), Some("2")]);
    clips.advance(id, 1, Persisted, None).unwrap();
    let clip = clips.clip(id).unwrap();
    assert_eq!((clip.state, clip.fragments[1].number.as_deref()), (Persisted, Some("2")));
    let error = clips.advance(id, 2, Sent, None).unwrap_err();
    assert!(error.to_string().contains("no fragment 2 of clip 1"), "{error}");
}

#[test]
fn what_was_on_the_connection_of_a_camera_is_queued_again() {
    let (_dir, mut clips) = store();
    let ids = several(&mut clips, 4);
    let [sent, half, persisted, queued] = ids[..] else { panic!() };
    let other = accept_at(&mut clips, "side", 5, ClipClass::Rejected).unwrap();
    advance_all(&mut clips, sent, Sent);
    advance_all(&mut clips, persisted, Persisted);
    advance_all(&mut clips, other, Received);
    clips.advance(half, 0, Persisted, Some("1")).unwrap();
    clips.advance(half, 1, Received, Some("2")).unwrap();
    assert_eq!(clips.again(&top(), "reset by peer").unwrap(), 2);
    let found = [sent, half, persisted, queued, other].map(|id| {
        let clip = clips.clip(id).unwrap();
        (clip.state, clip.attempts, clip.trouble.is_some())
    });
    let want = [
        (Queued, 1, true),
        (Queued, 1, true),
        (Persisted, 0, false),
        (Queued, 0, false),
        (Received, 0, false),
    ];
    assert_eq!(found, want);
    let half = clips.clip(half).unwrap();
    assert_eq!(half.fragments[0].state, Persisted);
    assert_eq!((half.fragments[1].state, &half.fragments[1].number), (Queued, &None));
    // A new process ends every connection.
    assert_eq!(clips.recover().unwrap(), 1);
    assert_eq!(state(&clips, other), Queued);
}

#[test]
fn quarantined_clips_wait_for_a_person() {
    let (_dir, mut clips) = store();
    let id = accepted(&mut clips);
    clips.advance(id, 0, Received, Some("1")).unwrap();
    clips.quarantine(id, "codec not taken").unwrap();
    assert_eq!(clips.clip(id).unwrap().trouble.as_deref(), Some("codec not taken"));
    assert!(clips.waiting(&top(), 9).unwrap().is_empty());
    assert_eq!(clips.again(&top(), "x").unwrap(), 0);
    clips.advance(id, 0, Persisted, Some("1")).unwrap();
    clips.advance(id, 1, Received, None).unwrap();
    assert_eq!(state(&clips, id), Quarantined);
    clips.release(id).unwrap();
    let clip = clips.clip(id).unwrap();
    assert_eq!((clip.state, clip.fragments[0].state), (Queued, Persisted));
    assert_eq!(clips.waiting(&top(), 9).unwrap().len(), 1);
}

#[test]
fn held_clips_keep_their_state_and_are_not_sent() {
    let (_dir, mut clips) = store();
    let id = accepted(&mut clips);
    advance_all(&mut clips, id, Received);
    clips.hold(id, "customer asked").unwrap();
    let clip = clips.clip(id).unwrap();
    assert_eq!((clip.state, clip.held.as_deref()), (Received, Some("customer asked")));
    assert!(clips.waiting(&top(), 9).unwrap().is_empty());
    assert_eq!(clips.tally().unwrap().held.clips, 1);
    clips.release(id).unwrap();
    assert_eq!(state(&clips, id), Received);
    clips.hold(id, "").unwrap();
    for error in [
        clips.hold(ClipId(9), "x").unwrap_err(),
        clips.release(ClipId(9)).unwrap_err(),
        clips.quarantine(ClipId(9), "x").unwrap_err(),
        clips.clip(ClipId(9)).unwrap_err(),
    ] {
        assert!(matches!(&error, StoreError::NoSuchClip { what, .. } if what == "clip 9"));
    }
}

#[test]
fn what_waits_is_given_by_its_start_and_at_most_so_many() {
    let (_dir, mut clips) = store();
    for start in [5, 1, 3] {
        accept_at(&mut clips, "top", start, ClipClass::Undecided).unwrap();
        accept_at(&mut clips, "side", start, ClipClass::Undecided).unwrap();
    }
    let starts = |most| -> Vec<u64> {
        let waiting = clips.waiting(&top(), most).unwrap();
        waiting.iter().map(|clip| clip.started.mono.ns / 1_000_000_000).collect()
    };
    assert_eq!(starts(9), [1, 3, 5]);
    assert_eq!(starts(2), [1, 3]);
}

#[test]
fn clips_of_a_wrong_clock_are_held_until_it_is_right() {
    let (_dir, mut clips) = store();
    let camera = top();
    let wrong = |ns| CaptureTime { wall: WallTime { unix_ns: 5 }, ..time(ns) };
    let mut ids = Vec::new();
    for ns in [1_000_000_000, 2_000_000_000] {
        let start = ClipStart {
            run: RunId(1),
            camera: &camera,
            started: wrong(ns),
            clock_is_synced: false,
        };
        let mut file = clips.begin(&start).unwrap();
        file.write_all(&bytes(1_000, ns)).unwrap();
        ids.push(clips.accept(file, &end(1_000, 2)).unwrap());
    }
    clips.hold(ids[1], "customer asked").unwrap();
    assert!(clips.waiting(&camera, 9).unwrap().is_empty());
    let now = CaptureTime { mono: MonoTime::from_ns(9_000_000_000), wall: second(9).wall };
    assert_eq!(clips.clock_is_right(RunId(2), now).unwrap(), 0);
    assert_eq!(clips.clock_is_right(RunId(1), now).unwrap(), 2);
    assert_eq!(clips.clock_is_right(RunId(1), now).unwrap(), 0);
    let [free, held] = [ids[0], ids[1]].map(|id| clips.clip(id).unwrap());
    let why = (free.held.as_deref(), held.held.as_deref());
    assert_eq!(why, (None, Some("customer asked")));
    assert_eq!((free.started, free.ended), (second(1), second(4)));
    assert_eq!(free.parts[0].at, second(2));
    assert_eq!(held.started, second(2));
    let sidecar = fs::read(free.path.with_extension("json")).unwrap();
    let facts: serde_json::Value = serde_json::from_slice(&sidecar).unwrap();
    let ahead_ns = 5 - second(1).wall.unix_ns;
    assert_eq!((&facts["clock_ahead_ns"], &facts["line"]), (&ahead_ns.into(), &"north".into()));
    let record = &facts["outbox"];
    assert_eq!(record["clock_is_synced"], true);
    assert_eq!(record["started"], serde_json::to_value(free.started).unwrap());
    assert_eq!(record["ended"], serde_json::to_value(free.ended).unwrap());
    assert_eq!(record["parts"][0]["at"], serde_json::to_value(free.parts[0].at).unwrap());
    let on_disk: u64 = [&free, &held]
        .map(|clip| [&clip.path, &clip.path.with_extension("json")].map(|f| f.metadata().unwrap()))
        .iter()
        .flatten()
        .map(fs::Metadata::len)
        .sum();
    assert_eq!(taken(&clips), on_disk, "the budget knows the new size");
}

#[test]
fn room_is_made_in_the_order_of_loss() {
    let (dir, mut clips) = store();
    let mut accept = |start, class| accept_at(&mut clips, "top", start, class).unwrap();
    let labelled = accept(0, ClipClass::Labelled);
    let rejected = accept(1, ClipClass::Rejected);
    let undecided = accept(2, ClipClass::Undecided);
    let quarantined = accept(3, ClipClass::Rejected);
    let late = accept(5, ClipClass::Labelled);
    let early = accept(4, ClipClass::Undecided);
    clips.quarantine(quarantined, "x").unwrap();
    advance_all(&mut clips, late, Persisted);
    advance_all(&mut clips, early, Persisted);
    let all = taken(&clips);
    assert_eq!(clips.make_room(&budget(all), 0, NOW).unwrap(), []);
    let mut gone = Vec::new();
    for _ in 0..5 {
        let evicted = clips.make_room(&budget(taken(&clips)), 1, NOW).unwrap();
        assert_eq!(evicted.len(), 1);
        gone.extend(evicted.iter().map(|evicted| (evicted.clip, evicted.state)));
    }
    let want = [
        (early, Persisted),
        (late, Persisted),
        (quarantined, Quarantined),
        (undecided, Queued),
        (rejected, Queued),
    ];
    assert_eq!(gone, want);
    let error = clips.make_room(&budget(taken(&clips)), 1, NOW).unwrap_err();
    assert!(matches!(error, StoreError::NoRoom { more_bytes: 1, .. }), "{error}");
    assert_eq!(files(&dir).len(), 2);
    assert_eq!(clips.clip(early).unwrap().gone_at, Some(NOW));
    let error = clips.open(&clips.clip(early).unwrap()).unwrap_err();
    assert!(matches!(error, StoreError::ClipGone { clip: 6, .. }), "{error}");
    assert_eq!(clips.clip(labelled).unwrap().gone_at, None);
    assert!(clips.waiting(&top(), 9).unwrap().iter().all(|clip| clip.id == labelled));
}

#[test]
fn nothing_goes_when_all_that_may_go_is_not_enough() {
    let (dir, mut clips) = store();
    accepted(&mut clips);
    accept_at(&mut clips, "top", 2, ClipClass::Labelled).unwrap();
    let room = budget(taken(&clips) * 2);
    clips.make_room(&room, taken(&clips) * 2, NOW).unwrap_err();
    assert_eq!(files(&dir).len(), 4);
    assert_eq!(taken(&clips), room.bytes_max / 2);
    clips.make_room(&room, u64::MAX, NOW).unwrap_err();
}

#[test]
fn a_file_that_cannot_be_removed_keeps_its_row() {
    let (_dir, mut clips) = store();
    let ids = several(&mut clips, 3);
    // A folder in its place can't be removed as a file.
    let second = clips.clip(ids[1]).unwrap().path;
    fs::remove_file(&second).unwrap();
    fs::create_dir(&second).unwrap();
    let error = clips.make_room(&budget(0), 0, NOW).unwrap_err();
    assert!(error.to_string().contains("remove a clip"), "{error}");
    let gone: Vec<_> = ids.iter().map(|&id| clips.clip(id).unwrap().gone_at).collect();
    assert_eq!(gone, [Some(NOW), None, None]);
}

#[test]
fn the_tally_says_how_many_and_since_when() {
    let (_dir, mut clips) = store();
    assert_eq!(clips.tally().unwrap(), ClipTally::default());
    let ids = several(&mut clips, 4);
    advance_all(&mut clips, ids[0], Persisted);
    clips.quarantine(ids[1], "x").unwrap();
    clips.hold(ids[1], "x").unwrap();
    advance_all(&mut clips, ids[2], Sent);
    let tally = clips.tally().unwrap();
    let counts = ClipState::ALL.map(|state| tally.of(state).clips);
    assert_eq!(counts, [1, 1, 0, 1, 1]);
    assert_eq!(tally.held.clips, 1);
    assert_eq!(tally.oldest, Some(second(3).wall));
    let on_disk: u64 = files::files_under(&clips.folder, CLIPS)
        .unwrap()
        .iter()
        .map(|file| fs::metadata(file).unwrap().len())
        .sum();
    assert_eq!(taken(&clips), on_disk);
}

#[test]
fn several_threads_accept_at_the_same_time() {
    let (dir, clips) = store();
    drop(clips);
    let store = Store::create_or_open(dir.path()).unwrap();
    std::thread::scope(|scope| {
        for camera in ["a", "b", "c"] {
            let mut clips = store.clips().unwrap();
            scope.spawn(move || {
                for start in 0..5 {
                    accept_at(&mut clips, camera, start, ClipClass::Undecided).unwrap();
                    accept_at(&mut clips, "shared", 1, ClipClass::Undecided).unwrap();
                }
            });
        }
    });
    drop(store);
    assert_eq!(open(dir.path()).tally().unwrap().queued.clips, 30);
    assert_eq!(files(&dir).len(), 60);
}

#[test]
fn a_line_that_writes_all_the_time_lets_clips_in() {
    let (dir, clips) = store();
    drop(clips);
    let store = Store::create_or_open(dir.path()).unwrap();
    let mut writer = store.start_run(&crate::example::START).unwrap();
    let mut clips = store.clips().unwrap();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Batch after batch, and no time between them.
            for part in 1.. {
                let outcome = crate::example::outcome(part, crate::example::reject());
                writer.record(&outcome, &mut |_| true).unwrap();
                if part % 64 == 0 {
                    writer.flush().unwrap();
                }
                if is_done.load(relaxed) {
                    break;
                }
            }
        });
        let accepted: Vec<_> =
            (0..10).map(|start| accept_at(&mut clips, "top", start, ClipClass::Rejected)).collect();
        is_done.store(true, relaxed);
        assert!(accepted.iter().all(Result::is_ok), "{accepted:?}");
    });
}

#[test]
fn a_reader_finds_clips_by_what_they_are() {
    let (dir, mut clips) = store();
    let (undecided, rejected) = (ClipClass::Undecided, ClipClass::Rejected);
    let top_1 = accept_at(&mut clips, "top", 1, undecided).unwrap();
    let side_2 = accept_at(&mut clips, "side", 2, rejected).unwrap();
    let top_3 = accept_at(&mut clips, "top", 3, rejected).unwrap();
    advance_all(&mut clips, top_1, Persisted);
    let reader = crate::Reader::open(dir.path()).unwrap();
    let found = |filter: ClipFilter| -> Vec<ClipId> {
        reader.clips(&filter).unwrap().iter().map(|clip| clip.id).collect()
    };
    let all = ClipFilter::default;
    assert_eq!(found(all()), [top_3, side_2, top_1]);
    assert_eq!(found(ClipFilter { camera: Some(top()), ..all() }), [top_3, top_1]);
    assert_eq!(found(ClipFilter { state: Some(Persisted), ..all() }), [top_1]);
    assert_eq!(found(ClipFilter { class: Some(rejected), ..all() }), [top_3, side_2]);
    assert_eq!(found(ClipFilter { since: Some(second(2).wall), ..all() }), [top_3, side_2]);
    assert_eq!(found(ClipFilter { limit: Some(1), ..all() }), [top_3]);
    let part = |run, part| Some((RunId(run), PartId(part)));
    assert_eq!(found(ClipFilter { part: part(1, 7), ..all() }).len(), 3);
    assert!(found(ClipFilter { part: part(1, 8), ..all() }).is_empty());
    assert!(found(ClipFilter { part: part(2, 7), ..all() }).is_empty());
    assert_eq!(reader.clip(top_3).unwrap().unwrap(), clips.clip(top_3).unwrap());
    assert!(reader.clip(ClipId(9)).unwrap().is_none());
    assert_eq!(reader.clip_tally().unwrap(), clips.tally().unwrap());
    let would: Vec<_> = reader.would_go(0).unwrap().iter().map(|evicted| evicted.clip).collect();
    assert_eq!(would, [top_1, side_2, top_3]);
    clips.make_room(&budget(taken(&clips)), 1, NOW).unwrap();
    assert_eq!(found(all()), [top_3, side_2]);
    assert_eq!(found(ClipFilter { gone_too: true, ..all() }), [top_3, side_2, top_1]);
}

/// Each way in which a clip can be wrong, what is found, and what is left after a repair.
#[test]
fn every_gap_is_found_and_repaired_as_it_says() {
    use super::ClipFault::{
        FactsMissing, FileDiffers, FileMissing, HalfWritten, NoRow, Remains, RowsDiffer,
    };
    let (dir, mut clips) = store();
    let ids = several(&mut clips, 7);
    let path = |clips: &Clips, i: usize| clips.clip(ids[i]).unwrap().path;
    fs::remove_file(path(&clips, 0)).unwrap();
    advance_all(&mut clips, ids[1], Persisted);
    fs::write(path(&clips, 1), "short").unwrap();
    fs::write(path(&clips, 2), bytes(1_000, 99)).unwrap();
    fs::remove_file(path(&clips, 3).with_extension("json")).unwrap();
    clips.db.execute("UPDATE clip SET state = 'received' WHERE id = ?1", [ids[4].0]).unwrap();
    rows::set_gone(&clips.db, ids[5], Some(NOW)).unwrap();
    clips.db.execute_batch("DELETE FROM clip WHERE id = 7").unwrap();
    let run = dir.path().join("clips/000001");
    fs::write(run.join("top-1.mkv.partial"), "half").unwrap();
    fs::write(run.join("mine.mkv"), "mine").unwrap();
    let faults = |gaps: &[ClipGap]| gaps.iter().map(|gap| gap.fault).collect::<Vec<_>>();
    let found = verify_clips(dir.path()).unwrap();
    assert_eq!((found.clips, found.gone), (5, 1));
    // Files by name: the half one, what has no row, what remains.
    let mut want = vec![FileMissing, FileDiffers, FileDiffers, FactsMissing, RowsDiffer];
    want.extend([NoRow, HalfWritten, Remains, Remains, NoRow, NoRow]);
    let sorted = |mut faults: Vec<ClipFault>| {
        faults.sort_by_key(|fault| format!("{fault:?}"));
        faults
    };
    assert_eq!(sorted(faults(&found.gaps)), sorted(want));
    let report = crate::check(dir.path()).unwrap();
    assert_eq!((report.missing.len(), report.altered.len(), report.orphans.len()), (2, 3, 6));

    assert_eq!(clips.repair(NOW).unwrap(), found.gaps);
    let left = verify_clips(dir.path()).unwrap();
    assert_eq!(faults(&left.gaps), [FileDiffers, FactsMissing, NoRow]);
    assert_eq!(left.gaps[2].file, "clips/000001/mine.mkv");
    let is = |i: usize| (clips.clip(ids[i]).unwrap().state, clips.clip(ids[i]).unwrap().gone_at);
    assert_eq!(is(0), (Quarantined, Some(NOW)));
    assert_eq!(is(1), (Persisted, Some(NOW)));
    assert_eq!(is(2), (Quarantined, None));
    assert_eq!((is(3), is(4)), ((Queued, None), (Queued, None)));
    // The one whose row was lost is there again, under a new number.
    let again = clips.clip(ClipId(8)).unwrap();
    assert_eq!((again.started, again.state), (second(7), Queued));
}
