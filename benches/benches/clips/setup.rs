//! What clips of a bench are made with, as the program makes them. Takes a camera and the film's
//! rate; gives the setup.

use std::sync::Arc;

use domain::CameraId;
use pipeline::record::annotate::{Told, annotate, facts, tags};
use pipeline::record::clip::matroska::Tag;
use pipeline::record::clip::{ClipConfig, ClipSetup};
use pipeline::record::reel::Imprint;

/// Drawn on, tagged and with facts beside them; nobody is told of them.
pub fn setup(camera: &CameraId, fps: u32) -> ClipSetup {
    let imprint = Imprint { station: "bench".into(), software: "bench".into() };
    let told = || (imprint.clone(), camera.clone());
    let ((draws, of), (tells, its), (says, whose)) = (told(), told(), told());
    let tag = |(name, value)| Tag { name, value };
    ClipSetup {
        camera: camera.clone(),
        config: ClipConfig::default(),
        fps,
        imprint: imprint.clone(),
        draw: Arc::new(move |picture, notes| annotate(picture, notes, &draws, &of)),
        tags: Arc::new(move |notes| tags(&tells, &its, notes).into_iter().map(tag).collect()),
        facts: Arc::new(move |clip| {
            let told = Told {
                imprint: &says,
                camera: &whose,
                started: clip.started,
                ended: clip.ended,
                clock_is_synced: clip.clock_is_synced,
                pictures: clip.pictures,
                pictures_missing: clip.pictures_missing,
            };
            facts(&told, clip.notes)
        }),
        accepted: Arc::new(|_| {}),
        nearly_full: Arc::default(),
        writing: Arc::default(),
    }
}
