//! What is known of a part, in words and bars.

use domain::{AnsweredBy, Defect, DefectMm, GateSignal, PartPose, Stage, Verdict};
use egui::{Frame, RichText, Sense, Ui, pos2, vec2};
use store::{LabelRow, PartDetail};

use super::Known;
use crate::charts;
use crate::page::Cx;
use crate::theme::heavy;
use crate::words::filled;

/// Reasons that are told in words; all are among the scores.
const REASONS: usize = 4;

/// Shows all of it.
pub fn show(ui: &mut Ui, cx: &Cx<'_>, known: &Known) {
    let words = &cx.words.history;
    verdict(ui, cx, &known.part);
    card(ui, cx, words.scores, |ui| {
        for pose in known.part.views.iter().filter_map(|view| view.pose.as_ref()) {
            weak(ui, cx, &lay(cx, pose));
        }
        if known.part.defects.is_empty() {
            weak(ui, cx, words.no_defects);
        }
        for defect in &known.part.defects {
            score(ui, cx, known, defect);
        }
    });
    card(ui, cx, words.labels, |ui| labels(ui, cx, &known.labels));
    card(ui, cx, words.times, |ui| times(ui, cx, &known.part));
    card(ui, cx, words.provenance, |ui| provenance(ui, cx, known));
    card(ui, cx, words.clips, |ui| {
        if known.clips.is_empty() {
            weak(ui, cx, words.no_clips);
        }
        for clip in &known.clips {
            let id = words.clip.replace("{}", &clip.id.0.to_string());
            let file = clip.path.file_name().unwrap_or_default().to_string_lossy();
            ui.label(format!("{id} · {}", clip.camera));
            weak(ui, cx, &file);
        }
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

fn weak(ui: &mut Ui, cx: &Cx<'_>, text: &str) {
    ui.label(RichText::new(text).small().color(cx.theme.weak));
}

fn verdict(ui: &mut Ui, cx: &Cx<'_>, part: &PartDetail) {
    let (theme, words) = (cx.theme, &cx.words.history);
    let kind = part.row.verdict.kind();
    let (fill, ink) = theme.lamp(kind);
    let frame = Frame::new().fill(fill).corner_radius(10).inner_margin(14);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.label(RichText::new(cx.words.verdict_word(kind)).font(heavy(34.0)).color(ink));
        let reasons = match &part.row.verdict {
            Verdict::Reject { reasons } => reasons.iter().map(|it| cx.words.reason(it)).collect(),
            verdict => vec![cx.words.why(verdict)],
        };
        for why in reasons.iter().take(REASONS) {
            ui.label(RichText::new(why).color(ink));
        }
        let gate = words.gate[usize::from(part.row.gate == GateSignal::Reject)];
        let mut line = vec![cx.words.numbers.day_and_time(part.row.triggered_at.wall, cx.zone)];
        line.push(gate.to_owned());
        if part.row.answered_by == AnsweredBy::FailSafe {
            line.push(words.fail_safe.to_owned());
        }
        ui.label(RichText::new(line.join(" · ")).small().color(ink));
    });
}

/// A score as a bar, with the limits that held as ticks on it.
fn score(ui: &mut Ui, cx: &Cx<'_>, known: &Known, defect: &Defect) {
    let (theme, words, numbers) = (cx.theme, &cx.words.history, &cx.words.numbers);
    let limits = known.recipe.as_ref().and_then(|recipe| recipe.limits_for(&defect.kind));
    let counts = known.recipe.as_ref().is_none_or(|recipe| recipe.looks_at(defect));
    let value = numbers.real(f64::from(defect.score.get()), 2);
    let limit = match limits {
        Some(limits) if counts => {
            let limit = numbers.real(f64::from(limits.reject_at.get()), 2);
            format!("{} {limit}", words.limit)
        }
        _ => words.not_counted.to_owned(),
    };
    let row = ui.horizontal(|ui| {
        charts::hushed(ui, RichText::new(&*defect.kind).color(theme.text));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            charts::hushed(ui, RichText::new(&limit).small().color(theme.weak));
            charts::hushed(ui, RichText::new(&value).color(theme.text));
        });
    });
    charts::named(&row.response, &format!("{} {value}, {limit}", defect.kind));
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 14.0), Sense::hover());
    let painter = ui.painter();
    let bar = rect.shrink2(vec2(0.0, 3.0));
    let x = |score: f32| rect.left() + score * rect.width();
    painter.rect_filled(bar, 4.0, theme.button);
    let colour = match limits {
        Some(limits) if counts && defect.score >= limits.reject_at => theme.reject_ink,
        Some(limits) if counts && defect.score >= limits.undecided_from => theme.undecided_ink,
        _ => theme.weak,
    };
    let end = x(defect.score.get()).max(bar.left() + 4.0);
    painter.rect_filled(bar.with_max_x(end), 4.0, colour);
    if let Some(limits) = limits.filter(|_| counts) {
        for limit in [limits.undecided_from, limits.reject_at] {
            painter.vline(x(limit.get()), rect.y_range(), egui::Stroke::new(2.0, theme.text));
        }
    }
    if let Some(mm) = &defect.mm {
        weak(ui, cx, &length(cx, mm, limits.and_then(|limits| limits.min_length_mm)));
    }
}

/// How long it is on the belt, and from which length on the recipe lets it count.
fn length(cx: &Cx<'_>, mm: &DefectMm, least_mm: Option<f32>) -> String {
    let numbers = &cx.words.numbers;
    let mut said = vec![numbers.length(mm)];
    if let Some(least) = least_mm {
        said.push(filled(cx.words.history.counts_from, &numbers.real(f64::from(least), 1)));
    }
    said.join(" · ")
}

/// How the part lay, against the golden sample.
fn lay(cx: &Cx<'_>, pose: &PartPose) -> String {
    let numbers = &cx.words.numbers;
    let shift = match pose.offset_mm {
        Some(mm) => format!("{} mm", numbers.real(f64::from(mm), 2)),
        None => format!("{} px", numbers.real(f64::from(pose.dx_px.hypot(pose.dy_px)), 1)),
    };
    filled(&filled(cx.words.history.lay, &numbers.real(f64::from(pose.angle_deg), 1)), &shift)
}

fn labels(ui: &mut Ui, cx: &Cx<'_>, labels: &[LabelRow]) {
    let (theme, words) = (cx.theme, &cx.words.history);
    if labels.is_empty() {
        weak(ui, cx, words.no_labels);
    }
    for row in labels {
        let who = cx.news.name_of(row.by.as_str());
        let said = words.judgements[row.label.judgement as usize];
        let classes: Vec<_> = row.label.marks.iter().map(|mark| &*mark.class).collect();
        let mut line = vec![format!("{who}: {said}")];
        if !classes.is_empty() {
            line.push(classes.join(", "));
        }
        if row.label.is_blind {
            line.push(words.blind.to_owned());
        }
        if !row.holds {
            line.push(words.replaced.to_owned());
        }
        let colour = if row.holds { theme.text } else { theme.weak };
        ui.label(RichText::new(line.join(" · ")).color(colour));
        weak(ui, cx, &cx.words.numbers.day_and_time(row.at, cx.zone));
    }
}

/// The time in each stage, one bar after the other.
fn times(ui: &mut Ui, cx: &Cx<'_>, part: &PartDetail) {
    let (theme, words, numbers) = (cx.theme, &cx.words.history, &cx.words.numbers);
    let timed =
        [Stage::Capture, Stage::Locate, Stage::Prepare, Stage::Infer, Stage::Decide, Stage::Act];
    let ms = |stage| part.times.of(stage).as_secs_f64() * 1e3;
    let sum: f64 = timed.iter().map(|stage| ms(*stage)).sum();
    let (mut begin, scale) = (0.0, sum.max(1e-6));
    for stage in timed {
        let (took, name) = (ms(stage), cx.words.shell.stages[stage as usize]);
        let text = numbers.real(took, 2);
        let row = ui.horizontal(|ui| {
            ui.allocate_ui(vec2(124.0, 20.0), |ui| {
                ui.set_min_width(124.0);
                charts::hushed(ui, RichText::new(name).small().color(theme.weak));
            });
            let size = vec2((ui.available_width() - 70.0).max(40.0), 10.0);
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            let x = |ms: f64| rect.left() + charts::points(ms / scale) * rect.width();
            let bar = rect.with_min_x(x(begin)).with_max_x(x(begin + took).max(x(begin) + 2.0));
            ui.painter().rect_filled(rect, 3.0, theme.ground);
            ui.painter().rect_filled(bar, 3.0, theme.series);
            charts::hushed(ui, RichText::new(&text).small().color(theme.text));
        });
        charts::named(&row.response, &format!("{name} {text}"));
        begin += took;
    }
    let told = part.row.told_at.since(part.row.triggered_at.mono).as_secs_f64() * 1e3;
    let due = part.row.due.since(part.row.triggered_at.mono).as_secs_f64() * 1e3;
    let text = format!("{}: {} / {}", words.decision, numbers.real(told, 1), numbers.real(due, 0));
    weak(ui, cx, &text);
}

fn provenance(ui: &mut Ui, cx: &Cx<'_>, known: &Known) {
    let words = &cx.words.history;
    let of = &known.part.provenance;
    let short = |hash: domain::Sha256| hash.to_string()[..12].to_owned();
    let recipe = known.recipe.as_ref().map_or("", |recipe| &recipe.as_written().name);
    let optional = |hash: Option<domain::Sha256>| hash.map_or_else(|| "–".to_owned(), short);
    for (name, value) in [
        (words.recipe, format!("{recipe} {}", short(of.recipe))),
        (words.model, optional(of.model)),
        (words.calibration, optional(of.calibration)),
        (words.software, of.software.to_string()),
    ] {
        ui.horizontal(|ui| {
            let size = vec2(120.0, 18.0);
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            let at = pos2(rect.left(), rect.center().y);
            let (align, font) = (egui::Align2::LEFT_CENTER, charts::small(ui));
            ui.painter().text(at, align, name, font, cx.theme.weak);
            ui.label(RichText::new(value).monospace().color(cx.theme.text));
        });
    }
    if of.is_simulated {
        weak(ui, cx, words.simulated);
    }
}
