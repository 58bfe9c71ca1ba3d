//! How long it takes to look at the outbox when very much is in it. Takes nothing; gives the times
//! of what `sightline clips list` and the Health page ask.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use domain::{CameraId, PartId};
use pipeline::clock::{Clock, RealClock};
use serde_json::json;
use sightline_benches::Failure;
use sightline_benches::report::Report;
use sightline_benches::spread::Spread;
use store::{
    ClipClass, ClipEnd, ClipFilter, ClipPart, ClipStart, ClipState, Clips, Fragment, Reader, RunId,
    RunStart, Store, StoreError, VerdictWord,
};

use crate::footage::at;

const CLIPS: u64 = 10_000;
/// Of the clips in turns.
const CAMERAS: [&str; 2] = ["top", "side"];
/// A clip's bytes: the header, then two fragments.
const HEADER: u64 = 100;
const FRAGMENT: u64 = 450;
const FRAMES_APART: u64 = 300;
const LOOKS: usize = 10;

/// What is asked of the store.
type Asked<'a> = Box<dyn Fn() -> Result<usize, StoreError> + 'a>;

/// Fills a store, then looks at it.
pub fn listed(report: &mut Report) -> Result<(), Failure> {
    // In memory where that can be: it is not the disk that is on trial.
    let in_memory = tempfile::Builder::new().tempdir_in("/dev/shm");
    let folder = in_memory.or_else(|_| tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")))?;
    fill(folder.path())?;
    let reader = Reader::open(folder.path())?;
    let all = ClipFilter::default();
    let newest = ClipFilter { limit: Some(50), ..ClipFilter::default() };
    let queued_of_one = ClipFilter {
        camera: Some(CameraId::new(CAMERAS[0])),
        state: Some(ClipState::Queued),
        ..newest.clone()
    };
    let of_part = ClipFilter { part: Some((RunId(1), PartId(CLIPS))), ..ClipFilter::default() };
    let list = |filter| -> Asked<'_> {
        let reader = &reader;
        Box::new(move || Ok(reader.clips(&filter)?.len()))
    };
    let tally = || Ok(usize::try_from(reader.clip_tally()?.queued.clips).unwrap_or(usize::MAX));
    report.table("listed");
    for (what, ask) in [
        ("all clips, with fragments and parts", list(all)),
        ("the newest 50", list(newest)),
        ("the newest 50 of a camera that wait", list(queued_of_one)),
        ("those of a part", list(of_part)),
        ("the sums", Box::new(tally)),
    ] {
        look(report, what, &ask)?;
    }
    report.note(format!("listed: a store of {CLIPS} clips of {} cameras", CAMERAS.len()));
    Ok(())
}

fn look(report: &mut Report, what: &str, ask: &Asked<'_>) -> Result<(), Failure> {
    let clock = RealClock::start();
    let (mut found, mut times) = (0, Vec::new());
    for _ in 0..LOOKS {
        let before = clock.now();
        found = ask()?;
        times.push(clock.now().since(before).as_secs_f64() * 1e3);
    }
    let times = Spread::from(times);
    report.row(vec![
        ("what", json!(what)),
        ("clips", json!(found)),
        ("least_ms", json!(times.at(0.0))),
        ("p50_ms", json!(times.p50())),
        ("max_ms", json!(times.at(1.0))),
    ]);
    Ok(())
}

fn fill(folder: &Path) -> Result<(), Failure> {
    let store = Store::create_or_open(folder)?;
    let run = store.start_run(&RunStart { started_at: at(0).wall, source: "bench" })?.run();
    let mut clips = store.clips()?;
    for number in 0..CLIPS {
        accept(&mut clips, run, number)?;
    }
    Ok(())
}

fn accept(clips: &mut Clips, run: RunId, number: u64) -> Result<(), Failure> {
    let started = at(number * FRAMES_APART);
    let camera = CameraId::new(CAMERAS[usize::from(number % 2 == 1)]);
    let start = ClipStart { run, camera: &camera, started, clock_is_synced: true };
    let mut file = clips.begin(&start)?;
    file.write_all(&vec![0; usize::try_from(HEADER + 2 * FRAGMENT)?])?;
    let fragment = |index: u64| Fragment {
        offset_bytes: HEADER + index * FRAGMENT,
        size_bytes: FRAGMENT,
        timecode_at_bytes: HEADER + index * FRAGMENT + 2,
        starts_ms: index * 2000,
        lasts_ms: 2000,
    };
    let part = |of: u64| ClipPart {
        part: PartId(2 * number + of),
        verdict: VerdictWord::Reject,
        at: started,
        picture: Some(30),
    };
    let lasts = Duration::from_secs(4);
    let ended =
        domain::CaptureTime { mono: started.mono.plus(lasts), wall: started.wall.plus(lasts) };
    clips.accept(
        file,
        &ClipEnd {
            ended,
            class: ClipClass::Rejected,
            header_bytes: HEADER,
            fragments: [0, 1].map(fragment).to_vec(),
            parts: [1, 2].map(part).to_vec(),
            pictures: 120,
            pictures_missing: 0,
            facts: json!({}),
        },
    )?;
    Ok(())
}
