//! 8 bits: takes a network, a plan and ranges, gives the network with QuantizeLinear and
//! DequantizeLinear around what ONNX Runtime and TensorRT then compute in whole numbers.

use std::collections::{BTreeMap, HashMap};

use super::graph::{Net, int_of, int_setting, node, sides};
use super::plan::{Plan, Role};
use super::scale::{self, Range, Step};
use super::{Int8, Layout, QuantizeError};
use crate::onnx::element;
use crate::onnx::proto::{NodeProto, TensorProto};

/// Puts `net` into 8 bits.
///
/// # Errors
/// When a range is missing that the plan needs.
pub(super) fn rewritten(
    net: Net,
    plan: &Plan,
    ranges: &BTreeMap<String, Range>,
    how: &Int8,
) -> Result<Net, QuantizeError> {
    let mut steps = BTreeMap::new();
    for root in plan.measured() {
        let Some(range) = ranges.get(&root) else {
            return Err(QuantizeError::NoRange { tensor: root });
        };
        let step = match how.layout {
            Layout::Cpu => Step::unsigned(*range),
            Layout::Tensorrt => Step::signed(*range),
        };
        steps.insert(root, step);
    }
    let old = net.graph.node.clone();
    let mut writer = Writer {
        floors: floors(&net, plan, &steps),
        net,
        plan,
        how,
        steps,
        nodes: Vec::new(),
        floats: HashMap::new(),
        parameters: HashMap::new(),
    };
    writer.write(&old);
    let Writer { mut net, nodes, .. } = writer;
    net.graph.node = nodes;
    net.drop_unused();
    Ok(net)
}

/// Which axis of its weights counts a node's channels; none where they share a scale.
fn channel_axis(node: &NodeProto, weights: &TensorProto) -> Option<usize> {
    match (&*node.op_type, weights.dims.len()) {
        ("Conv", 1..) => Some(0),
        ("ConvTranspose", 2..) if int_of(node, "group", 1) == 1 => Some(1),
        ("Gemm", 2) => Some(if int_of(node, "transB", 0) == 0 { 1 } else { 0 }),
        ("MatMul", 2) => Some(1),
        _ => None,
    }
}

/// The bias of a node that is to be quantised with it.
fn bias_of<'a>(net: &'a Net, node: &NodeProto) -> Option<&'a TensorProto> {
    if !matches!(&*node.op_type, "Conv" | "Gemm") {
        return None;
    }
    let weights = net.constant(&node.input[1])?;
    let axis = channel_axis(node, weights)?;
    let bias = net.constant(node.input.get(2)?)?;
    (bias.data_type == element::FLOAT && bias.dims == [weights.dims[axis]]).then_some(bias)
}

/// Below what the scales of each weight's channels must not fall, for the biases they go with.
fn floors(
    net: &Net,
    plan: &Plan,
    steps: &BTreeMap<String, Step>,
) -> HashMap<(String, Option<usize>), Vec<f32>> {
    let mut floors: HashMap<_, Vec<f32>> = HashMap::new();
    for (node, role) in net.graph.node.iter().zip(&plan.roles) {
        if *role != Role::Weighted {
            continue;
        }
        let (Some(bias), Some(step)) = (
            bias_of(net, node).and_then(TensorProto::floats),
            plan.activations.get(&node.input[0]).and_then(|root| steps.get(root)),
        ) else {
            continue;
        };
        let axis = net.constant(&node.input[1]).and_then(|weights| channel_axis(node, weights));
        let floor = floors.entry((node.input[1].clone(), axis)).or_insert(vec![0.0; bias.len()]);
        for (floor, bias) in floor.iter_mut().zip(&bias) {
            *floor = floor.max(scale::floor_for_bias(*bias, step.scale));
        }
    }
    floors
}

/// Names of a scale and a zero point among the constants.
#[derive(Clone)]
struct Parameters {
    scale: String,
    zero: String,
}

/// What was quantised: name, as what, and along which axis.
type Source = (String, &'static str, Option<usize>);
/// The floats that come back, and their scales where those are needed again.
type Back = (String, Vec<f32>);

struct Writer<'a> {
    net: Net,
    plan: &'a Plan,
    how: &'a Int8,
    steps: BTreeMap<String, Step>,
    floors: HashMap<(String, Option<usize>), Vec<f32>>,
    /// The new graph.
    nodes: Vec<NodeProto>,
    /// The floats that come back out of 8 bits, by what was quantised and how.
    floats: HashMap<Source, Back>,
    /// By the activation whose steps they are.
    parameters: HashMap<String, Parameters>,
}

impl Writer<'_> {
    fn write(&mut self, old: &[NodeProto]) {
        let inputs: Vec<_> = self.net.graph.input.iter().map(|input| input.name.clone()).collect();
        inputs.iter().for_each(|input| self.quantize(input));
        // What an absorbed limit gave, its maker gives.
        let absorbed = old.iter().zip(&self.plan.roles).filter(|(_, r)| **r == Role::Absorbed);
        let renamed: HashMap<_, _> =
            absorbed.map(|(limit, _)| (limit.input[0].clone(), limit.output[0].clone())).collect();
        for (node, role) in old.iter().zip(&self.plan.roles) {
            if *role == Role::Absorbed {
                continue;
            }
            let mut node = node.clone();
            match role {
                Role::Weighted => self.take_weights(&mut node),
                Role::Computes => self.take_constants(&mut node),
                _ => {}
            }
            for input in &mut node.input {
                let key = (input.clone(), "activation", None);
                if let Some((float, _)) = self.floats.get(&key) {
                    input.clone_from(float);
                }
            }
            for output in &mut node.output {
                if let Some(name) = renamed.get(output) {
                    output.clone_from(name);
                }
            }
            let outputs = node.output.clone();
            self.nodes.push(node);
            outputs.iter().for_each(|output| self.quantize(output));
        }
    }

    /// Puts an activation through 8 bits, when the plan says so.
    fn quantize(&mut self, tensor: &str) {
        let Some(root) = self.plan.activations.get(tensor).cloned() else { return };
        let Parameters { scale, zero } = self.parameters_of(&root);
        let bytes = self.net.fresh(&format!("{tensor}_QuantizeLinear_Output"));
        let float = self.net.fresh(&format!("{tensor}_DequantizeLinear_Output"));
        let name = self.net.fresh(&format!("{tensor}_QuantizeLinear"));
        self.nodes.push(node("QuantizeLinear", &name, &[tensor, &scale, &zero], &bytes));
        let name = self.net.fresh(&format!("{tensor}_DequantizeLinear"));
        self.nodes.push(node("DequantizeLinear", &name, &[&bytes, &scale, &zero], &float));
        self.floats.insert((tensor.to_owned(), "activation", None), (float, Vec::new()));
    }

    fn parameters_of(&mut self, root: &str) -> Parameters {
        if let Some(there) = self.parameters.get(root) {
            return there.clone();
        }
        let step = self.steps.get(root).copied().unwrap_or(Step { scale: 1.0, zero: 0 });
        let scale = self.add_floats(&format!("{root}_scale"), &[], &[step.scale]);
        let zero = self.add_bytes(&format!("{root}_zero_point"), &[], self.activation(), {
            step.bytes(&[0.0], (-128.0, 255.0))
        });
        let made = Parameters { scale, zero };
        self.parameters.insert(root.to_owned(), made.clone());
        made
    }

    /// The element type of activations.
    const fn activation(&self) -> i32 {
        match self.how.layout {
            Layout::Cpu => element::UINT8,
            Layout::Tensorrt => element::INT8,
        }
    }

    fn add_floats(&mut self, name: &str, dims: &[i64], values: &[f32]) -> String {
        let name = self.net.fresh(name);
        self.net.graph.initializer.push(TensorProto::of_floats(&name, dims, values));
        name
    }

    fn add_bytes(&mut self, name: &str, dims: &[i64], data_type: i32, raw: Vec<u8>) -> String {
        let name = self.net.fresh(name);
        let (dims, raw_data) = (dims.to_vec(), raw);
        let constant =
            TensorProto { name: name.clone(), dims, data_type, raw_data, ..Default::default() };
        self.net.graph.initializer.push(constant);
        name
    }

    /// The floats that `bytes` stands for; by channel along `axis`.
    fn dequantize(
        &mut self,
        of: &str,
        [bytes, scale, zero]: [&str; 3],
        axis: Option<usize>,
    ) -> String {
        let float = self.net.fresh(&format!("{of}_DequantizeLinear_Output"));
        let name = self.net.fresh(&format!("{of}_DequantizeLinear"));
        let mut made = node("DequantizeLinear", &name, &[bytes, scale, zero], &float);
        let axis = axis.and_then(|axis| i64::try_from(axis).ok());
        made.attribute.extend(axis.map(|axis| int_setting("axis", axis)));
        self.nodes.push(made);
        float
    }

    /// Weights and bias of `node` become integers.
    fn take_weights(&mut self, node: &mut NodeProto) {
        let Some(weights) = self.net.constant(&node.input[1]).cloned() else { return };
        let axis = channel_axis(node, &weights);
        let key = (weights.name.clone(), "weights", axis);
        if !self.floats.contains_key(&key) {
            let made = self.weights_in_8_bits(&weights, axis);
            self.floats.insert(key.clone(), made);
        }
        let (float, scales) = self.floats[&key].clone();
        let bias = match self.how.layout {
            Layout::Cpu => bias_of(&self.net, node).cloned(),
            // TensorRT takes it in floats only.
            Layout::Tensorrt => None,
        };
        let step = self.plan.activations.get(&node.input[0]).and_then(|root| self.steps.get(root));
        if let (Some(bias), Some(step)) = (bias, step.copied()) {
            node.input[2] = self.bias_in_32_bits(&bias, step.scale, &scales);
        }
        node.input[1] = float;
    }

    fn weights_in_8_bits(&mut self, weights: &TensorProto, axis: Option<usize>) -> Back {
        let values = weights.floats().unwrap_or_default();
        let floors = self.floors.remove(&(weights.name.clone(), axis)).unwrap_or_default();
        let made = scale::weights(&values, &sides(weights), axis, self.how.weight_top(), &floors);
        let channels: Vec<_> = axis.map(|axis| weights.dims[axis]).into_iter().collect();
        let name = &weights.name;
        let zeros = vec![0; made.scales.len()];
        let bytes =
            self.add_bytes(&format!("{name}_quantized"), &weights.dims, element::INT8, made.bytes);
        let scale = self.add_floats(&format!("{name}_scale"), &channels, &made.scales);
        let zero = self.add_bytes(&format!("{name}_zero_point"), &channels, element::INT8, zeros);
        (self.dequantize(name, [&bytes, &scale, &zero], axis), made.scales)
    }

    /// A bias in the steps of the sums it is added to. Made anew for each node: another node's
    /// activations have other steps.
    fn bias_in_32_bits(&mut self, bias: &TensorProto, input_scale: f32, scales: &[f32]) -> String {
        let values = bias.floats().unwrap_or_default();
        let numbers = values.iter().zip(scales);
        let numbers = numbers.map(|(value, scale)| scale::bias(*value, input_scale, *scale));
        let raw: Vec<u8> = numbers.flat_map(i32::to_le_bytes).collect();
        let zeros = vec![0; raw.len()];
        let steps: Vec<_> = scales.iter().map(|scale| scale * input_scale).collect();
        let name = &bias.name;
        let whole = self.add_bytes(&format!("{name}_quantized"), &bias.dims, element::INT32, raw);
        let scale = self.add_floats(&format!("{name}_scale"), &bias.dims, &steps);
        let zero = self.add_bytes(&format!("{name}_zero_point"), &bias.dims, element::INT32, zeros);
        self.dequantize(name, [&whole, &scale, &zero], Some(0))
    }

    /// Constants that a node computes with become 8-bit integers as its activations are.
    fn take_constants(&mut self, node: &mut NodeProto) {
        if !matches!(&*node.op_type, "Add" | "Mul" | "Concat" | "MatMul") {
            return;
        }
        for input in &mut node.input {
            let Some(constant) = self.net.constant(input).cloned() else { continue };
            let Some(values) = constant.floats() else { continue };
            let key = (constant.name.clone(), "constant", None);
            if !self.floats.contains_key(&key) {
                let float = self.constant_in_8_bits(&constant, &values);
                self.floats.insert(key.clone(), (float, Vec::new()));
            }
            input.clone_from(&self.floats[&key].0);
        }
    }

    fn constant_in_8_bits(&mut self, constant: &TensorProto, values: &[f32]) -> String {
        let range = Range::of(values);
        let (step, limits) = match self.how.layout {
            Layout::Cpu => (Step::unsigned(range), (0.0, 255.0)),
            Layout::Tensorrt => (Step::signed(range), (-127.0, 127.0)),
        };
        let (name, data_type) = (&constant.name, self.activation());
        let raw = step.bytes(values, limits);
        let bytes = self.add_bytes(&format!("{name}_quantized"), &constant.dims, data_type, raw);
        let scale = self.add_floats(&format!("{name}_scale"), &[], &[step.scale]);
        let zero = step.bytes(&[0.0], limits);
        let zero = self.add_bytes(&format!("{name}_zero_point"), &[], data_type, zero);
        self.dequantize(name, [&bytes, &scale, &zero], None)
    }
}
