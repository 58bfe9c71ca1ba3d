//! Labels: takes what an exporter wrote into the file and how many channels there are, proposes
//! the words, and which of them is good.

use super::choice::Choice;
use super::facts::Facts;
use super::outputs::Found;
use super::wishes::Wishes;
use crate::kinds::Kind;
use crate::manifest::BoxLayout;

/// Where exporters leave the names of classes.
const KEYS: [&str; 8] = [
    "names",
    "classes",
    "class_names",
    "labels",
    "categories",
    "id2label",
    "label_names",
    "CLASSES",
];

/// What people call a part without a defect.
const GOOD: [&str; 9] =
    ["ok", "good", "normal", "pass", "no_defect", "no defect", "background", "defect-free", "io"];

/// The labels and the good one, which of a detector's and an anomaly map's has no channel.
pub(super) fn labels_and_good(
    facts: &Facts,
    found: &Found,
    wishes: &Wishes,
) -> (Choice<Vec<String>>, Choice<String>) {
    let mut labels = Choice::of(wishes.labels.clone(), || proposed(facts, found));
    let beside = matches!(found.kind, Kind::Detector | Kind::AnomalyMap);
    let good = Choice::of(wishes.good.clone(), || good_of(labels.value.as_deref(), beside));
    if let (true, Some(labels), Some(good)) = (beside, &mut labels.value, &good.value)
        && !labels.contains(good)
    {
        labels.insert(0, good.clone());
    }
    let with_channel = labels.value.as_ref().map(|labels| labels.len() - usize::from(beside));
    // DETR has a channel more, for nothing at all.
    let nothing = usize::from(found.layout == Some(BoxLayout::Detr));
    if let (Some(labelled), Some(channels)) = (with_channel, found.channels)
        && !(labelled..=labelled + nothing).contains(&channels)
    {
        let why = format!("there are {labelled} labels, and {channels} channels in the network");
        labels = Choice::missing(why);
    }
    (labels, good)
}

fn proposed(facts: &Facts, found: &Found) -> Choice<Vec<String>> {
    if found.kind == Kind::AnomalyMap {
        let labels = ["ok", "anomaly"].map(str::to_owned).to_vec();
        return Choice::likely(labels, "an anomaly map knows good from not good");
    }
    let told = KEYS.iter().find_map(|key| {
        let labels = labels_from_text(facts.metadata.get(*key)?)?;
        Some((*key, labels))
    });
    match (told, found.channels) {
        (Some((key, labels)), _) => Choice::read(labels, format!("the file's `{key}`")),
        (None, Some(channels)) => {
            Choice::missing(format!("the file does not name its {channels} channels"))
        }
        (None, None) => Choice::missing("the file does not name them"),
    }
}

/// `beside`: the good label stands beside those of the network.
fn good_of(labels: Option<&[String]>, beside: bool) -> Choice<String> {
    let is_good = |label: &&String| GOOD.contains(&&*label.to_lowercase());
    let mut good = labels.unwrap_or_default().iter().filter(is_good);
    match (good.next(), good.next()) {
        (Some(good), None) => Choice::likely(good.clone(), format!("`{good}` is no defect's name")),
        (None, _) if beside => Choice::likely("ok".into(), "nothing found is good"),
        (None, _) => Choice::missing("none of the labels is a usual word for it"),
        (Some(_), Some(_)) => Choice::missing("several labels could be it"),
    }
}

/// Labels as exporters write them: JSON or Python, a list or a table by number, or words with
/// commas between them. `None` when it is none of these or a label is there twice.
pub(super) fn labels_from_text(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    let labels = match (inside('{', '}'), inside('[', ']')) {
        (Some(table), _) => labels_by_number(words_of(table)?)?,
        (_, Some(list)) => words_of(list)?.into_iter().map(|(_, label)| label).collect(),
        _ => words_of(text)?.into_iter().map(|(_, label)| label).collect::<Vec<_>>(),
    };
    let mut seen = std::collections::HashSet::new();
    let plain = !labels.is_empty() && labels.iter().all(|l| !l.trim().is_empty() && seen.insert(l));
    plain.then_some(labels)
}

/// Labels in the order of their numbers, which go up from 0 without a gap.
fn labels_by_number(mut words: Vec<(Option<String>, String)>) -> Option<Vec<String>> {
    let number = |key: &Option<String>| key.as_ref()?.trim().parse::<usize>().ok();
    words.sort_by_key(|(key, _)| number(key));
    let counted = words.iter().enumerate().all(|(index, (key, _))| number(key) == Some(index));
    counted.then(|| words.into_iter().map(|(_, label)| label).collect())
}

/// Words with commas between them, each perhaps with a key and a colon before it; what stands in
/// quotes may hold either sign.
fn words_of(text: &str) -> Option<Vec<(Option<String>, String)>> {
    let mut words = Vec::new();
    let (mut key, mut word, mut quote) = (None, String::new(), None);
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(_), '\\') => word.push(letters.next()?),
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => word.push(letter),
            (None, '\'' | '"') if word.trim().is_empty() => {
                word.clear();
                quote = Some(letter);
            }
            (None, ':') if key.is_none() => key = Some(std::mem::take(&mut word)),
            (None, ',' | '\n') => words.push((key.take(), std::mem::take(&mut word))),
            (None, '{' | '}' | '[' | ']') => return None,
            (None, _) => word.push(letter),
        }
    }
    if quote.is_some() {
        return None;
    }
    if !word.trim().is_empty() || key.is_some() {
        words.push((key, word));
    }
    Some(words.into_iter().map(|(key, word)| (key, word.trim().to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_are_read_however_they_were_written() {
        for text in [
            "{0: 'ok', 1: 'dent, deep', 2: \"driver's\"}",
            "{1: 'dent, deep', 0: 'ok', 2: 'driver\\'s'}",
            r#"{"0": "ok", "1": "dent, deep", "2": "driver's"}"#,
            r#"["ok", "dent, deep", "driver's"]"#,
            "['ok', 'dent, deep', \"driver's\"]",
            "ok,\"dent, deep\",driver's",
            "ok\n'dent, deep'\ndriver's\n",
        ] {
            let labels = labels_from_text(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(labels, ["ok", "dent, deep", "driver's"], "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_labels_is_none() {
        for text in [
            "",
            "{}",
            "[]",
            "a,,b",
            "a,a",
            "{0: 'a', 2: 'b'}",
            "{0: 'a', 0: 'b'}",
            "{a: 'b'}",
            "['a",
            "[['a']]",
            "{0: {1: 'a'}}",
        ] {
            assert_eq!(labels_from_text(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", signs in "[{}\\[\\]'\":,0-9a \\\\]*") {
            let _ = labels_from_text(&text);
            let _ = labels_from_text(&signs);
        }
    }
}
