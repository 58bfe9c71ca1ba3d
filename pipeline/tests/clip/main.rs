//! Clips, from the film's pictures to the bytes of a file that others can read.

mod encoder;
mod matroska;
mod pictures;
mod second_opinions;
