//! Every fault that the service and the way to it can have, one after the other by chance, while
//! keys expire, the service goes down, and the uploader is stopped and started anew.

use std::time::Duration;

use domain::WallTime;
use sightline_pipeline::clock::Clock;
use sightline_pipeline::upload::{Uploader, Waits};
use store::{ClipClass, ClipFilter, ClipState};

use crate::chance::Chance;
use crate::kvs::{Config, ControlFault, Credentials, Fault, Said, Service};
use crate::station::{SkipClock, Station, lawful, rest};
use crate::{is_full, report};

const SEED: u64 = 20_261;
/// Errors that say that the clip is never taken, and one that nobody knows.
const BAD: [u32; 9] = [4001, 4002, 4005, 4006, 4009, 4010, 4011, 4012, 4999];
/// Errors that pass.
const PASSING: [u32; 14] =
    [4000, 4003, 4004, 4008, 4500, 4501, 4502, 4503, 4504, 4505, 4506, 4507, 5000, 5001];
const REFUSALS: [(u16, &str); 14] = [
    (400, "ClientLimitExceededException"),
    (400, "ThrottlingException"),
    (400, "ConnectionLimitExceededException"),
    (400, "InvalidEndpointException"),
    (400, "InvalidArgumentException"),
    (401, "NotAuthorizedException"),
    (403, "ExpiredTokenException"),
    (403, "AccessDeniedException"),
    (404, "ResourceNotFoundException"),
    (429, ""),
    (500, ""),
    (503, "ServiceUnavailable"),
    (599, ""),
    (302, ""),
];

/// What goes wrong on one connection.
fn fault(chance: &mut Chance) -> Fault {
    let fragment = chance.below(6);
    let ack = chance.of_these(&[Said::Buffering, Said::Received, Said::Persisted]);
    match chance.below(22) {
        0 => Fault::ClosesAtOnce,
        1 => Fault::ResetsAtOnce,
        2 => Fault::NeverAnswers,
        3..=5 => {
            let (status, kind) = chance.of_these(&REFUSALS);
            Fault::Answers { status, kind }
        }
        6 => Fault::NeverAcks,
        7 => Fault::StopsAt { fragment },
        8 | 9 => Fault::ResetsIn { fragment, frames: 1 + chance.below(4) },
        10 => Fault::ClosesBefore { fragment, ack },
        11 => Fault::ClosesAfter { fragment, ack },
        12 | 13 => Fault::Error { fragment, id: chance.of_these(&PASSING) },
        14 => Fault::Error { fragment, id: chance.of_these(&BAD) },
        15 => Fault::NotPersisted { fragment, id: chance.of_these(&[5000, 5001, 4500]) },
        16 => Fault::SplitAcks { bytes: 1 + chance.below(9) },
        17 => [Fault::JoinsAcks, Fault::RepeatsAcks, Fault::ReversesAcks][chance.below(3)].clone(),
        18 => Fault::Omits { fragment, ack },
        19 => Fault::Garbage { fragment },
        20 => Fault::Lingers { ms: 300 },
        _ => Fault::Error { fragment, id: 4007 },
    }
}

/// What goes wrong with a call of the control plane.
fn control_fault(chance: &mut Chance) -> ControlFault {
    let (status, kind) = chance.of_these(&REFUSALS[..13]);
    match chance.below(8) {
        0 => ControlFault::NeverAnswers,
        1 | 2 => ControlFault::Closes,
        3 => ControlFault::Garbage,
        _ => ControlFault::Answers { status, kind },
    }
}

/// What people and machines do meanwhile.
fn meddle(
    chance: &mut Chance,
    (station, service): (&Station, &Service),
    uploader: Uploader,
    waits: &Waits,
) -> Uploader {
    let a_while = Duration::from_millis(200 + chance.below(800) as u64);
    match chance.below(4) {
        0 => {
            service.down();
            rest(a_while);
            service.up();
        }
        1 => {
            service.expire_credentials();
            rest(a_while);
            let key = Credentials::new(&format!("AKID{}", chance.below(1_000_000)), "other");
            service.allow_only(std::slice::from_ref(&key));
            station.sign_by(&key);
        }
        // Stopped in the middle of whatever it does, as if killed.
        2 => {
            station.kill(uploader);
            return station.start(service, waits);
        }
        _ => {
            assert!(uploader.stop(Duration::from_secs(30)));
            rest(a_while);
            return station.start(service, waits);
        }
    }
    uploader
}

/// Clips in four waves, each in any order, those of one camera half a minute after each other.
fn waves(chance: &mut Chance, clips: usize, cameras: usize) -> Vec<Vec<usize>> {
    let mut numbers: Vec<_> = (0..clips).collect();
    // Later ones may be accepted before earlier ones, as after a clock that was set.
    numbers.chunks_mut(cameras * 4).for_each(|near| chance.shuffle(near));
    numbers.chunks(clips.div_ceil(4)).map(<[usize]>::to_vec).collect()
}

/// Whether a clip may be quarantined for what was said of it.
fn is_bad(said: &str) -> bool {
    BAD.iter().any(|id| said.contains(&format!("({id})")))
}

/// Releases what is held or quarantined, which must be for a reason that was scripted.
fn release(station: &mut Station) -> (u64, u64) {
    let (mut held, mut quarantined) = (0, 0);
    for clip in station.reader().clips(&ClipFilter::default()).unwrap() {
        if let Some(why) = &clip.held {
            assert!(why.contains("(4007)"), "held: {clip:?}");
            held += 1;
        }
        let is_quarantined = clip.state == ClipState::Quarantined;
        if is_quarantined {
            assert!(is_bad(clip.trouble.as_deref().unwrap()), "quarantined: {clip:?}");
            quarantined += 1;
        }
        if is_quarantined || clip.held.is_some() {
            station.clips.release(clip.id).unwrap();
        }
    }
    (held, quarantined)
}

/// Clips that are kept, or never will be before somebody has looked.
fn settled(station: &Station) -> u64 {
    let tally = station.clips.tally().unwrap();
    tally.persisted.clips + tally.quarantined.clips + tally.held.clips
}

#[test]
fn an_uploader_ends_in_the_middle_of_a_call() {
    let clock = SkipClock::behind(Duration::ZERO);
    let service = Service::with(Config { clock: clock.clone(), ..Config::default() });
    let mut station = Station::new(1, clock.clone());
    station.make_streams(&service);
    let at = WallTime { unix_ns: clock.wall().unix_ns - 3_600_000_000_000 };
    let written = station.write(0, at, 1, ClipClass::Rejected);
    station.accept(written);
    for number in 1..=20 {
        service.script_control("describeStream", ControlFault::NeverAnswers);
        let uploader = station.start(&service, &lawful());
        service.wait("it hangs", |service| service.connections_parked() == number);
        assert!(uploader.stop(Duration::ZERO), "it did not end, or not well");
    }
}

#[test]
fn whatever_goes_wrong_each_clip_is_kept_once() {
    let (clips, cameras, faults) = if is_full() { (10_000, 40, 3_000_u64) } else { (400, 10, 90) };
    let mut chance = Chance::of(SEED);
    let clock = SkipClock::behind(Duration::ZERO);
    let service = Service::with(Config { clock: clock.clone(), ..Config::default() });
    let mut station = Station::new(cameras, clock.clone());
    station.make_streams(&service);
    let begin = clock.wall().unix_ns - 30_000_000_000 * (clips / cameras + 2) as i64;
    let scripted: Vec<_> = (0..faults).map(|_| fault(&mut chance)).collect();
    scripted.iter().for_each(|fault| service.script([fault.clone()]));
    for _ in 0..faults / 10 {
        let call = chance.of_these(&["describeStream", "getDataEndpoint", "tagStream"]);
        service.script_control(call, control_fault(&mut chance));
    }
    let waits = lawful();
    let mut uploader = station.start(&service, &waits);
    let (mut restarts, mut accepted) = (0, 0);
    for wave in waves(&mut chance, clips, cameras) {
        accepted += wave.len() as u64;
        for number in wave {
            let (camera, at) = (number % cameras, number / cameras);
            let at = WallTime { unix_ns: begin + 30_000_000_000 * at as i64 };
            let fragments = 1 + u64::from(number % 5 == 0);
            let written = station.write(camera, at, fragments, ClipClass::Rejected);
            station.accept(written);
        }
        while service.connections() < faults && settled(&station) < accepted {
            rest(Duration::from_millis(700));
            uploader = meddle(&mut chance, (&station, &service), uploader, &waits);
            restarts += 1;
            if service.connections() * clips as u64 > accepted * faults {
                break;
            }
        }
    }
    station.wait("all that may be", || settled(&station) >= clips as u64);
    let (held, quarantined) = release(&mut station);
    let is_last = |fault: &&Fault| matches!(fault, Fault::Error { id, .. } if BAD.contains(id));
    let bad = scripted.iter().filter(is_last).count() as u64;
    assert!(quarantined <= bad, "{quarantined} quarantined, {bad} errors that may be the reason");
    station.wait("all", || station.count(ClipState::Persisted) == clips as u64);
    assert!(uploader.stop(Duration::from_secs(30)));
    station.is_all_kept_once_by(&service);
    assert_eq!(service.violations(), []);
    let sent: usize =
        station.cameras.iter().map(|c| service.fragments(&Station::stream(c)).len()).sum();
    report(&format!(
        "{clips} clips through {faults} faults on {} connections, {restarts} times meddled with: \
         each kept once; {sent} fragments kept for {} clips' {}; {quarantined} quarantined and \
         {held} held for scripted errors, then released; {:.0} s",
        service.connections(),
        clips,
        clips + clips / 5,
        clock.now().ns as f64 / 1e9,
    ));
}
