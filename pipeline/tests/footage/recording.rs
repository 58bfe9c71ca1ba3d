//! The video writer: what goes in comes out, and what can't be written is told.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use domain::{PixelFormat, Pixels, SizePx, YuvMatrix, YuvRange};
use sightline_pipeline::capture::SourceConfig;
use sightline_pipeline::record::encode::{EncodeError, Encoding, VideoWriter};

use crate::{bytes_of, drain, file, gradient, open, picture, write_gray};

const ODD: SizePx = SizePx::new(61, 35);

fn write(path: &Path, encoding: Encoding, format: PixelFormat, size: SizePx) {
    let mut writer = VideoWriter::create(path, encoding, format, size, 30.0).unwrap();
    (0..5).for_each(|seed| writer.push(&picture(format, size, seed)).unwrap());
    let written = writer.finish().unwrap();
    assert_eq!((written.frames, written.bytes), (5, fs::metadata(path).unwrap().len()));
}

#[test]
fn lossless_comes_back_bit_by_bit_in_every_format_and_odd_sizes() {
    let folder = tempfile::tempdir().unwrap();
    for size in [SizePx::new(64, 48), ODD, SizePx::new(17, 16), SizePx::new(130, 33)] {
        for format in PixelFormat::ALL {
            let path = folder.path().join(format!("{format}-{size}.mkv"));
            write(&path, Encoding::Lossless, format, size);
            let pixel_format = format.is_bayer().then_some(format);
            let config = SourceConfig::File { path, pixel_format };
            let (frames, error) = drain(&mut *open(&config).unwrap());
            assert!(error.is_none() && frames.len() == 5, "{format} {size}: {error:?}");
            for (seed, frame) in frames.iter().enumerate() {
                let wanted = as_stored(format, size, seed, frame.pixels.format());
                assert!(bytes_of(&*frame.pixels) == wanted, "{format} {size} frame {seed}");
            }
        }
    }
}

/// The bytes that a lossless file of `format` gives back when it is read as `read`.
fn as_stored(format: PixelFormat, size: SizePx, seed: usize, read: PixelFormat) -> Vec<u8> {
    let bytes = bytes_of(&picture(format, size, seed));
    match (format, read) {
        (PixelFormat::Nv12, PixelFormat::I420) => {
            let (luma, chroma) = bytes.split_at((size.width * size.height) as usize);
            let every_other = |from| chroma.iter().copied().skip(from).step_by(2);
            luma.iter().copied().chain(every_other(0)).chain(every_other(1)).collect()
        }
        (PixelFormat::Rgb8, PixelFormat::Bgr8) | (PixelFormat::Bgr8, PixelFormat::Rgb8) => {
            bytes.chunks(3).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect()
        }
        _ => {
            assert_eq!(format, read);
            bytes
        }
    }
}

struct Coloured<P>(P, YuvMatrix, YuvRange);

impl<P: Pixels> Pixels for Coloured<P> {
    fn format(&self) -> PixelFormat {
        self.0.format()
    }

    fn size(&self) -> SizePx {
        self.0.size()
    }

    fn plane(&self, index: usize) -> domain::Plane<'_> {
        self.0.plane(index)
    }

    fn yuv(&self) -> (YuvMatrix, YuvRange) {
        (self.1, self.2)
    }
}

#[test]
fn matrix_and_range_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let size = SizePx::new(64, 48);
    for matrix in [YuvMatrix::Bt601, YuvMatrix::Bt709] {
        for range in [YuvRange::Limited, YuvRange::Full] {
            for format in [PixelFormat::Nv12, PixelFormat::I420] {
                let path = folder.path().join("x.mkv");
                let given = Coloured(picture(format, size, 0), matrix, range);
                let mut writer =
                    VideoWriter::create(&path, Encoding::Lossless, format, size, 30.0).unwrap();
                writer.push(&given).unwrap();
                writer.finish().unwrap();
                let (frames, _) = drain(&mut *open(&file(&path)).unwrap());
                assert_eq!(frames[0].pixels.yuv(), (matrix, range), "{format}");
            }
        }
    }
}

#[test]
fn h264_keeps_the_picture_its_size_and_its_times() {
    let folder = tempfile::tempdir().unwrap();
    for (name, fps) in [("a.mp4", 30.0), ("b.mkv", 30.0), ("c.mp4", 120.0), ("d.mkv", 29.97)] {
        for size in [SizePx::new(320, 240), ODD] {
            let path = folder.path().join(name);
            write_gray(&path, Encoding::H264, size, fps, 40);
            let mut source = open(&file(&path)).unwrap();
            assert!((source.info().fps.unwrap() - fps).abs() < 1e-3, "{:?}", source.info());
            let (frames, error) = drain(&mut *source);
            assert!(error.is_none() && frames.len() == 40, "{name}: {} {error:?}", frames.len());
            for (index, frame) in frames.iter().enumerate() {
                let expected_ns = index as f64 / fps * 1e9;
                let off_ns = frame.at.mono.ns as f64 - expected_ns;
                assert!(off_ns.abs() < 1_000.0, "{name} frame {index} is off by {off_ns} ns");
                assert_eq!(frame.size().width, size.width.next_multiple_of(2));
                assert!(mean_difference(&*frame.pixels, index) < 3.0, "{name} frame {index}");
            }
        }
    }
}

/// Of luma in 16..=235, against the gradient it was made from.
fn mean_difference(seen: &dyn Pixels, seed: usize) -> f64 {
    let given = gradient(seen.size(), seed);
    let luma = bytes_of(&given).into_iter().map(|value| 16.0 + f64::from(value) * 219.0 / 255.0);
    let plane = seen.plane(0);
    let seen = (0..plane.rows).flat_map(|y| plane.row(y)).map(|value| f64::from(*value));
    let count = plane.rows * plane.row_bytes;
    luma.zip(seen).map(|(a, b)| (a - b).abs()).sum::<f64>() / count as f64
}

#[test]
fn h264_takes_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for format in PixelFormat::ALL {
        let path = folder.path().join(format!("{format}.mp4"));
        write(&path, Encoding::H264, format, ODD);
        let (frames, error) = drain(&mut *open(&file(&path)).unwrap());
        assert!(error.is_none() && frames.len() == 5, "{format}: {} {error:?}", frames.len());
    }
}

fn create(path: &Path, encoding: Encoding, size: SizePx) -> Result<VideoWriter, EncodeError> {
    VideoWriter::create(path, encoding, PixelFormat::Gray8, size, 30.0)
}

#[test]
fn what_cannot_be_written_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let size = SizePx::new(64, 48);
    let at = |name: &str| folder.path().join(name);
    let error = create(&at("no/x.mkv"), Encoding::Lossless, size).err().unwrap();
    assert!(matches!(error, EncodeError::Folder { .. }), "{error}");
    for (name, encoding) in [("x.mp4", Encoding::Lossless), ("x.avi", Encoding::H264)] {
        let error = create(&at(name), encoding, size).err().unwrap();
        assert!(matches!(error, EncodeError::Container { .. }), "{error}");
    }
    for size in [SizePx::new(15, 48), SizePx::new(64, 0), SizePx::new(64, 20_000)] {
        let error = create(&at("x.mkv"), Encoding::Lossless, size).err().unwrap();
        assert!(matches!(error, EncodeError::Shape { .. }), "{error}");
    }
    for fps in [0.0, -5.0, f64::NAN, f64::INFINITY] {
        let made =
            VideoWriter::create(&at("x.mkv"), Encoding::Lossless, PixelFormat::Gray8, size, fps);
        assert!(matches!(made.err().unwrap(), EncodeError::Shape { .. }), "{fps}");
    }
    let error = create(&at("x.mkv"), Encoding::Lossless, size).unwrap().finish().unwrap_err();
    assert!(matches!(error, EncodeError::NoFrames { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something was left behind");
}

#[test]
fn a_picture_unlike_the_others_is_refused_and_the_rest_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mkv");
    let size = SizePx::new(64, 48);
    let mut writer = create(&path, Encoding::Lossless, size).unwrap();
    writer.push(&gradient(size, 0)).unwrap();
    for other in [gradient(SizePx::new(48, 64), 1), picture(PixelFormat::Rgb8, size, 1)] {
        let error = writer.push(&other).unwrap_err();
        assert!(matches!(error, EncodeError::Picture { frame: 1, .. }), "{error}");
    }
    writer.push(&gradient(size, 1)).unwrap();
    assert_eq!(writer.finish().unwrap().frames, 2);
}

#[test]
fn nothing_is_under_its_name_before_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("-odd na'me\n%d.mkv");
    let size = SizePx::new(64, 48);
    fs::write(&path, "older").unwrap();
    let mut writer = create(&path, Encoding::Lossless, size).unwrap();
    writer.push(&gradient(size, 0)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"older");
    drop(writer);
    assert_eq!(fs::read(&path).unwrap(), b"older");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    write_gray(&path, Encoding::Lossless, size, 30.0, 3);
    assert_eq!(drain(&mut *open(&file(&path)).unwrap()).0.len(), 3);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_full_disk_is_an_error_and_leaves_no_file() {
    if !Path::new("/dev/full").exists() {
        println!("skipped: no /dev/full here");
        return;
    }
    for (name, encoding) in [("x.mkv", Encoding::Lossless), ("x.mp4", Encoding::H264)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        symlink("/dev/full", folder.path().join(format!("{name}.partial"))).unwrap();
        let size = SizePx::new(320, 240);
        let mut writer = create(&path, encoding, size).unwrap();
        let pushed =
            (0..200).try_for_each(|seed| writer.push(&picture(PixelFormat::Gray8, size, seed)));
        let error = match pushed {
            Ok(()) => writer.finish().unwrap_err(),
            Err(error) => error,
        };
        assert!(matches!(error, EncodeError::DiskFull { .. }), "{name}: {error}");
        assert!(!path.exists());
    }
}
