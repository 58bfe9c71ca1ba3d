//! The line simulator as a source. Takes a scene; gives its frames, rendered ahead on every core
//! and handed out in order.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use domain::{CameraId, CaptureTime, Frame, OwnedPixels};
use testdata::Scene;
#[cfg(test)]
pub use testdata::Spacing;
pub use testdata::{SceneConfig, SceneError};

use super::stamps::{offset_at_fps, period_from_fps};
use super::{CaptureError, Next, PATIENCE, Source, SourceInfo, time_after};

/// Frames that each thread may be ahead.
const AHEAD: usize = 2;

/// A scene that is being rendered.
pub(super) struct Synthetic {
    info: SourceInfo,
    fps: f64,
    camera: CameraId,
    began: CaptureTime,
    sequence: u64,
    frames: u64,
    /// The thread whose frame is next.
    turn: usize,
    /// Thread `i` of `n` renders frames i, i + n, i + 2n and so on, each into its own queue.
    queues: Vec<Receiver<OwnedPixels>>,
    threads: Vec<JoinHandle<()>>,
}

impl Synthetic {
    /// Lays out the scene and starts to render it.
    pub(super) fn open(
        config: &SceneConfig,
        camera: CameraId,
        began: CaptureTime,
    ) -> Result<Self, CaptureError> {
        let scene = Arc::new(Scene::new(config)?);
        let frames = scene.frames();
        period_from_fps(config.fps)?;
        let info = SourceInfo {
            frames_total: Some(frames),
            fps: Some(config.fps),
            live: false,
            duration: Some(offset_at_fps(frames, config.fps)),
        };
        let mut source = Self {
            info,
            fps: config.fps,
            camera,
            began,
            sequence: 0,
            frames,
            turn: 0,
            queues: Vec::new(),
            threads: Vec::new(),
        };
        source.render_ahead(&scene).map_err(CaptureError::Threads)?;
        Ok(source)
    }

    fn render_ahead(&mut self, scene: &Arc<Scene>) -> std::io::Result<()> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        for first in 0..threads {
            let (queue, taken) = bounded(AHEAD);
            let scene = Arc::clone(scene);
            let mine = (0..self.frames).skip(first).step_by(threads);
            let render = move || {
                for frame in mine {
                    if queue.send(scene.render(frame)).is_err() {
                        return;
                    }
                }
            };
            self.threads.push(thread::Builder::new().name(format!("scene-{first}")).spawn(render)?);
            self.queues.push(taken);
        }
        Ok(())
    }
}

impl Source for Synthetic {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        if self.sequence == self.frames {
            return Ok(Next::End);
        }
        match self.queues[self.turn].recv_timeout(PATIENCE) {
            Ok(pixels) => Ok(Next::Frame(self.frame_from(pixels))),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Waiting),
            Err(RecvTimeoutError::Disconnected) => {
                self.sequence = self.frames;
                Err(CaptureError::Threads(std::io::Error::other("one died while it rendered")))
            }
        }
    }
}

impl Synthetic {
    fn frame_from(&mut self, pixels: OwnedPixels) -> Frame {
        let sequence = self.sequence;
        self.sequence += 1;
        self.turn = (self.turn + 1) % self.queues.len();
        let offset = offset_at_fps(sequence, self.fps);
        Frame {
            camera: self.camera.clone(),
            sequence,
            at: time_after(self.began, offset),
            origin: None,
            pixels: Arc::new(pixels),
        }
    }
}

impl Drop for Synthetic {
    fn drop(&mut self) {
        // Without its queue a thread stops after the frame it is at.
        self.queues.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so, and was reported by `next`.
            let _ = thread.join();
        }
    }
}
