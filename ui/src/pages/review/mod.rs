//! Parts that a person should look at, one after the other: good, bad, in doubt. The queue at the
//! left, the picture in the middle, what it is at the right.

pub mod bench;
mod clip;
mod list;
pub mod open;
mod outbox;
pub mod panel;
pub mod picture;
mod queue;

use egui::{Key, Rect, Ui, UiBuilder};

use crate::Page;
use crate::page::Cx;
use crate::theme::{GAP, TOUCH};
use crate::widgets::{Action, Glyph, empty, pressed};
use crate::words::filled;
use bench::{Bench, hears};
use list::List;

/// Width of the queue, points.
const QUEUE: f32 = 232.0;
/// Width of what is said, points.
const PANEL: f32 = 284.0;

/// What the page remembers.
#[derive(Default)]
pub struct Review {
    /// Also where the Label page works.
    pub bench: Bench,
    list: List,
}

impl Review {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        self.bench.begin(ui, cx);
        if nothing(ui, cx, &mut self.bench) {
            return;
        }
        let [left, middle, right] = columns(ui);
        card(ui, cx, left, |ui, cx| self.list.show(ui, cx, &mut self.bench));
        let mut centre = ui.new_child(UiBuilder::new().max_rect(middle).id_salt("centre"));
        if self.bench.open.is_some() {
            views(&mut centre, cx, &mut self.bench);
            picture::show(&mut centre, cx, &mut self.bench, true);
        } else if let Some(why) = &self.bench.trouble {
            empty(&mut centre, cx.theme, &filled(cx.words.review.trouble, why), "");
        }
        card(ui, cx, right, |ui, cx| side(ui, cx, &mut self.bench));
    }
}

/// Says so when there is nothing to look at.
pub fn nothing(ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench) -> bool {
    let words = &cx.words.review;
    if cx.shelf.reader().is_none() {
        empty(ui, cx.theme, words.no_store, words.empty_hint);
        return true;
    }
    if bench.queue.shown().next().is_some() || bench.open.is_some() {
        return false;
    }
    let room = ui.available_rect_before_wrap();
    let trouble = bench.queue.trouble.as_ref().map(|why| filled(words.trouble, why));
    empty(ui, cx.theme, trouble.as_deref().unwrap_or(words.empty), words.empty_hint);
    let below =
        Rect::from_center_size(room.center() + egui::vec2(0.0, 70.0), egui::vec2(200.0, 48.0));
    let mut ui = ui.new_child(UiBuilder::new().max_rect(below).id_salt("again"));
    let again = Action::new(words.again).glyph(Glyph::Again).width(200.0);
    if again.show(&mut ui, cx.theme).clicked() {
        bench.queue.refresh();
    }
    ui.ctx().request_repaint_after(std::time::Duration::from_secs(5));
    true
}

/// The page's three columns.
pub fn columns(ui: &Ui) -> [Rect; 3] {
    let room = ui.available_rect_before_wrap();
    let left = room.with_max_x(room.left() + QUEUE);
    let right = room.with_min_x(room.right() - PANEL);
    let middle = room.with_min_x(left.right() + GAP).with_max_x(right.left() - GAP);
    [left, middle, right]
}

/// A card in `place`.
pub fn card(ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, add: impl FnOnce(&mut Ui, &mut Cx<'_>)) {
    let ground = cx.theme.card;
    ui.painter().rect_filled(place, egui::CornerRadius::same(crate::theme::ROUND), ground);
    let inner = place.shrink(14.0);
    let salt = (place.left() * 8.0).round().to_bits();
    let mut ui = ui.new_child(UiBuilder::new().max_rect(inner).id_salt(salt));
    ui.shrink_clip_rect(place);
    add(&mut ui, cx);
}

/// One button for each of the part's pictures, when there are several.
pub fn views(ui: &mut Ui, cx: &Cx<'_>, bench: &mut Bench) {
    let Some(open) = bench.open.as_ref().filter(|open| open.views() > 1) else { return };
    let names: Vec<String> =
        open.detail.views.iter().map(|view| filled(cx.words.review.view, &view.name)).collect();
    let key = hears(ui, cx) && pressed(ui, Key::X);
    if key {
        bench.view = (bench.view + 1) % names.len();
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for (position, name) in names.iter().enumerate() {
            let is_on = bench.view == position;
            if Action::new(name).on(is_on).show(ui, cx.theme).clicked() {
                bench.view = position;
            }
        }
    });
}

fn side(ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench) {
    let room = ui.available_rect_before_wrap();
    let saving = panel::Saving::of(ui, cx, bench);
    // Below the buttons: whether it is saved, the way to the marks, back and on.
    let marks = if saving.is_stuck() { 0.0 } else { TOUCH + 6.0 };
    let foot = room.with_min_y(room.bottom() - saving.height() - marks - TOUCH);
    let going = room.with_min_y(room.bottom() - TOUCH);
    if let Some(open) = &bench.open {
        panel::facts(ui, cx, open);
        ui.add_space(6.0);
        let left = foot.top() - ui.cursor().top() - 10.0;
        panel::judge(ui, cx, bench, left);
    }
    let mut low = ui.new_child(UiBuilder::new().max_rect(foot).id_salt("foot"));
    saving.show(&mut low, cx, bench);
    let mut wanted = hears(ui, cx) && pressed(ui, Key::L);
    if marks > 0.0 {
        let mark = Action::new(cx.words.review.mark).glyph(Glyph::Polygon).key("L");
        wanted |= mark.width(low.available_width()).show(&mut low, cx.theme).clicked();
    }
    if wanted {
        *cx.go = Page::Label;
    }
    let mut low = ui.new_child(UiBuilder::new().max_rect(going).id_salt("going"));
    panel::going(&mut low, cx, bench, true);
}
