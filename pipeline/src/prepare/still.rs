//! Whether a camera's calibration still holds: takes what speaks against it, or that the camera is
//! being calibrated; `prepare` reads it part by part.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calibration::CameraFacts;
use calibration::watch::Measures;

/// What is known of one camera's calibration while its line runs. Shared by those who look after
/// it, who write it, and the inspecting threads, for which it costs one atomic load a view.
#[derive(Debug, Default)]
pub struct Still {
    is_lost: AtomicBool,
    causes: Mutex<Causes>,
    /// What the frames were found to be like last.
    measures: Mutex<Option<Measures>>,
    /// What the camera said of itself last.
    says: Mutex<CameraFacts>,
}

/// By [`LookedAt`].
type Causes = [Option<Arc<str>>; 4];

/// What was looked at to tell whether a calibration holds. One may be well and another not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookedAt {
    /// Whether somebody calibrates the camera: what it shows is a target, a sheet, a hand.
    Work,
    /// Whether another profile was accepted by which nothing was armed: the former was replaced,
    /// so it may be wrong.
    Profile,
    /// Which camera it is, and how it is set.
    Camera,
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
        self.causes().iter().flatten().next().map(Arc::clone)
    }

    fn causes(&self) -> MutexGuard<'_, Causes> {
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What its frames are like against commissioning; `None` before enough were looked at.
    #[must_use]
    pub fn measures(&self) -> Option<Measures> {
        *self.measures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its frames are like this now; nothing is known of them any more when `None`.
    pub(crate) fn is_like(&self, measures: Option<Measures>) {
        *self.measures.lock().unwrap_or_else(PoisonError::into_inner) = measures;
    }

    /// What the camera says of itself.
    #[must_use]
    pub fn says(&self) -> CameraFacts {
        self.says.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The camera is there and says this of itself.
    pub(crate) fn met(&self, says: CameraFacts) {
        *self.says.lock().unwrap_or_else(PoisonError::into_inner) = says;
    }

    /// Forgets what was said of its frames and its camera: of a line that starts nothing is known
    /// yet. Whoever calibrates goes on.
    pub fn forget(&self) {
        self.is_like(None);
        self.say(LookedAt::Profile, None);
        self.say(LookedAt::Camera, None);
        self.say(LookedAt::Frames, None);
    }

    /// Whether somebody calibrates the camera now.
    #[must_use]
    pub fn is_being_calibrated(&self) -> bool {
        self.causes()[LookedAt::Work as usize].is_some()
    }

    /// Somebody begins to calibrate the camera, or has ended: its parts are undecided meanwhile.
    /// Gives why it does not hold from now on; `None` when it does.
    pub fn calibrate(&self, is_begun: bool) -> Option<Arc<str>> {
        self.say(LookedAt::Work, is_begun.then_some("the camera is being calibrated"));
        self.lost()
    }

    /// Another profile was accepted: parts are undecided until a recipe is armed with it.
    pub fn is_replaced(&self) {
        let cause = "another calibration was accepted: start the line anew, or select a recipe";
        self.say(LookedAt::Profile, Some(cause));
    }

    /// Says why it does not hold, or that nothing speaks against it; gives what is new of that.
    /// While somebody calibrates nothing is: they tell what is so when they have ended.
    pub(crate) fn say(&self, looked_at: LookedAt, cause: Option<&str>) -> Option<News> {
        let mut causes = self.causes();
        let was = std::mem::replace(&mut causes[looked_at as usize], cause.map(Arc::from));
        let is_lost = causes.iter().any(Option::is_some);
        self.is_lost.store(is_lost, Ordering::Release);
        match (was, cause) {
            _ if causes[LookedAt::Work as usize].is_some() => None,
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
        assert_eq!(still.say(LookedAt::Camera, Some("another")), Some(News::Lost));
        assert_eq!(still.say(LookedAt::Frames, None), None, "it is another camera still");
        assert_eq!(still.lost().as_deref(), Some("another"));
        assert_eq!(still.say(LookedAt::Camera, None), Some(News::Holds));
        assert_eq!(still.lost(), None);
    }

    #[test]
    fn parts_are_undecided_while_somebody_calibrates_and_afterwards_the_watch_is_believed() {
        let still = Still::default();
        assert!(still.calibrate(true).unwrap().contains("is being calibrated"));
        assert!(still.is_being_calibrated());
        let news = still.say(LookedAt::Frames, Some("dark"));
        assert_eq!(news, None, "told when the calibration has ended");
        assert!(still.lost().unwrap().contains("is being calibrated"));
        assert_eq!(still.calibrate(false).as_deref(), Some("dark"));
        assert_eq!(still.say(LookedAt::Frames, None), Some(News::Holds));
        assert_eq!(still.say(LookedAt::Frames, None), None);
        assert_eq!(still.calibrate(true).map(|_| still.calibrate(false)), Some(None));
    }

    #[test]
    fn a_line_that_starts_knows_nothing_but_that_somebody_calibrates() {
        let still = Still::default();
        still.say(LookedAt::Camera, Some("another"));
        still.is_like(Some(Measures { sharpness: Some(0.9), ..Measures::default() }));
        assert_eq!(still.measures().unwrap().sharpness, Some(0.9));
        still.forget();
        assert_eq!((still.lost(), still.measures()), (None, None));
        still.calibrate(true);
        still.forget();
        assert!(still.lost().is_some());
    }

    #[test]
    fn a_profile_that_was_replaced_is_not_measured_by() {
        let still = Still::default();
        still.calibrate(true);
        still.is_replaced();
        let cause = still.calibrate(false).unwrap();
        assert!(cause.contains("select a recipe"), "{cause}");
        still.forget();
        assert_eq!(still.lost(), None);
    }
}
