//! The screen in a window, over the made-up station of the tests: `cargo run --release -p
//! sightline-ui --example screen`. Nothing moves in it; every button works.

#![allow(clippy::unwrap_used, reason = "the tests' station")]

#[path = "../tests/support/mod.rs"]
mod support;

use sightline_ui::window::{Window, run};
use sightline_ui::{Page, Settings};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (screen, _behind) = support::states::State::Fault.screen(Page::Live, Settings::default());
    let window = Window { title: "Sightline".to_owned(), is_kiosk: false };
    run(&window, screen).map_err(|error| error.to_string().into())
}
