//! A keyboard on the screen, for stations that have no other: takes which keys are touched, gives
//! what they mean to the field that has the focus, as a keyboard of keys would. It stands below the
//! page, which moves up, so it covers nothing.

use egui::{
    Button, Context, Event, Frame, Id, Key, Margin, Modifiers, Panel, Rect, Response, RichText, Ui,
    style::ScrollAnimation, text_edit::TextEditState, vec2,
};

use super::{Action, Glyph};
use crate::theme::{TOUCH, Theme, heavy};
use crate::words::keyboard::Words;

/// Between keys.
const GAP: f32 = 6.0;
/// Keys side by side.
const COLUMNS: f32 = 12.0;
/// Wider, a key is no easier to hit, and the hand has a longer way.
const KEY_MOST: f32 = 88.0;

/// The keyboard.
pub struct Keyboard {
    is_shifted: bool,
    /// Where it is; nowhere while nobody types.
    place: Rect,
    /// What is typed into, and where in it.
    field: Option<(Id, TextEditState)>,
    /// What was typed on the last pass.
    typed: Vec<Event>,
}

impl Default for Keyboard {
    fn default() -> Self {
        Self { is_shifted: false, place: Rect::NOTHING, field: None, typed: vec![] }
    }
}

impl Keyboard {
    /// Begins a pass: what was typed on the last one is there for whoever has the focus.
    pub fn begin(&mut self, ctx: &Context) {
        ctx.input_mut(|input| input.events.append(&mut self.typed));
    }

    /// Shows it while a field has the focus.
    pub fn show(&mut self, ui: &mut Ui, theme: &Theme, words: &Words) {
        if !ui.ctx().text_edit_focused() {
            *self = Self::default();
            return;
        }
        let focused = ui.memory(egui::Memory::focused);
        self.field = focused.and_then(|field| Some((field, TextEditState::load(ui.ctx(), field)?)));
        let frame = Frame::new().fill(theme.bar).inner_margin(Margin::symmetric(16, 10));
        let panel = Panel::bottom("keyboard").frame(frame).resizable(false);
        let shown = panel.show(ui, |ui| {
            ui.spacing_mut().item_spacing = vec2(GAP, GAP);
            let room = (ui.available_width() - (COLUMNS - 1.0) * GAP) / COLUMNS;
            let key = room.clamp(TOUCH, KEY_MOST);
            let left = (ui.available_width() - wide(key, COLUMNS)) / 2.0;
            for (row, letters) in words.rows.into_iter().enumerate() {
                ui.horizontal(|ui| {
                    ui.add_space((left - GAP).max(0.0));
                    self.row(ui, theme, words, (row, letters), key);
                });
            }
            ui.horizontal(|ui| {
                ui.add_space((left - GAP).max(0.0));
                self.last_row(ui, theme, words, key);
            });
        });
        self.place = shown.response.rect;
    }

    /// Ends a pass: who touches a key goes on typing into the same field, from which egui takes the
    /// focus when anything else is touched.
    pub fn end(&self, ctx: &Context) {
        let touched =
            ctx.input(|input| input.pointer.interact_pos().filter(|_| input.pointer.any_click()));
        let is_on_it = touched.is_some_and(|at| self.place.contains(at));
        let is_lost = ctx.memory(|memory| memory.focused().is_none());
        if let Some((field, state)) = self.field.as_ref().filter(|_| is_on_it && is_lost) {
            ctx.memory_mut(|memory| memory.request_focus(*field));
            // What was selected still is.
            state.clone().store(ctx, *field);
        }
        if !self.typed.is_empty() || ctx.text_edit_focused() != self.field.is_some() {
            ctx.request_repaint();
        }
    }

    fn row(
        &mut self,
        ui: &mut Ui,
        theme: &Theme,
        words: &Words,
        (row, letters): (usize, &str),
        key: f32,
    ) {
        if row == 3 {
            let shift = Action::new(words.shift).sign(Glyph::Shift).on(self.is_shifted).width(key);
            if shift.show(ui, theme).clicked() {
                self.is_shifted = !self.is_shifted;
            }
        }
        for letter in letters.chars() {
            let letter = if self.is_shifted { capital(letter) } else { letter };
            if letter_key(ui, theme, &letter.to_string(), key).clicked() {
                self.is_shifted = false;
                self.typed.push(Event::Text(letter.to_string()));
            }
        }
        if row == 0 {
            let backspace = Action::new(words.backspace).sign(Glyph::Backspace).width(key);
            if backspace.show(ui, theme).clicked() {
                self.press(Key::Backspace);
            }
        }
    }

    fn last_row(&mut self, ui: &mut Ui, theme: &Theme, words: &Words, key: f32) {
        if word_key(ui, theme, (words.close, false), wide(key, 2.5)).clicked()
            && let Some((field, _)) = self.field.take()
        {
            ui.memory_mut(|memory| memory.surrender_focus(field));
        }
        let space = wide(key, COLUMNS) - wide(key, 2.5) - wide(key, 2.5) - 2.0 * GAP;
        if word_key(ui, theme, (words.space, false), space).clicked() {
            self.typed.push(Event::Text(" ".to_owned()));
        }
        if word_key(ui, theme, (words.enter, true), wide(key, 2.5)).clicked() {
            self.press(Key::Enter);
        }
    }

    fn press(&mut self, key: Key) {
        self.typed.extend([true, false].map(|pressed| {
            let (physical_key, repeat, modifiers) = (None, false, Modifiers::NONE);
            Event::Key { key, physical_key, pressed, repeat, modifiers }
        }));
    }
}

/// Scrolls to a field that is typed into and that the keyboard has pushed out of what is seen.
pub fn keep_in_view(ui: &Ui, field: &Response) {
    if field.has_focus() && !ui.clip_rect().contains_rect(field.rect) {
        let (place, at_once) = (Some(egui::Align::Center), ScrollAnimation::none());
        field.scroll_to_me_animation(place, at_once);
    }
}

/// So many keys and what is between them.
fn wide(key: f32, keys: f32) -> f32 {
    keys * key + (keys - 1.0) * GAP
}

/// What has no capital of one letter stays as it is.
fn capital(letter: char) -> char {
    let mut capitals = letter.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) => capital,
        _ => letter,
    }
}

fn letter_key(ui: &mut Ui, theme: &Theme, text: &str, width: f32) -> Response {
    let text = RichText::new(text).font(heavy(22.0)).color(theme.text);
    ui.add_sized(vec2(width, TOUCH), Button::new(text).fill(theme.button))
}

fn word_key(ui: &mut Ui, theme: &Theme, (text, leads): (&str, bool), width: f32) -> Response {
    let (fill, ink) =
        if leads { (theme.accent, theme.on_accent) } else { (theme.button, theme.text) };
    let text = RichText::new(text).color(ink);
    ui.add_sized(vec2(width, TOUCH), Button::new(text).fill(fill))
}
