//! Modbus/TCP against another implementation, pymodbus, in both roles. Where it is missing, the
//! tests say so and are skipped.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests, and what they share")]

mod as_client;
mod as_server;
mod peer;
