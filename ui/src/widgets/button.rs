//! Buttons as large as a glove needs.

use egui::{Align2, Button, Key, Response, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::icon::page_icon;
use super::lamp::fitting;
use crate::Page;
use crate::theme::{TOUCH, Theme, heavy, plain};

/// A button that says `text`; filled with the accent when it `leads` on.
pub fn button(ui: &mut Ui, theme: &Theme, text: &str, leads: bool) -> Response {
    let (fill, ink) =
        if leads { (theme.accent, theme.on_accent) } else { (theme.button, theme.text) };
    let text = RichText::new(text).color(ink);
    ui.add(Button::new(text).fill(fill).min_size(vec2(TOUCH * 1.5, TOUCH)))
}

/// A button as wide as there is room; it can be pressed when it `may`.
pub fn wide_button(ui: &mut Ui, theme: &Theme, text: &str, (leads, may): (bool, bool)) -> Response {
    let (fill, ink) =
        if leads && may { (theme.accent, theme.on_accent) } else { (theme.button, theme.text) };
    let size = vec2(ui.available_width(), TOUCH);
    // Heavy letters are the wider ones, so that others of that size fit as well.
    let edges = 2.0 * ui.spacing().button_padding.x + 2.0;
    let fits = fitting(ui, text, 17.0, size.x - edges);
    let font = if leads && may { fits } else { plain(fits.size) };
    let button = Button::new(RichText::new(text).font(font).color(ink)).fill(fill);
    ui.add_enabled_ui(may, |ui| ui.add_sized(size, button)).inner
}

/// A button that is on or off.
pub fn toggle(ui: &mut Ui, theme: &Theme, text: &str, is_on: bool) -> Response {
    let (fill, ink) =
        if is_on { (theme.accent, theme.on_accent) } else { (theme.button, theme.text) };
    let text = RichText::new(text).color(ink);
    ui.add(Button::selectable(is_on, text).fill(fill).min_size(vec2(TOUCH * 1.5, TOUCH)))
}

/// One of several of which one is chosen, side by side.
pub fn choice<T: Copy + PartialEq>(
    ui: &mut Ui,
    theme: &Theme,
    chosen: &mut T,
    all: &[(T, &str)],
) -> bool {
    let mut is_changed = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        for &(value, name) in all {
            if toggle(ui, theme, name, *chosen == value).clicked() && *chosen != value {
                *chosen = value;
                is_changed = true;
            }
        }
    });
    is_changed
}

/// A key of the PIN pad.
pub fn pad_key(ui: &mut Ui, theme: &Theme, text: &str, leads: bool, size: egui::Vec2) -> Response {
    let (fill, ink) =
        if leads { (theme.accent, theme.on_accent) } else { (theme.button, theme.text) };
    let font = if text.chars().count() == 1 { heavy(28.0) } else { heavy(17.0) };
    let text = RichText::new(text).font(font).color(ink);
    ui.add_sized(size, Button::new(text).fill(fill))
}

/// A page in the rail: icon, name, and the key that leads there.
pub fn rail_button(
    ui: &mut Ui,
    theme: &Theme,
    (page, name, key): (Page, &str, Key),
    is_on: bool,
    size: egui::Vec2,
) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let painter = ui.painter_at(rect);
    let plate = rect.shrink(2.0);
    let ink = if is_on { theme.on_accent } else { theme.text };
    if is_on {
        painter.rect_filled(plate, 8.0, theme.accent);
    }
    if response.has_focus() || response.hovered() {
        painter.rect_stroke(plate, 8.0, (2.0, theme.text), egui::StrokeKind::Inside);
    }
    let has_icon = rect.height() >= 64.0;
    if has_icon {
        let middle = pos2(rect.center().x, rect.top() + rect.height() * 0.38);
        let square = egui::Rect::from_center_size(middle, vec2(26.0, 26.0));
        page_icon(&painter, square, page, ink);
    }
    let at = if has_icon { rect.bottom() - 20.0 } else { rect.center().y };
    painter.text(pos2(rect.center().x, at), Align2::CENTER_CENTER, name, plain(14.0), ink);
    let faint = if is_on { theme.on_accent } else { theme.weak };
    let corner = plate.right_top() + vec2(-5.0, 4.0);
    painter.text(corner, Align2::RIGHT_TOP, key.name(), plain(10.0), faint);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, is_on, name));
    response
}
