//! locate: finds the part, chooses its views, mints its number, and tells act that a verdict is
//! due.
//!
//! Takes frames from capture. Gives each part first as a notice to act, then itself to the
//! inspecting threads.

pub mod background;
pub mod blobs;
pub mod every_frame;
pub mod motion;
pub mod split;
pub mod thin;
pub mod track;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{
    BeltMotion, CameraId, CaptureTime, CheckedRecipe, Event, Expected, Frame, Locate, MonoTime,
    Part, PartCondition, PartId, RectPx, SizePx, Stage, StageTimes, View,
};

use thiserror::Error;

use crate::clock::Clock;
use crate::stage::Counters;
use every_frame::EveryFrameLocator;
use motion::MotionLocator;

/// Parts can't be looked for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LocateError {
    /// The recipe's region is not in the picture.
    #[error(
        "recipe `{recipe}`: `region` {region} does not lie in frame {frame} of {camera}, which is \
         {size}; it must lie inside, or be left out for the whole picture"
    )]
    RegionOutside {
        /// The recipe's name.
        recipe: String,
        /// As the recipe says.
        region: RectPx,
        /// The camera.
        camera: CameraId,
        /// Which frame.
        frame: u64,
        /// Its size.
        size: SizePx,
    },
    /// A belt can't be followed through pictures of several sizes.
    #[error(
        "frame {frame} of {camera} is {size}, those before it {before}; a belt is followed in \
         frames of one size"
    )]
    SizeChanged {
        /// The camera.
        camera: CameraId,
        /// Which frame.
        frame: u64,
        /// Its size.
        size: SizePx,
        /// The size of the first frame.
        before: SizePx,
    },
}

/// A part that was found, before it has a number.
pub struct Located {
    /// Its views, in order.
    pub views: Vec<LocatedView>,
    /// Whether it is one whole part.
    pub condition: PartCondition,
    /// How it moves.
    pub motion: Option<BeltMotion>,
    /// Exposure of the frame at which it was located; its deadline counts from here.
    pub triggered_at: CaptureTime,
}

/// A view before the recipe has said how much around the part is shown.
pub struct LocatedView {
    /// The frame.
    pub frame: Frame,
    /// Where the part is.
    pub box_in_frame: RectPx,
}

/// A part in one frame, kept in case it becomes a view.
pub struct Sighting {
    frame: Frame,
    box_in_frame: RectPx,
    cells: usize,
}

enum Finder {
    EveryFrame(EveryFrameLocator),
    Motion(Box<MotionLocator>),
}

/// Mints the numbers of parts; shared by the cameras of a line.
#[derive(Debug)]
pub struct PartNumbers(AtomicU64);

impl Default for PartNumbers {
    fn default() -> Self {
        Self(AtomicU64::new(PartId::FIRST.0))
    }
}

impl PartNumbers {
    fn mint(&self) -> PartId {
        PartId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// The stage locate.
pub struct Locator {
    finder: Finder,
    recipe: Arc<CheckedRecipe>,
    numbers: Arc<PartNumbers>,
    first_size: Option<SizePx>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    found: Vec<Located>,
    events: Vec<Event>,
}

impl Locator {
    /// A locator for `recipe`. `hold_while_learning`: see [`MotionLocator::new`].
    #[must_use]
    pub fn new(
        recipe: Arc<CheckedRecipe>,
        hold_while_learning: bool,
        numbers: Arc<PartNumbers>,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
    ) -> Self {
        let finder = MotionLocator::new(&recipe, hold_while_learning).map_or_else(
            || Finder::EveryFrame(EveryFrameLocator::new(&recipe)),
            |motion| Finder::Motion(Box::new(motion)),
        );
        Self {
            finder,
            recipe,
            numbers,
            first_size: None,
            clock,
            counters,
            found: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Looks at the next frame and gives the parts located in it.
    ///
    /// # Errors
    /// When the recipe's region does not lie in the frame, or a belt's frames change their size.
    pub fn see(&mut self, frame: Frame) -> Result<Vec<Part>, LocateError> {
        self.check_region(&frame)?;
        self.check_size(&frame)?;
        let start = self.clock.now();
        match &mut self.finder {
            Finder::EveryFrame(finder) => self.found.push(finder.see(frame)),
            Finder::Motion(finder) => finder.see(frame, &mut self.found, &mut self.events),
        }
        Ok(self.hand_out(start))
    }

    fn check_size(&mut self, frame: &Frame) -> Result<(), LocateError> {
        let size = frame.size();
        let before = *self.first_size.get_or_insert(size);
        if matches!(self.finder, Finder::EveryFrame(_)) || size == before {
            return Ok(());
        }
        let (camera, frame) = (frame.camera.clone(), frame.sequence);
        Err(LocateError::SizeChanged { camera, frame, size, before })
    }

    fn check_region(&self, frame: &Frame) -> Result<(), LocateError> {
        let recipe = self.recipe.as_written();
        match recipe.region {
            Some(region) if !frame.size().rect().contains(&region) => {
                Err(LocateError::RegionOutside {
                    recipe: recipe.name.clone(),
                    region,
                    camera: frame.camera.clone(),
                    frame: frame.sequence,
                    size: frame.size(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Gives what is still in view when the frames are over.
    pub fn end(&mut self) -> Vec<Part> {
        let start = self.clock.now();
        if let Finder::Motion(finder) = &mut self.finder {
            finder.end(&mut self.found, &mut self.events);
        }
        self.hand_out(start)
    }

    fn hand_out(&mut self, start: MonoTime) -> Vec<Part> {
        let spent = self.clock.now().since(start);
        self.counters.took[Stage::Locate as usize].add(spent);
        let mut parts = Vec::with_capacity(self.found.len());
        for located in std::mem::take(&mut self.found) {
            parts.push(self.mint(located, spent));
        }
        for event in self.events.drain(..) {
            self.counters.event(&event);
        }
        parts
    }

    fn mint(&mut self, located: Located, spent: std::time::Duration) -> Part {
        let id = self.numbers.mint();
        self.counters.triggered();
        match located.condition {
            PartCondition::Whole => {}
            PartCondition::Cut => self.counters.event(&Event::PartCut { part: id }),
            PartCondition::Merged { .. } => {
                self.counters.event(&Event::PartsMerged { part: id });
            }
        }
        let mut times = StageTimes::default();
        times.add(Stage::Locate, spent);
        let triggered = matches!(self.recipe.as_written().locate, Locate::EveryFrame);
        let views = located
            .views
            .into_iter()
            .enumerate()
            .map(|(index, view)| {
                let crop_in_frame = crop_around(&view, &self.recipe, triggered);
                View {
                    name: format!("view{}", index + 1).into(),
                    frame: view.frame,
                    box_in_frame: view.box_in_frame,
                    crop_in_frame,
                }
            })
            .collect();
        Part {
            id,
            recipe: Arc::clone(&self.recipe),
            views,
            triggered_at: located.triggered_at,
            condition: located.condition,
            motion: located.motion,
            times,
        }
    }
}

/// The notice that act gets of `part`.
#[must_use]
pub fn notice_of(part: &Part) -> Expected {
    Expected::from(part)
}

/// What the model is shown: a crop of fixed size around the part's middle, moved to lie inside
/// the frame; or the part's box and a margin. A triggered part without a fixed crop is shown as
/// the region is.
fn crop_around(view: &LocatedView, recipe: &CheckedRecipe, triggered: bool) -> RectPx {
    let frame = view.frame.size();
    let rule = &recipe.as_written().view;
    match rule.crop_px {
        Some(size) => fixed_crop(&view.box_in_frame, size, frame),
        None if triggered => view.box_in_frame,
        None => view.box_in_frame.grown(rule.margin_px, &frame.rect()),
    }
}

fn fixed_crop(part: &RectPx, size: SizePx, frame: SizePx) -> RectPx {
    let place = |start: u32, length: u32, crop: u32, end: u32| {
        let crop = crop.min(end);
        let middle = start + length / 2;
        (middle.saturating_sub(crop / 2).min(end - crop), crop)
    };
    let (x, width) = place(part.x, part.width, size.width, frame.width);
    let (y, height) = place(part.y, part.height, size.height, frame.height);
    RectPx { x, y, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_fixed_crop_lies_in_the_frame_and_has_its_size(
            x in 0_u32..600, y in 0_u32..400, w in 1_u32..600, h in 1_u32..400,
            cw in 1_u32..900, ch in 1_u32..900,
        ) {
            let frame = SizePx::new(640, 480);
            let part = RectPx::new(x, y, w.min(640 - x), h.min(480 - y));
            let crop = fixed_crop(&part, SizePx::new(cw, ch), frame);
            prop_assert!(frame.rect().contains(&crop));
            prop_assert_eq!((crop.width, crop.height), (cw.min(640), ch.min(480)));
        }
    }
}
