//! The charts: takes what was looked up, gives yield, p-chart, Pareto and where defects are, each
//! with how many parts it is of and of what time.

use egui::{RichText, ScrollArea, Ui};

use super::search::Book;
use crate::charts::{self, Control, Pareto};
use crate::page::Cx;
use crate::shelf::Shown;

/// Of a chart, points, at least; and what its card, gaps and the figures above take of the page.
const HEIGHT_LEAST: f32 = 170.0;
const AROUND: f32 = 88.0;
const ABOVE: f32 = 128.0;

/// Shows them.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, book: &Book) {
    let words = &cx.words.history;
    let Some((first, last)) = book.period else {
        charts::vacancy(ui, cx.theme, words.no_parts);
        return;
    };
    let numbers = &cx.words.numbers;
    let period = words
        .from_to
        .replace("{a}", &numbers.day_and_time(first, cx.zone))
        .replace("{b}", &numbers.day_and_time(last, cx.zone));
    let height = ((ui.available_height() - ABOVE) / 2.0 - AROUND).max(HEIGHT_LEAST);
    ScrollArea::vertical().id_salt("charts").auto_shrink(false).show(ui, |ui| {
        ui.label(RichText::new(&period).small().color(cx.theme.weak));
        figures(ui, cx, book);
        let control = Control::of(&book.subgroups);
        ui.columns(2, |columns| {
            yields(&mut columns[0], cx, (book, &control), height);
            p_chart(&mut columns[1], cx, (book, &control), height);
        });
        ui.columns(2, |columns| {
            pareto(&mut columns[0], cx, book, height);
            places(&mut columns[1], cx, book, height);
        });
    });
}

#[expect(clippy::cast_precision_loss, reason = "counts of parts are far below 2^52")]
fn figures(ui: &mut Ui, cx: &Cx<'_>, book: &Book) {
    let (theme, words, numbers) = (cx.theme, &cx.words.history, &cx.words.numbers);
    let of = book.of();
    let [passed, rejected, undecided] = book.verdicts;
    let share = |count: u64| numbers.percent(count as f64 / of.max(1) as f64, 1);
    let figures = [
        (words.parts, numbers.count(of), theme.series),
        (words.yields, share(passed), theme.pass_ink),
        (
            words.rejected,
            format!("{} · {}", numbers.count(rejected), share(rejected)),
            theme.reject_ink,
        ),
        (
            words.undecided,
            format!("{} · {}", numbers.count(undecided), share(undecided)),
            theme.undecided_ink,
        ),
    ];
    ui.columns(figures.len(), |columns| {
        for (ui, (name, value, colour)) in columns.iter_mut().zip(figures) {
            charts::figure(ui, theme, name, &value, Some(colour));
        }
    });
}

/// How long a subgroup lasts, in words.
pub fn length(cx: &Cx<'_>, seconds: u32) -> String {
    let [second, minute, hour, day] = cx.words.history.lengths;
    let (words, count) = match seconds {
        86_400.. => (day, seconds / 86_400),
        3_600.. => (hour, seconds / 3_600),
        60.. => (minute, seconds / 60),
        _ => (second, seconds),
    };
    words.replace("{}", &count.to_string())
}

fn yields(ui: &mut Ui, cx: &Cx<'_>, (book, control): (&Book, &Control), height: f32) {
    let (words, numbers) = (&cx.words.history, &cx.words.numbers);
    let note = words
        .yield_note
        .replace("{s}", &length(cx, book.subgroup_s))
        .replace("{n}", &numbers.count(control.of));
    let says = numbers.percent(1.0 - control.centre, 1);
    let title = (words.yield_chart, &*note, &*says);
    charts::card(ui, cx.theme, title, height, |ui, rect| {
        let period_s = f64::from(book.subgroup_s);
        control.paint_yield(ui, cx.theme, rect, (numbers, cx.zone, period_s));
    });
}

fn p_chart(ui: &mut Ui, cx: &Cx<'_>, (book, control): (&Book, &Control), height: f32) {
    let (theme, words, numbers) = (cx.theme, &cx.words.history, &cx.words.numbers);
    let note = words
        .p_note
        .replace("{k}", &control.points.len().to_string())
        .replace("{s}", &length(cx, book.subgroup_s))
        .replace("{n}", &numbers.count(control.of))
        .replace("{p}", &numbers.percent(control.centre, 1));
    let out = control.out_count();
    let says = match out {
        0 => words.in_control.to_owned(),
        1 => words.one_out_of_control.to_owned(),
        _ => words.out_of_control.replace("{}", &out.to_string()),
    };
    charts::card(ui, theme, (words.p_chart, &note, &says), height, |ui, rect| {
        let period_s = f64::from(book.subgroup_s);
        control.paint(ui, theme, rect, (numbers, cx.zone, period_s));
        let colour = if out == 0 { theme.pass_ink } else { theme.reject_ink };
        charts::key(ui, theme, rect, [(&*says, colour)].into_iter());
    });
}

fn pareto(ui: &mut Ui, cx: &Cx<'_>, book: &Book, height: f32) {
    let (theme, words, numbers) = (cx.theme, &cx.words.history, &cx.words.numbers);
    let pareto = Pareto::of(book.classes.clone(), words.others);
    let note = words.pareto_note.replace("{n}", &numbers.count(pareto.of));
    let bars = pareto.bars.iter();
    let says: Vec<_> =
        bars.map(|bar| format!("{} {}", bar.name, numbers.count(bar.count))).collect();
    let says = if pareto.of == 0 { words.no_rejects.to_owned() } else { says.join(", ") };
    charts::card(ui, theme, (words.pareto, &note, &says), height, |ui, rect| {
        if pareto.of == 0 {
            charts::empty(ui, theme, rect, words.no_rejects);
        } else {
            pareto.paint(ui, theme, rect, numbers);
        }
    });
}

fn places(ui: &mut Ui, cx: &mut Cx<'_>, book: &Book, height: f32) {
    let (theme, words) = (cx.theme, &cx.words.history);
    let count = cx.words.numbers.count(book.places.of());
    let note = words.places_note.replace("{n}", &count);
    let shown = book.picture.as_ref().map(|picture| cx.shelf.image(ui.ctx(), picture, 480));
    let says = if book.places.of() == 0 { words.no_places } else { &count };
    charts::card(ui, theme, (words.places, &note, says), height, |ui, rect| {
        if book.places.of() == 0 {
            charts::empty(ui, theme, rect, words.no_places);
            return;
        }
        let texture = match &shown {
            Some(Shown::Picture(texture)) => Some(texture),
            _ => None,
        };
        book.places.paint(ui, theme, rect, texture);
    });
}
