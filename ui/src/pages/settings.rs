//! How the screen is set up, and who may use it.

use crate::page::Cx;

/// What the page remembers.
#[derive(Default)]
pub struct SettingsPage {}

impl SettingsPage {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        ui.label(cx.words.shell.pages[crate::Page::Settings as usize]);
    }
}
