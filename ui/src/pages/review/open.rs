//! A part that is looked at: takes its key, gives all that the store knows of it, as far as the
//! person may see it.

use std::sync::Arc;

use domain::{Judgement, Label, Mark, MarkedBy, PartKey, PersonId, Recipe, RectPx, Shape};
use store::{ImageKind, ImageRow, LabelRow, PartDetail, RunId};

use super::queue::Item;
use crate::canvas::brush;
use crate::page::Cx;

/// What a defect is called while nobody gave the recipe's model any classes.
const DEFECT: &str = "defect";

/// A part that is looked at.
pub struct Open {
    /// Why, and which.
    pub item: Item,
    /// All that was recorded.
    pub detail: PartDetail,
    /// What people said of it, the newest first.
    pub labels: Vec<LabelRow>,
    /// By what it was judged, when that was kept.
    pub recipe: Option<Recipe>,
    /// What a defect may be called.
    pub classes: Vec<Arc<str>>,
}

impl Open {
    /// Reads a part; `None` when it is gone.
    ///
    /// # Errors
    /// In English, when the store can't be read.
    pub fn read(cx: &Cx<'_>, item: &Item) -> Result<Option<Self>, String> {
        let key = item.key;
        let found = cx.shelf.ask(|reader| {
            let Some(detail) = reader.part(RunId(key.run), key.part)? else { return Ok(None) };
            let recipe = reader.recipe(detail.provenance.recipe)?;
            Ok(Some((detail, recipe, reader.labels(key)?)))
        });
        let Some((detail, recipe, labels)) = found.map_err(|error| error.to_string())? else {
            return Ok(None);
        };
        let classes = classes(cx, &detail, recipe.as_ref());
        Ok(Some(Self { item: item.clone(), detail, labels, recipe, classes }))
    }

    /// Whether neither the verdict nor another's label may be seen.
    #[must_use]
    pub const fn is_blind(&self) -> bool {
        self.item.is_second
    }

    /// How many pictures it was judged by.
    #[must_use]
    pub fn views(&self) -> usize {
        self.detail.views.len().max(1)
    }

    /// What was kept of a view.
    #[must_use]
    pub fn image(&self, view: usize, kind: ImageKind) -> Option<&ImageRow> {
        self.detail.images.iter().find(|image| image.view == view && image.kind == kind)
    }

    /// What is said of it now, as far as `who` may see it: the label in force, or, when they are
    /// asked for a second opinion, only their own.
    #[must_use]
    pub fn said(&self, who: Option<&PersonId>) -> Option<&Label> {
        let holds = self.labels.iter().filter(|row| row.holds);
        let mut seen =
            holds.filter(|row| if self.is_blind() { Some(&row.by) == who } else { !row.is_second });
        seen.next().map(|row| &row.label)
    }

    /// The marks that are there now.
    #[must_use]
    pub fn marks(&self, who: Option<&PersonId>) -> &[Mark] {
        self.said(who).map_or(&[], |label| &label.marks)
    }

    /// The class that the model thinks most likely; none when it may not be seen or is no class.
    #[must_use]
    pub fn likely(&self) -> Option<usize> {
        let strongest =
            self.detail.defects.iter().max_by(|a, b| a.score.get().total_cmp(&b.score.get()));
        let kind = &strongest.filter(|_| !self.is_blind())?.kind;
        self.classes.iter().position(|class| class == kind)
    }

    /// What the model found in a view, as marks that may be taken over; nothing of what `marks`
    /// hold already, nothing at all when it may not be seen.
    #[must_use]
    pub fn suggestions(&self, view: usize, marks: &[Mark]) -> Vec<Mark> {
        if self.is_blind() {
            return vec![];
        }
        let of_view = self.detail.defects.iter().filter(|defect| defect.view == view);
        let all = of_view.map(|defect| {
            let grid = self.image(view, ImageKind::Heatmap);
            let mask = defect.mask.as_ref().zip(grid).and_then(|(mask, grid)| {
                brush::of_cells(mask, (grid.size.width, grid.size.height), grid.covers)
            });
            let area = defect.box_in_frame;
            let shape = mask.map_or(Shape::Box { area }, |mask| Shape::Mask { mask });
            Mark { class: Arc::clone(&defect.kind), view, shape, by: MarkedBy::Model }
        });
        all.filter(|suggestion| !marks.iter().any(|mark| is_same(mark, suggestion))).collect()
    }
}

/// Whether a mark stands where a suggestion does, so that it need not be suggested any more.
fn is_same(mark: &Mark, suggestion: &Mark) -> bool {
    let whole = RectPx::new(0, 0, 0, 0);
    let area = |mark: &Mark| crate::canvas::shapes::bounds(&mark.shape, whole);
    mark.view == suggestion.view
        && (mark.shape == suggestion.shape || area(mark).iou(&area(suggestion)) >= 0.5)
}

/// Of the recipe by which the part was judged: the very same, or the one of that name.
fn classes(cx: &Cx<'_>, detail: &PartDetail, recipe: Option<&Recipe>) -> Vec<Arc<str>> {
    let all = &cx.news.facts.recipes;
    let same = all.iter().find(|facts| facts.sha256 == detail.provenance.recipe);
    let named = || all.iter().find(|facts| recipe.is_some_and(|it| it.name == facts.recipe.name));
    let classes = same.or_else(named).map(|facts| facts.classes.clone()).unwrap_or_default();
    if classes.is_empty() { vec![Arc::from(DEFECT)] } else { classes }
}

/// The label of a part that is bad with a class, somewhere: marks that were drawn before stay, a
/// class that was given without a place is replaced.
#[must_use]
pub fn bad(marks: &[Mark], class: &Arc<str>, view: usize, is_blind: bool) -> Label {
    let drawn = marks.iter().filter(|mark| mark.shape != Shape::Whole);
    let mut marks: Vec<Mark> = drawn.cloned().collect();
    if !marks.iter().any(|mark| mark.class == *class) {
        let class = Arc::clone(class);
        marks.push(Mark { class, view, shape: Shape::Whole, by: MarkedBy::Hand });
    }
    Label { judgement: Judgement::Bad, marks, is_blind }
}

/// Which part a key means, as it is written.
#[must_use]
pub fn number(key: PartKey) -> String {
    key.part.to_string()
}
