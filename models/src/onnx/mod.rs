//! ONNX files as data: read, looked into, changed, written. Nothing here runs a network;
//! [`crate::session`] does.

pub mod proto;

use prost::Message;
use thiserror::Error;

use proto::{
    Dimension, GraphProto, ModelProto, Side, TensorProto, TensorShapeProto, TensorType, TypeProto,
    TypeValue, ValueInfoProto,
};

/// Numbers of ONNX's element types.
#[expect(missing_docs, reason = "named as ONNX names them")]
pub mod element {
    pub const FLOAT: i32 = 1;
    pub const UINT8: i32 = 2;
    pub const INT8: i32 = 3;
    pub const INT32: i32 = 6;
    pub const INT64: i32 = 7;
    pub const BOOL: i32 = 9;
    pub const FLOAT16: i32 = 10;
    pub const DOUBLE: i32 = 11;
}

/// Why bytes are no ONNX file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OnnxError {
    /// Not protobuf of ONNX's shape.
    #[error("not an ONNX file: {message}")]
    NotOnnx {
        /// What the decoder said.
        message: String,
    },
    /// A model without a graph.
    #[error("an ONNX file without a graph")]
    NoGraph,
}

/// Reads an ONNX file's bytes.
///
/// # Errors
/// When they are not protobuf of ONNX's shape, or hold no graph.
pub fn model_from_bytes(bytes: &[u8]) -> Result<ModelProto, OnnxError> {
    let model = ModelProto::decode(bytes)
        .map_err(|error| OnnxError::NotOnnx { message: error.to_string() })?;
    if model.graph.is_none() {
        return Err(OnnxError::NoGraph);
    }
    Ok(model)
}

/// The bytes of an ONNX file.
#[must_use]
pub fn bytes_from_model(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

impl ModelProto {
    /// What the free words say of `key`.
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata_props.iter().find(|entry| entry.key == key).map(|entry| &*entry.value)
    }
}

impl GraphProto {
    /// The inputs that are no initializers: what a caller feeds.
    pub fn fed(&self) -> impl Iterator<Item = &ValueInfoProto> {
        self.input
            .iter()
            .filter(|input| self.initializer.iter().all(|constant| constant.name != input.name))
    }
}

impl ValueInfoProto {
    /// A tensor of fixed sides.
    #[must_use]
    pub fn tensor(name: &str, elem_type: i32, sides: &[i64]) -> Self {
        let dim = |side: &i64| Dimension { value: Some(Side::Value(*side)), ..Default::default() };
        let shape = TensorShapeProto { dim: sides.iter().map(dim).collect() };
        let value = TypeValue::Tensor(TensorType { elem_type, shape: Some(shape) });
        let r#type = Some(TypeProto { value: Some(value), ..Default::default() });
        Self { name: name.to_owned(), r#type, ..Default::default() }
    }

    /// Element type, when it is a tensor.
    #[must_use]
    pub fn elem_type(&self) -> Option<i32> {
        self.tensor_type().map(|tensor| tensor.elem_type)
    }

    /// Sides, outermost first, `None` where the graph leaves one open; when it tells its shape.
    #[must_use]
    pub fn sides(&self) -> Option<Vec<Option<i64>>> {
        let side = |dim: &Dimension| match dim.value {
            Some(Side::Value(side)) => Some(side),
            _ => None,
        };
        Some(self.tensor_type()?.shape.as_ref()?.dim.iter().map(side).collect())
    }

    fn tensor_type(&self) -> Option<&TensorType> {
        match self.r#type.as_ref()?.value.as_ref()? {
            TypeValue::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }
}

impl TensorProto {
    /// A constant of floats.
    ///
    /// # Panics
    /// Never; `values` that do not fill `dims` make a constant that ONNX Runtime refuses.
    #[must_use]
    pub fn of_floats(name: &str, dims: &[i64], values: &[f32]) -> Self {
        Self {
            name: name.to_owned(),
            dims: dims.to_vec(),
            data_type: element::FLOAT,
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..Default::default()
        }
    }

    /// The floats of a float constant, however they are stored; `None` for others and for what
    /// lies in another file.
    #[must_use]
    pub fn floats(&self) -> Option<Vec<f32>> {
        if self.data_type != element::FLOAT || self.data_location != 0 {
            return None;
        }
        if self.raw_data.is_empty() {
            return Some(self.float_data.clone());
        }
        let (chunks, rest) = self.raw_data.as_chunks::<4>();
        rest.is_empty().then(|| chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_shipped_graph_is_read_and_written_without_loss() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for file in ["zoo/simulated-parts/model.onnx", "tests/data/segmenter/model.onnx"] {
            let bytes = std::fs::read(root.join(file)).unwrap();
            let model = model_from_bytes(&bytes).unwrap();
            let again = model_from_bytes(&bytes_from_model(&model)).unwrap();
            assert_eq!(model, again);
            let graph = model.graph.unwrap();
            let fed: Vec<_> = graph.fed().collect();
            assert_eq!(fed.len(), 1);
            assert_eq!(fed[0].elem_type(), Some(element::FLOAT));
            assert_eq!(fed[0].sides().unwrap().len(), 4);
        }
    }

    #[test]
    fn what_is_no_onnx_is_refused() {
        assert_eq!(model_from_bytes(b""), Err(OnnxError::NoGraph));
        let error = model_from_bytes(b"not a network").unwrap_err();
        assert!(matches!(error, OnnxError::NotOnnx { .. }));
    }

    #[test]
    fn floats_come_back() {
        let constant = TensorProto::of_floats("c", &[2], &[1.5, -2.0]);
        assert_eq!(constant.floats(), Some(vec![1.5, -2.0]));
        let elsewhere = TensorProto { data_location: 1, ..constant };
        assert_eq!(elsewhere.floats(), None);
    }
}
