//! A network as ONNX Runtime is given it: takes the bytes of an ONNX file, gives bytes in which the
//! input has fixed sides.

use std::borrow::Cow;

use crate::onnx::proto::{Side, TypeValue, ValueInfoProto};
use crate::onnx::{bytes_from_model, model_from_bytes};

/// `onnx` with the open sides of `input` as in `shape`, but for those that are open there too; the
/// same bytes where none is to be fixed.
///
/// Bytes that are no ONNX file come back as they are: ONNX Runtime says best what is wrong.
pub fn fixed<'a>(onnx: &'a [u8], input: &str, shape: [Option<usize>; 4]) -> Cow<'a, [u8]> {
    let Ok(mut model) = model_from_bytes(onnx) else { return Cow::Borrowed(onnx) };
    let inputs = model.graph.iter_mut().flat_map(|graph| &mut graph.input);
    let changed = inputs.filter(|port| port.name == input).any(|port| fix(port, shape));
    if changed { Cow::Owned(bytes_from_model(&model)) } else { Cow::Borrowed(onnx) }
}

/// Fixes the open sides of `port`, unless it contradicts `shape`, which is told elsewhere.
fn fix(port: &mut ValueInfoProto, shape: [Option<usize>; 4]) -> bool {
    let wanted = shape.map(|side| side.and_then(|side| i64::try_from(side).ok()));
    let sides = port.sides().unwrap_or_default();
    let pairs = || sides.iter().zip(&wanted);
    let contradicts = |(side, wanted): (&Option<i64>, &Option<i64>)| {
        side.zip(*wanted).is_some_and(|(side, wanted)| side != wanted)
    };
    let is_open = |(side, wanted): (&Option<i64>, &Option<i64>)| side.is_none() && wanted.is_some();
    if sides.len() != wanted.len() || pairs().any(contradicts) || !pairs().any(is_open) {
        return false;
    }
    let Some(TypeValue::Tensor(tensor)) = port.r#type.as_mut().and_then(|it| it.value.as_mut())
    else {
        return false;
    };
    let dims = tensor.shape.iter_mut().flat_map(|shape| &mut shape.dim);
    for (dim, side) in dims.zip(wanted) {
        if let Some(side) = side {
            dim.value = Some(Side::Value(side));
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::proto::ModelProto;
    use std::path::Path;

    const SHAPE: [Option<usize>; 4] = [Some(1), Some(3), Some(32), Some(64)];

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
        assert!(matches!(fixed(&bytes, "image", SHAPE), Cow::Borrowed(_)));
        assert!(matches!(fixed(b"no network", "image", SHAPE), Cow::Borrowed(_)));
    }

    #[test]
    fn open_sides_are_fixed() {
        let (bytes, mut model) = shipped();
        open_sides(&mut model, &[0, 2, 3]);
        let open = bytes_from_model(&model);
        let Cow::Owned(closed) = fixed(&open, "image", SHAPE) else { panic!("same") };
        assert_eq!(model_from_bytes(&closed), model_from_bytes(&bytes));
    }

    #[test]
    fn a_contradiction_is_left_for_the_check_that_names_it() {
        let (_, mut model) = shipped();
        open_sides(&mut model, &[0]);
        let open = bytes_from_model(&model);
        for shape in [[1, 1, 32, 64], [1, 3, 32, 65]] {
            assert!(matches!(fixed(&open, "image", shape.map(Some)), Cow::Borrowed(_)));
        }
        assert!(matches!(fixed(&open, "other", SHAPE), Cow::Borrowed(_)));
    }

    #[test]
    fn a_batch_may_stay_open() {
        let (_, mut model) = shipped();
        open_sides(&mut model, &[0]);
        let open = bytes_from_model(&model);
        let shape = [None, Some(3), Some(32), Some(64)];
        assert!(matches!(fixed(&open, "image", shape), Cow::Borrowed(_)));
    }
}
