//! Clips, from the film's pictures to the bytes of a file that others can read.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests, and what they share")]

mod encoder;
mod matroska;
mod pictures;
mod second_opinions;
