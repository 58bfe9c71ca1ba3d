//! Smaller networks: takes a bundle's network in 32-bit floats, gives one in 8-bit integers or
//! 16-bit floats, and holds the two against each other on labelled pictures.
//!
//! The way: [`onnx_from_bundle`] → [`crate::write::bundle_with_expected`], which refuses what
//! misses the float bundle's golden samples → [`compare`] → [`Comparison::refused`].

mod compare;
mod graph;
mod half;
mod int8;
mod opset;
mod plan;
mod ranges;
mod scale;

use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error;

use crate::bundle::Bundle;
use crate::manifest::Precision;
use crate::onnx::OnnxError;
use crate::picture::PictureError;
use crate::session::Runtime;
pub use compare::{Allowed, CompareError, Comparison, Labelled, Side, compare, int8_instructions};
use graph::Net;
use plan::Plan;
use ranges::Pictures;

/// Where quantised networks are to run; it decides how integers are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// ONNX Runtime on a processor: activations 0..=255 with a zero point, limits such as Relu
    /// absorbed, biases in 32 bits.
    Cpu,
    /// TensorRT: everything around 0, limits and biases as they are.
    Tensorrt,
}

/// How much of what an activation was seen to hold its steps cover.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// All of it.
    Minmax,
    /// So many of 100 values; as many are cut at either end.
    Percentile(f64),
}

/// How to quantise to 8 bits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Int8 {
    /// Where it is to run.
    pub layout: Layout,
    /// How ranges are taken from the calibration pictures.
    pub method: Method,
    /// Bits of a weight: 8, or 7. Processors with AVX2 or AVX-512 but without VNNI add two
    /// products in 16 bits, which 8-bit weights can overflow: the same bundle then scores
    /// otherwise there. With 7 it can't.
    pub weight_bits: u8,
    /// Whether layers that see the picture itself are put too. They lose the most: a faint
    /// scratch is a few of 255 steps. A network of nothing else is put in any case.
    pub first_too: bool,
}

impl Int8 {
    /// The largest whole number of a weight. 64 and not 63: two products with 255 still fit.
    const fn weight_top(&self) -> f32 {
        if self.weight_bits == 7 { 64.0 } else { 127.0 }
    }
}

/// What to make of a network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// 8-bit integers.
    Int8(Int8),
    /// 16-bit floats.
    Fp16,
}

impl Target {
    /// In what the network computes then.
    #[must_use]
    pub const fn precision(&self) -> Precision {
        match self {
            Self::Int8(_) => Precision::Int8,
            Self::Fp16 => Precision::Fp16,
        }
    }
}

/// A node that stays in 32-bit floats though it could have been put into fewer bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its name, or its output's.
    pub node: String,
    /// Its operator.
    pub op: String,
    /// Why it stays.
    pub why: String,
}

/// A network in fewer bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The ONNX file.
    pub onnx: Vec<u8>,
    /// How many nodes compute in fewer bits.
    pub put: usize,
    /// Those that could not, or were not to.
    pub kept: Vec<Kept>,
}

/// Why a network is not quantised.
#[derive(Clone, Debug, Error, PartialEq)]
#[expect(missing_docs, reason = "the fields are the evidence that each message shows")]
pub enum QuantizeError {
    /// The bundle is no float one.
    #[error(
        "the bundle is {precision:?} already; right would be: the float bundle that it was made \
         from"
    )]
    NotFloat { precision: Precision },
    /// The network holds quantised nodes.
    #[error(
        "the network is quantised already: `{node}` is a {op}; right would be: the network as it \
         was exported, in 32-bit floats"
    )]
    AlreadyQuantized { node: String, op: String },
    /// The network's file is no ONNX.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The operators are too old.
    #[error(
        "the network is written in version {got} of ONNX's operators and can't be raised to 13: \
         {why}; right would be: an export with opset 13 or newer"
    )]
    Opset { got: i64, why: String },
    /// ONNX Runtime does not take what was made on the way.
    #[error("ONNX Runtime: {message}")]
    Runtime { message: String },
    /// There is nothing to learn ranges from.
    #[error("there are no calibration pictures; right would be: 50 or more of usual parts")]
    NoPictures,
    /// A picture can't be read.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A picture can't be shown to the network.
    #[error("{}: {message}", .file.display())]
    NotPrepared { file: PathBuf, message: String },
    /// The float network itself gives NaN or infinity.
    #[error(
        "the float network is not sound: its tensor `{tensor}` is not finite on {}",
        .file.display()
    )]
    NotFinite { tensor: String, file: PathBuf },
    /// A tensor was never computed.
    #[error("no calibration picture gives the tensor `{tensor}` a value")]
    NoRange { tensor: String },
    /// A name is no node's.
    #[error("there is no node `{name}`; nodes with weights are {there:?}")]
    NoSuchNode { name: String, there: Vec<String> },
    /// No node has weights that could be quantised.
    #[error(
        "nothing to quantise: no Conv, ConvTranspose, Gemm or MatMul with constant weights is \
         left"
    )]
    NothingToQuantize,
}

/// Makes a smaller network of `bundle`'s. What lies in `pictures` teaches it the range of each
/// tensor; 16-bit floats need none, and are shown the golden samples too. Nodes in `keep` (by
/// name or by output) stay in 32-bit floats.
///
/// # Errors
/// When the bundle is no float one, its network can't be changed without changing what it says, a
/// picture can't be read, or nothing is left to quantise.
pub fn onnx_from_bundle(
    bundle: &Bundle,
    target: &Target,
    keep: &[String],
    pictures: &[PathBuf],
    runtime: &Runtime,
) -> Result<Made, QuantizeError> {
    let manifest = bundle.manifest();
    if manifest.file.precision != Precision::Fp32 {
        return Err(QuantizeError::NotFloat { precision: manifest.file.precision });
    }
    let net = Net::tidied(&bundle.parts.onnx, runtime)?;
    let floats = net.floats(runtime)?;
    let input = &manifest.input;
    match target {
        Target::Int8(how) => {
            if pictures.is_empty() {
                return Err(QuantizeError::NoPictures);
            }
            let plan = Plan::new(&net, &floats, keep, how)?;
            let pictures = Pictures { files: pictures, loaded: &[] };
            let measured = plan.measured();
            let ranges = ranges::ranges(&net, input, &measured, pictures, how.method, runtime)?;
            let put = plan.roles.iter().filter(|role| **role != plan::Role::Float).count();
            let onnx = int8::rewritten(net, &plan, &ranges, how)?.bytes();
            Ok(Made { onnx, put, kept: plan.kept })
        }
        Target::Fp16 => {
            plan::check_names(&net, keep)?;
            let pictures = Pictures { files: pictures, loaded: &bundle.parts.pictures };
            let all: Vec<_> = floats.iter().cloned().collect();
            let ranges = ranges::ranges(&net, input, &all, pictures, Method::Minmax, runtime)?;
            let (net, kept, put) = half::rewritten(net, &floats, &ranges, keep);
            Ok(Made { onnx: net.bytes(), put, kept })
        }
    }
}

#[cfg(test)]
mod tests;
