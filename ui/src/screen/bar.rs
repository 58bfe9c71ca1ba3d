//! The bar over every page: station, state, recipe, the small verdict lamp, who is logged in. And
//! the line under it that says what was refused.

use domain::{Command, LineState};
use egui::{Align, Frame, Key, Label, Layout, Margin, Panel, RichText, Ui, vec2};

use super::log_in::LogIn;
use super::{lamp_of, pressed};
use crate::page::Cx;
use crate::theme::{TOUCH, heavy, plain};
use crate::widgets::{Health, alarm_sign, button, left_square, pill, small_lamp};
use crate::words::filled;

/// The key that logs in and out.
const WHO_KEY: Key = Key::F12;

/// Shows it.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx<'_>, log_in: &mut LogIn) {
    let frame = Frame::new().fill(cx.theme.bar).inner_margin(Margin::symmetric(16, 8));
    Panel::top("bar").frame(frame).resizable(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.set_height(TOUCH);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                who(ui, cx, log_in);
                if let Some(line) = &cx.news.line {
                    let lamp = lamp_of(line, cx.words);
                    small_lamp(ui, cx.theme, &lamp, vec2(190.0, TOUCH));
                    let at = cx.words.numbers.hours(cx.news.now, cx.zone);
                    ui.label(RichText::new(at).font(plain(17.0)).color(cx.theme.weak));
                }
                // What is left of the width: the lamp is never in the way of a long name.
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let station = RichText::new(&cx.news.facts.station).font(heavy(20.0));
                    ui.add(Label::new(station).truncate());
                    state(ui, cx);
                });
            });
        });
    });
}

fn state(ui: &mut Ui, cx: &Cx<'_>) {
    let words = &cx.words.shell;
    let Some(line) = &cx.news.line else {
        pill(ui, cx.theme, Health::Absent, words.no_line);
        return;
    };
    let state = line.snapshot.state;
    let health = match state {
        LineState::Running => Health::Good,
        LineState::Starting | LineState::Stopping => Health::Care,
        LineState::Degraded => Health::Bad,
        LineState::Off => Health::Absent,
    };
    pill(ui, cx.theme, health, words.states[state as usize]);
    let in_force = cx.news.facts.in_force;
    let recipe = cx.news.facts.recipes.iter().find(|recipe| Some(recipe.number) == in_force);
    if let Some(recipe) = recipe {
        let text = filled(words.recipe, &recipe.recipe.name);
        let text = RichText::new(text).font(plain(17.0)).color(cx.theme.weak);
        ui.add(Label::new(text).truncate());
    }
}

fn who(ui: &mut Ui, cx: &mut Cx<'_>, log_in: &mut LogIn) {
    let words = &cx.words.shell;
    let is_key = pressed(ui, WHO_KEY);
    match &cx.news.who {
        None => {
            let text = format!("{}  {}", words.log_in, WHO_KEY.name());
            if button(ui, cx.theme, &text, !log_in.is_open()).clicked() || is_key {
                log_in.open();
            }
        }
        Some(person) => {
            if button(ui, cx.theme, words.log_out, false).clicked() || is_key {
                cx.ask(Command::LogOut);
            }
            name_and_role(ui, cx, &person.name, words.roles[person.role as usize]);
        }
    }
}

fn name_and_role(ui: &mut Ui, cx: &Cx<'_>, name: &str, role: &str) {
    let name_galley = ui.painter().layout_no_wrap(name.to_owned(), heavy(16.0), cx.theme.text);
    let role_galley = ui.painter().layout_no_wrap(role.to_owned(), plain(14.0), cx.theme.weak);
    let width = name_galley.size().x.max(role_galley.size().x);
    let (rect, response) = ui.allocate_exact_size(vec2(width, TOUCH), egui::Sense::hover());
    let below = rect.left_bottom() - vec2(0.0, role_galley.size().y + 5.0);
    ui.painter().galley(rect.left_top() + vec2(0.0, 5.0), name_galley, cx.theme.text);
    ui.painter().galley(below, role_galley, cx.theme.weak);
    let spoken = format!("{name} · {role}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &spoken));
}

/// Shows what was refused, if anything was; whether somebody has read it.
pub(super) fn refused(ui: &mut Ui, cx: &Cx<'_>, what: Option<&str>) -> bool {
    let Some(what) = what else { return false };
    let frame = Frame::new().fill(cx.theme.button).inner_margin(Margin::symmetric(16, 4));
    let panel = Panel::top("refused").frame(frame).resizable(false);
    panel
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(26.0, TOUCH), egui::Sense::hover());
                let square = left_square(rect, 24.0);
                alarm_sign(ui.painter(), square, cx.theme.undecided_ink, cx.theme.button);
                ui.label(RichText::new(what).font(heavy(17.0)));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    button(ui, cx.theme, cx.words.shell.ok, false).clicked()
                })
                .inner
            })
            .inner
        })
        .inner
}
