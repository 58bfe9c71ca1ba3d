//! Opens what a line reaches out to: cameras.

use std::sync::Arc;

use anyhow::Result;
use domain::CameraId;
use pipeline::capture::{self, Source};
use pipeline::clock::Clock;

use crate::config::Camera;

/// Opens a live camera; one that is not there is sought for ever.
pub fn camera(camera: &Camera, clock: &Arc<dyn Clock>) -> Result<Box<dyn Source>> {
    let id = CameraId::new(&camera.name);
    Ok(capture::open_live(&camera.source, id, &camera.rule, Arc::clone(clock))?)
}
