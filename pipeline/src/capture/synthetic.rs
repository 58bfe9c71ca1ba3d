//! The line simulator as a source. Takes a scene; gives its frames, rendered ahead on every core
//! and handed out in order.

use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use domain::{CameraId, CaptureTime, Frame, OwnedPixels};
pub(super) use testdata::Scene;
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
    renderer: Renderer,
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
        let fps = config.fps;
        period_from_fps(fps)?;
        let info = SourceInfo {
            frames_total: Some(frames),
            fps: Some(fps),
            live: false,
            simulated: true,
            duration: Some(offset_at_fps(frames, fps)),
        };
        let renderer = Renderer::start(&scene, 0..frames)?;
        Ok(Self { info, fps, camera, began, sequence: 0, frames, renderer })
    }

    fn frame_from(&mut self, pixels: OwnedPixels) -> Frame {
        let sequence = self.sequence;
        self.sequence += 1;
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

impl Source for Synthetic {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        if self.sequence == self.frames {
            return Ok(Next::End);
        }
        match self.renderer.next() {
            Ok(Some(pixels)) => Ok(Next::Frame(self.frame_from(pixels))),
            Ok(None) => Ok(Next::Waiting),
            Err(error) => {
                self.sequence = self.frames;
                Err(error)
            }
        }
    }
}

/// Threads that render frames of a scene, a little ahead of who takes them.
pub(super) struct Renderer {
    /// The thread whose frame is next.
    turn: usize,
    /// Thread `i` of `n` renders frames i, i + n, i + 2n and so on, each into its own queue.
    queues: Vec<Receiver<OwnedPixels>>,
    threads: Vec<JoinHandle<()>>,
}

impl Renderer {
    /// Starts to render `frames` on every core.
    pub(super) fn start(scene: &Arc<Scene>, frames: Range<u64>) -> Result<Self, CaptureError> {
        let mut renderer = Self { turn: 0, queues: Vec::new(), threads: Vec::new() };
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        for first in 0..threads {
            let (queue, taken) = bounded(AHEAD);
            let scene = Arc::clone(scene);
            let mine = frames.clone().skip(first).step_by(threads);
            let render = move || {
                for frame in mine {
                    if queue.send(scene.render(frame)).is_err() {
                        return;
                    }
                }
            };
            let thread = thread::Builder::new().name(format!("scene-{first}")).spawn(render);
            renderer.threads.push(thread.map_err(CaptureError::Threads)?);
            renderer.queues.push(taken);
        }
        Ok(renderer)
    }

    /// The next frame, or nothing yet. Not to be asked for more than there are.
    fn next(&mut self) -> Result<Option<OwnedPixels>, CaptureError> {
        match self.queues[self.turn].recv_timeout(PATIENCE) {
            Ok(pixels) => {
                self.turn = (self.turn + 1) % self.queues.len();
                Ok(Some(pixels))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(CaptureError::Threads(std::io::Error::other("one died while it rendered")))
            }
        }
    }

    /// The next frame, however long it takes.
    pub(super) fn wait(&mut self) -> Result<OwnedPixels, CaptureError> {
        loop {
            if let Some(pixels) = self.next()? {
                return Ok(pixels);
            }
        }
    }
}

impl Drop for Renderer {
    fn drop(&mut self) {
        // Without its queue a thread stops after the frame it is at.
        self.queues.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so, and was reported by `next`.
            let _ = thread.join();
        }
    }
}
