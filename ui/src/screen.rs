//! The whole screen without its window: bar, rail of pages, alarms, log-in, and the page. Takes a
//! station and its store; gives what is painted and the commands that were asked for.
//!
//! Nothing ever lies over a page: what comes up (alarms, a refusal, the log-in) pushes it aside, so
//! that the verdict lamp in the bar, and the large one, are always seen. It repaints when there is
//! news, when somebody touches it, and when it is time to lock; never on its own.

mod alarms;
mod bar;
mod lamp;
mod log_in;
mod rail;

use std::time::Duration;

use domain::{Command, PartKey};
use egui::{CentralPanel, Context, Frame, Id, Key, Margin, Ui, UiBuilder};
use jiff::tz::TimeZone;

use crate::desk::Desk;
use crate::film::Film;
use crate::page::Cx;
use crate::pages::Pages;
use crate::theme::Theme;
use crate::widgets::Keyboard;
use crate::words::Words;
use crate::{News, Page, Person, Settings, Shelf, Station};

pub(crate) use lamp::lamp_of;
pub(crate) use log_in::refusal;

/// While a line runs, the screen shows how it is at least this often.
const LINE_EVERY: Duration = Duration::from_secs(1);
/// News wait so long for others that come with them, and all are painted at once. An answer comes
/// with news of its own; what a person does is painted at once anyway.
pub(crate) const SOON: Duration = Duration::from_millis(40);
/// What was refused is shown so long.
const REFUSED_FOR_S: f64 = 8.0;
/// A screen never locks faster than this.
const LOCK_LEAST_S: u32 = 10;

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
    zone: TimeZone,
    log_in: log_in::LogIn,
    keyboard: Keyboard,
    /// When somebody touched it last, on egui's clock.
    touched_at_s: f64,
    /// What was refused, and until when that is shown.
    refused: Option<(String, f64)>,
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
            zone: TimeZone::system(),
            log_in: log_in::LogIn::default(),
            keyboard: Keyboard::default(),
            touched_at_s: 0.0,
            refused: None,
        }
    }

    /// Times of day are those of `zone` instead of this machine's.
    #[must_use]
    pub fn in_zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// Shows `page` from now on.
    pub const fn go(&mut self, page: Page) {
        self.page = page;
    }

    /// Has news of the station repaint the screen, and pictures read on a thread of their own;
    /// once, when there is a window.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn attach(&mut self, ctx: &Context) -> std::io::Result<()> {
        let repainted = ctx.clone();
        // Asked for without any delay, egui would paint twice.
        let wake = move || repainted.request_repaint_after(SOON);
        self.station.wake_by(Box::new(wake));
        self.shelf.read_apart(ctx)
    }

    /// Paints all of it.
    pub fn show(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        let theme = Theme::of(&self.settings);
        self.apply(&ctx, &theme);
        self.shelf.begin_pass(&ctx);
        self.keyboard.begin(&ctx);
        let news = self.station.news();
        self.lock_when_left(&ctx, news.who.as_ref());
        self.take_refusal(&ctx);
        let words = Words::of(self.settings.language);
        let (mut go, shown) = (self.page, self.page);
        let mut cx = Cx {
            news: &news,
            settings: &mut self.settings,
            shelf: &mut self.shelf,
            desk: &mut self.desk,
            theme: &theme,
            words,
            zone: &self.zone,
            go: &mut go,
            part: &mut self.part,
            film: &mut self.film,
        };
        bar::show(ui, &mut cx, &mut self.log_in);
        rail::show(ui, &mut cx, shown);
        alarms::show(ui, &mut cx);
        if bar::refused(ui, &cx, self.refused.as_ref().map(|(what, _)| what.as_str())) {
            self.refused = None;
        }
        self.log_in.show(ui, &mut cx);
        let has_keyboard = cx.settings.has_keyboard;
        if has_keyboard {
            self.keyboard.show(ui, &theme, &words.keyboard);
        }
        let frame = Frame::new().fill(theme.ground).inner_margin(Margin::same(16));
        // What comes up beside a page does not make its fields other fields, which egui numbers.
        let page = UiBuilder::new().scope_id(Id::unique("page"));
        CentralPanel::default().frame(frame).show(ui, |ui| {
            ui.scope_builder(page, |ui| self.pages.show(shown, ui, &mut cx));
        });
        if has_keyboard {
            self.keyboard.end(&ctx);
        }
        self.page = go;
        self.station.look(self.page.shows_cameras());
        self.film.turn(&ctx, self.station.as_mut());
        self.desk.give(self.station.as_mut(), news.who.as_ref());
        self.repaint_when_due(&ctx, &news, shown);
    }

    /// Sets egui up by the settings, and has them kept when they changed.
    fn apply(&mut self, ctx: &Context, theme: &Theme) {
        if self.applied.as_ref() == Some(&self.settings) {
            return;
        }
        if self.applied.is_some() {
            self.station.keep(&self.settings);
        } else {
            Theme::load_fonts(ctx);
        }
        theme.apply(ctx, &self.settings);
        self.applied = Some(self.settings.clone());
    }

    /// Logs out who has not touched the screen for a while; and what they had begun to ask for is
    /// not done when somebody else comes.
    fn lock_when_left(&mut self, ctx: &Context, who: Option<&Person>) {
        let (now_s, is_touched) = ctx.input(|input| (input.time, !input.events.is_empty()));
        if is_touched || who.is_none() {
            self.touched_at_s = now_s;
            return;
        }
        let left_s =
            self.touched_at_s + f64::from(self.settings.lock_after_s.max(LOCK_LEAST_S)) - now_s;
        if left_s > 0.0 {
            ctx.request_repaint_after(Duration::from_secs_f64(left_s));
        } else {
            self.touched_at_s = now_s;
            self.log_in.close(&mut self.desk);
            self.desk.ask(who, Command::LogOut);
        }
    }

    fn take_refusal(&mut self, ctx: &Context) {
        let now_s = ctx.input(|input| input.time);
        if let Some(why) = self.desk.refused.take() {
            let words = Words::of(self.settings.language);
            self.refused = Some((refusal(words, &why), now_s + REFUSED_FOR_S));
        }
        match &self.refused {
            Some((_, until_s)) if *until_s <= now_s => self.refused = None,
            Some((_, until_s)) => {
                ctx.request_repaint_after(Duration::from_secs_f64(until_s - now_s));
            }
            None => {}
        }
    }

    fn repaint_when_due(&self, ctx: &Context, news: &News, shown: Page) {
        if self.page != shown || !self.desk.given().is_empty() || self.desk.has_news() {
            ctx.request_repaint();
        }
        if news.line.is_some() {
            ctx.request_repaint_after(LINE_EVERY);
        }
    }
}

/// Whether `key` was pressed; nobody else hears of it then.
fn pressed(ui: &Ui, key: Key) -> bool {
    ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key))
}
