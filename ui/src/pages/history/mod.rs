//! What was: search, yield, p-chart, Pareto, where on the part, and how far people agree.

mod agreement;
mod detail;
mod filter;
mod list;
mod overview;
mod search;
pub(super) mod tile;

use domain::PartKey;
use egui::Ui;

use crate::clerk::{Clerk, Tide};
use crate::page::Cx;
use crate::widgets;
use agreement::AgreementTab;
use detail::Detail;
use filter::Filter;
use list::Parts;
use search::{Book, Which};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Parts,
    Charts,
    Agreement,
}

impl Tab {
    const ALL: [Self; 3] = [Self::Parts, Self::Charts, Self::Agreement];
}

/// What the page remembers.
pub struct History {
    tab: Tab,
    filter: Filter,
    tide: Tide,
    parts: Parts,
    book: Clerk<Which, Book>,
    agreement: AgreementTab,
    /// The part that is looked at closely.
    detail: Option<Detail>,
    /// What another page asked for and was shown.
    asked_for: Option<PartKey>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            tab: Tab::default(),
            filter: Filter::default(),
            tide: Tide::default(),
            parts: Parts::default(),
            book: Clerk::new("charts", search::book),
            agreement: AgreementTab::default(),
            detail: None,
            asked_for: None,
        }
    }
}

impl History {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        if *cx.part != self.asked_for {
            self.asked_for = *cx.part;
            self.detail = cx.part.map(Detail::new);
        }
        if let Some(detail) = &mut self.detail {
            if detail.show(ui, cx) {
                self.detail = None;
                self.asked_for = None;
                *cx.part = None;
            }
            return;
        }
        ui.horizontal_wrapped(|ui| {
            for (tab, name) in Tab::ALL.into_iter().zip(cx.words.history.tabs) {
                if widgets::toggle(ui, cx.theme, name, self.tab == tab).clicked() {
                    self.tab = tab;
                }
            }
            if self.tab != Tab::Agreement {
                ui.separator();
                self.filter.show(ui, cx);
            }
        });
        let tide = self.tide.number(ui.ctx(), cx);
        if self.tab == Tab::Agreement {
            self.agreement.show(ui, cx, tide);
            return;
        }
        self.filter.show_choices(ui, cx);
        let which = self.filter.which(cx, tide);
        if self.tab == Tab::Parts {
            if let Some(key) = self.parts.show(ui, cx, which) {
                self.detail = Some(Detail::new(key));
                self.asked_for = Some(key);
                *cx.part = Some(key);
            }
            return;
        }
        self.book.ask(ui.ctx(), cx, which);
        match self.book.answer() {
            None => {
                ui.label(cx.words.history.looking);
            }
            Some(Err(error)) => {
                ui.label(egui::RichText::new(error).color(cx.theme.reject_ink));
            }
            Some(Ok(book)) => overview::show(ui, cx, book),
        }
    }
}
