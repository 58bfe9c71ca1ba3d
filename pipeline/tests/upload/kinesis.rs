//! What is particular to Kinesis Video: streams, credentials, the rules of a connection.

use std::time::Duration;

use sightline_pipeline::upload::{UploadConfig, Waits};
use store::ClipState;

use crate::kvs::{Config, Credentials, Fault, Service};
use crate::station::{STREAM, Station, patient_service, short, stop};

#[test]
fn no_rule_of_the_service_is_broken() {
    let mut station = Station::new();
    let service = Service::start();
    service.make_stream(STREAM, 24);
    for _ in 0..4 {
        station.accept(3);
    }
    // The waits of a station, but for how often it is looked for clips.
    let waits = Waits { look_every: Duration::from_millis(300), ..Waits::default() };
    let uploader = station.start(&station.config(&service), waits);
    station.wait_for_all("by the rules");
    station.accept_after(-7200, 2, true);
    station.wait("an older one", || station.is(station.accepted[4], ClipState::Persisted));
    stop(uploader);
    assert_eq!(service.violations(), []);
    assert_eq!(service.fragments(STREAM).len(), 14, "nothing twice");
    assert_eq!(service.connections(), 2, "times rise within a connection");
    assert_eq!(station.told("upload_trouble"), 0);
    let tags = service.tags(STREAM);
    assert!(tags.contains(&("sightline-station".to_owned(), "station".to_owned())), "{tags:?}");
}

#[test]
fn a_connection_ends_in_time_between_two_fragments() {
    let mut station = Station::new();
    let service = patient_service();
    station.accept(4);
    let waits = Waits { connection_lasts: Duration::from_millis(1), ..short() };
    let uploader = station.start(&station.config(&service), waits);
    station.wait_for_all("a connection a fragment");
    stop(uploader);
    station.is_all_kept_by(&service);
    assert_eq!(service.fragments(STREAM).len(), 4);
    assert_eq!(station.told("upload_trouble"), 0);
}

fn with(service: &Service, station: &Station, hours: Option<u32>) -> UploadConfig {
    let mut config = station.config(service);
    if let UploadConfig::KinesisVideo(config) = &mut config {
        config.create_with_retention_h = hours;
    }
    config
}

#[test]
fn a_stream_that_is_missing_is_an_alarm_or_is_made() {
    let mut station = Station::new();
    let service = patient_service();
    service.delete_stream(STREAM);
    station.accept(1);
    let uploader = station.start(&with(&service, &station, None), short());
    station.wait("told", || station.told("upload_trouble") == 1);
    assert!(format!("{:?}", station.events()).contains("create_with_retention_h"));
    stop(uploader);
    let uploader = station.start(&with(&service, &station, Some(48)), short());
    station.wait_for_all("into a stream that was made");
    stop(uploader);
    assert_eq!(service.retention(STREAM), Some(48));
}

#[test]
fn a_stream_that_keeps_nothing_is_sent_nothing() {
    let mut station = Station::new();
    let service = patient_service();
    service.set_retention(STREAM, 0);
    station.accept(1);
    let uploader = station.start_to(&service);
    station.wait("told", || station.told("upload_trouble") == 1);
    assert!(format!("{:?}", station.events()).contains("retention"));
    assert_eq!(service.received(STREAM).len(), 0);
    service.set_retention(STREAM, 1);
    station.wait_for_all("now it keeps");
    stop(uploader);
}

#[test]
fn credentials_that_expire_are_asked_for_anew() {
    let mut station = Station::new();
    let service = patient_service();
    station.accept(1);
    let uploader = station.start_to(&service);
    station.wait_for_all("by the first key");
    service.expire_credentials();
    station.accept(1);
    station.wait("told", || station.told("upload_trouble") == 1);
    let other = Credentials::new("AKIDOTHER", "other");
    service.allow_only(std::slice::from_ref(&other));
    station.sign_by(&other);
    station.wait_for_all("by the second key");
    stop(uploader);
    station.is_all_kept_by(&service);
}

#[test]
fn without_credentials_or_network_it_starts_and_stops() {
    let mut station = Station::new();
    station.accept(1);
    let service = patient_service();
    let config = station.config(&service);
    std::fs::remove_file(station.dir.path().join("credentials")).unwrap();
    drop(service);
    let uploader = station.start(&config, short());
    station.wait("told", || station.told("upload_trouble") == 1);
    let told = format!("{:?}", station.events());
    assert!(told.contains("credentials"), "{told}");
    station.sign_by(&Config::default().keys[0]);
    let reached = || {
        let trouble = station.upload().trouble.unwrap_or_default();
        trouble.contains("can't be reached")
    };
    station.wait("nobody is there", reached);
    stop(uploader);
    assert!(station.is(station.accepted[0], ClipState::Queued));
}

#[test]
fn a_clip_with_an_unknown_error_is_tried_and_then_quarantined() {
    let mut station = Station::new();
    let service = patient_service();
    station.accept(1);
    for _ in 0..5 {
        service.script([Fault::Error { fragment: 0, id: 4999 }]);
    }
    let uploader = station.start_to(&service);
    let bad = station.accepted[0];
    station.wait("quarantined", || station.is(bad, ClipState::Quarantined));
    station.accept(1);
    station.wait("the next", || station.is(station.accepted[1], ClipState::Persisted));
    stop(uploader);
    assert_eq!(service.connections(), 6);
}

#[test]
fn a_time_that_can_not_be_holds_the_clip() {
    let mut station = Station::new();
    let service = patient_service();
    station.accept(1);
    service.script([Fault::Error { fragment: 0, id: 4007 }]);
    let uploader = station.start_to(&service);
    let held = station.accepted[0];
    station.wait("held", || station.clip(held).held.is_some());
    station.clips.release(held).unwrap();
    station.wait_for_all("released");
    stop(uploader);
    assert_eq!(station.told("clips_held"), 1);
}

#[test]
fn a_stop_does_not_wait_for_a_black_hole() {
    let mut station = Station::new();
    let service = patient_service();
    station.accept(1);
    service.script([Fault::NeverAnswers]);
    let waits = Waits { answer_within: Duration::from_secs(600), ..short() };
    let uploader = station.start(&station.config(&service), waits);
    service.wait("it hangs", |service| service.connections() == 1);
    assert!(uploader.stop(Duration::from_millis(50)));
}
