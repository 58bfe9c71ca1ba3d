//! Each rule is broken once, and refused once.

use std::time::Duration;

use proptest::prelude::*;

use crate::kvs::media::{Media, Step};
use crate::kvs::{Credentials, Limits};
use crate::raw::{self, Ask, Ended, block, cluster, number, slice, tags};
use crate::{NOW_MS, NOW_S, PAST_MS, broken, connected, last_id, limited, put, service};

/// Breaks a rule after a good fragment; the good one stays.
fn refused(id: u64, what: &str, body: &[u8]) {
    let service = service();
    let (acks, ended) = put(&service, &[body]);
    assert_eq!((last_id(&acks), ended), (Some(id), Ended::Whole), "{what}: {acks:?}");
    let broken = broken(&service);
    assert_eq!(broken.len(), 1, "{what}: {broken:?}");
    assert!(broken[0].starts_with(&id.to_string()), "{what}: {broken:?}");
    assert_eq!(service.fragments("cam").len(), 0, "{what}");
}

fn with_header(more: &[Vec<u8>]) -> Vec<u8> {
    [raw::header(), more.concat()].concat()
}

#[test]
fn what_comes_before_the_first_cluster() {
    let (ebml, segment, info) = (raw::ebml(), raw::segment(), raw::info());
    let tracks = |entries: &[Vec<u8>]| {
        let fragment = raw::fragment(PAST_MS);
        [raw::ebml(), raw::segment(), raw::info(), raw::tracks(entries), fragment].concat()
    };
    let one = raw::tracks(&[raw::track(1, &raw::AVCC)]);
    let webm = raw::element(0x1A45_DFA3, &raw::element(0x4282, b"webm"));
    let sized = raw::element(0x1853_8067, &info);
    let cluster = raw::fragment(PAST_MS);
    refused(4006, "no EBML header", &segment);
    refused(4006, "webm", &[webm, segment.clone()].concat());
    refused(4006, "a segment of known size", &[ebml.clone(), sized].concat());
    refused(4006, "tracks before info", &[ebml.clone(), segment.clone(), one].concat());
    refused(4006, "no tracks", &[ebml, segment, info, cluster].concat());
    refused(4006, "a track twice", &tracks(&[1, 1].map(|at| raw::track(at, &raw::AVCC))));
    refused(4012, "four tracks", &tracks(&[1, 2, 3, 4].map(|at| raw::track(at, &raw::AVCC))));
    for (at, value) in [(0, 0), (1, 0x64), (4, 0), (5, 0xE0), (6, 9), (8, 0x68), (15, 0x67)] {
        let mut private = raw::AVCC;
        private[at] = value;
        refused(4006, &format!("avcC with {value} at {at}"), &tracks(&[raw::track(1, &private)]));
    }
    refused(4006, "an empty avcC", &tracks(&[raw::track(1, &[])]));
    refused(4006, "a second header", &with_header(&[raw::ebml()]));
    refused(4006, "cues", &with_header(&[raw::element(0x1C53_BB6B, &[])]));
}

#[test]
fn what_is_in_a_cluster() {
    let key = || block(1, 0, 0x80, &slice(5));
    let of = |blocks: &[Vec<u8>]| with_header(&[cluster(PAST_MS, blocks)]);
    refused(4006, "no key frame first", &of(&[block(1, 0, 0, &slice(1))]));
    refused(4006, "a relative time below 0", &of(&[block(1, -1, 0x80, &slice(5))]));
    refused(4006, "lacing", &of(&[block(1, 0, 0x82, &slice(5))]));
    refused(4006, "two timecodes", &of(&[number(0xE7, PAST_MS)]));
    refused(4006, "another element", &of(&[raw::element(0xEC, &[])]));
    let untimed = [raw::name(0x1F43_B675), vec![0xFF], key()].concat();
    refused(4006, "a block before the timecode", &with_header(&[untimed]));
    refused(4010, "a track that is not declared", &of(&[key(), block(2, 0, 0x80, &slice(5))]));
    refused(4002, "20 s and more", &of(&[key(), block(1, 20_001, 0, &slice(1))]));
    refused(4013, "under a second", &of(&[key(), block(1, 499, 0, &slice(1))]));
    refused(4007, "ahead of the clock", &with_header(&[cluster(NOW_MS + 1, &[key()])]));
    let ahead = cluster(NOW_MS, &[key(), block(1, 1, 0, &slice(1))]);
    refused(4007, "a frame ahead of the clock", &with_header(&[ahead]));
    let cut = of(&[key()]);
    refused(4000, "cut off", &cut[..cut.len() - 1]);
    let two = raw::tracks(&[1, 2].map(|at| raw::track(at, &raw::AVCC)));
    let header = [raw::ebml(), raw::segment(), raw::info(), two].concat();
    refused(4011, "a track without a frame", &[header, raw::fragment(PAST_MS)].concat());
}

#[test]
fn tags_of_a_fragment() {
    let of = |all: &[(&str, &str)]| with_header(&[tags(all), raw::fragment(PAST_MS)]);
    refused(4009, "eleven", &of(&[("a", "b"); 11]));
    let five = || tags(&[("a", "b"); 5]);
    let body = with_header(&[five(), five(), tags(&[("a", "b")]), raw::fragment(PAST_MS)]);
    refused(4009, "eleven in three pieces", &body);
    refused(4009, "a long name", &of(&[(&"n".repeat(129), "")]));
    refused(4009, "a long value", &of(&[("n", &"v".repeat(257))]));
    refused(4009, "no name", &of(&[("", "v")]));
    refused(4009, "AWS", &of(&[("AWS_MINE", "")]));
    let service = service();
    let most = (&*"n".repeat(128), &*"v".repeat(256));
    let mut all = vec![most; 9];
    all.push(("AWS_KINESISVIDEO_NOTIFICATION", ""));
    let (acks, _) = put(&service, &[&of(&all)]);
    assert_eq!(acks.len(), 3, "{acks:?}");
    assert_eq!(service.fragments("cam")[0].fragment.tags.len(), 10);
}

#[test]
fn fragments_rise_on_a_connection() {
    let service = service();
    // The last frame of the first is at 1500 ms.
    let late = [raw::header(), raw::fragment(PAST_MS), raw::fragment(PAST_MS + 1500)].concat();
    assert_eq!(last_id(&put(&service, &[&late]).0), Some(4004));
    assert!(broken(&service)[0].starts_with("4004"));
    let fine = [raw::header(), raw::fragment(PAST_MS), raw::fragment(PAST_MS + 1501)].concat();
    assert_eq!(last_id(&put(&service, &[&fine]).0), None);
    // Across connections going back is allowed.
    assert_eq!(last_id(&put(&service, &[&with_header(&[raw::fragment(PAST_MS)])]).0), None);
    assert!(broken(&service).is_empty());
}

#[test]
fn a_fragment_is_not_larger_than_the_limit() {
    let most = raw::fragment(PAST_MS).len() as u64;
    for (fragment_bytes, id) in [(most, None), (most - 1, Some(4001))] {
        let (service, _) = limited(Limits { fragment_bytes, ..Limits::default() });
        let (acks, _) = put(&service, &[&with_header(&[raw::fragment(PAST_MS)])]);
        assert_eq!(last_id(&acks), id);
    }
    let service = service();
    let huge = [raw::name(0xA3), (1_u64 << 56 | 50_000_000).to_be_bytes().to_vec()].concat();
    let body = with_header(&[cluster(PAST_MS, &[huge])]);
    assert_eq!(last_id(&put(&service, &[&body]).0), Some(4001), "refused before it comes");
}

#[test]
fn what_the_real_service_lets_pass_is_written_down() {
    let frames = |first: &[u8], second: &[u8], at: i16| {
        let end = block(1, 1000, 0, &slice(1));
        cluster(PAST_MS, &[block(1, 0, 0x80, first), block(1, at, 0, second), end])
    };
    for (what, fragment) in [
        ("Annex B", frames(&slice(5), &[0, 0, 0, 1, 0x61, 0xAA, 0x55], 500)),
        ("no IDR slice", frames(&slice(1), &slice(1), 500)),
        ("an empty frame", frames(&slice(5), &[], 500)),
        ("two frames at once", frames(&slice(5), &slice(1), 0)),
        ("tags at the end", [raw::fragment(PAST_MS), tags(&[("a", "b")])].concat()),
    ] {
        let service = service();
        let (acks, _) = put(&service, &[&with_header(&[fragment])]);
        assert_eq!(acks.len(), 3, "{what}: {acks:?}");
        assert_eq!(broken(&service).len(), 1, "{what}");
    }
    let (service, _) = limited(Limits { bytes_per_s: 100, ..Limits::default() });
    assert_eq!(put(&service, &[&with_header(&[raw::fragment(PAST_MS)])]).0.len(), 3);
    assert_eq!(broken(&service).len(), 1);
}

#[test]
fn five_fragments_a_second() {
    let (service, clock) = limited(Limits::default());
    let mut raw = connected(&service);
    raw.chunk(&raw::header());
    (0..5).for_each(|at| raw.chunk(&raw::fragment(PAST_MS + 2000 * at)));
    raw.chunk(&raw::end_of_fragment());
    (0..15).for_each(|_| drop(raw.ack()));
    clock.advance(Duration::from_secs(1));
    raw.chunk(&raw::fragment(PAST_MS + 10_000));
    assert_eq!(raw.ack()["EventType"], "BUFFERING");
    assert!(broken(&service).is_empty());
    (6..11).for_each(|at| raw.chunk(&raw::fragment(PAST_MS + 2000 * at)));
    assert_eq!(raw.rest().1, Ended::Closed);
    assert_eq!(broken(&service), ["6 fragments in a second"]);
}

#[test]
fn a_request_is_refused_before_the_200() {
    let service = service();
    let temporary = Credentials {
        session_token: Some("token".to_owned()),
        ..Credentials::new("ASIATEMPORARY", "secret")
    };
    let (known, clock_s) = (Credentials::new("AKIDEXAMPLE", &ask().secret_key), NOW_S);
    service.allow_only(&[known, temporary]);
    let invalid = "InvalidArgumentException";
    let arn = "x-amzn-stream-arn";
    let start = "x-amzn-producer-start-timestamp";
    let signed_by = |access: &str, secret: &str, token: Option<&str>| Ask {
        access_key: access.to_owned(),
        secret_key: secret.to_owned(),
        token: token.map(str::to_owned),
        ..ask()
    };
    let mut unsigned = ask().without("x-amzn-stream-name");
    unsigned.unsigned.push(("x-amzn-stream-name".to_owned(), "cam".to_owned()));
    let no_chunks = ask().without("transfer-encoding").set("content-length", "0");
    let other_place = Ask { path: "/getMedia".to_owned(), ..ask() };
    for (what, ask, status, kind) in [
        ("no name", ask().without("x-amzn-stream-name"), 400, invalid),
        ("name and ARN", ask().set(arn, "arn:aws:x"), 400, invalid),
        ("a strange name", ask().set("x-amzn-stream-name", "a b"), 400, invalid),
        ("a strange type", ask().set("x-amzn-fragment-timecode-type", "absolute"), 400, invalid),
        ("two decimals", ask().set(start, "1795290404.59"), 400, invalid),
        ("milliseconds", ask().set(start, "1795290404590"), 400, invalid),
        ("milliseconds.", ask().set(start, "1795290404590.000"), 400, invalid),
        ("no acks", ask().without("x-amzn-fragment-acknowledgment-required"), 400, invalid),
        ("no chunks", no_chunks, 400, invalid),
        ("another path", other_place, 404, "UnknownOperationException"),
        ("no stream", Ask::new("no", clock_s), 404, "ResourceNotFoundException"),
        ("unknown", signed_by("AKIDX", "x", None), 403, "UnrecognizedClientException"),
        ("secret", signed_by("AKIDEXAMPLE", "x", None), 403, "InvalidSignatureException"),
        (
            "no token",
            signed_by("ASIATEMPORARY", "secret", None),
            403,
            "UnrecognizedClientException",
        ),
        ("region", Ask { region: "us-east-1".into(), ..ask() }, 403, "InvalidSignatureException"),
        ("old", Ask { wall_s: clock_s - 301, ..ask() }, 403, "InvalidSignatureException"),
        ("early", Ask { wall_s: clock_s + 301, ..ask() }, 403, "InvalidSignatureException"),
        ("unsigned", unsigned, 403, "InvalidSignatureException"),
    ] {
        let (got, head) = ask.send(&service).status().unwrap();
        assert_eq!(got, status, "{what}: {head}");
        assert!(head.contains(&format!("x-amzn-ErrorType: {kind}\r\n")), "{what}: {head}");
        let is_blamed =
            !matches!(kind, "ResourceNotFoundException" | "UnrecognizedClientException");
        assert_eq!(broken(&service).len(), usize::from(is_blamed), "{what}");
    }
    let fine = signed_by("ASIATEMPORARY", "secret", Some("token"));
    assert_eq!(fine.send(&service).status().unwrap().0, 200);
}

fn ask() -> Ask {
    Ask::new("cam", NOW_S)
}

#[test]
fn expired_credentials() {
    let service = service();
    let mut before = connected(&service);
    service.expire_credentials();
    let (status, head) = ask().send(&service).status().unwrap();
    assert!(status == 403 && head.contains("ExpiredTokenException"), "{head}");
    // Only the head is signed: what is open goes on.
    before.chunk(&with_header(&[raw::fragment(PAST_MS)]));
    before.end();
    assert_eq!(before.rest().0.lines().count(), 3);
}

#[test]
fn one_connection_a_stream() {
    let service = service();
    let first = connected(&service);
    let (status, head) = ask().send(&service).status().unwrap();
    assert!(status == 400 && head.contains("ConnectionLimitExceededException"), "{head}");
    assert_eq!(broken(&service).len(), 1);
    drop(first);
    // It may come back at once.
    connected(&service);
    assert!(broken(&service).is_empty());
}

#[test]
fn five_calls_of_put_media_a_second() {
    let (service, clock) = limited(Limits::default());
    (0..5).for_each(|_| drop(put(&service, &[&raw::header()])));
    let (status, head) = ask().send(&service).status().unwrap();
    assert!(status == 400 && head.contains("ClientLimitExceededException"), "{head}");
    assert_eq!(broken(&service).len(), 1);
    clock.advance(Duration::from_secs(1));
    connected(&service);
}

#[test]
fn a_stream_that_is_not_there_any_more_or_not_yet() {
    let service = service();
    let mut raw = connected(&service);
    service.delete_stream("cam");
    assert_eq!(raw.ack()["ErrorId"], 4507);
    assert_eq!(ask().send(&service).status().unwrap().0, 404);
    assert!(broken(&service).is_empty());
}

#[test]
fn chunks_are_chunks() {
    let service = service();
    for wrong in ["zz\r\n", "3\r\nabcd\r\n", "0\r\nx\r\n", "0\r\n\r\nmore"] {
        let mut raw = connected(&service);
        raw.write(wrong.as_bytes());
        assert_eq!(raw.rest().1, Ended::Closed, "{wrong:?}");
        assert_eq!(broken(&service).len(), 1, "{wrong:?}");
    }
}

/// What a parser says of these pieces.
fn steps(pieces: &[&[u8]]) -> Vec<String> {
    let mut media = Media::new(Limits::default(), 0);
    let mut said = Vec::new();
    for piece in pieces {
        media.push(piece);
        loop {
            match media.step(i64::try_from(NOW_MS).unwrap()) {
                Ok(Step::Hungry) => break,
                Ok(step) => said.push(format!("{step:?}")),
                Err(refused) => {
                    said.push(format!("{refused:?}"));
                    return said;
                }
            }
        }
    }
    said.push(format!("{:?}", media.finish()));
    said
}

fn whole_body() -> Vec<u8> {
    let end = raw::end_of_fragment();
    with_header(&[tags(&[("a", "b")]), raw::fragment(PAST_MS), raw::fragment(PAST_MS + 2000), end])
}

proptest! {
    #[test]
    fn pieces_of_any_size_say_the_same(size in 1_usize..900) {
        let body = whole_body();
        let pieces: Vec<&[u8]> = body.chunks(size).collect();
        prop_assert_eq!(steps(&pieces), steps(&[&body]));
    }

    #[test]
    fn no_bytes_break_it(changes in proptest::collection::vec((0_usize..900, any::<u8>()), 1..9)) {
        let mut body = whole_body();
        let len = body.len();
        changes.iter().for_each(|(at, value)| body[at % len] = *value);
        prop_assert!(!steps(&[&body]).is_empty());
    }
}
