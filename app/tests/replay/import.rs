//! `sightline model import`, `show` and `verify` as a person and a script use them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::{run, run_well, sightline};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/data").join(name)
}

/// The fixture's segmenter, as an ONNX file and a picture.
fn import(out: &Path, more: &[&str]) -> std::process::Command {
    let mut command = sightline(["model", "import"]);
    command.arg(fixture("segmenter/model.onnx")).arg("--out").arg(out);
    command.args(["--labels", "ok,scratch,stain", "--licence", "MIT", "--normalise", "-1..1"]);
    command.args(more);
    command
}

fn golden(label: &str) -> String {
    format!("{}{label}", fixture("segmenter/golden/02.png").display())
}

#[test]
fn an_onnx_file_becomes_a_bundle_that_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("b");
    let ran = run_well(&mut import(&out, &["--golden", &golden("=ok")]));
    for word in ["--colour", "likely:", "shows ok", "Before it meets parts", "scratch, stain"] {
        assert!(ran.stdout.contains(word), "`{word}` is missing in: {}", ran.stdout);
    }
    let ran = run_well(sightline(["model", "verify"]).arg(&out));
    assert!(ran.stdout.contains("1 of 1 golden samples reproduced"), "{}", ran.stdout);
    let ran = run_well(sightline(["model", "show", "--card"]).arg(&out));
    for word in ["model: segmenter", "MIT", "[1, 3, 32, 64]", "ok (good)", "golden/01.png  ok"] {
        assert!(ran.stdout.contains(word), "`{word}` is missing in: {}", ran.stdout);
    }
    let ran = run_well(sightline(["model", "show", "--json", "--no-run"]).arg(&out));
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["manifest"]["output"]["good"], "ok");
    assert_eq!(said["network"]["outputs"][0]["sides"], serde_json::json!([1, 3, 4, 8]));
    assert_eq!((&said["signed"], &said["samples"]), (&false.into(), &serde_json::Value::Null));
    // What is there is not written over.
    run(&mut import(&out, &["--golden", &golden("")])).complained(&["is there already"]);
}

#[test]
fn what_is_not_told_is_named_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("b");
    let mut plain = sightline(["model", "import"]);
    plain.arg(fixture("segmenter/model.onnx")).arg("--out").arg(&out);
    run(plain.args(["--golden", &golden("")])).complained(&[
        "model.onnx",
        "--labels",
        "--good",
        "--licence",
        "--normalise 0..1",
    ]);
    run(&mut import(&out, &[])).complained(&["--golden with 3 to 8 pictures"]);
    run(&mut import(&out, &["--golden", &golden("=dent")])).complained(&["`dent` is none of"]);
    run(&mut import(&out, &["--golden", &golden("=stain")]))
        .complained(&["02.png shows `stain`, the network says `ok`"]);
    run(&mut import(&out, &["--colour", "red", "--golden", &golden("")]))
        .complained(&["--colour \"red\"", "rgb, bgr or gray"]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_dry_run_shows_the_manifest() {
    let mut dry = sightline(["model", "import", "--dry-run", "--json"]);
    let ran = run_well(dry.arg(fixture("classifier/model.onnx")));
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["open"], serde_json::json!(["--normalise", "--labels", "--good", "--licence"]));
    assert_eq!(said["manifest"], serde_json::Value::Null);
    let dir = tempfile::tempdir().unwrap();
    let ran = run_well(&mut import(&dir.path().join("b"), &["--dry-run"]));
    assert!(ran.stdout.contains("pixel_threshold = 0.5"), "{}", ran.stdout);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_is_wrong_with_a_bundle_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("b");
    run_well(&mut import(&out, &["--golden", &golden("")]));
    let file = out.join("model.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("mean = [0.5, 0.5, 0.5]"), "{text}");
    fs::write(&file, text.replace("mean = [0.5, 0.5, 0.5]", "mean = [0.1, 0.1, 0.1]")).unwrap();
    let ran = run(sightline(["model", "verify"]).arg(&out));
    ran.complained(&["input.mean = [0.5, 0.5, 0.5]", "the manifest says [0.1, 0.1, 0.1]"]);
    assert!(ran.stdout.contains("0 of 1"), "{}", ran.stdout);
}
