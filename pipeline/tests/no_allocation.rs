//! Once it runs, a camera's frames cost no allocation on the thread that takes them.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

use std::hint::black_box;
use std::sync::Arc;

use allocation_counter::measure;
use domain::{CameraId, Frame, SizePx};
use sightline_pipeline::capture::{LiveRule, Next, RealTimeConfig, SourceConfig, open_live};
use sightline_pipeline::clock::RealClock;
use testdata::SceneConfig;

const WARM_UP: usize = 50;
const FRAMES: usize = 200;

/// Allocations while frames are taken, three of which are held at any time.
fn allocations(config: &SourceConfig) -> u64 {
    let clock = Arc::new(RealClock::start());
    let rule = LiveRule { stall_ms: 60_000, ..LiveRule::default() };
    let mut source = open_live(config, CameraId::new("test"), &rule, clock).unwrap();
    let mut held: [Option<Frame>; 3] = Default::default();
    let mut take = |frames: usize| {
        let mut taken = 0;
        while taken < frames {
            match source.next().unwrap() {
                Next::Frame(frame) => {
                    held[taken % 3] = Some(frame);
                    taken += 1;
                }
                Next::Waiting => {}
                other => panic!("{other:?}"),
            }
        }
    };
    take(WARM_UP);
    measure(|| take(FRAMES)).count_total
}

#[test]
fn allocations_are_counted() {
    let taken = measure(|| {
        let mut grown: Vec<u8> = black_box(vec![1; 10]);
        grown.reserve_exact(20);
        drop(black_box(grown));
    });
    assert_eq!(taken.count_total, 2);
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
