//! How much a network computes: takes a graph, gives multiplications with additions a picture.
//!
//! Shapes come from what the file tells of its values, else from the operators before; where an
//! operator's shape is not known and something is counted behind it, nothing is given rather than
//! too little.

use std::collections::HashMap;

use crate::onnx::proto::{GraphProto, NodeProto, ValueInfoProto};

type Sides = Vec<u64>;

/// Multiplications with additions of convolutions and matrix products, when all can be counted.
pub(super) fn macs_of(graph: &GraphProto) -> Option<u64> {
    let constants = graph.initializer.iter().filter_map(|constant| {
        let sides = constant.dims.iter().map(|side| u64::try_from(*side).ok());
        Some((constant.name.as_str(), sides.collect::<Option<Sides>>()?))
    });
    let told = graph.value_info.iter().chain(&graph.input).chain(&graph.output);
    let mut shapes: HashMap<&str, Sides> = constants.collect();
    shapes.extend(told.filter_map(|value| Some((value.name.as_str(), sides_of(value)?))));
    let mut sum: u64 = 0;
    for node in &graph.node {
        if let Some(sides) = shape_after(node, &shapes)
            && let Some(name) = node.output.first()
        {
            shapes.entry(name).or_insert(sides);
        }
        sum = sum.checked_add(macs_of_node(node, &shapes)?)?;
    }
    (sum > 0).then_some(sum)
}

/// Sides where all are known; an open batch is one picture.
fn sides_of(value: &ValueInfoProto) -> Option<Sides> {
    let sides = value.sides()?.into_iter().enumerate().map(|(index, side)| match side {
        None if index == 0 => Some(1),
        side => u64::try_from(side?).ok(),
    });
    sides.collect()
}

fn at<'a>(shapes: &'a HashMap<&str, Sides>, name: Option<&String>) -> Option<&'a Sides> {
    shapes.get(name?.as_str())
}

fn product(sides: &[u64]) -> Option<u64> {
    sides.iter().try_fold(1, |all: u64, side| all.checked_mul(*side))
}

/// What a node computes; `None` when it is one that counts and its shapes are not known.
fn macs_of_node(node: &NodeProto, shapes: &HashMap<&str, Sides>) -> Option<u64> {
    let given = || product(at(shapes, node.output.first())?);
    match &*node.op_type {
        // Each number that is given is a sum over the weights of one output channel.
        "Conv" => given()?.checked_mul(product(at(shapes, node.input.get(1))?.get(1..)?)?),
        // Each number that is taken goes into the weights of one input channel.
        "ConvTranspose" => product(at(shapes, node.input.first())?)?
            .checked_mul(product(at(shapes, node.input.get(1))?.get(1..)?)?),
        "Gemm" | "MatMul" => {
            let taken = at(shapes, node.input.first())?;
            let transposed = int(node, "transA").unwrap_or(0) == 1;
            let inner = if transposed { taken.first() } else { taken.last() };
            given()?.checked_mul(*inner?)
        }
        _ => Some(0),
    }
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    node.attribute.iter().find(|a| a.name == name).map(|a| a.ints.as_slice())
}

fn int(node: &NodeProto, name: &str) -> Option<i64> {
    node.attribute.iter().find(|a| a.name == name).map(|a| a.i)
}

/// Shape of a node's first output, for the operators that picture networks are made of.
fn shape_after(node: &NodeProto, shapes: &HashMap<&str, Sides>) -> Option<Sides> {
    let first = at(shapes, node.input.first());
    match &*node.op_type {
        "Relu"
        | "Clip"
        | "BatchNormalization"
        | "Sigmoid"
        | "HardSwish"
        | "HardSigmoid"
        | "LeakyRelu"
        | "PRelu"
        | "Identity"
        | "Cast"
        | "Tanh"
        | "Elu"
        | "Softmax"
        | "Dropout"
        | "Erf"
        | "Gelu"
        | "QuantizeLinear"
        | "DequantizeLinear"
        | "LayerNormalization"
        | "InstanceNormalization" => first.cloned(),
        "Add" | "Mul" | "Sub" | "Div" => {
            let (a, b) = (first?, at(shapes, node.input.get(1))?);
            if product(a)? >= product(b)? { Some(a.clone()) } else { Some(b.clone()) }
        }
        "Conv" => {
            let weights = at(shapes, node.input.get(1))?;
            windowed(node, first?, *weights.first()?, weights.get(2..)?)
        }
        "MaxPool" | "AveragePool" => {
            let kernel: Option<Sides> =
                attribute(node, "kernel_shape")?.iter().map(|k| u64::try_from(*k).ok()).collect();
            windowed(node, first?, *first?.get(1)?, &kernel?)
        }
        "GlobalAveragePool" | "GlobalMaxPool" => {
            let sides = first?;
            Some(sides.iter().enumerate().map(|(i, side)| if i < 2 { *side } else { 1 }).collect())
        }
        "Flatten" => {
            let sides = first?;
            Some(vec![*sides.first()?, product(sides.get(1..)?)?])
        }
        "Gemm" => {
            let (a, b) = (first?, at(shapes, node.input.get(1))?);
            let wide = if int(node, "transB") == Some(1) { b.first() } else { b.last() };
            Some(vec![*a.first()?, *wide?])
        }
        _ => None,
    }
}

/// Shape after a window of `kernel` has gone over `taken`.
fn windowed(node: &NodeProto, taken: &[u64], channels: u64, kernel: &[u64]) -> Option<Sides> {
    let auto = node.attribute.iter().find(|a| a.name == "auto_pad").map_or(&[][..], |a| &a.s);
    let (strides, pads) = (attribute(node, "strides"), attribute(node, "pads"));
    let dilations = attribute(node, "dilations");
    let of = |values: Option<&[i64]>, i: usize, usual: i64| {
        u64::try_from(values.and_then(|v| v.get(i)).copied().unwrap_or(usual)).ok()
    };
    let mut sides = vec![*taken.first()?, channels];
    for (i, (side, kernel)) in taken.get(2..)?.iter().zip(kernel).enumerate() {
        let stride = of(strides, i, 1)?.max(1);
        let reach = of(dilations, i, 1)?.checked_mul(kernel.saturating_sub(1))?.checked_add(1)?;
        let padded =
            side.checked_add(of(pads, i, 0)?)?.checked_add(of(pads, i + kernel_rank(taken), 0)?)?;
        sides.push(match auto {
            b"SAME_UPPER" | b"SAME_LOWER" => side.div_ceil(stride),
            _ => padded.checked_sub(reach)? / stride + 1,
        });
    }
    Some(sides)
}

/// In how many directions a window goes.
fn kernel_rank(taken: &[u64]) -> usize {
    taken.len().saturating_sub(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::element;
    use crate::onnx::proto::{AttributeProto, TensorProto};

    fn node(op: &str, input: &[&str], output: &str, ints: &[(&str, &[i64])]) -> NodeProto {
        let attribute = ints.iter().map(|(name, ints)| AttributeProto {
            name: (*name).to_owned(),
            ints: ints.to_vec(),
            ..Default::default()
        });
        NodeProto {
            op_type: op.to_owned(),
            input: input.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: attribute.collect(),
            ..Default::default()
        }
    }

    /// A convolution by 3 x 3 in steps of two, then a matrix.
    fn graph() -> GraphProto {
        let constant = |name, dims: &[i64]| TensorProto::of_floats(name, dims, &[]);
        GraphProto {
            input: vec![ValueInfoProto::tensor("image", element::FLOAT, &[1, 3, 32, 64])],
            node: vec![
                node("Conv", &["image", "w"], "c", &[("strides", &[2, 2]), ("pads", &[1; 4])]),
                node("Relu", &["c"], "r", &[]),
                node("GlobalAveragePool", &["r"], "p", &[]),
                node("Flatten", &["p"], "f", &[]),
                node("Gemm", &["f", "m"], "out", &[]),
            ],
            initializer: vec![constant("w", &[8, 3, 3, 3]), constant("m", &[8, 5])],
            ..Default::default()
        }
    }

    #[test]
    fn products_are_counted() {
        assert_eq!(macs_of(&graph()), Some(8 * 16 * 32 * 27 + 8 * 5));
    }

    #[test]
    fn what_can_t_be_counted_is_not_guessed() {
        let mut graph = graph();
        graph.node[1].op_type = "Mystery".to_owned();
        assert_eq!(macs_of(&graph), None);
        graph.node.clear();
        assert_eq!(macs_of(&graph), None, "nothing is counted");
    }
}
