//! Ways through a graph: what is done to the picture before the network proper, and to its numbers
//! after it. Any graph, however broken, is walked in time that grows with its size.

use std::collections::{HashMap, HashSet};

use crate::onnx::element;
use crate::onnx::proto::{GraphProto, NodeProto, TensorProto};

/// A graph with its values looked up.
pub(super) struct Walk<'a> {
    makers: HashMap<&'a str, &'a NodeProto>,
    users: HashMap<&'a str, Vec<&'a NodeProto>>,
    constants: HashMap<&'a str, Vec<f32>>,
    wholes: HashMap<&'a str, Vec<i64>>,
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
    /// It looks at a part of the picture only.
    Cropped(String),
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
        let (makers, users) = (HashMap::new(), HashMap::new());
        let (constants, wholes) = (HashMap::new(), HashMap::new());
        let mut walk = Self { makers, users, constants, wholes };
        let few = |dims: &[i64]| {
            let all = dims.iter().try_fold(1, |all: i64, side| all.checked_mul(*side));
            all.and_then(|all| usize::try_from(all).ok()).is_some_and(|all| all <= FEW)
        };
        for constant in graph.initializer.iter().filter(|constant| few(&constant.dims)) {
            walk.know(&constant.name, constant);
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
                walk.know(name, tensor);
            }
        }
        walk
    }

    fn know(&mut self, name: &'a str, constant: &TensorProto) {
        self.constants.extend(constant.floats().map(|floats| (name, floats)));
        self.wholes.extend(wholes_of(constant).map(|wholes| (name, wholes)));
    }

    /// What is done to the input `name` before anything is learnt of it.
    pub fn head(&self, name: &str) -> Head {
        const STEPS: usize = 24;
        let (mut scaling, mut cropped) = (Scaling::default(), Vec::new());
        let mut at = name;
        for _ in 0..STEPS {
            let Some(node) = self.only_user(at) else { break };
            match &*node.op_type {
                "Identity" | "Cast" | "Resize" | "Pad" | "Upsample" => {}
                "Slice" => match self.kept(node) {
                    Some(kept) => cropped.extend(kept),
                    None => break,
                },
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
        if cropped.is_empty() { scaling.head() } else { Head::Cropped(cropped.join(" and ")) }
    }

    /// What takes the value `name`: one node, or several that do the same with it, as two networks
    /// side by side that each normalise the picture.
    fn only_user(&self, name: &str) -> Option<&'a NodeProto> {
        let mut users = self.users.get(name)?.iter().filter(|node| node.op_type != "Shape");
        let first = *users.next()?;
        let same = |node: &&NodeProto| {
            let sum = matches!(&*node.op_type, "Sub" | "Add" | "Mul" | "Div");
            let place = |node: &NodeProto| node.input.iter().position(|input| input == name);
            sum && node.op_type == first.op_type
                && place(node) == place(first)
                && self
                    .other(node, name)
                    .is_some_and(|other| self.other(first, name) == Some(other))
        };
        users.all(same).then_some(first)
    }

    /// The rows or columns that a Slice leaves of a picture, in words; none where it keeps all of
    /// them, `None` where it is no plain cut.
    fn kept(&self, node: &NodeProto) -> Option<Vec<String>> {
        let wholes = |at: usize| self.wholes.get(node.input.get(at)?.as_str());
        let (starts, ends, axes) = (wholes(1)?, wholes(2)?, wholes(3)?);
        if wholes(4).is_some_and(|steps| steps.iter().any(|step| *step != 1)) {
            return None;
        }
        let sides = starts.iter().zip(ends).zip(axes);
        let kept =
            sides.filter(|((start, _), _)| **start != 0).filter_map(|((start, end), axis)| {
                let side = match axis {
                    2 | -2 => "rows",
                    3 | -1 => "columns",
                    _ => return None,
                };
                Some(format!("{side} {start} to {end}"))
            });
        Some(kept.collect())
    }

    /// Whether the output `name` is held between two numbers last of all, as anomalib does once it
    /// has brought its scores to 0..1; without limits to bring them by it leaves them as they are.
    pub fn is_clipped(&self, name: &str) -> bool {
        let mut open = vec![name];
        let mut seen = HashSet::new();
        while let Some(name) = open.pop() {
            let Some(node) = self.makers.get(name).filter(|_| seen.insert(name)) else { continue };
            let input = |at: usize| node.input.get(at).map(String::as_str);
            match &*node.op_type {
                "Clip" | "Min" | "Max" => return true,
                "Identity" | "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Cast" => {
                    open.extend(input(0));
                }
                // What was known when it was exported is a constant: only one side is taken.
                "Where" => match input(0).and_then(|name| self.wholes.get(name)).map(|w| &w[..]) {
                    Some([0]) => open.extend(input(2)),
                    Some([_]) => open.extend(input(1)),
                    _ => open.extend([input(1), input(2)].into_iter().flatten()),
                },
                _ => {}
            }
        }
        false
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

/// The numbers of a constant of whole numbers, or of yes and no.
fn wholes_of(constant: &TensorProto) -> Option<Vec<i64>> {
    if constant.data_location != 0 {
        return None;
    }
    let raw = &constant.raw_data;
    match constant.data_type {
        element::INT64 if raw.is_empty() => Some(constant.int64_data.clone()),
        element::INT64 => {
            let (chunks, _) = raw.as_chunks::<8>();
            Some(chunks.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect())
        }
        element::BOOL if raw.is_empty() => {
            Some(constant.int32_data.iter().map(|whole| i64::from(*whole)).collect())
        }
        element::BOOL => Some(raw.iter().map(|byte| i64::from(*byte)).collect()),
        _ => None,
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

    fn wholes(name: &str, data_type: i32, int64_data: &[i64], raw_data: &[u8]) -> TensorProto {
        let dims = vec![1];
        let (name, int64_data, raw_data) =
            (name.to_owned(), int64_data.to_vec(), raw_data.to_vec());
        TensorProto { name, dims, data_type, int64_data, raw_data, ..Default::default() }
    }

    #[test]
    fn networks_that_normalise_side_by_side_say_what_they_take() {
        let floats = |name, value| TensorProto::of_floats(name, &[1], &[value]);
        let mut graph = GraphProto {
            initializer: vec![floats("m", 0.485), floats("n", 0.485), floats("s", 0.229)],
            node: vec![
                node("Sub", &["x", "m"], "a"),
                node("Sub", &["x", "n"], "b"),
                node("Div", &["a", "s"], "c"),
                node("Conv", &["c", "w"], "y"),
            ],
            ..Default::default()
        };
        let head = Head::TakesZeroOne("Sub, Div".to_owned());
        assert_eq!(Walk::new(&graph).head("x"), head);
        graph.initializer[1] = floats("n", 0.5);
        assert_eq!(Walk::new(&graph).head("x"), Head::Plain, "they differ");
        graph.initializer[1] = floats("n", 0.485);
        graph.node.push(node("Conv", &["x", "w"], "z"));
        assert_eq!(Walk::new(&graph).head("x"), Head::Plain, "one takes the picture as it is");
    }

    #[test]
    fn a_graph_that_cuts_the_picture_is_seen() {
        let cut = |axis: i64, start: i64, step: i64| {
            let int64 = |name, value| wholes(name, element::INT64, &[value], &[]);
            let end = wholes("end", element::INT64, &[], &420_i64.to_le_bytes());
            let graph = GraphProto {
                initializer: vec![
                    int64("start", start),
                    end,
                    int64("axis", axis),
                    int64("by", step),
                ],
                node: vec![
                    node("Resize", &["x"], "a"),
                    node("Slice", &["a", "start", "end", "axis", "by"], "b"),
                    node("Conv", &["b", "w"], "y"),
                ],
                ..Default::default()
            };
            Walk::new(&graph).head("x")
        };
        assert_eq!(cut(2, 28, 1), Head::Cropped("rows 28 to 420".to_owned()));
        assert_eq!(cut(-1, 28, 1), Head::Cropped("columns 28 to 420".to_owned()));
        assert_eq!(cut(3, 0, 1), Head::Plain, "nothing is lost before row 0");
        assert_eq!(cut(1, 1, 1), Head::Plain, "channels");
        assert_eq!(cut(2, 1, 2), Head::Plain, "every second row is no cut");
    }

    #[test]
    fn scores_that_were_never_brought_to_0_1_are_told_apart() {
        let clipped = |normalised: &[u8]| {
            let graph = GraphProto {
                initializer: vec![wholes("has_limits", element::BOOL, &[], normalised)],
                node: vec![
                    node("Conv", &["x", "w"], "raw"),
                    node("Clip", &["raw", "zero", "one"], "held"),
                    node("Where", &["has_limits", "held", "raw"], "y"),
                ],
                ..Default::default()
            };
            Walk::new(&graph).is_clipped("y")
        };
        assert!(clipped(&[1]));
        assert!(!clipped(&[0]));
        assert!(clipped(&[]), "it is decided as it runs");
        let bites = GraphProto { node: vec![node("Cast", &["y"], "y")], ..Default::default() };
        assert!(!Walk::new(&bites).is_clipped("y"));
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
