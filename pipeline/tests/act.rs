//! act: exactly one answer a part, the gate before the books, the fail-safe when nothing comes.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use domain::{
    AnsweredBy, CaptureTime, CheckedRecipe, Expected, GateSignal, Inspection, MonoTime, Outcome,
    PartCondition, PartId, PlcAnswer, Provenance, Recipe, Stage, StageTimes, Verdict, Why,
};
use sightline_pipeline::act::{Act, Inspected, Notice, Pace};
use sightline_pipeline::clock::{Clock, RealClock};
use sightline_pipeline::link::{LinkReceiver, LinkSender, WhenFull, link};
use sightline_pipeline::plc::{Plc, PlcStatus, Telling};
use sightline_pipeline::stage::Counters;

/// A gate that remembers what it heard, and panics over part 13.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<Vec<(PartId, GateSignal)>>>, Arc<AtomicU64>);

impl Plc for Gate {
    fn tell(&mut self, telling: &Telling) -> PlcAnswer {
        self.0.lock().unwrap().push((telling.part, telling.signal));
        assert!(telling.part != PartId(13), "thirteen");
        PlcAnswer::Taken
    }

    fn gate(&mut self, _: bool) -> PlcAnswer {
        PlcAnswer::Taken
    }

    fn status(&mut self, status: &PlcStatus) {
        self.1.store(1 + status.parts.undecided, Ordering::Release);
    }
}

struct Bench {
    gate: Gate,
    notices: LinkSender<Notice>,
    inspected: LinkSender<Inspected>,
    outcomes: LinkReceiver<Outcome>,
    counters: Arc<Counters>,
    thread: std::thread::JoinHandle<()>,
}

fn bench(pace: Pace) -> Bench {
    bench_with(pace, link(256, WhenFull::Wait))
}

fn bench_with(
    pace: Pace,
    (to_record, outcomes): (LinkSender<Outcome>, LinkReceiver<Outcome>),
) -> Bench {
    let gate = Gate::default();
    let counters = Arc::new(Counters::default());
    let (notices, from_locate) = link(64, WhenFull::Wait);
    let (inspected, from_inspectors) = link(64, WhenFull::Wait);
    let act = Act {
        pulse: Arc::default(),
        pace,
        plc: Box::new(gate.clone()),
        software: "test".into(),
        is_simulated: true,
        field: None,
        reject: None,
        outcomes: to_record,
        counters: Arc::clone(&counters),
    };
    let run = move || {
        act.run(&from_locate, &from_inspectors);
    };
    let thread = std::thread::Builder::new().name("act".into()).spawn(run).unwrap();
    Bench { gate, notices, inspected, outcomes, counters, thread }
}

fn recipe() -> Arc<CheckedRecipe> {
    let text = "name='x'\nmodel='m'\nlocate={kind='every-frame'}\nlimits={reject_at=0.5}";
    Arc::new(toml::from_str::<Recipe>(text).unwrap().check().unwrap())
}

fn notice(part: u64, at_ms: u64) -> Notice {
    let mono = MonoTime::from_ns(at_ms * 1_000_000);
    let recipe = recipe();
    let expected = Expected {
        part: PartId(part),
        due: mono.plus(recipe.budget()),
        recipe,
        triggered_at: CaptureTime { mono, ..CaptureTime::default() },
        views: vec![],
        condition: PartCondition::Whole,
    };
    Notice { expected, located_at: mono, unseen: None }
}

fn pass(part: u64) -> Inspected {
    Inspected::Done(Box::new(Inspection {
        part: PartId(part),
        triggered_at: CaptureTime::default(),
        verdict: Verdict::Pass,
        score: 0.0,
        condition: PartCondition::Whole,
        motion: None,
        classes: vec![],
        defects: vec![],
        views: vec![],
        provenance: Provenance {
            recipe: recipe().hash(),
            model: None,
            calibration: None,
            software: "test".into(),
            is_simulated: true,
        },
        heatmaps: vec![],
        pictures: vec![],
        times: StageTimes::default(),
    }))
}

fn acted(outcome: Outcome) -> domain::ActedInspection {
    match outcome {
        Outcome::Acted(acted) => *acted,
        Outcome::Late(late) => panic!("{} is late", late.part),
    }
}

#[test]
fn on_footage_parts_are_answered_in_order_whatever_order_inspections_come_in() {
    let bench = bench(Pace::Footage);
    for part in [3, 1, 4, 2] {
        bench.inspected.send(pass(part)).unwrap();
    }
    for part in 1..=4 {
        bench.notices.send(notice(part, part * 10)).unwrap();
    }
    drop((bench.notices, bench.inspected));
    bench.thread.join().unwrap();
    let parts: Vec<u64> =
        (0..4).map(|_| acted(bench.outcomes.recv().unwrap()).inspection.part.0).collect();
    assert_eq!(parts, [1, 2, 3, 4]);
    assert!(bench.outcomes.recv().is_err(), "no more than one answer a part");
}

#[test]
fn a_part_whose_inspection_is_lost_is_rejected_by_the_fail_safe() {
    let bench = bench(Pace::Footage);
    bench.notices.send(notice(1, 0)).unwrap();
    bench.notices.send(notice(2, 5)).unwrap();
    bench.inspected.send(pass(2)).unwrap();
    bench
        .inspected
        .send(Inspected::Lost(PartId(1), Why::StageFailed { stage: Stage::Infer }))
        .unwrap();
    let first = acted(bench.outcomes.recv().unwrap());
    assert_eq!((first.inspection.part, first.gate), (PartId(1), GateSignal::Reject));
    assert_eq!(first.answered_by, AnsweredBy::FailSafe);
    assert_eq!(acted(bench.outcomes.recv().unwrap()).gate, GateSignal::Pass);
    drop((bench.notices, bench.inspected));
    bench.thread.join().unwrap();
}

#[test]
fn without_inspecting_threads_every_part_still_gets_its_answer() {
    for pace in [Pace::Footage, Pace::Machine(Arc::new(RealClock::start()))] {
        let bench = bench(pace);
        for part in 1..=5 {
            bench.notices.send(notice(part, 1_000_000_000)).unwrap();
        }
        drop((bench.inspected, bench.notices));
        bench.thread.join().unwrap();
        for part in 1..=5 {
            let answer = acted(bench.outcomes.recv().unwrap());
            assert_eq!((answer.inspection.part, answer.gate), (PartId(part), GateSignal::Reject));
        }
        assert_eq!(bench.gate.0.lock().unwrap().len(), 5);
        let parts = bench.counters.snapshot().parts;
        assert_eq!((parts.undecided, parts.in_line), (5, 0));
    }
}

#[test]
fn the_gate_has_heard_before_anything_is_recorded() {
    let bench = bench(Pace::Footage);
    for part in 1..=20 {
        bench.notices.send(notice(part, part)).unwrap();
        bench.inspected.send(pass(part)).unwrap();
        let recorded = acted(bench.outcomes.recv().unwrap()).inspection.part;
        let heard = bench.gate.0.lock().unwrap().iter().any(|(heard, _)| *heard == recorded);
        assert!(heard, "{recorded} was recorded before the gate heard");
    }
    drop((bench.notices, bench.inspected));
    bench.thread.join().unwrap();
}

#[test]
fn the_gate_goes_on_being_told_when_record_is_gone() {
    let bench = bench(Pace::Footage);
    drop(bench.outcomes);
    for part in 1..=3 {
        bench.notices.send(notice(part, part)).unwrap();
        bench.inspected.send(pass(part)).unwrap();
    }
    drop((bench.notices, bench.inspected));
    bench.thread.join().unwrap();
    assert_eq!(bench.gate.0.lock().unwrap().len(), 3);
    assert!(bench.counters.asked_to_stop(), "the head of the line is asked to stop");
}

/// The inspection is sent only after the fail-safe's answer was seen, so the order is certain.
#[test]
fn on_a_live_line_the_fail_safe_answers_and_a_late_inspection_changes_nothing() {
    let bench = bench(Pace::Machine(Arc::new(RealClock::start())));
    bench.notices.send(notice(1, 0)).unwrap();
    let answer = acted(bench.outcomes.recv().unwrap());
    assert_eq!(answer.answered_by, AnsweredBy::FailSafe);
    assert_eq!(answer.inspection.verdict, Verdict::Undecided { why: Why::Deadline });
    bench.inspected.send(pass(1)).unwrap();
    match bench.outcomes.recv().unwrap() {
        Outcome::Late(late) => assert_eq!(late.part, PartId(1)),
        Outcome::Acted(acted) => panic!("{} was answered twice", acted.inspection.part),
    }
    drop((bench.notices, bench.inspected));
    bench.thread.join().unwrap();
    assert_eq!(*bench.gate.0.lock().unwrap(), [(PartId(1), GateSignal::Reject)]);
    assert_eq!(bench.counters.events().get("late_inspection"), Some(&1));
}

/// A panic is caught where it happens, so the part it happens over has its one answer too.
#[test]
fn a_plc_that_panics_costs_no_part_its_answer() {
    let bench = bench(Pace::Machine(Arc::new(RealClock::start())));
    for part in 12..=14 {
        bench.notices.send(notice(part, 1_000_000_000)).unwrap();
        bench.inspected.send(pass(part)).unwrap();
        let answer = acted(bench.outcomes.recv().unwrap());
        assert_eq!(answer.inspection.part, PartId(part));
        assert_eq!(matches!(answer.plc, PlcAnswer::Failed { .. }), part == 13, "{:?}", answer.plc);
    }
    drop((bench.notices, bench.inspected));
    bench.thread.join().unwrap();
    assert!(bench.outcomes.recv().is_err(), "no more than one answer a part");
    let events = bench.counters.events();
    assert_eq!((events["stage_failed"], events["stage_restarted"]), (1, 1));
}

/// A clock that panics now and then: every turn of act's loop may fail.
struct LooseClock(RealClock, AtomicU64);

impl Clock for LooseClock {
    fn now(&self) -> MonoTime {
        assert!(self.1.fetch_add(1, Ordering::AcqRel) % 5 != 4, "loose contact");
        self.0.now()
    }

    fn wall(&self) -> domain::WallTime {
        self.0.wall()
    }
}

#[test]
fn a_turn_that_fails_loses_no_part() {
    let clock = LooseClock(RealClock::start(), AtomicU64::new(0));
    let bench = bench(Pace::Machine(Arc::new(clock)));
    for part in 20..60 {
        bench.notices.send(notice(part, 0)).unwrap();
    }
    drop((bench.notices, bench.inspected));
    bench.thread.join().unwrap();
    let heard: Vec<u64> = bench.gate.0.lock().unwrap().iter().map(|(part, _)| part.0).collect();
    assert_eq!(heard, (20..60).collect::<Vec<_>>());
    assert!(bench.counters.events()["stage_failed"] >= 1);
}

#[test]
fn a_live_line_never_waits_for_record() {
    let clock = Pace::Machine(Arc::new(RealClock::start()));
    let bench = bench_with(clock, link(2, WhenFull::DropOldest));
    for part in 20..60 {
        bench.notices.send(notice(part, 0)).unwrap();
    }
    drop((bench.notices, bench.inspected));
    bench.thread.join().unwrap();
    assert_eq!(bench.gate.0.lock().unwrap().len(), 40, "nobody records, and the gate hears all");
    assert_eq!(bench.counters.events()["not_recorded"], 38);
}

#[test]
fn the_plc_is_shown_that_the_line_is_alive() {
    let bench = bench(Pace::Machine(Arc::new(RealClock::start())));
    let mut unseen = notice(20, 1_000_000_000);
    unseen.unseen = Some(Why::NoPicture { cause: "gone".into() });
    bench.notices.send(unseen).unwrap();
    let answer = acted(bench.outcomes.recv().unwrap());
    assert!(matches!(answer.inspection.verdict, Verdict::Undecided { why: Why::NoPicture { .. } }));
    // Not at its deadline, which is far away.
    assert!(answer.told_at < answer.due);
    while bench.gate.1.load(Ordering::Acquire) != 2 {
        std::thread::yield_now();
    }
    drop((bench.notices, bench.inspected));
    bench.thread.join().unwrap();
}
