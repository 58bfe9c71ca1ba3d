//! Who calibrates cameras at the screen, one at a time: takes the steps that people ask for and the
//! camera's frames; tells the hall how far the work is. A thread of its own that comes last: the
//! line lends it a frame now and then, and never waits for it.

pub mod counts;
pub mod on_line;
pub mod opened;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use calibration::CameraFacts;
use domain::{CalibrationStep, CameraId, MonoTime, PersonId};
use jiff::Timestamp;
use models::LumaReader;
use pipeline::capture::peek::Peek;
use pipeline::clock::Clock;
use ui::calibrating::CameraCalibration;

use super::hall::Hall;
use crate::modes::calibrate::session::{Session, Taken, facts_in_force};
use crate::modes::calibrate::shots::Shot;

/// A frame is waited for so long before it is looked whether somebody asks for a step.
const PATIENCE: Duration = Duration::from_millis(50);
/// So long it rests after a frame that is of no use yet, so that the camera's thread is asked for
/// few of them.
const REST: Duration = Duration::from_millis(20);
/// A camera that gives nothing for so long is silent.
const SILENT_AFTER: Duration = Duration::from_secs(2);
/// A calibration that nobody has touched for so long is left: its camera's parts are not undecided
/// for ever.
const LEFT_AFTER: Duration = Duration::from_mins(30);

/// A camera that can be calibrated.
pub struct Camera {
    /// Its name.
    pub name: CameraId,
    /// Where its profile is, or will be.
    pub folder: PathBuf,
    /// Whether the station file names that folder.
    pub is_named: bool,
    /// Where it puts a frame that is wished for.
    pub peek: Arc<Peek>,
    /// What else happens around it.
    pub feed: Box<dyn Feed>,
    /// What is left to do when its calibration is accepted, in English.
    pub afterwards: String,
}

/// What happens around a camera while it is calibrated.
pub trait Feed: Send {
    /// It is about to be calibrated: from now on frames are wished for.
    ///
    /// # Errors
    /// When there can be none.
    fn begin(&mut self) -> Result<()>;
    /// Its calibration is over.
    fn end(&mut self);
    /// Another profile lies in its folder.
    fn accepted(&mut self);
    /// Why there are no frames, in English, as far as that is known.
    fn silence(&self) -> Option<String>;
    /// What the camera says of itself.
    fn says(&self) -> CameraFacts;
    /// The belt encoder's count at a moment, where one is read.
    fn count(&mut self, _at: MonoTime) -> Option<i64> {
        None
    }
}

/// What came of a step goes there.
pub type Reply = Box<dyn FnOnce(Result<Taken>) + Send>;
/// Hears that a calibration was left, and why.
pub type Left = Box<dyn Fn(&CameraId, &str) + Send>;

/// What is asked of who calibrates.
pub enum Asked {
    /// A step.
    Step {
        /// Of this camera.
        camera: CameraId,
        /// The step.
        step: CalibrationStep,
        /// Who asks.
        by: PersonId,
        /// Is told what came of it.
        reply: Reply,
    },
    /// Whoever was at the screen is not known to be there any more.
    Left,
    /// No more.
    Close,
}

/// Who calibrates, at work until this is dropped.
pub struct AtWork {
    asked: Sender<Asked>,
    thread: Option<JoinHandle<()>>,
}

impl AtWork {
    /// Begins to work for `cameras`, tells `hall`.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start(
        cameras: Vec<Camera>,
        hall: Arc<Hall>,
        clock: Arc<dyn Clock>,
        left: Left,
    ) -> io::Result<Self> {
        let (asked, asks) = channel();
        let work = move || {
            pipeline::priority::come_last();
            let reader = LumaReader::default();
            Calibrator { cameras, hall, clock, left, reader, under_way: None }.work(&asks);
        };
        let thread = Builder::new().name("calibrate".to_owned()).spawn(work)?;
        Ok(Self { asked, thread: Some(thread) })
    }

    /// Where steps are asked for.
    pub fn desk(&self) -> Sender<Asked> {
        self.asked.clone()
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        // Gone: it has ended already.
        let _ = self.asked.send(Asked::Close);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Calibrator {
    cameras: Vec<Camera>,
    hall: Arc<Hall>,
    clock: Arc<dyn Clock>,
    left: Left,
    reader: LumaReader,
    under_way: Option<UnderWay>,
}

/// The calibration of one camera.
struct UnderWay {
    session: Session,
    /// Which camera.
    at: usize,
    /// When somebody asked for a step last.
    touched: MonoTime,
    /// When the camera gave a frame last.
    heard: MonoTime,
    /// What was said of its silence.
    silence: Option<String>,
    /// Whether a frame was wished for that has not come.
    is_wished: bool,
    /// So long a step is waited for before the next frame is wished for.
    rest: Duration,
}

impl Calibrator {
    fn work(&mut self, asks: &Receiver<Asked>) {
        self.tell_profiles();
        loop {
            let asked = match &self.under_way {
                None => asks.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(under_way) => asks.recv_timeout(under_way.rest),
            };
            match asked {
                Ok(Asked::Step { camera, step, by, reply }) => {
                    let taken = self.step(&camera, &step, &by);
                    self.tell();
                    reply(taken);
                }
                Ok(Asked::Left) => self.leave("the screen was closed"),
                Err(RecvTimeoutError::Timeout) => self.go_on(),
                Ok(Asked::Close) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn step(&mut self, camera: &CameraId, step: &CalibrationStep, by: &PersonId) -> Result<Taken> {
        let now = now(&*self.clock);
        if *step == CalibrationStep::Begin && self.under_way.is_none() {
            return self.begin(camera, now).map(|()| Taken::default());
        }
        let Some(under_way) = &mut self.under_way else {
            bail!("the camera `{camera}` is not being calibrated; begin first");
        };
        let its = &mut self.cameras[under_way.at];
        if its.name != *camera {
            bail!("the camera `{}` is being calibrated; end that first", its.name);
        }
        under_way.touched = self.clock.now();
        under_way.rest = Duration::ZERO;
        let mut taken = under_way.session.step(step, by.as_str(), now)?;
        if taken.profile.is_some() {
            its.feed.accepted();
            let afterwards = &its.afterwards;
            taken.said = taken.said.map(|said| format!("{said}: {afterwards}"));
            self.tell_profiles();
        }
        if self.under_way.as_ref().is_some_and(|under_way| under_way.session.is_over()) {
            self.end();
        }
        Ok(taken)
    }

    fn begin(&mut self, camera: &CameraId, now: Timestamp) -> Result<()> {
        let at = self.cameras.iter().position(|its| its.name == *camera);
        let at = at.with_context(|| format!("there is no camera `{camera}`"))?;
        let Camera { name, folder, feed, .. } = &mut self.cameras[at];
        let session = Session::begin(name.clone(), folder, now)?;
        feed.begin()?;
        let (touched, heard) = (self.clock.now(), self.clock.now());
        self.under_way = Some(UnderWay {
            session,
            at,
            touched,
            heard,
            silence: None,
            is_wished: false,
            rest: Duration::ZERO,
        });
        Ok(())
    }

    /// Nobody is there any more. What was measured so far stays a draft, and is taken up again.
    fn leave(&mut self, why: &str) {
        let Some(under_way) = &self.under_way else { return };
        let camera = self.cameras[under_way.at].name.clone();
        self.end();
        tracing::warn!(target: "calibrate", %camera, "its calibration is left: {why}");
        (self.left)(&camera, why);
    }

    fn end(&mut self) {
        let Some(under_way) = self.under_way.take() else { return };
        let camera = &mut self.cameras[under_way.at];
        camera.feed.end();
        camera.peek.forget();
        self.hall.set_calibrating(None);
    }

    /// Looks at a frame, or fits a lens.
    fn go_on(&mut self) {
        let Some(under_way) = &mut self.under_way else { return };
        if self.clock.now().since(under_way.touched) >= LEFT_AFTER {
            let minutes = LEFT_AFTER.as_secs() / 60;
            return self.leave(&format!("nobody has touched it for {minutes} minutes"));
        }
        if under_way.session.is_fitting() {
            // The screen knows already that it takes a while, and is shown what is refused.
            let _ = under_way.session.fit(now(&*self.clock));
            return self.tell();
        }
        let camera = &mut self.cameras[under_way.at];
        if under_way.look(camera, &mut self.reader, &*self.clock) {
            self.tell();
        }
    }

    fn tell(&self) {
        if let Some(under_way) = &self.under_way {
            self.hall.set_calibrating(Some(under_way.session.shown()));
        }
    }

    /// Tells which profile each camera has.
    fn tell_profiles(&self) {
        let now = now(&*self.clock);
        let profile = |camera: &Camera| CameraCalibration {
            camera: camera.name.clone(),
            profile: camera.is_named.then(|| facts_in_force(&camera.folder, now)),
            lost: None,
        };
        self.hall.set_calibrations(self.cameras.iter().map(profile).collect());
    }
}

impl Drop for Calibrator {
    /// Also when it panics: its camera's parts are not undecided for its sake.
    fn drop(&mut self) {
        self.end();
    }
}

impl UnderWay {
    /// Looks at the camera's newest frame, if there is one and it is of use; whether there is
    /// anything to tell.
    fn look(&mut self, camera: &mut Camera, reader: &mut LumaReader, clock: &dyn Clock) -> bool {
        if !self.is_wished {
            camera.peek.wish();
            self.is_wished = true;
        }
        let Some(frame) = camera.peek.fetch_within(PATIENCE) else {
            return self.note_silence(camera, clock.now());
        };
        self.is_wished = false;
        self.heard = clock.now();
        let was_silent = self.silence.take().is_some();
        if !self.session.wants(frame.at.mono) {
            self.rest = REST;
            return was_silent;
        }
        self.rest = Duration::ZERO;
        let shot = Shot::of(&frame, reader);
        // The camera has its buffer back before anything takes long.
        drop(frame);
        match shot {
            Ok(mut shot) => {
                shot.count = camera.feed.count(shot.at);
                shot.says = camera.feed.says();
                self.session.see(shot, now(clock));
            }
            Err(error) => self.session.is_silent(&format!("{error:#}")),
        }
        true
    }

    fn note_silence(&mut self, camera: &Camera, now: MonoTime) -> bool {
        if now.since(self.heard) < SILENT_AFTER {
            return false;
        }
        let why = camera.feed.silence().unwrap_or_else(|| {
            let seconds = SILENT_AFTER.as_secs();
            format!("the camera `{}` has given no frame for {seconds} s", camera.name)
        });
        let is_new = self.silence.as_ref() != Some(&why);
        if is_new {
            self.session.is_silent(&why);
            self.silence = Some(why);
        }
        is_new
    }
}

fn now(clock: &dyn Clock) -> Timestamp {
    Timestamp::from_nanosecond(clock.wall().unix_ns.into()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
