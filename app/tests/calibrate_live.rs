//! `sightline calibrate live` as its user runs it, as far as it goes without anybody at a screen:
//! what it says when it can't begin.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

use std::fs;
use std::process::{Command, Stdio};

use store::Store;
use tempfile::TempDir;

const STATION: &str = "name = \"cell 4\"\nstore = \"store\"\n\
    [[camera]]\nname = \"top\"\nsource = { kind = \"custom\", \
    pipeline = \"videotestsrc is-live=true\", live = true }\n\
    [[recipe]]\nnumber = 1\nfile = \"not-written-yet.toml\"\n";

/// On a machine without a display: exit code 2, and a last line with `words`.
fn refused(folder: &TempDir, args: &[&str], words: &str) {
    let station = folder.path().join("station.toml");
    fs::write(&station, STATION).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline"));
    command.args(["calibrate", "live"]).arg(station).args(args).stdin(Stdio::null());
    for name in ["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY", "SIGHTLINE_LOG"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("sightline: ") && last.contains(words), "{said}");
}

#[test]
fn what_can_not_begin_says_why() {
    let folder = TempDir::new().unwrap();
    refused(&folder, &["--camera", "side"], "there is no camera `side`; it has top");
    refused(&folder, &["--windowed"], "no screen can be shown");
    // As while the station runs.
    let _store = Store::create_or_open(&folder.path().join("store")).unwrap();
    refused(&folder, &[], "calibrate on the station's own screen");
}
