//! act's desk and hands on a simulated clock: whatever comes in whatever order, however the
//! machine stalls, each part gets one answer, in time wherever the machine was given the time,
//! and the sum of parts holds at every moment.

#![allow(clippy::cast_possible_truncation)]
#![allow(clippy::unwrap_used)]

mod parts;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::{
    AnsweredBy, Event, GateSignal, MonoTime, Outcome, PartId, PlcAnswer, Stage, Verdict, Why,
};
use proptest::prelude::*;
use sightline_pipeline::act::desk::{Desk, Order};
use sightline_pipeline::act::hands::Hands;
use sightline_pipeline::act::{Inspected, Notice};
use sightline_pipeline::link::{LinkReceiver, WhenFull, link};
use sightline_pipeline::plc::{Plc, PlcStatus, Telling};
use sightline_pipeline::stage::Counters;

use parts::Dice;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A part is located; its notice goes into the link.
    Locate,
    /// The part located so many parts ago is inspected; it may have been before.
    Inspect { ago: usize, bad: bool },
    /// Its inspection is lost.
    Lose { ago: usize },
    /// The inspection of a part that never was.
    Unknown,
    /// act takes the oldest notice.
    TakeNotice,
    /// Part and picture don't go together; no inspection will come.
    Unseen,
    /// Time goes on by microseconds, and act is woken when it asked to be.
    Pass(u64),
    /// The machine stalls: time goes on and act is not woken.
    Stall(u64),
    /// act looks; maybe nothing has changed.
    Tick,
    /// record takes what there is.
    Record,
}

/// The parts that were located within this of each other are remembered by the world.
const REMEMBERED: usize = 64;

#[derive(Default)]
struct Told {
    /// How often each part was told; only of the last ones.
    answers: VecDeque<(PartId, u8)>,
    first: u64,
    total: u64,
    failed: Option<String>,
}

/// A PLC that checks what it is told.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<Told>>);

impl Plc for Gate {
    fn tell(&mut self, telling: &Telling) -> PlcAnswer {
        let mut told = self.0.lock().unwrap();
        told.total += 1;
        let index = (telling.part.0 - told.first) as usize;
        match told.answers.get_mut(index) {
            Some((part, answers)) if *part == telling.part => {
                *answers += 1;
                if *answers != 1 {
                    told.failed = Some(format!("{} was answered twice", telling.part));
                }
            }
            _ => told.failed = Some(format!("{} was never located", telling.part)),
        }
        let by_fail_safe = telling.answered_by == AnsweredBy::FailSafe;
        if by_fail_safe != matches!(telling.verdict, Verdict::Undecided { .. })
            || (telling.signal == GateSignal::Pass) != (telling.verdict == Verdict::Pass)
        {
            told.failed = Some(format!("{telling:?}"));
        }
        PlcAnswer::Taken
    }

    fn gate(&mut self, _: bool) -> PlcAnswer {
        PlcAnswer::Taken
    }

    fn status(&mut self, _: &PlcStatus) {}
}

struct World {
    desk: Desk,
    hands: Hands,
    gate: Gate,
    counters: Arc<Counters>,
    outcomes: LinkReceiver<Outcome>,
    notices: VecDeque<Notice>,
    now: MonoTime,
    /// When act was last given time.
    looked: MonoTime,
    located: u64,
    /// Parts that act has not finished with: number, due, whether act was awake at its due time.
    remembered: VecDeque<(PartId, MonoTime)>,
    recorded: u64,
    late_recorded: u64,
    out_of_time: u64,
}

impl World {
    fn new() -> Self {
        let gate = Gate::default();
        let counters = Arc::new(Counters::default());
        let (to_record, outcomes) = link(16, WhenFull::DropOldest);
        gate.0.lock().unwrap().first = 1;
        Self {
            desk: Desk::new("test".into(), true, None),
            hands: Hands::new(Box::new(gate.clone()), to_record, Arc::clone(&counters), true),
            gate,
            counters,
            outcomes,
            notices: VecDeque::new(),
            now: MonoTime::ZERO,
            looked: MonoTime::ZERO,
            located: 0,
            remembered: VecDeque::new(),
            recorded: 0,
            late_recorded: 0,
            out_of_time: 0,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Locate => self.locate(None),
            Step::Unseen => self.locate(Some(Why::NoPicture { cause: "gone".into() })),
            Step::Inspect { ago, bad } => {
                if let Some(part) = self.ago(ago) {
                    let verdict = if bad { parts::bad() } else { Verdict::Pass };
                    self.inspected(parts::inspection(part.0, verdict));
                }
            }
            Step::Lose { ago } => {
                if let Some(part) = self.ago(ago) {
                    let why = Why::StageFailed { stage: Stage::Infer };
                    self.inspected(Inspected::Lost(part, why));
                }
            }
            Step::Unknown => self.inspected(parts::inspection(u64::MAX, Verdict::Pass)),
            Step::TakeNotice => {
                if let Some(notice) = self.notices.pop_front() {
                    self.desk.notice(notice, self.now);
                }
            }
            Step::Pass(us) => self.pass(Duration::from_micros(us)),
            Step::Stall(us) => self.now = self.now.plus(Duration::from_micros(us)),
            Step::Tick => self.desk.tick(self.now),
            Step::Record => self.record(),
        }
        if !matches!(step, Step::Stall(_) | Step::Locate | Step::Unseen | Step::Record) {
            self.carry_out();
        }
    }

    fn locate(&mut self, unseen: Option<Why>) {
        // The link of notices holds so many, and locate waits.
        if self.notices.len() >= 32 {
            let notice = self.notices.pop_front().unwrap();
            self.desk.notice(notice, self.now);
        }
        self.located += 1;
        let mut notice = parts::notice_at(self.located, self.now);
        notice.unseen = unseen;
        let part = notice.expected.part;
        self.counters.triggered();
        self.gate.0.lock().unwrap().answers.push_back((part, 0));
        self.remembered.push_back((part, notice.expected.due));
        self.notices.push_back(notice);
        self.forget();
    }

    /// A part so old that it must have been answered is looked at for the last time.
    fn forget(&mut self) {
        while self.remembered.len() > REMEMBERED {
            let due = self.remembered[0].1;
            if due >= self.looked || self.notices.len() >= self.remembered.len() {
                // Not yet due, or act was not given the time since.
                self.pass(due.since(self.now));
                self.desk.tick(self.now);
                while let Some(notice) = self.notices.pop_front() {
                    self.desk.notice(notice, self.now);
                }
                self.carry_out();
            }
            let (part, due) = self.remembered.pop_front().unwrap();
            let mut told = self.gate.0.lock().unwrap();
            let (answered, times) = told.answers.pop_front().unwrap();
            told.first += 1;
            assert_eq!((answered, times), (part, 1), "due at {due:?}, now {:?}", self.now);
        }
    }

    fn ago(&self, ago: usize) -> Option<PartId> {
        let index = self.remembered.len().checked_sub(ago + 1)?;
        Some(self.remembered[index].0)
    }

    fn inspected(&mut self, item: Inspected) {
        let notices = &mut self.notices;
        self.desk.inspected(item, std::iter::from_fn(|| notices.pop_front()), self.now);
    }

    /// Time goes on, and act is woken at every moment at which it wants to be.
    fn pass(&mut self, by: Duration) {
        let until = self.now.plus(by);
        while let Some(wake) = self.desk.next_wake(self.now).filter(|wake| *wake <= until) {
            self.now = self.now.max(wake);
            self.desk.tick(self.now);
            self.carry_out();
        }
        self.now = until;
    }

    /// What act does in each turn.
    fn carry_out(&mut self) {
        self.looked = self.now;
        self.desk.tick(self.now);
        self.hands.carry_out(&mut self.desk);
        if let Some(failed) = &self.gate.0.lock().unwrap().failed {
            panic!("{failed}");
        }
        let sum = self.counters.parts();
        // What still lies in the link to act is in the line too.
        assert!(sum.holds(), "{sum:?}");
        assert_eq!(sum.in_line, (self.desk.owed() + self.notices.len()) as u64, "{sum:?}");
        // Whatever is still owed is not due yet.
        if let Some(due) = self.desk.next_wake(self.now) {
            assert!(due > self.now, "due at {due:?} and still owed at {:?}", self.now);
        }
    }

    fn record(&mut self) {
        while let Some(outcome) = self.outcomes.try_recv() {
            self.recorded += 1;
            match outcome {
                Outcome::Acted(acted) => {
                    let in_time = acted.told_at < acted.due;
                    let by_inspection = acted.answered_by == AnsweredBy::Inspection;
                    assert!(in_time || !by_inspection, "told at {:?}", acted.told_at);
                    self.out_of_time += u64::from(acted.told_at > acted.due);
                }
                Outcome::Late(_) => self.late_recorded += 1,
            }
        }
    }

    /// All is drained, and the books are compared.
    fn end(mut self) -> (u64, u64) {
        while let Some(notice) = self.notices.pop_front() {
            self.desk.notice(notice, self.now);
        }
        self.desk.end(self.now);
        self.carry_out();
        self.record();
        let told = self.gate.0.lock().unwrap();
        assert!(told.answers.iter().all(|(_, times)| *times == 1), "all are answered");
        assert_eq!(told.total, self.located);
        let sum = self.counters.parts();
        assert!(sum.is_closed() && sum.triggered == self.located, "{sum:?}");
        let events = self.counters.events();
        let count = |name| events.get(name).copied().unwrap_or(0);
        let late = count("late_inspection");
        assert_eq!(self.recorded + count("not_recorded"), self.located + late, "{events:?}");
        assert!(self.late_recorded <= late);
        assert_eq!(self.counters.deadline_misses(), count("deadline_missed"));
        (self.located, late)
    }
}

fn dice_step(dice: &mut Dice) -> Step {
    match dice.below(1000) {
        0..280 => Step::Locate,
        280..560 => Step::Inspect { ago: dice.below(24) as usize, bad: dice.one_in(20) },
        560..700 => Step::TakeNotice,
        700..860 => Step::Pass(dice.below(4000)),
        860..900 => Step::Tick,
        900..960 => Step::Record,
        960..980 => Step::Lose { ago: dice.below(24) as usize },
        980..990 => Step::Unseen,
        990..992 => Step::Unknown,
        992..998 => Step::Stall(dice.below(60_000)),
        // A jump by up to ten seconds, as of a machine that slept.
        _ => Step::Stall(dice.below(10_000_000)),
    }
}

/// Ten million parts in four worlds, on two threads.
#[test]
fn ten_million_parts_get_one_answer_each() {
    const PARTS: u64 = 2_500_001;
    let world = |seed| {
        move || {
            let (mut world, mut dice) = (World::new(), Dice(seed));
            while world.located < PARTS {
                world.step(dice_step(&mut dice));
            }
            world.end()
        }
    };
    let mut total = (0, 0);
    for pair in [[1, 2], [3, 4]] {
        let threads = pair.map(|seed| {
            std::thread::Builder::new().name(format!("world-{seed}")).spawn(world(seed)).unwrap()
        });
        for thread in threads {
            let (parts, late) = thread.join().unwrap();
            total = (total.0 + parts, total.1 + late);
        }
    }
    assert!(total.0 >= 10_000_000, "{total:?}");
    assert!(total.1 > 10_000, "late inspections were tried: {total:?}");
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Locate),
        4 => (0_usize..8, any::<bool>()).prop_map(|(ago, bad)| Step::Inspect { ago, bad }),
        2 => Just(Step::TakeNotice),
        1 => (0_usize..8).prop_map(|ago| Step::Lose { ago }),
        1 => Just(Step::Unseen),
        1 => Just(Step::Unknown),
        3 => (0_u64..30_000).prop_map(Step::Pass),
        1 => (0_u64..200_000).prop_map(Step::Stall),
        1 => Just(Step::Tick),
        1 => Just(Step::Record),
    ]
}

proptest! {
    /// The same, small enough to be shrunk.
    #[test]
    fn every_part_gets_one_answer(steps in prop::collection::vec(any_step(), 0..200)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.end();
    }

    /// Given the time, act answers each part at its deadline, to the nanosecond.
    #[test]
    fn given_the_time_nobody_is_answered_after_the_deadline(
        steps in prop::collection::vec(any_step(), 0..200)
    ) {
        let mut world = World::new();
        for step in steps.into_iter().filter(|step| !matches!(step, Step::Stall(_))) {
            world.step(step);
            // A notice is at act long before its part is due.
            world.step(Step::TakeNotice);
            world.record();
        }
        prop_assert_eq!(world.out_of_time, 0);
        world.end();
    }
}

#[test]
fn an_inspection_that_comes_with_the_deadline_is_late() {
    for (at, late) in [(49_999_999, false), (50_000_000, true)] {
        let mut desk = Desk::new("test".into(), true, None);
        desk.notice(parts::notice_at(1, MonoTime::ZERO), MonoTime::ZERO);
        let item = parts::inspection(1, Verdict::Pass);
        desk.inspected(item, std::iter::empty(), MonoTime::from_ns(at));
        let orders: Vec<_> = std::iter::from_fn(|| desk.next_order()).collect();
        let is_late = |order: &Order| {
            matches!(order, Order::Event(Event::LateInspection { .. }) | Order::Late(_))
        };
        assert_eq!(orders.iter().filter(|order| is_late(order)).count(), 2 * usize::from(late));
    }
}
