//! A belt of which frames are lost: every part that passes is located, once, however many frames
//! in a row are missing, as long as it is in view in a few.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, LazyLock};

use domain::{CameraId, CaptureTime, Frame, MonoTime, Part, Pixels, Recipe, RectPx, SizePx};
use proptest::prelude::*;
use sightline_pipeline::clock::SimulatedClock;
use sightline_pipeline::locate::{Given, Locator};
use testdata::{Scene, SceneConfig, Spacing, Truth};

const SIZE: SizePx = SizePx::new(640, 480);
const FRAME_NS: u64 = 16_666_667;

struct Footage {
    truth: Truth,
    frames: Vec<Arc<dyn Pixels>>,
}

impl Footage {
    fn new(config: &SceneConfig) -> Self {
        let scene = Scene::new(config).unwrap();
        let frames = (0..scene.frames()).map(|at| Arc::new(scene.render(at)) as Arc<dyn Pixels>);
        Self { frames: frames.collect(), truth: scene.truth().clone() }
    }

    fn frame(&self, number: u64, at: MonoTime) -> Frame {
        Frame {
            camera: CameraId::new("sim"),
            sequence: number,
            at: CaptureTime { mono: at, ..CaptureTime::default() },
            origin: None,
            pixels: Arc::clone(&self.frames[usize::try_from(number).unwrap()]),
        }
    }

    /// Frames of which `lost[i]` are lost before number i comes, where it does.
    fn parts(&self, lost: &[u64]) -> Vec<Part> {
        let mut number = 0;
        let numbers = lost.iter().map(|lost| {
            let next = number + lost;
            number = next + 1;
            next
        });
        let numbers = numbers.take_while(|number| *number < self.frames.len() as u64);
        let stamp = |number: u64| MonoTime::from_ns(number * FRAME_NS);
        located(numbers.map(|number| self.frame(number, stamp(number))))
    }

    /// Which part of the truth each of `parts` is.
    fn who(&self, parts: &[Part]) -> Vec<u64> {
        let who = |part: &Part| {
            let view = &part.views[0];
            let overlap = |truth: &&testdata::TruthPart| {
                let at = truth.visible_at(view.frame.sequence, SIZE);
                at.map_or(0, |at: RectPx| {
                    at.intersection(&view.box_in_frame).map_or(0, |both| both.area())
                })
            };
            self.truth.parts.iter().max_by_key(overlap).map_or(0, |truth| truth.part)
        };
        let mut who: Vec<u64> = parts.iter().map(who).collect();
        who.sort_unstable();
        who
    }

    fn everyone(&self) -> Vec<u64> {
        self.truth.parts.iter().map(|truth| truth.part).collect()
    }
}

fn located(frames: impl Iterator<Item = Frame>) -> Vec<Part> {
    let text = "name = 's'\nmodel = 'm'\nlimits = { reject_at = 0.5 }\n[locate]\nkind = 'motion'\n\
                min_area_px = 2300\nmax_area_px = 8700\nparts_are = 'brighter'";
    let recipe = Arc::new(toml::from_str::<Recipe>(text).unwrap().check().unwrap());
    let clock = Arc::new(SimulatedClock::default());
    let (camera, no) = (CameraId::new("sim"), Arc::default());
    let mut locator = Locator::new(recipe, camera, false, no, clock, Arc::default());
    let mut parts = Vec::new();
    let part = |given| match given {
        Given::Part(part) => Some(part),
        _ => None,
    };
    for frame in frames {
        locator.see(frame).unwrap();
        parts.extend(locator.given().filter_map(part));
    }
    locator.end();
    parts.extend(locator.given().filter_map(part));
    parts
}

/// Parts of [`HALTING`] that are through before the belt halts for the first time.
const BEFORE_THE_HALT: usize = 9;

fn config() -> SceneConfig {
    SceneConfig { parts: 16, size: SIZE, seed: 5, ..SceneConfig::default() }
}

static STEADY: LazyLock<Footage> = LazyLock::new(|| Footage::new(&config()));
static HALTING: LazyLock<Footage> = LazyLock::new(|| {
    Footage::new(&SceneConfig { spacing: Spacing::Irregular, stops: 2, ..config() })
});

/// Up to `longest` frames lost in a row, at so many places in a hundred.
fn losses(per_cent: u32, longest: u64) -> impl Strategy<Value = Vec<u64>> {
    let one = prop_oneof![100 - per_cent => Just(0), per_cent => 1..=longest];
    prop::collection::vec(one, STEADY.frames.len().max(HALTING.frames.len()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_part_is_located_once_though_frames_are_lost(
        few in losses(5, 4), many in losses(20, 4),
    ) {
        for lost in [few, many] {
            prop_assert_eq!(STEADY.who(&STEADY.parts(&lost)), STEADY.everyone());
        }
    }

    /// Where the belt starts again while no frame comes, nobody knows how far it went: a part may
    /// be taken for its neighbour, and that one looked at twice; there are never fewer than there
    /// were parts, and those that passed before the first halt are each there once.
    #[test]
    fn no_part_is_missed_though_frames_are_lost_and_the_belt_halts(lost in losses(10, 4)) {
        let who = HALTING.who(&HALTING.parts(&lost));
        prop_assert!(who.len() >= HALTING.everyone().len(), "{:?}", who);
        prop_assert_eq!(&who[..BEFORE_THE_HALT], &HALTING.everyone()[..BEFORE_THE_HALT]);
    }

    #[test]
    fn no_part_is_located_twice_though_whole_passages_are_lost(lost in losses(5, 90)) {
        let mut who = STEADY.who(&STEADY.parts(&lost));
        let all = who.len();
        who.dedup();
        prop_assert_eq!(who.len(), all);
    }
}

#[test]
fn a_camera_that_was_away_and_counts_on_is_not_taken_for_a_frame_s_time() {
    let (numbers, away) = (0..STEADY.frames.len() as u64, 60..150);
    let counted = |number: u64| number - number.saturating_sub(away.start).min(90);
    let frames = numbers.filter(|number| !away.contains(number)).map(|number| {
        let at = MonoTime::from_ns(number * FRAME_NS);
        Frame { sequence: counted(number), ..STEADY.frame(number, at) }
    });
    let seen = |truth: &&testdata::TruthPart| {
        truth.exit_frame < away.start || truth.entry_frame >= away.end
    };
    let parts = located(frames);
    assert!(parts.len() >= STEADY.truth.parts.iter().filter(seen).count(), "{}", parts.len());
}
