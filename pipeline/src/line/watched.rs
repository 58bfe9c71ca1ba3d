//! The threads that look whether calibrations still hold, one a camera that has a baseline.

use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};

use super::{LineError, spawn};
use crate::prepare::Watcher;
use crate::stage::Counters;

/// Starts the watch over a camera's calibration; it ends when what is given here is let go.
pub(super) fn start(watcher: Watcher, counters: &Arc<Counters>) -> Result<Sender<()>, LineError> {
    let (going, stop) = bounded(0);
    let counters = Arc::clone(counters);
    let name = format!("watch-{}", watcher.camera);
    // Nobody waits for it: it holds nothing but its own memory.
    spawn(&name, move || {
        crate::priority::come_last();
        watcher.run(&stop, &counters);
    })?;
    Ok(going)
}
