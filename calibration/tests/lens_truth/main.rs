//! Calibration against known truth: takes cameras and planes that are known; gives what the lens,
//! the plane and the targets' finders make of pictures of them.

mod fit;
mod print;
mod scale;
mod scene;
mod targets;
