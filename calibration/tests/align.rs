//! Where a part lies, against drawn truth: any angle, a slanting lamp, noise, a defect on the part.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test"
)]

mod scene;

use domain::{RectPx, SizePx};
use scene::{
    At, Image, Light, Shape, bracket, normal, part, plate, random, speck, stripe, uniform, washer,
};
use sightline_calibration::align::{
    Aligner, GoldenRefused, Limits, NotAligned, OffsetLimit, Options, Pose, Symmetry, upright_into,
};

const SIZE: SizePx = SizePx::new(512, 512);
const STRAIGHT: At = At { dx: 0.0, dy: 0.0, deg: 0.0, scale: 1.0 };

fn camera(light: &Light, seed: u64) -> Image {
    light.seen(2.0, 0.15, &mut random(seed))
}

fn golden(shape: Shape) -> Image {
    camera(&part(SIZE, shape, STRAIGHT, 60.0), 1)
}

/// A lamp from one side, and a lens that darkens the corners.
fn slanting(light: Light, x_slope: f64, y_slope: f64) -> Light {
    light.times(|x, y| (1.0 + x_slope * x + y_slope * y) * (1.0 - 0.12 * (x * x + y * y)))
}

/// A scratch, a stain and a missing corner somewhere on the part.
fn damaged(mut light: Light, seed: u64) -> Light {
    let mut random = random(seed);
    let width = light.size.width as f64;
    let mut place =
        || (width * uniform(&mut random, 0.3, 0.7), width * uniform(&mut random, 0.3, 0.7));
    let (stain, scratch) = (place(), place());
    for (at, grey) in light.greys.iter_mut().enumerate() {
        let (x, y) = (at as f64 % width, (at as f64 / width).floor());
        if (x - stain.0).hypot(y - stain.1) < width * 0.05 {
            *grey = 25.0;
        }
        if (y - scratch.1 - 0.6 * (x - scratch.0)).abs() < 2.0
            && (x - scratch.0).abs() < width * 0.12
        {
            *grey = 240.0;
        }
    }
    light
}

struct Errors {
    shift_px: Vec<f64>,
    turn_deg: Vec<f64>,
}

impl Errors {
    fn at(values: &[f64], share: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[((sorted.len() - 1) as f64 * share) as usize]
    }

    fn print(&self, what: &str) {
        for (values, unit) in [(&self.shift_px, "px"), (&self.turn_deg, "deg")] {
            let [p50, p95, max] = [0.5, 0.95, 1.0].map(|share| Self::at(values, share));
            println!(
                "{what}: |error| {unit}: p50 {p50:.4} p95 {p95:.4} max {max:.4} of {}",
                values.len()
            );
        }
    }
}

fn errors(aligner: &mut Aligner, shape: Shape, size: SizePx, most_deg: f64, count: u64) -> Errors {
    let mut found = Errors { shift_px: Vec::new(), turn_deg: Vec::new() };
    for seed in 0..count {
        let mut random = random(seed + 100);
        let far = f64::from(size.width) / 512.0;
        let at = At {
            dx: uniform(&mut random, -20.0, 20.0) * far,
            dy: uniform(&mut random, -20.0, 20.0) * far,
            deg: uniform(&mut random, -most_deg, most_deg),
            scale: 1.0,
        };
        let (x_slope, y_slope) = (0.15 * normal(&mut random), 0.15 * normal(&mut random));
        let strength = uniform(&mut random, 0.8, 1.15);
        let light = damaged(part(size, shape, at, uniform(&mut random, 50.0, 75.0)), seed);
        let light = slanting(light, x_slope.clamp(-0.3, 0.3), y_slope.clamp(-0.3, 0.3));
        let seen = camera(&light.times(|_, _| strength), seed);
        if seed < 2 {
            seen.keep(&format!("align-{}-{seed}", size.width));
        }
        let pose = aligner.align(&seen.picture()).unwrap_or_else(|e| panic!("{seed} {at:?}: {e}"));
        found.shift_px.push((pose.dx_px - at.dx).hypot(pose.dy_px - at.dy));
        found.turn_deg.push((pose.angle_deg - at.deg + 540.0).rem_euclid(360.0) - 180.0);
    }
    found.turn_deg.iter_mut().for_each(|deg| *deg = deg.abs());
    found
}

#[test]
fn any_angle_is_found_to_a_tenth_of_a_degree() {
    let mut aligner = Aligner::new(&golden(bracket).picture(), &Options::default()).unwrap();
    let found = errors(&mut aligner, bracket, SIZE, 180.0, 60);
    found.print("bracket 512, any angle, lamp, noise, defects");
    assert!(Errors::at(&found.turn_deg, 1.0) <= 0.1);
    assert!(Errors::at(&found.shift_px, 1.0) <= 0.25);
}

#[test]
fn small_and_large_crops_are_aligned_too() {
    for width in [96, 200, 1024] {
        let size = SizePx::new(width, width);
        let golden = camera(&part(size, bracket, STRAIGHT, 60.0), 1);
        let mut aligner = Aligner::new(&golden.picture(), &Options::default()).unwrap();
        let found = errors(&mut aligner, bracket, size, 180.0, 8);
        found.print(&format!("bracket {width}"));
        assert!(Errors::at(&found.turn_deg, 1.0) <= if width < 100 { 0.3 } else { 0.1 });
        assert!(Errors::at(&found.shift_px, 1.0) <= 0.25);
    }
}

#[test]
fn a_part_known_by_its_fine_texture_alone_is_aligned() {
    let cloth: Shape = |x, y| Some(60.0 + 127.0 * speck((x / 18.0) as i64, (y / 15.0) as i64));
    for width in [256, 1024] {
        let size = SizePx::new(width, width);
        let golden = camera(&part(size, cloth, STRAIGHT, 60.0), 1);
        let options = Options { most_angle_deg: 10.0, ..Options::default() };
        let mut aligner = Aligner::new(&golden.picture(), &options).unwrap();
        let found = errors(&mut aligner, cloth, size, 10.0, 8);
        found.print(&format!("cloth {width}"));
        assert!(Errors::at(&found.turn_deg, 1.0) <= 0.1);
        assert!(Errors::at(&found.shift_px, 1.0) <= 0.25);
    }
}

#[test]
fn a_symmetric_part_is_refused_or_declared() {
    let golden = golden(plate);
    let refused = Aligner::new(&golden.picture(), &Options::default()).unwrap_err();
    let GoldenRefused::Ambiguous { other_deg, .. } = refused else { panic!("{refused}") };
    assert!((other_deg.abs() - 180.0).abs() < 1.0, "{other_deg}");

    let options = Options { symmetry: Symmetry::Order(2), ..Options::default() };
    let mut aligner = Aligner::new(&golden.picture(), &options).unwrap();
    for deg in [-170.0, -88.0, 10.0, 95.0, 179.0] {
        let seen = camera(&part(SIZE, plate, At { dx: 5.3, dy: -4.6, deg, scale: 1.0 }, 60.0), 7);
        let pose = aligner.align(&seen.picture()).unwrap();
        let error = (pose.angle_deg - deg + 90.0).rem_euclid(180.0) - 90.0;
        assert!(error.abs() < 0.1 && pose.angle_deg.abs() <= 90.0, "{deg}: {pose:?}");
        assert!((pose.dx_px - 5.3).hypot(pose.dy_px + 4.6) < 0.25, "{deg}: {pose:?}");
    }
    // Within a quarter of a turn it is not ambiguous.
    let options = Options { most_angle_deg: 60.0, ..Options::default() };
    Aligner::new(&golden.picture(), &options).unwrap();
}

#[test]
fn a_round_part_gives_its_shift_only() {
    let golden = golden(washer);
    let refused = Aligner::new(&golden.picture(), &Options::default()).unwrap_err();
    assert!(matches!(refused, GoldenRefused::Round { .. }), "{refused}");
    let options = Options { symmetry: Symmetry::Round, ..Options::default() };
    let mut aligner = Aligner::new(&golden.picture(), &options).unwrap();
    let seen =
        camera(&part(SIZE, washer, At { dx: -11.4, dy: 8.7, deg: 33.0, scale: 1.0 }, 60.0), 3);
    let pose = aligner.align(&seen.picture()).unwrap();
    assert!((pose.dx_px + 11.4).hypot(pose.dy_px - 8.7) < 0.1, "{pose:?}");
    assert_eq!((pose.angle_deg, pose.std_deg), (0.0, 0.0));
}

#[test]
fn scale_is_found_where_it_is_looked_for() {
    let options = Options { most_scale_percent: 8.0, ..Options::default() };
    let mut aligner = Aligner::new(&golden(bracket).picture(), &options).unwrap();
    for (scale, deg) in [(0.95, 40.0), (1.04, -130.0)] {
        let seen = camera(&part(SIZE, bracket, At { dx: 3.0, dy: 4.0, deg, scale }, 60.0), 3);
        let pose = aligner.align(&seen.picture()).unwrap();
        assert!((pose.scale - scale).abs() < 0.001, "{scale}: {pose:?}");
        assert!((pose.angle_deg - deg).abs() < 0.1, "{deg}: {pose:?}");
    }
}

#[test]
fn a_golden_sample_without_structure_is_refused() {
    let refused = |image: &Image| Aligner::new(&image.picture(), &Options::default()).unwrap_err();
    let plain = camera(&part(SIZE, |_, _| None, STRAIGHT, 60.0), 1);
    assert!(matches!(refused(&plain), GoldenRefused::NoStructure { .. }), "{}", refused(&plain));
    let one_way = refused(&golden(stripe));
    let GoldenRefused::OneWay { along_deg } = one_way else { panic!("{one_way}") };
    assert!(!(2.0..=178.0).contains(&along_deg), "{along_deg}");
    let small = Image { size: SizePx::new(20, 20), luma: vec![0; 400] };
    assert!(matches!(refused(&small), GoldenRefused::TooSmall { .. }));
    let outside = Options { part: Some(RectPx::new(500, 0, 50, 50)), ..Options::default() };
    let outside = Aligner::new(&golden(bracket).picture(), &outside).unwrap_err();
    assert!(matches!(outside, GoldenRefused::PartOutside { .. }));
    let wrong = Options { most_angle_deg: f64::NAN, ..Options::default() };
    let wrong = Aligner::new(&golden(bracket).picture(), &wrong).unwrap_err();
    assert!(matches!(wrong, GoldenRefused::Option { key: "most_angle_deg", .. }));
}

#[test]
fn another_part_is_not_aligned() {
    let mut aligner = Aligner::new(&golden(bracket).picture(), &Options::default()).unwrap();
    for (shape, name) in
        [(plate as Shape, "plate"), (washer, "washer"), (stripe, "stripe"), (|_, _| None, "belt")]
    {
        for deg in [0.0, 33.0, 150.0] {
            let seen = camera(&part(SIZE, shape, At { deg, ..STRAIGHT }, 60.0), 9);
            let refused = aligner.align(&seen.picture()).map(|pose| pose.confidence);
            assert!(
                matches!(refused, Err(NotAligned::OtherPart { .. } | NotAligned::Blank)),
                "{name} {deg}: {refused:?}"
            );
        }
    }
    let small = Image { size: SizePx::new(64, 64), luma: vec![0; 64 * 64] };
    assert!(matches!(aligner.align(&small.picture()), Err(NotAligned::WrongSize { .. })));
}

#[test]
fn a_part_turned_beyond_what_is_looked_for_is_said_to_be() {
    let options = Options { most_angle_deg: 10.0, ..Options::default() };
    let mut aligner = Aligner::new(&golden(bracket).picture(), &options).unwrap();
    let seen = camera(&part(SIZE, bracket, At { deg: 12.0, ..STRAIGHT }, 60.0), 9);
    let refused = aligner.align(&seen.picture()).unwrap_err();
    let NotAligned::TurnedTooFar { angle_deg, .. } = refused else { panic!("{refused}") };
    assert!((angle_deg - 12.0).abs() < 0.1);
}

#[test]
fn standard_errors_are_of_the_right_order() {
    let mut aligner = Aligner::new(&golden(bracket).picture(), &Options::default()).unwrap();
    let (mut far, mut said) = (0.0, 0.0);
    for seed in 0..20 {
        let light = part(SIZE, bracket, At { dx: 2.5, dy: -1.5, deg: 3.0, scale: 1.0 }, 60.0);
        let pose = aligner.align(&light.seen(6.0, 0.3, &mut random(seed)).picture()).unwrap();
        far += (pose.angle_deg - 3.0).powi(2);
        said += pose.std_deg.powi(2);
    }
    let ratio: f64 = f64::sqrt(far / said);
    println!("true error / stated standard error of the angle: {ratio:.2}");
    assert!((0.2..4.0).contains(&ratio), "{ratio}");
}

#[test]
fn a_part_set_upright_looks_like_the_golden_sample() {
    let golden = golden(bracket);
    let mut aligner = Aligner::new(&golden.picture(), &Options::default()).unwrap();
    let seen =
        camera(&part(SIZE, bracket, At { dx: 9.4, dy: -7.2, deg: 118.0, scale: 1.0 }, 60.0), 5);
    let pose = aligner.align(&seen.picture()).unwrap();
    let mut upright = Image { size: SIZE, luma: vec![0; 512 * 512] };
    upright_into(&seen.picture(), &pose, &mut upright.luma, 512);
    upright.keep("align-upright");
    // Over the part itself; what is outside the crop is not known.
    let differ = |other: &Image| {
        let inner = (100..412).flat_map(|y| (100..412).map(move |x| y * 512 + x));
        let far = inner.filter(|&at| golden.luma[at].abs_diff(other.luma[at]) > 40);
        far.count() as f64 / (312.0 * 312.0)
    };
    assert!(differ(&seen) > 0.2, "{}", differ(&seen));
    assert!(differ(&upright) < 0.01, "{}", differ(&upright));
    // And an upright part is left as it is.
    let mut same = vec![0; 512 * 512];
    upright_into(&golden.picture(), &Pose::UPRIGHT, &mut same, 512);
    assert_eq!(same, golden.luma);
}

#[test]
fn misalignment_is_a_defect_with_its_measure() {
    let pose = Pose { dx_px: 3.0, dy_px: 4.0, angle_deg: -2.5, ..Pose::UPRIGHT };
    let limits = Limits { angle_deg: Some(2.0), offset: Some(OffsetLimit::Mm(1.0)) };
    let found = limits.judge(&pose, Some(0.1)).unwrap();
    assert_eq!(
        found.to_string(),
        "misaligned: turned by -2.50° (±2 allowed), off by 5.00 px = 0.500 mm (1 mm allowed)"
    );
    assert!((found.excess - 1.25).abs() < 1e-12);
    let wide = Limits { angle_deg: Some(3.0), offset: Some(OffsetLimit::Px(6.0)) };
    assert_eq!(wide.judge(&pose, None), None);
    assert!(wide.judge(&pose.moved_by(5.0, 0.0), None).is_some());
    // A limit in millimetres without a scale cannot be met.
    assert!(limits.judge(&Pose::UPRIGHT, None).is_some());
}
