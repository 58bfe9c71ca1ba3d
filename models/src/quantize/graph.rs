//! A network made ready for change: takes an ONNX file's bytes, gives its graph with what is
//! constant worked out, and who makes and who takes each tensor.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::QuantizeError;
use super::opset;
use crate::onnx::proto::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};
use crate::onnx::{bytes_from_model, element, model_from_bytes};
use crate::session::{Complaint, Runtime, Session};

/// Operators of a network that is quantised already.
const QUANTIZED: [&str; 3] = ["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"];

/// A network whose constants are all initializers.
#[derive(Clone, Debug)]
pub(super) struct Net {
    /// All but the graph.
    shell: ModelProto,
    pub graph: GraphProto,
    /// Every name there is, so that a new one is new.
    taken: HashSet<String>,
}

/// The setting `name` of `node`.
pub(super) fn setting<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|setting| setting.name == name)
}

/// A whole number that `node` is set to, or `otherwise` where it does not say.
pub(super) fn int_of(node: &NodeProto, name: &str, otherwise: i64) -> i64 {
    setting(node, name).map_or(otherwise, |setting| setting.i)
}

/// What people find `node` by: its name, else its first output's.
pub(super) fn known_as(node: &NodeProto) -> &str {
    let output = node.output.first().map_or("", String::as_str);
    if node.name.is_empty() { output } else { &node.name }
}

/// Whether `node` holds graphs of its own, as loops and branches do.
pub(super) fn has_graphs(node: &NodeProto) -> bool {
    node.attribute.iter().any(|setting| setting.g.is_some() || !setting.graphs.is_empty())
}

/// A node of ONNX's own operators.
pub(super) fn node(op: &str, name: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        name: name.to_owned(),
        op_type: op.to_owned(),
        ..Default::default()
    }
}

/// A whole-number setting.
pub(super) fn int_setting(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i: value, kind: 2, ..Default::default() }
}

/// A constant of whole numbers.
pub(super) fn int64s(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![i64::try_from(values.len()).unwrap_or(i64::MAX)],
        data_type: element::INT64,
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ..Default::default()
    }
}

/// Sides of `constant` as counts.
pub(super) fn sides(constant: &TensorProto) -> Vec<usize> {
    constant.dims.iter().map(|side| usize::try_from(*side).unwrap_or(0)).collect()
}

/// The whole numbers of an int64 constant.
pub(super) fn ints(constant: &TensorProto) -> Option<Vec<i64>> {
    if constant.data_type != element::INT64 || constant.data_location != 0 {
        return None;
    }
    if constant.raw_data.is_empty() {
        return Some(constant.int64_data.clone());
    }
    let (chunks, rest) = constant.raw_data.as_chunks::<8>();
    rest.is_empty().then(|| chunks.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
}

impl Net {
    /// Reads `onnx`, raises its operators to a version that knows scales by channel, has ONNX
    /// Runtime work out what is constant, and takes borders into the convolutions they are for.
    ///
    /// # Errors
    /// When it is no ONNX file, is quantised already, or can't be raised without changing what it
    /// says.
    pub fn tidied(onnx: &[u8], runtime: &Runtime) -> Result<Self, QuantizeError> {
        let mut model = model_from_bytes(onnx)?;
        refuse_quantized(&model)?;
        opset::raise(&mut model)?;
        let simple = Session::simplified(runtime, &bytes_from_model(&model))
            .map_err(|Complaint(message)| QuantizeError::Runtime { message })?;
        let mut net = Self::new(model_from_bytes(&simple)?);
        net.take_constants_in();
        net.take_borders_in();
        net.drop_unused();
        Ok(net)
    }

    fn new(mut model: ModelProto) -> Self {
        let graph = model.graph.take().unwrap_or_default();
        let mut net = Self { shell: model, graph, taken: HashSet::new() };
        net.taken = names_in(&net.graph);
        net.taken.extend(net.captured());
        // Older files list constants among the inputs too; then they could be fed, and would have
        // to be once the constant is gone.
        let constants: HashSet<_> =
            net.graph.initializer.iter().map(|constant| constant.name.clone()).collect();
        net.graph.input.retain(|input| !constants.contains(&input.name));
        // The runtime lists every set it knows.
        let used: HashSet<_> = net.graph.node.iter().map(|node| node.domain.clone()).collect();
        let own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
        net.shell.opset_import.retain(|set| own(&set.domain) || used.contains(&set.domain));
        net
    }

    /// The file.
    pub fn bytes(&self) -> Vec<u8> {
        bytes_from_model(&ModelProto { graph: Some(self.graph.clone()), ..self.shell.clone() })
    }

    /// A name that nothing has yet, beginning with `name`.
    pub fn fresh(&mut self, name: &str) -> String {
        let numbered = (2_u32..).map(|number| format!("{name}_{number}"));
        let free = [name.to_owned()].into_iter().chain(numbered).find(|n| !self.taken.contains(n));
        let free = free.unwrap_or_default();
        self.taken.insert(free.clone());
        free
    }

    /// The constant of that name.
    pub fn constant(&self, name: &str) -> Option<&TensorProto> {
        self.graph.initializer.iter().find(|constant| constant.name == name)
    }

    /// Which nodes take each tensor, in the graph's order; twice where one takes it twice.
    pub fn takers(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut takers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, node) in self.graph.node.iter().enumerate() {
            for input in node.input.iter().filter(|input| !input.is_empty()) {
                takers.entry(input).or_default().push(index);
            }
        }
        takers
    }

    /// Tensors that must keep their name and their floats: the graph's outputs, and what loops and
    /// branches reach out for.
    pub fn held(&self) -> BTreeSet<String> {
        let outputs = self.graph.output.iter().map(|output| output.name.clone());
        outputs.chain(self.captured()).collect()
    }

    fn captured(&self) -> BTreeSet<String> {
        fn names(graph: &GraphProto, found: &mut BTreeSet<String>) {
            found.extend(graph.output.iter().map(|output| output.name.clone()));
            for node in &graph.node {
                found.extend(node.input.iter().cloned());
                inner(node, found);
            }
        }
        fn inner(node: &NodeProto, found: &mut BTreeSet<String>) {
            for setting in &node.attribute {
                setting.g.iter().chain(&setting.graphs).for_each(|graph| names(graph, found));
            }
        }
        let mut found = BTreeSet::new();
        self.graph.node.iter().for_each(|node| inner(node, &mut found));
        found
    }

    /// Names of the float tensors that nodes give, and of the float inputs, as ONNX Runtime
    /// tells their types.
    pub fn floats(&self, runtime: &Runtime) -> Result<BTreeSet<String>, QuantizeError> {
        let made = self.graph.node.iter().flat_map(|node| &node.output);
        let outputs: Vec<_> = made.filter(|output| !output.is_empty()).cloned().collect();
        let session = self.showing(&outputs, &[], runtime)?;
        let ports = session.outputs().into_iter().chain(session.inputs());
        Ok(ports.filter(|port| port.element == "float").map(|port| port.name).collect())
    }

    /// The network with other outputs, and with `more` nodes at its end, ready to run.
    pub fn showing(
        &self,
        outputs: &[String],
        more: &[NodeProto],
        runtime: &Runtime,
    ) -> Result<Session, QuantizeError> {
        let mut shown = self.clone();
        // Without a type the runtime works it out.
        let port = |name: &String| crate::onnx::proto::ValueInfoProto {
            name: name.clone(),
            ..Default::default()
        };
        shown.graph.output = outputs.iter().map(port).collect();
        shown.graph.node.extend_from_slice(more);
        let told = |Complaint(message)| QuantizeError::Runtime { message };
        let mut session = Session::compile(runtime, &shown.bytes()).map_err(told)?;
        session.want(outputs).map_err(told)?;
        Ok(session)
    }

    /// Constants that nothing takes any more, and what is said of tensors that are gone, go.
    pub fn drop_unused(&mut self) {
        let mut used: HashSet<_> =
            self.graph.node.iter().flat_map(|node| node.input.iter().cloned()).collect();
        used.extend(self.held());
        self.graph.initializer.retain(|constant| used.contains(&constant.name));
        let made: HashSet<_> =
            self.graph.node.iter().flat_map(|node| node.output.iter().cloned()).collect();
        self.graph.value_info.retain(|told| made.contains(&told.name));
    }

    /// Constant nodes become initializers.
    fn take_constants_in(&mut self) {
        let mut constants = Vec::new();
        self.graph.node.retain(|node| {
            let Some(constant) = constant_from_node(node) else { return true };
            constants.push(constant);
            false
        });
        self.graph.initializer.extend(constants);
    }

    /// A border of zeros that only one convolution sees becomes that convolution's own: in 8 bits
    /// it would else be made in floats.
    fn take_borders_in(&mut self) {
        let held = self.held();
        let takers = self.takers();
        let mut taken = Vec::new();
        for (index, pad) in self.graph.node.iter().enumerate() {
            let Some(border) = self.border_of(pad) else { continue };
            let output = &pad.output[0];
            let Some(&[conv]) = takers.get(&**output).map(Vec::as_slice) else { continue };
            let node = &self.graph.node[conv];
            let own = setting(node, "auto_pad").is_none_or(|auto| auto.s == b"NOTSET");
            let first = node.input.first() == Some(output);
            if node.op_type == "Conv" && own && first && !held.contains(output) {
                taken.push((index, conv, border));
            }
        }
        for (pad, conv, border) in &taken {
            let source = self.graph.node[*pad].input[0].clone();
            let conv = &mut self.graph.node[*conv];
            conv.input[0] = source;
            widen(conv, border);
        }
        // Only now, and from behind: the numbers of the others must hold.
        for (pad, ..) in taken.iter().rev() {
            self.graph.node.remove(*pad);
        }
    }

    /// Rows and columns that a Pad node adds, begins before ends, when it adds zeros to these only.
    fn border_of(&self, pad: &NodeProto) -> Option<Vec<i64>> {
        let mode = setting(pad, "mode").map_or(&b"constant"[..], |mode| &mode.s);
        if pad.op_type != "Pad" || mode != b"constant" || pad.input.len() > 3 {
            return None;
        }
        match pad.input.get(2).map(String::as_str) {
            None | Some("") => {}
            Some(value) if self.constant(value)?.floats()? == [0.0] => {}
            Some(_) => return None,
        }
        let pads = ints(self.constant(pad.input.get(1)?)?)?;
        let half = pads.len() / 2;
        let (begins, ends) = pads.split_at(half);
        let plain = half > 2 && [begins, ends].iter().all(|side| side[..2] == [0, 0]);
        let border = [&begins[2.min(half)..], &ends[2.min(half)..]].concat();
        (plain && border.iter().all(|side| *side >= 0)).then_some(border)
    }
}

/// Names of all nodes, tensors and constants.
fn names_in(graph: &GraphProto) -> HashSet<String> {
    let of_node = |node: &NodeProto| {
        let tensors = node.output.iter().chain(&node.input).cloned();
        tensors.chain([node.name.clone()]).collect::<Vec<_>>()
    };
    let ports = graph.input.iter().chain(&graph.output).map(|port| port.name.clone());
    let constants = graph.initializer.iter().map(|constant| constant.name.clone());
    graph.node.iter().flat_map(of_node).chain(ports).chain(constants).collect()
}

fn refuse_quantized(model: &ModelProto) -> Result<(), QuantizeError> {
    let quantized = |node: &&NodeProto| {
        QUANTIZED.contains(&&*node.op_type) || node.op_type.starts_with("QLinear")
    };
    let mut nodes = model.graph.iter().flat_map(|graph| &graph.node);
    let Some(node) = nodes.find(quantized) else { return Ok(()) };
    let (op, node) = (node.op_type.clone(), known_as(node).to_owned());
    Err(QuantizeError::AlreadyQuantized { node, op })
}

/// Adds `border` to a convolution's own.
fn widen(conv: &mut NodeProto, border: &[i64]) {
    let mut pads =
        setting(conv, "pads").map_or_else(|| vec![0; border.len()], |pads| pads.ints.clone());
    pads.iter_mut().zip(border).for_each(|(pad, more)| *pad += more);
    conv.attribute.retain(|setting| setting.name != "pads");
    let (name, kind) = ("pads".to_owned(), 7);
    conv.attribute.push(AttributeProto { name, ints: pads, kind, ..Default::default() });
}

/// The constant that a Constant node gives, when it is of numbers.
fn constant_from_node(node: &NodeProto) -> Option<TensorProto> {
    if node.op_type != "Constant" || !node.domain.is_empty() {
        return None;
    }
    let [setting] = node.attribute.as_slice() else { return None };
    let name = node.output.first()?.clone();
    let constant = match &*setting.name {
        "value" => setting.t.clone()?,
        "value_float" => TensorProto::of_floats("", &[], &[setting.f]),
        "value_floats" => {
            let count = i64::try_from(setting.floats.len()).ok()?;
            TensorProto::of_floats("", &[count], &setting.floats)
        }
        "value_int" => TensorProto { dims: Vec::new(), ..int64s("", &[setting.i]) },
        "value_ints" => int64s("", &setting.ints),
        _ => return None,
    };
    Some(TensorProto { name, ..constant })
}
