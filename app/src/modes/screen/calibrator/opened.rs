//! A camera without a line, opened while it is calibrated: takes its configuration; shows its
//! frames to whoever wishes for one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use anyhow::Result;
use pipeline::capture::peek::Peek;
use pipeline::capture::{Next, Source};
use pipeline::clock::Clock;

use super::Feed;
use crate::config::Camera;
use crate::modes::run;

/// A camera that is opened when it is wanted.
pub struct Opened {
    camera: Camera,
    clock: Arc<dyn Clock>,
    peeks: [Arc<Peek>; 2],
    open: Option<Open>,
}

/// A camera that is open.
struct Open {
    is_over: Arc<AtomicBool>,
    silence: Silence,
    thread: JoinHandle<()>,
}

/// Why there are no frames.
type Silence = Arc<Mutex<Option<String>>>;

impl Opened {
    /// `camera`, whose frames are shown to `peeks`.
    pub const fn new(camera: Camera, clock: Arc<dyn Clock>, peeks: [Arc<Peek>; 2]) -> Self {
        Self { camera, clock, peeks, open: None }
    }
}

impl Feed for Opened {
    fn begin(&mut self) -> Result<()> {
        let source = run::open_camera(&self.camera, &self.clock)?;
        let (is_over, silence) = (Arc::<AtomicBool>::default(), Silence::default());
        let (until, why, peeks) = (Arc::clone(&is_over), Arc::clone(&silence), self.peeks.clone());
        let show = move || show(source, &peeks, &why, &until);
        let name = format!("camera-{}", self.camera.name);
        let thread = Builder::new().name(name).spawn(show)?;
        self.open = Some(Open { is_over, silence, thread });
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.take() else { return };
        open.is_over.store(true, Ordering::Release);
        // It panicked: what it held is gone with it.
        let _ = open.thread.join();
    }

    fn accepted(&mut self) {}

    fn silence(&self) -> Option<String> {
        self.open.as_ref().and_then(|open| said(&open.silence).clone())
    }
}

fn said(silence: &Silence) -> std::sync::MutexGuard<'_, Option<String>> {
    silence.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows frames until it is over.
fn show(mut source: Box<dyn Source>, peeks: &[Arc<Peek>], why: &Silence, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Acquire) {
        match source.next() {
            Ok(Next::Frame(frame)) => peeks.iter().for_each(|peek| peek.show(&frame)),
            Ok(Next::Waiting) => {}
            Ok(Next::Lost(error)) => *said(why) = Some(format!("{error}; it is sought")),
            Ok(Next::Back(_)) => *said(why) = None,
            Ok(Next::End) => return,
            Err(error) => {
                *said(why) = Some(format!("{error}; end the calibration and begin again"));
                return;
            }
        }
    }
}
