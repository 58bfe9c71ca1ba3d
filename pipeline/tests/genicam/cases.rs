//! What a camera does when nothing is wrong with it.

use std::time::Duration;

use domain::{PixelFormat, SizePx};
use sightline_pipeline::capture::genicam::{CameraFound, GenicamConfig, Trigger, discover};

use crate::player::{ADDRESS, Player, is_as_painted};
use crate::{config, frame, frames_within, open};

pub(crate) fn frames_arrive_as_the_camera_made_them() {
    let _player = Player::start();
    for (format, bytes) in [
        (PixelFormat::Gray8, 1),
        (PixelFormat::Gray16Le, 2),
        (PixelFormat::BayerGrbg8, 1),
        (PixelFormat::Rgb8, 3),
    ] {
        for size in [SizePx::new(640, 480), SizePx::new(642, 302)] {
            let config = GenicamConfig { size: Some(size), pixel_format: Some(format), ..config() };
            let mut source = open(&config).unwrap();
            assert_eq!((source.info().fps, source.info().live), (Some(100.0), true));
            let mut before = None;
            for _ in 0..5 {
                let frame = frame(&mut *source);
                assert_eq!((frame.pixels.format(), frame.size()), (format, size));
                let row = size.width as usize * bytes;
                let plane = frame.pixels.plane(0);
                assert_eq!(
                    (plane.stride, plane.row_bytes, plane.rows),
                    (row, row, size.height as usize)
                );
                assert!(is_as_painted(&frame), "{format} {size} {frame:?}");
                assert!(before < Some((frame.sequence, frame.at.mono)));
                before = Some((frame.sequence, frame.at.mono));
            }
        }
    }
}

/// What is not configured stays as the camera has it, and a plain socket does as well.
pub(crate) fn a_camera_that_is_left_as_it_is() {
    let _player = Player::start();
    let camera = Some(ADDRESS.to_owned());
    let config = GenicamConfig { camera, packet_socket: false, ..GenicamConfig::default() };
    let mut source = open(&config).unwrap();
    assert!(is_as_painted(&frame(&mut *source)));
}

pub(crate) fn cameras_are_found_by_id_and_by_serial_number() {
    // A camera at this machine's USB port is found as well.
    let others = discover();
    if others.is_empty() {
        let error = open(&GenicamConfig { camera: None, ..config() }).err().unwrap().to_string();
        assert!(error.contains("a camera is not found (none is)"), "{error}");
    }
    let _player = Player::start();
    let word = str::to_owned;
    let found = CameraFound {
        id: word("Aravis-Fake-GV01"),
        vendor: word("Aravis"),
        model: word("Fake"),
        serial: word("GV01"),
        address: word(ADDRESS),
        reachable: true,
    };
    assert!(discover().contains(&found), "{:?}", discover());
    let mut names = vec![Some(word("Aravis-Fake-GV01")), Some(word("GV01"))];
    names.extend(others.is_empty().then_some(None));
    for camera in names {
        let mut source = open(&GenicamConfig { camera, ..config() }).unwrap();
        assert!(is_as_painted(&frame(&mut *source)));
        let facts = source.facts();
        assert_eq!(facts.serial.as_deref(), Some("GV01"));
        assert!(facts.exposure.is_some_and(|it| it.exposure_us > 0.0), "{facts:?}");
    }
    let error = open(&GenicamConfig { camera: Some(word("GV02")), ..config() });
    let error = error.err().unwrap().to_string();
    assert!(error.contains("GV02") && error.contains("Aravis-Fake-GV01"), "{error}");
}

pub(crate) fn each_trigger_gives_one_frame() {
    let _player = Player::start();
    let config = GenicamConfig { fps: None, trigger: Trigger::Software, ..config() };
    let mut source = open(&config).unwrap();
    assert_eq!(source.info().fps, None);
    let trigger = source.software_trigger().unwrap();
    // Longer than what a GStreamer source of such a camera waits before it gives up.
    assert_eq!(frames_within(&mut *source, Duration::from_millis(2200)), 0);
    for sequence in 0..5 {
        trigger.fire().unwrap();
        let frame = frame(&mut *source);
        assert!(frame.sequence == sequence && is_as_painted(&frame));
        assert_eq!(frames_within(&mut *source, Duration::from_millis(100)), 0);
    }
    drop(source);
    let error = trigger.fire().unwrap_err().to_string();
    assert!(error.contains(ADDRESS) && error.contains("closed"), "{error}");
    let free = open(&crate::config()).unwrap();
    assert!(free.software_trigger().is_none());
}

/// A camera that waits for a wire does not hear commands, and one that was so is set free again.
pub(crate) fn a_camera_on_a_wire_waits_for_it() {
    let _player = Player::start();
    let trigger = Trigger::from("line0".to_owned());
    let mut source = open(&GenicamConfig { fps: None, trigger, ..config() }).unwrap();
    assert!(source.software_trigger().is_none());
    assert_eq!(frames_within(&mut *source, Duration::from_millis(300)), 0);
    drop(source);
    frame(&mut *open(&config()).unwrap());
}

pub(crate) fn frames_outlive_their_source() {
    let player = Player::start();
    let mut source = open(&config()).unwrap();
    let frames: Vec<_> = (0..5).map(|_| frame(&mut *source)).collect();
    drop(source);
    drop(player);
    assert!(frames.iter().all(is_as_painted));
}
