//! The whole screen without its window: the bar, the page, the log-in. Takes a station and its
//! store; gives what is painted and the commands that were asked for.

use domain::PartKey;
use egui::{CentralPanel, Panel, Ui};

use crate::desk::Desk;
use crate::film::Film;
use crate::page::Cx;
use crate::pages::Pages;
use crate::theme::Theme;
use crate::words::Words;
use crate::{Page, Settings, Shelf, Station, widgets};

/// The screen.
pub struct Screen {
    station: Box<dyn Station>,
    shelf: Shelf,
    desk: Desk,
    film: Film,
    settings: Settings,
    pages: Pages,
    page: Page,
    part: Option<PartKey>,
    applied: Option<Settings>,
}

impl Screen {
    /// A screen for `station`, over the store on `shelf`.
    #[must_use]
    pub fn new(station: Box<dyn Station>, shelf: Shelf, settings: Settings) -> Self {
        Self {
            station,
            shelf,
            desk: Desk::default(),
            film: Film::default(),
            settings,
            pages: Pages::default(),
            page: Page::default(),
            part: None,
            applied: None,
        }
    }

    /// Shows `page` from now on.
    pub const fn go(&mut self, page: Page) {
        self.page = page;
    }

    /// Paints all of it.
    pub fn show(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        let theme = Theme::of(&self.settings);
        if self.applied.as_ref() != Some(&self.settings) {
            if self.applied.is_some() {
                self.station.keep(&self.settings);
            }
            theme.apply(&ctx, &self.settings);
            self.applied = Some(self.settings.clone());
        }
        self.shelf.begin_pass(&ctx);
        let news = self.station.news();
        let words = Words::of(self.settings.language);
        let (mut go, shown) = (self.page, self.page);
        let mut cx = Cx {
            news: &news,
            settings: &mut self.settings,
            shelf: &mut self.shelf,
            desk: &mut self.desk,
            theme: &theme,
            words,
            go: &mut go,
            part: &mut self.part,
            film: &mut self.film,
        };
        Panel::top("bar").show(ui, |ui| bar(ui, &mut cx, shown));
        CentralPanel::default().show(ui, |ui| self.pages.show(shown, ui, &mut cx));
        self.page = go;
        self.film.turn(&ctx, self.station.as_mut());
        self.desk.give(self.station.as_mut(), news.who.as_ref());
    }
}

fn bar(ui: &mut Ui, cx: &mut Cx<'_>, shown: Page) {
    ui.horizontal(|ui| {
        ui.heading(&cx.news.facts.station);
        for (page, name) in Page::ALL.into_iter().zip(cx.words.shell.pages) {
            if widgets::toggle(ui, cx.theme, name, page == shown).clicked() {
                *cx.go = page;
            }
        }
    });
}
