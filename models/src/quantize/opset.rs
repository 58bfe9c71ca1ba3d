//! Operator sets: takes a model of version 11 or newer, leaves one of version 13 or newer that
//! says the same. Below 13 there are no scales by channel.

use super::QuantizeError;
use super::graph::{has_graphs, int_of, int64s, known_as};
use crate::onnx::proto::{ModelProto, NodeProto, TensorProto};

/// The first version with scales by channel.
const WANTED: i64 = 13;
/// The first version that can be raised by the changes below.
const LOWEST: i64 = 11;

/// Settings that became inputs in version 13.
const NOW_INPUTS: [(&str, &str); 4] =
    [("Squeeze", "axes"), ("Unsqueeze", "axes"), ("ReduceSum", "axes"), ("Split", "split")];

/// Before 13 these folded all axes behind theirs into one.
const FOLDED: [&str; 3] = ["Softmax", "LogSoftmax", "Hardmax"];

/// Raises `model` to version 13 where it is older.
///
/// # Errors
/// When it is too old, or has an operator whose meaning changed in a way that can't be told from
/// the file.
pub(super) fn raise(model: &mut ModelProto) -> Result<(), QuantizeError> {
    let own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let set = model.opset_import.iter_mut().find(|set| own(&set.domain));
    let got = set.as_ref().map_or(1, |set| set.version);
    if got >= WANTED {
        return Ok(());
    }
    let refused = |why: &str| Err(QuantizeError::Opset { got, why: why.to_owned() });
    if got < LOWEST {
        return refused("it is older than 11");
    }
    if !model.functions.is_empty() {
        return refused("it has functions of its own");
    }
    if let Some(set) = set {
        set.version = WANTED;
    }
    // Inputs may be left out since version 4 of the format, as they must be here.
    model.ir_version = model.ir_version.max(7);
    let Some(graph) = &mut model.graph else { return Ok(()) };
    let mut constants = Vec::new();
    for (index, node) in graph.node.iter_mut().enumerate().filter(|(_, n)| own(&n.domain)) {
        raise_node(node, index, &mut constants).map_err(|why| QuantizeError::Opset { got, why })?;
    }
    graph.initializer.extend(constants);
    Ok(())
}

fn raise_node(
    node: &mut NodeProto,
    index: usize,
    constants: &mut Vec<TensorProto>,
) -> Result<(), String> {
    let told = || format!("`{}` ({})", known_as(node), node.op_type);
    if has_graphs(node) {
        return Err(format!("{} holds graphs of its own", told()));
    }
    if FOLDED.contains(&&*node.op_type) && int_of(node, "axis", 1) != -1 {
        return Err(format!("{} does not say `axis = -1`, and means another since 13", told()));
    }
    if node.op_type == "Dropout" {
        node.attribute.retain(|setting| setting.name != "ratio");
    }
    let Some((_, name)) = NOW_INPUTS.iter().find(|(op, _)| *op == node.op_type) else {
        return Ok(());
    };
    if let Some(at) = node.attribute.iter().position(|setting| setting.name == *name) {
        let setting = node.attribute.remove(at);
        let constant = format!("{name}_raised_{index}");
        constants.push(int64s(&constant, &setting.ints));
        node.input.push(constant);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::proto::{AttributeProto, GraphProto, OperatorSetIdProto};

    fn model(version: i64, op: &str, settings: &[(&str, i64, &[i64])]) -> ModelProto {
        let setting = |(name, i, ints): &(&str, i64, &[i64])| AttributeProto {
            name: (*name).to_owned(),
            i: *i,
            ints: ints.to_vec(),
            ..Default::default()
        };
        let attribute = settings.iter().map(setting).collect();
        let node = NodeProto {
            op_type: op.into(),
            input: vec!["x".into()],
            output: vec!["y".into()],
            attribute,
            ..Default::default()
        };
        ModelProto {
            opset_import: vec![OperatorSetIdProto { version, ..Default::default() }],
            graph: Some(GraphProto { node: vec![node], ..Default::default() }),
            ..Default::default()
        }
    }

    #[test]
    fn axes_become_an_input() {
        let mut old = model(11, "Squeeze", &[("axes", 0, &[2, 3])]);
        raise(&mut old).unwrap();
        let graph = old.graph.unwrap();
        assert_eq!(old.opset_import[0].version, 13);
        assert!(graph.node[0].attribute.is_empty());
        assert_eq!(graph.node[0].input[1], graph.initializer[0].name);
        assert_eq!(super::super::graph::ints(&graph.initializer[0]), Some(vec![2, 3]));
    }

    #[test]
    fn what_can_not_be_raised_is_refused_with_the_reason() {
        let told = |mut model| raise(&mut model).unwrap_err().to_string();
        assert!(told(model(10, "Conv", &[])).contains("older than 11"));
        let softmax = told(model(12, "Softmax", &[("axis", 1, &[])]));
        assert!(softmax.contains("`y` (Softmax)") && softmax.contains("13"), "{softmax}");
        raise(&mut model(12, "Softmax", &[("axis", -1, &[])])).unwrap();
    }

    #[test]
    fn what_is_new_enough_stays_as_it_is() {
        let mut new = model(17, "Softmax", &[("axis", 1, &[])]);
        let before = new.clone();
        raise(&mut new).unwrap();
        assert_eq!(new, before);
    }
}
