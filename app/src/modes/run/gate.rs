//! The way from the cameras to the reject gate: takes the station and the recipe that comes into
//! force; gives how parts are followed, where this program moves the gate.

use anyhow::Result;
use jiff::Timestamp;
use pipeline::act::reject::{Reject, RejectError};

use super::recipes::{self, Ready};
use crate::config::{self, Station};

/// How parts are followed to the gate; no part may reach it before `ready` must have answered.
///
/// # Errors
/// What the station file says of it, or a calibration that it rests on, is wrong.
pub fn way(station: &Station, ready: &Ready) -> Result<Option<Reject>> {
    let Some(reject) = &station.reject else { return Ok(None) };
    let belt = if reject.is_in_mm() {
        let cameras = recipes::calibrated(station);
        config::belt(&cameras, Timestamp::now()).map_err(|error| station.blame("reject", error))?
    } else {
        None
    };
    let checked = reject.check(ready.armed.recipe.budget(), belt.as_ref());
    let blame = |error: RejectError| station.blame(&format!("reject.{}", error.key), error);
    checked.map(Some).map_err(blame)
}
