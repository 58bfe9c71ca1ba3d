//! Real footage, where it is at hand.

use std::path::PathBuf;

use crate::{drain, file, open};

fn videos() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("SIGHTLINE_DATA").map_or_else(beside, PathBuf::from);
    let videos = data.join("videos");
    if !videos.is_dir() {
        println!("skipped: no footage; set SIGHTLINE_DATA to a folder that holds videos/");
        return None;
    }
    Some(videos)
}

#[test]
fn every_frame_of_real_footage_arrives() {
    let Some(videos) = videos() else { return };
    for (name, expected) in [
        ("eggs_grid_conveyor.mp4", 627),
        ("bags_belt_incline.mp4", 538),
        ("sachets_green_belt.mp4", 387),
        ("bolt_belt_intel_gif.mp4", 37),
    ] {
        let path = videos.join(name);
        if !path.exists() {
            println!("skipped: no {name}");
            continue;
        }
        let mut source = open(&file(&path)).unwrap();
        let info = source.info().clone();
        let (frames, error) = drain(&mut *source);
        assert!(error.is_none(), "{name}: {error:?}");
        println!("{name}: {info:?}, {:?}, {:?}", frames[0], frames[0].pixels.yuv());
        assert_eq!(frames.len(), expected, "{name}");
        assert!(frames.windows(2).all(|two| two[0].at.mono < two[1].at.mono), "{name}");
    }
}
