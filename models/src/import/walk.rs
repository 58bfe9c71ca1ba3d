//! Ways through a graph: what is done to the picture before the network proper, and to its numbers
//! after it. Any graph, however broken, is walked in time that grows with its size.

use std::collections::{HashMap, HashSet};

use crate::onnx::proto::{GraphProto, NodeProto};

/// A graph with its values looked up.
pub(super) struct Walk<'a> {
    makers: HashMap<&'a str, &'a NodeProto>,
    users: HashMap<&'a str, Vec<&'a NodeProto>>,
    constants: HashMap<&'a str, Vec<f32>>,
}

/// What a graph does to the picture first of all.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Head {
    /// Nothing of note.
    Plain,
    /// It moves the channels from last to first.
    ChannelsLast,
    /// It normalises by itself; what it takes is 0..1.
    TakesZeroOne(String),
    /// It normalises by itself; what it takes is 0..255.
    Takes255(String),
    /// It begins with sums or products that tell nothing.
    Unclear(String),
}

/// What a graph does to its numbers last of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    Softmax,
    LogSoftmax,
    Sigmoid,
    ArgMax,
    Other,
}

/// Constants of more numbers are no normalisation.
const FEW: usize = 4;

impl<'a> Walk<'a> {
    pub fn new(graph: &'a GraphProto) -> Self {
        let mut walk =
            Self { makers: HashMap::new(), users: HashMap::new(), constants: HashMap::new() };
        let few = |dims: &[i64]| {
            let all = dims.iter().try_fold(1, |all: i64, side| all.checked_mul(*side));
            all.and_then(|all| usize::try_from(all).ok()).is_some_and(|all| all <= FEW)
        };
        for constant in graph.initializer.iter().filter(|constant| few(&constant.dims)) {
            walk.constants.extend(constant.floats().map(|floats| (&*constant.name, floats)));
        }
        for node in &graph.node {
            for name in &node.output {
                walk.makers.insert(name, node);
            }
            for name in &node.input {
                walk.users.entry(name).or_default().push(node);
            }
            let value = node.attribute.iter().find(|attribute| attribute.name == "value");
            if let (Some(name), Some(tensor)) =
                (node.output.first(), value.and_then(|v| v.t.as_ref()))
                && node.op_type == "Constant"
                && few(&tensor.dims)
            {
                walk.constants.extend(tensor.floats().map(|floats| (&**name, floats)));
            }
        }
        walk
    }

    /// What is done to the input `name` before anything is learnt of it.
    pub fn head(&self, name: &str) -> Head {
        const STEPS: usize = 24;
        let mut scaling = Scaling::default();
        let mut at = name;
        for _ in 0..STEPS {
            let users = self.users.get(at).map_or(&[][..], Vec::as_slice);
            let mut real = users.iter().filter(|node| node.op_type != "Shape");
            let (Some(node), None) = (real.next(), real.next()) else { break };
            match &*node.op_type {
                "Identity" | "Cast" | "Resize" | "Pad" | "Upsample" => {}
                "Transpose" if to_channels_first(node) => return Head::ChannelsLast,
                "Sub" | "Add" | "Mul" | "Div" => match self.other(node, at) {
                    Some(constant) => scaling.apply(node, constant, node.input[0] == at),
                    None => break,
                },
                "BatchNormalization" => scaling.done.push("BatchNormalization"),
                _ => break,
            }
            let Some(next) = node.output.first() else { break };
            at = next;
        }
        scaling.head()
    }

    /// The constant that a node of two inputs takes beside `name`.
    fn other(&self, node: &NodeProto, name: &str) -> Option<&[f32]> {
        let other = node.input.iter().find(|input| *input != name)?;
        self.constants.get(other.as_str()).map(Vec::as_slice).filter(|c| !c.is_empty())
    }

    /// What is done to the output `name` last of all.
    pub fn tail(&self, name: &str) -> Tail {
        let mut open = vec![name];
        let mut seen = HashSet::new();
        while let Some(name) = open.pop() {
            let Some(node) = self.makers.get(name) else { continue };
            if !seen.insert(std::ptr::from_ref(*node)) {
                continue;
            }
            match &*node.op_type {
                "Softmax" => return Tail::Softmax,
                "LogSoftmax" => return Tail::LogSoftmax,
                "Sigmoid" | "HardSigmoid" => return Tail::Sigmoid,
                "ArgMax" => return Tail::ArgMax,
                "Identity" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Transpose"
                | "Cast" | "Slice" | "Split" | "Resize" | "DequantizeLinear" | "QuantizeLinear" => {
                    open.extend(node.input.first().map(String::as_str));
                }
                "Concat" => open.extend(node.input.iter().map(String::as_str)),
                _ => {}
            }
        }
        Tail::Other
    }
}

/// Whether a node turns rows, columns, channels into channels, rows, columns.
fn to_channels_first(node: &NodeProto) -> bool {
    node.attribute.iter().any(|a| a.name == "perm" && a.ints == [0, 3, 1, 2])
}

/// `gain * x + offset` of the first channel, as far as it was followed.
#[derive(Debug)]
struct Scaling {
    gain: f32,
    offset: f32,
    /// Operators on the way.
    done: Vec<&'static str>,
}

impl Default for Scaling {
    fn default() -> Self {
        Self { gain: 1.0, offset: 0.0, done: Vec::new() }
    }
}

impl Scaling {
    /// `first`: whether the picture stands before the sign.
    fn apply(&mut self, node: &NodeProto, constant: &[f32], first: bool) {
        let by = constant[0];
        let (gain, offset, name) = match (&*node.op_type, first) {
            ("Sub", true) => (1.0, -by, "Sub"),
            ("Sub", false) => (-1.0, by, "Sub"),
            ("Add", _) => (1.0, by, "Add"),
            ("Mul", _) => (by, 0.0, "Mul"),
            ("Div", true) => (1.0 / by, 0.0, "Div"),
            _ => (f32::NAN, 0.0, "Div"),
        };
        self.gain *= gain;
        self.offset = self.offset * gain + offset;
        self.done.push(name);
    }

    fn head(self) -> Head {
        let ops = self.done.join(", ");
        if self.done.is_empty() {
            return Head::Plain;
        }
        if self.done == ["BatchNormalization"] {
            return Head::Unclear(ops);
        }
        // The value that it turns into 0 is the mean of what it takes.
        let mean = -self.offset / self.gain;
        match (mean, self.gain.abs()) {
            (mean, gain) if mean == 0.0 && gain >= 0.5 => Head::TakesZeroOne(ops),
            (mean, gain) if mean == 0.0 && (1.0 / 300.0..0.1).contains(&gain) => {
                Head::Takes255(ops)
            }
            (mean, gain) if (-0.5..=1.5).contains(&mean) && gain >= 0.5 => Head::TakesZeroOne(ops),
            (mean, _) if (1.5..=256.0).contains(&mean) => Head::Takes255(ops),
            _ => Head::Unclear(ops),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::proto::{AttributeProto, TensorProto};

    fn node(op: &str, input: &[&str], output: &str) -> NodeProto {
        NodeProto {
            op_type: op.to_owned(),
            input: input.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            ..Default::default()
        }
    }

    /// `steps` of an operator and its constant between the picture and a convolution.
    fn head(steps: &[(&str, f32)]) -> Head {
        let mut graph = GraphProto::default();
        let mut at = "x".to_owned();
        for (index, (op, constant)) in steps.iter().enumerate() {
            let (next, name) = (format!("v{index}"), format!("c{index}"));
            graph.initializer.push(TensorProto::of_floats(&name, &[1], &[*constant]));
            graph.node.push(node(op, &[&at, &name], &next));
            at = next;
        }
        graph.node.push(node("Conv", &[&at, "w"], "y"));
        Walk::new(&graph).head("x")
    }

    #[test]
    fn a_graph_that_normalises_says_what_it_takes() {
        let zero_one = |ops: &str| Head::TakesZeroOne(ops.to_owned());
        let to_255 = |ops: &str| Head::Takes255(ops.to_owned());
        assert_eq!(head(&[]), Head::Plain);
        assert_eq!(head(&[("Sub", 0.485), ("Div", 0.229)]), zero_one("Sub, Div"));
        assert_eq!(head(&[("Mul", 2.0), ("Sub", 1.0)]), zero_one("Mul, Sub"));
        assert_eq!(head(&[("Div", 255.0)]), to_255("Div"));
        assert_eq!(head(&[("Mul", 1.0 / 255.0), ("Sub", 0.5)]), to_255("Mul, Sub"));
        assert_eq!(head(&[("Sub", 123.675), ("Div", 58.395)]), to_255("Sub, Div"));
        assert_eq!(head(&[("Sub", 127.0)]), to_255("Sub"));
        assert_eq!(head(&[("Mul", 0.0)]), Head::Unclear("Mul".to_owned()));
    }

    #[test]
    fn channels_that_come_last_are_seen() {
        let mut turn = node("Transpose", &["x"], "y");
        let (name, ints) = ("perm".to_owned(), vec![0, 3, 1, 2]);
        turn.attribute = vec![AttributeProto { name, ints, ..Default::default() }];
        let graph = GraphProto { node: vec![turn], ..Default::default() };
        assert_eq!(Walk::new(&graph).head("x"), Head::ChannelsLast);
    }

    #[test]
    fn the_last_step_is_found_behind_what_only_moves_numbers() {
        let tail = |nodes: Vec<NodeProto>| {
            Walk::new(&GraphProto { node: nodes, ..Default::default() }).tail("y")
        };
        let softmax = node("Softmax", &["a"], "b");
        assert_eq!(tail(vec![softmax.clone(), node("Reshape", &["b", "s"], "y")]), Tail::Softmax);
        let boxes = vec![
            node("Mul", &["p", "q"], "boxes"),
            node("Sigmoid", &["a"], "b"),
            node("Concat", &["boxes", "b"], "y"),
        ];
        assert_eq!(tail(boxes), Tail::Sigmoid);
        // x * sigmoid(x) is an activation inside the network, not its last word.
        assert_eq!(
            tail(vec![node("Sigmoid", &["a"], "b"), node("Mul", &["a", "b"], "y")]),
            Tail::Other
        );
        // A graph that bites its tail is left alone.
        assert_eq!(tail(vec![node("Identity", &["y"], "y")]), Tail::Other);
    }
}
