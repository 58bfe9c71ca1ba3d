//! Files that are not what they seem: each is told by its own error, and none hangs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use domain::{PixelFormat, SizePx};
use gst::prelude::*;
use sightline_pipeline::capture::{CaptureError, SourceConfig};
use sightline_pipeline::record::encode::Encoding;

use crate::{drain, file, open, write_gray};

const SIZE: SizePx = SizePx::new(160, 120);

/// How many frames came, and the error that opening or reading ended in.
fn failure(path: &Path) -> (usize, CaptureError) {
    let found = match open(&file(path)) {
        Ok(mut source) => {
            let (frames, error) = drain(&mut *source);
            (frames.len(), error.unwrap_or_else(|| panic!("{path:?}: {} frames", frames.len())))
        }
        Err(error) => (0, error),
    };
    println!("{} frames, then: {}", found.0, found.1);
    assert!(found.1.to_string().contains(&format!("{:?}", path.file_name().unwrap())[1..]));
    found
}

/// Runs a pipeline to its end.
fn make(text: &str) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(text).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let wanted = [gst::MessageType::Eos, gst::MessageType::Error];
    let message =
        pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &wanted);
    assert_eq!(message.unwrap().type_(), gst::MessageType::Eos, "{text}");
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn what_is_not_a_video_file_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(matches!(failure(&at("gone.mp4")).1, CaptureError::Missing { .. }));
    fs::create_dir(at("folder.mp4")).unwrap();
    assert!(matches!(failure(&at("folder.mp4")).1, CaptureError::IsFolder { .. }));
    fs::write(at("empty.mp4"), "").unwrap();
    assert!(matches!(failure(&at("empty.mp4")).1, CaptureError::Empty { .. }));
    fs::write(at("short.mp4"), "x").unwrap();
    assert!(matches!(failure(&at("short.mp4")).1, CaptureError::IsText { .. }));
    fs::write(at("text.mp4"), "hello, this is a text\n".repeat(500)).unwrap();
    assert!(matches!(failure(&at("text.mp4")).1, CaptureError::IsText { .. }));
    let noise: Vec<u8> =
        (0..50_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(at("noise.mp4"), noise).unwrap();
    assert!(matches!(failure(&at("noise.mp4")).1, CaptureError::NotMedia { .. }));
    fs::write(at("zeros.mp4"), vec![0; 50_000]).unwrap();
    assert!(matches!(failure(&at("zeros.mp4")).1, CaptureError::NotMedia { .. }));
    let socket = std::os::unix::net::UnixListener::bind(at("socket.mp4")).unwrap();
    assert!(matches!(failure(&at("socket.mp4")).1, CaptureError::NotAFile { .. }));
    drop(socket);
}

#[test]
fn sound_alone_is_no_video() {
    let folder = tempfile::tempdir().unwrap();
    for (name, chain) in [
        ("a.wav", "wavenc"),
        ("a.mkv", "opusenc ! matroskamux"),
        ("a.mp4", "opusenc ! mp4mux"),
        ("a.ogg", "vorbisenc ! oggmux"),
    ] {
        let path = folder.path().join(name);
        make(&format!(
            "audiotestsrc num-buffers=50 ! audioconvert ! audioresample ! {chain} \
             ! filesink location={}",
            path.display()
        ));
        let (_, error) = failure(&path);
        assert!(matches!(&error, CaptureError::NoVideo { streams, .. } if streams == "audio"));
    }
}

#[test]
fn sound_beside_the_video_is_ignored_even_when_it_is_longer() {
    let folder = tempfile::tempdir().unwrap();
    for (name, mux) in [("a.mp4", "mp4mux"), ("a.mkv", "matroskamux")] {
        let path = folder.path().join(name);
        make(&format!(
            "{mux} name=m ! filesink location={} videotestsrc num-buffers=30 \
             ! video/x-raw,format=I420,width=160,height=120,framerate=30/1 ! openh264enc \
             ! h264parse ! queue ! m. audiotestsrc num-buffers=140 samplesperbuffer=1024 \
             ! audio/x-raw,rate=48000 ! audioconvert ! opusenc ! queue ! m.",
            path.display()
        ));
        let (frames, error) = drain(&mut *open(&file(&path)).unwrap());
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(frames.len(), 30, "{name}");
    }
}

/// Writes the first `share` of a file's bytes under another name.
fn cut(path: &Path, share: f64) -> std::path::PathBuf {
    let whole = fs::read(path).unwrap();
    let cut = path.with_extension(format!("cut.{}", path.extension().unwrap().display()));
    fs::write(&cut, &whole[..(whole.len() as f64 * share) as usize]).unwrap();
    cut
}

#[test]
fn a_file_that_was_cut_gives_what_it_has_and_then_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let lossless = folder.path().join("a.mkv");
    write_gray(&lossless, Encoding::Lossless, SIZE, 25.0, 200);
    let lossy = folder.path().join("b.mkv");
    write_gray(&lossy, Encoding::H264, SIZE, 25.0, 200);
    let index_first = folder.path().join("c.mp4");
    make(&format!(
        "videotestsrc num-buffers=200 ! video/x-raw,format=I420,width=160,height=120,\
         framerate=25/1 \
         ! openh264enc ! h264parse ! mp4mux faststart=true ! filesink location={}",
        index_first.display()
    ));
    for path in [lossless, lossy, index_first] {
        let whole = drain(&mut *open(&file(&path)).unwrap());
        assert!(whole.1.is_none() && whole.0.len() == 200, "{path:?} {:?}", whole.1);
        let (frames, error) = failure(&cut(&path, 0.5));
        assert!(frames > 20 && frames < 190, "{path:?}: {frames}");
        match error {
            CaptureError::Truncated { frames: told, expected_s, got_s, .. } => {
                assert_eq!(told, frames as u64);
                assert!((expected_s - 8.0).abs() < 0.1 && got_s < 7.5, "{expected_s} {got_s}");
            }
            CaptureError::Decode { frame, .. } => assert_eq!(frame, frames as u64),
            error => panic!("{path:?}: {error}"),
        }
    }
}

#[test]
fn an_mp4_without_its_index_is_incomplete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    write_gray(&path, Encoding::H264, SIZE, 25.0, 100);
    for share in [0.2, 0.8] {
        let (_, error) = failure(&cut(&path, share));
        assert!(matches!(error, CaptureError::Incomplete { .. }), "{error}");
    }
}

#[test]
fn the_beginning_of_a_file_alone_is_never_a_video() {
    let folder = tempfile::tempdir().unwrap();
    for (name, encoding) in [("a.mkv", Encoding::Lossless), ("b.mp4", Encoding::H264)] {
        let path = folder.path().join(name);
        write_gray(&path, encoding, SIZE, 25.0, 20);
        for share in [0.001, 0.01, 0.03, 0.1, 0.2] {
            let frames: Vec<usize> = (0..2).map(|_| failure(&cut(&path, share)).0).collect();
            assert!(frames.iter().all(|count| *count == frames[0]) && frames[0] < 10);
        }
    }
}

#[test]
fn damage_in_the_middle_is_an_error_at_its_frame() {
    let folder = tempfile::tempdir().unwrap();
    for (name, encoding) in [("a.mkv", Encoding::Lossless), ("b.mp4", Encoding::H264)] {
        let path = folder.path().join(name);
        write_gray(&path, encoding, SIZE, 25.0, 60);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 300].fill(0x55);
        fs::write(&path, bytes).unwrap();
        let (frames, error) = failure(&path);
        assert!(matches!(error, CaptureError::Decode { frame, .. } if frame == frames as u64));
        assert!(frames > 5 && frames < 60, "{name}: {frames}");
    }
}

#[test]
fn a_video_without_a_frame_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mkv");
    write_gray(&path, Encoding::Lossless, SIZE, 25.0, 100);
    let (_, error) = failure(&cut(&path, 0.004));
    assert!(matches!(error, CaptureError::NoFrames { .. }), "{error}");
}

#[test]
fn footage_that_contradicts_the_configured_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mkv");
    write_gray(&path, Encoding::H264, SIZE, 25.0, 3);
    let config = SourceConfig::File { path, pixel_format: Some(PixelFormat::BayerRggb8) };
    let error = open(&config).err().unwrap();
    assert!(matches!(error, CaptureError::FormatNot { .. }), "{error}");
}

#[test]
fn names_may_hold_anything() {
    let folder = tempfile::tempdir().unwrap();
    let video = folder.path().join("a.mkv");
    write_gray(&video, Encoding::Lossless, SIZE, 25.0, 3);
    for name in [
        &b"-a.mkv"[..],
        b" a b '\"$(x)`.mkv",
        b"new\nline",
        b"100%d%s.mkv",
        b"\xff\xfe.mkv",
        b"a ! fakesink name=x",
        b"\\",
        b"*?[].mkv",
        "ä€😀.mkv".as_bytes(),
        b"file:a#b?c.mkv",
    ] {
        let path = folder.path().join(OsStr::from_bytes(name));
        fs::copy(&video, &path).unwrap();
        let config = SourceConfig::from_argument(&path).unwrap();
        let (frames, error) = drain(&mut *open(&config).unwrap());
        assert!(error.is_none() && frames.len() == 3, "{path:?}: {error:?}");
    }
}
