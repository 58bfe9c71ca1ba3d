//! What a step is done with: takes what is measured so far and what a person types and touches;
//! gives the steps they ask for.

mod accept;
mod ground;
mod lens;
mod light;
mod target;

use domain::{Board, CalibrationStep, Command};
use egui::{ScrollArea, Ui};

use super::picture::Picture;
use super::steps::{self, Step};
use crate::calibrating::{Calibrating, Taking};
use crate::page::Cx;
use crate::widgets::wide_button;

/// What is typed and chosen, until it is sent.
pub struct Forms {
    /// The board, where it is another than what is looked for.
    board: Option<Board>,
    serial: String,
    lens_note: String,
    height_mm: f64,
    is_telecentric: bool,
    length_mm: f64,
    exposure_us: f64,
    gain_db: f64,
    /// The lens' figures are looked at, not the views.
    shows_figures: Option<bool>,
}

impl Forms {
    /// What is known from before.
    pub fn of(calibrating: &Calibrating) -> Self {
        let draft = &calibrating.draft;
        let flat = draft.flat.unwrap_or_default();
        Self {
            board: None,
            serial: draft.serial.clone().unwrap_or_default(),
            lens_note: draft.lens_note.clone().unwrap_or_default(),
            height_mm: 0.0,
            is_telecentric: false,
            length_mm: 0.0,
            exposure_us: flat.exposure_us,
            gain_db: flat.gain_db,
            shows_figures: None,
        }
    }
}

/// Shows the controls of `step`.
pub fn show(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    of: &Calibrating,
    step: Step,
    (forms, picture): (&mut Forms, &mut Picture),
) {
    let area = ScrollArea::vertical().id_salt(("controls", step as usize));
    area.auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 8.0;
        steps::head(ui, step.name(cx.words));
        match step {
            Step::Target => target::show(ui, cx, of, forms),
            Step::Lens => lens::show(ui, cx, of, forms),
            Step::Plane => ground::show(ui, cx, of, (forms, picture)),
            Step::Flat => light::flat(ui, cx, of, forms),
            Step::Watch => light::watch(ui, cx, of, picture),
            Step::Belt => light::belt(ui, cx, of),
            Step::Accept => accept::show(ui, cx, of),
        }
    });
}

/// Asks for a step.
pub fn ask(cx: &mut Cx<'_>, of: &Calibrating, step: CalibrationStep) {
    cx.ask(Command::Calibrate { camera: of.camera.clone(), step });
}

/// A button that asks for a step.
fn ask_by(
    ui: &mut Ui,
    cx: &mut Cx<'_>,
    of: &Calibrating,
    (text, leads, may): (&str, bool, bool),
    step: impl FnOnce() -> CalibrationStep,
) {
    if wide_button(ui, cx.theme, text, (leads, may)).clicked() {
        ask(cx, of, step());
    }
}

/// Stops what takes frames, when that is `step`; gives whether it does.
fn stop(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating, step: Step) -> bool {
    let is_taking = of.taking != Taking::Fit && Step::at_work(of.taking) == Some(step);
    if is_taking {
        let text = cx.words.calibrate.stop;
        ask_by(ui, cx, of, (text, false, true), || CalibrationStep::Leave);
    }
    is_taking
}
