//! Gives parts their numbers: takes what was located or triggered, gives what is handed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::{
    CaptureTime, CheckedRecipe, Event, Expected, Frame, Locate, Part, PartCondition, PartId,
    RectPx, SizePx, Stage, StageTimes, View, Why,
};

use super::trigger::{Settled, Waiting};
use super::{Given, Located, LocatedView};
use crate::stage::Counters;

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

/// Numbers and counts the parts of one camera.
pub struct Minter {
    /// The line's numbers.
    pub numbers: Arc<PartNumbers>,
    /// The line's counters.
    pub counters: Arc<Counters>,
}

impl Minter {
    fn mint(&self) -> PartId {
        self.counters.triggered();
        self.numbers.mint()
    }

    /// A part that was located: it is due, and here it is.
    pub fn located(
        &self,
        located: Located,
        recipe: &Arc<CheckedRecipe>,
        spent: Duration,
        out: &mut Vec<Given>,
    ) {
        let id = self.mint();
        match located.condition {
            PartCondition::Whole => {}
            PartCondition::Cut => self.counters.event(&Event::PartCut { part: id }),
            PartCondition::Merged { .. } => {
                self.counters.event(&Event::PartsMerged { part: id });
            }
        }
        let views = located.views.into_iter().enumerate();
        let part = Part {
            id,
            recipe: Arc::clone(recipe),
            views: views.map(|(index, view)| view_of(index, view, recipe)).collect(),
            triggered_at: located.triggered_at,
            condition: located.condition,
            motion: located.motion,
            times: times(spent),
        };
        out.push(Given::Due { expected: Expected::from(&part), unseen: None });
        out.push(Given::Part(part));
    }

    /// A part that was triggered: it is due, its picture follows.
    pub fn triggered(
        &self,
        recipe: &Arc<CheckedRecipe>,
        at: CaptureTime,
        out: &mut Vec<Given>,
    ) -> PartId {
        self.due(recipe, at, None, out)
    }

    /// A part that there is no picture of.
    pub fn missed(
        &self,
        recipe: &Arc<CheckedRecipe>,
        at: CaptureTime,
        cause: Arc<str>,
        out: &mut Vec<Given>,
    ) {
        let why = Why::NoPicture { cause: Arc::clone(&cause) };
        let part = self.due(recipe, at, Some(why), out);
        self.tell_unseen(part, &cause);
    }

    fn due(
        &self,
        recipe: &Arc<CheckedRecipe>,
        triggered_at: CaptureTime,
        unseen: Option<Why>,
        out: &mut Vec<Given>,
    ) -> PartId {
        let part = self.mint();
        let expected = Expected {
            part,
            recipe: Arc::clone(recipe),
            triggered_at,
            due: triggered_at.mono.plus(recipe.budget()),
            views: vec![],
            condition: PartCondition::Whole,
        };
        out.push(Given::Due { expected, unseen });
        part
    }

    /// What became of a part that was triggered.
    pub fn settled(&self, settled: Settled, spent: Duration, out: &mut Vec<Given>) {
        match settled {
            Settled::Chosen { waiting, frame, error } => {
                self.counters.trigger_error.add(error);
                out.push(Given::Part(pictured(waiting, frame, spent)));
            }
            Settled::Unseen { waiting, cause } => {
                self.tell_unseen(waiting.part, &cause);
                lose(waiting.part, Why::NoPicture { cause }, out);
            }
        }
    }

    fn tell_unseen(&self, part: PartId, cause: &str) {
        self.counters.event(&Event::TriggerWithoutFrame { part, cause: cause.to_owned() });
    }
}

/// Nothing will come of a part that is due. Where its notice has not left yet, that says so.
pub fn lose(part: PartId, why: Why, out: &mut Vec<Given>) {
    for given in &mut *out {
        if let Given::Due { expected, unseen } = given
            && expected.part == part
        {
            *unseen = Some(why);
            return;
        }
    }
    out.push(Given::Lost(part, why));
}

fn times(spent: Duration) -> StageTimes {
    let mut times = StageTimes::default();
    times.add(Stage::Locate, spent);
    times
}

fn pictured(waiting: Waiting, frame: Frame, spent: Duration) -> Part {
    let Waiting { part: id, recipe, triggered_at, .. } = waiting;
    let whole = frame.size().rect();
    let region = recipe.as_written().region.filter(|region| whole.contains(region));
    let view = LocatedView { frame, box_in_frame: region.unwrap_or(whole) };
    Part {
        id,
        views: vec![view_of(0, view, &recipe)],
        recipe,
        triggered_at,
        condition: PartCondition::Whole,
        motion: None,
        times: times(spent),
    }
}

fn view_of(index: usize, view: LocatedView, recipe: &CheckedRecipe) -> View {
    let crop_in_frame = crop_around(&view, recipe);
    View {
        name: format!("view{}", index + 1).into(),
        frame: view.frame,
        box_in_frame: view.box_in_frame,
        crop_in_frame,
        pose: None,
    }
}

/// What the model is shown: a crop of fixed size around the part's middle, moved to lie inside
/// the frame; or the part's box and a margin. A triggered part without a fixed crop is shown as
/// the region is.
fn crop_around(view: &LocatedView, recipe: &CheckedRecipe) -> RectPx {
    let frame = view.frame.size();
    let rule = &recipe.as_written().view;
    let is_found = matches!(recipe.as_written().locate, Locate::Motion(_));
    match rule.crop_px {
        Some(size) => fixed_crop(&view.box_in_frame, size, frame),
        None if is_found => view.box_in_frame.grown(rule.margin_px, &frame.rect()),
        None => view.box_in_frame,
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
