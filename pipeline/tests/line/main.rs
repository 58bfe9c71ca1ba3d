//! The whole line, live, with a camera, a gate and a belt under the tests' control.

#![allow(clippy::unwrap_used)]

mod faults;
mod filmed;
mod record;
mod setup;
mod swaps;
