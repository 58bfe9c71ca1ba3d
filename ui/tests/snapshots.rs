//! Pictures of every page in every state, compared with those beside this file.
//!
//! They are painted without a display by Mesa's `llvmpipe`, whose pictures differ a little from
//! version to version; so they are compared only where the renderer is the one that
//! `snapshots/renderer.txt` names, and this says so elsewhere. `UPDATE_SNAPSHOTS=1 cargo test`
//! paints them anew, and that file with them.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of this is a test")]

mod support;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use egui_kittest::kittest::Queryable;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use egui_kittest::{Harness, SnapshotResults};
use sightline_ui::{Language, Page, Settings};
use support::scenes;
use support::states::State;

const RENDERER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/renderer.txt");

/// One picture at a time: a machine with few cores and no GPU takes seconds for one.
static PAINTING: Mutex<()> = Mutex::new(());

/// What paints, and its name; `None` on a machine where nothing can.
fn renderer() -> Option<(WgpuTestRenderer, String)> {
    let state = catch_unwind(|| create_render_state(default_wgpu_setup(), Default::default()));
    let state = state.ok()?;
    let info = state.adapter.get_info();
    let name = format!("{} · {} {}", info.name, info.driver, info.driver_info);
    Some((WgpuTestRenderer::from_render_state(state), name))
}

/// Why the pictures are not compared here, if they are not.
fn why_not() -> Option<String> {
    let Some((_, name)) = renderer() else {
        return Some("nothing can paint here; install mesa-vulkan-drivers".to_owned());
    };
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(RENDERER, format!("{name}\n")).unwrap();
        return None;
    }
    let noted = fs::read_to_string(RENDERER).unwrap_or_default();
    (noted.trim() != name).then(|| format!("painted by {}, here is {name}", noted.trim()))
}

fn harness(page: Page, state: State, settings: Settings) -> Option<Harness<'static>> {
    let (mut screen, _behind) = state.screen(page, settings);
    let (renderer, _) = renderer()?;
    let builder = Harness::builder().with_size(egui::vec2(1280.0, 800.0)).renderer(renderer);
    Some(builder.build_ui(move |ui| support::show(&mut screen, ui)))
}

fn compare(states: &[(State, &str)], settings: &Settings) {
    let _one = PAINTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(why) = why_not() {
        eprintln!("skipped: {why}");
        return;
    }
    let mut results = SnapshotResults::new();
    for &(state, name) in states {
        for page in Page::ALL {
            let painted = catch_unwind(AssertUnwindSafe(|| {
                let mut harness = harness(page, state, settings.clone()).unwrap();
                harness.run();
                harness.snapshot(format!("{page:?}-{name}").to_lowercase());
                harness.take_snapshot_results()
            }));
            results.extend(painted.unwrap_or_else(|_| panic!("{page:?} {name}")));
        }
    }
    results.unwrap();
}

/// The Calibrate page at each step, in both themes and languages.
#[test]
fn a_camera_is_calibrated() {
    let _one = PAINTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(why) = why_not() {
        eprintln!("skipped: {why}");
        return;
    }
    let german = Settings { language: Language::German, is_dark: false, ..Settings::default() };
    let mut results = SnapshotResults::new();
    for (settings, name) in [(Settings::default(), ""), (german, "-german")] {
        let few = ["cards", "collecting", "residuals", "flat", "refused"];
        let all = scenes::of_calibrate().into_iter();
        for scene in all.filter(|scene| name.is_empty() || few.contains(&scene.name)) {
            let painted = catch_unwind(AssertUnwindSafe(|| {
                let builder = Harness::builder().renderer(renderer().unwrap().0);
                let (mut harness, _behind) = scene.built(settings.clone(), builder);
                let step = scene.name.replace(' ', "-");
                harness.snapshot(format!("calibrate-{step}{name}"));
                harness.take_snapshot_results()
            }));
            results.extend(painted.unwrap_or_else(|_| panic!("{} {name}", scene.name)));
        }
    }
    results.unwrap();
}

/// Somebody writes a name.
#[test]
fn the_keyboard() {
    let _one = PAINTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(why) = why_not() {
        eprintln!("skipped: {why}");
        return;
    }
    let mut results = SnapshotResults::new();
    for (is_dark, name) in [(true, "keyboard-dark"), (false, "keyboard-light")] {
        let settings = Settings { is_dark, ..Settings::default() };
        let painted = catch_unwind(AssertUnwindSafe(|| {
            let mut harness = harness(Page::Settings, State::Running, settings).unwrap();
            harness.run();
            harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Name").click();
            harness.run();
            harness.snapshot(name);
            harness.take_snapshot_results()
        }));
        results.extend(painted.unwrap_or_else(|_| panic!("{name}")));
    }
    results.unwrap();
}

#[test]
fn pages_without_a_line() {
    compare(&[(State::Idle, "idle"), (State::Empty, "empty")], &Settings::default());
}

#[test]
fn pages_while_the_line_runs() {
    let states = [(State::Running, "running"), (State::Reject, "reject"), (State::Fault, "fault")];
    compare(&states, &Settings::default());
}

#[test]
fn pages_in_german_and_light() {
    let settings = Settings { language: Language::German, is_dark: false, ..Settings::default() };
    compare(&[(State::Fault, "german")], &settings);
}
