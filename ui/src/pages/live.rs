//! The line now: verdict, camera, last parts, last reject, what needs looking after.

use crate::page::Cx;

/// What the page remembers.
#[derive(Default)]
pub struct Live {}

impl Live {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        ui.label(cx.words.shell.pages[crate::Page::Live as usize]);
    }
}
