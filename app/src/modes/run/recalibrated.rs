//! Profiles that were accepted while the station is at work: takes word that there are some; gives
//! what the line is held against once a recipe was armed with them. Until then it measures as
//! before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use anyhow::Result;
use pipeline::line::{Against, WATCH_EVERY, Watcher};

use super::look;
use crate::config::Calibrated;

/// What a new profile changes besides how parts are corrected and measured.
#[derive(Default)]
pub struct Changes {
    /// What cameras are held against, by camera.
    against: Vec<Option<Against>>,
    /// What is shown of calibrations; `None` where nothing has changed.
    shown: Option<Vec<look::Calibration>>,
}

impl Changes {
    /// Of all of `cameras`.
    ///
    /// # Errors
    /// When a profile can't be read.
    pub fn of(cameras: &[Calibrated]) -> Result<Self> {
        let against = cameras.iter().map(Calibrated::against).collect::<Result<_>>()?;
        let shown = cameras.iter().filter_map(|known| look::Calibration::of(known).transpose());
        Ok(Self { against, shown: Some(shown.collect::<Result<_>>()?) })
    }
}

/// Which calibrations are new, and who watches over them.
#[derive(Default)]
pub struct Recalibrated {
    is_anew: Arc<AtomicBool>,
    /// By camera, while a line runs.
    watchers: Vec<Sender<Against>>,
}

impl Recalibrated {
    /// Where it is said that a profile is there with which no recipe was armed.
    pub const fn word(&self) -> &Arc<AtomicBool> {
        &self.is_anew
    }

    /// Whether one is there.
    pub fn is_anew(&self) -> bool {
        self.is_anew.load(Ordering::Acquire)
    }

    /// A recipe is about to be armed with what is there; whether that is new.
    pub fn take(&self) -> bool {
        self.is_anew.swap(false, Ordering::AcqRel)
    }

    /// It was not armed.
    pub fn put_back(&self) {
        self.is_anew.store(true, Ordering::Release);
    }

    /// A line begins: nobody watches yet.
    pub fn begin(&mut self) {
        self.watchers.clear();
    }

    /// Who looks, while a line runs, whether the next camera is the one that was calibrated, and
    /// whether its frames are as they were. Nothing is known yet against a line that starts.
    ///
    /// # Errors
    /// When its profile can't be read.
    pub fn watcher(&mut self, known: Calibrated) -> Result<Watcher> {
        known.still.forget();
        let against = known.against()?;
        let (renews, renewed) = channel();
        self.watchers.push(renews);
        let Calibrated { camera, still, .. } = known;
        Ok(Watcher { camera, against, renewed, still, every: WATCH_EVERY })
    }

    /// A recipe was armed: cameras are held against this from now on. Gives what is shown of it.
    pub fn renew(&self, changes: Changes) -> Option<Vec<look::Calibration>> {
        for (watcher, against) in self.watchers.iter().zip(changes.against) {
            if let Some(against) = against {
                // Nobody to hear it: the line is over.
                let _ = watcher.send(against);
            }
        }
        changes.shown
    }
}
