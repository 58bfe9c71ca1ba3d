//! Parts on a belt under a free-running camera: background, blobs, tracks, then one decision
//! for each part.
//!
//! Takes frames; gives what was located. A part is located in the frame in which it lies wholly
//! inside the region and nearest its middle: the first frame at which the next one would be
//! farther, so nothing waits. With several views these are spread evenly along the way. A part
//! that is never wholly inside, or that is larger than one part can be, is given all the same,
//! marked as such.

use std::collections::BTreeMap;

use domain::recipe::Touching;
use domain::{BeltMotion, CheckedRecipe, Event, Frame, Locate, PartCondition, PointPx, RectPx};

use super::background::Background;
use super::blobs::{Blob, BlobFinder, Single};
use super::thin::{Grid, Thin};
use super::track::{self, Track, Tracks};
use super::{Located, LocatedView, Sighting};
use crate::limits;

/// Share of the picture that must change for it to be the lamp or the camera, not parts.
const RELEARN_SHARE: f64 = 0.9;
/// For how many frames.
const RELEARN_FRAMES: usize = 60;
/// Something that was left behind in this many frames is part of the belt.
const GHOST_FRAMES: u32 = 90;
/// What a part usually has, as a share of the largest.
const USUAL_SHARE: f32 = 0.7;
/// Sightings below which something is a flicker.
const SEEN_MIN: u32 = 3;
/// Share of the region's length that a part which is never wholly inside must travel, so that a
/// hand at the border is not a part.
const CUT_TRAVEL_SHARE: f32 = 0.25;

/// What the motion locator is made of.
pub struct MotionLocator {
    rule: domain::recipe::Motion,
    region: Option<RectPx>,
    hold_while_learning: bool,
    scene: Option<Scene>,
    learning: Vec<(Frame, Thin)>,
    thin: Thin,
    bits: Vec<bool>,
    finder: BlobFinder,
    tracks: Tracks,
    files: BTreeMap<u64, File>,
    changed: Vec<Thin>,
    typical_cells: Option<f32>,
    last_step_s: Option<f64>,
    last_at: Option<domain::CaptureTime>,
}

struct Scene {
    grid: Grid,
    background: Background,
}

/// What is kept of a track besides its place.
#[derive(Default)]
struct File {
    views: Vec<Sighting>,
    /// Wholly inside, nearest to the next view's place so far.
    inside: Option<(f32, Sighting)>,
    /// The sighting with most of the part, for one that is never wholly inside.
    most: Option<(usize, Sighting)>,
    done: bool,
}

impl MotionLocator {
    /// A locator for `recipe`; `None` when the recipe locates otherwise. `hold_while_learning`
    /// keeps the frames of the learning time and looks at them afterwards (replay); otherwise
    /// they are let go (live cameras, whose buffers are few).
    #[must_use]
    pub fn new(recipe: &CheckedRecipe, hold_while_learning: bool) -> Option<Self> {
        let Locate::Motion(rule) = &recipe.as_written().locate else { return None };
        Some(Self {
            rule: rule.clone(),
            region: recipe.as_written().region,
            hold_while_learning,
            scene: None,
            learning: Vec::new(),
            thin: Thin::default(),
            bits: Vec::new(),
            finder: BlobFinder::default(),
            tracks: Tracks::default(),
            files: BTreeMap::new(),
            changed: Vec::new(),
            typical_cells: None,
            last_step_s: None,
            last_at: None,
        })
    }

    /// Looks at the next frame.
    pub fn see(&mut self, frame: Frame, out: &mut Vec<Located>, events: &mut Vec<Event>) {
        if self.scene.is_some() {
            self.look(&frame, out, events);
            return;
        }
        let grid = self.grid_for(&frame);
        let mut thin = Thin::default();
        thin.sample(&*frame.pixels, &grid, self.rule.differ_in);
        self.learning.push((frame, thin));
        if self.learning.len() >= usize::from(self.rule.learn_frames) {
            self.learn(out, events);
        }
    }

    /// The footage is over: gives what is still in view.
    pub fn end(&mut self, out: &mut Vec<Located>, events: &mut Vec<Event>) {
        if self.scene.is_none() && !self.learning.is_empty() {
            self.learn(out, events);
        }
        let Some(grid) = self.scene.as_ref().map(|scene| scene.grid) else { return };
        for track in self.tracks.end() {
            self.conclude(&track, &grid, true, out, events);
        }
    }

    fn grid_for(&self, frame: &Frame) -> Grid {
        let whole = frame.size().rect();
        Grid::new(self.region.unwrap_or(whole), limits::THIN_CELLS_MAX)
    }

    fn learn(&mut self, out: &mut Vec<Located>, events: &mut Vec<Event>) {
        let learning = std::mem::take(&mut self.learning);
        let grid = self.grid_for(&learning[0].0);
        let (frames, thins): (Vec<Frame>, Vec<Thin>) = learning.into_iter().unzip();
        let background = Background::learn(&thins, self.rule.contrast, self.rule.parts_are);
        self.scene = Some(Scene { grid, background });
        if self.hold_while_learning {
            for frame in frames {
                self.look(&frame, out, events);
            }
        }
    }

    fn look(&mut self, frame: &Frame, out: &mut Vec<Located>, events: &mut Vec<Event>) {
        let Some(mut scene) = self.scene.take() else { return };
        self.keep_time(frame);
        let grid = scene.grid;
        self.thin.sample(&*frame.pixels, &grid, self.rule.differ_in);
        let count = scene.background.foreground(&self.thin, &mut self.bits);
        self.watch_for_change(&mut scene, count, frame, out, events);
        scene.background.follow(&self.thin, &self.bits);
        let cells_min = self.rule.min_area_px.div_ceil(grid.cell_area_px()).max(2);
        let cells_min = usize::try_from(cells_min).unwrap_or(usize::MAX);
        let single = (self.rule.touching == Touching::Split).then(|| self.split_at(&grid));
        // A part that is only half in view is followed too.
        let blobs = self.finder.find(&self.bits, grid.width, cells_min.div_ceil(4), single);
        let followed = self.tracks.follow(blobs, grid.width, grid.height);
        self.scene = Some(scene);
        for track in &followed.ended {
            self.conclude(track, &grid, false, out, events);
        }
        for at in 0..self.tracks.live().len() {
            self.attend(at, frame, &grid, out);
        }
        self.drop_ghosts(frame, events);
    }

    fn keep_time(&mut self, frame: &Frame) {
        if let Some(last) = self.last_at {
            let step_s = frame.at.mono.since(last.mono).as_secs_f64();
            self.last_step_s = Some(step_s).filter(|step| *step > 0.0).or(self.last_step_s);
        }
        self.last_at = Some(frame.at);
    }

    /// Everything changed and stays so: the lamp, or the camera moved. What was in view is given
    /// up as cut, and the belt is learnt anew.
    fn watch_for_change(
        &mut self,
        scene: &mut Scene,
        foreground: usize,
        frame: &Frame,
        out: &mut Vec<Located>,
        events: &mut Vec<Event>,
    ) {
        #[expect(clippy::cast_precision_loss, reason = "a share of a few thousand cells")]
        let share = foreground as f64 / scene.grid.len() as f64;
        if share < RELEARN_SHARE {
            self.changed.clear();
            return;
        }
        self.changed.push(self.thin.clone());
        if self.changed.len() < RELEARN_FRAMES {
            return;
        }
        scene.background =
            Background::learn(&self.changed, self.rule.contrast, self.rule.parts_are);
        self.changed.clear();
        scene.background.foreground(&self.thin, &mut self.bits);
        events.push(Event::BackgroundRelearnt {
            camera: frame.camera.clone(),
            frame: frame.sequence,
        });
        for track in self.tracks.end() {
            self.conclude(&track, &scene.grid, false, out, events);
        }
    }

    /// Looks whether this frame is a view of the track at `at`.
    fn attend(&mut self, at: usize, frame: &Frame, grid: &Grid, out: &mut Vec<Located>) {
        let track = self.tracks.live()[at].clone();
        let velocity = self.tracks.velocity_of(&track);
        let views = usize::from(self.rule.views.min(limits::VIEWS_MAX));
        let file = self.files.entry(track.id).or_default();
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
    fn conclude(
        &mut self,
        track: &Track,
        grid: &Grid,
        footage_over: bool,
        out: &mut Vec<Located>,
        events: &mut Vec<Event>,
    ) {
        let Some(file) = self.files.get_mut(&track.id) else { return };
        if file.done {
            self.files.remove(&track.id);
            return;
        }
        let at = self.last_at.unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a grid is a few hundred cells wide")]
        let far = CUT_TRAVEL_SHARE * grid.width.min(grid.height) as f32;
        let big = track.cells_max as u64 * grid.cell_area_px() >= self.rule.min_area_px;
        let steady = track.seen >= SEEN_MIN && track.travelled >= track::MOVED_MIN;
        let seen_inside = file.inside.take().map(|(_, seen)| seen);
        file.views.extend(seen_inside);
        if big && steady && !file.views.is_empty() {
            self.locate(track, grid, at, PartCondition::Whole, out);
        } else if big && steady && (footage_over || track.travelled >= far) {
            file.views.extend(file.most.take().map(|(_, seen)| seen));
            self.locate(track, grid, at, PartCondition::Cut, out);
        } else if let Some(seen) = file.most.take().map(|(_, seen)| seen).or(file.views.pop()) {
            let (camera, frame) = (seen.frame.camera, seen.frame.sequence);
            events.push(Event::BlobIgnored { camera, frame });
        }
        self.files.remove(&track.id);
    }

    fn locate(
        &mut self,
        track: &Track,
        grid: &Grid,
        at: domain::CaptureTime,
        condition: PartCondition,
        out: &mut Vec<Located>,
    ) {
        let motion = self.motion(track, grid);
        let Some(file) = self.files.get_mut(&track.id) else { return };
        file.done = true;
        file.inside = None;
        file.most = None;
        let views = std::mem::take(&mut file.views);
        let Some(cells) = views.iter().map(|seen| seen.cells).max() else { return };
        let condition = self.merged(cells, grid).unwrap_or(condition);
        let views = views
            .into_iter()
            .map(|seen| LocatedView { frame: seen.frame, box_in_frame: seen.box_in_frame });
        out.push(Located { views: views.collect(), condition, motion, triggered_at: at });
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
    fn drop_ghosts(&mut self, frame: &Frame, events: &mut Vec<Event>) {
        let Some(scene) = &mut self.scene else { return };
        let ghosts: Vec<Track> = self
            .tracks
            .live()
            .iter()
            .filter(|track| track.left_behind >= GHOST_FRAMES)
            .cloned()
            .collect();
        for ghost in ghosts {
            let (blob, width) = (ghost.blob, scene.grid.width);
            let rows = blob.y0..blob.y1;
            let cells = rows.flat_map(|y| (blob.x0..blob.x1).map(move |x| y * width + x));
            scene.background.absorb(&self.thin, cells);
            self.tracks.forget(ghost.id);
            self.files.remove(&ghost.id);
            let camera = frame.camera.clone();
            events.push(Event::BlobIgnored { camera, frame: frame.sequence });
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
    let px = |cells: usize| u32::try_from(cells).unwrap_or(u32::MAX) * grid.step_px;
    let at = RectPx::from_corners(
        grid.region.x + px(blob.x0),
        grid.region.y + px(blob.y0),
        grid.region.x + px(blob.x1),
        grid.region.y + px(blob.y1),
    );
    let box_in_frame = at.intersection(&grid.region).unwrap_or(grid.region);
    Sighting { frame: frame.share(), box_in_frame, cells: blob.cells }
}
