//! Whether a camera's calibration still holds: takes the cause when it does not hold any more,
//! which `prepare` reads part by part.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use calibration::watch::Measures;

/// What is known of one camera's calibration while its line runs. Shared by those who look after
/// it, who write it, and the inspecting threads, for which it costs one atomic load a view.
#[derive(Debug, Default)]
pub struct Still {
    is_lost: AtomicBool,
    /// By [`LookedAt`].
    causes: Mutex<[Option<Arc<str>>; 2]>,
    /// What the frames were found to be like last.
    measures: Mutex<Option<Measures>>,
}

/// What was looked at to tell whether a calibration holds. One may be well and another not.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LookedAt {
    /// Which camera it is.
    Serial,
    /// What its frames look like.
    Frames,
}

/// What is new about a calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// There is a cause against it that was not there before.
    Lost,
    /// The last cause against it is gone.
    Holds,
}

impl Still {
    /// Why it does not hold any more; `None` while it does, as far as is known.
    #[must_use]
    pub fn lost(&self) -> Option<Arc<str>> {
        if !self.is_lost.load(Ordering::Acquire) {
            return None;
        }
        let causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        causes.iter().flatten().next().map(Arc::clone)
    }

    /// What its frames are like against commissioning; `None` before enough were looked at.
    #[must_use]
    pub fn measures(&self) -> Option<Measures> {
        *self.measures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its frames are like this now.
    pub(crate) fn is_like(&self, measures: Measures) {
        *self.measures.lock().unwrap_or_else(PoisonError::into_inner) = Some(measures);
    }

    /// Forgets what was said against it: of a line that starts nothing is known yet.
    pub fn forget(&self) {
        *self.measures.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        *causes = [None, None];
        self.is_lost.store(false, Ordering::Release);
    }

    /// Says why it does not hold, or that nothing speaks against it; gives what is new of that.
    pub(crate) fn say(&self, looked_at: LookedAt, cause: Option<&str>) -> Option<News> {
        let mut causes = self.causes.lock().unwrap_or_else(PoisonError::into_inner);
        let was = std::mem::replace(&mut causes[looked_at as usize], cause.map(Arc::from));
        let is_lost = causes.iter().any(Option::is_some);
        self.is_lost.store(is_lost, Ordering::Release);
        match (was, cause) {
            (None, Some(_)) => Some(News::Lost),
            (Some(_), None) if !is_lost => Some(News::Holds),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_when_nothing_speaks_against_it_any_more() {
        let still = Still::default();
        assert_eq!((still.lost(), still.say(LookedAt::Frames, None)), (None, None));
        assert_eq!(still.say(LookedAt::Frames, Some("dark")), Some(News::Lost));
        assert_eq!(still.say(LookedAt::Frames, Some("darker")), None, "told already");
        assert_eq!(still.say(LookedAt::Serial, Some("another")), Some(News::Lost));
        assert_eq!(still.say(LookedAt::Frames, None), None, "it is another camera still");
        assert_eq!(still.lost().as_deref(), Some("another"));
        assert_eq!(still.say(LookedAt::Serial, None), Some(News::Holds));
        assert_eq!(still.lost(), None);
        still.say(LookedAt::Serial, Some("another"));
        still.is_like(Measures { sharpness: Some(0.9), ..Measures::default() });
        assert_eq!(still.measures().unwrap().sharpness, Some(0.9));
        still.forget();
        assert_eq!((still.lost(), still.say(LookedAt::Serial, None)), (None, None));
        assert_eq!(still.measures(), None);
    }
}
