//! Each fault happens.

use std::time::Duration;

use serde_json::Value;

use crate::kvs::{Fault, Limits, Said, Service};
use crate::raw::{self, Ask, Ended};
use crate::{NOW_S, PAST_MS, broken, connected, last_id, limited, put, service, words};

/// Header and a fragment.
fn body() -> Vec<u8> {
    [raw::header(), raw::fragment(PAST_MS)].concat()
}

/// Puts one fragment under `fault`; gives all that was said.
fn said(service: &Service, fault: Fault) -> String {
    service.script([fault]);
    let mut raw = connected(service);
    raw.chunk(&body());
    raw.end();
    raw.rest().0
}

fn words_of(said: &str) -> Vec<String> {
    let acks: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    words(&acks).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_reset_in_a_cluster_keeps_nothing_of_it() {
    for frames in [0, 2] {
        let service = service();
        service.script([Fault::ResetsIn { fragment: 1, frames }]);
        let mut raw = connected(&service);
        raw.chunk(&[body(), raw::fragment(PAST_MS + 2000)].concat());
        assert_eq!(raw.rest().1, Ended::Reset);
        assert_eq!(service.fragments("cam").len(), 1);
        service.wait("the stream is free", |service| !service.is_in_use("cam"));
    }
}

#[test]
fn an_ack_is_followed_or_not_followed_by_the_end() {
    let service = service();
    for (fault, said, persisted) in [
        (Fault::ClosesAfter { fragment: 0, ack: Said::Buffering }, 1, 0),
        (Fault::ClosesAfter { fragment: 0, ack: Said::Received }, 2, 0),
        (Fault::ClosesBefore { fragment: 0, ack: Said::Persisted }, 2, 1),
        (Fault::ClosesAfter { fragment: 0, ack: Said::Persisted }, 3, 1),
    ] {
        service.script([fault.clone()]);
        let before = service.fragments("cam").len();
        let (acks, ended) = put(&service, &[&body()]);
        assert_eq!((acks.len(), ended), (said, Ended::Closed), "{fault:?}");
        assert_eq!(service.fragments("cam").len() - before, persisted, "{fault:?}");
    }
}

#[test]
fn a_connection_ends_before_it_is_answered() {
    let service = service();
    let ask = Ask::new("cam", NOW_S);
    service.script([Fault::ClosesAtOnce]);
    assert!(ask.send(&service).status().is_err());
    service.script([Fault::ResetsAtOnce]);
    assert_eq!(ask.send(&service).status(), Err(Ended::Reset));
    for (status, kind) in [
        (400, "ClientLimitExceededException"),
        (400, "ConnectionLimitExceededException"),
        (400, "InvalidEndpointException"),
        (403, "AccessDeniedException"),
        (500, "InternalFailure"),
        (503, "ServiceUnavailable"),
    ] {
        service.script([Fault::Answers { status, kind }]);
        let (got, head) = ask.send(&service).status().unwrap();
        assert!(got == status && head.contains(kind), "{head}");
    }
    assert!(broken(&service).is_empty());
    assert_eq!(service.connections(), 8);
    connected(&service);
}

#[test]
fn nothing_is_ever_answered() {
    let service = service();
    service.script([Fault::NeverAnswers]);
    let mut silent = Ask::new("cam", NOW_S).send(&service);
    service.wait("it is accepted", |service| service.connections() == 1);
    service.down();
    assert!(silent.status().is_err());
}

#[test]
fn nothing_is_ever_acknowledged() {
    let service = service();
    service.script([Fault::NeverAcks]);
    let mut silent = connected(&service);
    silent.chunk(&body());
    silent.end();
    service.wait("it is kept all the same", |service| service.fragments("cam").len() == 1);
    service.script([Fault::StopsAt { fragment: 1 }]);
    service.wait("the stream is free", |service| !service.is_in_use("cam"));
    let mut stopped = connected(&service);
    stopped.chunk(&[body(), raw::fragment(PAST_MS + 2000)].concat());
    stopped.end();
    service.wait("the first is kept", |service| service.fragments("cam").len() == 2);
    service.wait("the stream is free", |service| !service.is_in_use("cam"));
    service.down();
    let (said, ended) = silent.rest();
    assert!(said.is_empty() && ended != Ended::Whole, "{said}");
    assert_ne!(stopped.rest().1, Ended::Whole);
    assert_eq!(service.received("cam").len(), 2);
}

#[test]
fn errors_are_said_at_a_fragment() {
    let service = service();
    service.script([Fault::Error { fragment: 1, id: 4503 }]);
    let (acks, _) = put(&service, &[&body(), &raw::fragment(PAST_MS + 2000)]);
    assert_eq!((acks.len(), last_id(&acks)), (4, Some(4503)));
    assert_eq!(acks[3]["ErrorCode"], "KMS_KEY_UNAVAILABLE");
    assert_eq!(acks[3]["FragmentTimecode"], PAST_MS + 2000);
    service.script([Fault::NotPersisted { fragment: 0, id: 5001 }]);
    let (acks, ended) = put(&service, &[&body(), &raw::fragment(PAST_MS + 2000)]);
    let all = ["BUFFERING", "RECEIVED", "ERROR", "BUFFERING", "RECEIVED", "PERSISTED"];
    assert_eq!((words(&acks), ended), (all.to_vec(), Ended::Whole));
    assert_eq!(service.fragments("cam").len(), 2);
    assert!(broken(&service).is_empty());
}

#[test]
fn acks_are_said_badly() {
    let service = service();
    assert_eq!(words_of(&said(&service, Fault::ReversesAcks))[0], "PERSISTED");
    let omits = Fault::Omits { fragment: 0, ack: Said::Received };
    assert_eq!(words_of(&said(&service, omits)), ["BUFFERING", "PERSISTED"]);
    let twice = words_of(&said(&service, Fault::RepeatsAcks));
    assert_eq!((twice.len(), &twice[4..]), (6, &["PERSISTED", "PERSISTED"].map(str::to_owned)[..]));
    let garbage = said(&service, Fault::Garbage { fragment: 0 });
    assert!(garbage.starts_with("}<html>") && garbage.lines().count() == 4, "{garbage}");
    service.script([Fault::JoinsAcks]);
    let mut raw = connected(&service);
    raw.chunk(&body());
    raw.end();
    let joined = String::from_utf8(raw.next().unwrap()).unwrap();
    assert_eq!(joined.matches("\r\n").count(), 3);
    assert_eq!(words_of(&joined).len(), 3);
    assert!(broken(&service).is_empty());
}

#[test]
fn acks_are_cut() {
    let service = service();
    service.script([Fault::SplitAcks { bytes: 7 }]);
    let mut raw = connected(&service);
    raw.chunk(&body());
    raw.end();
    assert_eq!(raw.next().unwrap().len(), 7);
    assert_eq!(raw.rest().0.lines().count(), 3);
}

#[test]
fn reading_is_slow_by_the_clock() {
    let idle_close = Duration::from_secs(1000);
    let (service, clock) = limited(Limits { idle_close, ..Limits::default() });
    service.make_stream("other", 24);
    service.script([Fault::Reads { bytes_per_s: 100 }]);
    let mut slow = connected(&service);
    slow.chunk(&body());
    slow.end();
    let mut other = Ask::new("other", NOW_S).send(&service);
    other.status().unwrap();
    other.chunk(&body());
    other.end();
    assert_eq!(other.rest().0.lines().count(), 3);
    assert_eq!(service.received("cam").len(), 0);
    clock.advance(Duration::from_secs(100));
    let said = slow.rest().0;
    let acks = said.lines().filter(|line| !line.contains("IDLE")).count();
    assert_eq!(acks, 3, "{said}");
}

#[test]
fn a_stream_is_still_in_use_after_a_drop() {
    let (service, clock) = limited(Limits::default());
    service.script([Fault::ResetsIn { fragment: 0, frames: 1 }, Fault::Lingers { ms: 3000 }]);
    let mut raw = connected(&service);
    raw.chunk(&body());
    assert_eq!(raw.rest().1, Ended::Reset);
    let (status, head) = Ask::new("cam", NOW_S).send(&service).status().unwrap();
    assert!(status == 400 && head.contains("ConnectionLimitExceededException"), "{head}");
    clock.advance(Duration::from_secs(3));
    connected(&service);
    assert!(broken(&service).is_empty());
}

#[test]
fn the_service_is_down_and_comes_back() {
    let service = service();
    let mut raw = connected(&service);
    service.down();
    assert_eq!(raw.rest().1, Ended::Reset);
    let host = service.data_endpoint().replace("http://", "");
    let refused = std::net::TcpStream::connect(&host).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    service.up();
    assert_eq!(put(&service, &[&body()]).0.len(), 3);
}
