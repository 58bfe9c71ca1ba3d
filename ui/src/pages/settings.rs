//! How the screen is set up, and who may use it. Language, light and size are for whoever stands
//! here; the rest, and people, are for those who may.

use domain::{Command, PersonId, Pin, Role};
use egui::{Align, Layout, RichText, ScrollArea, Sense, TextEdit, Ui, vec2};

use crate::page::Cx;
use crate::theme::{GAP, TOUCH, heavy, plain};
use crate::widgets::{Health, button, card, choice, health_sign, keep_in_view, section};
use crate::words::{Words, filled};
use crate::{Language, Person};

/// A PIN has at least so many digits.
const PIN_LEAST: usize = 4;
/// Who may change how the station works.
const MAY_SET: Role = Role::Engineer;

/// What the page remembers.
#[derive(Default)]
pub struct SettingsPage {
    name: String,
    role: Option<Role>,
    pin: String,
    /// Who is about to be removed.
    removed: Option<PersonId>,
}

impl SettingsPage {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let words = &cx.words.settings;
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let width = (ui.available_width() - GAP) / 2.0;
            ui.horizontal_top(|ui| {
                ui.vertical(|ui| {
                    let high = if may_set(cx) { 484.0 } else { 364.0 };
                    card(ui, cx.theme, words.screen, vec2(width, high), |ui| screen(ui, cx));
                    card(ui, cx.theme, words.rights, vec2(width, 292.0), |ui| rights(ui, cx));
                });
                let people =
                    58.0 + 60.0 * f32::from(u8::try_from(cx.news.people.len()).unwrap_or(u8::MAX));
                ui.vertical(|ui| {
                    card(ui, cx.theme, words.people, vec2(width, people), |ui| {
                        self.people(ui, cx);
                    });
                    if may_set(cx) {
                        card(ui, cx.theme, words.add, vec2(width, 310.0), |ui| self.add(ui, cx));
                    }
                });
            });
        });
    }

    fn people(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let people = cx.news.people.clone();
        for person in people.iter() {
            ui.horizontal(|ui| self.person(ui, cx, person));
        }
        if people.is_empty() {
            ui.label(cx.words.shell.no_people);
        }
    }

    fn person(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, person: &Person) {
        ui.set_height(TOUCH);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.add_space(3.0);
            ui.label(RichText::new(&person.name).font(heavy(17.0)));
            let role = cx.words.shell.roles[person.role as usize];
            let below = format!("{role} · {}", person.id);
            ui.label(RichText::new(below).font(plain(14.0)).color(cx.theme.weak));
        });
        if !may_set(cx) {
            return;
        }
        let (words, is_asked) = (&cx.words.settings, self.removed.as_ref() == Some(&person.id));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let text = if is_asked { words.really_remove } else { words.remove };
            if button(ui, cx.theme, text, is_asked).clicked() {
                self.removed = (!is_asked).then(|| person.id.clone());
                if is_asked {
                    cx.ask(Command::RemovePerson { person: person.id.clone() });
                }
            }
        });
    }

    fn add(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let (words, shell) = (&cx.words.settings, &cx.words.shell);
        row(ui, cx, words.name, |ui, label| {
            let edit = TextEdit::singleline(&mut self.name).char_limit(40);
            field(ui, edit).labelled_by(label);
        });
        let mut role = self.role.unwrap_or(Role::Operator);
        let roles = Role::ALL.map(|role| (role, shell.roles[role as usize]));
        row(ui, cx, words.role, |ui, _| {
            if choice(ui, cx.theme, &mut role, &roles) {
                self.role = Some(role);
            }
        });
        row(ui, cx, words.pin, |ui, label| {
            let edit = TextEdit::singleline(&mut self.pin).password(true).char_limit(12);
            field(ui, edit).labelled_by(label);
        });
        self.pin.retain(|letter| letter.is_ascii_digit());
        let is_whole = !self.name.trim().is_empty() && self.pin.len() >= PIN_LEAST;
        ui.add_enabled_ui(is_whole, |ui| {
            if button(ui, cx.theme, words.add, is_whole).clicked() {
                let pin = Pin::new(std::mem::take(&mut self.pin));
                let name = std::mem::take(&mut self.name).trim().to_owned();
                self.role = None;
                cx.ask(Command::AddPerson { name, role, pin });
            }
        });
    }
}

/// A box to type into, as high as a button.
fn field(ui: &mut Ui, edit: TextEdit<'_>) -> egui::Response {
    let edit = edit.align(egui::Align2::LEFT_CENTER).margin(vec2(12.0, 8.0));
    let field = ui.add(edit.min_size(vec2(0.0, TOUCH)).desired_width(ui.available_width() - 24.0));
    keep_in_view(ui, &field);
    field
}

/// Whether who is at the screen may change how the station works.
fn may_set(cx: &Cx<'_>) -> bool {
    cx.news.who.as_ref().is_some_and(|who| who.role >= MAY_SET)
}

/// What a row is about, and what can be chosen.
fn row(ui: &mut Ui, cx: &Cx<'_>, name: &str, add: impl FnOnce(&mut Ui, egui::Id)) {
    ui.horizontal(|ui| {
        ui.set_height(TOUCH);
        let size = vec2(140.0, TOUCH);
        let label = ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(size);
            ui.label(RichText::new(name).font(plain(15.0)).color(cx.theme.text)).id
        });
        add(ui, label.inner);
    });
}

fn screen(ui: &mut Ui, cx: &mut Cx<'_>) {
    let words: &'static Words = cx.words;
    let (theme, mut settings) = (cx.theme, cx.settings.clone());
    row(ui, cx, words.settings.language, |ui, _| {
        let all = Language::ALL.map(|language| (language, language.name()));
        choice(ui, theme, &mut settings.language, &all);
    });
    row(ui, cx, words.settings.light, |ui, _| {
        let all = [(true, words.settings.dark), (false, words.settings.bright)];
        choice(ui, theme, &mut settings.is_dark, &all);
    });
    row(ui, cx, words.settings.scale, |ui, _| {
        let all = [(1.0, "100 %"), (1.25, "125 %"), (1.5, "150 %")];
        choice(ui, theme, &mut settings.scale, &all);
    });
    row(ui, cx, words.settings.keyboard, |ui, _| {
        let [no, yes] = words.settings.no_yes;
        choice(ui, theme, &mut settings.has_keyboard, &[(true, yes), (false, no)]);
    });
    if !may_set(cx) {
        ui.horizontal(|ui| {
            let only = filled(words.settings.only, words.shell.roles[MAY_SET as usize]);
            ui.label(RichText::new(only).font(plain(15.0)).color(theme.weak));
            if cx.news.who.is_none() && button(ui, theme, words.shell.log_in, false).clicked() {
                cx.desk.want(MAY_SET);
            }
        });
        *cx.settings = settings;
        return;
    }
    row(ui, cx, words.settings.preview, |ui, _| {
        let all = [(1.0, "1"), (2.0, "2"), (5.0, "5"), (10.0, "10")];
        choice(ui, theme, &mut settings.preview_fps, &all);
    });
    row(ui, cx, words.settings.lock, |ui, _| {
        let minutes = [1_u32, 5, 15, 60];
        let names = minutes.map(|minutes| filled(words.settings.minutes, &minutes.to_string()));
        let all: Vec<(u32, &str)> =
            minutes.iter().zip(&names).map(|(at, name)| (at * 60, name.as_str())).collect();
        choice(ui, theme, &mut settings.lock_after_s, &all);
    });
    row(ui, cx, words.settings.second, |ui, _| {
        let all = [(0.0, words.settings.never), (0.02, "2 %"), (0.05, "5 %"), (0.1, "10 %")];
        choice(ui, theme, &mut settings.second_opinion, &all);
    });
    *cx.settings = settings;
}

/// A line a task, a column a role.
fn rights(ui: &mut Ui, cx: &Cx<'_>) {
    // As `Command::needs` has it.
    let least = [
        Role::Operator,
        Role::Operator,
        Role::Operator,
        Role::Quality,
        Role::Quality,
        Role::Engineer,
    ];
    let width = ui.available_width();
    let name_width = width * 0.46;
    let column = (width - name_width) / 3.0;
    ui.spacing_mut().item_spacing = vec2(0.0, 6.0);
    // Nothing here is touched.
    ui.spacing_mut().interact_size.y = 0.0;
    ui.horizontal(|ui| {
        ui.allocate_space(vec2(name_width, 20.0));
        for role in Role::ALL {
            let place = vec2(column, 20.0);
            ui.allocate_ui_with_layout(place, Layout::top_down(Align::Center), |ui| {
                ui.set_min_size(place);
                section(ui, cx.theme, cx.words.shell.roles[role as usize]);
            });
        }
    });
    for (task, least) in cx.words.settings.tasks.into_iter().zip(least) {
        ui.horizontal(|ui| {
            let (rect, response) = ui.allocate_exact_size(vec2(name_width, 28.0), Sense::hover());
            let at = rect.left_center();
            let (font, ink) = (plain(16.0), cx.theme.text);
            ui.painter().text(at, egui::Align2::LEFT_CENTER, task, font, ink);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, task));
            for role in Role::ALL {
                let (rect, _) = ui.allocate_exact_size(vec2(column, 28.0), Sense::hover());
                let square = egui::Rect::from_center_size(rect.center(), vec2(16.0, 16.0));
                let health = if role >= least { Health::Good } else { Health::Absent };
                health_sign(ui.painter(), square, health, cx.theme);
            }
        });
    }
}
