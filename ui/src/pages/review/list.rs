//! The queue as it is seen: how many parts are left of each kind, a row a part with a small
//! picture, why it is asked about and what became of it.

use std::collections::HashMap;

use domain::{Judgement, PartKey, VerdictKind};
use egui::{
    Color32, CornerRadius, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};
use store::{ImageKind, ImageRow, RunId, VerdictWord};

use super::bench::Bench;
use super::open;
use super::queue::{Item, Sieve};
use crate::page::Cx;
use crate::shelf::Shown;
use crate::theme::{heavy, plain};
use crate::widgets::{Action, Glyph, glyph, section};
use crate::words::filled;

const ROW: f32 = 64.0;
/// Longer side of a small picture, pixels.
const SMALL_PX: u32 = 128;

/// The queue's list.
#[derive(Default)]
pub struct List {
    small: HashMap<PartKey, Option<ImageRow>>,
    /// The row that was scrolled to.
    seen: Option<PartKey>,
}

impl List {
    /// Shows it.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, bench: &mut Bench) {
        let words = &cx.words.review;
        ui.spacing_mut().item_spacing.y = 8.0;
        ui.horizontal(|ui| {
            ui.set_height(20.0);
            section(ui, cx.theme, words.queue);
            let done = cx.words.numbers.count(bench.queue.done() as u64);
            if bench.queue.done() > 0 {
                let text = RichText::new(filled(words.done_count, &done));
                ui.label(text.font(plain(14.0)).color(cx.theme.weak));
            }
        });
        sieves(ui, cx, bench);
        if self.small.len() > 2_000 {
            self.small.clear();
        }
        let items: Vec<Item> = bench.queue.shown().cloned().collect();
        let at = bench.queue.at().map(|item| item.key);
        let mut area = ScrollArea::vertical().auto_shrink(false);
        if self.seen != at {
            self.seen = at;
            let place = items.iter().position(|item| Some(item.key) == at);
            #[expect(clippy::cast_precision_loss, reason = "a list of some hundred rows")]
            let above = place.map(|place| place as f32 * (ROW + 4.0));
            if let Some(above) = above {
                area = area.vertical_scroll_offset((above - 2.0 * ROW).max(0.0));
            }
        }
        ui.spacing_mut().item_spacing.y = 4.0;
        let mut chosen = None;
        area.show_rows(ui, ROW, items.len(), |ui, rows| {
            for item in &items[rows] {
                if self.row(ui, cx, bench, item, Some(item.key) == at) {
                    chosen = Some(item.key);
                }
            }
        });
        if let Some(key) = chosen {
            bench.queue.go_to(key);
            bench.turn_to_part();
        }
    }

    fn row(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        bench: &Bench,
        item: &Item,
        is_here: bool,
    ) -> bool {
        let (rect, response) =
            ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
        let (number, why) = (open::number(item.key), reason(cx, item));
        let said = bench.queue.said(item.key);
        response.widget_info(|| {
            let said = said.map_or("", |said| cx.words.review.judgement(said));
            let name = format!("{number} {why} {said}");
            WidgetInfo::selected(Role::ListItem, true, is_here, name.trim())
        });
        let theme = cx.theme;
        let painter = ui.painter_at(rect);
        if is_here {
            painter.rect_filled(rect, CornerRadius::same(8), theme.button);
            let edge = Rect::from_min_size(rect.min, vec2(4.0, ROW));
            painter.rect_filled(edge, CornerRadius::same(2), theme.accent);
        }
        if response.hovered() || response.has_focus() {
            let stroke = Stroke::new(1.5, theme.line);
            painter.rect_stroke(rect, CornerRadius::same(8), stroke, StrokeKind::Inside);
        }
        let small = Rect::from_min_size(rect.min + vec2(10.0, 8.0), vec2(60.0, 48.0));
        painter.rect_filled(small, CornerRadius::same(4), Color32::BLACK);
        self.picture(ui, cx, item.key, small);
        let left = small.right() + 10.0;
        painter.text(
            pos2(left, rect.top() + 14.0),
            egui::Align2::LEFT_TOP,
            &number,
            heavy(15.0),
            theme.text,
        );
        let clip = painter.with_clip_rect(rect.with_max_x(rect.right() - 6.0));
        clip.text(
            pos2(left, rect.top() + 35.0),
            egui::Align2::LEFT_TOP,
            why,
            plain(13.0),
            theme.weak,
        );
        let sign =
            Rect::from_center_size(pos2(rect.right() - 18.0, rect.top() + 22.0), vec2(16.0, 16.0));
        match (said, kind(item)) {
            (Some(said), _) => {
                let (sign_of, ink) = judged(cx, said);
                glyph(&painter, sign, sign_of, ink);
            }
            (None, Some(verdict)) => {
                painter.circle_filled(sign.center(), 5.0, theme.ink(verdict));
            }
            (None, None) => {}
        }
        response.clicked()
    }

    fn picture(&mut self, ui: &Ui, cx: &mut Cx<'_>, key: PartKey, place: Rect) {
        let row = self.small.entry(key).or_insert_with(|| {
            let part = cx.shelf.ask(|reader| reader.part(RunId(key.run), key.part));
            let images = part.ok().flatten().map(|part| part.images).unwrap_or_default();
            images.into_iter().find(|image| image.kind == ImageKind::Picture)
        });
        let Some(row) = row else { return };
        if let Shown::Picture(texture) = cx.shelf.image(ui.ctx(), row, SMALL_PX) {
            let size = texture.size_vec2();
            let zoom = (place.width() / size.x).min(place.height() / size.y);
            let on_screen = Rect::from_center_size(place.center(), size * zoom);
            let all = Rect::from_min_max(egui::Pos2::ZERO, pos2(1.0, 1.0));
            ui.painter_at(place).image(texture.id(), on_screen, all, Color32::WHITE);
        }
    }
}

fn sieves(ui: &mut Ui, cx: &Cx<'_>, bench: &mut Bench) {
    let words = &cx.words.review;
    let names = [words.all, words.undecided, words.rejected, words.samples];
    let width = (ui.available_width() - 6.0) / 2.0;
    ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
    for pair in [0, 2] {
        ui.horizontal(|ui| {
            for (sieve, name) in Sieve::ALL.into_iter().zip(names).skip(pair).take(2) {
                let left = cx.words.numbers.count(bench.queue.left(sieve) as u64);
                let is_on = bench.queue.sieve() == sieve;
                let chip = Action::new(name).key(&left).below().on(is_on).width(width);
                if chip.show(ui, cx.theme).clicked() {
                    bench.queue.sift(sieve);
                }
            }
        });
    }
}

/// Why a part is asked about, in two or three words.
fn reason(cx: &Cx<'_>, item: &Item) -> &'static str {
    let words = &cx.words.review;
    match (&item.why, item.is_second) {
        (_, true) => words.second,
        (Some(why), _) => words.asked(why),
        (None, _) => words.by_hand,
    }
}

fn kind(item: &Item) -> Option<VerdictKind> {
    Some(match item.verdict? {
        VerdictWord::Pass => VerdictKind::Pass,
        VerdictWord::Reject => VerdictKind::Reject,
        VerdictWord::Undecided => VerdictKind::Undecided,
    })
}

/// The sign of what somebody said, and its colour.
#[must_use]
pub fn judged(cx: &Cx<'_>, judgement: Judgement) -> (Glyph, Color32) {
    match judgement {
        Judgement::Good => (Glyph::Tick, cx.theme.pass_ink),
        Judgement::Bad => (Glyph::Cross, cx.theme.reject_ink),
        Judgement::Doubt => (Glyph::Question, cx.theme.undecided_ink),
        Judgement::Skip => (Glyph::Skip, cx.theme.weak),
    }
}
