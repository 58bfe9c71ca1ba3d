//! The target as it was measured with a caliper, and which camera and lens this is.

use domain::{Board, BoardKind, CalibrationStep};
use egui::Ui;

use super::super::fields::{FIELD, choose, number, row, text, text_beside, told};
use super::super::steps::part;
use super::{Forms, ask_by};
use crate::calibrating::Calibrating;
use crate::page::Cx;
use crate::widgets::{Action, Glyph, Health};

/// OpenCV's families of markers, from few large markers to many fine ones.
const FAMILIES: [&str; 9] = [
    "4x4_50", "4x4_100", "4x4_250", "5x5_50", "5x5_100", "5x5_250", "6x6_50", "6x6_100", "6x6_250",
];
/// Two buttons are as wide as a number's field.
const HALF: f32 = (FIELD - 8.0) / 2.0;
/// A marker fills so much of its square when nothing else is said.
const MARKER: f64 = 0.75;

/// Shows it.
pub fn show(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating, forms: &mut Forms) {
    let words = &cx.words.calibrate;
    let mut board = forms.board.take().unwrap_or_else(|| of.board.clone());
    let kind = BoardKind::ALL.iter().position(|kind| *kind == board.kind).unwrap_or(0);
    let touched = choose(ui, cx, &words.kinds, kind);
    if let Some(touched) = touched.and_then(|at| BoardKind::ALL.get(at)) {
        board.kind = *touched;
    }
    let [columns, rows] = words.columns_rows[kind];
    number(ui, cx, columns, (&mut board.columns, 0), 2..=200);
    number(ui, cx, rows, (&mut board.rows, 0), 2..=200);
    number(ui, cx, words.square[kind], (&mut board.square_mm, 3), 0.1..=1000.0);
    if board.kind == BoardKind::Charuco {
        let mut marker = board.marker_mm.unwrap_or(MARKER * board.square_mm);
        let before = marker;
        number(ui, cx, words.marker, (&mut marker, 3), 0.05..=1000.0);
        if (marker - before).abs() > 1e-9 {
            board.marker_mm = Some(marker);
        }
        family(ui, cx, &mut board);
    }
    let is_other = board != of.board;
    if is_other {
        let typed = board.clone();
        ask_by(ui, cx, of, (words.use_board, true, true), || CalibrationStep::Board {
            board: typed,
        });
    } else {
        told(ui, cx, Health::Good, words.board_in_use);
    }
    forms.board = is_other.then_some(board);
    note(ui, cx, of, forms);
}

/// One of OpenCV's families, by the one before and the one after.
fn family(ui: &mut Ui, cx: &Cx<'_>, board: &mut Board) {
    let words = &cx.words.calibrate;
    let at = FAMILIES.iter().position(|family| *family == board.dictionary);
    let mut to = None;
    row(ui, cx, &format!("{}\n{}", words.family, board.dictionary), |ui, _| {
        let ways = [(Glyph::Back, words.before_after[0]), (Glyph::On, words.before_after[1])];
        for (glyph, name) in ways {
            let is_on = glyph == Glyph::On;
            let next = match at {
                None => Some(0),
                Some(at) if is_on => (at + 1 < FAMILIES.len()).then_some(at + 1),
                Some(at) => at.checked_sub(1),
            };
            let button = Action::new(name).sign(glyph).width(HALF).off(next.is_none());
            if button.show(ui, cx.theme).clicked() {
                to = next;
            }
        }
    });
    if let Some(family) = to.and_then(|to| FAMILIES.get(to)) {
        (*family).clone_into(&mut board.dictionary);
    }
}

fn note(ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating, forms: &mut Forms) {
    let words = &cx.words.calibrate;
    part(ui, cx, words.note);
    text_beside(ui, cx, words.serial, &mut forms.serial);
    text(ui, cx, words.lens_note, &mut forms.lens_note);
    let [serial, lens_note] = [&forms.serial, &forms.lens_note].map(|text| {
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    });
    let is_other = serial != of.draft.serial || lens_note != of.draft.lens_note;
    ui.add_space(4.0);
    ask_by(ui, cx, of, (words.keep_note, is_other, is_other), || CalibrationStep::Note {
        serial,
        lens_note,
    });
}
