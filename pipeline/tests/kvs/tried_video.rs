//! Real encoders' streams are taken and come out again: what is asked of avcC and of frames is not
//! more than they give.

use std::io::Cursor;

use gst::prelude::*;
use matroska_demuxer::MatroskaFile;

use crate::raw::{self, block, cluster, tracks};
use crate::{PAST_MS, broken, put, service, words};

/// avcC, and three seconds of frames, ten a second; `None` when the encoder is not there.
fn encoded(encoder: &str) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    gst::init().unwrap();
    gst::ElementFactory::find(encoder.split(' ').next()?)?;
    let described = format!(
        "videotestsrc num-buffers=30 ! video/x-raw,width=640,height=480,framerate=10/1 ! {encoder} \
         ! h264parse ! video/x-h264,stream-format=avc,alignment=au ! appsink name=sink sync=false"
    );
    let pipeline = gst::parse::launch(&described).unwrap().downcast::<gst::Pipeline>().unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let (mut private, mut blocks) = (Vec::new(), Vec::new());
    while let Ok(sample) = sink.pull_sample() {
        let caps = sample.caps().unwrap().structure(0).unwrap();
        let codec_data = caps.get::<gst::Buffer>("codec_data").unwrap();
        private = codec_data.map_readable().unwrap().to_vec();
        let buffer = sample.buffer().unwrap();
        let is_key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        let at_ms = i16::try_from(blocks.len() * 100).unwrap();
        let data = buffer.map_readable().unwrap();
        blocks.push(block(1, at_ms, if is_key { 0x80 } else { 0 }, &data));
    }
    pipeline.set_state(gst::State::Null).unwrap();
    Some((private, blocks))
}

#[test]
fn what_encoders_give_is_taken() {
    for encoder in ["x264enc bframes=0 tune=zerolatency", "openh264enc"] {
        let Some((private, blocks)) = encoded(encoder) else {
            println!("skipped: no {encoder}");
            continue;
        };
        let service = service();
        let tracks = tracks(&[raw::track(1, &private)]);
        let header = [raw::ebml(), raw::segment(), raw::info(), tracks].concat();
        let (acks, _) = put(&service, &[&header, &cluster(PAST_MS, &blocks)]);
        assert_eq!(words(&acks).last(), Some(&"PERSISTED"), "{encoder}: {acks:?}");
        assert!(broken(&service).is_empty(), "{encoder}");
        assert_eq!(service.fragments("cam")[0].fragment.lasts_ms, 3000);
        let mut file = MatroskaFile::open(Cursor::new(service.mkv("cam"))).unwrap();
        let (mut frame, mut frames) = (matroska_demuxer::Frame::default(), 0);
        while file.next_frame(&mut frame).unwrap() {
            assert_eq!(frame.timestamp, PAST_MS + 100 * frames);
            frames += 1;
        }
        assert_eq!(frames, 30, "{encoder}");
    }
}
