//! The pages, a file each. Takes what a page is given; gives what it shows and asks for.

mod calibrate;
mod health;
pub(crate) mod history;
mod label;
mod live;
mod recipe;
mod review;
mod settings;

use crate::Page;
use crate::page::Cx;

/// What each page remembers while another is shown.
#[derive(Default)]
pub struct Pages {
    live: live::Live,
    review: review::Review,
    label: label::Labelling,
    history: history::History,
    recipe: recipe::RecipePage,
    calibrate: calibrate::Calibrate,
    health: health::Health,
    settings: settings::SettingsPage,
}

impl Pages {
    /// Shows `page`.
    pub fn show(&mut self, page: Page, ui: &mut egui::Ui, cx: &mut Cx<'_>) {
        match page {
            Page::Live => self.live.show(ui, cx),
            Page::Review => self.review.show(ui, cx),
            Page::Label => self.label.show(ui, cx, &mut self.review.bench),
            Page::History => self.history.show(ui, cx),
            Page::Recipe => self.recipe.show(ui, cx),
            Page::Calibrate => self.calibrate.show(ui, cx),
            Page::Health => self.health.show(ui, cx),
            Page::Settings => self.settings.show(ui, cx),
        }
    }
}
