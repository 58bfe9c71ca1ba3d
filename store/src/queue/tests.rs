//! Parts of every kind, and in which order they are asked about.

use domain::{
    AnsweredBy, Inspection, Judgement, Label, Outcome, PersonId, Role, Sha256, Verdict, WallTime,
};
use tempfile::TempDir;

use super::*;
use crate::{NewLabel, Store, Writer, example};

fn part(number: u64, verdict: Verdict, kind: &str, score: f32) -> Inspection {
    let mut inspection = example::inspection(number, verdict);
    inspection.defects[0].kind = kind.into();
    inspection.defects[0].score = example::score(score);
    inspection
}

/// Rejected for a scratch of that score; the limit is 0.6.
fn rejected(score: f32) -> Verdict {
    let Verdict::Reject { mut reasons } = example::reject() else { unreachable!() };
    reasons[0].score = example::score(score);
    Verdict::Reject { reasons }
}

fn near() -> Verdict {
    example::verdicts().swap_remove(2)
}

struct Station {
    dir: TempDir,
    store: Store,
    writer: Writer,
}

impl Station {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(dir.path()).unwrap();
        let mut writer = store.start_run(&example::START).unwrap();
        writer.keep_recipe(&example::recipe()).unwrap();
        Self { dir, store, writer }
    }

    fn record(&mut self, inspection: Inspection, is_kept: bool) {
        let acted = example::acted(inspection, AnsweredBy::Inspection);
        self.writer.record(&Outcome::Acted(Box::new(acted)), &mut |_| is_kept).unwrap();
    }

    fn label(&mut self, part: u64, judgement: Judgement) {
        self.label_as("p-ann", part, &Label::unmarked(judgement, false));
    }

    fn label_as(&mut self, by: &str, part: u64, label: &Label) {
        self.writer.flush().unwrap();
        let by = PersonId::new(by);
        let (role, at) = (Role::Operator, WallTime { unix_ns: 5 });
        let key = PartKey { run: 1, part: domain::PartId(part) };
        let new = NewLabel { key, at, by: &by, role, label, is_second: false };
        self.store.labels().unwrap().add(&new).unwrap();
    }

    fn queue(&mut self, ask: &QueueAsk) -> Vec<QueueItem> {
        self.writer.flush().unwrap();
        Reader::open(self.dir.path()).unwrap().label_queue(ask).unwrap()
    }
}

const NO_CONTROL: QueueAsk = QueueAsk { run: None, control: 0.0, limit: 100 };

fn numbers(items: &[QueueItem]) -> Vec<u64> {
    items.iter().map(|item| item.key.part.0).collect()
}

/// One of each kind: the limits are 0.6 to reject and 0.35 to be undecided.
fn one_of_each() -> Station {
    let mut station = Station::new();
    station.record(part(1, Verdict::Pass, "scratch", 0.31), true);
    station.record(part(2, Verdict::Pass, "scratch", 0.31), false);
    station.record(part(3, near(), "scratch", 0.5), false);
    station.record(part(4, example::reject(), "scratch", 0.9), false);
    station.record(part(5, Verdict::Pass, "scratch", 0.05), true);
    station.record(part(6, rejected(0.62), "scratch", 0.62), false);
    station.writer.record(&example::deadline(7), &mut |_| true).unwrap();
    station
}

#[test]
fn what_is_most_worth_asking_about_comes_first() {
    let mut station = one_of_each();
    let items = station.queue(&NO_CONTROL);
    // 2 and 7 have no picture, 5 has nothing to it.
    assert_eq!(numbers(&items), [3, 6, 1, 4]);
    assert!(matches!(items[0].why, WhyAsked::Undecided { late: None, .. }));
    assert_eq!(items[1].why.to_string(), "scratch 0.62, limit 0.60");
    assert_eq!(items[2].why.to_string(), "scratch 0.31, limit 0.35");
    assert!(matches!(&items[3].why, WhyAsked::Rejected { reason } if &*reason.kind == "scratch"));
    assert_eq!(numbers(&station.queue(&QueueAsk { limit: 2, ..NO_CONTROL })), [3, 6]);
    let other_run = QueueAsk { run: Some(RunId(9)), ..NO_CONTROL };
    assert!(station.queue(&other_run).is_empty());
    assert_eq!(station.queue(&QueueAsk { run: Some(RunId(1)), ..NO_CONTROL }), items);
    let json = serde_json::to_value(&items[1]).unwrap();
    assert_eq!(json["why"]["asked"], "near_limit");
}

#[test]
fn the_score_that_decided_is_near_its_limit_not_any() {
    let mut station = Station::new();
    // Rejected for 0.99; what else was found on it is near its limits.
    let mut clear = part(1, rejected(0.99), "scratch", 0.99);
    for score in [0.61, 0.34] {
        let second = domain::Defect { score: example::score(score), ..clear.defects[0].clone() };
        clear.defects.push(second);
    }
    station.record(clear, false);
    // Of two reasons the one that is farther above its limit decides.
    let Verdict::Reject { reasons: mut two } = rejected(0.65) else { unreachable!() };
    two.push(Reason { kind: "dent".into(), ..two[0].clone() });
    two[1].limit = example::score(0.2);
    station.record(part(2, Verdict::Reject { reasons: two }, "scratch", 0.65), false);
    // Of what passed, the one that would first have left it undecided.
    let mut passed = part(3, Verdict::Pass, "scratch", 0.05);
    let second = domain::Defect { score: example::score(0.33), ..passed.defects[0].clone() };
    passed.defects.push(second);
    station.record(passed, true);
    let items = station.queue(&NO_CONTROL);
    assert_eq!(numbers(&items), [3, 1, 2]);
    assert_eq!(items[0].why.to_string(), "scratch 0.33, limit 0.35");
    assert!(matches!(items[1].why, WhyAsked::Rejected { .. }), "{}", items[1].why);
    assert!(matches!(items[2].why, WhyAsked::Rejected { .. }), "{}", items[2].why);
}

#[test]
fn what_label_and_model_say_different_things_of_is_asked_once_more() {
    let mut station = one_of_each();
    station.label(1, Judgement::Good);
    station.label(4, Judgement::Good);
    station.label_as("p-ann", 5, &bad("dent"));
    station.label_as("p-ann", 6, &bad("dent"));
    let items = station.queue(&NO_CONTROL);
    // On 1 they agree; 3 is undecided, so the model has said nothing.
    assert_eq!(numbers(&items), [3, 6, 5, 4]);
    let whys: Vec<String> = items[1..].iter().map(|item| item.why.to_string()).collect();
    let wanted = [
        "the model says scratch, the label says dent",
        "the model says good, the label says dent",
        "the model says scratch, the label says good",
    ];
    assert_eq!(whys, wanted);
    let json = serde_json::to_value(&items[3].why).unwrap();
    let wanted = r#"{"asked":"label_differs","label":null,"model":"scratch"}"#;
    assert_eq!(json.to_string(), wanted);
    // Who said it stands by it, another says it as well, a third agrees with the model.
    station.label(4, Judgement::Good);
    station.label_as("p-bea", 5, &bad("dent"));
    station.label_as("p-ann", 6, &bad("scratch"));
    assert_eq!(numbers(&station.queue(&NO_CONTROL)), [3]);
    let other_run = QueueAsk { run: Some(RunId(9)), ..NO_CONTROL };
    station.label(2, Judgement::Good);
    assert!(station.queue(&other_run).is_empty());
}

fn bad(class: &str) -> Label {
    let area = domain::RectPx::new(1, 1, 3, 3);
    let (shape, by) = (domain::Shape::Box { area }, domain::MarkedBy::Hand);
    let mark = domain::Mark { class: class.into(), view: 0, shape, by };
    Label { judgement: Judgement::Bad, marks: vec![mark], is_blind: false }
}

#[test]
fn what_was_labelled_is_not_asked_and_what_was_skipped_comes_last() {
    let mut station = one_of_each();
    station.label_as("p-ann", 6, &bad("scratch"));
    station.label(3, Judgement::Skip);
    let items = station.queue(&NO_CONTROL);
    assert_eq!(numbers(&items), [1, 4, 3]);
    assert!(items[2].was_skipped && !items[1].was_skipped);
    station.label(3, Judgement::Doubt);
    assert_eq!(numbers(&station.queue(&NO_CONTROL)), [1, 4]);
}

#[test]
fn a_control_share_of_what_passed_is_asked() {
    let mut station = one_of_each();
    for number in 10..110 {
        station.record(part(number, Verdict::Pass, "scratch", 0.05), true);
    }
    let controls = |station: &mut Station, control| -> Vec<u64> {
        let items = station.queue(&QueueAsk { control, ..NO_CONTROL });
        let is_control = |item: &&QueueItem| matches!(item.why, WhyAsked::Control { .. });
        items.iter().filter(is_control).map(|item| item.key.part.0).collect()
    };
    assert!(controls(&mut station, 0.0).is_empty());
    let some = controls(&mut station, 0.2);
    assert!((5..=45).contains(&some.len()), "{some:?}");
    assert_eq!(controls(&mut station, 0.2), some, "the same for ever");
    let more = controls(&mut station, 0.5);
    assert!(some.iter().all(|number| more.contains(number)));
    // Before what was rejected anyway, after what is near its limit.
    let items = station.queue(&QueueAsk { control: 0.2, ..NO_CONTROL });
    assert_eq!(
        (numbers(&items)[..3].to_vec(), items.last().unwrap().key.part.0),
        (vec![3, 6, 1], 4)
    );
}

#[test]
fn what_looks_like_nothing_else_is_asked() {
    let mut station = Station::new();
    for number in 1..=400 {
        station.record(part(number, Verdict::Pass, "scratch", 0.05), number == 7);
    }
    station.record(part(401, Verdict::Pass, "oil", 0.05), true);
    let items = station.queue(&NO_CONTROL);
    assert_eq!(numbers(&items), [401]);
    assert_eq!(items[0].why, WhyAsked::Rare { alike: 1, of: 401 });
    // What rejects is told apart by its looks as well.
    station.record(part(402, example::reject(), "scratch", 0.05), false);
    station.record(part(403, example::reject(), "hole", 0.95), false);
    assert_eq!(numbers(&station.queue(&NO_CONTROL)), [403, 401, 402]);
}

#[test]
fn what_two_models_say_different_things_of_is_asked() {
    let mut station = Station::new();
    station.record(part(1, Verdict::Pass, "scratch", 0.05), true);
    station.record(part(2, Verdict::Pass, "scratch", 0.05), true);
    station.writer.flush().unwrap();
    let mut again = station.store.start_run(&example::START).unwrap();
    let mut other = |number, verdict, model: &[u8]| {
        let mut inspection = part(number, verdict, "scratch", 0.05);
        inspection.provenance.model = Some(Sha256::of(model));
        let acted = example::acted(inspection, AnsweredBy::Inspection);
        again.record(&Outcome::Acted(Box::new(acted)), &mut |_| false).unwrap();
        again.flush().unwrap();
    };
    other(1, example::reject(), b"other");
    // The same model twice is no second opinion.
    other(2, example::reject(), b"model");
    let ask = QueueAsk { run: Some(RunId(1)), ..NO_CONTROL };
    let items = station.queue(&ask);
    assert_eq!(numbers(&items), [1]);
    let why = WhyAsked::ModelsDiffer { run: RunId(2), said: VerdictWord::Reject };
    assert_eq!(items[0].why, why);
}

#[test]
fn what_came_too_late_says_what_it_would_have_been() {
    let mut station = Station::new();
    station.writer.record(&example::deadline(1), &mut |_| true).unwrap();
    let late = part(1, example::reject(), "scratch", 0.9);
    station.writer.record(&Outcome::Late(Box::new(late)), &mut |_| true).unwrap();
    let items = station.queue(&NO_CONTROL);
    assert_eq!(numbers(&items), [1]);
    let told = "undecided: no inspection before the deadline; later: reject";
    assert_eq!(items[0].why.to_string(), told);
}

/// No query of the queue looks at all rows of a table, however many there are.
#[test]
fn every_query_has_its_index() {
    let mut station = one_of_each();
    station.writer.flush().unwrap();
    let reader = Reader::open(station.dir.path()).unwrap();
    let mut queries = vec![rows::SEEN.to_owned(), differ::SQL.to_owned()];
    for verdict in VerdictWord::ALL {
        queries.extend([None, Some(RunId(1))].map(|run| rows::candidates_sql(verdict, run)));
    }
    for sql in queries {
        let plan = reader.plan(&sql);
        // The few rows of a query inside, and pictures in the order of their key, up to a limit.
        let few = ["SCAN p", "SCAN said", "SCAN pictured", "SCAN image"];
        let scans = plan.iter().filter(|line| line.starts_with("SCAN"));
        for line in scans.filter(|line| !few.contains(&line.as_str())) {
            assert!(line.contains("USING"), "{line}\n{plan:?}\n{sql}");
        }
        assert!(!plan.iter().any(|line| line.contains("FOR DISTINCT")), "{plan:?}");
        assert!(plan.iter().any(|line| line.starts_with("SEARCH")), "{plan:?}\n{sql}");
    }
    let unindexed = reader.plan("SELECT * FROM part WHERE plc = 'taken'");
    assert_eq!(unindexed, ["SCAN part"], "that is how one would look");
}
