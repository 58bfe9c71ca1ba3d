//! `sightline clips`: what a station has filmed around its parts, and how far it has come to where
//! it is kept. A file a command.

mod list;
mod play;
mod prune;
mod push;
mod show;
mod verify;

use std::path::Path;

use anyhow::{Result, anyhow};
use clap::Subcommand;
use domain::WallTime;
use jiff::Timestamp;
use pipeline::clock::{Clock, RealClock};
use store::{Clip, ClipClass, ClipId, ClipState, Reader, StoreError};

use crate::Ended;

/// Clips of parts that were rejected or undecided: list, play, verify, make room.
///
/// A station films around such parts and keeps each clip until it is where it is to be kept: queued
/// on disk, sent, received, persisted. What is persisted stays on disk until room is needed.
/// Reading works while the station runs; what changes the store is refused then.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    List(list::Args),
    Show(show::Args),
    Play(play::Args),
    Verify(verify::Args),
    Prune(prune::Args),
    Push(push::Args),
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    match &args.what {
        What::List(args) => list::run(args),
        What::Show(args) => show::run(args),
        What::Play(args) => play::run(args),
        What::Verify(args) => verify::run(args),
        What::Prune(args) => prune::run(args),
        What::Push(args) => push::run(args),
    }
}

/// One clip of the store, or what would be a right number.
fn look_up(folder: &Path, id: i64) -> Result<Clip> {
    let found = Reader::open(folder)?.clip(ClipId(id))?;
    found.ok_or_else(|| {
        let store = folder.display();
        anyhow!(
            "{store}: there is no clip {id}; `sightline clips list {store}` names all there are"
        )
    })
}

/// The store for writing; while a line runs it is refused, with what to do.
fn open_to_change(folder: &Path) -> Result<store::Clips> {
    // What only asks must not make a store where there is none.
    drop(Reader::open(folder)?);
    match store::Store::create_or_open(folder) {
        Ok(store) => Ok(store.clips()?),
        Err(StoreError::Locked { holder, .. }) => Err(anyhow!(
            "{}: {holder} writes this store, so nothing is changed; stop the station first, or \
             leave it: it makes room by itself",
            folder.display()
        )),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn now() -> WallTime {
    RealClock::start().wall()
}

/// A moment as people write it, in UTC, to the second: `2023-11-14 22:13:20`.
pub(super) fn moment(at: WallTime) -> String {
    let time = Timestamp::from_nanosecond(at.unix_ns.into());
    time.map_or_else(|_| at.unix_ns.to_string(), |time| time.strftime("%F %T").to_string())
}

/// How long a clip is, from its first picture to its last.
fn length(clip: &Clip) -> String {
    format!("{:.1} s", clip.ended.mono.since(clip.started.mono).as_secs_f64())
}

/// A size as people say it.
fn size(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = bytes.saturating_mul(10).div_ceil(unit);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", tenths(1 << 10)),
        1_048_576..1_073_741_824 => format!("{} MiB", tenths(1 << 20)),
        _ => format!("{} GiB", tenths(1 << 30)),
    }
}

/// Why a clip is not on its way, and what went wrong, in a few words.
fn trouble(clip: &Clip) -> String {
    let gone = clip.gone_at.map(|at| format!("removed {}", moment(at)));
    let held = clip.held.as_ref().map(|why| format!("held: {why}"));
    let told = clip.trouble.as_ref().map(|trouble| match clip.attempts {
        0 => trouble.clone(),
        attempts => format!("{trouble} ({attempts} attempts)"),
    });
    [gone, held, told].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn parse_state(name: &str) -> Result<ClipState, String> {
    ClipState::ALL.into_iter().find(|state| state.name() == name).ok_or_else(|| {
        let known = ClipState::ALL.map(ClipState::name).join(", ");
        format!("there is no such state; there are {known}")
    })
}

fn parse_class(name: &str) -> Result<ClipClass, String> {
    ClipClass::ALL.into_iter().find(|class| class.name() == name).ok_or_else(|| {
        let known = ClipClass::ALL.map(ClipClass::name).join(", ");
        format!("there is no such class; there are {known}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (seconds, told) in [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_700_000_000, "2023-11-14 22:13:20"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(moment(WallTime { unix_ns: seconds * 1_000_000_000 }), told);
        }
        moment(WallTime { unix_ns: i64::MAX });
        moment(WallTime { unix_ns: i64::MIN });
    }

    #[test]
    fn sizes_are_never_told_smaller_than_they_are() {
        for (bytes, told) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_025, "1.1 KiB"),
            (5 << 20, "5.0 MiB"),
            (20 << 30, "20.0 GiB"),
        ] {
            assert_eq!(size(bytes), told);
        }
        size(u64::MAX);
    }
}
