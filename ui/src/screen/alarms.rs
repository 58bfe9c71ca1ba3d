//! The newest alarm, under the bar of every page, until somebody acknowledges it.

use domain::Command;
use egui::{Align, Frame, Key, Layout, Margin, Panel, RichText, Sense, Ui, vec2};

use super::pressed;
use crate::page::Cx;
use crate::theme::{TOUCH, heavy, plain};
use crate::widgets::{alarm_sign, button, left_square};
use crate::words::filled;

/// The key that acknowledges.
const KEY: Key = Key::F9;

/// Shows it, when there is one.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>) {
    let Some(alarm) = cx.news.alarms.first() else { return };
    let (words, theme) = (&cx.words.shell, cx.theme);
    let frame = Frame::new().fill(theme.undecided).inner_margin(Margin::symmetric(16, 6));
    Panel::top("alarms").frame(frame).resizable(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(34.0, TOUCH), Sense::hover());
            let square = left_square(rect, 32.0);
            alarm_sign(ui.painter(), square, theme.on_undecided, theme.undecided);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let text = format!("{}  {}", words.acknowledge, KEY.name());
                if button(ui, theme, &text, false).clicked() || pressed(ui, KEY) {
                    cx.ask(Command::Acknowledge { alarm: alarm.name.clone() });
                }
                let others = cx.news.alarms.len() - 1;
                if others > 0 {
                    let more = filled(words.more_alarms, &others.to_string());
                    ui.label(RichText::new(more).font(heavy(16.0)).color(theme.on_undecided));
                }
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    ui.spacing_mut().item_spacing.y = 0.0;
                    ui.add_space(4.0);
                    let what = RichText::new(cx.words.event(&alarm.name)).font(heavy(18.0));
                    ui.add(egui::Label::new(what.color(theme.on_undecided)).truncate());
                    let at = cx.words.numbers.time(alarm.last, cx.zone);
                    let count = filled(words.times, &cx.words.numbers.count(alarm.count));
                    let when = format!("{count} · {}", filled(words.last_at, &at));
                    let when = RichText::new(when).font(plain(14.0)).color(theme.on_undecided);
                    ui.label(when);
                });
            });
        });
    });
}
