//! A recipe that is being armed, on a thread of its own: takes the recipe and who asked for it;
//! gives it ready, with what other calibrations change.

use std::thread::{Builder, JoinHandle};

use anyhow::{Result, anyhow};

use super::asker::Asker;
use super::recalibrated::Changes;
use super::recipes::{self, Ready};
use crate::config::{RecipeFile, Station};

/// A recipe that is being armed, and who asked for it.
pub struct Arming {
    asker: Asker,
    thread: JoinHandle<Result<(Ready, Changes)>>,
    /// Whether there are calibrations that nothing was armed with before.
    pub is_anew: bool,
    /// What becomes of the line afterwards.
    pub then: Then,
}

/// What becomes of the line once a recipe was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It goes on as it was.
    AsItWas,
    /// It is started.
    Start,
    /// It was to be started, and was stopped before.
    Stopped,
}

impl Arming {
    /// Begins to arm `recipe` of `station`.
    ///
    /// # Errors
    /// When there can be no more threads; with who asked.
    pub fn begin(
        recipe: RecipeFile,
        station: &Station,
        is_anew: bool,
        asker: Asker,
        then: Then,
    ) -> Result<Self, (Asker, anyhow::Error)> {
        let (inspectors, trust) = (station.inspectors, station.trust.clone());
        let cameras = recipes::calibrated(station);
        let arm = move || {
            let ready = Ready::arm(&recipe, inspectors, &trust, &cameras)?;
            let changes = if is_anew { Changes::of(&cameras)? } else { Changes::default() };
            Ok((ready, changes))
        };
        match Builder::new().name("arming".to_owned()).spawn(arm) {
            Ok(thread) => Ok(Self { asker, thread, is_anew, then }),
            Err(error) => Err((asker, anyhow!("no thread to arm a recipe: {error}"))),
        }
    }

    /// Whether [`Self::end`] need not wait.
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Who asked, and what came of it.
    pub fn end(self) -> (Asker, Result<(Ready, Changes)>) {
        let armed = self.thread.join();
        (self.asker, armed.unwrap_or_else(|_| Err(anyhow!("a defect in this software"))))
    }
}
