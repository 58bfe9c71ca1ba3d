//! The applying of changed limits: takes a draft and a reason, gives the command and tells what
//! became of it.

use domain::Command;
use egui::{Panel, RichText, TextEdit, Ui, vec2};

use super::draft::Draft;
use super::list::hindrance;
use super::what_if;
use crate::page::Cx;
use crate::theme::TOUCH;
use crate::{Answer, Ask, RecipeFacts, widgets};

/// What is remembered of it.
#[derive(Default)]
pub struct Apply {
    /// The reason that was chosen; after the last, another is typed.
    chosen: Option<usize>,
    typed: String,
    sent: Sent,
    /// What became of it.
    said: Option<String>,
}

#[derive(Default)]
enum Sent {
    #[default]
    No,
    /// On the pass before this one.
    Just,
    As(Ask),
}

impl Apply {
    /// Shows the bar below the limits, while there is something to apply or to tell.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, shown: &RecipeFacts, draft: &mut Draft) {
        self.listen(cx);
        if draft.is_changed() {
            let frame = cx.theme.card();
            let panel = Panel::bottom("apply").frame(frame).resizable(false);
            panel.show_separator_line(false).show(ui, |ui| {
                self.ask(ui, cx, shown, draft);
            });
        } else if let Some(text) = &self.said {
            let panel = Panel::bottom("applied").frame(cx.theme.card()).resizable(false);
            panel.show_separator_line(false).show(ui, |ui| {
                ui.label(text);
            });
        }
    }

    /// Waits for the answer.
    fn listen(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.sent, Sent::Just) {
            self.sent = cx.desk.given().last().map_or(Sent::No, |ask| Sent::As(*ask));
        }
        if let Sent::As(ask) = self.sent
            && let Some(answer) = cx.desk.take(ask)
        {
            self.sent = Sent::No;
            self.said = match answer {
                Answer::Done => Some(cx.words.recipe.applied.to_owned()),
                Answer::Said(text) => Some(text),
                // The screen tells why.
                Answer::Refused(_) => None,
            };
        }
    }

    fn ask(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, shown: &RecipeFacts, draft: &mut Draft) {
        let (theme, words) = (cx.theme, &cx.words.recipe);
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(words.why).strong());
            for (index, text) in words.reasons.iter().chain([&words.other]).enumerate() {
                if widgets::toggle(ui, theme, text, self.chosen == Some(index)).clicked() {
                    self.chosen = Some(index);
                }
            }
        });
        if self.chosen == Some(words.reasons.len()) {
            let field = TextEdit::singleline(&mut self.typed)
                .hint_text(words.reason)
                .min_size(vec2(0.0, TOUCH))
                .align(egui::Align2::LEFT_CENTER)
                .desired_width(f32::INFINITY);
            let response = ui.add(field);
            widgets::keep_in_view(ui, &response);
            response.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::TextInput, true, words.reason)
            });
        }
        let why = self.why(cx);
        let hindrance = hindrance(cx)
            .or_else(|| {
                let fits = what_if::with_limits(&shown.recipe, &draft.limits).is_some();
                (!fits).then_some(words.contradiction)
            })
            .or_else(|| why.is_none().then_some(words.reason_first));
        let by = cx.news.who.as_ref().map_or_else(
            || words.by_nobody.to_owned(),
            |who| {
                let role = cx.words.shell.roles[who.role as usize];
                words.by.replace("{}", &format!("{} · {role}", who.name))
            },
        );
        ui.horizontal(|ui| {
            ui.label(RichText::new(by).color(theme.weak));
            if let Some(text) = hindrance {
                ui.label(RichText::new(text).color(theme.undecided_ink));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let may = hindrance.is_none();
                let apply = |ui: &mut Ui| widgets::button(ui, theme, words.apply, true);
                if ui.add_enabled_ui(may, apply).inner.clicked()
                    && let Some(why) = why
                {
                    (self.sent, self.said) = (Sent::Just, None);
                    let limits = draft.limits.clone();
                    cx.ask(Command::ChangeLimits { number: draft.number, limits, why });
                }
                if widgets::button(ui, theme, words.discard, false).clicked() {
                    draft.limits = draft.base.clone();
                    *self = Self::default();
                }
            });
        });
    }

    fn why(&self, cx: &Cx<'_>) -> Option<String> {
        let reasons = &cx.words.recipe.reasons;
        let text = match self.chosen? {
            chosen if chosen < reasons.len() => reasons[chosen],
            _ => self.typed.trim(),
        };
        (!text.is_empty()).then(|| text.to_owned())
    }
}
