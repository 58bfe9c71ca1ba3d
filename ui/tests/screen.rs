//! The screen's buttons, pressed as a person would: with a finger, or with keys alone.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of this is a test")]

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use domain::{Command, Role};
use egui::Key;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use sightline_ui::{Alarm, Answer, Language, Page, Refusal, Settings};
use support::Behind;
use support::states::State;

fn harness(
    state: State,
    page: Page,
    settings: Settings,
) -> (Harness<'static>, Rc<RefCell<Behind>>) {
    let (mut screen, behind) = state.screen(page, settings);
    let builder = Harness::builder().with_size(egui::vec2(1280.0, 800.0));
    (builder.build_ui(move |ui| support::show(&mut screen, ui)), behind)
}

fn at(page: Page, state: State) -> (Harness<'static>, Rc<RefCell<Behind>>) {
    harness(state, page, Settings::default())
}

fn alarmed() -> (Harness<'static>, Rc<RefCell<Behind>>) {
    at(Page::Live, State::Fault)
}

#[test]
fn every_page_is_reached_by_its_button_and_by_its_key() {
    let keys = [Key::F1, Key::F2, Key::F3, Key::F4, Key::F5, Key::F6, Key::F7, Key::F8];
    let names = ["Live", "Review", "Label", "History", "Recipe", "Calibrate", "Health", "Settings"];
    for (key, name) in keys.into_iter().zip(names) {
        let start = if name == "Live" { Page::Health } else { Page::Live };
        for by_key in [false, true] {
            let (mut harness, _behind) = at(start, State::Running);
            harness.run();
            if by_key {
                harness.key_press(key);
            } else {
                let name = |node: &egui_kittest::Node<'_>| {
                    node.accesskit_node().label().as_deref() == Some(name)
                };
                let buttons = harness.get_all_by_role(egui::accesskit::Role::Button);
                buttons.into_iter().find(name).unwrap().click();
            }
            harness.run();
            let chosen = harness
                .get_all_by_role(egui::accesskit::Role::Button)
                .find(|node| node.accesskit_node().label().as_deref() == Some(name));
            let toggled = chosen.unwrap().accesskit_node().toggled();
            assert_eq!(toggled, Some(egui::accesskit::Toggled::True), "{name} {by_key}");
        }
    }
}

#[test]
fn what_needs_somebody_waits_for_the_log_in_and_then_goes_through() {
    let (mut harness, behind) = alarmed();
    harness.run();
    harness.get_by_label_contains("Acknowledge").click();
    harness.run();
    assert_eq!(behind.borrow().asked, vec![], "nobody is logged in");
    harness.get_by_label("Who are you?");
    harness.get_by_label("Jörg Weiß Operator").click();
    harness.run();
    for digit in ["4", "7", "1", "1"] {
        harness.get_by_label(digit).click();
        harness.run();
    }
    harness.get_by_label("OK").click();
    harness.run();
    let asked = behind.borrow().asked.clone();
    assert!(matches!(&asked[0], Command::LogIn { pin, .. } if pin.digits() == "4711"), "{asked:?}");
    assert_eq!(asked[1], Command::Acknowledge { alarm: "camera_lost".to_owned() });
    assert!(harness.query_by_label("Who are you?").is_none());
}

#[test]
fn it_works_without_a_mouse() {
    let (mut harness, behind) = alarmed();
    harness.run();
    harness.key_press(Key::F9);
    harness.run();
    // The third of those who may.
    for key in [Key::Num3, Key::Num0, Key::Num8, Key::Num1, Key::Num5] {
        harness.key_press(key);
        harness.run();
    }
    harness.key_press(Key::Enter);
    harness.run();
    let asked = behind.borrow().asked.clone();
    assert!(
        matches!(&asked[0], Command::LogIn { pin, person } if pin.digits() == "0815"
            && person.as_str() == "p-m2r6c5hd"),
        "{asked:?}"
    );
    assert!(matches!(asked[1], Command::Acknowledge { .. }));
}

#[test]
fn a_wrong_pin_is_said_and_what_waited_is_not_done() {
    let (mut harness, behind) = alarmed();
    behind.borrow_mut().answer = Answer::Refused(Refusal::WrongPin);
    harness.run();
    harness.key_press(Key::F9);
    harness.run();
    for key in [Key::Num1, Key::Num1, Key::Num1, Key::Num1, Key::Num1, Key::Enter] {
        harness.key_press(key);
        harness.run();
    }
    harness.get_by_label("That is not the PIN");
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(behind.borrow().asked.len(), 1, "only the log-in");
    assert!(harness.query_by_label("That is not the PIN").is_none());
}

#[test]
fn the_log_in_offers_only_who_may() {
    let (mut harness, _behind) = at(Page::Health, State::Fault);
    harness.run();
    harness.get_by_label("Stop the line").click();
    harness.run();
    harness.get_by_label("Really stop?").click();
    harness.run();
    harness.get_by_label("Kim Lee Engineer");
    assert!(harness.query_by_label("Jörg Weiß Operator").is_none());
}

#[test]
fn the_lamp_is_seen_on_every_page_also_beside_the_log_in() {
    for page in Page::ALL {
        let (mut harness, _behind) = at(page, State::Fault);
        harness.run();
        harness.key_press(Key::F12);
        harness.run();
        let lamps: Vec<egui::Rect> =
            harness.get_all_by_label_contains("UNDECIDED").map(|node| node.rect()).collect();
        let log_in = harness.get_by_label("Who are you?").rect();
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0));
        assert!(!lamps.is_empty(), "{page:?}");
        for lamp in lamps {
            assert!(screen.contains_rect(lamp), "{page:?}: {lamp:?}");
            assert!(lamp.right() <= log_in.left() || lamp.bottom() <= log_in.top(), "{page:?}");
        }
    }
}

#[test]
fn who_goes_away_is_logged_out() {
    let settings = Settings { lock_after_s: 60, ..Settings::default() };
    let (mut harness, behind) = harness(State::Running, Page::Live, settings);
    harness.key_press(Key::Space);
    harness.run();
    let now_s = harness.ctx.input(|input| input.time);
    harness.input_mut().time = Some(now_s + 55.0);
    harness.run();
    assert_eq!(behind.borrow().asked, vec![]);
    harness.input_mut().time = Some(now_s + 61.0);
    harness.run();
    assert_eq!(behind.borrow().asked, vec![Command::LogOut]);
    assert_eq!(behind.borrow().news.who, None);
}

#[test]
fn what_is_refused_is_said() {
    let (mut harness, behind) = at(Page::Health, State::Running);
    behind.borrow_mut().answer = Answer::Refused(Refusal::PlcHolds);
    harness.run();
    harness.get_by_label("Stop the line").click();
    harness.run();
    harness.get_by_label("Really stop?").click();
    harness.run();
    harness.get_by_label("The PLC holds the line: not now");
    harness.get_by_label("OK").click();
    harness.run();
    assert!(harness.query_by_label("The PLC holds the line: not now").is_none());
}

#[test]
fn it_rests_when_there_is_no_news() {
    for page in Page::ALL {
        for state in State::ALL {
            let (mut harness, _behind) = at(page, state);
            assert!(harness.run() <= 4, "{page:?} {state:?}");
            let output = &harness.output().viewport_output;
            let delay = output.values().map(|viewport| viewport.repaint_delay).min().unwrap();
            if state == State::Idle {
                assert!(delay.as_secs() >= 60, "{page:?}: repaints after {delay:?}");
            } else {
                assert!(delay.as_millis() >= 240, "{page:?} {state:?}: {delay:?}");
            }
        }
    }
}

#[test]
fn settings_are_kept_and_only_an_engineer_changes_how_the_station_works() {
    let (mut harness, behind) = at(Page::Settings, State::Reject);
    harness.run();
    assert!(harness.query_by_label("Locks after").is_none());
    harness.get_by_label("Deutsch").click();
    harness.run();
    let kept = behind.borrow().kept.clone();
    assert_eq!(kept.last().unwrap().language, Language::German);
    harness.get_by_label("Sprache");
    let (mut harness, behind) = at(Page::Settings, State::Running);
    harness.run();
    harness.get_by_label("15 min").click();
    harness.run();
    assert_eq!(behind.borrow().kept.last().unwrap().lock_after_s, 900);
}

#[test]
fn an_engineer_adds_and_removes_people() {
    let (mut harness, behind) = at(Page::Settings, State::Running);
    harness.run();
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Name").focus();
    harness.run();
    harness.get_by_role_and_label(egui::accesskit::Role::TextInput, "Name").type_text("Özge Ay");
    harness.run();
    harness.get_by_role_and_label(egui::accesskit::Role::Button, "Quality").click();
    harness.run();
    let pin = egui::accesskit::Role::PasswordInput;
    harness.get_by_role(pin).focus();
    harness.run();
    harness.get_by_role(pin).type_text("12ab34");
    harness.run();
    let buttons = harness.get_all_by_role(egui::accesskit::Role::Button);
    let add = |node: &egui_kittest::Node<'_>| {
        node.accesskit_node().label().as_deref() == Some("Add somebody")
    };
    buttons.into_iter().find(add).unwrap().click();
    harness.run();
    let asked = behind.borrow().asked.clone();
    assert!(
        matches!(&asked[..], [Command::AddPerson { name, role: Role::Quality, pin }]
            if name == "Özge Ay" && pin.digits() == "1234"),
        "{asked:?}"
    );
    // The keyboard had it scrolled away.
    harness.get_all_by_label("Remove").next().unwrap().scroll_to_me();
    harness.run();
    harness.get_all_by_label("Remove").next().unwrap().click();
    harness.run();
    harness.get_by_label("Really remove?").click();
    harness.run();
    let asked = behind.borrow().asked.clone();
    assert!(
        matches!(&asked[1], Command::RemovePerson { person } if person.as_str() == "p-7kq2m9xa")
    );
}

#[test]
fn an_alarm_of_an_unknown_name_is_shown_by_it() {
    let (mut harness, behind) = alarmed();
    let alarm = Alarm { name: "belt_on_fire".to_owned(), ..behind.borrow().news.alarms[0].clone() };
    behind.borrow_mut().news.alarms = Arc::new([alarm]);
    harness.run();
    harness.get_by_label("belt_on_fire");
}
