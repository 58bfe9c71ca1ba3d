//! Full disks, Ctrl-C, kills, no runtime, no network: what was written stays readable, and what
//! happened is told.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::park_timeout;
use std::time::Duration;

use serde_json::Value;

use crate::footage::{self, PARTS, SCENE, SOME};
use crate::program::{Ran, run, run_well};
use crate::results::{Results, stored};
use crate::station::{Station, TRIGGERED, belt, copy};

/// So many that a test would wait for minutes if nothing stopped it.
const MANY: &str = "synthetic:parts=3000,size=64x64,speed_px_per_frame=0.5";

/// The lines of the verdict log that are whole; each must be one inspection, in order.
fn whole_lines(out: &Path) -> Vec<Value> {
    let log = fs::read(out.join("inspections.jsonl")).unwrap();
    let whole = log.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = log[..whole].split_inclusive(|byte| *byte == b'\n');
    let rows: Vec<Value> = lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
    let ids = rows.iter().map(|row| row["part"].as_u64().unwrap());
    assert!(ids.eq(1..=rows.len() as u64), "each part once, in order");
    rows
}

/// The store opens, holds the first so many parts, says of them what the log says, and its rows
/// and files agree.
fn store_is_sound(out: &Path) -> usize {
    let (rows, stored) = (whole_lines(out), stored(out));
    assert!(rows.len() >= stored.len(), "the log is handed over before the store's rows are");
    assert!(stored.keys().copied().eq(1..=stored.len() as u64), "no gaps");
    for (row, (verdict, gate)) in rows.iter().zip(stored.values()) {
        assert_eq!(
            (row["verdict"].as_str(), row["gate"].as_str()),
            (Some(&**verdict), Some(&**gate))
        );
    }
    let check = store::check(&out.join("store")).unwrap();
    assert!(check.missing.is_empty() && check.altered.is_empty(), "{check:?}");
    assert!(check.database.is_empty() && check.gaps.is_empty(), "{check:?}");
    stored.len()
}

/// Runs `command` where no file may grow beyond `blocks` of 512 bytes.
fn with_small_files(command: &Command, blocks: u32) -> Ran {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(command.get_program()).args(command.get_args());
    run(shell.stdin(Stdio::null()))
}

/// Promise 3: what cannot be written is told, and what was written before stays readable.
#[test]
fn files_that_cannot_grow() {
    let station = Station::new(TRIGGERED);
    let whole = station.results(SOME, &[]).rows.len();
    let out = station.path("out");
    for blocks in [500, 700] {
        fs::remove_dir_all(&out).unwrap();
        let ran = with_small_files(&station.replay(SOME), blocks);
        ran.complained(&["out/store/station.db", "not written down"]);
        let kept = store_is_sound(&out);
        assert!(kept > 0 && kept < whole, "{kept} of {whole}");
    }
    // Too little to begin with.
    fs::remove_dir_all(&out).unwrap();
    with_small_files(&station.replay(SOME), 20).refused(&["out/store/station.db"]);
}

/// A command that is run where a small disk is mounted over the results' folder. What lies there
/// in the end is copied, for the disk is gone with the command.
const ON_A_SMALL_DISK: &str = "mount -t tmpfs -o size=$1 none \"$2\" || exit 77; disk=$2; \
                               copy=$3; shift 3; \"$@\"; code=$?; cp -r \"$disk/.\" \"$copy\"; \
                               exit $code";

#[test]
fn a_disk_that_is_full() {
    let station = Station::new(TRIGGERED);
    for (number, size) in ["600k", "800k", "1000k"].into_iter().enumerate() {
        let (disk, copy) = (station.path("out"), station.path(format!("copy{number}")));
        fs::create_dir_all(&disk).unwrap();
        fs::create_dir(&copy).unwrap();
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", size]).arg(&disk).arg(&copy);
        let replay = station.replay(MANY);
        command.arg(replay.get_program()).args(replay.get_args());
        let ran = run(&mut command);
        if ran.code != Some(2) && !copy.join("inspections.jsonl").exists() {
            println!("skipped: no disk can be mounted here: {ran:?}");
            return;
        }
        let last = ran.stderr.lines().last().unwrap_or_default();
        ran.complained(&["out/"]);
        assert!(last.contains("No space left") || last.contains("disk is full"), "{size}: {last}");
        let kept = store_is_sound(&copy);
        assert!(kept > 0, "{size}");
    }
}

/// Starts a long replay and waits until some of it is in the verdict log.
fn started(station: &Station) -> Child {
    let mut replay = station.replay(MANY);
    let child = replay.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let log = station.path("out/inspections.jsonl");
    for _ in 0..2400 {
        if fs::read(&log).is_ok_and(|bytes| bytes.contains(&b'\n')) {
            return child;
        }
        park_timeout(Duration::from_millis(50));
    }
    panic!("nothing was inspected within two minutes: {:?}", child.wait_with_output());
}

fn signal(child: &Child, signal: &str) {
    run_well(Command::new("kill").args([signal, &child.id().to_string()]));
}

/// Ctrl-C and a service manager's stop: what was inspected until then is written and reported.
#[test]
fn a_replay_that_is_interrupted() {
    for name in ["-INT", "-TERM"] {
        let station = Station::new(TRIGGERED);
        let child = started(&station);
        signal(&child, name);
        let ran = Ran::from(child.wait_with_output().unwrap());
        ran.complained(&["interrupted", "is written and reported"]);
        let results = Results::read(&station.path("out"));
        results.add_up();
        assert_eq!(results.count("frames"), results.rows.len() as u64, "none was forgotten");
        assert!(station.path("out/report.html").exists());
    }
}

/// A kill at any moment leaves a store and a log that can be read and gone on with.
#[test]
fn a_replay_that_is_killed() {
    let station = Station::new(&format!("{TRIGGERED}\n[record]\nkeep_passed = 1.0\n"));
    let mut child = started(&station);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    let out = station.path("out");
    store_is_sound(&out);
    assert!(!out.join("report.json").exists());
    // The next one is not kept out by the dead one's lock, and begins a run of its own.
    run_well(&mut station.replay("synthetic:parts=2,size=64x64"));
    let runs = store::Reader::open(&out.join("store")).unwrap().runs().unwrap();
    assert_eq!(runs.len(), 2);
    assert!(runs[0].ended_at.is_some() && runs[1].ended_at.is_none());
    assert_eq!(runs[0].counts.total(), whole_lines(&out).len() as u64);
}

/// Two at once would spoil each other's results: the second is told who was first.
#[test]
fn a_folder_that_another_replay_writes_to() {
    let station = Station::new(TRIGGERED);
    let mut child = started(&station);
    let before = whole_lines(&station.path("out")).len();
    let ran = run(&mut station.replay("synthetic:parts=2,size=64x64"));
    ran.refused(&["station.lock", "in use by process", &child.id().to_string()]);
    assert!(whole_lines(&station.path("out")).len() >= before, "the first goes on");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn no_runtime() {
    let station = Station::new(&belt());
    let mut replay = station.replay(SCENE);
    run(replay.env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so")).refused(&[
        "ONNX Runtime",
        "`make deps`",
        "/nowhere/libonnxruntime.so",
    ]);
    assert!(!station.path("out").exists());
}

/// Promise 11: a replay needs no network, not even the machine's own.
#[test]
fn no_network() {
    let station = Station::new(&belt());
    let video = footage::video().join("footage.mkv");
    let with = station.results(&video, &[]);
    let alone = Command::new("unshare").args(["-rn", "true"]).output();
    if !alone.is_ok_and(|output| output.status.success()) {
        println!("skipped: a process cannot be cut off from the network here");
        return;
    }
    let replay = station.replay(&video);
    let mut command = Command::new("unshare");
    command.arg("-rn").arg(replay.get_program()).args(replay.get_args());
    run_well(&mut command);
    let without = Results::read(&station.path("out"));
    assert_eq!(without.rows.len(), PARTS);
    assert!(with.log == without.log);
}

/// Nothing of a run's results depends on where they lie or on what ran there before.
#[test]
fn the_same_folder_again() {
    let station = Station::new(TRIGGERED);
    let first = station.results(SOME, &[]);
    copy(&station.path("out"), &station.path("before"));
    let second = station.results("synthetic:parts=2,size=64x64", &[]);
    assert!(second.rows.len() < first.rows.len());
    let runs = store::Reader::open(&station.path("out/store")).unwrap().runs().unwrap();
    let counts: Vec<_> = runs.iter().map(|run| run.counts.total()).collect();
    assert_eq!(counts, [second.rows.len() as u64, first.rows.len() as u64]);
}
