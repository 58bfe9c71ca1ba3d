//! Where defects are: boxes, polygons, masks, drawn by a person or taken from the model.

use crate::page::Cx;

/// What the page remembers.
#[derive(Default)]
pub struct Labelling {}

impl Labelling {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        ui.label(cx.words.shell.pages[crate::Page::Label as usize]);
    }
}
