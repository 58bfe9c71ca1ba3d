//! TRAINED NETWORKS AND HOW TO RUN THEM: the only door to ONNX Runtime. Takes a bundle's folder and
//! a camera's pixels, gives findings.
//!
//! The way in: [`Runtime::open`] → [`Bundle::load`] → [`Bundle::arm`] → [`Model`]. The way of a
//! picture: [`Shaper::prepare`] makes the tensor, [`Model::run`] says what the network sees.

pub mod bundle;
pub mod compiled;
pub mod eval;
pub mod execution;
pub mod fit;
pub mod golden;
pub mod import;
pub mod index;
pub mod kinds;
pub mod luma;
pub mod manifest;
pub mod model;
pub mod onnx;
pub mod picture;
mod ports;
pub mod quantize;
pub mod rgb;
mod rows;
pub mod runtime;
mod screen;
pub mod session;
pub mod signature;
pub mod tensor;
mod tiling;
pub mod write;

pub use bundle::{Bundle, BundleError, Missed};
pub use compiled::{Compiled, CompiledError, Made, Step, compile};
pub use domain::rate;
pub use execution::{ExecutionError, RunsOn};
pub use kinds::Kind;
pub use luma::LumaReader;
pub use manifest::{
    Activation, AnomalySpec, BoxLayout, BoxesSpec, Colour, FileSpec, Golden, InputSpec, Manifest,
    OutputSpec, Precision, Resize, Tiling,
};
pub use model::Model;
pub use rgb::RgbReader;
pub use runtime::{Looked, RuntimeError};
pub use session::{Bare, Runtime};
pub use signature::{KeyError, SignatureError, Trust};
pub use tensor::Shaper;
