//! What other limits would have done, shown: takes the numbers, gives cards and the parts.

use domain::{Rate, VerdictKind};
use egui::{Color32, RichText, Ui, vec2};

use super::what_if::{Samples, WhatIf};
use crate::charts;
use crate::page::Cx;
use crate::pages::history::tile::Tile;

/// Parts that are shown; the rest is counted.
const TILES: usize = 24;
/// Side by side.
const COLUMNS: f32 = 4.0;

/// Shows all of it.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, what_if: &WhatIf, samples: &Samples) {
    numbers(ui, cx, what_if);
    rates(ui, cx, what_if);
    changes(ui, cx, what_if, samples);
}

fn numbers(ui: &mut Ui, cx: &Cx<'_>, what_if: &WhatIf) {
    use VerdictKind::{Pass, Reject};
    let (theme, words) = (cx.theme, &cx.words.recipe);
    let cards: [(&str, usize, Color32); 4] = [
        (words.pass_to_reject, what_if.count(Pass, Reject), theme.reject_ink),
        (words.reject_to_pass, what_if.count(Reject, Pass), theme.pass_ink),
        (words.to_undecided, what_if.to_undecided(), theme.undecided_ink),
        (words.from_undecided, what_if.newly_decided(), theme.series),
    ];
    ui.label(RichText::new(words.would_have).strong());
    ui.columns(cards.len(), |columns| {
        for (ui, (name, count, colour)) in columns.iter_mut().zip(cards) {
            let text = cx.words.numbers.count(count as u64);
            charts::figure(ui, theme, name, &text, (count > 0).then_some(colour));
        }
    });
}

fn rates(ui: &mut Ui, cx: &Cx<'_>, what_if: &WhatIf) {
    let (theme, words) = (cx.theme, &cx.words.recipe);
    ui.columns(2, |columns| {
        for (ui, (name, now, then)) in columns.iter_mut().zip([
            (words.escapes, what_if.now.escape, what_if.then.escape),
            (words.overkill, what_if.now.overkill, what_if.then.overkill),
        ]) {
            theme.card().show(ui, |ui| {
                ui.set_width(ui.available_width());
                charts::tight(ui);
                ui.label(RichText::new(name).strong());
                for (when, rate) in [(words.now, now), (words.then, then)] {
                    interval(ui, cx, (name, when), &rate);
                }
            });
        }
    });
    ui.label(RichText::new(words.interval).small().color(theme.weak));
}

/// A rate with its interval, in figures and as a bar from 0 to 100 %.
fn interval(ui: &mut Ui, cx: &Cx<'_>, (of, when): (&str, &str), rate: &Rate) {
    let (theme, numbers) = (cx.theme, &cx.words.numbers);
    let text = match (rate.rate, rate.low95, rate.high95) {
        (Some(share), Some(low), Some(high)) => format!(
            "{} ({} / {})   {} … {}",
            numbers.percent(share, 1),
            numbers.count(rate.count),
            numbers.count(rate.of),
            numbers.percent(low, 1),
            numbers.percent(high, 1),
        ),
        _ => cx.words.recipe.no_labels.to_owned(),
    };
    let row = ui.horizontal(|ui| {
        let when = RichText::new(when).color(theme.weak);
        ui.allocate_ui(vec2(56.0, 24.0), |ui| charts::hushed(ui, when));
        charts::hushed(ui, RichText::new(&text).color(theme.text));
    });
    charts::named(&row.response, &format!("{of}, {when}: {text}"));
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), egui::Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, 4.0, theme.button);
    if let (Some(share), Some(low), Some(high)) = (rate.rate, rate.low95, rate.high95) {
        let x = |share: f64| rect.left() + charts::points(share) * rect.width();
        let whole = rect.with_min_x(x(low)).with_max_x(x(high));
        painter.rect_filled(whole, 4.0, theme.series.gamma_multiply(0.6));
        painter.circle_filled(egui::pos2(x(share), rect.center().y), 6.0, theme.text);
    }
}

fn changes(ui: &mut Ui, cx: &mut Cx<'_>, what_if: &WhatIf, samples: &Samples) {
    let (theme, words) = (cx.theme, &cx.words.recipe);
    ui.label(RichText::new(words.changed_parts).strong());
    if what_if.changes.is_empty() {
        ui.label(RichText::new(words.nothing_changes).color(theme.weak));
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let gaps = (COLUMNS - 1.0) * ui.spacing().item_spacing.x;
        let size = vec2((ui.available_width() - gaps) / COLUMNS - 1.0, 156.0);
        for change in what_if.changes.iter().take(TILES) {
            let sample = &samples.of_recipe[change.sample];
            let name = |kind| cx.words.verdict_word(kind);
            let tile = Tile {
                key: sample.key(),
                picture: sample.picture.as_ref(),
                verdict: change.to,
                when: String::new(),
                below: format!("{} → {}", name(change.from), name(change.to)),
            };
            if tile.show(ui, cx, size).clicked() {
                *cx.part = Some(sample.key());
                *cx.go = crate::Page::History;
            }
        }
        let more = what_if.changes.len().saturating_sub(TILES);
        if more > 0 {
            ui.label(words.and_more.replace("{}", &cx.words.numbers.count(more as u64)));
        }
    });
}
