//! Operators added to an ONNX graph, one a line: takes names, gives nodes and constants.

use crate::onnx::element;
use crate::onnx::proto::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// A graph that is being added to. Names are the caller's, each used once.
pub(crate) struct Nodes<'a>(pub &'a mut GraphProto);

impl Nodes<'_> {
    /// Adds an operator that makes `output` of `inputs`.
    pub fn add(&mut self, op: &str, inputs: &[&str], output: &str, settings: Vec<AttributeProto>) {
        self.0.node.push(NodeProto {
            op_type: op.to_owned(),
            name: output.to_owned(),
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: settings,
            ..Default::default()
        });
    }

    /// Adds a constant of floats.
    pub fn floats(&mut self, name: &str, sides: &[usize], values: &[f32]) {
        let sides: Vec<_> = sides.iter().map(|side| whole(*side)).collect();
        self.0.initializer.push(TensorProto::of_floats(name, &sides, values));
    }

    /// Adds a constant row of whole numbers.
    pub fn numbers(&mut self, name: &str, values: &[usize]) {
        self.0.initializer.push(TensorProto {
            name: name.to_owned(),
            dims: vec![whole(values.len())],
            data_type: element::INT64,
            raw_data: values.iter().flat_map(|value| whole(*value).to_le_bytes()).collect(),
            ..Default::default()
        });
    }
}

/// ONNX counts in i64; nothing that fits into memory is beyond it.
pub(crate) fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A setting that is a number.
pub(crate) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i, kind: 2, ..Default::default() }
}

/// A setting that is a row of numbers.
pub(crate) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: name.to_owned(), ints: values.to_vec(), kind: 7, ..Default::default() }
}

/// A setting that is a word.
pub(crate) fn word(name: &str, text: &str) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        s: text.as_bytes().to_vec(),
        kind: 3,
        ..Default::default()
    }
}
