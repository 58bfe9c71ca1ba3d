//! What is good and what is bad: select a recipe, change its limits with what that would have done.

mod apply;
mod draft;
mod effect;
mod limits;
mod list;
mod what_if;

use egui::{Frame, Id, Margin, Panel, ScrollArea, Ui, UiBuilder};

use crate::RecipeFacts;
use crate::clerk::{Clerk, Tide};
use crate::page::Cx;
use apply::Apply;
use draft::Draft;
use list::List;
use what_if::{Question, Samples, WhatIf};

/// Width of the list of recipes, points.
const LIST: f32 = 276.0;

/// What the page remembers.
pub struct RecipePage {
    list: List,
    draft: Option<Draft>,
    /// How many parts to look at.
    count: u32,
    clerk: Clerk<Question, Samples>,
    tide: Tide,
    apply: Apply,
    judged: Option<Judged>,
}

/// What was judged, until the limits, the recipe or the parts change.
struct Judged {
    draft: Draft,
    /// Of the clerk.
    answers: u64,
    what_if: Option<WhatIf>,
}

impl Default for RecipePage {
    fn default() -> Self {
        Self {
            list: List::default(),
            draft: None,
            count: 1_000,
            clerk: Clerk::new("what if", what_if::look),
            tide: Tide::default(),
            apply: Apply::default(),
            judged: None,
        }
    }
}

impl RecipePage {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let facts = std::sync::Arc::clone(&cx.news.facts);
        if facts.recipes.is_empty() {
            let rect = ui.available_rect_before_wrap();
            crate::charts::empty(ui, cx.theme, rect, cx.words.recipe.no_recipes);
            return;
        }
        let Some(shown) = self.list.shown(&facts) else { return };
        self.follow(shown);
        let Some(draft) = self.draft.as_mut() else { return };
        self.apply.show(ui, cx, shown, draft);
        let frame = Frame::NONE.inner_margin(Margin { right: 16, ..Margin::ZERO });
        let panel = Panel::left("recipes").exact_size(LIST).resizable(false).frame(frame);
        panel.show_separator_line(false).show(ui, |ui| self.list.show(ui, cx));
        let tide = self.tide.number(ui.ctx(), cx);
        let question = Question {
            recipe: shown.recipe.name.clone(),
            model: shown.model_sha256,
            count: self.count,
            tide,
        };
        self.clerk.ask(ui.ctx(), cx, question);
        // The bar that comes up when a limit is changed does not make its field another one, which
        // egui numbers.
        let limits = UiBuilder::new().scope_id(Id::unique("limits"));
        ui.scope_builder(limits, |ui| {
            ScrollArea::vertical().show(ui, |ui| self.limits(ui, cx, shown));
        });
    }

    /// A draft for the recipe that is shown. One that was begun stays; one that was not follows
    /// the recipe.
    fn follow(&mut self, shown: &RecipeFacts) {
        let limits = &shown.recipe.limits;
        let is_done = |draft: &Draft| {
            draft.number != shown.number
                || draft.limits == *limits
                || (!draft.is_changed() && draft.base != *limits)
        };
        match &mut self.draft {
            Some(draft) if !is_done(draft) => draft.base = limits.clone(),
            Some(draft) if draft.number == shown.number => {
                let class = draft.class.take();
                *draft = Draft { class, ..Draft::new(shown.number, limits) };
            }
            _ => {
                self.draft = Some(Draft::new(shown.number, limits));
                self.apply = Apply::default();
            }
        }
    }

    fn limits(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, shown: &RecipeFacts) {
        let words = &cx.words.recipe;
        let Some(draft) = self.draft.as_mut() else { return };
        limits::choices(ui, cx, shown, draft, &mut self.count);
        let samples = match self.clerk.answer() {
            None => {
                ui.label(words.looking);
                return;
            }
            Some(Err(error)) => {
                ui.label(egui::RichText::new(error).color(cx.theme.reject_ink));
                return;
            }
            Some(Ok(samples)) => samples,
        };
        limits::histogram(ui, cx, shown, draft, samples);
        limits::steps(ui, cx, draft);
        let answers = self.clerk.answers();
        let is_judged =
            self.judged.as_ref().is_some_and(|it| it.draft == *draft && it.answers == answers);
        if !is_judged {
            let now = what_if::with_limits(&shown.recipe, &draft.base);
            let then = what_if::with_limits(&shown.recipe, &draft.limits);
            let what_if = now.zip(then).map(|(a, b)| WhatIf::of(&samples.of_recipe, &a, &b));
            self.judged = Some(Judged { draft: draft.clone(), answers, what_if });
        }
        if let Some(what_if) = self.judged.as_ref().and_then(|judged| judged.what_if.as_ref()) {
            effect::show(ui, cx, what_if, samples);
        }
    }
}
