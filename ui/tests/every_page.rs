//! What holds of everything that can be seen: it is large enough to be touched with a glove, it is
//! in the language that was chosen, and nothing of it is cut off or lies over something else.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "all of this is a test")]

mod support;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use egui::accesskit::{Action, Role};
use egui::{Rect, Shape, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{By, NodeT, Queryable};
use sightline_ui::calibrating::ProfileFacts;
use sightline_ui::theme::TOUCH;
use sightline_ui::{Language, News, Settings};
use support::scenes::{self, Scene};

/// What is seen of a scene in both languages.
struct Seen {
    /// Which, and in which language.
    name: String,
    /// What can be touched: its name and how large it is.
    touched: Vec<(String, Vec2)>,
    /// What is painted.
    texts: Vec<Text>,
    /// What is read in German and in English alike and should not be.
    same: Vec<String>,
}

struct Text {
    words: String,
    /// What it would take.
    whole: Rect,
    /// Where there is ink.
    inked: Rect,
    /// What is seen of anything there.
    clip: Rect,
    is_elided: bool,
}

/// All scenes in both languages; made once, since most of the time goes into that.
static SEEN: LazyLock<Vec<Seen>> = LazyLock::new(|| {
    let seen = scenes::all().into_iter().flat_map(|scene| {
        let german = Settings { language: Language::German, ..Settings::default() };
        let (english, behind) = scene.harness(Settings::default());
        let news = behind.borrow().news.clone();
        let (german, _behind) = scene.harness(german);
        let same = said(&english).intersection(&said(&german)).cloned().collect::<Vec<_>>();
        let same = same.into_iter().filter(|text| !is_data(text, &news)).collect();
        [seen(&scene, "English", &english, vec![]), seen(&scene, "German", &german, same)]
    });
    seen.collect()
});

fn seen(scene: &Scene, language: &str, harness: &Harness<'_>, same: Vec<String>) -> Seen {
    let name = format!("{:?}, {:?}, {}, {language}", scene.page, scene.state, scene.name);
    Seen { name, touched: touched(harness), texts: texts(harness), same }
}

fn touched(harness: &Harness<'_>) -> Vec<(String, Vec2)> {
    let all = harness.root().query_all(By::new().recursive(true));
    let is_touched = |node: &egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        // A page is scrolled by wiping over it; the bar only shows where one is.
        node.data().supports_action(Action::Click) && node.role() != Role::ScrollBar
    };
    let touched = all.filter(is_touched);
    touched.map(|node| (scenes::name(&node), node.rect().size())).collect()
}

/// Every visible word: as it is read out, and as it is painted.
fn said(harness: &Harness<'_>) -> BTreeSet<String> {
    let all = harness.root().query_all(By::new().recursive(true));
    let read_out = all.map(|node| scenes::name(&node));
    let painted = texts(harness).into_iter().map(|text| text.words);
    read_out.chain(painted).filter(|text| !text.trim().is_empty()).collect()
}

/// Every text that is painted and not scrolled away.
fn texts(harness: &Harness<'_>) -> Vec<Text> {
    let mut found = vec![];
    for clipped in &harness.output().shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut found);
    }
    found
}

fn collect(shape: &Shape, clip: Rect, found: &mut Vec<Text>) {
    match shape {
        Shape::Vec(all) => all.iter().for_each(|shape| collect(shape, clip, found)),
        Shape::Text(text) => {
            let (whole, words) = (text.visual_bounding_rect(), text.galley.text().to_owned());
            let inked = text.galley.mesh_bounds.translate(text.pos.to_vec2());
            if !words.trim().is_empty() && inked.intersects(clip) {
                found.push(Text { words, whole, inked, clip, is_elided: text.galley.elided });
            }
        }
        _ => {}
    }
}

/// Fails with all that was found wrong, so that one run tells everything.
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} in all:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_touched_is_as_large_as_a_glove_needs() {
    let mut wrong = vec![];
    for seen in &*SEEN {
        assert!(seen.touched.len() >= 7, "{}: {}", seen.name, seen.touched.len());
        let small = |size: &Vec2| size.min_elem() < TOUCH - 0.1;
        let small = seen.touched.iter().filter(|(_, size)| small(size));
        wrong.extend(small.map(|(name, size)| format!("{}: {name:?} is {size:?}", seen.name)));
    }
    none(&wrong);
}

#[test]
fn no_word_is_left_in_english() {
    let wrong = SEEN.iter().filter(|seen| !seen.same.is_empty());
    let wrong: Vec<_> = wrong.map(|seen| format!("{}: {:?}", seen.name, seen.same)).collect();
    none(&wrong);
}

/// What is the same in both languages: numbers, names that people gave, and a few words.
fn is_data(text: &str, news: &News) -> bool {
    const SAME: [&str; 11] = [
        "Live", "PIN", "OK", "English", "Deutsch", "Name", "Clips", "Cloud", "Version", "ChArUco",
        "Marker,",
    ];
    const UNITS: [&str; 12] =
        ["px", "s", "min", "h", "+3σ", "−3σ", "mm", "mm/px", "mm/s", "µs", "dB", "mm,"];
    // As they are written on keyboards.
    const KEYS: [&str; 10] = ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "PgUp", "PgDn"];
    // As everybody calls what a lens bends by.
    const LENS: [&str; 5] = ["k1", "k2", "k3", "p1", "p2"];
    let facts = &news.facts;
    let mut names: Vec<&str> = vec![&facts.station, &facts.software, "scratch", "dent", "bracket"];
    names.push("missing hole");
    names.extend(facts.cameras.iter().map(|camera| camera.as_str()));
    names.extend(news.people.iter().map(|person| person.name.as_str()));
    names.extend(news.alarms.iter().map(|alarm| alarm.said.as_str()));
    names.extend(of_calibrations(news));
    // No name that is part of another goes first.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let rest = names.iter().fold(text.to_owned(), |rest, name| rest.replace(name, " "));
    rest.split_whitespace().all(|word| {
        let is_number = |word: &str| !word.chars().any(char::is_alphabetic);
        let is_part = word.starts_with('P') && is_number(&word[1..]);
        let is_hash = word.len() >= 12 && word.chars().all(|letter| letter.is_ascii_hexdigit());
        // A key of the keyboard.
        let is_letter = word.chars().count() == 1;
        let is_same = [&SAME[..], &UNITS, &KEYS, &LENS].iter().any(|same| same.contains(&word));
        is_same || is_letter || is_number(word) || is_part || is_hash
    })
}

/// What calibrations say in English, and what people noted.
fn of_calibrations(news: &News) -> Vec<&str> {
    let mut names = vec![];
    let mut profiles: Vec<&ProfileFacts> = vec![];
    for camera in news.calibrations.iter() {
        profiles.extend(camera.profile.as_ref());
        names.extend(camera.lost.as_deref());
    }
    if let Some(calibrating) = &news.calibrating {
        profiles.push(&calibrating.draft);
        names.push(&calibrating.board.dictionary);
        names.extend(calibrating.refused.as_deref());
    }
    for profile in profiles {
        names.push(&profile.folder);
        names.extend(profile.serial.as_deref());
        names.extend(profile.lens_note.as_deref());
        names.extend(profile.objections.iter().map(String::as_str));
    }
    names
}

#[test]
fn nothing_is_cut_off() {
    let mut wrong = vec![];
    for seen in &*SEEN {
        for Text { words, whole, clip, is_elided, .. } in &seen.texts {
            let is_cut = whole.left() < clip.left() - 1.0 || whole.right() > clip.right() + 1.0;
            if *is_elided || is_cut {
                let how = if is_cut { "cut" } else { "elided" };
                wrong.push(format!("{}: {how} {words:?} at {whole:?} in {clip:?}", seen.name));
            }
        }
    }
    none(&wrong);
}

#[test]
fn no_word_lies_over_another() {
    let mut wrong = vec![];
    for seen in &*SEEN {
        for (index, one) in seen.texts.iter().enumerate() {
            for other in &seen.texts[index + 1..] {
                let [a, b] = [one, other].map(|text| text.inked.intersect(text.clip));
                let both = a.intersect(b);
                if both.width() > 2.0 && both.height() > 2.0 {
                    let (name, one, other) = (&seen.name, &one.words, &other.words);
                    wrong.push(format!("{name}: {one:?} and {other:?} at {both:?}"));
                }
            }
        }
    }
    none(&wrong);
}
