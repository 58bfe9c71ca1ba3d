//! Motion on simulated belts: every part that passes is located, once, and said to be what it is.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::sync::Arc;

use domain::{
    CameraId, CaptureTime, CheckedRecipe, Frame, MonoTime, OwnedPixels, Part, PartCondition,
    PixelFormat, Recipe, RectPx, SizePx,
};
use sightline_pipeline::clock::SimulatedClock;
use sightline_pipeline::locate::{Given, Locator};
use sightline_pipeline::stage::Counters;
use testdata::{Scene, SceneConfig, Spacing, TruthPart};

const SIZE: SizePx = SizePx::new(640, 480);

fn config() -> SceneConfig {
    SceneConfig { parts: 24, size: SIZE, seed: 3, ..SceneConfig::default() }
}

fn locate(scene: &Scene, extra: &str) -> (Vec<Part>, Arc<Counters>) {
    locate_in((0..scene.frames()).map(|number| frame(scene, number)), extra)
}

fn locate_in(frames: impl Iterator<Item = Frame>, extra: &str) -> (Vec<Part>, Arc<Counters>) {
    let text = format!(
        "name = 's'\nmodel = 'm'\nlimits = {{ reject_at = 0.5 }}\n\
         view = {{ crop_px = {{ width = 128, height = 128 }} }}\n[locate]\nkind = 'motion'\n\
         min_area_px = 2300\nmax_area_px = 8700\nparts_are = 'brighter'\n{extra}"
    );
    let recipe = Arc::new(toml::from_str::<Recipe>(&text).unwrap().check().unwrap());
    let counters = Arc::new(Counters::default());
    let clock = Arc::new(SimulatedClock::default());
    let mut locator = locator_of(recipe, clock, Arc::clone(&counters));
    let mut parts = Vec::new();
    for frame in frames {
        locator.see(frame).unwrap();
        parts.extend(locator.given().filter_map(part_of));
    }
    locator.end();
    parts.extend(locator.given().filter_map(part_of));
    (parts, counters)
}

fn locator_of(
    recipe: Arc<CheckedRecipe>,
    clock: Arc<SimulatedClock>,
    counters: Arc<Counters>,
) -> Locator {
    Locator::new(recipe, CameraId::new("sim"), false, Arc::default(), clock, counters)
}

fn part_of(given: Given) -> Option<Part> {
    match given {
        Given::Part(part) => Some(part),
        _ => None,
    }
}

fn frame(scene: &Scene, number: u64) -> Frame {
    frame_of(scene.render(number), number)
}

fn frame_of(pixels: OwnedPixels, number: u64) -> Frame {
    Frame {
        camera: CameraId::new("sim"),
        sequence: number,
        at: CaptureTime { mono: MonoTime::from_ns(number * 16_666_667), ..CaptureTime::default() },
        origin: None,
        pixels: Arc::new(pixels),
    }
}

fn overlap(truth: &TruthPart, part: &Part) -> f64 {
    let view = &part.views[0];
    let at = truth.visible_at(view.frame.sequence, SIZE);
    at.map_or(0.0, |at: RectPx| at.iou(&view.box_in_frame))
}

/// Each part of the truth with the located part that overlaps it most.
fn matched<'a>(scene: &'a Scene, parts: &'a [Part]) -> Vec<(&'a TruthPart, Option<&'a Part>)> {
    let best = |truth: &TruthPart| {
        let by = |part: &&Part| (overlap(truth, part) * 1e6) as u64;
        parts.iter().max_by_key(by).filter(|part| overlap(truth, part) > 0.3)
    };
    scene.truth().parts.iter().map(|truth| (truth, best(truth))).collect()
}

fn every_part_is_located_once(config: &SceneConfig) {
    let scene = Scene::new(config).unwrap();
    let (parts, counters) = locate(&scene, "");
    assert_eq!(parts.len(), scene.truth().parts.len(), "{config:?}: {:?}", counters.events());
    for (truth, part) in matched(&scene, &parts) {
        let part = part.unwrap_or_else(|| panic!("{config:?}: part {} is lost", truth.part));
        assert_eq!(part.condition, PartCondition::Whole, "part {}", truth.part);
        assert!(overlap(truth, part) > 0.6, "part {}: {}", truth.part, overlap(truth, part));
    }
}

#[test]
fn every_part_is_located_once_at_regular_distances() {
    every_part_is_located_once(&config());
}

#[test]
fn every_part_is_located_once_though_the_belt_halts() {
    let spacing = Spacing::Irregular;
    every_part_is_located_once(&SceneConfig { spacing, stops: 3, ..config() });
}

#[test]
fn every_part_is_located_once_in_colour_and_mosaic() {
    for format in [PixelFormat::Nv12, PixelFormat::BayerRggb8, PixelFormat::Rgb8] {
        every_part_is_located_once(&SceneConfig { format, parts: 8, ..config() });
    }
}

#[test]
fn the_view_is_the_frame_nearest_the_middle() {
    let scene = Scene::new(&config()).unwrap();
    let (parts, _) = locate(&scene, "");
    for (truth, part) in matched(&scene, &parts) {
        let frame = part.unwrap().views[0].frame.sequence;
        assert!(frame.abs_diff(truth.centre_frame) <= 1, "part {}", truth.part);
    }
}

#[test]
fn parts_over_the_border_are_cut_and_none_is_lost() {
    let scene = Scene::new(&SceneConfig { edge_rate: 0.4, ..config() }).unwrap();
    let (parts, counters) = locate(&scene, "");
    let mut cut = 0;
    for (truth, part) in matched(&scene, &parts) {
        let part = part.unwrap_or_else(|| panic!("part {} is lost", truth.part));
        assert_eq!(part.condition == PartCondition::Whole, truth.whole, "part {}", truth.part);
        cut += u64::from(!truth.whole);
    }
    assert!(cut > 0, "the scene has parts over the border");
    assert_eq!(counters.events().get("part_cut"), Some(&cut));
}

#[test]
fn parts_that_touch_are_called_merged() {
    let scene = Scene::new(&SceneConfig { touching_rate: 0.3, ..config() }).unwrap();
    let (parts, _) = locate(&scene, "");
    let covered = |truth: &TruthPart| {
        parts.iter().any(|part| {
            let view = &part.views[0];
            let at = truth.visible_at(view.frame.sequence, SIZE);
            at.and_then(|at| Some(at.intersection(&view.box_in_frame)?.area() * 2 > at.area()))
                .unwrap_or(false)
        })
    };
    let merged = |part: &&Part| matches!(part.condition, PartCondition::Merged { .. });
    assert!(parts.iter().filter(merged).count() > 0, "the scene has parts that touch");
    for truth in &scene.truth().parts {
        assert!(covered(truth), "part {} is in no view", truth.part);
    }
}

#[test]
fn an_empty_belt_has_no_parts() {
    let scene = Scene::new(&SceneConfig { parts: 0, ..config() }).unwrap();
    let (parts, counters) = locate(&scene, "");
    assert!(parts.is_empty(), "{:?}", counters.events());
}

#[test]
fn several_views_are_spread_along_the_way() {
    let scene = Scene::new(&SceneConfig { parts: 6, ..config() }).unwrap();
    let (parts, _) = locate(&scene, "views = 3");
    assert_eq!(parts.len(), 6);
    for part in &parts {
        let xs: Vec<u32> = part.views.iter().map(|view| view.box_in_frame.x).collect();
        assert!(xs.len() == 3 && xs[0] < xs[1] && xs[1] < xs[2], "{xs:?}");
    }
}

#[test]
fn speed_and_direction_are_those_of_the_belt() {
    let scene = Scene::new(&config()).unwrap();
    let (parts, _) = locate(&scene, "");
    let wanted = scene.config().speed_px() * 60.0;
    for part in &parts {
        let velocity = part.motion.unwrap().velocity_px_per_s;
        assert!((velocity.x / wanted - 1.0).abs() < 0.1, "{velocity:?}, wanted {wanted}");
        assert!(velocity.y.abs() < 0.1 * wanted, "{velocity:?}");
    }
}

/// A belt of one brightness that suddenly is another, and a bright square that comes later.
#[test]
fn a_lamp_that_changes_is_learnt_and_parts_are_found_again() {
    let frames = (0..260_u64).map(|number| {
        let belt = if number < 60 { 50 } else { 120 };
        let mut data = vec![belt; 640 * 480];
        if let Some(left) = number.checked_sub(180).map(|n| n as usize * 12).filter(|x| *x < 560) {
            (200..280).for_each(|y| data[y * 640 + left..y * 640 + left + 80].fill(220));
        }
        frame_of(OwnedPixels::new(PixelFormat::Gray8, SIZE, vec![data]).unwrap(), number)
    });
    let (parts, counters) = locate_in(frames, "");
    assert_eq!(counters.events().get("background_relearnt"), Some(&1));
    let whole = parts.iter().filter(|part| part.condition == PartCondition::Whole).count();
    assert_eq!(whole, 1, "{:?}", counters.events());
}

#[test]
fn a_region_beside_the_picture_is_refused() {
    let text = "name='s'\nmodel='m'\nregion={x=600,y=0,width=100,height=100}\n\
                locate={kind='every-frame'}\nlimits={reject_at=0.5}";
    let recipe = Arc::new(toml::from_str::<Recipe>(text).unwrap().check().unwrap());
    let clock = Arc::new(SimulatedClock::default());
    let mut locator = locator_of(recipe, clock, Arc::default());
    let scene = Scene::new(&SceneConfig { parts: 0, ..config() }).unwrap();
    let error = locator.see(frame(&scene, 0)).unwrap_err().to_string();
    assert!(error.contains("100x100 at (600, 0)") && error.contains("640x480"), "{error}");
}

#[test]
fn a_belt_whose_frames_change_their_size_is_refused() {
    let gray = |width: u32| {
        let data = vec![50; width as usize * 480];
        OwnedPixels::new(PixelFormat::Gray8, SizePx::new(width, 480), vec![data]).unwrap()
    };
    let text = "name='s'\nmodel='m'\nlimits={reject_at=0.5}\n\
                locate={kind='motion',min_area_px=10,max_area_px=20}";
    let recipe = Arc::new(toml::from_str::<Recipe>(text).unwrap().check().unwrap());
    let clock = Arc::new(SimulatedClock::default());
    let mut locator = locator_of(recipe, clock, Arc::default());
    assert!(locator.see(frame_of(gray(640), 0)).is_ok());
    let error = locator.see(frame_of(gray(320), 1)).unwrap_err().to_string();
    assert!(error.contains("320x480") && error.contains("640x480"), "{error}");
}
