//! A process that is killed in the middle, for real: this test runs itself as another process and
//! kills that.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domain::LineState::Running;
use store::{Reader, Store};

use super::AMPLE_MS;
use super::table::Seen;
use crate::setup::{Setup, grey, recipe};

/// In this process the test below is the one that is killed, and works in this folder.
const FOLDER: &str = "SIGHTLINE_TEST_KILLED_IN";
/// Parts that are surely written down before the kill.
const PARTS: u64 = 40;

/// Parts that may wait for the disk.
const BEHIND: u64 = 500;

/// What the killed process does: parts without end.
#[test]
fn a_process_to_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let bench = Setup::new(recipe("one", AMPLE_MS)).start_in(&PathBuf::from(folder));
    for part in 1.. {
        bench.shoot(grey(128));
        bench.answers(part);
        // Behind, as on a line, but never so far that a slow disk has rows given up.
        bench.until_recorded((part as u64).saturating_sub(BEHIND));
        if bench.line.snapshot().recorded >= PARTS {
            let mut out = std::io::stdout().lock();
            writeln!(out, "recorded").unwrap();
            out.flush().unwrap();
        }
    }
}

/// Kills it, looks at what it left, and starts again on it.
pub fn killed() -> Seen {
    let dir = tempfile::tempdir().unwrap();
    kill_one_that_records(dir.path());
    let folder = dir.path().join("store");
    // Opening it is what the restart does.
    drop(Store::create_or_open(&folder).unwrap());
    let checked = store::check(&folder).unwrap();
    assert!(checked.gaps.is_empty() && checked.database.is_empty(), "{checked:?}");
    assert!(checked.missing.is_empty() && checked.altered.is_empty(), "{checked:?}");
    assert!(Reader::open(&folder).unwrap().runs().unwrap()[0].counts.passed >= PARTS);

    let bench = Setup::new(recipe("one", AMPLE_MS)).start_in(dir.path());
    bench.until_a_part_passes();
    bench.until(Running);
    Seen::at_end_of(bench)
}

fn kill_one_that_records(folder: &Path) {
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::process::a_process_to_be_killed", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let recorded = lines.map_while(Result::ok).any(|line| line.contains("recorded"));
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(recorded, "it ended by itself");
}
