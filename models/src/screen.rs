//! Looks into a network's file before ONNX Runtime does: takes its bytes, gives the reason why they
//! must not reach it.
//!
//! ONNX Runtime opens other files that a graph names, wherever they lie, and makes room for what a
//! graph declares, however large. Neither may happen to a bundle that somebody sent.

use crate::onnx::model_from_bytes;
use crate::onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto,
    ValueInfoProto,
};

/// The most numbers in one constant, input or output: 1 GiB of floats.
pub(crate) const NUMBERS_MAX: i64 = 1 << 28;

/// Why a network's file must not reach ONNX Runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Objection {
    /// It is no ONNX file.
    NotOnnx(String),
    /// A part of it is in another file.
    Elsewhere { name: String, location: String },
    /// It declares something that nobody means.
    TooLarge { name: String, shape: Vec<i64> },
}

/// Takes the bytes of an ONNX file that is whole and of a sane size.
pub(crate) fn screen(onnx: &[u8]) -> Result<(), Objection> {
    let model = model_from_bytes(onnx).map_err(|error| Objection::NotOnnx(error.to_string()))?;
    let contents = Contents::of(&model);
    if let Some((name, location)) = contents.elsewhere() {
        return Err(Objection::Elsewhere { name, location });
    }
    match contents.shapes.into_iter().find(|(_, shape)| !is_sane(shape)) {
        Some((name, shape)) => Err(Objection::TooLarge { name: name.to_owned(), shape }),
        None => Ok(()),
    }
}

/// Operators in `onnx` that are neither ONNX's nor ONNX Runtime's nor functions in the file, each
/// with its domain.
pub(crate) fn foreign_operators(onnx: &[u8]) -> Vec<String> {
    let Ok(model) = model_from_bytes(onnx) else { return Vec::new() };
    let known = |node: &NodeProto| {
        let domain = &*node.domain;
        matches!(domain, "" | "ai.onnx")
            || ["ai.onnx.", "com.microsoft"].iter().any(|own| domain.starts_with(own))
            || model.functions.iter().any(|f| f.name == node.op_type && f.domain == node.domain)
    };
    let mut foreign: Vec<_> = Contents::of(&model)
        .nodes
        .into_iter()
        .filter(|node| !known(node))
        .map(|node| format!("`{}` of `{}`", node.op_type, node.domain))
        .collect();
    foreign.sort();
    foreign.dedup();
    foreign
}

/// -1 stands for a side that is left open.
fn is_sane(shape: &[i64]) -> bool {
    let numbers = shape.iter().try_fold(1_i64, |numbers, side| match side {
        -1 => Some(numbers),
        0.. => numbers.checked_mul(*side),
        _ => None,
    });
    numbers.is_some_and(|numbers| numbers <= NUMBERS_MAX)
        && shape.iter().all(|side| *side <= NUMBERS_MAX)
}

/// All that there is in a file, graphs within graphs and functions included.
#[derive(Default)]
struct Contents<'a> {
    nodes: Vec<&'a NodeProto>,
    tensors: Vec<&'a TensorProto>,
    shapes: Vec<(&'a str, Vec<i64>)>,
}

impl<'a> Contents<'a> {
    fn of(model: &'a ModelProto) -> Self {
        let mut contents = Self::default();
        let trained = model.training_info.iter().flat_map(|t| [&t.initialization, &t.algorithm]);
        for graph in trained.flatten().chain(&model.graph) {
            contents.add_graph(graph);
        }
        for function in &model.functions {
            function.node.iter().for_each(|node| contents.add_node(node));
            contents.add_attributes(&function.attribute_proto);
        }
        contents
    }

    fn add_graph(&mut self, graph: &'a GraphProto) {
        graph.initializer.iter().for_each(|tensor| self.add_tensor(tensor));
        graph.sparse_initializer.iter().for_each(|sparse| self.add_sparse(sparse));
        graph.node.iter().for_each(|node| self.add_node(node));
        let shape = |value: &'a ValueInfoProto| {
            let sides = value.sides()?.into_iter().map(|side| side.unwrap_or(-1)).collect();
            Some((&*value.name, sides))
        };
        self.shapes.extend(graph.input.iter().chain(&graph.output).filter_map(shape));
    }

    fn add_node(&mut self, node: &'a NodeProto) {
        self.nodes.push(node);
        self.add_attributes(&node.attribute);
    }

    fn add_attributes(&mut self, attributes: &'a [AttributeProto]) {
        for attribute in attributes {
            attribute.t.iter().chain(&attribute.tensors).for_each(|tensor| self.add_tensor(tensor));
            attribute.g.iter().chain(&attribute.graphs).for_each(|graph| self.add_graph(graph));
            let sparse = attribute.sparse_tensor.iter().chain(&attribute.sparse_tensors);
            sparse.for_each(|sparse| self.add_sparse(sparse));
        }
    }

    fn add_sparse(&mut self, sparse: &'a SparseTensorProto) {
        sparse.values.iter().chain(&sparse.indices).for_each(|tensor| self.add_tensor(tensor));
        let name = sparse.values.as_ref().map_or("", |values| &*values.name);
        self.shapes.push((name, sparse.dims.clone()));
    }

    fn add_tensor(&mut self, tensor: &'a TensorProto) {
        self.shapes.push((&*tensor.name, tensor.dims.clone()));
        self.tensors.push(tensor);
    }

    /// What is in another file, and in which.
    fn elsewhere(&self) -> Option<(String, String)> {
        let constant = self.tensors.iter().find_map(|tensor| {
            let outside = tensor.data_location != 0 || !tensor.external_data.is_empty();
            let location = tensor.external_data.iter().find(|entry| entry.key == "location");
            let location = location.map_or_else(String::new, |entry| entry.value.clone());
            outside.then(|| (tensor.name.clone(), location))
        });
        // What another machine compiled, kept in a file beside the graph.
        let compiled = || {
            self.nodes.iter().filter(|node| node.op_type == "EPContext").find_map(|node| {
                let named = |name| node.attribute.iter().find(move |entry| entry.name == name);
                let outside = named("embed_mode").is_some_and(|entry| entry.i == 0);
                let location = named("ep_cache_context").map_or(&[] as &[u8], |entry| &entry.s);
                let location = String::from_utf8_lossy(location).into_owned();
                outside.then(|| (node.name.clone(), location))
            })
        };
        constant.or_else(compiled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::proto::StringStringEntryProto;
    use crate::onnx::{bytes_from_model, element};

    fn entry(key: &str, value: &str) -> StringStringEntryProto {
        StringStringEntryProto { key: key.to_owned(), value: value.to_owned() }
    }

    fn outside(location: &str) -> TensorProto {
        TensorProto {
            name: "w".to_owned(),
            data_location: 1,
            external_data: vec![entry("location", location)],
            ..Default::default()
        }
    }

    fn screened(graph: GraphProto) -> Result<(), Objection> {
        let model = ModelProto { graph: Some(graph), ..Default::default() };
        screen(&bytes_from_model(&model))
    }

    fn node(op_type: &str, attribute: AttributeProto) -> NodeProto {
        NodeProto { op_type: op_type.to_owned(), attribute: vec![attribute], ..Default::default() }
    }

    #[test]
    fn what_is_in_another_file_is_found_wherever_it_hides() {
        let whole = GraphProto { initializer: vec![outside("/etc/passwd")], ..Default::default() };
        let constant = AttributeProto { t: Some(outside("/etc/passwd")), ..Default::default() };
        let nested = AttributeProto { g: Some(whole.clone()), ..Default::default() };
        let sparse =
            SparseTensorProto { values: Some(outside("/etc/passwd")), ..Default::default() };
        let sparse = GraphProto { sparse_initializer: vec![sparse], ..Default::default() };
        let of = |node| GraphProto { node: vec![node], ..Default::default() };
        for graph in [whole, of(node("Constant", constant)), of(node("If", nested)), sparse] {
            let objection =
                Objection::Elsewhere { name: "w".into(), location: "/etc/passwd".into() };
            assert_eq!(screened(graph), Err(objection));
        }
        let mut compiled =
            node("EPContext", AttributeProto { name: "embed_mode".into(), ..Default::default() });
        assert!(screened(of(compiled.clone())).is_err());
        compiled.attribute[0].i = 1;
        assert_eq!(screened(of(compiled)), Ok(()));
    }

    #[test]
    fn what_nobody_means_is_too_large() {
        for shape in [
            vec![1, 3, 1 << 20, 1 << 20],
            vec![i64::MAX],
            vec![i64::MAX, i64::MAX],
            vec![0, i64::MAX],
            vec![-1, i64::MAX],
            vec![-2],
        ] {
            let value = ValueInfoProto::tensor("v", element::FLOAT, &shape);
            let graph = GraphProto { output: vec![value], ..Default::default() };
            let objection = Objection::TooLarge { name: "v".into(), shape: shape.clone() };
            assert_eq!(screened(graph), Err(objection.clone()));
            let tensor = TensorProto { name: "v".into(), dims: shape, ..Default::default() };
            let graph = GraphProto { initializer: vec![tensor], ..Default::default() };
            assert_eq!(screened(graph), Err(objection));
        }
        let value = ValueInfoProto::tensor("v", element::FLOAT, &[-1, 3, 4096, 4096]);
        assert_eq!(screened(GraphProto { input: vec![value], ..Default::default() }), Ok(()));
    }

    #[test]
    fn foreign_operators_are_named_with_their_domain() {
        let of = |op_type: &str, domain: &str| NodeProto {
            domain: domain.to_owned(),
            ..node(op_type, AttributeProto::default())
        };
        let foreign = of("Magic", "com.acme");
        let nodes = vec![
            of("Conv", ""),
            of("Conv", "ai.onnx"),
            of("Gelu", "com.microsoft"),
            foreign.clone(),
            foreign,
        ];
        let graph = Some(GraphProto { node: nodes, ..Default::default() });
        let mut model = ModelProto { graph, ..Default::default() };
        assert_eq!(foreign_operators(&bytes_from_model(&model)), ["`Magic` of `com.acme`"]);
        model.functions.push(crate::onnx::proto::FunctionProto {
            name: "Magic".into(),
            domain: "com.acme".into(),
            ..Default::default()
        });
        assert!(foreign_operators(&bytes_from_model(&model)).is_empty());
    }
}
