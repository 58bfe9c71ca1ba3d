//! People who agree and who don't, on parts whose verdicts are known.

use domain::{Mark, MarkedBy, PartId, Role, Shape, Verdict};
use tempfile::TempDir;

use super::*;
use crate::{Labels, NewLabel, Store, example};

const PARTS: u64 = 40;

/// A store with parts of which every second is rejected; all have pictures.
fn store() -> (TempDir, Labels) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create_or_open(dir.path()).unwrap();
    let mut writer = store.start_run(&example::START).unwrap();
    for number in 1..=PARTS {
        let verdict = if number % 2 == 0 { example::reject() } else { Verdict::Pass };
        writer.record(&example::outcome(number, verdict), &mut |_| true).unwrap();
    }
    writer.record(&example::deadline(PARTS + 1), &mut |_| true).unwrap();
    writer.flush().unwrap();
    let labels = store.labels().unwrap();
    (dir, labels)
}

fn say(labels: &mut Labels, part: u64, person: &str, classes: &[&str], is_second: bool) {
    let mark = |class: &&str| Mark {
        class: (*class).into(),
        view: 0,
        shape: Shape::Whole,
        by: MarkedBy::Hand,
    };
    let marks: Vec<_> = classes.iter().map(mark).collect();
    let judgement = if marks.is_empty() { Judgement::Good } else { Judgement::Bad };
    let label = Label { judgement, marks, is_blind: is_second };
    let key = PartKey { run: 1, part: PartId(part) };
    let (by, role, at) = (PersonId::new(person), Role::Operator, WallTime { unix_ns: 5 });
    labels.add(&NewLabel { key, at, by: &by, role, label: &label, is_second }).unwrap();
}

fn agreement(dir: &TempDir) -> Agreement {
    Reader::open(dir.path()).unwrap().agreement(&AgreementFilter::default()).unwrap()
}

#[test]
fn nobody_agrees_on_nothing() {
    let (dir, _labels) = store();
    assert_eq!(agreement(&dir), Agreement::default());
}

#[test]
fn people_are_held_against_each_other_and_against_the_model() {
    let (dir, mut labels) = store();
    // As in the worked example: 20 both good, 5 and 10 apart, 15 both bad; scaled to 40 parts: 16,
    // 4, 8 and 12.
    for part in 1..=PARTS {
        let (ann, bea) = match part {
            1..=16 => (false, false),
            17..=20 => (false, true),
            21..=28 => (true, false),
            _ => (true, true),
        };
        let class = |is_bad| if is_bad { &["dent"][..] } else { &[] };
        say(&mut labels, part, "p-ann", class(ann), false);
        say(&mut labels, part, "p-bea", class(bea), true);
    }
    say(&mut labels, PARTS + 1, "p-ann", &["dent"], false);
    let found = agreement(&dir);
    assert_eq!((found.parts, found.pairs.len()), (40, 1));
    let pair = found.pairs[0].good_bad.unwrap();
    assert!((pair.kappa.unwrap() - 0.4).abs() < 1e-9, "{pair:?}");
    assert_eq!(
        (&found.pairs[0].one, &found.pairs[0].other),
        (&"p-ann".into_id(), &"p-bea".into_id())
    );
    let ann = &found.people[0];
    assert_eq!((ann.labels, found.people[1].labels), (41, 40));
    assert!((ann.with_others.unwrap().kappa.unwrap() - 0.4).abs() < 1e-9);
    // Ann's are in force: good up to 20, bad after; even numbers were rejected.
    let ModelAgreement { passed_good, passed_bad, rejected_good, rejected_bad, .. } = found.model;
    assert_eq!((passed_good, passed_bad, rejected_good, rejected_bad), (10, 10, 10, 10));
    assert_eq!((found.model.undecided_good, found.model.undecided_bad), (0, 1));
    assert!(found.model.kappa.unwrap().kappa.unwrap().abs() < 1e-9);
    assert_eq!(ann.with_model, found.model);
    let blind = AgreementFilter { blind_only: true, ..AgreementFilter::default() };
    let blind = Reader::open(dir.path()).unwrap().agreement(&blind).unwrap();
    assert_eq!((blind.parts, blind.people.len()), (0, 1));
}

#[test]
fn agreement_on_bad_is_not_agreement_on_the_class() {
    let (dir, mut labels) = store();
    for part in 1..=6 {
        let one: &[&str] = if part <= 3 { &["dent", "crack", "dent"] } else { &[] };
        let other: &[&str] = if part <= 2 { &["crack", "dent"] } else { &["scratch"] };
        say(&mut labels, part, "p-ann", one, false);
        say(&mut labels, part, "p-bea", if part <= 3 { other } else { &[] }, true);
    }
    let found = agreement(&dir);
    let observed = |kappa: Option<Kappa>| kappa.unwrap().observed;
    assert_eq!(observed(found.good_bad), 1.0);
    assert!((observed(found.classes) - 5.0 / 6.0).abs() < 1e-9);
    assert!((observed(found.pairs[0].classes) - 5.0 / 6.0).abs() < 1e-9);
}

#[test]
fn second_opinions_are_asked_of_others_once() {
    let (dir, mut labels) = store();
    for part in 1..=PARTS {
        say(&mut labels, part, "p-ann", &[], false);
    }
    let reader = Reader::open(dir.path()).unwrap();
    let due = |share, by: &str| -> Vec<u64> {
        let due = reader.second_opinions_due(share, &by.into_id(), 100).unwrap();
        due.iter().map(|key| key.part.0).collect()
    };
    let all: Vec<u64> = (1..=PARTS).rev().collect();
    assert_eq!(due(1.0, "p-bea"), all);
    assert!(due(1.0, "p-ann").is_empty(), "one's own");
    assert!(due(0.0, "p-bea").is_empty());
    let some = due(0.3, "p-bea");
    assert!((3..=25).contains(&some.len()), "{some:?}");
    assert_eq!(some, due(0.3, "p-cyd"), "the same for everybody");
    assert!(some.iter().all(|part| due(0.5, "p-bea").contains(part)));
    assert_eq!(reader.second_opinions_due(0.3, &"p-bea".into_id(), 2).unwrap().len(), 2);
    say(&mut labels, some[0], "p-bea", &[], true);
    assert_eq!(due(0.3, "p-cyd"), some[1..]);
    // What was relabelled since is still one part to look at.
    say(&mut labels, some[1], "p-dee", &[], false);
    assert_eq!(due(0.3, "p-cyd"), some[1..]);
    assert_eq!(due(0.3, "p-dee"), some[2..]);
}

/// A person by their pseudonym.
trait IntoId {
    fn into_id(self) -> PersonId;
}

impl IntoId for &str {
    fn into_id(self) -> PersonId {
        PersonId::new(self)
    }
}

#[test]
fn what_is_due_is_found_by_its_index() {
    let dir = tempfile::tempdir().unwrap();
    Store::create_or_open(dir.path()).unwrap();
    let plan = Reader::open(dir.path()).unwrap().plan(DUE);
    assert!(plan[0].starts_with("SCAN said USING INDEX label_in_force"), "{plan:?}");
    assert!(plan.iter().all(|line| !line.contains("TEMP B-TREE")), "{plan:?}");
}
