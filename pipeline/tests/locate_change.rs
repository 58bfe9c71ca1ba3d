//! A recipe that changes while the belt runs, and a locator that fails: no part is missed or
//! located twice, and each is stamped with what it was located by.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use domain::{
    CameraId, CaptureTime, CheckedRecipe, Frame, MonoTime, OwnedPixels, Part, PartCondition,
    PixelFormat, Pixels, Plane, Recipe, RectPx, SizePx,
};
use sightline_pipeline::clock::SimulatedClock;
use sightline_pipeline::limits::TAKE_OVER_FRAMES;
use sightline_pipeline::locate::{Given, Locator};
use sightline_pipeline::stage::Counters;

const SIZE: SizePx = SizePx::new(320, 240);
const SIDE: usize = 40;
const SPEED: usize = 4;
/// Nothing is on the belt before.
const EMPTY: u64 = 30;

/// Bright squares, so many pixels apart, on a dark belt that runs to the right.
struct Belt {
    apart: usize,
    parts: usize,
}

impl Belt {
    fn frames(&self) -> u64 {
        let way = self.apart * (self.parts - 1) + SIZE.width as usize + 2 * SIDE;
        EMPTY + (way / SPEED) as u64
    }

    fn frame(&self, number: u64) -> Frame {
        let (width, height) = (SIZE.width as usize, SIZE.height as usize);
        let mut data = vec![50; width * height];
        let moved = number.saturating_sub(EMPTY) as usize * SPEED;
        for part in 0..self.parts {
            let right = moved.saturating_sub(part * self.apart).min(width + SIDE);
            let left = right.saturating_sub(SIDE);
            (100..100 + SIDE).for_each(|y| {
                data[y * width + left.min(width)..y * width + right.min(width)].fill(200);
            });
        }
        frame_of(Arc::new(OwnedPixels::new(PixelFormat::Gray8, SIZE, vec![data]).unwrap()), number)
    }
}

fn frame_of(pixels: Arc<dyn Pixels>, number: u64) -> Frame {
    Frame {
        camera: CameraId::new("sim"),
        sequence: number,
        at: CaptureTime { mono: MonoTime::from_ns(number * 10_000_000), ..CaptureTime::default() },
        origin: None,
        pixels,
    }
}

fn recipe(name: &str, rest: &str) -> Arc<CheckedRecipe> {
    let text = format!("name='{name}'\nmodel='m'\nlimits={{reject_at=0.5}}\n{rest}");
    Arc::new(toml::from_str::<Recipe>(&text).unwrap().check().unwrap())
}

fn motion(name: &str, extra: &str) -> Arc<CheckedRecipe> {
    let rest = "[locate]\nkind='motion'\nlearn_frames=24\n";
    let areas = if extra.contains("area") { "" } else { "min_area_px=600\nmax_area_px=4000\n" };
    recipe(name, &format!("{rest}{areas}{extra}"))
}

fn locator(recipe: &Arc<CheckedRecipe>) -> (Locator, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    let clock = Arc::new(SimulatedClock::default());
    let (recipe, camera) = (Arc::clone(recipe), CameraId::new("sim"));
    let locator = Locator::new(recipe, camera, true, Arc::default(), clock, Arc::clone(&counters));
    (locator, counters)
}

fn parts(locator: &mut Locator) -> Vec<Part> {
    let part = |given| if let Given::Part(part) = given { Some(part) } else { None };
    locator.given().filter_map(part).collect()
}

/// Shows the belt to a locator; `before` is done before each frame.
fn run(
    belt: &Belt,
    first: &Arc<CheckedRecipe>,
    mut before: impl FnMut(u64, &mut Locator),
) -> Vec<Part> {
    let (mut locator, _) = locator(first);
    let mut found = Vec::new();
    for number in 0..belt.frames() {
        before(number, &mut locator);
        locator.see(belt.frame(number)).unwrap();
        found.extend(parts(&mut locator));
    }
    locator.end();
    found.extend(parts(&mut locator));
    found
}

fn places(parts: &[Part]) -> Vec<(u64, RectPx, PartCondition)> {
    let place = |part: &Part| {
        let view = &part.views[0];
        (view.frame.sequence, view.box_in_frame, part.condition.clone())
    };
    parts.iter().map(place).collect()
}

fn numbered_without_gaps(parts: &[Part]) -> bool {
    parts.iter().zip(1..).all(|(part, number)| part.id.0 == number)
}

fn count_of(parts: &[Part], name: &str) -> usize {
    parts.iter().filter(|part| part.recipe.as_written().name == name).count()
}

#[test]
fn ten_thousand_changes_of_limits_miss_no_part() {
    // A part every 31 frames: with an odd number of changes a frame, both are in force in turn.
    let belt = Belt { apart: 124, parts: 80 };
    let a = motion("a", "");
    let b = motion("b", "min_area_px=900\nmax_area_px=3000");
    let undisturbed = run(&belt, &a, |_, _| ());
    assert_eq!(undisturbed.len(), 80);
    let mut changes = 0;
    let each = 10_000_u64.div_ceil(belt.frames()) | 1;
    let changed = run(&belt, &a, |_, locator| {
        for _ in 0..each {
            locator.change(if changes % 2 == 0 { &b } else { &a }).unwrap();
            changes += 1;
        }
    });
    assert!(changes >= 10_000);
    assert_eq!(places(&changed), places(&undisturbed));
    assert!(numbered_without_gaps(&changed));
    let (by_a, by_b) = (count_of(&changed, "a"), count_of(&changed, "b"));
    assert!(by_a + by_b == 80 && by_a.min(by_b) > 0, "{by_a} and {by_b}");
}

#[test]
fn a_part_is_stamped_with_the_recipe_in_force_when_it_was_located() {
    let belt = Belt { apart: 400, parts: 4 };
    let (a, b) = (motion("a", ""), motion("b", "views=2"));
    let changed = run(&belt, &a, |number, locator| {
        if number == belt.frames() / 2 {
            locator.change(&b).unwrap();
        }
    });
    let views: Vec<_> =
        changed.iter().map(|p| (&*p.recipe.as_written().name, p.views.len())).collect();
    assert_eq!(views, [("a", 1), ("a", 1), ("b", 2), ("b", 2)]);
}

#[test]
fn a_recipe_that_sees_otherwise_learns_beside_the_one_in_force() {
    let belt = Belt { apart: 400, parts: 6 };
    for extra in ["contrast=40", "parts_are='brighter'", "differ_in='either'"] {
        let (a, b) = (motion("a", ""), motion("b", extra));
        let mut was_ready = true;
        let changed = run(&belt, &a, |number, locator| {
            if number == 300 {
                locator.change(&b).unwrap();
            }
            was_ready &= number < 30 || locator.is_ready();
        });
        assert!(was_ready, "the one before goes on");
        assert_eq!(changed.len(), 6, "{extra}: {:?}", places(&changed));
        assert!(changed.iter().all(|part| part.condition == PartCondition::Whole));
        assert!(numbered_without_gaps(&changed));
        let (by_a, by_b) = (count_of(&changed, "a"), count_of(&changed, "b"));
        assert!(by_a >= 2 && by_b >= 2, "{extra}: {by_a} and {by_b}");
    }
}

#[test]
fn another_region_takes_over_without_finding_a_part_twice() {
    let belt = Belt { apart: 400, parts: 6 };
    let (a, b) = (
        motion("a", ""),
        recipe(
            "b",
            "region={x=80,y=0,width=240,height=240}\n[locate]\n\
        kind='motion'\nlearn_frames=24\nmin_area_px=600\nmax_area_px=4000",
        ),
    );
    for at in (280..400).step_by(7) {
        let changed = run(&belt, &a, |number, locator| {
            if number == at {
                locator.change(&b).unwrap();
            }
        });
        assert_eq!(changed.len(), 6, "changed at {at}: {:?}", places(&changed));
        assert!(count_of(&changed, "b") >= 2);
    }
}

#[test]
fn on_a_belt_that_is_never_empty_parts_under_way_are_cut_but_none_is_missed() {
    // A part enters before the one ahead of it is located.
    let belt = Belt { apart: 120, parts: 20 };
    let (a, b) = (motion("a", ""), motion("b", "contrast=40"));
    let mut in_force = None;
    let changed = run(&belt, &a, |number, locator| {
        if number == 100 {
            locator.change(&b).unwrap();
        }
        if number > 100 && in_force.is_none() && !locator.stamps(&a) {
            in_force = Some(number);
        }
    });
    let in_force = in_force.unwrap();
    assert!(in_force <= 100 + 24 + u64::from(TAKE_OVER_FRAMES) + 1, "in force at {in_force}");
    assert_eq!(changed.len(), 20, "{:?}", places(&changed));
    let cut = changed.iter().filter(|part| part.condition == PartCondition::Cut).count();
    assert!(cut <= 2, "{:?}", places(&changed));
    assert!(count_of(&changed, "b") > 5 && numbered_without_gaps(&changed));
}

#[test]
fn a_change_back_before_the_other_has_learnt_is_no_change() {
    let belt = Belt { apart: 120, parts: 20 };
    let (a, b) = (motion("a", ""), motion("b", "contrast=40"));
    let undisturbed = places(&run(&belt, &a, |_, _| ()));
    let changed = run(&belt, &a, |number, locator| {
        locator.change(if number % 3 == 1 { &b } else { &a }).unwrap();
    });
    assert_eq!(places(&changed), undisturbed);
    assert_eq!(count_of(&changed, "a"), 20);
}

#[test]
fn a_belt_becomes_a_triggered_camera_and_back() {
    let belt = Belt { apart: 400, parts: 6 };
    let (a, each) = (motion("a", ""), recipe("each", "locate={kind='every-frame'}"));
    let changed = run(&belt, &a, |number, locator| match number {
        // Nothing is in view.
        225 => locator.change(&each).unwrap(),
        228 => locator.change(&a).unwrap(),
        _ => {}
    });
    // It goes on for as long as the belt is learnt.
    let by_each = count_of(&changed, "each");
    assert!((3..=30).contains(&by_each), "{by_each}");
    assert_eq!(count_of(&changed, "a"), 6, "{:?}", places(&changed));
}

#[test]
fn a_region_beside_the_picture_is_refused_and_the_recipe_stays() {
    let (mut locator, _) = locator(&motion("a", ""));
    locator.see(Belt { apart: 1, parts: 1 }.frame(0)).unwrap();
    let wrong = recipe("b", "region={x=300,y=0,width=100,height=9}\nlocate={kind='every-frame'}");
    let error = locator.change(&wrong).unwrap_err().to_string();
    assert!(error.contains("100x9 at (300, 0)"), "{error}");
    assert!(!locator.stamps(&wrong));
}

/// A camera's buffer that can't be read.
struct Torn;

impl Pixels for Torn {
    fn format(&self) -> PixelFormat {
        PixelFormat::Gray8
    }
    fn size(&self) -> SizePx {
        SIZE
    }
    fn plane(&self, _: usize) -> Plane<'_> {
        panic!("torn")
    }
}

#[test]
fn after_a_panic_parts_under_way_are_given_and_the_belt_is_learnt_anew() {
    let belt = Belt { apart: 400, parts: 6 };
    let (mut locator, counters) = locator(&motion("a", ""));
    let mut found = Vec::new();
    // A part has come in, and is not yet in the middle.
    let torn_at = EMPTY + 400 / SPEED as u64 + 20;
    for number in 0..belt.frames() {
        if number == torn_at {
            let frame = frame_of(Arc::new(Torn), number);
            assert!(catch_unwind(AssertUnwindSafe(|| locator.see(frame))).is_err());
            locator.restart();
            let given = parts(&mut locator);
            assert_eq!(given.len(), 1, "what was under way");
            assert!(!locator.is_ready());
            found.extend(given);
            continue;
        }
        locator.see(belt.frame(number)).unwrap();
        found.extend(parts(&mut locator));
        let wanted = number >= 23 && !(torn_at..torn_at + 24).contains(&number);
        assert_eq!(locator.is_ready(), wanted, "frame {number}");
    }
    assert!(numbered_without_gaps(&found));
    assert!((6..=7).contains(&found.len()), "{:?}", places(&found));
    assert_eq!(counters.snapshot().parts.triggered, found.len() as u64);
}
