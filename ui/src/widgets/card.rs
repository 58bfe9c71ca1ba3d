//! Groups of things: a card with a title, a row of a name and its value, and what stands where
//! there is nothing yet.

use egui::{Align, Align2, Layout, Response, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::sign::{Health, health_sign};
use crate::theme::{Theme, heavy, plain};

/// A card of exactly `size` with a title, filled by `add`.
pub fn card<R>(
    ui: &mut Ui,
    theme: &Theme,
    title: &str,
    size: egui::Vec2,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    let frame = theme.card();
    let inner = size - frame.total_margin().sum();
    let shown = frame.show(ui, |ui| {
        ui.set_min_size(inner);
        ui.set_max_size(inner);
        let filled = ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 8.0;
            section(ui, theme, title);
            add(ui)
        });
        filled.inner
    });
    shown.inner
}

/// The title of a group.
pub fn section(ui: &mut Ui, theme: &Theme, title: &str) -> Response {
    ui.label(RichText::new(title).font(heavy(15.0)).color(theme.weak))
}

/// A name and its value, at both ends of a line.
pub fn fact(ui: &mut Ui, theme: &Theme, name: &str, value: &str) -> Response {
    line(ui, theme, None, name, value)
}

/// As [`fact`], with a sign of how it is.
pub fn state(ui: &mut Ui, theme: &Theme, health: Health, name: &str, value: &str) -> Response {
    line(ui, theme, Some(health), name, value)
}

fn line(ui: &mut Ui, theme: &Theme, health: Option<Health>, name: &str, value: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::hover());
    let painter = ui.painter_at(rect);
    let mut left = rect.left();
    if let Some(health) = health {
        health_sign(&painter, super::left_square(rect, 16.0), health, theme);
        left += 26.0;
    }
    let value_galley = painter.layout_no_wrap(value.to_owned(), heavy(17.0), theme.text);
    let value_width = value_galley.size().x;
    let place = pos2(rect.right() - value_width, rect.center().y - value_galley.size().y / 2.0);
    painter.galley(place, value_galley, theme.text);
    let room = rect.right() - left - value_width - 10.0;
    let ink = if health.is_some() { theme.text } else { theme.weak };
    let name_galley = elided(ui, name, plain(16.0), ink, room);
    let place = pos2(left, rect.center().y - name_galley.size().y / 2.0);
    painter.galley(place, name_galley, ink);
    let spoken = format!("{name} {value}");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, spoken.trim()));
    response
}

/// `text` in one line no wider than `width`; what does not fit is an ellipsis.
pub(super) fn elided(
    ui: &Ui,
    text: &str,
    font: egui::FontId,
    ink: egui::Color32,
    width: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, ink);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(0.0));
    ui.painter().layout_job(job)
}

/// A large number over its name; fills `width`.
pub fn figure(ui: &mut Ui, theme: &Theme, name: &str, value: &str, width: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 50.0), Sense::hover());
    let painter = ui.painter_at(rect);
    let font = super::lamp::fitting(ui, value, 28.0, width);
    painter.text(rect.left_top() + vec2(0.0, 30.0), Align2::LEFT_BOTTOM, value, font, theme.text);
    let galley = elided(ui, name, plain(14.0), theme.weak, width);
    painter.galley(rect.left_bottom() - vec2(0.0, galley.size().y), galley, theme.weak);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name} {value}")));
    response
}

/// What stands where there is nothing yet: says so, and what to do about it.
pub fn empty(ui: &mut Ui, theme: &Theme, what: &str, hint: &str) {
    let size = ui.available_size();
    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Center), |ui| {
        ui.add_space((size.y / 2.0 - 44.0).max(0.0));
        ui.label(RichText::new(what).font(heavy(20.0)).color(theme.weak));
        if !hint.is_empty() {
            ui.label(RichText::new(hint).font(plain(16.0)).color(theme.weak));
        }
    });
}

/// Words with a sign on a coloured ground: a state.
pub fn pill(ui: &mut Ui, theme: &Theme, health: Health, text: &str) -> Response {
    let galley = ui.painter().layout_no_wrap(text.to_owned(), heavy(16.0), theme.text);
    let size = vec2(galley.size().x + 50.0, 36.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 18.0, theme.button);
    let square = super::left_square(rect.shrink2(vec2(14.0, 0.0)), 16.0);
    health_sign(&painter, square, health, theme);
    let place = pos2(rect.left() + 38.0, rect.center().y - galley.size().y / 2.0);
    painter.galley(place, galley, theme.text);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}
