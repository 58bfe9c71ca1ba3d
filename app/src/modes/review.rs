//! `sightline review`: the screen without a line. Takes a station's store or what a replay left;
//! shows it to whoever reviews and labels.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use domain::Role;
use pipeline::clock::RealClock;
use store::Store;
use ui::Page;

use super::screen::alone::{self, Alone};
use super::screen::facts;
use crate::Ended;

/// Look at a finished replay or a station's store: review, label, history, export.
///
/// Where people may use the station (`sightline people`), they log in here too. Elsewhere nobody
/// does, and what is labelled is labelled by `p-local`. While a station runs on the store, it can
/// be looked at and not changed.
///
/// Exit codes: 0 closed, 2 bad input or environment.
#[derive(clap::Args)]
pub struct Args {
    /// The folder that `replay --out` made, or a station's store.
    folder: PathBuf,
}

/// Runs the mode.
pub fn run(args: &Args) -> Result<Ended> {
    let folder = store_in(&args.folder)?;
    let again = folder.clone();
    alone::show(Alone {
        store: Store::create_or_open(&folder),
        folder,
        facts: Box::new(move || facts::of_store(&again)),
        role: Role::Quality,
        cameras: Vec::new(),
        peeks: Vec::new(),
        page: Page::Review,
        is_kiosk: false,
        clock: Arc::new(RealClock::start()),
    })?;
    Ok(Ended::Done)
}

/// The store in `folder`, or in the folder `store` in it.
fn store_in(folder: &Path) -> Result<PathBuf> {
    let places = [folder.to_owned(), folder.join("store")];
    for place in &places {
        if place.join("station.db").is_file() {
            return place.canonicalize().with_context(|| place.display().to_string());
        }
    }
    bail!(
        "{}: there is no store in it (no station.db); name the folder that `sightline replay \
         --out` made, or the `store` of a station file",
        folder.display()
    )
}
