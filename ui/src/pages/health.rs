//! How the line is: the sum of parts, a row a stage, what was lost and why, disk, clips, versions.

mod cards;
mod stages;

use domain::{Command, Conservation, LineState, VerdictKind};
use egui::{Align, Align2, Color32, Layout, RichText, ScrollArea, Sense, Ui, vec2};

use crate::page::Cx;
use crate::theme::{GAP, TOUCH, heavy, plain};
use crate::widgets::{Health as Sign, button, card, empty, health_sign, left_square};
use crate::words::filled;
use crate::{Alarm, LineNews};

const SUM_HEIGHT: f32 = 116.0;
const STAGES_HEIGHT: f32 = 346.0;
const CARDS_HEIGHT: f32 = 212.0;
/// A page as wide has room for all of a row.
const WIDE: f32 = 960.0;

/// What the page remembers.
#[derive(Default)]
pub struct Health {
    rates: stages::Rates,
    asked_to_stop: bool,
}

impl Health {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let Some(line) = cx.news.line.clone() else {
            let words = &cx.words.health;
            empty(ui, cx.theme, words.no_line, words.no_line_hint);
            return;
        };
        self.rates.take(&line);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let width = ui.available_width();
            if !cx.news.alarms.is_empty() {
                alarms(ui, cx);
            }
            self.sum(ui, cx, &line, width);
            if width < WIDE {
                self.narrow(ui, cx, &line, width);
                return;
            }
            ui.horizontal_top(|ui| {
                let left = (width - GAP) * 0.66;
                stages::stages(ui, cx, &line, &self.rates, vec2(left, STAGES_HEIGHT));
                cards::troubles(ui, cx, &line, vec2(width - GAP - left, STAGES_HEIGHT));
            });
            ui.horizontal_top(|ui| {
                let size = vec2((width - 2.0 * GAP) / 3.0, CARDS_HEIGHT);
                cards::machine(ui, cx, &line, size);
                cards::clips(ui, cx, &line, size);
                cards::versions(ui, cx, &line, size);
            });
        });
    }

    /// Where there is less room, no more than two stand side by side.
    fn narrow(&self, ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, width: f32) {
        let half = (width - GAP) / 2.0;
        stages::stages(ui, cx, line, &self.rates, vec2(width, STAGES_HEIGHT));
        ui.horizontal_top(|ui| {
            cards::troubles(ui, cx, line, vec2(half, STAGES_HEIGHT));
            cards::machine(ui, cx, line, vec2(half, STAGES_HEIGHT));
        });
        ui.horizontal_top(|ui| {
            cards::clips(ui, cx, line, vec2(half, CARDS_HEIGHT));
            cards::versions(ui, cx, line, vec2(half, CARDS_HEIGHT));
        });
    }

    /// Triggered = passed + rejected + undecided + in the line, and the button that stops it.
    fn sum(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, line: &LineNews, width: f32) {
        let words = &cx.words.health;
        let (is_wide, state) = (width >= WIDE, line.snapshot.state);
        let below = if is_wide { 0.0 } else { TOUCH + GAP };
        card(ui, cx.theme, words.sum, vec2(width, SUM_HEIGHT + below), |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 14.0;
                terms(ui, cx, line.snapshot.parts);
                if is_wide {
                    let right = Layout::right_to_left(Align::Center);
                    ui.with_layout(right, |ui| self.start_or_stop(ui, cx, state));
                }
            });
            if !is_wide {
                ui.horizontal(|ui| self.start_or_stop(ui, cx, state));
            }
        });
    }

    fn start_or_stop(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, state: LineState) {
        let words = &cx.words.health;
        if state == LineState::Off {
            self.asked_to_stop = false;
            if button(ui, cx.theme, words.start, true).clicked() {
                cx.ask(Command::Start);
            }
        } else if self.asked_to_stop {
            if button(ui, cx.theme, words.really_stop, true).clicked() {
                self.asked_to_stop = false;
                cx.ask(Command::Stop);
            }
            if button(ui, cx.theme, cx.words.shell.cancel, false).clicked() {
                self.asked_to_stop = false;
            }
        } else if button(ui, cx.theme, words.stop, false).clicked() {
            self.asked_to_stop = true;
        }
    }
}

fn terms(ui: &mut Ui, cx: &Cx<'_>, parts: Conservation) {
    let (words, theme) = (&cx.words.health, cx.theme);
    let verdicts = [VerdictKind::Pass, VerdictKind::Reject, VerdictKind::Undecided];
    let [passed, rejected, undecided] = verdicts.map(|verdict| theme.ink(verdict));
    let terms = [
        (parts.triggered, theme.text, "="),
        (parts.passed, passed, "+"),
        (parts.rejected, rejected, "+"),
        (parts.undecided, undecided, "+"),
        (parts.in_line, theme.text, ""),
    ];
    for ((count, ink, sign), name) in terms.into_iter().zip(words.terms) {
        term(ui, cx, &cx.words.numbers.count(count), name, ink);
        if !sign.is_empty() {
            ui.label(RichText::new(sign).font(heavy(26.0)).color(theme.weak));
        }
    }
    let (health, said) =
        if parts.holds() { (Sign::Good, words.holds) } else { (Sign::Bad, words.broken) };
    let (rect, _) = ui.allocate_exact_size(vec2(22.0, TOUCH), Sense::hover());
    health_sign(ui.painter(), left_square(rect, 20.0), health, theme);
    ui.label(RichText::new(said).font(heavy(16.0)));
}

fn term(ui: &mut Ui, cx: &Cx<'_>, count: &str, name: &str, ink: Color32) {
    let number = ui.painter().layout_no_wrap(count.to_owned(), heavy(30.0), ink);
    let below = ui.painter().layout_no_wrap(name.to_owned(), plain(14.0), cx.theme.weak);
    let width = number.size().x.max(below.size().x);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 58.0), Sense::hover());
    let place = Align2::CENTER_TOP.anchor_size(rect.center_top(), number.size());
    ui.painter().galley(place.min, number, ink);
    let place = Align2::CENTER_BOTTOM.anchor_size(rect.center_bottom(), below.size());
    ui.painter().galley(place.min, below, cx.theme.weak);
    let spoken = format!("{count} {name}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &spoken));
}

/// All alarms, each with what it said last.
fn alarms(ui: &mut Ui, cx: &mut Cx<'_>) {
    let alarms = cx.news.alarms.clone();
    cx.theme.card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        crate::widgets::section(ui, cx.theme, cx.words.health.alarms);
        for alarm in alarms.iter() {
            ui.horizontal(|ui| alarm_line(ui, cx, alarm));
        }
    });
}

fn alarm_line(ui: &mut Ui, cx: &mut Cx<'_>, alarm: &Alarm) {
    let words = cx.words;
    ui.set_height(TOUCH);
    let (rect, _) = ui.allocate_exact_size(vec2(26.0, TOUCH), Sense::hover());
    health_sign(ui.painter(), left_square(rect, 22.0), Sign::Care, cx.theme);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if button(ui, cx.theme, words.shell.acknowledge, false).clicked() {
            cx.ask(Command::Acknowledge { alarm: alarm.name.clone() });
        }
        let at = words.numbers.time(alarm.last, cx.zone);
        let count = filled(words.shell.times, &words.numbers.count(alarm.count));
        let when = format!("{count} · {}", filled(words.shell.last_at, &at));
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.add_space(3.0);
            let what = RichText::new(words.event(&alarm.name)).font(heavy(17.0));
            ui.add(egui::Label::new(what).truncate());
            let said = RichText::new(format!("{when} · {}", alarm.said))
                .font(plain(14.0))
                .color(cx.theme.weak);
            ui.add(egui::Label::new(said).truncate());
        });
    });
}
