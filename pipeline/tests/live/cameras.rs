//! What every live source promises, and how pipelines fail.

use std::time::Duration;

use domain::{PixelFormat, SizePx};
use image::GrayImage;
use sightline_pipeline::capture::{
    CaptureError, LiveRule, RealTimeConfig, SourceConfig, V4l2Config, V4l2Format,
};
use testdata::SceneConfig;

use crate::{custom, eager, open, pass};

fn small_scene(format: PixelFormat) -> SourceConfig {
    let size = SizePx::new(96, 64);
    let scene = SceneConfig { parts: 1, size, fps: 200.0, format, ..SceneConfig::default() };
    SourceConfig::SyntheticLive(RealTimeConfig { scene, parts_per_s: None })
}

fn family() -> Vec<(&'static str, SourceConfig, Option<f64>)> {
    vec![
        ("gray", small_scene(PixelFormat::Gray8), Some(200.0)),
        ("nv12", small_scene(PixelFormat::Nv12), Some(200.0)),
        (
            "custom",
            custom(
                "videotestsrc is-live=true \
                 ! video/x-raw,format=NV12,width=64,height=48,framerate=100/1",
            ),
            Some(100.0),
        ),
        (
            "bayer",
            custom(
                "videotestsrc is-live=true \
                 ! video/x-bayer,format=grbg,width=66,height=48,framerate=100/1",
            ),
            Some(100.0),
        ),
    ]
}

#[test]
fn every_camera_keeps_the_lines_time_and_counts_its_frames() {
    for (name, config, fps) in family() {
        let mut camera = open(&config, &eager()).unwrap();
        assert!(camera.source.info().live && camera.source.info().frames_total.is_none());
        let frames: Vec<_> = (0..20).map(|_| camera.frame()).collect();
        let now = camera.clock.now();
        assert_eq!(camera.source.info().fps, fps, "{name}");
        for two in frames.windows(2) {
            assert!(two[0].sequence < two[1].sequence, "{name}");
            assert!(two[0].at.mono < two[1].at.mono, "{name}");
            // As many periods apart as their numbers say.
            let periods = (two[1].sequence - two[0].sequence) as f64;
            let apart = two[1].at.mono.since(two[0].at.mono).as_secs_f64() * fps.unwrap();
            assert!((apart - periods).abs() < 0.5, "{name}: {apart} {periods}");
        }
        assert!(frames.iter().all(|frame| frame.at.mono <= now), "{name}");
        let wall_offset = frames[19].at.wall.unix_ns - camera.clock.wall().unix_ns;
        let mono_offset = frames[19].at.mono.ns as i64 - camera.clock.now().ns as i64;
        assert!((wall_offset - mono_offset).abs() < 1_000_000_000, "{name}");
    }
}

#[test]
fn who_is_slow_sees_in_the_numbers_what_was_dropped() {
    for (name, config, _) in family() {
        let mut camera = open(&config, &eager()).unwrap();
        let mut last = camera.frame().sequence;
        let mut turns = 0;
        loop {
            pass(Duration::from_millis(100));
            let next = camera.frame().sequence;
            if next > last + 1 {
                break;
            }
            (last, turns) = (next, turns + 1);
            assert!(turns < 600, "{name}: nothing is ever dropped");
        }
    }
}

#[test]
fn a_camera_can_be_dropped_with_frames_still_held() {
    for (_, config, _) in family() {
        let mut camera = open(&config, &eager()).unwrap();
        let held: Vec<_> = (0..3).map(|_| camera.frame()).collect();
        drop(camera);
        assert!(held.iter().all(|frame| !frame.pixels.plane(0).row(47).is_empty()));
    }
}

const GRAY: &str = "video/x-raw,format=GRAY8,width=64,height=48,framerate=100/1";

#[test]
fn whatever_ends_a_pipeline_it_is_lost_and_comes_back() {
    for (text, cause) in [
        (format!("videotestsrc is-live=true num-buffers=3 ! {GRAY}"), "ended"),
        (format!("videotestsrc is-live=true ! {GRAY} ! identity error-after=4"), "identity"),
    ] {
        let mut camera = open(&custom(&text), &eager()).unwrap();
        let mut next = 0;
        for _ in 0..3 {
            let (frames, why) = camera.until_lost();
            assert!(why.to_string().contains(cause), "{why}");
            assert!(!frames.is_empty() && frames[0].sequence == next, "{text}");
            next = frames.last().unwrap().sequence + 1;
            camera.back();
        }
    }
}

#[test]
fn a_pipeline_that_falls_silent_is_lost() {
    let text = format!("videotestsrc is-live=true ! {GRAY} ! identity sleep-time=30000000");
    let rule = LiveRule { stall_ms: 1, ..eager() };
    // The first frame takes half a minute, and is not waited for so long.
    let mut camera = open(&custom(&text), &rule).unwrap();
    let (frames, why) = camera.until_lost();
    assert!(frames.is_empty());
    assert!(matches!(why, CaptureError::Silent { waited_ms: 10_000.., .. }), "{why}");
}

#[test]
fn a_change_of_size_is_a_lost_camera() {
    let folder = tempfile::tempdir().unwrap();
    for (index, side) in [40_u32, 40, 60].into_iter().enumerate() {
        GrayImage::new(side, 20).save(folder.path().join(format!("{index}.png"))).unwrap();
    }
    let text = format!(
        "multifilesrc location={}/%d.png caps=image/png,framerate=5/1 ! pngdec ! videoconvert",
        folder.path().display()
    );
    let mut camera = open(&custom(&text), &eager()).unwrap();
    let (frames, why) = camera.until_lost();
    assert_eq!(frames.len(), 2);
    assert!(why.to_string().contains("60x20"), "{why}");
    camera.back();
    assert_eq!(camera.frame().sequence, 2);

    let rule = LiveRule { size: Some(SizePx::new(60, 20)), ..eager() };
    let (frames, why) = open(&custom(&text), &rule).unwrap().until_lost();
    assert!(frames.is_empty() && matches!(why, CaptureError::Unexpected { .. }), "{why}");
}

#[test]
fn what_no_camera_could_mend_is_said_at_once() {
    let refused = |config: &SourceConfig, rule: &LiveRule| {
        let error = open(config, rule).err().unwrap().to_string();
        println!("{error}");
        error
    };
    let rule = LiveRule::default();
    assert!(refused(&custom("nosuchelement ! appsink"), &rule).contains("nosuchelement"));
    let secret = custom("nosuchelement location=rtsp://a:Geh3im@b/ user-pw=Geh3im ! appsink");
    assert!(!refused(&secret, &rule).contains("Geh3im"));
    let footage = SourceConfig::Custom { pipeline: "videotestsrc".to_owned(), live: false };
    assert!(refused(&footage, &rule).contains("live = true"));
    let scene = SourceConfig::Synthetic(SceneConfig::default());
    assert!(refused(&scene, &rule).contains("synthetic_live"));
    let good = custom("videotestsrc is-live=true");
    for (rule, key) in [
        (LiveRule { stall_ms: 0, ..LiveRule::default() }, "stall_ms"),
        (LiveRule { retry_ms: 0, ..LiveRule::default() }, "retry_ms"),
        (LiveRule { retry_most_ms: 1, ..LiveRule::default() }, "retry_most_ms"),
        (LiveRule { fps: Some(-1.0), ..LiveRule::default() }, "fps"),
    ] {
        assert!(refused(&good, &rule).contains(key));
    }
}

#[test]
fn a_device_that_is_none_is_named_with_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for (device, part) in [
        ("/dev/video-that-is-none".into(), "does not exist; cameras here"),
        (file, "is no camera's device"),
        ("/dev/null".into(), "/dev/null"),
    ] {
        let size = SizePx::new(640, 480);
        let config = V4l2Config { device, size, fps: 30.0, format: V4l2Format::Yuyv };
        let mut camera = open(&SourceConfig::V4l2(config), &eager()).unwrap();
        assert_eq!(camera.source.info().fps, Some(30.0), "before there is a camera");
        let (_, why) = camera.until_lost();
        assert!(why.to_string().contains(part), "{why}");
    }
}

#[test]
fn cameras_are_configured_by_name_and_nothing_unknown() {
    #[derive(serde::Deserialize)]
    struct Written {
        source: SourceConfig,
        #[serde(default)]
        live: LiveRule,
    }
    let read = |text: &str| toml::from_str::<Written>(text);
    let device = read(
        "source = { kind = 'v4l2', device = '/dev/video0', fps = 30, format = 'yuyv', \
         size = { width = 640, height = 480 } }",
    );
    assert!(matches!(device.unwrap().source, SourceConfig::V4l2(it) if it.fps == 30.0));
    let camera = read("source = { kind = 'rtsp', url = 'rtsp://a:Geh3im@cam/1' }").unwrap();
    assert!(!format!("{:?}", camera.source).contains("Geh3im"));
    assert_eq!(camera.live, LiveRule::default());
    let scene = read(
        "source = { kind = 'synthetic_live', parts_per_s = 5, scene = { parts = 9 } }\n\
         live = { triggered = true }",
    );
    let scene = scene.unwrap();
    assert!(
        scene.live.triggered
            && matches!(scene.source, SourceConfig::SyntheticLive(it) if it.scene.parts == 9)
    );
    for (text, part) in [
        ("source = { kind = 'rtsp', url = 'http://a:Geh3im@cam/1' }", "rtsp://"),
        ("source = { kind = 'rtsp', url = 'rtsp://cam', latency = 3 }", "latency"),
        ("source = { kind = 'v4l2', device = 'a', fps = 3, format = 'yuv' }", "yuv"),
        ("source = { kind = 'synthetic_live', parts = 3 }", "parts"),
        ("source = { kind = 'synthetic_live', scene = { prats = 3 } }", "prats"),
        ("source = { kind = 'synthetic' }\nlive = { stall = 3 }", "stall"),
    ] {
        let error = read(text).err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
}
