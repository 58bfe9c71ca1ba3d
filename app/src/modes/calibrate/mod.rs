//! `sightline calibrate`: takes pictures of targets, plain sheets and the running belt; gives a
//! camera's calibration profile, step by step, and says whether a line may measure by it. A live
//! camera is calibrated by the same code: at a screen ([`live`], [`session`]) and without one.

mod accept;
mod belt;
mod board;
pub mod camera;
mod flat;
mod grr;
mod guide;
mod lens;
mod live;
mod live_views;
mod measured;
mod plane;
mod residuals;
pub mod session;
pub mod shots;
mod simulated;
mod target;
mod watch;

/// What tests hold before a camera.
#[cfg(test)]
#[path = "../../../tests/board/mod.rs"]
pub mod printed;

use std::path::Path;

use anyhow::Result;
use calibration::Profile;
use calibration::profile::CameraNote;
use clap::Subcommand;
use domain::SizePx;
use jiff::Timestamp;

use crate::Ended;

/// From pixels to millimetres: what a camera's lens bends, what its lamp shades, where the belt is,
/// and whether that still holds.
///
/// In order: print a `target`; fit the `lens` from 8 or more views of it; lay it on the belt for
/// the `plane`; show a plain sheet for the `flat` field; `watch` a good hour for what later
/// pictures are held against; then `accept`. Every step writes into the profile's folder, which a
/// station's camera names under `calibration`.
///
/// Pictures come from files, or from a live camera that a station file names: `station.toml#top`
/// wherever a SOURCE is asked for; `live` does all of it at a screen.
///
/// Exit codes: 0 done; 1 it is not good enough; 2 bad input.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Target(target::Args),
    Live(live::Args),
    Lens(lens::Args),
    Plane(plane::Args),
    Flat(flat::Args),
    Belt(belt::Args),
    Watch(watch::Args),
    Show(accept::Show),
    Accept(accept::Args),
    Check(accept::Check),
    Grr(grr::Args),
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    match &args.what {
        What::Target(args) => target::run(args),
        What::Live(args) => live::run(args),
        What::Lens(args) => lens::run(args),
        What::Plane(args) => plane::run(args),
        What::Flat(args) => flat::run(args),
        What::Belt(args) => belt::run(args),
        What::Watch(args) => watch::run(args),
        What::Show(args) => accept::show(args),
        What::Accept(args) => accept::run(args),
        What::Check(args) => accept::check(args),
        What::Grr(args) => grr::run(args),
    }
}

/// The profile in `folder`, dated now; a new one where there is none. What was measured at another
/// size is refused rather than mixed.
fn profile(folder: &Path, size: SizePx) -> Result<Profile> {
    let now = Timestamp::now();
    if !folder.join(calibration::profile::PROFILE_FILE).exists() {
        return Ok(Profile::new(size, CameraNote::default(), now));
    }
    let mut profile = Profile::read(folder)?;
    if profile.size != size {
        anyhow::bail!(
            "{}: the profile is of {} pixels, these pictures are {size}; take them at the camera's \
             full resolution, or begin a new profile",
            folder.display(),
            profile.size
        );
    }
    profile.made_at = now;
    Ok(profile)
}
