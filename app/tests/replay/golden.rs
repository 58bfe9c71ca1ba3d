//! Verdicts that are known beforehand, and the same bytes every time.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use image::{GrayImage, Luma};
use serde_json::json;

use crate::footage::{self, PARTS, SCENE, SOME, paint};
use crate::program::{run, run_well, sightline};
use crate::results::{Results, text};
use crate::station::{Station, TRIGGERED, belt};

/// Replays `source` on one, two, four and again two threads.
fn on_any_number_of_threads(recipe: &str, source: &OsStr) {
    let station = Station::new(recipe);
    let first = station.results(source, &["--threads", "1"]);
    assert!(first.rows.len() >= PARTS);
    // Nothing would be shown by a log in which all parts are the same.
    assert!(first.verdicts().contains(&"pass") && first.verdicts().contains(&"reject"));
    for threads in ["2", "4", "2"] {
        let other = station.results(source, &["--threads", threads]);
        assert!(first.log == other.log, "{source:?} with {threads} threads");
        let hash = |results: &Results| results.report["verdict_log_sha256"].clone();
        assert_eq!(hash(&first), hash(&other));
    }
}

/// Promise 5, of a video.
#[test]
fn a_video_gives_the_same_bytes_on_any_number_of_threads() {
    on_any_number_of_threads(&belt(), footage::video().join("footage.mkv").as_os_str());
}

/// Promise 5, of a triggered camera's pictures.
#[test]
fn pictures_give_the_same_bytes_on_any_number_of_threads() {
    on_any_number_of_threads(&among_whole_pictures(), footage::parts().join("images").as_os_str());
}

/// Promise 5, of a rendered scene in which part follows upon part, so that threads would overtake
/// each other if they could.
#[test]
fn a_scene_gives_the_same_bytes_on_any_number_of_threads() {
    on_any_number_of_threads(&among_whole_pictures(), OsStr::new(SOME));
}

/// Promise 5, where a small picture would be done long before the large one that came first.
#[test]
fn a_quick_part_does_not_overtake_a_slow_one() {
    let folder = tempfile::tempdir().unwrap();
    for part in 0..PARTS {
        let (side, level) = if part % 2 == 0 { (2400, 90) } else { (32, 200) };
        let picture = GrayImage::from_pixel(side, side, Luma([level]));
        picture.save(folder.path().join(format!("{part}.png"))).unwrap();
    }
    on_any_number_of_threads(TRIGGERED, folder.path().as_os_str());
}

/// A limit among the scores of whole pictures, which are mostly dark belt.
fn among_whole_pictures() -> String {
    TRIGGERED.replace("0.5", "0.074")
}

/// Promise 5: it is the pixels that decide, not the container that they came in.
#[test]
fn a_belt_gives_the_same_verdicts_as_video_as_pictures_and_as_scene() {
    let station = Station::new(&belt());
    let scene = station.results(SCENE, &[]);
    assert_eq!(scene.rows.len(), PARTS);
    let video = station.results(footage::video().join("footage.mkv"), &[]);
    assert_eq!(video.timeless(), scene.timeless());
    let frames = station.results(footage::frames().join("images"), &["--fps", "60"]);
    assert_eq!(frames.timeless(), scene.timeless());
}

#[test]
fn painted_pictures_get_the_verdicts_that_they_were_painted_for() {
    let station = Station::with_fixture(TRIGGERED, "segmenter");
    let parts = [
        ("1.png", "ok"),
        ("2.png", "scratch"),
        ("10.png", "stain"),
        ("9.png", "ok"),
        ("11.png", "scratch"),
    ];
    let images = paint(&station.path("."), &parts);
    let index = station.path("index.csv");
    let results = station.results(&images, &["--truth", index.to_str().unwrap()]);
    results.add_up();
    assert_eq!(results.verdicts(), ["pass", "reject", "pass", "reject", "reject"]);
    let kinds = results.rows.iter().flat_map(|row| row["reasons"].as_array());
    let kinds: Vec<_> = kinds.flatten().map(|reason| text(reason, "kind")).collect();
    assert_eq!(kinds, ["scratch", "stain", "scratch"]);
    let painted = json!({ "x": 32, "y": 16, "width": 32, "height": 16 });
    assert_eq!(results.rows[1]["reasons"][0]["box_in_frame"], painted);
    assert_eq!(results.rows[1]["gate"], "reject");
    let of =
        |key: &str, of| (results.report[key]["count"].as_u64(), results.report[key]["of"] == of);
    assert_eq!(of("escape", 3), (Some(0), true));
    assert_eq!(of("overkill", 2), (Some(0), true));
    assert_eq!(results.report["per_class"]["scratch"]["of"], 2);
    assert_eq!(results.report["per_class"]["scratch"]["rate"], 1.0);
}

/// The report with pictures needs nothing but itself, and shows what was thrown out.
#[test]
fn the_page_stands_alone() {
    let station = Station::with_fixture(TRIGGERED, "segmenter");
    let images = paint(&station.path("."), &[("good.png", "ok"), ("bad.png", "scratch")]);
    let index = station.path("index.csv");
    station.results(&images, &["--truth", index.to_str().unwrap()]);
    let page = fs::read_to_string(station.path("out/report.html")).unwrap();
    assert!(page.contains("data:image/"), "pictures are in it");
    for outside in ["src=\"http", "href=\"http", "url(http", "@import", "src=\"/", "src=\"store"] {
        assert!(!page.contains(outside), "the page loads {outside}");
    }
}

/// The model of the demo on parts that it was not trained on. Few parts, so wide
/// bounds: what it can do is in its card; here it must be right about nearly all of them.
#[test]
fn the_shipped_model_knows_simulated_parts() {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/zoo/simulated-parts");
    let recipe = bundle.join("recipe.toml");
    if !recipe.exists() {
        println!("skipped: {} is not there", recipe.display());
        return;
    }
    const ESCAPES_MOST: u64 = 1;
    const OVERKILL_MOST: u64 = 2;
    let folder = tempfile::tempdir().unwrap();
    let belt = ["--parts", "40", "--seed", "900001", "--width", "1920", "--height", "1080"];
    footage::simulate(folder.path(), &[&belt[..], &["--as", "parts"]].concat());
    let out = folder.path().join("out");
    let mut replay = sightline(["replay", "synthetic:parts=40,seed=900001,size=1920x1080"]);
    replay.arg("--recipe").arg(&recipe).arg("--truth").arg(folder.path().join("truth.csv"));
    run_well(replay.arg("--out").arg(&out));
    let results = Results::read(&out);
    results.add_up();
    println!("escape {}, overkill {}", results.report["escape"], results.report["overkill"]);
    assert_eq!(results.rows.len(), 40);
    let counts = ["escape", "overkill"].map(|key| results.report[key]["count"].as_u64().unwrap());
    assert!(counts[0] <= ESCAPES_MOST && counts[1] <= OVERKILL_MOST, "{counts:?}");
    assert!(results.count("rejected") > 0, "it rejects what is bad");
}

/// Promise 9, from the command line: what is shipped is what was tried when it was made.
#[test]
fn shipped_bundles_verify() {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/zoo");
    for entry in fs::read_dir(zoo).unwrap().flatten() {
        let ran = run(sightline(["model", "verify", "--json"]).arg(entry.path()));
        assert_eq!(ran.code, Some(0), "{:?}: {ran:?}", entry.path());
        let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(said["armed"], true);
    }
}
