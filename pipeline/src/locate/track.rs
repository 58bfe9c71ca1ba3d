//! Who is who from frame to frame: takes the blobs of one frame, keeps the tracks.
//!
//! Everything is in cells and frames. Parts on a belt move alike, so a track that is too young
//! to know its own velocity is expected to move as the belt does.

use super::blobs::Blob;
use crate::limits::TRACKS_MAX;

/// A vector in cells a frame.
pub type Velocity = (f32, f32);

/// A track is given up after this many frames without a blob; lost frames don't count.
const MISSED_MAX: u32 = 3;
/// Share of the smaller box that must overlap for a blob to belong to a track.
const OVERLAP_MIN: f32 = 0.4;
/// A patch next to a track's blob joins it while the whole grows at most by this factor.
const GROWTH_MAX: f32 = 1.35;
/// In cells: less is jitter of the outline.
pub const MOVED_MIN: f32 = 3.0;
/// A blob nearer to the border than this, in cells, may go on beyond it: the rim of a part is
/// often darker than the rest.
const BORDER: usize = 2;
/// A track that was seen in so many frames knows its own velocity.
const SETTLED: u32 = 4;
/// Weight of the newest measurement of velocity.
const NEWEST: f32 = 0.4;

/// Where something is expected that went on for several frames, nobody knows how fast.
const NOWHERE: Blob = Blob { x0: 0, y0: 0, x1: 0, y1: 0, cells: 0 };

/// Something that is followed.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its number, in order of appearance.
    pub id: u64,
    /// Where it is now; predicted when it is missed or hidden in a larger blob.
    pub blob: Blob,
    /// How it moves; `None` before two sightings.
    pub velocity: Option<Velocity>,
    /// Frames in which it was seen.
    pub seen: u32,
    /// Frames in which it was looked for and not found since it was seen.
    pub missed: u32,
    /// Farthest distance from where it appeared.
    pub travelled: f32,
    /// Frames in which it stood still while something else moved.
    pub left_behind: u32,
    /// Largest number of cells it had.
    pub cells_max: usize,
    /// Whether it shares its blob with another track now.
    pub shared: bool,
    born_at: (f32, f32),
    subcell: (f32, f32),
}

/// Everything that is followed. Its memory is used again from frame to frame.
pub struct Tracks {
    live: Vec<Track>,
    /// Those that the newest frame ended.
    ended: Vec<Track>,
    next_id: u64,
    /// How the belt moves now; `None` before anything was wholly in view.
    belt: Option<Velocity>,
    predicted: Vec<Blob>,
    claims: Vec<Claim>,
    pieces: Vec<usize>,
    /// Blobs that nobody claims.
    fresh: Vec<usize>,
}

/// A blob of the newest frame that may be what a track follows; both by their places.
struct Claim {
    track: usize,
    blob: usize,
}

impl Default for Tracks {
    fn default() -> Self {
        Self {
            live: Vec::with_capacity(TRACKS_MAX),
            ended: Vec::with_capacity(TRACKS_MAX),
            next_id: 0,
            belt: None,
            predicted: Vec::with_capacity(TRACKS_MAX),
            claims: Vec::with_capacity(TRACKS_MAX),
            pieces: Vec::with_capacity(TRACKS_MAX),
            fresh: Vec::with_capacity(TRACKS_MAX),
        }
    }
}

impl Tracks {
    /// The tracks that go on, in order of appearance.
    #[must_use]
    pub fn live(&self) -> &[Track] {
        &self.live
    }

    /// The tracks that the newest frame ended; they are no longer in [`Tracks::live`].
    #[must_use]
    pub fn ended(&self) -> &[Track] {
        &self.ended
    }

    /// The velocity to expect of `track`.
    #[must_use]
    pub fn velocity_of(&self, track: &Track) -> Option<Velocity> {
        if track.seen < SETTLED {
            self.belt.or(track.velocity)
        } else {
            track.velocity.or(self.belt)
        }
    }

    /// Ends all tracks.
    pub fn end(&mut self) -> Vec<Track> {
        std::mem::take(&mut self.live)
    }

    /// Ends one track.
    pub fn forget(&mut self, id: u64) {
        self.live.retain(|track| track.id != id);
    }

    /// Follows what was located elsewhere as if it had been seen here all along. Gives its number;
    /// `None` when no more can be followed.
    pub fn adopt(&mut self, blob: Blob, velocity: Velocity) -> Option<u64> {
        let id = self.start(blob)?;
        let track = self.live.last_mut()?;
        track.velocity = Some(velocity);
        track.seen = SETTLED;
        track.travelled = MOVED_MIN;
        Some(id)
    }

    /// Takes the blobs of a frame that comes `gap` frames after the one before, which is more than
    /// one where frames were lost; the grid is `width` x `height` cells. What that ended is in
    /// [`Tracks::ended`].
    pub fn follow(&mut self, blobs: &[Blob], (width, height): (usize, usize), gap: u16) {
        let gap = f32::from(gap.max(1));
        self.claim(blobs, gap);
        self.take_where_they_were(blobs, |predicted| gap > 1.0 && gone(predicted, width, height));
        for at in 0..self.live.len() {
            let shared = self.gather(at);
            let Self { predicted, pieces, .. } = self;
            let step = Step { predicted: &predicted[at], pieces, blobs, shared, gap };
            self.live[at].update(step, (width, height), &mut self.fresh);
        }
        self.end_lost(width, height);
        self.learn_belt(width, height);
        self.count_left_behind();
        for at in 0..self.fresh.len() {
            self.start(blobs[self.fresh[at]].clone());
        }
    }

    /// Each blob belongs to the tracks that are expected where it is.
    fn claim(&mut self, blobs: &[Blob], gap: f32) {
        self.predicted.clear();
        for track in &self.live {
            let goes_on = |velocity| moved(track, times(velocity, gap));
            self.predicted.push(if gap > 1.0 {
                // Over several frames the jitter of one outline leads far astray.
                self.belt.or(track.velocity).map_or(NOWHERE, goes_on)
            } else {
                goes_on(self.velocity_of(track).unwrap_or_default())
            });
        }
        self.claims.clear();
        self.fresh.clear();
        for (blob, seen) in blobs.iter().enumerate() {
            let before = self.claims.len();
            let owns = |track: &usize| overlap(&self.predicted[*track], seen) >= OVERLAP_MIN;
            let owners = (0..self.predicted.len()).filter(owns);
            self.claims.extend(owners.map(|track| Claim { track, blob }));
            if self.claims.len() == before {
                self.fresh.push(blob);
            }
        }
    }

    /// A belt that stops or starts makes every prediction wrong for a frame: a blob that nobody
    /// claims goes to a track that found none and was there before. Not where so many frames were
    /// lost that what was there `has_left` meanwhile.
    fn take_where_they_were(&mut self, blobs: &[Blob], has_left: impl Fn(&Blob) -> bool) {
        let Self { live, predicted, claims, fresh, .. } = self;
        fresh.retain(|&blob| {
            let before = |track: &usize| {
                claims.iter().all(|claim| claim.track != *track)
                    && !has_left(&predicted[*track])
                    && overlap(&live[*track].blob, &blobs[blob]) >= OVERLAP_MIN
            };
            let found = (0..live.len()).find(before);
            claims.extend(found.map(|track| Claim { track, blob }));
            found.is_none()
        });
    }

    /// Puts the blobs that the track at `at` claims into `pieces`, and tells whether another track
    /// claims one of them too.
    fn gather(&mut self, at: usize) -> bool {
        let Self { claims, pieces, .. } = self;
        pieces.clear();
        pieces.extend(claims.iter().filter(|claim| claim.track == at).map(|claim| claim.blob));
        let also = |claim: &Claim| claim.track != at && pieces.contains(&claim.blob);
        claims.iter().any(also)
    }

    fn end_lost(&mut self, width: usize, height: usize) {
        let Self { live, ended, .. } = self;
        ended.clear();
        live.retain(|track| {
            let over = track.missed > MISSED_MAX || gone(&track.blob, width, height);
            ended.extend(over.then(|| track.clone()));
            !over
        });
    }

    /// The belt's velocity is that of what is wholly in view.
    fn learn_belt(&mut self, width: usize, height: usize) {
        for track in &self.live {
            let Some(own) = track.velocity else { continue };
            let usable = track.seen >= 3 && track.missed == 0 && !track.shared;
            if usable && inside(&track.blob, width, height) {
                self.belt = Some(blend(self.belt.unwrap_or(own), own, NEWEST));
            }
        }
    }

    /// On a stopped belt nothing is left behind.
    fn count_left_behind(&mut self) {
        let moves = |track: &Track| track.missed == 0 && track.velocity.is_some_and(is_motion);
        let moving = self.live.iter().filter(|track| moves(track)).count();
        for track in &mut self.live {
            let others = moving - usize::from(moves(track));
            let still = track.travelled < MOVED_MIN;
            track.left_behind += u32::from(still && others > 0);
        }
    }

    fn start(&mut self, blob: Blob) -> Option<u64> {
        if self.live.len() >= TRACKS_MAX {
            tracing::warn!(target: "locate", "more things in view than can be followed");
            return None;
        }
        let centre = blob.centre();
        self.live.push(Track {
            id: self.next_id,
            cells_max: blob.cells,
            blob,
            velocity: None,
            seen: 1,
            missed: 0,
            travelled: 0.0,
            left_behind: 0,
            shared: false,
            born_at: centre,
            subcell: (0.0, 0.0),
        });
        self.next_id += 1;
        Some(self.next_id - 1)
    }
}

/// What one frame says of one track.
struct Step<'a> {
    predicted: &'a Blob,
    /// Which of `blobs` belong to it; put in order here.
    pieces: &'a mut [usize],
    blobs: &'a [Blob],
    /// Whether another track claims one of them too.
    shared: bool,
    /// Frames since the one before.
    gap: f32,
}

impl Track {
    /// Goes on to the next frame; the blobs that are too far off to belong to it after all are
    /// `fresh`.
    fn update(&mut self, step: Step<'_>, grid: (usize, usize), fresh: &mut Vec<usize>) {
        let Step { predicted, pieces, blobs, shared, gap } = step;
        self.shared = shared;
        pieces.sort_unstable_by_key(|&piece| (std::cmp::Reverse(blobs[piece].cells), piece));
        let largest = pieces.first().filter(|_| !shared);
        let Some(mut whole) = largest.map(|&piece| blobs[piece].clone()) else {
            // Hidden in a larger blob: it goes on as predicted until the two part again.
            self.coast(predicted, gap);
            self.missed = if shared { 0 } else { self.missed + 1 };
            self.seen += u32::from(shared);
            return;
        };
        for &piece in &pieces[1..] {
            let joined = union(&whole, &blobs[piece]);
            let most = GROWTH_MAX * box_area(predicted).max(box_area(&whole));
            if box_area(&joined) <= most {
                whole = joined;
            } else {
                fresh.push(piece);
            }
        }
        self.see(whole, grid, gap);
    }

    fn see(&mut self, blob: Blob, grid: (usize, usize), gap: f32) {
        if let Some(moved) = measured_step(&self.blob, &blob, grid) {
            let measured = times(moved, 1.0 / gap);
            self.velocity = Some(match self.velocity {
                Some(known) if self.missed == 0 => blend(known, measured, NEWEST),
                // It was not found meanwhile, so the step is in part one that was only expected.
                Some(known) => known,
                None => measured,
            });
        }
        self.seen += 1;
        self.missed = 0;
        self.subcell = (0.0, 0.0);
        self.cells_max = self.cells_max.max(blob.cells);
        self.blob = blob;
        self.measure_travel();
    }

    fn coast(&mut self, predicted: &Blob, gap: f32) {
        let (dx, dy) = times(self.velocity.unwrap_or_default(), gap);
        self.subcell = (
            self.subcell.0 + dx - (predicted.centre().0 - self.blob.centre().0),
            self.subcell.1 + dy - (predicted.centre().1 - self.blob.centre().1),
        );
        self.blob = predicted.clone();
        self.measure_travel();
    }

    fn measure_travel(&mut self) {
        let (x, y) = self.blob.centre();
        let away = length((x - self.born_at.0, y - self.born_at.1));
        self.travelled = self.travelled.max(away);
    }
}

/// Whether the blob keeps clear of the grid's border.
#[must_use]
pub const fn inside(blob: &Blob, width: usize, height: usize) -> bool {
    blob.x0 >= BORDER
        && blob.y0 >= BORDER
        && blob.x1 + BORDER <= width
        && blob.y1 + BORDER <= height
}

/// Whether a velocity is more than jitter of the outline.
fn is_motion(velocity: Velocity) -> bool {
    length(velocity) > 0.3
}

/// Length of a vector.
#[must_use]
pub fn length((x, y): Velocity) -> f32 {
    x.hypot(y)
}

fn times((x, y): Velocity, factor: f32) -> Velocity {
    (x * factor, y * factor)
}

fn blend(old: Velocity, new: Velocity, weight: f32) -> Velocity {
    (old.0 + weight * (new.0 - old.0), old.1 + weight * (new.1 - old.1))
}

/// From edge to edge, leaving out edges that are cut off by the grid's border.
fn measured_step(old: &Blob, new: &Blob, (width, height): (usize, usize)) -> Option<Velocity> {
    let axis = |old: (usize, usize), new: (usize, usize), end: usize| {
        let clear_low = old.0 >= BORDER && new.0 >= BORDER;
        let clear_high = old.1 + BORDER <= end && new.1 + BORDER <= end;
        let low = clear_low.then(|| step(old.0, new.0));
        let high = clear_high.then(|| step(old.1, new.1));
        match (low, high) {
            (Some(low), Some(high)) => Some(f32::midpoint(low, high)),
            (low, high) => low.or(high),
        }
    };
    let x = axis((old.x0, old.x1), (new.x0, new.x1), width);
    let y = axis((old.y0, old.y1), (new.y0, new.y1), height);
    match (x, y) {
        (None, None) => None,
        (x, y) => Some((x.unwrap_or(0.0), y.unwrap_or(0.0))),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a grid is a few hundred cells wide")]
fn step(from: usize, to: usize) -> f32 {
    to as f32 - from as f32
}

/// The track's blob that much farther on, to the nearest cell.
#[expect(clippy::cast_possible_truncation, reason = "rounded, and a grid is small")]
fn moved(track: &Track, (dx, dy): Velocity) -> Blob {
    let shift = |at: usize, by: f32| at.saturating_add_signed(by.round() as isize);
    let (dx, dy) = (dx + track.subcell.0, dy + track.subcell.1);
    let Blob { x0, y0, x1, y1, cells } = track.blob;
    Blob { x0: shift(x0, dx), y0: shift(y0, dy), x1: shift(x1, dx), y1: shift(y1, dy), cells }
}

fn gone(blob: &Blob, width: usize, height: usize) -> bool {
    blob.x0 >= width || blob.y0 >= height || blob.x1 == 0 || blob.y1 == 0
}

#[expect(clippy::cast_precision_loss, reason = "a grid is a few hundred cells wide")]
fn box_area(blob: &Blob) -> f32 {
    ((blob.x1 - blob.x0) * (blob.y1 - blob.y0)) as f32
}

fn union(a: &Blob, b: &Blob) -> Blob {
    Blob {
        x0: a.x0.min(b.x0),
        y0: a.y0.min(b.y0),
        x1: a.x1.max(b.x1),
        y1: a.y1.max(b.y1),
        cells: a.cells + b.cells,
    }
}

/// Share of the smaller box that lies in both.
fn overlap(a: &Blob, b: &Blob) -> f32 {
    if !a.meets(b) {
        return 0.0;
    }
    let both = Blob {
        x0: a.x0.max(b.x0),
        y0: a.y0.max(b.y0),
        x1: a.x1.min(b.x1),
        y1: a.y1.min(b.y1),
        cells: 0,
    };
    box_area(&both) / box_area(a).min(box_area(b)).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(x0: usize, y0: usize) -> Blob {
        Blob { x0, y0, x1: x0 + 10, y1: y0 + 10, cells: 100 }
    }

    #[test]
    fn a_part_keeps_its_identity_through_a_gap() {
        let mut tracks = Tracks::default();
        for x in (5..40).step_by(3) {
            tracks.follow(&[blob(x, 20)], (100, 50), 1);
        }
        tracks.follow(&[], (100, 50), 1);
        tracks.follow(&[blob(44, 20)], (100, 50), 1);
        assert_eq!(tracks.live().len(), 1);
        assert_eq!(tracks.live()[0].id, 0);
        assert!((tracks.belt.unwrap().0 - 3.0).abs() < 0.1);
    }

    #[test]
    fn two_that_touch_for_a_while_stay_two() {
        let mut tracks = Tracks::default();
        for x in (5..32).step_by(3) {
            tracks.follow(&[blob(x, 5), blob(x, 20)], (100, 50), 1);
        }
        for x in (32..47).step_by(3) {
            let both = Blob { x0: x, y0: 5, x1: x + 10, y1: 30, cells: 220 };
            tracks.follow(&[both], (100, 50), 1);
            assert!(tracks.live().iter().all(|track| track.shared));
        }
        tracks.follow(&[blob(47, 5), blob(47, 20)], (100, 50), 1);
        let ids: Vec<u64> = tracks.live().iter().map(|track| track.id).collect();
        assert_eq!(ids, [0, 1]);
    }

    #[test]
    fn what_leaves_is_ended_once() {
        let mut tracks = Tracks::default();
        let mut ended = 0;
        for x in (5..140).step_by(5) {
            let x1 = (x + 10).min(100);
            let view = (x < 100).then_some(Blob { x0: x, y0: 5, x1, y1: 15, cells: 100 });
            tracks.follow(view.as_slice(), (100, 50), 1);
            ended += tracks.ended().len();
        }
        assert_eq!((ended, tracks.live().len()), (1, 0));
    }
}
