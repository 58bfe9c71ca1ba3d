//! Promise 9: a model that is not what its bundle says is not armed, and a model that gives no
//! answer for a part never passes it.

use std::fs;

use image::{GrayImage, Luma};

use crate::footage::SCENE;
use crate::program::{run, sightline};
use crate::results::text;
use crate::station::{Station, TRIGGERED, belt, fixtures};

fn gray(level: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = GrayImage::from_pixel(16, 16, Luma([level]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// With the fixture that divides by the mean brightness: 1 of any picture, NaN of a black one.
fn that_divides(recipe: &str) -> Station {
    let station = Station::new(recipe);
    let graph = fs::read(fixtures().join("graphs/divides.onnx")).unwrap();
    station.replace("model.onnx", &graph);
    station.edit_model("activation = \"softmax\"", "activation = \"none\"");
    for expected in ["[0.966835, 0.033164]", "[0.03858, 0.96142]"] {
        station.edit_model(expected, "[1.0, 1.0]");
    }
    station
}

#[test]
fn no_such_folder() {
    let station = Station::new(&belt().replace("\"m\"", "\"nowhere\""));
    station
        .refuses(SCENE, &["recipe.toml", "`model`", "nowhere/model.toml", "a bundle is a folder"]);
}

#[test]
fn no_manifest_or_a_broken_one() {
    let station = Station::new(&belt());
    station.edit_model("schema = 1", "schem = 1");
    station.refuses(SCENE, &["model.toml", "line 1", "unknown field `schem`", "`schema`"]);
    fs::write(station.path("m/model.toml"), "[").unwrap();
    station.refuses(SCENE, &["model.toml", "not TOML"]);
    fs::remove_file(station.path("m/model.toml")).unwrap();
    station.refuses(SCENE, &["m/model.toml", "No such file"]);
}

#[test]
fn another_size_than_the_network_takes() {
    let station = Station::new(&belt());
    station.edit_model("width = 16", "width = 32");
    station.refuses(SCENE, &["model.onnx", "[1, 1, 16, 16]", "[1, 1, 16, 32]"]);
}

#[test]
fn no_network_in_the_file() {
    let station = Station::new(&belt());
    station.replace("model.onnx", b"<html>404 Not Found</html>");
    station.refuses(SCENE, &["model.onnx"]);
    station.replace("model.onnx", b"");
    station.refuses(SCENE, &["model.onnx"]);
}

#[test]
fn another_file_than_was_tried() {
    for name in ["model.onnx", "golden/01.png"] {
        let station = Station::new(&belt());
        let file = station.path("m").join(name);
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&file, bytes).unwrap();
        station.refuses(SCENE, &[name, "has the hash", "the manifest says"]);
    }
}

#[test]
fn a_golden_sample_that_is_not_reproduced() {
    let station = Station::new(&belt());
    station.edit_model("expected = [0.03858, 0.96142]", "expected = [0.03858, 0.9]");
    let words = [
        "golden/02.png",
        "not reproduced",
        "`overexposed`",
        "expected 0.9000 got 0.9614",
        "no single setting",
    ];
    station.refuses(SCENE, &words);
    let ran = run(&mut sightline(["model", "verify", station.path("m").to_str().unwrap()]));
    ran.complained(&words);
    assert!(ran.stdout.contains("golden/02.png  MISSED"), "{ran:?}");
}

#[test]
fn no_golden_sample_at_all() {
    let station = Station::new(&belt());
    let file = station.path("m/model.toml");
    let text = fs::read_to_string(&file).unwrap();
    let (before, _) = text.split_once("[[golden]]").unwrap();
    fs::write(&file, before).unwrap();
    station.refuses(SCENE, &["model.toml", "golden"]);
}

#[test]
fn a_network_that_gives_no_number_for_a_golden_sample() {
    let station = that_divides(TRIGGERED);
    station.replace("golden/01.png", &gray(0));
    station.refuses(SCENE, &["golden/01.png", "not finite", "`scores`"]);
}

/// NaN of one part costs that part its verdict, never its reject, and no other part anything.
#[test]
fn a_part_without_an_answer_never_passes() {
    let station = that_divides(&format!("{TRIGGERED}ignore = [\"overexposed\"]\n"));
    let images = station.path("images");
    fs::create_dir(&images).unwrap();
    for (name, level) in [("1.png", 90), ("2.png", 0), ("3.png", 0), ("4.png", 255)] {
        fs::write(images.join(name), gray(level)).unwrap();
    }
    let results = station.results(&images, &[]);
    results.add_up();
    assert_eq!(results.verdicts(), ["pass", "undecided", "undecided", "pass"]);
    for row in &results.rows[1..3] {
        let said = (text(row, "why"), text(&row["cause"], "fault"), text(row, "gate"));
        assert_eq!(said, ("no_finding", "not_finite", "reject"), "{row}");
    }
}
