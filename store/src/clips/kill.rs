//! A process that is killed at each step of what it does, and a disk that is full: nothing that was
//! accepted is lost, nothing half is listed, and rows and files agree after `recover`.

use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use super::example::{accept_at, bytes, end, open, second, store, time, top};
use super::step::KILL_AT;
use super::*;
use crate::{RunId, check};
use domain::{Sha256, WallTime};

/// What the child is to do, and in which store.
const DO: &str = "SIGHTLINE_TEST_DO";
const STORE: &str = "SIGHTLINE_TEST_STORE";

const NOW: WallTime = WallTime { unix_ns: 1_800_000_000_000_000_000 };
const NOTHING: Budget = Budget { bytes_max: 0, alarm_bytes: 0 };

/// Not a test: what the children run. Does nothing unless it is asked to.
#[test]
fn child() {
    let Ok(task) = std::env::var(DO) else { return };
    let folder = std::env::var(STORE).unwrap();
    let mut clips = open(Path::new(&folder));
    match task.as_str() {
        "accept" => drop(accept_at(&mut clips, "top", 50, ClipClass::Rejected).unwrap()),
        "advance" => clips.advance(ClipId(1), 1, ClipState::Persisted, Some("8")).unwrap(),
        "again" => drop(clips.again(&top(), "reset").unwrap()),
        "make_room" => drop(clips.make_room(&NOTHING, 0, NOW).unwrap()),
        "recover" => drop(clips.recover().unwrap()),
        "fill" => fill(&mut clips),
        other => panic!("{other}"),
    }
}

/// The command that runs [`child`] in a process of its own.
fn child_command(task: &str, step: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "clips::kill::child", "--nocapture"]);
    command.env(DO, task).env(STORE, folder).env(KILL_AT, step);
    command
}

/// Runs `task` and kills it at `step`.
fn killed(task: &str, step: &str, folder: &Path) {
    let ended = child_command(task, step, folder).output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.signal(), Some(6), "{task} did not come to {step}: {told}");
}

/// A store with three clips: 1 has one fragment persisted and one received, 2 is persisted, 3 is
/// labelled and queued.
fn three() -> tempfile::TempDir {
    let (dir, mut clips) = store();
    for (start, class) in
        [(1, ClipClass::Rejected), (2, ClipClass::Undecided), (3, ClipClass::Labelled)]
    {
        accept_at(&mut clips, "top", start, class).unwrap();
    }
    clips.advance(ClipId(1), 0, ClipState::Persisted, Some("7")).unwrap();
    clips.advance(ClipId(1), 1, ClipState::Received, Some("8")).unwrap();
    clips.advance(ClipId(2), 0, ClipState::Persisted, None).unwrap();
    clips.advance(ClipId(2), 1, ClipState::Persisted, None).unwrap();
    dir
}

/// Opens the store as the next process does, and gives the clips whose files are there, all of
/// which are whole. Opening once more changes nothing.
fn after(folder: &Path) -> Vec<Clip> {
    let mut clips = open(folder);
    clips.recover().unwrap();
    let here: Vec<Clip> =
        rows::clips(&clips.db, folder, "WHERE gone_wall_ns IS NULL ORDER BY id", []).unwrap();
    for clip in &here {
        assert_eq!(Sha256::of(&fs::read(&clip.path).unwrap()), clip.sha256);
    }
    let report = check(folder).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(files::files_under(folder, CLIPS).unwrap().len(), 2 * here.len());
    assert_eq!(clips.recover().unwrap(), 0);
    here
}

fn ids(clips: &[Clip]) -> Vec<i64> {
    clips.iter().map(|clip| clip.id.0).collect()
}

#[test]
fn a_kill_while_a_clip_is_accepted() {
    for (step, is_kept) in [
        ("clip synced", false),
        ("facts synced", false),
        ("facts in place", false),
        // From here on nothing of it is missing: it is taken in, though nobody was told so.
        ("clip in place", true),
        ("folder synced", true),
        ("row written", true),
        ("row committed", true),
    ] {
        let dir = three();
        killed("accept", step, dir.path());
        let here = after(dir.path());
        let want: &[i64] = if is_kept { &[1, 2, 3, 4] } else { &[1, 2, 3] };
        assert_eq!(ids(&here), want, "{step}");
        if let Some(clip) = here.get(3) {
            assert_eq!((clip.started, clip.ended), (second(50), second(54)));
            assert_eq!(
                (clip.state, clip.parts.len(), clip.fragments.len()),
                (ClipState::Queued, 1, 2)
            );
        }
        // The name is free again, or taken for good.
        accept_at(&mut open(dir.path()), "top", 50, ClipClass::Rejected).unwrap();
        assert_eq!(after(dir.path()).len(), want.len() + 1);
    }
}

#[test]
fn a_kill_while_a_state_is_written() {
    for (task, step, state) in [
        // Received again only by what the service says anew.
        ("advance", "row written", ClipState::Queued),
        ("advance", "row committed", ClipState::Persisted),
        ("again", "row written", ClipState::Queued),
        ("again", "row committed", ClipState::Queued),
    ] {
        let dir = three();
        killed(task, step, dir.path());
        let here = after(dir.path());
        assert_eq!(ids(&here), [1, 2, 3]);
        assert_eq!(here[0].state, state, "{task}, {step}");
        assert_eq!(here[0].fragments[0].state, ClipState::Persisted);
    }
}

#[test]
fn a_kill_while_room_is_made() {
    let none: &[i64] = &[];
    for (step, left) in [
        ("row written", &[1, 2, 3][..]),
        ("row committed", none),
        ("file removed", none),
        ("clip removed", none),
    ] {
        let dir = three();
        let mut clips = open(dir.path());
        for position in 0..2 {
            clips.advance(ClipId(3), position, ClipState::Persisted, None).unwrap();
        }
        drop(clips);
        killed("make_room", step, dir.path());
        assert_eq!(ids(&after(dir.path())), left, "{step}");
    }
}

#[test]
fn a_kill_while_what_a_kill_left_is_cleared_up() {
    for first in ["facts in place", "clip in place"] {
        let dir = three();
        killed("accept", first, dir.path());
        killed("recover", "a file seen", dir.path());
        killed("recover", "row written", dir.path());
        assert_eq!(ids(&after(dir.path()))[..3], [1, 2, 3]);
    }
}

/// Accepts clips until the disk refuses; what was refused must leave nothing.
fn fill(clips: &mut Clips) {
    let (camera, mut accepted) = (top(), 0);
    let error = loop {
        let started = second(100 + accepted);
        let start = ClipStart { run: RunId(1), camera: &camera, started, clock_is_synced: true };
        let one = clips.begin(&start).and_then(|mut file| {
            let path = file.path().to_owned();
            file.write_all(&bytes(200_000, accepted))
                .map_err(|error| StoreError::io(&path, "write a clip", error))?;
            clips.accept(file, &ClipEnd { ended: started, ..end(200_000, 2) })
        });
        match one {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 500, "the disk was never full");
    };
    println!("accepted {accepted}, then: {error}");
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error:?}");
    let half = files::files_under(&clips.folder, CLIPS).unwrap();
    assert_eq!(half.len() as u64, 2 * accepted, "{half:?}");
    assert_eq!(clips.tally().unwrap().queued.clips, accepted);
}

/// Runs `fill` on a disk of two megabytes; `None` when this user may not have one.
fn on_a_small_disk(folder: &Path) -> Option<ExitStatus> {
    let mut probe = Command::new("unshare");
    let mount = r#"mount -t tmpfs -o size=2m none "$0" && exec "$@""#;
    let probed = probe.args(["-rm", "sh", "-c", mount]).arg(folder).arg("true").output();
    if !probed.is_ok_and(|probed| probed.status.success()) {
        return None;
    }
    let child = child_command("fill", "", &folder.join("store"));
    let mut small = Command::new("unshare");
    small.args(["-rm", "sh", "-c", mount]).arg(folder).arg(child.get_program());
    small.args(child.get_args());
    small.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Some(small.status().unwrap())
}

#[test]
fn a_full_disk_is_told_and_nothing_half_is_left() {
    let dir = tempfile::tempdir().unwrap();
    match on_a_small_disk(dir.path()) {
        Some(status) => assert!(status.success(), "{status}"),
        None => println!("skipped: this user may not mount a small disk"),
    }
}

#[test]
fn a_disk_that_is_full_under_one_file_is_told_by_its_name() {
    let dir = three();
    let mut clips = open(dir.path());
    let camera = top();
    let start =
        ClipStart { run: RunId(1), camera: &camera, started: time(0), clock_is_synced: true };
    let mut file = clips.begin(&start).unwrap();
    file.write_all(&bytes(1_000, 0)).unwrap();
    // The facts meet a device without room.
    let facts = dir.path().join("clips/000001/top-1700000000000.json.partial");
    std::os::unix::fs::symlink("/dev/full", facts).unwrap();
    let error = clips.accept(file, &end(1_000, 2)).unwrap_err();
    assert!(matches!(&error, StoreError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("top-1700000000000.json.partial"), "{error}");
    drop(clips);
    assert_eq!(ids(&after(dir.path())), [1, 2, 3]);
}
