//! The Review page.

use domain::{Command, Judgement, Label, Shape};
use egui::{Key, Modifiers};
use sightline_ui::{Page, Refusal, Settings};

use crate::station::{Does, Session};

#[test]
fn a_hundred_parts_by_keyboard_alone() {
    let mut session = Session::new(330, Page::Review);
    let mut said = vec![];
    for round in 0..100 {
        let part = session.part();
        assert!(part > 0, "round {round}: no part is shown");
        let keys = [Key::G, Key::Num1, Key::D, Key::Num3, Key::B];
        session.key(keys[round % 5]);
        if session.sees("Which defect?") {
            // The model found nothing on it, so it is not known what is bad.
            session.key(Key::Num2);
        }
        let acknowledged = session.world.borrow().acknowledged;
        assert_eq!(acknowledged, round + 1, "one answer for each key");
        assert_ne!(session.part(), part, "the next is shown once the last is on disk");
        said.push((part, round % 5));
    }
    assert_eq!(session.world.borrow().asked.len(), 100);
    let mut parts: Vec<u64> = said.iter().map(|(part, _)| *part).collect();
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(parts.len(), 100, "no part was asked about twice");
    for (part, key) in said {
        let label = session.world.borrow().holds(part).unwrap();
        let classes: Vec<&str> = label.marks.iter().map(|mark| &*mark.class).collect();
        match key {
            0 => assert_eq!(label.judgement, Judgement::Good),
            1 => assert_eq!(classes, ["scratch"]),
            2 => assert_eq!(label.judgement, Judgement::Doubt),
            3 => assert_eq!(classes, ["missing hole"]),
            _ => assert!(!classes.is_empty() && label.marks[0].shape == Shape::Whole),
        }
        assert!(!label.is_blind, "the verdict was seen");
    }
    assert!(session.sees("100 done"));
}

#[test]
fn a_key_that_is_held_down_says_one_thing_only() {
    let mut session = Session::new(48, Page::Review);
    let event = |repeat| egui::Event::Key {
        key: Key::G,
        physical_key: None,
        pressed: true,
        repeat,
        modifiers: Modifiers::NONE,
    };
    session.harness.event(event(false));
    session.harness.run();
    for _ in 0..5 {
        session.harness.event(event(true));
        session.harness.run();
    }
    assert_eq!(session.world.borrow().asked.len(), 1);
}

#[test]
fn what_was_said_is_taken_back_and_shown_again() {
    let mut session = Session::new(48, Page::Review);
    let first = session.part();
    session.key(Key::G);
    session.key(Key::Num2);
    session.key_with(Modifiers::COMMAND, Key::Z);
    session.key_with(Modifiers::COMMAND, Key::Z);
    assert_eq!(session.part(), first);
    assert_eq!(session.world.borrow().holds(first), None);
    let asked = session.world.borrow().asked.clone();
    let backs = asked.iter().filter(|it| matches!(it, Command::Unlabel { .. })).count();
    assert_eq!((asked.len(), backs), (4, 2));
    session.key_with(Modifiers::COMMAND, Key::Z);
    assert_eq!(session.world.borrow().asked.len(), 4, "nothing is left to take back");
}

#[test]
fn one_goes_back_and_on_by_arrows_and_buttons() {
    let mut session = Session::new(48, Page::Review);
    let first = session.part();
    session.key(Key::ArrowRight);
    let second = session.part();
    assert_ne!(first, second);
    session.key(Key::ArrowLeft);
    assert_eq!(session.part(), first);
    session.click("Next part");
    assert_eq!(session.part(), second);
    session.click("Previous part");
    assert_eq!(session.part(), first);
}

#[test]
fn nobody_says_anything_before_they_have_logged_in() {
    let mut session = Session::set_up(48, Page::Review, Settings::default(), |world| {
        world.news.who = None;
    });
    let part = session.part();
    session.key(Key::G);
    assert!(session.sees("Log in to save") && session.sees("Who are you?"));
    assert!(session.world.borrow().asked.is_empty());
    assert_eq!(session.part(), part, "the part stays until it is on disk");
    session.key(Key::Escape);
    assert!(session.sees("Not saved: Log in first"));
    session.click("Retry");
    session.harness.run();
    session.key(Key::Num2);
    session.key(Key::Num1);
    session.key(Key::Enter);
    session.harness.run();
    let world = session.world.borrow();
    assert_eq!(world.acknowledged, 1);
    assert_eq!(world.holds(part), Some(Label::unmarked(Judgement::Good, false)));
}

#[test]
fn what_is_refused_stays_until_it_is_sent_again() {
    let full = Refusal::Failed("the disk is full: make room".to_owned());
    let mut session = Session::set_up(48, Page::Review, Settings::default(), |world| {
        world.does = Does::Refuses(full);
    });
    let part = session.part();
    session.key(Key::Num2);
    assert!(session.sees_part_of("the disk is full"));
    assert_eq!(session.part(), part);
    session.key(Key::ArrowRight);
    assert!(session.sees_part_of("is not saved"), "also while another part is shown");
    session.key(Key::ArrowLeft);
    session.world.borrow_mut().does = Does::All;
    session.click("Retry");
    let label = session.world.borrow().holds(part).unwrap();
    assert_eq!(&*label.marks[0].class, "dent");
    assert_ne!(session.part(), part);
}

#[test]
fn what_nobody_answers_is_told_and_sent_again() {
    let mut session = Session::set_up(48, Page::Review, Settings::default(), |world| {
        world.does = Does::Nothing;
    });
    let part = session.part();
    session.key(Key::G);
    assert!(session.sees("Saving …"));
    session.key(Key::Num1);
    assert_eq!(session.world.borrow().asked.len(), 1, "a second word is not for the same part");
    session.world.borrow_mut().news.now.unix_ns += 6_000_000_000;
    session.harness.run();
    assert!(session.sees("No answer yet"));
    session.world.borrow_mut().does = Does::All;
    session.click("Retry");
    assert!(session.world.borrow().holds(part).is_some());
    assert_ne!(session.part(), part);
}

#[test]
fn a_second_opinion_shows_neither_verdict_nor_what_was_said() {
    let settings = Settings { second_opinion: 1.0, ..Settings::default() };
    let mut session = Session::set_up(9, Page::Review, settings, |world| {
        for part in 1..=9 {
            world.somebody_said(part, &Label::unmarked(Judgement::Good, false));
        }
    });
    let part = session.part();
    assert!(part > 0 && session.sees("Second opinion"));
    assert!(
        !session.sees_part_of("Label differs"),
        "what is asked blind is asked for nothing else"
    );
    for word in ["PASS", "REJECT", "UNDECIDED", "Heatmap", "Heatmap strength", "Saved: Good"] {
        assert!(!session.sees(word), "{word} is shown");
    }
    for word in ["reaches the limit", "limit 0", "Bad: "] {
        assert!(!session.sees_part_of(word), "{word} is shown");
    }
    session.key(Key::H);
    session.key(Key::C);
    assert_eq!(session.part(), part, "no clip: the verdict is written on it");
    session.key(Key::Num1);
    let world = session.world.borrow();
    let row = world.labels(part).remove(0);
    assert!(row.is_second && row.label.is_blind && row.holds);
    let first = world.labels(part).remove(1);
    assert!(first.holds, "the first opinion stands");
}

#[test]
fn where_label_and_model_differ_is_asked_and_said_once() {
    let settings = Settings { second_opinion: 0.0, ..Settings::default() };
    let mut session = Session::set_up(9, Page::Review, settings, |world| {
        world.somebody_said(9, &Label::unmarked(Judgement::Good, false));
    });
    session.click("P000009 Label differs");
    assert_eq!(session.part(), 9);
    assert!(session.sees("The model says scratch, the label says Good"));
    session.key(Key::Num1);
    assert_eq!(&*session.world.borrow().holds(9).unwrap().marks[0].class, "scratch");
    let queue = session.world.borrow().reader().label_queue(&store::QueueAsk::default()).unwrap();
    assert!(queue.iter().all(|item| item.key.part.0 != 9), "somebody has looked again");
}

#[test]
fn heat_is_turned_and_weighed() {
    use egui_kittest::kittest::{NodeT, Queryable};
    let mut session = Session::new(48, Page::Review);
    let value = |session: &Session| {
        session.harness.get_by_label("Heatmap strength").accesskit_node().numeric_value().unwrap()
    };
    let before = value(&session);
    session.harness.get_by_label("Heatmap strength").focus();
    session.harness.run();
    session.key(Key::ArrowRight);
    assert!(value(&session) > before);
    session.click("Heatmap");
    session.click("Heatmap");
}

#[test]
fn a_good_part_is_shown_beside() {
    let mut session = Session::new(48, Page::Review);
    session.key(Key::O);
    let pane = session.pane();
    session.key(Key::O);
    assert!(session.pane().width() > 1.8 * pane.width());
}

#[test]
fn the_clip_plays_steps_and_is_left() {
    let mut session = Session::set_up(48, Page::Review, Settings::default(), |world| {
        world.clip = 10;
    });
    session.key(Key::C);
    assert!(session.sees("Clip") && session.sees("6/10"), "it begins where the part was judged");
    session.key(Key::Period);
    assert!(session.sees("7/10"));
    session.key(Key::Comma);
    session.key(Key::Comma);
    assert!(session.sees("5/10"));
    session.harness.key_press(Key::K);
    session.harness.run_steps(12);
    assert!(!session.sees("5/10"), "it plays");
    session.harness.run_steps(60);
    assert!(session.sees("1/10"), "it ends and stands at its beginning");
    session.click("Close");
    assert!(session.part() > 0);
}
