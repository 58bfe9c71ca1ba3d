//! The Calibrate page, used as a person would.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of this is a test")]

mod support;

#[path = "calibrate/cards.rs"]
mod cards;
#[path = "calibrate/odd.rs"]
mod odd;
#[path = "calibrate/steps.rs"]
mod steps;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use domain::{
    Board, CalibrationStep, CameraId, Command, PersonId, Pin, PointPx, RectPx, Role, SizePx,
};
use egui::accesskit::Role as Kind;
use egui::{Key, Pos2, Rect, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use sightline_ui::calibrating::{
    Advice, Calibrating, CameraCalibration, HoldsBack, Seen, Taking, ViewFacts,
};
use sightline_ui::{Language, News, Page, Settings};
use support::calibration::{FRAME, Scene, TOO_LARGE, draft, engineer};
use support::{Behind, people, screen_with};

/// The page, and what was asked for behind it.
struct Hand {
    harness: Harness<'static>,
    behind: Rc<RefCell<Behind>>,
}

impl Hand {
    fn at(scene: Scene) -> Self {
        Self::of(scene.news(), Settings::default(), Vec2::new(1280.0, 800.0))
    }

    fn of(news: News, settings: Settings, size: Vec2) -> Self {
        let (mut screen, behind) = screen_with(news, None, Page::Calibrate, settings);
        let builder = Harness::builder().with_size(size);
        let mut harness = builder.build_ui(move |ui| support::show(&mut screen, ui));
        harness.run_steps(5);
        Self { harness, behind }
    }

    /// With what is under way as `change` makes it.
    fn with(scene: Scene, change: impl FnOnce(&mut Calibrating)) -> Self {
        let mut news = scene.news();
        changed(&mut news, change);
        Self::of(news, Settings::default(), Vec2::new(1280.0, 800.0))
    }

    fn change(&mut self, change: impl FnOnce(&mut Calibrating)) {
        changed(&mut self.behind.borrow_mut().news, change);
        self.harness.run_steps(4);
    }

    fn tap(&mut self, name: &str) {
        // A key of the keyboard stands before a button of the page that is called the same.
        self.harness.get_all_by_role_and_label(Kind::Button, name).last().unwrap().click();
        self.harness.run_steps(4);
    }

    fn has(&self, name: &str) -> bool {
        self.harness.query_all_by_label_contains(name).next().is_some()
    }

    fn is_off(&self, name: &str) -> bool {
        let button = self.harness.get_all_by_role_and_label(Kind::Button, name).last().unwrap();
        button.accesskit_node().is_disabled()
    }

    fn key(&mut self, key: Key) {
        self.harness.key_press(key);
        self.harness.run_steps(4);
    }

    /// Writes a number as with a keyboard.
    fn write(&mut self, field: &str, number: &str) {
        self.harness.get_by_role_and_label(Kind::SpinButton, field).click();
        self.harness.run_steps(3);
        self.harness.get_by_label(field).type_text(number);
        self.harness.run_steps(3);
        self.key(Key::Enter);
    }

    fn picture(&self) -> Rect {
        self.harness.get_by_label("Picture of top").rect()
    }

    /// Touches the picture at a share of its sides.
    fn touch(&mut self, x: f32, y: f32) {
        let place = self.picture();
        let at = place.min + place.size() * Vec2::new(x, y);
        self.click_at(at);
    }

    fn click_at(&mut self, at: Pos2) {
        self.harness.hover_at(at);
        self.harness.step();
        self.harness.drag_at(at);
        self.harness.step();
        self.harness.drop_at(at);
        self.harness.run_steps(4);
    }

    /// The steps that were asked for.
    fn steps(&self) -> Vec<CalibrationStep> {
        let step = |command: &Command| match command {
            Command::Calibrate { camera, step } if camera.as_str() == "top" => Some(step.clone()),
            _ => None,
        };
        let behind = self.behind.borrow();
        assert!(behind.asked.iter().all(|asked| step(asked).is_some()), "{:?}", behind.asked);
        behind.asked.iter().filter_map(step).collect()
    }
}

fn changed(news: &mut News, change: impl FnOnce(&mut Calibrating)) {
    change(Arc::make_mut(news.calibrating.as_mut().unwrap()));
}
