//! What is said of a camera when something is wrong, and that it can be had again.

use std::fs;
use std::time::Duration;

use domain::{PixelFormat, SizePx};
use sightline_pipeline::capture::genicam::{GenicamConfig, GenicamError, Trigger};
use sightline_pipeline::capture::{CaptureError, Next, Source};

use crate::player::{ADDRESS, Player, is_as_painted};
use crate::{config, frame, frames_within, open};

fn features(features: &[&str]) -> GenicamConfig {
    let features = features.iter().map(|feature| (*feature).to_owned()).collect();
    GenicamConfig { features, ..config() }
}

/// Every setting that is not taken is named, with what the camera offers instead.
pub(crate) fn settings_that_a_camera_does_not_take() {
    let _player = Player::start();
    let size = |width, height| GenicamConfig { size: Some(SizePx::new(width, height)), ..config() };
    let line = Trigger::from("Line7".to_owned());
    for (config, parts) in [
        (size(5000, 240), &["Width = 5000", "1 to 2048"][..]),
        (size(320, 0), &["Height = 0", "1 to 2048"]),
        (
            GenicamConfig { pixel_format: Some(PixelFormat::Nv12), ..config() },
            &["PixelFormat = nv12", "Mono8", "BayerRG8"],
        ),
        (GenicamConfig { fps: Some(1e6), ..config() }, &["FrameRate = 1000000", "0.1 to 1000"]),
        (GenicamConfig { exposure_us: Some(0.5), ..config() }, &["Exposure", "0.5", "10 to 1"]),
        (GenicamConfig { gain: Some(1e9), ..config() }, &["Gain = 1000000000", "it offers"]),
        (
            GenicamConfig { fps: None, trigger: line, ..config() },
            &["TriggerSource = Line7", "Line0, Software"],
        ),
        (features(&["Gamma=2"]), &["Gamma = 2", "no such feature"]),
        (features(&["OffsetX=many"]), &["OffsetX = many", "0 to"]),
        (features(&["TriggerMode=Maybe"]), &["TriggerMode = Maybe", "Off", "On"]),
        (features(&["AcquisitionStart=1"]), &["AcquisitionStart = 1", "a command"]),
        (features(&["Width"]), &["Width", "Name=value"]),
    ] {
        let Err(error) = open(&config) else { panic!("{parts:?} is taken") };
        assert!(matches!(&error, CaptureError::Genicam(GenicamError::Refused { .. })), "{error:?}");
        let error = error.to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        assert!(error.contains(ADDRESS), "{error}");
    }
    // Nothing of it stays open.
    let mut source = open(&features(&["OffsetX=8", "TriggerMode=Off"])).unwrap();
    frame(&mut *source);
}

pub(crate) fn a_camera_that_another_program_has() {
    let _player = Player::start();
    let mut first = open(&config()).unwrap();
    let error = open(&config()).err().unwrap();
    assert!(matches!(&error, CaptureError::Genicam(GenicamError::Busy { .. })), "{error:?}");
    assert!(error.to_string().contains("controlled by another program"), "{error}");
    frame(&mut *first);
    drop(first);
    frame(&mut *open(&config()).unwrap());
}

/// The error that ends `source`; fails rather than hang.
fn end_of(source: &mut dyn Source) -> CaptureError {
    for _ in 0..6_000 {
        match source.next() {
            Ok(Next::Frame(_) | Next::Waiting) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => return error,
        }
    }
    panic!("it goes on");
}

pub(crate) fn a_camera_that_goes_and_comes_back() {
    let player = Player::start();
    let trigger = Trigger::Software;
    let config = GenicamConfig { fps: None, trigger, ..config() };
    let mut source = open(&config).unwrap();
    let trigger = source.software_trigger().unwrap();
    trigger.fire().unwrap();
    frame(&mut *source);
    drop(player);
    let error = end_of(&mut *source);
    assert!(matches!(&error, CaptureError::Genicam(GenicamError::Lost { .. })), "{error:?}");
    assert!(error.to_string().contains(ADDRESS), "{error}");
    assert!(matches!(source.next(), Ok(Next::End)));
    assert!(trigger.fire().unwrap_err().to_string().contains("lost"));
    drop(source);
    let error = open(&config).err().unwrap();
    assert!(matches!(&error, CaptureError::Genicam(GenicamError::NotFound { .. })), "{error:?}");
    let _player = Player::start();
    let mut source = open(&config).unwrap();
    source.software_trigger().unwrap().fire().unwrap();
    assert!(is_as_painted(&frame(&mut *source)));
}

pub(crate) fn opening_and_closing_leaves_nothing_behind() {
    let _player = Player::start();
    let count = |what: &str| fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
    let mut counts = Vec::new();
    for _ in 0..50 {
        frame(&mut *open(&config()).unwrap());
        counts.push([count("fd"), count("task")]);
    }
    // What is made once is made by then.
    for which in [0, 1] {
        let most = |counts: &[[usize; 2]]| counts.iter().map(|it| it[which]).max();
        assert!(most(&counts[40..]) <= most(&counts[..10]), "{counts:?}");
    }
}

pub(crate) fn a_line_that_holds_every_buffer() {
    let _player = Player::start();
    let mut source = open(&GenicamConfig { buffers: 4, ..config() }).unwrap();
    let held: Vec<_> = (0..4).map(|_| frame(&mut *source)).collect();
    assert_eq!(frames_within(&mut *source, Duration::from_millis(500)), 0);
    assert!(held.iter().all(is_as_painted), "what is held is not written to");
    let last = held.last().unwrap().sequence;
    drop(held);
    let next = frame(&mut *source);
    assert!(next.sequence > last + 1, "{} after {last}", next.sequence);
    assert!(is_as_painted(&next));
    let cause = source.loss_cause().unwrap();
    assert!(cause.contains("found no free buffer: the line holds all 4"), "{cause}");
    drop(next);
    let frames: Vec<_> = (0..20).map(|_| frame(&mut *source).sequence).collect();
    assert!(frames.is_sorted(), "{frames:?}");
}

/// What comes incomplete is never given; the numbers show that it is missing.
pub(crate) fn a_network_that_loses_packets() {
    let player = Player::start();
    let mut source = open(&config()).unwrap();
    let mut before = frame(&mut *source).sequence;
    player.lose(20);
    let mut missing = 0;
    while missing < 3 {
        let frame = frame(&mut *source);
        assert!(is_as_painted(&frame));
        if frame.sequence > before + 1 {
            missing += 1;
            let cause = source.loss_cause().unwrap();
            let causes = ["packets were lost", "never came", "stopped sending in the middle"];
            assert!(causes.iter().any(|known| cause.contains(known)), "{cause}");
        }
        before = frame.sequence;
    }
}
