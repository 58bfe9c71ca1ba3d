//! The limits of a recipe on its score histogram: takes a draft, gives it as the person moved it.

use domain::VerdictKind;
use egui::{DragValue, RichText, Ui, vec2};

use super::draft::Draft;
use super::what_if::{self, Samples};
use crate::charts::{self, Grip, Histogram, Mass};
use crate::page::Cx;
use crate::theme::TOUCH;
use crate::{RecipeFacts, widgets};

/// How many parts may be looked at.
const COUNTS: [u32; 3] = [100, 1_000, 5_000];
/// In less, what stands side by side stands below each other.
const WIDE: f32 = 780.0;
/// What a tap on plus or minus moves.
const STEP: f32 = 0.01;

/// How many parts to look at, and which class.
pub fn choices(ui: &mut Ui, cx: &Cx<'_>, shown: &RecipeFacts, draft: &mut Draft, count: &mut u32) {
    let (theme, words) = (cx.theme, &cx.words.recipe);
    let mut counts = |ui: &mut Ui| {
        for choice in COUNTS.into_iter().rev() {
            let text = cx.words.numbers.count(u64::from(choice));
            if widgets::toggle(ui, theme, &text, *count == choice).clicked() {
                *count = choice;
            }
        }
        ui.label(RichText::new(words.last_parts).color(theme.weak));
    };
    let is_wide = ui.available_width() >= WIDE;
    let right = egui::Layout::right_to_left(egui::Align::Center);
    ui.horizontal(|ui| {
        ui.heading(words.limits_of.replace("{}", &shown.recipe.name));
        if is_wide {
            ui.with_layout(right, &mut counts);
        }
    });
    if !is_wide {
        ui.allocate_ui_with_layout(vec2(ui.available_width(), TOUCH), right, &mut counts);
    }
    ui.horizontal_wrapped(|ui| {
        if widgets::toggle(ui, theme, words.all_classes, draft.class.is_none()).clicked() {
            draft.class = None;
        }
        for class in &shown.classes {
            let is_shown = draft.class.as_deref() == Some(&**class);
            let has_own = draft.limits.kind.contains_key(&**class);
            let text = if has_own { format!("{class} •") } else { class.to_string() };
            let button = widgets::toggle(ui, theme, &text, is_shown);
            if button.clicked() {
                draft.class = Some(class.to_string());
            }
        }
        if draft.has_own() && widgets::button(ui, theme, words.as_all, false).clicked() {
            draft.as_all();
        }
    });
}

/// The histogram with its grips.
pub fn histogram(
    ui: &mut Ui,
    cx: &Cx<'_>,
    shown: &RecipeFacts,
    draft: &mut Draft,
    samples: &Samples,
) {
    let (theme, words, numbers) = (cx.theme, &cx.words.recipe, &cx.words.numbers);
    let Some(recipe) = what_if::with_limits(&shown.recipe, &draft.base) else { return };
    let bins = what_if::bins(&samples.of_recipe, &recipe, draft.class.as_deref());
    let n = samples.of_recipe.len() as u64;
    let note = words
        .histogram_note
        .replace("{n}", &numbers.count(n))
        .replace("{all}", &numbers.count(u64::from(samples.looked_for)));
    let kinds = [Mass::Unlabelled, Mass::Good, Mass::Bad];
    let says: Vec<String> = kinds
        .iter()
        .zip(words.masses)
        .map(|(mass, name)| format!("{name} {}", numbers.count(bins.of(*mass))))
        .collect();
    let band = draft.band();
    let mut moved = [None, None];
    let title = draft.class.as_ref().map_or_else(
        || words.histogram.to_owned(),
        |class| format!("{} · {class}", words.histogram),
    );
    charts::card(ui, theme, (&title, &note, &says.join(", ")), Histogram::HEIGHT, |ui, rect| {
        if n == 0 {
            charts::empty(ui, theme, rect, words.no_parts);
            return;
        }
        let undecided = (theme.undecided, theme.on_undecided);
        let chart = Histogram {
            bins: &bins,
            undecided_from: Grip {
                at: band.undecided_from,
                name: words.undecided_from,
                colours: undecided,
            },
            reject_at: Grip {
                at: band.reject_at,
                name: words.reject_at,
                colours: (theme.reject, theme.on_accent),
            },
            numbers,
        };
        moved = chart.show(ui, theme, rect);
        let colours = [theme.weak, theme.pass_ink, theme.reject_ink];
        charts::key(ui, theme, rect, says.iter().map(String::as_str).zip(colours));
    });
    if let Some(value) = moved[0] {
        draft.set_undecided_from(value);
    }
    if let Some(value) = moved[1] {
        draft.set_reject_at(value);
    }
}

/// The limits as numbers, with plus and minus.
pub fn steps(ui: &mut Ui, cx: &Cx<'_>, draft: &mut Draft) {
    let words = &cx.words.recipe;
    let band = draft.band();
    let limits = [
        (VerdictKind::Undecided, words.undecided_from, band.undecided_from),
        (VerdictKind::Reject, words.reject_at, band.reject_at),
    ];
    let mut show = |ui: &mut Ui, (kind, name, value)| match (kind, step(ui, cx, name, value)) {
        (_, None) => {}
        (VerdictKind::Reject, Some(value)) => draft.set_reject_at(value),
        (_, Some(value)) => draft.set_undecided_from(value),
    };
    if ui.available_width() >= WIDE {
        ui.columns(2, |columns| {
            columns.iter_mut().zip(limits).for_each(|(ui, limit)| show(ui, limit));
        });
    } else {
        limits.into_iter().for_each(|limit| show(ui, limit));
    }
}

fn step(ui: &mut Ui, cx: &Cx<'_>, name: &str, value: f32) -> Option<f32> {
    let (theme, words, numbers) = (cx.theme, &cx.words.recipe, cx.words.numbers);
    let mut moved = value;
    theme.card().show(ui, |ui| {
        ui.horizontal(|ui| {
            let label = ui.add_sized([96.0, TOUCH], egui::Label::new(name));
            for (text, says, by) in [("−", words.less, -STEP), ("+", words.more, STEP)] {
                if by > 0.0 {
                    let typed = DragValue::new(&mut moved)
                        .range(0.0..=1.0)
                        .speed(0.002)
                        .custom_formatter(move |value, _| numbers.real(value, 2))
                        .custom_parser(|text| text.replace(',', ".").trim().parse().ok());
                    let typed = ui.add_sized([88.0, TOUCH], typed).labelled_by(label.id);
                    widgets::keep_in_view(ui, &typed);
                }
                let button = widgets::button(ui, theme, text, false);
                let says = says.replace("{}", name);
                let info = || egui::WidgetInfo::labeled(egui::Role::Button, true, &says);
                button.widget_info(info);
                if button.clicked() {
                    moved += by;
                }
            }
        });
    });
    (moved != value).then_some(moved)
}
