//! Looks for a target, picture after picture: takes pictures, gives its points, and whether it is
//! still.

use calibration::target::{NotFound, Observation};
use calibration::{Picture, Px, Target};
use domain::PointPx;
use ui::calibrating::{HoldsBack, Seen};

use super::alike;

/// Looks for one target.
pub struct Eye {
    target: Target,
    of: u32,
    before: Option<Observation>,
}

/// What a look showed.
pub struct Look {
    /// The target, or why it is not seen.
    pub found: Result<Observation, NotFound>,
    /// Whether it is where it was a look ago.
    pub is_still: bool,
}

impl Eye {
    /// For `target`.
    pub fn new(target: Target) -> Self {
        let of = u32::try_from(target.points_mm().len()).unwrap_or(u32::MAX);
        Self { target, of, before: None }
    }

    /// Looks at `picture`.
    pub fn look(&mut self, picture: &Picture<'_>) -> Look {
        let found = self.target.detect(picture);
        let seen = found.as_ref().ok();
        let is_still = seen
            .zip(self.before.as_ref())
            .is_some_and(|(now, before)| alike::is_still(before, now));
        self.before = seen.cloned();
        Look { found, is_still }
    }

    /// The newest look, if it showed the target.
    pub const fn newest(&self) -> Option<&Observation> {
        self.before.as_ref()
    }

    /// Forgets where the target was: what comes next comes after a pause.
    pub fn blink(&mut self) {
        self.before = None;
    }

    /// A look as the screen shows it.
    pub fn shown(&self, look: &Look, holds_back: Option<HoldsBack>) -> Seen {
        match &look.found {
            Ok(observation) => {
                let points = observation.points.iter().map(|seen| frame_px(seen.px)).collect();
                Seen { points, of: self.of, holds_back, why: None }
            }
            Err(why) => self.unseen(holds_back.unwrap_or(hinders(why)), why.to_string()),
        }
    }

    /// No target, and why.
    pub const fn unseen(&self, holds_back: HoldsBack, why: String) -> Seen {
        Seen { points: Vec::new(), of: self.of, holds_back: Some(holds_back), why: Some(why) }
    }
}

/// What keeps a target from being seen.
const fn hinders(why: &NotFound) -> HoldsBack {
    match why {
        NotFound::Blurred { .. } => HoldsBack::Blurred,
        NotFound::Partial { .. } => HoldsBack::TooLittle,
        NotFound::Nothing { .. }
        | NotFound::Mirrored { .. }
        | NotFound::OtherTarget { .. }
        | NotFound::OpenCv(_) => HoldsBack::NoTarget,
    }
}

/// A place as the screen counts it: from the corner of the first pixel, not from its middle.
#[expect(clippy::cast_possible_truncation, reason = "a place in a picture")]
pub const fn frame_px(at: Px) -> PointPx {
    PointPx { x: (at.x + 0.5) as f32, y: (at.y + 0.5) as f32 }
}
