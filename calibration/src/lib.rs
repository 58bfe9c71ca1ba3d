//! FROM PIXELS TO MILLIMETRES: lens, scale, flat field, alignment, acceptance.

mod picture;

pub use picture::{Picture, PictureTooShort};
