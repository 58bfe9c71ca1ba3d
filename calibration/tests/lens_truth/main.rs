//! Calibration against known truth: takes cameras and planes that are known; gives what the lens,
//! the plane and the targets' finders make of pictures of them.

#![expect(clippy::unwrap_used, reason = "a test that stops has failed")]
#![expect(clippy::print_stdout, reason = "the distributions are what is asked for")]

mod fit;
mod print;
mod scale;
mod scene;
mod targets;
