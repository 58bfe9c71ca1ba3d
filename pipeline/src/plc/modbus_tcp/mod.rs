//! Modbus/TCP, as server or as client, by one published register map ([`map`], `docs/plc.md`).
//! Takes verdicts, the line's status and the gate; gives field inputs and commands.
//!
//! Either end has a thread of its own. The line shares a block of words with it, under a lock that
//! is held for a few copies and never while anything waits.

pub mod client;
#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod docs;
mod heard;
mod image;
pub mod map;
mod pdu;
#[cfg(test)]
pub(super) mod peer;
pub mod reason;
pub mod server;
#[cfg(test)]
mod server_tests;
pub mod words;

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::PlcError;
use crate::clock::Clock;

/// Starts a thread that runs what `work` gives, and nothing else, until it is done.
fn start<F: Future<Output = ()>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<JoinHandle<()>, PlcError> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_io().enable_time().build().map_err(PlcError::Thread)?;
    let thread = Builder::new().name("plc".to_owned());
    thread.spawn(move || runtime.block_on(work())).map_err(PlcError::Thread)
}

/// Waits for the lock; whoever panicked while it held it left whole words behind.
fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number by which the PLC tells this start of the station from the one before; never 0.
fn run_number(clock: &dyn Clock) -> u16 {
    let seconds = clock.wall().unix_ns.unsigned_abs() / 1_000_000_000;
    u16::try_from(seconds % u64::from(u16::MAX)).unwrap_or(0) + 1
}
