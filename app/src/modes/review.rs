//! `sightline review`: the screen without a line. Takes a station's store or what a replay left;
//! shows it to whoever reviews and labels.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::Builder;

use anyhow::{Context, Result, bail};
use domain::{PersonId, Role};
use pipeline::clock::{Clock, RealClock};
use store::{People, Store};
use ui::Person;

use super::export;
use super::screen::clerk::Clerk;
use super::screen::front::Front;
use super::screen::hall::Hall;
use super::screen::{child, door, facts, setup};
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
    let clock: Arc<dyn Clock> = Arc::new(RealClock::start());
    // Held for as long as the screen is there.
    let store = Store::create_or_open(&folder).map_err(|error| error.to_string());
    let labels = match &store {
        Ok(store) => store.labels().map_err(|error| error.to_string()),
        Err(why) => Err(format!("{why}; it can be looked at and not changed")),
    };
    let people = if folder.join("people/people.json").exists() {
        Some(People::of_store(&folder)?)
    } else {
        None
    };
    let hall = Arc::new(Hall::new(facts::of_store(&folder)?, None, Arc::clone(&clock)));
    if people.is_none() {
        let name = "local".to_owned();
        hall.set_who(Some(Person { id: PersonId::new("p-local"), name, role: Role::Quality }));
    }
    let (answers, to_screen) = channel();
    let (inbox, asked) = channel();
    let (kept, exported, again) = (folder.clone(), folder.clone(), folder.clone());
    let clerk = Clerk {
        hall: Arc::clone(&hall),
        labels,
        clips: store.as_ref().ok().and_then(|store| store.clips().ok()),
        people,
        wishes: None,
        answers,
        inbox: inbox.clone(),
        export: Arc::new(move |format, out| export::by_hand(&exported, format, out)),
        facts: Box::new(move || facts::of_store(&again)),
        keep: Box::new(move |settings| setup::write(&kept, settings)),
        clock: Arc::clone(&clock),
    };
    Builder::new().name("clerk".to_owned()).spawn(move || clerk.work(&asked))?;
    let (ours, its) = UnixStream::pair()?;
    let heard = door::hear(ours.try_clone()?, inbox, Arc::default())?;
    let tell = move || {
        let until = || heard.is_finished();
        // The screen is gone, and the program with it.
        let _ = door::tell(ours, &hall, &to_screen, None, &*clock, &until);
    };
    Builder::new().name("to-screen".to_owned()).spawn(tell)?;
    child::show(Front::connect(its, &folder, || {})?, &folder, false)?;
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
