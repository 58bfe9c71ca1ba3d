//! Encoders that fail and that hang.

use std::time::Duration;

use domain::CaptureTime;
use gst::prelude::*;

use super::*;
use crate::priority::{LAST, of_stat, of_this_thread};
use crate::record::reel::FilmBytes;

const SIZE: SizePx = SizePx::new(64, 48);

/// Encoders that are not waited for long; says so when there are none.
fn encoders() -> Option<Encoders> {
    let encoders = Encoders::new(&ClipConfig::default(), 30).ok();
    let parses = encoders.is_some() && gst::ElementFactory::find("h264parse").is_some();
    if !parses {
        println!("skipped: no H.264 encoder, or no h264parse");
        return None;
    }
    encoders.map(|encoders| Encoders { looks_most: 4, ..encoders })
}

fn picture(sequence: u64) -> FilmPicture {
    let bytes = FilmBytes { bytes: vec![100; 64 * 48 * 3 / 2], back: None };
    FilmPicture { size: SIZE, bytes, at: CaptureTime::default(), sequence }
}

/// Pushes until it is refused.
fn refusal(encoder: &mut Encoder) -> EncoderError {
    let mut push = |at: u64| encoder.push(picture(at), at * 33, at == 0, &mut Vec::new());
    (0..1000).find_map(|at| push(at).err()).unwrap()
}

/// Has `then` done in the encoder's own thread before each picture.
fn before_each(encoder: &Encoder, then: impl Fn(&gst::Element) + Send + Sync + 'static) {
    let element = encoder.pipeline.by_name("encoder").unwrap();
    let pad = element.static_pad("sink").unwrap();
    let probe = pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        then(&element);
        gst::PadProbeReturn::Ok
    });
    assert!(probe.is_some());
}

#[test]
fn an_encoder_that_fails_is_named_with_what_it_says() {
    let Some(encoders) = encoders() else { return };
    let mut encoder = encoders.begin(SIZE).unwrap();
    before_each(&encoder, |element| {
        element.post_error_message(gst::error_msg!(gst::StreamError::Encode, ["it broke"]));
    });
    let refusal = refusal(&mut encoder);
    let EncoderError::Pipeline { element, reason, .. } = &refusal else { panic!("{refusal}") };
    assert_eq!(element, encoders.name());
    assert!(reason.contains("it broke"), "{refusal}");
}

#[test]
fn encoders_that_hang_are_given_up_and_not_begun_without_end() {
    let Some(encoders) = encoders() else { return };
    let (release, held) = crossbeam_channel::bounded::<()>(0);
    for hanging in 0..CLIP_ENCODERS_HANGING {
        assert_eq!(encoders.hanging.load(Ordering::Acquire), hanging);
        let mut encoder = encoders.begin(SIZE).unwrap();
        let held = held.clone();
        before_each(&encoder, move |_| {
            let _ = held.recv();
        });
        let refusal = refusal(&mut encoder);
        assert!(matches!(refusal, EncoderError::Hangs { after_ms: 200, .. }), "{refusal}");
    }
    let refused = encoders.begin(SIZE).err();
    assert!(matches!(refused, Some(EncoderError::StillHang { hanging: CLIP_ENCODERS_HANGING })));
    drop(release);
    let never = crossbeam_channel::never::<()>();
    for _ in 0..1000 {
        if encoders.hanging.load(Ordering::Acquire) == 0 {
            break;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
    assert!(encoders.begin(SIZE).is_ok(), "as they have ended");
}

/// Name and priority of each thread of this process.
fn threads() -> Vec<(String, (i64, i64))> {
    let mut found = Vec::new();
    for thread in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        // It may have ended meanwhile.
        let read = |file| std::fs::read_to_string(thread.path().join(file));
        let (Ok(name), Ok(stat)) = (read("comm"), read("stat")) else { continue };
        found.push((name.trim().to_owned(), of_stat(&stat)));
    }
    found
}

#[test]
fn the_threads_that_encode_come_last_and_no_other_does() {
    let Some(encoders) = encoders() else { return };
    let (told, seen) = crossbeam_channel::unbounded();
    let mut encoder = encoders.begin(SIZE).unwrap();
    before_each(&encoder, move |_| {
        // In the thread that encodes, which has started others if it ever does.
        told.send((of_this_thread(), threads())).unwrap();
    });
    let mut coded = Vec::new();
    for at in 0..9 {
        encoder.push(picture(at), at * 33, at == 0, &mut coded).unwrap();
    }
    encoder.finish(&mut coded).unwrap();
    drop(encoder);
    let seen: Vec<_> = seen.try_iter().collect();
    assert_eq!(seen.len(), 9);
    for (own, all) in seen {
        assert_eq!(own, LAST, "the thread that encodes");
        let encoding = all.iter().filter(|(name, _)| name.starts_with("clip-encode:"));
        let mut encoding = encoding.map(|(_, priority)| *priority).peekable();
        assert!(encoding.peek().is_some(), "GStreamer's name: {all:?}");
        assert!(encoding.all(|priority| priority == LAST), "{all:?}");
    }
    assert_ne!(of_this_thread(), LAST, "who begins an encoder stays as it was");
}

#[test]
fn a_pipeline_that_comes_after_gets_no_thread_that_comes_last() {
    let Some(encoders) = encoders() else { return };
    let mut encoder = encoders.begin(SIZE).unwrap();
    encoder.push(picture(0), 0, true, &mut Vec::new()).unwrap();
    encoder.finish(&mut Vec::new()).unwrap();
    drop(encoder);
    let (told, seen) = crossbeam_channel::unbounded();
    let source = gst::ElementFactory::make("fakesrc").property("num-buffers", 1).build().unwrap();
    let sink = gst::ElementFactory::make("fakesink").build().unwrap();
    let pad = sink.static_pad("sink").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let _ = told.send(of_this_thread());
        gst::PadProbeReturn::Ok
    });
    let camera = gst::Pipeline::new();
    camera.add_many([&source, &sink]).unwrap();
    source.link(&sink).unwrap();
    camera.set_state(gst::State::Playing).unwrap();
    let priority = seen.recv_timeout(Duration::from_secs(30)).unwrap();
    camera.set_state(gst::State::Null).unwrap();
    assert_ne!(priority, LAST);
}
