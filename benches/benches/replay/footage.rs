//! Takes a camera; gives what it filmed as video files, each with the parts in it.

use std::path::{Path, PathBuf};

use domain::{CameraId, CaptureTime, PixelFormat};
use pipeline::capture::{self, Next, SourceConfig};
use pipeline::record::encode::{Encoding, VideoWriter};
use sightline_benches::Failure;
use sightline_benches::subject::Camera;

/// The camera's rate.
pub const FPS: f64 = 60.0;

const FORMAT: PixelFormat = PixelFormat::Gray8;

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
}

/// Films a stretch of full belt once and writes it with both codecs.
pub fn film(camera: &'static Camera, folder: &Path) -> Result<[Footage; 2], Failure> {
    let (parts, frames) = if camera.size.width > 1920 { (12, 100) } else { (30, 180) };
    let create = |codec: &str, encoding| -> Result<_, Failure> {
        let path = folder.join(format!("{}-{codec}.mkv", camera.name));
        let writer = VideoWriter::create(&path, encoding, FORMAT, camera.size, FPS)?;
        Ok((writer, Footage { name: format!("{} {codec}", camera.name), path, camera, frames }))
    };
    let (mut ffv1, first) = create("ffv1", Encoding::Lossless)?;
    let (mut h264, second) = create("h264", Encoding::H264)?;
    let scene = SourceConfig::Synthetic(camera.scene(FORMAT, parts));
    let mut source = capture::open(&scene, CameraId::new("bench"), CaptureTime::default())?;
    let mut left = frames;
    while left > 0 {
        match source.next()? {
            Next::Frame(frame) => {
                ffv1.push(&*frame.pixels)?;
                h264.push(&*frame.pixels)?;
                left -= 1;
            }
            Next::Waiting => {}
            Next::End => return Err(format!("the film is {left} frames too short").into()),
        }
    }
    ffv1.finish()?;
    h264.finish()?;
    Ok([first, second])
}
