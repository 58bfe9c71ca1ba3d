//! The loopback Kinesis Video service itself: each rule refuses, each fault happens.

#![allow(clippy::unwrap_used)]

mod kvs;
#[path = "kvs/raw.rs"]
mod raw;
#[path = "kvs/tried_control.rs"]
mod tried_control;
#[path = "kvs/tried_faults.rs"]
mod tried_faults;
#[path = "kvs/tried_rules.rs"]
mod tried_rules;

use std::sync::Arc;
use std::time::Duration;

use kvs::{Config, HandClock, Limits, Service};
use raw::{Ask, Ended, Raw};
use serde_json::Value;

/// The service's time, seconds since 1970-01-01 UTC.
const NOW_S: u64 = 1_795_290_301;
const NOW_MS: u64 = NOW_S * 1000;
/// Long enough ago for everything.
const PAST_MS: u64 = NOW_MS - 3_600_000;

/// A service whose time stands still, with the stream `cam`.
fn service() -> Service {
    limited(Limits::default()).0
}

/// One with these limits, and its clock.
fn limited(limits: Limits) -> (Service, Arc<HandClock>) {
    let clock = HandClock::at(NOW_S);
    let service = Service::with(Config { clock: clock.clone(), limits, ..Config::default() });
    service.make_stream("cam", 24);
    (service, clock)
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

fn last_id(acks: &[Value]) -> Option<u64> {
    acks.last().and_then(|ack| ack["ErrorId"].as_u64())
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
fn a_fragment_ends_with_the_end_of_fragment_tag_and_acks_come_meanwhile() {
    let service = service();
    let mut raw = connected(&service);
    let fragment = raw::fragment(PAST_MS);
    raw.chunk(&raw::header());
    raw.chunk(&fragment[..30]);
    assert_eq!(raw.ack()["EventType"], "BUFFERING");
    raw.chunk(&fragment[30..]);
    raw.chunk(&raw::end_of_fragment());
    assert_eq!(raw.ack()["EventType"], "RECEIVED");
    assert_eq!(raw.ack()["EventType"], "PERSISTED");
    raw.end();
    assert_eq!(raw.rest(), (String::new(), Ended::Whole));
    assert_eq!(service.fragments("cam")[0].fragment.bytes, fragment);
}

#[test]
fn a_cluster_may_have_a_size() {
    let service = service();
    let content = raw::fragment(PAST_MS)[5..].to_vec();
    let sized = raw::element(0x1F43_B675, &content);
    let (acks, _) = put(&service, &[&raw::header(), &sized, &raw::fragment(PAST_MS + 2000)]);
    assert_eq!(words(&acks).len(), 6, "{acks:?}");
    assert_eq!(broken(&service), Vec::<String>::new());
}

#[test]
fn relative_timecodes_count_from_the_start_timestamp() {
    let service = service();
    let start = format!("{}.250", NOW_S - 100);
    let mut raw = Ask::new("cam", NOW_S)
        .set("x-amzn-fragment-timecode-type", "RELATIVE")
        .set("x-amzn-producer-start-timestamp", &start)
        .send(&service);
    assert_eq!(raw.status().unwrap().0, 200);
    raw.chunk(&[raw::header(), raw::fragment(40)].concat());
    raw.end();
    assert_eq!(raw.ack()["FragmentTimecode"], 40);
    raw.rest();
    let starts_ms = i64::try_from((NOW_S - 100) * 1000 + 290).unwrap();
    assert_eq!(service.fragments("cam")[0].fragment.starts_ms, starts_ms);
}

#[test]
fn without_retention_nothing_is_persisted() {
    let service = service();
    service.set_retention("cam", 0);
    let (acks, ended) = put(&service, &[&raw::header(), &raw::fragment(PAST_MS)]);
    assert_eq!((words(&acks), ended), (vec!["BUFFERING", "RECEIVED"], Ended::Whole));
    assert_eq!((service.fragments("cam").len(), service.received("cam").len()), (0, 1));
}

#[test]
fn the_view_has_one_of_the_same_and_the_oldest_of_overlapping_ones() {
    let service = service();
    for at in [PAST_MS + 2000, PAST_MS, PAST_MS + 2000, PAST_MS + 1000] {
        put(&service, &[&raw::header(), &raw::fragment(at)]);
    }
    let starts = |stored: &kvs::Stored| u64::try_from(stored.fragment.starts_ms).unwrap();
    let view: Vec<u64> = service.view("cam").iter().map(starts).collect();
    assert_eq!(view, [PAST_MS, PAST_MS + 2000]);
    // The last one overlaps the one before it and both of the same.
    assert_eq!(service.overlaps("cam").len(), 3);
    assert_eq!(service.fragments("cam").len(), 4);
}

#[test]
fn a_connection_is_idle_then_ended() {
    let (service, clock) = limited(Limits::default());
    let mut raw = connected(&service);
    clock.advance(Duration::from_secs(5));
    assert_eq!(raw.ack()["EventType"], "IDLE");
    clock.advance(Duration::from_secs(24));
    assert_eq!(raw.ack()["EventType"], "IDLE");
    clock.advance(Duration::from_secs(1));
    assert_eq!(raw.rest(), (String::new(), Ended::Whole));
    assert_eq!(broken(&service), Vec::<String>::new());
}

#[test]
fn a_connection_ends_after_three_quarters_of_an_hour() {
    let (service, clock) = limited(Limits::default());
    let mut raw = connected(&service);
    raw.chunk(&raw::header());
    clock.advance(Duration::from_secs(45 * 60));
    assert_eq!(raw.ack()["ErrorId"], 4003);
    assert_eq!(raw.rest().1, Ended::Whole);
    assert_eq!(broken(&service).len(), 1);
}
