//! One fault at a time: every part is answered exactly once, and the line recovers.

use domain::{AnsweredBy, GateSignal, Stage, Verdict, Why};

use super::setup::{Trap, grey, scratched, start};

/// No part of these tests is late on a loaded machine, unless it is meant to be.
const AMPLE_MS: u32 = 50_000;

#[test]
fn good_parts_pass_and_bad_ones_are_rejected() {
    let bench = start(AMPLE_MS);
    bench.shoot(grey(128));
    bench.shoot(scratched());
    let answers = bench.answers(2);
    assert_eq!((answers[0].signal, answers[1].signal), (GateSignal::Pass, GateSignal::Reject));
    assert!(matches!(answers[1].verdict, Verdict::Reject { .. }));
    let (summary, ..) = bench.end();
    assert_eq!((summary.snapshot.recorded, summary.failed), (2, vec![]));
}

#[test]
fn a_part_that_makes_inspecting_panic_is_undecided_and_the_session_is_replaced() {
    let bench = start(AMPLE_MS);
    for _ in 0..3 {
        bench.shoot(Trap(grey(128), || panic!("a trap in a picture")));
    }
    let answers = bench.answers(3);
    for answer in &answers {
        let why = Why::StageFailed { stage: Stage::Infer };
        assert_eq!(answer.verdict, Verdict::Undecided { why });
        assert_eq!((answer.signal, answer.answered_by), (GateSignal::Reject, AnsweredBy::FailSafe));
    }
    bench.until_a_part_passes();
    let (summary, ..) = bench.end();
    assert!(summary.events["stage_restarted"] >= 1, "{:?}", summary.events);
}
