//! Takes a camera; gives what it filmed as video files, each with the parts in it.

use std::path::{Path, PathBuf};

use domain::PixelFormat;
use pipeline::record::encode::{Encoding, VideoWriter};
use sightline_benches::Failure;
use sightline_benches::subject::Camera;
use testdata::Scene;

/// The camera's rate.
pub const FPS: f64 = 60.0;
/// How the camera's pixels lie.
pub const FORMAT: PixelFormat = PixelFormat::Gray8;
/// So many frames after the start the belt is full, and with so many parts it stays so.
const FULL_FROM: u64 = 80;
const PARTS: u32 = 80;

/// A video.
pub struct Footage {
    /// Size and codec.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// By what it was filmed.
    pub camera: &'static Camera,
    /// How many there are in it.
    pub frames: u64,
    /// How often each way is gone; FFV1 takes so long to decode that twice must do.
    pub rounds: usize,
}

/// Films a stretch of full belt once and writes it with both codecs.
pub fn film(camera: &'static Camera, folder: &Path) -> Result<[Footage; 2], Failure> {
    let frames = if camera.size.width > 1920 { 60 } else { 150 };
    let create = |codec: &str, encoding, rounds| -> Result<_, Failure> {
        let name = format!("{} {codec}", camera.name);
        let path = folder.join(format!("{}-{codec}.mkv", camera.name));
        let writer = VideoWriter::create(&path, encoding, FORMAT, camera.size, FPS)?;
        Ok((writer, Footage { name, path, camera, frames, rounds }))
    };
    let (mut ffv1, first) = create("ffv1", Encoding::Lossless, 2)?;
    let (mut h264, second) = create("h264", Encoding::H264, 3)?;
    let scene = Scene::new(&camera.scene(FORMAT, PARTS))?;
    for at in FULL_FROM..FULL_FROM + frames {
        let pixels = scene.render(at);
        ffv1.push(&pixels)?;
        h264.push(&pixels)?;
    }
    ffv1.finish()?;
    h264.finish()?;
    Ok([first, second])
}
