//! Who stands at the screen: people, then a pad for their PIN, at the right edge. It pushes the
//! page aside and never covers it. A command that needs somebody opens it, and goes through once
//! somebody who may has logged in.

use domain::{Command, PersonId, Pin, Role};
use egui::{Align2, Frame, Key, Margin, Panel, RichText, ScrollArea, Sense, Ui, Vec2, vec2};

use super::pressed;
use crate::desk::Desk;
use crate::page::Cx;
use crate::theme::{TOUCH, heavy, plain};
use crate::widgets::{button, digit_key, pad_key};
use crate::words::{Words, filled};
use crate::{Answer, Person, Refusal};

const WIDTH: f32 = 348.0;
/// More digits than any PIN has.
const DIGITS_MOST: usize = 12;

/// What the log-in remembers.
#[derive(Default)]
pub(super) struct LogIn {
    is_open: bool,
    person: Option<PersonId>,
    digits: String,
    /// Why it did not work.
    said: Option<Refusal>,
}

impl LogIn {
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    pub(super) const fn open(&mut self) {
        self.is_open = true;
    }

    /// Goes away, and what waited for it is not done.
    pub(super) fn close(&mut self, desk: &mut Desk) {
        *self = Self::default();
        (desk.held, desk.wanted) = (None, None);
    }

    /// Shows it when somebody is wanted.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        self.take_answer(cx);
        let needed = cx.desk.held.as_ref().and_then(Command::needs).max(cx.desk.wanted);
        let has = cx.news.who.as_ref().map(|who| who.role);
        self.is_open |= needed.is_some() && has < needed;
        if !self.is_open {
            return;
        }
        if pressed(ui, Key::Escape) {
            self.close(cx.desk);
            return;
        }
        let frame = Frame::new().fill(cx.theme.bar).inner_margin(Margin::same(16));
        let panel = Panel::right("log-in").exact_size(WIDTH).resizable(false).frame(frame);
        panel.show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 10.0;
            let may: Vec<&Person> = cx
                .news
                .people
                .iter()
                .filter(|person| needed.is_none_or(|least| person.role >= least))
                .collect();
            let chosen = may.iter().find(|person| Some(&person.id) == self.person.as_ref());
            match chosen {
                None => self.people(ui, cx, &may, needed),
                Some(person) => self.pin_pad(ui, cx, person),
            }
        });
    }

    fn take_answer(&mut self, cx: &mut Cx<'_>) {
        match cx.desk.logged_in.take() {
            Some(Answer::Refused(why)) => {
                self.digits.clear();
                self.said = Some(why);
            }
            // What was held goes through on this pass.
            Some(_) => {
                *self = Self::default();
                cx.desk.wanted = None;
            }
            None => {}
        }
    }

    fn people(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, may: &[&Person], needed: Option<Role>) {
        let words = &cx.words.shell;
        ui.heading(words.who_are_you);
        if let Some(role) = needed {
            let least = filled(words.needs_role, words.roles[role as usize]);
            let text = format!("{} · {least}", words.to_go_on);
            ui.label(RichText::new(text).font(plain(16.0)).color(cx.theme.weak));
        }
        if may.is_empty() {
            ui.label(words.no_people);
        }
        let list_height = ui.available_height() - TOUCH - 12.0;
        ScrollArea::vertical().max_height(list_height).auto_shrink([false, true]).show(ui, |ui| {
            for (person, digit) in may.iter().zip(1_u8..) {
                let role = words.roles[person.role as usize];
                let is_key = digit_key(digit).is_some_and(|key| pressed(ui, key));
                if person_button(ui, cx, person, role).clicked() || is_key {
                    self.person = Some(person.id.clone());
                }
            }
        });
        if button(ui, cx.theme, words.cancel, false).clicked() {
            self.close(cx.desk);
        }
    }

    fn pin_pad(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, person: &Person) {
        let words = &cx.words.shell;
        ui.heading(&person.name);
        self.shown_digits(ui, cx);
        let said = self.said.as_ref().map(|why| refusal(cx.words, why));
        let said = said.as_deref().unwrap_or(words.pin);
        let ink = if self.said.is_some() { cx.theme.reject_ink } else { cx.theme.weak };
        ui.label(RichText::new(said).font(plain(16.0)).color(ink));
        let gap = 10.0;
        let width = (ui.available_width() - 2.0 * gap) / 3.0;
        let height = ((ui.available_height() - TOUCH - 6.0 * gap) / 4.0).clamp(TOUCH, 80.0);
        let mut is_given = pressed(ui, Key::Enter);
        ui.spacing_mut().item_spacing = Vec2::splat(gap);
        for row in [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"]] {
            ui.horizontal(|ui| {
                for text in row {
                    self.digit_key(ui, cx, text, vec2(width, height));
                }
            });
        }
        ui.horizontal(|ui| {
            let size = vec2(width, height);
            let is_taken_back = pad_key(ui, cx.theme, words.delete, false, size).clicked();
            if is_taken_back || pressed(ui, Key::Backspace) {
                self.digits.pop();
            }
            self.digit_key(ui, cx, "0", size);
            is_given |= pad_key(ui, cx.theme, words.ok, true, size).clicked();
        });
        if button(ui, cx.theme, words.cancel, false).clicked() {
            self.close(cx.desk);
        } else if is_given && !self.digits.is_empty() {
            let pin = Pin::new(std::mem::take(&mut self.digits));
            cx.ask(Command::LogIn { person: person.id.clone(), pin });
        }
    }

    fn digit_key(&mut self, ui: &mut Ui, cx: &Cx<'_>, text: &str, size: Vec2) {
        let is_pressed = text.parse().ok().and_then(digit_key).is_some_and(|key| pressed(ui, key));
        let is_clicked = pad_key(ui, cx.theme, text, false, size).clicked();
        if (is_pressed || is_clicked) && self.digits.len() < DIGITS_MOST {
            self.digits.push_str(text);
            self.said = None;
        }
    }

    /// A dot for each digit.
    fn shown_digits(&self, ui: &mut Ui, cx: &Cx<'_>) {
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 44.0), Sense::hover());
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, 8.0, cx.theme.ground);
        let mut at = rect.left_center() + vec2(22.0, 0.0);
        for _ in 0..self.digits.len() {
            painter.circle_filled(at, 7.0, cx.theme.text);
            at.x += 24.0;
        }
    }
}

fn person_button(ui: &mut Ui, cx: &Cx<'_>, person: &Person, role: &str) -> egui::Response {
    let size = vec2(ui.available_width(), 64.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 8.0, cx.theme.button);
    if response.has_focus() || response.hovered() {
        painter.rect_stroke(rect, 8.0, (2.0, cx.theme.text), egui::StrokeKind::Inside);
    }
    let left = rect.left_center() + vec2(16.0, 0.0);
    painter.text(left, Align2::LEFT_CENTER, &person.name, heavy(18.0), cx.theme.text);
    let right = rect.right_center() - vec2(16.0, 0.0);
    painter.text(right, Align2::RIGHT_CENTER, role, plain(15.0), cx.theme.weak);
    let spoken = format!("{} {role}", person.name);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &spoken));
    response
}

/// Why something is not done, in words.
pub(crate) fn refusal(words: &Words, why: &Refusal) -> String {
    let shell = &words.shell;
    match why {
        Refusal::LogInFirst => shell.log_in_first.to_owned(),
        Refusal::Needs(role) => filled(shell.needs_role, shell.roles[*role as usize]),
        Refusal::WrongPin => shell.wrong_pin.to_owned(),
        Refusal::Wait(seconds) => filled(shell.wait, &seconds.to_string()),
        Refusal::PlcHolds => shell.plc_holds.to_owned(),
        Refusal::Failed(why) => filled(shell.failed, why),
    }
}
