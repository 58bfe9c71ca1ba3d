//! Each fault of the service and of the way to it: no clip is lost, and each is kept once.

use std::sync::atomic::Ordering;

use store::ClipState;

use crate::kvs::{ControlFault, Fault, Said, Service};
use crate::station::{Station, patient_service, stop};

/// Brings three clips of two fragments while one connection after the other has its faults.
fn survives(faults: &[Fault]) {
    let mut station = Station::new();
    let service = patient_service();
    for _ in 0..3 {
        station.accept(2);
    }
    for fault in faults {
        service.script([fault.clone()]);
    }
    let uploader = station.start_to(&service);
    station.wait_for_all(&format!("{faults:?}"));
    stop(uploader);
    station.is_all_kept_by(&service);
}

#[test]
fn a_connection_that_is_not_made() {
    survives(&[Fault::ClosesAtOnce, Fault::ResetsAtOnce, Fault::NeverAnswers]);
}

#[test]
fn a_refusal() {
    let answers = |status, kind| Fault::Answers { status, kind };
    survives(&[
        answers(400, "ClientLimitExceededException"),
        answers(400, "ConnectionLimitExceededException"),
        answers(400, "InvalidEndpointException"),
        answers(400, "InvalidArgumentException"),
        answers(403, "ExpiredTokenException"),
        answers(401, "NotAuthorizedException"),
        answers(404, "ResourceNotFoundException"),
        answers(500, ""),
        answers(503, "ServiceUnavailable"),
        answers(599, ""),
        answers(302, ""),
    ]);
}

#[test]
fn a_reset_within_a_fragment() {
    survives(&[
        Fault::ResetsIn { fragment: 0, frames: 1 },
        Fault::ResetsIn { fragment: 1, frames: 3 },
        Fault::ResetsIn { fragment: 2, frames: 2 },
    ]);
}

#[test]
fn a_black_hole() {
    survives(&[Fault::NeverAcks, Fault::StopsAt { fragment: 1 }]);
}

#[test]
fn an_end_before_and_after_each_acknowledgement() {
    for ack in [Said::Buffering, Said::Received, Said::Persisted] {
        survives(&[
            Fault::ClosesBefore { fragment: 0, ack },
            Fault::ClosesAfter { fragment: 1, ack },
            Fault::ClosesBefore { fragment: 1, ack },
        ]);
    }
}

#[test]
fn errors_that_pass() {
    survives(&[
        Fault::Error { fragment: 0, id: 4000 },
        Fault::Error { fragment: 1, id: 4003 },
        Fault::Error { fragment: 0, id: 4004 },
        Fault::Error { fragment: 0, id: 4008 },
        Fault::Error { fragment: 0, id: 4500 },
        Fault::Error { fragment: 0, id: 5000 },
        Fault::Error { fragment: 0, id: 4999 },
        Fault::NotPersisted { fragment: 0, id: 5001 },
    ]);
}

#[test]
fn acknowledgements_cut_joined_twice_and_the_wrong_way_round() {
    for fault in [
        Fault::SplitAcks { bytes: 1 },
        Fault::SplitAcks { bytes: 7 },
        Fault::JoinsAcks,
        Fault::RepeatsAcks,
        Fault::ReversesAcks,
        Fault::Reads { bytes_per_s: 20_000 },
    ] {
        survives(&[fault]);
    }
}

#[test]
fn acknowledgements_that_are_missing_or_none() {
    survives(&[
        Fault::Omits { fragment: 0, ack: Said::Buffering },
        Fault::Omits { fragment: 1, ack: Said::Received },
    ]);
    survives(&[Fault::Omits { fragment: 0, ack: Said::Persisted }, Fault::Garbage { fragment: 0 }]);
}

#[test]
fn a_stream_that_is_in_use_for_a_while() {
    survives(&[Fault::Lingers { ms: 300 }]);
}

#[test]
fn a_control_plane_that_fails() {
    let mut station = Station::new();
    let service = patient_service();
    station.accept(2);
    for operation in ["describeStream", "getDataEndpoint", "tagStream"] {
        service.script_control(operation, ControlFault::Closes);
        service.script_control(operation, ControlFault::Garbage);
        let (status, kind) = (400, "ClientLimitExceededException");
        service.script_control(operation, ControlFault::Answers { status, kind });
    }
    service.script_control("describeStream", ControlFault::NeverAnswers);
    let uploader = station.start_to(&service);
    station.wait_for_all("the control plane fails");
    stop(uploader);
    station.is_all_kept_by(&service);
}

#[test]
fn a_service_that_is_down_again_and_again() {
    let mut station = Station::new();
    let service = patient_service();
    let uploader = station.start_to(&service);
    for round in 0..3 {
        station.accept(3);
        service.wait("some bytes came", |service| service.connections() > round);
        service.down();
        station.accept(1);
        service.up();
    }
    station.wait_for_all("down again and again");
    stop(uploader);
    station.is_all_kept_by(&service);
}

#[test]
fn a_defect_of_ours_ends_an_attempt_and_not_the_upload() {
    let mut station = Station::new();
    let service = patient_service();
    station.accept(2);
    station.clock.panics.store(3, Ordering::Release);
    let uploader = station.start_to(&service);
    station.wait_for_all("after three panics");
    stop(uploader);
    station.is_all_kept_by(&service);
    assert_eq!(station.told("stage_failed"), 3);
    let told = format!("{:?}", station.events());
    assert!(told.contains("as the test wants it"), "{told}");
}

/// A station whose first of three clips no connection survives.
fn with_a_clip_that_ends_connections() -> (Station, Service) {
    let mut station = Station::new();
    let service = patient_service();
    for _ in 0..3 {
        station.accept(2);
    }
    let first = station.clip(station.accepted[0]);
    service.reset_at(Some(first.timecode_ms(&first.fragments[0].fragment)));
    (station, service)
}

#[test]
fn a_clip_that_ends_every_connection_does_not_hold_up_the_others() {
    let (mut station, service) = with_a_clip_that_ends_connections();
    let uploader = station.start_to(&service);
    let [bad, second, third] = station.accepted[..] else { panic!() };
    let others =
        || station.is(second, ClipState::Persisted) && station.is(third, ClipState::Persisted);
    station.wait("the others", others);
    assert!(!station.is(bad, ClipState::Quarantined), "not at the first doubt");
    let mut rounds = 0;
    while !station.is(bad, ClipState::Quarantined) {
        rounds += 1;
        assert!(rounds < 40, "{:?}", station.clip(bad));
        let next = station.accept(1);
        station.wait("the next", || station.is(next, ClipState::Persisted));
        // It is tried between two of them.
        let tried = service.connections() + 8;
        let is_tried = || station.is(bad, ClipState::Quarantined) || service.connections() > tried;
        station.wait("it is tried", is_tried);
    }
    let clip = station.clip(bad);
    assert!(clip.trouble.unwrap().contains("connections ended on it while others were kept"));
    assert!(clip.gone_at.is_none(), "it is on disk");
    assert_eq!((station.told("clip_quarantined"), station.upload().clips_quarantined), (1, 1));
    service.reset_at(None);
    station.clips.release(bad).unwrap();
    station.wait_for_all("it was the service after all");
    stop(uploader);
    station.is_all_kept_by(&service);
}

#[test]
fn when_no_clip_gets_through_none_is_blamed() {
    let mut station = Station::new();
    let service = patient_service();
    for _ in 0..3 {
        station.accept(2);
    }
    for _ in 0..30 {
        service.script([Fault::ResetsIn { fragment: 0, frames: 1 }]);
    }
    let uploader = station.start_to(&service);
    station.wait_for_all("after thirty connections");
    stop(uploader);
    station.is_all_kept_by(&service);
    assert_eq!(station.told("clip_quarantined"), 0);
}
