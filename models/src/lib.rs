//! TRAINED NETWORKS AND HOW TO RUN THEM: the only door to ONNX Runtime. Takes a bundle's folder and
//! a camera's pixels, gives findings.
//!
//! The way in: [`Runtime::open`] → [`Bundle::load`] → [`Bundle::arm`] → [`Model`]. The way of a
//! picture: [`Shaper::prepare`] makes the tensor, [`Model::run`] says what the network sees.

pub mod bundle;
pub mod kinds;
pub mod manifest;
mod rows;
pub mod runtime;
pub mod session;
pub mod tensor;

pub use bundle::{Bundle, BundleError, Missed, Model};
pub use kinds::Kind;
pub use manifest::{Activation, Colour, Golden, InputSpec, Manifest, OutputSpec, Resize};
pub use runtime::{Looked, RuntimeError};
pub use session::Runtime;
pub use tensor::Shaper;
