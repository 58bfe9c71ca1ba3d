//! The pages at the left edge: a button each, and the keys F1 to F8.

use egui::{Frame, Key, Margin, Panel, Ui, vec2};

use super::pressed;
use crate::Page;
use crate::page::Cx;
use crate::theme::TOUCH;
use crate::widgets::rail_button;

const KEYS: [Key; 8] = [Key::F1, Key::F2, Key::F3, Key::F4, Key::F5, Key::F6, Key::F7, Key::F8];
const WIDTH: f32 = 104.0;

/// Shows it.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, shown: Page) {
    let frame = Frame::new().fill(cx.theme.bar).inner_margin(Margin::symmetric(6, 8));
    let panel = Panel::left("rail").exact_size(WIDTH).resizable(false).frame(frame);
    panel.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        let room = (ui.available_height() - 7.0 * 4.0) / 8.0;
        let size = vec2(ui.available_width(), room.clamp(TOUCH, 80.0));
        for ((page, name), key) in Page::ALL.into_iter().zip(cx.words.shell.pages).zip(KEYS) {
            let button = rail_button(ui, cx.theme, (page, name, key), page == shown, size);
            if button.clicked() || pressed(ui, key) {
                *cx.go = page;
            }
        }
    });
}
