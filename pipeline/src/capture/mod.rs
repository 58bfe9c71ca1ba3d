//! CAPTURE: takes a [`SourceConfig`]; gives [`Frame`]s in order, each with its time, never copied.
//!
//! A family: one file and one variant a kind of source, and one conformance suite over them all.
//! A source is pulled, so replay never drops a frame: who reads slowly is waited for.

mod argument;
mod arrivals;
mod complaint;
mod custom;
mod error;
pub mod feed;
mod file;
pub mod genicam;
mod gst;
mod images;
mod live;
mod mapped;
mod opener;
mod pattern;
pub mod peek;
mod real_time;
mod reconnect;
mod rtsp;
mod secrets;
mod slow;
mod stamps;
mod synthetic;
pub mod tap;
mod v4l2;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use calibration::CameraFacts;
use domain::{CameraId, CaptureTime, Frame, PixelFormat};
use serde::{Deserialize, Serialize};

use gst::Pace;

pub use error::CaptureError;
pub use live::{LiveRule, open_live};
pub use real_time::RealTimeConfig;
pub use reconnect::Reconnecting;
pub use rtsp::{RtspConfig, Transport};
pub use secrets::{StreamUrl, StreamUrlError};
pub use v4l2::{V4l2Config, V4l2Format};

/// How long [`Source::next`] blocks at most before it says [`Next::Waiting`].
pub const PATIENCE: Duration = Duration::from_millis(100);

/// Where frames come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceConfig {
    /// A recorded video.
    File {
        /// The file.
        path: PathBuf,
        /// What gray8 footage really carries: a Bayer mosaic that was recorded as gray.
        #[serde(default)]
        pixel_format: Option<PixelFormat>,
    },
    /// Images, in the natural order of their names (2 before 10).
    Images {
        /// A folder, one image, or a pattern with `*` and `?`.
        path: PathBuf,
        /// Images per second; without it every image is one triggered part, a second apart.
        #[serde(default)]
        fps: Option<f64>,
    },
    /// The line simulator.
    Synthetic(synthetic::SceneConfig),
    /// The line simulator as a live camera: a scene that comes round and round, at its own pace.
    SyntheticLive(RealTimeConfig),
    /// A camera of this machine, by Video4Linux.
    V4l2(V4l2Config),
    /// A camera on the network, by RTSP.
    Rtsp(RtspConfig),
    /// A GStreamer pipeline as `gst-launch-1.0` takes it.
    Custom {
        /// Ends in `appsink name=sightline`; one is appended when it does not.
        pipeline: String,
        /// Whether frames come at their own pace, as from a camera; their times are then real.
        #[serde(default)]
        live: bool,
    },
    /// A GigE Vision or USB3 Vision camera.
    Genicam(genicam::GenicamConfig),
}

/// What a source knows of itself when it is opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceInfo {
    /// How many frames there will be; for videos what the container lets expect, not a promise.
    pub frames_total: Option<u64>,
    /// Frames per second, where it is constant and known.
    pub fps: Option<f64>,
    /// Whether frames come at their own pace.
    pub live: bool,
    /// Whether it shows no real parts.
    pub simulated: bool,
    /// From the first frame to the end of the last.
    pub duration: Option<Duration>,
}

/// What a source answers when it is asked for a frame.
#[derive(Debug)]
pub enum Next {
    /// The next frame.
    Frame(Frame),
    /// Not yet; ask again.
    Waiting,
    /// Only live sources: the camera is gone and is being tried again. Said once each time.
    Lost(CaptureError),
    /// Only live sources: the camera is there again, after so long.
    Back(Duration),
    /// There are no more, and there never will be.
    End,
}

/// One opened source. Dropping it stops it; frames given stay readable.
pub trait Source: Send {
    /// What is known of it.
    fn info(&self) -> &SourceInfo;

    /// The next frame; blocks for [`PATIENCE`] at most, so that a request to stop is noticed.
    ///
    /// # Errors
    /// What went wrong, after every frame before it was given. Images go on with the next image
    /// (the broken one keeps its sequence number); every other source answers [`Next::End`] after
    /// an error.
    fn next(&mut self) -> Result<Next, CaptureError>;

    /// Why frames are missing before the one that was given last, where the source knows.
    fn loss_cause(&self) -> Option<&str> {
        None
    }

    /// What the camera that gave the last frame says of itself.
    fn facts(&self) -> CameraFacts {
        CameraFacts::default()
    }

    /// What starts exposures, where the camera waits for this program to do so.
    fn software_trigger(&self) -> Option<genicam::SoftwareTrigger> {
        None
    }
}

/// Opens `config` as `camera`, once: a camera that is lost ends it. [`open_live`] tries again.
///
/// `began` is where the source's own time begins on the line's clocks: for footage the time of
/// its first frame, and for a camera the time now, from which exposure times are counted.
///
/// # Errors
/// Why it cannot be opened, as far as that shows before the first frame is asked for.
pub fn open(
    config: &SourceConfig,
    camera: CameraId,
    began: CaptureTime,
) -> Result<Box<dyn Source>, CaptureError> {
    Ok(match config {
        SourceConfig::File { path, pixel_format } => {
            Box::new(file::open(path, *pixel_format, camera, began)?)
        }
        SourceConfig::Images { path, fps } => {
            Box::new(images::Images::open(path, *fps, camera, began)?)
        }
        SourceConfig::Synthetic(scene) => {
            Box::new(synthetic::Synthetic::open(scene, camera, began)?)
        }
        SourceConfig::Custom { pipeline, live: false } => {
            Box::new(custom::open(pipeline, Pace::Footage(began), camera)?)
        }
        _ => live::open_once(config, camera, live::clock_from(began)?)?,
    })
}

/// The next of `source`; a panic is an error, after which it should not be asked again.
fn next_of(source: &mut dyn Source, camera: &CameraId) -> Result<Next, CaptureError> {
    unpanicked(camera, || source.next())
}

/// What `act` gives, or the panic it ended in as an error.
fn unpanicked<T>(
    camera: &CameraId,
    act: impl FnOnce() -> Result<T, CaptureError>,
) -> Result<T, CaptureError> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let message = text.unwrap_or_else(|| "without a word".to_owned());
        Err(CaptureError::Panicked { camera: camera.clone(), message })
    })
}

/// The time `offset` after `began` on both clocks.
fn time_after(began: CaptureTime, offset: Duration) -> CaptureTime {
    CaptureTime { mono: began.mono.plus(offset), wall: began.wall.plus(offset) }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, MapDeserializer};

    use super::*;

    fn read(fields: &[(&'static str, &'static str)]) -> Result<SourceConfig, Error> {
        SourceConfig::deserialize(MapDeserializer::new(fields.iter().copied()))
    }

    #[test]
    fn a_configuration_names_its_kind_and_nothing_unknown() {
        let video = read(&[("kind", "file"), ("path", "a.mkv")]).unwrap();
        assert_eq!(video, SourceConfig::File { path: "a.mkv".into(), pixel_format: None });
        let scene = read(&[("kind", "synthetic"), ("format", "nv12")]).unwrap();
        assert!(
            matches!(scene, SourceConfig::Synthetic(scene) if scene.format == PixelFormat::Nv12)
        );
        for (fields, part) in [
            (&[("kind", "flie"), ("path", "a")][..], "flie"),
            (&[("kind", "images"), ("path", "a"), ("fpss", "3")], "fpss"),
            (&[("kind", "synthetic"), ("prats", "3")], "prats"),
            (&[("kind", "file")], "path"),
            (&[("path", "a")], "kind"),
        ] {
            let error = read(fields).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
