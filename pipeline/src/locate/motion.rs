//! Parts on a belt under a free-running camera: background, blobs, tracks, then one decision
//! for each part.
//!
//! Takes frames; gives what was located. A part is located in the frame in which it lies wholly
//! inside the region and nearest its middle: the first frame at which the next one would be
//! farther, so nothing waits. With several views these are spread evenly along the way. A part
//! that is never wholly inside, or that is larger than one part can be, is given all the same,
//! marked as such.

use domain::recipe::{Motion, Touching};
use domain::{BeltMotion, CaptureTime, Event, Frame, PartCondition, PointPx, RectPx};

use super::background::Background;
use super::blobs::{Blob, BlobFinder, Single};
use super::finder::Finds;
use super::sightings::{Files, Sighting};
use super::thin::{Grid, Thin};
use super::track::{self, Track, Tracks};
use super::{Located, LocatedView};
use crate::limits;

/// Share of the picture that must change for it to be the lamp or the camera, not parts.
const RELEARN_SHARE: f64 = 0.9;
/// For how many frames.
const RELEARN_FRAMES: usize = 60;
/// From so many on no part would be seen.
const BLIND_FRAMES: usize = 15;
/// Something that was left behind in this many frames is part of the belt.
const GHOST_FRAMES: u32 = 90;
/// What a part usually has, as a share of the largest.
const USUAL_SHARE: f32 = 0.7;
/// Sightings below which something is a flicker.
const SEEN_MIN: u32 = 3;
/// Share of the region's length that a part which is never wholly inside must travel, so that a
/// hand at the border is not a part.
const CUT_TRAVEL_SHARE: f32 = 0.25;

/// A camera that gave no frame for so long, in seconds and in frames' times, was away: it counts
/// on where it left off, whatever passed meanwhile.
const AWAY: (f64, f64) = (1.0, 10.0);

/// What the motion locator is made of.
pub struct MotionLocator {
    rule: Motion,
    region: Option<RectPx>,
    hold_while_learning: bool,
    grid: Option<Grid>,
    /// `None` until the belt is learnt.
    background: Option<Background>,
    learning: Vec<Thin>,
    held: Vec<Frame>,
    thin: Thin,
    bits: Vec<bool>,
    finder: BlobFinder,
    tracks: Tracks,
    files: Files,
    changed: Vec<Thin>,
    typical_cells: Option<f32>,
    last_step_s: Option<f64>,
    /// Number and time of the newest frame.
    last: Option<(u64, CaptureTime)>,
}

/// Something in view that another finder has located.
#[derive(Clone, Copy, Debug)]
pub struct InView {
    box_in_frame: RectPx,
    /// Pixels a frame.
    velocity_px: (f32, f32),
}

impl MotionLocator {
    /// A locator by `rule` in `region`, or in the whole picture. `hold_while_learning` keeps the
    /// frames of the learning time and looks at them afterwards (replay); otherwise they are let
    /// go (live cameras, whose buffers are few), and parts that pass meanwhile are not seen.
    #[must_use]
    pub fn new(rule: &Motion, region: Option<RectPx>, hold_while_learning: bool) -> Self {
        Self {
            rule: rule.clone(),
            region,
            hold_while_learning,
            grid: None,
            background: None,
            learning: Vec::new(),
            held: Vec::new(),
            thin: Thin::default(),
            bits: Vec::new(),
            finder: BlobFinder::default(),
            tracks: Tracks::default(),
            files: Files::default(),
            changed: Vec::new(),
            typical_cells: None,
            last_step_s: None,
            last: None,
        }
    }

    /// Goes on by another rule, where what was learnt and what is followed still hold. `false`
    /// when they don't, and nothing is changed.
    pub fn adapt(&mut self, rule: &Motion, region: Option<RectPx>) -> bool {
        let sees_alike = self.region == region
            && self.rule.contrast == rule.contrast
            && self.rule.differ_in == rule.differ_in
            && self.rule.parts_are == rule.parts_are;
        if sees_alike {
            self.rule = rule.clone();
        }
        sees_alike
    }

    /// Whether the belt is known and the picture looks like it.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.background.is_some() && self.changed.len() < BLIND_FRAMES
    }

    /// Whether something is followed that has not been located.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.held.is_empty() || self.tracks.live().iter().any(|t| !self.files.is_done(t.id))
    }

    /// Looks at the next frame.
    pub fn see(&mut self, frame: Frame, out: &mut Finds) {
        if self.background.is_some() {
            self.look(&frame, out);
            return;
        }
        let is_learnt = self.learn_from(&frame);
        if self.hold_while_learning {
            self.held.push(frame);
        }
        if is_learnt {
            self.look_at_held(out);
        }
    }

    /// Learns from a frame in which another finder looks for parts.
    pub fn prepare(&mut self, frame: &Frame) {
        let (Some(grid), Some(background)) = (self.grid, &mut self.background) else {
            self.learn_from(frame);
            return;
        };
        self.thin.sample(&*frame.pixels, &grid, self.rule.differ_in);
        background.foreground(&self.thin, &mut self.bits);
        background.follow(&self.thin, &self.bits);
    }

    /// The footage is over: gives what is still in view.
    pub fn end(&mut self, out: &mut Finds) {
        if self.background.is_none() && !self.learning.is_empty() {
            self.learn();
            self.look_at_held(out);
        }
        for track in self.tracks.end() {
            self.conclude(&track, true, out);
        }
    }

    /// Ends here, and gives what another finder must not locate again. What is a part by now is
    /// located as far as it was seen; what is too young to be called one is left to the other.
    pub fn hand_over(&mut self, out: &mut Finds) -> Vec<InView> {
        let Some(grid) = self.grid else { return Vec::new() };
        let mut in_view = Vec::new();
        for track in self.tracks.end() {
            if self.files.is_done(track.id) || self.is_part(&track, &grid) {
                in_view.push(seen_by_others(&track, self.tracks.velocity_of(&track), &grid));
                self.conclude(&track, true, out);
            } else {
                self.files.close(track.id);
            }
        }
        in_view
    }

    /// Goes on in view of what was located elsewhere. What is not in its region is not followed.
    pub fn adopt(&mut self, in_view: &[InView]) {
        let Some(grid) = self.grid else { return };
        for other in in_view {
            let Some((blob, velocity)) = seen_here(other, &grid) else { continue };
            if let Some(track) = self.tracks.adopt(blob, velocity) {
                self.files.open(track).done = true;
            }
        }
    }

    /// Whether that was enough to know the belt.
    fn learn_from(&mut self, frame: &Frame) -> bool {
        let whole = frame.size().rect();
        let region = self.region.unwrap_or(whole);
        let grid = *self.grid.get_or_insert_with(|| Grid::new(region, limits::THIN_CELLS_MAX));
        let mut thin = Thin::default();
        thin.sample(&*frame.pixels, &grid, self.rule.differ_in);
        self.learning.push(thin);
        let is_learnt = self.learning.len() >= usize::from(self.rule.learn_frames);
        if is_learnt {
            self.learn();
        }
        is_learnt
    }

    fn learn(&mut self) {
        let samples = std::mem::take(&mut self.learning);
        let Motion { contrast, parts_are, .. } = self.rule;
        self.background = Some(Background::learn(&samples, contrast, parts_are));
    }

    fn look_at_held(&mut self, out: &mut Finds) {
        for frame in std::mem::take(&mut self.held) {
            self.look(&frame, out);
        }
    }

    fn look(&mut self, frame: &Frame, out: &mut Finds) {
        let (Some(grid), Some(background)) = (self.grid, &self.background) else { return };
        self.thin.sample(&*frame.pixels, &grid, self.rule.differ_in);
        let count = background.foreground(&self.thin, &mut self.bits);
        let gap = self.keep_time(frame);
        self.watch_for_change(&grid, count, frame, out);
        if let Some(background) = &mut self.background {
            background.follow(&self.thin, &self.bits);
        }
        let cells_min = self.rule.min_area_px.div_ceil(grid.cell_area_px()).max(2);
        let cells_min = usize::try_from(cells_min).unwrap_or(usize::MAX);
        let single = (self.rule.touching == Touching::Split).then(|| self.split_at(&grid));
        // A part that is only half in view is followed too.
        let blobs = self.finder.find(&self.bits, grid.width, cells_min.div_ceil(4), single);
        self.tracks.follow(blobs, (grid.width, grid.height), gap);
        for at in 0..self.tracks.ended().len() {
            let track = self.tracks.ended()[at].clone();
            self.conclude(&track, false, out);
        }
        for at in 0..self.tracks.live().len() {
            self.attend(at, frame, &grid, out);
        }
        self.drop_ghosts(frame, out);
    }

    /// Gives how many frames after the one before `frame` is: one, and one more for each that was
    /// lost.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    fn keep_time(&mut self, frame: &Frame) -> u16 {
        let Some((number, at)) = self.last.replace((frame.sequence, frame.at)) else { return 1 };
        let passed_s = frame.at.mono.since(at.mono).as_secs_f64();
        let counted = frame.sequence.saturating_sub(number).clamp(1, u64::from(u16::MAX)) as u16;
        let by_time = self.last_step_s.map_or(0.0, |step_s| passed_s / step_s);
        let was_away = passed_s > AWAY.0 && by_time > AWAY.1 * f64::from(counted);
        let gap = if was_away { by_time as u16 } else { counted };
        let step_s = passed_s / f64::from(gap);
        self.last_step_s = Some(step_s).filter(|step| *step > 0.0).or(self.last_step_s);
        gap
    }

    /// Everything changed and stays so: the lamp, or the camera moved. What was in view is given
    /// up as cut, and the belt is learnt anew.
    fn watch_for_change(&mut self, grid: &Grid, foreground: usize, frame: &Frame, out: &mut Finds) {
        #[expect(clippy::cast_precision_loss, reason = "a share of a few thousand cells")]
        let share = foreground as f64 / grid.len() as f64;
        if share < RELEARN_SHARE {
            self.changed.clear();
            return;
        }
        self.changed.push(self.thin.clone());
        if self.changed.len() < RELEARN_FRAMES {
            return;
        }
        let Motion { contrast, parts_are, .. } = self.rule;
        let background = Background::learn(&self.changed, contrast, parts_are);
        self.changed.clear();
        background.foreground(&self.thin, &mut self.bits);
        self.background = Some(background);
        out.events.push(Event::BackgroundRelearnt {
            camera: frame.camera.clone(),
            frame: frame.sequence,
        });
        for track in self.tracks.end() {
            self.conclude(&track, false, out);
        }
    }

    /// Looks whether this frame is a view of the track at `at`.
    fn attend(&mut self, at: usize, frame: &Frame, grid: &Grid, out: &mut Finds) {
        let track = self.tracks.live()[at].clone();
        let velocity = self.tracks.velocity_of(&track);
        let views = usize::from(self.rule.views.min(limits::VIEWS_MAX));
        let file = self.files.open(track.id);
        if file.done || track.missed > 0 {
            return;
        }
        let sighting = || sighting(frame, &track.blob, grid);
        let remaining = remaining(&track.blob, velocity, grid, file.views.len(), views);
        if track::inside(&track.blob, grid.width, grid.height) {
            if file.inside.as_ref().is_none_or(|(best, _)| remaining.abs() <= best + 1.0) {
                file.inside = Some((remaining.abs(), sighting()));
            }
            let step = velocity.map_or(0.0, track::length);
            if track.seen >= SEEN_MIN && velocity.is_some() && remaining - step / 2.0 <= 0.0 {
                file.views.extend(file.inside.take().map(|(_, seen)| seen));
            }
        } else {
            if file.most.as_ref().is_none_or(|(cells, _)| track.blob.cells > *cells) {
                file.most = Some((track.blob.cells, sighting()));
            }
            // It was inside and is leaving: the nearest there was must do.
            if remaining <= 0.0 {
                file.views.extend(file.inside.take().map(|(_, seen)| seen));
            }
        }
        if file.views.len() >= views {
            self.locate(&track, grid, frame.at, PartCondition::Whole, out);
        }
    }

    /// A track is over. `footage_over` tells that it was cut off by the end of the footage.
    fn conclude(&mut self, track: &Track, footage_over: bool, out: &mut Finds) {
        let Some(grid) = self.grid else { return };
        let is_part = self.is_part(track, &grid);
        let at = self.last.map(|(_, at)| at).unwrap_or_default();
        let Some(file) = self.files.get(track.id) else { return };
        if file.done {
            self.files.close(track.id);
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a grid is a few hundred cells wide")]
        let far = CUT_TRAVEL_SHARE * grid.width.min(grid.height) as f32;
        let seen_inside = file.inside.take().map(|(_, seen)| seen);
        file.views.extend(seen_inside);
        if is_part && !file.views.is_empty() {
            self.locate(track, &grid, at, PartCondition::Whole, out);
        } else if is_part && (footage_over || track.travelled >= far) {
            file.views.extend(file.most.take().map(|(_, seen)| seen));
            self.locate(track, &grid, at, PartCondition::Cut, out);
        } else if let Some(seen) = file.most.take().map(|(_, seen)| seen).or(file.views.pop()) {
            let (camera, frame) = (seen.frame.camera, seen.frame.sequence);
            out.events.push(Event::BlobIgnored { camera, frame });
        }
        self.files.close(track.id);
    }

    /// Whether what was followed is large and steady enough for a part.
    fn is_part(&self, track: &Track, grid: &Grid) -> bool {
        track.cells_max as u64 * grid.cell_area_px() >= self.rule.min_area_px
            && track.seen >= SEEN_MIN
            && track.travelled >= track::MOVED_MIN
    }

    fn locate(
        &mut self,
        track: &Track,
        grid: &Grid,
        at: CaptureTime,
        condition: PartCondition,
        out: &mut Finds,
    ) {
        let motion = self.motion(track, grid);
        let Some(file) = self.files.get(track.id) else { return };
        file.done = true;
        file.inside = None;
        file.most = None;
        // There are more than the rule asks for where it was changed meanwhile.
        file.views.truncate(usize::from(self.rule.views));
        let Some(cells) = file.views.iter().map(|seen| seen.cells).max() else { return };
        let views = file.views.drain(..).map(LocatedView::from).collect();
        let condition = self.merged(cells, grid).unwrap_or(condition);
        out.located.push(Located { views, condition, motion, triggered_at: at });
    }

    /// More foreground than one part can have: several that touch. Their number is estimated
    /// from what single parts have had so far.
    #[expect(clippy::cast_precision_loss, reason = "an estimate from a few thousand cells")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    fn merged(&mut self, cells: usize, grid: &Grid) -> Option<PartCondition> {
        let cells = cells as f32;
        let Single { cells_max, cells: usual } = self.split_at(grid);
        if cells <= cells_max {
            let typical = self.typical_cells.unwrap_or(cells);
            self.typical_cells = Some(typical + 0.1 * (cells - typical));
            return None;
        }
        let single = self.typical_cells.unwrap_or(usual);
        let parts_estimated = (cells / single).round().clamp(2.0, 999.0) as u32;
        Some(PartCondition::Merged { parts_estimated })
    }

    /// How large one part is. From the recipe alone: what was split must not teach how to split.
    #[expect(clippy::cast_precision_loss, reason = "an estimate from a few thousand cells")]
    fn split_at(&self, grid: &Grid) -> Single {
        let cells_max = self.rule.max_area_px as f32 / grid.cell_area_px() as f32;
        Single { cells_max, cells: cells_max * USUAL_SHARE }
    }

    fn motion(&self, track: &Track, grid: &Grid) -> Option<BeltMotion> {
        let (x, y) = self.tracks.velocity_of(track)?;
        #[expect(clippy::cast_possible_truncation, reason = "pixels a second for people")]
        let per_s = (f64::from(grid.step_px) / self.last_step_s?) as f32;
        Some(BeltMotion { velocity_px_per_s: PointPx { x: x * per_s, y: y * per_s } })
    }

    /// What never moved since it appeared lies on the camera's side of the belt, or the belt was
    /// learnt wrongly there.
    fn drop_ghosts(&mut self, frame: &Frame, out: &mut Finds) {
        let (Some(grid), Some(background)) = (self.grid, &mut self.background) else { return };
        let is_ghost = |track: &&Track| track.left_behind >= GHOST_FRAMES;
        let ghosts: Vec<Track> = self.tracks.live().iter().filter(is_ghost).cloned().collect();
        for ghost in ghosts {
            let (blob, width) = (ghost.blob, grid.width);
            // What is hidden in a larger blob may be expected a little beyond the border.
            let rows = blob.y0..blob.y1.min(grid.height);
            let columns = blob.x0..blob.x1.min(width);
            let cells = rows.flat_map(|y| columns.clone().map(move |x| y * width + x));
            background.absorb(&self.thin, cells);
            self.tracks.forget(ghost.id);
            self.files.close(ghost.id);
            let camera = frame.camera.clone();
            out.events.push(Event::BlobIgnored { camera, frame: frame.sequence });
        }
    }
}
/// How far the part still has to go to the place of view number `taken`, in cells along its way;
/// negative when it is past. Without a known velocity the distance from the region's middle.
#[expect(clippy::cast_precision_loss, reason = "a grid is a few hundred cells wide")]
fn remaining(
    blob: &Blob,
    velocity: Option<track::Velocity>,
    grid: &Grid,
    taken: usize,
    views: usize,
) -> f32 {
    let (x, y) = blob.centre();
    let to_middle = (grid.width as f32 / 2.0 - x, grid.height as f32 / 2.0 - y);
    let speed = velocity.map_or(0.0, track::length);
    let Some((vx, vy)) = velocity.filter(|_| speed > 0.05) else {
        return track::length(to_middle).max(1.0);
    };
    let along = (to_middle.0 * vx + to_middle.1 * vy) / speed;
    let way = (grid.width as f32 * vx.abs() + grid.height as f32 * vy.abs()) / speed;
    along + way * ((taken + 1) as f32 / (views + 1) as f32 - 0.5)
}

fn sighting(frame: &Frame, blob: &Blob, grid: &Grid) -> Sighting {
    let box_in_frame = box_of(blob, grid);
    Sighting { frame: frame.share(), box_in_frame, cells: blob.cells }
}

/// Where in the frame `blob` is.
fn box_of(blob: &Blob, grid: &Grid) -> RectPx {
    let px = |cells: usize| u32::try_from(cells).unwrap_or(u32::MAX).saturating_mul(grid.step_px);
    let at = RectPx::from_corners(
        grid.region.x.saturating_add(px(blob.x0)),
        grid.region.y.saturating_add(px(blob.y0)),
        grid.region.x.saturating_add(px(blob.x1)),
        grid.region.y.saturating_add(px(blob.y1)),
    );
    at.intersection(&grid.region).unwrap_or(grid.region)
}

#[expect(clippy::cast_precision_loss, reason = "a step is a few pixels")]
fn seen_by_others(track: &Track, velocity: Option<track::Velocity>, grid: &Grid) -> InView {
    let (x, y) = velocity.unwrap_or_default();
    let step_px = grid.step_px as f32;
    let velocity_px = (x * step_px, y * step_px);
    InView { box_in_frame: box_of(&track.blob, grid), velocity_px }
}

/// The same in cells of `grid`; `None` where no cell of it is in the region.
#[expect(clippy::cast_precision_loss, reason = "a step is a few pixels")]
fn seen_here(other: &InView, grid: &Grid) -> Option<(Blob, track::Velocity)> {
    let at = other.box_in_frame.intersection(&grid.region)?;
    let cell = |px: u32, from: u32| ((px - from) / grid.step_px) as usize;
    let x0 = cell(at.x, grid.region.x).min(grid.width - 1);
    let y0 = cell(at.y, grid.region.y).min(grid.height - 1);
    let x1 = cell(at.right(), grid.region.x).clamp(x0 + 1, grid.width);
    let y1 = cell(at.bottom(), grid.region.y).clamp(y0 + 1, grid.height);
    let (x, y) = other.velocity_px;
    let step_px = grid.step_px as f32;
    let blob = Blob { x0, y0, x1, y1, cells: (x1 - x0) * (y1 - y0) };
    Some((blob, (x / step_px, y / step_px)))
}
