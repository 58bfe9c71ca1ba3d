//! Promise 1: parts triggered = passed + rejected + undecided, whatever the belt does.

use crate::footage::{self, HEIGHT, PARTS};
use crate::results::{Results, text};
use crate::station::{Station, belt};

/// Films a belt with `wishes` and replays it against its truth.
fn replayed(recipe: &str, wishes: &[&str]) -> Results {
    let station = Station::new(recipe);
    let footage = station.path("footage");
    let height = HEIGHT.to_string();
    let belt = ["--parts", "16", "--seed", "3", "--width", "640", "--height", &height];
    footage::simulate(&footage, &[&belt[..], wishes].concat());
    let truth = footage.join("truth.csv");
    let results =
        station.results(footage.join("footage.mkv"), &["--truth", truth.to_str().unwrap()]);
    results.add_up();
    assert_eq!(results.count("extra"), 0, "nothing is found where nothing is");
    results
}

/// Cut and merged parts are undecided, and what is undecided goes where the recipe says.
fn undecided_goes_to(results: &Results, gate: &str) -> (usize, usize) {
    let (mut cut, mut merged) = (0, 0);
    for row in &results.rows {
        let seen = text(&row["condition"], "seen");
        match seen {
            "whole" => continue,
            "cut" => cut += 1,
            _ => merged += 1,
        }
        let said = (text(row, "verdict"), text(row, "why"), text(row, "gate"));
        let why = if seen == "cut" { "part_cut" } else { "parts_merged" };
        assert_eq!(said, ("undecided", why, gate), "{row}");
    }
    (cut, merged)
}

#[test]
fn a_calm_belt_loses_nothing() {
    let station = Station::new(&belt());
    let truth = footage::video().join("truth.csv");
    let args = ["--truth", truth.to_str().unwrap()];
    let results = station.results(footage::video().join("footage.mkv"), &args);
    results.add_up();
    assert_eq!(results.rows.len(), PARTS);
    assert_eq!(undecided_goes_to(&results, "reject"), (0, 0));
    let verdicts = results.verdicts();
    assert!(["pass", "reject", "undecided"].iter().all(|word| verdicts.contains(word)));
    assert!(results.rows.iter().all(|row| text(row, "answered_by") == "inspection"));
    let order: Vec<_> = results.rows.iter().map(|row| row["part"].as_u64().unwrap()).collect();
    assert!(order.is_sorted(), "the gate is told in the order in which parts come: {order:?}");
}

#[test]
fn a_belt_that_halts_loses_nothing() {
    let results = replayed(&belt(), &["--stops", "3"]);
    assert_eq!(results.rows.len(), 16);
    assert_eq!(undecided_goes_to(&results, "reject"), (0, 0));
}

#[test]
fn parts_at_irregular_distances_are_all_answered() {
    let results = replayed(&belt(), &["--irregular"]);
    assert_eq!(results.rows.len(), 16);
    assert_eq!(undecided_goes_to(&results, "reject"), (0, 0));
}

#[test]
fn parts_that_hang_over_the_border_are_undecided_and_rejected() {
    let results = replayed(&belt(), &["--edge-rate", "0.4"]);
    assert_eq!(results.rows.len(), 16);
    let (cut, _) = undecided_goes_to(&results, "reject");
    assert!(cut > 0);
    assert_eq!(results.count("cut"), cut as u64);
}

#[test]
fn parts_that_touch_are_undecided_and_rejected_together() {
    let results = replayed(&belt(), &["--touching-rate", "0.4"]);
    let (_, merged) = undecided_goes_to(&results, "reject");
    assert!(merged > 0);
    assert_eq!(results.rows.len() as u64 + results.count("merged"), 16);
}

#[test]
fn what_is_undecided_goes_where_the_recipe_says() {
    let recipe = format!("{}\n[gate]\nundecided = \"pass\"\n", belt());
    let wishes = ["--touching-rate", "0.3", "--stops", "1", "--irregular"];
    let (_, merged) = undecided_goes_to(&replayed(&recipe, &wishes), "pass");
    assert!(merged > 0);
}

/// Nothing came by: that is no error, and no division by nothing.
#[test]
fn an_empty_belt_is_reported_as_empty() {
    let station = Station::new(&belt());
    let results = station.results("synthetic:parts=0,size=640x480", &[]);
    results.add_up();
    assert_eq!((results.rows.len(), results.count("parts")), (0, 0));
    assert!(results.report["escape"]["rate"].is_null());
}
