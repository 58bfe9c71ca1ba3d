//! What is typed in and what is told at a step: numbers, words, figures against their limits.

use std::ops::RangeInclusive;

use egui::emath::Numeric;
use egui::{Align, Button, Color32, DragValue, Layout, Response, RichText, TextEdit, Ui, vec2};

use super::steps::Stand;
use crate::page::Cx;
use crate::theme::{TOUCH, heavy, plain};
use crate::widgets::{Health, fact, keep_in_view, state};
use crate::words::filled;

/// Width of a number's field.
pub const FIELD: f32 = 112.0;

/// A number that is typed; a finger that wipes over it changes nothing.
pub fn number<N: Numeric>(
    ui: &mut Ui,
    cx: &Cx<'_>,
    name: &str,
    (value, places): (&mut N, usize),
    range: RangeInclusive<N>,
) -> Response {
    let numbers = cx.words.numbers;
    let typed = DragValue::new(value)
        .range(range)
        .speed(0.0)
        .custom_formatter(move |value, _| numbers.real(value, places))
        .custom_parser(|text| text.replace(',', ".").trim().parse().ok());
    row(ui, cx, name, |ui, label| {
        let field = ui.add_sized([FIELD, TOUCH], typed).labelled_by(label);
        keep_in_view(ui, &field);
        field
    })
}

/// A name at the left, and what is set at the right.
pub fn row<R>(ui: &mut Ui, cx: &Cx<'_>, name: &str, add: impl FnOnce(&mut Ui, egui::Id) -> R) -> R {
    let width = ui.available_width();
    ui.horizontal(|ui| {
        ui.set_height(TOUCH);
        let size = vec2((width - FIELD - 8.0).max(60.0), TOUCH);
        ui.spacing_mut().item_spacing.x = 8.0;
        let label = ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(size);
            ui.label(RichText::new(name).font(plain(15.0)).color(cx.theme.text)).id
        });
        add(ui, label.inner)
    })
    .inner
}

/// One of several, side by side; as wide as there is room, each by its name where they can't all
/// be alike. Gives which is touched.
pub fn choose(ui: &mut Ui, cx: &Cx<'_>, names: &[&str], on: usize) -> Option<usize> {
    let theme = cx.theme;
    let gap = 6.0;
    let count = names.iter().fold(0.0, |count, _| count + 1.0);
    let room = ui.available_width() - gap * (count - 1.0);
    let (size, widths) = widths(ui, names, room, count);
    let mut touched = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap;
        ui.spacing_mut().button_padding.x = 0.0;
        for (index, (name, width)) in names.iter().zip(widths).enumerate() {
            let is_on = index == on;
            let (fill, ink) =
                if is_on { (theme.accent, theme.on_accent) } else { (theme.button, theme.text) };
            let text = RichText::new(*name).font(plain(size)).color(ink);
            let button = Button::selectable(is_on, text).fill(fill);
            if ui.add_sized(vec2(width, TOUCH), button).clicked() {
                touched = Some(index);
            }
        }
    });
    touched
}

/// How large letters may be, and how wide each button then is.
fn widths(ui: &Ui, names: &[&str], room: f32, count: f32) -> (f32, Vec<f32>) {
    let wide = |size: f32| {
        let lay = |name: &&str| {
            ui.painter().layout_no_wrap((*name).to_owned(), plain(size), Color32::WHITE).size().x
        };
        names.iter().map(lay).collect::<Vec<f32>>()
    };
    let fits = |size: &f32| wide(*size).iter().sum::<f32>() + 16.0 * count <= room;
    let size = [17.0, 16.0, 15.0, 14.0, 13.0].into_iter().find(fits).unwrap_or(12.0);
    let widths = wide(size);
    if widths.iter().all(|width| width + 8.0 <= room / count) {
        return (size, vec![room / count; names.len()]);
    }
    let edge = ((room - widths.iter().sum::<f32>()) / count).max(0.0);
    (size, widths.into_iter().map(|width| width + edge).collect())
}

/// Words that are typed, below their name.
pub fn text(ui: &mut Ui, cx: &Cx<'_>, name: &str, value: &mut String) {
    ui.spacing_mut().item_spacing.y = 4.0;
    let label = ui.label(RichText::new(name).font(plain(15.0)).color(cx.theme.text));
    write(ui, value, label.id);
}

/// A few letters that are typed, beside their name.
pub fn text_beside(ui: &mut Ui, cx: &Cx<'_>, name: &str, value: &mut String) {
    ui.horizontal(|ui| {
        ui.set_height(TOUCH);
        ui.spacing_mut().item_spacing.x = 12.0;
        let label = ui.label(RichText::new(name).font(plain(15.0)).color(cx.theme.text));
        write(ui, value, label.id);
    });
}

fn write(ui: &mut Ui, value: &mut String, label: egui::Id) {
    let edit = TextEdit::singleline(value)
        .char_limit(80)
        .align(egui::Align2::LEFT_CENTER)
        .margin(vec2(12.0, 8.0))
        .min_size(vec2(0.0, TOUCH))
        .desired_width(ui.available_width());
    let field = ui.add(edit).labelled_by(label);
    keep_in_view(ui, &field);
}

/// A figure against its limit, with its sign.
pub fn against(ui: &mut Ui, cx: &Cx<'_>, name: &str, stand: &Stand) {
    state(ui, cx.theme, stand.health, name, &stand.figure);
}

/// A value with its standard deviation.
pub fn with_sd(
    ui: &mut Ui,
    cx: &Cx<'_>,
    name: &str,
    ((value, sd), places): ((f64, f64), usize),
    unit: &str,
) {
    let numbers = &cx.words.numbers;
    let text = format!("{} ± {} {unit}", numbers.real(value, places), numbers.real(sd, places));
    fact(ui, cx.theme, name, text.trim_end());
}

/// A name over several values, each in a line of its own.
pub fn under(ui: &mut Ui, cx: &Cx<'_>, name: &str) {
    ui.label(RichText::new(name).font(heavy(14.0)).color(cx.theme.weak));
}

/// Words that explain.
pub fn hint(ui: &mut Ui, cx: &Cx<'_>, text: &str) {
    ui.label(RichText::new(text).font(plain(15.0)).color(cx.theme.weak));
}

/// How something is, in words that may need several lines, behind its sign.
pub fn told(ui: &mut Ui, cx: &Cx<'_>, health: Health, text: &str) {
    let left = 28.0;
    let wide = (ui.available_width() - left).max(40.0);
    let galley = ui.painter().layout(text.to_owned(), plain(16.0), cx.theme.text, wide);
    let size = vec2(ui.available_width(), galley.size().y.max(22.0));
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    let square = crate::widgets::left_square(rect.with_max_y(rect.top() + 22.0), 18.0);
    crate::widgets::health_sign(ui.painter(), square, health, cx.theme);
    ui.painter().galley(rect.min + vec2(left, 0.0), galley, cx.theme.text);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
}

/// `template` with its two `{}` replaced.
pub fn filled_twice(template: &str, one: &str, other: &str) -> String {
    filled(&filled(template, one), other)
}
