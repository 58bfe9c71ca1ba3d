//! How the belt moves, against drawn belts: texture, parts, stops, dropped frames, a wrong encoder.
#![expect(clippy::cast_possible_truncation, clippy::unwrap_used, reason = "a test")]

mod scene;

use domain::{MonoTime, PointPx, RectPx, SizePx};
use scene::{Image, Light, normal, random, speck, texture};
use sightline_calibration::belt::{BeltMotion, BeltRefused, BeltStudy};

const SIZE: SizePx = SizePx::new(320, 128);
const FRAME_NS: u64 = 10_000_000;

/// What is on the belt at a place of the belt.
type Belt = fn(f64, f64) -> f64;

fn felt(x: f64, y: f64) -> f64 {
    80.0 + 10.0 * texture(x / 5.0, y / 5.0)
}

/// Discs at irregular places, 110 to 190 pixels apart, of different sizes; plain belt between.
fn discs(x: f64, y: f64) -> f64 {
    let slot = (x / 150.0).floor();
    let (at, size) = (speck(slot as i64, 7), speck(slot as i64, 8));
    let middle = slot * 150.0 + 55.0 + 40.0 * at;
    let across = 15.0 * (size - 0.5);
    if (x - middle).hypot(y - across) < 25.0 + 12.0 * size { 170.0 } else { 70.0 }
}

/// A disc every 4000 pixels: most pictures are empty.
fn rare(x: f64, y: f64) -> f64 {
    let middle = (x / 1200.0).floor() * 1200.0 + 600.0;
    if (x - middle).hypot(y) < 30.0 { 170.0 } else { 70.0 }
}

fn plain(_: f64, _: f64) -> f64 {
    70.0
}

fn ribs(x: f64, _: f64) -> f64 {
    80.0 + 30.0 * (x * std::f64::consts::TAU / 40.0).sin()
}

/// A step of the belt to a frame: pixels, encoder counts, frames' time.
#[derive(Clone, Copy)]
struct Step {
    px: f64,
    counts: i64,
    frames: u64,
}

/// Counts of 0.4 pixels: whole counts, as an encoder gives them.
fn run(px: f64, count: usize) -> Vec<Step> {
    let mut way = 0.0;
    (0..count)
        .map(|_| {
            let before = f64::floor(way / 0.4);
            way += px;
            Step { px, counts: (f64::floor(way / 0.4) - before) as i64, frames: 1 }
        })
        .collect()
}

/// Pictures of a belt that moves at `deg`, seen by a camera with a dirty lens.
fn study(belt: Belt, steps: &[Step], deg: f64) -> BeltStudy {
    studied(belt, steps, deg, &|_, count| Some(count))
}

/// The same, with the encoder as it was `read` at each picture.
fn studied(
    belt: Belt,
    steps: &[Step],
    deg: f64,
    read: &dyn Fn(usize, i64) -> Option<i64>,
) -> BeltStudy {
    let mut study = BeltStudy::new(SIZE, None).unwrap();
    let (mut way, mut count, mut at) = (0.0, 1000, 0);
    for (index, step) in [Step { px: 0.0, counts: 0, frames: 1 }].iter().chain(steps).enumerate() {
        way += step.px;
        count += step.counts;
        at += step.frames * FRAME_NS;
        let image = picture(belt, way, deg, index as u64);
        study.see(MonoTime::from_ns(at), read(index, count), &image.picture()).unwrap();
    }
    study
}

fn picture(belt: Belt, way: f64, deg: f64, seed: u64) -> Image {
    let (sin, cos) = deg.to_radians().sin_cos();
    let light = Light::draw(SIZE, |x, y| belt(cos * x + sin * y - way, -sin * x + cos * y));
    let light = light.times(|x, y| {
        let dirt = if (x - 0.3).hypot(y - 0.2) < 0.1 { 0.8 } else { 1.0 };
        dirt * (1.0 + 0.15 * x)
    });
    light.seen(1.5, 0.1, &mut random(seed))
}

fn solved(belt: Belt, steps: &[Step], deg: f64) -> Result<BeltMotion, BeltRefused> {
    study(belt, steps, deg).solve(None)
}

fn assert_near(motion: &BeltMotion, px_per_s: f64, deg: f64, share: f64) {
    let speed = motion.px_per_s.value;
    assert!((speed / px_per_s - 1.0).abs() < share, "{motion:?}");
    assert!((motion.direction_deg.value - deg).abs() < 0.5, "{motion:?}");
    let count = motion.px_per_count.unwrap();
    assert!((count.value / 0.4 - 1.0).abs() < share, "{motion:?}");
    let error = (count.value - 0.4).abs();
    assert!(error < 4.0 * count.std_error, "{motion:?}");
}

#[test]
fn texture_gives_speed_direction_and_way_per_count() {
    let motion = solved(felt, &run(37.4, 40), 3.0).unwrap();
    println!("felt: {motion:?}");
    assert_near(&motion, 3740.0, 3.0, 0.001);
    assert_eq!(motion.pairs, 40);
    assert!(motion.pairs_used >= 38, "{motion:?}");
}

#[test]
fn parts_on_a_plain_belt_do_as_well() {
    let motion = solved(discs, &run(23.6, 60), 0.0).unwrap();
    println!("discs: {motion:?}");
    assert_near(&motion, 2360.0, 0.0, 0.003);
}

#[test]
fn pictures_without_parts_are_passed_over() {
    let motion = solved(rare, &run(41.0, 80), 0.0).unwrap();
    println!("rare: {motion:?}");
    assert_near(&motion, 4100.0, 0.0, 0.003);
    assert!(motion.pairs_used < 40, "{motion:?}");
}

#[test]
fn stops_and_dropped_frames_change_nothing() {
    let mut steps = run(18.0, 60);
    for index in [5, 6, 7, 30, 31] {
        steps[index] = Step { px: 0.0, counts: 0, frames: 1 };
    }
    for index in [12, 40] {
        steps[index] = Step { px: 54.0, counts: 135, frames: 3 };
    }
    let motion = solved(discs, &steps, 0.0).unwrap();
    println!("stops: {motion:?}");
    assert_near(&motion, 1800.0, 0.0, 0.003);
    assert!(motion.pairs_still >= 4, "{motion:?}");
}

#[test]
fn a_scale_gives_millimetres() {
    let study = study(felt, &run(20.0, 20), 0.0);
    // Twice as many millimetres a pixel across as along.
    let scale = |at: PointPx| (f64::from(at.x) * 0.05, f64::from(at.y) * 0.1);
    let motion = study.solve(Some(&scale)).unwrap();
    assert!((motion.mm_per_s.unwrap().value - 100.0).abs() < 0.1, "{motion:?}");
    assert!((motion.mm_per_count.unwrap().value - 0.02).abs() < 2e-5, "{motion:?}");
}

#[test]
fn a_belt_that_stands_still_is_refused() {
    for belt in [felt as Belt, discs, plain] {
        let refused = solved(belt, &run(0.0, 20), 0.0).unwrap_err();
        assert!(matches!(refused, BeltRefused::StandsStill { .. }), "{refused}");
    }
}

#[test]
fn a_plain_empty_belt_that_moves_is_refused() {
    let refused = solved(plain, &run(20.0, 20), 0.0).unwrap_err();
    assert!(matches!(refused, BeltRefused::NothingSeen { .. }), "{refused}");
}

#[test]
fn a_belt_that_is_too_fast_is_refused_with_what_is_right() {
    let refused = solved(felt, &run(180.0, 20), 0.0).unwrap_err();
    let BeltRefused::TooFast { moved_px, fps, share_percent, .. } = refused else {
        panic!("{refused}")
    };
    assert!((moved_px - 180.0).abs() < 1.0, "{moved_px}");
    // 100 pictures a second move 180 px; a third of 320 px is right.
    assert!((fps - 100.0 * 180.0 * 3.0 / 320.0).abs() < 2.0, "{fps}");
    assert!((share_percent - 320.0 / 3.0 / 1.8).abs() < 1.0, "{share_percent}");
    // Further than the window: nothing of one picture is in the next.
    let refused = solved(felt, &run(420.0, 20), 0.0).unwrap_err();
    assert!(matches!(refused, BeltRefused::NothingSeen { .. }), "{refused}");
}

#[test]
fn a_pattern_that_repeats_is_refused() {
    let refused = solved(ribs, &run(25.0, 30), 0.0).unwrap_err();
    assert!(matches!(refused, BeltRefused::Repeats { .. }), "{refused}");
}

#[test]
fn what_is_wrong_with_an_encoder_is_named() {
    let changed = |change: fn(usize, &mut Step)| {
        let mut steps = run(20.0, 24);
        steps.iter_mut().enumerate().for_each(|(index, step)| change(index, step));
        solved(felt, &steps, 0.0).unwrap_err()
    };
    let silent = changed(|_, step| step.counts = 0);
    assert!(matches!(silent, BeltRefused::EncoderSilent { count: 1000, .. }), "{silent}");
    let back = changed(|_, step| step.counts = -step.counts);
    assert!(matches!(back, BeltRefused::EncoderBack { index: 1, by: 50 }), "{back}");
    let once = changed(|index, step| step.counts *= if index == 9 { -1 } else { 1 });
    assert!(matches!(once, BeltRefused::EncoderBack { index: 10, by: 50 }), "{once}");
    let slips = changed(|index, step| step.counts += i64::from(speck(index as i64, 3) > 0.5) * 9);
    assert!(matches!(slips, BeltRefused::EncoderSlips { .. }), "{slips}");
}

#[test]
fn an_encoder_that_is_not_read_at_every_picture_is_used_where_it_was() {
    let known = |is_known: fn(usize) -> bool| {
        let counts = |index, count| is_known(index).then_some(count);
        studied(felt, &run(20.0, 40), 0.0, &counts).solve(None)
    };
    let now_and_then = known(|index| index % 7 != 3).unwrap();
    assert_near(&now_and_then, 2000.0, 0.0, 0.01);
    assert_eq!(known(|_| false).unwrap().px_per_count, None);
    let seldom = known(|index| index < 8).unwrap_err();
    assert!(matches!(seldom, BeltRefused::EncoderGaps { known: 7, .. }), "{seldom}");
}

#[test]
fn directions_that_vary_are_refused() {
    let mut study = BeltStudy::new(SIZE, None).unwrap();
    let mut random = random(4);
    for index in 0..24_u64 {
        let (dx, dy) = (15.0 * normal(&mut random), 12.0 * normal(&mut random));
        let light = Light::draw(SIZE, |x, y| felt(x - dx, y - dy));
        let image = light.seen(1.5, 0.1, &mut random);
        study.see(MonoTime::from_ns((index + 1) * FRAME_NS), None, &image.picture()).unwrap();
    }
    let refused = study.solve(None).unwrap_err();
    assert!(matches!(refused, BeltRefused::DirectionVaries { .. }), "{refused}");
}

#[test]
fn pictures_that_cannot_be_used_are_refused() {
    let far = RectPx::new(300, 0, 100, 100);
    assert!(matches!(BeltStudy::new(SIZE, Some(far)), Err(BeltRefused::Window { .. })));
    let mut study = BeltStudy::new(SIZE, None).unwrap();
    let image = picture(felt, 0.0, 0.0, 1);
    study.see(MonoTime::from_ns(5), None, &image.picture()).unwrap();
    let again = study.see(MonoTime::from_ns(5), None, &image.picture());
    assert_eq!(again, Err(BeltRefused::TimeStandsStill { index: 1 }));
    let other = Image { size: SizePx::new(10, 10), luma: vec![0; 100] };
    let other = study.see(MonoTime::from_ns(6), None, &other.picture());
    assert!(matches!(other, Err(BeltRefused::WrongSize { index: 1, .. })));
    assert_eq!(study.solve(None), Err(BeltRefused::TooFew { got: 1, needed: 6 }));
}
