//! Parts followed from camera to gate, against a simulated belt that knows what truly fell: every
//! rejected part falls, and no part that passed falls but beside a rejected one, and that is told.

#![allow(clippy::cast_possible_truncation)]
#![allow(clippy::unwrap_used)]

mod belt;
mod parts;

use std::time::Duration;

use belt::{Belt, Leg, Plant};
use calibration::Picture;
use calibration::belt::BeltStudy;
use domain::{CameraId, GateSignal, MonoTime, PointPx, SizePx};
use parts::Dice;
use sightline_pipeline::act::reject::{
    ByEncoder, ByTime, CalibratedBelt, Confirm, Neighbour, OnLost, Reject, RejectConfig,
    RejectError,
};

const MS: i64 = 1_000_000;

/// A paddle 300 mm after the camera, parts of some centimetres; about 50 parts a second.
fn plant() -> Plant {
    Plant {
        travel_um: 300_000,
        paddle_um: 5_000,
        paddle_ns: 4 * MS,
        count_um: None,
        reading_ns: 5 * MS,
        directionless: false,
        stamp_ns: 200_000,
        machine_ns: 300_000,
        fall_ns: (20 * MS, 30 * MS),
        unseen_one_in: None,
        bad_one_in: 12,
        apart_um: (12_000, 60_000),
        budget: Duration::from_millis(50),
    }
}

/// By the clock: the belt runs 1 mm in a millisecond.
fn by_time(neighbour: Neighbour) -> Reject {
    RejectConfig::Time(ByTime {
        travel_ms: 300.0,
        pulse_ms: 12.0,
        lead_ms: 6.0,
        tolerance_ms: 1.5,
        catch_ms: Some(5.0),
        gate_ms: 4.0,
        neighbour,
        confirm: Some(Confirm { within_ms: 60 }),
    })
    .check(Duration::from_millis(50), None)
    .unwrap()
}

const COUNT_UM: i64 = 200;
const TOLERANCE_UM: i64 = 4_000;

fn by_encoder(neighbour: Neighbour) -> Reject {
    let counts = |um: i64| u32::try_from(um / COUNT_UM).ok();
    RejectConfig::Encoder(ByEncoder {
        travel_counts: counts(300_000),
        pulse_counts: counts(12_000),
        lead_counts: counts(6_000),
        tolerance_counts: counts(TOLERANCE_UM),
        catch_counts: counts(5_000),
        gate_ms: 4.0,
        counts_per_s_max: Some(6_000),
        lost_ms: 100,
        on_lost: OnLost::Open,
        neighbour,
        confirm: Some(Confirm { within_ms: 100 }),
        ..ByEncoder::default()
    })
    .check(Duration::from_millis(45), None)
    .unwrap()
}

/// The same as a person writes it who has a folding rule and no encoder's data sheet.
const IN_MM: &str = "by='encoder'\ntravel_mm=300\npulse_mm=12\nlead_mm=6\ntolerance_mm=4\n\
                     catch_mm=5\nmm_per_s_max=1200\ngate_ms=4\nlost_ms=100\n\
                     confirm={within_ms=100}";

fn in_mm(more: &str, belt: Option<&CalibratedBelt>) -> Result<Reject, RejectError> {
    let config: RejectConfig = toml::from_str(&format!("{IN_MM}\n{more}")).unwrap();
    config.check(Duration::from_millis(45), belt)
}

/// What a camera above that belt measures of it: pictures of its texture, half a millimetre a
/// pixel, with the encoder's count at each.
fn as_a_camera_sees_it() -> CalibratedBelt {
    const SIZE: SizePx = SizePx::new(256, 192);
    let grain = |x: u64, y: u64| {
        let mixed = (x / 3).wrapping_mul(2_654_435_761) ^ (y / 3).wrapping_mul(40_503_979);
        u8::try_from((mixed.wrapping_mul(9_176_263) >> 11) & 127).unwrap()
    };
    let mut study = BeltStudy::new(SIZE, None).unwrap();
    for shot in 0..40_u64 {
        // 9 mm, with which the count goes up by 45.
        let run_px = 18 * shot;
        let columns = |y| (0..u64::from(SIZE.width)).map(move |x| grain(1_000 + x - run_px, y));
        let luma: Vec<u8> = (0..u64::from(SIZE.height)).flat_map(columns).collect();
        let picture = Picture::new(SIZE, SIZE.width as usize, &luma).unwrap();
        let count = 9_000 / COUNT_UM * i64::try_from(shot).unwrap();
        study.see(MonoTime::from_ns(shot * 20_000_000), Some(count), &picture).unwrap();
    }
    let place = |at: PointPx| (0.5 * f64::from(at.x), 0.5 * f64::from(at.y));
    let mm_per_count = study.solve(Some(&place)).unwrap().mm_per_count.unwrap();
    CalibratedBelt { camera: CameraId::new("top"), mm_per_count }
}

fn steady(parts: i64) -> Vec<Leg> {
    vec![Leg { ns: parts * 36 * MS, to: 1000, slip_permille: 0 }]
}

/// Ramps, stops, and runs back, with slip: never more than 1 m/s.
fn restless(dice: &mut Dice, legs: usize) -> Vec<Leg> {
    let mut plan = vec![Leg { ns: 500 * MS, to: 600, slip_permille: 0 }];
    for _ in 0..legs {
        // Back by no more than a hand: how far a part has come adds to what slip makes of it.
        let (to, most_ms) = match dice.below(12) {
            0 => (0, 4000),
            1 => (-dice.within(20, 150), 400),
            _ => (dice.within(100, 1000), 4000),
        };
        let slip_permille = dice.within(-4, 4);
        // Changes of speed as a belt with its load makes them.
        plan.push(Leg { ns: dice.within(200, 500) * MS, to, slip_permille });
        plan.push(Leg { ns: dice.within(100, most_ms) * MS, to, slip_permille });
    }
    plan.push(Leg { ns: 3000 * MS, to: 600, slip_permille: 0 });
    plan
}

#[derive(Debug, Default)]
struct Sum {
    parts: u64,
    rejected: u64,
    beside: u64,
}

/// Compares what fell with what should have.
fn judge(belt: &Belt, beside_um: i64, seed: u64) -> Sum {
    let mut sum = Sum::default();
    for (id, part) in belt.parts.iter().filter(|(_, part)| belt.gone_by(part, 40_000)) {
        sum.parts += 1;
        let told = |name| part.told.contains(&name);
        match part.signal.unwrap() {
            GateSignal::Reject => {
                sum.rejected += 1;
                assert!(part.fell, "seed {seed}: part {id} is missed: {part:?} {:?}", belt.events);
                assert_eq!(part.told, Vec::<&str>::new(), "seed {seed}: part {id} fell, was seen");
            }
            GateSignal::Pass => {
                let told = told("passed_part_ejected");
                assert!(!part.fell || told, "seed {seed}: part {id} fell, and why? {part:?}");
                if told {
                    sum.beside += 1;
                    assert!(
                        belt.is_beside_bad(part.place, beside_um),
                        "seed {seed}: part {id} is told to lie beside a bad one: {part:?}"
                    );
                }
            }
        }
    }
    for never in ["reject_too_late", "encoder_implausible"] {
        assert_eq!(belt.events.get(never), None, "seed {seed}");
    }
    sum
}

/// Runs `scenario` for many seeds, on two threads, until there were `parts` parts.
fn many(parts: u64, scenario: impl Fn(u64) -> Sum + Sync) -> Sum {
    let run = |first: u64| {
        let (mut sum, mut seed) = (Sum::default(), first);
        while sum.parts < parts / 2 {
            let more = scenario(seed);
            sum.parts += more.parts;
            sum.rejected += more.rejected;
            sum.beside += more.beside;
            seed += 2;
        }
        sum
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| run(1));
        let (mine, other) = (run(0), other.join().unwrap());
        Sum {
            parts: mine.parts + other.parts,
            rejected: mine.rejected + other.rejected,
            beside: mine.beside + other.beside,
        }
    })
}

#[test]
fn by_the_clock_half_a_million_parts() {
    let sum = many(500_000, |seed| {
        let rule = if seed % 4 < 2 { Neighbour::RejectBoth } else { Neighbour::Shorten };
        let plant = plant();
        let belt = Belt::new(&plant, by_time(rule), steady(4000), seed).run();
        judge(&belt, 18_000, seed)
    });
    assert!(sum.rejected > 40_000 && sum.beside > 1000, "{sum:?}");
}

#[test]
fn by_the_encoder_half_a_million_parts_on_a_belt_that_stops_and_runs_back() {
    let sum = many(500_000, |seed| {
        let rule = if seed % 4 < 2 { Neighbour::RejectBoth } else { Neighbour::Shorten };
        let plant = Plant { count_um: Some(COUNT_UM), ..plant() };
        let legs = restless(&mut Dice(seed), 60);
        let belt = Belt::new(&plant, by_encoder(rule), legs, seed).run();
        judge(&belt, 26_000, seed)
    });
    assert!(sum.rejected > 40_000 && sum.beside > 1000, "{sum:?}");
}

#[test]
fn what_a_camera_measured_of_the_belt_takes_the_gate_to_the_right_place() {
    let belt = as_a_camera_sees_it();
    assert!((belt.mm_per_count.value - 0.2).abs() < 2e-4, "{belt:?}");
    let rule = in_mm("", Some(&belt)).unwrap();
    let plant = Plant { count_um: Some(COUNT_UM), ..plant() };
    let sum = many(20_000, |seed| {
        let legs = restless(&mut Dice(seed), 60);
        judge(&Belt::new(&plant, rule, legs, seed).run(), 26_000, seed)
    });
    assert!(sum.rejected > 1_000, "{sum:?}");
    // A number from another encoder's data sheet would have had bad parts go by.
    let wrong = in_mm("mm_per_count=0.225", None).unwrap();
    let belt_with = Belt::new(&plant, wrong, steady(1000), 1).run();
    let bad = |part: &&belt::Fate| part.signal == Some(GateSignal::Reject);
    let gone = belt_with.parts.values().filter(|part| belt_with.gone_by(part, 40_000));
    assert!(gone.filter(bad).any(|part| !part.fell));
    assert!(in_mm("mm_per_count=0.225", Some(&belt)).is_err());
}

#[test]
fn shortening_saves_good_neighbours() {
    let beside = |rule| {
        let plant = plant();
        judge(&Belt::new(&plant, by_time(rule), steady(4000), 7).run(), 18_000, 7).beside
    };
    let (both, shortened) = (beside(Neighbour::RejectBoth), beside(Neighbour::Shorten));
    assert!(shortened < both, "{shortened} of {both}");
}

#[test]
fn a_part_that_is_not_seen_to_fall_is_told() {
    let plant = Plant { unseen_one_in: Some(10), apart_um: (40_000, 60_000), ..plant() };
    let belt = Belt::new(&plant, by_time(Neighbour::RejectBoth), steady(2000), 3).run();
    let mut unseen = 0;
    for part in belt.parts.values().filter(|part| belt.gone_by(part, 100_000)) {
        let told = part.told.contains(&"reject_not_confirmed");
        assert_eq!(told, part.fell && !part.was_seen, "{part:?}");
        unseen += u64::from(told);
    }
    assert!(unseen > 5);
    assert_eq!(belt.events.get("confirm_unexpected"), None);
}

/// The judge is not blind: with an encoder that does not tell backwards from forwards, parts are
/// missed.
#[test]
fn an_encoder_without_a_direction_misses_parts() {
    let plant = Plant { count_um: Some(COUNT_UM), directionless: true, ..plant() };
    let missed = (0..6).any(|seed| {
        let legs = restless(&mut Dice(seed), 60);
        let rule = by_encoder(Neighbour::RejectBoth);
        let belt = Belt::new(&plant, rule, legs, seed).run();
        let bad = |part: &&belt::Fate| part.signal == Some(GateSignal::Reject);
        let gone = belt.parts.values().filter(|part| belt.gone_by(part, 40_000));
        gone.filter(bad).any(|part| !part.fell)
    });
    assert!(missed);
}
