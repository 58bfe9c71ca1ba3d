//! Real footage, where it is at hand: parts counted against what people counted, pitting found on
//! photographs. Looks for `shared/data` beside the clone, or in `SIGHTLINE_DATA`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::{run_well, sightline};
use crate::results::Results;
use crate::station::{Station, fixtures};

/// Sacks that differ from the eleven of the truth: a hand-held camera, and one lies over the edge.
const BAGS_OFF_MOST: u64 = 6;
/// Eggs that differ from the 38 of the truth, which is itself good to one: they touch and cluster.
const EGGS_OFF_MOST: u64 = 6;
/// Of pictures with pitting, the share that is not passed.
const PITTING_CAUGHT_LEAST: f64 = 0.8;
/// Pictures of each sort that are looked at.
const PITTING_EACH: usize = 12;

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn data(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("SIGHTLINE_DATA").map_or_else(beside, PathBuf::from).join(name);
    if !folder.is_dir() {
        println!("skipped: no {name}; set SIGHTLINE_DATA to a folder that holds it");
        return None;
    }
    Some(folder)
}

/// Replays `video` with the recipe `name`; gives the count of people, and of parts that were
/// found, those that touch counted as many times as they seem to be.
#[expect(clippy::print_stdout, reason = "how near it is, for people")]
fn counted(name: &str, video: &str) -> Option<(u64, u64)> {
    let videos = data("videos")?;
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes").join(name);
    let text = fs::read_to_string(recipe.with_extension("toml")).unwrap();
    let mut recipe: toml::Table = text.parse().unwrap();
    // What is counted does not depend on the model; this one is small.
    recipe.insert("model".into(), "m".into());
    let station = Station::with_bundle(&recipe.to_string(), &fixtures().join("classifier"));
    let truth = videos.join("truth.csv");
    let results = station.results(videos.join(video), &["--truth", truth.to_str().unwrap()]);
    results.add_up();
    let counted = &results.report["counted"];
    println!("{video}: {counted}, {} frames", results.count("frames"));
    Some((counted["truth"].as_u64()?, counted["found_unmerged"].as_u64()?))
}

#[test]
fn one_bolt_is_one_part() {
    let Some(counts) = counted("bolt", "bolt_belt_intel_gif.mp4") else { return };
    assert_eq!(counts, (1, 1));
}

#[test]
fn three_sachets_are_three_parts() {
    let Some(counts) = counted("sachets", "sachets_green_belt.mp4") else { return };
    assert_eq!(counts, (3, 3));
}

#[test]
fn sacks_under_a_camera_held_by_hand() {
    let Some((truth, found)) = counted("bags", "bags_belt_incline.mp4") else { return };
    assert!(truth.abs_diff(found) <= BAGS_OFF_MOST, "{found} of {truth}");
}

#[test]
fn eggs_that_touch() {
    let Some((truth, found)) = counted("eggs", "eggs_grid_conveyor.mp4") else { return };
    assert!(truth.abs_diff(found) <= EGGS_OFF_MOST, "{found} of {truth}");
}

/// Names of pictures of the part of the data that was kept from training: as many with pitting as
/// without, spread over all of them.
fn pictures(bsdata: &Path) -> Vec<String> {
    let mut index = csv::Reader::from_path(bsdata.join("index.csv")).unwrap();
    let rows = index.records().map(Result::unwrap).filter(|row| &row[2] == "val");
    let (ok, pitting): (Vec<_>, Vec<_>) = rows.partition(|row| &row[1] == "ok");
    let spread = |rows: Vec<csv::StringRecord>| -> Vec<String> {
        let step = rows.len() / PITTING_EACH;
        rows.iter().step_by(step).take(PITTING_EACH).map(|row| row[0].to_owned()).collect()
    };
    [spread(ok), spread(pitting)].concat()
}

#[test]
fn pitting_on_spindles_is_caught() {
    let Some(bsdata) = data("bsdata") else { return };
    let recipe =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/zoo/bsdata-pitting/recipe.toml");
    if !recipe.exists() {
        println!("skipped: {} is not there", recipe.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("images")).unwrap();
    for name in pictures(&bsdata) {
        std::os::unix::fs::symlink(bsdata.join(&name), folder.path().join(&name)).unwrap();
    }
    let out = folder.path().join("out");
    let mut replay = sightline(["replay".as_ref(), folder.path().join("images").as_os_str()]);
    replay.arg("--recipe").arg(&recipe).arg("--out").arg(&out);
    replay.arg("--truth").arg(bsdata.join("index.csv")).args(["--split", "val"]);
    run_well(&mut replay);
    let results = Results::read(&out);
    results.add_up();
    println!("escape {}, overkill {}", results.report["escape"], results.report["overkill"]);
    assert_eq!(results.rows.len(), 2 * PITTING_EACH, "a verdict for each");
    let recall = &results.report["per_class"]["pitting"];
    assert_eq!(recall["of"].as_u64(), Some(PITTING_EACH as u64));
    assert!(recall["rate"].as_f64().unwrap() >= PITTING_CAUGHT_LEAST, "{recall}");
}
