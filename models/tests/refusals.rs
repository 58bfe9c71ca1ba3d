//! What is wrong with a bundle is said before a part is looked at: one test for each reason.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that stops has failed")]

mod bundles;

use std::fs;
use std::io::Cursor;

use bundles::{Copy, runtime};
use domain::FindingFault;
use image::{DynamicImage, ImageFormat};
use sightline_models::{Bundle, BundleError};

/// Why `copy` is not loaded or not armed, and that its text names every one of `words`.
fn refusal(copy: &Copy, words: &[&str]) -> BundleError {
    let error = Bundle::load(copy.path())
        .and_then(|bundle| bundle.arm(&runtime()).map(|_| ()))
        .expect_err("a refusal");
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "`{word}` is missing in: {text}");
    }
    error
}

fn png(picture: DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn no_such_folder_or_file() {
    let copy = Copy::of("classifier");
    fs::remove_file(copy.path().join("golden/02.png")).unwrap();
    let error = refusal(&copy, &["golden/02.png", "a bundle is a folder"]);
    assert!(matches!(error, BundleError::Unreadable { .. }));
    fs::remove_file(copy.path().join("model.onnx")).unwrap();
    let error = refusal(&copy, &["model.onnx"]);
    assert!(matches!(error, BundleError::Unreadable { .. }));
    fs::remove_file(copy.path().join("model.toml")).unwrap();
    let error = refusal(&copy, &["model.toml", "No such file"]);
    assert!(matches!(error, BundleError::Unreadable { .. }));
    let error = Bundle::load(&copy.path().join("nowhere")).unwrap_err();
    assert!(matches!(error, BundleError::Unreadable { .. }));
}

#[test]
fn not_toml() {
    let copy = Copy::of("classifier");
    copy.edit("schema = 1", "schema == 1");
    assert!(matches!(refusal(&copy, &["model.toml", "line 1"]), BundleError::NotToml { .. }));
}

#[test]
fn not_even_text() {
    let copy = Copy::of("classifier");
    fs::write(copy.path().join("model.toml"), [0xff, 0xfe, 0]).unwrap();
    assert!(matches!(refusal(&copy, &["UTF-8"]), BundleError::Unreadable { .. }));
}

#[test]
fn unknown_key() {
    let copy = Copy::of("segmenter");
    copy.edit("min_cells", "min_cell");
    let words = ["model.toml", "line", "unknown field `min_cell`", "`min_cells`"];
    assert!(matches!(refusal(&copy, &words), BundleError::WrongKey { .. }));
}

#[test]
fn wrong_value() {
    let copy = Copy::of("segmenter");
    copy.edit("std = [0.5, 0.5, 0.5]", "std = [0.5, 0.0, 0.5]");
    let words = ["model.toml", "`input.std`", "holds 0", "above 0"];
    assert!(matches!(refusal(&copy, &words), BundleError::WrongValue { .. }));
}

#[test]
fn a_path_upwards() {
    let copy = Copy::of("classifier");
    copy.edit("\"model.onnx\"", "\"../model.onnx\"");
    let words = ["`file.onnx`", "../model.onnx", "downwards"];
    assert!(matches!(refusal(&copy, &words), BundleError::PathEscapes { .. }));
}

#[test]
fn an_absolute_path() {
    let copy = Copy::of("classifier");
    copy.edit("\"golden/01.png\"", "\"/golden/01.png\"");
    let words = ["`golden[0].image`", "/golden/01.png"];
    assert!(matches!(refusal(&copy, &words), BundleError::PathEscapes { .. }));
}

#[test]
fn a_link_out_of_the_bundle() {
    let (copy, other) = (Copy::of("classifier"), Copy::of("classifier"));
    let onnx = copy.path().join("model.onnx");
    fs::remove_file(&onnx).unwrap();
    std::os::unix::fs::symlink(other.path().join("model.onnx"), &onnx).unwrap();
    let error = refusal(&copy, &["`file.onnx`", "no link to elsewhere"]);
    assert!(matches!(error, BundleError::PathEscapes { .. }));
}

#[test]
fn a_link_within_the_bundle_is_fine() {
    let copy = Copy::of("classifier");
    fs::rename(copy.path().join("model.onnx"), copy.path().join("v1.onnx")).unwrap();
    std::os::unix::fs::symlink("v1.onnx", copy.path().join("model.onnx")).unwrap();
    Bundle::load(copy.path()).unwrap().arm(&runtime()).unwrap();
}

#[test]
fn another_file_than_the_manifest_names() {
    for name in ["model.onnx", "golden/01.png"] {
        let copy = Copy::of("segmenter");
        let file = copy.path().join(name);
        let mut bytes = fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(file, bytes).unwrap();
        let error = refusal(&copy, &[name, "the manifest says"]);
        assert!(matches!(error, BundleError::HashMismatch { .. }));
    }
}

#[test]
fn no_network() {
    let good = fs::read(bundles::data().join("classifier/model.onnx")).unwrap();
    for bytes in [b"not a network".as_slice(), b"", &good[..good.len() / 2]] {
        let copy = Copy::of("classifier");
        copy.replace("model.onnx", bytes);
        let error = refusal(&copy, &["model.onnx", "ONNX Runtime"]);
        assert!(matches!(error, BundleError::NotOnnx { .. }), "{error}");
    }
}

#[test]
fn no_such_input() {
    let copy = Copy::of("classifier");
    copy.edit("name = \"image\"", "name = \"picture\"");
    let error = refusal(&copy, &["no input `picture`", "[\"image\"]"]);
    assert!(matches!(error, BundleError::NoSuchInput { .. }));
}

#[test]
fn no_such_output() {
    let copy = Copy::of("segmenter");
    copy.edit("name = \"heatmap\"", "name = \"logits\"");
    let error = refusal(&copy, &["no output `logits`", "[\"heatmap\"]"]);
    assert!(matches!(error, BundleError::NoSuchOutput { .. }));
}

#[test]
fn more_inputs_than_a_picture() {
    let copy = Copy::of("classifier");
    copy.with_graph("two_inputs.onnx");
    let error = refusal(&copy, &["[\"image\", \"reference\"]"]);
    assert!(matches!(error, BundleError::MoreInputs { .. }));
}

#[test]
fn an_input_of_bytes() {
    let copy = Copy::of("classifier");
    copy.with_graph("of_bytes.onnx").edit("name = \"image\"", "name = \"bytes\"");
    let error = refusal(&copy, &["`bytes` is of uint8", "float"]);
    assert!(matches!(error, BundleError::WrongElement { .. }));
}

#[test]
fn an_input_of_another_shape() {
    for (from, to, expected) in [
        ("width = 64", "width = 48", "[1, 3, 32, 48]"),
        ("height = 32", "height = 64", "[1, 3, 64, 64]"),
    ] {
        let copy = Copy::of("segmenter");
        copy.edit(from, to);
        let error = refusal(&copy, &["`image`", "[1, 3, 32, 64]", expected]);
        assert!(matches!(error, BundleError::WrongInputShape { .. }));
    }
}

#[test]
fn an_input_of_another_colour() {
    let copy = Copy::of("segmenter");
    copy.edit("colour = \"rgb\"", "colour = \"gray\"")
        .edit("mean = [0.5, 0.5, 0.5]", "mean = [0.5]")
        .edit("std = [0.5, 0.5, 0.5]", "std = [0.5]");
    let error = refusal(&copy, &["[1, 1, 32, 64]"]);
    assert!(matches!(error, BundleError::WrongInputShape { .. }));
}

#[test]
fn an_input_of_fewer_sides() {
    let copy = Copy::of("classifier");
    copy.with_graph("of_numbers.onnx");
    let error = refusal(&copy, &["as [1, 1]", "[1, 1, 16, 16]"]);
    assert!(matches!(error, BundleError::WrongInputShape { .. }));
}

#[test]
fn an_output_of_another_kind() {
    let copy = Copy::of("segmenter");
    copy.edit("\"segmenter\"", "\"classifier\"")
        .edit("pixel_threshold = 0.5\n", "")
        .edit("min_cells = 2\n", "");
    let error = refusal(&copy, &["`heatmap`", "[1, 3, 4, 8]", "[1, labels]"]);
    assert!(matches!(error, BundleError::WrongOutputShape { .. }));
}

#[test]
fn not_a_channel_a_label() {
    let copy = Copy::of("segmenter");
    let labels = "[\"ok\", \"scratch\", \"stain\"]";
    copy.edit(labels, "[\"ok\", \"scratch\"]")
        .edit("expected = [0.920129, 1.0, 1.0]", "expected = [0.9, 1.0]")
        .edit("expected = [0.920129, 0.039935, 0.039935]", "expected = [0.9, 0.0]");
    let error = refusal(&copy, &["3 channels", "2 labels", "[\"ok\", \"scratch\"]"]);
    assert!(matches!(error, BundleError::LabelCount { .. }));
}

#[test]
fn no_golden_samples() {
    let copy = Copy::of("classifier");
    let file = copy.path().join("model.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, &text[..text.find("[[golden]]").unwrap()]).unwrap();
    let error = refusal(&copy, &["model.toml", "[[golden]]"]);
    assert!(matches!(error, BundleError::NoGolden { .. }));
}

#[test]
fn a_golden_sample_that_is_not_reproduced() {
    let copy = Copy::of("segmenter");
    copy.edit("[0.920129, 0.039935, 0.039935]", "[0.920129, 0.039935, 0.5]");
    let error = refusal(&copy, &["golden/02.png", "`stain` expected 0.5000 got 0.0399"]);
    let BundleError::GoldenMissed { missed, .. } = error else { panic!("{error}") };
    assert_eq!(missed.len(), 1, "only the label that is off is named");
}

#[test]
fn another_preprocessing_is_noticed() {
    for (from, to) in [
        ("mean = [0.5, 0.5, 0.5]", "mean = [0.4, 0.5, 0.5]"),
        ("std = [0.5, 0.5, 0.5]", "std = [0.5, 0.5, 0.6]"),
        ("activation = \"softmax\"", "activation = \"sigmoid\""),
    ] {
        let copy = Copy::of("segmenter");
        copy.edit(from, to);
        let error = refusal(&copy, &["golden/0", "not reproduced"]);
        assert!(matches!(error, BundleError::GoldenMissed { .. }));
    }
}

#[test]
fn what_is_not_finite_is_not_armed() {
    let copy = Copy::of("classifier");
    copy.with_graph("divides.onnx").edit("activation = \"softmax\"", "activation = \"none\"");
    let black = png(DynamicImage::new_luma8(16, 16));
    copy.replace("golden/01.png", &black);
    let error = refusal(&copy, &["golden/01.png", "`scores`", "not finite"]);
    let not_finite = FindingFault::NotFinite { output: "scores".into() };
    assert!(matches!(error, BundleError::GoldenFault { fault, .. } if fault == not_finite));
}

#[test]
fn a_golden_sample_that_is_no_camera_picture() {
    for (bytes, why) in [
        (png(DynamicImage::new_rgba8(16, 16)), "Rgba8"),
        (png(DynamicImage::new_luma16(16, 16)), "L16"),
        (b"no picture".to_vec(), "no PNG"),
    ] {
        let copy = Copy::of("classifier");
        copy.replace("golden/01.png", &bytes);
        let error = refusal(&copy, &["golden/01.png", why, "8-bit gray or RGB"]);
        assert!(matches!(error, BundleError::GoldenPicture { .. }));
    }
}
