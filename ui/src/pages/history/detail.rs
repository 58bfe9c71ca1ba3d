//! One part with all that is known of it: takes its key, gives pictures, verdict and why, scores
//! against limits, times, what decided, labels and clips.

mod facts;
mod picture;

use domain::{CheckedRecipe, PartId, PartKey};
use egui::{RichText, ScrollArea, Ui};
use store::{Clip, ClipFilter, LabelRow, PartDetail, Reader, RunId, StoreError};

use crate::page::Cx;
use crate::{Page, charts, widgets};
use picture::Look;

/// How often it is looked up again, seconds: labels and clips come later.
const AGAIN_S: f64 = 2.0;

/// What is known of a part.
pub struct Known {
    /// All of it.
    pub part: PartDetail,
    /// By what it was judged; `None` when it was not kept.
    pub recipe: Option<CheckedRecipe>,
    /// What people said, newest first.
    pub labels: Vec<LabelRow>,
    /// The clips that show it.
    pub clips: Vec<Clip>,
}

/// A part that is looked at closely.
pub struct Detail {
    key: PartKey,
    known: Option<Result<Option<Known>, String>>,
    at_s: f64,
    look: Look,
}

impl Detail {
    /// The part of that key.
    pub fn new(key: PartKey) -> Self {
        Self { key, known: None, at_s: 0.0, look: Look::default() }
    }

    /// Shows it; whether the person wants back to the list.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
        let now_s = ui.input(|input| input.time);
        if self.known.is_none() || now_s - self.at_s > AGAIN_S {
            let known = cx.shelf.ask(|reader| look_up(reader, self.key));
            self.known = Some(known.map_err(|error| error.to_string()));
            self.at_s = now_s;
        }
        let is_back = self.head(ui, cx);
        match &self.known {
            Some(Ok(Some(known))) => {
                let width = ui.available_width();
                let height = ui.available_height();
                ui.horizontal_top(|ui| {
                    let left = egui::vec2(width * 0.54, height);
                    ui.allocate_ui_with_layout(
                        left,
                        egui::Layout::top_down(egui::Align::Min),
                        |ui| {
                            self.look.show(ui, cx, &known.part);
                        },
                    );
                    let area = ScrollArea::vertical().id_salt("facts").auto_shrink(false);
                    area.show(ui, |ui| ui.vertical(|ui| facts::show(ui, cx, known)));
                });
            }
            Some(Ok(None)) | None => charts::vacancy(ui, cx.theme, cx.words.history.gone),
            Some(Err(error)) => {
                ui.label(RichText::new(error).color(cx.theme.reject_ink));
            }
        }
        is_back
    }

    fn head(&self, ui: &mut Ui, cx: &mut Cx<'_>) -> bool {
        let words = &cx.words.history;
        let number = cx.words.numbers.count(self.key.part.0);
        ui.horizontal(|ui| {
            let is_back = widgets::button(ui, cx.theme, words.back, false).clicked();
            ui.heading(format!("{} #{number}", words.part));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                for (text, page, leads) in
                    [(words.review, Page::Review, true), (words.label, Page::Label, false)]
                {
                    if widgets::button(ui, cx.theme, text, leads).clicked() {
                        *cx.part = Some(self.key);
                        *cx.go = page;
                    }
                }
            });
            is_back
        })
        .inner
    }
}

fn look_up(reader: &Reader, key: PartKey) -> Result<Option<Known>, StoreError> {
    let (run, part): (RunId, PartId) = (RunId(key.run), key.part);
    let Some(detail) = reader.part(run, part)? else { return Ok(None) };
    let recipe = reader.recipe(detail.provenance.recipe)?.and_then(|recipe| recipe.check().ok());
    let clips = ClipFilter { part: Some((run, part)), limit: Some(8), ..ClipFilter::default() };
    Ok(Some(Known {
        part: detail,
        recipe,
        labels: reader.labels(key)?,
        clips: reader.clips(&clips)?,
    }))
}
