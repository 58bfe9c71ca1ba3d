//! Pictures of the pages for whoever works on them: `LOOK_AT=folder cargo test look`. Nothing is
//! compared here.

use std::path::{Path, PathBuf};

use domain::{Label, Role};
use egui::Key;
use egui_kittest::Harness;
use sightline_ui::{Language, Page, Settings};

use crate::station::{Session, World};
use crate::support;

fn session(page: Page, settings: Settings, change: impl FnOnce(&mut World)) -> Session {
    Session::built(66, page, settings, change, Harness::builder().wgpu())
}

fn paint(session: &mut Session, folder: &Path, name: &str) {
    session.harness.render().unwrap().save(folder.join(name)).unwrap();
}

#[test]
fn look() {
    let Some(folder) = std::env::var_os("LOOK_AT").map(PathBuf::from) else { return };
    let mut review = session(Page::Review, Settings::default(), |_| {});
    paint(&mut review, &folder, "review.png");
    review.key(Key::G);
    review.key(Key::Num2);
    review.key(Key::O);
    paint(&mut review, &folder, "review-golden.png");
    let german = Settings { language: Language::German, is_dark: false, ..Settings::default() };
    let mut light = session(Page::Review, german.clone(), |world| {
        let line = support::running();
        (world.news.line, world.news.previews) = (line.line, line.previews);
    });
    paint(&mut light, &folder, "review-german.png");
    let share = Settings { second_opinion: 1.0, ..Settings::default() };
    let mut blind = session(Page::Review, share, |world| {
        for part in 1..=66 {
            world.somebody_said(part, &Label::unmarked(domain::Judgement::Good, false));
        }
    });
    paint(&mut blind, &folder, "review-blind.png");
    let mut clip = session(Page::Review, Settings::default(), |world| world.clip = 24);
    clip.key(Key::C);
    paint(&mut clip, &folder, "review-clip.png");
    let mut label = session(Page::Label, Settings::default(), |_| {});
    label.drag(label.at(60.0, 50.0), label.at(84.0, 66.0));
    label.key(Key::P);
    for (x, y) in [(110.0, 70.0), (150.0, 72.0), (140.0, 100.0), (110.0, 70.0)] {
        label.finger(&[label.at(x, y)]);
    }
    paint(&mut label, &folder, "label.png");
    for _ in 0..5 {
        label.key(Key::Plus);
    }
    label.key(Key::M);
    label.key(Key::Escape);
    label.finger(&[label.pane().center(), label.pane().center() + egui::vec2(90.0, 40.0)]);
    paint(&mut label, &folder, "label-brush.png");
    let mut light = session(Page::Label, german, |world| {
        world.news.who = support::people().into_iter().find(|person| person.role == Role::Operator);
    });
    light.key(Key::ArrowUp);
    light.key(Key::A);
    paint(&mut light, &folder, "label-german.png");
    let mut empty =
        Session::built(0, Page::Review, Settings::default(), |_| {}, Harness::builder().wgpu());
    paint(&mut empty, &folder, "review-empty.png");
}
