//! A picture that is looked at closely and drawn on. Takes what the store keeps of a view; gives
//! what a person sees of it, and the shapes they draw, in pixels of the camera's frame.

pub mod brush;
pub mod draw;
pub mod hand;
pub mod lens;
pub mod shapes;
