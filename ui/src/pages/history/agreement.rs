//! How far people agree with each other and with the model: takes the labels' agreement, gives
//! kappas with their intervals on a scale.

use egui::{RichText, ScrollArea, Sense, Ui, pos2, vec2};
use store::{Agreement, Kappa, ModelAgreement};

use super::search::{self, AgreementQuestion};
use crate::charts;
use crate::clerk::Clerk;
use crate::page::Cx;
use crate::widgets;

/// From here a kappa is not unacceptable, and from here it is very good.
const GRADES: [f64; 2] = [0.7, 0.9];

/// What the tab remembers.
pub struct AgreementTab {
    clerk: Clerk<AgreementQuestion, Agreement>,
    blind_only: bool,
}

impl Default for AgreementTab {
    fn default() -> Self {
        Self { clerk: Clerk::new("agreement", search::agreement), blind_only: false }
    }
}

impl AgreementTab {
    /// Shows it.
    pub fn show(&mut self, ui: &mut Ui, cx: &Cx<'_>, tide: u64) {
        let (theme, words) = (cx.theme, &cx.words.history);
        if widgets::toggle(ui, theme, words.blind_only, self.blind_only).clicked() {
            self.blind_only = !self.blind_only;
        }
        // Labels come without parts: looked up again every few seconds, for there are few.
        let slow = ui.input(|input| input.time / 5.0).floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let tide = tide ^ (slow as u64) << 32;
        let question = AgreementQuestion { blind_only: self.blind_only, tide };
        self.clerk.ask(ui.ctx(), cx, question);
        match self.clerk.answer() {
            None => {
                ui.label(words.looking);
            }
            Some(Err(error)) => {
                ui.label(RichText::new(error).color(theme.reject_ink));
            }
            Some(Ok(agreement)) if agreement.people.is_empty() => {
                charts::vacancy(ui, theme, words.no_agreement);
            }
            Some(Ok(agreement)) => all(ui, cx, agreement),
        }
    }
}

fn all(ui: &mut Ui, cx: &Cx<'_>, agreement: &Agreement) {
    let words = &cx.words.history;
    ScrollArea::vertical().id_salt("agreement").auto_shrink(false).show(ui, |ui| {
        ui.label(RichText::new(words.kappa_note).small().color(cx.theme.weak));
        ui.columns(2, |columns| {
            card(&mut columns[0], cx, words.all_people, |ui| {
                kappa(ui, cx, words.good_bad, agreement.good_bad.as_ref());
                kappa(ui, cx, words.by_class, agreement.classes.as_ref());
            });
            card(&mut columns[1], cx, words.people_model, |ui| {
                kappa(ui, cx, words.good_bad, agreement.model.kappa.as_ref());
                table(ui, cx, &agreement.model);
            });
        });
        if !agreement.pairs.is_empty() {
            card(ui, cx, words.pairs, |ui| {
                for pair in &agreement.pairs {
                    let who = format!(
                        "{} – {}",
                        cx.news.name_of(pair.one.as_str()),
                        cx.news.name_of(pair.other.as_str())
                    );
                    kappa(ui, cx, &who, pair.good_bad.as_ref());
                }
            });
        }
        card(ui, cx, words.each_person, |ui| {
            for person in &agreement.people {
                let who = cx.news.name_of(person.person.as_str());
                let with = |words: &str| format!("{who} {words}");
                kappa(ui, cx, &with(words.with_others), person.with_others.as_ref());
                kappa(ui, cx, &with(words.with_model), person.with_model.kappa.as_ref());
            }
        });
    });
}

fn card(ui: &mut Ui, cx: &Cx<'_>, title: &str, add: impl FnOnce(&mut Ui)) {
    cx.theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        charts::tight(ui);
        ui.label(RichText::new(title).strong());
        add(ui);
    });
}

/// A kappa in figures, and its interval on a scale from 0 to 1 with the grades marked.
fn kappa(ui: &mut Ui, cx: &Cx<'_>, of: &str, kappa: Option<&Kappa>) {
    let (theme, words, numbers) = (cx.theme, &cx.words.history, &cx.words.numbers);
    let found = kappa.and_then(|all| Some((all.items, all.kappa?, all.interval95)));
    let Some((items, value, interval)) = found else {
        ui.label(RichText::new(format!("{of}: {}", words.no_kappa)).color(theme.weak));
        return;
    };
    let (low, high) = interval.unwrap_or((value, value));
    let grade = words.grades[GRADES.iter().filter(|grade| low >= **grade).count()];
    let colour = [theme.reject_ink, theme.undecided_ink, theme.pass_ink]
        [GRADES.iter().filter(|grade| low >= **grade).count()];
    let real = |value: f64| numbers.real(value, 2);
    let text = format!(
        "κ = {}   {} … {}   n = {}   {grade}",
        real(value),
        real(low),
        real(high),
        numbers.count(items),
    );
    let row = ui.horizontal(|ui| {
        charts::hushed(ui, RichText::new(of).color(theme.text));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            charts::hushed(ui, RichText::new(&text).color(theme.text));
        });
    });
    charts::named(&row.response, &format!("{of}: {text}"));
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 16.0), Sense::hover());
    let painter = ui.painter();
    let bar = rect.shrink2(vec2(0.0, 4.0));
    painter.rect_filled(bar, 4.0, theme.button);
    let x = |value: f64| rect.left() + charts::points(value.clamp(0.0, 1.0)) * rect.width();
    let whole = bar.with_min_x(x(low)).with_max_x(x(high).max(x(low) + 3.0));
    painter.rect_filled(whole, 4.0, colour);
    for grade in GRADES {
        painter.vline(x(grade), rect.y_range(), egui::Stroke::new(1.0, theme.weak));
    }
    let at = pos2(x(value), rect.center().y);
    painter.circle(at, 6.0, theme.text, egui::Stroke::new(2.0, theme.card));
}

/// Verdicts against labels, with what they are called.
fn table(ui: &mut Ui, cx: &Cx<'_>, model: &ModelAgreement) {
    let (theme, words, shell) = (cx.theme, &cx.words.history, &cx.words.shell);
    let rows = [
        (shell.pass, model.passed_good, model.passed_bad),
        (shell.reject, model.rejected_good, model.rejected_bad),
        (shell.undecided, model.undecided_good, model.undecided_bad),
    ];
    egui::Grid::new("verdicts and labels")
        .num_columns(3)
        .min_col_width(110.0)
        .min_row_height(24.0)
        .show(ui, |ui| {
            ui.label("");
            for called in words.called {
                ui.label(RichText::new(called).small().color(theme.weak));
            }
            ui.end_row();
            for (verdict, good, bad) in rows {
                ui.label(RichText::new(verdict).small().color(theme.weak));
                for count in [good, bad] {
                    ui.label(cx.words.numbers.count(count));
                }
                ui.end_row();
            }
        });
}
