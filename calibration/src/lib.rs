//! FROM PIXELS TO MILLIMETRES: lens, scale, flat field, alignment, acceptance.

pub mod align;
pub mod belt;
mod bytes;
pub mod flat_field;
mod fourier;
pub mod grr;
mod linear;
mod picture;
mod rounding;
pub mod watch;

pub use picture::{Picture, PictureTooShort};
