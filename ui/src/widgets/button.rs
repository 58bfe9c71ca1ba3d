//! Buttons as large as a glove needs.

use egui::{Button, Response, RichText, Ui, vec2};

use crate::theme::{TOUCH, Theme};

/// A button that says `text`; filled with the accent when it `leads` on.
pub fn button(ui: &mut Ui, theme: &Theme, text: &str, leads: bool) -> Response {
    let (fill, ink) =
        if leads { (theme.accent, theme.on_accent) } else { (theme.button, theme.text) };
    let text = RichText::new(text).color(ink);
    ui.add(Button::new(text).fill(fill).min_size(vec2(TOUCH * 1.5, TOUCH)))
}

/// A button that is on or off.
pub fn toggle(ui: &mut Ui, theme: &Theme, text: &str, is_on: bool) -> Response {
    let (fill, ink) =
        if is_on { (theme.accent, theme.on_accent) } else { (theme.button, theme.text) };
    let text = RichText::new(text).color(ink);
    ui.add(Button::selectable(is_on, text).fill(fill).min_size(vec2(TOUCH * 1.5, TOUCH)))
}
