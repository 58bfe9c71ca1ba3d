//! Numbers of the run, the time to the verdict, and how the equipment is.

use egui::{Ui, Vec2};

use crate::LineNews;
use crate::page::Cx;
use crate::widgets::{Health, TimeGauge, card, figure, section, state};
use crate::words::filled;

/// Below this much, somebody should make room soon; and at once.
const DISK_CARE_BYTES: u64 = 10_000_000_000;
const DISK_BAD_BYTES: u64 = 2_000_000_000;

/// Counts, yield, and the gauge of the time to the verdict.
pub(super) fn counts(ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, size: Vec2) {
    let (words, numbers) = (&cx.words.live, &cx.words.numbers);
    let (parts, told_reject) = (line.snapshot.parts, line.snapshot.told_reject);
    let answered = parts.passed + parts.rejected + parts.undecided;
    #[expect(clippy::cast_precision_loss, reason = "one place behind the point is shown")]
    let share = |of: u64| of as f64 / answered as f64;
    let rate =
        if answered == 0 { "–".to_owned() } else { numbers.percent(share(parts.passed), 1) };
    let per_minute = line.parts_per_min.map_or("–".to_owned(), |rate| numbers.real(rate, 0));
    card(ui, cx.theme, words.counts, size, |ui| {
        let width = ui.available_width();
        let third = (width - 16.0) / 3.0;
        ui.spacing_mut().item_spacing = egui::vec2(8.0, 8.0);
        ui.horizontal(|ui| {
            figure(ui, cx.theme, words.rate, &rate, third);
            figure(ui, cx.theme, words.per_minute, &per_minute, third);
            figure(ui, cx.theme, words.thrown_out, &numbers.count(told_reject), third);
        });
        ui.horizontal(|ui| {
            figure(ui, cx.theme, words.passed, &numbers.count(parts.passed), third);
            figure(ui, cx.theme, words.rejected, &numbers.count(parts.rejected), third);
            figure(ui, cx.theme, words.undecided, &numbers.count(parts.undecided), third);
        });
        section(ui, cx.theme, words.time);
        gauge(ui, cx, line, width);
    });
}

fn gauge(ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, width: f32) {
    let (words, numbers) = (&cx.words.live, &cx.words.numbers);
    let facts = &cx.news.facts;
    let in_force = facts.recipes.iter().find(|recipe| Some(recipe.number) == facts.in_force);
    let deadline_ms = in_force.map_or(0.0, |recipe| f64::from(recipe.recipe.gate.budget_ms));
    let tail = line.snapshot.decision_ms;
    let said = |template, ms| filled(template, &numbers.real(ms, 1));
    let names = [
        said(words.typical, tail.p50),
        said(words.nearly_all, tail.p99),
        said(words.longest, tail.max),
    ];
    TimeGauge {
        marks_ms: [tail.p50, tail.p99, tail.max],
        names: [&names[0], &names[1], &names[2]],
        deadline_ms,
        deadline: &filled(words.deadline, &numbers.real(deadline_ms, 0)),
    }
    .show(ui, cx.theme, width);
}

/// Cameras, PLC, cloud, disk.
pub(super) fn equipment(ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, size: Vec2) {
    let words = &cx.words.live;
    card(ui, cx.theme, words.health, size, |ui| {
        let up = |is_up| if is_up { (Health::Good, words.up) } else { (Health::Bad, words.down) };
        for camera in line.snapshot.cameras.iter().take(3) {
            let (health, said) = up(camera.is_up);
            state(ui, cx.theme, health, &filled(words.camera, camera.camera.as_str()), said);
        }
        let (health, said) = up(line.snapshot.plc_is_up);
        state(ui, cx.theme, health, words.plc, said);
        let (health, said) = cloud(line, words);
        state(ui, cx.theme, health, words.cloud, said);
        if let Some(free) = line.disk_free_bytes {
            let said = filled(words.free, &cx.words.numbers.bytes(free));
            state(ui, cx.theme, disk_health(free), words.disk, &said);
        }
        let misses = line.snapshot.deadline_misses;
        let health = if misses == 0 { Health::Good } else { Health::Care };
        state(ui, cx.theme, health, words.late, &cx.words.numbers.count(misses));
    });
}

/// How the disk is with so much free.
pub(in crate::pages) const fn disk_health(free_bytes: u64) -> Health {
    match free_bytes {
        0..DISK_BAD_BYTES => Health::Bad,
        DISK_BAD_BYTES..DISK_CARE_BYTES => Health::Care,
        _ => Health::Good,
    }
}

fn cloud(line: &LineNews, words: &crate::words::live::Words) -> (Health, &'static str) {
    let uploads = &line.snapshot.uploads;
    if uploads.is_empty() {
        (Health::Absent, words.none)
    } else if uploads.iter().any(|upload| upload.trouble.is_some()) {
        (Health::Care, words.down)
    } else {
        (Health::Good, words.up)
    }
}
