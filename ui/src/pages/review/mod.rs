//! Parts that a person should look at, one after the other: good, bad, in doubt.

use crate::page::Cx;

/// What the page remembers.
#[derive(Default)]
pub struct Review {}

impl Review {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        ui.label(cx.words.shell.pages[crate::Page::Review as usize]);
    }
}
