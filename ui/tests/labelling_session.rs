//! People who review and label, as they would: by keys alone, by finger, with what goes wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "all of this is a test"
)]

#[path = "labelling_session/hostile.rs"]
mod hostile;
#[path = "labelling_session/label.rs"]
mod label;
#[path = "labelling_session/look.rs"]
mod look;
#[path = "labelling_session/review.rs"]
mod review;
#[path = "labelling_session/station.rs"]
mod station;
mod support;
