//! The last parts as a row of signs, the newest at the left, next to the lamp.

use domain::VerdictKind;
use egui::{Align2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use super::sign::verdict_sign;
use crate::theme::{Theme, plain};

/// A part of the strip.
#[derive(Clone, Debug, PartialEq)]
pub struct StripPart {
    /// Its verdict.
    pub verdict: VerdictKind,
    /// Its number, short.
    pub number: String,
}

/// How many parts the strip shows.
pub const STRIP: usize = 24;

/// The last parts, in `size`; `said` is how it is read out.
pub fn strip(
    ui: &mut Ui,
    theme: &Theme,
    parts: &[StripPart],
    said: &str,
    size: egui::Vec2,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(rect);
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let step = rect.width() / STRIP as f32;
    let side = (step - 8.0).min(rect.height() - 24.0);
    let mut place = Rect::from_min_size(rect.min, vec2(step, rect.height() - 18.0));
    for (back, part) in parts.iter().take(STRIP).enumerate() {
        let square = Rect::from_center_size(place.center(), egui::Vec2::splat(side));
        // Good parts step back, so that the others are seen at once.
        let ink = theme.ink(part.verdict);
        let is_good = part.verdict == VerdictKind::Pass;
        let (fill, sign) = if is_good { (theme.card, ink) } else { (ink, theme.card) };
        verdict_sign(&painter, square, part.verdict, fill, sign);
        if is_good {
            painter.circle_stroke(square.center(), side / 2.0 - 1.0, Stroke::new(2.0, ink));
        }
        if back == 0 {
            let around = place.shrink2(vec2(1.0, 0.0));
            painter.rect_stroke(around, 6.0, Stroke::new(2.0, theme.text), StrokeKind::Inside);
        }
        if back % 4 == 0 {
            let below = place.center_bottom() + vec2(0.0, 18.0);
            painter.text(below, Align2::CENTER_BOTTOM, &part.number, plain(13.0), theme.weak);
        }
        place = place.translate(vec2(step, 0.0));
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, said));
    response
}
