//! FOOTAGE WITH KNOWN TRUTH. Takes a [`SceneConfig`]; gives the frames that a camera above a
//! conveyor belt would have seen, and the [`Truth`] about every part on it.
//!
//! Everything follows from the seed. Any frame can be rendered alone, in any order and on several
//! threads, and is the same bytes each time. The picture is made in layers: [`Scene`] lays parts
//! out on a belt, each part is drawn once as a sprite, and a frame is the belt moved along, the
//! sprites laid on it, blurred by its motion, lit, and made noisy.
//!
//! [`camera`] is apart from the belt: it shows any flat picture through a lens that is known.

mod belt;
pub mod camera;
mod config;
mod flaw;
mod frame;
mod layout;
mod motion;
mod noise;
mod part;
mod scene;
mod shape;
mod sprite;
mod truth;

pub use config::{SceneConfig, SceneError, Spacing};
pub use flaw::DefectKind;
pub use scene::Scene;
pub use shape::PartKind;
pub use truth::{Truth, TruthDefect, TruthError, TruthPart};
