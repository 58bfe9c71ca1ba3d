//! The threads around act in every order that matters: locate, two inspecting threads and act, as
//! in the line, on links that close in any order. Every part is answered exactly once, and no
//! inspection is mistaken for one that nobody expected.

#![allow(clippy::unwrap_used)]

mod parts;

use std::collections::BTreeMap;

use domain::{AnsweredBy, MonoTime, Stage, Verdict, Why};
use shuttle::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use shuttle::sync::{Arc, Mutex};
use shuttle::thread;
use sightline_pipeline::act::desk::{Desk, Order};
use sightline_pipeline::act::{Inspected, Notice};

const PARTS: u64 = 4;

/// Each part is announced before it is handed on.
fn locate(due: &SyncSender<Notice>, jobs: &SyncSender<u64>) {
    for part in 1..=PARTS {
        if due.send(parts::notice_at(part, MonoTime::ZERO)).is_err() {
            return;
        }
        let _ = jobs.send(part);
    }
}

/// Inspects until there is no more, or dies over the part `dies_over`.
fn inspect(jobs: &Mutex<Receiver<u64>>, to_act: &SyncSender<Inspected>, dies_over: u64) {
    loop {
        let Ok(part) = jobs.lock().unwrap().recv() else { return };
        let item = match part {
            part if part == dies_over => return,
            3 => Inspected::Lost(domain::PartId(3), Why::StageFailed { stage: Stage::Infer }),
            part => parts::inspection(part, Verdict::Pass),
        };
        if to_act.send(item).is_err() {
            return;
        }
    }
}

/// Who answered each part, in order.
type Answers = BTreeMap<u64, Vec<AnsweredBy>>;

/// act's loop as it is in the line, polling where that one waits for two links at once.
fn act(notices: &Receiver<Notice>, inspected: &Receiver<Inspected>) -> Answers {
    let (mut desk, mut answers) = (Desk::new("test".into(), true, None), Answers::new());
    let (mut notices_open, mut inspected_open) = (true, true);
    while notices_open || inspected_open {
        match notices.try_recv() {
            Ok(notice) => desk.notice(notice, MonoTime::ZERO),
            Err(TryRecvError::Disconnected) => notices_open = false,
            Err(TryRecvError::Empty) => {}
        }
        // Between these two, a notice may be sent and its part be inspected.
        match inspected.try_recv() {
            Ok(item) => {
                let earlier = std::iter::from_fn(|| notices.try_recv().ok());
                desk.inspected(item, earlier, MonoTime::ZERO);
            }
            Err(TryRecvError::Disconnected) => {
                inspected_open = false;
                desk.close(MonoTime::ZERO);
            }
            Err(TryRecvError::Empty) => {}
        }
        while let Some(order) = desk.next_order() {
            if let Order::Tell(answer) = order {
                let part = answer.inspection.part.0;
                answers.entry(part).or_default().push(answer.answered_by);
            }
        }
        thread::yield_now();
    }
    answers
}

fn line(dies_over: u64) -> Answers {
    let (due, notices) = sync_channel(8);
    let (to_inspect, jobs) = sync_channel(8);
    let (to_act, inspected) = sync_channel(2);
    let jobs = Arc::new(Mutex::new(jobs));
    let head = thread::spawn(move || locate(&due, &to_inspect));
    let inspectors = [0, 1].map(|_| {
        let (jobs, to_act) = (Arc::clone(&jobs), to_act.clone());
        thread::spawn(move || inspect(&jobs, &to_act, dies_over))
    });
    drop((jobs, to_act));
    let answers = act(&notices, &inspected);
    head.join().unwrap();
    inspectors.into_iter().for_each(|inspector| inspector.join().unwrap());
    answers
}

fn each_once(answers: &Answers) {
    assert_eq!(answers.keys().copied().collect::<Vec<_>>(), (1..=PARTS).collect::<Vec<_>>());
    assert!(answers.values().all(|given| given.len() == 1), "{answers:?}");
}

#[test]
fn an_inspection_never_overtakes_its_notice() {
    let check = || {
        let answers = line(0);
        each_once(&answers);
        for (part, given) in &answers {
            let lost = *part == 3;
            let by = if lost { AnsweredBy::FailSafe } else { AnsweredBy::Inspection };
            assert_eq!(given, &[by], "part {part}");
        }
    };
    shuttle::check_random(check, 3000);
    shuttle::check_pct(check, 3000, 3);
}

#[test]
fn when_inspecting_threads_die_every_part_is_answered_once() {
    shuttle::check_random(|| each_once(&line(2)), 2000);
    shuttle::check_pct(|| each_once(&line(1)), 2000, 3);
}
