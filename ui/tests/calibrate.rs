//! The Calibrate page, used as a person would.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of this is a test")]

mod support;

#[path = "calibrate/look.rs"]
mod look;

use std::cell::RefCell;
use std::rc::Rc;

use egui_kittest::{Harness, HarnessBuilder};
use sightline_ui::{News, Page, Settings};
use support::{Behind, screen_with};

/// The page, and what was asked for behind it.
struct Hand {
    harness: Harness<'static>,
    behind: Rc<RefCell<Behind>>,
}

impl Hand {
    fn built(news: News, settings: Settings, builder: HarnessBuilder<()>) -> Self {
        let (mut screen, behind) = screen_with(news, None, Page::Calibrate, settings);
        let builder = builder.with_size(egui::vec2(1280.0, 800.0));
        let mut harness = builder.build_ui(move |ui| support::show(&mut screen, ui));
        harness.run_steps(5);
        Self { harness, behind }
    }
}
