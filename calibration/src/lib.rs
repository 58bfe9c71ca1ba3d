//! FROM PIXELS TO MILLIMETRES: lens, scale, flat field, alignment, acceptance.

pub mod lens;
mod picture;
pub mod scale;
pub mod target;

pub use lens::{CropMap, Lens, LensFit};
pub use picture::{Picture, PictureTooShort};
pub use scale::{Measured, Plane};
pub use target::{Mm, Observation, Px, Target};
