//! Once it has learnt the belt and seen a few parts, locate takes memory for a part only when it
//! hands it on; a frame costs none.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::sync::Arc;

use allocation_counter::measure;
use domain::{CameraId, CaptureTime, Frame, MonoTime, PixelFormat, Pixels, Plane, Recipe, SizePx};
use sightline_pipeline::clock::SimulatedClock;
use sightline_pipeline::locate::{Given, Locator};
use sightline_pipeline::plc::FieldInput;
use testdata::{Scene, SceneConfig};

/// A camera's buffer: unlike the simulator's pixels it says where its planes are without
/// allocating.
struct Buffer {
    size: SizePx,
    data: Vec<u8>,
}

impl Pixels for Buffer {
    fn format(&self) -> PixelFormat {
        PixelFormat::Gray8
    }
    fn size(&self) -> SizePx {
        self.size
    }
    fn plane(&self, _: usize) -> Plane<'_> {
        let row_bytes = self.size.width as usize;
        let rows = self.size.height as usize;
        Plane { data: &self.data, stride: row_bytes, row_bytes, rows }
    }
}

fn buffer(scene: &Scene, number: u64) -> Arc<dyn Pixels> {
    let pixels = scene.render(number);
    let plane = pixels.plane(0);
    let data = (0..plane.rows).flat_map(|y| plane.row(y)).copied().collect();
    Arc::new(Buffer { size: pixels.size(), data })
}

fn locator(locate: &str) -> Locator {
    let text = format!("name='s'\nmodel='m'\nlimits={{reject_at=0.5}}\nlocate={locate}");
    let recipe = Arc::new(toml::from_str::<Recipe>(&text).unwrap().check().unwrap());
    let clock = Arc::new(SimulatedClock::default());
    Locator::new(recipe, CameraId::new("sim"), true, Arc::default(), clock, Arc::default())
}

/// What one frame cost, and how many parts were handed on.
struct Cost {
    allocations: u64,
    parts: usize,
}

fn cost_of(locator: &mut Locator, pixels: &Arc<dyn Pixels>, number: u64) -> Cost {
    let frame = Frame {
        camera: CameraId::new("sim"),
        sequence: number,
        at: CaptureTime { mono: MonoTime::from_ns(number * 16_666_667), ..CaptureTime::default() },
        origin: None,
        pixels: Arc::clone(pixels),
    };
    let mut parts = 0;
    let taken = measure(|| {
        locator.see(frame).unwrap();
        parts = locator.given().filter(|given| matches!(given, Given::Part(_))).count();
    });
    Cost { allocations: taken.count_total, parts }
}

#[test]
fn a_frame_costs_no_memory_with_or_without_parts_in_view() {
    let size = SizePx::new(1280, 720);
    let scene = Scene::new(&SceneConfig { parts: 24, size, seed: 3, ..SceneConfig::default() });
    let scene = scene.unwrap();
    let area = |share: f64| (share * f64::from(size.height * size.height)).round();
    let mut locator = locator(&format!(
        "{{kind='motion',min_area_px={},max_area_px={},parts_are='brighter',views=2}}",
        area(0.01),
        area(0.038)
    ));
    let empty = buffer(&scene, 0);
    let mut number = 0;
    let mut show = |locator: &mut Locator, pixels: &Arc<dyn Pixels>| {
        number += 1;
        cost_of(locator, pixels, number)
    };
    (0..60).for_each(|_| {
        show(&mut locator, &empty);
    });
    let cost: u64 = (0..200).map(|_| show(&mut locator, &empty).allocations).sum();
    assert_eq!(cost, 0, "an empty belt");

    let (mut located, mut tracked, mut most) = (0, 0, 0);
    for at in 0..scene.frames() {
        let pixels = buffer(&scene, at);
        let Cost { allocations, parts } = show(&mut locator, &pixels);
        located += parts;
        if parts > 0 {
            most = most.max(allocations / parts as u64);
        } else if located > 0 {
            assert_eq!(allocations, 0, "frame {at}, {located} parts were located before");
            tracked += 1;
        }
    }
    assert!(located >= 20 && tracked > 50, "{located} parts, {tracked} frames between them");
    assert!((1..=24).contains(&most), "{most} allocations for a part");
}

#[test]
fn a_frame_that_no_trigger_asks_for_costs_no_memory() {
    let size = SizePx::new(64, 48);
    let pixels: Arc<dyn Pixels> = Arc::new(Buffer { size, data: vec![7; 64 * 48] });
    let mut locator = locator("{kind='trigger',by={encoder={every_counts=1000}}}");
    (0..20).for_each(|number| {
        cost_of(&mut locator, &pixels, number);
    });
    let taken = measure(|| {
        for step in 0..100_i64 {
            let at = MonoTime::from_ns(step as u64 * MS);
            locator.hear(FieldInput::Encoder { count: step, at });
            assert_eq!(locator.given().count(), 0);
        }
    });
    assert_eq!(taken.count_total, 0, "the belt moves, and nothing is triggered");
    let cost: u64 = (20..200).map(|at| cost_of(&mut locator, &pixels, at).allocations).sum();
    assert_eq!(cost, 0);
}

const MS: u64 = 1_000_000;

#[test]
fn what_is_counted_is_counted() {
    let taken = measure(|| drop(std::hint::black_box(vec![1_u8; 100])));
    assert_eq!(taken.count_total, 1);
}
