//! The end of it: every figure once more, what is against it, and a person's name on it.

use domain::{CalibrationStep, Role};
use egui::Ui;

use super::super::fields::{filled_twice, hint, told};
use super::super::steps::{Step, part};
use super::ask_by;
use crate::calibrating::{Calibrating, Taking};
use crate::page::Cx;
use crate::widgets::{Health, state};
use crate::words::filled;

/// Shows it.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating) {
    let (words, draft) = (&cx.words.calibrate, &of.draft);
    ui.spacing_mut().item_spacing.y = 4.0;
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Accept) {
        let stand = step.stand(of, cx.words);
        state(ui, cx.theme, stand.health, step.name(cx.words), &stand.figure);
    }
    ui.spacing_mut().item_spacing.y = 8.0;
    ui.add_space(8.0);
    if let Some((who, at)) = &draft.accepted {
        let at = cx.words.numbers.day_and_time(*at, cx.zone);
        told(ui, cx, Health::Good, &filled_twice(words.accepted_by, cx.news.name_of(who), &at));
        return;
    }
    let is_objected = draft.plane.is_none() || !draft.objections.is_empty();
    let may = of.taking == Taking::Nothing && !is_objected;
    ask_by(ui, cx, of, (words.accept, true, may), || CalibrationStep::Accept);
    if is_objected {
        part(ui, cx, words.against);
        // Before anything is measured, nothing objects.
        if draft.objections.is_empty() {
            told(ui, cx, Health::Bad, words.no_plane);
        }
        for objection in &draft.objections {
            told(ui, cx, Health::Bad, objection);
        }
        return;
    }
    let who = cx.news.who.as_ref().filter(|who| who.role >= Role::Engineer);
    let who = who.map(|who| filled(words.accept_as, &who.name));
    hint(ui, cx, who.as_deref().unwrap_or(words.accept_nobody));
}
