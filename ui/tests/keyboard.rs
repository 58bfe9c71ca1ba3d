//! The keyboard on the screen, typed on as a person would, with one finger.
#![allow(clippy::unwrap_used, reason = "all of this is a test")]

mod support;

use std::cell::RefCell;
use std::rc::Rc;

use domain::Command;
use egui::Rect;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use sightline_ui::{Language, Page, Settings};
use support::Behind;
use support::states::State;

struct Hand {
    harness: Harness<'static>,
    behind: Rc<RefCell<Behind>>,
}

impl Hand {
    fn at(page: Page, settings: Settings) -> Self {
        Self::at_screen_of(egui::vec2(1280.0, 800.0), page, settings)
    }

    fn at_screen_of(size: egui::Vec2, page: Page, settings: Settings) -> Self {
        let (mut screen, behind) = State::Running.screen(page, settings);
        let builder = Harness::builder().with_size(size);
        let mut harness = builder.build_ui(move |ui| support::show(&mut screen, ui));
        harness.run_steps(4);
        Self { harness, behind }
    }

    fn tap(&mut self, name: &str) {
        // A key stands before a button of the page that is called the same.
        self.harness.get_all_by_role_and_label(Role::Button, name).next().unwrap().click();
        self.harness.run_steps(6);
    }

    /// Scrolls to a button.
    fn bring(&mut self, name: &str) {
        self.harness.get_by_role_and_label(Role::Button, name).scroll_to_me();
        // It may take some passes to scroll.
        self.harness.run_steps(30);
    }

    /// Touches a field, so that the keyboard comes up.
    fn touch(&mut self, role: Role) {
        self.harness.get_all_by_role(role).next().unwrap().scroll_to_me();
        // It may take some passes to scroll.
        self.harness.run_steps(30);
        self.harness.get_all_by_role(role).next().unwrap().click();
        self.harness.run_steps(6);
    }

    fn write(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                ' ' => self.tap("Space"),
                _ => self.tap(&letter.to_string()),
            }
        }
    }

    fn value(&self, role: Role) -> String {
        self.harness.get_all_by_role(role).next().unwrap().value().unwrap_or_default()
    }

    fn place(&self, role: Role) -> Rect {
        self.harness.get_all_by_role(role).next().unwrap().rect()
    }

    /// The upper edge of the keyboard, if there is one.
    fn keyboard(&self) -> Option<f32> {
        // Above it are the digits and the edge.
        let letter = self.harness.query_by_role_and_label(Role::Button, "q")?;
        Some(letter.rect().top() - 64.0)
    }
}

#[test]
fn somebody_is_added_by_finger_alone() {
    let mut hand = Hand::at(Page::Settings, Settings::default());
    assert_eq!(hand.keyboard(), None);
    hand.touch(Role::TextInput);
    hand.tap("Shift");
    hand.write("Özgee");
    hand.tap("Delete letter");
    hand.write(" o'b");
    assert_eq!(hand.value(Role::TextInput), "Özge o'b");
    hand.tap("Enter");
    assert_eq!(hand.keyboard(), None, "all is written");
    hand.touch(Role::PasswordInput);
    hand.write("4711");
    hand.tap("Close keyboard");
    assert_eq!(hand.keyboard(), None);
    hand.tap("Add somebody");
    let asked = hand.behind.borrow().asked.clone();
    assert!(
        matches!(&asked[..], [Command::AddPerson { name, pin, .. }]
            if name == "Özge o'b" && pin.digits() == "4711"),
        "{asked:?}"
    );
}

#[test]
fn a_capital_is_one_letter_long() {
    let mut hand = Hand::at(Page::Settings, Settings::default());
    hand.touch(Role::TextInput);
    hand.tap("Shift");
    hand.tap("ß");
    hand.tap("Shift");
    hand.tap("A");
    hand.tap("b");
    hand.tap("Shift");
    hand.tap("Shift");
    hand.tap("c");
    assert_eq!(hand.value(Role::TextInput), "ßAbc");
}

#[test]
fn what_is_touched_elsewhere_sends_it_away() {
    let mut hand = Hand::at(Page::Settings, Settings::default());
    hand.touch(Role::TextInput);
    hand.write("a");
    hand.tap("Deutsch");
    assert_eq!(hand.keyboard(), None);
    assert_eq!(hand.value(Role::TextInput), "a");
}

#[test]
fn it_covers_neither_the_verdict_nor_what_is_typed_into() {
    // The smaller one is the larger at 125 %.
    for size in [egui::vec2(1280.0, 800.0), egui::vec2(1024.0, 640.0)] {
        for (page, role) in [
            (Page::Settings, Role::TextInput),
            (Page::Settings, Role::PasswordInput),
            (Page::Recipe, Role::SpinButton),
            (Page::History, Role::TextInput),
            (Page::Recipe, Role::TextInput),
        ] {
            let mut hand = Hand::at_screen_of(size, page, Settings::default());
            match (page, role) {
                (Page::History, _) => hand.tap("Part: all"),
                (Page::Recipe, Role::TextInput) => {
                    hand.bring("Undecided less");
                    hand.tap("Undecided less");
                    hand.tap("Other");
                }
                _ => {}
            }
            hand.touch(role);
            let keyboard = hand.keyboard().unwrap_or_else(|| panic!("{page:?} {role:?} {size:?}"));
            let field = hand.place(role);
            let lamp = hand.harness.get_all_by_label_contains("PASS").next().unwrap().rect();
            assert!(field.bottom() <= keyboard, "{page:?} {role:?}: {field:?}, {keyboard}");
            assert!(field.top() >= lamp.bottom(), "{page:?} {role:?}: {field:?}, {lamp:?}");
            assert!(lamp.top() >= 0.0 && lamp.bottom() <= keyboard, "{page:?}: {lamp:?}");
        }
    }
}

#[test]
fn a_limit_and_a_part_are_typed() {
    let mut hand = Hand::at(Page::Recipe, Settings::default());
    hand.touch(Role::SpinButton);
    hand.write("0.5");
    hand.tap("Enter");
    assert_eq!(hand.value(Role::SpinButton), "0.50");
    let mut hand = Hand::at(Page::History, Settings::default());
    hand.tap("Part: all");
    hand.touch(Role::TextInput);
    let four = hand.harness.get_all_by_label("4").last().unwrap();
    four.click();
    hand.harness.run_steps(4);
    assert_eq!(hand.value(Role::TextInput), "4");
}

#[test]
fn its_letters_lie_as_people_know_them() {
    for (language, right_of_t, below_a) in
        [(Language::English, "y", "z"), (Language::German, "z", "y")]
    {
        let mut hand = Hand::at(Page::Settings, Settings { language, ..Settings::default() });
        hand.touch(Role::TextInput);
        let place = |letter: &str| hand.harness.get_by_label(letter).rect();
        let (t, right) = (place("t"), place(right_of_t));
        assert!((right.top() - t.top()).abs() < 1.0 && right.left() - t.right() < 10.0);
        assert!(place(below_a).top() > place("a").bottom());
        for letter in ["ä", "ö", "ü", "ß", "-", "0"] {
            hand.tap(letter);
        }
        assert_eq!(hand.value(Role::TextInput), "äöüß-0");
    }
}

#[test]
fn where_there_is_a_keyboard_none_comes_up() {
    let mut hand = Hand::at(Page::Settings, Settings::default());
    assert_eq!(hand.harness.get_all_by_label("Touch keyboard").count(), 1);
    hand.tap("Off");
    assert!(!hand.behind.borrow().kept.last().unwrap().has_keyboard, "it is remembered");
    hand.touch(Role::TextInput);
    assert_eq!(hand.keyboard(), None);
    let field = hand.harness.get_all_by_role(Role::TextInput).next().unwrap();
    assert!(field.accesskit_node().is_focused());
    assert!(hand.harness.run() <= 4, "it rests");
}

#[test]
fn it_rests_while_somebody_thinks() {
    let mut hand = Hand::at(Page::Settings, Settings::default());
    hand.touch(Role::TextInput);
    assert!(hand.harness.run_ok().is_some());
}
