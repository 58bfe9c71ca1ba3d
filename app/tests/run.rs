//! The line mode as its user runs it: the built binary on small stations, stopped, killed, asked
//! and misled. Holds what can be seen from outside, each promise named at its test.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

#[path = "run/dashboard.rs"]
mod dashboard;
#[path = "run/ends.rs"]
mod ends;
#[path = "run/exposition.rs"]
mod exposition;
#[path = "run/kiosk.rs"]
mod kiosk;
#[path = "run/listens.rs"]
mod listens;
#[path = "run/mistakes.rs"]
mod mistakes;
#[path = "run/service.rs"]
mod service;
#[path = "run/started.rs"]
mod started;
#[path = "run/station.rs"]
mod station;
