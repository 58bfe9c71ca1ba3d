//! The line now: verdict, camera, last parts, last reject, how things are. What needs looking after
//! stands over every page.

mod camera;
mod counts;
mod reject;

use egui::{Ui, Vec2, vec2};

pub(in crate::pages) use camera::CameraView;
pub(in crate::pages) use counts::disk_health;

use crate::LineNews;
use crate::page::Cx;
use crate::screen::lamp_of;
use crate::theme::GAP;
use crate::widgets::{Lamp, STRIP, StripPart, big_lamp, card, empty, strip};

/// The row of the last parts.
const STRIP_HEIGHT: f32 = 100.0;
/// The row of the last reject and the counts.
const LOW_HEIGHT: f32 = 268.0;
/// The lamp is never less high than this: what is below gives way.
const LAMP_LEAST: f32 = 170.0;
/// On a narrower page, the row has no room for how things are, which Health shows as well.
const WIDE: f32 = 900.0;

/// What the page remembers.
#[derive(Default)]
pub struct Live {
    camera: CameraView,
    reject: reject::LastReject,
}

impl Live {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        match cx.news.line.clone() {
            Some(line) => self.line(ui, cx, &line),
            None => self.store_alone(ui, cx),
        }
    }

    fn line(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, line: &LineNews) {
        let room = ui.available_size();
        let has_low = room.y - STRIP_HEIGHT - LOW_HEIGHT - 2.0 * GAP >= LAMP_LEAST;
        let low = if has_low { LOW_HEIGHT + GAP } else { 0.0 };
        let top = room.y - STRIP_HEIGHT - GAP - low;
        ui.horizontal_top(|ui| {
            let lamp_width = lamp_width(room.x);
            big_lamp(ui, cx.theme, &lamp_of(line, cx.words), vec2(lamp_width, top));
            self.camera.show(ui, cx, line, vec2(room.x - lamp_width - GAP, top));
        });
        last_parts(ui, cx, line, vec2(room.x, STRIP_HEIGHT));
        if has_low {
            ui.horizontal_top(|ui| self.low(ui, cx, line, room.x));
        }
    }

    fn low(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, line: &LineNews, width: f32) {
        let (counts, health) = (352.0, if width >= WIDE { 270.0 } else { 0.0 });
        let gaps = if health > 0.0 { 2.0 * GAP } else { GAP };
        let size = vec2(width - counts - health - gaps, LOW_HEIGHT);
        self.reject.show(ui, cx, size);
        counts::counts(ui, cx, line, vec2(counts, LOW_HEIGHT));
        if health > 0.0 {
            counts::equipment(ui, cx, line, vec2(health, LOW_HEIGHT));
        }
    }

    fn store_alone(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let room = ui.available_size();
        let high = room.y.min(560.0);
        ui.horizontal_top(|ui| {
            let width = lamp_width(room.x);
            let words = &cx.words.live;
            let lamp = Lamp {
                verdict: None,
                word: words.no_line.to_owned(),
                part: String::new(),
                remark: words.no_line_hint.to_owned(),
            };
            big_lamp(ui, cx.theme, &lamp, vec2(width, high));
            self.reject.show(ui, cx, vec2(room.x - width - GAP, high));
        });
    }
}

/// Of the lamp, on a page of that width.
fn lamp_width(page: f32) -> f32 {
    (page * 0.38).clamp(220.0, 520.0)
}

fn last_parts(ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, size: Vec2) {
    let words = &cx.words.live;
    let title = format!("{} · {}", words.last_parts, words.newest);
    card(ui, cx.theme, &title, size, |ui| {
        let recent = &line.snapshot.recent;
        if recent.is_empty() {
            empty(ui, cx.theme, words.no_parts, "");
            return;
        }
        let parts: Vec<StripPart> = recent
            .iter()
            .take(STRIP)
            .map(|part| StripPart { verdict: part.verdict, number: part.part.0.to_string() })
            .collect();
        let said: Vec<&str> =
            parts.iter().map(|part| cx.words.verdict_word(part.verdict)).collect();
        strip(ui, cx.theme, &parts, &said.join(" "), ui.available_size());
    });
}
