//! Sources and video files, from outside: what every source promises, what damaged files are
//! called, that recordings come back, and real footage where it is at hand.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests, and what they share"
)]

mod conformance;
mod damaged;
mod real;
mod recording;

use std::path::{Path, PathBuf};

use domain::{CameraId, CaptureTime, Frame, OwnedPixels, PixelFormat, Pixels, SizePx};
use sightline_pipeline::capture::{self, CaptureError, Next, Source, SourceConfig};
use sightline_pipeline::record::encode::{Encoding, VideoWriter};

pub(crate) fn open(config: &SourceConfig) -> Result<Box<dyn Source>, CaptureError> {
    capture::open(config, CameraId::new("test"), CaptureTime::default())
}

pub(crate) fn file(path: impl Into<PathBuf>) -> SourceConfig {
    SourceConfig::File { path: path.into(), pixel_format: None }
}

/// Every frame, and the error that ended them if one did. Fails rather than hang.
pub(crate) fn drain(source: &mut dyn Source) -> (Vec<Frame>, Option<CaptureError>) {
    let mut frames = Vec::new();
    let mut waits = 0;
    loop {
        match source.next() {
            Ok(Next::Frame(frame)) => frames.push(frame),
            Ok(Next::Waiting | Next::Lost(_) | Next::Back(_)) => waits += 1,
            Ok(Next::End) => return (frames, None),
            Err(error) => return (frames, Some(error)),
        }
        assert!(waits < 600, "no end after a minute");
    }
}

/// The payload of all planes, without what pads the rows.
pub(crate) fn bytes_of(pixels: &dyn Pixels) -> Vec<u8> {
    let planes = 0..pixels.format().planes(pixels.size()).len();
    let rows = planes.flat_map(|index| {
        let plane = pixels.plane(index);
        (0..plane.rows).map(move |y| plane.row(y))
    });
    rows.flatten().copied().collect()
}

/// A picture in which every byte follows from its place and from `seed`.
pub(crate) fn picture(format: PixelFormat, size: SizePx, seed: usize) -> OwnedPixels {
    let plane = |(row, rows): (usize, usize)| {
        (0..row * rows).map(|at| ((at * 7 + at / row * 13 + seed * 29) % 251) as u8).collect()
    };
    let planes = format.planes(size).into_iter().map(plane).collect();
    OwnedPixels::new(format, size, planes).unwrap()
}

/// A smooth picture that a lossy encoder keeps nearly as it is.
pub(crate) fn gradient(size: SizePx, seed: usize) -> OwnedPixels {
    let pixels = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
    let luma = pixels.map(|(x, y)| ((x + y) / 4 + 40 + seed as u32) as u8).collect();
    OwnedPixels::new(PixelFormat::Gray8, size, vec![luma]).unwrap()
}

/// Writes `frames` pictures of gray8.
pub(crate) fn write_gray(path: &Path, encoding: Encoding, size: SizePx, fps: f64, frames: usize) {
    let mut writer = VideoWriter::create(path, encoding, PixelFormat::Gray8, size, fps).unwrap();
    (0..frames).for_each(|seed| writer.push(&gradient(size, seed)).unwrap());
    assert_eq!(writer.finish().unwrap().frames, frames as u64);
}
