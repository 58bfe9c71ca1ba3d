//! Steps that take a number of frames: the flat field, what later pictures are held against, and
//! how the belt moves.

use domain::CalibrationStep;
use egui::Ui;

use super::super::fields::{against, filled_twice, hint, number, told, with_sd};
use super::super::guide::Pick;
use super::super::picture::Picture;
use super::super::steps::{Step, speed_unit};
use super::{Forms, ask_by, stop};
use crate::calibrating::{BeltFacts, Calibrating, FlatFacts, Taking};
use crate::page::Cx;
use crate::widgets::{Health, fact, wide_button};

/// The flat field: a plain sheet, then darkness.
pub fn flat(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating, forms: &mut Forms) {
    let words = &cx.words.calibrate;
    number(ui, cx, words.settings[0], (&mut forms.exposure_us, 0), 0.0..=60_000_000.0);
    number(ui, cx, words.settings[1], (&mut forms.gain_db, 1), -60.0..=60.0);
    let may = forms.exposure_us > 0.0 && of.taking != Taking::Fit;
    let (exposure_us, gain_db) = (forms.exposure_us, forms.gain_db);
    if !stop(ui, cx, of, Step::Flat) {
        if forms.exposure_us <= 0.0 {
            hint(ui, cx, words.exposure_first);
        }
        for (is_dark, name) in [false, true].into_iter().zip(words.flats) {
            let leads = !is_dark && of.draft.flat.is_none();
            ask_by(ui, cx, of, (name, leads, may), || CalibrationStep::Flat {
                is_dark,
                exposure_us,
                gain_db,
            });
        }
    }
    if let Some(flat) = &of.draft.flat {
        flat_figures(ui, cx, of, flat);
    }
}

fn flat_figures(ui: &mut Ui, cx: &Cx<'_>, of: &Calibrating, flat: &FlatFacts) {
    let (theme, numbers) = (cx.theme, &cx.words.numbers);
    let [left, exposure, gain, bad] = cx.words.calibrate.flat_figures;
    ui.add_space(4.0);
    ui.spacing_mut().item_spacing.y = 2.0;
    against(ui, cx, left, &Step::Flat.stand(of, cx.words));
    fact(ui, theme, exposure, &format!("{} µs", numbers.real(flat.exposure_us, 0)));
    fact(ui, theme, gain, &format!("{} dB", numbers.real(flat.gain_db, 1)));
    fact(ui, theme, bad, &numbers.count(u64::from(flat.bad_pixels)));
}

/// How good pictures look.
pub fn watch(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating, picture: &mut Picture) {
    let words = &cx.words.calibrate;
    let (health, text) = match picture.landmark {
        None => (Health::Absent, words.landmarks[0].to_owned()),
        Some(at) => {
            let [x, y] = [at.x, at.y].map(|side| side.to_string());
            (Health::Good, filled_twice(words.landmarks[1], &x, &y))
        }
    };
    told(ui, cx, health, &text);
    let is_picking = picture.pick == Pick::Landmark;
    let text = if is_picking { cx.words.shell.cancel } else { words.pick_landmark };
    if wide_button(ui, cx.theme, text, (false, of.frame_size.is_some())).clicked() {
        picture.pick(if is_picking { Pick::Nothing } else { Pick::Landmark });
    }
    if picture.landmark.is_some()
        && wide_button(ui, cx.theme, words.no_landmark, (false, true)).clicked()
    {
        picture.landmark = None;
    }
    if !stop(ui, cx, of, Step::Watch) {
        let is_done = of.draft.is_watched;
        let text = if is_done { words.remember_anew } else { words.remember };
        let landmark = picture.landmark;
        let may = of.taking != Taking::Fit;
        ask_by(ui, cx, of, (text, !is_done, may), || CalibrationStep::Watch { landmark });
    }
}

/// How the belt moves.
pub fn belt(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating) {
    let words = &cx.words.calibrate;
    if !stop(ui, cx, of, Step::Belt) {
        let leads = of.draft.belt.is_none();
        let may = of.taking != Taking::Fit;
        ask_by(ui, cx, of, (words.measure_belt, leads, may), || CalibrationStep::Belt);
    }
    if let Some(belt) = &of.draft.belt {
        belt_figures(ui, cx, belt);
    }
}

fn belt_figures(ui: &mut Ui, cx: &Cx<'_>, belt: &BeltFacts) {
    let [speed, direction, count] = cx.words.calibrate.belt_figures;
    ui.spacing_mut().item_spacing.y = 2.0;
    with_sd(ui, cx, speed, (belt.speed, 1), speed_unit(belt.is_mm));
    let degrees = format!("{}°", cx.words.numbers.real(belt.direction_deg, 1));
    fact(ui, cx.theme, direction, &degrees);
    if let Some(count_mm) = belt.mm_per_count {
        with_sd(ui, cx, count, (count_mm, 5), "mm");
    }
}
