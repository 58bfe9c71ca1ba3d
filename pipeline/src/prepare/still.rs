//! Whether a camera's calibration still holds: takes the cause when it does not hold any more, or
//! that the camera is being calibrated; `prepare` reads it part by part.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The watch has found that it does not hold.
const LOST: u8 = 1;
/// Somebody calibrates the camera: what it shows is a target, a sheet, a hand.
const BEING_CALIBRATED: u8 = 2;

/// Why parts are undecided meanwhile.
static CALIBRATED_NOW: LazyLock<Arc<str>> =
    LazyLock::new(|| "the camera is being calibrated".into());

/// What is known of one camera's calibration while its line runs. Shared by the watch and by
/// whoever calibrates, which write it, and the inspecting threads, for which it costs one atomic
/// load a view.
#[derive(Debug, Default)]
pub struct Still {
    state: AtomicU8,
    cause: Mutex<Arc<str>>,
}

impl Still {
    /// Why it does not hold any more; `None` while it does, as far as is known.
    #[must_use]
    pub fn lost(&self) -> Option<Arc<str>> {
        match self.state.load(Ordering::Acquire) {
            0 => None,
            LOST => Some(Arc::clone(&self.cause.lock().unwrap_or_else(PoisonError::into_inner))),
            _ => Some(Arc::clone(&CALIBRATED_NOW)),
        }
    }

    /// Whether somebody calibrates the camera now.
    #[must_use]
    pub fn is_being_calibrated(&self) -> bool {
        self.state.load(Ordering::Acquire) & BEING_CALIBRATED != 0
    }

    /// Somebody begins to calibrate the camera, or has ended: its parts are undecided meanwhile.
    /// Gives why it does not hold from now on; `None` when it does.
    pub fn calibrate(&self, is_begun: bool) -> Option<Arc<str>> {
        if is_begun {
            self.state.fetch_or(BEING_CALIBRATED, Ordering::AcqRel);
        } else {
            self.state.fetch_and(!BEING_CALIBRATED, Ordering::AcqRel);
        }
        self.lost()
    }

    /// Says why it does not hold, or that it does; whether that is news.
    pub(crate) fn say(&self, cause: Option<&str>) -> bool {
        let before = if let Some(cause) = cause {
            *self.cause.lock().unwrap_or_else(PoisonError::into_inner) = cause.into();
            self.state.fetch_or(LOST, Ordering::AcqRel)
        } else {
            self.state.fetch_and(!LOST, Ordering::AcqRel)
        };
        // Whoever calibrates tells what is so when they have ended.
        before & BEING_CALIBRATED == 0 && (before & LOST != 0) != cause.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_undecided_while_somebody_calibrates_and_afterwards_the_watch_is_believed() {
        let still = Still::default();
        assert_eq!(still.lost(), None);
        assert!(still.calibrate(true).unwrap().contains("is being calibrated"));
        assert!(!still.say(Some("dark")), "told when the calibration has ended");
        assert!(still.lost().unwrap().contains("is being calibrated"));
        assert_eq!(still.calibrate(false).as_deref(), Some("dark"));
        assert!(still.say(None) && !still.say(None));
        assert_eq!(still.calibrate(true).map(|_| still.calibrate(false)), Some(None));
    }
}
