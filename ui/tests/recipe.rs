//! The Recipe page, used as a person would.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of this is a test")]

mod support;

use std::cell::RefCell;
use std::rc::Rc;

use domain::recipe::Limits;
use domain::{Command, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sightline_ui::{Language, News, Page, RecipeFacts, Settings};
use support::{Behind, facts, parts, people, running, screen_with};
use tempfile::TempDir;

struct Shown {
    harness: Harness<'static>,
    behind: Rc<RefCell<Behind>>,
    _folder: TempDir,
}

/// The page over 45 parts: 5 scratches of 0.93, 5 dents of 0.71, 5 scratches of 0.48, 5 holes of
/// 0.12; by limits of 0.60 and 0.35.
fn shown(news: News, settings: Settings) -> Shown {
    let folder = TempDir::new().unwrap();
    parts::store_of(folder.path(), 45);
    let (mut screen, behind) = screen_with(news, Some(folder.path()), Page::Recipe, settings);
    let mut harness = Harness::builder()
        .with_size(egui::vec2(1280.0, 1900.0))
        .build_ui(move |ui| screen.show(ui));
    harness.run_steps(3);
    Shown { harness, behind, _folder: folder }
}

fn news(role: Role) -> News {
    News { who: people().into_iter().find(|it| it.role == role), ..running() }
}

impl Shown {
    fn tap(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(3);
    }

    fn tap_often(&mut self, label: &str, times: usize) {
        for _ in 0..times {
            self.harness.get_by_label(label).click();
            self.harness.run_steps(2);
        }
        self.harness.run_steps(2);
    }

    fn changed(&self) -> Option<Command> {
        let asked = &self.behind.borrow().asked;
        asked.iter().find(|it| matches!(it, Command::ChangeLimits { .. })).cloned()
    }
}

#[test]
fn what_would_have_changed_is_as_by_hand() {
    let mut shown = shown(news(Role::Quality), Settings::default());
    shown.harness.get_by_label("→ undecided: 0");
    shown.harness.get_by_label_contains("n = 45 of the last 1,000");
    // The dents are below 0.75 and above 0.35.
    shown.tap_often("Reject more", 15);
    shown.harness.get_by_label("→ undecided: 5");
    shown.harness.get_by_label("Reject → pass: 0");
    // And below 0.72; so are the scratches of 0.48.
    shown.tap_often("Undecided more", 37);
    shown.harness.get_by_label("→ undecided: 0");
    shown.harness.get_by_label("Reject → pass: 5");
    shown.harness.get_by_label("Undecided → decided: 5");
    shown.harness.get_by_label_contains("#40 PASS REJECT → PASS");
    shown.tap("Discard");
    shown.harness.get_by_label("Reject → pass: 0");
}

#[test]
fn what_is_asked_for_is_what_is_shown() {
    let mut shown = shown(news(Role::Quality), Settings::default());
    shown.tap("dent");
    shown.tap_often("Reject less", 1);
    shown.tap("All classes");
    shown.tap_often("Reject more", 2);
    shown.harness.get_by_label("Choose or type a reason");
    shown.tap("Bad part escaped");
    shown.tap("Apply");
    let limits: Limits = serde_json::from_str(
        r#"{"reject_at": 0.62, "undecided_from": 0.35,
            "kind": {"dent": {"reject_at": 0.59, "undecided_from": 0.35}}}"#,
    )
    .unwrap();
    let why = "Bad part escaped".to_owned();
    assert_eq!(shown.changed(), Some(Command::ChangeLimits { number: 1, limits, why }));
}

#[test]
fn another_reason_is_typed() {
    let mut shown = shown(news(Role::Engineer), Settings::default());
    shown.tap_often("Undecided less", 1);
    shown.tap("Other");
    shown.tap("Apply");
    assert_eq!(shown.changed(), None, "no reason was given");
    shown.harness.get_by_label("Reason").focus();
    shown.harness.get_by_label("Reason").type_text("Prüfmittel getauscht");
    shown.harness.run_steps(3);
    shown.tap("Apply");
    let Some(Command::ChangeLimits { why, .. }) = shown.changed() else { panic!("not asked") };
    assert_eq!(why, "Prüfmittel getauscht");
}

#[test]
fn an_operator_is_asked_to_fetch_somebody() {
    let mut shown = shown(news(Role::Operator), Settings::default());
    shown.tap_often("Reject less", 1);
    shown.tap("New supplier or material");
    shown.tap("Apply");
    assert_eq!(shown.changed(), None);
    shown.harness.get_by_label_contains("Who are you?");
}

#[test]
fn nothing_is_changed_while_the_plc_holds_the_line() {
    let mut news = news(Role::Engineer);
    news.line.as_mut().unwrap().plc_holds = true;
    two_recipes(&mut news);
    let mut shown = shown(news, Settings::default());
    shown.tap_often("Reject less", 1);
    shown.tap("Bad part escaped");
    shown.tap("Apply");
    shown.tap("Select");
    shown.tap_often("Select", 1);
    assert!(shown.behind.borrow().asked.is_empty());
    shown.harness.get_all_by_label_contains("The PLC holds the line").next().unwrap();
}

fn two_recipes(news: &mut News) {
    let facts = facts(news);
    let other = RecipeFacts { number: 2, ..facts.recipes[0].clone() };
    facts.recipes.push(other);
    facts.recipes[1].recipe.name = "hinge".to_owned();
}

#[test]
fn a_recipe_is_selected_by_two_taps() {
    let mut news = news(Role::Operator);
    two_recipes(&mut news);
    let mut shown = shown(news, Settings::default());
    shown.harness.get_by_label("In force");
    shown.tap("Select");
    assert!(shown.behind.borrow().asked.is_empty(), "one tap is none");
    shown.tap("Tap again to select");
    assert_eq!(shown.behind.borrow().asked, [Command::SelectRecipe { number: 2 }]);
}

#[test]
fn the_second_tap_has_to_come_soon() {
    let mut news = news(Role::Operator);
    two_recipes(&mut news);
    let mut shown = shown(news, Settings::default());
    shown.tap("Select");
    let time = shown.harness.input().time.unwrap_or(0.0) + 60.0;
    shown.harness.input_mut().time = Some(time);
    shown.harness.run_steps(2);
    shown.harness.get_by_label("Select");
}

#[test]
fn without_a_line_there_is_nothing_to_change_but_much_to_see() {
    let mut shown = shown(support::idle(), Settings::default());
    shown.tap_often("Reject more", 15);
    shown.harness.get_by_label("→ undecided: 5");
    shown.tap("Bad part escaped");
    shown.tap("Apply");
    assert_eq!(shown.changed(), None);
}

#[test]
fn german() {
    let settings = Settings { language: Language::German, ..Settings::default() };
    let mut shown = shown(news(Role::Quality), settings);
    shown.tap_often("Ausschuss mehr", 15);
    shown.harness.get_by_label("→ unklar: 5");
    shown.tap("Schlechtes Teil kam durch");
    shown.tap("Übernehmen");
    assert!(shown.changed().is_some());
}
