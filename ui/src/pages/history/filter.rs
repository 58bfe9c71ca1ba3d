//! The filter row: takes what a person taps, gives which parts are asked for. No small boxes to
//! open: a tap on a button lays its choices out below it.

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::{RichText, Ui, vec2};
use store::VerdictWord;

use super::search::Which;
use crate::page::Cx;
use crate::theme::TOUCH;
use crate::widgets;

/// How far back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// All there is.
    #[default]
    All,
    /// An hour.
    Hour,
    /// A shift of eight hours.
    Shift,
    /// Twenty-four hours.
    Day,
    /// Seven days.
    Week,
}

impl Span {
    /// As they stand in the row.
    const ALL: [Self; 5] = [Self::Hour, Self::Shift, Self::Day, Self::Week, Self::All];

    const fn hours(self) -> Option<i64> {
        match self {
            Self::All => None,
            Self::Hour => Some(1),
            Self::Shift => Some(8),
            Self::Day => Some(24),
            Self::Week => Some(168),
        }
    }
}

/// What can be filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Span,
    Verdict,
    Class,
    Recipe,
    Part,
}

/// The filter row.
#[derive(Default)]
pub struct Filter {
    span: Span,
    verdict: Option<VerdictWord>,
    class: Option<Arc<str>>,
    recipe: Option<String>,
    part: String,
    /// Whose choices are laid out.
    open: Option<By>,
}

impl Filter {
    /// Which parts it asks for.
    pub fn which(&self, cx: &Cx<'_>, tide: u64) -> Which {
        // Whole minutes, so that the question is the same for a while.
        const MINUTE_NS: i64 = 60_000_000_000;
        let now = cx.news.now.unix_ns.div_euclid(MINUTE_NS) * MINUTE_NS;
        let since = self.span.hours().map(|hours| now - hours * 60 * MINUTE_NS);
        Which {
            since: since.map(|unix_ns| domain::WallTime { unix_ns }),
            verdict: self.verdict,
            class: self.class.clone(),
            recipe: self.recipe.clone(),
            number: self.part.parse().ok(),
            tide,
        }
    }

    /// Whether anything is filtered.
    fn is_any(&self) -> bool {
        self.span != Span::All
            || self.verdict.is_some()
            || self.class.is_some()
            || self.recipe.is_some()
            || !self.part.is_empty()
    }

    /// Shows what it is set to, in the row that `ui` is.
    pub fn show(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let words = &cx.words.history;
        for (by, name, value) in self.values(cx) {
            let is_set = value != words.any;
            let text = format!("{name}: {value}");
            if widgets::toggle(ui, cx.theme, &text, is_set || self.open == Some(by)).clicked() {
                self.open = if self.open == Some(by) { None } else { Some(by) };
            }
        }
        if self.is_any() && widgets::button(ui, cx.theme, words.clear, false).clicked() {
            *self = Self::default();
        }
    }

    /// Shows what may be chosen for the one that was tapped.
    pub fn show_choices(&mut self, ui: &mut Ui, cx: &Cx<'_>) {
        let Some(open) = self.open else { return };
        cx.theme.card().show(ui, |ui| {
            ui.set_width(ui.available_width());
            let is_chosen = ui.horizontal_wrapped(|ui| self.choices(ui, cx, open)).inner;
            if is_chosen {
                self.open = None;
            }
        });
    }

    fn values(&self, cx: &Cx<'_>) -> [(By, &'static str, String); 5] {
        let words = &cx.words.history;
        let any = || words.any.to_owned();
        let verdict = self.verdict.map_or_else(any, |verdict| verdict_word(cx, verdict).to_owned());
        let part = if self.part.is_empty() { any() } else { format!("#{}", self.part) };
        let span = match self.span {
            Span::All => any(),
            span => words.spans[span as usize].to_owned(),
        };
        [
            (By::Span, words.period, span),
            (By::Verdict, words.verdict, verdict),
            (By::Class, words.class, self.class.as_ref().map_or_else(any, ToString::to_string)),
            (By::Recipe, words.recipe, self.recipe.clone().unwrap_or_else(any)),
            (By::Part, words.part, part),
        ]
    }

    /// Lays out the choices; whether one was taken.
    fn choices(&mut self, ui: &mut Ui, cx: &Cx<'_>, open: By) -> bool {
        let (theme, words) = (cx.theme, &cx.words.history);
        let mut chosen = false;
        let mut choice = |ui: &mut Ui, text: &str, is_on: bool| {
            let tapped = widgets::toggle(ui, theme, text, is_on).clicked();
            chosen |= tapped;
            tapped
        };
        match open {
            By::Span => {
                for span in Span::ALL {
                    if choice(ui, words.spans[span as usize], self.span == span) {
                        self.span = span;
                    }
                }
            }
            By::Verdict => {
                use VerdictWord::{Pass, Reject, Undecided};
                for verdict in [None, Some(Pass), Some(Reject), Some(Undecided)] {
                    let text = verdict.map_or(words.all, |verdict| verdict_word(cx, verdict));
                    if choice(ui, text, self.verdict == verdict) {
                        self.verdict = verdict;
                    }
                }
            }
            By::Class => {
                let recipes = &cx.news.facts.recipes;
                let all: BTreeSet<_> = recipes.iter().flat_map(|recipe| &recipe.classes).collect();
                if choice(ui, words.all, self.class.is_none()) {
                    self.class = None;
                }
                for class in all {
                    if choice(ui, class, self.class.as_ref() == Some(class)) {
                        self.class = Some(Arc::clone(class));
                    }
                }
            }
            By::Recipe => {
                let recipes = &cx.news.facts.recipes;
                let all: BTreeSet<_> = recipes.iter().map(|recipe| &recipe.recipe.name).collect();
                if choice(ui, words.all, self.recipe.is_none()) {
                    self.recipe = None;
                }
                for name in all {
                    if choice(ui, name, self.recipe.as_ref() == Some(name)) {
                        self.recipe = Some(name.clone());
                    }
                }
            }
            By::Part => return self.digits(ui, cx),
        }
        chosen
    }

    /// A part's number, by the screen's own digits or a keyboard.
    fn digits(&mut self, ui: &mut Ui, cx: &Cx<'_>) -> bool {
        let (theme, words) = (cx.theme, &cx.words.history);
        let label = ui.label(RichText::new(words.part_number).color(theme.weak));
        let field = egui::TextEdit::singleline(&mut self.part)
            .desired_width(110.0)
            .min_size(vec2(0.0, TOUCH))
            .align(egui::Align2::LEFT_CENTER);
        let field = ui.add(field).labelled_by(label.id);
        for digit in "1234567890".chars() {
            let text = RichText::new(digit.to_string()).color(theme.text);
            let key = egui::Button::new(text).fill(theme.button).min_size(vec2(TOUCH, TOUCH));
            if ui.add(key).clicked() {
                self.part.push(digit);
            }
        }
        if widgets::button(ui, theme, cx.words.shell.delete, false).clicked() {
            self.part.pop();
        }
        self.part.retain(|letter| letter.is_ascii_digit());
        self.part.truncate(18);
        let is_done = widgets::button(ui, theme, cx.words.shell.ok, true).clicked();
        is_done || (field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter)))
    }
}

fn verdict_word(cx: &Cx<'_>, verdict: VerdictWord) -> &'static str {
    let words = &cx.words.shell;
    match verdict {
        VerdictWord::Pass => words.pass,
        VerdictWord::Reject => words.reject,
        VerdictWord::Undecided => words.undecided,
    }
}
