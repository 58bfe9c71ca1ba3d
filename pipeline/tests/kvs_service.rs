//! The loopback Kinesis Video service itself: each rule refuses, each fault happens.

#![allow(clippy::unwrap_used)]

mod kvs;
#[path = "kvs/raw.rs"]
mod raw;

use kvs::{Config, Fault, HandClock, Said, Service};
use raw::{Ask, Ended, Raw};
use serde_json::Value;

/// The service's time, seconds since 1970-01-01 UTC.
const NOW_S: u64 = 1_795_290_301;
const NOW_MS: u64 = NOW_S * 1000;
/// Long enough ago for everything.
const PAST_MS: u64 = NOW_MS - 3_600_000;

/// A service whose time stands still, with the stream `cam`.
fn service() -> Service {
    let service = Service::with(Config { clock: HandClock::at(NOW_S), ..Config::default() });
    service.make_stream("cam", 24);
    service
}

/// A connection that was answered 200.
fn connected(service: &Service) -> Raw {
    let mut raw = Ask::new("cam", NOW_S).send(service);
    assert_eq!(raw.status().unwrap().0, 200);
    raw
}

/// Sends a whole body; gives all acks, and how it ended.
fn put(service: &Service, body: &[&[u8]]) -> (Vec<Value>, Ended) {
    let mut raw = connected(service);
    body.iter().for_each(|piece| raw.chunk(piece));
    raw.end();
    let (said, ended) = raw.rest();
    (said.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), ended)
}

fn words(acks: &[Value]) -> Vec<&str> {
    acks.iter().map(|ack| ack["EventType"].as_str().unwrap()).collect()
}

fn broken(service: &Service) -> Vec<String> {
    service.take_violations().into_iter().map(|violation| violation.what).collect()
}

#[test]
fn good_fragments_are_persisted() {
    let service = service();
    let tags = raw::tags(&[("part", "17"), ("verdict", "rejected")]);
    let first = [tags, raw::fragment(PAST_MS)].concat();
    let second = raw::fragment(PAST_MS + 2000);
    let (acks, ended) = put(&service, &[&raw::header(), &first, &second, &raw::end_of_fragment()]);
    let all = ["BUFFERING", "RECEIVED", "PERSISTED"];
    assert_eq!(words(&acks), [all, all].concat());
    assert_eq!(ended, Ended::Whole);
    assert_eq!(acks[0]["FragmentTimecode"], PAST_MS);
    assert_eq!(acks[0]["FragmentNumber"].as_str().unwrap().len(), 48);
    let kept = service.fragments("cam");
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].fragment.bytes, first);
    assert_eq!(kept[1].fragment.bytes, second);
    assert_eq!(kept[0].fragment.tags[1].value, "rejected");
    assert_eq!(kept[0].fragment.lasts_ms, 2000);
    assert_eq!(kept[0].fragment.frames.len(), 4);
    assert_eq!(service.mkv("cam"), [raw::header(), first, second].concat());
    assert_eq!(broken(&service), Vec::<String>::new());
}

#[test]
fn a_reset_in_a_cluster_keeps_nothing_of_it() {
    let service = service();
    service.script([Fault::ResetsIn { fragment: 1, frames: 2 }]);
    let body = [raw::header(), raw::fragment(PAST_MS), raw::fragment(PAST_MS + 2000)].concat();
    let mut raw = connected(&service);
    raw.chunk(&body);
    assert_eq!(raw.rest().1, Ended::Reset);
    assert_eq!(service.fragments("cam").len(), 1);
    service.wait("the stream is free", |service| !service.is_in_use("cam"));
}

#[test]
fn an_ack_is_followed_or_not_followed_by_the_end() {
    let service = service();
    let (header, fragment) = (raw::header(), raw::fragment(PAST_MS));
    for (fault, said, persisted) in [
        (Fault::ClosesAfter { fragment: 0, ack: Said::Buffering }, 1, 0),
        (Fault::ClosesAfter { fragment: 0, ack: Said::Received }, 2, 0),
        (Fault::ClosesBefore { fragment: 0, ack: Said::Persisted }, 2, 1),
    ] {
        service.script([fault.clone()]);
        let before = service.fragments("cam").len();
        let (acks, ended) = put(&service, &[&header, &fragment]);
        assert_eq!((acks.len(), ended), (said, Ended::Closed), "{fault:?}");
        assert_eq!(service.fragments("cam").len() - before, persisted, "{fault:?}");
    }
}
