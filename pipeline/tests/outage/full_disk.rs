//! A day without the cloud, two clips a second, and room for few of them: what goes first is what
//! is said to go first, all of it is told, and the rest is there afterwards.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use domain::WallTime;
use sightline_pipeline::clock::Clock;
use store::{Budget, ClipClass, ClipId, ClipState, Evicted};

use crate::kvs::{Config, Service};
use crate::station::{SkipClock, Station, just_now, patient};
use crate::{is_full, report};

const DAY: Duration = Duration::from_hours(24);
const CAMERAS: usize = 8;
/// What the facts beside a clip take at most.
const FACTS_BYTES: u64 = 4096;

/// What clips take on the disk, each file of them.
fn on_disk(station: &Station) -> u64 {
    let mut bytes = 0;
    let mut folders = vec![station.dir.path().join("store/clips")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let is = entry.metadata().unwrap();
            if is.is_dir() { folders.push(entry.path()) } else { bytes += is.len() }
        }
    }
    bytes
}

/// Clips that are there, by which goes first.
type Here = BTreeMap<(ClipClass, WallTime, ClipId), u64>;

/// Whether these are the ones that go first, and no more of them than needed.
fn go_first(here: &mut Here, evicted: &[Evicted], budget: &Budget, more_bytes: u64) {
    let mut taken: u64 = here.values().sum();
    for gone in evicted {
        assert!(taken + more_bytes > budget.bytes_max, "{gone:?} had not to go");
        let ((class, _, id), bytes) = here.pop_first().unwrap();
        assert_eq!((gone.clip, gone.class, gone.size_bytes), (id, class, bytes));
        assert_eq!(gone.state, ClipState::Queued);
        assert!(class != ClipClass::Labelled, "labelled ones never go");
        taken -= bytes;
    }
    assert!(taken + more_bytes <= budget.bytes_max);
}

#[test]
fn a_day_without_cloud_and_room_loses_what_is_said_to_go_first() {
    let (clips, capacity) = if is_full() { (172_800_u32, 600) } else { (1_500, 100) };
    let clock = SkipClock::behind(DAY);
    let service = Service::with(Config { clock: clock.clone(), ..Config::default() });
    let mut station = Station::new(CAMERAS, clock.clone());
    station.make_streams(&service);
    service.down();
    let uploader = station.start(&service, &patient());

    let bytes_max = capacity * 2500;
    let budget = Budget { bytes_max, alarm_bytes: bytes_max / 10 * 8 };
    let (mut here, mut lost, mut alarm_at, mut first_loss_at) = (Here::new(), 0_u32, None, None);
    let (mut most, mut most_unfinished, mut largest) = (0, 0, 0);
    for number in 0..clips {
        clock.skip(DAY / clips);
        let class = match number {
            n if n % (clips / 70) == 7 => ClipClass::Labelled,
            n if n % 3 == 0 => ClipClass::Rejected,
            _ => ClipClass::Undecided,
        };
        let at = just_now(&clock);
        let written = station.write(number as usize % CAMERAS, at, 1, class);
        let more_bytes = written.bytes + FACTS_BYTES;
        most_unfinished = most_unfinished.max(here.values().sum::<u64>() + written.bytes);
        let evicted = station.clips.make_room(&budget, more_bytes, clock.wall()).unwrap();
        go_first(&mut here, &evicted, &budget, more_bytes);
        lost += u32::try_from(evicted.len()).unwrap();
        if !evicted.is_empty() {
            first_loss_at.get_or_insert(number);
        }
        let id = station.accept(written);
        let path = station.clips.clip(id).unwrap().path;
        let bytes = [path.with_extension("json"), path].map(|p| p.metadata().unwrap().len());
        here.insert((class, at, id), bytes.iter().sum());
        largest = largest.max(bytes.iter().sum());
        let now = here.values().sum::<u64>();
        most = most.max(now);
        assert!(now <= bytes_max, "{now} bytes of {bytes_max}");
        if number % (clips / 150) == 0 {
            assert_eq!(on_disk(&station), now, "the files are what the rows say");
        }
        if alarm_at.is_none() && station.clips.tally().unwrap().unsaved().bytes > budget.alarm_bytes
        {
            alarm_at = Some(number);
        }
    }
    let (alarm_at, first_loss_at) = (alarm_at.unwrap(), first_loss_at.unwrap());
    assert!(alarm_at < first_loss_at, "the alarm comes before the first loss");
    assert_eq!(here.len() + lost as usize, clips as usize, "each is here or was told");
    assert!(most_unfinished <= bytes_max + largest);

    service.up();
    let left = here.len() as u64;
    station.wait("what is left is kept", || station.count(ClipState::Persisted) == left);
    assert!(uploader.stop(Duration::from_secs(30)));
    station.is_all_kept_once_by(&service);
    assert_eq!(service.violations(), []);
    let database = station.dir.path().join("store/station.db").metadata().unwrap().len();
    report(&format!(
        "a day away, too little room: {clips} clips, {lost} lost as was told, {left} kept; the \
         alarm at clip {alarm_at}, the first loss at {first_loss_at}; at most {most} bytes of \
         {bytes_max}, with the clip that is being written {most_unfinished}; rows {database} bytes"
    ));
}
