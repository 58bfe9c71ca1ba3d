//! Which pictures become clips. Takes small pictures as they come, what is wanted of them, and the
//! time; gives the reel. Knows no thread and no clock.
//!
//! A picture waits until nobody can want it any more. Then it is in a clip exactly when it lies
//! within the window of a part; windows that touch are one clip. What is not there and should be
//! (dropped before it came, given up for its memory, asked for too late) is counted in its clip.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use domain::{CameraId, MonoTime, SizePx};
use store::{ClipClass, VerdictWord};

use super::super::reel::{FilmPicture, Note, Reel};
use crate::limits;

/// The times that rule.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// How long before a part a clip begins.
    pub before: Duration,
    /// How long after it a clip ends.
    pub after: Duration,
    /// The longest a clip may be, from its first picture to its last.
    pub clip_max: Duration,
    /// From one picture of the film to the next.
    pub period: Duration,
    /// How old a picture is when it leaves: nobody wants it later.
    pub delay: Duration,
}

/// What happened, for the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Clips begun.
    pub begun: u64,
    /// Pictures that should be in a clip and are not.
    pub missing: u64,
    /// Parts that were given up because too many were wanted at once.
    pub wants_dropped: u64,
}

/// A moment of the film. Without its picture it is one that is missing.
struct Slot {
    at: MonoTime,
    clock_is_synced: bool,
    picture: Option<FilmPicture>,
}

/// A clip that is not over.
struct Open {
    /// To here windows cover all the time since it began.
    until: MonoTime,
    /// Its first picture; `None` while all that should be in it is missing.
    first: Option<(MonoTime, SizePx)>,
    notes: Vec<Arc<Note>>,
    missing: u64,
}

/// The desk of one camera.
pub struct Desk {
    camera: CameraId,
    windows: Windows,
    slots_max: usize,
    /// What may still be wanted, oldest first.
    slots: VecDeque<Slot>,
    newest: Option<MonoTime>,
    /// By time.
    wants: Vec<Arc<Note>>,
    open: Option<Open>,
    /// When pictures left that nobody wanted, for who comes too late; oldest first.
    let_go: VecDeque<MonoTime>,
    /// What is ready and was not taken yet. Each clip in it has a picture, but for the first,
    /// whose pictures may be taken already.
    reel: VecDeque<Reel>,
    /// Exposure of each picture of the clip that is being taken.
    taken: Vec<MonoTime>,
    frame_size: SizePx,
    counted: Counted,
}

fn at_of(note: &Note) -> MonoTime {
    note.part.at.mono
}

const fn minus(at: MonoTime, by: Duration) -> MonoTime {
    MonoTime::from_ns(at.ns.saturating_sub(as_ns(by)))
}

/// Nanoseconds of a duration from the configuration.
const fn as_ns(of: Duration) -> u64 {
    of.as_secs().saturating_mul(1_000_000_000).saturating_add(of.subsec_nanos() as u64)
}

impl Desk {
    /// A desk for a film of `pictures`.
    #[must_use]
    pub fn new(camera: CameraId, windows: Windows, pictures: usize) -> Self {
        let slots_max = 2 * pictures.max(1);
        let in_clip = windows.clip_max.as_nanos() / windows.period.as_nanos().max(1);
        Self {
            camera,
            windows,
            slots_max,
            slots: VecDeque::with_capacity(slots_max),
            newest: None,
            wants: Vec::with_capacity(limits::NOTES_HELD),
            open: None,
            let_go: VecDeque::with_capacity(slots_max),
            reel: VecDeque::with_capacity(slots_max),
            taken: Vec::with_capacity(2 * usize::try_from(in_clip).unwrap_or(0)),
            frame_size: SizePx::new(0, 0),
            counted: Counted::default(),
        }
    }

    /// What happened since this was asked last.
    pub fn take_counted(&mut self) -> Counted {
        std::mem::take(&mut self.counted)
    }

    /// Size of the camera's frames, for notes that do not know it.
    pub fn set_frame_size(&mut self, size: SizePx) {
        self.frame_size = size;
    }

    /// Whether a picture exposed at `at` can follow what is there: clips only go forward.
    #[must_use]
    pub fn follows(&self, at: MonoTime) -> bool {
        self.newest.is_none_or(|newest| at > newest)
    }

    /// Takes the next picture, or learns that it is missing, and that `lost` before it are. It
    /// must [follow](Self::follows).
    pub fn see(
        &mut self,
        at: MonoTime,
        clock_is_synced: bool,
        picture: Option<FilmPicture>,
        lost: u64,
    ) {
        if let Some(newest) = self.newest {
            // Exposed evenly between the two, as far as anyone knows.
            let lost = lost.min(self.slots_max as u64 / 2);
            let step = as_ns(at.since(newest)) / (lost + 1);
            for nth in 1..=lost {
                let at = MonoTime::from_ns(newest.ns + nth * step);
                self.put(Slot { at, clock_is_synced, picture: None });
            }
        }
        self.newest = Some(at);
        self.put(Slot { at, clock_is_synced, picture });
    }

    fn put(&mut self, slot: Slot) {
        if self.slots.len() >= self.slots_max {
            self.leave_oldest();
        }
        self.slots.push_back(slot);
    }

    /// Learns of a part that is to be in a clip.
    pub fn want(&mut self, mut note: Arc<Note>) {
        if note.frame_size.area() == 0 {
            Arc::make_mut(&mut note).frame_size = self.frame_size;
        }
        if self.wants.len() >= limits::NOTES_HELD {
            self.wants.remove(0);
            self.counted.wants_dropped += 1;
        }
        self.come_too_late(&note);
        let place = self.wants.partition_point(|other| at_of(other) <= at_of(&note));
        self.wants.insert(place, note);
    }

    /// Counts what `note` wants and has left already.
    fn come_too_late(&mut self, note: &Arc<Note>) {
        let before = self.let_go.len();
        let windows = self.windows;
        self.let_go.retain(|at| !windows.covers(note, *at));
        let missing = (before - self.let_go.len()) as u64;
        if missing > 0 {
            let until = at_of(note).plus(windows.after);
            self.counted.missing += missing;
            let open = self.open.get_or_insert_with(|| Open::from(until));
            open.missing += missing;
            open.add(note);
        }
    }

    /// Lets leave what is old enough at `now`, and ends the clip whose time is over.
    pub fn tick(&mut self, now: MonoTime) {
        let Some(horizon) = now.ns.checked_sub(as_ns(self.windows.delay)) else { return };
        let horizon = MonoTime::from_ns(horizon);
        while self.slots.front().is_some_and(|slot| slot.at <= horizon) {
            self.leave_oldest();
        }
        self.end_before(horizon);
    }

    /// Lets the oldest picture leave, however old. Whether there was one.
    pub fn leave_oldest(&mut self) -> bool {
        let Some(Slot { at, clock_is_synced, picture }) = self.slots.pop_front() else {
            return false;
        };
        self.end_before(at);
        if !self.wants.iter().any(|note| self.windows.covers(note, at)) {
            if self.let_go.len() >= self.slots_max {
                self.let_go.pop_front();
            }
            self.let_go.push_back(at);
        } else if let Some(picture) = picture {
            self.keep(picture, clock_is_synced);
        } else {
            self.miss(at);
        }
        true
    }

    /// Ends the open clip if windows do not cover all the time up to `at`; forgets what is over.
    fn end_before(&mut self, at: MonoTime) {
        if let Some(open) = &mut self.open {
            open.extend(&self.wants, &self.windows);
            if open.until < at {
                self.end();
            }
        }
        let after = self.windows.after;
        self.wants.retain(|note| at_of(note).plus(after) >= at);
    }

    fn miss(&mut self, at: MonoTime) {
        self.counted.missing += 1;
        let open = self.open.get_or_insert_with(|| Open::from(at));
        open.missing += 1;
        let covering = self.wants.iter().filter(|note| self.windows.covers(note, at));
        covering.for_each(|note| open.add(note));
    }

    fn keep(&mut self, picture: FilmPicture, clock_is_synced: bool) {
        let (at, size) = (picture.at.mono, picture.size);
        let covering = self.wants.iter().filter(|note| self.windows.covers(note, at));
        let notes: Vec<Arc<Note>> = covering.cloned().collect();
        if self.open.as_ref().is_some_and(|open| open.is_full(at, size, &notes, &self.windows)) {
            self.end();
        }
        let open = self.open.get_or_insert_with(|| Open::from(at));
        if open.first.is_none() {
            open.first = Some((at, size));
            self.counted.begun += 1;
            self.reel.push_back(Reel::Begin { camera: self.camera.clone(), clock_is_synced });
        }
        notes.iter().for_each(|note| open.add(note));
        self.reel.push_back(Reel::Picture(picture, notes));
    }

    fn end(&mut self) {
        let Some(Open { first: Some(_), mut notes, missing, .. }) = self.open.take() else {
            return;
        };
        notes.sort_by_key(|note| at_of(note));
        let rejected = notes.iter().any(|note| note.part.verdict == VerdictWord::Reject);
        let class = if rejected { ClipClass::Rejected } else { ClipClass::Undecided };
        self.reel.push_back(Reel::End { class, notes, pictures_missing: missing });
    }

    /// The line is over: whatever is wanted leaves, and the open clip ends.
    pub fn finish(&mut self) {
        while self.leave_oldest() {}
        self.end();
    }

    /// Gives up the picture whose memory is missed least: the oldest that is ready, or else the
    /// oldest of all. Whether there was one.
    pub fn make_room(&mut self) -> bool {
        // A clip has at least one picture; the first is never given up.
        let is_first = |at: usize| match at.checked_sub(1) {
            Some(before) => matches!(self.reel[before], Reel::Begin { .. }),
            None => self.taken.is_empty(),
        };
        let is_spare = |at: usize| matches!(self.reel[at], Reel::Picture(..)) && !is_first(at);
        if let Some(place) = (0..self.reel.len()).find(|at| is_spare(*at)) {
            self.reel.remove(place);
            self.counted.missing += 1;
            let end = self.reel.iter_mut().skip(place).find_map(|reel| match reel {
                Reel::End { pictures_missing, .. } => Some(pictures_missing),
                _ => None,
            });
            if let Some(missing) = end.or(self.open.as_mut().map(|open| &mut open.missing)) {
                *missing += 1;
            }
            return true;
        }
        self.slots.iter_mut().any(|slot| slot.picture.take().is_some())
    }

    /// Hands what is ready to `take`, which gives it back when it has no room.
    pub fn deliver(&mut self, mut take: impl FnMut(Reel) -> Result<(), Reel>) {
        while let Some(mut reel) = self.reel.pop_front() {
            let at = match &mut reel {
                Reel::Begin { .. } => {
                    self.taken.clear();
                    None
                }
                Reel::Picture(picture, _) => Some(picture.at.mono),
                Reel::End { notes, .. } => {
                    notes.iter_mut().for_each(|note| self.point_out(note));
                    None
                }
            };
            match take(reel) {
                Ok(()) => self.taken.extend(at),
                Err(reel) => return self.reel.push_front(reel),
            }
        }
    }

    /// How many pictures are here.
    #[must_use]
    pub fn held(&self) -> usize {
        let ready = self.reel.iter().filter(|reel| matches!(reel, Reel::Picture(..))).count();
        ready + self.slots.iter().filter(|slot| slot.picture.is_some()).count()
    }

    /// Nobody takes what is left.
    pub fn give_up(&mut self) {
        let pictures = self.reel.drain(..).filter(|reel| matches!(reel, Reel::Picture(..)));
        self.counted.missing += pictures.count() as u64;
    }

    /// Says which picture shows the part: the nearest, if it is near enough.
    fn point_out(&self, note: &mut Arc<Note>) {
        let at = at_of(note);
        let off = |picture: MonoTime| picture.since(at).max(at.since(picture));
        let near = self.taken.iter().enumerate().filter(|(_, t)| off(**t) <= self.windows.period);
        let nearest = near.min_by_key(|(_, t)| off(**t)).map(|(index, _)| index as u64);
        if note.part.picture != nearest {
            Arc::make_mut(note).part.picture = nearest;
        }
    }
}

impl Windows {
    /// Whether a picture exposed at `at` is to be in a clip for `note`.
    #[must_use]
    pub fn covers(&self, note: &Note, at: MonoTime) -> bool {
        minus(at_of(note), self.before) <= at && at <= at_of(note).plus(self.after)
    }
}

impl Open {
    const fn from(until: MonoTime) -> Self {
        Self { until, first: None, notes: Vec::new(), missing: 0 }
    }

    /// Moves the end on as far as windows follow without a gap.
    fn extend(&mut self, wants: &[Arc<Note>], windows: &Windows) {
        // By time, and all windows are alike.
        for note in wants {
            if minus(at_of(note), windows.before) <= self.until {
                self.until = self.until.max(at_of(note).plus(windows.after));
            }
        }
    }

    /// Whether a picture of `size` exposed at `at` belongs into the next clip.
    fn is_full(&self, at: MonoTime, size: SizePx, notes: &[Arc<Note>], windows: &Windows) -> bool {
        let Some((first, its_size)) = self.first else { return false };
        let new = notes.iter().filter(|note| !self.has(note)).count();
        at.since(first) > windows.clip_max
            || size != its_size
            || self.notes.len() + new > limits::NOTES_HELD
    }

    fn has(&self, note: &Arc<Note>) -> bool {
        self.notes.iter().rev().any(|other| other.part.part == note.part.part)
    }

    fn add(&mut self, note: &Arc<Note>) {
        if !self.has(note) {
            self.notes.push(Arc::clone(note));
        }
    }
}
