//! Opens what a line reaches out to: cameras and the PLC. The two places that know how.

use std::sync::Arc;

use anyhow::{Result, bail};
use domain::{CameraId, CaptureTime};
use pipeline::capture::{self, Source, SourceConfig};
use pipeline::clock::Clock;
use pipeline::plc::none::NonePlc;
use pipeline::plc::{Inputs, Plc};
use pipeline::stage::Counters;

use super::paced::Paced;
use crate::config::live::{LiveRule, PlcConfig, RejectConfig, ThreadPlan};
use crate::config::{Camera, Station};

/// Opens a live camera.
pub fn camera(camera: &Camera, clock: &Arc<dyn Clock>) -> Result<Box<dyn Source>> {
    let id = CameraId::new(&camera.name);
    let LiveRule {} = camera.rule;
    Ok(match &camera.source {
        SourceConfig::Custom { live: true, .. } => {
            let now = CaptureTime { mono: clock.now(), wall: clock.wall() };
            capture::open(&camera.source, id, now)?
        }
        SourceConfig::Synthetic(scene) => Box::new(Paced::open(scene, id, Arc::clone(clock))?),
        SourceConfig::File { .. } | SourceConfig::Images { .. } | SourceConfig::Custom { .. } => {
            bail!("recorded footage is no camera; `sightline replay` inspects it")
        }
    })
}

/// Opens the PLC, which puts what it hears into `inputs`.
pub fn plc(
    config: &PlcConfig,
    inputs: Inputs,
    _counters: &Arc<Counters>,
    _clock: &Arc<dyn Clock>,
) -> Result<Box<dyn Plc>> {
    let PlcConfig::None {} = config;
    drop(inputs);
    Ok(Box::new(NonePlc))
}

/// Says what of `station` this line does not do, rather than leaving it out in silence.
pub fn say_what_is_left_out(station: &Station) {
    if station.threads != ThreadPlan::default() {
        tracing::warn!(target: "run", "[threads] has no effect: threads run on any core");
    }
    if let Some(RejectConfig {}) = station.reject {
        tracing::warn!(target: "run", "[reject] has no effect: the PLC follows parts to the gate");
    }
}
