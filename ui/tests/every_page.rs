//! What holds of everything that can be seen: it is large enough to be touched with a glove, it is
//! in the language that was chosen, and nothing of it is cut off or lies over something else.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of this is a test")]

mod support;

use std::collections::BTreeSet;

use egui::epaint::TextShape;
use egui::{Rect, Shape};
use egui_kittest::Harness;
use egui_kittest::kittest::{By, NodeT, Queryable};
use sightline_ui::theme::TOUCH;
use sightline_ui::{Language, News, Settings};
use support::scenes::{self, Scene};

fn german() -> Settings {
    Settings { language: Language::German, ..Settings::default() }
}

fn of(scene: &Scene, language: Language) -> String {
    format!("{:?}, {:?}, {}, {language:?}", scene.page, scene.state, scene.name)
}

/// Fails with all that was found wrong, so that one run tells everything.
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} in all:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_touched_is_as_large_as_a_glove_needs() {
    let mut wrong = vec![];
    for scene in scenes::all() {
        for settings in [Settings::default(), german()] {
            let language = settings.language;
            let (harness, _behind) = scene.harness(settings);
            let mut touched = 0;
            for node in harness.root().query_all(By::new().recursive(true)) {
                let of_tree = node.accesskit_node();
                let is_touched = of_tree.data().supports_action(egui::accesskit::Action::Click);
                // A page is scrolled by wiping over it; the bar only shows where one is.
                if !is_touched || of_tree.role() == egui::accesskit::Role::ScrollBar {
                    continue;
                }
                touched += 1;
                let size = node.rect().size();
                if size.x < TOUCH - 0.1 || size.y < TOUCH - 0.1 {
                    let name = scenes::name(&node);
                    wrong.push(format!("{}: {name:?} is {size:?}", of(&scene, language)));
                }
            }
            assert!(touched >= 7, "{}: {touched}", of(&scene, language));
        }
    }
    none(&wrong);
}

#[test]
fn no_word_is_left_in_english() {
    let mut wrong = vec![];
    for scene in scenes::all() {
        let said = |settings| {
            let (harness, behind) = scene.harness(settings);
            let news = behind.borrow().news.clone();
            (said(&harness), news)
        };
        let (english, news) = said(Settings::default());
        let (german, _) = said(german());
        for same in english.intersection(&german).filter(|text| !is_data(text, &news)) {
            wrong.push(format!("{}: {same:?}", of(&scene, Language::German)));
        }
    }
    none(&wrong);
}

/// Every visible word: as it is read out, and as it is painted.
fn said(harness: &Harness<'_>) -> BTreeSet<String> {
    let all = harness.root().query_all(By::new().recursive(true));
    let read_out = all.map(|node| scenes::name(&node));
    let painted = texts(harness).into_iter().map(|(text, _)| text.galley.text().to_owned());
    read_out.chain(painted).filter(|text| !text.trim().is_empty()).collect()
}

/// Every text that is painted, and what it is cut off by.
fn texts(harness: &Harness<'_>) -> Vec<(TextShape, Rect)> {
    let mut found = vec![];
    for clipped in &harness.output().shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut found);
    }
    found
}

fn collect(shape: &Shape, clip: Rect, found: &mut Vec<(TextShape, Rect)>) {
    match shape {
        Shape::Vec(all) => all.iter().for_each(|shape| collect(shape, clip, found)),
        Shape::Text(text) => found.push((text.clone(), clip)),
        _ => {}
    }
}

/// What is the same in both languages: numbers, names that people gave, and a few words.
fn is_data(text: &str, news: &News) -> bool {
    const SAME: [&str; 9] =
        ["Live", "PIN", "OK", "English", "Deutsch", "Name", "Clips", "Cloud", "Version"];
    let facts = &news.facts;
    let mut names: Vec<&str> = vec![&facts.station, &facts.software, "scratch", "dent", "bracket"];
    names.push("missing hole");
    names.extend(facts.cameras.iter().map(|camera| camera.as_str()));
    names.extend(news.people.iter().map(|person| person.name.as_str()));
    names.extend(news.alarms.iter().map(|alarm| alarm.said.as_str()));
    let rest = names.iter().fold(text.to_owned(), |rest, name| rest.replace(name, " "));
    rest.split_whitespace().all(|word| {
        let is_part = word.starts_with('P') && is_number(&word[1..]);
        let is_hash = word.len() >= 12 && word.chars().all(|letter| letter.is_ascii_hexdigit());
        SAME.contains(&word) || is_number(word) || is_part || is_hash
    })
}

fn is_number(text: &str) -> bool {
    !text.chars().any(char::is_alphabetic)
}

#[test]
fn nothing_is_cut_off() {
    let mut wrong = vec![];
    for scene in scenes::all() {
        for settings in [Settings::default(), german()] {
            let of = of(&scene, settings.language);
            let (harness, _behind) = scene.harness(settings);
            for (text, clip) in texts(&harness) {
                let (rect, words) = (text.visual_bounding_rect(), text.galley.text());
                // What is scrolled away is not seen.
                if words.trim().is_empty() || !rect.intersects(clip) {
                    continue;
                }
                let is_cut = rect.left() < clip.left() - 1.0 || rect.right() > clip.right() + 1.0;
                if text.galley.elided || is_cut {
                    let how = if is_cut { "cut" } else { "elided" };
                    wrong.push(format!("{of}: {how} {words:?} at {rect:?} in {clip:?}"));
                }
            }
        }
    }
    none(&wrong);
}

#[test]
fn no_word_lies_over_another() {
    let mut wrong = vec![];
    for scene in scenes::all() {
        for settings in [Settings::default(), german()] {
            let of = of(&scene, settings.language);
            let (harness, _behind) = scene.harness(settings);
            let all: Vec<(Rect, String)> = texts(&harness)
                .into_iter()
                .filter(|(text, _)| !text.galley.text().trim().is_empty())
                .map(|(text, clip)| {
                    let inked = text.galley.mesh_bounds.translate(text.pos.to_vec2());
                    (inked.intersect(clip), text.galley.text().to_owned())
                })
                .collect();
            for (index, (one, of_one)) in all.iter().enumerate() {
                for (other, of_other) in &all[index + 1..] {
                    let both = one.intersect(*other);
                    if both.width() > 2.0 && both.height() > 2.0 {
                        wrong.push(format!("{of}: {of_one:?} and {of_other:?} at {both:?}"));
                    }
                }
            }
        }
    }
    none(&wrong);
}
