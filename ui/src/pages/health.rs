//! How the line is: a row a stage, the sum of parts, disk, uploads, versions.

use crate::page::Cx;

/// What the page remembers.
#[derive(Default)]
pub struct Health {}

impl Health {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        ui.label(cx.words.shell.pages[crate::Page::Health as usize]);
    }
}
