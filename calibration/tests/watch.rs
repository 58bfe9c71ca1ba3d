//! What the watch sees of degradations of rising strength, against a line in order with natural
//! variation: area under the ROC curve, detections and false alarms at the default limits.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    reason = "a test"
)]

mod scene;

use std::sync::OnceLock;

use domain::{MonoTime, RectPx, SizePx};
use proptest::prelude::*;
use rand::{Rng, RngExt};
use scene::{At, Image, Light, bracket, normal, part, random, texture, uniform};
use sightline_calibration::watch::{
    Baseline, BaselineRefused, BaselineStudy, Cause, Landmark, Limits, Measures, Watch,
};

const SIZE: SizePx = SizePx::new(320, 240);
/// A fiducial in the upper left corner.
const PATCH: RectPx = RectPx::new(8, 8, 48, 48);
/// The belt's lower edge.
const EDGE: RectPx = RectPx::new(60, 200, 240, 36);
const FRAME_NS: u64 = 37_300_000;

/// The first of 60 pictures of parts on a belt, before lamp and noise; of two runs of the line.
fn scenes(count: usize, run: usize) -> &'static [Light] {
    static RUNS: [OnceLock<Vec<Light>>; 2] = [OnceLock::new(), OnceLock::new()];
    &RUNS[run - 1].get_or_init(|| drawn(60, run as u64))[..count]
}

fn drawn(count: u64, seed: u64) -> Vec<Light> {
    let mut random = random(seed);
    (0..count)
        .map(|index| {
            let at = At {
                dx: uniform(&mut random, -110.0, 110.0),
                dy: uniform(&mut random, -25.0, 25.0),
                deg: uniform(&mut random, -180.0, 180.0),
                scale: uniform(&mut random, 0.45, 0.55),
            };
            let (bright, there) = (uniform(&mut random, 0.85, 1.1), random.random_bool(0.8));
            let way = index as f64 * 31.0;
            let mut light = if there {
                part(SIZE, bracket, at, 90.0)
            } else {
                part(SIZE, |_, _| None, at, 90.0)
            };
            for (index, grey) in light.greys.iter_mut().enumerate() {
                let (x, y) =
                    ((index as u32 % SIZE.width) as f64, (index as u32 / SIZE.width) as f64);
                *grey = if *grey > 120.0 { *grey * bright } else { *grey };
                *grey += 2.0 * texture((x - way) / 4.0, y / 4.0);
                if y > 218.4 {
                    *grey = 35.0;
                }
                if x < 60.0 && y < 60.0 {
                    let ring = (x - 31.5).hypot(y - 31.5);
                    let cross = (x - 31.5).abs() < 3.0 || (y - 31.5).abs() < 3.0;
                    *grey = if ring < 18.0 && !cross { 150.0 } else { 45.0 };
                }
            }
            // The lens is never quite sharp.
            light.blurred(0.6)
        })
        .collect()
}

/// What is wrong with the line.
#[derive(Clone, Copy, Debug, Default)]
struct Wrong {
    defocus_px: f64,
    exposure_percent: f64,
    flicker_percent: f64,
    dirt_percent: f64,
    shift_px: f64,
}

/// A sample of the line: a scene, moved, dirty, out of focus, lit, seen.
fn sample(scene: &Light, wrong: Wrong, seconds: f64, random: &mut impl Rng) -> Image {
    let shift = wrong.shift_px;
    let mut light = if shift == 0.0 { scene.clone() } else { shifted(scene, shift) };
    if wrong.defocus_px > 0.0 {
        light = light.blurred(wrong.defocus_px);
    }
    // The lamp varies a little by itself.
    let mains = (std::f64::consts::TAU * 100.0 * seconds).sin() * wrong.flicker_percent / 100.0;
    let strength = (1.0 + wrong.exposure_percent / 100.0) * (1.0 + mains * 2.0_f64.sqrt());
    let strength = strength * (1.0 + 0.004 * normal(random));
    light
        .times(|x, y| {
            if wrong.dirt_percent == 0.0 {
                return strength * (1.0 - 0.15 * x);
            }
            let from_spot =
                (((x - 0.2) * 4.0 / 3.0).powi(2) + (y + 0.3).powi(2)) / 0.09_f64.powi(2);
            let near = if from_spot < 6.0 { (-from_spot.powi(2)).exp() } else { 0.0 };
            let dirt = wrong.dirt_percent / 100.0 * near;
            strength * (1.0 - 0.15 * x) * (1.0 - dirt)
        })
        .seen(1.5, 0.12, random)
}

/// Moved to the right and a third as far down.
fn shifted(scene: &Light, by: f64) -> Light {
    let (w, h) = (SIZE.width as i64, SIZE.height as i64);
    let at = |x: i64, y: i64| scene.greys[(y.clamp(0, h - 1) * w + x.clamp(0, w - 1)) as usize];
    let greys = (0..w * h).map(|index| {
        let (x, y) = ((index % w) as f64 - by, (index / w) as f64 - by / 3.0);
        let (left, top) = (x.floor(), y.floor());
        let (u, v) = (x - left, y - top);
        let pair = |y: i64| at(left as i64, y) * (1.0 - u) + at(left as i64 + 1, y) * u;
        pair(top as i64) * (1.0 - v) + pair(top as i64 + 1) * v
    });
    Light { size: SIZE, greys: greys.collect() }
}

fn baseline(scenes: &[Light], landmark: Landmark) -> Baseline {
    let mut study = BaselineStudy::new(SIZE, Some(landmark)).unwrap();
    let mut random = random(5);
    for scene in scenes {
        study.see(&sample(scene, Wrong::default(), 0.0, &mut random).picture()).unwrap();
    }
    study.finish().unwrap()
}

/// Samples after which an episode is judged.
const SAMPLES: u64 = 34;

/// What the watch says at the end of an episode.
fn episode(
    baseline: &Baseline,
    scenes: &[Light],
    wrong: Wrong,
    seed: u64,
) -> (Measures, Vec<Cause>) {
    let mut watch = Watch::new(baseline.clone(), Limits::default());
    let mut random = random(1000 + seed);
    let start = random.random_range(0..scenes.len());
    let mut said = (Measures::default(), Vec::new());
    for index in 0..SAMPLES {
        let at = MonoTime::from_ns((index + 1) * FRAME_NS);
        let scene = &scenes[(start + index as usize) % scenes.len()];
        let image = sample(scene, wrong, at.as_secs(), &mut random);
        if seed == 0 && index == 0 {
            image.keep(&format!("watch-{wrong:?}").replace([' ', ':', '{', '}', ','], ""));
        }
        let still = watch.see(&image.picture(), at).unwrap();
        said = (still.measures, still.causes.to_vec());
    }
    said
}

/// The chance that a bad episode scores higher than a good one.
fn auroc(bad: &[f64], good: &[f64]) -> f64 {
    let wins = bad.iter().flat_map(|bad| {
        good.iter().map(move |good| match bad.total_cmp(good) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
    });
    wins.sum::<f64>() / (bad.len() * good.len()) as f64
}

/// One kind of degradation: its strengths, its measure, its cause.
struct Kind {
    name: &'static str,
    levels: [f64; 4],
    wrong: fn(f64) -> Wrong,
    score: fn(&Measures) -> f64,
    is: fn(&Cause) -> bool,
}

const KINDS: [Kind; 6] = [
    Kind {
        name: "defocus, px (sigma)",
        levels: [0.3, 0.5, 0.8, 1.2],
        wrong: |defocus_px| Wrong { defocus_px, ..CLEAN },
        score: |m| -m.sharpness.unwrap_or(1.0),
        is: |cause| matches!(cause, Cause::Blurred { .. }),
    },
    Kind {
        name: "darker, %",
        levels: [2.0, 5.0, 10.0, 20.0],
        wrong: |percent| Wrong { exposure_percent: -percent, ..CLEAN },
        score: |m| (m.brightness.unwrap_or(1.0) - 1.0).abs(),
        is: |cause| matches!(cause, Cause::Brightness { change_percent: c, .. } if *c < 0.0),
    },
    Kind {
        name: "brighter, %",
        levels: [2.0, 5.0, 10.0, 20.0],
        wrong: |exposure_percent| Wrong { exposure_percent, ..CLEAN },
        score: |m| (m.brightness.unwrap_or(1.0) - 1.0).abs(),
        is: |cause| matches!(cause, Cause::Brightness { change_percent: c, .. } if *c > 0.0),
    },
    Kind {
        name: "flicker, % (std)",
        levels: [0.5, 1.0, 2.5, 5.0],
        wrong: |flicker_percent| Wrong { flicker_percent, ..CLEAN },
        score: |m| m.flicker_percent.unwrap_or(0.0),
        is: |cause| matches!(cause, Cause::Flickers { .. }),
    },
    Kind {
        name: "dirt, %",
        levels: [2.0, 4.0, 8.0, 16.0],
        wrong: |dirt_percent| Wrong { dirt_percent, ..CLEAN },
        score: |m| m.spot_percent.unwrap_or(0.0).abs(),
        is: |cause| matches!(cause, Cause::Dirt { .. }),
    },
    Kind {
        name: "shift, px",
        levels: [0.2, 0.7, 2.0, 5.0],
        wrong: |shift_px| Wrong { shift_px, ..CLEAN },
        score: |m| m.drift_px.map_or(0.0, |(dx, dy)| dx.hypot(dy)),
        is: |cause| matches!(cause, Cause::Moved { .. } | Cause::LandmarkLost { .. }),
    },
];

const CLEAN: Wrong = Wrong {
    defocus_px: 0.0,
    exposure_percent: 0.0,
    flicker_percent: 0.0,
    dirt_percent: 0.0,
    shift_px: 0.0,
};

#[test]
fn degradations_are_told_from_natural_variation() {
    let baseline = baseline(scenes(60, 1), Landmark::Patch(PATCH));
    let scenes = scenes(60, 2);
    let good: Vec<_> = (0..20).map(|seed| episode(&baseline, scenes, CLEAN, seed)).collect();
    let alarms = good.iter().filter(|(_, causes)| !causes.is_empty()).count();
    println!("clean: {alarms} false alarms in {} episodes of {SAMPLES} samples", good.len());
    println!("| degradation | strength | AUROC | found at the default limit |\n|---|---|---|---|");
    assert_eq!(alarms, 0, "{:?}", good.iter().find(|(_, causes)| !causes.is_empty()));
    for kind in &KINDS {
        let scores: Vec<f64> = good.iter().map(|(measures, _)| (kind.score)(measures)).collect();
        for (index, level) in kind.levels.into_iter().enumerate() {
            let bad: Vec<_> = (0..4)
                .map(|seed| {
                    episode(&baseline, scenes, (kind.wrong)(level), 100 * (index as u64) + seed)
                })
                .collect();
            let bad_scores: Vec<f64> = bad.iter().map(|(m, _)| (kind.score)(m)).collect();
            let found = bad.iter().filter(|(_, causes)| causes.iter().any(kind.is)).count();
            let area = auroc(&bad_scores, &scores);
            println!("| {} | {level} | {area:.3} | {found} of {} |", kind.name, bad.len());
            if index >= 2 {
                assert!(area > 0.99, "{} {level}: {area}", kind.name);
                assert_eq!(found, bad.len(), "{} {level}", kind.name);
            }
            if index == 0 {
                assert_eq!(found, 0, "{} {level} is within the limit", kind.name);
            }
        }
    }
}

#[test]
fn sharpness_does_not_depend_on_the_light() {
    let baseline = baseline(scenes(30, 1), Landmark::Patch(PATCH));
    let wrong = Wrong { exposure_percent: -30.0, ..CLEAN };
    let (measures, causes) = episode(&baseline, scenes(30, 2), wrong, 3);
    assert!((measures.sharpness.unwrap() - 1.0).abs() < 0.1, "{measures:?}");
    assert!(!causes.iter().any(|cause| matches!(cause, Cause::Blurred { .. })), "{causes:?}");
}

#[test]
fn flicker_names_the_mains() {
    let baseline = baseline(scenes(30, 1), Landmark::Patch(PATCH));
    let wrong = Wrong { flicker_percent: 4.0, ..CLEAN };
    let (_, causes) = episode(&baseline, scenes(30, 2), wrong, 3);
    let words = causes.iter().map(Cause::to_string).collect::<Vec<_>>().join("; ");
    assert!(words.contains("follows the mains at 100 Hz"), "{words}");
}

#[test]
fn dirt_is_named_with_its_place() {
    let baseline = baseline(scenes(40, 1), Landmark::Patch(PATCH));
    let wrong = Wrong { dirt_percent: 15.0, ..CLEAN };
    let (_, causes) = episode(&baseline, scenes(40, 2), wrong, 3);
    let at = causes.iter().find_map(|cause| match cause {
        Cause::Dirt { at, percent, .. } if *percent < 0.0 => Some(*at),
        _ => None,
    });
    let middle = at.unwrap_or_else(|| panic!("{causes:?}")).centre();
    assert!((middle.x - 192.0).hypot(middle.y - 84.0) < 14.0, "{middle:?}");
}

#[test]
fn an_edge_is_followed_to_a_fraction_of_a_pixel() {
    // Whether somebody says that it is one or only points at it.
    for landmark in [Landmark::LevelEdge(EDGE), Landmark::Patch(EDGE)] {
        let baseline = baseline(scenes(30, 1), landmark);
        for shift in [0.0, 1.5, 6.0] {
            let wrong = Wrong { shift_px: shift, ..CLEAN };
            let (measures, causes) = episode(&baseline, scenes(30, 2), wrong, 3);
            let (dx, dy) = measures.drift_px.unwrap();
            assert!(dx == 0.0 && (dy - shift / 3.0).abs() < 0.1, "{landmark:?} {shift}: {dy}");
            assert_eq!(causes.iter().any(|c| matches!(c, Cause::Moved { .. })), shift == 6.0);
        }
    }
}

#[test]
fn a_patch_is_followed_to_a_fraction_of_a_pixel() {
    let baseline = baseline(scenes(30, 1), Landmark::Patch(PATCH));
    let wrong = Wrong { shift_px: 3.3, ..CLEAN };
    let (measures, _) = episode(&baseline, scenes(30, 2), wrong, 3);
    let (dx, dy) = measures.drift_px.unwrap();
    assert!((dx - 3.3).hypot(dy - 1.1) < 0.1, "{dx} {dy}");
}

#[test]
fn one_odd_sample_changes_nothing_and_a_cause_goes_when_mended() {
    let scenes = scenes(40, 1);
    let baseline = baseline(scenes, Landmark::Patch(PATCH));
    let mut watch = Watch::new(baseline, Limits { mm_per_px: Some(0.05), ..Limits::default() });
    let mut random = random(9);
    let mut index = 0;
    let mut see = |wrong: Wrong, count: usize| {
        let mut causes = Vec::new();
        for _ in 0..count {
            index += 1;
            let at = MonoTime::from_ns(index * FRAME_NS);
            let image = sample(&scenes[index as usize % 40], wrong, 0.0, &mut random);
            causes = watch.see(&image.picture(), at).unwrap().causes.to_vec();
        }
        causes
    };
    assert_eq!(see(CLEAN, 20), []);
    let all_wrong = Wrong {
        defocus_px: 2.0,
        exposure_percent: 40.0,
        shift_px: 8.0,
        dirt_percent: 50.0,
        flicker_percent: 0.0,
    };
    assert_eq!(see(all_wrong, 1), [], "one odd sample");
    assert_eq!(see(CLEAN, 20), []);
    let moved = see(Wrong { shift_px: 4.0, ..CLEAN }, 20);
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert!(moved[0].to_string().contains("px = 0.2"), "{}", moved[0]);
    // A little back is not enough: it stays until it is well within.
    let still = see(Wrong { shift_px: 1.33, ..CLEAN }, 20);
    assert!(matches!(still[..], [Cause::Moved { moved_px, .. }] if moved_px < 1.5), "{still:?}");
    assert_eq!(see(CLEAN, 20), []);
}

#[test]
fn a_hidden_landmark_is_said_to_be_lost() {
    let scenes = scenes(30, 1);
    let baseline = baseline(scenes, Landmark::Patch(PATCH));
    let mut watch = Watch::new(baseline, Limits::default());
    let mut random = random(9);
    for index in 0..20_u64 {
        let mut image = sample(&scenes[index as usize], CLEAN, 0.0, &mut random);
        for y in 0..70 {
            image.luma[y * 320..][..70].fill(90);
        }
        let still = watch.see(&image.picture(), MonoTime::from_ns(index * FRAME_NS)).unwrap();
        assert_eq!(still.settled, index >= 14);
        let lost = still.causes.iter().any(|c| matches!(c, Cause::LandmarkLost { seen: 0, .. }));
        assert_eq!(lost, index >= 14, "{index}");
    }
    watch.restart();
    let image = sample(&scenes[0], CLEAN, 0.0, &mut random);
    assert!(watch.see(&image.picture(), MonoTime::from_ns(1)).unwrap().holds());
    let small = Image { size: SizePx::new(64, 64), luma: vec![0; 4096] };
    assert!(watch.see(&small.picture(), MonoTime::from_ns(2)).is_err());
}

#[test]
fn a_line_out_of_order_gives_no_baseline() {
    let scenes = scenes(24, 1);
    let mut random = random(3);
    let mut finish = |wrong: Wrong, landmark, count: usize| {
        let mut study = BaselineStudy::new(SIZE, landmark)?;
        for (index, scene) in scenes.iter().take(count).enumerate() {
            let image = sample(scene, wrong, index as f64 * 0.0373, &mut random);
            study.see(&image.picture())?;
        }
        study.finish()
    };
    let few = finish(CLEAN, None, 10).unwrap_err();
    assert_eq!(few, BaselineRefused::TooFew { got: 10, needed: 20 });
    let flicker = finish(Wrong { flicker_percent: 8.0, ..CLEAN }, None, 24).unwrap_err();
    assert!(matches!(flicker, BaselineRefused::Flickers { .. }), "{flicker}");
    let plain = RectPx::new(70, 10, 40, 40);
    let landmark = finish(CLEAN, Some(Landmark::Patch(plain)), 24).unwrap_err();
    assert!(landmark.to_string().contains("no structure"), "{landmark}");
    let edge =
        finish(CLEAN, Some(Landmark::UprightEdge(RectPx::new(70, 0, 200, 40))), 24).unwrap_err();
    assert!(edge.to_string().contains("straight edge"), "{edge}");
    let outside =
        finish(CLEAN, Some(Landmark::Patch(RectPx::new(300, 0, 48, 48))), 24).unwrap_err();
    assert!(matches!(outside, BaselineRefused::Landmark { .. }), "{outside}");
}

#[test]
fn bytes_give_the_baseline_back() {
    let scenes = scenes(24, 1);
    for landmark in [Landmark::Patch(PATCH), Landmark::LevelEdge(EDGE)] {
        let baseline = baseline(scenes, landmark);
        assert!(
            baseline.has_sharpness() && baseline.watched_share() > 0.4,
            "{}",
            baseline.watched_share()
        );
        let bytes = baseline.to_bytes();
        assert_eq!(Baseline::from_bytes(&bytes).unwrap(), baseline);
        assert!(Baseline::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        assert!(Baseline::from_bytes(&[&bytes[..], &[1]].concat()).is_err());
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(
        good_start in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let start: &[u8] = if good_start { b"SLWATC01\x40\0\0\0\x40\0\0\0" } else { b"" };
        let _ = Baseline::from_bytes(&[start, &bytes].concat());
    }
}
