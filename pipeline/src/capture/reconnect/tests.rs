//! A camera that does what a test says, and a clock that the test sets: what is told of it.

use std::collections::VecDeque;
use std::sync::Mutex;

use crossbeam_channel::{Receiver, Sender, unbounded};
use domain::{CaptureTime, OwnedPixels};
use proptest::prelude::*;

use super::*;
use crate::clock::SimulatedClock;

/// What a scripted camera does when it is asked for a frame.
#[derive(Clone, Debug)]
enum Step {
    Frame,
    /// One of another size.
    Odd,
    /// Its frames were lost before this one.
    Skip(u64),
    Silent,
    Fails,
    Panics,
    Ends,
}

/// What opening a scripted camera comes to.
#[derive(Clone, Debug)]
enum Opening {
    Gives(Vec<Step>),
    Fails,
    Panics,
    /// Until something comes.
    Hangs(Receiver<()>),
}

fn fault() -> CaptureError {
    CaptureError::Ended { camera: CameraId::new("script") }
}

struct Script {
    steps: VecDeque<Step>,
    sequence: u64,
    info: SourceInfo,
    clock: Arc<SimulatedClock>,
    closed: Sender<()>,
}

impl Script {
    fn frame(&mut self, width: u32) -> Next {
        let size = SizePx::new(width, 1);
        let pixels = OwnedPixels::new(PixelFormat::Gray8, size, vec![vec![0; width as usize]]);
        let at = CaptureTime { mono: self.clock.now(), ..CaptureTime::default() };
        let sequence = self.sequence;
        self.sequence += 1;
        let camera = CameraId::new("script");
        Next::Frame(Frame { camera, sequence, at, origin: None, pixels: Arc::new(pixels.unwrap()) })
    }
}

impl Source for Script {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, CaptureError> {
        match self.steps.pop_front().unwrap_or(Silent) {
            Step::Frame => Ok(self.frame(4)),
            Odd => Ok(self.frame(8)),
            Skip(frames) => {
                self.sequence += frames;
                Ok(self.frame(4))
            }
            Silent => Ok(Next::Waiting),
            Fails => Err(fault()),
            Panics => panic!("on purpose"),
            Ends => Ok(Next::End),
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.closed.send(());
    }
}

struct Bench {
    clock: Arc<SimulatedClock>,
    source: Reconnecting,
    /// Something comes when it is tried to open the camera, ...
    tried: Receiver<()>,
    /// ... and when one that was opened is closed.
    closed: Receiver<()>,
}

impl Bench {
    fn new(rule: LiveRule, script: Vec<Opening>) -> Self {
        let clock = Arc::new(SimulatedClock::default());
        let (trying, tried) = unbounded();
        let (closing, closed) = unbounded();
        let script = Mutex::new(VecDeque::from(script));
        let its = Arc::clone(&clock);
        let open = move || -> Opened {
            let opening = script.lock().unwrap().pop_front().unwrap_or(Opening::Fails);
            let _ = trying.send(());
            let steps = match opening {
                Gives(steps) => steps,
                Opening::Fails => return Err(fault()),
                Opening::Panics => panic!("on purpose"),
                Opening::Hangs(until) => {
                    let _ = until.recv();
                    Vec::new()
                }
            };
            Ok(Box::new(Script {
                steps: steps.into(),
                sequence: 0,
                info: SourceInfo { fps: Some(50.0), live: true, ..SourceInfo::default() },
                clock: its.clone(),
                closed: closing.clone(),
            }))
        };
        let camera = CameraId::new("test");
        let source = Reconnecting::start(camera, rule, clock.clone(), open).unwrap();
        Self { clock, source, tried, closed }
    }

    fn later(&self, ms: u64) {
        self.clock.set(self.clock.now().plus(Duration::from_millis(ms)));
    }

    /// What is said next besides waiting; rests take no time, `ms` pass at each other turn.
    fn said(&mut self, ms: u64) -> Next {
        for _ in 0..5000 {
            if let State::Resting(until) = self.source.state {
                self.clock.set(until);
            }
            match self.source.next().unwrap() {
                Next::Waiting => {}
                other => return other,
            }
            if !matches!(self.source.state, State::Opening(_)) {
                self.later(ms);
            }
        }
        panic!("nothing is said");
    }

    /// The next `count` things that are said, shortly.
    fn story(&mut self, count: usize) -> String {
        let tell = |next: Next| match next {
            Next::Frame(frame) => frame.sequence.to_string(),
            Next::Lost(_) => "lost".to_owned(),
            Next::Back(_) => "back".to_owned(),
            other => format!("{other:?}"),
        };
        (0..count).map(|_| tell(self.said(10))).collect::<Vec<_>>().join(" ")
    }
}

fn bench(script: Vec<Opening>) -> Bench {
    Bench::new(LiveRule::default(), script)
}

use Opening::Gives;
use Step::{Ends, Fails, Odd, Panics, Silent, Skip};

const F: Step = Step::Frame;

#[test]
fn whatever_takes_the_camera_away_it_is_lost_once_and_its_numbers_go_on() {
    let script = vec![
        Gives(vec![F, F, Fails]),
        Opening::Fails,
        Opening::Panics,
        Gives(vec![Silent, F, Panics]),
        Gives(vec![F, F, Ends]),
        Gives(vec![F, Odd]),
        Gives(vec![Odd]),
        Gives(vec![Skip(3), F]),
    ];
    let told = bench(script).story(16);
    assert_eq!(told, "0 1 lost back 2 lost back 3 4 lost back 5 lost back 9 10");
}

#[test]
fn a_lost_camera_is_tried_ever_more_rarely() {
    let mut bench = bench(Vec::new());
    let mut rests = Vec::new();
    let mut lost = 0;
    while rests.len() < 9 {
        if let State::Resting(until) = bench.source.state {
            rests.push(until.since(bench.clock.now()).as_millis());
            bench.clock.set(until);
        }
        lost += usize::from(matches!(bench.source.next().unwrap(), Next::Lost(_)));
    }
    assert_eq!(rests, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    assert_eq!(lost, 1);
}

#[test]
fn one_that_was_there_for_long_is_tried_soon_again_and_one_that_was_not_is_not() {
    let short = || Gives(vec![F, Fails]);
    let long = Gives([vec![F], vec![Silent; 3], vec![F; 60], vec![Fails]].concat());
    let mut bench = Bench::new(
        LiveRule { stall_ms: 60_000, ..LiveRule::default() },
        vec![short(), short(), short(), long],
    );
    let mut rests = Vec::new();
    while rests.len() < 4 {
        if matches!(bench.said(2500), Next::Lost(_)) {
            let State::Resting(until) = bench.source.state else { panic!("no rest") };
            rests.push(until.since(bench.clock.now()).as_millis());
        }
    }
    assert_eq!(rests, [100, 200, 400, 100]);
}

#[test]
fn it_is_told_how_long_the_camera_was_gone() {
    let mut bench = bench(vec![Gives(vec![F, Fails]), Opening::Fails, Gives(vec![F])]);
    assert!(matches!(bench.said(0), Next::Frame(_)));
    assert!(matches!(bench.said(0), Next::Lost(_)));
    let Next::Back(gone) = bench.said(0) else { panic!("not back") };
    assert_eq!(gone, Duration::from_millis(300));
    assert_eq!(bench.source.info().fps, Some(50.0), "learnt from the stream");
}

#[test]
fn silence_is_a_fault_only_of_a_camera_that_runs_freely() {
    let mut free = bench(vec![Gives(vec![F])]);
    assert!(matches!(free.said(10), Next::Frame(_)));
    free.later(900);
    assert!(matches!(free.source.next().unwrap(), Next::Waiting));
    free.later(200);
    let Next::Lost(why) = free.source.next().unwrap() else { panic!("not lost") };
    assert!(why.to_string().contains("no frame for 1100 ms"), "{why}");

    let rule = LiveRule { triggered: true, ..LiveRule::default() };
    let mut triggered = Bench::new(rule, vec![Gives(vec![Silent, F])]);
    assert!(matches!(triggered.said(10), Next::Back(Duration::ZERO)), "there without a frame");
    triggered.later(3_600_000);
    assert!(matches!(triggered.source.next().unwrap(), Next::Waiting));
    assert!(matches!(triggered.said(10), Next::Frame(_)));
    assert_eq!(triggered.source.info().fps, None);
}

#[test]
fn the_first_frame_may_take_longer() {
    let mut bench = bench(vec![Gives(Vec::new())]);
    bench.tried.recv_timeout(Duration::from_secs(60)).unwrap();
    while matches!(bench.source.state, State::Opening(_)) {
        assert!(matches!(bench.source.next().unwrap(), Next::Waiting));
    }
    bench.later(9_000);
    assert!(matches!(bench.source.next().unwrap(), Next::Waiting));
    bench.later(1_000);
    assert!(matches!(bench.source.next().unwrap(), Next::Lost(_)));
}

#[test]
fn a_picture_that_is_not_expected_is_refused_in_words() {
    let rule = LiveRule { size: Some(SizePx::new(4, 1)), ..LiveRule::default() };
    let mut bench = Bench::new(rule, vec![Gives(vec![Odd]), Gives(vec![F])]);
    let Next::Lost(why) = bench.said(10) else { panic!("not lost") };
    let why = why.to_string();
    assert!(why.contains("gray8 8x1") && why.contains("gray8 4x1"), "{why}");
    assert_eq!(bench.story(2), "back 0");
}

#[test]
fn opening_that_hangs_is_left_behind_but_only_once() {
    let (free_first, first) = unbounded();
    let (free_second, second) = unbounded();
    let mut bench = bench(vec![Opening::Hangs(first), Opening::Hangs(second), Gives(vec![F])]);
    let limit = Duration::from_secs(60);
    bench.tried.recv_timeout(limit).unwrap();
    bench.later(10_000);
    let Next::Lost(why) = bench.source.next().unwrap() else { panic!("not lost") };
    assert!(matches!(why, CaptureError::OpenHangs { waited_s: 10, .. }), "{why}");
    // Another thread is taken for the second try, and none after it.
    bench.later(100);
    bench.source.next().unwrap();
    bench.tried.recv_timeout(limit).unwrap();
    for _ in 0..3 {
        bench.later(11_000);
        assert!(matches!(bench.source.next().unwrap(), Next::Waiting));
    }
    assert!(bench.tried.is_empty(), "a third thread hangs");
    // What the first one brings is not wanted any more, and closed.
    free_first.send(()).unwrap();
    bench.closed.recv_timeout(limit).unwrap();
    while bench.source.hung.as_ref().is_some_and(|hung| !hung.is_finished()) {
        std::thread::yield_now();
    }
    // The second one is still hung, and may be left behind now; the third gives a frame.
    bench.later(11_000);
    assert!(matches!(bench.source.next().unwrap(), Next::Waiting), "it was said before");
    assert_eq!(bench.story(2), "back 0");
    drop(free_second);
}

#[test]
fn the_camera_is_closed_when_it_is_lost_and_at_the_end() {
    let mut bench = bench(vec![Gives(vec![F, Fails]), Gives(vec![F])]);
    assert_eq!(bench.story(4), "0 lost back 1");
    assert_eq!(bench.closed.len(), 1);
    let closed = bench.closed.clone();
    drop(bench);
    assert_eq!(closed.len(), 2, "it was waited for");
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(F),
        1 => (1_u64..9).prop_map(Skip),
        1 => Just(Odd),
        1 => Just(Silent),
        1 => Just(Fails),
        1 => Just(Ends),
    ];
    proptest::collection::vec(step, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn lost_and_back_take_turns_and_no_number_comes_twice(
        scripts in proptest::collection::vec(
            prop_oneof![3 => steps().prop_map(Gives), 1 => Just(Opening::Fails)],
            1..6,
        ),
    ) {
        let mut all = scripts;
        // At the end some that work, whatever was accepted as the first picture.
        all.extend((0..20).flat_map(|_| [Gives(vec![F; 50]), Gives(vec![Odd; 50])]));
        let rule = LiveRule { stall_ms: 100, ..LiveRule::default() };
        let mut bench = Bench::new(rule, all);
        let (mut last, mut gone) = (None, false);
        for _ in 0..30 {
            match bench.said(1000) {
                Next::Frame(frame) => {
                    prop_assert!(!gone && last < Some(frame.sequence));
                    last = Some(frame.sequence);
                }
                Next::Lost(_) => {
                    prop_assert!(!gone);
                    gone = true;
                }
                Next::Back(_) => {
                    prop_assert!(gone);
                    gone = false;
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
