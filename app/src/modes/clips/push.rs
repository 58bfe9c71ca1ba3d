//! `sightline clips push`: takes a station's file, sends what waits in its store, without a line.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::park_timeout;
use std::time::Duration;

use anyhow::{Result, anyhow};
use domain::CameraId;
use indicatif::ProgressBar;
use pipeline::clock::{Clock, RealClock};
use pipeline::stage::Counters;
use pipeline::upload::{self, Uploading, Waits};
use serde_json::json;
use store::{ClipFilter, ClipState, Clips, Reader, RunId, Store, StoreError};

use super::size;
use crate::Ended;
use crate::config::Station;
use crate::modes::progress;
use crate::modes::run::span;
use crate::modes::{say, say_json};

/// How often it is looked how far it is.
const LOOK: Duration = Duration::from_millis(200);
/// How long what is on its way may take when the time is over.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// Send what waits, now and without a line: after a long outage, or before a disk is changed.
///
/// A running station sends by itself, and is not disturbed: this is refused then. Exit codes: 0
/// nothing waits any more, 1 something still does, 2 bad input or environment.
#[derive(clap::Args)]
pub struct Args {
    /// The station's file: its store, and where clips go.
    station: PathBuf,
    /// Try once more what was set aside as never to be taken.
    #[arg(long)]
    again: bool,
    /// Send what is held too, with the times that it was filmed at: the wall clock was right.
    #[arg(long)]
    held: bool,
    /// Stop after this time: 20s, 5m, 8h.
    #[arg(long, value_name = "DURATION", value_parser = span::parse, default_value = "10m")]
    within: Duration,
    /// One JSON object on stdout: what is kept, what waits, what is wrong.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let station = Station::from_file(&args.station)?;
    let config = station.filming.as_ref().and_then(|filming| filming.upload.as_ref());
    let config = config.ok_or_else(|| {
        let nowhere = anyhow!("it says nowhere that clips are to be sent; write [upload]");
        station.blame("upload", nowhere)
    })?;
    let store = open(&station)?;
    let mut clips = store.clips()?;
    clips.recover()?;
    release(args, &station, &mut clips)?;

    let cameras: Vec<_> = station.cameras.iter().map(|it| CameraId::new(&it.name)).collect();
    let counters = Arc::new(Counters::of_cameras(cameras.clone()));
    let clock = RealClock::start();
    let trusts = args.held || station.filming.as_ref().is_some_and(|it| it.clips.trust_clock);
    let clock: Arc<dyn Clock> = Arc::new(if trusts { clock.trusted() } else { clock });
    let what = Uploading {
        config,
        station: &station.name,
        cameras: &cameras,
        // None of the runs there are is of this process.
        first_run: RunId(i64::MAX),
        waits: Waits::default(),
    };
    let uploader = upload::start(&what, || store.clips(), &counters, &clock)?;
    let is_done = watch(args, &clips, &counters, &*clock)?;
    if !uploader.stop(ENDS_WITHIN) {
        tracing::warn!("the upload did not end in time; what was on its way is sent again");
    }
    tell(args, &clips, &counters)?;
    Ok(if is_done { Ended::Done } else { Ended::LimitsNotMet })
}

fn open(station: &Station) -> Result<Store> {
    // What only sends must not make a store where there is none.
    drop(Reader::open(&station.store).map_err(|error| station.blame("store", error))?);
    match Store::create_or_open(&station.store) {
        Ok(store) => Ok(store),
        Err(StoreError::Locked { holder, .. }) => Err(anyhow!(
            "{}: {holder} writes this store, and sends its clips by itself; stop it first, or \
             leave it",
            station.store.display()
        )),
        Err(error) => Err(station.blame("store", error)),
    }
}

fn release(args: &Args, station: &Station, clips: &mut Clips) -> Result<()> {
    let all = Reader::open(&station.store)?.clips(&ClipFilter::default())?;
    for clip in all.iter().filter(|clip| clip.gone_at.is_none()) {
        let again = args.again && clip.state == ClipState::Quarantined;
        let held = args.held && clip.held.is_some();
        if again || held {
            clips.release(clip.id)?;
        }
    }
    Ok(())
}

/// Clips that are on their way or wait for it.
fn waiting(clips: &Clips) -> Result<u64> {
    let tally = clips.tally()?;
    let all = tally.queued.clips + tally.sent.clips + tally.received.clips;
    Ok(all.saturating_sub(tally.held.clips))
}

/// Waits until nothing waits, or the time is over; whether nothing does.
fn watch(args: &Args, clips: &Clips, counters: &Counters, clock: &dyn Clock) -> Result<bool> {
    let total = waiting(clips)?;
    let bar: ProgressBar = progress::bar_of("clips", Some(total), args.json);
    let until = clock.now().plus(args.within);
    loop {
        let left = waiting(clips)?;
        bar.set_position(total.saturating_sub(left));
        if left == 0 || clock.now() >= until {
            bar.finish_and_clear();
            return Ok(left == 0);
        }
        let trouble = counters.snapshot().uploads.into_iter().find_map(|row| row.trouble);
        bar.set_message(trouble.unwrap_or_default());
        park_timeout(LOOK);
    }
}

fn tell(args: &Args, clips: &Clips, counters: &Counters) -> Result<()> {
    let tally = clips.tally()?;
    let uploads = counters.snapshot().uploads;
    if args.json {
        return say_json(&json!({ "clips": tally, "uploads": uploads }));
    }
    for row in &uploads {
        if let Some(trouble) = &row.trouble {
            say(&format!("{}: {trouble}", row.camera))?;
        }
    }
    let sent: u64 = uploads.iter().map(|row| row.bytes_sent).sum();
    let unsaved = tally.unsaved();
    say(&format!(
        "{} clips are kept there, {} ({}) are on this machine alone, {} of them held; {} sent now",
        tally.persisted.clips,
        unsaved.clips,
        size(unsaved.bytes),
        tally.held.clips,
        size(sent)
    ))
}
