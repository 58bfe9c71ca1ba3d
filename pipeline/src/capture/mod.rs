//! CAPTURE: takes a [`SourceConfig`]; gives [`Frame`]s in order, each with its time, never copied.
//!
//! A family: one file and one variant a kind of source, and one conformance suite over them all.
//! A source is pulled, so replay never drops a frame: who reads slowly is waited for.

mod argument;
mod custom;
mod error;
pub mod feed;
mod file;
pub mod genicam;
mod gst;
mod images;
mod mapped;
mod pattern;
mod stamps;
mod synthetic;

use std::path::PathBuf;
use std::time::Duration;

use domain::{CameraId, CaptureTime, Frame, PixelFormat};
use serde::{Deserialize, Serialize};

pub use error::CaptureError;

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

    /// What starts exposures, where the camera waits for this program to do so.
    fn software_trigger(&self) -> Option<genicam::SoftwareTrigger> {
        None
    }
}

/// Opens `config` as `camera`.
///
/// `began` is where the source's own time begins on the line's clocks: for footage the time of
/// its first frame, and for a live pipeline the time now, from which exposure times are counted.
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
        SourceConfig::Custom { pipeline, live } => {
            Box::new(custom::open(pipeline, *live, camera, began)?)
        }
        SourceConfig::Genicam(config) => Box::new(genicam::open(config, camera, began)?),
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
