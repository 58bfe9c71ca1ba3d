//! A camera that is found again. Takes a way to open it; gives its frames, whether it is there,
//! and numbers that go on from one connection to the next.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use calibration::CameraFacts;
use domain::{CameraId, Frame, MonoTime, PixelFormat, SizePx};

use super::genicam::SoftwareTrigger;
use super::opener::{Open, Opened, Opener};
use super::{CaptureError, LiveRule, Next, PATIENCE, Source, SourceInfo, next_of};
use crate::clock::Clock;
use crate::limits::{CAMERA_CLOSES_WITHIN, CAMERA_OPENS_WITHIN, CAMERA_STARTS_WITHIN};

/// A live source that never ends.
pub struct Reconnecting {
    camera: CameraId,
    rule: LiveRule,
    clock: Arc<dyn Clock>,
    info: SourceInfo,
    open: Arc<Open>,
    /// `None` only while it is being replaced or dropped.
    opener: Option<Opener>,
    /// One that was left behind because it did not come back; there is never a second.
    hung: Option<JoinHandle<()>>,
    state: State,
    /// How long the next rest is.
    rest: Duration,
    /// Since when the camera is gone, once that was said.
    lost: Option<MonoTime>,
    /// A frame that is to follow what was just said.
    held: Option<Frame>,
    /// What is added to the numbers of this connection.
    base: u64,
    /// The number that comes next if none is missing.
    next: u64,
}

enum State {
    /// Being opened since then.
    Opening(MonoTime),
    /// There.
    Up(Up),
    /// Gone; not to be tried before then.
    Resting(MonoTime),
}

struct Up {
    source: Box<dyn Source>,
    since: MonoTime,
    /// When the last frame came, and before the first one when it was opened.
    heard: MonoTime,
    gave: bool,
}

impl Reconnecting {
    /// Starts to open the camera, and waits for nothing. `open` is called on a thread of its own
    /// and may take its time.
    ///
    /// # Errors
    /// When a thread can't be had.
    pub fn start(
        camera: CameraId,
        rule: LiveRule,
        clock: Arc<dyn Clock>,
        open: impl Fn() -> Opened + Send + Sync + 'static,
    ) -> Result<Self, CaptureError> {
        let open: Arc<Open> = Arc::new(open);
        let opener = Opener::start(&camera, Arc::clone(&open)).map_err(CaptureError::Threads)?;
        opener.ask();
        // Between triggers a rate means nothing.
        let fps = rule.fps.filter(|_| !rule.triggered);
        Ok(Self {
            info: SourceInfo { fps, live: true, ..SourceInfo::default() },
            state: State::Opening(clock.now()),
            rest: Duration::from_millis(rule.retry_ms),
            opener: Some(opener),
            hung: None,
            lost: None,
            held: None,
            base: 0,
            next: 0,
            camera,
            rule,
            clock,
            open,
        })
    }

    /// The camera is being opened, or failed to be.
    fn await_opening(&mut self, since: MonoTime) -> Next {
        let Some(opened) = self.opener.as_ref().and_then(|opener| opener.answer(PATIENCE)) else {
            let now = self.clock.now();
            return if now.since(since) < CAMERA_OPENS_WITHIN {
                Next::Waiting
            } else {
                self.leave_behind(now)
            };
        };
        match opened {
            Ok(source) => self.came_up(source),
            Err(error) => self.lose(error),
        }
    }

    fn came_up(&mut self, source: Box<dyn Source>) -> Next {
        let now = self.clock.now();
        self.base = self.next;
        self.state = State::Up(Up { source, since: now, heard: now, gave: false });
        if self.rule.triggered {
            // It may rest for hours before its first frame, and is there all the same.
            return Next::Back(self.found(now));
        }
        Next::Waiting
    }

    /// The camera is there; gives how long it was not.
    fn found(&mut self, now: MonoTime) -> Duration {
        self.lost.take().map_or(Duration::ZERO, |lost| now.since(lost))
    }

    /// Opening hangs. The thread can't be ended, so another one is taken; but not a third.
    fn leave_behind(&mut self, now: MonoTime) -> Next {
        if self.hung.as_ref().is_some_and(|hung| !hung.is_finished()) {
            self.state = State::Opening(now);
            return Next::Waiting;
        }
        match Opener::start(&self.camera, Arc::clone(&self.open)) {
            Ok(fresh) => self.hung = self.opener.replace(fresh).map(Opener::abandon),
            Err(error) => tracing::error!(camera = %self.camera, %error, "no thread to open it"),
        }
        let waited_s = CAMERA_OPENS_WITHIN.as_secs();
        self.lose(CaptureError::OpenHangs { camera: self.camera.clone(), waited_s })
    }

    /// The camera is gone because of `why`: said once, and tried again after a rest.
    fn lose(&mut self, why: CaptureError) -> Next {
        let now = self.clock.now();
        let shortest = Duration::from_millis(self.rule.retry_ms);
        let longest = Duration::from_millis(self.rule.retry_most_ms);
        if let State::Up(up) = &self.state
            && up.gave
            && now.since(up.since) >= longest
        {
            // One that fails at once each time is not tried ever faster.
            self.rest = shortest;
        }
        let gone = std::mem::replace(&mut self.state, State::Resting(now.plus(self.rest)));
        if let (State::Up(up), Some(opener)) = (gone, &self.opener) {
            opener.close(up.source);
        }
        self.rest = (self.rest * 2).min(longest);
        if self.lost.is_some() {
            tracing::debug!(camera = %self.camera, cause = %why, "still gone");
            return Next::Waiting;
        }
        self.lost = Some(now);
        Next::Lost(why)
    }

    /// Rests until `until`, or tries again.
    fn rest(&mut self, until: MonoTime) -> Next {
        let now = self.clock.now();
        let Some(opener) = &self.opener else { return Next::End };
        if now >= until {
            opener.ask();
            self.state = State::Opening(now);
        } else {
            // Nothing was asked, so nothing comes: this waits.
            let _ = opener.answer(until.since(now).min(PATIENCE));
        }
        Next::Waiting
    }

    /// What the camera says, or does not.
    fn listen(&mut self) -> Next {
        let State::Up(up) = &mut self.state else { return Next::Waiting };
        match next_of(&mut *up.source, &self.camera) {
            Ok(Next::Frame(frame)) => self.take(frame),
            Ok(Next::End) => {
                let camera = self.camera.clone();
                self.lose(CaptureError::Ended { camera })
            }
            Ok(Next::Lost(why)) | Err(why) => self.lose(why),
            Ok(Next::Waiting | Next::Back(_)) => self.check_silence(),
        }
    }

    fn check_silence(&mut self) -> Next {
        let State::Up(up) = &self.state else { return Next::Waiting };
        let quiet = self.clock.now().since(up.heard);
        let stall = Duration::from_millis(self.rule.stall_ms);
        let most = if up.gave { stall } else { stall.max(CAMERA_STARTS_WITHIN) };
        if self.rule.triggered || quiet < most {
            return Next::Waiting;
        }
        let waited_ms = u64::try_from(quiet.as_millis()).unwrap_or(u64::MAX);
        self.lose(CaptureError::Silent { camera: self.camera.clone(), waited_ms })
    }

    /// A frame as it goes on, with its number on the line.
    fn take(&mut self, mut frame: Frame) -> Next {
        if let Err(error) = self.check_picture(frame.size(), frame.pixels.format()) {
            return self.lose(error);
        }
        let now = self.clock.now();
        frame.sequence = frame.sequence.saturating_add(self.base);
        self.next = frame.sequence.saturating_add(1);
        if let State::Up(up) = &mut self.state {
            (up.heard, up.gave) = (now, true);
            if self.info.fps.is_none() && !self.rule.triggered {
                self.info.fps = up.source.info().fps;
            }
        }
        if self.lost.is_some() {
            self.held = Some(frame);
            return Next::Back(self.found(now));
        }
        Next::Frame(frame)
    }

    /// Holds every frame to what is configured, and otherwise to what came first: a line follows
    /// pictures of one size and format.
    fn check_picture(&mut self, size: SizePx, format: PixelFormat) -> Result<(), CaptureError> {
        let wanted_size = *self.rule.size.get_or_insert(size);
        let wanted_format = *self.rule.format.get_or_insert(format);
        if (size, format) == (wanted_size, wanted_format) {
            return Ok(());
        }
        Err(CaptureError::Unexpected {
            camera: self.camera.clone(),
            got: format!("{format} {size}"),
            wanted: format!("{wanted_format} {wanted_size}"),
        })
    }
}

impl Source for Reconnecting {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        if let Some(frame) = self.held.take() {
            return Ok(Next::Frame(frame));
        }
        Ok(match self.state {
            State::Opening(since) => self.await_opening(since),
            State::Resting(until) => self.rest(until),
            State::Up(_) => self.listen(),
        })
    }

    fn loss_cause(&self) -> Option<&str> {
        self.source()?.loss_cause()
    }

    fn facts(&self) -> CameraFacts {
        self.source().map(|source| source.facts()).unwrap_or_default()
    }

    fn software_trigger(&self) -> Option<SoftwareTrigger> {
        self.source()?.software_trigger()
    }
}

impl Reconnecting {
    /// The camera, while it is there.
    fn source(&self) -> Option<&dyn Source> {
        match &self.state {
            State::Up(up) => Some(&*up.source),
            _ => None,
        }
    }
}

impl Drop for Reconnecting {
    fn drop(&mut self) {
        let Some(opener) = self.opener.take() else { return };
        let last = std::mem::replace(&mut self.state, State::Resting(MonoTime::ZERO));
        if let State::Up(up) = last {
            opener.close(up.source);
        }
        opener.end(CAMERA_CLOSES_WITHIN);
    }
}

#[cfg(test)]
mod tests;
