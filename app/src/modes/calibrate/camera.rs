//! A camera of a station file, without a line: takes `station.toml#top`, gives its frames.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use domain::{CameraId, CaptureTime};
use models::LumaReader;
use pipeline::capture::{self, CaptureError, Next, Source};
use pipeline::clock::{Clock, RealClock};

use super::guide::Guide;
use super::shots::Shot;
use crate::config::{Camera, Station};

/// The camera that a source names: `station.toml#top`, or `station.toml` where it has one camera.
/// `None` where it is footage.
///
/// # Errors
/// When the station file can't be read, or has no such camera.
pub fn named(source: &OsStr) -> Result<Option<Camera>> {
    let Some(text) = source.to_str() else { return Ok(None) };
    let (file, camera) = match text.rsplit_once('#') {
        Some((file, camera)) if is_station(file) => (file, Some(camera)),
        _ if is_station(text) => (text, None),
        _ => return Ok(None),
    };
    let station = Station::from_file(Path::new(file))?;
    station.camera(camera).cloned().map(Some)
}

fn is_station(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|it| it == "toml")
}

/// Opens a camera; one that is not there is sought for ever. Footage that stands for a camera is
/// played once.
///
/// # Errors
/// When it can't be opened.
pub fn open(camera: &Camera, clock: &Arc<dyn Clock>) -> Result<Box<dyn Source>> {
    let id = CameraId::new(&camera.name);
    match capture::open_live(&camera.source, id.clone(), &camera.rule, Arc::clone(clock)) {
        Err(CaptureError::NotLive { .. }) => {
            let began = CaptureTime { mono: clock.now(), wall: clock.wall() };
            Ok(capture::open(&camera.source, id, began)?)
        }
        opened => Ok(opened?),
    }
}

/// Gives the frames of `camera` to `see` until it says that it has seen enough, by `false`, or
/// until it `stops`. A camera that is lost is waited for, and that is said.
///
/// # Errors
/// What `see` says; when the camera can't be opened, or there is not one frame.
pub fn follow(
    camera: &Camera,
    guide: &mut Guide,
    stops: &dyn Fn() -> bool,
    mut see: impl FnMut(Shot, &mut Guide) -> Result<bool>,
) -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::start());
    let mut source = open(camera, &clock)?;
    let mut reader = LumaReader::default();
    let mut is_seen = false;
    while !stops() {
        match source.next()? {
            Next::Frame(frame) => {
                is_seen = true;
                let mut shot = Shot::of(&frame, &mut reader)?;
                shot.says = source.facts();
                drop(frame);
                if !see(shot, guide)? {
                    return Ok(());
                }
            }
            Next::Waiting => {}
            Next::Lost(error) => guide.say(&format!("{}: {error}; it is sought", camera.name)),
            Next::Back(_) => guide.say(&format!("{}: it is there again", camera.name)),
            Next::End if is_seen => return Ok(()),
            Next::End => bail!("the camera `{}` gives no frames", camera.name),
        }
    }
    Ok(())
}
