//! A picture that is looked at closely and drawn on. Takes what the store keeps of a view; gives
//! what a person sees of it, and the shapes they draw, in pixels of the camera's frame.
//!
//! [`pane`] is what a finger touches, [`lens`] how pixels become points, [`hand`] what is drawn and
//! how, [`shapes`] and [`brush`] what becomes of it, [`draw`] what is painted.

pub mod brush;
pub mod draw;
pub mod hand;
pub mod lens;
pub mod pane;
pub mod shapes;
