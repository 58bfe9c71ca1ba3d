//! A recipe with its model, ready to inspect. Takes both; gives seats, each with a session of its
//! own, to the inspecting threads.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use domain::CheckedRecipe;
use models::{BundleError, Model};

use crate::prepare::{Calibrations, Preparer};

/// A session and what makes its inputs. One inspecting thread at a time has it.
pub struct Seat {
    pub(super) model: Model,
    pub(super) preparer: Preparer,
}

impl Seat {
    /// A seat; a model is warm from its beginning.
    fn new(model: Model, calibrations: &Calibrations) -> Self {
        let preparer = Preparer::new(model.input(), calibrations);
        Self { model, preparer }
    }
}

/// What a part is inspected with from its location to its verdict: it carries this, so a change
/// of recipe takes effect between two parts.
pub struct Armed {
    /// The recipe.
    pub recipe: Arc<CheckedRecipe>,
    /// Only to make others from.
    model: Mutex<Model>,
    calibrations: Calibrations,
    seats: usize,
    free: Receiver<Seat>,
    given_back: Sender<Seat>,
    /// Seats that an accident took and that were not replaced yet.
    lost: AtomicUsize,
}

impl Armed {
    /// Arms `recipe` with `model` for so many inspecting threads, of parts that cameras with these
    /// `calibrations` see. Builds their sessions, which takes as long as loading the model: do it
    /// before the line is told.
    ///
    /// # Errors
    /// When a session can't be built.
    pub fn new(
        recipe: Arc<CheckedRecipe>,
        model: Model,
        calibrations: Calibrations,
        inspectors: usize,
    ) -> Result<Self, BundleError> {
        let seats = inspectors.clamp(1, crate::limits::INSPECTORS_MAX);
        let (given_back, free) = bounded(seats);
        for _ in 0..seats {
            // There is room for every seat.
            let _ = given_back.try_send(Seat::new(model.another()?, &calibrations));
        }
        let (model, lost) = (Mutex::new(model), AtomicUsize::new(0));
        Ok(Self { recipe, model, calibrations, seats, free, given_back, lost })
    }

    /// How many parts can be inspected at the same time.
    #[must_use]
    pub const fn seats(&self) -> usize {
        self.seats
    }

    /// A seat; `None` when each is taken, or was lost in an accident.
    pub(super) fn take(&self) -> Option<Seat> {
        self.free.try_recv().ok()
    }

    /// Takes a seat back. Where a replacement has come in the meantime it is let go.
    pub(super) fn give_back(&self, seat: Seat) {
        let _ = self.given_back.try_send(seat);
    }

    /// A seat will not come back: its thread panicked, or stands still with it.
    pub(super) fn lose_one(&self) {
        self.lost.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether a seat is missing.
    pub(super) fn lacks_seats(&self) -> bool {
        self.lost.load(Ordering::Acquire) > 0
    }

    /// Replaces the seats that were lost. Takes as long as loading the model.
    ///
    /// # Errors
    /// When a session can't be built; what is missing stays so.
    pub(super) fn mend(&self) -> Result<(), BundleError> {
        while self.lacks_seats() {
            let model = self.model.lock().unwrap_or_else(PoisonError::into_inner).another()?;
            self.give_back(Seat::new(model, &self.calibrations));
            self.lost.fetch_sub(1, Ordering::AcqRel);
        }
        Ok(())
    }
}

/// What is in force from the next part on. Written by the station, read by each camera's thread
/// at each frame, which costs it one atomic load.
pub(super) struct InForce {
    changes: AtomicU64,
    armed: Mutex<Arc<Armed>>,
}

impl InForce {
    pub fn new(armed: Arc<Armed>) -> Self {
        Self { changes: AtomicU64::new(0), armed: Mutex::new(armed) }
    }

    /// Puts `armed` in force; gives what was before.
    pub fn change(&self, armed: Arc<Armed>) -> Arc<Armed> {
        let mut now = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *now, armed);
        self.changes.fetch_add(1, Ordering::AcqRel);
        before
    }

    pub fn get(&self) -> Arc<Armed> {
        Arc::clone(&self.armed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is in force now, when it changed since `seen`, which is brought up to date.
    pub fn news(&self, seen: &mut u64) -> Option<Arc<Armed>> {
        let changes = self.changes.load(Ordering::Acquire);
        if changes == *seen {
            return None;
        }
        *seen = changes;
        Some(self.get())
    }
}
