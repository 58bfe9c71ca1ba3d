//! A camera of a line that runs while it is calibrated: takes what its parts are judged by; gives
//! word to the line, whose parts of this camera are undecided meanwhile.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use calibration::CameraFacts;
use domain::{CameraId, Event, LineState, MonoTime};
use pipeline::capture::peek::Peek;
use pipeline::prepare::Still;
use pipeline::stage::Counters;

use super::counts::Counts;
use super::{Camera, Feed};
use crate::config::{self, Station};
use crate::modes::calibrate::session::usual_folder;

/// What a camera of a line is told of its calibration.
pub struct OnLine {
    /// The camera.
    pub camera: CameraId,
    /// Where its parts see that they are undecided.
    pub still: Arc<Still>,
    /// The line's.
    pub counters: Arc<Counters>,
    /// Whether the station file names its profile: whether the line measures by it.
    pub is_named: bool,
    /// Whether a profile lies there that no recipe was armed with.
    pub is_anew: Arc<AtomicBool>,
    /// What the belt's encoder counts, where there is a PLC.
    pub counts: Option<Counts>,
}

impl OnLine {
    fn tell(&self, lost: Option<Arc<str>>) {
        let camera = self.camera.clone();
        self.counters.event(&match lost {
            Some(cause) => Event::CalibrationLost { camera, cause: cause.to_string() },
            None => Event::CalibrationHolds { camera },
        });
    }
}

impl Feed for OnLine {
    fn begin(&mut self) -> Result<()> {
        self.tell(self.still.calibrate(true));
        Ok(())
    }

    fn end(&mut self) {
        self.tell(self.still.calibrate(false));
    }

    fn accepted(&mut self) {
        if self.is_named {
            self.still.is_replaced();
            self.is_anew.store(true, Ordering::Release);
        }
    }

    fn silence(&self) -> Option<String> {
        let is_off = self.counters.state() == LineState::Off;
        is_off.then(|| "the line is off, and its cameras with it: start it".to_owned())
    }

    fn says(&self) -> CameraFacts {
        self.still.says()
    }

    fn count(&mut self, at: MonoTime) -> Option<i64> {
        self.counts.as_mut()?.at(at)
    }
}

/// A camera of `station`, as it can be calibrated. `anew` is how the line comes to measure by its
/// new profile.
pub fn camera_of(
    station: &Station,
    camera: &config::Camera,
    peek: Arc<Peek>,
    feed: Box<dyn Feed>,
    anew: &str,
) -> Camera {
    let name = CameraId::new(&camera.name);
    let usual = || usual_folder(station.path(), &camera.name);
    let afterwards = match &camera.calibration {
        Some(_) => anew.to_owned(),
        None => not_named(station.path(), &camera.name),
    };
    Camera {
        name,
        folder: camera.calibration.clone().unwrap_or_else(usual),
        is_named: camera.calibration.is_some(),
        peek,
        feed,
        afterwards,
    }
}

/// What to write so that a profile in the usual folder is measured by.
fn not_named(station: &Path, camera: &str) -> String {
    format!(
        "write `calibration = \"calibration/{camera}\"` below `name = \"{camera}\"` in {}, then \
         restart this program",
        station.display()
    )
}
