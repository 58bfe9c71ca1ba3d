//! Cameras. Takes a [`SourceConfig`] of a live kind and a [`LiveRule`]; gives a source that never
//! ends and finds its camera again.

use std::sync::Arc;
use std::time::Duration;

use domain::{CameraId, CaptureTime, MonoTime, PixelFormat, SizePx, WallTime};
use gst::prelude::*;
use serde::{Deserialize, Serialize};

use super::gst::{Pace, init};
use super::stamps::period_from_fps;
use super::{
    CaptureError, Reconnecting, Source, SourceConfig, custom, genicam, real_time, rtsp, time_after,
    v4l2,
};
use crate::clock::Clock;

/// What is expected of a camera, and how it is sought when it is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiveRule {
    /// Whether the camera gives a frame only when it is triggered, so that silence is no fault.
    pub triggered: bool,
    /// A camera that is not triggered is taken for lost after so long without a frame, in
    /// milliseconds.
    pub stall_ms: u64,
    /// Frames per second it should give; without it as many as its configuration or its stream
    /// says.
    pub fps: Option<f64>,
    /// The only size that is accepted; without it that of the first frame.
    pub size: Option<SizePx>,
    /// The only format that is accepted; without it that of the first frame.
    pub format: Option<PixelFormat>,
    /// A lost camera is sought after so long, in milliseconds, ...
    pub retry_ms: u64,
    /// ... and after twice as long each time until it is this.
    pub retry_most_ms: u64,
}

impl Default for LiveRule {
    fn default() -> Self {
        Self {
            triggered: false,
            stall_ms: 1000,
            fps: None,
            size: None,
            format: None,
            retry_ms: 100,
            retry_most_ms: 5000,
        }
    }
}

impl LiveRule {
    /// Refuses what would keep a camera from ever being up.
    pub(super) fn check(&self) -> Result<(), CaptureError> {
        let require = |holds: bool, key, value: u64, right: &str| {
            let right = right.to_owned();
            let value = value.to_string();
            if holds { Ok(()) } else { Err(CaptureError::Setting { key, value, right }) }
        };
        require(self.stall_ms > 0, "stall_ms", self.stall_ms, "above 0 ms")?;
        require(self.retry_ms > 0, "retry_ms", self.retry_ms, "above 0 ms")?;
        let retry = self.retry_ms..=3_600_000;
        let fits = retry.contains(&self.retry_most_ms);
        require(
            fits,
            "retry_most_ms",
            self.retry_most_ms,
            "at least retry_ms and at most an hour",
        )?;
        self.fps.map_or(Ok(Duration::ZERO), period_from_fps).map(|_| ())
    }
}

/// Opens the camera `config` says. A camera that is not there is sought for ever, and said to be
/// lost once; what no camera could mend is an error now. The simulator is rendered now, which may
/// take many seconds.
///
/// # Errors
/// When the configuration is wrong, or something is not installed.
pub fn open_live(
    config: &SourceConfig,
    camera: CameraId,
    rule: &LiveRule,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn Source>, CaptureError> {
    rule.check()?;
    if let SourceConfig::SyntheticLive(scene) = config {
        return Ok(Box::new(real_time::open(scene, camera, clock)?));
    }
    check(config)?;
    let rule = LiveRule {
        fps: rule.fps.or_else(|| configured_fps(config)),
        triggered: rule.triggered || is_triggered(config),
        ..rule.clone()
    };
    let (config, its, time) = (config.clone(), camera.clone(), Arc::clone(&clock));
    let open = move || open_once(&config, its.clone(), Arc::clone(&time));
    Ok(Box::new(Reconnecting::start(camera, rule, clock, open)?))
}

/// Opens a camera once.
pub(super) fn open_once(
    config: &SourceConfig,
    camera: CameraId,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn Source>, CaptureError> {
    Ok(match config {
        SourceConfig::SyntheticLive(scene) => Box::new(real_time::open(scene, camera, clock)?),
        SourceConfig::V4l2(config) => Box::new(v4l2::open(config, camera, clock)?),
        SourceConfig::Rtsp(config) => Box::new(rtsp::open(config, camera, clock)?),
        SourceConfig::Genicam(config) => {
            let now = CaptureTime { mono: clock.now(), wall: clock.wall() };
            Box::new(genicam::open(config, camera, now)?)
        }
        SourceConfig::Custom { pipeline, live: true } => {
            Box::new(custom::open(pipeline, Pace::Live { clock, counts: None }, camera)?)
        }
        footage => return Err(not_live(footage)),
    })
}

/// Builds what can be built without the camera, to find what no camera could mend.
fn check(config: &SourceConfig) -> Result<(), CaptureError> {
    match config {
        SourceConfig::V4l2(config) => v4l2::build(config).map(drop),
        SourceConfig::Rtsp(config) => rtsp::build(config).map(drop),
        SourceConfig::Custom { pipeline, live: true } => custom::build(pipeline).map(drop),
        SourceConfig::Genicam(config) => Ok(config.check()?),
        SourceConfig::SyntheticLive(_) => Ok(()),
        footage => Err(not_live(footage)),
    }
}

fn configured_fps(config: &SourceConfig) -> Option<f64> {
    match config {
        SourceConfig::V4l2(config) => Some(config.fps),
        SourceConfig::Genicam(config) => config.fps,
        _ => None,
    }
}

/// Whether the configuration already says that the camera waits for triggers.
fn is_triggered(config: &SourceConfig) -> bool {
    matches!(config, SourceConfig::Genicam(config) if config.trigger != genicam::Trigger::None)
}

fn not_live(config: &SourceConfig) -> CaptureError {
    let kind = match config {
        SourceConfig::File { .. } => "file",
        SourceConfig::Images { .. } => "images",
        SourceConfig::Synthetic(_) => "synthetic (synthetic_live is a camera)",
        _ => "custom (without live = true)",
    };
    CaptureError::NotLive { kind }
}

/// A clock that reads `began` now.
pub(super) fn clock_from(began: CaptureTime) -> Result<Arc<dyn Clock>, CaptureError> {
    init()?;
    let clock = gst::SystemClock::obtain();
    let opened = Duration::from(clock.time());
    Ok(Arc::new(SinceBegan { began, opened, clock }))
}

struct SinceBegan {
    began: CaptureTime,
    opened: Duration,
    clock: gst::Clock,
}

impl SinceBegan {
    fn time(&self) -> CaptureTime {
        time_after(self.began, Duration::from(self.clock.time()).saturating_sub(self.opened))
    }
}

impl Clock for SinceBegan {
    fn now(&self) -> MonoTime {
        self.time().mono
    }

    fn wall(&self) -> WallTime {
        self.time().wall
    }
}
