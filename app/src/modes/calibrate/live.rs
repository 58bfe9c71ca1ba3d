//! `sightline calibrate live`: takes a station file; shows its cameras on a screen, without a line,
//! and has people calibrate one after the other.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use domain::{CameraId, Role};
use pipeline::capture::peek::Peek;
use pipeline::clock::{Clock, RealClock};
use store::{Store, StoreError};
use ui::{Facts, Page};

use crate::Ended;
use crate::config::Station;
use crate::modes::screen::alone::{self, Alone};
use crate::modes::screen::calibrator::on_line::camera_of;
use crate::modes::screen::calibrator::opened::Opened;

/// Calibrate cameras at the screen, without a line: every step, with the live picture.
///
/// A camera is opened when its calibration begins, and closed at its end. While the station runs,
/// calibrate on its own screen (`sightline kiosk`). Where people may use the station (`sightline
/// people`), an engineer logs in; elsewhere nobody does.
///
/// Exit codes: 0 closed, 2 bad input or environment.
#[derive(clap::Args)]
pub struct Args {
    /// The station: its cameras, its store.
    station: PathBuf,
    /// Only this camera.
    #[arg(long, value_name = "NAME")]
    camera: Option<String>,
    /// In a window, not over the whole display.
    #[arg(long)]
    windowed: bool,
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    let station = Station::from_file(&args.station)?;
    let cameras = match &args.camera {
        Some(name) => vec![station.camera(Some(name))?.clone()],
        None => station.cameras.clone(),
    };
    let store = Store::create_or_open(&station.store).map_err(|error| match error {
        StoreError::Locked { holder, .. } => anyhow!(
            "{}: {holder} writes this store; calibrate on the station's own screen, or stop the \
             station first",
            station.store.display()
        ),
        error => station.blame("store", error),
    })?;
    let clock: Arc<dyn Clock> = Arc::new(RealClock::start());
    let facts = Facts {
        station: station.name.clone(),
        software: crate::modes::software().to_string(),
        recipes: Vec::new(),
        in_force: None,
        cameras: cameras.iter().map(|camera| CameraId::new(&camera.name)).collect(),
    };
    let (mut shown, mut calibrated) = (Vec::new(), Vec::new());
    for camera in cameras {
        let peeks: [Arc<Peek>; 2] = Default::default();
        let [for_people, ours] = peeks.clone();
        shown.push(for_people);
        let feed = Opened::new(camera.clone(), Arc::clone(&clock), peeks);
        let anew = "the station measures by it when it is started";
        calibrated.push(camera_of(&station, &camera, ours, Box::new(feed), anew));
    }
    alone::show(Alone {
        folder: station.store.clone(),
        store: Ok(store),
        facts: Box::new(move || Ok(facts.clone())),
        role: Role::Engineer,
        cameras: calibrated,
        peeks: shown,
        page: Page::Calibrate,
        is_kiosk: !args.windowed,
        clock,
    })?;
    Ok(Ended::Done)
}
