//! The film: which pictures become clips, in how much memory, and what they look like.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests, and what they share"
)]

mod annotated;
mod memory;
mod reels;
mod windows;
