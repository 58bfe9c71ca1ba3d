//! A day without the cloud, 30 clips an hour: all of them are there afterwards, in order, and the
//! service's ceiling is nearly reached while they come.

use std::collections::BTreeSet;
use std::time::Duration;

use sightline_pipeline::clock::Clock;
use store::{ClipClass, ClipState};

use crate::kvs::{Config, Service};
use crate::station::{SkipClock, Station, just_now, patient};
use crate::{is_full, report};

const DAY: Duration = Duration::from_hours(24);
const CLIPS: u32 = 30 * 24;

#[test]
fn a_day_without_the_cloud_loses_nothing() {
    // The whole from one camera takes minutes: the service takes five fragments a second.
    let cameras = if is_full() { 1 } else { 8 };
    let clock = SkipClock::behind(DAY);
    let service = Service::with(Config { clock: clock.clone(), ..Config::default() });
    let mut station = Station::new(cameras, clock.clone());
    station.make_streams(&service);
    service.down();
    let uploader = station.start(&service, &patient());
    for number in 0..CLIPS {
        clock.skip(DAY / CLIPS);
        let at = just_now(&clock);
        let written = station.write(number as usize % cameras, at, 1, ClipClass::Rejected);
        station.accept(written);
    }
    station.wait("the trouble is told", || station.told("upload_trouble") == cameras as u64);
    assert_eq!(station.count(ClipState::Queued), u64::from(CLIPS), "all wait, none is lost");

    service.up();
    let up = clock.now();
    station.wait("the first is kept", || station.count(ClipState::Persisted) > 0);
    let (first, had) = (clock.now(), station.count(ClipState::Persisted));
    station.wait("all are kept", || station.count(ClipState::Persisted) == u64::from(CLIPS));
    let end = clock.now();
    assert!(uploader.stop(Duration::from_secs(30)));

    station.is_all_kept_once_by(&service);
    for camera in &station.cameras {
        let mut seen = BTreeSet::new();
        let mut kept = service.fragments(&Station::stream(camera));
        // On a machine that stands still for a while something is sent twice.
        kept.retain(|stored| seen.insert(stored.fragment.starts_ms));
        assert!(kept.is_sorted_by_key(|stored| stored.fragment.starts_ms), "order of starts");
    }
    assert_eq!(service.violations(), []);
    assert_eq!(station.told("upload_trouble"), cameras as u64);
    let per_s = |clips: u64, time: Duration| clips as f64 / time.as_secs_f64() / cameras as f64;
    let rate = per_s(u64::from(CLIPS) - had, end.since(first));
    let all = per_s(u64::from(CLIPS), end.since(up));
    report(&format!(
        "a day away: {CLIPS} clips of {cameras} cameras; {rate:.2} fragments/s a stream, {:.0} % \
         of the ceiling of 5; from the cloud's return to the last clip {:.1} s, {:.0} % of it",
        rate * 20.0,
        end.since(up).as_secs_f64(),
        all * 20.0,
    ));
}
