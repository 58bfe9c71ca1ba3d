//! locate: finds the part, chooses its views, mints its number, and tells act that a verdict is
//! due.
//!
//! Takes frames from capture, and triggers from the PLC. Gives each part first as a notice to act,
//! then itself to the inspecting threads.

pub mod background;
pub mod blobs;
pub mod every_frame;
mod finder;
mod mint;
pub mod motion;
pub mod sightings;
pub mod split;
pub mod thin;
pub mod track;
pub mod trigger;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use std::vec::Drain;

use domain::{
    BeltMotion, CameraId, CaptureTime, CheckedRecipe, Expected, Frame, Locate, MonoTime, Part,
    PartCondition, PartId, RectPx, SizePx, Stage, WallTime, Why,
};
use thiserror::Error;

use crate::clock::Clock;
use crate::limits;
use crate::plc::FieldInput;
use crate::stage::Counters;
use finder::{Finder, Finds};
use mint::Minter;
pub use mint::PartNumbers;
use trigger::Waiting;

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
    /// Nobody tells of triggers.
    #[error(
        "recipe `{recipe}` is triggered from outside, and nothing tells {camera} of triggers; \
         configure a PLC, or locate by `motion` or `every-frame`"
    )]
    NoTriggers {
        /// The recipe's name.
        recipe: String,
        /// The camera.
        camera: CameraId,
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

/// What is handed on, in this order.
pub enum Given {
    /// A part is due, for act.
    Due {
        /// The part.
        expected: Expected,
        /// Nothing more will come of it, and why.
        unseen: Option<Why>,
    },
    /// A part to inspect; it was due before.
    Part(Part),
    /// Nothing will come of a part that was due before, and why; for act.
    Lost(PartId, Why),
}

/// The stage locate, for one camera.
pub struct Locator {
    camera: CameraId,
    is_live: bool,
    finder: Finder,
    next: Option<Next>,
    minter: Minter,
    /// Of the newest frame.
    size: Option<SizePx>,
    clock: Arc<dyn Clock>,
    finds: Finds,
    given: Vec<Given>,
}

/// What will find parts by a changed recipe; it learns while the one before goes on.
struct Next {
    finder: Finder,
    /// Frames since it could.
    waited: u32,
}

impl Locator {
    /// Locates parts of `recipe` in what `camera` sees. A live camera's frames are not kept while
    /// the belt is learnt, see [`motion::MotionLocator::new`], and one that is missing is a part,
    /// see [`every_frame::EveryFrameLocator`].
    #[must_use]
    pub fn new(
        recipe: Arc<CheckedRecipe>,
        camera: CameraId,
        is_live: bool,
        numbers: Arc<PartNumbers>,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            camera,
            is_live,
            finder: Finder::new(recipe, is_live),
            next: None,
            minter: Minter { numbers, counters },
            size: None,
            clock,
            finds: Finds::default(),
            given: Vec::new(),
        }
    }

    /// Takes what is to be handed on. To be asked for after each call of the others, also after
    /// one that failed.
    pub fn given(&mut self) -> Drain<'_, Given> {
        self.given.drain(..)
    }

    /// Looks at the next frame.
    ///
    /// # Errors
    /// When the recipe's region does not lie in the frame, or a belt's frames change their size.
    pub fn see(&mut self, frame: Frame) -> Result<(), LocateError> {
        check_region(&self.finder.recipe, &frame.camera, frame.sequence, frame.size())?;
        self.check_size(&frame)?;
        let start = self.clock.now();
        if let Some(next) = &mut self.next {
            next.finder.prepare(&frame);
            next.waited += u32::from(next.finder.is_ready());
        }
        self.finder.see(frame, &mut self.finds);
        self.settle(start);
        let spent = self.clock.now().since(start);
        self.minter.counters.took[Stage::Locate as usize].add(spent);
        self.give(spent);
        self.take_over_when_due();
        Ok(())
    }

    /// Takes what the PLC tells.
    pub fn hear(&mut self, input: FieldInput) {
        let now = self.clock.now();
        self.finder.hear(input, &mut self.finds);
        for place in 0..self.finds.marks.len() {
            let at = self.on_both_clocks(self.finds.marks[place], now);
            let part = self.minter.triggered(&self.finder.recipe, at, &mut self.given);
            self.finder.expect(part, at, &mut self.finds);
        }
        self.finds.marks.clear();
        self.settle(now);
        self.give(Duration::ZERO);
        self.take_over_when_due();
    }

    /// Looks whether the time for a trigger's frame is over; see [`Locator::next_look`].
    pub fn expire(&mut self) {
        self.settle(self.clock.now());
        self.give(Duration::ZERO);
        self.take_over_when_due();
    }

    /// When [`Locator::expire`] is to be called, though there is no frame and nothing is heard.
    #[must_use]
    pub fn next_look(&self, now: MonoTime) -> Option<MonoTime> {
        self.finder.next_look(now)
    }

    /// There are no more frames: gives what is still in view.
    pub fn end(&mut self) {
        let start = self.clock.now();
        let waiting = self.finder.end(&mut self.finds);
        let spent = self.clock.now().since(start);
        self.minter.counters.took[Stage::Locate as usize].add(spent);
        self.give(spent);
        self.lose(waiting, &Why::Stopped);
    }

    /// Whether every part that passes from now on is located.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.finder.is_ready()
    }

    /// Whether a part may still be given that is to be inspected by `recipe`.
    #[must_use]
    pub fn stamps(&self, recipe: &Arc<CheckedRecipe>) -> bool {
        let next = self.next.iter().map(|next| &next.finder);
        next.chain([&self.finder]).any(|finder| finder.stamps(recipe))
    }

    /// Goes on by `recipe`: in force with the next part that is located, where only numbers,
    /// limits, views or the trigger differ. A recipe that sees the belt in another way learns it
    /// first, while parts are located by the recipe before; it is in force as soon as no part is
    /// under way, or a while after, when those under way are given up as cut. What the recipe
    /// before has located is not located again as long as it stays in the new one's region. When
    /// parts are found in another way altogether (`kind`), those in view at that moment may be
    /// found by both.
    ///
    /// # Errors
    /// When its region does not lie in the picture; then the recipe before stays in force.
    pub fn change(&mut self, recipe: &Arc<CheckedRecipe>) -> Result<(), LocateError> {
        if let Some(size) = self.size {
            check_region(recipe, &self.camera, 0, size)?;
        }
        if self.finder.adapt(recipe) {
            self.next = None;
            return Ok(());
        }
        let adapted = self.next.as_mut().is_some_and(|next| next.finder.adapt(recipe));
        if !adapted {
            let finder = Finder::new(Arc::clone(recipe), self.is_live);
            self.next = Some(Next { finder, waited: 0 });
        }
        self.take_over_when_due();
        Ok(())
    }

    fn take_over_when_due(&mut self) {
        let due = |next: &mut Next| {
            next.finder.is_ready()
                && (!self.finder.is_open() || next.waited >= limits::TAKE_OVER_FRAMES)
        };
        let Some(next) = self.next.take_if(due) else { return };
        let (in_view, waiting) = self.finder.hand_over(&mut self.finds);
        self.give(Duration::ZERO);
        let cause = "the recipe was changed before a frame came".into();
        self.lose(waiting, &Why::NoPicture { cause });
        self.finder = next.finder;
        self.finder.adopt(&in_view);
    }

    /// Starts anew after a panic in one of the other calls, with the newest recipe. What was under
    /// way is given as far as that is possible. The belt is learnt anew, and a part that is still
    /// in view after that is located again.
    pub fn restart(&mut self) {
        let finds = &mut self.finds;
        let finder = &mut self.finder;
        let waiting = catch_unwind(AssertUnwindSafe(|| finder.hand_over(finds).1));
        self.give(Duration::ZERO);
        self.lose(waiting.unwrap_or_default(), &Why::StageFailed { stage: Stage::Locate });
        let newest = self.next.take().map_or(Arc::clone(&self.finder.recipe), |n| n.finder.recipe);
        self.finder = Finder::new(newest, self.is_live);
    }

    fn settle(&mut self, now: MonoTime) {
        let camera_is_up = self.minter.counters.camera_is_up(&self.camera);
        self.finder.settle(now, camera_is_up, &mut self.finds);
    }

    fn give(&mut self, spent: Duration) {
        let Self { minter, finds, given, finder, .. } = self;
        let recipe = &finder.recipe;
        finds.missed.drain(..).for_each(|m| minter.missed(recipe, m.at, m.cause, given));
        finds.located.drain(..).for_each(|located| minter.located(located, recipe, spent, given));
        finds.settled.drain(..).for_each(|settled| minter.settled(settled, spent, given));
        finds.events.drain(..).for_each(|event| minter.counters.event(&event));
    }

    fn lose(&mut self, waiting: Vec<Waiting>, why: &Why) {
        for waiting in waiting {
            mint::lose(waiting.part, why.clone(), &mut self.given);
        }
    }

    fn on_both_clocks(&self, at: MonoTime, now: MonoTime) -> CaptureTime {
        let ago_ns = i64::try_from(now.since(at).as_nanos()).unwrap_or(i64::MAX);
        let unix_ns = self.clock.wall().unix_ns.saturating_sub(ago_ns);
        CaptureTime { mono: at, wall: WallTime { unix_ns } }
    }

    fn check_size(&mut self, frame: &Frame) -> Result<(), LocateError> {
        let size = frame.size();
        let next = self.next.iter().map(|next| &next.finder);
        let follows = next.chain([&self.finder]).any(Finder::follows);
        let before = *self.size.get_or_insert(size);
        if follows && size != before {
            let (camera, frame) = (frame.camera.clone(), frame.sequence);
            return Err(LocateError::SizeChanged { camera, frame, size, before });
        }
        self.size = Some(size);
        Ok(())
    }
}

fn check_region(
    recipe: &CheckedRecipe,
    camera: &CameraId,
    frame: u64,
    size: SizePx,
) -> Result<(), LocateError> {
    let recipe = recipe.as_written();
    match recipe.region {
        Some(region) if !size.rect().contains(&region) => Err(LocateError::RegionOutside {
            recipe: recipe.name.clone(),
            region,
            camera: camera.clone(),
            frame,
            size,
        }),
        _ => Ok(()),
    }
}

/// Whether parts of `recipe` are triggered from outside.
#[must_use]
pub fn is_triggered(recipe: &CheckedRecipe) -> bool {
    matches!(recipe.as_written().locate, Locate::Trigger(_))
}
