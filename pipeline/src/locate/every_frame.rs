//! A triggered camera: every frame is one part, and the part is the recipe's region.

use domain::{CheckedRecipe, Frame, PartCondition, RectPx};

use super::{Located, LocatedView};

/// One part a frame.
pub struct EveryFrameLocator {
    region: Option<RectPx>,
}

impl EveryFrameLocator {
    /// A locator for the region of `recipe`.
    #[must_use]
    pub const fn new(recipe: &CheckedRecipe) -> Self {
        Self { region: recipe.as_written().region }
    }

    /// The part that `frame` shows.
    #[must_use]
    pub fn see(&self, frame: Frame) -> Located {
        let whole = frame.size().rect();
        let box_in_frame = self.region.unwrap_or(whole);
        Located {
            triggered_at: frame.at,
            views: vec![LocatedView { frame, box_in_frame }],
            condition: PartCondition::Whole,
            motion: None,
        }
    }
}
