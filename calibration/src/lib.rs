//! FROM PIXELS TO MILLIMETRES: lens, scale, flat field, alignment, acceptance.

pub mod accept;
pub mod align;
pub mod belt;
mod bytes;
mod correct;
pub mod flat_field;
mod fourier;
pub mod grr;
pub mod lens;
mod linear;
mod measure;
mod picture;
pub mod profile;
mod rounding;
pub mod scale;
pub mod target;
pub mod watch;

pub use accept::{AcceptLimits, Accepted, CameraFacts, Objection};
pub use correct::{Calibration, Corrector, Laid};
pub use lens::{CropMap, Lens, LensFit};
pub use picture::{Picture, PictureTooShort};
pub use profile::{Profile, ProfileError};
pub use scale::{Measured, Plane};
pub use target::{Mm, Observation, Px, Target};
