//! Triggers from outside: each makes one part, which is due at once and gets the frame that was
//! exposed nearest to the wanted moment, or is said to have none.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::{
    CameraId, CaptureTime, CheckedRecipe, Event, Frame, MonoTime, OwnedPixels, PartId, PixelFormat,
    Recipe, SizePx, Why,
};
use proptest::prelude::*;
use sightline_pipeline::clock::SimulatedClock;
use sightline_pipeline::locate::{Given, Locator};
use sightline_pipeline::plc::FieldInput;
use sightline_pipeline::stage::Counters;

const MS: u64 = 1_000_000;

struct Bench {
    locator: Locator,
    counters: Arc<Counters>,
    clock: Arc<SimulatedClock>,
    sequence: u64,
    count: u32,
}

/// What was handed on, in short: a notice, one that says at once that nothing comes, a part with
/// the exposure of its frame in milliseconds, or that nothing comes.
#[derive(Debug, PartialEq)]
enum Told {
    Due(u64),
    DueUnseen(u64, String),
    Picture(u64, u64),
    Lost(u64, String),
}
use Told::{Due, DueUnseen, Lost, Picture};

fn cause_of(why: Why) -> String {
    match why {
        Why::NoPicture { cause } => cause.to_string(),
        other => other.to_string(),
    }
}

fn told(given: Given) -> Told {
    match given {
        Given::Due { expected, unseen: None } => Due(expected.part.0),
        Given::Due { expected, unseen: Some(why) } => DueUnseen(expected.part.0, cause_of(why)),
        Given::Part(part) => Picture(part.id.0, part.views[0].frame.at.mono.ns / MS),
        Given::Lost(PartId(part), why) => Lost(part, cause_of(why)),
    }
}

fn recipe(locate: &str) -> Arc<CheckedRecipe> {
    let text = format!(
        "name='t'\nmodel='m'\nlimits={{reject_at=0.5}}\ngate={{budget_ms=100}}\nlocate={locate}"
    );
    Arc::new(toml::from_str::<Recipe>(&text).unwrap().check().unwrap())
}

fn by_plc(extra: &str) -> Arc<CheckedRecipe> {
    recipe(&format!("{{kind='trigger',by={{plc={{input=1}}}}{extra}}}"))
}

impl Bench {
    fn new(recipe: Arc<CheckedRecipe>) -> Self {
        let camera = CameraId::new("top");
        let counters = Arc::new(Counters::of_cameras([camera.clone()]));
        counters.frame(&camera, MonoTime::ZERO);
        let clock = Arc::new(SimulatedClock::default());
        let (own_clock, own_counters) = (Arc::clone(&clock), Arc::clone(&counters));
        let locator = Locator::new(recipe, camera, true, Arc::default(), own_clock, own_counters);
        Self { locator, counters, clock, sequence: 0, count: 0 }
    }

    fn told(&mut self) -> Vec<Told> {
        self.locator.given().map(told).collect()
    }

    /// A frame exposed at `ms`, which has come by now.
    fn frame(&mut self, ms: u64) -> Vec<Told> {
        let pixels =
            OwnedPixels::new(PixelFormat::Gray8, SizePx::new(4, 4), vec![vec![9; 16]]).unwrap();
        let at = CaptureTime { mono: MonoTime::from_ns(ms * MS), ..CaptureTime::default() };
        self.clock.set(at.mono);
        let camera = CameraId::new("top");
        let sequence = self.sequence;
        self.sequence += 1;
        let frame = Frame { camera, sequence, at, origin: None, pixels: Arc::new(pixels) };
        self.locator.see(frame).unwrap();
        self.told()
    }

    fn hear(&mut self, input: FieldInput) -> Vec<Told> {
        self.locator.hear(input);
        self.told()
    }

    fn trigger(&mut self, ms: u64) -> Vec<Told> {
        self.count = self.count.wrapping_add(1);
        self.count_is(self.count, ms)
    }

    fn count_is(&mut self, count: u32, ms: u64) -> Vec<Told> {
        self.count = count;
        self.clock.set(MonoTime::from_ns(ms * MS));
        self.hear(FieldInput::Trigger { input: 1, count, at: MonoTime::from_ns(ms * MS) })
    }

    fn encoder(&mut self, count: i64, ms: u64) -> Vec<Told> {
        self.clock.set(MonoTime::from_ns(ms * MS));
        self.hear(FieldInput::Encoder { count, at: MonoTime::from_ns(ms * MS) })
    }

    fn wait_until(&mut self, ms: u64) -> Vec<Told> {
        self.clock.set(MonoTime::from_ns(ms * MS));
        self.locator.expire();
        self.told()
    }

    fn events(&self, name: &str) -> u64 {
        self.counters.events().get(name).copied().unwrap_or(0)
    }
}

#[test]
fn the_notice_leaves_at_the_trigger_and_the_picture_follows() {
    let mut bench = Bench::new(by_plc(",delay_ms=20,window_ms=9"));
    assert_eq!(bench.frame(100), []);
    assert_eq!(bench.trigger(103), [Due(1)]);
    assert_eq!(bench.frame(116), [], "a nearer one may come");
    assert_eq!(bench.frame(132), [Picture(1, 116)], "116 is 7 ms off, 132 is 9");
    assert_eq!(bench.trigger(140), [Due(2)]);
    assert_eq!(bench.frame(148), []);
    assert_eq!(bench.frame(164), [Picture(2, 164)]);
    let error = bench.counters.trigger_error.tail().unwrap();
    assert!((error.max - 7.0).abs() < 0.1 && (error.min - 4.0).abs() < 0.1, "{error:?}");
}

#[test]
fn the_deadline_counts_from_the_trigger() {
    let mut bench = Bench::new(by_plc(",delay_ms=20"));
    bench.clock.set(MonoTime::from_ns(110 * MS));
    let at = MonoTime::from_ns(103 * MS);
    bench.locator.hear(FieldInput::Trigger { input: 1, count: 1, at });
    let Some(Given::Due { expected, .. }) = bench.locator.given().next() else { panic!() };
    assert_eq!(expected.triggered_at.mono, at);
    assert_eq!(expected.triggered_at.wall.unix_ns, 103_000_000, "not the time it was heard");
    assert_eq!(expected.due, MonoTime::from_ns(203 * MS));
}

#[test]
fn a_frame_from_before_the_trigger_is_kept_for_it() {
    let mut bench = Bench::new(by_plc(",delay_ms=-40,window_ms=9"));
    (0..8).for_each(|n| assert_eq!(bench.frame(100 + 16 * n), []));
    assert_eq!(bench.trigger(220), [Due(1), Picture(1, 180)]);
}

#[test]
fn a_trigger_without_a_frame_is_said_to_have_none() {
    let mut bench = Bench::new(by_plc(",window_ms=5"));
    bench.frame(100);
    assert_eq!(bench.trigger(110), [Due(1)]);
    let nearest = "no frame was exposed within 5.0 ms of the wanted moment; the nearest was \
                   10.0 ms before it";
    assert_eq!(bench.frame(130), [Lost(1, nearest.to_owned())]);
    // Heard of only when the window is over: said with the notice.
    bench.frame(146);
    let told = bench.count_is(2, 138);
    assert!(matches!(&told[..], [DueUnseen(2, cause)] if cause.contains("8.0 ms")), "{told:?}");
    assert_eq!(bench.events("trigger_without_frame"), 2);
}

#[test]
fn a_camera_that_hangs_or_is_gone_is_not_waited_for_beyond_the_deadline() {
    let mut bench = Bench::new(by_plc(",window_ms=10"));
    assert_eq!(bench.trigger(100), [Due(1)]);
    assert_eq!(bench.wait_until(190), []);
    let told = bench.wait_until(192);
    assert_eq!(told, [Lost(1, "no frame has come yet".to_owned())], "due at 200");
    let (camera, cause) = (CameraId::new("top"), "unplugged".to_owned());
    bench.counters.event(&Event::CameraLost { camera, cause });
    assert_eq!(bench.trigger(300), [Due(2)]);
    assert_eq!(bench.wait_until(310), []);
    assert_eq!(bench.wait_until(311), [Lost(2, "the camera gives no frames".to_owned())]);
}

#[test]
fn who_waits_is_told_when_to_look_again() {
    let mut bench = Bench::new(by_plc(",window_ms=10"));
    let look = |bench: &Bench, ms| bench.locator.next_look(MonoTime::from_ns(ms * MS));
    assert_eq!(look(&bench, 0), None);
    bench.trigger(100);
    assert_eq!(look(&bench, 100), Some(MonoTime::from_ns(110 * MS)));
    assert_eq!(look(&bench, 111), Some(MonoTime::from_ns(191 * MS)));
}

#[test]
fn a_frame_shows_one_part_only() {
    let mut bench = Bench::new(by_plc(",window_ms=10"));
    bench.frame(100);
    assert_eq!(bench.trigger(114), [Due(1)]);
    assert_eq!(bench.trigger(117), [Due(2)]);
    assert_eq!(bench.frame(116), [Picture(1, 116)], "it is the nearest to both");
    assert_eq!(bench.frame(124), [Picture(2, 124)]);
    assert_eq!(bench.trigger(125), [Due(3)]);
    let other = "the only frame within 10.0 ms shows another part".to_owned();
    assert_eq!(bench.frame(140), [Lost(3, other)]);
}

#[test]
fn the_count_tells_of_triggers_that_never_arrived() {
    let mut bench = Bench::new(by_plc(""));
    let triggered = |told: Vec<Told>| told.len() == 1;
    assert!(triggered(bench.count_is(u32::MAX - 1, 100)), "whatever it starts with");
    assert!(triggered(bench.count_is(u32::MAX, 110)));
    assert!(triggered(bench.count_is(0, 120)), "it wraps");
    assert!(!triggered(bench.count_is(0, 130)), "the same count again");
    assert_eq!(bench.events("triggers_missing"), 0);
    assert!(triggered(bench.count_is(5_004, 140)));
    assert_eq!(bench.events("triggers_missing"), 1);
    assert!(!triggered(bench.count_is(5_000, 150)), "back, and not to the beginning");
    assert!(triggered(bench.count_is(5_005, 160)));
    assert!(!triggered(bench.count_is(0, 170)), "the PLC was started again");
    assert!(triggered(bench.count_is(1, 180)));
    assert_eq!(bench.events("triggers_missing"), 1);
    let other = FieldInput::Trigger { input: 0, count: 77, at: MonoTime::from_ns(190 * MS) };
    assert!(!triggered(bench.hear(other)), "another input");
}

#[test]
fn the_belt_triggers_a_part_every_so_many_counts() {
    let every = recipe("{kind='trigger',by={encoder={every_counts=100}},window_ms=3}");
    let mut bench = Bench::new(every);
    assert_eq!(bench.encoder(1000, 100), [], "from here on");
    bench.frame(105);
    bench.frame(115);
    bench.frame(125);
    // At 1100 and 1200, which were passed at 110 + 5 and 120 + 5.
    assert_eq!(bench.encoder(1050, 110), []);
    let told = bench.encoder(1210, 126);
    assert_eq!(told, [Due(1), Due(2), Picture(1, 115), Picture(2, 125)]);
    assert_eq!(bench.encoder(1050, 160), [], "backwards");
    assert_eq!(bench.encoder(1290, 200), [], "again where it has been");
    assert_eq!(bench.encoder(1300, 210).len(), 1);
    assert_eq!(bench.encoder(9_000_000, 220), [], "no belt is so fast");
    assert_eq!(bench.events("encoder_implausible"), 1);
    assert_eq!(bench.encoder(9_000_099, 230), []);
    assert_eq!(bench.encoder(9_000_100, 240).len(), 1);
}

#[test]
fn what_was_triggered_keeps_its_recipe() {
    let (first, second) = (by_plc(""), by_plc(",delay_ms=5"));
    let mut bench = Bench::new(Arc::clone(&first));
    bench.trigger(100);
    bench.locator.change(&second).unwrap();
    assert!(bench.locator.stamps(&first));
    bench.trigger(104);
    for ms in [102, 109] {
        let pixels =
            OwnedPixels::new(PixelFormat::Gray8, SizePx::new(4, 4), vec![vec![9; 16]]).unwrap();
        let at = CaptureTime { mono: MonoTime::from_ns(ms * MS), ..CaptureTime::default() };
        let camera = CameraId::new("top");
        let frame = Frame { camera, sequence: ms, at, origin: None, pixels: Arc::new(pixels) };
        bench.locator.see(frame).unwrap();
        let Some(Given::Part(part)) = bench.locator.given().next() else { panic!("{ms}") };
        assert!(Arc::ptr_eq(&part.recipe, if ms == 102 { &first } else { &second }));
    }
    assert!(!bench.locator.stamps(&first));
}

#[test]
fn at_the_end_what_waits_is_given_back() {
    let mut bench = Bench::new(by_plc(""));
    bench.trigger(100);
    bench.locator.end();
    assert_eq!(bench.told(), [Lost(1, "the line was stopped".to_owned())]);
}

#[test]
fn a_frame_that_a_triggered_camera_lost_is_a_part_without_a_picture() {
    let mut bench = Bench::new(recipe("{kind='every-frame'}"));
    assert_eq!(bench.frame(100), [Due(1), Picture(1, 100)]);
    bench.sequence += 2;
    let told = bench.frame(130);
    let lost = "its frame was lost between the camera and this program".to_owned();
    let wanted = [DueUnseen(2, lost.clone()), DueUnseen(3, lost), Due(4), Picture(4, 130)];
    assert_eq!(told, wanted);
    assert_eq!(bench.counters.snapshot().parts.triggered, 4);
}

#[derive(Clone, Debug)]
enum Step {
    Frame(u64),
    Trigger,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_u64..40).prop_map(Step::Frame),
        2 => Just(Step::Trigger),
        1 => (1_u64..60).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn every_trigger_is_answered_once_and_no_frame_twice(
        steps in prop::collection::vec(step(), 1..120),
        delay_ms in -60_i64..60,
        window_ms in 1_u64..30,
    ) {
        let mut bench = Bench::new(by_plc(&format!(",delay_ms={delay_ms},window_ms={window_ms}")));
        let mut now = 1000;
        let mut triggered = BTreeMap::new();
        let mut seen = Vec::new();
        for step in steps {
            seen.extend(match step {
                Step::Frame(after) => { now += after; bench.frame(now) }
                Step::Trigger => {
                    triggered.insert(triggered.len() as u64 + 1, now);
                    bench.trigger(now)
                }
                Step::Wait(after) => { now += after; bench.wait_until(now) }
            });
        }
        bench.locator.end();
        seen.extend(bench.told());
        let mut due = BTreeSet::new();
        let mut answered = BTreeSet::new();
        let mut frames = BTreeSet::new();
        for told in seen {
            match told {
                Due(part) => prop_assert!(due.insert(part)),
                DueUnseen(part, _) => prop_assert!(due.insert(part) && answered.insert(part)),
                Lost(part, _) => prop_assert!(due.contains(&part) && answered.insert(part)),
                Picture(part, ms) => {
                    prop_assert!(due.contains(&part) && answered.insert(part));
                    prop_assert!(frames.insert(ms), "frame {} shows two parts", ms);
                    let wanted = triggered[&part].saturating_add_signed(delay_ms);
                    prop_assert!(ms.abs_diff(wanted) <= window_ms);
                }
            }
        }
        prop_assert!(due.iter().eq(triggered.keys()) && answered == due);
        let errors = bench.counters.trigger_error.tail().map_or(0, |tail| tail.count);
        prop_assert_eq!(errors, frames.len() as u64);
        prop_assert_eq!(bench.locator.next_look(MonoTime::ZERO), None::<MonoTime>);
    }
}
