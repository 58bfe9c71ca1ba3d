//! A way to find parts and the recipe it finds them by: one variant a way. Takes frames and what
//! the PLC tells; gives what was found, before it has numbers.

use std::sync::Arc;

use domain::{CaptureTime, CheckedRecipe, Event, Frame, Locate, MonoTime, PartId};

use super::Located;
use super::every_frame::EveryFrameLocator;
use super::motion::{InView, MotionLocator};
use super::trigger::{Settled, TriggerLocator, Waiting};
use crate::plc::FieldInput;

/// What was found and is not yet handed on. Its memory is used again from frame to frame.
#[derive(Default)]
pub struct Finds {
    /// Parts without a picture; they come before those that are located.
    pub missed: Vec<Missed>,
    /// Parts.
    pub located: Vec<Located>,
    /// When parts were triggered.
    pub marks: Vec<MonoTime>,
    /// What became of parts that were triggered before.
    pub settled: Vec<Settled>,
    /// What else happened.
    pub events: Vec<Event>,
}

/// A part that there is no picture of.
pub struct Missed {
    /// When it was triggered.
    pub at: CaptureTime,
    /// Why there is none.
    pub cause: Arc<str>,
}

/// Finds parts by one recipe.
pub struct Finder {
    /// The recipe.
    pub recipe: Arc<CheckedRecipe>,
    way: Way,
}

enum Way {
    EveryFrame(EveryFrameLocator),
    Motion(Box<MotionLocator>),
    Trigger(Box<TriggerLocator>),
}

impl Finder {
    /// Finds by `recipe`.
    pub fn new(recipe: Arc<CheckedRecipe>, is_live: bool) -> Self {
        let region = recipe.as_written().region;
        let way = match &recipe.as_written().locate {
            Locate::EveryFrame => Way::EveryFrame(EveryFrameLocator::new(region, is_live)),
            Locate::Motion(rule) => {
                Way::Motion(Box::new(MotionLocator::new(rule, region, !is_live)))
            }
            Locate::Trigger(rule) => Way::Trigger(Box::new(TriggerLocator::new(rule))),
        };
        Self { recipe, way }
    }

    /// Goes on by `recipe` where what was learnt and what is followed still hold. `false` when
    /// they don't, and nothing is changed.
    pub fn adapt(&mut self, recipe: &Arc<CheckedRecipe>) -> bool {
        let written = recipe.as_written();
        let adapted = match (&mut self.way, &written.locate) {
            (Way::EveryFrame(way), Locate::EveryFrame) => {
                way.adapt(written.region);
                true
            }
            (Way::Motion(way), Locate::Motion(rule)) => way.adapt(rule, written.region),
            (Way::Trigger(way), Locate::Trigger(rule)) => {
                way.adapt(rule);
                true
            }
            _ => false,
        };
        if adapted {
            self.recipe = Arc::clone(recipe);
        }
        adapted
    }

    /// Whether it sees every part from now on.
    pub fn is_ready(&self) -> bool {
        match &self.way {
            Way::Motion(way) => way.is_ready(),
            Way::EveryFrame(_) | Way::Trigger(_) => true,
        }
    }

    /// Whether a part is under way in it.
    pub fn is_open(&self) -> bool {
        match &self.way {
            Way::EveryFrame(_) => false,
            Way::Motion(way) => way.is_open(),
            Way::Trigger(way) => way.is_open(),
        }
    }

    /// Whether frames must be of one size.
    pub const fn follows(&self) -> bool {
        matches!(self.way, Way::Motion(_))
    }

    /// Whether a part that it gives will be inspected by `recipe`.
    pub fn stamps(&self, recipe: &Arc<CheckedRecipe>) -> bool {
        let is_it = |other: &Arc<CheckedRecipe>| Arc::ptr_eq(other, recipe);
        let waits = match &self.way {
            Way::Trigger(way) => way.recipes().any(is_it),
            _ => false,
        };
        waits || is_it(&self.recipe)
    }

    /// Looks at the next frame.
    pub fn see(&mut self, frame: Frame, out: &mut Finds) {
        match &mut self.way {
            Way::EveryFrame(way) => way.see(frame, out),
            Way::Motion(way) => way.see(frame, out),
            Way::Trigger(way) => way.see(frame),
        }
    }

    /// Looks at a frame in which another finder looks for parts.
    pub fn prepare(&mut self, frame: &Frame) {
        match &mut self.way {
            Way::EveryFrame(_) => {}
            Way::Motion(way) => way.prepare(frame),
            Way::Trigger(way) => way.see(frame.share()),
        }
    }

    /// Takes what the PLC tells.
    pub fn hear(&mut self, input: FieldInput, out: &mut Finds) {
        if let Way::Trigger(way) = &mut self.way {
            way.hear(input, &mut out.marks, &mut out.events);
        }
    }

    /// `part` was triggered, and a frame is to be chosen for it.
    pub fn expect(&mut self, part: PartId, triggered_at: CaptureTime, out: &mut Finds) {
        if let Way::Trigger(way) = &mut self.way {
            way.expect(part, Arc::clone(&self.recipe), triggered_at, &mut out.settled);
        }
    }

    /// Settles what is certain at `now`.
    pub fn settle(&mut self, now: MonoTime, camera_is_up: bool, out: &mut Finds) {
        if let Way::Trigger(way) = &mut self.way {
            way.settle(now, camera_is_up, &mut out.settled);
        }
    }

    /// When to settle again though nothing was seen or heard.
    pub fn next_look(&self, now: MonoTime) -> Option<MonoTime> {
        match &self.way {
            Way::Trigger(way) => way.next_look(now),
            _ => None,
        }
    }

    /// There are no more frames: gives what is still in view, and the parts that wait.
    pub fn end(&mut self, out: &mut Finds) -> Vec<Waiting> {
        match &mut self.way {
            Way::EveryFrame(_) => Vec::new(),
            Way::Motion(way) => {
                way.end(out);
                Vec::new()
            }
            Way::Trigger(way) => way.end().collect(),
        }
    }

    /// Another finder goes on: gives what that one must not locate again, and the parts that wait.
    pub fn hand_over(&mut self, out: &mut Finds) -> (Vec<InView>, Vec<Waiting>) {
        match &mut self.way {
            Way::Motion(way) => (way.hand_over(out), Vec::new()),
            _ => (Vec::new(), self.end(out)),
        }
    }

    /// Goes on in view of what another has located.
    pub fn adopt(&mut self, in_view: &[InView]) {
        if let Way::Motion(way) = &mut self.way {
            way.adopt(in_view);
        }
    }
}
