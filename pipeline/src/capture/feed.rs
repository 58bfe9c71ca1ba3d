//! The thread that takes frames from a source and hands them to locate.

use std::sync::Arc;

use domain::{Event, Frame};

use super::{CaptureError, Next, Source};
use crate::clock::Clock;
use crate::link::{LinkSender, Sent, WhenFull};
use crate::stage::{Counters, Timing};

/// What a full link between capture and locate does: replay waits, a live camera can't.
#[must_use]
pub const fn when_full(live: bool) -> WhenFull {
    if live { WhenFull::DropOldest } else { WhenFull::Wait }
}

/// What capture has to say when it is over.
#[derive(Default)]
pub struct CaptureReport {
    /// Time to get each frame, waiting for a live camera included.
    pub timing: Timing,
    /// What went wrong, first things first. Frames before and after are on their way all the same.
    pub errors: Vec<CaptureError>,
}

/// Takes frames until the source ends or the line is asked to stop. A source goes on after an
/// error when it can (the next image) and ends when it can't. Dropping `frames` on return tells
/// the stages after it that there will be no more.
pub fn feed(
    mut source: Box<dyn Source>,
    frames: &LinkSender<Frame>,
    clock: &dyn Clock,
    counters: &Arc<Counters>,
) -> CaptureReport {
    let mut report = CaptureReport::default();
    counters.frames_expected(source.info().frames_total.unwrap_or(0));
    while !counters.asked_to_stop() {
        let start = clock.now();
        let frame = match source.next() {
            Ok(Next::Frame(frame)) => frame,
            Ok(Next::Waiting) => continue,
            Ok(Next::End) => break,
            Err(error) => {
                tracing::error!(target: "capture", "{error}");
                report.errors.push(error);
                continue;
            }
        };
        let now = clock.now();
        report.timing.add(now.since(start));
        counters.frame(frame.at.mono);
        match frames.send(frame) {
            Ok(Sent::Queued) => {}
            Ok(Sent::Dropped(old)) => counters.event(&Event::FrameDropped { camera: old.camera }),
            Err(_) => break,
        }
    }
    report
}
