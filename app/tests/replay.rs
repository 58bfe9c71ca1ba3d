//! The program as its user runs it: the built binary, on footage, pictures and scenes, good and
//! bad. Holds the promises of the design that can be seen from outside, each named at its test.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

#[path = "replay/aligned.rs"]
mod aligned;
#[path = "replay/bad_model.rs"]
mod bad_model;
#[path = "replay/bad_recipe.rs"]
mod bad_recipe;
#[path = "replay/bad_source.rs"]
mod bad_source;
#[path = "replay/bad_truth.rs"]
mod bad_truth;
#[path = "replay/conservation.rs"]
mod conservation;
#[path = "replay/exit_codes.rs"]
mod exit_codes;
#[path = "replay/faults.rs"]
mod faults;
#[path = "replay/footage.rs"]
mod footage;
#[path = "replay/golden.rs"]
mod golden;
#[path = "replay/import.rs"]
mod import;
#[path = "replay/program.rs"]
mod program;
#[path = "replay/real_footage.rs"]
mod real_footage;
#[path = "replay/results.rs"]
mod results;
#[path = "replay/station.rs"]
mod station;
