//! What was: search, yield, p-chart, Pareto, where on the part.

use crate::page::Cx;

/// What the page remembers.
#[derive(Default)]
pub struct History {}

impl History {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        ui.label(cx.words.shell.pages[crate::Page::History as usize]);
    }
}
