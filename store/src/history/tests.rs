//! A day of parts, looked at from all sides.

use domain::{
    AnsweredBy, CheckedRecipe, Inspection, Judgement, Label, Outcome, PartKey, PersonId, Reason,
    Recipe, Role, Verdict,
};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{Counts, NewLabel, Store, Writer, example};

const SECOND: i64 = 1_000_000_000;
const START_NS: i64 = 1_700_000_000 * SECOND;

fn reason(kind: &str, score: f32, place: RectPx) -> Reason {
    let (score, limit) = (example::score(score), example::score(0.6));
    Reason { kind: kind.into(), score, limit, box_in_frame: place, view: 0 }
}

/// A part of second `number` with this verdict, and a defect of 0.5 on it.
fn part(number: u64, verdict: Verdict) -> Inspection {
    let mut inspection = example::inspection(number, verdict);
    let wall = WallTime { unix_ns: START_NS + i64::try_from(number).unwrap() * SECOND };
    inspection.triggered_at.wall = wall;
    inspection.defects[0].score = example::score(0.5);
    inspection
}

fn record(writer: &mut Writer, inspection: Inspection) {
    let acted = example::acted(inspection, AnsweredBy::Inspection);
    writer.record(&Outcome::Acted(Box::new(acted)), &mut |_| false).unwrap();
}

/// Parts 1 to 10: 2, 5 and 8 rejected, 3 near its limit, 9 answered by the fail-safe, else passed;
/// then part 1 of another run, by another recipe, passed.
fn store() -> (TempDir, Reader) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create_or_open(dir.path()).unwrap();
    let mut writer = store.start_run(&example::START).unwrap();
    writer.keep_recipe(&example::recipe()).unwrap();
    let place = |x, y| RectPx::new(x, y, 2, 2);
    for number in 1..=10 {
        let verdict = match number {
            2 => Verdict::reject(vec![reason("dent", 0.7, place(3, 3))]),
            5 => Verdict::reject(vec![
                reason("dent", 0.7, place(3, 3)),
                reason("crack", 0.8, place(14, 15)),
            ]),
            8 => Verdict::reject(vec![reason("dent", 0.9, place(100, 3))]),
            3 => {
                let nearest = reason("stain", 0.5, place(5, 5));
                Some(Verdict::Undecided { why: domain::Why::NearLimit { nearest } })
            }
            _ => Some(Verdict::Pass),
        };
        match number {
            9 => {
                let Outcome::Acted(mut late) = example::deadline(9) else { unreachable!() };
                late.inspection.triggered_at = part(9, Verdict::Pass).triggered_at;
                writer.record(&Outcome::Acted(late), &mut |_| false).map(drop).unwrap();
            }
            _ => record(&mut writer, part(number, verdict.unwrap())),
        }
    }
    writer.finish(WallTime { unix_ns: START_NS + 11 * SECOND }).unwrap();
    let mut writer = store.start_run(&example::START).unwrap();
    let other = other_recipe();
    writer.keep_recipe(&other).unwrap();
    let mut inspection = part(1, Verdict::Pass);
    inspection.triggered_at.wall.unix_ns = START_NS + 60 * SECOND;
    inspection.provenance.recipe = other.hash();
    record(&mut writer, inspection);
    writer.flush().unwrap();
    let (by, label) = (PersonId::new("p-ann"), Label::unmarked(Judgement::Good, false));
    for part in [2, 3] {
        let key = PartKey { run: 1, part: PartId(part) };
        let (at, role) = (WallTime { unix_ns: 1 }, Role::Operator);
        let new = NewLabel { key, at, by: &by, role, label: &label, is_second: part == 3 };
        store.labels().unwrap().add(&new).unwrap();
    }
    let reader = Reader::open(dir.path()).unwrap();
    (dir, reader)
}

fn other_recipe() -> CheckedRecipe {
    with_limits(0.8, 0.7, "other")
}

fn with_limits(reject_at: f32, undecided_from: f32, name: &str) -> CheckedRecipe {
    let mut recipe: Recipe = example::recipe().as_written().clone();
    recipe.name = name.to_owned();
    recipe.limits.reject_at = reject_at;
    recipe.limits.undecided_from = Some(undecided_from);
    recipe.check().unwrap()
}

fn all() -> PartSearch {
    PartSearch::default()
}

fn at(seconds: i64) -> Option<WallTime> {
    Some(WallTime { unix_ns: START_NS + seconds * SECOND })
}

#[test]
fn parts_are_found_by_what_is_known_of_them() {
    let (_dir, reader) = store();
    let found = |search: &PartSearch| -> Vec<(i64, u64)> {
        let rows = reader.search(search, None, 100).unwrap();
        rows.iter().map(|row| (row.run.0, row.part.0)).collect()
    };
    let of_first = |numbers: &[u64]| numbers.iter().map(|&n| (1, n)).collect::<Vec<_>>();
    assert_eq!(found(&all()).len(), 11);
    assert_eq!(found(&all())[..2], [(2, 1), (1, 10)]);
    assert_eq!(found(&PartSearch { run: Some(RunId(2)), ..all() }), [(2, 1)]);
    let times = PartSearch { from: at(3), to: at(5), ..all() };
    assert_eq!(found(&times), of_first(&[4, 3]));
    let rejected = PartSearch { verdict: Some(VerdictWord::Reject), ..all() };
    assert_eq!(found(&rejected), of_first(&[8, 5, 2]));
    let class = |class: &str| PartSearch { class: Some(class.to_owned()), ..all() };
    assert_eq!(found(&class("dent")), of_first(&[8, 5, 2]));
    assert_eq!(found(&class("crack")), of_first(&[5]));
    assert_eq!(found(&class("stain")), of_first(&[3]));
    assert!(found(&class("scratch")).is_empty(), "below the limits");
    assert!(found(&class("' OR 1 = 1 --")).is_empty());
    assert_eq!(found(&PartSearch { number: Some(PartId(1)), ..all() }), [(2, 1), (1, 1)]);
    let by_hash = PartSearch { recipe: Some(other_recipe().hash()), ..all() };
    let by_name = PartSearch { recipe_name: Some("other".to_owned()), ..all() };
    assert_eq!((found(&by_hash), found(&by_name)), (vec![(2, 1)], vec![(2, 1)]));
    let labelled = |labelled| PartSearch { labelled: Some(labelled), ..all() };
    // A second opinion alone is no label in force.
    assert_eq!((found(&labelled(true)), found(&labelled(false)).len()), (of_first(&[2]), 10));
    let everything = PartSearch {
        run: Some(RunId(1)),
        number: Some(PartId(2)),
        recipe: Some(example::recipe().hash()),
        recipe_name: Some("bracket".to_owned()),
        ..PartSearch { labelled: Some(true), ..rejected }
    };
    assert_eq!(found(&everything), of_first(&[2]));
}

#[test]
fn pages_follow_each_other() {
    let (_dir, reader) = store();
    let (mut after, mut paged) = (None, Vec::new());
    loop {
        let page = reader.search(&all(), after, 3).unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.run, last.part));
        paged.extend(page);
    }
    assert_eq!(paged, reader.search(&all(), None, 100).unwrap());
}

#[test]
fn yield_is_cut_by_time_and_by_parts() {
    let (_dir, reader) = store();
    let by_time = reader.yield_by(&all(), BinBy::Period(Duration::from_secs(5))).unwrap();
    let counts = |bin: &Bin| (bin.passed, bin.rejected, bin.undecided, bin.fail_safe);
    // 1 to 4, 5 to 9, 10, and after a gap the other run.
    let expected = [(2, 1, 1, 0), (2, 2, 1, 1), (1, 0, 0, 0), (1, 0, 0, 0)];
    assert_eq!(by_time.iter().map(counts).collect::<Vec<_>>(), expected);
    assert_eq!((Some(by_time[1].from), Some(by_time[1].to)), (at(5), at(10)));
    let together = reader.yield_by(&all(), BinBy::All).unwrap();
    assert_eq!(together, reader.yield_by(&all(), BinBy::Parts(u32::MAX)).unwrap());
    let none = PartSearch { run: Some(RunId(99)), ..all() };
    assert_eq!((together.len(), reader.yield_by(&none, BinBy::All).unwrap()), (1, vec![]));
    let by_parts = reader.yield_by(&all(), BinBy::Parts(4)).unwrap();
    assert_eq!(by_parts.iter().map(Bin::total).collect::<Vec<_>>(), [4, 4, 3]);
    assert_eq!((Some(by_parts[2].from), Some(by_parts[2].to)), (at(9), at(60)));
    for by in [BinBy::Parts(0), BinBy::Period(Duration::ZERO)] {
        let bins = reader.yield_by(&PartSearch { run: Some(RunId(2)), ..all() }, by).unwrap();
        assert_eq!(bins.iter().map(Bin::total).sum::<u64>(), 1);
    }
}

#[test]
fn classes_and_places_of_rejected_parts_are_counted() {
    let (_dir, reader) = store();
    let pareto = reader.pareto(&all()).unwrap();
    assert_eq!(pareto, [("dent".to_owned(), 2), ("crack".to_owned(), 1)]);
    // The crop is 14 wide and 15 high, from (3, 3).
    let found = reader.positions(&all(), 2, 2).unwrap();
    assert_eq!((found.counts, found.outside), (vec![2, 0, 0, 1], 1));
    let cracks = PartSearch { class: Some("crack".to_owned()), ..all() };
    assert_eq!(reader.positions(&cracks, 2, 2).unwrap().counts, [0, 0, 0, 1]);
    let one = reader.positions(&all(), 0, 0).unwrap();
    assert_eq!((one.cols, one.rows, one.counts), (1, 1, vec![3]));
}

#[test]
fn other_limits_are_tried_on_what_was_found() {
    let (_dir, reader) = store();
    let recipe = example::recipe();
    let parts = reader.scored_parts(&all(), recipe.hash(), 100).unwrap();
    assert_eq!(parts.len(), 10, "of this recipe only");
    assert_eq!(reader.scored_parts(&all(), recipe.hash(), 3).unwrap().len(), 3);
    // Every inspected part has a defect of 0.5: between the limits, above both, below both.
    let after = |recipe: &CheckedRecipe| judge_again(recipe, &parts).after;
    let counts = |passed, rejected, undecided| Counts { passed, rejected, undecided };
    assert_eq!(after(&recipe), counts(0, 0, 10));
    assert_eq!(after(&with_limits(0.5, 0.4, "x")), counts(0, 9, 1));
    let judged = judge_again(&with_limits(0.9, 0.8, "x"), &parts);
    assert_eq!((judged.before, judged.after), (counts(5, 3, 2), counts(9, 0, 1)));
    assert_eq!((judged.changed, judged.unmoved), (4, 1));
}

proptest! {
    #[test]
    fn every_place_is_in_one_cell_or_outside(
        x in 0_u32..60, y in 0_u32..60, cols in 1_usize..9, rows in 1_usize..9,
    ) {
        let crop = RectPx::new(10, 20, 30, 25);
        let mut found = Positions { cols, rows, counts: vec![0; cols * rows], outside: 0 };
        found.count(RectPx::new(x, y, 1, 1), crop);
        prop_assert_eq!(found.counts.iter().sum::<u64>() + found.outside, 1);
        let is_inside = (10..40).contains(&x) && (20..45).contains(&y);
        prop_assert_eq!(found.outside == 0, is_inside);
    }
}

/// The sums over all parts come from an index alone, and nothing is sorted for them.
#[test]
fn sums_are_read_from_an_index() {
    let dir = tempfile::tempdir().unwrap();
    Store::create_or_open(dir.path()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let plan = reader.plan(&yield_sql(&Where::new(&PartSearch::default()), BinBy::All));
    assert_eq!(plan, ["SCAN part USING COVERING INDEX part_by_time"]);
    let page = Where::new(&PartSearch { verdict: Some(VerdictWord::Reject), ..Default::default() });
    let sql = format!("SELECT * FROM part {} ORDER BY run_id DESC, number DESC", page.sql());
    let wanted = ["SEARCH part USING INDEX part_by_verdict (verdict=?)"];
    assert_eq!(reader.plan(&sql), wanted, "a page of them needs no sorting");
}
