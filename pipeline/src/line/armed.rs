//! A recipe with its model, ready to inspect. Takes both; gives seats, each with a session of its
//! own, to the inspecting threads.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use domain::CheckedRecipe;
use models::{BundleError, Model};

use crate::prepare::Preparer;

/// A session and what makes its inputs. One inspecting thread at a time has it.
pub struct Seat {
    pub(super) model: Model,
    pub(super) preparer: Preparer,
}

impl Seat {
    fn new(model: Model) -> Self {
        Self { preparer: Preparer::new(model.input()), model }
    }
}

/// What a part is inspected with from its location to its verdict: it carries this, so a change
/// of recipe takes effect between two parts.
pub struct Armed {
    /// The recipe.
    pub recipe: Arc<CheckedRecipe>,
    free: Receiver<Seat>,
    given_back: Sender<Seat>,
}

impl Armed {
    /// Arms `recipe` with `model` for so many inspecting threads. Builds the other sessions, which
    /// takes as long as loading the model: do it before the line is told.
    ///
    /// # Errors
    /// When a session can't be built.
    pub fn new(
        recipe: Arc<CheckedRecipe>,
        model: Model,
        inspectors: usize,
    ) -> Result<Self, BundleError> {
        let seats = inspectors.clamp(1, crate::limits::INSPECTORS_MAX);
        let (given_back, free) = bounded(seats);
        let mut models = vec![model];
        while models.len() < seats {
            models.push(models[0].another()?);
        }
        for model in models {
            // There is room for every seat.
            let _ = given_back.try_send(Seat::new(model));
        }
        Ok(Self { recipe, free, given_back })
    }

    /// How many parts can be inspected at the same time.
    #[must_use]
    pub fn seats(&self) -> usize {
        self.given_back.capacity().unwrap_or(1)
    }

    /// A seat; `None` when each is taken, or was lost in an accident.
    pub(super) fn take(&self) -> Option<Seat> {
        self.free.try_recv().ok()
    }

    pub(super) fn give_back(&self, seat: Seat) {
        // Without room a replacement has come in the meantime, and this one is let go.
        let _ = self.given_back.try_send(seat);
    }
}
