//! The thread that takes frames from a source and hands them to locate.

use std::sync::Arc;
use std::time::Duration;

use calibration::CameraFacts;
use domain::{CameraId, Event, Frame, MonoTime, Stage};

use super::peek::Peek;
use super::slow::Pace;
use super::tap::Tap;
use super::{CaptureError, Next, Source, next_of};
use crate::clock::Clock;
use crate::link::{LinkSender, Sent, WhenFull};
use crate::stage::Counters;

/// What a full link between capture and locate does: replay waits, a live camera can't.
#[must_use]
pub const fn when_full(live: bool) -> WhenFull {
    if live { WhenFull::DropOldest } else { WhenFull::Wait }
}

/// Who is told what the camera says of itself, before the first frame after the start or an absence
/// goes on its way.
pub type Met = Box<dyn FnMut(CameraFacts) + Send>;

/// Who else sees frames of a camera.
#[derive(Default)]
pub struct Beside {
    /// Its film.
    pub film: Option<Tap>,
    /// A person, and who watches over the calibration.
    pub peeks: Vec<Arc<Peek>>,
    /// Who looks which camera it is.
    pub met: Option<Met>,
}

impl Beside {
    fn meet(&mut self, source: &dyn Source) {
        if let Some(met) = &mut self.met {
            met(source.facts());
        }
    }

    fn see(&mut self, frame: &Frame) {
        if let Some(film) = &mut self.film {
            film.see(frame);
        }
        self.peeks.iter().for_each(|peek| peek.show(frame));
    }
}

/// Takes frames until the source ends or the line is asked to stop. A source goes on after an
/// error when it can (the next image) and ends when it can't. Dropping `frames` then tells the
/// stages after it that there will be no more; closing a camera may take longer than parts in
/// view can wait, so do that first. Some frames are seen by others `beside` as well.
///
/// Gives what went wrong, first things first. Frames before and after are on their way all the
/// same.
pub fn feed(
    source: &mut dyn Source,
    camera: &CameraId,
    frames: &LinkSender<Frame>,
    mut beside: Beside,
    clock: &dyn Clock,
    counters: &Arc<Counters>,
) -> Vec<CaptureError> {
    let mut errors = Vec::new();
    counters.frames_expected(source.info().frames_total.unwrap_or(0));
    let live = source.info().live;
    let (mut losses, mut pace, mut is_known) = (Losses::default(), Pace::default(), false);
    while !counters.asked_to_stop() {
        let start = clock.now();
        if let Some(fps) = source.info().fps.filter(|_| live)
            && let Some(got) = pace.slow(start, fps)
        {
            counters.event(&slow(camera, got, fps));
        }
        let frame = match next_of(source, camera) {
            Ok(Next::Frame(frame)) => frame,
            Ok(Next::Waiting) => continue,
            Ok(Next::Lost(why)) => {
                counters.event(&lost(camera, &why));
                // Gone is not slow.
                pace.restart();
                continue;
            }
            Ok(Next::Back(gone)) => {
                counters.event(&back(camera, gone));
                is_known = false;
                pace.restart();
                continue;
            }
            Ok(Next::End) => break,
            Err(error) => {
                tracing::error!(target: "capture", "{error}");
                let over = matches!(error, CaptureError::Panicked { .. });
                errors.push(error);
                if over {
                    break;
                }
                continue;
            }
        };
        pace.frame();
        counters.took[Stage::Capture as usize].add(clock.now().since(start));
        counters.frame(camera, frame.at.mono);
        // In replay a broken image keeps its number, and was told of by name.
        if live {
            losses.follow(frame.sequence, source);
        }
        if !std::mem::replace(&mut is_known, true) {
            beside.meet(source);
        }
        beside.see(&frame);
        match frames.send(frame) {
            Ok(Sent::Queued) => {}
            Ok(Sent::Dropped(_)) => {
                counters.frame_dropped(camera);
                losses.dropped += 1;
            }
            Err(_) => break,
        }
        losses.tell_if_due(start, camera, counters);
    }
    losses.tell(camera, counters);
    errors
}

fn lost(camera: &CameraId, why: &CaptureError) -> Event {
    Event::CameraLost { camera: camera.clone(), cause: why.to_string() }
}

fn back(camera: &CameraId, gone: Duration) -> Event {
    let after_ms = u64::try_from(gone.as_millis()).unwrap_or(u64::MAX);
    Event::CameraBack { camera: camera.clone(), after_ms }
}

/// A camera that gives `got` frames per second where it should give `wanted`.
fn slow(camera: &CameraId, got: f64, wanted: f64) -> Event {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive rates, saturating"
    )]
    let mfps = |fps: f64| (fps * 1000.0).round() as u64;
    Event::CameraSlow { camera: camera.clone(), got_mfps: mfps(got), wanted_mfps: mfps(wanted) }
}

/// Losses are told at once, then summed up for so long: they come in bursts.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Frames that were lost and not yet told of.
#[derive(Default)]
struct Losses {
    expected: Option<u64>,
    dropped: u64,
    missing: u64,
    cause: String,
    told_at: Option<MonoTime>,
}

impl Losses {
    /// Counts the frames that the camera counted before `sequence` and that did not arrive.
    fn follow(&mut self, sequence: u64, source: &dyn Source) {
        let missing = self.expected.map_or(0, |expected| sequence.saturating_sub(expected));
        self.expected = Some(sequence + 1);
        if missing > 0 {
            self.missing += missing;
            self.cause.clear();
            self.cause += source.loss_cause().unwrap_or("between the camera and this program");
        }
    }

    fn tell_if_due(&mut self, now: MonoTime, camera: &CameraId, counters: &Counters) {
        let is_due = self.told_at.is_none_or(|told| now.since(told) >= TOLD_EVERY);
        if is_due && self.dropped + self.missing > 0 {
            self.told_at = Some(now);
            self.tell(camera, counters);
        }
    }

    fn tell(&mut self, camera: &CameraId, counters: &Counters) {
        let (dropped, missing) =
            (std::mem::take(&mut self.dropped), std::mem::take(&mut self.missing));
        if dropped > 0 {
            counters.event(&Event::FrameDropped { camera: camera.clone(), frames: dropped });
        }
        if missing > 0 {
            let (camera, cause) = (camera.clone(), self.cause.clone());
            counters.event(&Event::FramesMissing { camera, frames: missing, cause });
        }
    }
}
