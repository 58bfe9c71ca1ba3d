//! What is good and what is bad: limits against the scores of the last parts.

use crate::page::Cx;

/// What the page remembers.
#[derive(Default)]
pub struct RecipePage {}

impl RecipePage {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        ui.label(cx.words.shell.pages[crate::Page::Recipe as usize]);
    }
}
