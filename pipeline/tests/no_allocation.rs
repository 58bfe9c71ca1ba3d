//! Once it runs, a camera's frames cost no allocation on the thread that takes them.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;

use domain::{CameraId, Frame, SizePx};
use sightline_pipeline::capture::{LiveRule, Next, RealTimeConfig, SourceConfig, open_live};
use sightline_pipeline::clock::RealClock;
use testdata::SceneConfig;

/// The system's allocator, with an eye on it.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    /// Allocations of this thread. Nothing is dropped with it, so that reading it never allocates.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() -> u64 {
    COUNT.with(Cell::get)
}

fn bump() {
    COUNT.with(|count| count.set(count.get() + 1));
}

#[expect(unsafe_code, reason = "an allocator can't be written without")]
// SAFETY: every call is handed to the system's allocator as it came, so that whatever it promises
// holds here too; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        bump();
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        bump();
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        bump();
        // SAFETY: as the caller promised; `old` came from the same allocator.
        unsafe { System.realloc(old, layout, bytes) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised; `old` came from the same allocator.
        unsafe { System.dealloc(old, layout) }
    }
}

const WARM_UP: u32 = 50;
const FRAMES: u32 = 200;

/// Allocations while frames are taken, three of which are held at any time.
fn allocations(config: &SourceConfig) -> u64 {
    let clock = Arc::new(RealClock::start());
    let rule = LiveRule { stall_ms: 60_000, ..LiveRule::default() };
    let mut source = open_live(config, CameraId::new("test"), &rule, clock).unwrap();
    let mut held: [Option<Frame>; 3] = Default::default();
    let mut before = 0;
    let mut taken = 0;
    while taken < WARM_UP + FRAMES {
        match source.next().unwrap() {
            Next::Frame(frame) => {
                held[taken as usize % held.len()] = Some(frame);
                taken += 1;
            }
            Next::Waiting => {}
            other => panic!("{other:?}"),
        }
        if taken <= WARM_UP {
            before = count();
        }
    }
    count() - before
}

#[test]
fn allocations_are_counted() {
    let before = count();
    let mut grown: Vec<u8> = black_box(vec![1; 10]);
    grown.reserve_exact(20);
    drop(black_box(grown));
    assert_eq!(count() - before, 2);
}

#[test]
fn the_frames_of_a_pipeline_cost_none() {
    for format in
        ["video/x-raw,format=NV12", "video/x-raw,format=GRAY8", "video/x-bayer,format=rggb"]
    {
        let pipeline =
            format!("videotestsrc is-live=true ! {format},width=64,height=48,framerate=200/1");
        let config = SourceConfig::Custom { pipeline, live: true };
        assert_eq!(allocations(&config), 0, "{format}");
    }
}

#[test]
fn the_simulators_frames_cost_none() {
    let size = SizePx::new(96, 64);
    let scene = SceneConfig { parts: 1, size, fps: 200.0, ..SceneConfig::default() };
    let config = RealTimeConfig { scene, parts_per_s: None };
    assert_eq!(allocations(&SourceConfig::SyntheticLive(config)), 0);
}
