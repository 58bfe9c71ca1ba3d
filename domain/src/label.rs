//! What a person says of a part: good, bad and where, in doubt, or nothing. And who may say and
//! change what.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Mask, PartId, PointPx, RectPx};

/// A person, by a pseudonym. Who it is stands only in the station's own key, never in a label, a
/// log or an export.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(Arc<str>);

impl PersonId {
    /// The person whose pseudonym is `pseudonym`.
    #[must_use]
    pub fn new(pseudonym: &str) -> Self {
        Self(pseudonym.into())
    }

    /// The pseudonym.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person may do; each may do what those before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Watches, acknowledges, labels, selects a recipe.
    Operator,
    /// Also changes limits, sees agreement, exports.
    Quality,
    /// Also adds people, changes settings, starts and stops the line.
    Engineer,
}

impl Role {
    /// All, the least first.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Quality, Self::Engineer];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Quality => "quality",
            Self::Engineer => "engineer",
        }
    }

    /// The role that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A part of a run of a station's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartKey {
    /// Number of the run.
    pub run: i64,
    /// Number of the part in it.
    pub part: PartId,
}

/// What a person says of a whole part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Nothing is wrong with it.
    Good,
    /// It has a defect.
    Bad,
    /// It cannot be said from the pictures. Never trained on.
    Doubt,
    /// Not now; asked again later. Never trained on.
    Skip,
}

impl Judgement {
    /// All.
    pub const ALL: [Self; 4] = [Self::Good, Self::Bad, Self::Doubt, Self::Skip];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Doubt => "doubt",
            Self::Skip => "skip",
        }
    }

    /// The judgement that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|judgement| judgement.name() == name)
    }
}

/// Where a defect is, in pixels of the camera's frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "shape")]
pub enum Shape {
    /// Somewhere on the part.
    Whole,
    /// In a box.
    Box {
        /// The box.
        area: RectPx,
    },
    /// In a polygon of at least three corners; the last is joined to the first.
    Polygon {
        /// Its corners. Whole numbers are the corners of pixels, halves their middles.
        corners: Vec<PointPx>,
    },
    /// On these pixels.
    Mask {
        /// One bit a pixel of its area.
        mask: Mask,
    },
}

/// How a mark came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkedBy {
    /// A person drew it.
    Hand,
    /// The model suggested it and a person took it as it was.
    Model,
    /// The model suggested it and a person put it right.
    Corrected,
    /// It came with imported labels.
    Import,
}

/// One defect that a person sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// What kind of defect.
    pub class: Arc<str>,
    /// In which of the part's views, from 0.
    pub view: usize,
    /// Where.
    #[serde(flatten)]
    pub shape: Shape,
    /// How it came to be.
    pub by: MarkedBy,
}

/// What a person says of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Good or bad.
    pub judgement: Judgement,
    /// What is wrong and where; none unless it is bad.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Whether neither the verdict nor another person's label was shown before this was said.
    pub is_blind: bool,
}

/// Why a label is none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LabelError {
    /// A part that is not bad has marks.
    #[error("a part that is {} has no marks: remove them, or call it bad", .0.name())]
    Marked(Judgement),
    /// A bad part has none.
    #[error("a bad part needs at least one mark: name its class, with or without a place")]
    Unmarked,
    /// A mark has no class.
    #[error("mark {0} has no class: name one")]
    NoClass(usize),
    /// A mark has no area, or a corner that is no number.
    #[error("mark {0} covers nothing: draw it again")]
    NoArea(usize),
}

impl Label {
    /// Of a part that is good, in doubt or skipped.
    #[must_use]
    pub const fn unmarked(judgement: Judgement, is_blind: bool) -> Self {
        Self { judgement, marks: Vec::new(), is_blind }
    }

    /// Checks that judgement and marks go together, and that each mark is somewhere.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), LabelError> {
        match (self.judgement, self.marks.is_empty()) {
            (Judgement::Bad, true) => return Err(LabelError::Unmarked),
            (Judgement::Bad, false) | (_, true) => {}
            (judgement, false) => return Err(LabelError::Marked(judgement)),
        }
        for (position, mark) in self.marks.iter().enumerate() {
            if mark.class.trim().is_empty() {
                return Err(LabelError::NoClass(position));
            }
            let is_somewhere = match &mark.shape {
                Shape::Whole => true,
                Shape::Box { area } => !area.is_empty(),
                Shape::Polygon { corners } => {
                    corners.len() >= 3
                        && corners.iter().all(|at| at.x.is_finite() && at.y.is_finite())
                }
                Shape::Mask { mask } => mask.count() > 0,
            };
            if !is_somewhere {
                return Err(LabelError::NoArea(position));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(class: &str, shape: Shape) -> Label {
        let mark = Mark { class: class.into(), view: 0, shape, by: MarkedBy::Hand };
        Label { judgement: Judgement::Bad, marks: vec![mark], is_blind: false }
    }

    #[test]
    fn judgement_and_marks_go_together() {
        assert_eq!(bad("scratch", Shape::Whole).check(), Ok(()));
        assert_eq!(Label::unmarked(Judgement::Good, true).check(), Ok(()));
        let unmarked = Label::unmarked(Judgement::Bad, false);
        assert_eq!(unmarked.check(), Err(LabelError::Unmarked));
        let good = Label { judgement: Judgement::Good, ..bad("scratch", Shape::Whole) };
        assert_eq!(good.check(), Err(LabelError::Marked(Judgement::Good)));
        assert_eq!(bad(" ", Shape::Whole).check(), Err(LabelError::NoClass(0)));
    }

    #[test]
    fn a_mark_is_somewhere() {
        let corner = |x, y| PointPx { x, y };
        let flat = Shape::Box { area: RectPx::new(3, 4, 0, 9) };
        let line = Shape::Polygon { corners: vec![corner(0.0, 0.0), corner(1.0, 1.0)] };
        let mut corners = vec![corner(0.0, 0.0), corner(1.0, 1.0), corner(0.0, 1.0)];
        assert!(bad("dent", Shape::Polygon { corners: corners.clone() }).check().is_ok());
        corners[1].x = f32::NAN;
        let lost = Shape::Polygon { corners };
        let nowhere = Mask::from_bits(RectPx::new(0, 0, 2, 1), [false, false]);
        for shape in [flat, line, lost, Shape::Mask { mask: nowhere }] {
            assert_eq!(bad("dent", shape).check(), Err(LabelError::NoArea(0)));
        }
    }

    #[test]
    fn labels_round_trip_through_json() {
        let label = bad("dent", Shape::Box { area: RectPx::new(1, 2, 3, 4) });
        let json = serde_json::to_string(&label).unwrap();
        assert_eq!(serde_json::from_str::<Label>(&json).unwrap(), label);
    }

    #[test]
    fn roles_are_in_order() {
        assert!(Role::Operator < Role::Quality && Role::Quality < Role::Engineer);
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
    }
}
