//! A button that says what it does, by which key, and with which sign.

use std::sync::Arc;

use egui::{
    Color32, CornerRadius, Galley, Key, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use super::glyph::{Glyph, glyph};
use crate::theme::{TOUCH, Theme, plain};

/// Between the parts of a button.
const GAP: f32 = 8.0;

/// What a button consists of: sign, name, key, and how wide these are.
struct Parts {
    sign: f32,
    name: Arc<Galley>,
    key: Arc<Galley>,
    cap: f32,
}

impl Parts {
    fn wide(&self) -> f32 {
        let all = [self.sign, self.name.size().x, self.cap];
        let there = all.into_iter().filter(|&wide| wide > 0.0);
        there.map(|wide| wide + GAP).sum::<f32>() - GAP
    }
}

/// What a button means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// Good.
    Pass,
    /// Bad.
    Reject,
    /// In doubt.
    Undecided,
}

/// A button, before it is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Action<'a> {
    name: &'a str,
    key: &'a str,
    glyph: Option<Glyph>,
    tone: Tone,
    is_on: bool,
    is_off: bool,
    hides_name: bool,
    is_below: bool,
    width: Option<f32>,
}

impl<'a> Action<'a> {
    /// A button that is called `name`.
    #[must_use]
    pub const fn new(name: &'a str) -> Self {
        Self {
            name,
            key: "",
            glyph: None,
            tone: Tone::Plain,
            is_on: false,
            is_off: false,
            hides_name: false,
            is_below: false,
            width: None,
        }
    }

    /// Shows which key does the same.
    #[must_use]
    pub const fn key(mut self, key: &'a str) -> Self {
        self.key = key;
        self
    }

    /// With a sign before its name.
    #[must_use]
    pub const fn glyph(mut self, glyph: Glyph) -> Self {
        self.glyph = Some(glyph);
        self
    }

    /// Its sign alone; the name is what a screen reader says, and a tip.
    #[must_use]
    pub const fn sign(mut self, glyph: Glyph) -> Self {
        (self.glyph, self.hides_name) = (Some(glyph), true);
        self
    }

    /// What stands for the key is a number, and stands below the name.
    #[must_use]
    pub const fn below(mut self) -> Self {
        self.is_below = true;
        self
    }

    /// What it means.
    #[must_use]
    pub const fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// It is on.
    #[must_use]
    pub const fn on(mut self, is_on: bool) -> Self {
        self.is_on = is_on;
        self
    }

    /// It can't be pressed now.
    #[must_use]
    pub const fn off(mut self, is_off: bool) -> Self {
        self.is_off = is_off;
        self
    }

    /// So many points wide.
    #[must_use]
    pub const fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    /// Shows it.
    pub fn show(self, ui: &mut Ui, theme: &Theme) -> Response {
        let ink = if self.is_off { theme.weak.gamma_multiply(0.55) } else { self.ink(theme) };
        let parts = self.parts(ui, ink);
        let width = self.width.unwrap_or(parts.wide() + 24.0).max(TOUCH);
        let sense = if self.is_off { Sense::hover() } else { Sense::click() };
        let (rect, response) = ui.allocate_exact_size(vec2(width, TOUCH), sense);
        response.widget_info(|| {
            WidgetInfo::selected(Role::Button, !self.is_off, self.is_on, self.name)
        });
        if ui.is_rect_visible(rect) {
            self.paint_ground(ui, theme, rect, &response);
            if self.is_below {
                let painter = ui.painter_at(rect);
                let at = |galley: &Galley, y: f32| {
                    pos2(rect.center().x - galley.size().x / 2.0, rect.top() + y)
                };
                painter.galley(at(&parts.name, 5.0), parts.name.clone(), ink);
                painter.galley(at(&parts.key, 25.0), parts.key.clone(), ink);
            } else {
                self.paint_parts(ui, theme, rect, parts, ink);
            }
        }
        if self.hides_name { response.on_hover_text(self.name) } else { response }
    }

    fn parts(&self, ui: &Ui, ink: Color32) -> Parts {
        let name = if self.hides_name { "" } else { self.name };
        let lay =
            |text: &str, size: f32| ui.painter().layout_no_wrap(text.to_owned(), plain(size), ink);
        let key = lay(self.key, if self.is_below { 15.0 } else { 13.0 });
        let cap = if self.key.is_empty() { 0.0 } else { (key.size().x + 12.0).max(22.0) };
        let sign = if self.glyph.is_some() { 20.0 } else { 0.0 };
        let mut parts = Parts { sign, name: lay(name, 17.0), key, cap };
        if self.is_below {
            parts.name = lay(name, 14.0);
        } else if let Some(width) = self.width {
            // A long name is written smaller before it is cut.
            let sizes = [16.0, 15.0, 14.0, 13.0, 12.0];
            for size in sizes {
                if parts.wide() + 20.0 > width {
                    parts.name = lay(name, size);
                }
            }
        }
        parts
    }

    /// With a fixed width the name stands left and the key right, as in a list.
    fn paint_parts(&self, ui: &Ui, theme: &Theme, rect: Rect, parts: Parts, ink: Color32) {
        let is_list = self.width.is_some() && !self.hides_name;
        let start = if is_list { rect.left() + 10.0 } else { rect.center().x - parts.wide() / 2.0 };
        let middle = rect.center().y;
        let mut x = start;
        if let Some(sign) = self.glyph {
            let place = Rect::from_center_size(pos2(x + 10.0, middle), Vec2::splat(20.0));
            glyph(ui.painter(), place, sign, self.sign_ink(theme, ink));
            x += parts.sign + GAP;
        }
        let Parts { name, key, cap, .. } = parts;
        let end = rect.right() - 10.0;
        let most = if cap > 0.0 && is_list { end - cap - 4.0 } else { end };
        let painter = ui.painter().with_clip_rect(rect.with_max_x(most.max(x)));
        let wide = name.size().x;
        painter.galley(pos2(x, middle - name.size().y / 2.0), name, ink);
        x += if wide > 0.0 { wide + GAP } else { 0.0 };
        if cap > 0.0 {
            let x = if is_list { end - cap } else { x };
            let place = Rect::from_min_size(pos2(x, middle - 11.0), vec2(cap, 22.0));
            let stroke = Stroke::new(1.0, ink.gamma_multiply(0.5));
            ui.painter().rect_stroke(place, CornerRadius::same(4), stroke, StrokeKind::Inside);
            ui.painter().galley(place.center() - key.size() / 2.0, key, ink);
        }
    }

    fn paint_ground(&self, ui: &Ui, theme: &Theme, rect: Rect, response: &Response) {
        let fill = match (self.is_on, self.tone) {
            (false, _) => theme.button,
            (true, Tone::Plain) => theme.accent,
            (true, Tone::Pass) => theme.pass,
            (true, Tone::Reject) => theme.reject,
            (true, Tone::Undecided) => theme.undecided,
        };
        let fill = if self.is_off { fill.gamma_multiply(0.45) } else { fill };
        let radius = CornerRadius::same(8);
        ui.painter().rect_filled(rect, radius, fill);
        if response.has_focus() || (response.hovered() && !self.is_off) {
            let ink = if response.has_focus() { theme.accent } else { theme.line };
            let ink = if response.is_pointer_button_down_on() { theme.text } else { ink };
            ui.painter().rect_stroke(rect, radius, Stroke::new(2.0, ink), StrokeKind::Inside);
        }
    }

    const fn ink(&self, theme: &Theme) -> Color32 {
        match (self.is_on, self.tone) {
            (false, _) => theme.text,
            (true, Tone::Undecided) => theme.on_undecided,
            (true, _) => theme.on_accent,
        }
    }

    /// What a button means is seen in its sign before it is pressed.
    fn sign_ink(&self, theme: &Theme, ink: Color32) -> Color32 {
        match (self.is_on || self.is_off, self.tone) {
            (true, _) | (_, Tone::Plain) => ink,
            (false, Tone::Pass) => theme.pass_ink,
            (false, Tone::Reject) => theme.reject_ink,
            (false, Tone::Undecided) => theme.undecided_ink,
        }
    }
}

/// Whether `key` alone was pressed now, not held.
#[must_use]
pub fn pressed(ui: &Ui, key: Key) -> bool {
    ui.input(|input| {
        input.events.iter().any(|event| {
            let egui::Event::Key { key: which, pressed: true, repeat: false, modifiers, .. } =
                event
            else {
                return false;
            };
            *which == key && !modifiers.ctrl && !modifiers.alt && !modifiers.command
        })
    })
}

/// The key of a digit, 0 to 9.
#[must_use]
pub fn digit_key(digit: u8) -> Option<Key> {
    const DIGITS: [Key; 10] = [
        Key::Num0,
        Key::Num1,
        Key::Num2,
        Key::Num3,
        Key::Num4,
        Key::Num5,
        Key::Num6,
        Key::Num7,
        Key::Num8,
        Key::Num9,
    ];
    DIGITS.get(usize::from(digit)).copied()
}
