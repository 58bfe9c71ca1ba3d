//! What is written is what matroska-demuxer reads, and lies in the order that the service wants.

use std::io::Cursor;

use domain::SizePx;
use matroska_demuxer::{Frame, MatroskaFile, TrackType};
use proptest::prelude::*;
use sightline_pipeline::record::clip::matroska::{
    Block, Fragments, Header, MatroskaError, Tag, end_of_fragment_tag,
};

const AVCC: &[u8] = &[1, 0x42, 0xC0, 0x1E, 0xFF, 0xE1, 0, 4, 0x67, 0x42, 0xC0, 0x1E, 1, 0, 1, 0x68];
const HEADER: Header<'static> = Header {
    title: "Bottling 3 top",
    software: "sightline 0.1.0",
    size: SizePx::new(1280, 720),
    frame_ns: Some(33_333_333),
    avcc: AVCC,
};
const START_MS: i64 = 1_795_290_301_883;

fn tag(name: &str, value: &str) -> Tag {
    Tag { name: name.to_owned(), value: value.to_owned() }
}

fn key(at_ms: i64) -> Block<'static> {
    Block { at_ms, is_key: true, bytes: b"key" }
}

fn other(at_ms: i64) -> Block<'static> {
    Block { at_ms, is_key: false, bytes: b"other" }
}

/// Elements at the two highest levels: depth and id, in order. Sizes that are unknown last until
/// an element that belongs higher.
fn outline(bytes: &[u8]) -> Vec<(usize, u32)> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut cluster = false;
    while at < bytes.len() {
        let id_length = bytes[at].leading_zeros() as usize + 1;
        let id = bytes[at..at + id_length].iter().fold(0, |id, &b| id << 8 | u32::from(b));
        at += id_length;
        let size_length = bytes[at].leading_zeros() as usize + 1;
        let first = u64::from(bytes[at]) & ((1 << (8 - size_length)) - 1);
        let rest = &bytes[at + 1..at + size_length];
        let size = rest.iter().fold(first, |size, &b| size << 8 | u64::from(b));
        let is_unknown = size_length == 1 && size == 0x7F;
        at += size_length;
        let depth = match id {
            0x1A45_DFA3 | 0x1853_8067 => 0,
            0x1549_A966 | 0x1654_AE6B | 0x1254_C367 | 0x1F43_B675 => 1,
            _ if cluster => 2,
            _ => panic!("{id:#x} at {at} is in nothing"),
        };
        assert_eq!(is_unknown, matches!(id, 0x1853_8067 | 0x1F43_B675), "{id:#x}");
        cluster = id == 0x1F43_B675 || (cluster && depth == 2);
        found.push((depth, id));
        at += if is_unknown { 0 } else { usize::try_from(size).unwrap() };
    }
    assert_eq!(at, bytes.len());
    found
}

#[test]
fn elements_come_in_the_order_that_the_service_wants() {
    let mut bytes = HEADER.bytes();
    let mut fragments = Fragments::behind(bytes.len() as u64, START_MS);
    let (first, _) = fragments
        .next(&[tag("part", "7")], &[key(START_MS), other(START_MS + 33)], START_MS + 66)
        .unwrap();
    let (second, _) = fragments.next(&[], &[key(START_MS + 2000)], START_MS + 2033).unwrap();
    bytes.extend([first, second, end_of_fragment_tag()].concat());
    let cluster = [(1, 0x1F43_B675), (2, 0xE7), (2, 0xA7), (2, 0xA3)];
    let wanted = [
        &[(0, 0x1A45_DFA3), (0, 0x1853_8067), (1, 0x1549_A966), (1, 0x1654_AE6B)][..],
        &[(1, 0x1254_C367)],
        &cluster,
        &[(2, 0xA3)],
        &cluster,
        &[(1, 0x1254_C367)],
    ];
    assert_eq!(outline(&bytes), wanted.concat());
}

#[test]
fn the_end_of_a_fragment_is_said_as_kinesis_video_says_it() {
    let name = b"AWS_KINESISVIDEO_END_OF_FRAGMENT";
    assert_eq!(name.len(), 32);
    let wanted = [
        &[0x12, 0x54, 0xC3, 0x67, 0x80 + 44, 0x73, 0x73, 0x80 + 41, 0x67, 0xC8, 0x80 + 38][..],
        &[0x45, 0xA3, 0x80 + 32],
        name,
        &[0x44, 0x87, 0x80],
    ];
    assert_eq!(end_of_fragment_tag(), wanted.concat());
}

#[test]
fn a_block_is_where_and_what_it_should_be() {
    let mut fragments = Fragments::behind(100, START_MS);
    let blocks = [key(START_MS + 5), other(START_MS + 38)];
    let (bytes, fragment) = fragments.next(&[], &blocks, START_MS + 71).unwrap();
    let timecode = u64::try_from(START_MS + 5).unwrap().to_be_bytes();
    let wanted = [
        &[0x1F, 0x43, 0xB6, 0x75, 0xFF, 0xE7, 0x88][..],
        &timecode,
        &[0xA7, 0x81, 0],
        &[0xA3, 0x87, 0x81, 0, 0, 0x80, b'k', b'e', b'y'],
        &[0xA3, 0x89, 0x81, 0, 33, 0, b'o', b't', b'h', b'e', b'r'],
    ];
    assert_eq!(bytes, wanted.concat());
    assert_eq!((fragment.offset_bytes, fragment.size_bytes), (100, bytes.len() as u64));
    assert_eq!((fragment.timecode_at_bytes, fragment.starts_ms, fragment.lasts_ms), (107, 5, 66));
}

#[test]
fn headers_are_the_same_for_the_same_settings_only() {
    let bytes = HEADER.bytes();
    assert_eq!(bytes, HEADER.bytes());
    let others = [
        Header { title: "Bottling 3 side", ..HEADER },
        Header { size: SizePx::new(1280, 960), ..HEADER },
        Header { avcc: &AVCC[1..], ..HEADER },
        Header { frame_ns: None, ..HEADER },
    ];
    let uid = |bytes: &[u8]| {
        let at = bytes.windows(3).position(|at| at == [0x73, 0xA4, 0x90]).unwrap() + 3;
        bytes[at..at + 16].to_vec()
    };
    for other in others {
        assert_ne!(uid(&other.bytes()), uid(&bytes), "{other:?}");
    }
}

#[test]
fn what_the_service_refuses_is_refused_here() {
    let next = |tags: &[Tag], blocks: &[Block<'_>], ends_ms| {
        Fragments::behind(0, START_MS).next(tags, blocks, ends_ms).map(|_| ())
    };
    let one = [key(START_MS)];
    let end = START_MS + 33;
    assert_eq!(next(&[], &[], end), Err(MatroskaError::Empty));
    let at_ms = START_MS;
    assert_eq!(next(&[], &[other(at_ms)], end), Err(MatroskaError::NoKeyFrame { at_ms }));
    assert_eq!(
        next(&[], &[key(at_ms), other(at_ms)], end),
        Err(MatroskaError::NotRising { at_ms, before_ms: at_ms })
    );
    assert!(next(&[], &[key(at_ms - 1)], end).is_err(), "before the clip's start");
    assert_eq!(next(&[], &one, at_ms + 20_000), Ok(()));
    let lasts_ms = 20_001;
    let too_long = MatroskaError::TooLong { at_ms, lasts_ms };
    assert_eq!(next(&[], &one, at_ms + 20_001), Err(too_long));
    let past = Fragments::behind(0, -1).next(&[], &[key(-1)], 0);
    assert_eq!(past.map(|_| ()), Err(MatroskaError::BeforeEpoch { at_ms: -1 }));
    let large = vec![0; 50_000_000];
    let large = [Block { at_ms, is_key: true, bytes: &large }];
    assert!(matches!(next(&[], &large, end), Err(MatroskaError::TooLarge { .. })));
    assert_eq!(next(&vec![tag("a", "b"); 10], &one, end), Ok(()));
    let too_many = MatroskaError::TooManyTags { tags: 11 };
    assert_eq!(next(&vec![tag("a", "b"); 11], &one, end), Err(too_many));
    for name in ["", "AWS_KINESISVIDEO_X", &"n".repeat(129)] {
        let refused = Err(MatroskaError::TagName { name: name.to_owned() });
        assert_eq!(next(&[tag(name, "b")], &one, end), refused);
    }
    assert_eq!(next(&[tag(&"n".repeat(128), &"v".repeat(256))], &one, end), Ok(()));
    assert!(matches!(
        next(&[tag("a", &"v".repeat(257))], &one, end),
        Err(MatroskaError::TagValue { bytes: 257, .. })
    ));
}

#[test]
fn a_refused_fragment_leaves_its_place_to_the_next() {
    let mut fragments = Fragments::behind(10, START_MS);
    assert!(fragments.next(&[], &[other(START_MS + 50)], START_MS + 60).is_err());
    let (_, fragment) = fragments.next(&[], &[key(START_MS)], START_MS + 33).unwrap();
    assert_eq!(fragment.offset_bytes, 10);
    let late = fragments.next(&[], &[key(START_MS)], START_MS + 66);
    assert!(matches!(late, Err(MatroskaError::NotRising { .. })), "over fragments, too");
}

/// Fragments: pictures' bytes and the milliseconds to each from the one before; a tag.
/// Pictures with their times, and what is said of them.
type Told = (Vec<(i64, Vec<u8>)>, Option<String>);

fn clips() -> impl Strategy<Value = Vec<Told>> {
    let picture = (1..500_i64, prop::collection::vec(any::<u8>(), 1..300));
    let fragment = (prop::collection::vec(picture, 1..20), prop::option::of("[a-zé]{0,40}"));
    prop::collection::vec(fragment, 1..6)
}

proptest! {
    #[test]
    fn another_reader_finds_the_same_pictures(
        start_ms in 0..4_000_000_000_000_i64, clip in clips(),
    ) {
        let mut bytes = HEADER.bytes();
        let header_bytes = bytes.len();
        let mut fragments = Fragments::behind(bytes.len() as u64, start_ms);
        let mut at_ms = start_ms - 1;
        let mut wanted = Vec::new();
        let mut places = Vec::new();
        for (pictures, value) in &clip {
            let tags: Vec<_> = value.iter().map(|value| tag("note", value)).collect();
            let blocks: Vec<_> = pictures.iter().enumerate().map(|(index, (after, bytes))| {
                at_ms += after;
                Block { at_ms, is_key: index == 0, bytes }
            }).collect();
            let (written, place) = fragments.next(&tags, &blocks, at_ms + 1).unwrap();
            bytes.extend(written);
            places.push((place, blocks[0].at_ms));
            wanted.extend(blocks.iter().map(|b| (b.at_ms, b.is_key, b.bytes.to_vec())));
        }

        let mut file = MatroskaFile::open(Cursor::new(&bytes)).unwrap();
        prop_assert_eq!(file.info().title(), Some(HEADER.title));
        prop_assert_eq!(file.info().timestamp_scale().get(), 1_000_000);
        prop_assert_eq!(file.info().writing_app(), HEADER.software);
        let [track] = file.tracks() else { panic!("one track") };
        prop_assert_eq!(track.track_type(), TrackType::Video);
        prop_assert_eq!(track.codec_id(), "V_MPEG4/ISO/AVC");
        prop_assert_eq!(track.codec_private(), Some(AVCC));
        prop_assert_eq!(track.default_duration().unwrap().get(), 33_333_333);
        let video = track.video().unwrap();
        prop_assert_eq!((video.pixel_width().get(), video.pixel_height().get()), (1280, 720));
        let mut frame = Frame::default();
        let mut got = Vec::new();
        while file.next_frame(&mut frame).unwrap() {
            let at_ms = i64::try_from(frame.timestamp).unwrap();
            got.push((at_ms, frame.is_keyframe.unwrap(), frame.data.clone()));
        }
        prop_assert_eq!(got, wanted);

        let mut end = header_bytes as u64;
        for (place, at_ms) in places {
            prop_assert_eq!(place.offset_bytes, end);
            end += place.size_bytes;
            prop_assert_eq!(start_ms + i64::try_from(place.starts_ms).unwrap(), at_ms);
            let at = usize::try_from(place.timecode_at_bytes).unwrap();
            prop_assert_eq!(&bytes[at..at + 8], at_ms.to_be_bytes());
        }
        prop_assert_eq!(end, bytes.len() as u64);
    }
}
