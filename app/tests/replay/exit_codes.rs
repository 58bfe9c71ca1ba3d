//! What scripts rely on: exit codes, one JSON object on stdout, and help that names the flags.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::footage::paint;
use crate::program::{run, run_well, sightline};
use crate::results::Results;
use crate::station::{Station, TRIGGERED};

/// Four good parts and four bad ones, of which the truth calls one good part bad and two bad parts
/// good: one in three escapes, two in five are overkill.
fn judged() -> (Station, Command) {
    let painted = ["ok", "ok", "ok", "ok", "scratch", "scratch", "stain", "stain"];
    let names: Vec<String> = (0..painted.len()).map(|n| format!("{n}.png")).collect();
    let parts: Vec<_> = names.iter().map(String::as_str).zip(painted).collect();
    let station = Station::with_fixture(TRIGGERED, "segmenter");
    let images = paint(&station.path("."), &parts);
    let index = station.path("index.csv");
    let truth = fs::read_to_string(&index).unwrap();
    let truth = truth.replace("0.png,ok", "0.png,dent").replace("4.png,scratch", "4.png,ok");
    fs::write(&index, truth.replace("5.png,scratch", "5.png,ok")).unwrap();
    let mut replay = station.replay(images);
    replay.arg("--truth").arg(index);
    (station, replay)
}

#[test]
fn limits_decide_the_exit_code() {
    for (limits, code) in [
        ("escape=0.34,overkill=0.4", 0),
        ("escape=1,overkill=1,lost=0,undecided=0", 0),
        ("escape=0.33", 1),
        ("overkill=0.39", 1),
        ("escape=0.34,overkill=0.39", 1),
        // Three bad parts cannot show that fewer than half escape.
        ("escape-high95=0.5", 1),
    ] {
        let (_station, mut replay) = judged();
        let ran = run(replay.args(["--fail-on", limits]));
        assert_eq!(ran.code, Some(code), "{limits}: {ran:?}");
        assert_eq!(ran.stderr, "", "a limit that is not met is no error");
    }
}

/// What was not measured was not met.
#[test]
fn limits_without_truth_are_not_met() {
    let station = Station::with_fixture(TRIGGERED, "segmenter");
    let images = paint(&station.path("."), &[("1.png", "ok")]);
    let ran = run(station.replay(&images).args(["--fail-on", "escape=1"]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("not measured"), "{ran:?}");
}

#[test]
fn json_is_one_object_on_stdout_and_it_is_the_report() {
    let (station, mut replay) = judged();
    let ran = run_well(replay.arg("--json"));
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said, Results::read(&station.path("out")).report);
    assert_eq!(ran.stderr, "");
    assert_eq!(
        (said["escape"]["count"].as_u64(), said["escape"]["of"].as_u64()),
        (Some(1), Some(3))
    );
    assert_eq!(said["overkill"]["rate"], 0.4);
    for key in [
        "parts passed rejected undecided lost escape overkill per_class latency_ms frames",
        "frames_dropped wall_s realtime_factor model recipe calibration software",
    ]
    .join(" ")
    .split(' ')
    {
        assert!(said.get(key).is_some(), "`{key}` is promised to scripts");
    }
    for stage in ["capture", "locate", "prepare", "infer", "decide", "decision"] {
        let latency = &said["latency_ms"][stage];
        assert!(["p50", "p99", "p999", "max"].iter().all(|key| latency[*key].is_f64()), "{stage}");
    }
}

#[test]
fn every_command_helps() {
    let cases: [(&[&str], &[&str]); 7] = [
        (&[], &["replay", "simulate", "model"]),
        (
            &["replay"],
            &[
                "--recipe",
                "--truth",
                "--split",
                "--out",
                "--fail-on",
                "--threads",
                "--fps",
                "--pixel-format",
                "--camera",
                "--json",
            ],
        ),
        (
            &["simulate"],
            &[
                "--out",
                "--parts",
                "--width",
                "--height",
                "--fps",
                "--format",
                "--seed",
                "--defect-rate",
                "--as",
                "--codec",
                "--json",
            ],
        ),
        (&["model"], &["import", "show", "verify"]),
        (
            &["model", "import"],
            &["--out", "--golden", "--labels", "--licence", "--dry-run", "--json"],
        ),
        (&["model", "show"], &["--no-run", "--card", "--json"]),
        (&["model", "verify"], &["--json"]),
    ];
    for (command, flags) in cases {
        let ran = run_well(sightline(command).arg("--help"));
        for flag in flags {
            assert!(ran.stdout.contains(flag), "{command:?}: `{flag}` is not in {}", ran.stdout);
        }
    }
    let ran = run_well(&mut sightline(["--version"]));
    assert_eq!(ran.stdout.trim(), concat!("sightline ", env!("CARGO_PKG_VERSION")));
    assert_eq!(run(&mut sightline([""; 0])).code, Some(2), "nothing was asked for");
    assert_eq!(run(&mut sightline(["rplay"])).code, Some(2));
}

/// What stdout cannot take is an error; a reader that has seen enough is none.
#[test]
fn stdout_that_is_full_or_gone() {
    let (_station, mut replay) = judged();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ran = run_full(&mut replay, full.into());
    assert_eq!(ran, (Some(2), true));

    let (_station, mut replay) = judged();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(run_full(&mut replay, writer.into()), (Some(0), false));
}

/// Runs with this stdout; gives the exit code and whether something was said on stderr.
fn run_full(command: &mut Command, stdout: Stdio) -> (Option<i32>, bool) {
    let child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).contains("No space left");
    (output.status.code(), said)
}
