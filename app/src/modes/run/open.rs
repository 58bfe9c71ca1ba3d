//! Opens what a line reaches out to: cameras, and who watches over their calibration.

use std::sync::Arc;

use anyhow::Result;
use domain::CameraId;
use pipeline::capture::peek::Peek;
use pipeline::capture::{self, Source};
use pipeline::clock::Clock;
use pipeline::line::Watcher;

use crate::config::Camera;

/// Opens a live camera; one that is not there is sought for ever.
pub fn camera(camera: &Camera, clock: &Arc<dyn Clock>) -> Result<Box<dyn Source>> {
    let id = CameraId::new(&camera.name);
    Ok(capture::open_live(&camera.source, id, &camera.rule, Arc::clone(clock))?)
}

/// Who looks whether a camera's calibration still holds; `None` where nothing was remembered to
/// hold it against.
pub fn watcher(camera: &Camera) -> Result<Option<Watcher>> {
    let calibrated = camera.calibrated();
    let watch = calibrated.watch()?;
    let peek = Arc::<Peek>::default();
    let of = |watch| Watcher { camera: calibrated.camera, peek, watch, still: calibrated.still };
    Ok(watch.map(of))
}
