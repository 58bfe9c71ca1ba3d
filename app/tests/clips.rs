//! `sightline clips` as its user runs it: the built binary on stores with clips, whole, damaged and
//! in use.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

#[path = "clips/changes.rs"]
mod changes;
#[path = "clips/looks.rs"]
mod looks;
#[path = "clips/store_with.rs"]
mod store_with;
