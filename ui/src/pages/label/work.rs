//! The marks of the part that is drawn on: takes what a hand did, gives the label as it is then.
//! Each finished deed is sent at once; nothing is kept only here but what was refused.

use std::sync::Arc;

use domain::{Judgement, Label, Mark, MarkedBy, PartKey, Shape};

use super::super::review::bench::{Bench, who};
use super::super::review::open::Open;
use crate::canvas::hand::{Deed, Hand, Tool};
use crate::page::Cx;

/// Radius of the brush before anybody changed it, pixels of the frame.
const RADIUS_PX: f32 = 6.0;

/// What is drawn, and with what.
pub struct Work {
    /// Of which part, and as it was read when.
    of: Option<(PartKey, u64)>,
    /// The marks, as the person sees them now.
    pub marks: Vec<Mark>,
    /// Which of them is in hand.
    pub selected: Option<usize>,
    /// Which class the next one gets.
    pub class: usize,
    /// What is drawn with.
    pub tool: Tool,
    /// Radius of the brush, pixels of the frame.
    pub radius_px: f32,
    /// What the hand is in the middle of.
    pub hand: Hand,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            of: None,
            marks: vec![],
            selected: None,
            class: 0,
            tool: Tool::default(),
            radius_px: RADIUS_PX,
            hand: Hand::default(),
        }
    }
}

impl Work {
    /// Follows the bench to the part that is shown and to what is on disk of it. While something is
    /// on its way, or was refused, what the person drew stays.
    pub fn follow(&mut self, cx: &Cx<'_>, bench: &Bench) {
        let Some(open) = &bench.open else {
            if bench.trouble.is_some() {
                *self = Self { tool: self.tool, radius_px: self.radius_px, ..Self::default() };
            }
            return;
        };
        let key = open.item.key;
        let is_other = self.of.is_none_or(|(of, _)| of != key);
        if is_other {
            (self.selected, self.hand) = (None, Hand::default());
            self.class = open.likely().unwrap_or(0);
        }
        let is_new = is_other || self.of != Some((key, bench.reads));
        if is_other || (is_new && bench.outbox.of(key).is_none()) {
            self.marks = open.marks(who(cx)).to_vec();
            self.of = Some((key, bench.reads));
            self.selected = self.selected.filter(|&mark| mark < self.marks.len());
        }
    }

    /// Takes in what a hand did; `true` when the label is another one now.
    pub fn take_in(&mut self, open: &Open, view: usize, deed: Deed) -> bool {
        match deed {
            Deed::Selected(mark) => {
                self.selected = mark;
                return false;
            }
            Deed::Drawn(shape) => self.add(open, view, shape),
            Deed::Changed(mark, shape) => {
                let Some(mark) = self.marks.get_mut(mark) else { return false };
                mark.shape = shape;
                correct(mark);
            }
            Deed::Removed(mark) => return self.remove(mark),
        }
        true
    }

    /// A new mark of the class that is chosen.
    pub fn add(&mut self, open: &Open, view: usize, shape: Shape) {
        let Some(class) = open.classes.get(self.class).or_else(|| open.classes.first()) else {
            return;
        };
        let class = Arc::clone(class);
        self.marks.push(Mark { class, view, shape, by: MarkedBy::Hand });
        self.selected = Some(self.marks.len() - 1);
    }

    /// Takes a suggestion over as it is.
    pub fn accept(&mut self, suggestion: Mark) {
        self.marks.push(suggestion);
        self.selected = Some(self.marks.len() - 1);
    }

    /// Removes a mark; `false` when there is none.
    pub fn remove(&mut self, mark: usize) -> bool {
        if mark >= self.marks.len() {
            return false;
        }
        self.marks.remove(mark);
        self.selected = None;
        true
    }

    /// Chooses a class; the mark in hand becomes one of that class. `true` when it was another.
    pub fn choose(&mut self, open: &Open, class: usize) -> bool {
        let Some(name) = open.classes.get(class) else { return false };
        self.class = class;
        let selected = self.selected.and_then(|mark| self.marks.get_mut(mark));
        let Some(mark) = selected.filter(|mark| mark.class != *name) else { return false };
        mark.class = Arc::clone(name);
        correct(mark);
        true
    }

    /// The label that these marks make. A part of which the last mark was removed is as if nobody
    /// had looked at it: it is asked about again.
    #[must_use]
    pub fn label(&self, is_blind: bool) -> Label {
        if self.marks.is_empty() {
            return Label::unmarked(Judgement::Skip, is_blind);
        }
        Label { judgement: Judgement::Bad, marks: self.marks.clone(), is_blind }
    }
}

/// What the model suggested is its own no longer.
fn correct(mark: &mut Mark) {
    if mark.by == MarkedBy::Model {
        mark.by = MarkedBy::Corrected;
    }
}
