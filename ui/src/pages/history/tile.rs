//! A part as a small picture with its verdict: takes what is known of it, gives whether it was
//! tapped. The verdict is told by colour, by shape and in words.

use domain::{PartKey, VerdictKind};
use egui::{Align2, Color32, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo};
use egui::{pos2, vec2};
use store::ImageRow;

use crate::charts::{fitted, small};
use crate::page::Cx;
use crate::shelf::Shown;
use crate::widgets::verdict_sign;

/// Of the pictures in a tile.
pub const SIDE_MAX_PX: u32 = 240;

/// What a tile shows.
pub struct Tile<'a> {
    /// The part.
    pub key: PartKey,
    /// A picture of it, if one was kept.
    pub picture: Option<&'a ImageRow>,
    /// Its verdict.
    pub verdict: VerdictKind,
    /// When it was, beside its number; nothing where that does not matter.
    pub when: String,
    /// What stands below.
    pub below: String,
}

impl Tile<'_> {
    /// Shows it; only what can be seen asks for its picture.
    pub fn show(&self, ui: &mut Ui, cx: &mut Cx<'_>, size: egui::Vec2) -> Response {
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let words = cx.words;
        let number = format!("#{}", words.numbers.count(self.key.part.0));
        let said = [&*number, words.verdict_word(self.verdict), &self.when, &self.below];
        let name = said.join(" ").trim().replace("  ", " ");
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let theme = cx.theme;
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        painter.rect_filled(rect, 10.0, theme.card);
        let picture = rect.with_max_y(rect.bottom() - 48.0).shrink(5.0);
        painter.rect_filled(picture, 6.0, theme.ground);
        match self.picture.map(|row| cx.shelf.image(ui.ctx(), row, SIDE_MAX_PX)) {
            Some(Shown::Picture(texture)) => {
                let place = fitted(picture, texture.aspect_ratio());
                let all = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
                painter.image(texture.id(), place, all, Color32::WHITE);
            }
            Some(Shown::Waiting) => {}
            Some(Shown::Heatmap(_) | Shown::Failed(_)) | None => {
                let (at, font) = (picture.center(), small(ui));
                let text = words.history.no_picture;
                painter.text(at, Align2::CENTER_CENTER, text, font, theme.weak);
            }
        }
        let sign = Rect::from_center_size(rect.left_bottom() + vec2(23.0, -24.0), vec2(28.0, 28.0));
        let (fill, ink) = theme.lamp(self.verdict);
        verdict_sign(&painter, sign, self.verdict, fill, ink);
        let line = |up: f32, text: &str, colour| {
            let mut job =
                egui::text::LayoutJob::simple_singleline(text.to_owned(), small(ui), colour);
            job.wrap = egui::text::TextWrapping::truncate_at_width(rect.width() - 54.0);
            let galley = ui.painter().layout_job(job);
            painter.galley(rect.left_bottom() + vec2(46.0, -up), galley, colour);
        };
        line(45.0, &number, theme.text);
        line(25.0, &self.below, theme.weak);
        let when = painter.layout_no_wrap(self.when.clone(), small(ui), theme.weak);
        let at = rect.right_bottom() - vec2(10.0 + when.size().x, 45.0);
        painter.galley(at, when, theme.weak);
        let edge = if response.hovered() { theme.accent } else { theme.line };
        painter.rect_stroke(rect, 10.0, Stroke::new(1.0, edge), StrokeKind::Inside);
        response
    }
}
