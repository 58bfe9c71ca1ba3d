//! A screen that nobody touches and that is told nothing rests: painting by software, as on many
//! panel PCs, takes from the line.
#![allow(clippy::unwrap_used, reason = "all of this is a test")]

mod support;

use std::time::Duration;

use egui::ViewportId;
use egui_kittest::Harness;
use sightline_ui::{Page, Settings};
use support::states::State;

/// In how long a screen that was just painted wants to be painted again by itself.
fn rests_for(state: State, page: Page) -> Duration {
    let (mut screen, _behind) = state.screen(page, Settings::default());
    let builder = Harness::builder().with_size(egui::vec2(1280.0, 800.0));
    let mut harness = builder.build_ui(move |ui| support::show(&mut screen, ui));
    harness.run();
    harness.step();
    harness.output().viewport_output[&ViewportId::ROOT].repaint_delay
}

#[test]
fn a_screen_that_is_left_alone_rests() {
    for page in Page::ALL {
        for (state, least) in [(State::Idle, 4), (State::Running, 1)] {
            let rests = rests_for(state, page);
            assert!(rests >= Duration::from_secs(least), "{page:?} {state:?}: {rests:?}");
        }
    }
}
