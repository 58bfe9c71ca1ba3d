//! What pages are put together from. No page draws a button of its own.

mod button;

pub use button::{button, toggle};
