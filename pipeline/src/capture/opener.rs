//! A thread that opens and closes a camera, because either may hang. Takes a way to open it; gives
//! what came of it, or is left behind.

use std::io;
use std::sync::{Arc, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use domain::CameraId;

use super::{CaptureError, Source, unpanicked};

/// What opens the camera.
pub(super) type Open = dyn Fn() -> Result<Box<dyn Source>, CaptureError> + Send + Sync;

/// What came of opening it.
pub(super) type Opened = Result<Box<dyn Source>, CaptureError>;

/// At most one of each kind is under way.
const JOBS: usize = 2;

enum Job {
    Open,
    Close(Box<dyn Source>),
}

/// The thread, from outside.
pub(super) struct Opener {
    jobs: Sender<Job>,
    opened: Receiver<Opened>,
    thread: JoinHandle<()>,
    /// As long as it lives, somebody waits for what is opened.
    _wanted: Arc<()>,
}

impl Opener {
    pub(super) fn start(camera: &CameraId, open: Arc<Open>) -> io::Result<Self> {
        let (jobs, todo) = bounded(JOBS);
        let (done, opened) = bounded(1);
        let wanted = Arc::new(());
        let still = Arc::downgrade(&wanted);
        let its = camera.clone();
        let thread = Builder::new()
            .name(format!("open-{camera}"))
            .spawn(move || work(&its, &*open, &todo, &done, &still))?;
        Ok(Self { jobs, opened, thread, _wanted: wanted })
    }

    /// Asks for the camera. One that never comes is the caller's to notice.
    pub(super) fn ask(&self) {
        let _ = self.jobs.try_send(Job::Open);
    }

    /// What came of it, if anything within `patience`.
    pub(super) fn answer(&self, patience: Duration) -> Option<Opened> {
        match self.opened.recv_timeout(patience) {
            Ok(opened) => Some(opened),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                Some(Err(CaptureError::Threads(io::Error::other("the one that opens it died"))))
            }
        }
    }

    /// Closes `source`, and waits for nothing.
    pub(super) fn close(&self, source: Box<dyn Source>) {
        let _ = self.jobs.try_send(Job::Close(source));
    }

    /// Leaves the thread to itself: what it has begun it ends, and then it is gone.
    pub(super) fn abandon(self) -> JoinHandle<()> {
        self.thread
    }

    /// Waits until everything is closed, for `patience` at most.
    pub(super) fn end(self, patience: Duration) {
        let Self { jobs, opened, _wanted: wanted, .. } = self;
        drop((jobs, wanted));
        // It may have been opening still; that is closed here. Its end shows by its channel's.
        while opened.recv_timeout(patience).is_ok() {}
    }
}

fn work(
    camera: &CameraId,
    open: &Open,
    todo: &Receiver<Job>,
    done: &Sender<Opened>,
    wanted: &Weak<()>,
) {
    for job in todo {
        match job {
            Job::Open if wanted.strong_count() == 0 => return,
            Job::Open => {
                if let Err(unwanted) = done.send(unpanicked(camera, open)) {
                    close(camera, unwanted.0);
                }
            }
            Job::Close(source) => close(camera, Ok(source)),
        }
    }
}

/// Dropping a source that panicked may panic again.
fn close(camera: &CameraId, source: Opened) {
    let dropped = unpanicked(camera, || {
        drop(source);
        Ok(())
    });
    if let Err(error) = dropped {
        tracing::error!(%error, "closing");
    }
}
