//! Profiles that were accepted while the station is at work: takes word that there are some; gives
//! what the line is held against once a recipe was armed with them. Until then it measures as
//! before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use anyhow::Result;
use calibration::watch::Watch;
use pipeline::line::Watcher;

use crate::config::{Calibrated, Camera};

/// What cameras' frames are held against, by camera; none where nothing has changed.
pub type Watches = Vec<Option<Watch>>;

/// Which calibrations are new, and who watches over them.
#[derive(Default)]
pub struct Recalibrated {
    is_anew: Arc<AtomicBool>,
    /// By camera, while a line runs.
    watchers: Vec<Option<Sender<Option<Watch>>>>,
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

    /// What `cameras` are held against.
    ///
    /// # Errors
    /// When a profile can't be read.
    pub fn watches(cameras: &[Calibrated]) -> Result<Watches> {
        cameras.iter().map(Calibrated::watch).collect()
    }

    /// A line begins: nobody watches yet.
    pub fn begin(&mut self) {
        self.watchers.clear();
    }

    /// Who looks whether the calibration of the next camera still holds; `None` where it has none.
    ///
    /// # Errors
    /// When its profile can't be read.
    pub fn watcher(&mut self, camera: &Camera) -> Result<Option<Watcher>> {
        let calibrated = camera.calibrated();
        if calibrated.folder.is_none() {
            self.watchers.push(None);
            return Ok(None);
        }
        let watch = calibrated.watch()?;
        let (renews, renewed) = channel();
        self.watchers.push(Some(renews));
        let Calibrated { camera, still, .. } = calibrated;
        Ok(Some(Watcher { camera, peek: Arc::default(), watch, renewed, still }))
    }

    /// A recipe was armed: cameras are held against `watches` from now on.
    pub fn renew(&self, watches: Watches) {
        for (watcher, watch) in self.watchers.iter().zip(watches) {
            if let Some(watcher) = watcher {
                // Nobody to hear it: the line is over.
                let _ = watcher.send(watch);
            }
        }
    }
}
