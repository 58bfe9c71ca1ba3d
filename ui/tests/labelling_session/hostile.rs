//! What should not be, and what the pages make of it.

use std::fs;
use std::sync::Arc;

use domain::Judgement;
use egui::Key;
use sightline_ui::{Page, Settings};

use crate::station::Session;
use crate::support;

#[test]
fn nothing_to_look_at() {
    for page in [Page::Review, Page::Label] {
        let mut session = Session::new(0, page);
        assert!(session.sees("Nothing to look at"));
        session.click("Look again");
        for key in [Key::G, Key::B, Key::Num1, Key::ArrowLeft, Key::Enter, Key::Delete, Key::A] {
            session.key(key);
        }
        assert!(session.world.borrow().asked.is_empty());
    }
}

#[test]
fn a_picture_that_the_disk_lost() {
    for page in [Page::Review, Page::Label] {
        let mut session = Session::set_up(27, page, Settings::default(), |world| {
            for part in 1..=27 {
                for file in Session::images(world, part) {
                    fs::remove_file(file).unwrap();
                }
            }
        });
        assert!(session.part() > 0);
        session.drag(session.at(60.0, 50.0), session.at(84.0, 66.0));
        assert!(session.world.borrow().asked.is_empty(), "nothing is drawn blindly");
        session.key(Key::G);
        assert_eq!(session.world.borrow().acknowledged, 1, "it can still be judged");
    }
}

#[test]
fn a_picture_that_is_none() {
    let mut session = Session::set_up(27, Page::Review, Settings::default(), |world| {
        for part in 1..=27 {
            for file in Session::images(world, part) {
                fs::write(file, b"no picture").unwrap();
            }
        }
    });
    for key in [Key::O, Key::H, Key::Plus, Key::Num0, Key::F, Key::Num1] {
        session.key(key);
    }
    assert_eq!(session.world.borrow().acknowledged, 1);
}

#[test]
fn a_recipe_without_classes() {
    let mut session = Session::set_up(48, Page::Review, Settings::default(), |world| {
        support::facts(&mut world.news).recipes[0].classes.clear();
    });
    let part = session.part();
    session.key(Key::B);
    let label = session.world.borrow().holds(part).unwrap();
    assert_eq!((label.judgement, &*label.marks[0].class), (Judgement::Bad, "defect"));
}

#[test]
fn forty_classes() {
    let mut session = Session::set_up(48, Page::Review, Settings::default(), |world| {
        let classes = (1..=40).map(|class| Arc::from(format!("flaw {class}"))).collect();
        support::facts(&mut world.news).recipes[0].classes = classes;
    });
    let part = session.part();
    assert!(session.sees("flaw 40"));
    session.key(Key::Num9);
    let label = session.world.borrow().holds(part).unwrap();
    assert_eq!(&*label.marks[0].class, "flaw 9");
    session.key(Key::B);
    assert!(session.sees("Which defect?"), "the model's class is none of these");
}

#[test]
fn keys_that_mean_nothing_here() {
    let mut session = Session::new(48, Page::Label);
    for key in [Key::Enter, Key::Delete, Key::Backspace, Key::N, Key::Escape, Key::Num9, Key::E] {
        session.key(key);
    }
    session.drag(session.at(60.0, 50.0), session.at(84.0, 66.0));
    assert!(session.world.borrow().asked.is_empty(), "there is no mask to erase from");
}
