//! What every source promises, checked on each member of the family.

use std::path::Path;
use std::time::Duration;

use domain::{CameraId, CaptureTime, MonoTime, PixelFormat, SizePx, WallTime};
use image::GrayImage;
use sightline_pipeline::capture::{self, CaptureError, Next, SourceConfig};
use sightline_pipeline::record::encode::Encoding;
use testdata::SceneConfig;

use crate::{bytes_of, drain, file, open, write_gray};

struct Member {
    name: &'static str,
    config: SourceConfig,
    frames: u64,
    fps: Option<f64>,
}

fn family(folder: &Path) -> Vec<Member> {
    let size = SizePx::new(162, 97);
    let (lossless, lossy) = (folder.join("a.mkv"), folder.join("b.mp4"));
    write_gray(&lossless, Encoding::Lossless, size, 25.0, 50);
    write_gray(&lossy, Encoding::H264, size, 25.0, 50);
    for index in 0..12u8 {
        let image = GrayImage::from_pixel(20 + u32::from(index), 9, image::Luma([index]));
        image.save(folder.join(format!("{index}.png"))).unwrap();
    }
    let scene = SceneConfig { parts: 2, size: SizePx::new(160, 120), ..SceneConfig::default() };
    let scene_frames = testdata::Scene::new(&scene).unwrap().frames();
    let member = |name, config, frames, fps| Member { name, config, frames, fps };
    let images = |fps| SourceConfig::Images { path: folder.to_owned(), fps };
    let custom = |text: &str| SourceConfig::Custom { pipeline: text.to_owned(), live: false };
    vec![
        member("lossless", file(&lossless), 50, Some(25.0)),
        member("lossy", file(&lossy), 50, Some(25.0)),
        member("triggered", images(None), 12, None),
        member("images", images(Some(10.0)), 12, Some(10.0)),
        member("synthetic", SourceConfig::Synthetic(scene), scene_frames, Some(60.0)),
        member(
            "custom",
            custom(
                "videotestsrc num-buffers=30 pattern=ball animation-mode=frames \
                 ! video/x-raw,format=NV12,width=321,height=241,framerate=30/1",
            ),
            30,
            Some(30.0),
        ),
        member(
            "bayer",
            custom(
                "videotestsrc num-buffers=7 ! video/x-bayer,format=grbg,width=322,height=240,\
                 framerate=15/1 ! appsink name=sightline",
            ),
            7,
            Some(15.0),
        ),
    ]
}

#[test]
fn every_source_numbers_its_frames_and_its_time_goes_forward() {
    let folder = tempfile::tempdir().unwrap();
    for Member { name, config, frames: expected, fps } in family(folder.path()) {
        let mut source = open(&config).unwrap();
        let info = source.info().clone();
        let (frames, error) = drain(&mut *source);
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(frames.len() as u64, expected, "{name}");
        assert!(frames.iter().map(|frame| frame.sequence).eq(0..expected), "{name}");
        assert!(frames.iter().all(|frame| frame.camera == CameraId::new("test")), "{name}");
        assert!(frames.windows(2).all(|two| two[0].at.mono < two[1].at.mono), "{name}");
        let period = Duration::from_secs_f64(fps.unwrap_or(1.0).recip());
        let last = Duration::from_nanos(frames[frames.len() - 1].at.mono.ns);
        let ideal = period * (frames.len() as u32 - 1);
        assert!(last.abs_diff(ideal) < Duration::from_micros(2), "{name}: {last:?} {ideal:?}");
        assert_eq!((info.fps, info.live), (fps, false), "{name}");
        assert!(info.frames_total.is_none_or(|total| total == expected), "{name}: {info:?}");
        assert!(matches!(source.next(), Ok(Next::End)), "{name} goes on after its end");
    }
}

#[test]
fn footage_begins_where_it_is_told_on_both_clocks() {
    let folder = tempfile::tempdir().unwrap();
    let began =
        CaptureTime { mono: MonoTime::from_ns(5_000), wall: WallTime { unix_ns: 7_000_000 } };
    for Member { name, config, .. } in family(folder.path()) {
        let mut source = capture::open(&config, CameraId::new("test"), began).unwrap();
        let (frames, _) = drain(&mut *source);
        assert_eq!(frames[0].at, began, "{name}");
        let last = frames[frames.len() - 1].at;
        let (mono, wall) = (last.mono.ns - 5_000, last.wall.unix_ns - 7_000_000);
        assert_eq!(i64::try_from(mono).unwrap(), wall, "{name}");
    }
}

#[test]
fn two_runs_give_the_same_bytes_and_frames_outlive_their_source() {
    let folder = tempfile::tempdir().unwrap();
    for Member { name, config, .. } in family(folder.path()) {
        let mut runs = (0..2).map(|_| {
            let mut source = open(&config).unwrap();
            let (frames, _) = drain(&mut *source);
            drop(source);
            frames
                .iter()
                .map(|frame| (frame.at.mono, frame.origin.clone(), bytes_of(&*frame.pixels)))
                .collect::<Vec<_>>()
        });
        let (one, other) = (runs.next().unwrap(), runs.next().unwrap());
        assert!(one == other, "{name} differs between runs");
        assert!(
            one.iter().any(|(_, _, bytes)| *bytes != one[0].2),
            "{name} shows one picture only"
        );
    }
}

#[test]
fn a_source_can_be_dropped_in_the_middle_with_frames_still_held() {
    let folder = tempfile::tempdir().unwrap();
    for Member { name, config, .. } in family(folder.path()) {
        for keep in [0, 1, 3] {
            let mut source = open(&config).unwrap();
            let mut held = Vec::new();
            while held.len() < keep {
                if let Next::Frame(frame) = source.next().unwrap() {
                    held.push(frame);
                }
            }
            let before: Vec<_> = held.iter().map(|frame| bytes_of(&*frame.pixels)).collect();
            drop(source);
            let after: Vec<_> = held.iter().map(|frame| bytes_of(&*frame.pixels)).collect();
            assert!(before == after, "{name}");
        }
    }
}

#[test]
fn planes_have_the_shape_that_their_format_says() {
    let folder = tempfile::tempdir().unwrap();
    for Member { name, config, .. } in family(folder.path()) {
        let (frames, _) = drain(&mut *open(&config).unwrap());
        for frame in frames {
            let shape = frame.pixels.format().planes(frame.size());
            for (index, (row_bytes, rows)) in shape.into_iter().enumerate() {
                let plane = frame.pixels.plane(index);
                assert_eq!((plane.row_bytes, plane.rows), (row_bytes, rows), "{name}");
                assert!(plane.stride >= row_bytes, "{name}");
                assert_eq!(plane.row(rows - 1).len(), row_bytes, "{name}");
            }
        }
    }
}

fn custom(text: &str, live: bool) -> SourceConfig {
    SourceConfig::Custom { pipeline: text.to_owned(), live }
}

#[test]
fn a_live_pipeline_keeps_the_lines_time() {
    let config = custom(
        "videotestsrc is-live=true num-buffers=6 ! video/x-raw,format=GRAY8,width=64,height=48,\
         framerate=50/1",
        true,
    );
    let began = CaptureTime { mono: MonoTime::from_ns(1_000), wall: WallTime { unix_ns: 2_000 } };
    let mut source = capture::open(&config, CameraId::new("test"), began).unwrap();
    assert!(source.info().live && source.info().frames_total.is_none());
    let (frames, error) = drain(&mut *source);
    assert!(error.is_none() && frames.len() == 6, "{error:?}");
    // It opened after `began`, so its frames lie after it, a fiftieth of a second apart.
    assert!(frames[0].at.mono.ns > 1_000);
    let apart = frames[5].at.mono.since(frames[0].at.mono);
    assert!(apart.abs_diff(Duration::from_millis(100)) < Duration::from_millis(1), "{apart:?}");
}

#[test]
fn a_live_pipeline_without_frames_waits_and_can_be_stopped() {
    // A fakesrc into a valve that drops: a triggered camera without triggers.
    let config = custom(
        "videotestsrc is-live=true ! video/x-raw,format=GRAY8,width=64,height=48 ! valve drop=true",
        true,
    );
    let mut source = open(&config).unwrap();
    for _ in 0..3 {
        assert!(matches!(source.next(), Ok(Next::Waiting)));
    }
}

#[test]
fn pipelines_that_cannot_be_built_say_why() {
    for (text, part) in [
        ("nosuchelement", "nosuchelement"),
        ("", "pipeline"),
        ("appsink name=sightline", "one element"),
        ("videotestsrc ! fakesink name=sightline", "appsink"),
        ("videotestsrc ! ! appsink", "syntax"),
        ("filesrc location=/nonexistent/x ! decodebin", "/nonexistent/x"),
        ("videotestsrc ! video/x-raw,format=YUY2", "videoconvert"),
    ] {
        let found = open(&custom(text, false)).map(|mut source| drain(&mut *source));
        let error = match found {
            Err(error) => error,
            Ok((frames, error)) => error.unwrap_or_else(|| panic!("{text}: {}", frames.len())),
        };
        println!("{error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}

#[test]
fn a_bayer_camera_is_read_where_its_rows_lie() {
    // 322 is no multiple of four: rows are padded, as the element makes them.
    let text = "videotestsrc num-buffers=1 pattern=white \
                ! video/x-bayer,format=rggb,width=322,height=20";
    let (frames, error) = drain(&mut *open(&custom(text, false)).unwrap());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(frames[0].pixels.format(), PixelFormat::BayerRggb8);
    assert_eq!(frames[0].pixels.plane(0).stride, 324);
    assert!(bytes_of(&*frames[0].pixels).iter().all(|byte| *byte == 255));
}

#[test]
fn a_change_of_size_in_the_middle_is_an_error_that_names_the_frame() {
    let folder = tempfile::tempdir().unwrap();
    for (index, side) in [40u32, 40, 60].into_iter().enumerate() {
        GrayImage::new(side, 20).save(folder.path().join(format!("{index}.png"))).unwrap();
    }
    let text = format!(
        "multifilesrc location={}/%d.png caps=image/png,framerate=5/1 ! pngdec ! videoconvert",
        folder.path().display()
    );
    let (frames, error) = drain(&mut *open(&custom(&text, false)).unwrap());
    assert_eq!(frames.len(), 2);
    let error = error.unwrap();
    assert!(matches!(error, CaptureError::Changed { frame: 2, .. }), "{error}");
    assert!(error.to_string().contains("60x20"), "{error}");
}
