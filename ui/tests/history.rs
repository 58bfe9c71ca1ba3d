//! The History page, used as a person would.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of this is a test")]

mod support;

use domain::{Judgement, Label, PartId, PartKey, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use sightline_ui::{Language, News, Page, Settings};
use store::{NewLabel, Store};
use support::states::State;
use support::{idle, parts, people, screen, screen_with};
use tempfile::TempDir;

fn harness(news: News, folder: &TempDir, settings: Settings) -> Harness<'static> {
    let (mut screen, _) = screen_with(news, Some(folder.path()), Page::History, settings);
    Harness::builder().with_size(egui::vec2(1280.0, 800.0)).build_ui(move |ui| screen.show(ui))
}

fn store_of(count: u64) -> TempDir {
    let folder = TempDir::new().unwrap();
    parts::store_of(folder.path(), count);
    folder
}

fn tap(harness: &mut Harness<'_>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

/// Of 48 parts 10 are rejected, 5 of them for dents.
#[test]
fn filters_narrow_the_list() {
    let folder = store_of(48);
    let mut harness = harness(idle(), &folder, Settings::default());
    harness.run_steps(3);
    harness.get_by_label("n = 48");
    tap(&mut harness, "Verdict: all");
    tap(&mut harness, "REJECT");
    harness.get_by_label("n = 10");
    tap(&mut harness, "Class: all");
    tap(&mut harness, "dent");
    harness.get_by_label("n = 5");
    tap(&mut harness, "Clear");
    harness.get_by_label("n = 48");
    tap(&mut harness, "Part: all");
    for digit in ["1", "3"] {
        tap(&mut harness, digit);
    }
    harness.get_by_label("n = 1");
    harness.get_by_label_contains("#13 REJECT");
    tap(&mut harness, "Clear");
    tap(&mut harness, "Recipe: all");
    tap(&mut harness, "bracket");
    harness.get_by_label("n = 48");
}

#[test]
fn a_period_without_parts_says_what_to_do() {
    let folder = store_of(9);
    let mut news = idle();
    news.now.unix_ns += 30 * 86_400 * 1_000_000_000;
    let mut harness = harness(news, &folder, Settings::default());
    harness.run_steps(3);
    tap(&mut harness, "Period: all");
    tap(&mut harness, "Last 7 days");
    harness.get_by_label_contains("No part fits");
}

#[test]
fn without_parts_every_tab_says_what_would_fill_it() {
    let folder = TempDir::new().unwrap();
    let mut harness = harness(idle(), &folder, Settings::default());
    harness.run_steps(3);
    harness.get_by_label_contains("No parts yet");
    tap(&mut harness, "Charts");
    harness.get_by_label_contains("No parts yet");
    tap(&mut harness, "Agreement");
    harness.get_by_label_contains("No agreement yet");
}

#[test]
fn one_part_has_charts() {
    let folder = store_of(1);
    let mut harness = harness(idle(), &folder, Settings::default());
    harness.run_steps(3);
    harness.get_by_label("n = 1");
    tap(&mut harness, "Charts");
    harness.get_by_label("Yield: 100.0 %");
    harness.get_by_label_contains("nothing to rank");
}

#[test]
fn charts_tell_their_numbers() {
    let folder = store_of(48);
    let mut harness = harness(idle(), &folder, Settings::default());
    harness.run_steps(3);
    tap(&mut harness, "Charts");
    harness.get_by_label("Parts: 48");
    harness.get_by_label("Yield: 68.8 %");
    harness.get_by_label("Rejected: 10 · 20.8 %");
    harness.get_by_label_contains("centre line 31.2 %");
    harness.get_by_label_contains("dent 5, scratch 5");
    harness.get_by_label_contains("n = 10 defects");
}

#[test]
fn a_part_is_told_in_full_and_leads_on() {
    let folder = store_of(9);
    let mut harness = harness(idle(), &folder, Settings::default());
    harness.run_steps(3);
    harness.get_by_label_contains("#9 REJECT").click();
    harness.run_steps(3);
    harness.get_by_label("scratch 0.93, limit 0.60");
    harness.get_by_label_contains("bracket ");
    harness.get_by_label("Nobody has said anything of this part.");
    tap(&mut harness, "Heatmap");
    tap(&mut harness, "Back");
    harness.get_by_label("n = 9");
    harness.get_by_label_contains("#4 REJECT").click();
    harness.run_steps(3);
    tap(&mut harness, "Review this part");
    assert!(harness.query_by_label("Back").is_none(), "another page is shown");
}

#[test]
fn another_page_asks_for_a_part() {
    let (mut screen, _) = State::Idle.screen(Page::History, Settings::default());
    let mut harness =
        Harness::builder().with_size(egui::vec2(1280.0, 800.0)).build_ui(move |ui| screen.show(ui));
    harness.run_steps(3);
    harness.get_by_label_contains("#48 ");
}

/// Two people say the same of eight of ten parts.
#[test]
fn agreement_is_told_with_its_interval() {
    let folder = store_of(10);
    label_ten(&folder);
    let mut harness = harness(idle(), &folder, Settings::default());
    harness.run_steps(3);
    tap(&mut harness, "Agreement");
    // (0.8 − 0.52) / (1 − 0.52), by hand: one calls 4 bad, the other 4 of which 3 are the same.
    harness.get_all_by_label_contains("good or bad: κ = 0.58").next().unwrap();
}

fn label_ten(folder: &TempDir) {
    let store = Store::create_or_open(folder.path()).unwrap();
    let mut labels = store.labels().unwrap();
    let people = people();
    let bad = |number: u64, person: usize| match person {
        0 => number <= 4,
        _ => (2..=5).contains(&number),
    };
    for number in 1..=10 {
        for (index, person) in people[..2].iter().enumerate() {
            let label = if bad(number, index) {
                serde_json::from_str::<Label>(
                    r#"{"judgement": "bad", "is_blind": true, "marks":
                        [{"class": "dent", "view": 0, "shape": "whole", "by": "hand"}]}"#,
                )
                .unwrap()
            } else {
                Label::unmarked(Judgement::Good, true)
            };
            let key = PartKey { run: 1, part: PartId(number) };
            let new = NewLabel {
                key,
                at: support::NOW,
                by: &person.id,
                role: Role::Operator,
                label: &label,
                is_second: index > 0,
            };
            labels.add(&new).unwrap();
        }
    }
}

#[test]
fn german() {
    let folder = store_of(9);
    let settings = Settings { language: Language::German, ..Settings::default() };
    let mut harness = harness(idle(), &folder, settings);
    harness.run_steps(3);
    harness.get_by_label("Zeitraum: alle");
    tap(&mut harness, "Diagramme");
    harness.get_by_label("Ausbeute: 66,7 %");
}

#[test]
fn without_a_store_it_says_so() {
    let (mut screen, _) = screen(idle(), None, Page::History);
    let mut harness = Harness::new_ui(move |ui| screen.show(ui));
    harness.run_steps(3);
    harness.get_by_label_contains("No parts yet");
}
