//! Recipes that make no sense: each is refused with its file, the line and the key, and what would
//! be right.

use std::fs;

use crate::footage::SCENE;
use crate::station::{Station, TRIGGERED, belt};

/// `from` in the recipe for the belt is written as `to`; the refusal names `line` and `words`.
fn refused(from: &str, to: &str, line: usize, words: &[&str]) {
    let good = belt();
    assert!(good.contains(from), "{from} is not in {good}");
    let station = Station::new(&good.replacen(from, to, 1));
    let place = format!("recipe.toml:{line}: ");
    station.refuses(SCENE, &[&[&*place], words].concat());
}

#[test]
fn an_unknown_key() {
    let words = ["unknown field `reject_form`", "`reject_at`"];
    refused("reject_at", "reject_form", 11, &words);
    refused("[limits]", "[limit]", 10, &["unknown field `limit`", "`limits`"]);
    refused("min_area_px", "min_area_mm", 6, &["min_area_mm"]);
}

#[test]
fn a_key_that_is_not_there() {
    refused("model = \"m\"\n", "", 1, &["missing field `model`"]);
}

#[test]
fn a_value_of_another_kind() {
    refused("0.22", "\"high\"", 11, &["string \"high\"", "expected"]);
    refused("\"brighter\"", "\"shiny\"", 8, &["`shiny`", "`brighter`"]);
}

#[test]
fn limits_that_contradict_each_other() {
    let words = ["`limits.undecided_from`", "0.3 is above reject_at 0.22", "at most reject_at"];
    refused("undecided_from = 0.2", "undecided_from = 0.3", 12, &words);
    refused("reject_at = 0.22", "reject_at = 1.5", 11, &["`limits.reject_at`", "0..=1"]);
    refused("reject_at = 0.22", "reject_at = nan", 11, &["`limits.reject_at`", "0..=1"]);
    refused("min_area_px = 2304", "min_area_px = 9999", 7, &["`locate.max_area_px`", "9999"]);
}

#[test]
fn no_toml() {
    refused("[limits]", "[limits", 10, &["recipe.toml"]);
}

#[test]
fn a_label_that_the_model_does_not_know() {
    let station = Station::new(&format!("{}ignore = [\"overexposd\"]\n", belt()));
    station.refuses(SCENE, &["recipe.toml", "`overexposd`", "it knows ok, overexposed"]);
    let station = Station::new(&format!("{}kind.dent.reject_at = 0.1\n", belt()));
    station.refuses(SCENE, &["recipe.toml", "`dent`", "it knows ok, overexposed"]);
}

#[test]
fn no_such_recipe_or_no_text() {
    let station = Station::new(TRIGGERED);
    let recipe = station.path("recipe.toml");
    fs::write(&recipe, [0xff, 0xfe, 0]).unwrap();
    station.refuses(SCENE, &["recipe.toml", "can't be read", "UTF-8"]);
    fs::remove_file(&recipe).unwrap();
    station.refuses(SCENE, &["recipe.toml", "can't be read", "No such file"]);
    fs::create_dir(&recipe).unwrap();
    station.refuses(SCENE, &["recipe.toml", "can't be read", "directory"]);
}
