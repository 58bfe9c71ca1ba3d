//! The verdict lamp: what became of the newest part, in colour, shape and word. Large on the Live
//! page, small in the bar of every page.

use domain::VerdictKind;
use egui::{
    Align2, Color32, CornerRadius, FontId, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};

use super::sign::verdict_sign;
use crate::theme::{ROUND, Theme, heavy, plain};

/// What the lamp says.
#[derive(Clone, Debug, PartialEq)]
pub struct Lamp {
    /// The verdict; `None` when the lamp is out.
    pub verdict: Option<VerdictKind>,
    /// The word for it, or why the lamp is out.
    pub word: String,
    /// The part; nothing when there is none.
    pub part: String,
    /// What else is to be known of it.
    pub remark: String,
}

impl Lamp {
    fn colours(&self, theme: &Theme) -> (Color32, Color32) {
        self.verdict.map_or((theme.lamp_out, theme.text), |verdict| theme.lamp(verdict))
    }

    /// As it is read out.
    fn spoken(&self) -> String {
        [&self.word, &self.part, &self.remark].map(String::as_str).join(" ").trim().to_owned()
    }
}

/// The lamp that is read from three metres: fills `size`.
pub fn big_lamp(ui: &mut Ui, theme: &Theme, lamp: &Lamp, size: egui::Vec2) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let (fill, ink) = lamp.colours(theme);
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::same(ROUND), fill);
    let inner = rect.shrink(18.0);
    let foot = 30.0;
    let word_most = (inner.height() * 0.24).clamp(28.0, 84.0);
    let word_font = fitting(ui, &lamp.word, word_most, inner.width());
    let word_height = word_font.size * 1.1;
    let room = inner.height() - word_height - foot - 12.0;
    if let Some(verdict) = lamp.verdict {
        let side = room.min(inner.width());
        let middle = pos2(inner.center().x, inner.top() + room / 2.0);
        verdict_sign(
            &painter,
            Rect::from_center_size(middle, vec2(side, side)),
            verdict,
            ink,
            fill,
        );
        let at = pos2(inner.center().x, inner.bottom() - foot - word_height / 2.0 - 4.0);
        painter.text(at, Align2::CENTER_CENTER, &lamp.word, word_font, ink);
    } else {
        painter.text(inner.center(), Align2::CENTER_CENTER, &lamp.word, word_font, ink);
    }
    painter.text(inner.left_bottom(), Align2::LEFT_BOTTOM, &lamp.part, heavy(26.0), ink);
    painter.text(inner.right_bottom(), Align2::RIGHT_BOTTOM, &lamp.remark, plain(18.0), ink);
    said(&response, lamp);
    response
}

/// The lamp in the bar.
pub fn small_lamp(ui: &mut Ui, theme: &Theme, lamp: &Lamp, size: egui::Vec2) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let (fill, ink) = lamp.colours(theme);
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::same(8), fill);
    let mut inner = rect.shrink2(vec2(12.0, 8.0));
    if let Some(verdict) = lamp.verdict {
        let side = inner.height();
        verdict_sign(&painter, super::left_square(inner, side), verdict, ink, fill);
        *inner.left_mut() += side + 10.0;
    }
    let font = fitting(ui, &lamp.word, 22.0, inner.width());
    painter.text(inner.center(), Align2::CENTER_CENTER, &lamp.word, font, ink);
    said(&response, lamp);
    response
}

/// Heavy letters, at most `most` high, in which `text` is no wider than `width`.
pub(crate) fn fitting(ui: &Ui, text: &str, most: f32, width: f32) -> FontId {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), heavy(most), Color32::WHITE);
    let share = (width / galley.size().x.max(1.0)).min(1.0);
    // Whole points, so that few sizes of letters are drawn.
    heavy((most * share).floor().max(8.0))
}

fn said(response: &Response, lamp: &Lamp) {
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, lamp.spoken()));
}
