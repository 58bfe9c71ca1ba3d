//! The uploader against a strict service on loopback, and against a folder: what was accepted is
//! kept exactly once, whatever goes wrong on the way.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod cloud;
mod family;
mod faults;
mod kinesis;
#[path = "../kvs/mod.rs"]
mod kvs;
#[path = "../kvs/raw.rs"]
#[expect(dead_code, reason = "the service's own tests use the rest")]
mod raw;
mod station;
mod tls;
