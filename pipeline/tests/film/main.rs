//! The film: which pictures become clips, in how much memory, and what they look like.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

mod annotated;
mod memory;
mod reels;
mod windows;
