//! Views for the lens: taken by themselves or by hand, listed, dropped; and what the fit gave.

use domain::CalibrationStep;
use egui::{Ui, pos2, vec2};

use super::super::fields::{against, choose, hint, under, with_sd};
use super::super::steps::{self, Step, pixels};
use super::{Forms, ask, ask_by, stop};
use crate::calibrating::{Advice, Calibrating, LensFacts, Taking, ViewFacts};
use crate::page::Cx;
use crate::theme::{TOUCH, heavy, plain};
use crate::widgets::{Action, Glyph, Health, health_sign, left_square};
use crate::words::filled;

/// Names of the distortion's parameters, as everybody calls them.
const DISTORTION: [&str; 5] = ["k1", "k2", "p1", "p2", "k3"];

/// Shows it.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating, forms: &mut Forms) {
    let words = &cx.words.calibrate;
    let is_enough = of.advice.contains(&Advice::Fit);
    let is_fitting = of.taking == Taking::Fit;
    if let Taking::Views { is_by_itself } = of.taking {
        by_itself(ui, cx, of, is_by_itself);
        let sees = of.seen.as_ref().is_some_and(|seen| !seen.points.is_empty());
        let leads = !is_by_itself && !is_enough;
        ask_by(ui, cx, of, (words.take, leads, sees), || CalibrationStep::TakeView);
    } else {
        let leads = !is_enough && of.draft.lens.is_none();
        ask_by(ui, cx, of, (words.look, leads, !is_fitting), || CalibrationStep::Views {
            is_by_itself: true,
        });
    }
    let may_fit = !of.views.is_empty() && !is_fitting;
    ask_by(ui, cx, of, (words.fit, is_enough, may_fit), || CalibrationStep::FitLens);
    stop(ui, cx, of, Step::Lens);
    let shows_figures = forms
        .shows_figures
        .unwrap_or_else(|| of.draft.lens.is_some() && !matches!(of.taking, Taking::Views { .. }));
    ui.add_space(8.0);
    if let Some(list) = choose(ui, cx, &words.lists, usize::from(shows_figures)) {
        forms.shows_figures = Some(list == 1);
    }
    match &of.draft.lens {
        Some(lens) if shows_figures => figures(ui, cx, lens),
        None if shows_figures => hint(ui, cx, words.no_fit),
        _ => views(ui, cx, of),
    }
}

fn by_itself(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating, is_by_itself: bool) {
    let ways = [true, false];
    let on = usize::from(!is_by_itself);
    let touched = choose(ui, cx, &cx.words.calibrate.by_itself, on).filter(|way| *way != on);
    if let Some(&is_by_itself) = touched.and_then(|way| ways.get(way)) {
        ask(cx, of, CalibrationStep::Views { is_by_itself });
    }
}

fn figures(ui: &mut Ui, cx: &Cx<'_>, lens: &LensFacts) {
    let words = &cx.words.calibrate;
    ui.spacing_mut().item_spacing.y = 2.0;
    let [error, focal, centre, distortion] = words.figures;
    against(ui, cx, error, &pixels(lens.rms_px, lens.rms_limit_px, cx.words));
    for (name, pair) in [(focal, &lens.focal_px), (centre, &lens.centre_px)] {
        ui.add_space(4.0);
        under(ui, cx, name);
        for (axis, &value) in ["x", "y"].into_iter().zip(pair) {
            with_sd(ui, cx, axis, (value, 2), "px");
        }
    }
    ui.add_space(4.0);
    under(ui, cx, distortion);
    for (name, &value) in DISTORTION.into_iter().zip(&lens.distortion) {
        with_sd(ui, cx, name, (value, 4), "");
    }
}

fn views(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating) {
    if of.views.is_empty() {
        hint(ui, cx, cx.words.calibrate.no_views);
    }
    ui.spacing_mut().item_spacing.y = 4.0;
    let mut dropped = None;
    // The newest is what was just taken.
    for view in of.views.iter().rev() {
        let row = ui.horizontal(|ui| self::view(ui, cx, view));
        if row.inner {
            dropped = Some(view.number);
        }
    }
    if let Some(number) = dropped {
        ask(cx, of, CalibrationStep::DropView { number });
    }
}

/// One view; gives whether it is dropped.
fn view(ui: &mut Ui, cx: &Cx<'_>, view: &ViewFacts) -> bool {
    let (theme, words, numbers) = (cx.theme, &cx.words.calibrate, &cx.words.numbers);
    ui.spacing_mut().item_spacing.x = 6.0;
    let health = match (view.is_left_out, view.rms_px) {
        (true, _) => Health::Bad,
        (false, Some(_)) => Health::Good,
        (false, None) => Health::Absent,
    };
    let number = view.number.to_string();
    let error = view.rms_px.map(|rms| steps::in_pixels(rms, cx.words)).unwrap_or_default();
    let points = filled(words.points, &numbers.count(u64::from(view.points)));
    let tilt = view.tilt_deg.map(|tilt| format!("{}°", numbers.real(tilt, 0)));
    let facts = [points].into_iter().chain(tilt).collect::<Vec<_>>().join(" · ");
    let below = if view.is_left_out { words.left_out } else { &facts };
    let size = vec2(ui.available_width() - TOUCH - 6.0, TOUCH);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    health_sign(ui.painter(), left_square(rect, 18.0), health, theme);
    let name = filled(words.view, &number);
    let at = rect.min + vec2(28.0, 4.0);
    let align = egui::Align2::LEFT_TOP;
    let painter = ui.painter_at(rect);
    painter.text(at, align, &name, heavy(16.0), theme.text);
    let end = pos2(rect.right() - 8.0, at.y);
    painter.text(end, egui::Align2::RIGHT_TOP, &error, heavy(16.0), theme.text);
    painter.text(at + vec2(0.0, 21.0), align, below, plain(14.0), theme.weak);
    let said = [name.as_str(), below, &error].into_iter().filter(|text| !text.is_empty());
    let said = said.collect::<Vec<_>>().join(" · ");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &said));
    let drop = filled(words.drop, &number);
    Action::new(&drop).sign(Glyph::Cross).width(TOUCH).show(ui, theme).clicked()
}
