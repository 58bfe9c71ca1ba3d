//! Cameras, from outside: what every live source promises, a camera on the network that goes and
//! comes back, pipelines that fail, and what is said where there is no camera.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests, and what they share")]

mod cameras;
mod network;
mod server;

use std::sync::Arc;
use std::time::Duration;

use domain::{CameraId, Frame};
use sightline_pipeline::capture::{
    CaptureError, LiveRule, Next, PATIENCE, Source, SourceConfig, open_live,
};
use sightline_pipeline::clock::{Clock, RealClock};

/// How long anything may take on a machine that is busy.
const LIMIT: Duration = Duration::from_secs(90);

pub(crate) fn open(config: &SourceConfig, rule: &LiveRule) -> Result<Camera, CaptureError> {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::start());
    let source = open_live(config, CameraId::new("test"), rule, Arc::clone(&clock))?;
    Ok(Camera { source, clock })
}

pub(crate) fn custom(text: &str) -> SourceConfig {
    SourceConfig::Custom { pipeline: text.to_owned(), live: true }
}

/// A rule that seeks a camera at once.
pub(crate) fn eager() -> LiveRule {
    LiveRule { retry_ms: 1, retry_most_ms: 20, stall_ms: 10_000, ..LiveRule::default() }
}

/// A camera and the line's clock.
pub(crate) struct Camera {
    pub source: Box<dyn Source>,
    pub clock: Arc<dyn Clock>,
}

impl Camera {
    /// What is said next besides waiting; no turn may take long.
    pub(crate) fn said(&mut self) -> Next {
        let start = self.clock.now();
        while self.clock.now().since(start) < LIMIT {
            match self.source.next().unwrap() {
                Next::Waiting => {}
                other => return other,
            }
        }
        panic!("nothing is said");
    }

    pub(crate) fn frame(&mut self) -> Frame {
        match self.said() {
            Next::Frame(frame) => frame,
            other => panic!("{other:?} and no frame"),
        }
    }

    /// Frames until the camera is lost, and why it was.
    pub(crate) fn until_lost(&mut self) -> (Vec<Frame>, CaptureError) {
        let mut frames = Vec::new();
        loop {
            match self.said() {
                Next::Frame(frame) => frames.push(frame),
                Next::Lost(why) => {
                    println!("{} frames, then: {why}", frames.len());
                    return (frames, why);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) fn back(&mut self) {
        let said = self.said();
        assert!(matches!(said, Next::Back(_)), "{said:?}");
    }
}

/// Lets time pass.
pub(crate) fn pass(time: Duration) {
    let _ = crossbeam_channel::never::<()>().recv_timeout(time.min(PATIENCE));
}
