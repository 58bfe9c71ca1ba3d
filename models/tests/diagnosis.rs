//! A golden sample that is not reproduced names its cause: bundles are damaged on purpose, a way at
//! a time, and must say so.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test that stops has failed; a mean of bytes is a byte"
)]

mod bundles;

use std::fs;
use std::io::Cursor;
use std::path::Path;

use bundles::{Copy, data, runtime};
use domain::{OwnedPixels, PixelFormat, SizePx};
use sightline_models::golden::{Cause, contradiction};
use sightline_models::manifest::{InputSpec, OutputSpec, Precision};
use sightline_models::onnx::{bytes_from_model, model_from_bytes, proto};
use sightline_models::write::{Draft, bundle_from_draft};
use sightline_models::{Activation, Bundle, BundleError, Colour, Manifest, Resize};
use tempfile::TempDir;

/// A colourful picture that is neither of the input's shape nor the same turned round.
fn picture(width: u32, height: u32) -> OwnedPixels {
    let bytes = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| {
        let red = if (8..40).contains(&x) && y < 10 { 250 } else { 30 };
        let blue = if x > 60 && y > 14 { 240 } else { 50 };
        [red, 20, blue]
    });
    let size = SizePx::new(width, height);
    OwnedPixels::new(PixelFormat::Rgb8, size, vec![bytes.collect()]).unwrap()
}

/// A dark picture of the input's shape with a red block.
fn red() -> OwnedPixels {
    let red = |x, y| if (16..32).contains(&x) && y < 16 { [250, 10, 10] } else { [40; 3] };
    let bytes = (0..32).flat_map(|y| (0..64).map(move |x| (x, y))).flat_map(|(x, y)| red(x, y));
    OwnedPixels::new(PixelFormat::Rgb8, SizePx::new(64, 32), vec![bytes.collect()]).unwrap()
}

fn made(of: impl FnOnce(&mut Manifest), onnx: Option<Vec<u8>>) -> TempDir {
    made_of(&[picture(100, 40), picture(64, 64)], of, onnx)
}

/// A bundle that reproduces its golden samples: the fixture's network, unless it is another.
fn made_of(
    golden: &[OwnedPixels],
    of: impl FnOnce(&mut Manifest),
    onnx: Option<Vec<u8>>,
) -> TempDir {
    let fixture = Bundle::load(&data().join("segmenter")).unwrap();
    let mut manifest = fixture.manifest().clone();
    of(&mut manifest);
    let dir = tempfile::tempdir().unwrap();
    let onnx = onnx.unwrap_or_else(|| fixture.onnx().to_vec());
    let draft = Draft { manifest, onnx: &onnx, golden, card: "", beside: &[] };
    bundle_from_draft(&dir.path().join("b"), draft, &runtime()).unwrap();
    dir
}

/// Changes the manifest of a bundle that was proven, as a hand that means well would.
fn damaged(dir: &Path, damage: impl FnOnce(&mut Manifest)) -> Cause {
    let file = dir.join("model.toml");
    let mut manifest: Manifest = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    damage(&mut manifest);
    fs::write(&file, toml::to_string(&manifest).unwrap()).unwrap();
    cause(dir)
}

fn cause(dir: &Path) -> Cause {
    match Bundle::load(dir).unwrap().arm(&runtime()).expect_err("it misses") {
        BundleError::GoldenMissed { cause, .. } | BundleError::GoldenFault { cause, .. } => cause,
        other => panic!("{other}"),
    }
}

/// Damages a bundle's input; the cause must be `key`, which would have to be `would`.
#[track_caller]
fn input_is_named(
    right: impl FnOnce(&mut InputSpec),
    wrong: impl FnOnce(&mut InputSpec),
    key: &str,
    would: &str,
) {
    let dir = made(|manifest| right(&mut manifest.input), None);
    let cause = damaged(&dir.path().join("b"), |manifest| wrong(&mut manifest.input));
    names(&cause, key, would);
}

#[track_caller]
fn names(cause: &Cause, key: &str, would: &str) {
    let Cause::Settings(changes) = cause else { panic!("{cause}") };
    assert!(changes.iter().any(|c| c.key == key && c.would.starts_with(would)), "{cause}");
    assert!(cause.to_string().contains(&format!("{key} = {would}")), "{cause}");
}

#[test]
fn red_and_blue_exchanged() {
    let bgr = |input: &mut InputSpec| input.colour = Colour::Bgr;
    let rgb = |input: &mut InputSpec| input.colour = Colour::Rgb;
    input_is_named(rgb, bgr, "input.colour", "\"rgb\"");
    input_is_named(bgr, rgb, "input.colour", "\"bgr\"");
}

#[test]
fn red_and_blue_exchanged_with_their_numbers() {
    let wrong = |input: &mut InputSpec| {
        input.colour = Colour::Bgr;
        input.mean.reverse();
    };
    let right = |input: &mut InputSpec| input.mean = vec![0.2, 0.5, 0.8];
    input_is_named(right, wrong, "input.colour", "\"rgb\", mean and std");
}

#[test]
fn another_normalisation() {
    let of = |mean: [f32; 3], std: [f32; 3]| {
        move |input: &mut InputSpec| (input.mean, input.std) = (mean.to_vec(), std.to_vec())
    };
    let imagenet = of([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let zero_one = of([0.0; 3], [1.0; 3]);
    let both = of([0.5; 3], [0.5; 3]);
    input_is_named(both, imagenet, "input.mean", "[0.5, 0.5, 0.5] and input.std = [0.5, 0.5, 0.5]");
    input_is_named(imagenet, zero_one, "input.mean", "[0.485, 0.456, 0.406]");
    input_is_named(zero_one, both, "input.mean", "[0.0, 0.0, 0.0]");
    // ImageNet's numbers as they are written for pixels of 0..255.
    let pixels = of([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]);
    input_is_named(imagenet, pixels, "input.mean", "[0.485, 0.456, 0.406]");
}

#[test]
fn stretched_or_letterboxed() {
    let fit = |resize: Resize, pad: f32| {
        move |input: &mut InputSpec| (input.resize, input.pad) = (resize, pad)
    };
    let (stretch, gray) = (fit(Resize::Stretch, 0.0), fit(Resize::Letterbox, 0.447));
    input_is_named(stretch, gray, "input.resize", "\"stretch\"");
    input_is_named(gray, stretch, "input.resize", "\"letterbox\" and input.pad = 0.447");
    let white = fit(Resize::Letterbox, 1.0);
    input_is_named(gray, white, "input.pad", "0.447");
    input_is_named(white, gray, "input.pad", "1");
}

#[test]
fn pictures_that_were_gray() {
    let copy = Copy::of("segmenter");
    let file = copy.path().join("golden/01.png");
    let colour = fs::read(&file).unwrap();
    // Proven on a gray picture, which somebody then replaced with the colour one.
    let rgb = image::load_from_memory(&colour).unwrap().into_rgb8();
    let luma = |p: &image::Rgb<u8>| {
        (f32::from(p.0[0]) * 0.299 + f32::from(p.0[1]) * 0.587 + f32::from(p.0[2]) * 0.114).round()
            as u8
    };
    let gray = image::GrayImage::from_fn(rgb.width(), rgb.height(), |x, y| {
        image::Luma([luma(rgb.get_pixel(x, y))])
    });
    let mut png = Cursor::new(Vec::new());
    gray.write_to(&mut png, image::ImageFormat::Png).unwrap();
    copy.replace("golden/01.png", png.get_ref());
    let samples = Bundle::load(copy.path()).unwrap().samples(&runtime()).unwrap();
    copy.replace("golden/01.png", &colour);
    let cause = damaged(copy.path(), |manifest| {
        manifest.golden[0].expected = samples[0].scores.iter().map(|score| score.got).collect();
    });
    names(&cause, "the pictures", "gray ones");
}

/// The fixture's network with an operator more at its end.
fn ending_in(op: &str) -> Vec<u8> {
    let fixture = fs::read(data().join("segmenter/model.onnx")).unwrap();
    let mut model = model_from_bytes(&fixture).unwrap();
    let graph = model.graph.as_mut().unwrap();
    graph.node.last_mut().unwrap().output[0] = "logits".to_owned();
    let axis = proto::AttributeProto { name: "axis".into(), i: 1, kind: 2, ..Default::default() };
    graph.node.push(proto::NodeProto {
        op_type: op.to_owned(),
        input: vec!["logits".to_owned()],
        output: vec!["heatmap".to_owned()],
        attribute: if op == "Softmax" { vec![axis] } else { Vec::new() },
        ..Default::default()
    });
    bytes_from_model(&model)
}

#[test]
fn an_activation_twice_missing_or_another() {
    use Activation::{None as Nothing, Sigmoid, Softmax};
    for (end, right, wrong, would) in [
        (None, Softmax, Sigmoid, "\"softmax\""),
        (None, Sigmoid, Softmax, "\"sigmoid\""),
        // Missing: its numbers are no probabilities, so there is no answer at all.
        (None, Softmax, Nothing, "\"softmax\""),
        // Twice.
        (Some("Softmax"), Nothing, Softmax, "\"none\""),
        (Some("Sigmoid"), Nothing, Sigmoid, "\"none\""),
    ] {
        let set =
            |activation: Activation| move |output: &mut OutputSpec| output.activation = activation;
        let dir = made(|manifest| set(right)(&mut manifest.output), end.map(ending_in));
        let cause = damaged(&dir.path().join("b"), |m| set(wrong)(&mut m.output));
        names(&cause, "output.activation", would);
    }
}

#[test]
fn channels_in_another_order() {
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/simulated-parts");
    let copy = Copy::from(&zoo);
    let cause = damaged(copy.path(), |manifest| {
        manifest.golden.iter_mut().for_each(|golden| golden.expected.swap(1, 6));
    });
    let order = "[\"ok\", \"missing_feature\", \"crack\"";
    names(&cause, "output.labels", order);
}

#[test]
fn what_no_setting_explains() {
    let off = |manifest: &mut Manifest| {
        manifest.golden[0].expected[1] = 0.7;
        manifest.golden[1].expected[1] = 0.4;
    };
    let cause = damaged(Copy::of("segmenter").path(), off);
    assert!(matches!(cause, Cause::Unexplained { worst: Some(worst) } if worst > 0.2), "{cause}");
    assert!(cause.to_string().contains("no single setting explains it"), "{cause}");

    let cause = damaged(Copy::of("segmenter").path(), |manifest| {
        off(manifest);
        manifest.file.precision = Precision::Int8;
    });
    let Cause::Quantised { precision: Precision::Int8, worst } = cause else { panic!("{cause}") };
    assert!(worst > 0.2 && cause.to_string().contains("quantisation (int8)"), "{cause}");
}

#[test]
fn a_quantised_network_is_known_though_its_manifest_says_nothing() {
    let copy = Copy::of("segmenter");
    let file = copy.path().join("model.onnx");
    let mut model = model_from_bytes(&fs::read(&file).unwrap()).unwrap();
    let graph = model.graph.as_mut().unwrap();
    let scale = proto::TensorProto::of_floats("scale", &[], &[4.0]);
    let zero = proto::TensorProto {
        name: "zero".into(),
        data_type: sightline_models::onnx::element::INT8,
        raw_data: vec![0],
        ..Default::default()
    };
    graph.initializer.extend([scale, zero]);
    graph.node.last_mut().unwrap().output[0] = "exact".to_owned();
    for (op, from, to) in
        [("QuantizeLinear", "exact", "rough"), ("DequantizeLinear", "rough", "heatmap")]
    {
        graph.node.push(proto::NodeProto {
            op_type: op.to_owned(),
            input: [from, "scale", "zero"].map(str::to_owned).to_vec(),
            output: vec![to.to_owned()],
            ..Default::default()
        });
    }
    copy.replace("model.onnx", &bytes_from_model(&model));
    let cause = cause(copy.path());
    assert!(matches!(cause, Cause::Quantised { precision: Precision::Int8, .. }), "{cause}");
}

#[test]
fn people_are_not_contradicted_in_silence() {
    let said = |labels: [&str; 2]| labels.map(|label| Some(label.to_owned()));
    let armed = || Bundle::load(&data().join("segmenter")).unwrap().arm(&runtime()).unwrap();
    // The first picture shows a scratch and a stain; the second shows nothing.
    assert_eq!(contradiction(armed(), &said(["scratch", "ok"])).unwrap(), None);
    assert_eq!(contradiction(armed(), &[None, None]).unwrap(), None);
    let found = contradiction(armed(), &said(["scratch", "stain"])).unwrap().unwrap();
    assert_eq!((found.picture, &*found.said, &*found.got), (1, "stain", "ok"));

    // Proven with red and blue exchanged: it reproduces itself, and people know better.
    let dir = made_of(&[red()], |manifest| manifest.input.colour = Colour::Bgr, None);
    let wrong = Bundle::load(&dir.path().join("b")).unwrap().arm(&runtime()).unwrap();
    let found = contradiction(wrong, &[Some("scratch".to_owned())]).unwrap().unwrap();
    assert_eq!((&*found.said, &*found.got), ("scratch", "stain"));
    let changes = found.changes.iter().map(|change| (&*change.key, &*change.would));
    assert_eq!(changes.collect::<Vec<_>>(), [("input.colour", "\"rgb\"")]);
}

#[test]
fn a_network_that_gives_no_number() {
    let copy = Copy::of("classifier");
    copy.with_graph("divides.onnx").edit("activation = \"softmax\"", "activation = \"none\"");
    let mut black = Cursor::new(Vec::new());
    image::GrayImage::new(16, 16).write_to(&mut black, image::ImageFormat::Png).unwrap();
    copy.replace("golden/01.png", black.get_ref());
    let cause = cause(copy.path());
    assert!(matches!(cause, Cause::Unexplained { .. }), "{cause}");
}
