//! What an ONNX file says of itself: takes the file as data, gives what a person wants to know of
//! it before anything is run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::macs::macs_of;
use crate::manifest::Precision;
use crate::onnx::element;
use crate::onnx::proto::{GraphProto, ModelProto, TensorProto, ValueInfoProto};

/// An ONNX file at a glance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Facts {
    /// Who wrote the file: `pytorch 2.5.0`.
    pub producer: String,
    /// The operator sets it needs, with versions; ONNX's own is `ai.onnx`.
    pub opsets: BTreeMap<String, i64>,
    /// What is fed to it.
    pub inputs: Vec<PortFacts>,
    /// What it gives.
    pub outputs: Vec<PortFacts>,
    /// Free words that its exporter left in it.
    pub metadata: BTreeMap<String, String>,
    /// How many operators are at work.
    pub nodes: usize,
    /// How many numbers were learnt.
    pub parameters: u64,
    /// Multiplications and additions a picture, of convolutions and matrix products; `None` where
    /// the file does not tell the shapes that it takes to count them.
    pub macs: Option<u64>,
    /// In what it computes.
    pub precision: Precision,
}

/// An input or output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortFacts {
    /// Its name.
    pub name: String,
    /// What it is made of, in ONNX's words: `float`, `uint8`, …
    pub element: &'static str,
    /// Sides, outermost first, `None` where one is open; empty when the file does not say.
    pub sides: Vec<Option<i64>>,
}

impl Facts {
    /// Looks through an ONNX file.
    #[must_use]
    pub fn of(model: &ModelProto) -> Self {
        let producer = format!("{} {}", model.producer_name, model.producer_version);
        let opsets = model.opset_import.iter().map(|set| {
            let domain = if set.domain.is_empty() { "ai.onnx" } else { &*set.domain };
            (domain.to_owned(), set.version)
        });
        let entry = |key: &String, value: &String| (key.clone(), value.clone());
        let empty = GraphProto::default();
        let graph = model.graph.as_ref().unwrap_or(&empty);
        Self {
            producer: producer.trim().to_owned(),
            opsets: opsets.collect(),
            inputs: graph.fed().map(PortFacts::of).collect(),
            outputs: graph.output.iter().map(PortFacts::of).collect(),
            metadata: model.metadata_props.iter().map(|e| entry(&e.key, &e.value)).collect(),
            nodes: graph.node.len(),
            parameters: graph.initializer.iter().map(count).fold(0, u64::saturating_add),
            macs: macs_of(graph),
            precision: precision_of(graph),
        }
    }
}

impl PortFacts {
    fn of(port: &ValueInfoProto) -> Self {
        Self {
            name: port.name.clone(),
            element: port.elem_type().map_or("no tensor", element_name),
            sides: port.sides().unwrap_or_default(),
        }
    }

    /// Its sides as people write them: `[1, 3, ?, ?]`.
    #[must_use]
    pub fn shape(&self) -> String {
        let side =
            |side: &Option<i64>| side.map_or_else(|| "?".to_owned(), |side| side.to_string());
        format!("[{}]", self.sides.iter().map(side).collect::<Vec<_>>().join(", "))
    }
}

fn element_name(elem_type: i32) -> &'static str {
    match elem_type {
        element::FLOAT => "float",
        element::UINT8 => "uint8",
        element::INT8 => "int8",
        element::INT32 => "int32",
        element::INT64 => "int64",
        element::BOOL => "bool",
        element::FLOAT16 => "float16",
        element::DOUBLE => "double",
        _ => "another type",
    }
}

/// How many numbers a constant holds.
fn count(constant: &TensorProto) -> u64 {
    constant
        .dims
        .iter()
        .fold(1, |count: u64, side| count.saturating_mul(u64::try_from(*side).unwrap_or(0)))
}

/// Whether a constant's numbers lie in another file.
pub(super) fn lies_elsewhere(constant: &TensorProto) -> bool {
    constant.data_location == 1 || !constant.external_data.is_empty()
}

fn precision_of(graph: &GraphProto) -> Precision {
    let integers = ["QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger"];
    if graph.node.iter().any(|node| integers.contains(&&*node.op_type)) {
        return Precision::Int8;
    }
    let halves = |data_type| {
        graph.initializer.iter().filter(|c| c.data_type == data_type).map(count).max().unwrap_or(0)
    };
    if halves(element::FLOAT16) > halves(element::FLOAT) {
        Precision::Fp16
    } else {
        Precision::Fp32
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::onnx::model_from_bytes;

    #[test]
    fn the_shipped_network_is_known_at_a_glance() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("zoo/simulated-parts/model.onnx");
        let facts = Facts::of(&model_from_bytes(&std::fs::read(file).unwrap()).unwrap());
        assert!(facts.producer.starts_with("pytorch"), "{}", facts.producer);
        assert!(facts.opsets["ai.onnx"] >= 17);
        assert_eq!(facts.inputs[0].shape(), "[1, 3, 224, 224]");
        assert_eq!((&*facts.inputs[0].name, facts.inputs[0].element), ("image", "float"));
        assert_eq!(facts.outputs[0].shape(), "[1, 7, 56, 56]");
        assert!((500_000..3_000_000).contains(&facts.parameters), "{}", facts.parameters);
        assert_eq!(facts.precision, Precision::Fp32);
    }
}
