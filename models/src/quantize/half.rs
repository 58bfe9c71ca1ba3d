//! 16-bit floats: takes a network, gives one that computes in them. 32-bit floats go in and come
//! out, and what 16 bits can't hold stays as it is.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use half::f16;

use super::Kept;
use super::graph::{Net, has_graphs, int_of, int_setting, known_as, node};
use super::plan::is_called;
use super::scale::Range;
use crate::onnx::element;
use crate::onnx::proto::{NodeProto, TensorProto, TypeValue};

/// Operators that have no 16-bit floats, or that choose the type of what they give by a setting.
const FLOAT_ONLY: [&str; 16] = [
    "NonMaxSuppression",
    "TopK",
    "RoiAlign",
    "Range",
    "CumSum",
    "Upsample",
    "OneHot",
    "EyeLike",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
    "QuantizeLinear",
    "DequantizeLinear",
];

/// Inputs of Resize that say where, not what: borders and scales.
const RESIZE_PLACES: [usize; 2] = [1, 2];

/// Puts `net` into 16-bit floats, all but the nodes named in `keep` and those that can't be;
/// gives these, and how many nodes were put.
pub(super) fn rewritten(
    mut net: Net,
    floats: &BTreeSet<String>,
    ranges: &BTreeMap<String, Range>,
    keep: &[String],
) -> (Net, Vec<Kept>, usize) {
    let mut kept = Vec::new();
    let old = std::mem::take(&mut net.graph.node);
    let constants: Vec<_> = net.graph.initializer.clone();
    let constants: HashMap<_, _> = constants.iter().map(|c| (&*c.name, c)).collect();
    let held = net_held(&net, &old);
    let mut writer = Writer { net, floats, held, homes: HashMap::new(), nodes: Vec::new() };
    let mut put = 0;
    for node in &old {
        let stays = if keep.iter().any(|name| is_called(node, name)) {
            Some("asked for".to_owned())
        } else {
            why_float(node, floats, ranges, &constants)
        };
        match stays {
            Some(why) => {
                if writer.touches_floats(node) {
                    let (node, op) = (known_as(node).to_owned(), node.op_type.clone());
                    kept.push(Kept { node, op, why });
                }
                writer.write_float(node.clone());
            }
            None => {
                put += usize::from(writer.touches_floats(node));
                writer.write_half(node.clone());
            }
        }
    }
    let Writer { mut net, nodes, homes, .. } = writer;
    net.graph.node = nodes;
    tell_types(&mut net, &homes);
    net.drop_unused();
    (net, kept, put)
}

fn net_held(net: &Net, nodes: &[NodeProto]) -> BTreeSet<String> {
    let mut whole = net.clone();
    whole.graph.node = nodes.to_vec();
    whole.held()
}

/// Why a node must stay in 32-bit floats, if it must.
fn why_float(
    node: &NodeProto,
    floats: &BTreeSet<String>,
    ranges: &BTreeMap<String, Range>,
    constants: &HashMap<&str, &TensorProto>,
) -> Option<String> {
    if has_graphs(node) {
        return Some("it holds graphs of its own".to_owned());
    }
    if !node.domain.is_empty() || FLOAT_ONLY.contains(&&*node.op_type) {
        return Some("the operator has no 16-bit floats".to_owned());
    }
    if node.op_type == "ConstantOfShape" && node.attribute.is_empty() {
        return Some("without a value it gives 32-bit zeros".to_owned());
    }
    let tensors = node.input.iter().chain(&node.output).filter(|name| floats.contains(*name));
    for tensor in tensors {
        if let Some(range) = ranges.get(tensor)
            && f16::from_f32(range.reach()).is_infinite()
        {
            let reach = range.reach();
            return Some(format!("`{tensor}` reaches {reach:e}, beyond the 65504 of 16 bits"));
        }
    }
    let places = if node.op_type == "Resize" { &RESIZE_PLACES[..] } else { &[] };
    let inputs = node.input.iter().enumerate().filter(|(index, _)| !places.contains(index));
    inputs.filter_map(|(_, name)| constants.get(&**name)).find_map(|constant| lost(constant))
}

/// What 16 bits would make of a constant, when that is something else.
fn lost(constant: &TensorProto) -> Option<String> {
    let values = constant.floats()?;
    let too_large = |value: &&f32| value.is_finite() && f16::from_f32(**value).is_infinite();
    if let Some(value) = values.iter().find(too_large) {
        return Some(format!("`{}` holds {value:e}, beyond the 65504 of 16 bits", constant.name));
    }
    match values.as_slice() {
        // What keeps a division from one by 0, most likely.
        [alone] if *alone != 0.0 && f16::from_f32(*alone) == f16::ZERO => {
            Some(format!("`{}` is {alone:e}, which is 0 in 16 bits", constant.name))
        }
        _ => None,
    }
}

/// Under which names a tensor is there in floats of 32 and of 16 bits.
#[derive(Clone, Default)]
struct Home {
    single: Option<String>,
    half: Option<String>,
}

struct Writer<'a> {
    net: Net,
    floats: &'a BTreeSet<String>,
    /// Tensors whose name must go on meaning 32-bit floats.
    held: BTreeSet<String>,
    homes: HashMap<String, Home>,
    nodes: Vec<NodeProto>,
}

impl Writer<'_> {
    fn is_float(&self, name: &str) -> bool {
        self.floats.contains(name)
            || self.net.constant(name).is_some_and(|c| c.data_type == element::FLOAT)
    }

    fn touches_floats(&self, node: &NodeProto) -> bool {
        node.input.iter().chain(&node.output).any(|name| self.is_float(name))
    }

    /// The name under which `tensor` is there in 16 bits; a Cast is added where it is not yet.
    fn half_of(&mut self, tensor: &str) -> String {
        let home = self.homes.get(tensor).cloned().unwrap_or_default();
        if let Some(half) = home.half {
            return half;
        }
        let half = self.net.fresh(&format!("{tensor}_half"));
        match self.net.constant(tensor) {
            Some(constant) => {
                let constant = half_constant(constant, &half);
                self.net.graph.initializer.push(constant);
            }
            None => self.cast(tensor, &half, element::FLOAT16),
        }
        self.homes.entry(tensor.to_owned()).or_default().half = Some(half.clone());
        half
    }

    /// The name under which `tensor` is there in 32 bits.
    fn single_of(&mut self, tensor: &str) -> String {
        let home = self.homes.get(tensor).cloned().unwrap_or_default();
        match (home.single, home.half) {
            (Some(single), _) => single,
            // Never put into 16 bits: an input, a constant, or what a float node gave.
            (None, None) => tensor.to_owned(),
            (None, Some(half)) if half == tensor => {
                let single = self.net.fresh(&format!("{tensor}_float"));
                self.cast(&half, &single, element::FLOAT);
                self.homes.entry(tensor.to_owned()).or_default().single = Some(single.clone());
                single
            }
            (None, Some(_)) => tensor.to_owned(),
        }
    }

    fn cast(&mut self, from: &str, to: &str, data_type: i32) {
        let name = self.net.fresh(&format!("{to}_cast"));
        let mut cast = node("Cast", &name, &[from], to);
        cast.attribute = vec![int_setting("to", data_type.into())];
        self.nodes.push(cast);
    }

    fn write_float(&mut self, mut node: NodeProto) {
        for input in &mut node.input {
            if self.is_float(input) {
                *input = self.single_of(input);
            }
        }
        self.nodes.push(node);
    }

    fn write_half(&mut self, mut node: NodeProto) {
        let places = if node.op_type == "Resize" { &RESIZE_PLACES[..] } else { &[] };
        for (index, input) in node.input.iter_mut().enumerate() {
            if self.is_float(input) {
                let place = places.contains(&index);
                *input = if place { self.single_of(input) } else { self.half_of(input) };
            }
        }
        let single = i64::from(element::FLOAT);
        if node.op_type == "Cast" && int_of(&node, "to", 0) == single {
            node.attribute = vec![int_setting("to", element::FLOAT16.into())];
        }
        for constant in node.attribute.iter_mut().filter_map(|setting| setting.t.as_mut()) {
            if constant.data_type == element::FLOAT {
                *constant = half_constant(constant, &constant.name.clone());
            }
        }
        let (outputs, mut back) = (node.output.clone(), Vec::new());
        for (output, name) in outputs.iter().zip(&mut node.output) {
            if !self.floats.contains(output) {
                continue;
            }
            let home = if self.held.contains(output) {
                *name = self.net.fresh(&format!("{output}_half"));
                back.push((name.clone(), output.clone()));
                Home { single: Some(output.clone()), half: Some(name.clone()) }
            } else {
                Home { single: None, half: Some(output.clone()) }
            };
            self.homes.insert(output.clone(), home);
        }
        self.nodes.push(node);
        back.iter().for_each(|(half, single)| self.cast(half, single, element::FLOAT));
    }
}

/// `constant` in 16-bit floats.
fn half_constant(constant: &TensorProto, name: &str) -> TensorProto {
    let values = constant.floats().unwrap_or_default();
    TensorProto {
        name: name.to_owned(),
        data_type: element::FLOAT16,
        raw_data: values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
        float_data: Vec::new(),
        ..constant.clone()
    }
}

/// What the graph says of the types of its tensors follows.
fn tell_types(net: &mut Net, homes: &HashMap<String, Home>) {
    for told in &mut net.graph.value_info {
        let half = homes.get(&told.name).and_then(|home| home.half.as_ref());
        if half != Some(&told.name) {
            continue;
        }
        let kind = told.r#type.as_mut().and_then(|kind| kind.value.as_mut());
        if let Some(TypeValue::Tensor(tensor)) = kind {
            tensor.elem_type = element::FLOAT16;
        }
    }
}
