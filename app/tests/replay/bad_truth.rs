//! Truth that cannot be read: refused with its file, line and column before anything is inspected.

use std::fs;

use crate::footage::{self, SCENE, paint};
use crate::program::run;
use crate::station::{Station, TRIGGERED, belt};

fn refused(station: &Station, truth: &str, words: &[&str]) {
    let file = station.path("truth.csv");
    fs::write(&file, truth).unwrap();
    run(station.replay(SCENE).arg("--truth").arg(&file)).refused(words);
    assert!(!station.path("out/inspections.jsonl").exists());
}

#[test]
fn a_file_that_is_not_there() {
    let station = Station::new(&belt());
    let ran = run(station.replay(SCENE).args(["--truth", "no/such.csv"]));
    ran.refused(&["no/such.csv", "No such file"]);
}

#[test]
fn an_unknown_header() {
    let station = Station::new(&belt());
    let words = ["truth.csv line 1", "unknown header `a,b`", "index.csv", "truth.csv"];
    refused(&station, "a,b\n1,2\n", &words);
    refused(&station, "", &["truth.csv line 1", "unknown header"]);
}

#[test]
fn a_number_that_is_none() {
    let station = Station::new(&belt());
    let good = fs::read_to_string(footage::video().join("truth.csv")).unwrap();
    let line = good.lines().nth(3).unwrap();
    let mut cells: Vec<_> = line.split(',').collect();
    cells[2] = "soon";
    let bad = good.replace(line, &cells.join(","));
    refused(&station, &bad, &["truth.csv", "line 4", "entry_frame", "soon"]);
    let bad = "video,event,count\nv.mkv,1,1\nv.mkv,2,-1\n";
    refused(&station, bad, &["truth.csv line 3", "`count`", "`-1`", "a number of parts"]);
}

#[test]
fn a_file_that_is_listed_twice() {
    let station = Station::new(&belt());
    let words = ["truth.csv line 3", "`file`", "line 2 has it already"];
    refused(&station, "file,label\na.png,ok\na.png,dent\n", &words);
}

#[test]
fn a_split_that_is_not_there() {
    let station = Station::with_fixture(TRIGGERED, "segmenter");
    let images = paint(&station.path("."), &[("1.png", "ok")]);
    let mut replay = station.replay(&images);
    replay.arg("--truth").arg(station.path("index.csv")).args(["--split", "tset"]);
    run(&mut replay).refused(&["index.csv", "no split `tset`", "there is test"]);
}

/// Counts of other videos say nothing of this one. That only shows when the source is known, so
/// it may not cost the user the replay first.
#[test]
fn counts_of_another_video() {
    let station = Station::new(&belt());
    refused(&station, "video,event,count\nv.mkv,1,1\n", &["truth.csv", "no count for the video"]);
}
