//! What was lost and why; the machine, clips and versions.

use egui::{Ui, Vec2};

use crate::LineNews;
use crate::page::Cx;
use crate::pages::live::disk_health;
use crate::widgets::{Health, card, empty, fact, state};
use crate::words::filled;

/// Everything that did not go as it should, with its reason; zeros too.
pub(super) fn troubles(ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, size: Vec2) {
    let (words, snapshot) = (&cx.words.health, &line.snapshot);
    let cameras = &snapshot.cameras;
    let rows = [
        (words.frames_dropped, snapshot.frames_dropped),
        (words.frames_missing, cameras.iter().map(|camera| camera.missing).sum()),
        (words.cameras_lost, cameras.iter().map(|camera| camera.lost).sum()),
        (words.fail_safe, snapshot.deadline_misses),
        (words.late, snapshot.late),
        (words.stage_full, snapshot.stages.iter().map(|stage| stage.dropped).sum()),
        (words.unrecorded, snapshot.unrecorded),
        (words.clip_pictures, snapshot.clips.pictures_missing),
    ];
    card(ui, cx.theme, words.troubles, size, |ui| {
        for (name, count) in rows {
            let health = if count == 0 { Health::Good } else { Health::Care };
            state(ui, cx.theme, health, name, &cx.words.numbers.count(count));
        }
    });
}

/// Disk, memory, uptime, PLC.
pub(super) fn machine(ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, size: Vec2) {
    let (words, numbers) = (&cx.words.health, &cx.words.numbers);
    card(ui, cx.theme, words.machine, size, |ui| {
        if let Some(free) = line.disk_free_bytes {
            state(ui, cx.theme, disk_health(free), words.disk, &numbers.bytes(free));
        }
        fact(ui, cx.theme, words.memory, &numbers.bytes(line.rss_bytes));
        fact(ui, cx.theme, words.uptime, &numbers.span(line.uptime_s));
        let ms = |ms| filled(cx.words.shell.ms, &numbers.real(ms, 1));
        let times =
            [(words.plc, line.snapshot.plc_ms), (words.trigger, line.snapshot.trigger_error_ms)];
        for (name, tail) in times {
            if tail.count > 0 {
                fact(ui, cx.theme, name, &ms(tail.p99));
            }
        }
    });
}

/// Clips, and how they are brought to the cloud.
pub(super) fn clips(ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, size: Vec2) {
    let (words, numbers) = (&cx.words.health, &cx.words.numbers);
    let (clips, uploads) = (&line.snapshot.clips, &line.snapshot.uploads);
    card(ui, cx.theme, words.clips, size, |ui| {
        fact(ui, cx.theme, words.clips_made, &numbers.count(clips.made));
        let waiting =
            format!("{} · {}", numbers.count(clips.waiting), numbers.bytes(clips.bytes_waiting));
        fact(ui, cx.theme, words.clips_waiting, &waiting);
        fact(ui, cx.theme, words.saved, &numbers.bytes(clips.bytes_saved()));
        for upload in uploads.iter().take(2) {
            let is_well = upload.trouble.is_none();
            let health = if is_well { Health::Good } else { Health::Care };
            let name = filled(words.kept, upload.camera.as_str());
            state(ui, cx.theme, health, &name, &numbers.count(upload.clips_kept));
        }
        if uploads.is_empty() {
            state(ui, cx.theme, Health::Absent, words.stay_here, "");
        }
    });
}

/// What is at work: software, recipe, model, run.
pub(super) fn versions(ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, size: Vec2) {
    let (words, facts) = (&cx.words.health, &cx.news.facts);
    let in_force = facts.recipes.iter().find(|recipe| Some(recipe.number) == facts.in_force);
    card(ui, cx.theme, words.versions, size, |ui| {
        fact(ui, cx.theme, words.software, &facts.software);
        match in_force {
            Some(recipe) => {
                let named = format!("{} · {}", recipe.recipe.name, recipe.sha256.short());
                fact(ui, cx.theme, words.recipe, &named);
                let model = recipe.model_sha256.map(|hash| hash.short());
                fact(ui, cx.theme, words.model, model.as_deref().unwrap_or(words.none));
            }
            None => empty(ui, cx.theme, words.none, ""),
        }
        if let Some(run) = line.run {
            fact(ui, cx.theme, words.run, &run.to_string());
        }
    });
}
