//! Labels against a simple model in memory, and what is refused.

use std::collections::BTreeMap;

use domain::{Judgement, Mark, MarkedBy, PartId, RectPx, Shape};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{example, verify_audit};

/// A store with three parts of run 1, of which the third has no picture.
pub(super) fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create_or_open(dir.path()).unwrap();
    let mut writer = store.start_run(&example::START).unwrap();
    for number in 1..=2 {
        let outcome = example::outcome(number, example::reject());
        writer.record(&outcome, &mut |_| false).unwrap();
    }
    writer.record(&example::deadline(3), &mut |_| false).unwrap();
    writer.finish(at(1)).unwrap();
    (dir, store)
}

fn at(unix_ns: i64) -> WallTime {
    WallTime { unix_ns }
}

pub(super) fn key(part: u64) -> PartKey {
    PartKey { run: 1, part: PartId(part) }
}

pub(super) fn good() -> Label {
    Label::unmarked(Judgement::Good, true)
}

fn bad(view: usize) -> Label {
    let shape = Shape::Box { area: RectPx::new(1, 2, 3, 4) };
    let mark = Mark { class: "dent".into(), view, shape, by: MarkedBy::Hand };
    Label { judgement: Judgement::Bad, marks: vec![mark], is_blind: false }
}

pub(super) fn new<'a>(part: u64, by: &'a PersonId, label: &'a Label) -> NewLabel<'a> {
    NewLabel { key: key(part), at: at(5), by, role: Role::Operator, label, is_second: false }
}

#[test]
fn the_last_word_of_a_person_holds_and_the_one_before_comes_back() {
    let (dir, store) = store();
    let mut labels = store.labels().unwrap();
    let (ann, bea) = (PersonId::new("p-ann"), PersonId::new("p-bea"));
    let first = labels.add(&new(1, &ann, &good())).unwrap();
    let second = labels.add(&new(1, &ann, &bad(1))).unwrap();
    let label = good();
    let other = NewLabel { is_second: true, ..new(1, &bea, &label) };
    let other = labels.add(&other).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let replaced = LabelRow { holds: false, ..first.clone() };
    assert_eq!(reader.labels(key(1)).unwrap(), [other.clone(), second.clone(), replaced]);
    // The second opinion is the newest, and not in force.
    assert_eq!(reader.labelled(None, 9).unwrap(), [second]);
    let again = labels.withdraw(key(1), &ann, Role::Operator, at(9)).unwrap();
    assert_eq!(again, Some(first.clone()));
    assert_eq!(reader.labelled(None, 9).unwrap(), [first]);
    assert_eq!(labels.withdraw(key(1), &ann, Role::Operator, at(9)).unwrap(), None);
    assert_eq!(reader.labelled(None, 9).unwrap(), []);
    assert!(reader.labels(key(1)).unwrap()[0].holds, "the other's stands");
    // Nothing is left to take back.
    assert_eq!(labels.withdraw(key(1), &ann, Role::Operator, at(9)).unwrap(), None);
    let report = verify_audit(dir.path()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.entries, report.labels), (5, 3));
}

#[test]
fn what_does_not_fit_its_part_is_refused() {
    let (dir, store) = store();
    let mut labels = store.labels().unwrap();
    let ann = PersonId::new("p-ann");
    let refused = labels.add(&new(4, &ann, &good())).unwrap_err();
    assert!(matches!(refused, StoreError::NoSuchPart { part: PartId(4), .. }), "{refused}");
    let unmarked = Label::unmarked(Judgement::Bad, false);
    for (part, label) in [(1, &unmarked), (1, &bad(2)), (3, &bad(1))] {
        let refused = labels.add(&new(part, &ann, label)).unwrap_err();
        assert!(matches!(refused, StoreError::LabelRefused { .. }), "{refused}");
        assert!(!refused.may_pass());
    }
    labels.add(&new(3, &ann, &bad(0))).unwrap();
    assert_eq!(verify_audit(dir.path()).unwrap().entries, 1);
}

#[test]
fn many_are_written_together_or_not_at_all() {
    let (dir, store) = store();
    let mut labels = store.labels().unwrap();
    let (ann, bea, good, bad) = (PersonId::new("p-ann"), PersonId::new("p-bea"), good(), bad(1));
    assert_eq!(labels.add_all(&[]).unwrap(), []);
    // The last is of no part; a kill between two would leave as little.
    let refused = labels.add_all(&[new(1, &ann, &good), new(2, &ann, &bad), new(4, &ann, &good)]);
    assert!(matches!(refused, Err(StoreError::NoSuchPart { part: PartId(4), .. })));
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.labelled(None, 9).unwrap(), []);
    assert_eq!(verify_audit(dir.path()).unwrap().entries, 0);
    // In their order: what a person says of a part last holds.
    let all = [new(1, &ann, &bad), new(2, &bea, &good), new(1, &ann, &good)];
    let rows = labels.add_all(&all).unwrap();
    assert_eq!(rows.iter().map(|row| row.key.part.0).collect::<Vec<_>>(), [1, 2, 1]);
    let held: Vec<i64> = reader.labelled(None, 9).unwrap().iter().map(|row| row.id).collect();
    assert_eq!(held, [rows[2].id, rows[1].id]);
    let report = verify_audit(dir.path()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.entries, report.labels), (3, 3));
}

#[test]
fn a_part_that_was_labelled_and_its_labels_are_not_removed() {
    let (dir, store) = store();
    let mut labels = store.labels().unwrap();
    labels.add(&new(1, &PersonId::new("p-ann"), &good())).unwrap();
    let db = Connection::open(dir.path().join(DATABASE)).unwrap();
    for sql in [
        "PRAGMA foreign_keys = ON; DELETE FROM part",
        "DELETE FROM label",
        "UPDATE label SET person = 'p-bea'",
        "UPDATE audit SET person = 'p-bea'",
        "DELETE FROM audit",
    ] {
        db.execute_batch(sql).unwrap_err();
    }
    assert!(verify_audit(dir.path()).unwrap().is_sound());
}

#[test]
fn labels_are_written_beside_a_line_that_writes() {
    let (dir, store) = store();
    let mut labels = store.labels().unwrap();
    let mut writer = store.start_run(&example::START).unwrap();
    let ann = PersonId::new("p-ann");
    for number in 1..=20 {
        let outcome = example::outcome(number, domain::Verdict::Pass);
        writer.record(&outcome, &mut |_| false).unwrap();
        writer.flush().unwrap();
        labels.add(&new(1 + number % 2, &ann, &good())).unwrap();
    }
    assert_eq!(verify_audit(dir.path()).unwrap().entries, 20);
}

#[test]
fn a_part_that_is_being_written_is_labelled_once_it_is() {
    let (dir, store) = store();
    let mut labels = store.labels().unwrap();
    let mut writer = store.start_run(&example::START).unwrap();
    let (ann, label) = (PersonId::new("p-ann"), good());
    writer.record(&example::outcome(1, domain::Verdict::Pass), &mut |_| false).unwrap();
    let new = NewLabel { key: PartKey { run: 2, part: PartId(1) }, ..new(1, &ann, &label) };
    std::thread::scope(|scope| {
        let adds = scope.spawn(|| labels.add(&new).map(drop));
        writer.flush().unwrap();
        adds.join().unwrap().unwrap();
    });
    assert_eq!(Reader::open(dir.path()).unwrap().labelled(None, 9).unwrap().len(), 1);
}

/// What one may do.
#[derive(Clone, Debug)]
enum Step {
    Add { part: u64, person: usize, is_second: bool },
    Withdraw { part: u64, person: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_u64..=3, 0_usize..3, any::<bool>())
            .prop_map(|(part, person, is_second)| Step::Add { part, person, is_second }),
        1 => (1_u64..=3, 0_usize..3).prop_map(|(part, person)| Step::Withdraw { part, person }),
    ]
}

/// What a person said of a part and did not take back, the last at the end: number, second.
type Said = BTreeMap<(u64, usize), Vec<(i64, bool)>>;

fn in_force(said: &Said) -> Vec<(u64, i64)> {
    let mut newest = BTreeMap::new();
    for ((part, _), stack) in said {
        if let Some(&(id, false)) = stack.last() {
            let known = newest.entry(*part).or_insert(id);
            *known = id.max(*known);
        }
    }
    newest.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn labels_do_as_stacks_in_memory_do(steps in prop::collection::vec(step(), 1..24)) {
        let (dir, store) = store();
        let mut labels = store.labels().unwrap();
        let reader = Reader::open(dir.path()).unwrap();
        let people = ["p-a", "p-b", "p-c"].map(PersonId::new);
        let mut said = Said::new();
        for step in steps {
            match step {
                Step::Add { part, person, is_second } => {
                    let label = good();
                    let new = NewLabel { is_second, ..new(part, &people[person], &label) };
                    let row = labels.add(&new).unwrap();
                    said.entry((part, person)).or_default().push((row.id, is_second));
                }
                Step::Withdraw { part, person } => {
                    let stack = said.entry((part, person)).or_default();
                    stack.pop();
                    let expected = stack.last().map(|said| said.0);
                    let row = labels
                        .withdraw(key(part), &people[person], Role::Quality, at(7))
                        .unwrap();
                    prop_assert_eq!(row.map(|row| row.id), expected);
                }
            }
            let found = reader.labelled(None, 9).unwrap();
            let found: Vec<_> = found.iter().map(|row| (row.key.part.0, row.id)).collect();
            prop_assert_eq!(&found, &in_force(&said));
            // Pages of one are the same.
            let mut paged = Vec::new();
            let mut after = None;
            while let Some(row) = reader.labelled(after, 1).unwrap().pop() {
                after = Some(row.key);
                paged.push((row.key.part.0, row.id));
            }
            prop_assert_eq!(paged, found);
        }
        for part in 1..=3 {
            let holding = reader.labels(key(part)).unwrap();
            let mut holding: Vec<_> =
                holding.iter().filter(|row| row.holds).map(|row| row.id).collect();
            holding.sort_unstable();
            let of_part = said.iter().filter(|((of, _), _)| *of == part);
            let mut expected: Vec<_> =
                of_part.filter_map(|(_, stack)| Some(stack.last()?.0)).collect();
            expected.sort_unstable();
            prop_assert_eq!(holding, expected);
        }
        let report = verify_audit(dir.path()).unwrap();
        prop_assert!(report.is_sound(), "{:?}", report);
    }
}
