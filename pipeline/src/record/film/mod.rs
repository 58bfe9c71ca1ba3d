//! The film: the last seconds of a camera, small, in memory of a fixed size. Takes some of the
//! camera's frames and what became of its parts; gives the pictures around the parts that were
//! rejected or undecided.
//!
//! Its thread comes after everything else on the machine. It lets go of a camera's buffer as soon
//! as it has shrunk it, and whoever takes its reel may be as slow as the memory lasts.

pub mod desk;
pub mod shrink;
mod stock;
pub mod wants;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use domain::{CameraId, Event, Frame, SizePx, Stage};
use serde::Deserialize;
use thiserror::Error;

use super::reel::{FilmPicture, Note, Reel};
use crate::clock::Clock;
use crate::limits;
use crate::link::{LinkReceiver, LinkSender, Received};
use crate::stage::Counters;
use desk::{Desk, Windows};
use shrink::{Shrinker, bytes_of};
use stock::Stock;

/// How a line is filmed: `[film]` of the station file.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FilmConfig {
    /// The longer side of its pictures, in pixels; never more than the camera's.
    pub longer_side_px: u32,
    /// Pictures a second; never more than the camera's.
    pub fps: u32,
    /// How long before a part a clip begins, in milliseconds.
    pub before_ms: u32,
    /// How long after a part it ends.
    pub after_ms: u32,
    /// The longest a clip may be, in milliseconds; what follows begins the next one.
    pub clip_max_ms: u32,
    /// Memory for the film of one camera, in MiB.
    pub memory_mib: u32,
}

impl Default for FilmConfig {
    fn default() -> Self {
        Self {
            longer_side_px: 1280,
            fps: 30,
            before_ms: 1000,
            after_ms: 1000,
            clip_max_ms: 20_000,
            memory_mib: 256,
        }
    }
}

/// A line can't be filmed like that.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FilmError {
    /// A number that makes no sense.
    #[error("film.{key} is {value}; it must be {least} to {most}")]
    Range {
        /// The key.
        key: &'static str,
        /// As written.
        value: u32,
        /// The least that is right.
        least: u32,
        /// The most that is right.
        most: u32,
    },
    /// The film is larger than its memory.
    #[error(
        "film.memory_mib is {memory_mib}, and the film needs {needed_mib}: {pictures} pictures of \
         up to {longer_side_px}x{longer_side_px}; it must be at least {needed_mib}, or \
         film.longer_side_px, film.fps or film.before_ms smaller"
    )]
    Memory {
        /// As written.
        memory_mib: u32,
        /// What would do.
        needed_mib: u64,
        /// How many pictures are held at the same time.
        pictures: u64,
        /// As written.
        longer_side_px: u32,
    },
}

/// A film's measures, checked.
#[derive(Clone, Copy, Debug)]
pub struct Measures {
    /// The times that rule.
    pub windows: Windows,
    /// How many pictures there is memory for.
    pub pictures: usize,
    /// Bytes of the largest.
    pub picture_bytes: usize,
    /// The longer side of each.
    pub longer_side_px: u32,
}

impl FilmConfig {
    /// The measures of the film of a line whose parts are answered within `budget`.
    ///
    /// # Errors
    /// Says which key is wrong, and what would be right.
    pub fn check(&self, budget: Duration) -> Result<Measures, FilmError> {
        within("longer_side_px", self.longer_side_px, 16, 4096)?;
        within("fps", self.fps, 1, 240)?;
        within("before_ms", self.before_ms, 0, 60_000)?;
        within("after_ms", self.after_ms, 0, 60_000)?;
        within("clip_max_ms", self.clip_max_ms, 1000, 600_000)?;
        within("memory_mib", self.memory_mib, 1, 65_536)?;
        let ms = |ms: u32| Duration::from_millis(ms.into());
        let period = Duration::from_secs(1) / self.fps;
        let delay = ms(self.before_ms) + budget + limits::FILM_SLACK;
        // A camera's shape is not known before its first frame: square is the largest. What is
        // not needed is never touched.
        let picture_bytes = bytes_of(SizePx::new(self.longer_side_px, self.longer_side_px));
        let waiting = u64::try_from(delay.as_nanos().div_ceil(period.as_nanos().max(1)));
        let waiting = waiting.unwrap_or(u64::MAX / 2);
        let needed = waiting.saturating_add(limits::REEL_WAITING as u64 + PICTURES_IN_HAND);
        let granted = u64::from(self.memory_mib) << 20;
        let (bytes, longer_side_px) = (picture_bytes as u64, self.longer_side_px);
        if granted / bytes < needed {
            let needed_mib = needed.saturating_mul(bytes).div_ceil(1 << 20);
            let memory_mib = self.memory_mib;
            let pictures = needed;
            return Err(FilmError::Memory { memory_mib, needed_mib, pictures, longer_side_px });
        }
        let pictures = usize::try_from(granted / bytes).unwrap_or(0);
        let (before, after) = (ms(self.before_ms), ms(self.after_ms));
        let clip_max = ms(self.clip_max_ms);
        let windows = Windows { before, after, clip_max, period, delay };
        Ok(Measures { windows, pictures, picture_bytes, longer_side_px })
    }
}

/// Pictures that are neither in the film nor in a link: being shrunk, being encoded.
const PICTURES_IN_HAND: u64 = 4;

const fn within(key: &'static str, value: u32, least: u32, most: u32) -> Result<(), FilmError> {
    if least <= value && value <= most {
        return Ok(());
    }
    Err(FilmError::Range { key, value, least, most })
}

/// How a line is filmed, and where its reels go.
pub struct FilmSetup {
    /// As configured.
    pub config: FilmConfig,
    /// The cameras that are filmed, each with its way to the clip thread: a link of
    /// [`limits::REEL_WAITING`] that waits when it is full. The film itself never waits for it
    /// while a live line runs.
    pub reels: BTreeMap<CameraId, LinkSender<Reel>>,
}

/// A frame for the film, and which it is of those that were given to it, from 0.
pub type Tapped = (u64, Frame);

/// The thread `film-<camera>`.
pub struct Film {
    /// Whose film.
    pub camera: CameraId,
    /// Its measures.
    pub measures: Measures,
    /// Whether frames come at their own pace. Otherwise the film waits for who takes its reel,
    /// and a picture leaves when its memory is needed.
    pub live: bool,
    /// Some of the camera's frames.
    pub frames: LinkReceiver<Tapped>,
    /// Parts that are to be seen.
    pub wants: LinkReceiver<Arc<Note>>,
    /// Where the reel goes.
    pub reels: LinkSender<Reel>,
    /// The line's counters.
    pub counters: Arc<Counters>,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
}

/// What the thread works with.
struct Work {
    desk: Desk,
    stock: Stock,
    shrinker: Shrinker,
    /// The number of the next frame.
    expected: u64,
}

impl Film {
    /// Runs until both links are closed; then hands on what is wanted, and ends.
    pub fn run(self) {
        let Measures { windows, pictures, picture_bytes, longer_side_px } = self.measures;
        let mut work = Work {
            desk: Desk::new(self.camera.clone(), windows, pictures),
            stock: Stock::new(pictures, picture_bytes),
            shrinker: Shrinker::new(longer_side_px),
            expected: 0,
        };
        while self.turn(&mut work) {
            if self.live {
                work.desk.tick(self.clock.now());
            }
            self.deliver(&mut work.desk);
            self.count(&mut work.desk);
        }
        work.desk.finish();
        self.hand_over(&mut work.desk);
        self.count(&mut work.desk);
    }

    /// Waits for something and takes all there is, so that no picture is judged without what is
    /// known of it. Whether there may be more.
    fn turn(&self, work: &mut Work) -> bool {
        let (mut open, mut first) = (false, None);
        match self.frames.recv_within(limits::FILM_LOOK) {
            Received::Item(tapped) => (open, first) = (true, Some(tapped)),
            Received::Nothing => open = true,
            Received::Closed => match self.wants.recv_within(limits::FILM_LOOK) {
                Received::Item(note) => {
                    work.desk.want(note);
                    open = true;
                }
                Received::Nothing => open = true,
                Received::Closed => {}
            },
        }
        while let Some(note) = self.wants.try_recv() {
            work.desk.want(note);
        }
        if let Some(tapped) = first {
            self.see(work, tapped);
        }
        // No more than there can be, so that a turn ends.
        for _ in 0..limits::FILM_FRAMES_WAITING {
            let Some(tapped) = self.frames.try_recv() else { break };
            self.see(work, tapped);
        }
        open
    }

    fn see(&self, work: &mut Work, (number, frame): Tapped) {
        let lost = number.saturating_sub(work.expected);
        work.expected = number + 1;
        work.desk.set_frame_size(frame.size());
        let at = frame.at.mono;
        let is_ahead = self.live && at > self.clock.now().plus(limits::FILM_SLACK);
        if is_ahead || !work.desk.follows(at) {
            // Of a clock that jumped; there is no place for it.
            return self.counters.clips.picture_dropped(1);
        }
        let picture = self.shrink(work, frame);
        match &picture {
            Some(_) => self.counters.clips.picture(),
            None => self.counters.clips.picture_dropped(1),
        }
        work.desk.see(at, self.clock.wall_is_synced(), picture, lost);
    }

    /// The picture of `frame`, which is let go; `None` when there is no memory for it.
    fn shrink(&self, work: &mut Work, frame: Frame) -> Option<FilmPicture> {
        let mut bytes = loop {
            if let Some(bytes) = work.stock.take() {
                break bytes;
            }
            if !self.live {
                self.wait_for_memory(work);
            } else if !work.desk.make_room() {
                return None;
            }
        };
        let whole = self.measures.picture_bytes;
        if bytes.bytes.capacity() < whole {
            return None;
        }
        let size = shrink::film_size(frame.size(), self.measures.longer_side_px);
        bytes.bytes.resize(bytes_of(size), 0);
        let shrunk = catch_unwind(AssertUnwindSafe(|| {
            work.shrinker.shrink(&*frame.pixels, &mut bytes.bytes)
        }));
        if shrunk.is_err() {
            let message = format!("{}: the film could not shrink {frame:?}", self.camera);
            self.counters.event(&Event::StageFailed { stage: Stage::Record, message });
            work.shrinker = Shrinker::new(self.measures.longer_side_px);
            return None;
        }
        Some(FilmPicture { size, bytes, at: frame.at, sequence: frame.sequence })
    }

    /// In replay: the oldest picture leaves, or whoever has one gives it back.
    fn wait_for_memory(&self, work: &mut Work) {
        let has_left = work.desk.leave_oldest();
        self.deliver(&mut work.desk);
        if !has_left && let Ok(bytes) = work.stock.given_back().recv_timeout(limits::STOP_LOOK) {
            work.stock.put(bytes);
        }
    }

    /// Hands on what is ready, as far as there is room; in replay all.
    fn deliver(&self, desk: &mut Desk) {
        desk.deliver(|reel| {
            if self.live {
                return self.reels.try_send(reel);
            }
            // Nobody there to take it is the line ending.
            let _ = self.reels.send(reel);
            Ok(())
        });
    }

    /// Hands on all that is left, however slow it is taken, within reason.
    fn hand_over(&self, desk: &mut Desk) {
        let end = self.clock.now().plus(limits::FILM_FINISH);
        desk.deliver(|reel| self.reels.send_within(reel, end.since(self.clock.now())));
        desk.give_up();
    }

    fn count(&self, desk: &mut Desk) {
        let counted = desk.take_counted();
        self.counters.clips.add(counted.begun, counted.missing, counted.wants_dropped);
    }
}
