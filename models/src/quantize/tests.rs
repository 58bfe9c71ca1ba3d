//! Networks made here, small enough to know what must come out.

mod gate;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

use domain::{OwnedPixels, PixelFormat, Recipe, SizePx, Tensor};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::graph::{Net, int_setting, int64s, node};
use super::plan::{Plan, Role};
use super::ranges::{Pictures, ranges};
use super::scale::Step;
use super::*;
use crate::manifest::{Activation, Colour, FileSpec, InputSpec, OutputSpec, Resize};
use crate::onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    ValueInfoProto,
};
use crate::onnx::{bytes_from_model, element, model_from_bytes};
use crate::session::{Raw, Session};
use crate::write::{Draft, WriteError, bundle_from_draft, bundle_with_expected};
use crate::{BundleError, Kind, Manifest};

const SIDE: u32 = 16;
const CPU: Int8 =
    Int8 { layout: Layout::Cpu, method: Method::Minmax, weight_bits: 7, first_too: true };

fn runtime() -> Runtime {
    Runtime::open().unwrap_or_else(|error| panic!("{error}"))
}

fn input() -> InputSpec {
    InputSpec {
        name: "image".into(),
        width: SIDE,
        height: SIDE,
        colour: Colour::Rgb,
        resize: Resize::Stretch,
        pad: 0.0,
        mean: vec![0.5; 3],
        std: vec![0.25; 3],
        tiling: None,
    }
}

/// A network under construction.
struct Build {
    graph: GraphProto,
    dice: ChaCha8Rng,
}

impl Build {
    fn new(output: &str, sides: &[i64]) -> Self {
        let image = [1, 3, i64::from(SIDE), i64::from(SIDE)];
        let graph = GraphProto {
            name: "g".into(),
            input: vec![ValueInfoProto::tensor("image", element::FLOAT, &image)],
            output: vec![ValueInfoProto::tensor(output, element::FLOAT, sides)],
            ..Default::default()
        };
        Self { graph, dice: ChaCha8Rng::seed_from_u64(5) }
    }

    fn floats(&mut self, name: &str, dims: &[i64], values: &[f32]) -> &mut Self {
        self.graph.initializer.push(TensorProto::of_floats(name, dims, values));
        self
    }

    /// Weights whose channels differ a hundredfold.
    fn weights(&mut self, name: &str, dims: &[i64]) -> &mut Self {
        let count: i64 = dims.iter().product();
        let each = count / dims[0];
        let values: Vec<f32> = (0..count)
            .map(|i| self.dice.random_range(-0.5_f32..0.5) * 10_f32.powi((i / each % 3) as i32 - 2))
            .collect();
        self.floats(name, dims, &values)
    }

    fn node(&mut self, op: &str, inputs: &[&str], output: &str) -> &mut NodeProto {
        self.graph.node.push(node(op, &format!("the {output}"), inputs, output));
        self.graph.node.last_mut().unwrap()
    }

    fn onnx(&self, opset: i64) -> Vec<u8> {
        bytes_from_model(&ModelProto {
            ir_version: 8,
            graph: Some(self.graph.clone()),
            opset_import: vec![OperatorSetIdProto { version: opset, ..Default::default() }],
            ..Default::default()
        })
    }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: values.to_vec(), kind: 7, ..Default::default() }
}

/// Conv, Clip, Conv by channel, Add, Concat, MaxPool, Resize, Conv, pooling, Gemm, MatMul.
fn many() -> Build {
    let mut b = Build::new("scores", &[1, 2]);
    b.weights("w1", &[8, 3, 3, 3]).weights("b1", &[8]).weights("w2", &[8, 1, 3, 3]);
    b.weights("w3", &[6, 16, 1, 1]).weights("b3", &[6]).weights("w4", &[4, 6]).weights("b4", &[4]);
    b.weights("w5", &[4, 2]);
    b.floats("low", &[], &[0.0]).floats("high", &[], &[6.0]).floats(
        "scales",
        &[4],
        &[1., 1., 2., 2.],
    );
    b.graph.initializer.push(int64s("border", &[0, 0, 0, 0, 0, 0, 1, 1]));
    b.node("Pad", &["image", "border"], "padded");
    b.node("Conv", &["padded", "w1", "b1"], "c1").attribute = vec![ints("strides", &[2, 2])];
    b.node("Clip", &["c1", "low", "high"], "r1");
    b.node("Conv", &["r1", "w2"], "c2").attribute =
        vec![ints("pads", &[1, 1, 1, 1]), int_setting("group", 8)];
    b.node("Add", &["r1", "c2"], "sum");
    b.node("Concat", &["sum", "r1"], "both").attribute = vec![int_setting("axis", 1)];
    b.node("MaxPool", &["both"], "pool").attribute =
        vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
    b.node("Resize", &["pool", "", "scales"], "large");
    b.node("Conv", &["large", "w3", "b3"], "c3");
    b.node("Relu", &["c3"], "r3");
    b.node("GlobalAveragePool", &["r3"], "mean");
    b.node("Flatten", &["mean"], "flat");
    b.node("Gemm", &["flat", "w4", "b4"], "g4").attribute = vec![int_setting("transB", 1)];
    b.node("MatMul", &["g4", "w5"], "m5");
    b.node("Softmax", &["m5"], "scores").attribute = vec![int_setting("axis", -1)];
    b
}

/// Pictures of noise around different brightnesses.
fn pictures(count: u64) -> Vec<OwnedPixels> {
    let picture = |seed| {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let base: u8 = dice.random_range(0..200);
        let count = (SIDE * SIDE * 3) as usize;
        let bytes = (0..count).map(|_| base + dice.random_range(0..55_u8)).collect();
        OwnedPixels::new(PixelFormat::Rgb8, SizePx::new(SIDE, SIDE), vec![bytes]).unwrap()
    };
    (0..count).map(picture).collect()
}

/// A tensor for each of `pictures`.
fn tensors(pictures: &[OwnedPixels]) -> Vec<Tensor> {
    use domain::Pixels;
    let mut shaper = crate::Shaper::new(input());
    let shape = |picture: &OwnedPixels| {
        let mut tensor = input().tensor();
        shaper.prepare(picture, picture.size().rect(), &mut tensor).unwrap();
        tensor
    };
    pictures.iter().map(shape).collect()
}

fn run(onnx: &[u8], output: &str, tensor: &Tensor) -> Vec<f32> {
    let mut session = Session::compile(&runtime(), onnx).unwrap();
    let mut raw = [Raw::default()];
    session.want(&[output.to_owned()]).unwrap();
    session.run(tensor, &mut raw).unwrap();
    raw[0].values.clone()
}

/// `onnx` in 8 bits, and the plan.
fn in_8_bits(onnx: &[u8], how: &Int8, keep: &[&str]) -> (Vec<u8>, Plan) {
    let runtime = runtime();
    let net = Net::tidied(onnx, &runtime).unwrap();
    let floats = net.floats(&runtime).unwrap();
    let keep: Vec<_> = keep.iter().map(|name| (*name).to_owned()).collect();
    let plan = Plan::new(&net, &floats, &keep, how).unwrap();
    let seen = pictures(8);
    let pictures = Pictures { files: &[], loaded: &seen };
    let measured = plan.measured();
    let ranges = ranges(&net, &input(), &measured, pictures, how.method, &runtime).unwrap();
    (int8::rewritten(net, &plan, &ranges, how).unwrap().bytes(), plan)
}

fn ops(onnx: &[u8]) -> BTreeMap<String, usize> {
    let graph = model_from_bytes(onnx).unwrap().graph.unwrap();
    let mut counts = BTreeMap::new();
    graph.node.iter().for_each(|node| *counts.entry(node.op_type.clone()).or_default() += 1);
    counts
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn many_operators_in_8_bits_say_nearly_the_same() {
    let onnx = many().onnx(17);
    for how in [
        CPU,
        Int8 { weight_bits: 8, ..CPU },
        Int8 { layout: Layout::Tensorrt, weight_bits: 8, ..CPU },
        Int8 { method: Method::Percentile(99.99), ..CPU },
    ] {
        let (made, _) = in_8_bits(&onnx, &how, &[]);
        let mut differs = false;
        for tensor in tensors(&pictures(12)) {
            let (float, whole) = (run(&onnx, "scores", &tensor), run(&made, "scores", &tensor));
            let off = largest_difference(&float, &whole);
            assert!(off < 0.03, "{how:?}: {float:?} {whole:?}");
            differs |= off > 0.0;
        }
        assert!(differs, "8 bits that cost nothing were not computed in");
    }
}

#[test]
fn the_layout_is_one_that_the_runtime_merges() {
    let (made, plan) = in_8_bits(&many().onnx(17), &CPU, &[]);
    let ops = ops(&made);
    for gone in ["Clip", "Relu", "Pad", "Constant"] {
        assert!(!ops.contains_key(gone), "{gone} is still there");
    }
    let graph = model_from_bytes(&made).unwrap().graph.unwrap();
    // A node comes after those that make what it takes, and each tensor is made once.
    let mut there: HashSet<&str> = HashSet::from(["", "image"]);
    there.extend(graph.initializer.iter().map(|constant| &*constant.name));
    for node in &graph.node {
        for input in &node.input {
            assert!(there.contains(&**input), "{} takes {input}, which is not there", node.name);
        }
        assert!(node.output.iter().all(|output| there.insert(output)), "{} twice", node.name);
    }
    // What is moved keeps its steps.
    assert_eq!(plan.activations["large"], "both");
    assert_eq!(plan.activations["pool"], "both");
    // The last weights are 8-bit, what they give is not.
    assert!(!plan.activations.contains_key("m5") && plan.activations.contains_key("g4"));
    let kinds: HashSet<_> = graph.initializer.iter().map(|c| (&*c.name, c.data_type)).collect();
    assert!(kinds.contains(&("w1_quantized", element::INT8)));
    assert!(kinds.contains(&("b1_quantized", element::INT32)));
    assert!(!kinds.contains(&("w1", element::FLOAT)), "the floats are still there");
    // Taken by three, quantised once.
    let of_r1 = |node: &&NodeProto| node.op_type == "QuantizeLinear" && node.input[0] == "r1";
    assert_eq!(graph.node.iter().filter(of_r1).count(), 1);
}

#[test]
fn scales_by_channel_are_those_of_the_weights() {
    let onnx = many().onnx(17);
    let float = model_from_bytes(&onnx).unwrap().graph.unwrap();
    let (made, _) = in_8_bits(&onnx, &Int8 { weight_bits: 8, ..CPU }, &[]);
    let made = model_from_bytes(&made).unwrap().graph.unwrap();
    let constant = |graph: &GraphProto, name: &str| {
        graph.initializer.iter().find(|constant| constant.name == name).unwrap().clone()
    };
    // numpy: abs(w).max(axis=(1, 2, 3)) / 127, and along the last axis for MatMul.
    let w1 = constant(&float, "w1").floats().unwrap();
    let wanted: Vec<f32> =
        w1.chunks(27).map(|c| c.iter().fold(0_f32, |m, w| m.max(w.abs())) / 127.0).collect();
    assert_eq!(constant(&made, "w1_scale").floats().unwrap(), wanted);
    let bytes = constant(&made, "w1_quantized").raw_data;
    for (index, (byte, weight)) in bytes.iter().zip(&w1).enumerate() {
        let wanted = (weight / wanted[index / 27]).round_ties_even();
        assert_eq!(f32::from(byte.cast_signed()), wanted);
    }
    let w5 = constant(&float, "w5").floats().unwrap();
    let column = |c: usize| w5.iter().skip(c).step_by(2).fold(0_f32, |m, w| m.max(w.abs())) / 127.0;
    assert_eq!(constant(&made, "w5_scale").floats().unwrap(), [column(0), column(1)]);
}

/// Of one matrix product the largest error can be told: half a step of each weight and input.
#[test]
fn one_product_is_off_by_its_steps_at_most() {
    let mut b = Build::new("y", &[1, 5]);
    let inputs = i64::from(3 * SIDE * SIDE);
    b.weights("w", &[inputs, 5]);
    b.node("Flatten", &["image"], "x");
    b.node("MatMul", &["x", "w"], "y");
    let onnx = b.onnx(17);
    let (made, plan) = in_8_bits(&onnx, &Int8 { weight_bits: 8, ..CPU }, &[]);
    assert_eq!(plan.activations.len(), 1);
    let weights = b.graph.initializer[0].floats().unwrap();
    for tensor in tensors(&pictures(8)) {
        let (float, whole) = (run(&onnx, "y", &tensor), run(&made, "y", &tensor));
        // The pictures' values are -2..=2.
        let x = 4.0 / 255.0;
        for column in 0..5 {
            let of = || weights.iter().skip(column).step_by(5);
            let w = of().fold(0_f32, |m, w| m.max(w.abs())) / 127.0;
            let bound: f32 = of()
                .zip(&tensor.data)
                .map(|(weight, value)| (weight.abs() * x + value.abs() * w + x * w / 2.0) / 2.0)
                .sum();
            let off = (float[column] - whole[column]).abs();
            assert!(off <= bound && off > 0.0, "{off} is above {bound}");
        }
    }
}

#[test]
fn what_is_to_be_kept_is_kept() {
    let onnx = many().onnx(17);
    let (made, plan) = in_8_bits(&onnx, &CPU, &["the c1", "m5"]);
    assert_eq!(plan.kept.len(), 2);
    let graph = model_from_bytes(&made).unwrap().graph.unwrap();
    let names: HashSet<_> = graph.initializer.iter().map(|constant| &*constant.name).collect();
    assert!(names.contains("w1") && names.contains("w5") && !names.contains("w3"));
    let net = Net::tidied(&onnx, &runtime()).unwrap();
    let error = Plan::new(&net, &net.floats(&runtime()).unwrap(), &["c9".into()], &CPU);
    let Err(QuantizeError::NoSuchNode { name, there }) = error else { panic!("expected it") };
    assert!(name == "c9" && there.contains(&"the c1".to_owned()), "{there:?}");
}

#[test]
fn what_sees_the_picture_stays_unless_there_is_nothing_else() {
    let how = Int8 { first_too: false, ..CPU };
    let (_, plan) = in_8_bits(&many().onnx(17), &how, &[]);
    let [kept] = plan.kept.as_slice() else { panic!("{:?}", plan.kept) };
    assert_eq!((&*kept.node, &*kept.why), ("the c1", "it sees the picture itself"));
    assert!(!plan.activations.contains_key("image") && plan.activations.contains_key("r1"));
    let mut b = Build::new("y", &[1, 4, 16, 16]);
    b.weights("w", &[4, 3, 1, 1]).node("Conv", &["image", "w"], "y");
    let (made, plan) = in_8_bits(&b.onnx(17), &how, &[]);
    assert!(plan.kept.is_empty() && ops(&made)["DequantizeLinear"] == 2);
}

#[test]
fn limits_that_steps_do_not_keep_stay() {
    let mut b = many();
    // Clip at 1: between 0 and it the steps would let values through.
    b.graph.initializer.iter_mut().find(|c| c.name == "low").unwrap().raw_data =
        1_f32.to_le_bytes().to_vec();
    let (made, plan) = in_8_bits(&b.onnx(17), &CPU, &[]);
    assert_eq!(ops(&made)["Clip"], 1);
    assert!(plan.roles.contains(&Role::Follows));
    for tensor in tensors(&pictures(3)) {
        let off = largest_difference(
            &run(&b.onnx(17), "scores", &tensor),
            &run(&made, "scores", &tensor),
        );
        assert!(off < 0.03, "{off}");
    }
}

#[test]
fn older_operators_are_raised_and_say_the_same() {
    let mut b = many();
    // Before 13 the place was no option.
    b.floats("roi", &[0], &[]);
    let resize = b.graph.node.iter_mut().find(|node| node.op_type == "Resize").unwrap();
    resize.input[1] = "roi".into();
    let onnx = b.onnx(12);
    let (made, _) = in_8_bits(&onnx, &CPU, &[]);
    let tensor = &tensors(&pictures(1))[0];
    let off = largest_difference(&run(&onnx, "scores", tensor), &run(&made, "scores", tensor));
    assert!(off < 0.03, "{off}");
}

#[test]
fn what_is_quantised_is_not_quantised_again() {
    let (made, _) = in_8_bits(&many().onnx(17), &CPU, &[]);
    let error = Net::tidied(&made, &runtime()).unwrap_err();
    assert!(matches!(error, QuantizeError::AlreadyQuantized { .. }), "{error}");
}

/// `onnx` in 16 bits and what stayed.
fn in_16_bits(onnx: &[u8], keep: &[&str]) -> (Vec<u8>, Vec<Kept>) {
    let runtime = runtime();
    let net = Net::tidied(onnx, &runtime).unwrap();
    let floats = net.floats(&runtime).unwrap();
    let (seen, all) = (pictures(2), floats.iter().cloned().collect::<Vec<_>>());
    let pictures = Pictures { files: &[], loaded: &seen };
    let ranges = ranges(&net, &input(), &all, pictures, Method::Minmax, &runtime).unwrap();
    let keep: Vec<_> = keep.iter().map(|name| (*name).to_owned()).collect();
    let (net, kept, _) = half::rewritten(net, &floats, &ranges, &keep);
    (net.bytes(), kept)
}

#[test]
fn sixteen_bits_say_nearly_the_same_and_floats_go_in_and_out() {
    let onnx = many().onnx(17);
    let (made, kept) = in_16_bits(&onnx, &[]);
    assert!(kept.is_empty(), "{kept:?}");
    let session = Session::compile(&runtime(), &made).unwrap();
    let ports = [session.inputs(), session.outputs()].concat();
    assert!(ports.iter().all(|port| port.element == "float"), "{ports:?}");
    let graph = model_from_bytes(&made).unwrap().graph.unwrap();
    let floats = graph.initializer.iter().filter(|c| c.data_type == element::FLOAT);
    let floats: Vec<_> = floats.map(|constant| &*constant.name).collect();
    assert_eq!(floats, ["scales"], "Resize takes its scales in 32 bits");
    assert_eq!(ops(&made)["Cast"], 2);
    for tensor in tensors(&pictures(6)) {
        let off =
            largest_difference(&run(&onnx, "scores", &tensor), &run(&made, "scores", &tensor));
        assert!(off < 0.01 && off > 0.0, "{off}");
    }
}

#[test]
fn what_16_bits_can_not_hold_stays_in_32() {
    let mut b = many();
    b.floats("huge", &[], &[1e6]).floats("tiny", &[], &[1e-9]);
    b.graph.node.retain(|node| node.op_type != "Softmax");
    b.node("Mul", &["m5", "huge"], "far");
    b.node("Div", &["far", "huge"], "near");
    b.node("Add", &["near", "tiny"], "safe");
    b.node("Softmax", &["safe"], "scores").attribute = vec![int_setting("axis", -1)];
    let onnx = b.onnx(17);
    let (made, kept) = in_16_bits(&onnx, &["the c2"]);
    let told = |op: &str| &*kept.iter().find(|kept| kept.op == op).unwrap().why;
    assert!(told("Mul").contains("65504") && told("Div").contains("65504"));
    assert!(told("Add").contains("0 in 16 bits"), "{}", told("Add"));
    assert_eq!(told("Conv"), "asked for");
    for tensor in tensors(&pictures(3)) {
        let off =
            largest_difference(&run(&onnx, "scores", &tensor), &run(&made, "scores", &tensor));
        assert!(off < 0.01, "{off}");
    }
}

/// Zero is hit exactly by every step, so that borders add nothing.
#[test]
fn zero_is_zero() {
    let step = Step::unsigned(scale::Range { low: -0.37, high: 5.1 });
    let byte = step.bytes(&[0.0], (0.0, 255.0))[0];
    assert_eq!(i16::from(byte), step.zero);
}
