//! The line simulator as a live camera: takes a scene; gives its frames in real time, again and
//! again, each with the time at which it was due.

use std::sync::Arc;
use std::thread::park_timeout;
use std::time::Duration;

use domain::{CameraId, CaptureTime, MonoTime};

use pipeline::capture::{self, CaptureError, Next, PATIENCE, Source, SourceConfig, SourceInfo};
use pipeline::clock::Clock;
use testdata::SceneConfig;

/// A scene without end.
pub struct Paced {
    scene: SourceConfig,
    camera: CameraId,
    inner: Box<dyn Source>,
    info: SourceInfo,
    clock: Arc<dyn Clock>,
    sequence: u64,
    due: MonoTime,
    period: Duration,
}

impl Paced {
    /// Opens `scene`.
    pub fn open(
        scene: &SceneConfig,
        camera: CameraId,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CaptureError> {
        let source = SourceConfig::Synthetic(scene.clone());
        let inner = capture::open(&source, camera.clone(), CaptureTime::default())?;
        let info = SourceInfo { fps: Some(scene.fps), live: true, ..SourceInfo::default() };
        let period = Duration::from_secs_f64(scene.fps.recip());
        let due = clock.now();
        Ok(Self { scene: source, camera, inner, info, clock, sequence: 0, due, period })
    }
}

impl Source for Paced {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        let wait = self.due.since(self.clock.now());
        if !wait.is_zero() {
            park_timeout(wait.min(PATIENCE));
            return Ok(Next::Waiting);
        }
        match self.inner.next()? {
            Next::Frame(mut frame) => {
                frame.sequence = self.sequence;
                frame.at = CaptureTime { mono: self.clock.now(), wall: self.clock.wall() };
                self.sequence += 1;
                // A camera that can't keep up is slower; it does not catch up.
                self.due = self.due.plus(self.period).max(self.clock.now());
                Ok(Next::Frame(frame))
            }
            Next::End => {
                self.inner =
                    capture::open(&self.scene, self.camera.clone(), CaptureTime::default())?;
                Ok(Next::Waiting)
            }
            other => Ok(other),
        }
    }
}
