//! A whole clip, read by others: matroska-demuxer, GStreamer, and, where they are installed,
//! mkvinfo, mkvmerge and ffprobe.

use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Output};

use domain::SizePx;
use gst::prelude::*;
use matroska_demuxer::{Frame, MatroskaFile};
use sightline_pipeline::record::clip::ClipConfig;
use sightline_pipeline::record::clip::encoder::Coded;
use sightline_pipeline::record::clip::matroska::{Header, Tag, end_of_fragment_tag};
use sightline_pipeline::record::clip::writer::{ClipWriter, Pace, WrittenClip};

use crate::encoder::{FPS, coded, encoders};
use crate::pictures;

const SIZE: SizePx = SizePx::new(640, 360);
const START_MS: i64 = 1_795_290_301_883;
const PACE: Pace = Pace { fragment_ms: 1000, frame_ms: 34 };
/// Five seconds and a fifth: the last key frame is 200 ms before the end.
const PICTURES: u64 = 156;

fn tags(from_ms: u64, to_ms: u64) -> Vec<Tag> {
    vec![Tag { name: "from_to".to_owned(), value: format!("{from_ms} {to_ms} ü") }]
}

fn file(coded: &[Coded], avcc: &[u8]) -> (Vec<u8>, WrittenClip) {
    let header = Header {
        title: "station top",
        software: "sightline",
        size: SIZE,
        frame_ns: Some(33_333_333),
        avcc,
    };
    let mut writer = ClipWriter::begin(Vec::new(), &header.bytes(), START_MS, PACE).unwrap();
    for coded in coded {
        writer.push(coded.clone(), &tags).unwrap();
    }
    writer.finish(&tags).unwrap()
}

/// A clip of some fragments, as the encoder gave it and as a file.
fn clip(config: &ClipConfig) -> (Vec<Coded>, Vec<u8>, WrittenClip) {
    let mut keys = vec![0];
    let mut began = 0;
    for index in 1..PICTURES {
        let at_ms = index * 1000 / u64::from(FPS);
        if PACE.begins_anew(began, at_ms) {
            began = at_ms;
            keys.push(index);
        }
    }
    let (coded, avcc) = coded(config, SIZE, PICTURES, &keys);
    let (bytes, written) = file(&coded, &avcc);
    (coded, bytes, written)
}

#[test]
fn matroska_demuxer_finds_every_picture_and_fragment() {
    for config in encoders() {
        let (coded, bytes, written) = clip(&config);
        let mut file = MatroskaFile::open(Cursor::new(&bytes)).unwrap();
        let mut frame = Frame::default();
        for coded in &coded {
            assert!(file.next_frame(&mut frame).unwrap());
            assert_eq!(frame.timestamp, START_MS.unsigned_abs() + coded.at_ms);
            assert_eq!(frame.is_keyframe, Some(coded.is_key));
            assert_eq!(frame.data, coded.bytes);
        }
        assert!(!file.next_frame(&mut frame).unwrap());
        assert_eq!((written.pictures, written.bytes), (PICTURES, bytes.len() as u64));
        let fragments = &written.fragments;
        let starts: Vec<_> = fragments.iter().map(|fragment| fragment.starts_ms).collect();
        assert_eq!(starts.len(), 5, "what lasts less than a second is in the one before");
        let lasts: Vec<_> = fragments.iter().map(|fragment| fragment.lasts_ms).collect();
        assert!(lasts[..4].iter().all(|lasts| (900..=1000).contains(lasts)), "{lasts:?}");
        assert!((1000..2000).contains(&lasts[4]), "{lasts:?}");
        for starts in starts {
            let at = coded.iter().find(|coded| coded.at_ms == starts);
            assert!(at.unwrap().is_key);
        }
    }
}

/// Time from the first picture in ms, and the bytes, of each picture that GStreamer decodes.
fn decoded(path: &Path) -> Option<Vec<(u64, Vec<u8>)>> {
    let decoders = ["avdec_h264", "openh264dec"];
    let decoder = decoders.iter().find(|name| gst::ElementFactory::find(name).is_some());
    let Some(decoder) = decoder else {
        println!("skipped: none of {decoders:?}");
        return None;
    };
    let launch = format!(
        "filesrc location={} ! matroskademux ! h264parse ! {decoder} ! videoconvert \
         ! video/x-raw,format=I420 ! appsink name=sink sync=false",
        path.display()
    );
    let pipeline = gst::parse::launch(&launch).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut got = Vec::new();
    let mut first = None;
    while let Ok(sample) = sink.pull_sample() {
        let buffer = sample.buffer().unwrap();
        let at_ms = buffer.pts().unwrap().mseconds();
        let since = at_ms - *first.get_or_insert(at_ms);
        got.push((since, buffer.map_readable().unwrap().to_vec()));
    }
    pipeline.set_state(gst::State::Null).unwrap();
    Some(got)
}

#[test]
fn gstreamer_decodes_every_picture_at_its_time_and_alike() {
    for config in encoders() {
        let (coded, bytes, _) = clip(&config);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mkv");
        std::fs::write(&path, &bytes).unwrap();
        let Some(decoded) = decoded(&path) else { return };
        let times = |(at_ms, _): &(u64, Vec<u8>)| *at_ms;
        let wanted: Vec<u64> = coded.iter().map(|coded| coded.at_ms).collect();
        assert_eq!(decoded.iter().map(times).collect::<Vec<_>>(), wanted);
        let psnr = decoded
            .iter()
            .enumerate()
            .map(|(index, (_, got))| pictures::psnr_db(got, &pictures::bytes(SIZE, index as u64)));
        let least = psnr.fold(f64::INFINITY, f64::min);
        println!("{:?}: {least:.1} dB at least, {} bytes", config.encoder, bytes.len());
        assert!(least > 30.0, "{least} dB");
    }
}

/// What a program says of the clip; nothing when it is not installed.
fn asked(program: &str, arguments: &[&str], path: &Path) -> Option<Output> {
    match Command::new(program).args(arguments).arg(path).env("LC_ALL", "C.UTF-8").output() {
        Ok(output) => Some(output),
        Err(error) => {
            println!("skipped: {program}: {error}");
            None
        }
    }
}

/// What it says when it is content.
fn content(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complaint) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && complaint.is_empty(), "{said}{complaint}");
    said
}

/// Two clips after each other behind one header, as they go to the service on one connection.
#[test]
fn other_programs_are_content() {
    for config in encoders() {
        let (coded, bytes, written) = clip(&config);
        let (again, avcc) = crate::encoder::coded(&config, SIZE, 40, &[0]);
        let header = usize::try_from(written.header_bytes).unwrap();
        let later: Vec<_> =
            again.into_iter().map(|c| Coded { at_ms: c.at_ms + 60_000, ..c }).collect();
        let (second, _) = file(&later, &avcc);
        assert_eq!(bytes[..header], second[..header], "one header");
        let stream = [&bytes[..], &second[header..], &end_of_fragment_tag()].concat();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stream.mkv");
        std::fs::write(&path, stream).unwrap();
        if let Some(output) = asked("mkvinfo", &["-v"], &path) {
            let said = content(&output);
            for word in ["rror", "arning", "nknown element"] {
                assert!(!said.contains(word), "{word}: {said}");
            }
            assert_eq!(said.matches("+ Cluster\n").count(), 6, "{said}");
            assert_eq!(said.matches("Simple block: ").count(), coded.len() + 40, "{said}");
            assert!(said.contains("V_MPEG4/ISO/AVC"), "{said}");
        }
        if let Some(output) = asked("mkvmerge", &["-J"], &path) {
            let said = content(&output);
            let said: serde_json::Value = serde_json::from_str(&said).unwrap();
            let none = serde_json::json!([]);
            assert_eq!((&said["errors"], &said["warnings"]), (&none, &none));
            assert_eq!(said["container"]["supported"], true);
            assert_eq!(said["tracks"].as_array().unwrap().len(), 1);
            assert_eq!(said["tracks"][0]["properties"]["pixel_dimensions"], "640x360");
        }
        let probe = ["-v", "warning", "-count_frames", "-show_streams", "-of", "json"];
        if let Some(output) = asked("ffprobe", &probe, &path) {
            let said: serde_json::Value = serde_json::from_str(&content(&output)).unwrap();
            let stream = &said["streams"][0];
            assert_eq!(stream["nb_read_frames"], (coded.len() + 40).to_string());
            assert_eq!(stream["has_b_frames"], 0);
            assert_eq!(stream["codec_name"], "h264");
        }
    }
}
