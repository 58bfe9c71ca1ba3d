//! A network as ONNX Runtime is given it: takes the bytes of an ONNX file, gives bytes in which the
//! input has fixed sides and no weight lies elsewhere.

use std::borrow::Cow;

use crate::onnx::proto::{
    AttributeProto, GraphProto, ModelProto, NodeProto, Side, TensorProto, TypeValue, ValueInfoProto,
};
use crate::onnx::{bytes_from_model, model_from_bytes};

/// `data_location` of a tensor whose numbers lie in another file.
const EXTERNAL: i32 = 1;

/// `onnx` with the open sides of `input` as in `shape`; the same bytes where none is open.
///
/// Bytes that are no ONNX file come back as they are: ONNX Runtime says best what is wrong.
/// The error is the names of tensors whose numbers lie in other files.
pub fn fixed<'a>(
    onnx: &'a [u8],
    input: &str,
    shape: [usize; 4],
) -> Result<Cow<'a, [u8]>, Vec<String>> {
    let Ok(mut model) = model_from_bytes(onnx) else { return Ok(Cow::Borrowed(onnx)) };
    let mut elsewhere = Vec::new();
    in_model(&model, &mut elsewhere);
    if !elsewhere.is_empty() {
        return Err(elsewhere);
    }
    let inputs = model.graph.iter_mut().flat_map(|graph| &mut graph.input);
    let changed = inputs.filter(|port| port.name == input).any(|port| fix(port, shape));
    Ok(if changed { Cow::Owned(bytes_from_model(&model)) } else { Cow::Borrowed(onnx) })
}

/// Fixes the open sides of `port`, unless it contradicts `shape`, which is told elsewhere.
fn fix(port: &mut ValueInfoProto, shape: [usize; 4]) -> bool {
    let wanted = shape.map(|side| i64::try_from(side).unwrap_or(0));
    let sides = port.sides().unwrap_or_default();
    let agrees = |(side, wanted): (&Option<i64>, &i64)| side.is_none_or(|side| side == *wanted);
    let fits = sides.len() == wanted.len() && sides.iter().zip(&wanted).all(agrees);
    if !fits || sides.iter().all(Option::is_some) {
        return false;
    }
    let Some(TypeValue::Tensor(tensor)) = port.r#type.as_mut().and_then(|it| it.value.as_mut())
    else {
        return false;
    };
    let dims = tensor.shape.iter_mut().flat_map(|shape| &mut shape.dim);
    for (dim, side) in dims.zip(wanted) {
        dim.value = Some(Side::Value(side));
    }
    true
}

fn in_model(model: &ModelProto, found: &mut Vec<String>) {
    model.graph.iter().for_each(|graph| in_graph(graph, found));
    for function in &model.functions {
        in_nodes(&function.node, found);
        in_attributes(&function.attribute_proto, found);
    }
}

fn in_graph(graph: &GraphProto, found: &mut Vec<String>) {
    in_tensors(&graph.initializer, found);
    for sparse in &graph.sparse_initializer {
        in_tensors(sparse.values.iter().chain(&sparse.indices), found);
    }
    in_nodes(&graph.node, found);
}

fn in_nodes(nodes: &[NodeProto], found: &mut Vec<String>) {
    nodes.iter().for_each(|node| in_attributes(&node.attribute, found));
}

fn in_attributes(attributes: &[AttributeProto], found: &mut Vec<String>) {
    for attribute in attributes {
        in_tensors(attribute.t.iter().chain(&attribute.tensors), found);
        for sparse in attribute.sparse_tensor.iter().chain(&attribute.sparse_tensors) {
            in_tensors(sparse.values.iter().chain(&sparse.indices), found);
        }
        attribute.g.iter().chain(&attribute.graphs).for_each(|graph| in_graph(graph, found));
    }
}

fn in_tensors<'a>(tensors: impl IntoIterator<Item = &'a TensorProto>, found: &mut Vec<String>) {
    let lies_elsewhere = |tensor: &&TensorProto| {
        tensor.data_location == EXTERNAL || !tensor.external_data.is_empty()
    };
    found.extend(tensors.into_iter().filter(lies_elsewhere).map(|tensor| tensor.name.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn shipped() -> (Vec<u8>, ModelProto) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(root.join("tests/data/segmenter/model.onnx")).unwrap();
        let model = model_from_bytes(&bytes).unwrap();
        (bytes, model)
    }

    fn open_sides(model: &mut ModelProto, sides: &[usize]) {
        let port = &mut model.graph.as_mut().unwrap().input[0];
        let Some(TypeValue::Tensor(tensor)) = &mut port.r#type.as_mut().unwrap().value else {
            panic!("no tensor");
        };
        for side in sides {
            let name = format!("side{side}");
            tensor.shape.as_mut().unwrap().dim[*side].value = Some(Side::Param(name));
        }
    }

    #[test]
    fn a_fixed_graph_stays_as_it_is() {
        let (bytes, _) = shipped();
        assert!(matches!(fixed(&bytes, "image", [1, 3, 32, 64]), Ok(Cow::Borrowed(_))));
        assert!(matches!(fixed(b"no network", "image", [1, 3, 32, 64]), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn open_sides_are_fixed() {
        let (bytes, mut model) = shipped();
        open_sides(&mut model, &[0, 2, 3]);
        let open = bytes_from_model(&model);
        let Ok(Cow::Owned(closed)) = fixed(&open, "image", [1, 3, 32, 64]) else { panic!("same") };
        assert_eq!(model_from_bytes(&closed), model_from_bytes(&bytes));
    }

    #[test]
    fn a_contradiction_is_left_for_the_check_that_names_it() {
        let (_, mut model) = shipped();
        open_sides(&mut model, &[0]);
        let open = bytes_from_model(&model);
        for shape in [[1, 1, 32, 64], [1, 3, 32, 65]] {
            assert!(matches!(fixed(&open, "image", shape), Ok(Cow::Borrowed(_))));
        }
        assert!(matches!(fixed(&open, "other", [1, 3, 32, 64]), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn weights_in_other_files_are_found_wherever_they_hide() {
        let hidden =
            TensorProto { data_location: EXTERNAL, ..TensorProto::of_floats("w", &[], &[]) };
        let inner = GraphProto { initializer: vec![hidden.clone()], ..GraphProto::default() };
        let attribute = AttributeProto { g: Some(inner), ..AttributeProto::default() };
        let node = NodeProto { attribute: vec![attribute], ..NodeProto::default() };
        let (_, plain) = shipped();
        let mut in_initializer = plain.clone();
        in_initializer.graph.as_mut().unwrap().initializer.push(hidden);
        let mut in_branch = plain;
        in_branch.graph.as_mut().unwrap().node.push(node);
        for model in [in_initializer, in_branch] {
            let bytes = bytes_from_model(&model);
            assert_eq!(fixed(&bytes, "image", [1, 3, 32, 64]), Err(vec!["w".to_owned()]));
        }
    }
}
