//! The last part that did not pass: its picture with heat and boxes, and why.

use domain::{PartId, PartKey, Verdict, VerdictKind};
use egui::{Label, RichText, Ui, Vec2, vec2};
use store::{ImageKind, ImageRow, PartDetail, PartFilter, Reader, RunId, StoreError, VerdictWord};

use crate::Page;
use crate::page::Cx;
use crate::shelf::Shown;
use crate::theme::{GAP, heavy, plain};
use crate::widgets::{Marker, Outline, Picture, bar, button, card, empty};
use crate::words::filled;

/// The store is asked no more often than this, seconds: it is written a little after the verdict.
const ASK_EVERY_S: f64 = 0.5;
/// Pictures are read no larger than this.
const SIDE_MOST_PX: u32 = 640;

/// What was read of it.
#[derive(Default)]
pub(super) struct LastReject {
    found: Option<Box<PartDetail>>,
    asked_at_s: Option<f64>,
}

impl LastReject {
    /// Shows it in a card of `size`.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, size: Vec2) {
        self.refresh(ui, cx);
        let words = &cx.words.live;
        let Some(found) = &self.found else {
            card(ui, cx.theme, words.last_reject, size, |ui| {
                empty(ui, cx.theme, words.no_reject, "");
            });
            return;
        };
        let is_reject = found.row.verdict.kind() == VerdictKind::Reject;
        let title = if is_reject { words.last_reject } else { words.last_undecided };
        card(ui, cx.theme, title, size, |ui| {
            let room = ui.available_size();
            let side = vec2((room.x * 0.5).min(room.y * 1.5), room.y);
            ui.horizontal_top(|ui| {
                picture(ui, cx, found, side);
                ui.vertical(|ui| why(ui, cx, found, room.x - side.x - GAP));
            });
        });
    }

    /// Reads the store when a part did not pass since, and now and then when it lags behind.
    fn refresh(&mut self, ui: &Ui, cx: &Cx<'_>) {
        let now_s = ui.input(|input| input.time);
        let is_due = self.asked_at_s.is_none_or(|at_s| now_s - at_s >= ASK_EVERY_S);
        if !is_due || self.is_newest(cx) {
            return;
        }
        self.asked_at_s = Some(now_s);
        let run = cx.news.line.as_ref().and_then(|line| line.run).map(RunId);
        match cx.shelf.ask(|reader| newest(reader, run)) {
            Ok(Some(found)) => self.found = Some(found),
            Ok(None) => self.found = None,
            // What was read before is still true.
            Err(error) => tracing::warn!(%error, "the last reject could not be read"),
        }
    }

    /// Whether what was read is the newest that the line knows of.
    fn is_newest(&self, cx: &Cx<'_>) -> bool {
        let Some(line) = &cx.news.line else { return false };
        let not_passed = line.snapshot.recent.iter().find(|part| part.verdict != VerdictKind::Pass);
        match (&self.found, not_passed) {
            (Some(found), Some(newest)) => found.row.part == newest.part,
            (Some(_), None) => true,
            (None, _) => false,
        }
    }
}

/// The newest part of `run`, or of all, that did not pass.
fn newest(reader: &Reader, run: Option<RunId>) -> Result<Option<Box<PartDetail>>, StoreError> {
    let mut newest: Option<(RunId, PartId)> = None;
    for verdict in [VerdictWord::Reject, VerdictWord::Undecided] {
        let filter = PartFilter { run, verdict: Some(verdict), limit: 1, ..PartFilter::default() };
        let found = reader.parts(&filter)?.pop().map(|row| (row.run, row.part));
        newest = newest.max(found);
    }
    let Some((run, part)) = newest else { return Ok(None) };
    Ok(reader.part(run, part)?.map(Box::new))
}

fn picture(ui: &mut Ui, cx: &mut Cx<'_>, found: &PartDetail, size: Vec2) {
    let view = found.row.verdict.decided_by().map_or(0, |reason| reason.view);
    let of_kind = |kind| move |image: &&ImageRow| image.view == view && image.kind == kind;
    let image = found.images.iter().find(of_kind(ImageKind::Picture));
    let Some(image) = image else {
        ui.allocate_ui(size, |ui| {
            ui.set_min_size(size);
            empty(ui, cx.theme, cx.words.live.not_kept, "");
        });
        return;
    };
    let texture = match cx.shelf.image(ui.ctx(), image, SIDE_MOST_PX) {
        Shown::Picture(texture) => texture,
        other => {
            let failed = matches!(other, Shown::Failed(_));
            let words = cx.words;
            let said = if failed { words.live.not_kept } else { words.shell.reading };
            ui.allocate_ui(size, |ui| {
                ui.set_min_size(size);
                empty(ui, cx.theme, said, "");
            });
            return;
        }
    };
    let heat_row = found.images.iter().find(of_kind(ImageKind::Heatmap));
    let heat = heat_row.and_then(|row| cx.shelf.heat(ui.ctx(), row));
    let kind = found.row.verdict.kind();
    let outlines: Vec<Outline> = found
        .defects
        .iter()
        .filter(|defect| defect.view == view)
        .map(|defect| Outline {
            area: defect.box_in_frame,
            ink: cx.theme.mark(Some(kind)),
            name: format!("{} {}", defect.kind, cx.words.score(defect.score.get())),
        })
        .collect();
    let picture = Picture {
        texture: &texture,
        covers: image.covers,
        heat: heat.as_ref().map(|(texture, covers)| (texture, *covers)),
        outlines: &outlines,
        name: cx.words.live.last_reject,
    };
    picture.show(ui, cx.theme, size);
}

fn why(ui: &mut Ui, cx: &mut Cx<'_>, found: &PartDetail, width: f32) {
    let (words, row) = (&cx.words.live, &found.row);
    ui.set_width(width);
    ui.spacing_mut().item_spacing.y = 8.0;
    let at = cx.words.numbers.time(row.triggered_at.wall, cx.zone);
    ui.horizontal(|ui| {
        ui.label(RichText::new(row.part.to_string()).font(heavy(22.0)));
        ui.label(RichText::new(at).font(plain(16.0)).color(cx.theme.weak));
    });
    let verdict = row.verdict.kind();
    match row.verdict.decided_by() {
        Some(reason) => {
            let mm = reason.defect_in(&found.defects).and_then(|defect| defect.mm.as_ref());
            // How sure that is stands in the history: there is little room here.
            let long = mm.map_or_else(String::new, |mm| {
                let length = cx.words.numbers.real(f64::from(mm.length_mm), mm.places());
                format!(" · {length} mm")
            });
            let class = RichText::new(format!("{}{long}", reason.kind)).font(heavy(20.0));
            ui.add(Label::new(class.color(cx.theme.ink(verdict))).truncate());
            let marker = |template, score: f32, ink| Marker {
                at: score,
                name: filled(template, &cx.words.score(score)),
                ink,
            };
            let score = marker(words.score, reason.score.get(), cx.theme.ink(verdict));
            let limit = marker(words.limit, reason.limit.get(), cx.theme.text);
            bar(ui, cx.theme, &score, &limit, width);
        }
        None => {
            let why = RichText::new(cx.words.why(&row.verdict)).font(heavy(18.0));
            ui.add(Label::new(why).wrap());
        }
    }
    if let Verdict::Reject { reasons } = &row.verdict
        && reasons.len() > 1
    {
        let more = filled(words.more_reasons, &(reasons.len() - 1).to_string());
        ui.label(RichText::new(more).font(plain(15.0)).color(cx.theme.weak));
    }
    if button(ui, cx.theme, words.look, false).clicked() {
        *cx.part = Some(PartKey { run: row.run.0, part: row.part });
        *cx.go = Page::Review;
    }
}
