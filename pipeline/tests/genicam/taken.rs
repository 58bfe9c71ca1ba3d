//! The played camera as a source. Takes a configuration; gives frames, or fails rather than hang.

use std::time::Duration;

use domain::{CameraId, CaptureTime, Frame, PixelFormat, SizePx};
use sightline_pipeline::capture::genicam::GenicamConfig;
use sightline_pipeline::capture::{self, CaptureError, Next, Source, SourceConfig};
use sightline_pipeline::clock::{Clock, RealClock};

use crate::player;

/// The played camera, small and quick.
pub(crate) fn config() -> GenicamConfig {
    GenicamConfig {
        camera: Some(player::ADDRESS.to_owned()),
        size: Some(SizePx::new(320, 240)),
        pixel_format: Some(PixelFormat::Gray8),
        fps: Some(100.0),
        exposure_us: Some(1000.0),
        packet_size: Some(8192),
        ..GenicamConfig::default()
    }
}

pub(crate) fn open(config: &GenicamConfig) -> Result<Box<dyn Source>, CaptureError> {
    let config = SourceConfig::Genicam(config.clone());
    capture::open(&config, CameraId::new("test"), CaptureTime::default())
}

/// The next frame. Fails rather than hang.
pub(crate) fn frame(source: &mut dyn Source) -> Frame {
    for _ in 0..6_000 {
        match source.next().unwrap() {
            Next::Frame(frame) => return frame,
            Next::Waiting => {}
            other => panic!("{other:?}"),
        }
    }
    panic!("no frame");
}

/// How many frames come within `time`.
pub(crate) fn frames_within(source: &mut dyn Source, time: Duration) -> usize {
    let clock = RealClock::start();
    let start = clock.now();
    let mut frames = 0;
    while clock.now().since(start) < time {
        match source.next().unwrap() {
            Next::Frame(_) => frames += 1,
            Next::Waiting => {}
            other => panic!("{other:?}"),
        }
    }
    frames
}
