//! Encoders: pictures in and out, key frames, what goes wrong.

use std::sync::Arc;

use domain::SizePx;
use sightline_pipeline::record::clip::ClipConfig;
use sightline_pipeline::record::clip::encoder::{Coded, EncoderError, Encoders};

use crate::pictures;

pub const FPS: u32 = 30;

/// The encoders here that a test can be run with; says so when there is none.
pub fn encoders() -> Vec<ClipConfig> {
    gst::init().unwrap();
    let names = ["openh264enc", "x264enc"];
    let here = |name: &&str| gst::ElementFactory::find(name).is_some();
    let parses = gst::ElementFactory::find("h264parse").is_some();
    let here: Vec<_> = names.into_iter().filter(|name| parses && here(name)).collect();
    if here.is_empty() {
        println!("skipped: none of {names:?}, or no h264parse");
    }
    let config =
        |name: &str| ClipConfig { encoder: Some(name.to_owned()), ..ClipConfig::default() };
    here.into_iter().map(config).collect()
}

/// All pictures of a clip, coded, and its avcC; a key frame at each of `keys`.
pub fn coded(config: &ClipConfig, size: SizePx, count: u64, keys: &[u64]) -> (Vec<Coded>, Vec<u8>) {
    let mut encoder = Encoders::new(config, FPS).unwrap().begin(size).unwrap();
    let mut out = Vec::new();
    for index in 0..count {
        let picture = pictures::picture(size, index, FPS.into());
        let at_ms = index * 1000 / u64::from(FPS);
        encoder.push(picture, at_ms, keys.contains(&index), &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
    assert_eq!(encoder.dropped(), [0; 0]);
    (out, encoder.avcc().unwrap().to_vec())
}

/// The kinds of the units of an access unit, and of the slices in them: 0 P, 1 B, 2 I.
fn kinds(access_unit: &[u8]) -> (Vec<u8>, Vec<u32>) {
    let (mut units, mut slices) = (Vec::new(), Vec::new());
    let mut rest = access_unit;
    while let Some((length, after)) = rest.split_first_chunk() {
        let (unit, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        units.push(unit[0] & 31);
        if matches!(unit[0] & 31, 1 | 5) {
            let mut bits = unit[1..].iter().flat_map(|b| (0..8).rev().map(move |at| b >> at & 1));
            let mut exp_golomb = || {
                let zeros = bits.by_ref().take_while(|bit| *bit == 0).count();
                let tail = bits.by_ref().take(zeros).fold(1, |n, bit| n << 1 | u32::from(bit));
                tail - 1
            };
            let _first_macroblock = exp_golomb();
            slices.push(exp_golomb() % 5);
        }
        rest = after;
    }
    assert_eq!(rest, [0; 0]);
    (units, slices)
}

#[test]
fn pictures_come_out_as_they_went_in_with_key_frames_where_they_were_wanted() {
    for config in encoders() {
        // No multiple of eight wide, so that rows are padded; not asked for at regular places.
        let keys = [0, 13, 14, 40];
        let (coded, _) = coded(&config, SizePx::new(332, 250), 60, &keys);
        let times: Vec<u64> = coded.iter().map(|coded| coded.at_ms).collect();
        assert_eq!(times, (0..60).map(|index| index * 1000 / 30).collect::<Vec<_>>());
        for (index, coded) in coded.iter().enumerate() {
            let is_key = keys.contains(&(index as u64));
            assert_eq!(coded.is_key, is_key, "picture {index} of {config:?}");
            let (units, slices) = kinds(&coded.bytes);
            assert_eq!(units.contains(&5), is_key, "an IDR, {units:?}");
            assert_eq!(slices, [if is_key { 2 } else { 0 }], "one slice, never B");
        }
    }
}

#[test]
fn the_same_settings_give_the_same_avcc() {
    for config in encoders() {
        let size = SizePx::new(320, 240);
        let (_, one) = coded(&config, size, 20, &[0]);
        let (_, two) = coded(&config, size, 50, &[0, 20, 40]);
        assert_eq!(one, two, "{config:?}");
        assert_eq!(one[0], 1, "the version of avcC");
        assert_eq!(one[4] & 3, 3, "lengths of four bytes");
        let (_, larger) = coded(&config, SizePx::new(640, 480), 2, &[0]);
        assert_ne!(one, larger, "the size is in it");
    }
}

#[test]
fn the_films_memory_goes_back_to_it() {
    for config in encoders() {
        let (back, stock) = crossbeam_channel::bounded(64);
        for size in [SizePx::new(320, 240), SizePx::new(324, 240)] {
            let mut encoder = Encoders::new(&config, FPS).unwrap().begin(size).unwrap();
            for index in 0..20 {
                let mut picture = pictures::picture(size, index, FPS.into());
                picture.bytes.back = Some(back.clone());
                encoder.push(picture, index * 33, index == 0, &mut Vec::new()).unwrap();
            }
            encoder.finish(&mut Vec::new()).unwrap();
            drop(encoder);
            let lengths: Vec<_> = stock.try_iter().map(|bytes| bytes.len()).collect();
            assert_eq!(lengths, [(size.width * size.height * 3 / 2) as usize; 20]);
        }
    }
}

#[test]
fn an_encoder_that_is_not_there_is_named_with_its_key() {
    gst::init().unwrap();
    let new = |name: &str| {
        let config = ClipConfig { encoder: Some(name.to_owned()), ..ClipConfig::default() };
        Encoders::new(&config, FPS).map(|encoders| encoders.name()).map_err(|e| e.to_string())
    };
    let unknown = new("filesink").unwrap_err();
    assert!(unknown.contains("[clips] encoder = \"filesink\""), "{unknown}");
    assert!(unknown.contains("openh264enc"), "what would do: {unknown}");
    if gst::ElementFactory::find("nvv4l2h264enc").is_none() {
        let absent = new("nvv4l2h264enc").unwrap_err();
        assert!(absent.contains("[clips] encoder = \"nvv4l2h264enc\" is not installed"));
        if gst::ElementFactory::find("openh264enc").is_some() {
            assert!(absent.contains("openh264enc"), "what is there: {absent}");
        }
    }
}

#[test]
fn pictures_that_no_clip_can_have_are_refused() {
    for config in encoders() {
        let encoders = Encoders::new(&config, FPS).unwrap();
        for (width, height) in [(321, 240), (320, 241), (8, 240), (320, 9000), (0, 0)] {
            let refused = encoders.begin(SizePx::new(width, height)).err();
            assert!(matches!(refused, Some(EncoderError::Size { .. })), "{width}x{height}");
        }
        let size = SizePx::new(320, 240);
        let mut encoder = encoders.begin(size).unwrap();
        let out = &mut Vec::new();
        encoder.push(pictures::picture(size, 0, 30), 0, true, out).unwrap();
        let other = pictures::picture(SizePx::new(160, 120), 1, 30);
        let refused = encoder.push(other, 33, false, out);
        assert!(matches!(refused, Err(EncoderError::Picture { picture: 1, .. })));
        let mut short = pictures::picture(size, 1, 30);
        short.bytes.bytes.pop();
        let refused = encoder.push(short, 66, false, out);
        assert!(matches!(refused, Err(EncoderError::Picture { picture: 1, .. })));
        let again = encoder.push(pictures::picture(size, 1, 30), 66, false, out);
        assert!(matches!(again, Err(EncoderError::NotRising { at_ms: 66, before_ms: 66 })));
    }
}

#[test]
fn an_encoder_ends_when_it_is_dropped_with_pictures_inside() {
    for config in encoders() {
        let encoders = Arc::new(Encoders::new(&config, FPS).unwrap());
        for _ in 0..5 {
            let size = SizePx::new(320, 240);
            let mut encoder = encoders.begin(size).unwrap();
            for index in 0..3 {
                let picture = pictures::picture(size, index, 30);
                encoder.push(picture, index * 33, index == 0, &mut Vec::new()).unwrap();
            }
        }
    }
}
