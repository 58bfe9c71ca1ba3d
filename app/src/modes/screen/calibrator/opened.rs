//! A camera without a line, opened while it is calibrated: takes its configuration; shows its
//! frames to whoever wishes for one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use anyhow::Result;
use calibration::CameraFacts;
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
    heard: Heard,
    thread: JoinHandle<()>,
}

/// What is known of it.
#[derive(Default)]
struct Known {
    /// Why there are no frames.
    silence: Option<String>,
    says: CameraFacts,
}

type Heard = Arc<Mutex<Known>>;

impl Opened {
    /// `camera`, whose frames are shown to `peeks`.
    pub const fn new(camera: Camera, clock: Arc<dyn Clock>, peeks: [Arc<Peek>; 2]) -> Self {
        Self { camera, clock, peeks, open: None }
    }
}

impl Feed for Opened {
    fn begin(&mut self) -> Result<()> {
        let source = run::open_camera(&self.camera, &self.clock)?;
        let (is_over, heard) = (Arc::<AtomicBool>::default(), Heard::default());
        let (until, tells, peeks) = (Arc::clone(&is_over), Arc::clone(&heard), self.peeks.clone());
        let show = move || show(source, &peeks, &tells, &until);
        let name = format!("camera-{}", self.camera.name);
        let thread = Builder::new().name(name).spawn(show)?;
        self.open = Some(Open { is_over, heard, thread });
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
        self.open.as_ref().and_then(|open| known(&open.heard).silence.clone())
    }

    fn says(&self) -> CameraFacts {
        self.open.as_ref().map(|open| known(&open.heard).says.clone()).unwrap_or_default()
    }
}

fn known(heard: &Heard) -> MutexGuard<'_, Known> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows frames until it is over.
fn show(mut source: Box<dyn Source>, peeks: &[Arc<Peek>], heard: &Heard, is_over: &AtomicBool) {
    let mut is_met = false;
    while !is_over.load(Ordering::Acquire) {
        match source.next() {
            Ok(Next::Frame(frame)) => {
                if !std::mem::replace(&mut is_met, true) {
                    known(heard).says = source.facts();
                }
                peeks.iter().for_each(|peek| peek.show(&frame));
            }
            Ok(Next::Waiting) => {}
            Ok(Next::Lost(error)) => {
                known(heard).silence = Some(format!("{error}; it is sought"));
            }
            Ok(Next::Back(_)) => {
                known(heard).silence = None;
                is_met = false;
            }
            Ok(Next::End) => return,
            Err(error) => {
                let silence = format!("{error}; end the calibration and begin again");
                known(heard).silence = Some(silence);
                return;
            }
        }
    }
}
