//! What is drawn with, and what was drawn: the left side of the page.

use domain::{Mark, Shape};
use egui::{Key, Rect, RichText, Role, ScrollArea, Sense, Slider, Ui, WidgetInfo, vec2};

use super::super::review::bench::hears;
use super::work::Work;
use crate::canvas::brush::{RADIUS_MAX_PX, RADIUS_MIN_PX};
use crate::canvas::hand::Tool;
use crate::page::Cx;
use crate::theme::{TOUCH, heavy, plain};
use crate::widgets::{Action, Glyph, glyph, pressed, section};
use crate::words::filled;

/// What a person wants done with the marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// That one is removed.
    Remove(usize),
    /// That suggestion is taken over.
    Accept(usize),
    /// That one comes into hand.
    Select(usize),
}

/// The tools, a button and a key each.
pub fn tools(ui: &mut Ui, cx: &Cx<'_>, work: &mut Work) {
    let (words, theme) = (&cx.words.label, cx.theme);
    section(ui, theme, words.tools);
    let all = [
        (Tool::Box, words.rectangle, Glyph::Box, "R", Key::R),
        (Tool::Polygon, words.polygon, Glyph::Polygon, "P", Key::P),
        (Tool::Brush, words.brush, Glyph::Brush, "M", Key::M),
        (Tool::Erase, words.erase, Glyph::Eraser, "E", Key::E),
        (Tool::Select, words.select, Glyph::Arrow, "V", Key::V),
    ];
    let hears = hears(ui, cx);
    ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
    for (tool, name, sign, letter, key) in all {
        let is_on = work.tool == tool;
        let button =
            Action::new(name).glyph(sign).key(letter).on(is_on).width(ui.available_width());
        if button.show(ui, theme).clicked() || (hears && pressed(ui, key)) {
            work.tool = tool;
            work.hand.cancel();
        }
    }
    brush_size(ui, cx, work, hears);
}

fn brush_size(ui: &mut Ui, cx: &Cx<'_>, work: &mut Work, hears: bool) {
    let words = &cx.words.label;
    let radius = &mut work.radius_px;
    if hears && pressed(ui, Key::OpenBracket) {
        *radius /= 1.25;
    }
    if hears && pressed(ui, Key::CloseBracket) {
        *radius *= 1.25;
    }
    *radius = radius.clamp(RADIUS_MIN_PX, RADIUS_MAX_PX);
    if !matches!(work.tool, Tool::Brush | Tool::Erase) {
        return;
    }
    ui.horizontal(|ui| {
        ui.spacing_mut().slider_width = ui.available_width() - 74.0;
        let range = RADIUS_MIN_PX..=RADIUS_MAX_PX;
        let slider = ui.add(Slider::new(radius, range).logarithmic(true).show_value(false));
        slider.widget_info(|| WidgetInfo::slider(true, f64::from(*radius), words.radius));
        let size = cx.words.numbers.real(f64::from(*radius), 1);
        ui.label(RichText::new(filled(words.radius_px, &size)).font(plain(15.0)));
    });
}

/// The marks there are and those the model suggests; gives what is wanted of them.
pub fn marks(ui: &mut Ui, cx: &Cx<'_>, work: &Work, suggestions: &[Mark]) -> Option<Wish> {
    let words = &cx.words.label;
    let mut wish = None;
    ui.add_space(4.0);
    ScrollArea::vertical().auto_shrink(false).id_salt("marks").show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        section(ui, cx.theme, words.marks);
        if work.marks.is_empty() {
            ui.label(RichText::new(words.no_marks).font(plain(15.0)).color(cx.theme.weak));
        }
        for (position, mark) in work.marks.iter().enumerate() {
            let is_on = work.selected == Some(position);
            let (row, remove) = row(ui, cx, mark, is_on, (words.remove_of, Glyph::Cross, ""));
            if remove {
                wish = Some(Wish::Remove(position));
            } else if row {
                wish = Some(Wish::Select(position));
            }
        }
        if !suggestions.is_empty() {
            ui.add_space(6.0);
            section(ui, cx.theme, words.suggested);
        }
        for (position, mark) in suggestions.iter().enumerate() {
            let key = if position == 0 { "A" } else { "" };
            let (row, accept) = row(ui, cx, mark, false, (words.accept_of, Glyph::Tick, key));
            if row || accept {
                wish = Some(Wish::Accept(position));
            }
        }
    });
    wish
}

/// A mark: its class, what it is, and a button; gives whether it, and whether the button was
/// touched.
fn row(
    ui: &mut Ui,
    cx: &Cx<'_>,
    mark: &Mark,
    is_on: bool,
    (name, sign, key): (&str, Glyph, &str),
) -> (bool, bool) {
    let theme = cx.theme;
    let mut is_pressed = false;
    let inner = ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let button = if key.is_empty() { TOUCH } else { TOUCH + 26.0 };
        let size = vec2(ui.available_width() - button - 18.0, TOUCH);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let what = shape_name(cx, &mark.shape);
        response.widget_info(|| {
            let name = format!("{} {what}", mark.class);
            WidgetInfo::selected(Role::ListItem, true, is_on, name)
        });
        let fill = if is_on { theme.accent } else { theme.card };
        let (ink, weak) =
            if is_on { (theme.on_accent, theme.on_accent) } else { (theme.text, theme.weak) };
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, 6.0, fill);
        let square = Rect::from_min_size(rect.min + vec2(6.0, 15.0), vec2(18.0, 18.0));
        glyph(&painter, square, sign_of(&mark.shape), weak);
        let at = rect.min + vec2(32.0, 5.0);
        painter.text(at, egui::Align2::LEFT_TOP, &mark.class, heavy(15.0), ink);
        painter.text(at + vec2(0.0, 20.0), egui::Align2::LEFT_TOP, &what, plain(13.0), weak);
        let name = filled(name, &mark.class);
        is_pressed = Action::new(&name).sign(sign).key(key).show(ui, theme).clicked();
        response.clicked()
    });
    (inner.inner, is_pressed)
}

const fn sign_of(shape: &Shape) -> Glyph {
    match shape {
        Shape::Whole => Glyph::Whole,
        Shape::Box { .. } => Glyph::Box,
        Shape::Polygon { .. } => Glyph::Polygon,
        Shape::Mask { .. } => Glyph::Brush,
    }
}

fn shape_name(cx: &Cx<'_>, shape: &Shape) -> String {
    let (words, numbers) = (&cx.words.label, &cx.words.numbers);
    match shape {
        Shape::Whole => words.whole.to_owned(),
        Shape::Box { area } => {
            filled(words.shape_box, &format!("{} \u{d7} {}", area.width, area.height))
        }
        Shape::Polygon { corners } => filled(words.shape_polygon, &corners.len().to_string()),
        Shape::Mask { mask } => filled(words.shape_mask, &numbers.count(mask.count())),
    }
}
