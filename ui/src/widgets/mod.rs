//! What pages are put together from. No page draws a button of its own.

mod action;
mod button;
mod glyph;

pub use action::{Action, Tone, pressed};
pub use button::{button, toggle};
pub use glyph::{Glyph, glyph};
