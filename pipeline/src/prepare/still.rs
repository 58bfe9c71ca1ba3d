//! Whether a camera's calibration still holds: takes the cause when it does not hold any more,
//! which
//! `prepare` reads part by part.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of one camera's calibration while its line runs. Shared by the watch, which
/// writes it, and the inspecting threads, for which it costs one atomic load a view.
#[derive(Debug, Default)]
pub struct Still {
    is_lost: AtomicBool,
    cause: Mutex<Arc<str>>,
}

impl Still {
    /// Why it does not hold any more; `None` while it does, as far as is known.
    #[must_use]
    pub fn lost(&self) -> Option<Arc<str>> {
        if !self.is_lost.load(Ordering::Acquire) {
            return None;
        }
        Some(Arc::clone(&self.cause.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Says why it does not hold, or that it does; whether that is news.
    pub(crate) fn say(&self, cause: Option<&str>) -> bool {
        if let Some(cause) = cause {
            *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = cause.into();
        }
        self.is_lost.swap(cause.is_some(), Ordering::AcqRel) != cause.is_some()
    }
}
