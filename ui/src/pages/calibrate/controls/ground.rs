//! The belt's plane: by the target that lies on it, or by a length that somebody knows.

use domain::CalibrationStep;
use egui::Ui;

use super::super::fields::{against, choose, hint, number, row};
use super::super::guide::Pick;
use super::super::picture::Picture;
use super::super::steps::{Step, part, pixels};
use super::{Forms, ask_by, stop};
use crate::calibrating::{Calibrating, PlaneFacts};
use crate::page::Cx;
use crate::widgets::{fact, wide_button};
use crate::words::filled;

/// Shows it.
pub fn show(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    of: &Calibrating,
    (forms, picture): (&mut Forms, &mut Picture),
) {
    let words = &cx.words.calibrate;
    number(ui, cx, words.height, (&mut forms.height_mm, 2), -1000.0..=1000.0);
    row(ui, cx, words.telecentric, |ui, _| {
        let on = usize::from(forms.is_telecentric);
        if let Some(touched) = choose(ui, cx, &words.no_yes, on) {
            forms.is_telecentric = touched == 1;
        }
    });
    if !stop(ui, cx, of, Step::Plane) {
        let is_picked = picture.pick == Pick::Ruler || !picture.ends.is_empty();
        let leads = of.draft.plane.is_none() && !is_picked;
        let (height_mm, is_telecentric) = (forms.height_mm, forms.is_telecentric);
        ask_by(ui, cx, of, (words.measure_plane, leads, true), || CalibrationStep::Plane {
            height_mm,
            is_telecentric,
        });
    }
    if let Some(plane) = &of.draft.plane {
        figures(ui, cx, plane);
    }
    part(ui, cx, words.ruler);
    ruler(ui, cx, of, (forms, picture));
}

fn figures(ui: &mut Ui, cx: &Cx<'_>, plane: &PlaneFacts) {
    let (theme, numbers) = (cx.theme, &cx.words.numbers);
    let [scale, error, points, length] = cx.words.calibrate.plane_figures;
    ui.add_space(4.0);
    ui.spacing_mut().item_spacing.y = 2.0;
    fact(ui, theme, scale, &format!("{} mm/px", numbers.real(plane.mm_per_px, 4)));
    against(ui, cx, error, &pixels(plane.rms_px, plane.rms_limit_px, cx.words));
    fact(ui, theme, points, &numbers.count(u64::from(plane.points)));
    fact(ui, theme, length, &numbers.percent(plane.length_sd_share, 3));
    ui.spacing_mut().item_spacing.y = 8.0;
}

fn ruler(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    of: &Calibrating,
    (forms, picture): (&mut Forms, &mut Picture),
) {
    let words = &cx.words.calibrate;
    let is_picking = picture.pick == Pick::Ruler;
    let has_frame = of.frame_size.is_some();
    let text = if is_picking { cx.words.shell.cancel } else { words.pick_two };
    if wide_button(ui, cx.theme, text, (false, has_frame)).clicked() {
        picture.pick(if is_picking { Pick::Nothing } else { Pick::Ruler });
        if is_picking {
            picture.ends.clear();
        }
    }
    if !picture.ends.is_empty() || is_picking {
        hint(ui, cx, &filled(words.picked, &picture.ends.len().to_string()));
    }
    let [from, to] = picture.ends[..] else { return };
    number(ui, cx, words.length, (&mut forms.length_mm, 2), 0.0..=100_000.0);
    let may = forms.length_mm > 0.0;
    let length_mm = forms.length_mm;
    ask_by(ui, cx, of, (words.measure_ruler, true, may), || CalibrationStep::Ruler {
        from,
        to,
        length_mm,
    });
}
