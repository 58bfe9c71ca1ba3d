//! A model that does nothing: takes what the real one takes, so that all before it costs the same,
//! and looks at one pixel. Gives a bundle in a folder.
//!
//! The network is written down byte by byte: ONNX is protobuf, and two nodes don't need a library.

use std::fs;
use std::path::Path;

use domain::Sha256;
use image::{ImageFormat, RgbImage};
use models::{Bundle, InputSpec, Model, Runtime};
use sightline_benches::Failure;

/// The armed model for inputs like `input`.
pub fn model(input: &InputSpec, folder: &Path) -> Result<Model, Failure> {
    let network = network(input);
    let picture = folder.join("golden.png");
    RgbImage::new(8, 8).save_with_format(&picture, ImageFormat::Png)?;
    let hash = Sha256::of(&fs::read(&picture)?);
    fs::write(folder.join("model.onnx"), &network)?;
    let text = format!(
        r#"
        schema = 1
        name = "nothing"
        kind = "classifier"
        licence = "MIT OR Apache-2.0"
        description = "looks at one pixel"
        [file]
        onnx = "model.onnx"
        sha256 = "{onnx}"
        [input]
        name = "image"
        width = {width}
        height = {height}
        colour = "rgb"
        resize = "letterbox"
        pad = 0.0
        mean = [0.5, 0.5, 0.5]
        std = [0.5, 0.5, 0.5]
        [output]
        name = "scores"
        activation = "softmax"
        labels = ["ok", "green", "blue"]
        good = "ok"
        [provenance]
        recipe = "written by a bench"
        [[golden]]
        image = "golden.png"
        sha256 = "{hash}"
        expected = [0.3333, 0.3333, 0.3333]
        tolerance = 0.001
        "#,
        onnx = Sha256::of(&network),
        width = input.width,
        height = input.height,
    );
    fs::write(folder.join("model.toml"), text)?;
    Ok(Bundle::load(folder)?.arm(&Runtime::open()?)?)
}

/// Cuts the first pixel out of `image` and gives its three channels as `scores`.
fn network(input: &InputSpec) -> Vec<u8> {
    let [_, channels, rows, columns] = input.shape().map(|side| side as u64);
    let node = |kind: &str, inputs: &[&str], output: &str| {
        let mut node: Vec<u8> = inputs.iter().flat_map(|name| text(1, name)).collect();
        node.extend([text(2, output), text(4, kind)].concat());
        field(1, &node)
    };
    let constant = |name: &str, values: &[u64]| {
        let numbers: Vec<u8> = values.iter().flat_map(|value| varint(*value)).collect();
        // Dimensions, element type (7: int64), the numbers, the name.
        let tensor = [number(1, values.len() as u64), number(2, 7), field(7, &numbers)].concat();
        field(5, &[tensor, text(8, name)].concat())
    };
    let port = |key: u64, name: &str, sides: &[u64]| {
        let sides: Vec<u8> = sides.iter().flat_map(|side| field(1, &number(1, *side))).collect();
        let tensor = [number(1, 1), field(2, &sides)].concat();
        field(key, &[text(1, name), field(2, &field(1, &tensor))].concat())
    };
    let graph = [
        node("Slice", &["image", "from", "to", "axes"], "pixel"),
        node("Flatten", &["pixel"], "scores"),
        text(2, "nothing"),
        constant("from", &[0, 0]),
        constant("to", &[1, 1]),
        constant("axes", &[2, 3]),
        port(11, "image", &[1, channels, rows, columns]),
        port(12, "scores", &[1, channels]),
    ];
    // The form's version, the graph, the operators' version.
    [number(1, 8), field(7, &graph.concat()), field(8, &number(2, 17))].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

fn number(key: u64, value: u64) -> Vec<u8> {
    [varint(key << 3), varint(value)].concat()
}

fn field(key: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(key << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn text(key: u64, text: &str) -> Vec<u8> {
    field(key, text.as_bytes())
}
